/* Limits of the graph, and that everything comes home. */
#include "rig.h"

#include "proto/rtp/codec_types.h"

static void test_an_empty_graph_is_made_and_ended(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    assert_true(list_is_empty(&rig.media.keyframes));
    assert_true(list_is_empty(&rig.media.orphans));
    assert_true(list_is_empty(&rig.media.layers));
    rig_fini(&rig);
}

static void test_sources_and_sinks_end_at_their_limits(void **state)
{
    (void)state;
    struct rig rig = {0};
    media_init(&rig.media, &(struct media_limits){.sources = 1, .sinks = 1, .packets = 1});
    struct source *source = rig_source(&rig, CODEC_VP8, 1);
    assert_non_null(source);
    assert_null(rig_source(&rig, CODEC_VP8, 1));
    struct sink *sink = sink_new(&rig.media, (struct ref){1, 1}, &rig_options, 0);
    assert_non_null(sink);
    assert_null(sink_new(&rig.media, (struct ref){2, 1}, &rig_options, 0));
    assert_int_equal(rig.media.sources.refused, 1);
    assert_int_equal(rig.media.sinks.refused, 1);
    sink_free(sink);
    source_free(source);
    rig_fini(&rig);
}

static void test_what_has_not_come_home_is_noticed(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    struct source *source = rig_source(&rig, CODEC_VP8, 1);
    expect_assert_failure(media_fini(&rig.media));
    source_free(source);
    media_fini(&rig.media);
}

/* A call with everything in it: whatever pool refuses, nothing is lost and nothing breaks. */
static void whole_call(void)
{
    struct rig rig;
    struct fake_port one, two;
    struct feed feed;
    rig_init(&rig);
    fake_port_init(&one);
    fake_port_init(&two);
    struct source *first = rig_source(&rig, CODEC_VP8, 3), *second = rig_source(&rig, CODEC_VP8, 1);
    struct sink *a = first == NULL ? NULL : rig_sink(&rig, first, &one, SEC(1)), *b = first == NULL ? NULL : rig_sink(&rig, first, &two, SEC(1));
    if (first != NULL) {
        feed_init(&feed, first, 2, SEC(1));
        feed_frame(&feed, true, 3);
        feed_frame(&feed, false, 3);
    }
    if (a != NULL && one.count > 0)
        sink_nack(a, SEC(1) + MSEC(50), one.sent[0].seq);
    if (second != NULL) {
        feed_init(&feed, second, 0, SEC(2));
        if (b != NULL)
            sink_set_source(b, second, SEC(2));
        feed_frame(&feed, true, 3);
    }
    if (first != NULL)
        source_free(first);
    if (a != NULL)
        sink_free(a);
    if (b != NULL)
        sink_free(b);
    if (second != NULL)
        source_free(second);
    fake_port_fini(&one);
    fake_port_fini(&two);
    rig_fini(&rig);
}

static void test_any_refusal_is_survived(void **state)
{
    (void)state;
    seam_oom_sweep(whole_call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_graph_is_made_and_ended),
        cmocka_unit_test(test_sources_and_sinks_end_at_their_limits),
        cmocka_unit_test(test_what_has_not_come_home_is_noticed),
        cmocka_unit_test(test_any_refusal_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
