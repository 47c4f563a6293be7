/* The pipeline of janus-api.md 2, its requests (3), the error table (9) and the differential checklist (15). */
#include "control/server.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#include "control/probe_plugin.h"

#define SAY(n, text) server_say(&s, n, "%s", text)

static struct server s;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    return 0;
}

static void begin(void)
{
    server_start(&s);
}

/* -- header checks ------------------------------------------------------------------------------------------------------- */

static void test_missing_transaction_is_named_and_not_echoed(void **state)
{
    (void)state;
    begin();
    SAY(1, "{\"janus\":\"ping\"}");
    expect_text(&s, 1, "{\"janus\":\"error\",\"error\":{\"code\":456,\"reason\":\"Missing mandatory element (transaction)\"}}");
    SAY(1, "{\"janus\":\"ping\",\"transaction\":7,\"session_id\":12}");
    expect_text(&s, 1,
                "{\"janus\":\"error\",\"session_id\":12,\"error\":{\"code\":467,\"reason\":\"Invalid element type (transaction should be a string)\"}}");
    SAY(1, "{\"transaction\":\"x\"}");
    expect_text(&s, 1, "{\"janus\":\"error\",\"error\":{\"code\":456,\"reason\":\"Missing mandatory element (janus)\"}}");
    SAY(1, "{\"janus\":5,\"transaction\":\"x\"}");
    expect_text(&s, 1, "{\"janus\":\"error\",\"error\":{\"code\":467,\"reason\":\"Invalid element type (janus should be a string)\"}}");
    SAY(1, "{\"janus\":\"ping\",\"transaction\":\"x\",\"id\":-1}");
    expect_text(&s, 1, "{\"janus\":\"error\",\"error\":{\"code\":467,\"reason\":\"Invalid element type (id should be a positive integer)\"}}");
    server_end(&s);
}

static void test_root_that_is_no_object_lacks_a_transaction(void **state)
{
    (void)state;
    begin();
    SAY(1, "[{\"janus\":\"ping\",\"transaction\":\"x\"}]");
    expect_error(&s, 1, 456, "Missing mandatory element (transaction)");
    server_end(&s);
}

static void test_ping_and_info_need_no_secret_and_any_case(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    begin();
    SAY(1, "{\"janus\":\"PiNG\",\"transaction\":\"p1\"}");
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"p1\"}");
    SAY(1, "{\"janus\":\"INFO\",\"transaction\":\"p2\"}");
    json_t *info = server_hear_json(&s, 1);
    assert_string_equal(json_string_value(json_object_get(info, "janus")), "server_info");
    json_decref(info);
    server_end(&s);
}

static void test_root_refuses_other_verbs_before_the_secret(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    begin();
    SAY(1, "{\"janus\":\"Keepalive\",\"transaction\":\"x\"}");
    expect_text(&s, 1,
                "{\"janus\":\"error\",\"transaction\":\"x\",\"error\":{\"code\":457,\"reason\":\"Unhandled request 'Keepalive' at this path\"}}");
    SAY(1, "{\"janus\":\"nonsense\",\"transaction\":\"x\",\"session_id\":null,\"handle_id\":null}");
    expect_error(&s, 1, 457, "Unhandled request 'nonsense' at this path");
    SAY(1, "{\"janus\":\"nonsense\",\"transaction\":\"x\",\"session_id\":\"12\",\"handle_id\":1.5}");
    expect_error(&s, 1, 457, "Unhandled request 'nonsense' at this path");
    server_end(&s);
}

static void test_ids_that_cannot_be_are_told_apart(void **state)
{
    (void)state;
    begin();
    int64_t id = server_create(&s, 1);
    SAY(1, "{\"janus\":\"message\",\"transaction\":\"x\",\"handle_id\":5}");
    expect_error(&s, 1, 458, "Session not found");
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":%lld,\"handle_id\":\"a\"}", (long long)id);
    expect_error(&s, 1, 459, "Handle not found");
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":%lld,\"handle_id\":0}", (long long)id);
    expect_error(&s, 1, 459, "Handle not found");
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":%lld,\"handle_id\":null}", (long long)id);
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"x\"}", (long long)id);
    SAY(1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":77}");
    expect_text(&s, 1, "{\"janus\":\"error\",\"session_id\":77,\"transaction\":\"x\",\"error\":{\"code\":458,\"reason\":\"No such session 77\"}}");
    SAY(1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":-3}");
    expect_text(&s, 1, "{\"janus\":\"error\",\"transaction\":\"x\",\"error\":{\"code\":458,\"reason\":\"No such session -3\"}}");
    SAY(1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":9223372036854775807}");
    expect_error(&s, 1, 458, "No such session 9223372036854775807");
    server_end(&s);
}

static void test_root_verbs_with_a_session_are_unknown(void **state)
{
    (void)state;
    begin();
    int64_t id = server_create(&s, 1);
    static const char *const verbs[] = {"info", "ping", "create", "Gibberish"};
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        char reason[64];
        snprintf(reason, sizeof(reason), "Unknown request '%s'", verbs[i]);
        server_say(&s, 1, "{\"janus\":\"%s\",\"transaction\":\"x\",\"session_id\":%lld}", verbs[i], (long long)id);
        expect_error(&s, 1, 453, reason);
    }
    SAY(1, "{\"janus\":\"info\",\"transaction\":\"x\",\"session_id\":5}");
    expect_error(&s, 1, 458, "No such session 5");
    server_end(&s);
}

static void test_verbs_at_the_wrong_level(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    static const char *const handle_only[] = {"message", "trickle", "hangup", "detach"};
    for (size_t i = 0; i < ARRAY_COUNT(handle_only); i++) {
        char reason[64];
        snprintf(reason, sizeof(reason), "Unhandled request '%s' at this path", handle_only[i]);
        server_say(&s, 1, "{\"janus\":\"%s\",\"transaction\":\"x\",\"session_id\":%lld}", handle_only[i], id);
        expect_error(&s, 1, 457, reason);
    }
    static const char *const session_only[] = {"attach", "destroy"};
    for (size_t i = 0; i < ARRAY_COUNT(session_only); i++) {
        char reason[64];
        snprintf(reason, sizeof(reason), "Unhandled request '%s' at this path", session_only[i]);
        server_say(&s, 1, "{\"janus\":\"%s\",\"transaction\":\"x\",\"session_id\":%lld,\"handle_id\":%lld}", session_only[i], id, handle);
        expect_error(&s, 1, 457, reason);
    }
    static const char *const both[] = {"keepalive", "claim"};
    for (size_t i = 0; i < ARRAY_COUNT(both); i++) {
        server_say(&s, 1, "{\"janus\":\"%s\",\"transaction\":\"x\",\"session_id\":%lld,\"handle_id\":%lld}", both[i], id, handle);
        expect_text(&s, 1, "{\"janus\":\"%s\",\"session_id\":%lld,\"transaction\":\"x\"}", i == 0 ? "ack" : "success", id);
    }
    server_end(&s);
}

static void test_a_long_verb_is_cut_inside_no_character(void **state)
{
    (void)state;
    begin();
    for (int shift = 0; shift < 4; shift++) {
        char text[4096];
        snprintf(text, sizeof(text), "{\"transaction\":\"x\",\"janus\":\"%.*s", shift, "abc");
        for (int i = 0; i < 800; i++)
            strcat(text, "\xe2\x82\xac");
        strcat(text, "\"}");
        SAY(1, text);
        json_t *document = server_hear_json(&s, 1);     /* jansson refuses invalid UTF-8 */
        const json_t *reason = json_object_get(json_object_get(document, "error"), "reason");
        assert_in_range(json_string_length(reason), 508, 511);
        json_decref(document);
    }
    server_end(&s);
}

/* -- create --------------------------------------------------------------------------------------------------------------- */

static void test_create_gives_ids_without_a_session_id_beside(void **state)
{
    (void)state;
    begin();
    SAY(1, "{\"janus\":\"create\",\"transaction\":\"c1\",\"id\":41}");
    expect_text(&s, 1, "{\"janus\":\"success\",\"transaction\":\"c1\",\"data\":{\"id\":41}}");
    SAY(2, "{\"janus\":\"create\",\"transaction\":\"c2\",\"id\":41}");
    expect_text(&s, 2,
                "{\"janus\":\"error\",\"session_id\":41,\"transaction\":\"c2\",\"error\":{\"code\":468,\"reason\":\"Session ID already in use\"}}");
    SAY(2, "{\"janus\":\"create\",\"transaction\":\"c3\",\"id\":\"7\"}");
    expect_error(&s, 2, 467, "Invalid element type (id should be a positive integer)");
    SAY(2, "{\"janus\":\"create\",\"transaction\":\"c4\",\"id\":9223372036854775807}");
    expect_text(&s, 2, "{\"janus\":\"success\",\"transaction\":\"c4\",\"data\":{\"id\":9223372036854775807}}");
    for (int i = 0; i < 50; i++) {
        SAY(2, "{\"janus\":\"create\",\"transaction\":\"c5\",\"id\":0}");
        json_t *document = server_hear_json(&s, 2);
        json_int_t id = json_integer_value(json_object_get(json_object_get(document, "data"), "id"));
        assert_true(id > 0 && id <= 0x1FFFFFFFFFFFFF);
        json_decref(document);
    }
    server_end(&s);
}

/* -- authentication --------------------------------------------------------------------------------------------------------- */

static void test_a_wrong_secret_hides_whether_sessions_exist(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    begin();
    static const char *const wrong[] = {"", ",\"apisecret\":\"sesamE\"", ",\"apisecret\":5", ",\"apisecret\":\"\"", ",\"token\":\"sesame\""};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"x\"%s}", wrong[i]);
        expect_text(&s, 1, "{\"janus\":\"error\",\"transaction\":\"x\",\"error\":{\"code\":403,"
                           "\"reason\":\"Unauthorized request (wrong or missing secret/token)\"}}");
        server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"x\",\"session_id\":5%s}", wrong[i]);
        expect_error(&s, 1, 403, "Unauthorized request (wrong or missing secret/token)");
    }
    SAY(1, "{\"janus\":\"create\",\"transaction\":\"x\",\"apisecret\":\"sesame\",\"id\":9}");
    expect_text(&s, 1, "{\"janus\":\"success\",\"transaction\":\"x\",\"data\":{\"id\":9}}");
    assert_int_equal(control_counters(s.control)->unauthorized, 10);
    server_end(&s);
}

/* -- attach and detach ------------------------------------------------------------------------------------------------------ */

static void test_attach_checks_its_parameters_in_order(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1);
    static const struct {
        const char *extra;
        int code;
        const char *reason;
    } cases[] = {
        {"", 456, "Missing mandatory element (plugin)"},
        {",\"plugin\":5,\"opaque_id\":5", 467, "Invalid element type (plugin should be a string)"},
        {",\"plugin\":\"x\",\"opaque_id\":null", 467, "Invalid element type (opaque_id should be a string)"},
        {",\"plugin\":\"x\",\"loop_index\":-1", 467, "Invalid element type (loop_index should be a positive integer)"},
        {",\"plugin\":\"Janus.plugin.probe\",\"loop_index\":3", 460, "No such plugin 'Janus.plugin.probe'"},
        {",\"plugin\":\"janus.plugin.broken\"", 460, "No such plugin 'janus.plugin.broken'"},
        {",\"plugin\":\"janus.plugin.shy\"", 461, "Couldn't attach to plugin: error '-1'"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":%lld%s}", id, cases[i].extra);
        expect_error(&s, 1, cases[i].code, cases[i].reason);
    }
    server_hear(&s, 1);                                 /* what the shy plugin pushed while it refused */
    assert_int_equal(control_sizes(s.control).handles, 0);
    server_end(&s);
}

static void test_a_disabled_plugin_is_not_there(void **state)
{
    (void)state;
    s.settings.plugins_disable.items[0] = "libjanus_plain.so";
    s.settings.plugins_disable.count = 1;
    begin();
    long long id = server_create(&s, 1);
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":%lld,\"plugin\":\"janus.plugin.plain\"}", id);
    expect_error(&s, 1, 460, "No such plugin 'janus.plugin.plain'");
    server_end(&s);
}

static void test_detach_answers_then_takes_leave_then_tells(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    assert_string_equal(probe_diary(), "attach");
    server_say(&s, 1, "{\"janus\":\"detach\",\"transaction\":\"d\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"d\"}", id);
    assert_false(server_last_was_event(&s));
    expect_text(&s, 1, "{\"janus\":\"detached\",\"session_id\":%lld,\"sender\":%lld}", id, handle);
    assert_true(server_last_was_event(&s));
    assert_string_equal(probe_diary(), "hangup detach");
    expect_silence(&s, 1);
    char reason[96];
    snprintf(reason, sizeof(reason), "No such handle %lld in session %lld", handle, id);
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"d\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    expect_error(&s, 1, 459, reason);
    server_end(&s);
}

static void test_destroy_is_silent_about_its_handles(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1);
    server_attach(&s, 1, id);
    server_attach(&s, 1, id);
    probe_diary();
    server_say(&s, 1, "{\"janus\":\"destroy\",\"transaction\":\"d\",\"session_id\":%lld}", id);
    expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"d\"}", id);
    expect_silence(&s, 1);
    assert_string_equal(probe_diary(), "hangup detach hangup detach");
    assert_int_equal(control_sizes(s.control).handles + control_sizes(s.control).sessions + control_sizes(s.control).clients, 0);
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"d\",\"session_id\":%lld}", id);
    server_hear(&s, 1);
    server_end(&s);
}

static void test_hangup_without_a_peer_connection_tells_the_plugin_once(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    probe_diary();
    for (int i = 0; i < 2; i++) {
        server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
        expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"h\"}", id);
        if (i == 0)
            expect_text(&s, 1, "{\"janus\":\"event\",\"session_id\":%lld,\"sender\":%lld,\"plugindata\":{\"plugin\":\"janus.plugin.probe\","
                               "\"data\":{\"probe\":\"done\"}}}", id, handle);
        expect_silence(&s, 1);
    }
    assert_string_equal(probe_diary(), "hangup");
    server_end(&s);
}

static void test_one_session_takes_999_handles_and_ends_in_bounded_turns(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1);
    for (int i = 0; i < 999; i++)
        server_attach(&s, 1, id);
    fake_forget(s.actor);
    server_say(&s, 1, "{\"janus\":\"destroy\",\"transaction\":\"d\",\"session_id\":%lld}", id);
    expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"d\"}", id);
    assert_int_equal(control_sizes(s.control).handles, 999 - HANDLES_CLOSED_PER_TURN);
    for (unsigned turns = 1; control_sizes(s.control).handles > 0; turns++) {
        assert_true(control_ops.deadline(s.control) <= s.now);
        assert_true(turns < 20);
        server_turn(&s);
    }
    assert_int_equal(control_sizes(s.control).sessions, 0);
    assert_true(control_ops.deadline(s.control) > s.now);
    server_end(&s);
}

static void test_a_session_has_a_named_limit_of_handles(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1);
    for (unsigned i = 0; i < HANDLES_PER_SESSION_MAX; i++) {
        server_attach(&s, 1, id);
        fake_forget(s.actor);
    }
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":%lld,\"plugin\":\"janus.plugin.probe\"}", id);
    expect_error(&s, 1, 490, "Memory error");
    assert_int_equal(control_counters(s.control)->handles_refused, 1);
    server_end(&s);
}

static void test_opaque_id_is_echoed_only_when_configured(void **state)
{
    (void)state;
    s.settings.opaqueid_in_api = true;
    begin();
    long long id = server_create(&s, 1);
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":%lld,\"plugin\":\"janus.plugin.probe\",\"opaque_id\":\"u-7\"}", id);
    json_t *document = server_hear_json(&s, 1);
    long long handle = json_integer_value(json_object_get(json_object_get(document, "data"), "id"));
    json_decref(document);
    server_message(&s, 1, id, handle, "{\"do\":\"sync\"}");
    expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"m\",\"sender\":%lld,\"opaque_id\":\"u-7\",\"plugindata\":"
                       "{\"plugin\":\"janus.plugin.probe\",\"data\":{\"probe\":\"ok\",\"list\":[1,{\"a\":\"b:,{}\"}],\"none\":{}}}}", id, handle);
    expect_text(&s, 1, "{\"janus\":\"event\",\"session_id\":%lld,\"transaction\":\"m\",\"sender\":%lld,\"opaque_id\":\"u-7\",\"plugindata\":"
                       "{\"plugin\":\"janus.plugin.probe\",\"data\":{\"probe\":\"pushed during a sync request\"}}}", id, handle);
    char big[OPAQUE_ID_BYTES_MAX + 2];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":%lld,\"plugin\":\"janus.plugin.probe\",\"opaque_id\":\"%s\"}", id, big);
    expect_error(&s, 1, 467, "Invalid element type (opaque_id should be at most 1024 bytes)");
    server_end(&s);
}

/* -- message ---------------------------------------------------------------------------------------------------------------- */

static void test_message_outcomes(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    server_message(&s, 1, id, handle, "{\"do\":\"ack\"}");
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"m\",\"hint\":\"wait for it\"}", id);
    server_message(&s, 1, id, handle, "{\"do\":\"error\"}");
    expect_error(&s, 1, 462, "the probe says no");
    server_message(&s, 1, id, handle, "{\"do\":\"silent\"}");
    expect_error(&s, 1, 462, "Plugin returned a severe (unknown) error");
    server_message(&s, 1, id, handle, "{\"do\":\"empty\"}");
    expect_error(&s, 1, 462, "Plugin didn't provide any content for this synchronous response");
    server_message(&s, 1, id, handle, "[]");
    expect_error(&s, 1, 467, "Invalid element type (body should be an object)");
    server_message(&s, 1, id, handle, "null");
    expect_error(&s, 1, 467, "Invalid element type (body should be an object)");
    server_say(&s, 1, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    expect_error(&s, 1, 456, "Missing mandatory element (body)");
    expect_silence(&s, 1);
    server_end(&s);
}

static void test_a_plugin_without_a_hint_has_none(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1);
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":%lld,\"plugin\":\"janus.plugin.plain\"}", id);
    json_t *document = server_hear_json(&s, 1);
    long long handle = json_integer_value(json_object_get(json_object_get(document, "data"), "id"));
    json_decref(document);
    server_message(&s, 1, id, handle, "{}");
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"m\"}", id);
    server_end(&s);
}

/* The ack goes first, then the events in the order of their pushes (janus-api.md 11). */
static void test_events_pushed_during_a_request_come_after_its_ack(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    server_message(&s, 1, id, handle, "{\"do\":\"events\"}");
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"m\",\"hint\":\"wait for it\"}", id);
    for (int i = 1; i <= 3; i++)
        expect_text(&s, 1, "{\"janus\":\"event\",\"session_id\":%lld,\"transaction\":\"m\",\"sender\":%lld,\"plugindata\":{\"plugin\":"
                           "\"janus.plugin.probe\",\"data\":{\"n\":%d}}}", id, handle, i);
    expect_silence(&s, 1);
    server_end(&s);
}

static void test_jsep_that_is_no_object(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    static const char *const wrong[] = {"null", "5", "\"offer\"", "[]"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        server_say(&s, 1, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":{},\"jsep\":%s}", id, handle,
                   wrong[i]);
        expect_error(&s, 1, 455, "Invalid jsep object");
    }
    server_end(&s);
}

/* -- plugins that end things -------------------------------------------------------------------------------------------------- */

static void test_a_plugin_may_end_its_handle(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    probe_diary();
    server_message(&s, 1, id, handle, "{\"do\":\"detach\"}");
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"m\",\"hint\":\"wait for it\"}", id);
    expect_text(&s, 1, "{\"janus\":\"detached\",\"session_id\":%lld,\"sender\":%lld}", id, handle);
    assert_string_equal(probe_diary(), "hangup detach");
    assert_int_equal(control_sizes(s.control).handles, 0);
    server_end(&s);
}

static void test_a_handle_that_ends_before_its_wish_is_granted(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1);
    server_attach(&s, 1, id);
    struct ref handle = probe_handle();
    host_detach(probe_host(), handle);
    host_peer_close(probe_host(), handle);
    server_say(&s, 1, "{\"janus\":\"destroy\",\"transaction\":\"d\",\"session_id\":%lld}", id);
    assert_int_equal(control_sizes(s.control).handles, 0);
    host_detach(probe_host(), handle);                  /* a stale name */
    assert_int_equal(host_event(probe_host(), handle, NULL, VIEW("{}", 2), NULL), ERR_GONE);
    assert_int_equal(control_counters(s.control)->verbs_stale, 5);      /* these two, and three while it was told of the end */
    server_end(&s);
}

/* -- layouts and limits ------------------------------------------------------------------------------------------------------- */

static void test_replies_are_in_the_layout_of_the_client(void **state)
{
    (void)state;
    s.layout = LAYOUT_PLAIN;
    begin();
    SAY(1, "{\"janus\":\"create\",\"transaction\":\"c1\",\"id\":41}");
    expect_text(&s, 1, "{\"janus\": \"success\", \"transaction\": \"c1\", \"data\": {\"id\": 41}}");
    s.layout = LAYOUT_INDENTED;
    SAY(1, "{\"janus\":\"keepalive\",\"transaction\":\"c1\",\"session_id\":41}");
    expect_text(&s, 1, "{\n   \"janus\": \"ack\",\n   \"session_id\": 41,\n   \"transaction\": \"c1\"\n}");
    int64_t handle = server_attach(&s, 1, 41);
    server_message(&s, 1, 41, handle, "{\"do\":\"sync\"}");
    expect_text(&s, 1, "{\n   \"janus\": \"success\",\n   \"session_id\": 41,\n   \"transaction\": \"m\",\n   \"sender\": %lld,\n   \"plugindata\": {\n"
                       "      \"plugin\": \"janus.plugin.probe\",\n      \"data\": {\n         \"probe\": \"ok\",\n         \"list\": [\n            1,\n"
                       "            {\n               \"a\": \"b:,{}\"\n            }\n         ],\n         \"none\": {}\n      }\n   }\n}",
                (long long)handle);
    server_end(&s);
}

static void test_transactions_are_copied_verbatim(void **state)
{
    (void)state;
    begin();
    SAY(1, "{\"janus\":\"ping\",\"transaction\":\"a\\\"\\\\\\n\\u0001/\xe2\x82\xac\"}");
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"a\\\"\\\\\\n\\u0001/\xe2\x82\xac\"}");
    SAY(1, "{\"janus\":\"ping\",\"transaction\":\"\"}");
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"\"}");
    server_end(&s);
}

static void test_texts_have_a_limit(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    char body[64];
    snprintf(body, sizeof(body), "{\"do\":\"huge\",\"size\":%u}", TEXT_BYTES_MAX - 20);
    server_message(&s, 1, id, handle, body);
    expect_error(&s, 1, 490, "Memory error");
    expect_silence(&s, 1);
    assert_int_equal(control_counters(s.control)->texts_too_long, 2);
    snprintf(body, sizeof(body), "{\"do\":\"huge\",\"size\":%u}", TEXT_BYTES_MAX);
    server_message(&s, 1, id, handle, body);
    expect_error(&s, 1, 462, "Plugin didn't provide any content for this synchronous response");
    snprintf(body, sizeof(body), "{\"do\":\"huge\",\"size\":%u}", 2 * 1024 * 1024);
    server_message(&s, 1, id, handle, body);
    assert_non_null(strstr(server_hear(&s, 1), "success"));
    server_end(&s);
}

static void test_a_plugin_logs_through_its_host(void **state)
{
    (void)state;
    begin();
    long long id = server_create(&s, 1), handle = server_attach(&s, 1, id);
    server_message(&s, 1, id, handle, "{\"do\":\"log\"}");
    assert_string_equal(s.actor->last_log, "warned at 1000000000 in /etc/cardea");
    assert_non_null(host_rng(probe_host()));
    assert_non_null(host_hash_key(probe_host()));
    assert_int_equal(host_wall_us(probe_host()), s.actor->wall_us);
    server_end(&s);
}

static void session_storm(void)
{
    server_init(&s);
    server_start(&s);
    SAY(1, "{\"janus\":\"create\",\"transaction\":\"c1\",\"id\":41}");
    assert_non_null(server_hear(&s, 1));
    SAY(1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":41,\"plugin\":\"janus.plugin.probe\"}");
    assert_non_null(server_hear(&s, 1));
    SAY(1, "{\"janus\":\"claim\",\"transaction\":\"x\",\"session_id\":41}");
    assert_non_null(server_hear(&s, 1));
    server_end(&s);
}

static void test_every_full_pool_is_an_error_reply(void **state)
{
    (void)state;
    seam_oom_sweep(session_storm);
}

static void test_messages_of_impossible_size_are_counted(void **state)
{
    (void)state;
    begin();
    struct peer_fact fact = {.peer = {.worker = 7}};
    server_fact(&s, CONTROL_PEER_UP, &fact, sizeof(fact) - 1);
    server_fact(&s, CONTROL_NONE, &fact, sizeof(fact));
    server_fact(&s, 999, &fact, sizeof(fact));
    struct client_request request = {.client = {1, 1}, .size = 5};
    server_fact(&s, CONTROL_CLIENT_REQUEST, &request, sizeof(request));
    assert_int_equal(control_counters(s.control)->malformed_messages, 4);
    server_fact(&s, CONTROL_PEER_UP, &fact, sizeof(fact));
    assert_int_equal(control_counters(s.control)->facts_stale, 1);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_missing_transaction_is_named_and_not_echoed, setup),
        cmocka_unit_test_setup(test_root_that_is_no_object_lacks_a_transaction, setup),
        cmocka_unit_test_setup(test_ping_and_info_need_no_secret_and_any_case, setup),
        cmocka_unit_test_setup(test_root_refuses_other_verbs_before_the_secret, setup),
        cmocka_unit_test_setup(test_ids_that_cannot_be_are_told_apart, setup),
        cmocka_unit_test_setup(test_root_verbs_with_a_session_are_unknown, setup),
        cmocka_unit_test_setup(test_verbs_at_the_wrong_level, setup),
        cmocka_unit_test_setup(test_a_long_verb_is_cut_inside_no_character, setup),
        cmocka_unit_test_setup(test_create_gives_ids_without_a_session_id_beside, setup),
        cmocka_unit_test_setup(test_a_wrong_secret_hides_whether_sessions_exist, setup),
        cmocka_unit_test_setup(test_attach_checks_its_parameters_in_order, setup),
        cmocka_unit_test_setup(test_a_disabled_plugin_is_not_there, setup),
        cmocka_unit_test_setup(test_detach_answers_then_takes_leave_then_tells, setup),
        cmocka_unit_test_setup(test_destroy_is_silent_about_its_handles, setup),
        cmocka_unit_test_setup(test_hangup_without_a_peer_connection_tells_the_plugin_once, setup),
        cmocka_unit_test_setup(test_one_session_takes_999_handles_and_ends_in_bounded_turns, setup),
        cmocka_unit_test_setup(test_a_session_has_a_named_limit_of_handles, setup),
        cmocka_unit_test_setup(test_opaque_id_is_echoed_only_when_configured, setup),
        cmocka_unit_test_setup(test_message_outcomes, setup),
        cmocka_unit_test_setup(test_a_plugin_without_a_hint_has_none, setup),
        cmocka_unit_test_setup(test_events_pushed_during_a_request_come_after_its_ack, setup),
        cmocka_unit_test_setup(test_jsep_that_is_no_object, setup),
        cmocka_unit_test_setup(test_a_plugin_may_end_its_handle, setup),
        cmocka_unit_test_setup(test_a_handle_that_ends_before_its_wish_is_granted, setup),
        cmocka_unit_test_setup(test_replies_are_in_the_layout_of_the_client, setup),
        cmocka_unit_test_setup(test_transactions_are_copied_verbatim, setup),
        cmocka_unit_test_setup(test_texts_have_a_limit, setup),
        cmocka_unit_test_setup(test_a_plugin_logs_through_its_host, setup),
        cmocka_unit_test_setup(test_every_full_pool_is_an_error_reply, setup),
        cmocka_unit_test_setup(test_messages_of_impossible_size_are_counted, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
