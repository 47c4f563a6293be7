/* The Admin API: order of checks, verbs at their level, settings (admin-api.md 1, 3, 4, 5). */
#include "control/server.h"

#include <string.h>

#include "control/probe_plugin.h"
#include "msg/log.h"

#define REFUSAL "Unauthorized request (wrong or missing secret/token)"
#define SECRET  "hush"

static struct server s;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    s.settings.admin_secret = SECRET;
    server_start(&s);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_end(&s);
    return 0;
}

static void ask_raw(const char *text)
{
    s.api = CLIENT_API_ADMIN;
    server_say(&s, 9, "%s", text);
    s.api = CLIENT_API_JANUS;
}

/* With the secret and a transaction. */
static void ask(const char *members)
{
    char text[2048];
    snprintf(text, sizeof(text), "{\"transaction\":\"t\",\"admin_secret\":\"" SECRET "\"%s%s}", members[0] == '\0' ? "" : ",", members);
    ask_raw(text);
}

static void expect_bad(const char *members, int code, const char *reason)
{
    ask(members);
    expect_error(&s, 9, code, reason);
}

static void expect_good(const char *members, const char *rest)
{
    ask(members);
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\"%s}", rest);
}

static void test_the_checks_in_their_order(void **state)
{
    (void)state;
    int64_t session = server_create(&s, 1), handle = server_attach(&s, 1, session);
    char text[400];
    ask_raw("{}");
    expect_text(&s, 9, "{\"janus\":\"error\",\"error\":{\"code\":456,\"reason\":\"Missing mandatory element (transaction)\"}}");
    ask_raw("{\"janus\":\"ping\"}");
    expect_error(&s, 9, 456, "Missing mandatory element (transaction)");
    ask_raw("{\"transaction\":\"t\"}");
    expect_error(&s, 9, 456, "Missing mandatory element (janus)");
    ask_raw("{\"transaction\":5,\"janus\":\"ping\",\"session_id\":7}");
    expect_text(&s, 9, "{\"janus\":\"error\",\"session_id\":7,\"error\":{\"code\":467,\"reason\":\"Invalid element type (transaction should be a string)\"}}");
    ask_raw("[1]");
    expect_error(&s, 9, 456, "Missing mandatory element (transaction)");
    ask_raw("{\"");
    expect_text(&s, 9, "{\"janus\":\"error\",\"error\":{\"code\":456,\"reason\":\"Missing mandatory element (transaction)\"}}");
    ask_raw("{\"transaction\":\"t\",\"janus\":\"PING\"}");
    expect_text(&s, 9, "{\"janus\":\"pong\",\"transaction\":\"t\"}");
    static const char *const secrets[] = {"", ",\"admin_secret\":\"\"", ",\"admin_secret\":\"hus\"", ",\"admin_secret\":\"hush \"", ",\"admin_secret\":5",
                                          ",\"admin_secret\":null", ",\"apisecret\":\"hush\""};
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        snprintf(text, sizeof(text), "{\"transaction\":\"t\",\"janus\":\"blah\"%s}", secrets[i]);
        ask_raw(text);
        expect_error(&s, 9, 403, REFUSAL);
        snprintf(text, sizeof(text), "{\"transaction\":\"t\",\"janus\":\"list_handles\",\"session_id\":424242%s}", secrets[i]);
        ask_raw(text);
        expect_error(&s, 9, 403, REFUSAL);
        /* These come before the secret is asked for. */
        snprintf(text, sizeof(text), "{\"transaction\":\"t\",\"janus\":\"blah\",\"handle_id\":5%s}", secrets[i]);
        ask_raw(text);
        expect_error(&s, 9, 458, "Session not found");
    }
    expect_bad("\"janus\":\"blah\"", 457, "Unhandled request 'blah' at this path");
    expect_bad("\"janus\":\"set_libnice_debug\"", 457, "Unhandled request 'set_libnice_debug' at this path");
    static const char *const no_handle[] = {"0", "-1", "null", "\"5\"", "5.0", "[]"};
    for (size_t i = 0; i < ARRAY_COUNT(no_handle); i++) {
        snprintf(text, sizeof(text), "\"janus\":\"handle_info\",\"session_id\":%lld,\"handle_id\":%s", (long long)session, no_handle[i]);
        expect_bad(text, 458, "Session not found");
    }
    expect_bad("\"janus\":\"list_handles\",\"session_id\":424242", 458, "No such session 424242");
    snprintf(text, sizeof(text), "\"janus\":\"blah\",\"session_id\":%lld,\"handle_id\":424242", (long long)session);
    ask(text);
    expect_text(&s, 9, "{\"janus\":\"error\",\"session_id\":%lld,\"transaction\":\"t\",\"error\":{\"code\":459,\"reason\":\"No such handle 424242 in session %lld\"}}",
                (long long)session, (long long)session);
    /* A verb at another level than its own, ping and info too. */
    static const char *const of_root[] = {"ping", "info", "get_status", "message_plugin", "list_sessions", "detach_handle"};
    for (size_t i = 0; i < ARRAY_COUNT(of_root); i++) {
        char reason[100];
        snprintf(reason, sizeof(reason), "Unhandled request '%s' at this path", of_root[i]);
        snprintf(text, sizeof(text), "\"janus\":\"%s\",\"session_id\":%lld", of_root[i], (long long)session);
        expect_bad(text, 457, reason);
    }
    snprintf(text, sizeof(text), "\"janus\":\"destroy_session\",\"session_id\":%lld,\"handle_id\":%lld", (long long)session, (long long)handle);
    expect_bad(text, 457, "Unhandled request 'destroy_session' at this path");
    assert_int_equal(server_credits(&s, 9), 6 + 1 + 3 * ARRAY_COUNT(secrets) + 2 + ARRAY_COUNT(no_handle) + 2 + ARRAY_COUNT(of_root) + 1);
}

static void test_without_a_secret_everybody_may(void **state)
{
    (void)state;
    s.settings.admin_secret = NULL;
    ask_raw("{\"transaction\":\"t\",\"janus\":\"list_sessions\"}");
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"sessions\":[]}");
}

struct setter {
    const char *verb, *key, *answer;
    const char *good[4], *shown[4], *bad;
    const char *kind;
};

static void test_every_setting(void **state)
{
    (void)state;
    static const struct setter setters[] = {
        {"set_session_timeout", "timeout", "timeout", {"0", "30"}, {"0", "30"}, "-1", "a positive integer"},
        {"set_log_level", "level", "level", {"0", "7"}, {"0", "7"}, "\"7\"", "a positive integer"},
        {"set_locking_debug", "debug", "locking_debug", {"true", "false"}, {"true", "false"}, "1", "a boolean"},
        {"set_refcount_debug", "debug", "refcount_debug", {"true", "false"}, {"true", "false"}, "\"true\"", "a boolean"},
        {"set_log_timestamps", "timestamps", "log_timestamps", {"true", "false"}, {"true", "false"}, "null", "a boolean"},
        {"set_log_colors", "colors", "log_colors", {"true", "false"}, {"true", "false"}, "0", "a boolean"},
        {"set_min_nack_queue", "min_nack_queue", "min_nack_queue", {"0", "1000", "5000", "65636"}, {"0", "1000", "1000", "100"}, "-5", "a positive integer"},
        {"set_nack_optimizations", "nack_optimizations", "nack-optimizations", {"true", "false"}, {"true", "false"}, "[]", "a boolean"},
        {"set_no_media_timer", "no_media_timer", "no_media_timer", {"0", "5"}, {"0", "5"}, "5.0", "a positive integer"},
        {"set_slowlink_threshold", "slowlink_threshold", "slowlink_threshold", {"0", "4"}, {"0", "4"}, "{}", "a positive integer"},
        {"accept_new_sessions", "accept", "accept", {"false", "true"}, {"false", "true"}, "\"no\"", "a boolean"},
    };
    char text[300], reason[200];
    for (size_t i = 0; i < ARRAY_COUNT(setters); i++) {
        const struct setter *it = &setters[i];
        snprintf(text, sizeof(text), "\"janus\":\"%s\"", it->verb);
        snprintf(reason, sizeof(reason), "Missing mandatory element (%s)", it->key);
        expect_bad(text, 456, reason);
        snprintf(text, sizeof(text), "\"janus\":\"%s\",\"%s\":%s", it->verb, it->key, it->bad);
        snprintf(reason, sizeof(reason), "Invalid element type (%s should be %s)", it->key, it->kind);
        expect_bad(text, 467, reason);
        for (size_t k = 0; k < ARRAY_COUNT(it->good) && it->good[k] != NULL; k++) {
            snprintf(text, sizeof(text), "\"janus\":\"%s\",\"%s\":%s", it->verb, it->key, it->good[k]);
            snprintf(reason, sizeof(reason), ",\"%s\":%s", it->answer, it->shown[k]);
            expect_good(text, reason);
        }
    }
    expect_bad("\"janus\":\"set_log_level\",\"level\":8", 467, "Invalid element type (level should be between 0 and 7)");
    expect_good("\"janus\":\"get_status\"",
                ",\"status\":{\"token_auth\":false,\"session_timeout\":30,\"reclaim_session_timeout\":0,\"candidates_timeout\":45,\"log_level\":7,"
                "\"log_timestamps\":false,\"log_colors\":false,\"log_rotate_sig\":0,\"locking_debug\":false,\"refcount_debug\":false,"
                "\"min_nack_queue\":100,\"nack-optimizations\":false,\"no_media_timer\":5,\"slowlink_threshold\":4}");
    assert_int_equal(server_orders(&s, WORKER_ADJUST), 4 * SERVER_WORKERS);
    assert_non_null(fake_next(s.actor, ACTOR_LOG, LOG_CONFIGURE));
}

static void test_new_sessions_can_be_refused(void **state)
{
    (void)state;
    int64_t session = server_create(&s, 1);
    expect_good("\"janus\":\"accept_new_sessions\",\"accept\":false", ",\"accept\":false");
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\"}");
    expect_error(&s, 1, 472, "Currently not accepting new sessions");
    server_attach(&s, 1, session);
    expect_good("\"janus\":\"accept_new_sessions\",\"accept\":true", ",\"accept\":true");
    server_create(&s, 1);
}

static void test_a_session_time_out_counts_at_once(void **state)
{
    (void)state;
    int64_t first = server_create(&s, 1), second = server_create(&s, 1);
    char text[200];
    snprintf(text, sizeof(text), "\"janus\":\"set_session_timeout\",\"timeout\":100,\"session_id\":%lld", (long long)second);
    ask(text);
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"timeout\":100,\"session_id\":%lld}", (long long)second);
    snprintf(text, sizeof(text), "\"janus\":\"set_session_timeout\",\"timeout\":-2,\"session_id\":%lld", (long long)second);
    expect_bad(text, 467, "Invalid element type (timeout should be a non-negative integer or -1)");
    snprintf(text, sizeof(text), "\"janus\":\"set_session_timeout\",\"timeout\":null,\"session_id\":%lld", (long long)second);
    expect_bad(text, 467, "Invalid element type (timeout should be an integer)");
    expect_good("\"janus\":\"set_session_timeout\",\"timeout\":5", ",\"timeout\":5");
    server_advance(&s, SEC(8));
    expect_text(&s, 1, "{\"janus\":\"timeout\",\"session_id\":%lld}", (long long)first);
    server_advance(&s, SEC(80));                /* asking about it is no sign of life */
    snprintf(text, sizeof(text), "\"janus\":\"list_handles\",\"session_id\":%lld", (long long)second);
    ask(text);
    expect_text(&s, 9, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"t\",\"handles\":[]}", (long long)second);
    snprintf(text, sizeof(text), "\"janus\":\"set_session_timeout\",\"timeout\":0,\"session_id\":%lld", (long long)second);
    ask(text);
    assert_non_null(server_hear(&s, 9));
    server_advance(&s, SEC(500));
    expect_silence(&s, 1);
    snprintf(text, sizeof(text), "\"janus\":\"set_session_timeout\",\"timeout\":-1,\"session_id\":%lld", (long long)second);
    ask(text);
    assert_non_null(server_hear(&s, 9));
    server_advance(&s, SEC(3));
    expect_text(&s, 1, "{\"janus\":\"timeout\",\"session_id\":%lld}", (long long)second);
}

static void test_sessions_and_handles_are_listed_and_ended(void **state)
{
    (void)state;
    int64_t session = server_create(&s, 1), first = server_attach(&s, 1, session), second = server_attach(&s, 1, session);
    char text[200], list[200];
    snprintf(list, sizeof(list), ",\"sessions\":[%lld]", (long long)session);
    expect_good("\"janus\":\"list_sessions\"", list);
    snprintf(text, sizeof(text), "\"janus\":\"List_Handles\",\"session_id\":%lld", (long long)session);
    ask(text);
    expect_text(&s, 9, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"t\",\"handles\":[%lld,%lld]}", (long long)session, (long long)first,
                (long long)second);
    snprintf(text, sizeof(text), "\"janus\":\"hangup_webrtc\",\"session_id\":%lld,\"handle_id\":%lld", (long long)session, (long long)first);
    ask(text);
    expect_text(&s, 9, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"t\"}", (long long)session);
    expect_silence(&s, 1);                      /* there was no PeerConnection */
    snprintf(text, sizeof(text), "\"janus\":\"detach_handle\",\"session_id\":%lld,\"handle_id\":%lld", (long long)session, (long long)first);
    ask(text);
    expect_text(&s, 9, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"t\"}", (long long)session);
    expect_text(&s, 1, "{\"janus\":\"detached\",\"session_id\":%lld,\"sender\":%lld}", (long long)session, (long long)first);
    ask(text);
    assert_non_null(strstr(server_hear(&s, 9), "\"code\":459"));
    snprintf(text, sizeof(text), "\"janus\":\"destroy_session\",\"session_id\":%lld", (long long)session);
    ask(text);
    expect_text(&s, 9, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"t\"}", (long long)session);
    expect_silence(&s, 1);
    assert_int_equal(control_sizes(s.control).sessions, 0);
    expect_good("\"janus\":\"list_sessions\"", ",\"sessions\":[]");
}

static void test_messages_to_plugins(void **state)
{
    (void)state;
    expect_bad("\"janus\":\"message_plugin\"", 456, "Missing mandatory element (plugin)");
    expect_bad("\"janus\":\"message_plugin\",\"plugin\":5", 467, "Invalid element type (plugin should be a string)");
    expect_bad("\"janus\":\"message_plugin\",\"plugin\":\"janus.plugin.probe\",\"request\":[]", 467, "Invalid element type (request should be an object)");
    expect_bad("\"janus\":\"message_plugin\",\"plugin\":\"Janus.Plugin.Probe\"", 460, "Invalid plugin");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_checks_in_their_order),
        TEST(test_without_a_secret_everybody_may),
        TEST(test_every_setting),
        TEST(test_new_sessions_can_be_refused),
        TEST(test_a_session_time_out_counts_at_once),
        TEST(test_sessions_and_handles_are_listed_and_ended),
        TEST(test_messages_to_plugins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
