/* Compounds: read strictly by their lengths, written and read back. */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "proto/rtcp/ntp.h"
#include "proto/rtcp/rtcp.h"

#define OURS   0x01020304u
#define THEIRS 0xCAFEBABEu

static struct view written(const struct writer *w)
{
    return VIEW(w->start, writer_size(w));
}

static struct rtcp_packet only(struct view datagram)
{
    struct rtcp_iter it = rtcp_iter_of(datagram);
    struct rtcp_packet packet;
    struct rtcp_packet none;
    assert_true(rtcp_next(&it, &packet));
    assert_false(rtcp_next(&it, &none));
    assert_false(it.failed);
    return packet;
}

static void test_sr_and_sdes_round_trip(void **state)
{
    (void)state;
    uint8_t out[200];
    struct writer w = writer_of(out, sizeof(out));
    const struct rtcp_sr sr = {.ssrc = OURS, .ntp = 0x0102030405060708, .rtp_ts = 9, .packets = 10, .octets = 11};
    const struct rtcp_block block = {.ssrc = THEIRS, .fraction_lost = 25, .lost = -3, .highest_seq = 0x10002, .jitter = 4,
                                     .lsr = 5, .dlsr = 6};
    assert_true(rtcp_write_sr(&w, &sr, &block, 1));
    assert_true(rtcp_write_sdes(&w, OURS, STR("janus")));
    assert_int_equal(writer_size(&w) % 4, 0);

    struct rtcp_iter it = rtcp_iter_of(written(&w));
    struct rtcp_packet p;
    assert_true(rtcp_next(&it, &p));
    struct rtcp_sr back;
    assert_true(rtcp_sr_parse(&back, &p));
    assert_int_equal(back.ssrc, sr.ssrc);
    assert_int_equal(back.ntp, sr.ntp);
    assert_int_equal(back.rtp_ts, 9);
    assert_int_equal(back.packets, 10);
    assert_int_equal(back.octets, 11);
    struct rtcp_block b;
    assert_true(rtcp_block_at(&b, &p, 0));
    assert_int_equal(b.ssrc, THEIRS);
    assert_int_equal(b.fraction_lost, 25);
    assert_int_equal(b.lost, -3);
    assert_int_equal(b.highest_seq, 0x10002);
    assert_int_equal(b.jitter, 4);
    assert_int_equal(b.lsr, 5);
    assert_int_equal(b.dlsr, 6);
    assert_false(rtcp_block_at(&b, &p, 1));
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(p.pt, RTCP_SDES);
    assert_int_equal(p.count, 1);
    const uint8_t sdes[] = {1, 2, 3, 4, 1, 5, 'j', 'a', 'n', 'u', 's', 0};
    assert_int_equal(p.body.size, sizeof(sdes));
    assert_memory_equal(p.body.data, sdes, sizeof(sdes));
    assert_false(rtcp_next(&it, &p));
    assert_false(it.failed);
    uint32_t ssrc;
    assert_true(rtcp_sender_ssrc(written(&w), &ssrc));
    assert_int_equal(ssrc, OURS);
}

static void test_sdes_always_ends_with_a_null(void **state)
{
    (void)state;
    for (size_t size = 0; size < 20; size++) {
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof(out));
        assert_true(rtcp_write_sdes(&w, OURS, VIEW("aaaaaaaaaaaaaaaaaaaa", size)));
        assert_int_equal(writer_size(&w) % 4, 0);
        assert_int_equal(out[writer_size(&w) - 1], 0);
        (void)only(written(&w));
    }
}

static void test_cumulative_loss_is_clamped_to_24_bits(void **state)
{
    (void)state;
    static const struct { int32_t in, out; } cases[] = {
        {0x7FFFFF, 0x7FFFFF}, {0x800000, 0x7FFFFF}, {-0x800000, -0x800000}, {-0x800001, -0x800000}, {-1, -1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof(out));
        assert_true(rtcp_write_rr(&w, OURS, &(struct rtcp_block){.lost = cases[i].in}, 1));
        struct rtcp_packet p = only(written(&w));
        struct rtcp_block b;
        assert_true(rtcp_block_at(&b, &p, 0));
        assert_int_equal(b.lost, cases[i].out);
    }
}

static void test_all_31_blocks(void **state)
{
    (void)state;
    uint8_t out[1000];
    struct writer w = writer_of(out, sizeof(out));
    struct rtcp_block blocks[RTCP_BLOCKS_MAX] = {{0}};
    for (uint32_t i = 0; i < RTCP_BLOCKS_MAX; i++)
        blocks[i].ssrc = i;
    assert_true(rtcp_write_rr(&w, OURS, blocks, RTCP_BLOCKS_MAX));
    struct rtcp_packet p = only(written(&w));
    uint32_t sender;
    assert_true(rtcp_rr_parse(&sender, &p));
    assert_int_equal(sender, OURS);
    struct rtcp_block b;
    for (uint8_t i = 0; i < RTCP_BLOCKS_MAX; i++) {
        assert_true(rtcp_block_at(&b, &p, i));
        assert_int_equal(b.ssrc, i);
    }
    assert_false(rtcp_block_at(&b, &p, 31));
    assert_false(rtcp_block_at(&b, &p, 255));
}

/* A count that says more blocks than there are bytes gives those that are whole. */
static void test_block_count_beyond_the_bytes(void **state)
{
    (void)state;
    uint8_t out[64] = {0};
    struct writer w = writer_of(out, sizeof(out));
    assert_true(rtcp_write_rr(&w, OURS, &(struct rtcp_block){.ssrc = 7}, 1));
    out[0] = 0x80 | 31;
    struct rtcp_packet p = only(written(&w));
    struct rtcp_block b;
    assert_true(rtcp_block_at(&b, &p, 0));
    assert_false(rtcp_block_at(&b, &p, 1));
}

/* security.md: 10^3 report blocks. A datagram cannot hold that many, but a compound of many reports, each of them read. */
static void test_a_thousand_report_blocks(void **state)
{
    (void)state;
    static uint8_t out[33 * (8 + 24 * 31)];
    struct writer w = writer_of(out, sizeof(out));
    static const struct rtcp_block blocks[RTCP_BLOCKS_MAX];
    for (unsigned i = 0; i < 33; i++)
        assert_true(rtcp_write_rr(&w, i, blocks, RTCP_BLOCKS_MAX));
    assert_false(rtcp_write_rr(&w, 0, NULL, 0));
    struct rtcp_iter it = rtcp_iter_of(written(&w));
    struct rtcp_packet p;
    unsigned seen = 0;
    while (rtcp_next(&it, &p)) {
        struct rtcp_block b;
        for (uint8_t i = 0; rtcp_block_at(&b, &p, i); i++)
            seen++;
    }
    assert_false(it.failed);
    assert_int_equal(seen, 33 * 31);
}

static void test_feedback_messages_byte_by_byte(void **state)
{
    (void)state;
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof(out));
    assert_true(rtcp_write_pli(&w, 1, 0x0A0B0C0D));
    assert_true(rtcp_write_fir(&w, 1, 0x0A0B0C0D, 9));
    static const uint8_t expected[] = {
        0x81, 206, 0, 2, 0, 0, 0, 1, 0x0A, 0x0B, 0x0C, 0x0D,
        0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0x0A, 0x0B, 0x0C, 0x0D, 9, 0, 0, 0,
    };
    assert_int_equal(writer_size(&w), sizeof(expected));
    assert_memory_equal(out, expected, sizeof(expected));
    struct rtcp_iter it = rtcp_iter_of(written(&w));
    struct rtcp_packet p;
    struct rtcp_feedback f;
    assert_true(rtcp_next(&it, &p) && rtcp_is_pli(&p) && !rtcp_is_fir(&p));
    assert_true(rtcp_feedback_parse(&f, &p));
    assert_int_equal(f.media_ssrc, 0x0A0B0C0D);
    struct rtcp_fir fir;
    assert_false(rtcp_fir_at(&fir, &f, 0));
    assert_true(rtcp_next(&it, &p) && rtcp_is_fir(&p));
    assert_true(rtcp_feedback_parse(&f, &p));
    assert_true(rtcp_fir_at(&fir, &f, 0));
    assert_int_equal(fir.ssrc, 0x0A0B0C0D);
    assert_int_equal(fir.seq, 9);
    assert_false(rtcp_fir_at(&fir, &f, 1));
    assert_false(rtcp_fir_at(&fir, &f, SIZE_MAX / 8));
}

/* streaming.md: REMB = 8F CE 00 05, 24 bytes; webrtc.md 17.1: an RR with sender 0 before it. */
static void test_remb_as_the_reference_sends_it(void **state)
{
    (void)state;
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof(out));
    const uint32_t ssrc = THEIRS;
    assert_true(rtcp_write_rr_remb(&w, 1, 128000, &ssrc, 1));
    static const uint8_t expected[] = {
        0x80, 201, 0, 1, 0, 0, 0, 0,
        0x8F, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1, 0x01, 0xF4, 0x00, 0xCA, 0xFE, 0xBA, 0xBE,
    };
    assert_int_equal(writer_size(&w), sizeof(expected));
    assert_memory_equal(out, expected, sizeof(expected));
}

static void test_remb_rates(void **state)
{
    (void)state;
    static const uint64_t rates[] = {0, 1, 262143, 262144, 10000000, 2500000, 1ull << 40, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_COUNT(rates); i++) {
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof(out));
        const uint32_t ssrcs[] = {1, 2, 3};
        assert_true(rtcp_write_remb(&w, OURS, rates[i], ssrcs, 3));
        struct rtcp_packet p = only(written(&w));
        struct rtcp_remb remb;
        assert_true(rtcp_remb_parse(&remb, &p));
        assert_int_equal(remb.sender_ssrc, OURS);
        assert_true(remb.bitrate_bps <= rates[i]);
        assert_true(rates[i] - remb.bitrate_bps <= rates[i] >> 17);
        assert_int_equal(remb.ssrc_count, 3);
        assert_int_equal(get_u32(remb.ssrcs.data + 8), 3);
    }
}

static void test_remb_that_is_none(void **state)
{
    (void)state;
    uint8_t p[] = {0x8F, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1};
    struct rtcp_packet packet = only(VIEW(p, sizeof(p)));
    struct rtcp_remb remb;
    assert_true(rtcp_remb_parse(&remb, &packet));
    assert_int_equal(remb.bitrate_bps, UINT64_MAX);    /* exponent 63: saturates */
    p[16] = 2;                                         /* says two SSRCs, has one */
    assert_false(rtcp_remb_parse(&remb, &packet));
    p[16] = 1;
    p[12] = 'X';
    assert_false(rtcp_remb_parse(&remb, &packet));
    p[3] = 2;
    packet = only(VIEW(p, 12));
    assert_false(rtcp_remb_parse(&remb, &packet));
}

static size_t read_nacks(struct view datagram, uint16_t *out, size_t room)
{
    struct rtcp_iter it = rtcp_iter_of(datagram);
    struct rtcp_packet p;
    size_t count = 0;
    while (rtcp_next(&it, &p)) {
        struct rtcp_feedback f;
        assert_true(rtcp_is_nack(&p));
        assert_true(rtcp_feedback_parse(&f, &p));
        struct rtcp_nack_iter nacks = rtcp_nack_iter_of(&f);
        for (uint16_t seq; rtcp_nack_next(&nacks, &seq); count++)
            if (count < room)
                out[count] = seq;
    }
    return count;
}

/* The reference skips every second number of a compound and does not wrap PID + BLP (webrtc.md 13): we do neither. */
static void test_nack_wraps_and_skips_nothing(void **state)
{
    (void)state;
    static const uint16_t seqs[] = {65530, 65535, 0, 5, 10, 11, 27, 28, 500};
    uint8_t out[200];
    struct writer w = writer_of(out, sizeof(out));
    assert_int_equal(rtcp_write_nack(&w, OURS, THEIRS, seqs, ARRAY_COUNT(seqs)), ARRAY_COUNT(seqs));
    assert_int_equal(writer_size(&w), 12 + 4 * 4);     /* 65530 to 10, 11 to 27, 28, 500 */
    uint16_t back[32];
    assert_int_equal(read_nacks(written(&w), back, 32), ARRAY_COUNT(seqs));
    assert_memory_equal(back, seqs, sizeof(seqs));
}

static void test_nack_pid_and_all_of_blp(void **state)
{
    (void)state;
    uint8_t p[] = {0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xFF, 0xF8, 0xFF, 0xFF};
    uint16_t back[32];
    assert_int_equal(read_nacks(VIEW(p, sizeof(p)), back, 32), 17);
    for (unsigned i = 0; i < 17; i++)
        assert_int_equal(back[i], (uint16_t)(0xFFF8 + i));
}

static void test_nack_is_cut_at_120_bytes_and_at_the_room(void **state)
{
    (void)state;
    uint16_t seqs[100];
    for (unsigned i = 0; i < 100; i++)
        seqs[i] = (uint16_t)(i * 20);                  /* a pair each */
    uint8_t out[400];
    struct writer w = writer_of(out, sizeof(out));
    assert_int_equal(rtcp_write_nack(&w, OURS, THEIRS, seqs, 100), RTCP_NACK_PAIRS);
    assert_int_equal(writer_size(&w), RTCP_NACK_BYTES);
    for (size_t room = 0; room < 24; room++) {
        w = writer_of(out, room);
        size_t expected = room < 16 ? 0 : (room - 12) / 4;
        assert_int_equal(rtcp_write_nack(&w, OURS, THEIRS, seqs, 100), expected);
        assert_int_equal(writer_size(&w), expected == 0 ? 0 : 12 + 4 * expected);
        assert_false(writer_failed(&w));
    }
    w = writer_of(out, sizeof(out));
    assert_int_equal(rtcp_write_nack(&w, OURS, THEIRS, seqs, 0), 0);
    assert_int_equal(writer_size(&w), 0);
}

static void test_bye_and_its_reason(void **state)
{
    (void)state;
    uint8_t p[] = {0x82, 203, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 3, 'b', 'y', 'e', 0, 0, 0, 0};
    struct rtcp_packet packet = only(VIEW(p, sizeof(p)));
    struct rtcp_bye bye;
    assert_true(rtcp_bye_parse(&bye, &packet));
    assert_int_equal(bye.count, 2);
    assert_true(str_equal(bye.reason, STR("bye")));
    p[12] = 200;                                       /* CVE-2021-43804's class: a length that passes the packet */
    assert_true(rtcp_bye_parse(&bye, &packet));
    assert_int_equal(bye.reason.size, 0);
    p[0] = 0x9F;                                       /* 31 sources in 16 bytes */
    packet = only(VIEW(p, sizeof(p)));
    assert_false(rtcp_bye_parse(&bye, &packet));
    uint8_t empty[] = {0x80, 203, 0, 0};
    packet = only(VIEW(empty, 4));
    assert_true(rtcp_bye_parse(&bye, &packet));
    assert_int_equal(bye.count, 0);
}

static void test_padding_is_taken_off(void **state)
{
    (void)state;
    uint8_t p[] = {0xA1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4};
    struct rtcp_packet packet = only(VIEW(p, sizeof(p)));
    assert_int_equal(packet.body.size, 8);
    static const uint8_t bad[] = {0, 13, 255};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        p[15] = bad[i];
        struct rtcp_iter it = rtcp_iter_of(VIEW(p, sizeof(p)));
        assert_false(rtcp_next(&it, &packet));
        assert_true(it.failed);
    }
}

static void test_what_stood_before_a_bad_packet_counts(void **state)
{
    (void)state;
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof(out));
    assert_true(rtcp_write_pli(&w, 1, 2));
    static const uint8_t bad[][4] = {{0x81, 206, 0, 9}, {0x41, 206, 0, 0}, {0x81, 206, 0xFF, 0xFF}};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        memcpy(out + 12, bad[i], 4);
        struct rtcp_iter it = rtcp_iter_of(VIEW(out, 16));
        struct rtcp_packet p;
        assert_true(rtcp_next(&it, &p));
        assert_true(rtcp_is_pli(&p));
        assert_false(rtcp_next(&it, &p));
        assert_true(it.failed);
        assert_false(rtcp_next(&it, &p));
    }
}

static void test_empty_and_odd_sizes(void **state)
{
    (void)state;
    struct rtcp_packet p;
    struct rtcp_iter it = rtcp_iter_of(VIEW(NULL, 0));
    assert_false(rtcp_next(&it, &p));
    assert_false(it.failed);
    uint8_t rr[] = {0x80, 201, 0, 1, 0, 0, 0, 0, 0};
    for (size_t size = 1; size <= sizeof(rr); size++) {
        uint8_t *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, rr, size);
        it = rtcp_iter_of(VIEW(copy, size));
        unsigned seen = 0;
        while (rtcp_next(&it, &p))
            seen++;
        assert_int_equal(seen, size >= 8);
        assert_int_equal(it.failed, size != 8);
        free(copy);
    }
    uint8_t header[] = {0x80, 200, 0, 0};              /* a report without a body */
    p = only(VIEW(header, 4));
    struct rtcp_sr sr;
    struct rtcp_block b;
    uint32_t ssrc;
    assert_false(rtcp_sr_parse(&sr, &p));
    assert_false(rtcp_rr_parse(&ssrc, &p));
    assert_false(rtcp_block_at(&b, &p, 0));
    assert_false(rtcp_sender_ssrc(VIEW(header, 4), &ssrc));
}

static void test_no_room_writes_nothing(void **state)
{
    (void)state;
    const struct rtcp_sr sr = {.ssrc = 1};
    const struct rtcp_block block = {.ssrc = 1};
    const uint32_t ssrc = 1;
    uint8_t out[64];
    for (size_t room = 0; room < 64; room++) {
        struct writer w = writer_of(out, room);
        assert_int_equal(rtcp_write_sr(&w, &sr, &block, 1), room >= 52);
        w = writer_of(out, room);
        assert_int_equal(rtcp_write_rr(&w, 1, NULL, 0), room >= 8);
        w = writer_of(out, room);
        assert_int_equal(rtcp_write_sdes(&w, 1, STR("janus")), room >= 16);
        w = writer_of(out, room);
        assert_int_equal(rtcp_write_pli(&w, 1, 2), room >= 12);
        w = writer_of(out, room);
        assert_int_equal(rtcp_write_fir(&w, 1, 2, 3), room >= 20);
        w = writer_of(out, room);
        assert_int_equal(rtcp_write_rr_remb(&w, 1, 2, &ssrc, 1), room >= 32);
        assert_false(writer_failed(&w));
        assert_int_equal(writer_size(&w), room >= 32 ? 32 : 0);
    }
}

static void test_ntp(void **state)
{
    (void)state;
    assert_int_equal(ntp_from_unix_us(0) >> 32, 2208988800u);
    uint64_t us = 1700000000123456ull;
    uint64_t ntp = ntp_from_unix_us(us);
    assert_int_equal(ntp_to_unix_us(ntp), us);
    assert_int_equal(ntp_middle(0x1122334455667788), 0x33445566);
    assert_int_equal(ntp_short_from_us(SEC(1)), 65536);
    assert_int_equal(ntp_short_to_us(65536 * 3), SEC(3));
    assert_int_equal(ntp_short_from_us(USEC_NEVER), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sr_and_sdes_round_trip),
        cmocka_unit_test(test_sdes_always_ends_with_a_null),
        cmocka_unit_test(test_cumulative_loss_is_clamped_to_24_bits),
        cmocka_unit_test(test_all_31_blocks),
        cmocka_unit_test(test_block_count_beyond_the_bytes),
        cmocka_unit_test(test_a_thousand_report_blocks),
        cmocka_unit_test(test_feedback_messages_byte_by_byte),
        cmocka_unit_test(test_remb_as_the_reference_sends_it),
        cmocka_unit_test(test_remb_rates),
        cmocka_unit_test(test_remb_that_is_none),
        cmocka_unit_test(test_nack_wraps_and_skips_nothing),
        cmocka_unit_test(test_nack_pid_and_all_of_blp),
        cmocka_unit_test(test_nack_is_cut_at_120_bytes_and_at_the_room),
        cmocka_unit_test(test_bye_and_its_reason),
        cmocka_unit_test(test_padding_is_taken_off),
        cmocka_unit_test(test_what_stood_before_a_bad_packet_counts),
        cmocka_unit_test(test_empty_and_odd_sizes),
        cmocka_unit_test(test_no_room_writes_nothing),
        cmocka_unit_test(test_ntp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
