/* When which loss is asked for (webrtc.md 11). */
#include "support/seams.h"

#include <string.h>

#include "proto/rtcp/nack.h"

#define NOTHING ((const uint16_t[]){0}), 0

static void assert_asked(struct nack_gen *nack, usec_t now, const uint16_t *expected, size_t count)
{
    uint16_t seqs[NACK_WINDOW];
    assert_int_equal(nack_poll(nack, now, seqs, NACK_WINDOW), count);
    if (count > 0)
        assert_memory_equal(seqs, expected, count * sizeof(expected[0]));
}

static void feed(struct nack_gen *nack, usec_t now, uint16_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(nack_input(nack, now, (uint16_t)(first + i), false), NACK_SEEN_NEW);
}

static void test_it_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct nack_gen) <= 200);
}

static void test_a_loss_is_asked_for_after_12_ms_and_again_after_155(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, MSEC(1000), 10, 2);
    feed(&nack, MSEC(1010), 13, 1);                    /* 12 is missing */
    assert_int_equal(nack_deadline(&nack, MSEC(1010)), MSEC(1022));
    assert_asked(&nack, MSEC(1010), NOTHING);
    assert_asked(&nack, MSEC(1022) - 1, NOTHING);
    assert_asked(&nack, MSEC(1022), (const uint16_t[]){12}, 1);
    assert_asked(&nack, MSEC(1022), NOTHING);
    assert_int_equal(nack_deadline(&nack, MSEC(1022)), MSEC(1165));
    assert_asked(&nack, MSEC(1165) - 1, NOTHING);
    assert_asked(&nack, MSEC(1165), (const uint16_t[]){12}, 1);
    assert_int_equal(nack_deadline(&nack, MSEC(1165)), USEC_NEVER);
    assert_asked(&nack, SEC(3), NOTHING);
    assert_int_equal(nack.asked_total, 2);
}

static void test_nothing_is_asked_once_it_has_come(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, 0, 65533, 1);
    feed(&nack, 0, 2, 1);                              /* 65534, 65535, 0, 1 are missing */
    assert_int_equal(nack_input(&nack, MSEC(5), 0, false), NACK_SEEN_RECOVERED);
    assert_int_equal(nack_input(&nack, MSEC(5), 0, false), NACK_SEEN_OLD);
    assert_asked(&nack, MSEC(12), (const uint16_t[]){65534, 65535, 1}, 3);
    assert_int_equal(nack_input(&nack, MSEC(20), 65534, false), NACK_SEEN_RECOVERED);
    assert_int_equal(nack_input(&nack, MSEC(20), 1, false), NACK_SEEN_RECOVERED);
    assert_asked(&nack, MSEC(200), (const uint16_t[]){65535}, 1);
    assert_int_equal(nack_input(&nack, MSEC(201), 65535, false), NACK_SEEN_RECOVERED);
    assert_int_equal(nack.count, 0);
    assert_int_equal(nack_input(&nack, MSEC(201), 2, false), NACK_SEEN_OLD);
}

/* The deadline asks where the reference, woken by arrivals only, would wait for the next frame. */
static void test_a_pause_does_not_keep_the_ask_back(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, MSEC(100), 1, 3);
    feed(&nack, MSEC(100), 6, 1);
    usec_t at = nack_deadline(&nack, MSEC(100));
    assert_int_equal(at, MSEC(112));
    assert_asked(&nack, at, (const uint16_t[]){4, 5}, 2);
}

static void test_a_late_first_ask_keeps_its_distance_from_the_second(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, 0, 1, 1);
    feed(&nack, 0, 3, 1);
    assert_asked(&nack, MSEC(500), (const uint16_t[]){2}, 1);  /* nobody polled before */
    assert_asked(&nack, MSEC(500), NOTHING);
    assert_int_equal(nack_deadline(&nack, MSEC(500)), MSEC(643));
    assert_asked(&nack, MSEC(643), (const uint16_t[]){2}, 1);
}

static void test_a_newer_keyframe_clears_the_list(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, 0, 1, 1);
    feed(&nack, 0, 5, 1);
    assert_int_equal(nack_input(&nack, 0, 3, true), NACK_SEEN_RECOVERED);      /* an older one clears nothing */
    assert_int_equal(nack.count, 2);
    assert_int_equal(nack_input(&nack, MSEC(1), 9, true), NACK_SEEN_NEW);
    assert_int_equal(nack.count, 0);
    assert_int_equal(nack_deadline(&nack, MSEC(1)), USEC_NEVER);
    feed(&nack, MSEC(2), 11, 1);                       /* a loss after it counts again */
    assert_asked(&nack, MSEC(14), (const uint16_t[]){10}, 1);
}

static void test_jumps_restart(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, 0, 100, 1);
    assert_int_equal(nack_input(&nack, 0, 100 + NACK_WINDOW, false), NACK_SEEN_NEW);
    uint16_t seqs[NACK_WINDOW];
    assert_int_equal(nack_poll(&nack, MSEC(12), seqs, NACK_WINDOW), NACK_WINDOW - 1);
    assert_int_equal(nack_input(&nack, 0, 100 + 2 * NACK_WINDOW + 1, false), NACK_SEEN_RESTART);
    assert_int_equal(nack.count, 0);
    feed(&nack, 0, 100 + 2 * NACK_WINDOW + 2, 1);
    assert_int_equal(nack_input(&nack, 0, (uint16_t)(102 + 2 * NACK_WINDOW - 1000), false), NACK_SEEN_OLD);
    assert_int_equal(nack_input(&nack, 0, (uint16_t)(102 + 2 * NACK_WINDOW - 1001), false), NACK_SEEN_RESTART);
    assert_asked(&nack, SEC(1), NOTHING);
}

static void test_what_left_the_window_is_not_asked_for(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, 0, 0, 1);
    feed(&nack, 0, 2, NACK_WINDOW);                    /* newest is 161: 1 is 160 behind */
    assert_true(nack_deadline(&nack, 0) == MSEC(12));
    feed(&nack, 0, 2 + NACK_WINDOW, 1);
    assert_int_equal(nack_deadline(&nack, 0), USEC_NEVER);
    assert_asked(&nack, MSEC(50), NOTHING);
}

/* Retransmissions are taken for what was asked for and has not come, for 5 s; nothing else (webrtc.md 10, item 4). */
static void test_wanted_is_what_was_asked_for(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, SEC(10), 1, 1);
    feed(&nack, SEC(10), 4, 1);
    assert_false(nack_is_wanted(&nack, SEC(10), 2));
    assert_asked(&nack, SEC(10) + MSEC(12), (const uint16_t[]){2, 3}, 2);
    assert_true(nack_is_wanted(&nack, SEC(11), 2));
    assert_false(nack_is_wanted(&nack, SEC(11), 1));
    assert_false(nack_is_wanted(&nack, SEC(11), 4));
    assert_false(nack_is_wanted(&nack, SEC(11), 5));
    assert_int_equal(nack_input(&nack, SEC(11), 2, false), NACK_SEEN_RECOVERED);
    assert_false(nack_is_wanted(&nack, SEC(11), 2));
    assert_true(nack_is_wanted(&nack, SEC(15), 3));
    assert_false(nack_is_wanted(&nack, SEC(15) + MSEC(1), 3));
    feed(&nack, SEC(16), 5, 1);
    assert_int_equal(nack.count, 0);                   /* and forgotten */
}

/* Still wanted when far more than the window has passed: a fast stream with a long round trip. */
static void test_wanted_outlives_the_window(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    feed(&nack, 0, 1, 1);
    feed(&nack, 0, 3, 1);
    assert_asked(&nack, MSEC(12), (const uint16_t[]){2}, 1);
    feed(&nack, MSEC(20), 4, 500);
    assert_true(nack_is_wanted(&nack, MSEC(200), 2));
    assert_int_equal(nack_input(&nack, MSEC(200), 2, false), NACK_SEEN_RECOVERED);
}

static void test_a_full_list_gives_up_the_most_asked_then_the_oldest(void **state)
{
    (void)state;
    struct nack_gen nack;
    nack_init(&nack);
    for (unsigned i = 0; i <= NACK_RUNS_MAX; i++)      /* every second one is lost */
        feed(&nack, MSEC(i), (uint16_t)(2 * i), 1);
    assert_int_equal(nack.count, NACK_RUNS_MAX);
    assert_int_equal(nack.dropped, 0);
    feed(&nack, MSEC(30), 2 * NACK_RUNS_MAX + 2, 1);
    assert_int_equal(nack.count, NACK_RUNS_MAX);
    assert_int_equal(nack.dropped, 1);
    uint16_t seqs[NACK_WINDOW];
    assert_true(nack_poll(&nack, MSEC(30), seqs, NACK_WINDOW) > 0);
    assert_int_equal(seqs[0], 3);                      /* 1 was given up */
    assert_int_equal(nack_poll(&nack, MSEC(60), seqs, NACK_WINDOW), 3);        /* found at 19, 20 and 30 */
    assert_int_equal(nack_poll(&nack, MSEC(300), seqs, NACK_WINDOW), NACK_RUNS_MAX);
    feed(&nack, MSEC(301), 2 * NACK_RUNS_MAX + 4, 1);
    assert_int_equal(nack.dropped, 1);                 /* one that had been asked for twice went */
}

/* Against a plain table: never asks for what has come, asks at most twice, and for every single loss that it can. */
static void test_against_a_plain_table(void **state)
{
    (void)state;
    static uint8_t arrived[65536];
    static uint8_t asked[65536];
    memset(arrived, 0, sizeof(arrived));
    memset(asked, 0, sizeof(asked));
    struct nack_gen nack;
    nack_init(&nack);
    uint64_t random = 3;
    unsigned lost = 0;
    unsigned asked_once = 0;
    for (unsigned seq = 0; seq < 40000; seq++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        usec_t now = (usec_t)seq * 3000;
        unsigned dice = (unsigned)(random >> 33);
        if (seq > 0 && dice % 25 == 0) {
            lost++;
        } else {
            arrived[seq] = 1;
            (void)nack_input(&nack, now, (uint16_t)seq, false);
        }
        unsigned back = seq - 1 - dice / 250 % 30;
        if (dice / 25 % 10 == 0 && seq > 30 && back < nack.newest) {       /* one of the recent losses comes back */
            enum nack_seen seen = nack_input(&nack, now, (uint16_t)back, false);
            assert_int_equal(seen, arrived[back] ? NACK_SEEN_OLD : NACK_SEEN_RECOVERED);
            arrived[back] = 1;
        }
        uint16_t seqs[NACK_WINDOW];
        size_t count = nack_poll(&nack, now, seqs, NACK_WINDOW);
        for (size_t i = 0; i < count; i++) {
            assert_false(arrived[seqs[i]]);
            assert_true(++asked[seqs[i]] <= 2);
            asked_once += asked[seqs[i]] == 1;
        }
    }
    assert_int_equal(nack.dropped, 0);
    assert_true(lost > 1000);
    assert_true(asked_once > lost * 8 / 10);           /* the rest came back before 12 ms were over */
    for (unsigned seq = 0; seq < 39000; seq++)
        assert_true(arrived[seq] || asked[seq] == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_small),
        cmocka_unit_test(test_a_loss_is_asked_for_after_12_ms_and_again_after_155),
        cmocka_unit_test(test_nothing_is_asked_once_it_has_come),
        cmocka_unit_test(test_a_pause_does_not_keep_the_ask_back),
        cmocka_unit_test(test_a_late_first_ask_keeps_its_distance_from_the_second),
        cmocka_unit_test(test_a_newer_keyframe_clears_the_list),
        cmocka_unit_test(test_jumps_restart),
        cmocka_unit_test(test_what_left_the_window_is_not_asked_for),
        cmocka_unit_test(test_wanted_is_what_was_asked_for),
        cmocka_unit_test(test_wanted_outlives_the_window),
        cmocka_unit_test(test_a_full_list_gives_up_the_most_asked_then_the_oldest),
        cmocka_unit_test(test_against_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
