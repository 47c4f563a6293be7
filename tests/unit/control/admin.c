/* The Admin API: order of checks, verbs at their level, settings (admin-api.md 1, 3, 4, 5). */
#include "control/admin_help.h"

#include <stdlib.h>
#include <string.h>

#include "control/call.h"
#include "control/probe_plugin.h"
#include "control/sdp_texts.h"
#include "msg/log.h"

#define REFUSAL "Unauthorized request (wrong or missing secret/token)"

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

/* -- handle_info -------------------------------------------------------------------------------------------------------------- */

static void ask_handle(int64_t session, int64_t handle, const char *more)
{
    char text[300];
    snprintf(text, sizeof(text), "\"janus\":\"handle_info\",\"session_id\":%lld,\"handle_id\":%lld%s", (long long)session, (long long)handle, more);
    ask(text);
}

static void expect_keys(const json_t *object, const char *keys)
{
    char text[1000] = "";
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        strcat(text, text[0] == '\0' ? "" : " ");
        strcat(text, key);
    }
    assert_string_equal(text, keys);
}

static void test_a_handle_without_a_peerconnection(void **state)
{
    (void)state;
    int64_t session = server_create(&s, 1), handle = server_attach(&s, 1, session);
    server_advance(&s, MSEC(500));
    ask_handle(session, handle, "");
    json_t *reply = server_hear_json(&s, 9), *info = json_object_get(reply, "info");
    expect_keys(reply, "janus session_id transaction handle_id info");
    expect_keys(info, "session_id session_last_activity session_timeout session_transport handle_id loop-running created current_time plugin flags sdps "
                      "queued-packets");
    expect_keys(json_object_get(info, "flags"),
                "got-offer got-answer negotiated processing-offer starting ice-restart ready stopped alert trickle all-trickles resend-trickles "
                "trickle-synced data-channels has-audio has-video new-datachan-sdp rfc4588-rtx cleaning e2ee");
    assert_true(json_is_true(json_object_get(json_object_get(info, "flags"), "alert")));
    assert_int_equal(json_integer_value(json_object_get(info, "current_time")), MSEC(500));
    assert_int_equal(json_integer_value(json_object_get(info, "created")), 0);
    assert_string_equal(json_string_value(json_object_get(info, "session_transport")), "janus.transport.websockets");
    json_decref(reply);
    ask_handle(session, handle, ",\"plugin_only\":true");
    reply = server_hear_json(&s, 9);
    expect_keys(json_object_get(reply, "info"),
                "session_id session_last_activity session_timeout session_transport handle_id loop-running created current_time plugin");
    json_decref(reply);
    ask_handle(session, handle, ",\"plugin_only\":1");
    expect_error(&s, 9, 467, "Invalid element type (plugin_only should be a boolean)");
    assert_int_equal(server_orders(&s, WORKER_COLLECT), 0);
}

/* A report about the call's two lines, as its worker gives it. */
static void answer_collect(const struct call *call, struct ref op, bool exists)
{
    const size_t size = sizeof(struct peer_report) + 2 * sizeof(struct peer_line_report);
    struct peer_report *report = calloc(1, size);
    report->peer = call->peer;
    report->exists = exists;
    report->ice_state = ICE_CONNECTED;
    report->has_dtls = true;
    report->dtls_state = DTLS_CONNECTED;
    report->srtp_profile = DTLS_SRTP_AEAD_AES_128_GCM;
    report->keys_at = s.now + 1;
    report->line_count = 2;
    for (uint16_t i = 0; i < 2; i++) {
        report->lines[i] = (struct peer_line_report){.mindex = i, .layer_count = 1, .pt = i == 0 ? 111 : 96};
        report->lines[i].layers[0] = (struct media_stats){.packets_in = 5u + i, .rtt_ms = 12, .clock_hz = i == 0 ? 48000 : 90000};
    }
    struct message m = {.from = ACTOR_WORKER_0, .type = CONTROL_COLLECTED, .op = op, .payload = report, .size = size};
    control_ops.on_message(s.control, s.now, &m);
    server_turn(&s);
    free(report);
}

static struct ref collect_name(void)
{
    for (uint32_t i = 0; i < SERVER_WORKERS; i++) {
        const struct fake_sent *sent = fake_next(s.actor, (actor_id)(ACTOR_WORKER_0 + i), WORKER_COLLECT);
        if (sent != NULL)
            return sent->op;
    }
    fail();
    return REF_NONE;
}

static json_t *info_of(const char *path)
{
    json_t *reply = server_hear_json(&s, 9), *found = json_incref(json_object_get(json_object_get(reply, "info"), path));
    json_decref(reply);
    return found;
}

static void test_what_a_worker_knows_is_waited_for(void **state)
{
    (void)state;
    struct call call;
    call_begin(&s, &call, 1);
    call_connect(&s, &call, SDP_CLIENT_OFFER, "");
    ask_handle(call.session, call.handle, "");
    expect_silence(&s, 9);
    assert_int_equal(server_credits(&s, 9), 0);
    struct ref name = collect_name();
    answer_collect(&call, (struct ref){name.slot, name.generation + 1}, true);     /* not what was asked for */
    expect_silence(&s, 9);
    answer_collect(&call, name, true);
    json_t *webrtc = info_of("webrtc"), *media = json_object_get(webrtc, "media"), *video = json_object_get(media, "1");
    expect_keys(webrtc, "ice dtls extensions bwe media");
    expect_keys(json_object_get(webrtc, "dtls"), "fingerprint remote-fingerprint remote-fingerprint-hash dtls-role dtls-state retransmissions valid "
                                                 "srtp-profile ready connected sctp-association stats");
    expect_keys(video, "type mindex mid msid do_nacks nack-queue-ms ssrc direction codecs rtcp stats");
    expect_keys(json_object_get(json_object_get(video, "rtcp"), "main"),
                "base rtt lost lost-by-remote jitter-local jitter-remote in-link-quality in-media-link-quality out-link-quality out-media-link-quality");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(video, "stats"), "in"), "packets")), 6);
    assert_string_equal(json_string_value(json_object_get(json_object_get(video, "codecs"), "codec")), "vp8");
    json_decref(webrtc);
    assert_int_equal(server_credits(&s, 9), 1);
    answer_collect(&call, name, true);                  /* twice: the second finds nobody */
    expect_silence(&s, 9);
}

static void test_a_worker_that_says_nothing_is_left_out(void **state)
{
    (void)state;
    struct call call;
    call_begin(&s, &call, 1);
    call_connect(&s, &call, SDP_CLIENT_OFFER, "");
    ask_handle(call.session, call.handle, "");
    server_advance(&s, MSEC(199));
    expect_silence(&s, 9);
    server_advance(&s, MSEC(2));
    json_t *webrtc = info_of("webrtc");
    expect_keys(json_object_get(json_object_get(webrtc, "media"), "1"), "type mindex mid msid do_nacks ssrc direction");
    json_decref(webrtc);
    answer_collect(&call, collect_name(), true);        /* too late */
    expect_silence(&s, 9);
    ask_handle(call.session, call.handle, "");
    answer_collect(&call, collect_name(), false);       /* gone on the worker, not yet here */
    webrtc = info_of("webrtc");
    assert_null(json_object_get(json_object_get(webrtc, "ice"), "state"));
    json_decref(webrtc);
}

static void test_what_goes_meanwhile(void **state)
{
    (void)state;
    struct call call;
    call_begin(&s, &call, 1);
    call_connect(&s, &call, SDP_CLIENT_OFFER, "");
    ask_handle(call.session, call.handle, "");
    server_gone(&s, 9);                                 /* who has asked */
    answer_collect(&call, collect_name(), true);
    assert_non_null(server_hear(&s, 9));                /* io knows that it is for nobody */
    ask_handle(call.session, call.handle, "");
    server_gone(&s, 1);                                 /* whom it is about */
    answer_collect(&call, collect_name(), true);
    assert_non_null(strstr(server_hear(&s, 9), "\"code\":459"));
    for (unsigned i = 0; i < 3; i++) {                  /* and the server, with requests that wait */
        call_begin(&s, &call, 1);
        call_connect(&s, &call, SDP_CLIENT_OFFER, "");
        ask_handle(call.session, call.handle, "");
    }
}

static void test_so_many_may_wait(void **state)
{
    (void)state;
    struct call call;
    call_begin(&s, &call, 1);
    call_connect(&s, &call, SDP_CLIENT_OFFER, "");
    for (unsigned i = 0; i < ADMIN_WAITS_MAX; i++) {
        ask_handle(call.session, call.handle, "");
        expect_silence(&s, 9);
    }
    ask_handle(call.session, call.handle, "");
    expect_error(&s, 9, 490, "Too many requests are waiting");
    server_advance(&s, MSEC(201));
    for (unsigned i = 0; i < ADMIN_WAITS_MAX; i++)
        assert_non_null(server_hear(&s, 9));
    assert_int_equal(server_credits(&s, 9), ADMIN_WAITS_MAX + 1);
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
        TEST(test_a_handle_without_a_peerconnection),
        TEST(test_what_a_worker_knows_is_waited_for),
        TEST(test_a_worker_that_says_nothing_is_left_out),
        TEST(test_what_goes_meanwhile),
        TEST(test_so_many_may_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
