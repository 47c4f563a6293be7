/* What is reported, when, and once (webrtc.md 17.1). */
#include "support/seams.h"

#include <string.h>

#include "proto/bwe/twcc_in.h"
#include "proto/rtcp/twcc.h"

#define PERIOD TWCC_IN_PERIOD_US

struct heard {
    unsigned messages;
    unsigned received;
    unsigned lost;
    uint16_t first_seq;            /* of the first message */
    uint16_t next_seq;             /* one past the last status */
    uint8_t feedback_count;        /* of the last message */
    unsigned largest;
    int64_t last_arrival_us;       /* on the wire's clock */
};

/* Builds all that is due into messages of `room` bytes and reads them as a sender would. */
static struct heard hear(struct twcc_in *in, usec_t now, size_t room)
{
    struct heard heard = {0};
    uint8_t out[1500];
    for (;;) {
        struct writer w = writer_of(out, room);
        if (!twcc_in_build(in, now, 1, 2, &w))
            break;
        struct rtcp_iter it = rtcp_iter_of(VIEW(out, writer_size(&w)));
        struct rtcp_packet packet;
        struct twcc twcc;
        assert_true(rtcp_next(&it, &packet));
        assert_true(twcc_parse(&twcc, &packet));
        assert_int_equal(twcc.sender_ssrc, 1);
        assert_int_equal(twcc.media_ssrc, 2);
        if (heard.messages++ == 0)
            heard.first_seq = twcc.base_seq;
        else
            assert_int_equal(twcc.base_seq, heard.next_seq);   /* messages follow on */
        heard.feedback_count = twcc.feedback_count;
        heard.next_seq = (uint16_t)(twcc.base_seq + twcc.count);
        heard.largest = twcc.count > heard.largest ? twcc.count : heard.largest;
        struct twcc_iter statuses = twcc_iter_of(&twcc);
        for (struct twcc_status s; twcc_next(&statuses, &s);) {
            heard.received += s.received;
            heard.lost += !s.received;
            if (s.received)
                heard.last_arrival_us = (int64_t)twcc.reference_time * TWCC_REFERENCE_UNIT_US + s.arrival_us;
        }
    }
    return heard;
}

static void test_nothing_received_nothing_said(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    assert_int_equal(twcc_in_deadline(&in), USEC_NEVER);
    assert_int_equal(hear(&in, SEC(1), 1200).messages, 0);
}

static void test_period_losses_and_arrival_times(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    for (unsigned i = 0; i < 20; i++)
        if (i != 3 && i != 4)
            twcc_in_packet(&in, SEC(100) + MSEC(i), (uint16_t)(65530 + i));
    assert_int_equal(twcc_in_deadline(&in), SEC(100) + PERIOD);
    struct heard h = hear(&in, SEC(100) + PERIOD, 1200);
    assert_int_equal(h.messages, 1);
    assert_int_equal(h.first_seq, 65530);
    assert_int_equal(h.received, 18);
    assert_int_equal(h.lost, 2);
    assert_int_equal(h.feedback_count, 0);
    assert_int_equal(h.last_arrival_us, SEC(100) + MSEC(19));
    assert_int_equal(twcc_in_deadline(&in), USEC_NEVER);
    assert_int_equal(hear(&in, SEC(101), 1200).messages, 0);
}

static void test_gap_since_the_last_feedback_is_reported(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    twcc_in_packet(&in, SEC(1), 10);
    assert_int_equal(hear(&in, SEC(2), 1200).next_seq, 11);
    twcc_in_packet(&in, SEC(3), 15);
    struct heard h = hear(&in, SEC(4), 1200);
    assert_int_equal(h.first_seq, 11);
    assert_int_equal(h.lost, 4);
    assert_int_equal(h.received, 1);
    assert_int_equal(h.feedback_count, 1);
}

static void test_late_duplicate_and_reordered(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    twcc_in_packet(&in, MSEC(10), 10);
    twcc_in_packet(&in, MSEC(13), 12);
    twcc_in_packet(&in, MSEC(15), 11);                 /* reordered: its delta is negative */
    twcc_in_packet(&in, MSEC(19), 11);                 /* again: the first arrival counts */
    struct heard h = hear(&in, SEC(1), 1200);
    assert_int_equal(h.received, 3);
    assert_int_equal(h.lost, 0);
    assert_int_equal(h.last_arrival_us, MSEC(13));
    twcc_in_packet(&in, SEC(1), 9);
    twcc_in_packet(&in, SEC(1), 12);
    assert_int_equal(in.skipped, 2);                   /* reported already */
    assert_int_equal(hear(&in, SEC(2), 1200).messages, 0);
}

static void test_at_most_400_a_message(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    for (unsigned i = 0; i < 1000; i++)
        twcc_in_packet(&in, SEC(1) + i, (uint16_t)i);
    assert_int_equal(twcc_in_deadline(&in), SEC(1) + TWCC_IN_HURRY - 1);       /* half full: now */
    struct heard h = hear(&in, SEC(1) + MSEC(1), 1200);
    assert_int_equal(h.messages, 3);
    assert_int_equal(h.largest, TWCC_IN_MESSAGE_MAX);
    assert_int_equal(h.received, 1000);
    assert_int_equal(h.feedback_count, 2);
}

static void test_small_rooms_make_more_messages(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    for (unsigned i = 0; i < 300; i++)
        twcc_in_packet(&in, MSEC(i), (uint16_t)i);
    struct heard h = hear(&in, SEC(1), 100);
    assert_true(h.messages > 4);
    assert_int_equal(h.received, 300);
    twcc_in_packet(&in, SEC(2), 300);
    assert_int_equal(hear(&in, SEC(2), 20).messages, 0);       /* no room at all: kept */
    assert_int_equal(hear(&in, SEC(2), 24).received, 1);
}

static void test_nine_seconds_between_two_packets(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    twcc_in_packet(&in, SEC(1), 1);
    twcc_in_packet(&in, SEC(10), 2);                   /* more than a delta holds: two messages */
    struct heard h = hear(&in, SEC(10), 1200);
    assert_int_equal(h.messages, 2);
    assert_int_equal(h.received, 2);
    assert_int_equal(h.last_arrival_us, SEC(10));
}

static void test_jumps_begin_anew(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    twcc_in_packet(&in, SEC(1), 1);
    twcc_in_packet(&in, SEC(1), 1 + TWCC_IN_WINDOW);
    assert_int_equal(in.jumps, 1);
    struct heard h = hear(&in, SEC(2), 1200);
    assert_int_equal(h.first_seq, 1 + TWCC_IN_WINDOW);
    assert_int_equal(h.received, 1);
    assert_int_equal(h.lost, 0);
    twcc_in_packet(&in, SEC(3), 60000);                /* a counter that began again elsewhere */
    assert_int_equal(in.jumps, 2);
    h = hear(&in, SEC(4), 1200);
    assert_int_equal(h.first_seq, 60000);
    twcc_in_packet(&in, SEC(4), (uint16_t)(60001 + TWCC_IN_WINDOW - 1));       /* the widest gap that is reported */
    h = hear(&in, SEC(5), 1200);
    assert_int_equal(h.lost, TWCC_IN_WINDOW - 1);
    assert_int_equal(h.received, 1);
}

/* The clock of arrivals wraps with the wire's, after 2^32 ticks: nothing is lost around it. */
static void test_twelve_days_later(void **state)
{
    (void)state;
    struct twcc_in in;
    twcc_in_init(&in, PERIOD);
    const usec_t wrap = ((usec_t)1 << 32) * TWCC_DELTA_UNIT_US;
    twcc_in_packet(&in, wrap - MSEC(1), 1);
    twcc_in_packet(&in, wrap, 2);
    twcc_in_packet(&in, wrap + MSEC(1), 3);
    struct heard h = hear(&in, wrap + PERIOD, 1200);
    assert_int_equal(h.received, 3);
    assert_int_equal(h.lost, 0);
    assert_int_equal(h.messages, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_received_nothing_said),
        cmocka_unit_test(test_period_losses_and_arrival_times),
        cmocka_unit_test(test_gap_since_the_last_feedback_is_reported),
        cmocka_unit_test(test_late_duplicate_and_reordered),
        cmocka_unit_test(test_at_most_400_a_message),
        cmocka_unit_test(test_small_rooms_make_more_messages),
        cmocka_unit_test(test_nine_seconds_between_two_packets),
        cmocka_unit_test(test_jumps_begin_anew),
        cmocka_unit_test(test_twelve_days_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
