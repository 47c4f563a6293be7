/* How large the pools may grow. */
#include "support/seams.h"

#include "settings/budget.h"

#define MB (UINT64_C(1) << 20)
#define GB (UINT64_C(1) << 30)

static const struct budget built = {.peers = 8192, .sources = 65536, .sinks = 131072, .mlines = 131072, .packets = 131072, .handshakes = 1024,
                                    .clients = 131072, .sessions = 131072, .handles = 131072, .source_names = 262144, .sink_names = 1048576,
                                    .partial_bytes = 128u << 20, .queued_bytes = 512u << 20};

static void test_with_enough_memory_nothing_is_taken_down(void **state)
{
    (void)state;
    struct budget b = built;
    assert_false(budget_fit(&b, 64 * GB, 2));
    assert_memory_equal(&b, &built, sizeof(b));
}

/* Whatever the limit and however many workers: all pools full at once fit, as long as the floors do. */
static void test_all_pools_full_fit(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 64; workers *= 2)
        for (uint64_t limit = 512 * MB; limit <= 256 * GB; limit += limit / 3) {
            struct budget b = built;
            const struct budget floor_of = {.peers = 16, .sources = 64, .sinks = 128, .mlines = 128, .packets = 1024, .handshakes = 16, .partial_bytes = 4u << 20, .queued_bytes = 8u << 20};
            budget_fit(&b, limit, workers);
            assert_true(budget_bytes(&b, workers) + BUDGET_BASE_BYTES <= limit / 8 * BUDGET_USED_OF_8 + 2 * budget_bytes(&floor_of, workers));
            assert_true(b.peers >= 16 && b.peers <= built.peers);
        }
}

static void test_a_small_one_still_serves(void **state)
{
    (void)state;
    for (uint64_t limit = 0; limit < 256 * MB; limit += 32 * MB) {
        struct budget b = built;
        assert_true(budget_fit(&b, limit, 2));
        assert_true(b.peers >= 16 && b.sessions >= 256 && b.queued_bytes >= 8u << 20);
    }
    struct budget b = {.peers = 4, .sources = 8, .sinks = 8, .mlines = 8, .packets = 100};
    assert_true(budget_fit(&b, 0, 1));
    assert_int_equal(b.peers, 4);               /* a floor never raises anything */
}

static void test_more_memory_never_means_less_room(void **state)
{
    (void)state;
    struct budget before = {0};
    for (uint64_t limit = 64 * MB; limit <= 32 * GB; limit += 97 * MB) {
        struct budget b = built;
        budget_fit(&b, limit, 4);
        assert_true(b.peers >= before.peers && b.sinks >= before.sinks && b.handles >= before.handles && b.queued_bytes >= before.queued_bytes);
        before = b;
    }
}

static void test_shortage_has_two_edges(void **state)
{
    (void)state;
    assert_false(budget_is_short(false, 84 * MB, 100 * MB));
    assert_true(budget_is_short(false, 85 * MB, 100 * MB));
    assert_true(budget_is_short(true, 81 * MB, 100 * MB));
    assert_false(budget_is_short(true, 79 * MB, 100 * MB));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_enough_memory_nothing_is_taken_down),
        cmocka_unit_test(test_all_pools_full_fit),
        cmocka_unit_test(test_a_small_one_still_serves),
        cmocka_unit_test(test_more_memory_never_means_less_room),
        cmocka_unit_test(test_shortage_has_two_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
