/* runtime/actor: two or three real threads that talk, overflow, watch descriptors and stop. Runs under TSan too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "base/str.h"
#include "runtime/actor.h"
#include "runtime/clock.h"
#include "runtime/log.h"

enum { PING = 1, PONG, TEXT, BLOCK, COUNT, WITH_OP, SLOW, VERY_SLOW, AGAIN };

#define WORKER ACTOR_WORKER_0
#define OTHER  (ACTOR_WORKER_0 + 1)
#define MANY   50000u

/* The main actor of a test: plays a script in on_message and on_turn, and ends when `done`. */
struct director {
    struct actor *actor;
    struct actors *set;
    void (*begin)(struct director *d);
    void (*hear)(struct director *d, const struct message *m);
    uint32_t heard;
    uint32_t to_stop;           /* actors that have not said ACTOR_STOPPED yet */
    usec_t started;
    usec_t deadline;
    bool fine;
};

/* The other side. */
struct player {
    struct actor *actor;
    uint32_t got;
    uint32_t relayed;
    uint32_t turns;
    uint32_t stops;
    uint32_t wrong;
    usec_t deadline;
    uint64_t token;
    int fd;
};

static void director_start(void *owner, usec_t now)
{
    struct director *d = owner;
    d->started = now;
    d->begin(d);
}

static void director_message(void *owner, usec_t now, const struct message *m)
{
    struct director *d = owner;
    (void)now;
    if (m->type != ACTOR_STOPPED) {
        d->heard++;
        d->hear(d, m);
        return;
    }
    actor_join(actors_get(d->set, m->from));
    if (--d->to_stop == 0)
        actor_stop(d->actor);
}

static usec_t director_deadline(void *owner)
{
    return ((struct director *)owner)->deadline;
}

static const struct actor_ops director_ops = {.on_start = director_start, .on_message = director_message, .deadline = director_deadline};

static void player_message(void *owner, usec_t now, const struct message *m)
{
    struct player *p = owner;
    (void)now;
    p->got++;
    if (m->type == PING)
        actor_send(p->actor, m->from, PONG, m->payload, m->size);
    else if (m->type == COUNT)
        p->wrong += memcmp(m->payload, &(uint32_t){p->got - 1}, sizeof(uint32_t)) != 0;
    else if (m->type == WITH_OP)
        actor_send_op(p->actor, m->from, PONG, m->op, NULL, 0);
    else if (m->type == TEXT || m->type == BLOCK)
        actor_send_block(p->actor, m->from, m->type, m->op, message_take(m), m->size);
    else if (m->type == SLOW)
        usleep(3000);
    else if (m->type == VERY_SLOW)
        usleep((useconds_t)(TURN_LONG_US + MSEC(5)));
    else if (m->type == AGAIN && p->got < MANY)
        actor_send(p->actor, actor_self(p->actor), AGAIN, NULL, 0);
}

static void player_relay(void *owner, usec_t now, actor_id from, struct view record)
{
    struct player *p = owner;
    (void)now;
    (void)from;
    p->wrong += record.size != 1204 || memcmp(record.data, &(uint32_t){p->relayed}, sizeof(uint32_t)) != 0;
    p->relayed++;
}

static void player_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct player *p = owner;
    (void)now;
    uint64_t count;
    p->token = token;
    p->wrong += events != EPOLLIN || read(p->fd, &count, sizeof(count)) != (ssize_t)sizeof(count);
    actor_unwatch(p->actor, p->fd);
    actor_send(p->actor, ACTOR_MAIN, PONG, NULL, 0);
}

static void player_turn(void *owner, usec_t now)
{
    struct player *p = owner;
    p->turns++;
    if (p->deadline != 0 && now >= p->deadline) {
        p->deadline = 0;
        actor_send(p->actor, ACTOR_MAIN, PONG, &now, sizeof(now));
    }
}

static usec_t player_deadline(void *owner)
{
    struct player *p = owner;
    return p->deadline != 0 ? p->deadline : USEC_NEVER;
}

static void player_stop(void *owner, usec_t now)
{
    struct player *p = owner;
    (void)now;
    p->stops++;
    actor_stop(p->actor);
}

static const char *player_type_name(uint16_t type)
{
    return type == VERY_SLOW ? "VERY_SLOW" : "ANOTHER";
}

static void player_measure(void *owner, usec_t now, struct metrics *out)
{
    struct player *p = owner;
    (void)now;
    metrics_add(out, METRIC_SESSIONS, NULL, NULL, p->got);
}

static const struct actor_ops player_ops = {.on_message = player_message, .on_relay = player_relay, .on_ready = player_ready,
    .on_turn = player_turn, .deadline = player_deadline, .on_stop = player_stop, .type_name = player_type_name, .measure = player_measure};

struct stage {
    struct actors *set;
    struct director director;
    struct player player;
    struct player other;
};

static void stage_open_in(struct stage *s, struct actors *set)
{
    memset(s, 0, sizeof(*s));
    s->set = set;
    s->director = (struct director){.set = s->set, .actor = actor_new(s->set, ACTOR_MAIN, "main"), .to_stop = 2, .deadline = USEC_NEVER};
    s->player = (struct player){.actor = actor_new(s->set, WORKER, "worker 0"), .fd = -1};
    s->other = (struct player){.actor = actor_new(s->set, OTHER, "worker 1"), .fd = -1};
    assert_non_null(s->director.actor);
    actor_serve(s->director.actor, &director_ops, &s->director);
    actor_serve(s->player.actor, &player_ops, &s->player);
    actor_serve(s->other.actor, &player_ops, &s->other);
    actors_lane(s->set, ACTOR_MAIN, WORKER, LANE_RELAY_BYTES);
    actors_wire(s->set);
}

static void stage_open(struct stage *s)
{
    stage_open_in(s, actors_new());
}

static void stage_play(struct stage *s, void (*begin)(struct director *), void (*hear)(struct director *, const struct message *))
{
    s->director.begin = begin;
    s->director.hear = hear;
    assert_true(actor_start(s->player.actor));
    assert_true(actor_start(s->other.actor));
    actor_run(s->director.actor);
    assert_int_equal(s->player.stops, 1);
    assert_int_equal(s->player.wrong, 0);
    assert_null(actor_current());
}

static void end(struct director *d)
{
    actor_ask_stop(d->actor, WORKER);
    actor_ask_stop(d->actor, OTHER);
}

/* ---- ping-pong */

#define ROUNDS 20000u

static void begin_ping(struct director *d)
{
    actor_send(d->actor, WORKER, PING, &(uint32_t){0}, sizeof(uint32_t));
}

static void hear_pong(struct director *d, const struct message *m)
{
    uint32_t number;
    memcpy(&number, m->payload, sizeof(number));
    d->fine = m->from == WORKER && m->type == PONG && m->size == sizeof(number) && number == d->heard - 1;
    if (!d->fine || d->heard == ROUNDS)
        end(d);
    else
        actor_send(d->actor, WORKER, PING, &d->heard, sizeof(d->heard));
}

static void test_two_actors_answer_each_other(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    stage_play(&s, begin_ping, hear_pong);
    assert_true(s.director.fine);
    assert_int_equal(s.director.heard, ROUNDS);
    assert_int_equal(s.player.got, ROUNDS);
    assert_int_equal(s.other.got, 0);
    actors_free(s.set);
}

/* ---- more than a ring holds */

static void begin_many(struct director *d)
{
    for (uint32_t i = 0; i < MANY; i++)
        actor_send(d->actor, WORKER, COUNT, &i, sizeof(i));
    end(d);
}

static void hear_nothing(struct director *d, const struct message *m)
{
    (void)m;
    d->fine = false;
}

static void test_what_overflows_a_ring_arrives_later_and_in_order(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    stage_play(&s, begin_many, hear_nothing);
    assert_int_equal(s.player.got, MANY);       /* and on_stop came after all of them */
    const struct actor_counters *c = actor_counters(s.director.actor);
    assert_true(c->spilled > 0);
    assert_int_equal(c->spill_now, 0);
    assert_true(c->spill_max > 0 && c->spill_max <= c->spilled);
    actors_free(s.set);
}

/* ---- a stop under load */

static void begin_flood(struct director *d)
{
    actor_send(d->actor, WORKER, AGAIN, NULL, 0);
    for (uint32_t i = 0; i < 2000; i++)
        actor_send(d->actor, WORKER, WITH_OP, NULL, 0);
    end(d);
}

static void hear_answer(struct director *d, const struct message *m)
{
    d->fine = m->type == PONG;
}

/* An actor that finds something to read at the end of every turn stops all the same, after what was sent before. */
static void test_a_flood_does_not_hold_up_the_stop(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    stage_play(&s, begin_flood, hear_answer);
    assert_int_equal(s.director.heard, 2000);
    assert_true(s.player.got > 2000);           /* how much of the flood came in between is the scheduler's business */
    actors_free(s.set);
}

/* ---- payloads of every size, blocks, ops */

static const struct ref some_op = {7, 9};

static void begin_payloads(struct director *d)
{
    static char text[10000];
    memset(text, 'x', sizeof(text));
    actor_send(d->actor, WORKER, TEXT, NULL, 0);
    actor_send(d->actor, WORKER, TEXT, text, MESSAGE_INLINE_MAX);
    actor_send(d->actor, WORKER, TEXT, text, MESSAGE_INLINE_MAX + 1);
    actor_send_parts(d->actor, WORKER, TEXT, REF_NONE, VIEW(text, 20), VIEW(text, sizeof(text)));
    char *block = mem_get(sizeof(text));
    memcpy(block, text, sizeof(text));
    actor_send_block(d->actor, WORKER, BLOCK, some_op, block, sizeof(text));
    actor_send_op(d->actor, WORKER, WITH_OP, some_op, NULL, 0);
}

static void hear_payloads(struct director *d, const struct message *m)
{
    static const size_t sizes[] = {0, 48, 49, 10020, 10000, 0};
    static const uint16_t types[] = {TEXT, TEXT, TEXT, TEXT, BLOCK, PONG};
    uint32_t n = d->heard - 1;
    bool right = n < ARRAY_COUNT(sizes) && m->size == sizes[n] && m->type == types[n] && ref_equal(m->op, n < 4 ? REF_NONE : some_op);
    for (size_t i = 0; right && i < m->size; i++)
        right = ((const char *)m->payload)[i] == 'x';
    d->fine = right && (n == 0 || d->fine);
    if (!d->fine || n == 5)
        end(d);
}

static void test_payloads_move_inline_and_as_blocks(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    stage_play(&s, begin_payloads, hear_payloads);
    assert_true(s.director.fine);
    actors_free(s.set);
}

/* ---- relay lane */

static void test_a_full_lane_drops_and_counts(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    uint8_t body[1200] = {0};
    uint32_t n = 0;
    /* The reader has not started yet, or the lane would never be full. */
    while (relay_push(s.director.actor, WORKER, VIEW(&n, sizeof(n)), VIEW(body, sizeof(body))))
        n++;
    assert_int_equal(n, LANE_RELAY_BYTES / 1216);               /* 8 + 4 + 1,200, aligned */
    assert_false(relay_push(s.director.actor, OTHER, VIEW(&n, sizeof(n)), VIEW(body, sizeof(body))));     /* no lane there */
    assert_int_equal(actor_counters(s.director.actor)->relay_dropped, 2);
    stage_play(&s, end, hear_nothing);
    assert_int_equal(s.player.relayed, n);
    actors_free(s.set);
}

/* ---- descriptors */

static void begin_watch(struct director *d)
{
    (void)d;
}

static void hear_end(struct director *d, const struct message *m)
{
    d->fine = m->type == PONG && m->from == WORKER;
    if (m->size == sizeof(usec_t)) {
        usec_t at;
        memcpy(&at, m->payload, sizeof(at));
        d->deadline = USEC_NEVER;
        d->started = at;
    }
    end(d);
}

static void test_a_ready_descriptor_is_reported_with_its_token(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    s.player.fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_true(actor_watch(s.player.actor, s.player.fd, EPOLLIN, 1));
    assert_true(actor_watch(s.player.actor, s.player.fd, EPOLLIN, 0xFFFFFFFF00000001u));     /* changes the token */
    stage_play(&s, begin_watch, hear_end);
    assert_true(s.director.fine);
    assert_true(s.player.token == 0xFFFFFFFF00000001u);
    actor_unwatch(s.player.actor, s.player.fd);         /* harmless when not watched */
    close(s.player.fd);
    assert_false(actor_watch(s.player.actor, s.player.fd, EPOLLIN, 1));
    actors_free(s.set);
}

static void test_an_idle_actor_wakes_at_its_deadline_and_not_before(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    usec_t at = clock_now() + MSEC(60);
    s.player.deadline = at;
    stage_play(&s, begin_watch, hear_end);
    assert_true(s.director.fine);
    assert_true(s.director.started >= at);
    assert_true(s.player.turns < 10);                   /* it slept, it did not spin */
    actors_free(s.set);
}

/* ---- measuring */

static void begin_measure(struct director *d)
{
    actor_send(d->actor, WORKER, PING, NULL, 0);
    actor_ask_measure(d->actor, WORKER, (struct ref){7, 9});
    actor_ask_measure(d->actor, ACTOR_EVENTS, REF_NONE);       /* nobody: no answer */
}

static void hear_measure(struct director *d, const struct message *m)
{
    const struct metrics *answer = m->payload;
    uint64_t value;
    if (m->type != ACTOR_MEASURED)
        return;
    d->fine = m->from == WORKER && m->size == sizeof(*answer) && ref_equal(m->op, (struct ref){7, 9});
    d->fine = d->fine && metrics_get(answer, METRIC_SESSIONS, &value) && value == 1;            /* what its owner counts */
    d->fine = d->fine && metrics_get(answer, METRIC_ACTOR_MESSAGES, &value) && value == 2;      /* and what the actor does */
    d->fine = d->fine && answer->times_count == 1 && answer->times[0].metric == METRIC_ACTOR_TURN;
    end(d);
}

static void test_an_actor_tells_what_it_and_its_owner_have_counted(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    stage_play(&s, begin_measure, hear_measure);
    assert_true(s.director.fine);
    assert_true(histogram_count(&actor_counters(s.player.actor)->turn_us) == actor_counters(s.player.actor)->turns);
    actors_free(s.set);
}

/* ---- the rest */

static void begin_long_turn(struct director *d)
{
    actor_send(d->actor, WORKER, SLOW, NULL, 0);
    actor_send(d->actor, ACTOR_EVENTS, PING, NULL, 0);          /* nobody */
    actor_send_block(d->actor, 255, PING, REF_NONE, mem_get(100), 100);
    end(d);
}

static void test_long_turns_and_messages_to_nobody_are_counted(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    stage_play(&s, begin_long_turn, hear_nothing);
    assert_int_equal(actor_counters(s.director.actor)->sent_to_nobody, 2);
    assert_int_equal(actor_counters(s.player.actor)->long_turns, 1);
    assert_true(actor_counters(s.player.actor)->longest_turn_us >= MSEC(3));
    actors_free(s.set);
}

/* What was logged, once all others have ended: the log's actor runs on the test's own thread. */
struct listener {
    struct actor *actor;
    uint32_t warnings;
    char last[LOG_LINE_MAX + 1];
};

static void listener_relay(void *owner, usec_t now, actor_id from, struct view record)
{
    struct listener *l = owner;
    struct log_record head;
    (void)now;
    (void)from;
    memcpy(&head, record.data, sizeof(head));
    if (head.level != LOG_LEVEL_WARN)
        return;
    l->warnings++;
    snprintf(l->last, sizeof(l->last), "%.*s", (int)(record.size - sizeof(head)), (const char *)record.data + sizeof(head));
}

static void listener_turn(void *owner, usec_t now)
{
    struct listener *l = owner;
    (void)now;
    actor_stop(l->actor);
}

static usec_t listener_deadline(void *owner)
{
    (void)owner;
    return 0;
}

static void listener_message(void *owner, usec_t now, const struct message *m)
{
    (void)owner;
    (void)now;
    (void)m;
}

static void begin_very_long_turns(struct director *d)
{
    for (int i = 0; i < 3; i++)
        actor_send(d->actor, WORKER, VERY_SLOW, NULL, 0);
    end(d);
}

/* Once in a while, and with the name of the message that took the longest. */
static void test_a_very_long_turn_is_warned_about(void **state)
{
    (void)state;
    static const struct actor_ops ops = {.on_message = listener_message, .on_relay = listener_relay, .on_turn = listener_turn, .deadline = listener_deadline};
    struct stage s;
    struct actors *set = actors_new();
    struct listener listener = {.actor = actor_new(set, ACTOR_LOG, "log")};
    actor_serve(listener.actor, &ops, &listener);
    stage_open_in(&s, set);
    stage_play(&s, begin_very_long_turns, hear_nothing);
    assert_true(actor_counters(s.player.actor)->long_turns >= 1);
    actor_run(listener.actor);
    assert_int_equal(listener.warnings, 1);
    assert_non_null(strstr(listener.last, "its longest message was VERY_SLOW"));
    actors_free(set);
}

static void test_unread_messages_are_freed_with_the_set(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    char text[100] = {0};
    for (int i = 0; i < 3000; i++)                      /* more than the ring holds: spilled blocks too */
        actor_send(s.director.actor, WORKER, TEXT, text, sizeof(text));
    actors_free(s.set);                                 /* LeakSanitizer is the judge */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_actors_answer_each_other),
        cmocka_unit_test(test_what_overflows_a_ring_arrives_later_and_in_order),
        cmocka_unit_test(test_a_flood_does_not_hold_up_the_stop),
        cmocka_unit_test(test_payloads_move_inline_and_as_blocks),
        cmocka_unit_test(test_a_full_lane_drops_and_counts),
        cmocka_unit_test(test_a_ready_descriptor_is_reported_with_its_token),
        cmocka_unit_test(test_an_idle_actor_wakes_at_its_deadline_and_not_before),
        cmocka_unit_test(test_a_very_long_turn_is_warned_about),
        cmocka_unit_test(test_an_actor_tells_what_it_and_its_owner_have_counted),
        cmocka_unit_test(test_long_turns_and_messages_to_nobody_are_counted),
        cmocka_unit_test(test_unread_messages_are_freed_with_the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
