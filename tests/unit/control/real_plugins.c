/* The plugins that the server is built with, on the control that it is built with: a call each, from the client's first word
 * to the worker's orders. What the plugins answer in detail is tested beside them. */
#include "control/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/sdp_texts.h"
#include "plugins/plugin.h"

static struct server s;

struct leg {
    uint32_t client;
    long long session, handle;
};

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    s.config.plugins = plugin_table;
    server_start(&s);
    return 0;
}

static struct leg attach(uint32_t client, const char *plugin)
{
    struct leg leg = {.client = client, .session = server_create(&s, client)};
    server_say(&s, client, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":%lld,\"plugin\":\"janus.plugin.%s\"}", leg.session, plugin);
    json_t *reply = server_hear_json(&s, client);
    leg.handle = json_integer_value(json_object_get(json_object_get(reply, "data"), "id"));
    json_decref(reply);
    return leg;
}

/* `type` NULL: no jsep. */
static void message(const struct leg *leg, const char *body, const char *type, const char *sdp)
{
    char *quoted = type == NULL ? NULL : json_quoted(sdp);
    server_say(&s, leg->client, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":%s%s%s%s%s%s}", leg->session,
               leg->handle, body, type == NULL ? "" : ",\"jsep\":{\"type\":\"", type == NULL ? "" : type, type == NULL ? "" : "\",\"sdp\":",
               type == NULL ? "" : quoted, type == NULL ? "" : "}");
    free(quoted);
}

/* The plugin's data of the next text, which must be `janus`; the caller json_decrefs it. */
static json_t *hear(const struct leg *leg, const char *janus, json_t **jsep)
{
    json_t *text = server_hear_json(&s, leg->client);
    assert_string_equal(json_string_value(json_object_get(text, "janus")), janus);
    json_t *data = json_incref(json_object_get(json_object_get(text, "plugindata"), "data"));
    if (jsep != NULL)
        *jsep = json_incref(json_object_get(text, "jsep"));
    json_decref(text);
    return data;
}

static void expect_word(json_t *data, const char *key, const char *value)
{
    assert_string_equal(json_string_value(json_object_get(data, key)), value);
    json_decref(data);
}

static void test_echotest_sends_back_what_it_gets(void **state)
{
    (void)state;
    struct leg leg = attach(1, "echotest");
    json_t *jsep;
    uint32_t worker;
    message(&leg, "{\"audio\":true,\"video\":true,\"bitrate\":128000}", "offer", SDP_CLIENT_OFFER);
    expect_text(&s, 1, "{\"janus\":\"ack\",\"session_id\":%lld,\"transaction\":\"m\",\"hint\":\"I'm taking my time!\"}", leg.session);
    expect_word(hear(&leg, "event", &jsep), "result", "ok");
    assert_string_equal(json_string_value(json_object_get(jsep, "type")), "answer");
    json_decref(jsep);

    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, &worker);
    struct peer_ref peer = {open->peer, worker};
    const struct peer_apply_order *apply = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(apply->mlines[0].send && apply->mlines[0].recv && apply->mlines[1].send && apply->mlines[1].recv);
    for (unsigned i = 0; i < 2; i++) {
        const struct sink_add_order *sink = server_order(&s, WORKER_SINK_ADD, NULL);
        assert_true(ref_equal(sink->source.ref, apply->mlines[i].source));
        assert_true(ref_equal(sink->peer, peer.ref));
        assert_int_equal(sink->mindex, i);
        assert_int_equal(sink->options.pt, i == 0 ? 111 : 96);
        assert_false(sink->options.paused);
    }
    const struct source_cap_order *cap = server_order(&s, WORKER_SOURCE_CAP, NULL);
    assert_int_equal(cap->cap.bps, 128000);

    message(&leg, "{\"video\":false}", NULL, NULL);
    assert_non_null(server_order(&s, WORKER_SINK_SET, NULL));
    const struct sink_set_order *set = server_order(&s, WORKER_SINK_SET, NULL);
    assert_true(set->options.paused);
    server_hear(&s, 1);
    expect_word(hear(&leg, "event", NULL), "result", "ok");

    struct peer_hangup_fact hangup = {peer, HANGUP_DTLS_ALERT};
    server_fact(&s, CONTROL_PEER_HANGUP, &hangup, sizeof(hangup));
    expect_word(hear(&leg, "event", NULL), "result", "done");
    expect_text(&s, 1, "{\"janus\":\"hangup\",\"session_id\":%lld,\"sender\":%lld,\"reason\":\"DTLS alert\"}", leg.session, leg.handle);
    assert_int_equal(server_orders(&s, WORKER_SINK_DEL), 2);
    assert_int_equal(server_orders(&s, WORKER_PEER_CLOSE), 1);
    assert_int_equal(control_counters(s.control)->verbs_refused, 0);
    server_end(&s);
}

/* The m-lines of an offer are answered as they stand, only to be received. */
static char *viewer_answer(const char *offer)
{
    char *out = calloc(1, strlen(offer) + 4096);
    const char *media = strstr(offer, "m=");
    strcat(out, SDP_HEAD("view", "1"));
    for (const char *at = media; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, "\n") + 1;
        if (strncmp(at, "a=sendonly", 10) == 0)
            strcat(out, "a=recvonly\r\n");
        else if (strncmp(at, "a=setup", 7) == 0)
            strcat(out, "a=setup:active\r\n");
        else if (strncmp(at, "a=ice", 5) != 0 && strncmp(at, "a=ssrc", 6) != 0 && strncmp(at, "a=candidate", 11) != 0)
            strncat(out, at, size);
        at = at[size - 1] == '\0' ? NULL : at + size;
    }
    return out;
}

static void test_videoroom_joins_a_publisher_to_a_viewer(void **state)
{
    (void)state;
    struct leg publisher = attach(1, "videoroom"), viewer = attach(2, "videoroom");
    json_t *jsep;
    char body[256];
    message(&publisher, "{\"request\":\"create\",\"room\":7,\"publishers\":6}", NULL, NULL);
    expect_word(hear(&publisher, "success", NULL), "videoroom", "created");
    message(&publisher, "{\"request\":\"join\",\"ptype\":\"publisher\",\"room\":7,\"display\":\"x\"}", NULL, NULL);
    server_hear(&s, 1);
    json_t *joined = hear(&publisher, "event", NULL);
    long long feed = json_integer_value(json_object_get(joined, "id"));
    expect_word(joined, "videoroom", "joined");
    message(&publisher, "{\"request\":\"publish\"}", "offer", SDP_CLIENT_OFFER);
    server_hear(&s, 1);
    expect_word(hear(&publisher, "event", &jsep), "configured", "ok");
    json_decref(jsep);
    uint32_t home;
    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, &home);
    assert_false(open->controlling);
    const struct peer_apply_order *published = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_true(published->mlines[0].recv && !published->mlines[0].send && published->mlines[1].recv);
    struct peer_fact up = {{open->peer, home}};
    server_fact(&s, CONTROL_PEER_UP, &up, sizeof(up));
    expect_text(&s, 1, "{\"janus\":\"webrtcup\",\"session_id\":%lld,\"sender\":%lld}", publisher.session, publisher.handle);

    snprintf(body, sizeof(body), "{\"request\":\"join\",\"ptype\":\"subscriber\",\"room\":7,\"streams\":[{\"feed\":%lld}]}", feed);
    message(&viewer, body, NULL, NULL);
    server_hear(&s, 2);
    expect_word(hear(&viewer, "event", &jsep), "videoroom", "attached");
    assert_string_equal(json_string_value(json_object_get(jsep, "type")), "offer");
    char *answer = viewer_answer(json_string_value(json_object_get(jsep, "sdp")));
    json_decref(jsep);
    open = server_order(&s, WORKER_PEER_OPEN, NULL);
    assert_true(open->controlling);
    message(&viewer, "{\"request\":\"start\"}", "answer", answer);
    free(answer);
    server_hear(&s, 2);
    expect_word(hear(&viewer, "event", NULL), "started", "ok");
    bool fed[2] = {false, false};
    for (const struct sink_add_order *sink; (sink = server_order(&s, WORKER_SINK_ADD, NULL)) != NULL;) {
        assert_true(sink->mindex < 2);
        assert_true(ref_equal(sink->source.ref, published->mlines[sink->mindex].source));
        assert_int_equal(sink->source.worker, home);
        assert_true(ref_equal(sink->peer, open->peer));
        fed[sink->mindex] = true;
    }
    assert_true(fed[0] && fed[1]);
    assert_int_equal(control_counters(s.control)->sdp_refused + control_counters(s.control)->verbs_refused, 0);

    /* The publisher's connection breaks: its handle ends, the viewer's sinks fall silent. */
    server_gone(&s, 1);
    assert_true(server_orders(&s, WORKER_SINK_SWITCH) >= 2);
    assert_int_equal(control_sizes(s.control).handles, 1);
    assert_true(control_sizes(s.control).sinks <= 2);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_echotest_sends_back_what_it_gets, setup),
        cmocka_unit_test_setup(test_videoroom_joins_a_publisher_to_a_viewer, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
