/* The dependency descriptor (AV1 RTP specification, A.8), from bits written here by the specification's syntax. */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "proto/rtp/dd.h"

struct bits {
    uint8_t data[256];
    size_t at;
};

static void put(struct bits *b, unsigned count, uint32_t value)
{
    for (unsigned i = count; i > 0; i--, b->at++)
        if ((value >> (i - 1) & 1) != 0)
            b->data[b->at / 8] |= (uint8_t)(0x80 >> b->at % 8);
}

static struct view bytes(const struct bits *b)
{
    return VIEW(b->data, (b->at + 7) / 8);
}

static void put_mandatory(struct bits *b, bool start, bool end, unsigned template_id, unsigned frame)
{
    put(b, 1, start);
    put(b, 1, end);
    put(b, 6, template_id);
    put(b, 16, frame);
}

/* L2T2: templates S0T0, S0T1, S1T0, S1T1; four decode targets, two chains, resolutions. */
static void put_l2t2(struct bits *b, unsigned offset, bool resolutions)
{
    put(b, 1, 1);              /* structure present */
    put(b, 1, 0);              /* active decode targets present */
    put(b, 3, 0);
    put(b, 6, offset);
    put(b, 5, 3);              /* dt_cnt_minus_one */
    put(b, 2, 1);              /* next_layer_idc: T + 1 */
    put(b, 2, 2);              /* S + 1 */
    put(b, 2, 1);
    put(b, 2, 3);              /* no more */
    for (unsigned i = 0; i < 4 * 4; i++)
        put(b, 2, i % 4);      /* template_dti */
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < i; j++) {
            put(b, 1, 1);
            put(b, 4, j);      /* fdiff_minus_one */
        }
        put(b, 1, 0);
    }
    put(b, 2, 2);              /* chain_cnt, ns(5): w 3, m 3, so 2 takes two bits */
    for (unsigned i = 0; i < 4; i++)
        put(b, 1, i % 2);      /* decode_target_protected_by, ns(2) */
    for (unsigned i = 0; i < 4 * 2; i++)
        put(b, 4, i);          /* template_chain_fdiff */
    put(b, 1, resolutions);
    if (resolutions) {
        put(b, 16, 639);
        put(b, 16, 359);
        put(b, 16, 1279);
        put(b, 16, 719);
    }
}

static void test_structure_teaches_the_layers(void **state)
{
    (void)state;
    struct dd_structure structure = {0};
    struct bits b = {0};
    put_mandatory(&b, true, false, 60, 0xABCD);
    put_l2t2(&b, 60, true);
    struct dd d;
    assert_true(dd_parse(&d, &structure, bytes(&b)));
    assert_true(d.start_of_frame);
    assert_false(d.end_of_frame);
    assert_int_equal(d.frame_number, 0xABCD);
    assert_true(d.has_structure && d.has_layer);
    assert_int_equal(d.spatial, 0);
    assert_int_equal(d.active_targets, 0xF);
    assert_int_equal(structure.template_count, 4);
    assert_int_equal(structure.target_count, 4);
    assert_int_equal(structure.spatial_count, 2);
    assert_int_equal(structure.temporal_count, 2);
    assert_true(structure.has_resolutions);
    assert_int_equal(structure.width[0], 640);
    assert_int_equal(structure.height[1], 720);

    static const struct { unsigned id; bool known; unsigned spatial, temporal; } cases[] = {
        {60, true, 0, 0}, {61, true, 0, 1}, {62, true, 1, 0}, {63, true, 1, 1}, {0, false, 0, 0}, {59, false, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bits s = {0};
        put_mandatory(&s, false, true, cases[i].id, 7);
        assert_true(dd_parse(&d, &structure, bytes(&s)));
        assert_true(d.end_of_frame);
        assert_int_equal(d.has_layer, cases[i].known);
        assert_int_equal(d.spatial, cases[i].spatial);
        assert_int_equal(d.temporal, cases[i].temporal);
    }
}

/* L2T2 as Chromium writes it: targets S0T0, S0T1, S1T0, S1T1; templates S0T0 (a keyframe's), S0T0, S0T1, S1T0, S1T1. */
static void put_real_l2t2(struct bits *b)
{
    static const char *const dtis[] = {"SSSS", "SSRR", "-D-R", "--SS", "---D"};
    put(b, 6, 10);
    put(b, 5, 3);
    put(b, 2, 0);              /* another of the same layer */
    put(b, 2, 1);
    put(b, 2, 2);
    put(b, 2, 1);
    put(b, 2, 3);
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < 4; k++)
            put(b, 2, dtis[i][k] == 'S' ? 2 : dtis[i][k] == 'R' ? 3 : dtis[i][k] == 'D' ? 1 : 0);
    for (unsigned i = 0; i < 5; i++)
        put(b, 1, 0);          /* fdiffs */
    put(b, 1, 0);              /* no chains: ns(5) = 0 takes two bits */
    put(b, 1, 0);
    put(b, 1, 0);              /* resolutions */
}

static void put_flags(struct bits *b, bool structure, bool active, bool own_dtis)
{
    put(b, 1, structure);
    put(b, 1, active);
    put(b, 1, own_dtis);
    put(b, 2, 0);
}

static void test_frames_say_what_can_be_decoded_from_them_on(void **state)
{
    (void)state;
    static const uint8_t targets[] = {0x00, 0x01, 0x10, 0x11};
    static const unsigned to[] = {3, 3, 0, 3, 0};
    struct dd_structure structure = {0};
    struct bits key = {0};
    struct dd d;
    put_mandatory(&key, true, false, 10, 1);
    put_flags(&key, true, false, false);
    put_real_l2t2(&key);
    assert_true(dd_parse(&d, &structure, bytes(&key)));
    assert_int_equal(d.switch_to, 3);
    assert_memory_equal(structure.target, targets, sizeof(targets));
    assert_int_equal(structure.active_spatial_count, 2);
    for (unsigned i = 0; i < ARRAY_COUNT(to); i++) {
        struct bits b = {0};
        put_mandatory(&b, true, true, 10 + i, 2);
        assert_true(dd_parse(&d, &structure, bytes(&b)));
        assert_int_equal(d.switch_to, to[i]);
    }
    /* This S0T1 may be begun with, says the frame itself. */
    struct bits own = {0};
    put_mandatory(&own, true, true, 12, 3);
    put_flags(&own, false, false, true);
    put(&own, 8, 0x27);        /* "-S" "DR" */
    assert_true(dd_parse(&d, &structure, bytes(&own)));
    assert_int_equal(d.switch_to, 2);
    own.at -= 8;
    assert_false(dd_parse(&d, &structure, VIEW(own.data, 4)));
}

static void test_layers_that_are_switched_off_are_known(void **state)
{
    (void)state;
    struct dd_structure structure = {0};
    struct bits key = {0}, less = {0}, plain = {0}, none = {0};
    struct dd d;
    put_mandatory(&key, true, false, 10, 1);
    put_flags(&key, true, true, false);
    put_real_l2t2(&key);
    put(&key, 4, 0x7);
    assert_true(dd_parse(&d, &structure, bytes(&key)));
    assert_int_equal(d.active_targets, 0x7);
    assert_int_equal(structure.active_spatial_count, 2);
    put_mandatory(&less, true, false, 11, 2);
    put_flags(&less, false, true, false);
    put(&less, 4, 0x3);
    assert_true(dd_parse(&d, &structure, bytes(&less)));
    assert_int_equal(structure.active_spatial_count, 1);
    put_mandatory(&plain, true, false, 11, 3);
    assert_true(dd_parse(&d, &structure, bytes(&plain)));
    assert_int_equal(structure.active_spatial_count, 1);    /* it holds until it is told anew */
    put_mandatory(&none, true, false, 11, 4);
    put_flags(&none, false, true, false);
    put(&none, 4, 0);
    assert_true(dd_parse(&d, &structure, bytes(&none)));
    assert_int_equal(structure.active_spatial_count, 0);
}

static void test_template_ids_wrap_at_64(void **state)
{
    (void)state;
    struct dd_structure structure = {0};
    struct bits b = {0};
    put_mandatory(&b, true, true, 1, 1);
    put_l2t2(&b, 62, false);
    struct dd d;
    assert_true(dd_parse(&d, &structure, bytes(&b)));
    assert_true(d.has_layer);                          /* 62, 63, 0, 1 */
    assert_int_equal(d.spatial, 1);
    assert_int_equal(d.temporal, 1);
}

static void test_without_a_structure_there_is_no_layer(void **state)
{
    (void)state;
    struct dd_structure structure = {0};
    const uint8_t three[] = {0xC0, 0, 1};
    struct dd d;
    assert_true(dd_parse(&d, &structure, VIEW(three, 3)));
    assert_false(d.has_layer);
    assert_false(dd_parse(&d, &structure, VIEW(three, 2)));
    assert_false(dd_parse(&d, &structure, VIEW(NULL, 0)));
}

static void test_active_targets_alone(void **state)
{
    (void)state;
    struct dd_structure structure = {0};
    struct bits b = {0};
    put_mandatory(&b, true, true, 0, 1);
    put_l2t2(&b, 0, false);
    struct dd d;
    assert_true(dd_parse(&d, &structure, bytes(&b)));
    struct bits s = {0};
    put_mandatory(&s, true, true, 2, 2);
    put(&s, 5, 0x08);          /* active_decode_targets_present_flag only */
    put(&s, 4, 0x3);
    assert_true(dd_parse(&d, &structure, bytes(&s)));
    assert_true(d.has_active_targets);
    assert_int_equal(d.active_targets, 3);
    struct dd_structure none = {0};
    assert_true(dd_parse(&d, &none, bytes(&s)));       /* nobody can say how many bits those are */
    assert_false(d.has_active_targets);
}

static void test_truncated_structure_changes_nothing(void **state)
{
    (void)state;
    struct dd_structure structure = {.known = true, .template_count = 1, .template_offset = 9, .target_count = 1};
    const struct dd_structure before = structure;
    struct bits b = {0};
    put_mandatory(&b, true, false, 0, 1);
    put_l2t2(&b, 0, true);
    for (size_t size = 0; size < bytes(&b).size; size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, b.data, size);
        struct dd d;
        bool fine = dd_parse(&d, &structure, VIEW(copy, size));
        assert_int_equal(fine, size == 3);             /* three bytes are a whole descriptor of the short kind */
        assert_memory_equal(&structure, &before, sizeof(before));
        free(copy);
    }
}

static void test_structures_beyond_the_limits(void **state)
{
    (void)state;
    struct dd_structure structure = {0};
    struct dd d;
    struct bits spatial = {0};
    put_mandatory(&spatial, true, false, 0, 1);
    put(&spatial, 5, 0x10);
    put(&spatial, 11, 0);
    for (unsigned i = 0; i < DD_SPATIAL_MAX; i++)
        put(&spatial, 2, 2);
    put(&spatial, 2, 3);
    spatial.at = sizeof(spatial.data) * 8;
    assert_false(dd_parse(&d, &structure, bytes(&spatial)));
    struct bits templates = {0};
    put_mandatory(&templates, true, false, 0, 1);
    put(&templates, 5, 0x10);
    put(&templates, 11, 0);
    templates.at = sizeof(templates.data) * 8;         /* next_layer_idc 0 for ever */
    assert_false(dd_parse(&d, &structure, bytes(&templates)));
    assert_false(structure.known);
}

static void test_random_bytes(void **state)
{
    (void)state;
    struct dd_structure structure = {0};
    uint64_t random = 9;
    for (unsigned round = 0; round < 50000; round++) {
        uint8_t data[64];
        for (size_t i = 0; i < sizeof(data); i++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            data[i] = (uint8_t)(random >> 40);
        }
        struct dd d;
        (void)dd_parse(&d, &structure, VIEW(data, round % 65));
        assert_true(structure.template_count <= DD_TEMPLATES_MAX && structure.spatial_count <= DD_SPATIAL_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure_teaches_the_layers),
        cmocka_unit_test(test_frames_say_what_can_be_decoded_from_them_on),
        cmocka_unit_test(test_layers_that_are_switched_off_are_known),
        cmocka_unit_test(test_template_ids_wrap_at_64),
        cmocka_unit_test(test_without_a_structure_there_is_no_layer),
        cmocka_unit_test(test_active_targets_alone),
        cmocka_unit_test(test_truncated_structure_changes_nothing),
        cmocka_unit_test(test_structures_beyond_the_limits),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
