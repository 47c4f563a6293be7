/* The connection around HTTP and WebSocket: TLS, what is held back, output, the way to the end.
 *
 * Input goes raw -> (TLS) -> clear -> state machine. A client that may not be read on (credits, an unfinished answer) keeps
 * the rest of what was already read in `held`, decrypted; its socket isn't read until that has gone through. */
#include "io/client.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/client_private.h"
#include "io/limits.h"

struct client_held {
    size_t size;
    uint8_t data[];
};

const char *client_end_name(enum client_end end)
{
    static const char *const names[] = {
        "lives",
#define X(name) #name,
        CLIENT_ENDS(X)
#undef X
    };
    return names[end];
}

void clients_init(struct clients *env, const struct client_rules *rules, const struct site *site, uint32_t limit,
                  void (*entropy)(void *source, uint8_t *out, size_t size), void *entropy_source)
{
    struct hash_key key;
    *env = (struct clients){.rules = *rules, .site = site};
    rng_init(&env->rng, entropy, entropy_source);
    rng_bytes(&env->rng, &key, sizeof(key));
    list_init(&env->asking);
    eventqs_init(&env->events, &key, IO_QUEUES_MAX);
    pool_init(&env->http_pool, "http", sizeof(struct client_http), limit);
    if (rules->partial_bytes_max == 0)
        env->rules.partial_bytes_max = IO_PARTIAL_BYTES_MAX;
    if (rules->queued_bytes_max == 0)
        env->rules.queued_bytes_max = IO_QUEUED_BYTES_MAX;
    env->events.bytes_max = env->rules.queued_bytes_max;
    pool_init(&env->tls_pool, "tls", tls_size(), limit);
    env->gather = mem_get(IO_GATHER_BYTES);
}

void clients_fini(struct clients *env)
{
    CHECK(env->resumed == NULL);
    eventqs_fini(&env->events);
    pool_fini(&env->http_pool);
    pool_fini(&env->tls_pool);
    mem_put(env->gather);
}

/* What a client holds of all clients' memory for output. An answer of the web folder is the site's own, or a few bytes. */
static void count_queued(struct clients *env, struct client *c)
{
    uint32_t bytes = c->state == CLIENT_HTTP && c->origin->http == NULL ? 0 : c->out.event_bytes + c->out.reply_bytes;
    env->queued_bytes = env->queued_bytes - c->queued_bytes + bytes;
    c->queued_bytes = bytes;
}

bool client_open(struct clients *env, struct client *c, const struct client_origin *origin, const struct net_addr *addr, usec_t now)
{
    c->origin = origin;
    c->addr = *addr;
    c->state = CLIENT_HTTP;
    c->ws.over = true;           /* until the handshake opens it */
    c->last_input = c->last_progress = now;
    c->phase_deadline = usec_add(now, IO_FIRST_REQUEST_US);
    if (origin->packets != NULL) {
        c->state = CLIENT_PACKETS;
        c->phase_deadline = USEC_NEVER;
        env->counters.opened++;
        return true;
    }
    if (origin->tls != NULL && (c->tls = tls_new(&env->tls_pool, origin->tls)) == NULL)
        return false;
    if (!client_http_open(env, c, now)) {
        tls_free(&env->tls_pool, c->tls);
        c->tls = NULL;
        return false;
    }
    env->counters.opened++;
    return true;
}

void client_fini(struct clients *env, struct client *c)
{
    client_http_close(env, c);
    ws_fini(&c->ws);
    env->partial_bytes -= c->partial_bytes;
    c->partial_bytes = 0;
    outq_fini(&c->out);
    count_queued(env, c);
    tls_free(&env->tls_pool, c->tls);
    mem_put(c->held);
    c->tls = NULL;
    c->held = NULL;
}

/* --- The end ---------------------------------------------------------------------------------------------------- */

static void count_end(struct clients *env, struct client *c, enum client_end end)
{
    if (c->end != CLIENT_LIVES)
        return;
    c->end = (uint8_t)end;
    env->counters.ended[end]++;
}

static void drop_held(struct client *c)
{
    mem_put(c->held);
    c->held = NULL;
}

void client_kill(struct clients *env, struct client *c, enum client_end end)
{
    count_end(env, c, end);
    c->state = CLIENT_DEAD;
    outq_fini(&c->out);
    count_queued(env, c);
    drop_held(c);
}

void client_finish(struct clients *env, struct client *c, usec_t now, enum client_end end, bool linger)
{
    count_end(env, c, end);
    if (client_is_gone(c))
        return;
    c->state = CLIENT_CLOSING;
    c->linger = linger;
    c->phase_deadline = usec_add(now, IO_CLOSE_US);
    client_http_close(env, c);
    drop_held(c);
}

void client_close(struct clients *env, struct client *c, usec_t now, enum ws_code code)
{
    if (client_is_gone(c))
        return;
    if (c->state == CLIENT_WEBSOCKET)
        client_websocket_close(env, c, now, code);
    else if (c->state == CLIENT_PACKETS && client_wants_output(c))
        client_finish(env, c, now, CLIENT_END_ASKED, false);
    else
        client_kill(env, c, CLIENT_END_ASKED);
}

/* The input has ended. An HTTP answer may still go to a peer that only closed its own side; a WebSocket without a close
 * frame is broken, whatever is queued; and of packets the peer is gone. */
void client_input_ended(struct clients *env, struct client *c, bool broken)
{
    c->input_ended = true;
    if (client_is_dead(c))
        return;
    bool may_write = !broken && c->state != CLIENT_WEBSOCKET && c->origin->packets == NULL && client_wants_output(c);
    if (!may_write)
        client_kill(env, c, CLIENT_END_PEER);
}

/* --- Input ------------------------------------------------------------------------------------------------------ */

static bool is_lasting(const struct client *c)
{
    return c->origin->packets != NULL && c->origin->packets->lasting;
}

bool client_may_ask(const struct client *c)
{
    return c->credits_used < IO_CREDITS && c->request_bytes < IO_REQUEST_BYTES_STOP && (is_lasting(c) || c->out.reply_bytes <= IO_REPLY_BYTES_STOP);
}

/* Whether clear bytes may go on into the state machine. */
static bool may_read(const struct client *c)
{
    switch ((enum client_state)c->state) {
    case CLIENT_HTTP:
        return client_http_step(c) <= HTTP_STEP_BODY;
    case CLIENT_WEBSOCKET:
    case CLIENT_PACKETS:
        return client_may_ask(c);
    case CLIENT_CLOSING:
    case CLIENT_DEAD:
        break;
    }
    return true;
}

bool client_wants_input(const struct client *c)
{
    return !client_is_dead(c) && !c->input_ended && c->held == NULL && may_read(c);
}

bool client_in_handshake(const struct client *c)
{
    return c->tls != NULL && c->state == CLIENT_HTTP && !tls_is_open(c->tls);
}

void client_feed(struct clients *env, struct client *c, usec_t now, uint8_t *data, size_t size)
{
    CHECK(env->raw.size == 0 && env->clear.size == 0);
    CHECK(c->held == NULL);      /* what is held back comes first: not even read until it has gone on */
    c->last_input = now;
    c->ping_sent = false;
    if (client_is_dead(c))
        return;
    if (c->tls != NULL)
        tls_feed(c->tls, VIEW(data, size));
    else
        env->raw = (struct ws_input){data, size};
}

bool client_resume(struct clients *env, struct client *c, usec_t now)
{
    if (c->held == NULL || !may_read(c))
        return false;
    CHECK(env->resumed == NULL && env->clear.size == 0);
    c->last_input = now;         /* it was we who didn't read: both clocks start again */
    if (c->state == CLIENT_WEBSOCKET)
        c->phase_deadline = USEC_NEVER;
    env->resumed = (uint8_t *)c->held;
    env->clear = (struct ws_input){c->held->data, c->held->size};
    c->held = NULL;
    return true;
}

/* Puts the clear bytes in hand aside, behind those that are there already. */
static void hold_back(struct clients *env, struct client *c)
{
    size_t before = c->held == NULL ? 0 : c->held->size, size = env->clear.size;
    CHECK(before + size <= (c->origin->packets == NULL ? IO_READ_BYTES + 2 * TLS_WRITE_MAX : IO_TEXT_BYTES_MAX));
    if (before == 0)
        env->counters.paused++;
    c->held = mem_resize(c->held, sizeof(*c->held) + before + size);
    memcpy(c->held->data + before, env->clear.data, size);
    c->held->size = before + size;
    env->clear.size = 0;
}

/* TLS goes no further: the peer's close_notify, or a failure whose alert shall still leave. */
static void on_tls_over(struct clients *env, struct client *c, usec_t now)
{
    if (client_is_dead(c))
        return;
    if (client_in_handshake(c) && !c->input_ended)
        client_finish(env, c, now, CLIENT_END_TLS_FAILED, false);
    else
        client_input_ended(env, c, false);
}

/* The next clear bytes into env->clear. */
static bool refill(struct clients *env, struct client *c, usec_t now)
{
    mem_put(env->resumed);
    env->resumed = NULL;
    if (c->tls == NULL) {
        env->clear = env->raw;
        env->raw.size = 0;
        return env->clear.size > 0;
    }
    size_t size = 0;
    enum tls_result result = tls_read(c->tls, env->decrypted, sizeof(env->decrypted), &size);
    env->clear = (struct ws_input){env->decrypted, size};
    if (result == TLS_OVER)
        on_tls_over(env, c, now);
    return size > 0;
}

static void take_packet(struct clients *env, struct client *c, struct view *text)
{
    *text = VIEW(env->clear.data, env->clear.size);
    env->clear.size = 0;
    c->credits_used++;
    c->request_bytes += (uint32_t)text->size;
    env->counters.texts++;
}

bool client_next(struct clients *env, struct client *c, usec_t now, struct view *text)
{
    for (;;) {
        if (env->clear.size == 0 && !refill(env, c, now)) {
            if (c->state == CLIENT_WEBSOCKET)
                client_websocket_rest(env, c, now);
            return false;
        }
        if (!may_read(c)) {
            hold_back(env, c);
            continue;
        }
        switch ((enum client_state)c->state) {
        case CLIENT_HTTP:
            if (client_http_input(env, c, now, &env->clear, text))
                return true;
            break;
        case CLIENT_WEBSOCKET:
            if (client_websocket_input(env, c, now, &env->clear, text))
                return true;
            break;
        case CLIENT_PACKETS:
            take_packet(env, c, text);
            return true;
        case CLIENT_CLOSING:
            if (c->origin->packets == NULL)
                client_websocket_closing_input(env, c, &env->clear);
            else
                env->clear.size = 0;
            break;
        case CLIENT_DEAD:
            env->clear.size = 0;
            break;
        }
    }
}

/* --- Output ----------------------------------------------------------------------------------------------------- */

void client_queue(struct client *c, usec_t now, enum out_kind kind, struct view head, struct view text)
{
    if (!client_wants_output(c))
        c->last_progress = now;
    outq_add(&c->out, kind, head, text);
}

void client_queue_lasting(struct client *c, usec_t now, struct view text)
{
    if (!client_wants_output(c))
        c->last_progress = now;
    outq_add_lasting(&c->out, OUT_REPLY, VIEW(NULL, 0), text);
}

/* Whether `size` more would be beyond what one client may have waiting. One event always may, however long. */
static bool is_own_share_full(const struct outq *q, enum out_kind kind, size_t size)
{
    if (kind == OUT_EVENT && q->events > 0 && (q->events >= IO_EVENTS_MAX || q->event_bytes + size > IO_EVENT_BYTES_MAX))
        return true;
    return q->reply_bytes + size > IO_REPLY_BYTES_MAX;
}

static bool is_common_share_full(const struct clients *env, const struct client *c, size_t size)
{
    return c->queued_bytes + size > IO_QUEUED_BYTES_FREE && env->queued_bytes + size > env->rules.queued_bytes_max;
}

bool client_has_room(struct clients *env, struct client *c, enum out_kind kind, size_t size)
{
    if (!is_own_share_full(&c->out, kind, size) && !is_common_share_full(env, c, size))
        return true;
    bool events = kind == OUT_EVENT && c->out.reply_bytes + size <= IO_REPLY_BYTES_MAX;
    if (is_lasting(c)) {
        env->counters.dropped_events += kind == OUT_EVENT;
        env->counters.dropped_replies += kind == OUT_REPLY;
        return false;
    }
    client_kill(env, c, events ? CLIENT_END_EVENTS_PILED : CLIENT_END_REPLIES_PILED);
    return false;
}

void client_set_partial(struct clients *env, struct client *c, size_t bytes)
{
    env->partial_bytes = env->partial_bytes - c->partial_bytes + bytes;
    c->partial_bytes = (uint32_t)bytes;
}

struct client_ask *client_ask(const struct client *c)
{
    return c->http != NULL && c->http->step == HTTP_STEP_ASKED ? &c->http->ask : NULL;
}

void client_reply(struct clients *env, struct client *c, usec_t now, struct view text, unsigned error)
{
    CHECK(client_ask(c) != NULL);
    if (!client_has_room(env, c, OUT_REPLY, text.size))
        return;
    env->counters.sent_texts++;
    client_api_reply(env, c, now, text, error);
    count_queued(env, c);
}

void client_show(struct clients *env, struct client *c, usec_t now, unsigned status, const char *type, struct view text)
{
    CHECK(client_want(c) != CLIENT_WANTS_NOTHING);
    if (!client_has_room(env, c, OUT_REPLY, text.size))
        return;
    client_monitor_answer(env, c, now, status, type, text);
    count_queued(env, c);
}

/* What stands in front of a text. */
static size_t write_prefix(const struct client *c, uint32_t tag, size_t size, uint8_t head[WS_HEAD_MAX])
{
    if (c->origin->packets == NULL)
        return ws_head(head, WS_OP_TEXT, true, size, NULL);
    if (!c->origin->packets->tagged)
        return 0;
    memcpy(head, &tag, sizeof(tag));
    return sizeof(tag);
}

void client_send(struct clients *env, struct client *c, usec_t now, enum out_kind kind, struct view text, void *block)
{
    client_send_tagged(env, c, now, kind, 0, text, block);
}

void client_send_tagged(struct clients *env, struct client *c, usec_t now, enum out_kind kind, uint32_t tag, struct view text, void *block)
{
    uint8_t head[WS_HEAD_MAX];
    if (c->state != CLIENT_WEBSOCKET && c->state != CLIENT_PACKETS) {
        env->counters.sent_to_gone++;
        mem_put(block);
        return;
    }
    struct view prefix = VIEW(head, write_prefix(c, tag, text.size, head));
    if (!client_has_room(env, c, kind, prefix.size + text.size)) {
        mem_put(block);
        return;
    }
    env->counters.sent_texts++;
    if (!client_wants_output(c))
        c->last_progress = now;
    if (block != NULL)
        outq_add_block(&c->out, kind, prefix, text, block);
    else
        outq_add(&c->out, kind, prefix, text);
    count_queued(env, c);
}

bool client_queue_pong(struct clients *env, struct client *c, usec_t now, struct view payload)
{
    uint8_t head[WS_HEAD_MAX];
    size_t size = ws_head(head, WS_OP_PONG, true, payload.size, NULL);
    /* A pong is asked for, but holds no credit: who pings without reading is bounded like who doesn't read its events. */
    if (!client_has_room(env, c, OUT_EVENT, size + payload.size))
        return false;
    client_queue(c, now, OUT_EVENT, VIEW(head, size), payload);
    return true;
}

static void release_credits(struct client *c, uint32_t credits)
{
    CHECK(credits <= c->credits_used);
    c->credits_used = (uint8_t)(c->credits_used - credits);
}

void client_credit(struct clients *env, struct client *c)
{
    if (client_is_gone(c) || c->state == CLIENT_HTTP)
        return;                  /* HTTP: one request at a time needs no credits */
    if (c->credits_used <= c->out.credits) {
        env->counters.stray_credits++;
        return;
    }
    /* Which of the texts control has done with isn't said: take it for an average one. The last one leaves nothing. */
    c->request_bytes -= c->request_bytes / (c->credits_used - c->out.credits);
    /* A broker's confirmations come on the connection that its requests come on: who stopped reading these for want of the others
     * would wait for ever. */
    if (is_lasting(c) || !outq_hold_credit(&c->out))
        release_credits(c, 1);
}

bool client_wants_output(const struct client *c)
{
    return !client_is_dead(c) && (!outq_is_empty(&c->out) || (c->tls != NULL && tls_output(c->tls).size > 0));
}

/* Of a WebSocket only after the peer's own close: it is the one to wait for till then, and libraries differ in what they
 * make of an end in between. */
bool client_output_is_over(const struct client *c)
{
    return c->state == CLIENT_CLOSING && c->drained && c->ws.over;
}

/* The next record, once the one before has left: what waits in clear can still be told apart and counted. */
static void encrypt(struct clients *env, struct client *c)
{
    size_t size = outq_gather(&c->out, env->gather, TLS_WRITE_MAX);
    if (!tls_write(c->tls, VIEW(env->gather, size))) {
        client_kill(env, c, CLIENT_END_TLS_FAILED);
        return;
    }
    release_credits(c, outq_sent(&c->out, size));
    count_queued(env, c);
}

static size_t plain_output(struct clients *env, struct client *c, struct view parts[OUTQ_PARTS])
{
    size_t count = outq_peek(&c->out, parts), size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    if (count == 0 || c->origin->packets != NULL || size >= IO_GATHER_BYTES / 4)
        return count;            /* long enough to go from where it is; or a packet, which goes alone */
    parts[0] = VIEW(env->gather, outq_gather(&c->out, env->gather, IO_GATHER_BYTES));
    return 1;
}

/* Nothing is left to write. True: that has changed something, look again. */
static bool on_drained(struct clients *env, struct client *c, usec_t now)
{
    if (c->state == CLIENT_HTTP) {
        bool answered = client_http_step(c) == HTTP_STEP_ANSWERING;
        if (answered)
            client_http_answered(env, c, now);
        if (c->input_ended && c->held == NULL && !client_is_dead(c))
            client_kill(env, c, CLIENT_END_PEER);
        return answered;
    }
    if (c->state != CLIENT_CLOSING)
        return false;
    if (c->tls != NULL && !c->tls_closed) {
        c->tls_closed = true;
        tls_close(c->tls);
        return true;
    }
    if (!c->linger || c->input_ended)
        client_kill(env, c, (enum client_end)c->end);
    else if (!c->drained)
        c->phase_deadline = usec_min(c->phase_deadline, usec_add(now, IO_LINGER_US));
    c->drained = true;
    return false;
}

size_t client_output(struct clients *env, struct client *c, usec_t now, struct view parts[OUTQ_PARTS])
{
    do {
        size_t count = 0;
        if (c->tls != NULL && tls_output(c->tls).size == 0 && !outq_is_empty(&c->out))
            encrypt(env, c);
        if (client_is_dead(c))
            return 0;
        if (c->tls == NULL) {
            count = plain_output(env, c, parts);
        } else if (tls_output(c->tls).size > 0) {
            parts[0] = tls_output(c->tls);
            count = 1;
        }
        if (count > 0)
            return count;
    } while (on_drained(env, c, now));
    return 0;
}

void client_sent(struct clients *env, struct client *c, usec_t now, size_t size)
{
    if (size == 0)
        return;
    c->last_progress = now;
    if (c->tls != NULL)
        tls_sent(c->tls, size);
    else
        release_credits(c, outq_sent(&c->out, size));
    count_queued(env, c);
}

void client_skip(struct clients *env, struct client *c, usec_t now)
{
    static const char refusal[] = "{\"janus\":\"error\",\"error\":{\"code\":490,\"reason\":\"The reply is too long for a packet\"}}";
    struct view parts[OUTQ_PARTS];
    enum out_kind kind = outq_first_kind(&c->out);
    size_t size = 0, count = outq_peek(&c->out, parts);
    CHECK(c->origin->packets != NULL && count > 0);
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    client_sent(env, c, now, size);
    env->counters.too_long++;
    if (kind == OUT_REPLY)
        client_send(env, c, now, OUT_REPLY, VIEW(refusal, sizeof(refusal) - 1), NULL);
}

/* --- Deadlines -------------------------------------------------------------------------------------------------- */

/* It has output that it should take. A broker may be away for longer. */
static bool may_stall(const struct client *c)
{
    return client_wants_output(c) && (!is_lasting(c) || client_is_gone(c));
}

usec_t client_deadline(const struct clients *env, const struct client *c)
{
    usec_t first = USEC_NEVER;
    if (client_is_dead(c))
        return first;
    if (may_stall(c))
        first = usec_add(c->last_progress, IO_STALL_US);
    if (c->state == CLIENT_WEBSOCKET)
        return usec_min(first, client_websocket_deadline(env, c));
    if (c->state == CLIENT_HTTP && (client_http_step(c) == HTTP_STEP_ANSWERING || client_http_step(c) == HTTP_STEP_ASKED))
        return first;
    return usec_min(first, c->phase_deadline);
}

void client_timeout(struct clients *env, struct client *c, usec_t now)
{
    if (client_is_dead(c))
        return;
    if (may_stall(c) && now >= usec_add(c->last_progress, IO_STALL_US))
        client_kill(env, c, CLIENT_END_STALLED);
    else if (c->state == CLIENT_WEBSOCKET)
        client_websocket_timeout(env, c, now);
    else if (c->state == CLIENT_HTTP && (client_http_step(c) == HTTP_STEP_ANSWERING || client_http_step(c) == HTTP_STEP_ASKED))
        return;
    else if (now < c->phase_deadline)
        return;
    else if (c->state == CLIENT_HTTP && client_http_step(c) == HTTP_STEP_HELD)
        client_api_timeout(env, c, now);
    else
        client_kill(env, c, CLIENT_END_NO_REQUEST);
}
