/* Descriptions and the life of PeerConnections: janus-api.md 4.4, 5; webrtc.md 5; plugin-model.md A.2. */
#include "control/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/probe_plugin.h"
#include "control/sdp_texts.h"
#include "proto/sdp/ufrag.h"

static struct server s;
static long long id, handle;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    return 0;
}

static void begin(void)
{
    server_start(&s);
    id = server_create(&s, 1);
    handle = server_attach(&s, 1, id);
    probe_diary();
}

/* `extra`: more members of the jsep. */
static void say_jsep(const char *what, const char *type, const char *sdp, const char *extra)
{
    char *quoted = json_quoted(sdp);
    server_say(&s, 1, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":{\"do\":\"%s\"},"
                      "\"jsep\":{\"type\":\"%s\",\"sdp\":%s%s}}", id, handle, what, type, quoted, extra);
    free(quoted);
}

static void expect_ack(void)
{
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"m\",\"hint\":\"wait for it\"}", id);
}

/* The event with a jsep: its SDP, to be freed. */
static char *expect_jsep(const char *type)
{
    json_t *event = server_hear_json(&s, 1);
    const json_t *jsep = json_object_get(event, "jsep");
    assert_string_equal(json_string_value(json_object_get(event, "janus")), "event");
    assert_string_equal(json_string_value(json_object_get(event, "transaction")), "m");
    assert_int_equal(json_integer_value(json_object_get(event, "sender")), handle);
    assert_string_equal(json_string_value(json_object_get(jsep, "type")), type);
    char *sdp = strdup(json_string_value(json_object_get(jsep, "sdp")));
    json_decref(event);
    return sdp;
}

static bool has_line(const char *sdp, const char *line)
{
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "\r\n%s\r\n", line);
    return strstr(sdp, wanted) != NULL;
}

static void value_of(const char *sdp, const char *name, char out[64])
{
    const char *at = strstr(sdp, name);
    assert_non_null(at);
    snprintf(out, 64, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
}

/* A client's offer, answered by the probe: leaves the peer's name, and nothing unread. */
static struct peer_ref connect_offer(const char *sdp, const char *extra)
{
    uint32_t worker;
    say_jsep("answer", "offer", sdp, extra);
    expect_ack();
    free(expect_jsep("answer"));
    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, &worker);
    assert_non_null(open);
    struct peer_ref peer = {open->peer, worker};
    fake_forget(s.actor);
    return peer;
}

static void fact(uint16_t type, struct peer_ref peer)
{
    struct peer_fact fact = {peer};
    server_fact(&s, type, &fact, sizeof(fact));
}

static void expect_event(const char *janus, const char *rest)
{
    expect_text(&s, 1, "{\"janus\":\"%s\",\"session_id\":%lld,\"sender\":%lld%s}", janus, id, handle, rest);
    assert_true(server_last_was_event(&s));
}

static void expect_done(void)
{
    expect_event("event", ",\"plugindata\":{\"plugin\":\"janus.plugin.probe\",\"data\":{\"probe\":\"done\"}}");
}

/* -- a client's offer --------------------------------------------------------------------------------------------------- */

static void test_an_offer_is_answered_in_its_turn(void **state)
{
    (void)state;
    begin();
    say_jsep("answer", "Offer", SDP_CLIENT_OFFER, "");
    expect_ack();
    char *sdp = expect_jsep("answer");
    expect_silence(&s, 1);
    assert_true(has_line(sdp, "a=fingerprint:sha-256 " FINGERPRINT));
    assert_true(has_line(sdp, "a=setup:active"));
    assert_true(has_line(sdp, "a=candidate:1 1 udp 2130706431 127.0.0.1 20000 typ host") ||
                has_line(sdp, "a=candidate:1 1 udp 2130706431 127.0.0.1 20001 typ host"));
    assert_true(has_line(sdp, "a=end-of-candidates"));

    /* The plugin saw no transport, and the order to open came before the state. */
    assert_true(probe_seen.has_jsep && !probe_seen.update && !probe_seen.e2ee);
    assert_string_equal(probe_seen.type, "offer");
    assert_null(strstr(probe_seen.sdp, "ice-ufrag"));
    assert_null(strstr(probe_seen.sdp, "fingerprint"));
    assert_null(strstr(probe_seen.sdp, "candidate"));

    uint32_t worker, apply_worker;
    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, &worker);
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, &apply_worker);
    const struct peer_candidate_order *candidate = server_order(&s, WORKER_PEER_CANDIDATE, NULL);
    char ufrag[64];
    uint32_t slot, generation;
    value_of(sdp, "a=ice-ufrag:", ufrag);
    assert_string_equal(open->local.ufrag, ufrag);
    assert_true(ufrag_parse(VIEW(ufrag, strlen(ufrag)), &slot, &generation));
    assert_int_equal(slot, open->peer.slot);
    assert_int_equal(generation, open->peer.generation & 0xFFFFFF);
    assert_int_equal(strlen(open->local.pwd), 24);
    assert_false(open->controlling || open->lite);

    assert_int_equal(worker, apply_worker);
    assert_true(ref_equal(apply->peer, open->peer));
    assert_true(apply->remote_known && apply->start && apply->dtls_client && !apply->restart);
    assert_string_equal(apply->remote.ufrag, "wxyz");
    assert_string_equal(apply->remote.pwd, "asd88fgpdd777uzjYhagZg");
    assert_int_equal(apply->fingerprint.hash, DTLS_HASH_SHA256);
    assert_int_equal(apply->fingerprint.bytes[0], 0xAA);
    assert_int_equal(apply->ext.mid, 4);
    assert_int_equal(apply->mline_count, 2);

    /* Of three candidates one is of use here: a name and a TCP one are dropped. */
    assert_int_equal(candidate->candidate.addr.port, 50001);
    assert_null(server_order(&s, WORKER_PEER_CANDIDATE, NULL));
    assert_null(server_order(&s, WORKER_PEER_CANDIDATES_END, NULL));
    assert_int_equal(control_counters(s.control)->candidates_mdns, 1);
    assert_int_equal(control_counters(s.control)->candidates_tcp, 1);
    free(sdp);
    server_end(&s);
}

static void test_the_worker_gets_both_lines_as_agreed(void **state)
{
    (void)state;
    begin();
    say_jsep("answer", "offer", SDP_CLIENT_OFFER, "");
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    const struct mline_desc *audio = &apply->mlines[0], *video = &apply->mlines[1];
    assert_int_equal(audio->kind, MEDIA_AUDIO);
    assert_true(audio->send && audio->recv && !audio->nack);
    assert_string_equal(audio->mid, "0");
    assert_int_not_equal(audio->ssrc, 0);
    assert_int_equal(audio->remote_ssrc[0], 1001);
    assert_int_equal(audio->pts[0].pt, 111);
    assert_int_equal(audio->pts[0].codec, CODEC_OPUS);
    assert_int_equal(audio->source_desc.clock_hz, 48000);

    assert_int_equal(video->kind, MEDIA_VIDEO);
    assert_true(video->send && video->recv && video->nack);
    assert_int_not_equal(video->rtx_ssrc, 0);
    assert_int_equal(video->remote_ssrc[0], 2001);
    assert_int_equal(video->remote_rtx_ssrc[0], 2002);
    assert_int_equal(video->layer_count, 1);
    assert_int_equal(video->pt_count, 1);
    assert_int_equal(video->pts[0].pt, 96);
    assert_int_equal(video->pts[0].rtx_pt, 97);
    assert_int_equal(video->source_desc.codec, CODEC_VP8);
    assert_false(ref_is_none(video->source));
    assert_false(ref_equal(video->source, audio->source));
    assert_int_equal(control_sizes(s.control).sources, 2);
    assert_true(ref_equal(probe_seen.source, audio->source));
    assert_int_equal(probe_seen.desc.codec, CODEC_OPUS);
    server_end(&s);
}

static void test_simulcast_reaches_plugin_and_worker(void **state)
{
    (void)state;
    begin();
    const char *sdp = SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendonly") SDP_SIMULCAST;
    say_jsep("answer", "offer", sdp, ",\"e2ee\":true,\"svc\":[{\"mindex\":1,\"svc\":\"L3T3\"}]");
    assert_int_equal(probe_seen.simulcast_count, 1);
    assert_int_equal(probe_seen.simulcast[0].mindex, 1);
    assert_string_equal(probe_seen.simulcast[0].mid, "1");
    assert_int_equal(probe_seen.simulcast[0].layer_count, 3);
    assert_true(probe_seen.simulcast[0].by_rid && probe_seen.e2ee && probe_seen.has_svc);
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    const struct mline_desc *video = &apply->mlines[1];
    assert_false(video->send);
    assert_int_equal(video->layer_count, 3);
    assert_string_equal(video->rid[0], "l");            /* the lowest first */
    assert_string_equal(video->rid[2], "h");
    assert_int_equal(video->source_desc.layer_count, 3);
    assert_true(video->source_desc.opaque);
    expect_ack();
    json_t *event = server_hear_json(&s, 1);
    assert_true(json_is_true(json_object_get(json_object_get(event, "jsep"), "e2ee")));
    json_decref(event);
    server_end(&s);
}

static void test_jsep_elements_are_checked(void **state)
{
    (void)state;
    begin();
    static const struct {
        const char *jsep;
        int code;
        const char *reason;
    } cases[] = {
        {"{}", 456, "JSEP error: missing mandatory element (type)"},
        {"{\"type\":\"offer\"}", 456, "JSEP error: missing mandatory element (sdp)"},
        {"{\"type\":5,\"sdp\":5}", 467, "JSEP error: invalid element type (type should be a string)"},
        {"{\"type\":\"offer\",\"sdp\":null}", 467, "JSEP error: invalid element type (sdp should be a string)"},
        {"{\"type\":\"rollback\",\"sdp\":\"x\"}", 464, "JSEP error: unknown message type 'rollback'"},
        {"{\"type\":\"offer\",\"sdp\":\"x\",\"trickle\":1}", 467, "JSEP error: invalid element type (trickle should be a boolean)"},
        {"{\"type\":\"offer\",\"sdp\":\"x\",\"rid_order\":1}", 467, "JSEP error: invalid element type (rid_order should be a string)"},
        {"{\"type\":\"offer\",\"sdp\":\"x\",\"force_relay\":1}", 467, "JSEP error: invalid element type (force_relay should be a boolean)"},
        {"{\"type\":\"offer\",\"sdp\":\"x\",\"e2ee\":\"yes\"}", 467, "JSEP error: invalid element type (e2ee should be a boolean)"},
        {"{\"type\":\"offer\",\"sdp\":\"x\",\"svc\":5}", 465, "Invalid SDP (doesn't start with v=)"},
        {"{\"type\":\"offer\",\"sdp\":\"v=0\\r\\no=- 1 1 IN IP4 1.1.1.1\\r\\ns=-\\r\\nt=0 0\\r\\nm=audio 9 UDP/TLS/RTP/SAVPF 0\\r\\n\"}", 465,
         "Error processing SDP"},
        {"{\"type\":\"answer\",\"sdp\":\"x\"}", 465, "Invalid SDP (doesn't start with v=)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        server_say(&s, 1, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":{},\"jsep\":%s}", id, handle,
                   cases[i].jsep);
        expect_error(&s, 1, cases[i].code, cases[i].reason);
    }
    assert_int_equal(control_sizes(s.control).pcs, 0);
    say_jsep("answer", "answer", SDP_CLIENT_ANSWER, "");
    expect_error(&s, 1, 469, "Unexpected ANSWER (did we offer?)");
    server_end(&s);
}

/* The reference keeps its agent after a refused offer, and answers the next one with 490. */
static void test_an_offer_that_the_plugin_refuses_may_be_tried_again(void **state)
{
    (void)state;
    begin();
    say_jsep("refuse", "offer", SDP_CLIENT_OFFER, "");
    expect_ack();
    assert_int_equal(control_sizes(s.control).pcs, 0);
    say_jsep("bad-answer", "offer", SDP_CLIENT_OFFER, "");
    expect_ack();
    assert_int_equal(probe_seen.event_result, ERR_INVALID);
    assert_int_equal(control_counters(s.control)->sdp_refused, 1);
    expect_silence(&s, 1);
    assert_int_equal(server_orders(&s, WORKER_PEER_OPEN), 0);
    connect_offer(SDP_CLIENT_OFFER, "");
    server_end(&s);
}

static void test_a_second_answer_is_refused(void **state)
{
    (void)state;
    begin();
    say_jsep("answer-twice", "offer", SDP_CLIENT_OFFER, "");
    assert_int_equal(probe_seen.event_result, ERR_INVALID);
    expect_ack();
    free(expect_jsep("answer"));
    expect_silence(&s, 1);
    assert_int_equal(server_orders(&s, WORKER_PEER_OPEN), 1);
    server_end(&s);
}

static void test_an_answer_that_does_not_fit_leaves_nothing_behind(void **state)
{
    (void)state;
    begin();
    say_jsep("wrong-answer", "offer", SDP_CLIENT_OFFER, "");
    expect_ack();
    assert_int_equal(probe_seen.event_result, ERR_INVALID);
    expect_silence(&s, 1);
    assert_null(fake_peek(s.actor, ACTOR_WORKER_0));
    assert_null(fake_peek(s.actor, ACTOR_WORKER_0 + 1));
    assert_int_equal(control_sizes(s.control).pcs, 0);
    /* In an update the call goes on. */
    struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
    say_jsep("wrong-answer", "offer", SDP_CLIENT_OFFER, "");
    assert_int_equal(probe_seen.event_result, ERR_INVALID);
    assert_int_equal(server_orders(&s, WORKER_PEER_APPLY), 0);
    fake_forget(s.actor);
    server_message(&s, 1, id, handle, "{\"do\":\"bad-offer\"}");      /* audio has become video */
    assert_int_equal(probe_seen.event_result, ERR_INVALID);
    expect_ack();
    fact(CONTROL_PEER_UP, peer);
    expect_event("webrtcup", "");
    server_end(&s);
}

static void test_simulcast_by_ssrcs(void **state)
{
    (void)state;
    begin();
    const char *sdp = SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendonly")
                      "a=ssrc-group:SIM 31 32\r\na=ssrc-group:FID 31 41\r\na=ssrc:31 cname:x\r\na=ssrc:32 cname:x\r\na=ssrc:41 cname:x\r\n";
    say_jsep("answer", "offer", sdp, "");
    assert_int_equal(probe_seen.simulcast_count, 1);
    assert_int_equal(probe_seen.simulcast[0].layer_count, 2);
    assert_false(probe_seen.simulcast[0].by_rid);
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_int_equal(apply->mlines[1].layer_count, 2);
    assert_int_equal(apply->mlines[1].remote_ssrc[1], 32);
    assert_int_equal(apply->mlines[1].remote_rtx_ssrc[0], 41);
    server_end(&s);
}

/* -- a plugin's offer --------------------------------------------------------------------------------------------------- */

static void test_a_plugins_offer_and_the_clients_answer(void **state)
{
    (void)state;
    begin();
    server_message(&s, 1, id, handle, "{\"do\":\"offer\",\"e2ee\":true}");
    expect_ack();
    char *sdp = expect_jsep("offer");
    assert_true(has_line(sdp, "a=setup:actpass"));
    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, NULL);
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(open->controlling);
    assert_false(apply->remote_known || apply->start);
    assert_int_equal(apply->mline_count, 2);
    assert_int_not_equal(apply->mlines[0].ssrc, 0);
    assert_false(apply->mlines[0].send || apply->mlines[0].recv);
    assert_true(ref_is_none(apply->mlines[0].source));

    /* The client may not offer into it. */
    say_jsep("answer", "offer", SDP_CLIENT_OFFER, "");
    expect_error(&s, 1, 490, "Error setting ICE locally");

    say_jsep("echo", "answer", SDP_CLIENT_ANSWER, "");
    expect_ack();
    assert_true(probe_seen.has_jsep && !probe_seen.update);
    assert_string_equal(probe_seen.type, "answer");
    apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(apply->remote_known && apply->start);
    assert_false(apply->dtls_client);                   /* the client says active */
    assert_true(apply->mlines[0].send && apply->mlines[0].recv);
    /* The sink came after: the worker knows the line and the source by then. */
    const struct sink_add_order *sink = server_order(&s, WORKER_SINK_ADD, NULL);
    assert_true(ref_equal(sink->source.ref, apply->mlines[0].source));
    assert_true(ref_equal(sink->peer, open->peer));
    assert_true(sink->desc.opaque);

    say_jsep("echo", "answer", SDP_CLIENT_ANSWER, "");
    expect_error(&s, 1, 469, "Unexpected ANSWER (did we offer?)");
    free(sdp);
    server_end(&s);
}

static void test_lite_is_never_controlling(void **state)
{
    (void)state;
    s.settings.ice_lite = true;
    begin();
    server_message(&s, 1, id, handle, "{\"do\":\"offer\"}");
    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, NULL);
    assert_true(open->lite && !open->controlling);
    server_end(&s);
}

/* -- renegotiation ------------------------------------------------------------------------------------------------------- */

static void test_a_renegotiation_is_an_update_and_keeps_peer_and_sources(void **state)
{
    (void)state;
    begin();
    struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
    struct ref source = probe_seen.source;
    say_jsep("answer", "offer", SDP_HEAD("wxyz", "2") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "recvonly"), "");
    assert_true(probe_seen.update);
    expect_ack();
    char *sdp = expect_jsep("answer");
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(ref_equal(apply->peer, peer.ref));
    assert_false(apply->restart);
    assert_true(ref_equal(apply->mlines[0].source, source));
    assert_true(apply->mlines[1].send && !apply->mlines[1].recv);
    assert_true(ref_is_none(apply->mlines[1].source));
    assert_int_equal(control_sizes(s.control).sources, 1);
    assert_int_equal(server_orders(&s, WORKER_PEER_OPEN), 0);
    free(sdp);
    server_end(&s);
}

static void test_a_bad_renegotiation_is_469_and_changes_nothing(void **state)
{
    (void)state;
    begin();
    struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
    say_jsep("answer", "offer", "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n", "");
    expect_error(&s, 1, 469, "Error processing SDP");
    say_jsep("answer", "offer", SDP_HEAD("wxyz", "2") SDP_AUDIO_LINE("actpass", "sendrecv", "1001"), "");     /* a line has been left out */
    expect_error(&s, 1, 469, "Error processing SDP");
    assert_int_equal(server_orders(&s, WORKER_PEER_APPLY), 0);
    fact(CONTROL_PEER_UP, peer);
    expect_event("webrtcup", "");
    server_end(&s);
}

static void test_the_client_restarts_ice(void **state)
{
    (void)state;
    begin();
    say_jsep("answer", "offer", SDP_CLIENT_OFFER, "");
    expect_ack();
    char *first = expect_jsep("answer");
    char before[64], after[64], prefix[16];
    value_of(first, "a=ice-ufrag:", before);
    fake_forget(s.actor);
    say_jsep("answer", "offer", SDP_HEAD("new1", "2") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendrecv")
             SDP_VIDEO_SSRCS, "");
    expect_ack();
    char *second = expect_jsep("answer");
    value_of(second, "a=ice-ufrag:", after);
    assert_string_not_equal(before, after);
    snprintf(prefix, sizeof(prefix), "%.8s", before);
    assert_memory_equal(after, prefix, 8);              /* still names the same peer */
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(apply->restart && apply->remote_known && apply->start);
    assert_string_equal(apply->local.ufrag, after);
    assert_string_equal(apply->remote.ufrag, "new1");
    /* The next update does not restart again. */
    say_jsep("answer", "offer", SDP_HEAD("new1", "3") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendrecv")
             SDP_VIDEO_SSRCS, "");
    apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_false(apply->restart);
    free(first);
    free(second);
    server_end(&s);
}

static void test_the_plugin_restarts_ice(void **state)
{
    (void)state;
    begin();
    server_message(&s, 1, id, handle, "{\"do\":\"offer\"}");
    say_jsep("ack", "answer", SDP_CLIENT_ANSWER, "");
    fake_forget(s.actor);
    server_message(&s, 1, id, handle, "{\"do\":\"restart\"}");
    expect_ack();
    char *sdp = expect_jsep("offer");
    char ufrag[64];
    value_of(sdp, "a=ice-ufrag:", ufrag);
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(apply->restart && !apply->remote_known);
    assert_string_equal(apply->local.ufrag, ufrag);
    /* What is trickled now belongs to the new generation: it waits for the answer. */
    server_say(&s, 1, "{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":%lld,\"handle_id\":%lld,\"candidate\":{\"sdpMid\":\"0\","
                      "\"candidate\":\"candidate:1 1 udp 2122260223 10.0.0.5 50001 typ host\"}}", id, handle);
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATE), 0);
    say_jsep("ack", "answer", SDP_HEAD("new2", "2") SDP_AUDIO_LINE("active", "sendrecv", "1001") SDP_VIDEO_LINE("active", "sendrecv"), "");
    assert_true(probe_seen.update);
    apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(!apply->restart && apply->remote_known && apply->start);
    assert_string_equal(apply->remote.ufrag, "new2");
    assert_int_equal(server_orders(&s, WORKER_PEER_CANDIDATE), 1);
    free(sdp);
    server_end(&s);
}

/* The plugin does not answer a restart, then offers itself: the old generation is what holds, on both sides. */
static void test_an_unanswered_restart_is_taken_back(void **state)
{
    (void)state;
    begin();
    connect_offer(SDP_CLIENT_OFFER, "");
    say_jsep("refuse", "offer", SDP_HEAD("new1", "2") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendrecv"), "");
    assert_int_equal(server_orders(&s, WORKER_PEER_APPLY), 0);
    server_message(&s, 1, id, handle, "{\"do\":\"add-line\"}");
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(apply->remote_known && !apply->restart);
    assert_string_equal(apply->remote.ufrag, "wxyz");
    server_end(&s);
}

/* Our offer is out when the client's comes and is refused: the client's answer to ours counts. */
static void test_a_refused_offer_takes_nothing_from_ours(void **state)
{
    (void)state;
    begin();
    connect_offer(SDP_CLIENT_OFFER, "");
    server_message(&s, 1, id, handle, "{\"do\":\"offer\"}");
    fake_forget(s.actor);
    say_jsep("refuse", "offer", SDP_HEAD("new1", "2") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "inactive"), "");
    expect_ack();
    assert_int_equal(server_orders(&s, WORKER_PEER_APPLY), 0);
    say_jsep("ack", "answer", SDP_CLIENT_ANSWER, "");
    expect_ack();
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(apply->start && apply->remote_known && apply->mlines[1].recv);
    assert_string_equal(apply->remote.ufrag, "wxyz");
    say_jsep("ack", "answer", SDP_CLIENT_ANSWER, "");       /* one answer for one offer */
    expect_error(&s, 1, 469, "Unexpected ANSWER (did we offer?)");
    server_end(&s);
}

/* What a refused renegotiation said of lines, layers and codecs is forgotten with it. */
static void test_a_refused_renegotiation_changes_nothing(void **state)
{
    (void)state;
    begin();
    connect_offer(SDP_CLIENT_OFFER, "");
    for (int i = 0; i < 3; i++)
        say_jsep("refuse", "offer", SDP_HEAD("wxyz", "2") SDP_AUDIO_LINE("actpass", "inactive", "7777") SDP_VIDEO_LINE("actpass", "inactive"), "");
    fake_forget(s.actor);
    server_message(&s, 1, id, handle, "{\"do\":\"add-line\"}");
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(apply->mlines[0].recv && apply->mlines[1].recv);
    assert_int_equal(apply->mlines[0].remote_ssrc[0], 1001);
    server_end(&s);
}

static void test_a_plugin_adds_a_line_in_an_update(void **state)
{
    (void)state;
    begin();
    server_message(&s, 1, id, handle, "{\"do\":\"offer\"}");
    say_jsep("ack", "answer", SDP_CLIENT_ANSWER, "");
    fake_forget(s.actor);
    server_message(&s, 1, id, handle, "{\"do\":\"add-line\"}");
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_int_equal(apply->mline_count, 3);
    assert_true(apply->start && apply->remote_known);
    assert_true(apply->mlines[0].recv);
    assert_false(apply->mlines[2].send || apply->mlines[2].recv);
    struct sink_options options = {.pt = 96};
    assert_false(ref_is_none(host_sink_add(probe_host(), REF_NONE, probe_handle(), 2, &options)));
    assert_true(ref_is_none(host_sink_add(probe_host(), REF_NONE, probe_handle(), 3, &options)));
    server_end(&s);
}

/* -- up, and the ways down ------------------------------------------------------------------------------------------------- */

static void test_up_is_told_once_after_the_plugin(void **state)
{
    (void)state;
    begin();
    struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
    fact(CONTROL_PEER_UP, peer);
    assert_string_equal(probe_diary(), "setup");
    expect_event("webrtcup", "");
    fact(CONTROL_PEER_UP, peer);
    expect_silence(&s, 1);
    fact(CONTROL_PEER_ICE_FAILED, peer);
    expect_event("ice-failed", "");
    server_end(&s);
}

static void test_hangup_by_request(void **state)
{
    (void)state;
    begin();
    struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
    fact(CONTROL_PEER_UP, peer);
    fake_forget(s.actor);
    probe_diary();
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"h\"}", id);
    expect_done();
    expect_event("hangup", ",\"reason\":\"Janus API\"");
    assert_string_equal(probe_diary(), "hangup");
    const struct peer_close_order *close = server_order(&s, WORKER_PEER_CLOSE, NULL);
    assert_true(ref_equal(close->peer, peer.ref) && close->notify);
    assert_int_equal(control_sizes(s.control).pcs_closing, 1);
    fact(CONTROL_PEER_CLOSED, peer);
    assert_int_equal(control_sizes(s.control).pcs, 0);
    assert_int_equal(control_sizes(s.control).sources, 0);
    server_end(&s);
}

static void test_every_hangup_reason_has_its_text(void **state)
{
    (void)state;
    static const struct {
        enum hangup_reason reason;
        const char *text;
    } reasons[] = {
        {HANGUP_ICE_FAILED, "ICE failed"},     {HANGUP_DTLS_STACK, "DTLS-SRTP stack error"}, {HANGUP_DTLS_ALERT, "DTLS alert"},
        {HANGUP_DTLS_TIMEOUT, "DTLS timeout"}, {HANGUP_DTLS_ERROR, "DTLS error"},
    };
    begin();
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
        char rest[64];
        struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
        struct peer_hangup_fact hangup = {peer, reasons[i].reason};
        server_fact(&s, CONTROL_PEER_HANGUP, &hangup, sizeof(hangup));
        expect_done();
        snprintf(rest, sizeof(rest), ",\"reason\":\"%s\"", reasons[i].text);
        expect_event("hangup", rest);
        assert_int_equal(server_orders(&s, WORKER_PEER_CLOSE), 1);
        /* Crossing facts about it are stale by now. */
        server_fact(&s, CONTROL_PEER_HANGUP, &hangup, sizeof(hangup));
        fact(CONTROL_PEER_UP, peer);
        expect_silence(&s, 1);
        fact(CONTROL_PEER_CLOSED, peer);
        fact(CONTROL_PEER_CLOSED, peer);
        assert_int_equal(control_counters(s.control)->facts_stale, 3 * (i + 1));
        fake_forget(s.actor);
    }
    assert_string_equal(probe_diary(), "hangup hangup hangup hangup hangup");
    server_end(&s);
}

/* The reference waits up to 3 s for the old one, and answers 471. */
static void test_a_new_peer_connection_need_not_wait_for_the_old_one(void **state)
{
    (void)state;
    begin();
    struct peer_ref first = connect_offer(SDP_CLIENT_OFFER, "");
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    fake_forget(s.actor);
    struct peer_ref second = connect_offer(SDP_CLIENT_OFFER, "");
    assert_false(first.worker == second.worker && ref_equal(first.ref, second.ref));
    assert_false(first.worker == second.worker && first.ref.slot == second.ref.slot);
    fact(CONTROL_PEER_CLOSED, first);
    fact(CONTROL_PEER_UP, second);
    expect_event("webrtcup", "");
    assert_string_equal(probe_diary(), "hangup setup");
    server_end(&s);
}

static void test_detach_with_a_peer_connection_sends_detached_only(void **state)
{
    (void)state;
    begin();
    struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
    server_say(&s, 1, "{\"janus\":\"detach\",\"transaction\":\"d\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    expect_text(&s, 1, "{\"janus\":\"success\",\"session_id\":%lld,\"transaction\":\"d\"}", id);
    expect_event("detached", "");
    expect_silence(&s, 1);
    assert_string_equal(probe_diary(), "hangup detach");
    fact(CONTROL_PEER_UP, peer);                        /* crossing */
    fact(CONTROL_PEER_CLOSED, peer);
    assert_int_equal(control_sizes(s.control).pcs, 0);
    server_end(&s);
}

static void test_detach_after_hangup_does_not_hang_up_again(void **state)
{
    (void)state;
    begin();
    connect_offer(SDP_CLIENT_OFFER, "");
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    server_say(&s, 1, "{\"janus\":\"detach\",\"transaction\":\"d\",\"session_id\":%lld,\"handle_id\":%lld}", id, handle);
    assert_string_equal(probe_diary(), "hangup detach");
    server_end(&s);
}

static void test_a_plugin_closes_the_peer_connection(void **state)
{
    (void)state;
    begin();
    connect_offer(SDP_CLIENT_OFFER, "");
    server_message(&s, 1, id, handle, "{\"do\":\"close\"}");
    expect_ack();
    expect_done();
    expect_event("hangup", ",\"reason\":\"Close PC\"");
    assert_string_equal(probe_diary(), "hangup");
    connect_offer(SDP_CLIENT_OFFER, "");
    probe_diary();
    server_message(&s, 1, id, handle, "{\"do\":\"close-and-detach\"}");
    expect_ack();
    expect_done();
    expect_event("hangup", ",\"reason\":\"Close PC\"");
    expect_event("detached", "");
    assert_string_equal(probe_diary(), "hangup detach");
    server_end(&s);
}

static void test_destroy_and_lost_transport_close_peers_in_silence(void **state)
{
    (void)state;
    begin();
    connect_offer(SDP_CLIENT_OFFER, "");
    server_gone(&s, 1);
    expect_silence(&s, 1);
    assert_int_equal(server_orders(&s, WORKER_PEER_CLOSE), 1);
    assert_string_equal(probe_diary(), "hangup detach");
    server_end(&s);                                     /* with a PEER_CLOSED that never came */
}

static void test_stop_waits_for_workers_until_a_deadline(void **state)
{
    (void)state;
    begin();
    struct peer_ref peer = connect_offer(SDP_CLIENT_OFFER, "");
    control_ops.on_stop(s.control, s.now);
    server_turn(&s);
    assert_false(s.actor->stopped);
    fact(CONTROL_PEER_CLOSED, peer);
    assert_true(s.actor->stopped);
    server_end(&s);

    server_init(&s);
    begin();
    connect_offer(SDP_CLIENT_OFFER, "");
    control_ops.on_stop(s.control, s.now);
    server_advance(&s, SEC(2));
    assert_false(s.actor->stopped);
    server_advance(&s, SEC(2));
    assert_true(s.actor->stopped);
    server_end(&s);
}

/* -- candidates of ours -------------------------------------------------------------------------------------------------- */

static void test_full_trickle_sends_candidates_after_the_description(void **state)
{
    (void)state;
    s.settings.full_trickle = true;
    begin();
    say_jsep("answer", "offer", SDP_CLIENT_OFFER, "");
    expect_ack();
    char *sdp = expect_jsep("answer");
    assert_null(strstr(sdp, "a=candidate"));
    assert_null(strstr(sdp, "end-of-candidates"));
    json_t *event = server_hear_json(&s, 1);
    const json_t *candidate = json_object_get(event, "candidate");
    assert_string_equal(json_string_value(json_object_get(event, "janus")), "trickle");
    assert_string_equal(json_string_value(json_object_get(candidate, "sdpMid")), "0");
    assert_int_equal(json_integer_value(json_object_get(candidate, "sdpMLineIndex")), 0);
    assert_memory_equal(json_string_value(json_object_get(candidate, "candidate")), "candidate:1 1 udp 2130706431 127.0.0.1 2000", 43);
    json_decref(event);
    expect_event("trickle", ",\"candidate\":{\"completed\":true}");
    expect_silence(&s, 1);
    free(sdp);
    /* An update has none, a restart has all of them again. */
    say_jsep("answer", "offer", SDP_HEAD("wxyz", "2") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendrecv"), "");
    expect_ack();
    free(expect_jsep("answer"));
    expect_silence(&s, 1);
    say_jsep("answer", "offer", SDP_HEAD("new3", "3") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_VIDEO_LINE("actpass", "sendrecv"), "");
    expect_ack();
    free(expect_jsep("answer"));
    assert_non_null(server_hear(&s, 1));
    expect_event("trickle", ",\"candidate\":{\"completed\":true}");
    server_end(&s);
}

static void test_peers_of_one_group_share_a_worker_while_there_is_room(void **state)
{
    (void)state;
    begin();
    uint32_t per_worker[SERVER_WORKERS] = {0};
    for (int i = 0; i < 200; i++) {
        uint32_t worker;
        fake_forget(s.actor);
        handle = server_attach(&s, 1, id);
        server_message(&s, 1, id, handle, "{\"do\":\"group\",\"group\":12345}");
        say_jsep("answer", "offer", SDP_CLIENT_OFFER, "");
        assert_non_null(server_order(&s, WORKER_PEER_OPEN, &worker));
        per_worker[worker]++;
        if (i == 63)
            assert_true(per_worker[0] == 64 || per_worker[1] == 64);
    }
    assert_true(per_worker[0] >= 40 && per_worker[1] >= 40);
    server_end(&s);
}

static void test_a_worker_at_its_limit_refuses_the_description(void **state)
{
    (void)state;
    s.config.peers_per_worker = 1;
    begin();
    for (int i = 0; i < 2; i++) {
        handle = server_attach(&s, 1, id);
        connect_offer(SDP_CLIENT_OFFER, "");
    }
    handle = server_attach(&s, 1, id);
    say_jsep("answer", "offer", SDP_CLIENT_OFFER, "");
    expect_error(&s, 1, 490, "Error setting ICE locally");
    server_message(&s, 1, id, handle, "{\"do\":\"offer\"}");
    assert_int_equal(probe_seen.event_result, ERR_FULL);
    assert_int_equal(control_sizes(s.control).pcs, 2);
    server_end(&s);
}

static void whole_call(void)
{
    server_init(&s);
    server_start(&s);
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c1\",\"id\":41}");
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"x\",\"session_id\":41,\"plugin\":\"janus.plugin.probe\"}");
    assert_non_null(server_hear(&s, 1));
    json_t *reply = server_hear_json(&s, 1);
    id = 41;
    handle = json_integer_value(json_object_get(json_object_get(reply, "data"), "id"));
    json_decref(reply);
    say_jsep("answer", "offer", SDP_CLIENT_OFFER, "");
    assert_non_null(server_hear(&s, 1));
    server_message(&s, 1, id, handle, "{\"do\":\"echo\"}");
    server_message(&s, 1, id, handle, "{\"do\":\"offer\"}");
    server_end(&s);
}

static void test_every_full_pool_is_survived(void **state)
{
    (void)state;
    seam_oom_sweep(whole_call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_offer_is_answered_in_its_turn, setup),
        cmocka_unit_test_setup(test_the_worker_gets_both_lines_as_agreed, setup),
        cmocka_unit_test_setup(test_simulcast_reaches_plugin_and_worker, setup),
        cmocka_unit_test_setup(test_jsep_elements_are_checked, setup),
        cmocka_unit_test_setup(test_an_offer_that_the_plugin_refuses_may_be_tried_again, setup),
        cmocka_unit_test_setup(test_a_second_answer_is_refused, setup),
        cmocka_unit_test_setup(test_an_answer_that_does_not_fit_leaves_nothing_behind, setup),
        cmocka_unit_test_setup(test_simulcast_by_ssrcs, setup),
        cmocka_unit_test_setup(test_a_plugins_offer_and_the_clients_answer, setup),
        cmocka_unit_test_setup(test_lite_is_never_controlling, setup),
        cmocka_unit_test_setup(test_a_renegotiation_is_an_update_and_keeps_peer_and_sources, setup),
        cmocka_unit_test_setup(test_a_bad_renegotiation_is_469_and_changes_nothing, setup),
        cmocka_unit_test_setup(test_the_client_restarts_ice, setup),
        cmocka_unit_test_setup(test_the_plugin_restarts_ice, setup),
        cmocka_unit_test_setup(test_an_unanswered_restart_is_taken_back, setup),
        cmocka_unit_test_setup(test_a_refused_offer_takes_nothing_from_ours, setup),
        cmocka_unit_test_setup(test_a_refused_renegotiation_changes_nothing, setup),
        cmocka_unit_test_setup(test_a_plugin_adds_a_line_in_an_update, setup),
        cmocka_unit_test_setup(test_up_is_told_once_after_the_plugin, setup),
        cmocka_unit_test_setup(test_hangup_by_request, setup),
        cmocka_unit_test_setup(test_every_hangup_reason_has_its_text, setup),
        cmocka_unit_test_setup(test_a_new_peer_connection_need_not_wait_for_the_old_one, setup),
        cmocka_unit_test_setup(test_detach_with_a_peer_connection_sends_detached_only, setup),
        cmocka_unit_test_setup(test_detach_after_hangup_does_not_hang_up_again, setup),
        cmocka_unit_test_setup(test_a_plugin_closes_the_peer_connection, setup),
        cmocka_unit_test_setup(test_destroy_and_lost_transport_close_peers_in_silence, setup),
        cmocka_unit_test_setup(test_stop_waits_for_workers_until_a_deadline, setup),
        cmocka_unit_test_setup(test_full_trickle_sends_candidates_after_the_description, setup),
        cmocka_unit_test_setup(test_peers_of_one_group_share_a_worker_while_there_is_room, setup),
        cmocka_unit_test_setup(test_a_worker_at_its_limit_refuses_the_description, setup),
        cmocka_unit_test_setup(test_every_full_pool_is_survived, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
