/* Receiver and sender statistics (RFC 3550 A.3, A.8, 6.4.1). */
#include "support/seams.h"

#include "proto/rtcp/ntp.h"
#include "proto/rtcp/report.h"

static void test_loss_of_an_interval_and_of_all(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    struct rtcp_block b;
    assert_false(report_in_block(&in, 0, 5, &b));
    for (unsigned i = 0; i < 100; i++)
        if (i % 4 != 1)                                /* 25 of 100 lost */
            report_in_packet(&in, MSEC(i), (uint16_t)(65500 + i), 90 * i, 10);
    assert_true(report_in_block(&in, SEC(1), 5, &b));
    assert_int_equal(b.ssrc, 5);
    assert_int_equal(b.lost, 25);
    assert_int_equal(b.fraction_lost, 64);
    assert_int_equal(b.highest_seq, 65500 + 99);       /* the roll-over is in the upper half */
    assert_int_equal(b.lsr, 0);
    assert_int_equal(b.dlsr, 0);
    assert_int_equal(in.bytes, 750);
    for (unsigned i = 100; i < 200; i++)
        report_in_packet(&in, MSEC(i), (uint16_t)(65500 + i), 90 * i, 10);
    assert_true(report_in_block(&in, SEC(2), 5, &b));
    assert_int_equal(b.lost, 25);
    assert_int_equal(b.fraction_lost, 0);
    assert_true(report_in_block(&in, SEC(3), 5, &b));  /* nothing expected, nothing lost */
    assert_int_equal(b.fraction_lost, 0);
}

static void test_duplicates_make_loss_negative(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 8000);
    for (unsigned i = 0; i < 3; i++)
        report_in_packet(&in, 0, 7, 0, 1);
    struct rtcp_block b;
    assert_true(report_in_block(&in, 0, 1, &b));
    assert_int_equal(b.lost, -2);
    assert_int_equal(b.fraction_lost, 0);
}

static void test_everything_lost_is_255_of_256(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    struct rtcp_block b;
    report_in_packet(&in, 0, 0, 0, 1);
    assert_true(report_in_block(&in, 0, 1, &b));
    report_in_packet(&in, 0, 2999, 0, 1);
    assert_true(report_in_block(&in, 0, 1, &b));
    assert_int_equal(b.fraction_lost, 255);
}

static void test_jitter_follows_the_rfc(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    /* Every second packet is 10 ms late: |D| is 900 units each time. J += (900 - J) / 16 nears 900. */
    for (unsigned i = 0; i < 400; i++)
        report_in_packet(&in, MSEC(20) * i + (i % 2 == 1 ? MSEC(10) : 0), (uint16_t)i, 1800 * i, 1);
    struct rtcp_block b;
    assert_true(report_in_block(&in, SEC(9), 1, &b));
    assert_in_range(b.jitter, 890, 900);
    assert_in_range(report_in_jitter_us(&in), 9800, 10000);
    struct report_in even;
    report_in_init(&even, 90000);
    for (unsigned i = 0; i < 100; i++)
        report_in_packet(&even, MSEC(20) * i, (uint16_t)i, 1800 * i + 0xFFFFFF00u, 1);
    assert_int_equal(report_in_jitter_us(&even), 0);
}

static void test_a_new_timestamp_base_is_no_jitter(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    report_in_packet(&in, 0, 0, 0, 1);
    report_in_packet(&in, MSEC(20), 1, 0x70000000, 1);
    assert_int_equal(report_in_jitter_us(&in), 0);
}

static void test_lsr_and_dlsr(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    report_in_packet(&in, SEC(1), 0, 0, 1);
    const struct rtcp_sr sr = {.ntp = 0x1122334455667788, .rtp_ts = 5};
    report_in_sr(&in, SEC(1), &sr);
    struct rtcp_block b;
    assert_true(report_in_block(&in, SEC(1) + MSEC(500), 1, &b));
    assert_int_equal(b.lsr, 0x33445566);
    assert_int_equal(b.dlsr, 32768);
}

static void test_a_large_jump_begins_anew(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    report_in_packet(&in, 0, 100, 0, 1);
    report_in_packet(&in, 0, 20000, 0, 1);
    struct rtcp_block b;
    assert_true(report_in_block(&in, 0, 1, &b));
    assert_int_equal(b.lost, 0);
    assert_int_equal(b.highest_seq, 20000);
    for (unsigned i = 0; i < 200; i++)                 /* backwards for ever: nothing may go below zero */
        report_in_packet(&in, 0, (uint16_t)(20000 - 30000 * i), 0, 1);
    assert_true(report_in_block(&in, 0, 1, &b));
    assert_true(b.highest_seq <= UINT16_MAX);
}

static void test_an_older_first_packet_is_expected_too(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    report_in_packet(&in, 0, 2, 0, 1);
    report_in_packet(&in, 0, 65535, 0, 1);             /* 0 and 1 are missing */
    assert_int_equal(report_in_lost(&in), 2);
}

/* slowlink's numbers: newly lost, and what RTX brought back is not lost any more. */
static void test_lost_since(void **state)
{
    (void)state;
    struct report_in in;
    report_in_init(&in, 90000);
    report_in_packet(&in, 0, 0, 0, 1);
    report_in_packet(&in, 0, 6, 0, 1);
    assert_int_equal(report_in_lost_since(&in), 5);
    assert_int_equal(report_in_lost_since(&in), 0);
    for (uint16_t seq = 1; seq < 6; seq++)
        report_in_recovered(&in, seq, 1);
    assert_int_equal(in.recovered, 5);
    assert_int_equal(report_in_lost(&in), 0);
    assert_int_equal(report_in_lost_since(&in), 0);
    report_in_packet(&in, 0, 10, 0, 1);
    assert_int_equal(report_in_lost_since(&in), 3);
}

static void test_sr_timestamp_is_extrapolated(void **state)
{
    (void)state;
    struct report_out out;
    report_out_init(&out, 90000);
    struct rtcp_sr sr;
    assert_false(report_out_sr(&out, 0, 0, 1, &sr));
    report_out_packet(&out, SEC(5), 1000, 100);
    report_out_packet(&out, SEC(5) + MSEC(10), 1900, 50);
    assert_true(report_out_sr(&out, SEC(6) + MSEC(10), 0xABCDEF, 77, &sr));
    assert_int_equal(sr.ssrc, 77);
    assert_int_equal(sr.ntp, 0xABCDEF);
    assert_int_equal(sr.rtp_ts, 1900 + 90000);
    assert_int_equal(sr.packets, 2);
    assert_int_equal(sr.octets, 150);
}

/* The example of RFC 3550 6.4.1, figure 2: 6.125 s. */
static void test_round_trip_of_the_rfc(void **state)
{
    (void)state;
    struct report_out out;
    report_out_init(&out, 90000);
    const struct rtcp_block block = {.lsr = 0xB7052000, .dlsr = 0x00054000, .fraction_lost = 3, .lost = 9, .jitter = 90};
    const uint64_t ntp = (uint64_t)0xB7108000u << 16;          /* its middle is b710:8000 */
    report_out_block(&out, ntp, &block);
    assert_true(out.has_rtt);
    assert_int_equal(out.rtt_us, 6125000);
    assert_int_equal(out.rtt_lsr, 0xB7052000);
    assert_int_equal(out.lost, 9);
    assert_int_equal(report_out_jitter_us(&out), 1000);
    assert_int_equal(report_out_lost_since(&out), 9);
    assert_int_equal(report_out_lost_since(&out), 0);
}

static void test_round_trips_that_cannot_be(void **state)
{
    (void)state;
    struct report_out out;
    report_out_init(&out, 90000);
    const uint64_t ntp = (uint64_t)100 << 32;
    const uint32_t now = ntp_middle(ntp);
    report_out_block(&out, ntp, &(struct rtcp_block){.lsr = 0, .dlsr = 5});
    assert_false(out.has_rtt);                         /* they have had no SR of ours yet */
    report_out_block(&out, ntp, &(struct rtcp_block){.lsr = now - 65536, .dlsr = 0x7FFFFFFF});
    assert_false(out.has_rtt);
    report_out_block(&out, ntp, &(struct rtcp_block){.lsr = now + 65536 * 30, .dlsr = 0});
    assert_false(out.has_rtt);
    report_out_block(&out, ntp, &(struct rtcp_block){.lsr = now - 65536 * 61, .dlsr = 0});
    assert_false(out.has_rtt);
    report_out_block(&out, ntp, &(struct rtcp_block){.lsr = now - 100, .dlsr = 102});
    assert_true(out.has_rtt);                          /* rounding on a fast path is no reason to have none */
    assert_in_range(out.rtt_us, 1, 20);
}

static void test_remote_loss_that_shrinks(void **state)
{
    (void)state;
    struct report_out out;
    report_out_init(&out, 90000);
    report_out_block(&out, 0, &(struct rtcp_block){.lost = 10});
    assert_int_equal(report_out_lost_since(&out), 10);
    report_out_block(&out, 0, &(struct rtcp_block){.lost = -4});
    assert_int_equal(report_out_lost_since(&out), 0);
    report_out_block(&out, 0, &(struct rtcp_block){.lost = 1});
    assert_int_equal(report_out_lost_since(&out), 5);
}

static void arrive(struct report_in *in, unsigned from, unsigned count, unsigned lost, unsigned recovered)
{
    for (unsigned i = from; i < from + count; i++)
        if (i - from >= lost)
            report_in_packet(in, MSEC(i), (uint16_t)i, 90 * i, 10);
    for (unsigned i = from; i < from + recovered; i++)
        report_in_recovered(in, (uint16_t)i, 10);
}

static void test_link_quality_of_what_comes_in(void **state)
{
    (void)state;
    struct report_in in;
    struct rtcp_block b;
    report_in_init(&in, 90000);
    assert_int_equal(in.quality, 100);
    arrive(&in, 100, 1, 0, 0);
    assert_true(report_in_block(&in, SEC(1), 5, &b));
    assert_int_equal(in.quality, 100);
    arrive(&in, 101, 100, 10, 5);                     /* 90 came by themselves, 5 when asked for */
    assert_true(report_in_block(&in, SEC(2), 5, &b));
    assert_int_equal(in.quality, 97);                 /* (200 + 90) / 3 */
    assert_int_equal(in.media_quality, 98);           /* (200 + 95) / 3 */
    assert_true(report_in_block(&in, SEC(3), 5, &b)); /* nothing was expected */
    assert_int_equal(in.quality, 0);
    arrive(&in, 201, 100, 0, 0);
    assert_true(report_in_block(&in, SEC(4), 5, &b));
    assert_int_equal(in.quality, 100);                /* from zero, at once */
}

static void test_link_quality_of_what_goes_out(void **state)
{
    (void)state;
    struct report_out out;
    report_out_init(&out, 90000);
    report_out_block(&out, UINT64_C(100) << 32, &(struct rtcp_block){.highest_seq = 0});
    for (unsigned i = 0; i < 100; i++)
        report_out_packet(&out, 0, i, 10);
    out.nacks = 40;
    report_out_block(&out, UINT64_C(101) << 32, &(struct rtcp_block){.highest_seq = 100, .lost = 10});
    assert_int_equal(out.quality, 100);               /* not yet: every two seconds */
    report_out_block(&out, UINT64_C(102) << 32, &(struct rtcp_block){.highest_seq = 100, .lost = 10});
    assert_int_equal(out.quality, 87);                /* (200 + 60) / 3 */
    assert_int_equal(out.media_quality, 97);          /* (200 + 90) / 3 */
    out.nacks = 1000;                                 /* more than was sent */
    report_out_block(&out, UINT64_C(104) << 32, &(struct rtcp_block){.highest_seq = 110, .lost = 5000});
    assert_int_equal(out.quality, 0);
    assert_int_equal(out.media_quality, 0);
    report_out_block(&out, UINT64_C(106) << 32, &(struct rtcp_block){.highest_seq = 0, .lost = -5});
    assert_int_equal(out.quality, 100);
    assert_int_equal(out.media_quality, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss_of_an_interval_and_of_all),
        cmocka_unit_test(test_link_quality_of_what_comes_in),
        cmocka_unit_test(test_link_quality_of_what_goes_out),
        cmocka_unit_test(test_duplicates_make_loss_negative),
        cmocka_unit_test(test_everything_lost_is_255_of_256),
        cmocka_unit_test(test_jitter_follows_the_rfc),
        cmocka_unit_test(test_a_new_timestamp_base_is_no_jitter),
        cmocka_unit_test(test_lsr_and_dlsr),
        cmocka_unit_test(test_a_large_jump_begins_anew),
        cmocka_unit_test(test_an_older_first_packet_is_expected_too),
        cmocka_unit_test(test_lost_since),
        cmocka_unit_test(test_sr_timestamp_is_extrapolated),
        cmocka_unit_test(test_round_trip_of_the_rfc),
        cmocka_unit_test(test_round_trips_that_cannot_be),
        cmocka_unit_test(test_remote_loss_that_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
