/* Codec names, and the peeks: keyframes, layers, pictures. Every peek also runs over every prefix of its inputs. */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "proto/rtp/codec.h"
#include "proto/rtp/vp8.h"
#include "proto/rtp/vp9.h"

static void test_names_and_rates(void **state)
{
    (void)state;
    for (unsigned c = CODEC_NONE + 1; c < CODEC_COUNT; c++) {
        const struct codec_info *info = codec_info((enum codec)c);
        assert_int_equal(codec_by_name(str_of(info->name)), c);
        assert_int_equal(codec_by_rtpmap(str_of(info->rtpmap)), c);
        assert_true(info->clock_hz > 0);
        assert_true(info->kind == CODEC_KIND_AUDIO || info->kind == CODEC_KIND_VIDEO);
    }
    assert_int_equal(codec_by_name(STR("OPUS")), CODEC_OPUS);
    assert_int_equal(codec_by_name(STR("opu")), CODEC_NONE);
    assert_int_equal(codec_by_name(VIEW(NULL, 0)), CODEC_NONE);
    assert_int_equal(codec_by_rtpmap(STR("vp8/90000")), CODEC_VP8);
    assert_int_equal(codec_by_rtpmap(STR("L16/48000/2")), CODEC_L16_48);
    assert_int_equal(codec_by_rtpmap(STR("red/90000")), CODEC_NONE);
    assert_int_equal(codec_by_rtpmap(STR("H264")), CODEC_NONE);
    assert_int_equal(codec_by_rtpmap(VIEW(NULL, 0)), CODEC_NONE);
    assert_int_equal(codec_info(CODEC_OPUS)->pt, 111);
    assert_int_equal(codec_info(CODEC_H265)->pt, 100);
    assert_int_equal(codec_info(CODEC_G722)->clock_hz, 8000);
    assert_string_equal(codec_info(CODEC_COUNT)->name, "none");
    assert_string_equal(codec_info((enum codec)9999)->name, "none");
    assert_int_equal(codec_by_static_pt(0), CODEC_PCMU);
    assert_int_equal(codec_by_static_pt(8), CODEC_PCMA);
    assert_int_equal(codec_by_static_pt(9), CODEC_G722);
    assert_int_equal(codec_by_static_pt(96), CODEC_NONE);
}

/* ---- VP8 ---- */

static const uint8_t vp8_key[] = {0x90, 0xF0, 0x92, 0x34, 0x56, 0xA5, 0x10, 2, 0, 0x9D, 1, 0x2A, 0x80, 2, 0xE0, 1, 0};

static void test_vp8_descriptor(void **state)
{
    (void)state;
    struct vp8_descriptor d;
    assert_true(vp8_parse(&d, VIEW(vp8_key, sizeof(vp8_key))));
    assert_int_equal(d.size, 6);
    assert_true(d.start);
    assert_int_equal(d.partition, 0);
    assert_int_equal(d.picture_id_bits, 15);
    assert_int_equal(d.picture_id, 0x1234);
    assert_true(d.has_tl0picidx);
    assert_int_equal(d.tl0picidx, 0x56);
    assert_true(d.has_tid);
    assert_int_equal(d.tid, 2);
    assert_true(d.layer_sync);
    assert_true(d.has_keyidx);
    assert_int_equal(d.keyidx, 5);
    assert_true(d.keyframe);

    const uint8_t narrow[] = {0xB0, 0x80, 0x7F, 0x01};
    assert_true(vp8_parse(&d, VIEW(narrow, sizeof(narrow))));
    assert_int_equal(d.size, 3);
    assert_true(d.non_reference);
    assert_int_equal(d.picture_id_bits, 7);
    assert_int_equal(d.picture_id, 127);
    assert_false(d.has_tl0picidx);
    assert_false(d.keyframe);
    const uint8_t bare[] = {0x10};
    assert_true(vp8_parse(&d, VIEW(bare, 1)));
    assert_int_equal(d.size, 1);
}

static void test_vp8_keyframe_needs_start_partition_and_16_bytes(void **state)
{
    (void)state;
    uint8_t p[sizeof(vp8_key)];
    memcpy(p, vp8_key, sizeof(p));
    assert_true(vp8_is_keyframe(VIEW(p, 16)));
    assert_false(vp8_is_keyframe(VIEW(p, 15)));
    p[0] = 0x80;
    assert_false(vp8_is_keyframe(VIEW(p, 16)));
    p[0] = 0x91;
    assert_false(vp8_is_keyframe(VIEW(p, 16)));
    p[0] = 0x90;
    p[6] |= 1;
    assert_false(vp8_is_keyframe(VIEW(p, 16)));
}

static void test_vp8_rewrite_keeps_widths(void **state)
{
    (void)state;
    uint8_t p[sizeof(vp8_key)];
    struct vp8_descriptor d;
    memcpy(p, vp8_key, sizeof(p));
    assert_true(vp8_parse(&d, VIEW(p, sizeof(p))));
    vp8_rewrite(p, &d, 0xFFFF, 0x77);
    assert_int_equal(get_u16(p + 2), 0xFFFF);
    assert_int_equal(p[4], 0x77);
    assert_memory_equal(p + 5, vp8_key + 5, sizeof(p) - 5);
    assert_true(vp8_parse(&d, VIEW(p, sizeof(p))));
    assert_int_equal(d.picture_id, 0x7FFF);

    uint8_t narrow[] = {0x90, 0x80, 0x05, 0xAA};
    assert_true(vp8_parse(&d, VIEW(narrow, sizeof(narrow))));
    vp8_rewrite(narrow, &d, 0x181, 9);
    assert_int_equal(narrow[2], 0x01);                 /* 7 bits stay 7 bits */
    assert_int_equal(narrow[3], 0xAA);
    uint8_t bare[] = {0x10, 0xAA};
    assert_true(vp8_parse(&d, VIEW(bare, sizeof(bare))));
    vp8_rewrite(bare, &d, 1, 1);
    assert_int_equal(get_u16(bare), 0x10AA);
}

/* ---- VP9 ---- */

/* Flexible, picture id 15 bits, two spatial layers with sizes and a picture group of two. */
static const uint8_t vp9_key[] = {
    0xBA, 0x80, 0x11, 0x00, 0x38, 0x01, 0x40, 0x00, 0xB4, 0x02, 0x80, 0x01, 0x68, 0x02, 0x00, 0x28, 0x01, 0x44, 0x01, 0xEE,
};

static void test_vp9_structure(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    assert_true(vp9_parse(&d, VIEW(vp9_key, sizeof(vp9_key))));
    assert_true(d.has_picture_id && d.has_layers && d.flexible && d.start_of_frame && d.has_structure);
    assert_false(d.inter_predicted || d.end_of_frame);
    assert_int_equal(d.picture_id, 0x11);
    assert_int_equal(d.tid, 0);
    assert_int_equal(d.spatial_count, 2);
    assert_int_equal(d.width[0], 320);
    assert_int_equal(d.height[0], 180);
    assert_int_equal(d.width[1], 640);
    assert_int_equal(d.height[1], 360);
    assert_true(d.keyframe);
    assert_int_equal(d.size, 18);

    uint8_t zero[sizeof(vp9_key)];
    memcpy(zero, vp9_key, sizeof(zero));
    zero[9] = zero[10] = 0;
    assert_true(vp9_parse(&d, VIEW(zero, sizeof(zero))));
    assert_false(d.keyframe);                          /* a resolution of 0 */
}

static void test_vp9_layers(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    const uint8_t fixed[] = {0xAC, 0x05, 0x55, 0x09, 0xFF};     /* I L B E, non-flexible */
    assert_true(vp9_parse(&d, VIEW(fixed, sizeof(fixed))));
    assert_int_equal(d.picture_id_bits, 7);
    assert_int_equal(d.tid, 2);
    assert_true(d.switching_up);
    assert_int_equal(d.sid, 2);
    assert_true(d.inter_layer);
    assert_int_equal(d.tl0picidx, 9);
    assert_int_equal(d.size, 4);
    const uint8_t refs[] = {0x70, 0x20, 0x03, 0x05, 0x02, 0xFF};        /* P L F: three references */
    assert_true(vp9_parse(&d, VIEW(refs, sizeof(refs))));
    assert_int_equal(d.size, 5);
    assert_int_equal(d.tid, 1);
    const uint8_t more[] = {0x70, 0x20, 0x03, 0x05, 0x07, 0x01};        /* never more than three */
    assert_true(vp9_parse(&d, VIEW(more, sizeof(more))));
    assert_int_equal(d.size, 5);
}

static void test_vp9_largest_structure(void **state)
{
    (void)state;
    uint8_t p[3 + 32 + 255 * 4] = {0x02, 0xF8};
    memset(p + 2, 1, 32);
    p[34] = 255;
    for (size_t i = 0; i < 255; i++)
        p[35 + 4 * i] = 0x0C;
    struct vp9_descriptor d;
    assert_true(vp9_parse(&d, VIEW(p, sizeof(p))));
    assert_int_equal(d.size, sizeof(p));
    assert_int_equal(d.spatial_count, 8);
    assert_false(vp9_parse(&d, VIEW(p, sizeof(p) - 1)));
}

/* ---- NAL units and AV1 ---- */

static bool is_key(enum codec codec, const char *bytes, size_t size)
{
    return codec_is_keyframe(codec, VIEW(bytes, size));
}

#define KEY(codec, bytes) is_key(codec, bytes, sizeof(bytes) - 1)

static void test_h264_sps_in_every_packing(void **state)
{
    (void)state;
    assert_true(KEY(CODEC_H264, "\x67\x42"));
    assert_false(KEY(CODEC_H264, "\x68\x42"));
    assert_false(KEY(CODEC_H264, "\x65\x88"));
    assert_true(KEY(CODEC_H264, "\x78\x00\x02\x68\x01\x00\x02\x67\x01"));
    assert_false(KEY(CODEC_H264, "\x78\x00\x02\x68\x01\x00\x03\x67\x01"));
    assert_false(KEY(CODEC_H264, "\x78\x00\x00\x00\x00"));
    assert_true(KEY(CODEC_H264, "\x7C\x87\x01"));
    assert_false(KEY(CODEC_H264, "\x7C\x07\x01"));     /* not the start */
    assert_false(KEY(CODEC_H264, "\x7C\x85\x01"));
    assert_false(KEY(CODEC_H264, "\x7C"));
    assert_false(KEY(CODEC_H264, ""));
}

static void test_h265_irap_and_parameter_sets(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 64; type++) {
        bool key = (type >= 16 && type <= 21) || (type >= 32 && type <= 34);
        const uint8_t single[] = {(uint8_t)(type << 1), 1, 0};
        if (type != 48 && type != 49)
            assert_int_equal(codec_is_keyframe(CODEC_H265, VIEW(single, 3)), key);
        const uint8_t aggregate[] = {48 << 1, 1, 0, 2, 2, 1, 0, 2, (uint8_t)(type << 1), 1};
        assert_int_equal(codec_is_keyframe(CODEC_H265, VIEW(aggregate, sizeof(aggregate))), key);
        const uint8_t start[] = {49 << 1, 1, (uint8_t)(0x80 | type), 0};
        assert_int_equal(codec_is_keyframe(CODEC_H265, VIEW(start, sizeof(start))), key);
        const uint8_t middle[] = {49 << 1, 1, (uint8_t)type, 0};
        assert_false(codec_is_keyframe(CODEC_H265, VIEW(middle, sizeof(middle))));
    }
    assert_false(KEY(CODEC_H265, "\x40"));
}

static void test_av1_new_sequence(void **state)
{
    (void)state;
    assert_true(KEY(CODEC_AV1, "\x08\x0A"));
    assert_true(KEY(CODEC_AV1, "\x58"));
    assert_false(KEY(CODEC_AV1, "\x88\x0A"));
    assert_false(KEY(CODEC_AV1, "\x00\x0A"));
    assert_false(KEY(CODEC_AV1, ""));
}

static void test_audio_has_no_keyframes(void **state)
{
    (void)state;
    assert_false(KEY(CODEC_OPUS, "\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67\x67"));
    assert_false(KEY(CODEC_NONE, "\x67"));
    assert_false(is_key((enum codec)77, "\x67", 1));
}

/* PR 3636's class: RTX and VP8 payloads of 0, 1, 2 ... bytes, whatever they hold. Exact copies, for the sanitizer. */
static void test_peeks_survive_short_payloads(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned round = 0; round < 20000; round++) {
        size_t size = round % 40;
        uint8_t *p = malloc(size > 0 ? size : 1);
        assert_non_null(p);
        for (size_t i = 0; i < size; i++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            p[i] = (uint8_t)(random >> 40);
        }
        for (unsigned c = 0; c <= CODEC_COUNT; c++)
            (void)codec_is_keyframe((enum codec)c, VIEW(p, size));
        struct vp8_descriptor vp8;
        if (vp8_parse(&vp8, VIEW(p, size))) {
            assert_true(vp8.size <= size);
            vp8_rewrite(p, &vp8, 0x7FFF, 0xFF);
        }
        struct vp9_descriptor vp9;
        if (vp9_parse(&vp9, VIEW(p, size)))
            assert_true(vp9.size <= size);
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_rates),
        cmocka_unit_test(test_vp8_descriptor),
        cmocka_unit_test(test_vp8_keyframe_needs_start_partition_and_16_bytes),
        cmocka_unit_test(test_vp8_rewrite_keeps_widths),
        cmocka_unit_test(test_vp9_structure),
        cmocka_unit_test(test_vp9_layers),
        cmocka_unit_test(test_vp9_largest_structure),
        cmocka_unit_test(test_h264_sps_in_every_packing),
        cmocka_unit_test(test_h265_irap_and_parameter_sets),
        cmocka_unit_test(test_av1_new_sequence),
        cmocka_unit_test(test_audio_has_no_keyframes),
        cmocka_unit_test(test_peeks_survive_short_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
