/* The cap's ramp and its repetition (videoroom.md 14.3). */
#include "support/seams.h"

#include "proto/bwe/remb.h"

static void test_quarter_third_half_all_then_every_5_s(void **state)
{
    (void)state;
    struct remb_cap cap;
    remb_cap_init(&cap, 1200000);
    static const uint64_t ramp[] = {300000, 400000, 600000, 1200000};
    uint64_t bps;
    for (size_t i = 0; i < ARRAY_COUNT(ramp); i++) {
        assert_true(remb_cap_packet(&cap, MSEC(i), &bps));
        assert_int_equal(bps, ramp[i]);
    }
    assert_false(remb_cap_packet(&cap, MSEC(4), &bps));
    assert_false(remb_cap_packet(&cap, MSEC(3) + SEC(5) - 1, &bps));
    assert_true(remb_cap_packet(&cap, MSEC(3) + SEC(5), &bps));
    assert_int_equal(bps, 1200000);
    assert_false(remb_cap_packet(&cap, MSEC(4) + SEC(5), &bps));
}

static void test_no_cap_says_nothing(void **state)
{
    (void)state;
    struct remb_cap cap = {0};
    uint64_t bps;
    assert_false(remb_cap_packet(&cap, SEC(60), &bps));
    remb_cap_set(&cap, SEC(60), 500);
    assert_false(remb_cap_packet(&cap, SEC(61), &bps));        /* the caller has just said it */
    assert_true(remb_cap_packet(&cap, SEC(65), &bps));
    assert_int_equal(bps, 500);
    remb_cap_set(&cap, SEC(65), 0);
    assert_false(remb_cap_packet(&cap, SEC(99), &bps));
}

static void test_a_new_cap_cuts_the_ramp(void **state)
{
    (void)state;
    struct remb_cap cap;
    remb_cap_init(&cap, 1000);
    uint64_t bps;
    assert_true(remb_cap_packet(&cap, 0, &bps));
    remb_cap_set(&cap, MSEC(1), 2000);
    assert_false(remb_cap_packet(&cap, MSEC(2), &bps));
    assert_true(remb_cap_packet(&cap, MSEC(1) + SEC(5), &bps));
    assert_int_equal(bps, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quarter_third_half_all_then_every_5_s),
        cmocka_unit_test(test_no_cap_says_nothing),
        cmocka_unit_test(test_a_new_cap_cuts_the_ramp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
