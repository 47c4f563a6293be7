/* Windows of audio levels: who talks, and when that is news. */
#include "rig.h"

#include "media/levels.h"

static void feed_levels(struct levels *levels, uint8_t level, unsigned count, unsigned expected_changes)
{
    unsigned changes = 0;
    for (unsigned i = 0; i < count; i++)
        changes += levels_input(levels, level);
    assert_int_equal(changes, expected_changes);
}

static void test_a_window_below_the_threshold_is_talking(void **state)
{
    (void)state;
    struct levels levels = {0};
    levels_set(&levels, &(struct level_window){10, 25});
    feed_levels(&levels, 20, 9, 0);
    assert_false(levels.talking);
    feed_levels(&levels, 20, 1, 1);
    assert_true(levels.talking);
    assert_true(levels.average > 19.9 && levels.average < 20.1);
    feed_levels(&levels, 20, 30, 0);            /* still so: no news */
    feed_levels(&levels, 127, 10, 1);
    assert_false(levels.talking);
}

static void test_the_threshold_itself_is_silence(void **state)
{
    (void)state;
    struct levels levels = {0};
    levels_set(&levels, &(struct level_window){4, 25});
    feed_levels(&levels, 25, 8, 0);
    assert_false(levels.talking);
}

static void test_nobody_asks(void **state)
{
    (void)state;
    struct levels levels = {0};
    feed_levels(&levels, 0, 1000, 0);
}

static void test_another_window_begins_anew(void **state)
{
    (void)state;
    struct levels levels = {0};
    levels_set(&levels, &(struct level_window){10, 25});
    feed_levels(&levels, 0, 9, 0);
    levels_set(&levels, &(struct level_window){10, 25});        /* the same: goes on */
    feed_levels(&levels, 0, 1, 1);
    feed_levels(&levels, 127, 9, 0);
    levels_set(&levels, &(struct level_window){5, 25});
    feed_levels(&levels, 127, 4, 0);
    feed_levels(&levels, 127, 1, 1);
}

static void test_a_source_tells_of_it_and_a_muted_one_does_not(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    struct source *source = rig_source(&rig, CODEC_OPUS, 1);
    levels_set(&source->levels, &(struct level_window){3, 25});
    for (uint16_t i = 0; i < 3; i++) {
        struct media_packet packet = {.arrived = SEC(1), .seq = i, .payload = (const uint8_t *)"x", .payload_size = 1,
                                      .ext = {.has = RTP_EXT_HAS_AUDIO_LEVEL, .audio_level = 5}};
        assert_true(list_is_empty(&rig.media.talkers));
        source_input(source, &packet, false);
    }
    assert_false(list_is_empty(&rig.media.talkers));
    assert_ptr_equal(list_pop(&rig.media.talkers), &source->talking);
    source_set_active(source, false);
    for (uint16_t i = 3; i < 9; i++) {
        struct media_packet packet = {.arrived = SEC(1), .seq = i, .payload = (const uint8_t *)"x", .payload_size = 1,
                                      .ext = {.has = RTP_EXT_HAS_AUDIO_LEVEL, .audio_level = 127}};
        source_input(source, &packet, false);
    }
    assert_true(list_is_empty(&rig.media.talkers));
    source_free(source);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_below_the_threshold_is_talking), cmocka_unit_test(test_the_threshold_itself_is_silence),
        cmocka_unit_test(test_nobody_asks),                             cmocka_unit_test(test_another_window_begins_anew),
        cmocka_unit_test(test_a_source_tells_of_it_and_a_muted_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
