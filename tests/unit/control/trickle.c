/* Candidates from clients: the matrix of janus-api.md 6.1, before and after there is a PeerConnection; webrtc.md 6.3. */
#include "control/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/probe_plugin.h"
#include "control/sdp_texts.h"

#define CANDIDATE(port) "\"candidate\":\"candidate:1 1 udp 2122260223 10.0.0.5 " port " typ host\""
#define ON_FIRST        "\"sdpMid\":\"0\",\"sdpMLineIndex\":0,"
#define NO_CANDIDATES   SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendrecv")

static struct server s;
static struct call call;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    server_start(&s);
    call_begin(&s, &call, 1);
    return 0;
}

static void trickle(const char *rest)
{
    server_say(&s, 1, "{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":%lld,\"handle_id\":%lld%s}", call.session, call.handle, rest);
}

static void expect_ack(void)
{
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"t\"}", call.session);
}

static uint16_t next_port(void)
{
    const struct peer_candidate_order *order = server_order(&s, WORKER_PEER_CANDIDATE, NULL);
    return order == NULL ? 0 : order->candidate.addr.port;
}

static void test_neither_and_both_keys(void **state)
{
    (void)state;
    for (int connected = 0; connected < 2; connected++) {
        trickle("");
        expect_error(&s, 1, 456, "Missing mandatory element (candidate|candidates)");
        trickle(",\"candidate\":null,\"candidates\":[]");
        expect_error(&s, 1, 454, "Can't have both candidate and candidates");
        if (connected == 0)
            call_connect(&s, &call, NO_CANDIDATES, "");
    }
    server_end(&s);
}

static void test_before_a_peer_connection_anything_is_acked(void **state)
{
    (void)state;
    static const char *const anything[] = {
        ",\"candidates\":5", ",\"candidates\":{}", ",\"candidate\":5", ",\"candidate\":{}", ",\"candidate\":{\"sdpMid\":null}",
        ",\"candidate\":{\"sdpMid\":\"0\",\"candidate\":\"gibberish\"}", ",\"candidates\":[5,{},{\"sdpMid\":\"0\"}]",
    };
    for (size_t i = 0; i < ARRAY_COUNT(anything); i++) {
        trickle(anything[i]);
        expect_ack();
    }
    expect_silence(&s, 1);
    server_end(&s);
}

static void test_after_it_each_fault_has_its_answer(void **state)
{
    (void)state;
    static const struct {
        const char *rest;
        int code;
        const char *reason;
    } cases[] = {
        {",\"candidates\":5", 467, "candidates is not an array"},
        {",\"candidates\":null", 467, "candidates is not an array"},
        {",\"candidate\":{\"sdpMid\":null}", 467, "Trickle error: invalid element type (sdpMid should be a string)"},
        {",\"candidate\":{\"sdpMLineIndex\":-1}", 467, "Trickle error: invalid element type (sdpMLineIndex should be a positive integer)"},
        {",\"candidate\":{\"sdpMLineIndex\":\"0\"}", 467, "Trickle error: invalid element type (sdpMLineIndex should be a positive integer)"},
        {",\"candidate\":{}", 456, "Trickle error: missing mandatory element (sdpMid or sdpMLineIndex)"},
        {",\"candidate\":{\"sdpMid\":\"0\"}", 456, "Trickle error: missing mandatory element (candidate)"},
        {",\"candidate\":{\"sdpMLineIndex\":0,\"candidate\":5}", 467, "Trickle error: invalid element type (candidate should be a string)"},
    };
    call_connect(&s, &call, NO_CANDIDATES, "");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        trickle(cases[i].rest);
        expect_error(&s, 1, cases[i].code, cases[i].reason);
    }
    assert_null(fake_peek(s.actor, ACTOR_WORKER_0 + call.peer.worker));
    server_end(&s);
}

static void test_after_it_what_is_of_no_use_is_acked_and_ignored(void **state)
{
    (void)state;
    static const char *const useless[] = {
        ",\"candidate\":{\"sdpMLineIndex\":1," CANDIDATE("50001") "}",
        ",\"candidate\":{\"sdpMid\":\"1\"," CANDIDATE("50001") "}",
        ",\"candidate\":{\"sdpMid\":\"a-mid-that-is-much-longer-than-any-mid-may-be\"," CANDIDATE("50001") "}",
        ",\"candidate\":{" ON_FIRST "\"candidate\":\"gibberish\"}",
        ",\"candidate\":{" ON_FIRST "\"candidate\":\"\"}",
        ",\"candidate\":{" ON_FIRST "\"candidate\":\"a=end-of-candidates\"}",
        ",\"candidate\":{" ON_FIRST "\"candidate\":\"candidate:1 2 udp 2122260223 10.0.0.5 50001 typ host\"}",
        ",\"candidate\":{" ON_FIRST "\"candidate\":\"candidate:1 1 tcp 2122260223 10.0.0.5 9 typ host tcptype active\"}",
        ",\"candidate\":{" ON_FIRST "\"candidate\":\"candidate:1 1 udp 2122260223 host.example 50001 typ host\"}",
        ",\"candidate\":{" ON_FIRST "\"candidate\":\"candidate:1 1 udp 2122260223 4e0f0f0f-31b5-4b1e-8d6c-9a5a3f7bd0d1.local 50001 typ host\"}",
        ",\"candidates\":[]",
        ",\"candidates\":[{},{\"sdpMid\":5},{\"sdpMid\":\"0\"}]",
    };
    call_connect(&s, &call, NO_CANDIDATES, "");
    for (size_t i = 0; i < ARRAY_COUNT(useless); i++) {
        trickle(useless[i]);
        expect_ack();
    }
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATE) + server_orders(&s, WORKER_PEER_CANDIDATES_END), 0);
    assert_int_equal(control_counters(s.control)->candidates_mdns, 1);
    assert_int_equal(control_counters(s.control)->candidates_tcp, 1);
    server_end(&s);
}

static void test_the_end_of_candidates_has_many_forms(void **state)
{
    (void)state;
    static const char *const ends[] = {",\"candidate\":null", ",\"candidate\":\"x\"", ",\"candidate\":7", ",\"candidate\":[]",
                                       ",\"candidate\":{\"completed\":true}", ",\"candidate\":{\"completed\":null}",
                                       ",\"candidates\":[{\"completed\":false}]"};
    call_connect(&s, &call, NO_CANDIDATES, "");
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        trickle(ends[i]);
        expect_ack();
        assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATES_END), 1);
    }
    server_end(&s);
}

static void test_candidates_go_to_the_peers_worker_in_order(void **state)
{
    (void)state;
    call_connect(&s, &call, NO_CANDIDATES, "");
    trickle(",\"candidate\":{" ON_FIRST "\"usernameFragment\":\"wxyz\"," CANDIDATE("50001") "}");
    expect_ack();
    trickle(",\"candidates\":[{\"sdpMid\":\"0\"," CANDIDATE("50002") "},{},{\"sdpMLineIndex\":0," CANDIDATE("50003") "},{\"completed\":true}]");
    expect_ack();
    uint32_t worker;
    const struct peer_candidate_order *order = server_order(&s, WORKER_PEER_CANDIDATE, &worker);
    assert_true(ref_equal(order->peer, call.peer.ref));
    assert_int_equal(worker, call.peer.worker);
    assert_int_equal(order->candidate.addr.port, 50001);
    assert_int_equal(next_port(), 50002);
    assert_int_equal(next_port(), 50003);
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATES_END), 1);
    server_end(&s);
}

static void test_early_candidates_wait_for_the_answer(void **state)
{
    (void)state;
    trickle(",\"candidate\":{" ON_FIRST CANDIDATE("50001") "}");
    expect_ack();
    trickle(",\"candidates\":[{\"sdpMid\":\"1\"," CANDIDATE("50002") "},{\"sdpMLineIndex\":0," CANDIDATE("50003") "},null]");
    expect_ack();
    call_jsep(&s, &call, "answer", "offer", NO_CANDIDATES, "");
    assert_int_equal(next_port(), 50001);               /* 50002 was for another line */
    assert_int_equal(next_port(), 50003);
    assert_int_equal(next_port(), 0);
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATES_END), 1);
    server_end(&s);
}

static void test_early_candidates_grow_old(void **state)
{
    (void)state;
    trickle(",\"candidate\":{" ON_FIRST CANDIDATE("50001") "}");
    server_advance(&s, SEC(40));
    trickle(",\"candidate\":{" ON_FIRST CANDIDATE("50002") "}");
    server_advance(&s, SEC(6));
    fake_forget(s.actor);
    call_jsep(&s, &call, "answer", "offer", NO_CANDIDATES, "");
    assert_int_equal(next_port(), 50002);
    assert_int_equal(next_port(), 0);
    assert_int_equal(control_counters(s.control)->candidates_late, 1);
    server_end(&s);
}

static void test_early_candidates_go_with_a_hangup(void **state)
{
    (void)state;
    trickle(",\"candidate\":{" ON_FIRST CANDIDATE("50001") "}");
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", call.session, call.handle);
    fake_forget(s.actor);
    call_jsep(&s, &call, "answer", "offer", NO_CANDIDATES, "");
    assert_int_equal(next_port(), 0);
    server_end(&s);
}

static void test_at_most_32_candidates_are_taken(void **state)
{
    (void)state;
    for (int when = 0; when < 2; when++) {              /* before and after the answer */
        for (int i = 0; i < 100; i++) {
            char rest[160];
            snprintf(rest, sizeof(rest), ",\"candidate\":{" ON_FIRST "\"candidate\":\"candidate:1 1 udp 2122260223 10.0.0.5 %d typ host\"}", 40000 + i);
            trickle(rest);
            expect_ack();
        }
        if (when == 0)
            call_jsep(&s, &call, "answer", "offer", NO_CANDIDATES, "");
        server_hear(&s, 1);
        server_hear(&s, 1);
    }
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATE), REMOTE_CANDIDATES_MAX);
    assert_int_equal(control_counters(s.control)->candidates_over_limit, 200 - REMOTE_CANDIDATES_MAX);
    server_end(&s);
}

/* A text of 1 MB has room for half a million of them: the worker is told once, however often it was said. */
static void test_the_end_said_over_and_over_is_one_order(void **state)
{
    (void)state;
    char rest[8192] = ",\"candidates\":[0";
    call_connect(&s, &call, NO_CANDIDATES, "");
    server_orders(&s, WORKER_PEER_CANDIDATES_END);
    for (int i = 0; i < 1000; i++)
        strcat(rest, i % 2 == 0 ? ",{}" : ",null");
    strcat(rest, ",{" ON_FIRST CANDIDATE("40001") "},{\"completed\":true}]");
    trickle(rest);
    expect_ack();
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATES_END), 1);
    assert_int_equal(next_port(), 40001);
    server_end(&s);
}

static void test_trickle_false_ends_the_candidates_at_once(void **state)
{
    (void)state;
    call_jsep(&s, &call, "answer", "offer", SDP_CLIENT_OFFER, ",\"trickle\":false");
    assert_int_equal(next_port(), 50001);
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATES_END), 1);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_neither_and_both_keys, setup),
        cmocka_unit_test_setup(test_before_a_peer_connection_anything_is_acked, setup),
        cmocka_unit_test_setup(test_after_it_each_fault_has_its_answer, setup),
        cmocka_unit_test_setup(test_after_it_what_is_of_no_use_is_acked_and_ignored, setup),
        cmocka_unit_test_setup(test_the_end_of_candidates_has_many_forms, setup),
        cmocka_unit_test_setup(test_candidates_go_to_the_peers_worker_in_order, setup),
        cmocka_unit_test_setup(test_early_candidates_wait_for_the_answer, setup),
        cmocka_unit_test_setup(test_early_candidates_grow_old, setup),
        cmocka_unit_test_setup(test_early_candidates_go_with_a_hangup, setup),
        cmocka_unit_test_setup(test_at_most_32_candidates_are_taken, setup),
        cmocka_unit_test_setup(test_the_end_said_over_and_over_is_one_order, setup),
        cmocka_unit_test_setup(test_trickle_false_ends_the_candidates_at_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
