/* Requests before, or instead of, a WebSocket: the upgrade, the files of the web folder, and the refusals.
 *
 * One request at a time: until its answer has been written nothing more is read (traps.md), so pipelined requests are answered
 * in order. Bodies have no use here, only to the API (client_api.c): whoever sends one is answered and the connection closed. */
#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "io/client_private.h"
#include "io/limits.h"
#include "msg/control.h"
#include "proto/ws/handshake.h"

#define ANSWER_HEAD_MAX  4096u
#define COPIED_VALUE_MAX 254u        /* of request fields that come back in the 101 (transports.md 3.4) */
#define FORWARDED_MAX    1023u       /* transports.md 3.3 */

bool client_http_open(struct clients *env, struct client *c, usec_t now)
{
    (void)now;
    c->http = pool_get(&env->http_pool);
    if (c->http == NULL)
        return false;
    c->http->client = c;
    list_init(&c->http->held);
    buf_init(&c->http->head, HTTP_HEAD_BYTES_MAX);
    return true;
}

void client_http_close(struct clients *env, struct client *c)
{
    if (c->http == NULL)
        return;
    list_del(&c->http->held);
    client_set_partial(env, c, 0);
    buf_fini(&c->http->head);
    buf_fini(&c->http->text);
    buf_fini(&c->http->cors);
    pool_put(&env->http_pool, c->http);
    c->http = NULL;
}

bool client_is_asking(const struct client *c)
{
    return c->http != NULL && (c->http->step == HTTP_STEP_ASKED || c->http->step == HTTP_STEP_HELD);
}

void client_http_answered(struct clients *env, struct client *c, usec_t now)
{
    struct client_http *http = c->http;
    http->step = HTTP_STEP_HEAD;
    http->later = true;
    c->phase_deadline = usec_add(now, IO_KEEP_ALIVE_US);
    if (!http->keep_alive)
        client_finish(env, c, now, (enum client_end)http->end, true);
}

/* --- Answers ---------------------------------------------------------------------------------------------------- */

struct answer {
    unsigned status;
    const char *type;
    const char *etag;
    const char *allow;
    struct view location;        /* with a '/' behind it; empty: none */
    struct view body;
    bool lasting;                /* the body is the site's */
    bool head_only;              /* HEAD, 304: no body, but what it would be */
    bool keep_alive;
    bool old;                    /* the client speaks HTTP/1.0 */
    enum client_end end;         /* when it isn't kept alive */
};

/* A page of ours is shown by no other's, loads nothing from others, and is never taken for another type. */
static void write_safety(struct buf *out)
{
    http_write_text(out, "X-Content-Type-Options", "nosniff");
    http_write_text(out, "Referrer-Policy", "no-referrer");
    http_write_text(out, "Content-Security-Policy",
                    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; "
                    "style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'");
}

static void queue_answer(struct clients *env, struct client *c, usec_t now, const struct answer *a)
{
    struct buf out;
    char date[HTTP_DATE_TEXT];
    buf_init(&out, ANSWER_HEAD_MAX + HTTP_HEAD_BYTES_MAX);
    http_write_status(&out, a->status);
    http_write_text(&out, "Date", http_date(env->wall_s, date));
    write_safety(&out);
    if (a->etag != NULL) {
        http_write_text(&out, "ETag", a->etag);
        http_write_text(&out, "Cache-Control", "no-cache");
    }
    if (a->allow != NULL)
        http_write_text(&out, "Allow", a->allow);
    if (a->status == 426)
        http_write_number(&out, "Sec-WebSocket-Version", WS_VERSION);
    if (a->location.size > 0) {
        buf_add_text(&out, "Location: ");
        buf_add_view(&out, a->location);         /* from a request target: visible characters only */
        buf_add_text(&out, "/\r\n");
    }
    if (a->status != 304) {
        http_write_number(&out, "Content-Length", a->body.size);
        http_write_text(&out, "Content-Type", a->type);
    }
    if (!a->keep_alive)
        http_write_text(&out, "Connection", "close");
    else if (a->old)
        http_write_text(&out, "Connection", "keep-alive");
    http_write_end(&out);
    CHECK(!out.failed);
    if (!a->lasting && !a->head_only)
        buf_add_view(&out, a->body);
    client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), buf_view(&out));
    if (a->lasting && !a->head_only && a->body.size > 0)
        client_queue_lasting(c, now, a->body);
    buf_fini(&out);
    c->http->step = HTTP_STEP_ANSWERING;
    c->http->keep_alive = a->keep_alive;
    c->http->end = (uint8_t)a->end;
}

/* A page that says no more than its status. */
static void queue_status(struct clients *env, struct client *c, usec_t now, struct answer a)
{
    struct buf page;
    buf_init(&page, 512);
    buf_addf(&page, "<!DOCTYPE html><html><head><title>%u %s</title></head><body><h1>%s</h1></body></html>\n", a.status,
             http_reason(a.status), http_reason(a.status));
    a.type = "text/html; charset=utf-8";
    a.body = buf_view(&page);
    queue_answer(env, c, now, &a);
    buf_fini(&page);
}

static void refuse(struct clients *env, struct client *c, usec_t now, unsigned status, enum client_end end)
{
    if (c->origin->http != NULL)
        client_api_refuse(env, c, now, status, end);
    else
        queue_status(env, c, now, (struct answer){.status = status, .end = end});
}

/* --- Files ------------------------------------------------------------------------------------------------------ */

static bool has_etag(const struct http_fields *fields, const char *etag)
{
    char weak[SITE_ETAG_TEXT + 2] = "W/";
    memcpy(weak + 2, etag, strlen(etag) + 1);
    return http_field_has_token(fields, "If-None-Match", etag) || http_field_has_token(fields, "If-None-Match", weak) ||
           http_field_has_token(fields, "If-None-Match", "*");
}

static void serve(struct clients *env, struct client *c, usec_t now, const struct http_request *req)
{
    char path[SITE_PATH_MAX];
    size_t size;
    const struct site_file *file = NULL;
    bool has_body = req->chunked || req->content_length > 0;
    struct answer a = {.keep_alive = req->keep_alive && !has_body, .old = req->minor == 0, .head_only = req->method == HTTP_HEAD,
                       .end = CLIENT_END_SERVED};
    if (env->site == NULL || c->origin->api != CLIENT_API_JANUS || !client_is_admitted(c, &req->fields)) {
        a.status = 403;
        a.keep_alive = false;
        queue_status(env, c, now, a);
        return;
    }
    if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
        a.status = 405;
        a.allow = "GET, HEAD";
        queue_status(env, c, now, a);
        return;
    }
    enum site_found found = SITE_NOTHING;
    if (http_path_decode(req->path, path, sizeof(path), &size))
        found = site_find(env->site, VIEW(path, size), &file);
    if (found != SITE_FILE) {
        a.status = found == SITE_FOLDER ? 302 : 404;
        a.location = found == SITE_FOLDER ? req->path : VIEW(NULL, 0);
        queue_status(env, c, now, a);
        return;
    }
    a.status = has_etag(&req->fields, file->etag) ? 304 : 200;
    a.type = file->type;
    a.etag = file->etag;
    a.body = file->content;
    a.lasting = true;
    a.head_only = a.head_only || a.status == 304;
    queue_answer(env, c, now, &a);
}

/* --- The upgrade ------------------------------------------------------------------------------------------------ */

bool client_is_admitted(const struct client *c, const struct http_fields *fields)
{
    struct view acl = str_of(c->origin->acl);
    struct net_addr first;
    bool is_unix = c->addr.family == NET_NONE;       /* who may open the file is the file system's business */
    if (!is_unix && !net_acl_admits(acl, &c->addr))
        return false;
    struct view forwarded = http_field(fields, "X-Forwarded-For");
    if (acl.data == NULL || !c->origin->acl_forwarded || forwarded.data == NULL)
        return true;
    return forwarded.size <= FORWARDED_MAX && net_ip_parse(&first, str_trim(str_split(&forwarded, ','))) && net_acl_admits(acl, &first);
}

static bool is_host_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
}

/* Beginning with the allowed origin is enough (transports.md 3.4), but not in the middle of a host's name: what is meant by
 * http://a.example isn't http://a.example.evil. */
bool client_http_is_admitted_origin(const char *allowed, struct view origin)
{
    struct view prefix = str_of(allowed);
    if (origin.size == 0 || origin.size > COPIED_VALUE_MAX || !str_starts(origin, prefix))
        return false;
    return origin.size == prefix.size || !is_host_char(prefix.data[prefix.size - 1]) || !is_host_char(origin.data[prefix.size]);
}

static void copy_field(struct buf *out, const char *name, const struct http_fields *fields, const char *from)
{
    struct view value = http_field(fields, from);
    if (value.size > 0 && value.size <= COPIED_VALUE_MAX)
        http_write_field(out, name, value);
}

static void upgrade(struct clients *env, struct client *c, usec_t now, const struct http_request *req)
{
    const struct client_rules *rules = &env->rules;
    if (rules->enforce_cors && !client_http_is_admitted_origin(rules->allow_origin, http_field(&req->fields, "Origin"))) {
        client_kill(env, c, CLIENT_END_WRONG_ORIGIN);
        return;
    }
    struct buf out;
    buf_init(&out, ANSWER_HEAD_MAX);
    http_write_status(&out, 101);
    ws_handshake_write(&out, req, c->origin->subprotocol);
    http_write_text(&out, "Access-Control-Allow-Origin", rules->allow_origin != NULL ? rules->allow_origin : "*");
    if (rules->allow_origin != NULL) {
        copy_field(&out, "Access-Control-Allow-Headers", &req->fields, "Access-Control-Request-Headers");
        copy_field(&out, "Access-Control-Allow-Methods", &req->fields, "Access-Control-Request-Methods");
    }
    http_write_end(&out);
    if (out.failed)
        client_kill(env, c, CLIENT_END_BAD_HANDSHAKE);       /* an allow_origin of thousands of characters */
    else
        client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), buf_view(&out));
    buf_fini(&out);
    if (client_is_dead(c))
        return;
    env->counters.websockets++;
    /* The list is asked after the handshake (transports.md 3.3): a refused peer sees the 101, then the end. */
    if (client_is_admitted(c, &req->fields))
        client_websocket_open(env, c, now);
    else
        client_finish(env, c, now, CLIENT_END_NOT_IN_ACL, false);
}

/* --- Input ------------------------------------------------------------------------------------------------------ */

static bool on_head(struct clients *env, struct client *c, usec_t now, struct view head, struct view *text)
{
    struct http_request req;
    unsigned refusal = http_request_parse(&req, head);
    if (refusal != 0) {
        refuse(env, c, now, refusal, CLIENT_END_BAD_HTTP);
        return false;
    }
    env->counters.http_requests++;
    c->http->old = req.minor == 0;
    c->requests++;
    if (c->origin->http != NULL)
        return client_api_request(env, c, now, &req, text);
    switch (ws_handshake_check(&req, c->origin->subprotocol)) {
    case WS_NOT_ASKED:
        serve(env, c, now, &req);
        break;
    case WS_ACCEPTED:
        upgrade(env, c, now, &req);
        break;
    case WS_BAD:
        refuse(env, c, now, 400, CLIENT_END_BAD_HANDSHAKE);
        break;
    case WS_BAD_VERSION:
        refuse(env, c, now, 426, CLIENT_END_BAD_HANDSHAKE);
        break;
    case WS_NO_PROTOCOL:
        client_kill(env, c, CLIENT_END_NO_SUBPROTOCOL);      /* without a word (transports.md 3.2) */
        break;
    }
    return false;
}

bool client_http_input(struct clients *env, struct client *c, usec_t now, struct ws_input *input, struct view *text)
{
    struct client_http *http = c->http;
    size_t used = 0;
    bool asks = false;
    if (http->step == HTTP_STEP_BODY)
        return client_api_body(env, c, now, input, text);
    if (http->later && http->scan.size == 0)
        c->phase_deadline = usec_add(now, IO_HEAD_US);
    enum http_result result = http_scan(&http->scan, VIEW(input->data, input->size), &used);
    struct view head = VIEW(input->data, used);
    input->data += used;
    input->size -= used;
    if (result == HTTP_MORE || http->head.size > 0) {
        buf_add_view(&http->head, head);
        head = buf_view(&http->head);
    }
    if (result == HTTP_MORE)
        return false;
    struct buf held = http->head;                            /* `http` may go while the head is still read */
    buf_init(&http->head, HTTP_HEAD_BYTES_MAX);
    http->scan = (struct http_scan){0};
    if (result == HTTP_DONE)
        asks = on_head(env, c, now, head, text);
    else
        refuse(env, c, now, result == HTTP_BAD ? 400 : 431, CLIENT_END_BAD_HTTP);
    buf_fini(&held);
    return asks;
}
