/* The Admin API's requests that others answer: transports, event handlers, resolvers, STUN servers; and those that only tell
 * something (admin-api.md 3.2, 3.3, 3.6). */
#include <stdlib.h>
#include <string.h>

#include "base/json_splice.h"
#include "base/str.h"
#include "control/admin.h"
#include "control/admin_wait.h"
#include "control/info.h"
#include "control/notify.h"
#include "control/out.h"
#include "msg/dns.h"
#include "msg/io.h"

#define ANSWER_US SEC(10)               /* of another actor of ours */
#define STUN_US   SEC(7)                /* its own patience is 5 s */
#define LINE_ROOM 1024u

/* -- what is only told ------------------------------------------------------------------------------------------------------------ */

static void run_custom_event(struct control *c, struct api_request *request)
{
    char *data = json_dumps(json_object_get(request->root, "data"), JSON_COMPACT);
    notify_external(c, element_string(request->root, "schema"), data == NULL ? STR("{}") : str_of(data));
    free(data);
    reply_plain(c, request, "success");
}

static void run_custom_logline(struct control *c, struct api_request *request)
{
    const json_t *given = json_object_get(request->root, "level");
    const int64_t level = json_is_integer(given) && json_integer_value(given) <= LOG_LEVEL_DBG ? json_integer_value(given) : LOG_LEVEL_INFO;
    char line[LINE_ROOM];
    snprintf(line, sizeof(line), "%s", element_string(request->root, "line"));
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = ' ';                  /* one line stays one line */
    if (level != LOG_LEVEL_NONE)
        LOG_AT(c->actor, (enum log_level)level, "%s", line);
    reply_plain(c, request, "success");
}

/* -- modules ------------------------------------------------------------------------------------------------------------------------- */

static void reply_response(struct control *c, const struct api_request *request, struct view json)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    json_splice(&j, "response", json);
    reply_end(c, &j, request);
}

static bool is_listed(const struct control_modules *modules, const char *package)
{
    for (uint32_t i = 0; i < modules->count; i++)
        if (strcmp(modules->items[i].package, package) == 0)
            return true;
    return false;
}

static void handler_answered(struct control *c, struct admin_wait *wait, const void *answer, size_t size)
{
    reply_response(c, &wait->request, answer == NULL ? STR("{}") : VIEW(answer, strnlen(answer, size)));
}

/* Given up before anybody was asked. */
static void take_back(struct control *c, struct admin_wait *wait)
{
    admin_wait_answer(c, wait->ref, NULL, 0);
}

static void run_query_eventhandler(struct control *c, struct api_request *request)
{
    const char *package = element_string(request->root, "handler");
    const json_t *body = json_object_get(request->root, "request");
    if (!is_listed(&c->config.event_handlers, package)) {
        reply_error(c, request, 460, "Invalid event handler");
        return;
    }
    struct admin_wait *wait = admin_wait_begin(c, request, ANSWER_US, handler_answered);
    if (wait == NULL)
        return;
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    bool at_once = false;
    if (!notify_query(c, wait->ref, package, text == NULL ? STR("{}") : str_of(text), &at_once) || at_once)
        take_back(c, wait);
    free(text);
}

static void run_query_logger(struct control *c, struct api_request *request)
{
    if (is_listed(&c->config.loggers, element_string(request->root, "logger")))
        reply_error(c, request, 490, "Logger doesn't support queries");
    else
        reply_error(c, request, 460, "Invalid logger");
}

/* -- transports (transports.md 1.6) ----------------------------------------------------------------------------------------------------- */

struct transport_request {
    struct io_query query;              /* what io is asked */
    bool to_ask;                        /* false: `error` is the answer */
    bool bad_layout;
    bool wrong_type;                    /* told beside the result: what was right has its effect */
    int error_code;
    char error[80];
};

static void fail_transport(struct transport_request *t, int code, const char *format, const char *what)
{
    t->error_code = code;
    snprintf(t->error, sizeof(t->error), format, what);
}

/* A wrong type does not stop it, and `events` that is not literally true is false. */
static void read_configure(const json_t *body, struct transport_request *t)
{
    const json_t *events = json_object_get(body, "events"), *layout = json_object_get(body, "json");
    enum json_layout known;
    t->query.configure = true;
    t->query.events = json_is_true(events);
    t->to_ask = true;
    if (events != NULL && !json_is_boolean(events)) {
        fail_transport(t, 413, "Invalid element type (%s should be a boolean)", "events");
    } else if (layout != NULL && !json_is_string(layout)) {
        fail_transport(t, 413, "Invalid element type (%s should be a string)", "json");
    } else if (layout != NULL && jout_layout_parse(&known, str_of(json_string_value(layout)))) {
        t->query.sets_layout = true;
        t->query.layout = (uint8_t)known;
    } else if (layout != NULL) {
        t->bad_layout = true;
    }
}

static void read_transport_request(const json_t *body, struct transport_request *t)
{
    const json_t *value = json_object_get(body, "request");
    const char *name = json_string_value(value);
    if (value == NULL)
        fail_transport(t, 412, "Missing mandatory element (%s)", "request");
    else if (name == NULL)
        fail_transport(t, 413, "Invalid element type (%s should be a string)", "request");
    else if (str_equal_nocase(str_of(name), STR("configure")))
        read_configure(body, t);
    else if (str_equal_nocase(str_of(name), STR("connections")) &&
             (t->query.transport == TRANSPORT_HTTP || t->query.transport == TRANSPORT_WEBSOCKETS || t->query.transport == TRANSPORT_UNIX))
        t->to_ask = true;
    else
        fail_transport(t, 411, "Unknown request '%.50s'", name);
}

static void write_notes(const struct control *c, struct json_out *j, const struct transport_request *t)
{
    const bool deaf = t->query.configure && t->query.events && c->config.event_handlers.count == 0;
    if (!deaf && !t->bad_layout)
        return;
    jout_array(j, "notes");
    if (deaf)
        jout_string(j, NULL, "Event handlers disabled at the core level");
    if (t->bad_layout)
        jout_string(j, NULL, "Ignored unsupported indentation format");
    jout_end(j);
}

static void write_connections(struct json_out *j, const struct io_answer *answer)
{
    static const char *const names[] = {"http", "https", "admin_http", "admin_https"};
    if (answer->transport != TRANSPORT_HTTP) {
        jout_uint(j, "connections", answer->connections);
        return;
    }
    jout_object(j, "connections");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (answer->runs[i])
            jout_uint(j, names[i], answer->of_server[i]);
    jout_end(j);
    jout_uint(j, "messages", answer->messages);
}

/* The question is read again: it says what was asked for. */
static void transport_answered(struct control *c, struct admin_wait *wait, const void *payload, size_t size)
{
    const struct io_answer *answer = size >= sizeof(*answer) ? payload : NULL;
    struct transport_request t = {.query = {.transport = answer == NULL ? TRANSPORT_HTTP : answer->transport}};
    struct json_out j;
    read_transport_request(json_object_get(wait->request.root, "request"), &t);
    reply_begin(c, &j, &wait->request, "success");
    jout_object(&j, "response");
    if (answer != NULL) {
        jout_int(&j, "result", 200);
        write_notes(c, &j, &t);
        if (!t.query.configure)
            write_connections(&j, answer);
        if (t.error_code != 0) {
            jout_int(&j, "error_code", t.error_code);
            jout_string(&j, "error", t.error);
        }
    }
    jout_end(&j);
    reply_end(c, &j, &wait->request);
}

static bool transport_of(const char *package, uint8_t *kind)
{
    for (uint8_t i = 0; i <= TRANSPORT_RABBITMQ; i++)
        if (strcmp(info_transport(i), package) == 0) {
            *kind = i;
            return true;
        }
    return false;
}

static void run_query_transport(struct control *c, struct api_request *request)
{
    const char *package = element_string(request->root, "transport");
    struct transport_request t = {0};
    struct json_out j;
    if (!is_listed(&c->config.transports, package) || !transport_of(package, &t.query.transport)) {
        reply_error(c, request, 460, "Invalid transport");
        return;
    }
    read_transport_request(json_object_get(request->root, "request"), &t);
    if (!t.to_ask) {
        reply_begin(c, &j, request, "success");
        jout_object(&j, "response");
        jout_int(&j, "error_code", t.error_code);
        jout_string(&j, "error", t.error);
        jout_end(&j);
        reply_end(c, &j, request);
        return;
    }
    const struct admin_wait *wait = admin_wait_begin(c, request, ANSWER_US, transport_answered);
    if (wait != NULL)
        out_op(c, ACTOR_IO, IO_QUERY, wait->ref, &t.query, sizeof(t.query));
}

/* -- names and STUN ------------------------------------------------------------------------------------------------------------------------ */

/* False: it is none that a resolver could find, and has been answered. */
static bool ask_name(struct control *c, const struct api_request *request, uint16_t port,
                     void (*done)(struct control *c, struct admin_wait *wait, const void *answer, size_t size))
{
    struct dns_ask ask = {.answer = CONTROL_ADMIN_ANSWER, .port = port};
    if (!str_copy(ask.name, sizeof(ask.name), str_of(element_string(request->root, "address")))) {
        reply_error(c, request, 490, "Could not resolve address");
        return false;
    }
    const struct admin_wait *wait = admin_wait_begin(c, request, ANSWER_US, done);
    if (wait != NULL)
        out_op(c, ACTOR_DNS, DNS_ASK, wait->ref, &ask, sizeof(ask));
    return wait != NULL;
}

/* NULL: not found. */
static const struct net_addr *found_address(const void *payload, size_t size)
{
    const struct dns_answer *answer = payload;
    return size >= sizeof(*answer) && answer->count > 0 ? &answer->addrs[0] : NULL;
}

static void address_found(struct control *c, struct admin_wait *wait, const void *payload, size_t size)
{
    const struct net_addr *addr = found_address(payload, size);
    char text[NET_IP_TEXT];
    struct json_out j;
    if (addr == NULL) {
        reply_error(c, &wait->request, 490, "Could not resolve address");
        return;
    }
    reply_begin(c, &j, &wait->request, "success");
    jout_string(&j, "ip", net_ip_text(addr, text));
    jout_int(&j, "elapsed", (int64_t)(c->now - wait->begun_at));
    reply_end(c, &j, &wait->request);
}

static void run_resolve_address(struct control *c, struct api_request *request)
{
    (void)ask_name(c, request, 0, address_found);
}

static void stun_answered(struct control *c, struct admin_wait *wait, const void *payload, size_t size)
{
    const struct dns_stun_answer *answer = size >= sizeof(*answer) ? payload : NULL;
    char text[NET_IP_TEXT];
    struct json_out j;
    if (answer == NULL || !answer->fine) {
        reply_error(c, &wait->request, 490, "STUN request failed");
        return;
    }
    reply_begin(c, &j, &wait->request, "success");
    jout_string(&j, "public_ip", net_ip_text(&answer->mapped, text));
    jout_int(&j, "public_port", answer->mapped.port);
    jout_int(&j, "elapsed", (int64_t)(c->now - wait->begun_at));
    reply_end(c, &j, &wait->request);
}

static void stun_server_found(struct control *c, struct admin_wait *wait, const void *payload, size_t size)
{
    const struct net_addr *addr = found_address(payload, size);
    if (addr == NULL) {
        reply_error(c, &wait->request, 490, "Could not resolve address");
        return;
    }
    const struct dns_stun_ask ask = {
        .answer = CONTROL_ADMIN_ANSWER, .local_port = (uint16_t)element_integer(wait->request.root, "localport"), .server = *addr};
    admin_wait_again(c, wait, STUN_US, stun_answered);
    out_op(c, ACTOR_DNS, DNS_STUN, wait->ref, &ask, sizeof(ask));
}

static void run_test_stun(struct control *c, struct api_request *request)
{
    (void)ask_name(c, request, (uint16_t)element_integer(request->root, "port"), stun_server_found);
}

const struct admin_verb admin_ask_verbs[] = {
    {"custom_event", ADMIN_ROOT, run_custom_event, {{"schema", ELEMENT_STRING, true}, {"data", ELEMENT_OBJECT, true}}},
    {"custom_logline", ADMIN_ROOT, run_custom_logline, {{"line", ELEMENT_STRING, true}, {"level", ELEMENT_POSITIVE, false}}},
    {"query_transport", ADMIN_ROOT, run_query_transport, {{"transport", ELEMENT_STRING, true}, {"request", ELEMENT_OBJECT, false}}},
    {"query_eventhandler", ADMIN_ROOT, run_query_eventhandler, {{"handler", ELEMENT_STRING, true}, {"request", ELEMENT_OBJECT, false}}},
    {"query_logger", ADMIN_ROOT, run_query_logger, {{"logger", ELEMENT_STRING, true}, {"request", ELEMENT_OBJECT, false}}},
    {"resolve_address", ADMIN_ROOT, run_resolve_address, {{"address", ELEMENT_STRING, true}}},
    {"test_stun", ADMIN_ROOT, run_test_stun,
     {{"address", ELEMENT_STRING, true}, {"port", ELEMENT_POSITIVE, true}, {"localport", ELEMENT_POSITIVE, false}}},
    {0},
};
