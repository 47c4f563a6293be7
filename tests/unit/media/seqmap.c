/* One numbering made of another: continuous, each number used once, at any distance from the last step. */
#include "support/seams.h"

#include "base/rng.h"
#include "media/seqmap.h"

static void expect_map(struct seqmap *map, uint16_t in, uint16_t out)
{
    uint16_t got;
    assert_true(seqmap_get(map, in, &got));
    assert_int_equal(got, out);
}

static void expect_none(struct seqmap *map, uint16_t in)
{
    uint16_t got;
    assert_false(seqmap_get(map, in, &got));
}

static void test_numbers_go_on_where_they_were_told_to(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 1000, 7);
    assert_int_equal(map.out_last, 6);
    expect_map(&map, 1000, 7);
    expect_map(&map, 1002, 9);
    expect_map(&map, 1001, 8);                      /* a late one has its place */
    assert_int_equal(map.out_last, 9);
}

static void test_what_came_before_the_rebase_is_forgotten(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 1000, 7);
    expect_none(&map, 999);
    expect_map(&map, 1000, 7);
    expect_none(&map, 999);
    expect_none(&map, 60000);
    assert_int_equal(map.out_last, 7);
}

static void test_a_zeroed_map_knows_nothing(void **state)
{
    (void)state;
    struct seqmap map = {0};
    expect_none(&map, 0);
    expect_none(&map, 1);
    seqmap_drop(&map, 1);
    expect_none(&map, 2);
}

static void test_a_dropped_number_leaves_no_gap(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 10, 100);
    expect_map(&map, 10, 100);
    seqmap_drop(&map, 11);
    expect_map(&map, 12, 101);
    expect_none(&map, 11);                          /* it has no number, now or later */
    expect_map(&map, 10, 100);
}

static void test_a_run_of_drops_is_one_step(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 10, 100);
    expect_map(&map, 10, 100);
    for (uint16_t seq = 11; seq < 200; seq++)
        seqmap_drop(&map, seq);
    assert_int_equal(map.count, 2);
    expect_map(&map, 200, 101);
    for (uint16_t seq = 11; seq < 200; seq++)
        expect_none(&map, seq);
    expect_map(&map, 10, 100);
}

static void test_a_lost_number_keeps_its_place_across_a_drop(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 10, 100);
    expect_map(&map, 10, 100);
    seqmap_drop(&map, 12);                          /* 11 is lost on its way to us */
    expect_map(&map, 13, 102);
    expect_map(&map, 11, 101);                      /* and comes by RTX */
    expect_none(&map, 12);
}

static void test_a_late_drop_changes_nothing(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 10, 100);
    expect_map(&map, 10, 100);
    expect_map(&map, 12, 102);
    seqmap_drop(&map, 11);
    seqmap_drop(&map, 12);
    expect_map(&map, 13, 103);
}

static void test_both_numberings_wrap(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 65534, 65530);
    expect_map(&map, 65534, 65530);
    expect_map(&map, 65535, 65531);
    seqmap_drop(&map, 0);
    expect_map(&map, 1, 65532);
    expect_map(&map, 65535, 65531);
    for (uint16_t i = 2; i < 20; i++)
        expect_map(&map, i, (uint16_t)(65531 + i));
}

/* Ten minutes of audio are more than half the circle of numbers. */
static void test_a_step_holds_however_long_ago_it_was(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 500, 1);
    for (uint32_t i = 0; i < 300000; i++)
        expect_map(&map, (uint16_t)(500 + i), (uint16_t)(1 + i));
    uint16_t last = (uint16_t)(500 + 299999);
    expect_map(&map, (uint16_t)(last - 100), (uint16_t)(300000 - 100));
    seqmap_drop(&map, (uint16_t)(last + 1));
    for (uint32_t i = 0; i < 100000; i++)
        expect_map(&map, (uint16_t)(last + 2 + i), (uint16_t)(300001 + i));
}

static void test_a_step_that_is_far_behind_does_not_come_back(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 0, 0);
    uint16_t in = 0, out = 0;
    for (int round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 20000; i++, in++, out++)
            expect_map(&map, in, out);
        seqmap_drop(&map, in++);
    }
    assert_in_range(map.count, 1, 2);
}

static void test_a_leap_ahead_is_followed(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 0, 0);
    expect_map(&map, 0, 0);
    expect_map(&map, 30000, 30000);
    expect_map(&map, 60000, 60000);
    expect_map(&map, (uint16_t)90000, (uint16_t)90000);
    expect_none(&map, 60000);                       /* further back than anybody waits */
    expect_map(&map, (uint16_t)89000, (uint16_t)89000);
}

static void test_steps_beyond_the_limit_forget_the_oldest(void **state)
{
    (void)state;
    struct seqmap map;
    seqmap_rebase(&map, 0, 0);
    for (uint16_t i = 0; i < SEQMAP_STEPS + 10; i++) {
        expect_map(&map, (uint16_t)(2 * i), i);
        seqmap_drop(&map, (uint16_t)(2 * i + 1));
    }
    assert_int_equal(map.count, SEQMAP_STEPS);
    expect_none(&map, 0);
    expect_map(&map, 2 * (SEQMAP_STEPS + 10), SEQMAP_STEPS + 10);
    expect_map(&map, 2 * (SEQMAP_STEPS + 9), SEQMAP_STEPS + 9);
}

/* ---- against a model that remembers everything ---- */

#define MODEL 4096

struct model {
    uint64_t in_last, out_next;
    uint64_t at[MODEL];         /* in % MODEL: output + 1; 0: dropped, or not given yet */
    bool dropped[MODEL];
};

/* Numbers come in order but for some that are late; some are dropped. Whoever has a number keeps it. */
static void test_random_streams_agree_with_a_model(void **state)
{
    (void)state;
    static struct model m;
    for (uint32_t seed = 1; seed <= 30; seed++) {
        struct seqmap map;
        uint32_t random = seed;
        uint64_t in = 70000 + seed * 977, shift = 5;
        seqmap_rebase(&map, (uint16_t)in, (uint16_t)(in - shift));
        m = (struct model){.in_last = in - 1};
        for (int i = 0; i < 20000; i++) {
            random = random * 1664525u + 1013904223u;
            uint32_t dice = random >> 16;
            uint16_t got;
            if (dice % 16 == 0 && m.in_last > in + 100) {
                uint64_t late = m.in_last - dice / 16 % 60;
                if (m.dropped[late % MODEL] || !seqmap_get(&map, (uint16_t)late, &got))
                    continue;
                if (m.at[late % MODEL] != 0)
                    assert_int_equal(got, (uint16_t)(m.at[late % MODEL] - 1));
                m.at[late % MODEL] = (uint64_t)got + 1;
                continue;
            }
            uint64_t skipped = dice % 20 == 1 ? dice / 20 % 5 : 0;
            for (uint64_t k = m.in_last + 1; k <= m.in_last + skipped + 1; k++) {
                m.at[k % MODEL] = 0;
                m.dropped[k % MODEL] = false;
            }
            m.in_last += skipped + 1;
            if (dice % 4 == 2) {
                seqmap_drop(&map, (uint16_t)m.in_last);
                m.dropped[m.in_last % MODEL] = true;
                shift++;
                expect_none(&map, (uint16_t)m.in_last);
                continue;
            }
            expect_map(&map, (uint16_t)m.in_last, (uint16_t)(m.in_last - shift));
            m.at[m.in_last % MODEL] = (uint16_t)(m.in_last - shift) + 1u;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_go_on_where_they_were_told_to),
        cmocka_unit_test(test_what_came_before_the_rebase_is_forgotten),
        cmocka_unit_test(test_a_zeroed_map_knows_nothing),
        cmocka_unit_test(test_a_dropped_number_leaves_no_gap),
        cmocka_unit_test(test_a_run_of_drops_is_one_step),
        cmocka_unit_test(test_a_lost_number_keeps_its_place_across_a_drop),
        cmocka_unit_test(test_a_late_drop_changes_nothing),
        cmocka_unit_test(test_both_numberings_wrap),
        cmocka_unit_test(test_a_step_holds_however_long_ago_it_was),
        cmocka_unit_test(test_a_step_that_is_far_behind_does_not_come_back),
        cmocka_unit_test(test_a_leap_ahead_is_followed),
        cmocka_unit_test(test_steps_beyond_the_limit_forget_the_oldest),
        cmocka_unit_test(test_random_streams_agree_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
