#include "client/call.h"

#include <string.h>

#include <stdio.h>

#include "base/json_out.h"
#include "base/str.h"

#define BODY_BYTES 4096u

static void on_attached(void *owner, usec_t now, const struct janus_reply *reply);
static void on_joined(void *owner, usec_t now, const struct janus_reply *reply);
static void on_answered(void *owner, usec_t now, const struct janus_reply *reply);
static void on_started(void *owner, usec_t now, const struct janus_reply *reply);

static void enter(struct call *call, usec_t now, enum call_state state)
{
    call->state = state;
    if (call->on_state != NULL)
        call->on_state(call->owner, now, call);
}

static void fail(struct call *call, usec_t now, const char *what, const struct janus_reply *reply)
{
    if (call->state == CALL_FAILED || call->state == CALL_ENDED)
        return;
    snprintf(call->error, sizeof(call->error), "%s: %d %s", what, reply == NULL ? 0 : reply->error,
             reply == NULL || reply->reason == NULL ? "no answer that helps" : reply->reason);
    enter(call, now, call->state == CALL_UP ? CALL_ENDED : CALL_FAILED);
}

static void step(struct call *call, usec_t now)
{
    if (call->config.kind != CALL_CHAT && call->state == CALL_CONNECTING && call->local_up && call->server_up) {
        call->up_at = now;
        enter(call, now, CALL_UP);
    }
}

/* ---- CALL_CHAT: what is said on the data channel ---- */

void call_say(struct call *call, struct view text)
{
    (void)endpoint_send_data(call->peer->endpoint, call->net->loop->now, STR("JanusDataChannel"), false, text);
    net_touch(call->peer);
}

static void say_join(struct call *call)
{
    char text[160];
    int size = snprintf(text, sizeof(text), "{\"textroom\":\"join\",\"transaction\":\"join\",\"room\":%llu,\"username\":\"u%llu\",\"history\":false}",
                        (unsigned long long)call->config.room, (unsigned long long)call->config.name);
    call_say(call, VIEW(text, (size_t)size));
}

/* Until the answer to our own join has come there may be others' news. */
static void on_text(struct call *call, usec_t now, struct view text)
{
    if (call->state == CALL_UP) {
        if (call->on_text != NULL)
            call->on_text(call->owner, now, call, text);
    } else if (str_contains(text, STR("\"transaction\":\"join\""))) {
        if (!str_contains(text, STR("\"textroom\":\"success\""))) {
            snprintf(call->error, sizeof(call->error), "join: %.*s", (int)(text.size < 120 ? text.size : 120), (const char *)text.data);
            enter(call, now, CALL_FAILED);
            return;
        }
        call->up_at = now;
        enter(call, now, CALL_UP);
    }
}

static void on_changed(void *owner, usec_t now, struct net_endpoint *peer, const struct rtc_event *event)
{
    struct call *call = owner;
    (void)peer;
    switch (event->kind) {
    case RTC_ENDED:
        fail(call, now, "PeerConnection ended", NULL);
        break;
    case RTC_UP:
        call->local_up = true;
        step(call, now);
        break;
    case RTC_DATA_UP:
        call->data_up = true;
        if (call->config.kind == CALL_CHAT)
            say_join(call);
        break;
    case RTC_DATA: {
        const struct data_packet *packet = event->packet;
        call->messages++;
        call->message_bytes += packet->size;
        if (call->config.kind == CALL_CHAT)
            on_text(call, now, VIEW(packet->bytes + packet->label_size + packet->protocol_size, packet->size));
        break;
    }
    case RTC_DATA_ROOM: break;
    }
}

static void on_event(struct janus_handle *handle, usec_t now, const struct janus_reply *event)
{
    struct call *call = CONTAINER_OF(handle, struct call, handle);
    if (strcmp(event->kind, "webrtcup") == 0) {
        call->server_up = true;
        step(call, now);
    } else if (strcmp(event->kind, "hangup") == 0 || strcmp(event->kind, "detached") == 0) {
        fail(call, now, event->kind, event);
    }
}

/* ---- requests ---- */

static void send_body(struct call *call, const struct buf *body, const char *jsep_type, struct view sdp, janus_done done)
{
    const bool svc = call->config.svc && jsep_type != NULL && strcmp(jsep_type, "offer") == 0;
    janus_message_svc(call->janus, call->handle.session, call->handle.id, buf_view(body), jsep_type, sdp,
                      svc ? "[{\"mindex\":1,\"svc\":\"L3T3\"}]" : NULL, done, call);
}

static bool open_endpoint(struct call *call, usec_t now, bool offers)
{
    call->peer = net_open(call->net, offers, call->config.port, on_changed, call);
    if (call->peer == NULL)
        fail(call, now, "no socket or no room for a PeerConnection", NULL);
    return call->peer != NULL;
}

static void write_media(const struct call *call, struct buf *body)
{
    struct json_out j;
    jout_begin(&j, body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    if (call->config.kind == CALL_PUBLISH)
        jout_string(&j, "request", "publish");
    jout_bool(&j, "audio", call->config.audio);
    jout_bool(&j, "video", call->config.video);
    jout_end(&j);
}

static void send_offer(struct call *call, usec_t now)
{
    const enum sdp_direction direction = call->config.kind == CALL_PUBLISH ? SDP_SENDONLY : SDP_SENDRECV;
    const struct endpoint_offer what = {
        .audio = call->config.audio ? direction : SDP_INACTIVE,
        .video = call->config.video ? direction : SDP_INACTIVE,
        .layers = call->config.layers,
        .svc = call->config.svc,
        .data = call->config.data,
    };
    struct buf body, sdp;
    if (!open_endpoint(call, now, true))
        return;
    buf_init(&body, BODY_BYTES);
    buf_init(&sdp, ENDPOINT_SDP_BYTES);
    write_media(call, &body);
    if (endpoint_offer(call->peer->endpoint, &what, &sdp)) {
        enter(call, now, CALL_NEGOTIATING);
        send_body(call, &body, "offer", buf_view(&sdp), on_answered);
    } else {
        fail(call, now, "can't write an offer", NULL);
    }
    buf_fini(&sdp);
    buf_fini(&body);
}

static void send_join(struct call *call)
{
    struct json_out j;
    struct buf body;
    buf_init(&body, BODY_BYTES);
    jout_begin(&j, &body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "request", "join");
    jout_uint(&j, "room", call->config.room);
    jout_string(&j, "ptype", call->config.kind == CALL_PUBLISH ? "publisher" : "subscriber");
    if (call->config.kind == CALL_VIEW) {
        jout_array(&j, "streams");
        jout_object(&j, NULL);
        jout_uint(&j, "feed", call->config.feed);
        jout_end(&j);
        jout_end(&j);
    }
    jout_end(&j);
    send_body(call, &body, NULL, STR(""), on_joined);
    buf_fini(&body);
}

static void send_setup(struct call *call)
{
    struct buf body;
    buf_init(&body, BODY_BYTES);
    buf_add_text(&body, "{\"request\":\"setup\"}");
    send_body(call, &body, NULL, STR(""), on_joined);
    buf_fini(&body);
}

static void write_start(const struct call *call, struct buf *body)
{
    struct json_out j;
    jout_begin(&j, body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "request", call->config.kind == CALL_CHAT ? "ack" : "start");
    if (call->config.kind == CALL_VIEW)
        jout_uint(&j, "room", call->config.room);
    jout_end(&j);
}

static void send_start(struct call *call, usec_t now, const char *offer)
{
    const enum sdp_direction direction = call->config.kind == CALL_CHAT ? SDP_SENDRECV : SDP_RECVONLY;
    struct buf body, sdp;
    if (!open_endpoint(call, now, false))
        return;
    buf_init(&body, BODY_BYTES);
    buf_init(&sdp, ENDPOINT_SDP_BYTES);
    write_start(call, &body);
    if (endpoint_answer(call->peer->endpoint, now, str_of(offer), direction, &sdp)) {
        net_touch(call->peer);
        enter(call, now, CALL_CONNECTING);
        send_body(call, &body, "answer", buf_view(&sdp), on_started);
    } else {
        fail(call, now, "can't answer the offer", NULL);
    }
    buf_fini(&sdp);
    buf_fini(&body);
}

/* ---- replies ---- */

static void on_attached(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct call *call = owner;
    if (reply == NULL || reply->id == 0) {
        fail(call, now, "attach", reply);
        return;
    }
    call->handle = (struct janus_handle){.session = call->config.session, .id = reply->id, .on_event = on_event};
    call->attached = true;
    janus_listen(call->janus, &call->handle);
    call->asked_at = now;
    if (call->config.kind == CALL_ECHO) {
        send_offer(call, now);
        return;
    }
    enter(call, now, CALL_JOINING);
    if (call->config.kind == CALL_CHAT)
        send_setup(call);
    else
        send_join(call);
}

static void on_joined(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct call *call = owner;
    if (call->state != CALL_JOINING)
        return;
    const bool answers = call->config.kind == CALL_VIEW || call->config.kind == CALL_CHAT;
    if (reply == NULL || reply->error != 0 || (answers && reply->jsep_sdp == NULL)) {
        fail(call, now, "join", reply);
        return;
    }
    if (answers) {
        send_start(call, now, reply->jsep_sdp);
        return;
    }
    call->user = (uint64_t)json_integer_value(json_object_get(reply->data, "id"));
    send_offer(call, now);
}

static void on_answered(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct call *call = owner;
    if (call->state != CALL_NEGOTIATING)
        return;
    if (reply == NULL || reply->jsep_sdp == NULL || !endpoint_take_answer(call->peer->endpoint, now, str_of(reply->jsep_sdp))) {
        fail(call, now, "answer", reply);
        return;
    }
    net_touch(call->peer);
    enter(call, now, CALL_CONNECTING);
    step(call, now);
}

static void on_started(void *owner, usec_t now, const struct janus_reply *reply)
{
    if (reply == NULL || reply->error != 0)
        fail(owner, now, "start", reply);
}

/* ---- */

void call_start(struct call *call, struct net *net, struct janus *janus, const struct call_config *config,
                void (*on_state)(void *owner, usec_t now, struct call *call), void *owner)
{
    *call = (struct call){.net = net, .janus = janus, .config = *config, .on_state = on_state, .owner = owner, .state = CALL_ATTACHING};
    const char *plugin = config->kind == CALL_ECHO ? "janus.plugin.echotest" : config->kind == CALL_CHAT ? "janus.plugin.textroom" : "janus.plugin.videoroom";
    janus_attach(janus, config->session, plugin, on_attached, call);
}

void call_stop(struct call *call)
{
    call->state = CALL_ENDED;
    net_close(call->peer);
    call->peer = NULL;
    if (!call->attached)
        return;
    call->attached = false;
    janus_unlisten(call->janus, &call->handle);
    janus_plain(call->janus, "detach", call->handle.session, call->handle.id, NULL, NULL);
}

const struct verify *call_received(const struct call *call, enum sdp_kind kind)
{
    return call->peer == NULL ? NULL : endpoint_verify(call->peer->endpoint, endpoint_line_of(call->peer->endpoint, kind, false));
}

enum err call_send_data(struct call *call, struct view label, bool binary, struct view bytes)
{
    if (call->peer == NULL || !call->data_up)
        return ERR_STATE;
    const enum err err = endpoint_send_data(call->peer->endpoint, call->net->loop->now, label, binary, bytes);
    net_touch(call->peer);
    return err;
}

bool call_send(struct call *call, enum sdp_kind kind, uint8_t layer, struct synth *synth)
{
    const struct endpoint *endpoint = call->peer->endpoint;
    return endpoint_send(call->peer->endpoint, call->net->loop->now, endpoint_line_of(endpoint, kind, true), layer, synth);
}
