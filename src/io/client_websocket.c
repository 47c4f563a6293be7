/* A client's WebSocket: texts in, credits, pings, the closing handshake (transports.md 3.5-3.7). */
#include "base/str.h"
#include "io/client_private.h"
#include "io/limits.h"

void client_websocket_open(struct clients *env, struct client *c, usec_t now)
{
    client_http_close(env, c);
    ws_init(&c->ws, WS_SERVER, env->rules.text_bytes_max);
    c->state = CLIENT_WEBSOCKET;
    c->last_input = now;
    c->phase_deadline = USEC_NEVER;
}

static void queue_close(struct client *c, usec_t now, unsigned code)
{
    struct buf frame;
    buf_init(&frame, WS_HEAD_MAX + WS_CONTROL_MAX);
    ws_write_close(&frame, code, STR(""), NULL);
    client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), buf_view(&frame));
    buf_fini(&frame);
}

static enum client_end end_of(unsigned code)
{
    switch (code) {
    case WS_CODE_NOT_UTF8:
        return CLIENT_END_NOT_UTF8;
    case WS_CODE_TOO_BIG:
        return CLIENT_END_TOO_BIG;
    default:
        return CLIENT_END_BROKE_FRAMES;
    }
}

/* Who holds memory in a message that isn't whole is counted with all others who do. False: it was one too many, and nothing
 * more of it is taken while the end is on its way. */
static bool count_partial(struct clients *env, struct client *c, usec_t now)
{
    bool more = c->ws.text.room > c->partial_bytes;
    client_set_partial(env, c, c->ws.text.room);
    if (!more || c->partial_bytes <= IO_PARTIAL_BYTES_FREE || env->partial_bytes <= env->rules.partial_bytes_max)
        return true;
    ws_stop(&c->ws);
    client_set_partial(env, c, 0);
    queue_close(c, now, WS_CODE_TOO_BIG);
    client_finish(env, c, now, CLIENT_END_PARTIALS_PILED, true);
    return false;
}

/* The clock of a message that isn't whole starts with its first byte, and is not wound by more of them. */
static void watch_partial(struct client *c, usec_t now)
{
    if (!ws_is_partial(&c->ws))
        c->phase_deadline = USEC_NEVER;
    else if (c->phase_deadline == USEC_NEVER)
        c->phase_deadline = usec_add(now, IO_PARTIAL_US);
}

bool client_websocket_input(struct clients *env, struct client *c, usec_t now, struct ws_input *input, struct view *text)
{
    struct ws_event event;
    if (!ws_read(&c->ws, input, &event))
        return false;
    switch (event.kind) {
    case WS_TEXT:
    case WS_BINARY:                              /* treated alike (transports.md 3.6) */
        c->phase_deadline = USEC_NEVER;
        c->credits_used++;
        c->request_bytes += (uint32_t)event.data.size;
        env->counters.texts++;
        *text = event.data;
        return true;
    case WS_PING:
        client_queue_pong(env, c, now, event.data);
        break;
    case WS_PONG:
        break;
    case WS_CLOSED:                              /* the same code comes back (transports.md 3.7) */
        queue_close(c, now, event.code);
        client_finish(env, c, now, CLIENT_END_PEER, false);
        break;
    case WS_ERROR:
        queue_close(c, now, event.code);
        client_finish(env, c, now, end_of(event.code), true);
        break;
    }
    return false;
}

/* Nothing more to read now: the text handed out last gives its memory back, and what is partial is watched. */
void client_websocket_rest(struct clients *env, struct client *c, usec_t now)
{
    struct ws_input nothing = {NULL, 0};
    struct ws_event event;
    (void)ws_read(&c->ws, &nothing, &event);
    if (count_partial(env, c, now))
        watch_partial(c, now);
}

void client_websocket_close(struct clients *env, struct client *c, usec_t now, enum ws_code code)
{
    queue_close(c, now, code);
    client_finish(env, c, now, CLIENT_END_ASKED, true);
}

/* We have closed; of what still comes only the peer's own close means something. */
void client_websocket_closing_input(struct clients *env, struct client *c, struct ws_input *input)
{
    struct ws_event event;
    while (ws_read(&c->ws, input, &event)) {
        if (event.kind != WS_CLOSED && event.kind != WS_ERROR)
            continue;
        c->linger = false;
        if (c->drained)
            client_kill(env, c, (enum client_end)c->end);
    }
}

/* A client that isn't read, because control is still at its requests, can't be blamed for silence. */
static bool is_watched(const struct client *c)
{
    return c->held == NULL && client_may_ask(c);
}

usec_t client_websocket_deadline(const struct clients *env, const struct client *c)
{
    if (!is_watched(c))
        return USEC_NEVER;
    usec_t ping = usec_add(c->last_input, env->rules.ping_trigger_us);
    if (c->ping_sent)
        ping = usec_add(ping, env->rules.ping_timeout_us);
    return usec_min(ping, c->phase_deadline);
}

void client_websocket_timeout(struct clients *env, struct client *c, usec_t now)
{
    if (now < client_websocket_deadline(env, c))
        return;
    if (now >= c->phase_deadline) {
        client_kill(env, c, CLIENT_END_PARTIAL);
        return;
    }
    if (c->ping_sent) {
        client_kill(env, c, CLIENT_END_NO_PONG);
        return;
    }
    uint8_t head[WS_HEAD_MAX];
    size_t size = ws_head(head, WS_OP_PING, true, 0, NULL);
    client_queue(c, now, OUT_REPLY, VIEW(head, size), VIEW(NULL, 0));
    c->ping_sent = true;
}
