/* Draining: no new sessions, those that are there are told and go on, and main hears when the last has ended. How long requests took. */
#include "control/server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "control/state.h"
#include "msg/main.h"

static struct server s;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    return 0;
}

static void drain(uint32_t seconds)
{
    const struct drain_order order = {seconds};
    server_fact(&s, CONTROL_DRAIN, &order, sizeof(order));
}

static bool main_knows(void)
{
    return fake_next(s.actor, ACTOR_MAIN, MAIN_DRAINED) != NULL;
}

static void test_sessions_that_are_there_go_on_and_others_are_refused(void **state)
{
    (void)state;
    server_start(&s);
    const int64_t session = server_create(&s, 1);
    drain(30);
    expect_text(&s, 1, "{\"janus\":\"draining\",\"session_id\":%lld,\"seconds\":30}", (long long)session);
    server_say(&s, 2, "{\"janus\":\"create\",\"transaction\":\"c\"}");
    expect_error(&s, 2, 472, "Currently not accepting new sessions");
    (void)server_attach(&s, 1, session);
    assert_false(main_knows());
    server_say(&s, 1, "{\"janus\":\"destroy\",\"transaction\":\"d\",\"session_id\":%lld}", (long long)session);
    server_advance(&s, SEC(1));
    assert_true(main_knows());
    server_advance(&s, SEC(5));
    assert_false(main_knows());                 /* once */
    server_end(&s);
}

static void test_without_sessions_it_is_over_at_once(void **state)
{
    (void)state;
    server_start(&s);
    assert_false(main_knows());
    drain(30);
    assert_true(main_knows());
    drain(30);                                  /* again: nothing */
    assert_false(main_knows());
    server_end(&s);
}

static void test_many_sessions_are_told_in_several_turns_and_those_that_end_meanwhile_are_not(void **state)
{
    (void)state;
    enum { SESSIONS = 700 };
    server_start(&s);
    for (uint32_t i = 0; i < SESSIONS; i++)
        (void)server_create(&s, i + 1);
    fake_forget(s.actor);
    const struct drain_order order = {5};
    const struct message m = {.from = ACTOR_MAIN, .type = CONTROL_DRAIN, .payload = &order, .size = sizeof(order)};
    control_ops.on_message(s.control, s.now, &m);
    server_gone(&s, 700);                       /* its end comes before its turn to be told */
    server_turn(&s);
    server_turn(&s);
    server_turn(&s);
    uint32_t told = 0;
    for (uint32_t i = 0; i < SESSIONS; i++)
        told += server_hear(&s, i + 1) != NULL ? 1 : 0;
    assert_true(told >= SESSIONS - 1);
    assert_int_equal(control_ops.deadline(s.control) > s.now, true);        /* nothing more to do */
    server_end(&s);
}

static const struct metric_times *times_of(const struct metrics *m, const char *verb, const char *plugin)
{
    for (uint32_t i = 0; i < m->times_count; i++)
        if (m->times[i].metric == METRIC_REQUEST && strcmp(m->times[i].labels[0], verb) == 0 && strcmp(m->times[i].labels[1], plugin) == 0)
            return &m->times[i];
    return NULL;
}

static void say_at(usec_t asked_us, const char *text)
{
    const size_t size = strlen(text);
    struct client_request *request = mem_get_zero(sizeof(*request) + size);
    *request = (struct client_request){.client = {1, 1}, .asked_us = asked_us, .size = (uint32_t)size};
    memcpy(request->text, text, size);
    const struct message m = {.from = ACTOR_IO, .type = CONTROL_CLIENT_REQUEST, .payload = request, .size = sizeof(*request) + size};
    control_ops.on_message(s.control, s.now, &m);
    mem_put(request);
}

static void test_requests_are_timed_to_the_end_of_their_turn_by_verb(void **state)
{
    (void)state;
    server_start(&s);
    struct metrics *m = mem_get_zero(sizeof(*m));
    say_at(s.now - MSEC(3), "{\"janus\":\"ping\",\"transaction\":\"p\"}");
    say_at(s.now - MSEC(3), "{\"janus\":\"nonsense\",\"transaction\":\"p\"}");
    control_ops.on_turn(s.control, s.now);
    s.actor->turn_ended = s.now + MSEC(1);      /* the turn took a millisecond */
    s.now += MSEC(500);
    control_ops.on_turn(s.control, s.now);
    s.actor->turn_ended = s.now;                /* and this one does not count */
    control_ops.measure(s.control, s.now, m);
    const struct metric_times *ping = times_of(m, "ping", "");
    assert_non_null(ping);
    assert_true(histogram_count(&ping->times) == 1 && ping->times.sum_us == MSEC(4));
    assert_true(histogram_count(&times_of(m, "other", "")->times) == 1);
    assert_true(histogram_count(&times_of(m, "create", "")->times) == 0);
    bool found = false;
    for (uint32_t i = 0; i < m->count; i++)
        found = found || (m->values[i].metric == METRIC_REQUEST_ERRORS && strcmp(m->values[i].labels[0], "457") == 0 && m->values[i].value == 1);
    assert_true(found);
    mem_put(m);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sessions_that_are_there_go_on_and_others_are_refused, setup),
        cmocka_unit_test_setup(test_without_sessions_it_is_over_at_once, setup),
        cmocka_unit_test_setup(test_many_sessions_are_told_in_several_turns_and_those_that_end_meanwhile_are_not, setup),
        cmocka_unit_test_setup(test_requests_are_timed_to_the_end_of_their_turn_by_verb, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
