/* Indexes and replay windows (RFC 3711 3.3.1, 3.3.2). */
#include "proto/seal/kit.h"

static void test_tx_never_gives_an_index_twice(void **state)
{
    (void)state;
    struct seal_tx_stream stream = {.ssrc = 1};
    struct kit_random r = {7};
    static uint8_t used[1 << 20];
    memset(used, 0, sizeof(used));
    uint32_t at = 100;
    unsigned given = 0;
    for (unsigned i = 0; i < 200000; i++) {
        at += kit_u32(&r) % 4;                                  /* some skipped, some asked for again */
        uint32_t wanted = at - kit_u32(&r) % 90;                /* and some late */
        uint64_t index;
        if (!seal_tx_index(&stream, (uint16_t)wanted, &index))
            continue;
        assert_int_equal(index, wanted);                        /* the roll-over counter follows */
        assert_int_equal(used[index], 0);
        used[index] = 1;
        given++;
    }
    assert_true(given > 50000);
    assert_true(stream.highest > 4 * 65536);
}

static void test_tx_refuses_what_is_older_than_its_window(void **state)
{
    (void)state;
    struct seal_tx_stream stream = {.ssrc = 1};
    uint64_t index;
    assert_true(seal_tx_index(&stream, 1000, &index));
    assert_false(seal_tx_index(&stream, 1000, &index));
    assert_true(seal_tx_index(&stream, 1000 + SEAL_TX_WINDOW, &index));
    assert_false(seal_tx_index(&stream, 1000, &index));
    assert_true(seal_tx_index(&stream, 1001, &index));          /* the oldest that it still knows */
    assert_false(seal_tx_index(&stream, 1001, &index));
    assert_true(seal_tx_index(&stream, 20000, &index));         /* a jump clears the window */
    assert_true(seal_tx_index(&stream, 20000 - SEAL_TX_WINDOW + 1, &index));
    assert_false(seal_tx_index(&stream, 20000 - SEAL_TX_WINDOW, &index));
}

static void test_tx_has_nothing_before_its_beginning(void **state)
{
    (void)state;
    struct seal_tx_stream stream = {.ssrc = 1};
    uint64_t index;
    assert_true(seal_tx_index(&stream, 1, &index));
    assert_true(seal_tx_index(&stream, 0, &index));
    assert_int_equal(index, 0);
    assert_false(seal_tx_index(&stream, 65535, &index));        /* would be index -1 */
    assert_true(seal_tx_index(&stream, 2, &index));
    assert_int_equal(index, 2);
}

static void test_tx_stops_when_the_indexes_are_spent(void **state)
{
    (void)state;
    struct seal_tx_stream stream = {.ssrc = 1, .started = true, .highest = (1ull << 48) - 2};
    uint64_t index;
    assert_true(seal_tx_index(&stream, 65535, &index));
    assert_int_equal(index, (1ull << 48) - 1);
    assert_false(seal_tx_index(&stream, 0, &index));
}

static void commit(struct seal_rx_stream *stream, uint16_t seq, uint64_t expected)
{
    uint64_t index;
    assert_true(seal_rx_guess(stream, seq, &index));
    assert_int_equal(index, expected);
    assert_true(seal_rx_commit(stream, index));
}

static void test_rx_counts_rollovers(void **state)
{
    (void)state;
    struct seal_rx_stream stream = {.ssrc = 1};
    commit(&stream, 65530, 65530);
    commit(&stream, 3, 65536 + 3);
    commit(&stream, 65534, 65534);                              /* late, from before the wrap */
    commit(&stream, 30000, 65536 + 30000);
    commit(&stream, 60000, 65536 + 60000);
    commit(&stream, 10, 2 * 65536 + 10);
}

static void test_rx_guess_at_exactly_half_a_circle(void **state)
{
    (void)state;
    uint64_t index;
    struct seal_rx_stream stream = {.ssrc = 1};
    commit(&stream, 100, 100);
    assert_true(seal_rx_guess(&stream, 100 + 32768, &index));   /* RFC 3711 3.3.1: not more than 2^15 ahead, so ROC stays */
    assert_int_equal(index, 100 + 32768);
    assert_true(seal_rx_guess(&stream, 100 + 32769, &index));   /* ROC 0 has no predecessor */
    assert_int_equal(index, 100 + 32769);
    stream.highest = 65536 + 100;
    assert_false(seal_rx_guess(&stream, 100 + 32769, &index));  /* ROC 0 then: far too old */
    stream.highest = 65536 + 40000;
    assert_false(seal_rx_guess(&stream, 40000 - 32768, &index));
    assert_true(seal_rx_guess(&stream, 40000 - 32769, &index));
    assert_int_equal(index, 2 * 65536 + 7231);
}

static void test_rx_refuses_replays_and_the_too_old(void **state)
{
    (void)state;
    struct seal_rx_stream stream = {.ssrc = 1};
    uint64_t index;
    commit(&stream, 1000, 1000);
    assert_false(seal_rx_guess(&stream, 1000, &index));
    commit(&stream, 1000 + SEAL_RX_WINDOW, 1000 + SEAL_RX_WINDOW);
    assert_false(seal_rx_guess(&stream, 1000, &index));
    commit(&stream, 1001, 1001);
    assert_false(seal_rx_guess(&stream, 1001, &index));
    assert_true(seal_rx_guess(&stream, 1002, &index));          /* a guess alone changes nothing */
    assert_true(seal_rx_guess(&stream, 1002, &index));
}

static void test_rx_twice_in_one_batch_is_caught_at_commit(void **state)
{
    (void)state;
    struct seal_rx_stream stream = {.ssrc = 1};
    uint64_t a;
    uint64_t b;
    assert_true(seal_rx_guess(&stream, 5, &a));
    assert_true(seal_rx_guess(&stream, 5, &b));
    assert_true(seal_rx_commit(&stream, a));
    assert_false(seal_rx_commit(&stream, b));
}

static void test_rx_against_a_plain_set(void **state)
{
    (void)state;
    struct seal_rx_stream stream = {.ssrc = 1};
    struct kit_random r = {11};
    static uint8_t seen[1 << 19];
    memset(seen, 0, sizeof(seen));
    uint32_t top = 0;
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t at = top + kit_u32(&r) % 8;
        uint32_t back = kit_u32(&r) % 2 == 0 ? kit_u32(&r) % 200 : 0;
        at = at > back ? at - back : 0;
        bool fresh = (at > top || top - at < SEAL_RX_WINDOW) && !seen[at];
        uint64_t index;
        bool accepted = seal_rx_guess(&stream, (uint16_t)at, &index);
        if (i == 0)
            fresh = true;
        assert_int_equal(accepted, fresh);
        if (!accepted)
            continue;
        assert_int_equal(index, at);
        assert_true(seal_rx_commit(&stream, index));
        seen[at] = 1;
        top = at > top ? at : top;
    }
    assert_true(top > 2 * 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tx_never_gives_an_index_twice),
        cmocka_unit_test(test_tx_refuses_what_is_older_than_its_window),
        cmocka_unit_test(test_tx_has_nothing_before_its_beginning),
        cmocka_unit_test(test_tx_stops_when_the_indexes_are_spent),
        cmocka_unit_test(test_rx_counts_rollovers),
        cmocka_unit_test(test_rx_guess_at_exactly_half_a_circle),
        cmocka_unit_test(test_rx_refuses_replays_and_the_too_old),
        cmocka_unit_test(test_rx_twice_in_one_batch_is_caught_at_commit),
        cmocka_unit_test(test_rx_against_a_plain_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
