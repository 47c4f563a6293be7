/* The Janus API in HTTP requests (transports.md 2): what a POST brings goes to control and its reply back; a GET of a session
 * is a poll for its events.
 *
 *   HEAD -> BODY -> ASKED ------------------------> ANSWERING -> HEAD
 *     \------------/  \ (a poll) -> HELD (30 s) ---/
 *
 * A poll first asks control in the client's name, by a keepalive: so secrets are checked where all of them are, and the session
 * is kept alive from the start of the poll. */
#include <string.h>

#include "base/check.h"
#include "base/json_out.h"
#include "base/str.h"
#include "io/api_path.h"
#include "io/client_private.h"
#include "io/limits.h"
#include "msg/control.h"

#define ANSWER_HEAD_MAX  4096u
#define COPIED_VALUE_MAX 1023u       /* of request fields that come back */
#define TRANSACTION_SIZE 11u         /* transports.md 2.4 */

/* --- Answers ------------------------------------------------------------------------------------------------------ */

void client_api_answer(struct clients *env, struct client *c, usec_t now, unsigned status, struct view body, struct view location)
{
    struct client_http *http = c->http;
    struct buf out;
    char date[HTTP_DATE_TEXT];
    buf_init(&out, ANSWER_HEAD_MAX + 4 * COPIED_VALUE_MAX);
    http_write_status(&out, status);
    http_write_text(&out, "Date", http_date(env->wall_s, date));
    buf_add_view(&out, buf_view(&http->cors));
    if (location.size > 0)
        http_write_field(&out, "Location", location);
    if (body.size > 0)
        http_write_text(&out, "Content-Type", "application/json");
    http_write_number(&out, "Content-Length", body.size);
    if (!http->keep_alive)
        http_write_text(&out, "Connection", "close");
    else if (http->old)
        http_write_text(&out, "Connection", "keep-alive");
    http_write_end(&out);
    CHECK(!out.failed);
    client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), buf_view(&out));
    if (body.size > 0 && !http->head_only)
        client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), body);
    buf_fini(&out);
    buf_fini(&http->cors);
    buf_fini(&http->text);
    list_del(&http->held);
    client_set_partial(env, c, 0);
    http->step = HTTP_STEP_ANSWERING;
}

static void answer_empty(struct clients *env, struct client *c, usec_t now, unsigned status)
{
    client_api_answer(env, c, now, status, VIEW(NULL, 0), VIEW(NULL, 0));
}

void client_api_refuse(struct clients *env, struct client *c, usec_t now, unsigned status, enum client_end end)
{
    c->http->keep_alive = false;
    c->http->end = (uint8_t)end;
    answer_empty(env, c, now, status);
}

/* What no plugin and no session has a part in (transports.md 1.4). */
void client_api_answer_error(struct clients *env, struct client *c, usec_t now, int code, const char *reason)
{
    struct buf body;
    struct json_out j;
    buf_init(&body, 1024);
    jout_begin(&j, &body, c->origin->http->layout);
    jout_object(&j, NULL);
    jout_string(&j, "janus", "error");
    jout_object(&j, "error");
    jout_int(&j, "code", code);
    jout_string(&j, "reason", reason);
    jout_end(&j);
    jout_end(&j);
    client_api_answer(env, c, now, 200, buf_view(&body), VIEW(NULL, 0));
    buf_fini(&body);
}

static void copy_field(struct buf *out, const char *name, const struct http_fields *fields, const char *from)
{
    struct view value = http_field(fields, from);
    if (value.size > 0 && value.size <= COPIED_VALUE_MAX)
        http_write_field(out, name, value);
}

/* transports.md 2.7: on every answer. */
static void write_cors(struct client *c, const struct http_fields *fields)
{
    const char *allowed = c->origin->http->allow_origin;
    struct buf *out = &c->http->cors;
    buf_init(out, ANSWER_HEAD_MAX + 2 * COPIED_VALUE_MAX);
    http_write_text(out, "Access-Control-Allow-Origin", allowed != NULL ? allowed : "*");
    if (allowed != NULL) {
        http_write_text(out, "Access-Control-Allow-Credentials", "true");
        http_write_text(out, "Vary", "Origin");
    }
    http_write_text(out, "Access-Control-Max-Age", "86400");
    copy_field(out, "Access-Control-Allow-Methods", fields, "Access-Control-Request-Method");
    copy_field(out, "Access-Control-Allow-Headers", fields, "Access-Control-Request-Headers");
}

static bool is_allowed_origin(const struct client *c, const struct http_fields *fields)
{
    const struct http_config *config = c->origin->http;
    struct view origin = http_field(fields, "Origin");
    if (origin.data == NULL)
        origin = http_field(fields, "Referer");
    return !config->enforce_cors || client_http_is_admitted_origin(config->allow_origin, origin);
}

/* --- What control is asked ------------------------------------------------------------------------------------------ */

static bool ask(struct clients *env, struct client *c, struct view *text)
{
    c->http->step = HTTP_STEP_ASKED;
    env->counters.texts++;
    *text = buf_view(&c->http->text);
    return true;
}

static void write_query_member(struct json_out *j, struct view query, const char *name)
{
    char value[API_VALUE_MAX + 1];
    if (api_query_value(query, name, value))
        jout_string(j, name, value);
}

/* A request that the server makes in the client's name. */
bool client_api_ask_for(struct clients *env, struct client *c, const char *verb, struct view query, struct view *text)
{
    struct json_out j;
    char transaction[TRANSACTION_SIZE + 1];
    rng_text(&env->rng, transaction, TRANSACTION_SIZE);
    buf_init(&c->http->text, 16 * API_VALUE_MAX);
    jout_begin(&j, &c->http->text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "janus", verb);
    jout_string(&j, "transaction", transaction);
    write_query_member(&j, query, "apisecret");
    write_query_member(&j, query, "token");
    jout_end(&j);
    return ask(env, c, text);
}

/* --- Requests ------------------------------------------------------------------------------------------------------- */

static bool start_poll(struct clients *env, struct client *c, const struct http_request *req, struct view *text)
{
    struct client_http *http = c->http;
    char value[API_VALUE_MAX + 1];
    uint32_t most = 1;
    if (api_query_value(req->query, "maxev", value) && str_u32(str_of(value), &most) && most > IO_POLL_EVENTS_MAX)
        most = IO_POLL_EVENTS_MAX;
    http->poll_events = most < 1 ? 1 : most;
    http->ask.is_poll = true;
    return client_api_ask_for(env, c, "keepalive", req->query, text);
}

static bool get(struct clients *env, struct client *c, usec_t now, const struct http_request *req, const struct api_path *path, struct view *text)
{
    struct view first = path->count > 0 ? path->parts[0] : VIEW(NULL, 0);
    if (str_equal(first, STR("info")))
        return client_api_ask_for(env, c, "info", VIEW(NULL, 0), text);
    if (str_equal(first, STR("ping")))
        return client_api_ask_for(env, c, "ping", VIEW(NULL, 0), text);
    if (c->http->ask.session_id == 0) {
        answer_empty(env, c, now, 404);
        return false;
    }
    return start_poll(env, c, req, text);
}

static bool begin_body(struct clients *env, struct client *c, usec_t now, const struct http_request *req, const struct api_path *path)
{
    struct client_http *http = c->http;
    enum http_result result = http_body_start(&http->body, req, env->rules.text_bytes_max);
    bool is_info = path->count > 0 && str_equal(path->parts[0], STR("info"));
    bool is_pseudo = is_info || (path->count > 0 && str_equal(path->parts[0], STR("ping")));
    if (result == HTTP_MORE && is_info && c->origin->api == CLIENT_API_ADMIN) {
        http->keep_alive = false;                /* its body is not read */
        client_api_answer_error(env, c, now, 450, "Use GET for the info endpoint");
        return false;
    }
    if (result != HTTP_MORE || is_pseudo) {      /* nothing, too much, or nothing that is wanted there */
        client_api_refuse(env, c, now, result == HTTP_TOO_LARGE ? 413 : 400, CLIENT_END_BAD_HTTP);
        return false;
    }
    buf_init(&http->text, env->rules.text_bytes_max);
    http->step = HTTP_STEP_BODY;
    c->phase_deadline = usec_add(now, IO_PARTIAL_US);
    if (req->expect_continue)
        client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), STR("HTTP/1.1 100 Continue\r\n\r\n"));
    return false;
}

/* In the order of transports.md 2.3. What the reference drops without a word gets its status here. */
bool client_api_request(struct clients *env, struct client *c, usec_t now, const struct http_request *req, struct view *text)
{
    struct client_http *http = c->http;
    bool has_body = req->chunked || req->content_length > 0;
    if (!client_is_admitted(c, &req->fields)) {
        client_kill(env, c, CLIENT_END_NOT_IN_ACL);
        return false;
    }
    http->end = CLIENT_END_SERVED;
    http->keep_alive = req->keep_alive && (!has_body || req->method == HTTP_POST);
    http->head_only = req->method == HTTP_HEAD;
    write_cors(c, &req->fields);
    struct api_path path;
    const struct http_config *config = c->origin->http;
    api_path_parse(&path, VIEW(config->base_path, config->base_path_size), req->path);
    http->ask = (struct client_ask){
        .session_id = path.count > 0 ? api_path_id(path.parts[0]) : 0,
        .handle_id = path.count > 1 ? api_path_id(path.parts[1]) : 0,
        .path_ids = (uint8_t)path.count,
    };
    bool is_api = req->method == HTTP_GET || req->method == HTTP_POST;
    if (!is_api && req->method != HTTP_OPTIONS) {
        char reason[64] = "Unsupported method ";
        strncat(reason, http_method_name(req->method), sizeof(reason) - strlen(reason) - 1);
        client_api_answer_error(env, c, now, 450, reason);
        return false;
    }
    if (c->origin->api == CLIENT_API_ADMIN && req->method == HTTP_GET && client_monitor_get(env, c, now, req))
        return false;
    if (!is_allowed_origin(c, &req->fields))
        answer_empty(env, c, now, 403);
    else if (c->origin->api == CLIENT_API_ADMIN && req->method == HTTP_GET && !path.too_long)
        return client_admin_get(env, c, now, req, &path, text);
    else if (!path.is_ours || path.too_long)
        client_api_refuse(env, c, now, 404, CLIENT_END_SERVED);
    else if (req->method == HTTP_OPTIONS)
        answer_empty(env, c, now, 200);
    else if (req->method == HTTP_POST)
        return begin_body(env, c, now, req, &path);
    else
        return get(env, c, now, req, &path, text);
    return false;
}

static bool has_room(struct clients *env, struct client *c, usec_t now)
{
    size_t before = c->partial_bytes;
    client_set_partial(env, c, c->http->text.room);
    if (c->partial_bytes <= before || c->partial_bytes <= IO_PARTIAL_BYTES_FREE || env->partial_bytes <= env->rules.partial_bytes_max)
        return true;
    client_api_refuse(env, c, now, 503, CLIENT_END_PARTIALS_PILED);
    return false;
}

bool client_api_body(struct clients *env, struct client *c, usec_t now, struct ws_input *input, struct view *text)
{
    struct client_http *http = c->http;
    struct view rest = VIEW(input->data, input->size), piece;
    enum http_result result = HTTP_MORE;
    while (result == HTTP_MORE && rest.size > 0) {
        result = http_body_read(&http->body, &rest, &piece);
        buf_add_view(&http->text, piece);
    }
    input->data += input->size - rest.size;
    input->size = rest.size;
    if (!has_room(env, c, now))
        return false;
    switch (result) {
    case HTTP_MORE:
        return false;
    case HTTP_DONE:
        if (http->text.size > 0)
            return ask(env, c, text);
        client_api_refuse(env, c, now, 400, CLIENT_END_BAD_HTTP);         /* a body of no chunks */
        return false;
    case HTTP_BAD:
        client_api_refuse(env, c, now, 400, CLIENT_END_BAD_HTTP);
        return false;
    case HTTP_TOO_LARGE:
        client_api_refuse(env, c, now, 413, CLIENT_END_TOO_BIG);
        return false;
    }
    return false;
}

/* --- What control says ------------------------------------------------------------------------------------------------ */

static void answer_events(struct clients *env, struct client *c, struct eventq *q, usec_t now)
{
    struct buf body;
    buf_init(&body, IO_EVENT_BYTES_MAX + IO_QUEUED_BYTES_MAX);
    if (q != NULL)
        eventq_take(&env->events, q, c->http->poll_events, c->origin->http->layout, &body);
    else if (c->http->poll_events > 1)
        buf_add_text(&body, "[{\"janus\":\"keepalive\"}]");
    else
        buf_add_text(&body, "{\"janus\":\"keepalive\"}");
    client_api_answer(env, c, now, 200, buf_view(&body), VIEW(NULL, 0));
    buf_fini(&body);
}

/* The session of a poll may be polled by who asks. */
static void begin_poll(struct clients *env, struct client *c, usec_t now)
{
    struct client_http *http = c->http;
    struct eventq *q = eventq_of_session(&env->events, http->ask.session_id);
    if (http->ask.path_ids > 1) {
        struct buf location;
        buf_init(&location, 4096);
        buf_add_view(&location, VIEW(c->origin->http->base_path, c->origin->http->base_path_size > 1 ? c->origin->http->base_path_size : 0));
        buf_addf(&location, "/%lld", (long long)http->ask.session_id);
        client_api_answer(env, c, now, 302, VIEW(NULL, 0), buf_view(&location));
        buf_fini(&location);
    } else if (q == NULL) {
        answer_empty(env, c, now, 404);
    } else if (q->count > 0) {
        answer_events(env, c, q, now);
    } else {
        http->step = HTTP_STEP_HELD;
        buf_fini(&http->text);
        list_add_tail(&q->held, &http->held);
        c->phase_deadline = usec_add(now, IO_POLL_US);
    }
}

void client_api_reply(struct clients *env, struct client *c, usec_t now, struct view text, unsigned error)
{
    if (!c->http->ask.is_poll)
        client_api_answer(env, c, now, 200, text, VIEW(NULL, 0));
    else if (error == 0 || error == 459)         /* of a handle that isn't there: the answer is where to poll all the same */
        begin_poll(env, c, now);
    else
        answer_empty(env, c, now, error == 403 ? 403 : 404);
}

void client_api_timeout(struct clients *env, struct client *c, usec_t now)
{
    answer_events(env, c, NULL, now);
}

void client_poll_wake(struct clients *env, struct eventq *q, usec_t now, struct list *touched)
{
    struct eventq *for_first = q;
    for (struct list *it; (it = list_pop(&q->held)) != NULL;) {
        struct client *c = CONTAINER_OF(it, struct client_http, held)->client;
        answer_events(env, c, for_first, now);
        for_first = NULL;
        if (list_is_empty(&c->turn))
            list_add_tail(touched, &c->turn);
    }
}

void client_poll_forget(struct eventq *q)
{
    while (list_pop(&q->held) != NULL) {}
}
