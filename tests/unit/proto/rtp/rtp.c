/* The header, padding, demultiplexing and sequence arithmetic. */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "proto/rtp/demux.h"
#include "proto/rtp/rtp.h"
#include "proto/rtp/seq.h"

/* V2, X, two CSRCs, marker, PT 96, one word of extension, payload "abc", two bytes of padding. */
static const uint8_t full[] = {
    0xB2, 0xE0, 0x12, 0x34, 0, 0, 1, 0, 0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 1, 0, 0, 0, 2,
    0xBE, 0xDE, 0, 1, 0x10, 0x7F, 0, 0, 'a', 'b', 'c', 0, 2,
};

static void test_parses_all_parts(void **state)
{
    (void)state;
    struct rtp_packet p;
    assert_true(rtp_parse(&p, VIEW(full, sizeof(full))));
    assert_true(p.marker);
    assert_int_equal(p.pt, 96);
    assert_int_equal(p.seq, 0x1234);
    assert_int_equal(p.ts, 256);
    assert_int_equal(p.ssrc, 0xCAFEBABE);
    assert_int_equal(p.csrc_count, 2);
    assert_int_equal(rtp_csrc(&p, 0), 1);
    assert_int_equal(rtp_csrc(&p, 1), 2);
    assert_int_equal(p.ext_profile, 0xBEDE);
    assert_int_equal(p.ext_offset, 24);
    assert_int_equal(p.ext_size, 4);
    assert_int_equal(p.payload_offset, 28);
    assert_int_equal(p.payload_size, 3);
    assert_int_equal(p.padding_size, 2);
    assert_memory_equal(rtp_payload(&p).data, "abc", 3);
}

static void test_sealed_packet_keeps_its_padding_unread(void **state)
{
    (void)state;
    uint8_t sealed[sizeof(full) + 10];
    memcpy(sealed, full, sizeof(full));
    memset(sealed + 28, 0xFF, sizeof(sealed) - 28);
    struct rtp_packet p;
    assert_true(rtp_parse_header(&p, VIEW(sealed, sizeof(sealed))));
    assert_int_equal(p.payload_size, 15);
    assert_int_equal(p.padding_size, 0);
    memcpy(sealed, full, sizeof(full));
    assert_true(rtp_finish(&p, sizeof(full)));
    assert_int_equal(p.size, sizeof(full));
    assert_int_equal(p.payload_size, 3);
    assert_int_equal(p.padding_size, 2);
    assert_false(rtp_finish(&p, 27));
}

static void test_truncated_at_every_byte(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(full); size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, full, size);
        struct rtp_packet p;
        bool fine = rtp_parse(&p, VIEW(copy, size));
        /* 28 bytes and more hold the header; the last byte then decides as padding count */
        if (size < 28)
            assert_false(fine);
        else if (fine)
            assert_int_equal(p.payload_offset + p.payload_size + p.padding_size, size);
        free(copy);
    }
}

static void test_padding_that_cannot_be(void **state)
{
    (void)state;
    uint8_t p[16] = {0xA0, 96};
    struct rtp_packet out;
    assert_false(rtp_parse(&out, VIEW(p, 12)));        /* P bit, nothing to read it from (Pion's advisory) */
    p[15] = 0;
    assert_false(rtp_parse(&out, VIEW(p, 16)));
    p[15] = 5;
    assert_false(rtp_parse(&out, VIEW(p, 16)));
    p[15] = 4;
    assert_true(rtp_parse(&out, VIEW(p, 16)));
    assert_int_equal(out.payload_size, 0);
    assert_int_equal(out.padding_size, 4);
}

static void test_versions_and_sizes_that_are_refused(void **state)
{
    (void)state;
    static uint8_t p[RTP_PACKET_MAX + 1] = {0x80};
    struct rtp_packet out;
    assert_true(rtp_parse(&out, VIEW(p, RTP_PACKET_MAX)));
    assert_false(rtp_parse(&out, VIEW(p, RTP_PACKET_MAX + 1)));
    for (unsigned version = 0; version < 4; version++) {
        p[0] = (uint8_t)(version << 6);
        assert_int_equal(rtp_parse(&out, VIEW(p, 12)), version == 2);
    }
    p[0] = 0x90;
    put_u16(p + 14, 0xFFFF);
    assert_false(rtp_parse(&out, VIEW(p, RTP_PACKET_MAX)));
    put_u16(p + 14, (RTP_PACKET_MAX - 16) / 4);
    assert_true(rtp_parse(&out, VIEW(p, RTP_PACKET_MAX)));
    assert_int_equal(out.payload_size, 0);
}

static void test_write_then_parse(void **state)
{
    (void)state;
    uint8_t out[64];
    const uint8_t csrcs[] = {0, 0, 0, 9, 0, 0, 0, 8};
    const struct rtp_header header = {.marker = true, .padding = true, .pt = 111, .seq = 65535, .ts = 0xFFFFFFFF, .ssrc = 5,
                                      .csrcs = VIEW(csrcs, sizeof(csrcs))};
    assert_int_equal(rtp_write_header(out, 19, &header), 0);
    size_t size = rtp_write_header(out, sizeof(out), &header);
    assert_int_equal(size, 20);
    memcpy(out + size, "xy", 2);
    rtp_write_padding(out + size + 2, 3);
    struct rtp_packet p;
    assert_true(rtp_parse(&p, VIEW(out, size + 5)));
    assert_true(p.marker);
    assert_int_equal(p.pt, 111);
    assert_int_equal(p.seq, 65535);
    assert_int_equal(p.ts, 0xFFFFFFFF);
    assert_int_equal(rtp_csrc(&p, 1), 8);
    assert_int_equal(p.payload_size, 2);
    assert_int_equal(p.padding_size, 3);

    rtp_set_marker(out, false);
    rtp_set_pt(out, 96);
    rtp_set_seq(out, 7);
    rtp_set_ts(out, 8);
    rtp_set_ssrc(out, 9);
    rtp_set_padding(out, false);
    assert_true(rtp_parse(&p, VIEW(out, size + 5)));
    assert_false(p.marker);
    assert_int_equal(p.pt, 96);
    assert_int_equal(p.seq, 7);
    assert_int_equal(p.ts, 8);
    assert_int_equal(p.ssrc, 9);
    assert_int_equal(p.payload_size, 5);
    rtp_set_padding(out, true);
    assert_int_equal(out[0], 0xA2);
}

static enum rtp_kind kind_of(uint8_t first, uint8_t second, size_t size)
{
    uint8_t data[16] = {first, second};
    return rtp_classify(VIEW(data, size));
}

static void test_classes_by_first_byte(void **state)
{
    (void)state;
    assert_int_equal(rtp_classify(VIEW(NULL, 0)), RTP_KIND_OTHER);
    for (unsigned first = 0; first < 256; first++) {
        enum rtp_kind expected = first <= 3 ? RTP_KIND_STUN : first >= 20 && first <= 63 ? RTP_KIND_DTLS :
            first >= 128 && first <= 191 ? RTP_KIND_RTP : RTP_KIND_OTHER;
        assert_int_equal(kind_of((uint8_t)first, 96, 12), expected);
    }
}

static void test_rtcp_by_payload_type(void **state)
{
    (void)state;
    for (unsigned second = 0; second < 256; second++) {
        bool rtcp = (second & 0x7F) >= 64 && (second & 0x7F) <= 95;
        assert_int_equal(kind_of(0x80, (uint8_t)second, 12), rtcp ? RTP_KIND_RTCP : RTP_KIND_RTP);
        assert_int_equal(kind_of(0x80, (uint8_t)second, 11), rtcp ? RTP_KIND_RTCP : RTP_KIND_OTHER);
        assert_int_equal(kind_of(0x80, (uint8_t)second, 7), RTP_KIND_OTHER);
    }
    for (unsigned pt = 192; pt <= 223; pt++)           /* SR, RR, ... XR */
        assert_int_equal(kind_of(0x81, (uint8_t)pt, 8), RTP_KIND_RTCP);
    assert_int_equal(kind_of(0x80, 200, 1), RTP_KIND_OTHER);
}

static void test_numbers_wrap(void **state)
{
    (void)state;
    assert_int_equal(seq_diff(1, 65535), 2);
    assert_int_equal(seq_diff(65535, 1), -2);
    assert_true(seq_newer(0, 65535));
    assert_false(seq_newer(5, 5));
    assert_false(seq_newer(0, 32768));
    assert_true(ts_newer(1, 0xFFFFFFFF));
    assert_int_equal(ts_diff(0xFFFFFFF0, 0x10), -32);
}

static void test_unwrap_follows_both_ways(void **state)
{
    (void)state;
    struct seq_unwrap u = {0};
    assert_int_equal(seq_unwrap_next(&u, 2), 65538);
    assert_int_equal(seq_unwrap_next(&u, 65535), 65535);       /* from before the first */
    assert_int_equal(u.newest, 65538);
    assert_int_equal(seq_unwrap_next(&u, 30000), 65536 + 30000);
    assert_int_equal(seq_unwrap_next(&u, 60000), 65536 + 60000);
    assert_int_equal(seq_unwrap_peek(&u, 5), 2 * 65536 + 5);
    assert_int_equal(seq_unwrap_next(&u, 59999), 65536 + 59999);
    assert_int_equal(seq_unwrap_next(&u, 5), 2 * 65536 + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parses_all_parts),
        cmocka_unit_test(test_sealed_packet_keeps_its_padding_unread),
        cmocka_unit_test(test_truncated_at_every_byte),
        cmocka_unit_test(test_padding_that_cannot_be),
        cmocka_unit_test(test_versions_and_sizes_that_are_refused),
        cmocka_unit_test(test_write_then_parse),
        cmocka_unit_test(test_classes_by_first_byte),
        cmocka_unit_test(test_rtcp_by_payload_type),
        cmocka_unit_test(test_numbers_wrap),
        cmocka_unit_test(test_unwrap_follows_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
