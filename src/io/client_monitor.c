/* What the HTTP listener of the Admin API shows beside it, none of which the reference has: numbers for Prometheus, whether the server
 * is alive and ready, the operators' page, and the last lines of the log.
 *
 *   /metrics               this machine, or a token           asked for: the shell collects it from all actors
 *   /healthz, /readyz      whoever the access list lets in    from what main says; asked for
 *   /operators/...         the same: the page holds no secret, and asks for it
 *   /operators/log         the Admin API's secret             asked for: the log's actor has it
 *
 * A request that came through a proxy is not this machine's, whatever its address says. */
#include <stdio.h>

#include "base/check.h"
#include "base/json_out.h"
#include "base/str.h"
#include "io/api_path.h"
#include "io/client_private.h"
#include "io/limits.h"
#include "io/operators.h"

#define ANSWER_HEAD_MAX 2048u
#define TEXT_TYPE       "text/plain; charset=utf-8"

struct shown {
    unsigned status;
    const char *type;
    const char *location;        /* NULL: none */
    struct view body;
    bool lasting;                /* the body is the program's own */
};

/* Nothing of it is kept, framed, or taken for another type; a page loads nothing from elsewhere and runs nothing of its own text. */
static void write_safety(struct buf *out)
{
    http_write_text(out, "Cache-Control", "no-store");
    http_write_text(out, "X-Content-Type-Options", "nosniff");
    http_write_text(out, "Referrer-Policy", "no-referrer");
    http_write_text(out, "X-Frame-Options", "DENY");
    http_write_text(out, "Cross-Origin-Resource-Policy", "same-origin");
    http_write_text(out, "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
                    "form-action 'none'; frame-ancestors 'none'");
}

static void show(struct clients *env, struct client *c, usec_t now, const struct shown *shown)
{
    struct client_http *http = c->http;
    struct buf out;
    char date[HTTP_DATE_TEXT];
    buf_init(&out, ANSWER_HEAD_MAX);
    http_write_status(&out, shown->status);
    http_write_text(&out, "Date", http_date(env->wall_s, date));
    write_safety(&out);
    if (shown->status == 401)
        http_write_text(&out, "WWW-Authenticate", "Bearer");
    if (shown->location != NULL)
        http_write_text(&out, "Location", shown->location);
    http_write_text(&out, "Content-Type", shown->type);
    http_write_number(&out, "Content-Length", shown->body.size);
    if (!http->keep_alive)
        http_write_text(&out, "Connection", "close");
    else if (http->old)
        http_write_text(&out, "Connection", "keep-alive");
    http_write_end(&out);
    CHECK(!out.failed);
    client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), buf_view(&out));
    if (shown->lasting)
        client_queue_lasting(c, now, shown->body);
    else if (shown->body.size > 0)
        client_queue(c, now, OUT_REPLY, VIEW(NULL, 0), shown->body);
    buf_fini(&out);
    buf_fini(&http->cors);
    list_del(&http->held);
    http->want = CLIENT_WANTS_NOTHING;
    http->step = HTTP_STEP_ANSWERING;
}

static void show_text(struct clients *env, struct client *c, usec_t now, unsigned status, const char *text)
{
    show(env, c, now, &(struct shown){.status = status, .type = TEXT_TYPE, .body = str_of(text)});
}

/* --- Who may ------------------------------------------------------------------------------------------------------- */

static bool is_from_here(const struct client *c, const struct http_request *req)
{
    return net_ip_is_loopback(&c->addr) && http_field(&req->fields, "X-Forwarded-For").data == NULL &&
           http_field(&req->fields, "Forwarded").data == NULL && http_field(&req->fields, "Via").data == NULL;
}

/* "Authorization: Bearer TOKEN" (RFC 6750 2.1). */
static bool has_token(const struct http_request *req, const char *wanted)
{
    const struct view bearer = STR("Bearer "), given = http_field(&req->fields, "Authorization");
    if (wanted == NULL || given.size <= bearer.size || !str_equal_nocase(VIEW(given.data, bearer.size), bearer))
        return false;
    return str_equal_secret(str_trim(VIEW(given.data + bearer.size, given.size - bearer.size)), str_of(wanted));
}

/* As the Admin API: where no secret is set, whoever reaches it may. */
static bool is_operator(const struct clients *env, const struct http_request *req)
{
    return env->rules.admin_secret == NULL || has_token(req, env->rules.admin_secret);
}

static bool may_scrape(const struct clients *env, const struct client *c, const struct http_request *req)
{
    return is_from_here(c, req) || has_token(req, env->rules.metrics_token) || has_token(req, env->rules.admin_secret);
}

/* --- What there is --------------------------------------------------------------------------------------------------- */

static void want(struct clients *env, struct client *c, enum client_want what)
{
    c->http->want = (uint8_t)what;
    c->http->step = HTTP_STEP_ASKED;
    list_add_tail(&env->asking, &c->http->held);
}

static void get_metrics(struct clients *env, struct client *c, usec_t now, const struct http_request *req)
{
    if (may_scrape(env, c, req)) {
        want(env, c, CLIENT_WANTS_METRICS);
        return;
    }
    env->counters.unauthorized++;
    show_text(env, c, now, 401, "a token is needed: metrics_token of janus.jcfg\n");
}

static void get_health(struct clients *env, struct client *c, usec_t now)
{
    char text[64];
    if (env->health_at != 0 && now > usec_add(env->health_at, IO_HEALTH_US))
        show_text(env, c, now, 503, "the watchdog is silent\n");
    else if (env->health.alive)
        show_text(env, c, now, 200, "alive\n");
    else {
        snprintf(text, sizeof(text), "%s does not end its turn\n", env->health.stuck);
        show_text(env, c, now, 503, text);
    }
}

static void get_log(struct clients *env, struct client *c, usec_t now, const struct http_request *req)
{
    char value[API_VALUE_MAX + 1];
    if (!is_operator(env, req)) {
        env->counters.unauthorized++;
        show_text(env, c, now, 401, "the secret of the Admin API is needed\n");
        return;
    }
    c->http->after = 0;
    if (api_query_value(req->query, "after", value))
        (void)str_u64(str_of(value), &c->http->after);
    want(env, c, CLIENT_WANTS_LOG);
}

/* Where the page finds the Admin API. */
static void get_place(struct clients *env, struct client *c, usec_t now)
{
    struct buf body;
    struct json_out j;
    const struct http_config *config = c->origin->http;
    buf_init(&body, 4096);
    jout_begin(&j, &body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string_view(&j, "admin", VIEW(config->base_path, config->base_path_size));
    jout_bool(&j, "secret", env->rules.admin_secret != NULL);
    jout_end(&j);
    show(env, c, now, &(struct shown){.status = 200, .type = "application/json", .body = buf_whole(&body)});
    buf_fini(&body);
}

static bool get_page(struct clients *env, struct client *c, usec_t now, struct view path)
{
    for (size_t i = 0; i < operators_file_count; i++) {
        const struct operators_file *file = &operators_files[i];
        if (!str_equal(path, str_of(file->path)))
            continue;
        show(env, c, now, &(struct shown){.status = 200, .type = file->type, .body = VIEW(file->content, file->size), .lasting = true});
        return true;
    }
    return false;
}

bool client_monitor_get(struct clients *env, struct client *c, usec_t now, const struct http_request *req)
{
    const struct view path = req->path;
    if (str_equal(path, STR("/metrics")))
        get_metrics(env, c, now, req);
    else if (str_equal(path, STR("/healthz")))
        get_health(env, c, now);
    else if (str_equal(path, STR("/readyz")))
        want(env, c, CLIENT_WANTS_READY);
    else if (str_equal(path, STR("/operators")))
        show(env, c, now, &(struct shown){.status = 302, .type = TEXT_TYPE, .location = "/operators/"});
    else if (str_equal(path, STR("/operators/log")))
        get_log(env, c, now, req);
    else if (str_equal(path, STR("/operators/place")))
        get_place(env, c, now);
    else
        return get_page(env, c, now, path);
    return true;
}

void client_monitor_answer(struct clients *env, struct client *c, usec_t now, unsigned status, const char *type, struct view body)
{
    show(env, c, now, &(struct shown){.status = status, .type = type, .body = body});
}

struct client *client_asking(const struct list *node)
{
    return CONTAINER_OF(node, struct client_http, held)->client;
}

enum client_want client_want(const struct client *c)
{
    return c->http == NULL ? CLIENT_WANTS_NOTHING : (enum client_want)c->http->want;
}

uint64_t client_wants_after(const struct client *c)
{
    return c->http->after;
}
