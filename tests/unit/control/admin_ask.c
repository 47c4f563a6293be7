/* The Admin API's requests that others answer, and stored tokens (admin-api.md 3.2, 3.3, 3.5, 3.6; transports.md 1.6). */
#include "control/admin_help.h"

#include <string.h>

#include "control/probe_plugin.h"
#include "msg/dns.h"

static const struct control_module transports[] = {{.package = "janus.transport.http"}, {.package = "janus.transport.websockets"}};
static const struct control_module handlers[] = {{.package = "janus.eventhandler.sampleevh"}};

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    s.settings.admin_secret = SECRET;
    s.settings.token_auth = true;
    s.config.transports = (struct control_modules){transports, 2};
    s.config.event_handlers = (struct control_modules){handlers, 1};
    server_start(&s);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_end(&s);
    return 0;
}

static void answer(const struct fake_sent *sent, uint16_t type, const void *payload, size_t size)
{
    struct message m = {.from = sent->to, .type = type, .op = sent->op, .payload = payload, .size = size};
    control_ops.on_message(s.control, s.now, &m);
    server_turn(&s);
}

/* -- tokens -------------------------------------------------------------------------------------------------------------------- */

static void test_tokens_are_given_and_taken(void **state)
{
    (void)state;
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\",\"token\":\"a\"}");
    expect_error(&s, 1, 403, "Unauthorized request (wrong or missing secret/token)");
    expect_good("\"janus\":\"add_token\",\"token\":\"a\",\"plugins\":[\"janus.plugin.probe\"]", ",\"data\":{\"plugins\":[\"janus.plugin.probe\"]}");
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\",\"id\":7,\"token\":\"a\"}");
    expect_text(&s, 1, "{\"janus\":\"success\",\"transaction\":\"c\",\"data\":{\"id\":7}}");
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":7,\"token\":\"a\",\"plugin\":\"janus.plugin.probe\"}");
    assert_non_null(strstr(server_hear(&s, 1), "success"));
    expect_good("\"janus\":\"disallow_token\",\"token\":\"a\",\"plugins\":[\"janus.plugin.probe\"]", ",\"data\":{\"plugins\":[]}");
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":7,\"token\":\"a\",\"plugin\":\"janus.plugin.probe\"}");
    expect_error(&s, 1, 405, "Provided token can't access plugin 'janus.plugin.probe'");
    expect_good("\"janus\":\"list_tokens\"", ",\"data\":{\"tokens\":[]}");
    expect_good("\"janus\":\"allow_token\",\"token\":\"a\",\"plugins\":[\"janus.plugin.probe\"]", ",\"data\":{\"plugins\":[\"janus.plugin.probe\"]}");
    expect_good("\"janus\":\"list_tokens\"",
                ",\"data\":{\"tokens\":[{\"token\":\"a\",\"allowed_plugins\":[\"janus.plugin.probe\"]}]}");
    expect_good("\"janus\":\"remove_token\",\"token\":\"a\"", "");
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"k\",\"session_id\":7,\"token\":\"a\"}");
    expect_error(&s, 1, 403, "Unauthorized request (wrong or missing secret/token)");
    expect_good("\"janus\":\"add_token\",\"token\":\"left\",\"plugins\":[5,\"janus.plugin.none\"]", ",\"data\":{\"plugins\":[]}");
}

static void test_wrong_words_about_tokens(void **state)
{
    (void)state;
    expect_bad("\"janus\":\"add_token\"", 456, "Missing mandatory element (token)");
    expect_bad("\"janus\":\"add_token\",\"token\":5", 467, "Invalid element type (token should be a string)");
    expect_bad("\"janus\":\"add_token\",\"token\":\"a\",\"plugins\":\"x\"", 467, "Invalid element type (plugins should be an array)");
    expect_bad("\"janus\":\"allow_token\",\"token\":\"x\",\"plugins\":[\"janus.plugin.probe\"]", 470, "Token x not found");
    expect_bad("\"janus\":\"remove_token\",\"token\":\"x\"", 490, "Error removing token");
    expect_good("\"janus\":\"add_token\",\"token\":\"all\"",
                ",\"data\":{\"plugins\":[\"janus.plugin.shy\",\"janus.plugin.plain\",\"janus.plugin.probe\"]}");
    ask("\"janus\":\"add_token\",\"token\":\"a\",\"plugins\":[\"janus.plugin.probe\"]");
    assert_non_null(server_hear(&s, 9));
    expect_bad("\"janus\":\"allow_token\",\"token\":\"a\"", 467, "Invalid element type (plugins should be a non-empty array)");
    expect_bad("\"janus\":\"allow_token\",\"token\":\"a\",\"plugins\":[]", 467, "Invalid element type (plugins should be a non-empty array)");
    expect_bad("\"janus\":\"disallow_token\",\"token\":\"a\",\"plugins\":[\"janus.plugin.probe\",\"x\"]", 467,
               "Invalid element type (some of the provided plugins are invalid)");
    expect_good("\"janus\":\"add_token\",\"token\":\"a\",\"plugins\":[\"x\"]", ",\"data\":{\"plugins\":[\"janus.plugin.probe\"]}");
    s.settings.token_auth_secret = "signed";
    static const char *const verbs[] = {"add_token", "allow_token", "disallow_token", "remove_token", "list_tokens"};
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        char text[60];
        snprintf(text, sizeof(text), "\"janus\":\"%s\"", verbs[i]);
        expect_bad(text, 490, "Stored-Token based authentication disabled");
    }
    s.settings.token_auth_secret = NULL;
}

static void test_tokens_have_a_limit(void **state)
{
    (void)state;
    char long_one[TOKEN_BYTES_MAX + 2], text[TOKEN_BYTES_MAX + 100];
    memset(long_one, 'x', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    snprintf(text, sizeof(text), "\"janus\":\"add_token\",\"token\":\"%s\"", long_one);
    expect_bad(text, 490, "Error adding token");
    for (unsigned i = 0; i < TOKENS_MAX; i++) {
        snprintf(text, sizeof(text), "\"janus\":\"add_token\",\"token\":\"%u\"", i);
        ask(text);
        assert_null(strstr(server_hear(&s, 9), "error"));
        if (i % 64 == 0)
            fake_forget(s.actor);
    }
    expect_bad("\"janus\":\"add_token\",\"token\":\"one more\"", 490, "Error adding token");
}

/* -- what others answer ----------------------------------------------------------------------------------------------------------- */

static void test_names_are_asked_for(void **state)
{
    (void)state;
    struct dns_answer found = {.count = 1};
    assert_true(net_ip_parse(&found.addrs[0], VIEW("192.0.2.7", 9)));
    expect_bad("\"janus\":\"resolve_address\"", 456, "Missing mandatory element (address)");
    ask("\"janus\":\"resolve_address\",\"address\":\"a.example\"");
    expect_silence(&s, 9);
    const struct fake_sent *sent = fake_next(s.actor, ACTOR_DNS, DNS_ASK);
    assert_non_null(sent);
    assert_string_equal(((const struct dns_ask *)sent->payload)->name, "a.example");
    s.now += 1234;
    answer(sent, CONTROL_ADMIN_ANSWER, &found, sizeof(found));
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"ip\":\"192.0.2.7\",\"elapsed\":1234}");
    ask("\"janus\":\"resolve_address\",\"address\":\"nobody\"");
    found.count = 0;
    answer(fake_next(s.actor, ACTOR_DNS, DNS_ASK), CONTROL_ADMIN_ANSWER, &found, sizeof(found));
    expect_error(&s, 9, 490, "Could not resolve address");
    ask("\"janus\":\"resolve_address\",\"address\":\"slow\"");
    server_advance(&s, SEC(11));
    expect_error(&s, 9, 490, "Could not resolve address");
    char text[600];
    snprintf(text, sizeof(text), "\"janus\":\"resolve_address\",\"address\":\"%0300d\"", 0);
    expect_bad(text, 490, "Could not resolve address");
}

static void test_a_stun_server_is_asked(void **state)
{
    (void)state;
    struct dns_answer found = {.count = 1};
    struct dns_stun_answer seen = {.fine = true};
    assert_true(net_ip_parse(&found.addrs[0], VIEW("192.0.2.7", 9)) && net_ip_parse(&seen.mapped, VIEW("198.51.100.1", 12)));
    seen.mapped.port = 4000;
    expect_bad("\"janus\":\"test_stun\",\"address\":\"a\"", 456, "Missing mandatory element (port)");
    for (unsigned i = 0; i < 2; i++) {
        ask("\"janus\":\"test_stun\",\"address\":\"a\",\"port\":3478,\"localport\":5000");
        answer(fake_next(s.actor, ACTOR_DNS, DNS_ASK), CONTROL_ADMIN_ANSWER, &found, sizeof(found));
        const struct fake_sent *sent = fake_next(s.actor, ACTOR_DNS, DNS_STUN);
        assert_non_null(sent);
        assert_int_equal(((const struct dns_stun_ask *)sent->payload)->local_port, 5000);
        s.now += 9;
        seen.fine = i == 0;
        answer(sent, CONTROL_ADMIN_ANSWER, &seen, sizeof(seen));
        if (i == 0)
            expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"public_ip\":\"198.51.100.1\",\"public_port\":4000,\"elapsed\":9}");
        else
            expect_error(&s, 9, 490, "STUN request failed");
    }
    assert_int_equal(server_credits(&s, 9), 3);
}

static void test_transports_are_asked(void **state)
{
    (void)state;
    struct io_answer http = {.transport = TRANSPORT_HTTP, .runs = {true, false, true}, .of_server = {3, 0, 1}, .messages = 2};
    expect_bad("\"janus\":\"query_transport\",\"transport\":\"janus.transport.mqtt\"", 460, "Invalid transport");
    expect_good("\"janus\":\"query_transport\",\"transport\":\"janus.transport.http\"",
                ",\"response\":{\"error_code\":412,\"error\":\"Missing mandatory element (request)\"}");
    expect_good("\"janus\":\"query_transport\",\"transport\":\"janus.transport.http\",\"request\":{\"request\":5}",
                ",\"response\":{\"error_code\":413,\"error\":\"Invalid element type (request should be a string)\"}");
    expect_good("\"janus\":\"query_transport\",\"transport\":\"janus.transport.http\",\"request\":{\"request\":\"x\"}",
                ",\"response\":{\"error_code\":411,\"error\":\"Unknown request 'x'\"}");
    ask("\"janus\":\"query_transport\",\"transport\":\"janus.transport.http\",\"request\":{\"request\":\"Connections\"}");
    answer(fake_next(s.actor, ACTOR_IO, IO_QUERY), CONTROL_ADMIN_ANSWER, &http, sizeof(http));
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"response\":{\"result\":200,\"connections\":{\"http\":3,\"admin_http\":1},\"messages\":2}}");
    ask("\"janus\":\"query_transport\",\"transport\":\"janus.transport.websockets\",\"request\":{\"request\":\"configure\",\"json\":\"x\",\"events\":true}");
    struct io_answer websockets = {.transport = TRANSPORT_WEBSOCKETS, .connections = 4};
    answer(fake_next(s.actor, ACTOR_IO, IO_QUERY), CONTROL_ADMIN_ANSWER, &websockets, sizeof(websockets));
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"response\":{\"result\":200,\"notes\":[\"Ignored unsupported indentation format\"]}}");
    ask("\"janus\":\"query_transport\",\"transport\":\"janus.transport.websockets\",\"request\":{\"request\":\"configure\",\"events\":5}");
    answer(fake_next(s.actor, ACTOR_IO, IO_QUERY), CONTROL_ADMIN_ANSWER, &websockets, sizeof(websockets));
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"response\":{\"result\":200,\"error_code\":413,\"error\":\"Invalid element type (events should be a boolean)\"}}");
    ask("\"janus\":\"query_transport\",\"transport\":\"janus.transport.websockets\",\"request\":{\"request\":\"connections\"}");
    server_advance(&s, SEC(11));                /* it says nothing */
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\",\"response\":{}}");
}

static void test_event_handlers_and_loggers(void **state)
{
    (void)state;
    expect_bad("\"janus\":\"query_eventhandler\",\"handler\":\"janus.eventhandler.none\"", 460, "Invalid event handler");
    expect_good("\"janus\":\"query_eventhandler\",\"handler\":\"janus.eventhandler.sampleevh\"", ",\"response\":{}");      /* it does not run */
    expect_bad("\"janus\":\"query_logger\",\"logger\":\"janus.logger.jsonlog\"", 460, "Invalid logger");
    expect_bad("\"janus\":\"custom_event\",\"schema\":\"s\"", 456, "Missing mandatory element (data)");
    expect_good("\"janus\":\"custom_event\",\"schema\":\"s\",\"data\":{\"a\":1}", "");
    expect_bad("\"janus\":\"custom_logline\",\"line\":\"x\",\"level\":-1", 467, "Invalid element type (level should be a positive integer)");
    expect_good("\"janus\":\"custom_logline\",\"line\":\"one\\ntwo\",\"level\":99", "");
    assert_string_equal(s.actor->last_log, "one two");
    expect_good("\"janus\":\"custom_logline\",\"line\":\"nothing\",\"level\":0", "");
    assert_string_equal(s.actor->last_log, "one two");
    assert_int_equal(server_credits(&s, 9), 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tokens_are_given_and_taken),
        TEST(test_wrong_words_about_tokens),
        TEST(test_tokens_have_a_limit),
        TEST(test_names_are_asked_for),
        TEST(test_a_stun_server_is_asked),
        TEST(test_transports_are_asked),
        TEST(test_event_handlers_and_loggers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
