#include "client/door.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "proto/http/http.h"

#define POLL_EVENTS 5

void door_init(struct door *door)
{
    *door = (struct door){0};
    door->ws.source.fd = door->ask.conn.source.fd = door->poll.conn.source.fd = -1;
}

bool door_is_open(const struct door *door)
{
    return door->http ? conn_is_open(&door->ask.conn) && conn_is_open(&door->poll.conn) : conn_is_open(&door->ws);
}

/* ---- a WebSocket ---- */

static void on_ws_open(struct conn *conn, usec_t now)
{
    struct door *door = CONTAINER_OF(conn, struct door, ws);
    door->ops->on_open(door, now);
}

static void on_ws_text(struct conn *conn, usec_t now, struct view text)
{
    struct door *door = CONTAINER_OF(conn, struct door, ws);
    door->ops->on_text(door, now, text);
}

static void on_ws_closed(struct conn *conn, usec_t now)
{
    struct door *door = CONTAINER_OF(conn, struct door, ws);
    door->ops->on_closed(door, now);
}

static const struct conn_ops ws_ops = {.on_open = on_ws_open, .on_text = on_ws_text, .on_closed = on_ws_closed};

/* ---- HTTP ---- */

static void ask_for_events(struct door *door)
{
    char text[160];
    if (door->session == 0 || door->polling || door->poll.conn.connecting)
        return;
    door->polling = true;
    snprintf(text, sizeof(text), "GET /janus/%" PRIu64 "?maxev=%d HTTP/1.1\r\nHost: sim\r\n\r\n", door->session, POLL_EVENTS);
    conn_send(&door->poll.conn, str_of(text));
}

static void on_http_open(struct conn *conn, usec_t now)
{
    struct door_http *one = CONTAINER_OF(conn, struct door_http, conn);
    struct door *door = one->door;
    if (!door->ask.conn.connecting && !door->poll.conn.connecting)
        door->ops->on_open(door, now);
}

static void on_http_closed(struct conn *conn, usec_t now)
{
    struct door *door = CONTAINER_OF(conn, struct door_http, conn)->door;
    door_close(door);
    door->ops->on_closed(door, now);
}

/* More than one event comes as an array. */
static void take_events(struct door *door, usec_t now, struct view body)
{
    json_t *root = json_loadb((const char *)body.data, body.size, 0, NULL);
    for (size_t i = 0; json_is_array(root) && door_is_open(door) && i < json_array_size(root); i++) {
        char *text = json_dumps(json_array_get(root, i), JSON_COMPACT);
        door->ops->on_text(door, now, str_of(text));
        free(text);
    }
    if (root != NULL && !json_is_array(root))
        door->ops->on_text(door, now, body);
    json_decref(root);
}

/* One whole answer at the beginning of `in`, or false. *broken: what has come is none. */
static bool next_answer(const struct buf *in, struct view *body, size_t *size, bool *broken)
{
    struct http_scan scan = {0};
    struct http_response response;
    size_t head = 0;
    uint64_t length = 0;
    const enum http_result result = http_scan(&scan, buf_view(in), &head);
    *broken = result == HTTP_BAD || result == HTTP_TOO_LARGE;
    if (result != HTTP_DONE)
        return false;
    const struct view text = {in->data, head};
    *broken = !http_response_parse(&response, text);
    if (*broken)
        return false;
    const struct view field = http_field(&response.fields, "Content-Length");
    *broken = field.data != NULL && !str_u64(field, &length);
    if (*broken || in->size - head < length)
        return false;
    *body = (struct view){in->data + head, (size_t)length};
    *size = head + (size_t)length;
    return true;
}

static void on_http_bytes(struct conn *conn, usec_t now, struct view bytes)
{
    struct door_http *one = CONTAINER_OF(conn, struct door_http, conn);
    struct door *door = one->door;
    struct view body;
    size_t size;
    bool broken = false;
    buf_add_view(&one->in, bytes);
    while (door_is_open(door) && next_answer(&one->in, &body, &size, &broken)) {
        if (one == &door->poll) {
            door->polling = false;
            take_events(door, now, body);
        } else if (body.size > 0) {
            door->ops->on_text(door, now, body);
        }
        if (!door_is_open(door))
            return;
        buf_drop(&one->in, size);
        ask_for_events(door);
    }
    if (broken || one->in.failed)
        on_http_closed(conn, now);
}

static const struct conn_ops http_ops = {.on_open = on_http_open, .on_text = on_http_bytes, .on_closed = on_http_closed};

static bool open_http(struct door_http *one, struct door *door, struct conn_set *set, const struct net_addr *to)
{
    one->door = door;
    buf_init(&one->in, DOOR_ANSWER_BYTES_MAX);
    return conn_open(&one->conn, set, to, NULL, &http_ops);
}

static void close_http(struct door_http *one)
{
    conn_close(&one->conn);
    buf_fini(&one->in);
}

/* The number behind a key of the text, 0: none. */
static uint64_t number_of(struct view text, const char *key)
{
    const uint8_t *at = memmem(text.data, text.size, key, strlen(key));
    uint64_t value = 0;
    for (at = at == NULL ? NULL : at + strlen(key); at != NULL && at < text.data + text.size && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

static void post(struct door *door, struct view text)
{
    const uint64_t session = number_of(text, "\"session_id\":"), handle = number_of(text, "\"handle_id\":");
    char path[64] = "", head[256];
    if (session != 0 && handle != 0)
        snprintf(path, sizeof(path), "/%" PRIu64 "/%" PRIu64, session, handle);
    else if (session != 0)
        snprintf(path, sizeof(path), "/%" PRIu64, session);
    snprintf(head, sizeof(head), "POST /janus%s HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", path, text.size);
    conn_send(&door->ask.conn, str_of(head));
    conn_send(&door->ask.conn, text);
}

/* ---- either ---- */

bool door_open(struct door *door, struct conn_set *set, const struct net_addr *to, bool http, const struct door_ops *ops)
{
    door_init(door);
    door->ops = ops;
    door->http = http;
    if (!http)
        return conn_open(&door->ws, set, to, "janus-protocol", &ws_ops);
    if (open_http(&door->ask, door, set, to) && open_http(&door->poll, door, set, to))
        return true;
    door_close(door);
    return false;
}

void door_send(struct door *door, struct view text)
{
    if (door->http)
        post(door, text);
    else
        conn_send(&door->ws, text);
}

void door_poll(struct door *door, uint64_t session)
{
    door->session = session;
    if (door->http && door_is_open(door))
        ask_for_events(door);
}

void door_close(struct door *door)
{
    conn_close(&door->ws);
    if (!door->http)
        return;
    close_http(&door->ask);
    close_http(&door->poll);
}

uint32_t door_sockets(const struct door *door, int out[2])
{
    uint32_t count = 0;
    if (conn_is_open(&door->ws))
        out[count++] = door->ws.source.fd;
    if (door->http && conn_is_open(&door->ask.conn))
        out[count++] = door->ask.conn.source.fd;
    if (door->http && conn_is_open(&door->poll.conn))
        out[count++] = door->poll.conn.source.fd;
    return count;
}
