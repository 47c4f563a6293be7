/* Sources, sinks and what workers report of them: plugins/plugin.h "the media graph", janus-api.md 4.1, 4.2. */
#include "control/call.h"

#include <stdio.h>

#include "control/probe_plugin.h"
#include "control/sdp_texts.h"

static struct server s;
static struct call publisher, viewer;
static const struct sink_options options = {.pt = 96, .substream_target = 2, .temporal_target = 2};

/* Two handles with a PeerConnection each, of two clients. */
static int setup(void **state)
{
    (void)state;
    server_init(&s);
    server_start(&s);
    call_begin(&s, &publisher, 1);
    call_connect(&s, &publisher, SDP_CLIENT_OFFER, "");
    call_begin(&s, &viewer, 2);
    call_connect(&s, &viewer, SDP_CLIENT_OFFER, "");
    return 0;
}

static struct ref add_sink(struct ref source, uint16_t mindex)
{
    struct ref sink = host_sink_add(probe_host(), source, viewer.name, mindex, &options);
    assert_false(ref_is_none(sink));
    return sink;
}

static void test_a_sink_lives_on_its_peers_worker_and_names_its_sources(void **state)
{
    (void)state;
    uint32_t worker;
    struct ref sink = add_sink(publisher.sources[1], 1);
    const struct sink_add_order *order = server_order(&s, WORKER_SINK_ADD, &worker);
    assert_int_equal(worker, viewer.peer.worker);
    assert_true(ref_equal(order->sink, sink));
    assert_true(ref_equal(order->peer, viewer.peer.ref));
    assert_true(ref_equal(order->source.ref, publisher.sources[1]));
    assert_int_equal(order->source.worker, publisher.peer.worker);
    assert_int_equal(order->desc.codec, CODEC_VP8);
    assert_int_equal(order->mindex, 1);
    assert_int_equal(order->options.pt, 96);
    server_end(&s);
}

static void test_a_second_sink_on_a_line_replaces_the_first(void **state)
{
    (void)state;
    struct ref first = add_sink(publisher.sources[1], 1), second = add_sink(publisher.sources[1], 1);
    assert_false(ref_equal(first, second));
    const struct sink_del_order *del = server_order(&s, WORKER_SINK_DEL, NULL);
    assert_true(ref_equal(del->sink, first));
    assert_int_equal(control_sizes(s.control).sinks, 1);
    host_sink_set(probe_host(), first, &options);
    assert_int_equal(server_orders(&s, WORKER_SINK_SET), 0);
    assert_int_equal(control_counters(s.control)->verbs_stale, 1);
    host_sink_set(probe_host(), second, &options);
    assert_int_equal(server_orders(&s, WORKER_SINK_SET), 1);
    server_end(&s);
}

static void test_switching_and_deleting(void **state)
{
    (void)state;
    struct ref sink = add_sink(REF_NONE, 1);
    const struct sink_add_order *add = server_order(&s, WORKER_SINK_ADD, NULL);
    assert_true(ref_is_none(add->source.ref));
    host_sink_switch(probe_host(), sink, publisher.sources[1]);
    const struct sink_switch_order *order = server_order(&s, WORKER_SINK_SWITCH, NULL);
    assert_true(ref_equal(order->source.ref, publisher.sources[1]));
    assert_int_equal(order->desc.codec, CODEC_VP8);
    host_sink_switch(probe_host(), sink, publisher.sources[1]);
    assert_int_equal(server_orders(&s, WORKER_SINK_SWITCH), 0);        /* it is fed by that one already */
    host_sink_switch(probe_host(), sink, REF_NONE);
    order = server_order(&s, WORKER_SINK_SWITCH, NULL);
    assert_true(ref_is_none(order->source.ref));
    host_sink_del(probe_host(), sink);
    host_sink_del(probe_host(), sink);
    host_sink_del(probe_host(), REF_NONE);
    assert_int_equal(server_orders(&s, WORKER_SINK_DEL), 1);
    assert_int_equal(control_counters(s.control)->verbs_stale, 1);      /* REF_NONE is nobody's name */
    server_end(&s);
}

static void test_a_source_that_goes_leaves_its_sinks_silent(void **state)
{
    (void)state;
    struct ref sink = add_sink(publisher.sources[1], 1);
    fake_forget(s.actor);
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", publisher.session, publisher.handle);
    const struct sink_switch_order *order = server_order(&s, WORKER_SINK_SWITCH, NULL);
    assert_true(ref_equal(order->sink, sink));
    assert_true(ref_is_none(order->source.ref));
    /* The publisher's peer is closing: its sources can be had no more, though their names are not free yet. */
    struct source_desc desc;
    assert_false(host_source_desc(probe_host(), publisher.sources[1], &desc));
    assert_true(ref_is_none(host_source(probe_host(), publisher.name, 1)));
    assert_int_equal(control_sizes(s.control).sources, 4);
    call_fact(&s, &publisher, CONTROL_PEER_CLOSED);
    assert_int_equal(control_sizes(s.control).sources, 2);
    /* The sink may be fed by another. */
    host_sink_switch(probe_host(), sink, viewer.sources[1]);
    assert_int_equal(server_orders(&s, WORKER_SINK_SWITCH), 1);
    server_end(&s);
}

static void test_a_sink_ends_with_its_peer_connection_before_it(void **state)
{
    (void)state;
    struct ref sink = add_sink(publisher.sources[1], 1);
    fake_forget(s.actor);
    server_say(&s, 2, "{\"janus\":\"detach\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", viewer.session, viewer.handle);
    const struct fake_sent *first = fake_peek(s.actor, (actor_id)(ACTOR_WORKER_0 + viewer.peer.worker));
    assert_int_equal(first->type, WORKER_SINK_DEL);
    assert_int_equal(server_orders(&s, WORKER_PEER_CLOSE), 1);
    assert_int_equal(control_sizes(s.control).sinks, 0);
    struct sink_layer_fact fact = {sink, 1, 1};
    server_fact(&s, CONTROL_SINK_LAYER, &fact, sizeof(fact));
    assert_int_equal(control_counters(s.control)->facts_stale, 1);
    server_end(&s);
}

static void test_sources_are_muted_capped_and_asked(void **state)
{
    (void)state;
    uint32_t worker;
    struct rate_cap cap = {.bps = 128000, .ramp = true};
    host_source_set_active(probe_host(), publisher.sources[1], true);      /* it is */
    host_source_set_active(probe_host(), publisher.sources[1], false);
    host_source_set_active(probe_host(), publisher.sources[1], false);
    const struct source_set_order *set = server_order(&s, WORKER_SOURCE_SET, &worker);
    assert_true(ref_equal(set->source, publisher.sources[1]) && !set->active);
    assert_int_equal(worker, publisher.peer.worker);
    assert_int_equal(server_orders(&s, WORKER_SOURCE_SET), 0);
    host_source_rate_cap(probe_host(), publisher.sources[1], &cap);
    const struct source_cap_order *capped = server_order(&s, WORKER_SOURCE_CAP, NULL);
    assert_int_equal(capped->cap.bps, 128000);
    host_keyframe(probe_host(), publisher.sources[1]);
    assert_int_equal(server_orders(&s, WORKER_KEYFRAME_ASK), 1);
    host_keyframe(probe_host(), (struct ref){99, 7});
    assert_int_equal(control_counters(s.control)->verbs_stale, 1);
    server_end(&s);
}

static void test_sinks_need_a_line(void **state)
{
    (void)state;
    struct call nobody;
    call_begin(&s, &nobody, 3);
    assert_true(ref_is_none(host_sink_add(probe_host(), publisher.sources[1], nobody.name, 0, &options)));
    assert_true(ref_is_none(host_sink_add(probe_host(), publisher.sources[1], viewer.name, 2, &options)));
    assert_true(ref_is_none(host_sink_add(probe_host(), publisher.sources[1], viewer.name, 65535, &options)));
    assert_int_equal(control_counters(s.control)->verbs_refused, 3);
    assert_true(ref_is_none(host_source(probe_host(), viewer.name, 65535)));
    server_end(&s);
}

static void hear_all(uint32_t client)
{
    while (server_hear(&s, client) != NULL) {}
}

/* A call that would go on without one of its lines is over, and its client told (sim: --scenario faults --seed 300203). */
static void test_a_call_without_room_for_a_sink_ends(void **state)
{
    (void)state;
    hear_all(2);
    seam_refuse_pool_at(0);
    assert_true(ref_is_none(host_sink_add(probe_host(), publisher.sources[1], viewer.name, 1, &options)));
    assert_true(seam_pool_was_refused());
    expect_silence(&s, 2);                      /* no verb calls back into a plugin */
    server_turn(&s);
    call_expect(&s, &viewer, "event", ",\"plugindata\":{\"plugin\":\"janus.plugin.probe\",\"data\":{\"probe\":\"done\"}}");
    call_expect(&s, &viewer, "hangup", ",\"reason\":\"Close PC\"");
    call_connect(&s, &viewer, SDP_CLIENT_OFFER, "");
    hear_all(2);
    server_turn(&s);
    expect_silence(&s, 2);
    server_end(&s);
}

/* A wish is about the PeerConnection of its time, not about the next one of the handle. */
static void test_a_wish_to_end_a_call_ends_with_the_call(void **state)
{
    (void)state;
    host_peer_close(probe_host(), viewer.name);
    char text[200];
    snprintf(text, sizeof(text), "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", viewer.session, viewer.handle);
    server_say(&s, 2, "%s", text);
    call_connect(&s, &viewer, SDP_CLIENT_OFFER, "");
    hear_all(2);
    server_turn(&s);
    expect_silence(&s, 2);
    server_end(&s);
}

/* A line whose codec changes is another source: what is known of one is fixed for its life. */
static void test_a_changed_codec_is_a_new_source(void **state)
{
    (void)state;
    add_sink(publisher.sources[0], 0);
    fake_forget(s.actor);
    call_jsep(&s, &publisher, "answer", "offer",
              SDP_HEAD("wxyz", "2") "m=audio 9 UDP/TLS/RTP/SAVPF 8\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\n"
              "a=rtcp-mux\r\na=rtpmap:8 PCMA/8000\r\na=ssrc:1001 cname:x\r\n" SDP_VIDEO_LINE("actpass", "sendrecv") SDP_VIDEO_SSRCS, "");
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_false(ref_equal(apply->mlines[0].source, publisher.sources[0]));
    assert_int_equal(apply->mlines[0].source_desc.codec, CODEC_PCMA);
    assert_int_equal(apply->mlines[0].source_desc.clock_hz, 8000);
    assert_true(ref_equal(apply->mlines[1].source, publisher.sources[1]));
    assert_int_equal(server_orders(&s, WORKER_SINK_SWITCH), 1);
    server_end(&s);
}

/* -- what workers report ------------------------------------------------------------------------------------------------ */

static void media_fact(uint16_t mindex, int8_t substream, bool receiving, uint32_t seconds)
{
    struct peer_media_fact fact = {.peer = publisher.peer, .mindex = mindex, .substream = substream, .receiving = receiving, .seconds = seconds};
    server_fact(&s, CONTROL_PEER_MEDIA, &fact, sizeof(fact));
}

static void test_media_events(void **state)
{
    (void)state;
    media_fact(1, 2, true, 0);
    call_expect(&s, &publisher, "media", ",\"mid\":\"1\",\"type\":\"video\",\"substream\":2,\"receiving\":true");
    media_fact(0, -1, false, 5);
    call_expect(&s, &publisher, "media", ",\"mid\":\"0\",\"type\":\"audio\",\"receiving\":false,\"seconds\":5");
    media_fact(2, -1, true, 0);
    expect_silence(&s, 1);
    assert_int_equal(control_counters(s.control)->facts_stale, 1);
    server_end(&s);
}

static void test_slowlink_is_told_to_the_plugin_first(void **state)
{
    (void)state;
    struct peer_slowlink_fact fact = {.peer = publisher.peer, .mindex = 1, .uplink = false, .lost = 17};
    probe_diary();
    server_fact(&s, CONTROL_PEER_SLOWLINK, &fact, sizeof(fact));
    assert_string_equal(probe_diary(), "slow:1vdown");
    call_expect(&s, &publisher, "slowlink", ",\"mid\":\"1\",\"media\":\"video\",\"uplink\":false,\"lost\":17");
    server_end(&s);
}

static void test_layers_are_told_to_the_plugin_of_the_sink(void **state)
{
    (void)state;
    probe_seen.sink = add_sink(publisher.sources[1], 1);
    probe_diary();
    struct sink_layer_fact fact = {probe_seen.sink, -1, -1};
    server_fact(&s, CONTROL_SINK_LAYER, &fact, sizeof(fact));
    fact.substream = 2;
    fact.temporal = 1;
    server_fact(&s, CONTROL_SINK_LAYER, &fact, sizeof(fact));
    assert_string_equal(probe_diary(), "layer:-1/-1 layer:2/1");
    server_end(&s);
}

static void test_facts_about_nobody_are_counted(void **state)
{
    (void)state;
    static const uint16_t types[] = {CONTROL_PEER_UP, CONTROL_PEER_CLOSED, CONTROL_PEER_ICE_FAILED};
    struct peer_ref wrong[] = {{{99, 1}, 0}, {publisher.peer.ref, 77}, {REF_NONE, 0},
                               {{publisher.peer.ref.slot, publisher.peer.ref.generation + 1}, publisher.peer.worker}};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        for (size_t k = 0; k < ARRAY_COUNT(types); k++) {
            struct peer_fact fact = {wrong[i]};
            server_fact(&s, types[k], &fact, sizeof(fact));
        }
        struct peer_hangup_fact hangup = {wrong[i], HANGUP_ICE_FAILED};
        struct peer_media_fact media = {.peer = wrong[i]};
        struct peer_slowlink_fact slow = {.peer = wrong[i]};
        server_fact(&s, CONTROL_PEER_HANGUP, &hangup, sizeof(hangup));
        server_fact(&s, CONTROL_PEER_MEDIA, &media, sizeof(media));
        server_fact(&s, CONTROL_PEER_SLOWLINK, &slow, sizeof(slow));
    }
    expect_silence(&s, 1);
    expect_silence(&s, 2);
    assert_int_equal(control_counters(s.control)->facts_stale, 6 * ARRAY_COUNT(wrong));
    /* A confirmation for a peer that is not closing is none. */
    call_fact(&s, &publisher, CONTROL_PEER_CLOSED);
    assert_int_equal(control_sizes(s.control).pcs, 2);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_sink_lives_on_its_peers_worker_and_names_its_sources, setup),
        cmocka_unit_test_setup(test_a_second_sink_on_a_line_replaces_the_first, setup),
        cmocka_unit_test_setup(test_switching_and_deleting, setup),
        cmocka_unit_test_setup(test_a_source_that_goes_leaves_its_sinks_silent, setup),
        cmocka_unit_test_setup(test_a_sink_ends_with_its_peer_connection_before_it, setup),
        cmocka_unit_test_setup(test_sources_are_muted_capped_and_asked, setup),
        cmocka_unit_test_setup(test_sinks_need_a_line, setup),
        cmocka_unit_test_setup(test_a_call_without_room_for_a_sink_ends, setup),
        cmocka_unit_test_setup(test_a_wish_to_end_a_call_ends_with_the_call, setup),
        cmocka_unit_test_setup(test_a_changed_codec_is_a_new_source, setup),
        cmocka_unit_test_setup(test_media_events, setup),
        cmocka_unit_test_setup(test_slowlink_is_told_to_the_plugin_first, setup),
        cmocka_unit_test_setup(test_layers_are_told_to_the_plugin_of_the_sink, setup),
        cmocka_unit_test_setup(test_facts_about_nobody_are_counted, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
