#include "support/seams.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/outq.h"

static void test_bytes_leave_in_order_whatever_the_cuts(void **state)
{
    (void)state;
    for (size_t step = 1; step < 30; step++) {
        struct outq q = {0};
        char heard[64] = "";
        size_t at = 0;
        uint8_t *block = mem_get(5);
        memcpy(block, "block", 5);
        outq_add(&q, OUT_REPLY, STR("<"), STR("copied>"));
        outq_add(&q, OUT_EVENT, STR("H"), VIEW(NULL, 0));
        outq_add_block(&q, OUT_EVENT, STR("#"), VIEW(block, 5), block);
        outq_add_lasting(&q, OUT_REPLY, VIEW(NULL, 0), STR("lasting"));
        assert_int_equal(q.events, 2);
        assert_int_equal(q.event_bytes, 7);
        assert_int_equal(q.reply_bytes, 15);
        while (!outq_is_empty(&q)) {
            uint8_t some[64];
            struct view parts[OUTQ_PARTS];
            size_t size = outq_gather(&q, some, step);
            size_t count = outq_peek(&q, parts);
            assert_true(size > 0 && count > 0);
            assert_int_equal(parts[0].data[0], some[0]);
            memcpy(heard + at, some, size);
            at += size;
            assert_int_equal(outq_sent(&q, size), 0);
        }
        assert_string_equal(heard, "<copied>H#blocklasting");
        assert_int_equal(q.events + q.event_bytes + q.reply_bytes, 0);
        assert_int_equal(seam_mem_outstanding(), 0);
    }
}

static void test_a_credit_comes_free_with_what_it_was_tied_to(void **state)
{
    (void)state;
    struct outq q = {0};
    assert_false(outq_hold_credit(&q));
    outq_add(&q, OUT_REPLY, STR("h"), STR("one"));
    assert_true(outq_hold_credit(&q));
    assert_true(outq_hold_credit(&q));
    outq_add(&q, OUT_REPLY, STR("h"), STR("two"));
    assert_true(outq_hold_credit(&q));
    assert_int_equal(q.credits, 3);
    assert_int_equal(outq_sent(&q, 3), 0);
    assert_int_equal(outq_sent(&q, 2), 2);
    assert_int_equal(outq_sent(&q, 3), 1);
    assert_int_equal(q.credits, 0);
    assert_true(outq_is_empty(&q));
}

static void test_the_end_frees_everything(void **state)
{
    (void)state;
    struct outq q = {0};
    uint8_t *block = mem_get(1);
    outq_add_block(&q, OUT_EVENT, STR("#"), VIEW(block, 1), block);
    outq_add(&q, OUT_EVENT, STR("#"), STR("x"));
    outq_hold_credit(&q);
    outq_sent(&q, 1);
    outq_fini(&q);
    assert_true(outq_is_empty(&q));
    assert_int_equal(q.credits + q.events + q.event_bytes, 0);
    assert_int_equal(seam_mem_outstanding(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_leave_in_order_whatever_the_cuts),
        cmocka_unit_test(test_a_credit_comes_free_with_what_it_was_tied_to),
        cmocka_unit_test(test_the_end_frees_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
