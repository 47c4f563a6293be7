/* One layer as it comes: its own numbers, closed up over probes, begun anew with its source's epochs. */
#include "rig.h"

#include "media/forward.h"

static struct rig rig;
static struct fake_port port;
static struct source *source;
static struct feed feed;
static struct forward forward;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    fake_port_init(&port);
    source = rig_source(&rig, CODEC_VP8, 2);
    feed_init(&feed, source, 0, SEC(10));
    forward_attach(&forward, source, 0, &port.port);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (source != NULL)
        source_free(source);
    fake_port_fini(&port);
    rig_fini(&rig);
    return 0;
}

static void test_it_waits_for_no_keyframe_and_keeps_the_numbers(void **state)
{
    (void)state;
    feed.seq = 65530;
    for (unsigned i = 0; i < 5; i++)
        feed_frame(&feed, false, 3);
    assert_int_equal(port.count, 15);
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(port.sent[i].seq, (uint16_t)(65530 + i));
    assert_int_equal(fake_port_last(&port)->content, feed.content);
}

static void test_other_layers_are_others_business(void **state)
{
    (void)state;
    struct feed high;
    feed_init(&high, source, 1, SEC(10));
    feed_frame(&high, true, 3);
    assert_int_equal(port.count, 0);
}

static void test_probes_are_closed_up_and_losses_are_not(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    uint16_t last = fake_port_last(&port)->seq;
    feed_probe(&feed);
    feed_probe(&feed);
    feed_frame(&feed, false, 1);
    assert_int_equal(fake_port_last(&port)->seq, (uint16_t)(last + 1));
    feed_lose(&feed);
    feed_frame(&feed, false, 1);
    assert_int_equal(fake_port_last(&port)->seq, (uint16_t)(last + 3));
}

static void test_a_new_ssrc_brings_its_own_numbers(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    feed_probe(&feed);
    feed.seq = 40000;
    feed.renumbered = true;
    feed_frame(&feed, true, 1);
    assert_int_equal(fake_port_last(&port)->seq, 40000);
}

static void test_a_port_that_is_not_ready_gets_nothing(void **state)
{
    (void)state;
    port.ready = false;
    feed_frame(&feed, true, 2);
    assert_int_equal(port.count, 0);
}

static void test_it_ends_with_its_source_or_before(void **state)
{
    (void)state;
    source_orphan(source);
    assert_null(forward.source);
    forward_detach(&forward);                   /* once more does no harm */
    forward_attach(&forward, source, 0, &port.port);
    forward_detach(&forward);
    feed_frame(&feed, true, 2);
    assert_int_equal(port.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_waits_for_no_keyframe_and_keeps_the_numbers),
        TEST(test_other_layers_are_others_business),
        TEST(test_probes_are_closed_up_and_losses_are_not),
        TEST(test_a_new_ssrc_brings_its_own_numbers),
        TEST(test_a_port_that_is_not_ready_gets_nothing),
        TEST(test_it_ends_with_its_source_or_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
