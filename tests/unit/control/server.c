#include "control/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/probe_plugin.h"

/* A small generator of its own (xorshift64*): the same seed gives the same server. */
static void fill(void *source, uint8_t *out, size_t size)
{
    uint64_t *state = source;
    for (size_t i = 0; i < size; i++) {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        out[i] = (uint8_t)((*state * UINT64_C(2685821657736338717)) >> 56);
    }
}

static struct net_addr address(const char *ip, uint16_t port)
{
    struct net_addr addr = {0};
    assert_true(net_ip_parse(&addr, VIEW(ip, strlen(ip))));
    addr.port = port;
    return addr;
}

void server_init(struct server *s)
{
    *s = (struct server){.now = SEC(1000), .seed = 1, .layout = LAYOUT_COMPACT};
    s->settings = (struct settings){
        .configs_folder = "/etc/cardea",
        .server_name = "MyJanusInstance",
        .session_timeout_s = 60,
        .candidates_timeout_s = 45,
        .min_nack_queue_ms = 200,
        .no_media_timer_s = 1,
        .twcc_period_ms = 200,
        .dtls_mtu = 1200,
        .log_to_stdout = true,
    };
    for (uint32_t i = 0; i < SERVER_WORKERS; i++) {
        s->workers[i].sockets[0] = address("127.0.0.1", (uint16_t)(20000 + i));
        s->workers[i].socket_count = 1;
    }
    s->config = (struct control_config){
        .shows_peers = true,
        .settings = &s->settings,
        .workers = s->workers,
        .worker_count = SERVER_WORKERS,
        .fingerprint = FINGERPRINT,
        .plugins = probe_table,
        .entropy = fill,
    };
}

void server_start(struct server *s)
{
    s->config.entropy_source = &s->seed;
    s->config.workers = s->workers;
    s->config.settings = &s->settings;
    s->actor = fake_actor_new();
    probe_reset();
    s->control = control_new(s->actor, &s->config);
    assert_non_null(s->control);
    control_ops.on_start(s->control, s->now);
}

void server_end(struct server *s)
{
    control_free(s->control);
    fake_actor_free(s->actor);
    assert_int_equal(seam_mem_outstanding(), 0);
}

/* -- to the server ------------------------------------------------------------------------------------------------------ */

static void deliver_op(struct server *s, actor_id from, uint16_t type, struct ref op, const void *payload, size_t size)
{
    struct message m = {.from = from, .type = type, .op = op, .payload = payload, .size = size};
    control_ops.on_message(s->control, s->now, &m);
}

static void deliver(struct server *s, actor_id from, uint16_t type, const void *payload, size_t size)
{
    deliver_op(s, from, type, REF_NONE, payload, size);
}

void server_turn(struct server *s)
{
    control_ops.on_turn(s->control, s->now);
}

static void post_bytes(struct server *s, uint32_t n, const void *text, size_t size)
{
    struct client_request *request = malloc(sizeof(*request) + size);
    *request = (struct client_request){.client = {n, 1}, .layout = (uint8_t)s->layout, .api = s->api, .transport = s->transport, .size = (uint32_t)size};
    if (size > 0)
        memcpy(request->text, text, size);
    deliver(s, ACTOR_IO, CONTROL_CLIENT_REQUEST, request, sizeof(*request) + size);
    free(request);
}

void server_post(struct server *s, uint32_t n, const char *text)
{
    post_bytes(s, n, text, strlen(text));
}

void server_say_bytes(struct server *s, uint32_t n, const void *text, size_t size)
{
    post_bytes(s, n, text, size);
    server_turn(s);
}

void server_say(struct server *s, uint32_t n, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&text, format, args) >= 0);
    va_end(args);
    server_say_bytes(s, n, text, strlen(text));
    free(text);
}

void server_gone(struct server *s, uint32_t n)
{
    struct client_gone gone = {{n, 1}};
    deliver(s, ACTOR_IO, CONTROL_CLIENT_GONE, &gone, sizeof(gone));
    server_turn(s);
}

void server_fact(struct server *s, uint16_t type, const void *payload, size_t size)
{
    void *copy = malloc(size);
    memcpy(copy, payload, size);
    deliver(s, ACTOR_WORKER_0, type, copy, size);
    server_turn(s);
    free(copy);
}

void server_disk_answer(struct server *s, struct ref op, const char *error)
{
    struct disk_done done = {.fine = error == NULL};
    snprintf(done.error, sizeof(done.error), "%s", error == NULL ? "" : error);
    deliver_op(s, ACTOR_DISK_0, CONTROL_DISK_DONE, op, &done, sizeof(done));
    server_turn(s);
}

const struct disk_save *server_save(struct server *s, struct ref *op)
{
    for (size_t i = 0; i < s->actor->count; i++) {
        struct fake_sent *sent = &s->actor->sent[i];
        if (sent->read || (sent->to != ACTOR_DISK_0 && sent->to != ACTOR_DISK_1) || sent->type != DISK_SAVE)
            continue;
        sent->read = true;
        *op = sent->op;
        return sent->payload;
    }
    return NULL;
}

bool server_save_done(struct server *s, const char *error)
{
    struct ref op;
    if (server_save(s, &op) == NULL)
        return false;
    server_disk_answer(s, op, error);
    return true;
}

void server_advance(struct server *s, usec_t us)
{
    usec_t end = s->now + us;
    for (;;) {
        usec_t next = control_ops.deadline(s->control);
        if (next > end)
            break;
        s->now = next > s->now ? next : s->now;
        server_turn(s);
    }
    s->now = end;
}

/* -- from the server ---------------------------------------------------------------------------------------------------- */

static bool last_event;

static const struct io_send *next_send(struct server *s, uint32_t n)
{
    for (size_t i = 0; i < s->actor->count; i++) {
        struct fake_sent *sent = &s->actor->sent[i];
        const struct io_send *send = sent->payload;
        if (sent->read || sent->to != ACTOR_IO || sent->type != IO_SEND || send->client.slot != n)
            continue;
        assert_int_equal(sent->size, sizeof(*send) + send->size);
        sent->read = true;
        last_event = send->event;
        return send;
    }
    return NULL;
}

const char *server_hear(struct server *s, uint32_t n)
{
    const struct io_send *send = next_send(s, n);
    return send == NULL ? NULL : send->text;            /* the fake actor ends it with a NUL */
}

json_t *server_hear_json(struct server *s, uint32_t n)
{
    json_error_t error;
    const char *text = server_hear(s, n);
    assert_non_null(text);
    json_t *document = json_loads(text, 0, &error);
    if (document == NULL)
        fail_msg("%s in %s", error.text, text);
    return document;
}

bool server_last_was_event(const struct server *s)
{
    (void)s;
    return last_event;
}

uint32_t server_credits(struct server *s, uint32_t n)
{
    uint32_t credits = 0;
    for (size_t i = 0; i < s->actor->count; i++) {
        struct fake_sent *sent = &s->actor->sent[i];
        const struct io_credit *credit = sent->payload;
        if (sent->read || sent->to != ACTOR_IO || sent->type != IO_CREDIT || credit->client.slot != n)
            continue;
        sent->read = true;
        credits++;
    }
    return credits;
}

void expect_text(struct server *s, uint32_t n, const char *format, ...)
{
    char *expected;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&expected, format, args) >= 0);
    va_end(args);
    const char *text = server_hear(s, n);
    if (text == NULL)
        fail_msg("nothing came; expected %s", expected);
    assert_string_equal(text, expected);
    free(expected);
}

void expect_silence(struct server *s, uint32_t n)
{
    const char *text = server_hear(s, n);
    if (text != NULL)
        fail_msg("unexpected: %s", text);
}

void expect_error(struct server *s, uint32_t n, int code, const char *reason)
{
    json_t *document = server_hear_json(s, n);
    const json_t *error = json_object_get(document, "error");
    assert_string_equal(json_string_value(json_object_get(document, "janus")), "error");
    assert_string_equal(json_string_value(json_object_get(error, "reason")), reason);
    assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
    json_decref(document);
}

const void *server_order(struct server *s, uint16_t type, uint32_t *worker)
{
    for (size_t i = 0; i < s->actor->count; i++) {
        struct fake_sent *sent = &s->actor->sent[i];
        if (sent->read || sent->to < ACTOR_WORKER_0 || sent->type != type)
            continue;
        sent->read = true;
        if (worker != NULL)
            *worker = sent->to - ACTOR_WORKER_0;
        return sent->payload;
    }
    return NULL;
}

uint32_t server_orders(struct server *s, uint16_t type)
{
    uint32_t count = 0;
    while (server_order(s, type, NULL) != NULL)
        count++;
    return count;
}

/* -- shortcuts ------------------------------------------------------------------------------------------------------------ */

static int64_t success_id(struct server *s, uint32_t n)
{
    json_t *document = server_hear_json(s, n);
    assert_string_equal(json_string_value(json_object_get(document, "janus")), "success");
    int64_t id = json_integer_value(json_object_get(json_object_get(document, "data"), "id"));
    assert_true(id > 0);
    json_decref(document);
    return id;
}

int64_t server_create(struct server *s, uint32_t n)
{
    server_say(s, n, "{\"janus\":\"create\",\"transaction\":\"c\"}");
    return success_id(s, n);
}

int64_t server_attach(struct server *s, uint32_t n, int64_t session)
{
    server_say(s, n, "{\"janus\":\"attach\",\"session_id\":%lld,\"transaction\":\"a\",\"plugin\":\"janus.plugin.probe\"}", (long long)session);
    return success_id(s, n);
}

void server_message(struct server *s, uint32_t n, int64_t session, int64_t handle, const char *body)
{
    server_say(s, n, "{\"janus\":\"message\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"m\",\"body\":%s}", (long long)session,
               (long long)handle, body);
}

char *json_quoted(const char *text)
{
    json_t *string = json_string(text);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT);
    json_decref(string);
    return quoted;
}
