/* Whole sessions: the bytes are a program that clients, workers and the disk run against the real control with its real plugins, on
 * doubles of the runtime. Every text is JSON, every request gets its credit back, and when all is over nothing is left. */
#include "control/sdp_texts.h"
#include "control/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "plugins/plugin.h"

#define CLIENTS   4u
#define SESSIONS  8u
#define HANDLES   16u
#define PEERS     32u
#define STEPS_MAX 200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct leg {
    long long session, handle;
};

static struct server s;
static struct reader r;
static struct leg legs[HANDLES];
static long long sessions[SESSIONS];
static struct peer_ref peers[PEERS];
static uint32_t leg_count, session_count, peer_count;
static uint32_t said[CLIENTS], credits[CLIENTS];

/* %u is a small number of the input's. */
static const char *const bodies[] = {
    "{\"audio\":true,\"video\":true}", "{\"bitrate\":%u,\"video\":false}", "{\"substream\":%u}", "{}", "[]", "{\"request\":%u}",
    "{\"request\":\"create\",\"room\":%u,\"secret\":\"s\",\"publishers\":3}", "{\"request\":\"create\",\"room\":%u,\"permanent\":true}",
    "{\"request\":\"edit\",\"room\":%u,\"secret\":\"s\",\"new_description\":\"d\",\"permanent\":true}",
    "{\"request\":\"destroy\",\"room\":%u,\"secret\":\"s\",\"permanent\":true}", "{\"request\":\"exists\",\"room\":%u}", "{\"request\":\"list\"}",
    "{\"request\":\"allowed\",\"room\":%u,\"secret\":\"s\",\"action\":\"add\",\"allowed\":[\"t\"]}", "{\"request\":\"kick\",\"room\":%u,\"secret\":\"s\",\"id\":1}",
    "{\"request\":\"moderate\",\"room\":%u,\"secret\":\"s\",\"id\":1,\"mid\":\"0\",\"mute\":true}", "{\"request\":\"listparticipants\",\"room\":%u}",
    "{\"request\":\"join\",\"ptype\":\"publisher\",\"room\":%u,\"id\":1}", "{\"request\":\"join\",\"ptype\":\"publisher\",\"room\":%u}",
    "{\"request\":\"joinandconfigure\",\"ptype\":\"publisher\",\"room\":%u}", "{\"request\":\"join\",\"ptype\":\"subscriber\",\"room\":%u,\"streams\":[{\"feed\":1}]}",
    "{\"request\":\"join\",\"ptype\":\"subscriber\",\"room\":1,\"feed\":%u}", "{\"request\":\"publish\"}", "{\"request\":\"unpublish\"}",
    "{\"request\":\"configure\",\"keyframe\":true,\"bitrate\":%u}", "{\"request\":\"subscribe\",\"streams\":[{\"feed\":%u}]}",
    "{\"request\":\"unsubscribe\",\"streams\":[{\"feed\":%u}]}", "{\"request\":\"update\",\"subscribe\":[{\"feed\":1}],\"unsubscribe\":[{\"feed\":%u}]}",
    "{\"request\":\"switch\",\"streams\":[{\"feed\":%u,\"mid\":\"0\",\"sub_mid\":\"0\"}]}", "{\"request\":\"start\"}", "{\"request\":\"pause\"}", "{\"request\":\"leave\"}",
    "{\"request\":\"rtp_forward\",\"room\":%u,\"publisher_id\":1,\"host\":\"127.0.0.1\",\"audio_port\":5000}", "{\"request\":\"enable_recording\",\"room\":%u,\"record\":true}",
};

static const char *const verbs[] = {"keepalive", "detach", "hangup", "destroy", "claim", "ping", "info", "frobnicate"};

/* Some step later may name what this text has made. */
static void learn(const char *text)
{
    json_t *reply = json_loads(text, 0, NULL);
    assert_non_null(reply);
    const char *transaction = json_string_value(json_object_get(reply, "transaction"));
    const json_t *id = json_object_get(json_object_get(reply, "data"), "id");
    if (transaction != NULL && json_is_integer(id) && transaction[0] == 'c')
        sessions[session_count++ % SESSIONS] = json_integer_value(id);
    else if (transaction != NULL && json_is_integer(id) && transaction[0] == 'a')
        legs[leg_count++ % HANDLES] = (struct leg){json_integer_value(json_object_get(reply, "session_id")), json_integer_value(id)};
    json_decref(reply);
}

static void hear_all(void)
{
    const struct peer_open_order *open;
    uint32_t worker = 0;
    for (uint32_t n = 0; n < CLIENTS; n++) {
        for (const char *text; (text = server_hear(&s, n)) != NULL;)
            learn(text);
        credits[n] += server_credits(&s, n);
    }
    while ((open = server_order(&s, WORKER_PEER_OPEN, &worker)) != NULL)
        peers[peer_count++ % PEERS] = (struct peer_ref){open->peer, worker};
    fake_forget(s.actor);
}

static void say(uint32_t n, const char *text, size_t size)
{
    said[n]++;
    server_say_bytes(&s, n, text, size);
}

static void sayf(uint32_t n, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void sayf(uint32_t n, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&text, format, args) >= 0);
    va_end(args);
    say(n, text, strlen(text));
    free(text);
}

static const struct leg *pick_leg(void)
{
    return &legs[read_u8(&r) % HANDLES];
}

static void say_message(uint32_t n, const char *body)
{
    static const char *const types[] = {NULL, NULL, "offer", "answer", "offer"};
    const struct leg *leg = pick_leg();
    const uint8_t dice = read_u8(&r) % ARRAY_COUNT(types);
    if (types[dice] == NULL) {
        sayf(n, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":%s}", leg->session, leg->handle, body);
        return;
    }
    char *sdp = json_quoted(dice == 2 ? SDP_CLIENT_OFFER : dice == 3 ? SDP_CLIENT_ANSWER : SDP_HEAD("new1", "2") SDP_VIDEO_LINE("actpass", "sendonly") SDP_SIMULCAST);
    sayf(n, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":%s,\"jsep\":{\"type\":\"%s\",\"sdp\":%s}}", leg->session,
         leg->handle, body, types[dice], sdp);
    free(sdp);
}

static void say_request(uint32_t n)
{
    char body[512];
    const char *format = bodies[read_u8(&r) % ARRAY_COUNT(bodies)];
    const char *hole = strstr(format, "%u");
    if (hole == NULL)
        snprintf(body, sizeof(body), "%s", format);
    else
        snprintf(body, sizeof(body), "%.*s%u%s", (int)(hole - format), format, read_u8(&r) % 4u, hole + 2);
    say_message(n, body);
}

static void say_raw(uint32_t n)
{
    const size_t want = read_u8(&r), left = reader_left(&r);
    struct view text = read_view(&r, want < left ? want : left);
    say(n, (const char *)text.data, text.size);
}

static void say_raw_body(uint32_t n)
{
    char body[256];
    const size_t want = read_u8(&r), left = reader_left(&r);
    struct view text = read_view(&r, want < left ? want : left);
    snprintf(body, sizeof(body), "%.*s", (int)text.size, (const char *)text.data);
    say_message(n, body);
}

static void tell_fact(void)
{
    const struct peer_ref peer = peers[read_u8(&r) % PEERS];
    const uint8_t dice = read_u8(&r);
    const struct peer_fact fact = {peer};
    const struct peer_hangup_fact hangup = {peer, dice / 8u % 8u};
    const struct peer_media_fact media = {.peer = peer, .mindex = dice / 8u % 4u, .substream = -1, .receiving = (dice & 64) != 0};
    const struct peer_slowlink_fact slow = {.peer = peer, .mindex = dice / 8u % 4u, .uplink = (dice & 64) != 0, .lost = dice};
    switch (dice % 6) {
    case 0: server_fact(&s, CONTROL_PEER_UP, &fact, sizeof(fact)); break;
    case 1: server_fact(&s, CONTROL_PEER_CLOSED, &fact, sizeof(fact)); break;
    case 2: server_fact(&s, CONTROL_PEER_ICE_FAILED, &fact, sizeof(fact)); break;
    case 3: server_fact(&s, CONTROL_PEER_HANGUP, &hangup, sizeof(hangup)); break;
    case 4: server_fact(&s, CONTROL_PEER_MEDIA, &media, sizeof(media)); break;
    default: server_fact(&s, CONTROL_PEER_SLOWLINK, &slow, sizeof(slow)); break;
    }
}

static void step(uint8_t op)
{
    const uint32_t n = op / 16u % CLIENTS;
    const uint8_t verb = op % 16u;
    switch (verb) {
    case 0: sayf(n, "{\"janus\":\"create\",\"transaction\":\"c\"}"); break;
    case 1: case 2:
        sayf(n, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":%lld,\"plugin\":\"janus.plugin.%s\"}", sessions[read_u8(&r) % SESSIONS],
             verb == 1 ? "videoroom" : "echotest");
        break;
    case 3: {
        const struct leg *leg = pick_leg();
        const uint8_t which = read_u8(&r) % ARRAY_COUNT(verbs);
        if (read_u8(&r) % 2 == 0)
            sayf(n, "{\"janus\":\"%s\",\"transaction\":\"v\",\"session_id\":%lld,\"handle_id\":%lld}", verbs[which], leg->session, leg->handle);
        else
            sayf(n, "{\"janus\":\"%s\",\"transaction\":\"v\",\"session_id\":%lld}", verbs[which], sessions[which]);
        break;
    }
    case 4: {
        const struct leg *leg = pick_leg();
        sayf(n, "{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":%lld,\"handle_id\":%lld,\"candidate\":%s}", leg->session, leg->handle,
             read_u8(&r) % 2 ? "{\"completed\":true}" : "{\"sdpMid\":\"0\",\"candidate\":\"candidate:1 1 udp 1 10.0.0.1 5000 typ host\"}");
        break;
    }
    case 5: server_gone(&s, n); break;
    case 6: server_advance(&s, MSEC(100) * read_u8(&r)); break;
    case 7: say_raw(n); break;
    case 8: say_raw_body(n); break;
    case 9: case 10: tell_fact(); break;
    case 11: server_advance(&s, SEC(read_u8(&r))); break;
    default: say_request(n); break;
    }
    if (verb != 15)                     /* the disk is as slow as the input wants */
        while (server_save_done(&s, verb == 14 ? "no room" : NULL))
            server_turn(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    leg_count = session_count = peer_count = 0;
    memset(legs, 0, sizeof(legs));
    memset(sessions, 0, sizeof(sessions));
    memset(peers, 0, sizeof(peers));
    memset(said, 0, sizeof(said));
    memset(credits, 0, sizeof(credits));
    r = reader_of(VIEW(data, size));
    server_init(&s);
    s.config.plugins = plugin_table;
    s.settings.reclaim_session_timeout_s = size % 2 ? 10 : 0;
    server_start(&s);
    for (uint32_t i = 0; i < STEPS_MAX && reader_left(&r) > 0 && !reader_failed(&r); i++) {
        step(read_u8(&r));
        hear_all();
    }
    for (int i = 0; i < 10; i++)        /* whatever waited for a turn of its own */
        server_turn(&s);
    hear_all();
    for (uint32_t n = 0; n < CLIENTS; n++)
        assert_int_equal(credits[n], said[n]);
    server_end(&s);
    return 0;
}
