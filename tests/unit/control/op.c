/* Requests that wait (control/op.h): every way in which an operation ends, and what waits behind it. */
#include "control/server.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "control/op.h"
#include "control/probe_plugin.h"

static struct server s;
static int64_t session, handle;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    server_start(&s);
    session = server_create(&s, 1);
    handle = server_attach(&s, 1, session);
    (void)server_credits(&s, 1);
    (void)probe_diary();
    return 0;
}

/* A message of client 1 with a transaction of its own. */
static void say(const char *transaction, const char *body)
{
    server_say(&s, 1, "{\"janus\":\"message\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"%s\",\"body\":%s}", (long long)session,
               (long long)handle, transaction, body);
}

static void verb(const char *name)
{
    server_say(&s, 1, "{\"janus\":\"%s\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"%s\"}", name, (long long)session,
               (long long)handle, name);
}

/* Its next text is `janus` with that transaction (NULL: none) and, of plugin data, `data` (NULL: any). */
static void expect(const char *janus, const char *transaction, const char *data)
{
    json_t *document = server_hear_json(&s, 1);
    const json_t *got = json_object_get(document, "transaction");
    assert_string_equal(json_string_value(json_object_get(document, "janus")), janus);
    if (transaction != NULL)
        assert_string_equal(json_string_value(got), transaction);
    else
        assert_null(got);
    if (data != NULL) {
        char *text = json_dumps(json_object_get(json_object_get(document, "plugindata"), "data"), JSON_COMPACT);
        assert_string_equal(text, data);
        free(text);
    }
    json_decref(document);
}

static void expect_counts(uint32_t waiting, uint64_t begun)
{
    assert_int_equal(control_sizes(s.control).ops, waiting);
    assert_int_equal(control_counters(s.control)->ops_begun, begun);
}

/* ---- endings ---- */

static void test_the_answer_ends_it(void **state)
{
    (void)state;
    say("t", "{\"do\":\"save\",\"path\":\"/etc/rooms\"}");
    expect_silence(&s, 1);
    assert_int_equal(server_credits(&s, 1), 0);         /* not answered yet */
    expect_counts(1, 1);
    struct ref op;
    const struct disk_save *save = server_save(&s, &op);
    assert_string_equal(save->text, "/etc/rooms");
    assert_memory_equal(save->text + save->path_size, "text", save->size);
    server_disk_answer(&s, op, NULL);
    expect("success", "t", "{\"saved\":\"none\",\"why\":\"\"}");
    expect("event", "t", "{\"probe\":\"pushed while it was resumed\"}");     /* after the direct reply */
    assert_int_equal(server_credits(&s, 1), 1);
    expect_counts(0, 1);
    server_disk_answer(&s, op, NULL);                   /* twice: finds nobody */
    expect_silence(&s, 1);
    assert_int_equal(control_counters(s.control)->answers_stale, 1);
    assert_string_equal(probe_diary(), "resumed:none");
    server_end(&s);
}

static void test_a_failure_is_the_plugins_to_tell(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\"}");
    assert_true(server_save_done(&s, "No space left on device"));
    expect("success", "a", "{\"saved\":\"io\",\"why\":\"No space left on device\"}");
    expect("event", "a", NULL);
    say("b", "{\"do\":\"save\",\"then\":\"error\"}");
    assert_true(server_save_done(&s, NULL));
    expect_error(&s, 1, 462, "not saved");
    assert_int_equal(server_credits(&s, 1), 2);
    server_end(&s);
}

static void test_acked_at_once_or_at_the_end(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\",\"ack\":true}");
    expect("ack", "a", NULL);
    assert_int_equal(server_credits(&s, 1), 0);
    assert_true(server_save_done(&s, NULL));
    expect("event", "a", "{\"saved\":\"none\",\"why\":\"\"}");
    expect_silence(&s, 1);
    assert_int_equal(server_credits(&s, 1), 1);
    say("b", "{\"do\":\"save\",\"then\":\"ack\"}");
    expect_silence(&s, 1);
    assert_true(server_save_done(&s, NULL));
    expect("ack", "b", NULL);
    expect("event", "b", "{\"saved\":\"none\",\"why\":\"\"}");
    expect_silence(&s, 1);
    server_end(&s);
}

static void test_one_operation_after_the_other(void **state)
{
    (void)state;
    say("t", "{\"do\":\"save\",\"steps\":3}");
    for (int i = 0; i < 2; i++) {
        assert_true(server_save_done(&s, NULL));
        expect("event", "t", "{\"probe\":\"more\"}");
        expect_silence(&s, 1);
        expect_counts(1, (uint64_t)i + 2);
    }
    assert_true(server_save_done(&s, NULL));
    expect("success", "t", NULL);
    assert_int_equal(probe_seen.steps, 3);
    assert_int_equal(server_credits(&s, 1), 1);
    server_end(&s);
}

/* All operations of a request together have one deadline; after it the plugin can begin no more. */
static void test_the_deadline_ends_it(void **state)
{
    (void)state;
    struct ref op;
    say("t", "{\"do\":\"save\",\"steps\":2}");
    server_advance(&s, OP_TIME_US - SEC(1));
    assert_true(server_save_done(&s, NULL));
    expect("event", "t", "{\"probe\":\"more\"}");
    server_advance(&s, SEC(1) - 1);
    expect_silence(&s, 1);
    assert_non_null(server_save(&s, &op));
    server_advance(&s, 1);
    expect("success", "t", "{\"saved\":\"timeout\",\"why\":\"\"}");
    expect("event", "t", NULL);
    say("u", "{\"do\":\"save\",\"steps\":2,\"ack\":true}");
    expect("ack", "u", NULL);
    server_advance(&s, OP_TIME_US);
    assert_int_equal(probe_seen.begin_result, ERR_STATE);
    expect("event", "u", "{\"probe\":\"more\"}");
    expect("event", "u", "{\"saved\":\"timeout\",\"why\":\"\"}");
    expect_counts(0, 3);
    assert_int_equal(control_counters(s.control)->ops_timed_out, 2);
    assert_int_equal(server_credits(&s, 1), 2);
    server_disk_answer(&s, op, NULL);
    assert_int_equal(control_counters(s.control)->answers_stale, 1);
    server_end(&s);
}

static void test_detach_answers_it_and_all_behind_it_first(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\",\"steps\":9}");
    say("b", "{\"do\":\"sync\"}");
    say("c", "{\"do\":\"sync\"}");
    expect_silence(&s, 1);
    verb("detach");
    expect("success", "a", "{\"saved\":\"gone\",\"why\":\"\"}");
    expect("event", "a", "{\"probe\":\"more\"}");      /* tried to go on, and was not let */
    expect("event", "a", NULL);
    expect_error(&s, 1, 459, "The handle was detached before this request was served");
    expect_error(&s, 1, 459, "The handle was detached before this request was served");
    expect("success", "detach", NULL);
    expect("detached", NULL, NULL);
    expect_silence(&s, 1);
    assert_string_equal(probe_diary(), "resumed:gone hangup detach");
    assert_int_equal(server_credits(&s, 1), 4);
    expect_counts(0, 1);
    assert_true(server_save_done(&s, NULL));            /* comes too late */
    assert_int_equal(control_counters(s.control)->answers_stale, 1);
    assert_int_equal(control_counters(s.control)->ops_cut_short, 1);
    server_end(&s);
}

static void test_the_end_of_the_session_ends_it(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\"}");
    say("b", "{\"do\":\"sync\"}");
    server_say(&s, 1, "{\"janus\":\"destroy\",\"session_id\":%lld,\"transaction\":\"d\"}", (long long)session);
    expect("success", "d", NULL);
    expect("success", "a", "{\"saved\":\"gone\",\"why\":\"\"}");
    expect_error(&s, 1, 459, "The handle was detached before this request was served");
    expect_silence(&s, 1);
    assert_int_equal(server_credits(&s, 1), 3);
    expect_counts(0, 1);
    assert_int_equal(control_sizes(s.control).clients, 0);
    server_end(&s);
}

static void test_the_session_time_out_ends_it(void **state)
{
    (void)state;
    server_end(&s);
    server_init(&s);
    s.settings.session_timeout_s = 4;                   /* sooner than OP_TIME_US */
    server_start(&s);
    session = server_create(&s, 1);
    handle = server_attach(&s, 1, session);
    say("a", "{\"do\":\"save\"}");
    server_advance(&s, SEC(8));
    expect("timeout", NULL, NULL);
    expect("success", "a", "{\"saved\":\"gone\",\"why\":\"\"}");
    expect_silence(&s, 1);
    expect_counts(0, 1);
    server_end(&s);
}

/* Its client has gone: it is ended, so are the requests behind it, and the credits go home. */
static void gone(uint32_t reclaim_s)
{
    server_init(&s);
    s.settings.reclaim_session_timeout_s = reclaim_s;
    server_start(&s);
    session = server_create(&s, 1);
    handle = server_attach(&s, 1, session);
    (void)server_credits(&s, 1);
    say("a", "{\"do\":\"save\",\"ack\":true}");
    say("b", "{\"do\":\"sync\"}");
    (void)probe_diary();
    server_gone(&s, 1);
    assert_int_equal(server_credits(&s, 1), 2);
    expect_counts(0, 1);
    assert_int_equal(control_counters(s.control)->documents_dropped, 1);
    assert_int_equal(control_sizes(s.control).clients, 0);
    assert_string_equal(probe_diary(), reclaim_s > 0 ? "resumed:gone" : "resumed:gone hangup detach");
    assert_true(server_save_done(&s, NULL));
    assert_int_equal(control_counters(s.control)->answers_stale, 1);
    server_end(&s);
}

static void test_the_end_of_the_client_ends_it(void **state)
{
    (void)state;
    gone(0);
    gone(30);
}

/* The session has moved to another connection: what the old one asked for ends with the old one, what the new one asks goes on. */
static void test_a_claimed_session_keeps_the_new_clients_requests(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\",\"free\":true}");
    server_say(&s, 2, "{\"janus\":\"claim\",\"session_id\":%lld,\"transaction\":\"c\"}", (long long)session);
    server_say(&s, 2, "{\"janus\":\"message\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"b\",\"body\":{\"do\":\"save\"}}",
               (long long)session, (long long)handle);
    server_gone(&s, 1);
    expect_counts(1, 2);
    struct ref old, new;
    assert_non_null(server_save(&s, &old));
    assert_non_null(server_save(&s, &new));
    server_disk_answer(&s, new, NULL);
    assert_non_null(server_hear(&s, 2));                /* success of the claim */
    const char *text = server_hear(&s, 2);
    while (strstr(text, "\"none\"") == NULL)            /* an event of a's end may come first: the session is its own now */
        text = server_hear(&s, 2);
    expect_counts(0, 2);
    assert_int_equal(server_credits(&s, 1) + server_credits(&s, 2), 3);
    server_end(&s);
}

static void test_the_end_of_the_server_ends_it(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\"}");
    say("b", "{\"do\":\"save\"}");
    control_ops.on_stop(s.control, s.now);
    server_turn(&s);
    expect("success", "a", "{\"saved\":\"gone\",\"why\":\"\"}");
    expect_counts(0, 1);
    assert_true(s.actor->stopped);
    server_end(&s);
    setup(state);
    say("a", "{\"do\":\"save\",\"steps\":3}");
    say("b", "{\"do\":\"save\"}");
    server_end(&s);                                     /* without a stop; all memory is home */
}

/* ---- order ---- */

static void test_later_requests_wait_and_others_pass(void **state)
{
    (void)state;
    int64_t other = server_attach(&s, 1, session);
    (void)server_credits(&s, 1);
    say("a", "{\"do\":\"save\"}");
    say("b", "{\"do\":\"sync\"}");
    say("c", "{\"do\":\"save\"}");
    say("d", "{\"do\":\"sync\"}");
    expect_silence(&s, 1);
    say("free", "{\"do\":\"error\",\"free\":true}");
    expect_error(&s, 1, 462, "the probe says no");
    verb("keepalive");
    expect("ack", "keepalive", NULL);
    server_say(&s, 1, "{\"janus\":\"trickle\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"trickle\",\"candidate\":{\"completed\":true}}",
               (long long)session, (long long)handle);
    expect("ack", "trickle", NULL);
    verb("hangup");
    expect("success", "hangup", NULL);
    expect("event", NULL, "{\"probe\":\"done\"}");
    server_message(&s, 1, session, other, "{\"do\":\"error\"}");
    expect_error(&s, 1, 462, "the probe says no");
    expect_silence(&s, 1);
    assert_int_equal(server_credits(&s, 1), 5);
    assert_int_equal(control_counters(s.control)->requests_queued, 3);

    assert_true(server_save_done(&s, NULL));
    expect("success", "a", NULL);
    expect("event", "a", NULL);
    server_turn(&s);
    expect("success", "b", NULL);
    expect("event", "b", NULL);
    server_turn(&s);                                    /* c has begun its own */
    expect_silence(&s, 1);
    assert_true(server_save_done(&s, NULL));
    expect("success", "c", NULL);
    expect("event", "c", NULL);
    server_turn(&s);
    expect("success", "d", NULL);
    expect("event", "d", NULL);
    assert_int_equal(server_credits(&s, 1), 4);
    expect_counts(0, 2);
    server_end(&s);
}

/* Those that may overtake hold up nobody, and many are open at once. */
static void test_free_operations_run_side_by_side(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\",\"free\":true}");
    say("b", "{\"do\":\"save\",\"free\":true}");
    say("c", "{\"do\":\"sync\"}");
    expect("success", "c", NULL);
    expect("event", "c", NULL);
    struct ref first, second;
    assert_non_null(server_save(&s, &first));
    assert_non_null(server_save(&s, &second));
    server_disk_answer(&s, second, NULL);
    expect("success", "b", NULL);
    expect("event", "b", NULL);
    server_disk_answer(&s, first, NULL);
    expect("success", "a", NULL);
    server_end(&s);
}

static void test_what_waits_on_a_handle_is_bounded(void **state)
{
    (void)state;
    say("a", "{\"do\":\"save\"}");
    for (uint32_t i = 1; i < OPS_PER_HANDLE_MAX; i++)
        say("b", "{\"do\":\"sync\"}");
    expect_silence(&s, 1);
    say("c", "{\"do\":\"sync\"}");
    expect_error(&s, 1, 490, "Too many requests are waiting on this handle");
    say("d", "{\"do\":\"save\",\"free\":true}");
    expect("success", "d", "{\"refused\":true}");
    assert_int_equal(probe_seen.begin_result, ERR_FULL);
    assert_int_equal(control_counters(s.control)->ops_refused, 2);
    assert_int_equal(server_credits(&s, 1), 2);
    assert_true(server_save_done(&s, NULL));
    while (control_ops.deadline(s.control) <= s.now)
        server_turn(&s);
    expect("success", "a", NULL);
    expect("event", "a", NULL);
    for (uint32_t i = 1; i < OPS_PER_HANDLE_MAX; i++) {
        expect("success", "b", NULL);
        expect("event", "b", NULL);
    }
    assert_int_equal(server_credits(&s, 1), OPS_PER_HANDLE_MAX);
    server_end(&s);
}

/* At every refusal of memory on the way the request is answered all the same. */
static void test_without_room_the_plugin_says_so(void **state)
{
    (void)state;
    bool refused = true;
    for (int n = 0; refused; n++) {
        seam_refuse_pool_at(n);
        say("t", "{\"do\":\"save\"}");
        refused = seam_pool_was_refused();
        seam_refuse_pool_at(-1);
        if (refused)
            expect("success", "t", "{\"refused\":true}");
    }
    assert_true(server_save_done(&s, NULL));
    expect("success", "t", NULL);
    server_end(&s);
}

/* A text with several documents gives its credit back when the last of them is answered, whichever that is. */
static void test_the_credit_of_a_text_waits_for_all_its_documents(void **state)
{
    (void)state;
    char text[4096] = "";
    for (int i = 0; i < 3; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "{\"janus\":\"message\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"%d\",\"body\":{\"do\":\"save\",\"free\":true}}",
                 (long long)session, (long long)handle, i);
    strcat(text, "{\"janus\":\"ping\",\"transaction\":\"p\"}");
    server_say(&s, 1, "%s", text);
    expect("pong", "p", NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(server_credits(&s, 1), 0);
        assert_true(server_save_done(&s, NULL));
    }
    assert_int_equal(server_credits(&s, 1), 1);
    server_end(&s);
}

/* The same when the documents are served in several turns, and when the client goes in between. */
static void test_the_credit_of_a_long_text(void **state)
{
    (void)state;
    const unsigned pings = DOCUMENTS_PER_TURN + 10;
    char *text = calloc(pings + 4, 256);
    for (int round = 0; round < 2; round++) {
        size_t at = 0;
        for (unsigned i = 0; i < pings; i++) {
            if (i == 5 || i == DOCUMENTS_PER_TURN + 5)
                at += (size_t)sprintf(text + at, "{\"janus\":\"message\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"s\",\"body\":{\"do\":\"save\",\"free\":true}}",
                                      (long long)session, (long long)handle);
            at += (size_t)sprintf(text + at, "{\"janus\":\"ping\",\"transaction\":\"p\"}");
        }
        server_post(&s, 1, text);
        if (round == 0)
            for (int i = 0; i < 5; i++)
                server_turn(&s);
        else
            server_gone(&s, 1);
        assert_int_equal(server_credits(&s, 1), round);
        for (int i = 0; i < 2 - round; i++)
            assert_true(server_save_done(&s, NULL));
        assert_int_equal(server_credits(&s, 1), 1 - round);
        assert_int_equal(control_sizes(s.control).ops, 0);
    }
    free(text);
    server_end(&s);
}

/* A request with a description is answered in its turn: nothing may wait between offer and answer. */
static void test_no_operation_with_a_description(void **state)
{
    (void)state;
    const struct plugin_request nobody = {.handle = probe_handle()};
    assert_int_equal(host_file_save(probe_host(), &nobody, "/x", STR(""), NULL), ERR_STATE);      /* nothing is in hand */
    char *sdp = json_quoted("v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\n"
                            "a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
                            "a=mid:0\r\na=rtcp-mux\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\n");
    server_say(&s, 1, "{\"janus\":\"message\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"t\",\"body\":{\"do\":\"save\"},"
                      "\"jsep\":{\"type\":\"offer\",\"sdp\":%s}}", (long long)session, (long long)handle, sdp);
    expect("success", "t", "{\"refused\":true}");
    assert_int_equal(probe_seen.begin_result, ERR_STATE);
    /* It waits behind others like any request, though. */
    say("a", "{\"do\":\"save\"}");
    server_say(&s, 1, "{\"janus\":\"message\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"u\",\"body\":{\"do\":\"answer\",\"free\":true},"
                      "\"jsep\":{\"type\":\"offer\",\"sdp\":%s}}", (long long)session, (long long)handle, sdp);
    expect_silence(&s, 1);
    assert_true(server_save_done(&s, NULL));
    server_turn(&s);
    expect("success", "a", NULL);
    expect("event", "a", NULL);
    expect("ack", "u", NULL);
    expect("event", "u", NULL);
    assert_int_equal(server_orders(&s, WORKER_PEER_OPEN), 1);
    free(sdp);
    server_end(&s);
}

/* For what no request waits for there is no operation, but a bound all the same. */
static void test_saves_that_nobody_waits_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAVES_UNASKED_MAX; i++) {
        say("t", "{\"do\":\"save\",\"unasked\":true}");
        expect("success", "t", "{\"unasked\":\"none\"}");
    }
    say("t", "{\"do\":\"save\",\"unasked\":true}");
    expect("success", "t", "{\"unasked\":\"full\"}");
    expect_counts(0, 0);
    assert_true(server_save_done(&s, NULL));
    assert_true(server_save_done(&s, "No space left on device"));     /* logged, and over */
    for (unsigned i = 0; i < 2; i++) {
        say("t", "{\"do\":\"save\",\"unasked\":true}");
        expect("success", "t", "{\"unasked\":\"none\"}");
    }
    expect_silence(&s, 1);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_answer_ends_it, setup),
        cmocka_unit_test_setup(test_a_failure_is_the_plugins_to_tell, setup),
        cmocka_unit_test_setup(test_acked_at_once_or_at_the_end, setup),
        cmocka_unit_test_setup(test_one_operation_after_the_other, setup),
        cmocka_unit_test_setup(test_the_deadline_ends_it, setup),
        cmocka_unit_test_setup(test_detach_answers_it_and_all_behind_it_first, setup),
        cmocka_unit_test_setup(test_the_end_of_the_session_ends_it, setup),
        cmocka_unit_test_setup(test_the_session_time_out_ends_it, setup),
        cmocka_unit_test(test_the_end_of_the_client_ends_it),
        cmocka_unit_test_setup(test_a_claimed_session_keeps_the_new_clients_requests, setup),
        cmocka_unit_test_setup(test_the_end_of_the_server_ends_it, setup),
        cmocka_unit_test_setup(test_later_requests_wait_and_others_pass, setup),
        cmocka_unit_test_setup(test_free_operations_run_side_by_side, setup),
        cmocka_unit_test_setup(test_what_waits_on_a_handle_is_bounded, setup),
        cmocka_unit_test_setup(test_without_room_the_plugin_says_so, setup),
        cmocka_unit_test_setup(test_the_credit_of_a_text_waits_for_all_its_documents, setup),
        cmocka_unit_test_setup(test_the_credit_of_a_long_text, setup),
        cmocka_unit_test_setup(test_no_operation_with_a_description, setup),
        cmocka_unit_test_setup(test_saves_that_nobody_waits_for, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
