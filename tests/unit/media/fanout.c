/* To every sink and every other worker; and the newest keyframe again to whoever comes late. */
#include "rig.h"

#include "proto/rtp/codec_types.h"

#define PORTS 3

static struct rig rig;
static struct fake_port ports[PORTS];
static struct source *source;
static struct feed feed;

/* what the relay was given */
static struct relayed {
    uint32_t worker;
    uint32_t slot;
    uint16_t seq;
    uint8_t layer;
    uint8_t epoch;
} relayed[4096];
static uint32_t relayed_count;
static uint32_t reports;

static void on_packet(void *owner, uint32_t worker, struct ref name, const struct media_packet *packet)
{
    assert_ptr_equal(owner, &rig);
    assert_in_range(relayed_count, 0, ARRAY_COUNT(relayed) - 1);
    relayed[relayed_count++] = (struct relayed){worker, name.slot, packet->seq, packet->layer, packet->epoch};
}

static void on_report(void *owner, uint32_t worker, struct ref name, uint8_t layer, uint64_t wall_us, uint32_t ts)
{
    assert_ptr_equal(owner, &rig);
    assert_int_equal(name.slot, source->name.slot);
    assert_int_equal(layer, 1);
    assert_int_equal(wall_us, 77);
    assert_int_equal(ts, 78);
    reports |= 1u << worker;
}

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    rig.media.relay = (struct media_relay){.packet = on_packet, .report = on_report, .owner = &rig};
    for (unsigned i = 0; i < PORTS; i++)
        fake_port_init(&ports[i]);
    source = rig_source(&rig, CODEC_VP8, 1);
    feed_init(&feed, source, 0, SEC(10));
    relayed_count = reports = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    while (source != NULL && source->sink_count > 0)
        sink_free(CONTAINER_OF(source->sinks.next, struct sink, by_source));
    source_free(source);
    for (unsigned i = 0; i < PORTS; i++)
        fake_port_fini(&ports[i]);
    rig_fini(&rig);
    return 0;
}

static void test_every_sink_gets_each_packet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PORTS; i++)
        rig_sink(&rig, source, &ports[i], feed.now);
    feed_frame(&feed, true, 4);
    for (unsigned i = 0; i < PORTS; i++) {
        assert_int_equal(ports[i].count, 4);
        assert_true(ports[i].sent[3].marker);
    }
    assert_int_equal(rig.media.counters.packets_in, 4);
    assert_int_equal(rig.media.counters.packets_out, 12);
}

static void test_a_copy_per_worker_that_has_sinks(void **state)
{
    (void)state;
    source->relay_mask = 1ull << 1 | 1ull << 5 | 1ull << 63;
    feed_packet(&feed, true, true, true);
    assert_int_equal(relayed_count, 3);
    assert_int_equal(relayed[0].worker, 1);
    assert_int_equal(relayed[1].worker, 5);
    assert_int_equal(relayed[2].worker, 63);
    assert_int_equal(relayed[0].slot, source->name.slot);
}

static void test_probes_are_relayed_for_their_numbers(void **state)
{
    (void)state;
    source->relay_mask = 1ull << 2;
    rig_sink(&rig, source, &ports[0], feed.now);
    feed_packet(&feed, true, true, false);
    feed_probe(&feed);
    assert_int_equal(relayed_count, 2);
    assert_int_equal(ports[0].count, 1);
}

static void test_reports_go_along(void **state)
{
    (void)state;
    source->relay_mask = 1ull << 3 | 1ull << 4;
    source_report(source, 1, feed.now, 77, 78);
    assert_int_equal(reports, 1u << 3 | 1u << 4);
    source_report(source, LAYERS_MAX, feed.now, 77, 78);    /* no such layer: nothing */
}

/* ---- replay ---- */

static void test_a_late_sink_gets_the_keyframe_and_what_followed(void **state)
{
    (void)state;
    uint32_t contents[7];
    feed_frame(&feed, false, 2);
    for (unsigned i = 0; i < 3; i++)
        contents[i] = feed_packet(&feed, true, i == 0, i == 2);
    feed_next_frame(&feed, -1);
    for (unsigned i = 3; i < 7; i++)
        contents[i] = feed_packet(&feed, false, i == 3, i == 6);
    struct sink *sink = rig_sink(&rig, source, &ports[0], feed.now);
    assert_true(fanout_replay(source, sink, feed.now));
    assert_int_equal(ports[0].count, 7);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(ports[0].sent[i].content, contents[i]);
        assert_int_equal(ports[0].sent[i].seq, 1 + i);
    }
    assert_int_equal(rig.media.counters.replays, 1);
    feed_next_frame(&feed, -1);
    feed_packet(&feed, false, true, true);                  /* and goes on without a gap */
    assert_int_equal(ports[0].sent[7].seq, 8);
}

static void test_a_sink_that_has_had_it_gets_no_replay(void **state)
{
    (void)state;
    struct sink *sink = rig_sink(&rig, source, &ports[0], feed.now);
    feed_frame(&feed, true, 3);
    assert_false(fanout_replay(source, sink, feed.now));
    assert_int_equal(ports[0].count, 3);
    struct source *other = rig_source(&rig, CODEC_VP8, 1);
    struct sink *elsewhere = rig_sink(&rig, other, &ports[1], feed.now);
    assert_false(fanout_replay(source, elsewhere, feed.now));
    assert_int_equal(ports[1].count, 0);
    sink_free(elsewhere);
    source_free(other);
}

static void test_an_old_keyframe_is_not_replayed(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);
    struct sink *sink = rig_sink(&rig, source, &ports[0], feed.now);
    assert_false(fanout_replay(source, sink, feed.now + KEYFRAME_REPLAY_US + 1));
    assert_int_equal(ports[0].count, 0);
    assert_true(fanout_replay(source, sink, feed.now + KEYFRAME_REPLAY_US));
}

static void test_a_keyframe_with_a_hole_behind_it_is_not_replayed(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    feed_lose(&feed);
    feed_packet(&feed, true, false, true);
    struct sink *sink = rig_sink(&rig, source, &ports[0], feed.now);
    assert_false(fanout_replay(source, sink, feed.now));
    feed.seq = (uint16_t)(feed.seq - 2);                    /* RTX brings it */
    feed_packet(&feed, true, false, false);
    assert_true(fanout_replay(source, sink, feed.now));
    assert_int_equal(ports[0].count, 3);
}

static void test_no_keyframe_no_replay(void **state)
{
    (void)state;
    struct sink *sink = rig_sink(&rig, source, &ports[0], feed.now);
    assert_false(fanout_replay(source, sink, feed.now));
    feed_frame(&feed, false, 3);
    assert_false(fanout_replay(source, sink, feed.now));
    assert_false(fanout_replay_to_worker(source, 1, feed.now));
}

static void test_probes_behind_a_keyframe_are_no_holes(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);
    feed_probe(&feed);
    feed_probe(&feed);
    feed_next_frame(&feed, -1);
    feed_packet(&feed, false, true, true);
    struct sink *sink = rig_sink(&rig, source, &ports[0], feed.now);
    assert_true(fanout_replay(source, sink, feed.now));
    assert_int_equal(ports[0].count, 2);
    assert_int_equal(ports[0].sent[1].seq, 2);
}

static void test_a_muted_source_replays_nothing(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);
    struct sink *sink = rig_sink(&rig, source, &ports[0], feed.now);
    source_set_active(source, false);
    assert_false(fanout_replay(source, sink, feed.now));
    assert_false(fanout_replay_to_worker(source, 1, feed.now));
    /* Nor does one that was muted just now: what lies before the pause is not what comes next. */
    source_set_active(source, true);
    assert_false(fanout_replay(source, sink, feed.now));
}

static void test_the_best_layer_up_to_the_target_is_replayed(void **state)
{
    (void)state;
    struct source *layered = rig_source(&rig, CODEC_VP8, 3);
    struct feed layers[3];
    for (uint8_t i = 0; i < 3; i++) {
        feed_init(&layers[i], layered, i, feed.now);
        feed_packet(&layers[i], true, true, true);
    }
    struct sink *best = rig_sink(&rig, layered, &ports[0], feed.now), *middle = rig_sink(&rig, layered, &ports[1], feed.now);
    struct sink_options options = rig_options;
    options.substream_target = 1;
    sink_set_options(middle, &options, feed.now);
    assert_true(fanout_replay(layered, best, feed.now));
    assert_int_equal(ports[0].sent[0].content, layers[2].content);
    assert_true(fanout_replay(layered, middle, feed.now));
    assert_int_equal(ports[1].sent[0].content, layers[1].content);
    sink_free(best);
    sink_free(middle);
    source_free(layered);
}

static void test_another_worker_gets_every_layer_and_only_it(void **state)
{
    (void)state;
    struct source *layered = rig_source(&rig, CODEC_VP8, 3);
    struct feed layers[3];
    layered->relay_mask = 1ull << 9;                        /* another one, which has it all already */
    for (uint8_t i = 0; i < 3; i++) {
        feed_init(&layers[i], layered, i, feed.now);
        feed_packet(&layers[i], i != 1, true, false);
        feed_packet(&layers[i], false, false, true);
    }
    relayed_count = 0;
    assert_true(fanout_replay_to_worker(layered, 4, feed.now));
    assert_int_equal(relayed_count, 4);
    for (uint32_t i = 0; i < relayed_count; i++) {
        assert_int_equal(relayed[i].worker, 4);
        assert_int_equal(relayed[i].layer, i < 2 ? 0 : 2);  /* layer 1 has no keyframe */
    }
    source_free(layered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_sink_gets_each_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_copy_per_worker_that_has_sinks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probes_are_relayed_for_their_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reports_go_along, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_sink_gets_the_keyframe_and_what_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_sink_that_has_had_it_gets_no_replay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_old_keyframe_is_not_replayed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_keyframe_with_a_hole_behind_it_is_not_replayed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_keyframe_no_replay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probes_behind_a_keyframe_are_no_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_muted_source_replays_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_best_layer_up_to_the_target_is_replayed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_worker_gets_every_layer_and_only_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
