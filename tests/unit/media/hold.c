/* Video waits for the rest of its frame, and nobody gets less, twice, or in another order for it. */
#include "rig.h"

#include "media/hold.h"
#include "proto/rtp/codec_types.h"

#define PORTS 4

static struct rig rig;
static struct fake_port ports[PORTS];
static struct source *source;
static struct feed feed;
static uint32_t relayed;

static void on_packet(void *owner, uint32_t worker, struct ref name, const struct media_packet *packet)
{
    (void)owner, (void)worker, (void)name, (void)packet;
    relayed++;
}

static int setup_sinks(unsigned sinks)
{
    rig_init(&rig);
    rig.media.hold_us = MSEC(1);
    rig.media.pads = true;
    rig.media.relay = (struct media_relay){.packet = on_packet};
    source = rig_source(&rig, CODEC_VP8, 3);
    feed_init(&feed, source, 0, SEC(10));
    relayed = 0;
    for (unsigned i = 0; i < PORTS; i++) {
        fake_port_init(&ports[i]);
        if (i < sinks)
            rig_sink(&rig, source, &ports[i], feed.now);
    }
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_sinks(3);
}

static int setup_few(void **state)
{
    (void)state;
    return setup_sinks(2);
}

static int teardown(void **state)
{
    (void)state;
    while (source->sink_count > 0)
        sink_free(CONTAINER_OF(source->sinks.next, struct sink, by_source));
    source_free(source);
    assert_true(list_is_empty(&rig.media.holding));
    for (unsigned i = 0; i < PORTS; i++)
        fake_port_fini(&ports[i]);
    rig_fini(&rig);
    return 0;
}

static void assert_in_order(const struct fake_port *port, uint32_t count)
{
    assert_int_equal(port->count, count);
    for (uint32_t i = 1; i < count; i++) {
        assert_int_equal((uint16_t)(port->sent[i].seq - port->sent[0].seq), i);
        assert_int_equal(port->sent[i].content, port->sent[0].content + i);
    }
}

static void test_a_frame_goes_when_its_marker_comes(void **state)
{
    (void)state;
    const usec_t began = feed.now;
    for (unsigned i = 0; i < 4; i++) {
        feed_packet(&feed, true, i == 0, false);
        feed.now += 100;
        assert_int_equal(ports[0].count, 0);
    }
    assert_int_equal(hold_deadline(&rig.media), began + MSEC(1));
    feed_packet(&feed, true, false, true);
    for (unsigned i = 0; i < 3; i++) {
        assert_in_order(&ports[i], 5);
        for (unsigned k = 0; k < 5; k++)
            assert_int_equal(ports[i].sent[k].at, began + 400);         /* they are sent now, all of them */
    }
    assert_int_equal(hold_deadline(&rig.media), USEC_NEVER);
    assert_int_equal(rig.media.counters.held, 5);
}

static void test_a_frame_of_one_packet_does_not_wait(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);
    assert_int_equal(ports[0].count, 1);
    assert_int_equal(rig.media.counters.held, 0);
}

static void test_what_does_not_come_in_time_is_not_waited_for(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    feed_packet(&feed, true, false, false);
    hold_timeout(&rig.media, feed.now + MSEC(1) - 1);
    assert_int_equal(ports[0].count, 0);
    hold_timeout(&rig.media, feed.now + MSEC(1));
    assert_in_order(&ports[0], 2);
    assert_int_equal(rig.media.counters.held_late, 1);
    feed.now += MSEC(3);
    feed_packet(&feed, true, false, true);
    assert_in_order(&ports[0], 3);
}

static void test_two_receivers_are_too_few(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    assert_int_equal(ports[0].count, 1);
    source->relay_mask = 1ull << 2;                 /* but others may be on another worker: it is woken once a frame */
    feed_packet(&feed, true, false, false);
    assert_int_equal(ports[0].count, 1);
    assert_int_equal(relayed, 0);
    feed_packet(&feed, true, false, true);
    assert_in_order(&ports[0], 3);
    assert_int_equal(relayed, 2);
}

static void test_more_than_a_run_of_them_go_before(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HOLD_PACKETS; i++)
        feed_packet(&feed, true, i == 0, false);
    assert_in_order(&ports[0], HOLD_PACKETS);
    feed_packet(&feed, true, false, false);
    assert_in_order(&ports[0], HOLD_PACKETS);
    feed_packet(&feed, true, false, true);
    assert_in_order(&ports[0], HOLD_PACKETS + 2);
}

static void test_a_lost_packet_holds_nothing_up(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    feed_lose(&feed);
    feed_packet(&feed, true, false, true);
    assert_int_equal(ports[0].count, 2);
    assert_int_equal((uint16_t)(ports[0].sent[1].seq - ports[0].sent[0].seq), 2);
}

static void test_a_late_packet_takes_its_place_in_the_frame(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    const uint16_t late = feed.seq++;
    feed_packet(&feed, true, false, false);
    const uint16_t next = feed.seq;
    feed.seq = late;
    feed_packet(&feed, true, false, false);
    feed.seq = late;
    feed_packet(&feed, true, false, false);         /* twice */
    feed.seq = next;
    feed_packet(&feed, true, false, true);
    for (uint16_t i = 0; i < 4; i++)
        assert_int_equal((uint16_t)(ports[0].sent[ports[0].count - 4 + i].seq - ports[0].sent[ports[0].count - 4].seq), i);
    feed.seq = late;                                /* and after the frame, as it comes */
    const uint32_t before = ports[0].count;
    feed_packet(&feed, true, false, false);
    assert_int_equal(ports[0].count, before + 1);
}

static void test_a_jump_of_the_numbers_lets_go_what_waits(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    feed.seq = (uint16_t)(feed.seq + 5000);
    feed_packet(&feed, false, true, false);
    assert_int_equal(ports[0].count, 1);
    feed.renumbered = true;
    feed_packet(&feed, true, true, false);          /* another SSRC: what waited was the old one's last */
    assert_int_equal(ports[0].count, 2);
    hold_timeout(&rig.media, feed.now + MSEC(1));
    assert_int_equal(ports[0].count, 3);
}

static void test_layers_wait_for_themselves(void **state)
{
    (void)state;
    struct feed high;
    feed_init(&high, source, 2, SEC(10));
    feed_packet(&high, true, true, false);
    feed_packet(&feed, true, true, false);
    feed_packet(&high, true, false, true);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ports[i].count, 2);
        assert_int_equal((uint16_t)(ports[i].sent[1].seq - ports[i].sent[0].seq), 1);
    }
    assert_int_equal(hold_deadline(&rig.media), SEC(10) + MSEC(1));     /* the low one's */
    hold_timeout(&rig.media, SEC(10) + MSEC(1));
    assert_int_equal(ports[0].count, 2);            /* nobody has chosen it */
}

static void test_who_comes_in_the_middle_of_a_frame_gets_nothing_twice(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    feed_packet(&feed, true, false, false);
    struct sink *sink = rig_sink(&rig, source, &ports[3], feed.now);
    assert_int_equal(ports[0].count, 2);
    assert_int_equal(ports[3].count, 0);
    assert_true(fanout_replay(source, sink, feed.now));
    assert_in_order(&ports[3], 2);
    feed_packet(&feed, true, false, false);
    feed_packet(&feed, true, false, true);
    assert_in_order(&ports[3], 4);
    assert_in_order(&ports[0], 4);
}

static void test_who_leaves_in_the_middle_gets_no_more(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    sink_free(CONTAINER_OF(source->sinks.next, struct sink, by_source));
    feed_packet(&feed, true, false, true);
    assert_int_equal(ports[0].count, 0);
    assert_in_order(&ports[1], 2);
}

static void test_the_impatient_get_it_as_it_comes(void **state)
{
    (void)state;
    struct sink *sink = sink_new(&rig.media, REF_NONE, &rig_options, feed.now);
    sink->impatient = true;
    sink_set_port(sink, &ports[3].port, false, 90000);
    sink_set_source(sink, source, feed.now);
    feed_packet(&feed, true, true, false);
    assert_int_equal(ports[3].count, 1);
    assert_int_equal(ports[0].count, 0);
    feed_packet(&feed, true, false, true);
    assert_in_order(&ports[3], 2);
    assert_in_order(&ports[0], 2);
}

static void test_a_byte_short_is_padded_more_is_not(void **state)
{
    (void)state;
    static const uint8_t shorter[] = {1, 1, 0, 2, 1};
    for (unsigned i = 0; i < ARRAY_COUNT(shorter); i++) {
        feed.shorter = shorter[i];
        feed_packet(&feed, true, i == 0, i + 1 == ARRAY_COUNT(shorter));
    }
    assert_in_order(&ports[0], 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ports[0].sent[i].padding, shorter[i] == 1 && i < 4);       /* the last one of a run may be short */
    rig.media.pads = false;
    fake_port_forget(&ports[0]);
    feed_packet(&feed, true, true, false);
    feed.shorter = 0;
    feed_packet(&feed, true, false, true);
    assert_int_equal(ports[0].sent[0].padding, 0);
}

static void test_a_full_history_holds_nothing(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    rig.media.packets.limit = 1;
    feed_packet(&feed, true, false, false);
    assert_in_order(&ports[0], 2);
    feed_packet(&feed, true, false, true);
    assert_in_order(&ports[0], 3);
}

static void test_a_source_that_goes_takes_what_waits_along(void **state)
{
    (void)state;
    struct sink *sinks[3];
    uint32_t count = 0;
    LIST_EACH(it, &source->sinks)
        sinks[count++] = CONTAINER_OF(it, struct sink, by_source);
    feed_packet(&feed, true, true, false);
    source_orphan(source);
    while (count > 0)
        sink_free(sinks[--count]);
    assert_true(list_is_empty(&rig.media.holding));
    assert_int_equal(ports[0].count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_frame_goes_when_its_marker_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_frame_of_one_packet_does_not_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_does_not_come_in_time_is_not_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_receivers_are_too_few, setup_few, teardown),
        cmocka_unit_test_setup_teardown(test_more_than_a_run_of_them_go_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_packet_holds_nothing_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_packet_takes_its_place_in_the_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_jump_of_the_numbers_lets_go_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layers_wait_for_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_comes_in_the_middle_of_a_frame_gets_nothing_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_leaves_in_the_middle_gets_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_impatient_get_it_as_it_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_byte_short_is_padded_more_is_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_history_holds_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_source_that_goes_takes_what_waits_along, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
