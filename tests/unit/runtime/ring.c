/* runtime/ring: order, fullness, wrapping; and two threads that hammer each other (the TSan build watches). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "runtime/actor.h"
#include "runtime/ring.h"

static void test_a_ring_keeps_order_and_says_when_it_is_full(void **state)
{
    (void)state;
    struct ring ring;
    ring_init(&ring, 4);
    assert_null(ring_peek(&ring));
    for (uint32_t round = 0; round < 10; round++) {
        for (uint16_t i = 0; i < 4; i++)
            assert_true(ring_push(&ring, &(struct ring_cell){.type = i, .size = round}));
        assert_false(ring_push(&ring, &(struct ring_cell){0}));
        for (uint16_t i = 0; i < 4; i++) {
            struct ring_cell *cell = ring_peek(&ring);
            assert_non_null(cell);
            assert_int_equal(cell->type, i);
            assert_int_equal(cell->size, round);
            ring_pop(&ring);
        }
        assert_null(ring_peek(&ring));
    }
    ring_fini(&ring);
}

#define LANE_BYTES 16384u

static bool push_numbered(struct lane *lane, uint32_t number, size_t size)
{
    uint8_t body[RELAY_RECORD_MAX];
    memset(body, (int)(number & 0xFF), sizeof(body));
    return lane_push(lane, VIEW(&number, sizeof(number)), VIEW(body, size - sizeof(number)));
}

static void check_numbered(struct view record, uint32_t number, size_t size)
{
    uint32_t got;
    assert_int_equal(record.size, size);
    memcpy(&got, record.data, sizeof(got));
    assert_int_equal(got, number);
    for (size_t i = sizeof(got); i < size; i++)
        assert_int_equal(record.data[i], number & 0xFF);
}

static size_t some_size(uint32_t number)
{
    return sizeof(number) + number * 7919u % (RELAY_RECORD_MAX - sizeof(number) + 1);
}

static void test_a_lane_keeps_records_whole_over_its_end(void **state)
{
    (void)state;
    struct lane lane;
    struct view record;
    lane_init(&lane, LANE_BYTES);
    assert_false(lane_peek(&lane, &record));
    uint32_t pushed = 0, popped = 0;
    while (popped < 5000) {
        while (push_numbered(&lane, pushed, some_size(pushed)))
            pushed++;
        assert_true(pushed - popped >= LANE_BYTES / (RELAY_RECORD_MAX + 16) - 1);
        for (uint32_t i = pushed % 5 + 1; i > 0 && popped < pushed; i--) {
            assert_true(lane_peek(&lane, &record));
            assert_true((uintptr_t)record.data % 8 == 0);
            check_numbered(record, popped, some_size(popped));
            lane_pop(&lane);
            popped++;
        }
    }
    lane_fini(&lane);
}

static void test_an_empty_record_is_a_record(void **state)
{
    (void)state;
    struct lane lane;
    struct view record;
    lane_init(&lane, LANE_BYTES);
    assert_true(lane_push(&lane, VIEW(NULL, 0), VIEW(NULL, 0)));
    assert_false(lane_is_empty(&lane));
    assert_true(lane_peek(&lane, &record));
    assert_int_equal(record.size, 0);
    lane_pop(&lane);
    assert_true(lane_is_empty(&lane));
    lane_fini(&lane);
}

/* ---- two threads. The receiver sleeps whenever it finds nothing; a lost wake-up ends the test by its time-out. */

#define STRESS_MESSAGES 300000u

struct stress {
    struct ring ring;
    struct lane lane;
    struct doorbell bell;
    uint32_t records;
};

static void *produce(void *arg)
{
    struct stress *s = arg;
    for (uint32_t i = 0; i < STRESS_MESSAGES;) {
        struct ring_cell cell = {.type = (uint16_t)i, .size = i};
        memset(cell.bytes, (int)(i & 0xFF), sizeof(cell.bytes));
        bool pushed = ring_push(&s->ring, &cell);
        if (pushed && i % 3 == 0)
            s->records += push_numbered(&s->lane, i, 4 + i % 100);
        i += pushed;
        doorbell_fence();
        doorbell_ring(&s->bell);
        if (!pushed)
            sched_yield();
    }
    return NULL;
}

static bool nothing_to_read(struct stress *s)
{
    return ring_peek(&s->ring) == NULL && lane_is_empty(&s->lane);
}

static void sleep_for_more(struct stress *s, uint32_t *slept)
{
    doorbell_arm(&s->bell);
    if (nothing_to_read(s)) {
        struct pollfd p = {.fd = s->bell.fd, .events = POLLIN};
        (*slept)++;
        assert_int_equal(poll(&p, 1, 20000), 1);        /* 0: nobody rang */
    }
    doorbell_disarm(&s->bell);
    doorbell_drain(&s->bell);
}

static void test_two_threads_lose_neither_messages_nor_wakeups(void **state)
{
    (void)state;
    static struct stress s;
    ring_init(&s.ring, 64);
    lane_init(&s.lane, LANE_BYTES);
    assert_true(doorbell_open(&s.bell));
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, &s), 0);
    uint32_t next = 0, records = 0, slept = 0;
    struct view record;
    while (next < STRESS_MESSAGES) {
        for (struct ring_cell *cell; (cell = ring_peek(&s.ring)) != NULL; ring_pop(&s.ring), next++) {
            if (cell->size != next || cell->bytes[0] != (next & 0xFF) || cell->bytes[RING_INLINE_MAX - 1] != (next & 0xFF))
                fail_msg("message %u came as %u", next, cell->size);
        }
        for (; lane_peek(&s.lane, &record); lane_pop(&s.lane), records++) {
            uint32_t number;
            memcpy(&number, record.data, sizeof(number));
            check_numbered(record, number, 4 + number % 100);
        }
        if (next < STRESS_MESSAGES)
            sleep_for_more(&s, &slept);
    }
    pthread_join(producer, NULL);
    for (; lane_peek(&s.lane, &record); lane_pop(&s.lane))
        records++;
    assert_int_equal(records, s.records);
    assert_true(slept > 0);
    ring_fini(&s.ring);
    lane_fini(&s.lane);
    doorbell_close(&s.bell);
}

/* A stream heals a lost wake-up by its next message; a conversation does not. One side only spins, so that its next message
 * falls into the few nanoseconds in which the other says that it sleeps. Without the fence this fails in most runs. */

#define TALK_ROUNDS 200000u

struct talk {
    struct ring there;
    struct ring back;
    struct doorbell bell;
    _Atomic bool over;
};

static void *talk_spinning(void *arg)
{
    struct talk *talk = arg;
    for (uint32_t i = 0; i < TALK_ROUNDS && !talk->over; i++) {
        ring_push(&talk->there, &(struct ring_cell){.size = i});
        doorbell_fence();
        doorbell_ring(&talk->bell);
        uint32_t spins = 0;
        while (ring_peek(&talk->back) == NULL && !talk->over)
            if (++spins % 4096 == 0)
                sched_yield();
        if (!talk->over)
            ring_pop(&talk->back);
        for (volatile uint32_t pause = 0; pause < i % 64; pause++)
            ;
    }
    return NULL;
}

static void test_a_conversation_never_waits_for_a_lost_wakeup(void **state)
{
    (void)state;
    static struct talk talk;
    ring_init(&talk.there, 4);
    ring_init(&talk.back, 4);
    assert_true(doorbell_open(&talk.bell));
    pthread_t spinner;
    assert_int_equal(pthread_create(&spinner, NULL, talk_spinning, &talk), 0);
    bool lost = false;
    for (uint32_t i = 0; i < TALK_ROUNDS && !lost;) {
        doorbell_arm(&talk.bell);
        if (ring_peek(&talk.there) == NULL) {
            struct pollfd p = {.fd = talk.bell.fd, .events = POLLIN};
            lost = poll(&p, 1, 3000) == 0 && ring_peek(&talk.there) != NULL;
        }
        doorbell_disarm(&talk.bell);
        doorbell_drain(&talk.bell);
        if (ring_peek(&talk.there) != NULL) {
            ring_pop(&talk.there);
            ring_push(&talk.back, &(struct ring_cell){0});
            i++;
        }
    }
    talk.over = lost;
    pthread_join(spinner, NULL);
    assert_false(lost);
    ring_fini(&talk.there);
    ring_fini(&talk.back);
    doorbell_close(&talk.bell);
}

static void test_a_bell_rings_once_for_one_sleep(void **state)
{
    (void)state;
    struct doorbell bell;
    assert_true(doorbell_open(&bell));
    assert_false(doorbell_ring(&bell));         /* awake */
    doorbell_arm(&bell);
    assert_true(doorbell_ring(&bell));
    assert_false(doorbell_ring(&bell));
    struct pollfd p = {.fd = bell.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 1);
    doorbell_drain(&bell);
    assert_int_equal(poll(&p, 1, 0), 0);
    doorbell_close(&bell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ring_keeps_order_and_says_when_it_is_full),
        cmocka_unit_test(test_a_lane_keeps_records_whole_over_its_end),
        cmocka_unit_test(test_an_empty_record_is_a_record),
        cmocka_unit_test(test_two_threads_lose_neither_messages_nor_wakeups),
        cmocka_unit_test(test_a_conversation_never_waits_for_a_lost_wakeup),
        cmocka_unit_test(test_a_bell_rings_once_for_one_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
