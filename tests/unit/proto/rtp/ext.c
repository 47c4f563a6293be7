/* Header extensions, read and written (RFC 8285). */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "proto/rtp/ext.h"

static const struct rtp_ext_ids ids = {
    .mid = 4, .rid = 5, .repaired_rid = 6, .audio_level = 1, .abs_send_time = 2, .twcc = 3, .orientation = 13,
    .playout_delay = 12, .dependency_descriptor = 8, .abs_capture_time = 7,
};

struct made {
    uint8_t data[RTP_PACKET_MAX];
    struct rtp_packet packet;
};

/* A packet whose extension block is `block`, padded to words. */
static void make(struct made *m, uint16_t profile, const uint8_t *block, size_t size)
{
    memset(m, 0, sizeof(*m));
    size_t words = (size + 3) / 4;
    m->data[0] = 0x90;
    put_u16(m->data + 12, profile);
    put_u16(m->data + 14, (uint16_t)words);
    if (size > 0)
        memcpy(m->data + 16, block, size);
    assert_true(rtp_parse(&m->packet, VIEW(m->data, 16 + 4 * words)));
}

static void test_one_byte_elements(void **state)
{
    (void)state;
    const uint8_t block[] = {0x10, 0x85, 0, 0, 0x22, 1, 2, 3, 0x31, 0xAB, 0xCD, 0x42, 'm', 'i', 'd'};
    struct made m;
    make(&m, 0xBEDE, block, sizeof(block));
    struct view v;
    assert_true(rtp_ext_find(&m.packet, 1, &v));
    assert_int_equal(v.size, 1);
    assert_true(rtp_ext_find(&m.packet, 4, &v));
    assert_true(str_equal(v, STR("mid")));
    assert_false(rtp_ext_find(&m.packet, 5, &v));
    assert_false(rtp_ext_find(&m.packet, 0, &v));

    struct rtp_ext_values values;
    rtp_ext_read(&values, &m.packet, &ids);
    assert_int_equal(values.has, RTP_EXT_HAS_AUDIO_LEVEL | RTP_EXT_HAS_ABS_SEND_TIME | RTP_EXT_HAS_TWCC);
    assert_true(values.voice);
    assert_int_equal(values.audio_level, 5);
    assert_int_equal(values.abs_send_time, 0x010203);
    assert_int_equal(values.twcc_seq, 0xABCD);
}

static void test_nothing_negotiated_reads_nothing(void **state)
{
    (void)state;
    const uint8_t block[] = {0x10, 0x85, 0x31, 0xAB, 0xCD};
    struct made m;
    make(&m, 0xBEDE, block, sizeof(block));
    struct rtp_ext_values values;
    rtp_ext_read(&values, &m.packet, &(struct rtp_ext_ids){0});
    assert_int_equal(values.has, 0);
}

static void test_two_byte_elements(void **state)
{
    (void)state;
    const uint8_t block[] = {0, 1, 1, 0x7F, 5, 0, 200, 2, 'h', 'i', 0, 3, 2, 0, 9};
    struct made m;
    make(&m, 0x1003, block, sizeof(block));            /* appbits are ignored */
    struct view v;
    assert_true(rtp_ext_find(&m.packet, 5, &v));
    assert_int_equal(v.size, 0);
    assert_true(rtp_ext_find(&m.packet, 200, &v));
    assert_true(str_equal(v, STR("hi")));
    assert_true(rtp_ext_find(&m.packet, 3, &v));
    assert_int_equal(get_u16(v.data), 9);
}

static void test_other_profiles_and_ids_that_end_the_block(void **state)
{
    (void)state;
    const uint8_t block[] = {0x10, 0x05, 0xF0, 0, 0x20, 7};
    struct made m;
    struct view v;
    make(&m, 0xBEDE, block, sizeof(block));
    assert_true(rtp_ext_find(&m.packet, 1, &v));
    assert_false(rtp_ext_find(&m.packet, 2, &v));      /* behind id 15 */
    make(&m, 0xBEDF, block, sizeof(block));
    assert_false(rtp_ext_find(&m.packet, 1, &v));
    const uint8_t zero[] = {0x02, 1, 2, 3, 0x10, 5};
    make(&m, 0xBEDE, zero, sizeof(zero));              /* id 0 with a length */
    assert_false(rtp_ext_find(&m.packet, 1, &v));
    make(&m, 0xBEDE, NULL, 0);
    assert_false(rtp_ext_find(&m.packet, 1, &v));
    uint8_t bare[12] = {0x80};
    assert_true(rtp_parse(&m.packet, VIEW(bare, 12)));
    assert_false(rtp_ext_find(&m.packet, 1, &v));
}

static void test_elements_that_pass_the_end_are_not_there(void **state)
{
    (void)state;
    struct made m;
    struct view v;
    const uint8_t one[] = {0x10, 9, 0x25, 1};
    make(&m, 0xBEDE, one, sizeof(one));
    assert_true(rtp_ext_find(&m.packet, 1, &v));
    assert_false(rtp_ext_find(&m.packet, 2, &v));
    const uint8_t two[] = {1, 1, 9, 2};
    make(&m, 0x1000, two, sizeof(two));
    assert_true(rtp_ext_find(&m.packet, 1, &v));
    assert_false(rtp_ext_find(&m.packet, 2, &v));
    const uint8_t longer[] = {2, 250, 9, 2};
    make(&m, 0x1000, longer, sizeof(longer));
    assert_false(rtp_ext_find(&m.packet, 2, &v));
}

static void test_values_of_the_wrong_size_are_absent(void **state)
{
    (void)state;
    const uint8_t block[] = {1, 0, 2, 2, 9, 9, 3, 1, 9, 13, 0, 12, 2, 9, 9, 8, 0, 7, 7, 1, 2, 3, 4, 5, 6, 7};
    struct made m;
    make(&m, 0x1000, block, sizeof(block));
    struct rtp_ext_values values;
    rtp_ext_read(&values, &m.packet, &ids);
    assert_int_equal(values.has, 0);
}

static void test_writes_what_it_reads(void **state)
{
    (void)state;
    uint8_t descriptor[RTP_EXT_DESCRIPTOR_MAX];
    for (size_t i = 0; i < sizeof(descriptor); i++)
        descriptor[i] = (uint8_t)(i + 1);
    for (size_t size = 1; size <= sizeof(descriptor); size++) {
        const struct rtp_ext_values in = {
            .has = RTP_EXT_HAS_AUDIO_LEVEL | RTP_EXT_HAS_ORIENTATION | RTP_EXT_HAS_PLAYOUT_DELAY |
                   RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR | RTP_EXT_HAS_ABS_CAPTURE_TIME,
            .audio_level = 127, .voice = true, .orientation = 0x0B, .playout_min = 0xABC, .playout_max = 0x123,
            .abs_capture_time = 0x0102030405060708, .dependency_descriptor = VIEW(descriptor, size),
        };
        const struct rtp_ext_out out = {.values = &in, .mid = STR("0123456789abcdef"), .abs_send_time = true, .twcc = true};
        struct made m;
        memset(&m, 0, sizeof(m));
        m.data[0] = 0x90;
        struct rtp_ext_patch patch;
        size_t written = rtp_ext_write(m.data + 12, RTP_EXT_ROOM, &ids, &out, &patch);
        assert_true(written > 0 && written % 4 == 0);
        assert_int_equal(get_u16(m.data + 12), size > 16 ? 0x1000 : 0xBEDE);
        rtp_ext_patch_send_time(m.data + 12 + patch.abs_send_time, MSEC(1500));
        put_u16(m.data + 12 + patch.twcc, 777);

        assert_true(rtp_parse(&m.packet, VIEW(m.data, 12 + written)));
        struct rtp_ext_values back;
        rtp_ext_read(&back, &m.packet, &ids);
        assert_int_equal(back.has, in.has | RTP_EXT_HAS_TWCC | RTP_EXT_HAS_ABS_SEND_TIME);
        assert_int_equal(back.audio_level, 127);
        assert_true(back.voice);
        assert_int_equal(back.orientation, 0x0B);
        assert_int_equal(back.playout_min, 0xABC);
        assert_int_equal(back.playout_max, 0x123);
        assert_int_equal(back.abs_capture_time, in.abs_capture_time);
        assert_true(str_equal(back.dependency_descriptor, in.dependency_descriptor));
        assert_int_equal(back.twcc_seq, 777);
        assert_int_equal(back.abs_send_time, 3u << 17);        /* 1.5 s in 6.18 */
        struct view mid;
        assert_true(rtp_ext_find(&m.packet, ids.mid, &mid));
        assert_true(str_equal(mid, out.mid));
    }
}

/* webrtc.md 12.2, byte by byte: the reference's order. */
static void test_order_of_the_block(void **state)
{
    (void)state;
    const uint8_t descriptor[] = {0xD1, 0xD2, 0xD3};
    const struct rtp_ext_values in = {
        .has = RTP_EXT_HAS_AUDIO_LEVEL | RTP_EXT_HAS_ORIENTATION | RTP_EXT_HAS_PLAYOUT_DELAY |
               RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR | RTP_EXT_HAS_ABS_CAPTURE_TIME,
        .audio_level = 3, .orientation = 1, .playout_min = 1, .playout_max = 2, .abs_capture_time = 5,
        .dependency_descriptor = VIEW(descriptor, 3),
    };
    const struct rtp_ext_out out = {.values = &in, .mid = STR("v"), .abs_send_time = true, .twcc = true};
    static const uint8_t expected[] = {
        0xBE, 0xDE, 0, 8,
        0x22, 0, 0, 0, 0x31, 0, 0, 0x10, 3, 0xD0, 1, 0xC2, 0, 0x10, 2, 0x40, 'v', 0x82, 0xD1, 0xD2, 0xD3,
        0x77, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0,
    };
    uint8_t block[RTP_EXT_ROOM];
    struct rtp_ext_patch patch;
    assert_int_equal(rtp_ext_write(block, sizeof(block), &ids, &out, &patch), sizeof(expected));
    assert_memory_equal(block, expected, sizeof(expected));
    assert_int_equal(patch.abs_send_time, 5);
    assert_int_equal(patch.twcc, 9);
}

static void test_only_what_the_receiver_negotiated(void **state)
{
    (void)state;
    const struct rtp_ext_values in = {.has = RTP_EXT_HAS_AUDIO_LEVEL | RTP_EXT_HAS_ORIENTATION, .audio_level = 3};
    const struct rtp_ext_out out = {.values = &in, .mid = STR("0"), .abs_send_time = true, .twcc = true};
    uint8_t block[RTP_EXT_ROOM];
    struct rtp_ext_patch patch;
    assert_int_equal(rtp_ext_write(block, sizeof(block), &(struct rtp_ext_ids){0}, &out, &patch), 0);
    assert_int_equal(patch.twcc, 0);
    assert_int_equal(rtp_ext_write(block, sizeof(block), &(struct rtp_ext_ids){.mid = 9}, &out, &patch), 8);
    assert_int_equal(block[4], 0x90);
    assert_int_equal(rtp_ext_write(block, sizeof(block), &(struct rtp_ext_ids){.mid = 9}, &(struct rtp_ext_out){0}, &patch), 0);
    assert_int_equal(rtp_ext_write(block, sizeof(block), &(struct rtp_ext_ids){.audio_level = 15}, &out, &patch), 8);
    assert_int_equal(get_u16(block), 0x1000);          /* an id above 14 */
    assert_int_equal(block[4], 15);
}

static void test_no_room_writes_nothing(void **state)
{
    (void)state;
    const struct rtp_ext_out out = {.mid = STR("0123456789abcdef"), .abs_send_time = true, .twcc = true};
    struct rtp_ext_patch patch;
    for (size_t room = 0; room < 28; room++) {
        uint8_t *block = malloc(room > 0 ? room : 1);
        assert_non_null(block);
        assert_int_equal(rtp_ext_write(block, room, &ids, &out, &patch), 0);
        assert_int_equal(patch.abs_send_time, 0);
        assert_int_equal(patch.twcc, 0);
        free(block);
    }
    uint8_t block[28];
    assert_int_equal(rtp_ext_write(block, sizeof(block), &ids, &out, &patch), 28);
}

static void test_the_largest_block_fits_its_room(void **state)
{
    (void)state;
    static const uint8_t descriptor[RTP_EXT_DESCRIPTOR_MAX];
    const struct rtp_ext_values in = {.has = 0xFFFF, .dependency_descriptor = VIEW(descriptor, sizeof(descriptor))};
    const struct rtp_ext_out out = {.values = &in, .mid = STR("0123456789abcdef"), .abs_send_time = true, .twcc = true};
    uint8_t block[RTP_EXT_ROOM];
    struct rtp_ext_patch patch;
    size_t size = rtp_ext_write(block, sizeof(block), &ids, &out, &patch);
    assert_true(size > RTP_EXT_DESCRIPTOR_MAX);
}

static void test_id_is_changed_in_place(void **state)
{
    (void)state;
    const uint8_t one[] = {0x60, 'h', 0x31, 1, 2};
    struct made m;
    struct view v;
    make(&m, 0xBEDE, one, sizeof(one));
    assert_false(rtp_ext_change_id(&m.packet, 9, 5));
    assert_false(rtp_ext_change_id(&m.packet, 6, 15));
    assert_false(rtp_ext_change_id(&m.packet, 6, 0));
    assert_true(rtp_ext_change_id(&m.packet, 6, 5));
    assert_true(rtp_ext_find(&m.packet, 5, &v));
    assert_true(str_equal(v, STR("h")));
    assert_false(rtp_ext_find(&m.packet, 6, &v));
    const uint8_t two[] = {6, 1, 'h'};
    make(&m, 0x1000, two, sizeof(two));
    assert_true(rtp_ext_change_id(&m.packet, 6, 5));
    assert_true(rtp_ext_find(&m.packet, 5, &v));
}

static void test_send_time_wraps_at_64_s(void **state)
{
    (void)state;
    assert_int_equal(rtp_abs_send_time(0), 0);
    assert_int_equal(rtp_abs_send_time(SEC(1)), 1u << 18);
    assert_int_equal(rtp_abs_send_time(SEC(64)), 0);
    assert_int_equal(rtp_abs_send_time(SEC(64) - 1), 0xFFFFFF);
    assert_int_equal(rtp_abs_send_time(USEC_NEVER - 1), rtp_abs_send_time((USEC_NEVER - 1) % SEC(64)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_byte_elements),
        cmocka_unit_test(test_nothing_negotiated_reads_nothing),
        cmocka_unit_test(test_two_byte_elements),
        cmocka_unit_test(test_other_profiles_and_ids_that_end_the_block),
        cmocka_unit_test(test_elements_that_pass_the_end_are_not_there),
        cmocka_unit_test(test_values_of_the_wrong_size_are_absent),
        cmocka_unit_test(test_writes_what_it_reads),
        cmocka_unit_test(test_order_of_the_block),
        cmocka_unit_test(test_only_what_the_receiver_negotiated),
        cmocka_unit_test(test_no_room_writes_nothing),
        cmocka_unit_test(test_the_largest_block_fits_its_room),
        cmocka_unit_test(test_id_is_changed_in_place),
        cmocka_unit_test(test_send_time_wraps_at_64_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
