/* The format of transport-wide feedback: the draft's examples, round trips, what strangers send. */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "proto/rtcp/twcc.h"

static struct rtcp_packet packet_of(struct view datagram)
{
    struct rtcp_iter it = rtcp_iter_of(datagram);
    struct rtcp_packet packet;
    assert_true(rtcp_next(&it, &packet));
    return packet;
}

/* A message made by hand: `count` statuses from sequence number 1000, reference 5, then chunks and deltas as given. */
static size_t by_hand(uint8_t *out, uint16_t count, const void *rest, size_t size)
{
    struct writer w = writer_of(out, 400);
    write_u8(&w, 0x8F);
    write_u8(&w, 205);
    write_u16(&w, (uint16_t)((20 + size + 3) / 4 - 1));
    write_u32(&w, 1);
    write_u32(&w, 2);
    write_u16(&w, 1000);
    write_u16(&w, count);
    write_u24(&w, 5);
    write_u8(&w, 77);
    write_bytes(&w, rest, size);
    write_zeros(&w, (4 - size % 4) % 4);
    return writer_size(&w);
}

static bool parse(struct twcc *twcc, const uint8_t *data, size_t size)
{
    struct rtcp_packet packet = packet_of(VIEW(data, size));
    return twcc_parse(twcc, &packet);
}

/* 3.1.3, first example: 0000 0000 1101 1101 is a run of 221 times "not received". */
static void test_draft_run_length_example(void **state)
{
    (void)state;
    uint8_t out[400];
    struct twcc twcc;
    size_t size = by_hand(out, 221, "\x00\xDD", 2);
    assert_true(parse(&twcc, out, size));
    assert_int_equal(twcc.base_seq, 1000);
    assert_int_equal(twcc.count, 221);
    assert_int_equal(twcc.reference_time, 5);
    assert_int_equal(twcc.feedback_count, 77);
    assert_int_equal(twcc.received, 0);
    struct twcc_iter it = twcc_iter_of(&twcc);
    struct twcc_status s;
    for (unsigned i = 0; i < 221; i++) {
        assert_true(twcc_next(&it, &s));
        assert_int_equal(s.seq, 1000 + i);
        assert_false(s.received);
    }
    assert_false(twcc_next(&it, &s));
}

/* 3.1.3, second: 0110 0000 0001 1000 is a run of 24 times symbol 3, which this version of the draft reserves. */
static void test_reserved_symbol_is_refused(void **state)
{
    (void)state;
    uint8_t out[400];
    struct twcc twcc;
    assert_false(parse(&twcc, out, by_hand(out, 24, "\x60\x18", 2)));
    assert_false(parse(&twcc, out, by_hand(out, 7, "\xCD\x50\x01\x01\x01\x01", 6)));    /* 3.1.4, second example */
    assert_true(parse(&twcc, out, by_hand(out, 1, "\xCD\x50", 2)));     /* the symbols that count are fine */
}

/* 3.1.4, first example: 1001 1111 0001 1100 is 1 lost, 5 received, 3 lost, 3 received, 2 lost. */
static void test_draft_status_vector_example(void **state)
{
    (void)state;
    uint8_t out[400];
    struct twcc twcc;
    size_t size = by_hand(out, 14, "\x9F\x1C\x01\x02\x03\x04\x05\x06\x07\x08", 10);
    assert_true(parse(&twcc, out, size));
    assert_int_equal(twcc.received, 8);
    static const bool expected[] = {0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0};
    struct twcc_iter it = twcc_iter_of(&twcc);
    struct twcc_status s;
    int64_t at = 0;
    int64_t delta = 0;
    for (unsigned i = 0; i < 14; i++) {
        assert_true(twcc_next(&it, &s));
        assert_int_equal(s.received, expected[i]);
        if (s.received)
            at += 250 * ++delta;
        assert_int_equal(s.arrival_us, at);
    }
    assert_false(twcc_next(&it, &s));
}

static void test_large_and_negative_deltas(void **state)
{
    (void)state;
    uint8_t out[400];
    struct twcc twcc;
    /* two-bit vector: small, large, large, lost, then nothing */
    size_t size = by_hand(out, 4, "\xDA\x00\x10\x7F\xFF\xFF\xFE", 7);
    assert_true(parse(&twcc, out, size));
    static const int64_t expected[] = {16 * 250, (16 + 32767) * 250, (16 + 32767 - 2) * 250};
    struct twcc_iter it = twcc_iter_of(&twcc);
    struct twcc_status s;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(twcc_next(&it, &s));
        assert_true(s.received);
        assert_int_equal(s.arrival_us, expected[i]);
    }
    assert_true(twcc_next(&it, &s));
    assert_false(s.received);
}

static void test_truncated_messages_are_refused(void **state)
{
    (void)state;
    uint8_t out[400];
    struct twcc twcc;
    assert_false(parse(&twcc, out, by_hand(out, 0, "\x00\x00", 2)));            /* no statuses */
    assert_false(parse(&twcc, out, by_hand(out, 15, "\xBF\xFF", 2)));           /* second chunk missing */
    assert_false(parse(&twcc, out, by_hand(out, 14, "\xBF\xFF\x01\x01", 4)));   /* deltas missing */
    assert_false(parse(&twcc, out, by_hand(out, 4000, "\x00\x00\x00\x00", 4)));
    assert_true(parse(&twcc, out, by_hand(out, TWCC_READ_MAX, "\x1F\xFF", 2)));
    assert_false(parse(&twcc, out, by_hand(out, TWCC_READ_MAX + 1, "\x1F\xFF", 2)));
    uint8_t pli[] = {0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2};
    assert_false(parse(&twcc, pli, sizeof(pli)));
    for (uint8_t words = 2; words < 5; words++) {
        uint8_t shorter[20] = {0x8F, 205, 0, words};
        assert_false(parse(&twcc, shorter, 4u * (words + 1u)));
    }
}

/* Runs of no length at all move nothing, and end. */
static void test_empty_runs_end(void **state)
{
    (void)state;
    uint8_t out[400];
    struct twcc twcc;
    assert_false(parse(&twcc, out, by_hand(out, 1, "\x00\x00\x00\x00\x20\x00", 6)));
    assert_true(parse(&twcc, out, by_hand(out, 1, "\x00\x00\x20\x01\x09", 5)));
    struct twcc_iter it = twcc_iter_of(&twcc);
    struct twcc_status s;
    assert_true(twcc_next(&it, &s));
    assert_int_equal(s.arrival_us, 9 * 250);
    assert_false(twcc_next(&it, &s));
}

/* ---- writing ---- */

/* Writes, reads back, compares; returns the size. */
static size_t round_trip(const int64_t *ticks, uint16_t count, size_t room, uint16_t expected)
{
    static uint8_t out[5000];
    struct writer w = writer_of(out, room);
    const struct twcc_out message = {.sender_ssrc = 7, .media_ssrc = 8, .base_seq = 65000, .count = count,
                                     .feedback_count = 200, .now_tick = 1 << 20, .ticks = ticks};
    assert_int_equal(twcc_write(&w, &message), expected);
    if (expected == 0) {
        assert_int_equal(writer_size(&w), 0);
        return 0;
    }
    assert_int_equal(writer_size(&w) % 4, 0);
    struct twcc twcc;
    assert_true(parse(&twcc, out, writer_size(&w)));
    assert_int_equal(twcc.sender_ssrc, 7);
    assert_int_equal(twcc.media_ssrc, 8);
    assert_int_equal(twcc.base_seq, 65000);
    assert_int_equal(twcc.count, expected);
    assert_int_equal(twcc.feedback_count, 200);
    struct twcc_iter it = twcc_iter_of(&twcc);
    struct twcc_status s;
    for (uint16_t i = 0; i < expected; i++) {
        assert_true(twcc_next(&it, &s));
        assert_int_equal(s.seq, (uint16_t)(65000 + i));
        assert_int_equal(s.received, ticks[i] != TWCC_LOST);
        if (s.received)
            assert_int_equal((int64_t)twcc.reference_time * TWCC_REFERENCE_UNIT_US + s.arrival_us, ticks[i] * 250);
    }
    return writer_size(&w);
}

static void test_patterns_take_the_chunks_they_should(void **state)
{
    (void)state;
    int64_t ticks[TWCC_STATUS_MAX];
    for (unsigned i = 0; i < TWCC_STATUS_MAX; i++)
        ticks[i] = 256 * 100 + i;
    assert_int_equal(round_trip(ticks, 1, 5000, 1), 24);                /* 20 + 2 + 1, padded */
    assert_int_equal(round_trip(ticks, 400, 5000, 400), 424);           /* one run: 20 + 2 + 400, padded */
    ticks[3] = TWCC_LOST;
    assert_int_equal(round_trip(ticks, 14, 5000, 14), 36);              /* one vector of 14: 20 + 2 + 13, padded */
    for (unsigned i = 0; i < 100; i++)
        ticks[i] = i % 2 == 0 ? TWCC_LOST : 25600 + 300 * (int64_t)i;   /* large deltas between losses */
    assert_int_equal(round_trip(ticks, 100, 5000, 100), 20 + 2 * 15 + 100 - 1 + 3);
}

static void test_random_patterns_round_trip(void **state)
{
    (void)state;
    uint64_t random = 4;
    for (unsigned round = 0; round < 3000; round++) {
        int64_t ticks[400];
        int64_t at = 70000;
        unsigned loss = round % 5;
        for (unsigned i = 0; i < 400; i++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            unsigned dice = (unsigned)(random >> 33);
            at += dice % 7 == 0 ? (int)(dice % 2000) - 700 : (int)(dice % 20);
            ticks[i] = dice / 7 % 10 < loss ? TWCC_LOST : at;
        }
        uint16_t count = (uint16_t)(random >> 50 & 0xFF);
        if (count > 0)
            (void)round_trip(ticks, count, 5000, count);
    }
}

static void test_cut_where_the_room_ends(void **state)
{
    (void)state;
    int64_t ticks[400];
    for (unsigned i = 0; i < 400; i++)
        ticks[i] = 256 * 100 + 300 * (int64_t)i;
    for (size_t room = 0; room < 24; room++)
        (void)round_trip(ticks, 400, room, 0);
    uint16_t before = 0;
    for (size_t room = 24; room < 1000; room++) {
        static uint8_t out[1000];
        struct writer w = writer_of(out, room);
        const struct twcc_out message = {.count = 400, .ticks = ticks};
        uint16_t got = twcc_write(&w, &message);
        assert_true(got > 0 && got >= before);
        assert_true(writer_size(&w) <= room);
        before = got;
    }
    assert_int_equal(before, 400);
}

static void test_cut_where_a_delta_is_too_large(void **state)
{
    (void)state;
    const int64_t ticks[] = {1000, TWCC_LOST, 1000 + 32767, 1000 + 32767 + 32768, 5};
    (void)round_trip(ticks, 5, 5000, 3);
    const int64_t back[] = {100000, 100000 - 32768, 100000 - 2 * 32768 - 1};
    (void)round_trip(back, 3, 5000, 2);
}

static void test_only_losses(void **state)
{
    (void)state;
    const int64_t ticks[] = {TWCC_LOST, TWCC_LOST, TWCC_LOST};
    assert_int_equal(round_trip(ticks, 3, 5000, 3), 24);
    (void)round_trip(ticks, 0, 5000, 0);
}

static void test_reference_time_wraps_at_24_bits(void **state)
{
    (void)state;
    const int64_t ticks[] = {((int64_t)1 << 32) + 3 * 256 + 7};
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof(out));
    const struct twcc_out message = {.count = 1, .ticks = ticks};
    assert_int_equal(twcc_write(&w, &message), 1);
    struct twcc twcc;
    assert_true(parse(&twcc, out, writer_size(&w)));
    assert_int_equal(twcc.reference_time, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draft_run_length_example),
        cmocka_unit_test(test_reserved_symbol_is_refused),
        cmocka_unit_test(test_draft_status_vector_example),
        cmocka_unit_test(test_large_and_negative_deltas),
        cmocka_unit_test(test_truncated_messages_are_refused),
        cmocka_unit_test(test_empty_runs_end),
        cmocka_unit_test(test_patterns_take_the_chunks_they_should),
        cmocka_unit_test(test_random_patterns_round_trip),
        cmocka_unit_test(test_cut_where_the_room_ends),
        cmocka_unit_test(test_cut_where_a_delta_is_too_large),
        cmocka_unit_test(test_only_losses),
        cmocka_unit_test(test_reference_time_wraps_at_24_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
