/* Session lifetimes: janus-api.md 8 and 3.8; transports that go; STOP. */
#include "control/server.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "control/probe_plugin.h"
#include "control/state.h"

static struct server s;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    return 0;
}

static void keepalive(uint32_t client, int64_t session)
{
    server_say(&s, client, "{\"janus\":\"keepalive\",\"transaction\":\"k\",\"session_id\":%lld}", (long long)session);
}

static void expect_no_session(uint32_t client, int64_t session)
{
    char reason[64];
    snprintf(reason, sizeof(reason), "No such session %lld", (long long)session);
    keepalive(client, session);
    expect_error(&s, client, 458, reason);
}

static void expect_session(uint32_t client, int64_t session)
{
    keepalive(client, session);
    expect_text(&s, client, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"k\"}", (long long)session);
}

static void claim(uint32_t client, int64_t session)
{
    server_say(&s, client, "{\"janus\":\"claim\",\"transaction\":\"x\",\"session_id\":%lld}", (long long)session);
    expect_text(&s, client, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"x\"}", (long long)session);
}

/* One connection can't take all the sessions that there are, and its end is a bounded turn. */
static void test_a_client_has_a_named_limit_of_sessions(void **state)
{
    (void)state;
    server_start(&s);
    int64_t first = 0;
    for (unsigned i = 0; i < SESSIONS_PER_CLIENT_MAX; i++) {
        first = server_create(&s, 1);
        fake_forget(s.actor);
    }
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\"}");
    expect_error(&s, 1, 490, "Memory error");
    int64_t other = server_create(&s, 2);
    server_say(&s, 1, "{\"janus\":\"claim\",\"transaction\":\"c\",\"session_id\":%lld}", (long long)other);
    expect_error(&s, 1, 490, "Memory error");
    claim(1, first);                                                /* its own */
    expect_session(2, other);
    server_say(&s, 1, "{\"janus\":\"destroy\",\"transaction\":\"d\",\"session_id\":%lld}", (long long)first);
    expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"d\"}", (long long)first);
    claim(1, other);
    claim(2, other);
    server_create(&s, 1);
    assert_int_equal(control_counters(s.control)->sessions_refused, 2);
    server_gone(&s, 1);
    server_turn(&s);
    assert_int_equal(control_sizes(s.control).sessions, 1);
    server_end(&s);
}

/* Real expiry is the time-out plus at most two seconds. */
static usec_t time_until_timeout(uint32_t client, int64_t session)
{
    usec_t from = s.now;
    char expected[64];
    snprintf(expected, sizeof(expected), "{\"janus\":\"timeout\",\"session_id\":%lld}", (long long)session);
    for (int i = 0; i < 4000; i++) {
        server_advance(&s, MSEC(50));
        const char *text = server_hear(&s, client);
        if (text == NULL)
            continue;
        assert_string_equal(text, expected);
        assert_true(server_last_was_event(&s));
        return s.now - from;
    }
    return USEC_NEVER;
}

static void test_an_idle_session_times_out_within_60_to_62_seconds(void **state)
{
    (void)state;
    server_start(&s);
    int64_t id = server_create(&s, 1);
    server_attach(&s, 1, id);
    probe_diary();
    usec_t silent = time_until_timeout(1, id);
    assert_in_range(silent, SEC(60), SEC(62));
    expect_silence(&s, 1);                              /* no detached, no hangup */
    assert_string_equal(probe_diary(), "tick hangup detach");
    expect_no_session(1, id);
    assert_int_equal(control_counters(s.control)->sessions_timed_out, 1);
    server_end(&s);
}

static void test_any_authenticated_request_keeps_a_session_alive(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    server_start(&s);
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\",\"id\":5,\"apisecret\":\"sesame\"}");
    server_hear(&s, 1);
    server_advance(&s, SEC(50));
    /* An unknown handle: an error, yet it counts. */
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":5,\"handle_id\":9,\"apisecret\":\"sesame\"}");
    expect_error(&s, 1, 459, "No such handle 9 in session 5");
    server_advance(&s, SEC(50));
    server_say(&s, 1, "{\"janus\":\"nonsense\",\"transaction\":\"x\",\"session_id\":5,\"apisecret\":\"sesame\"}");
    expect_error(&s, 1, 453, "Unknown request 'nonsense'");
    server_advance(&s, SEC(50));
    /* One without the secret does not count. */
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":5}");
    expect_error(&s, 1, 403, "Unauthorized request (wrong or missing secret/token)");
    assert_in_range(time_until_timeout(1, 5), SEC(10), SEC(12));
    server_end(&s);
}

static void test_session_timeout_zero_is_never(void **state)
{
    (void)state;
    s.settings.session_timeout_s = 0;
    server_start(&s);
    int64_t id = server_create(&s, 1);
    server_advance(&s, SEC(86400));
    expect_session(1, id);
    server_end(&s);
}

static void test_thousands_expire_in_bounded_turns(void **state)
{
    (void)state;
    server_start(&s);
    for (unsigned i = 0; i < 1000; i++)
        server_create(&s, i % 10);
    fake_forget(s.actor);
    server_advance(&s, SEC(60));
    unsigned turns = 0;
    while (control_sizes(s.control).sessions > 0) {
        uint32_t before = control_sizes(s.control).sessions;
        usec_t next = control_ops.deadline(s.control);
        assert_true(next <= s.now + SEC(2));
        s.now = next > s.now ? next : s.now;
        server_turn(&s);
        assert_true(before - control_sizes(s.control).sessions <= SESSIONS_EXPIRED_PER_TURN);
        assert_true(++turns < 100);
    }
    assert_int_equal(control_sizes(s.control).clients, 0);
    server_end(&s);
}

/* -- transports that go -------------------------------------------------------------------------------------------------- */

static void test_without_reclaim_sessions_end_with_their_transport(void **state)
{
    (void)state;
    server_start(&s);
    int64_t a = server_create(&s, 1), b = server_create(&s, 1), other = server_create(&s, 2);
    server_attach(&s, 1, a);
    probe_diary();
    server_gone(&s, 1);
    assert_string_equal(probe_diary(), "hangup detach");
    expect_silence(&s, 1);
    expect_no_session(2, a);
    expect_no_session(2, b);
    expect_session(2, other);
    assert_int_equal(control_sizes(s.control).clients, 1);
    server_end(&s);
}

static void test_reclaim_waits_from_the_last_request_on(void **state)
{
    (void)state;
    s.settings.reclaim_session_timeout_s = 10;
    server_start(&s);
    int64_t id = server_create(&s, 1);
    server_advance(&s, SEC(6));
    server_gone(&s, 1);
    assert_int_equal(control_sizes(s.control).sessions, 1);
    server_advance(&s, SEC(3));
    assert_int_equal(control_sizes(s.control).sessions, 1);
    server_advance(&s, SEC(3));                         /* 12 s after the create: 10 and at most a watchdog's round */
    assert_int_equal(control_sizes(s.control).sessions, 0);
    expect_silence(&s, 1);                              /* its timeout event has nobody to go to */
    expect_no_session(2, id);
    server_end(&s);
}

static void test_claim_moves_events_and_saves_the_session(void **state)
{
    (void)state;
    s.settings.reclaim_session_timeout_s = 10;
    server_start(&s);
    int64_t id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    server_gone(&s, 1);
    /* Others may use it without a claim, but its events go nowhere. */
    server_message(&s, 2, id, handle, "{\"do\":\"events\"}");
    expect_text(&s, 2, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"m\",\"hint\":\"wait for it\"}", (long long)id);
    expect_silence(&s, 2);
    expect_silence(&s, 1);
    assert_int_equal(control_counters(s.control)->events_lost, 3);
    claim(2, id);
    server_message(&s, 2, id, handle, "{\"do\":\"events\"}");
    for (int i = 0; i < 4; i++)
        assert_non_null(server_hear(&s, 2));
    server_advance(&s, SEC(40));                        /* reclaim is over: the session's own time-out counts again */
    expect_session(2, id);
    server_end(&s);
}

static void test_claim_from_the_living_owner_and_by_another(void **state)
{
    (void)state;
    server_start(&s);
    int64_t id = server_create(&s, 1);
    claim(1, id);
    claim(2, id);
    expect_silence(&s, 1);
    server_gone(&s, 1);                                 /* it owns nothing any more */
    expect_session(2, id);
    server_gone(&s, 2);
    expect_no_session(1, id);
    assert_int_equal(control_sizes(s.control).clients, 0);
    server_end(&s);
}

static void test_a_claim_races_the_reclaim_timeout_and_the_loss(void **state)
{
    (void)state;
    s.settings.reclaim_session_timeout_s = 5;
    server_start(&s);
    int64_t id = server_create(&s, 1);
    claim(2, id);                                       /* the new connection is faster than the news of the old one's end */
    server_gone(&s, 1);
    server_advance(&s, SEC(20));
    expect_session(2, id);
    server_gone(&s, 2);
    server_advance(&s, SEC(8));
    server_say(&s, 3, "{\"janus\":\"claim\",\"transaction\":\"x\",\"session_id\":%lld}", (long long)id);
    char reason[64];
    snprintf(reason, sizeof(reason), "No such session %lld", (long long)id);
    expect_error(&s, 3, 458, reason);
    server_end(&s);
}

static void test_a_requests_activity_prolongs_a_reclaimable_session(void **state)
{
    (void)state;
    s.settings.reclaim_session_timeout_s = 5;
    server_start(&s);
    int64_t id = server_create(&s, 1);
    server_gone(&s, 1);
    for (int i = 0; i < 5; i++) {
        server_advance(&s, SEC(4));
        expect_session(2, id);
    }
    server_advance(&s, SEC(8));
    expect_no_session(2, id);
    server_end(&s);
}

static void test_stop_answers_what_waits_and_freeing_sends_nothing(void **state)
{
    (void)state;
    server_start(&s);
    char text[100 * 64] = "";
    for (int i = 0; i < 100; i++)
        strcat(text, "{\"janus\":\"ping\",\"transaction\":\"x\"}");
    server_post(&s, 1, text);
    control_ops.on_stop(s.control, s.now);
    server_turn(&s);
    assert_false(s.actor->stopped);
    while (control_ops.deadline(s.control) <= s.now)
        server_turn(&s);
    assert_true(s.actor->stopped);
    for (int i = 0; i < 100; i++)
        assert_non_null(server_hear(&s, 1));
    server_end(&s);

    server_init(&s);
    server_start(&s);
    int64_t id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    server_message(&s, 1, id, handle, "{\"do\":\"offer\"}");
    server_post(&s, 1, text);
    size_t sent = s.actor->count;
    control_free(s.control);
    assert_int_equal(s.actor->count, sent);
    fake_actor_free(s.actor);
    assert_int_equal(seam_mem_outstanding(), 0);
}

/* What a client can have thousands of: 2 KB for a session and a handle, a plugin's state of some hundred bytes included. */
static void test_an_idle_session_with_a_handle_is_small(void **state)
{
    (void)state;
    const size_t pool_cell = 16 + 15, map_bucket = 2 * sizeof(void *), timer = 2 * sizeof(void *), slot = 2 * sizeof(struct slot);
    size_t bytes = sizeof(struct caller) + sizeof(struct session) + sizeof(struct handle) + 4 * pool_cell + 3 * map_bucket + timer + slot;
    assert_true(bytes < 700);
}

/* -- STOP ------------------------------------------------------------------------------------------------------------------ */

static void test_stop_closes_everything_and_refuses_sessions_before_the_secret(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    server_start(&s);
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\",\"id\":5,\"apisecret\":\"sesame\"}");
    server_hear(&s, 1);
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"c\",\"session_id\":5,\"apisecret\":\"sesame\",\"plugin\":\"janus.plugin.probe\"}");
    server_hear(&s, 1);
    probe_diary();
    control_ops.on_stop(s.control, s.now);
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\"}");
    expect_error(&s, 1, 472, "Currently not accepting new sessions");
    assert_string_equal(probe_diary(), "hangup detach");
    assert_true(s.actor->stopped);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_client_has_a_named_limit_of_sessions, setup),
        cmocka_unit_test_setup(test_an_idle_session_times_out_within_60_to_62_seconds, setup),
        cmocka_unit_test_setup(test_any_authenticated_request_keeps_a_session_alive, setup),
        cmocka_unit_test_setup(test_session_timeout_zero_is_never, setup),
        cmocka_unit_test_setup(test_thousands_expire_in_bounded_turns, setup),
        cmocka_unit_test_setup(test_without_reclaim_sessions_end_with_their_transport, setup),
        cmocka_unit_test_setup(test_reclaim_waits_from_the_last_request_on, setup),
        cmocka_unit_test_setup(test_claim_moves_events_and_saves_the_session, setup),
        cmocka_unit_test_setup(test_claim_from_the_living_owner_and_by_another, setup),
        cmocka_unit_test_setup(test_a_claim_races_the_reclaim_timeout_and_the_loss, setup),
        cmocka_unit_test_setup(test_a_requests_activity_prolongs_a_reclaimable_session, setup),
        cmocka_unit_test_setup(test_stop_answers_what_waits_and_freeing_sends_nothing, setup),
        cmocka_unit_test(test_an_idle_session_with_a_handle_is_small),
        cmocka_unit_test_setup(test_stop_closes_everything_and_refuses_sessions_before_the_secret, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
