#include "control/api_dispatch.h"

#include "base/mem.h"
#include "base/str.h"
#include "control/api_parse.h"
#include "control/auth.h"
#include "control/caller.h"
#include "control/handle.h"
#include "control/host.h"
#include "control/info.h"
#include "control/measure.h"
#include "control/notify.h"
#include "control/op.h"
#include "control/session.h"
#include "control/trickle.h"

enum level {
    LEVEL_SESSION,                      /* no handle_id */
    LEVEL_SESSION_OR_HANDLE,            /* a handle_id is tolerated */
    LEVEL_HANDLE,
};

struct verb {
    const char *name;
    enum level level;
    enum request_kind kind;
    void (*run)(struct control *c, struct api_request *request);
};

static bool is_verb(const struct api_request *request, const char *name)
{
    return str_equal_nocase(str_of(request->verb), str_of(name));
}

static void wrong_level(struct control *c, const struct api_request *request)
{
    reply_error(c, request, 457, "Unhandled request '%s' at this path", request->verb);
}

static void reply_id(struct control *c, const struct api_request *request, int64_t id)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_object(&j, "data");
    jout_int(&j, "id", id);
    jout_end(&j);
    reply_end(c, &j, request);
}

static void refuse(struct control *c, const struct api_request *request)
{
    c->counters.unauthorized++;
    reply_error(c, request, 403, "Unauthorized request (wrong or missing secret/token)");
}

/* -- without ids -------------------------------------------------------------------------------------------------------- */

static void run_create(struct control *c, struct api_request *request)
{
    int64_t id = element_integer(request->root, "id");
    if (c->draining || !c->adjustable.accepting) {
        reply_error(c, request, 472, "Currently not accepting new sessions");
        return;
    }
    if (!auth_request(c, request->root)) {
        refuse(c, request);
        return;
    }
    if (id > 0 && session_find(c, id) != NULL) {
        request->session_id = id;
        reply_error(c, request, 468, "Session ID already in use");
        return;
    }
    struct caller *caller = caller_get(c, request->owner, request->layout);
    struct session *session = caller == NULL ? NULL : session_new(c, caller, id);
    if (session == NULL) {
        reply_error(c, request, 490, "Memory error");
        if (caller != NULL)
            caller_settle(c, caller);
        return;
    }
    notify_session_created(c, session, request->client, (enum transport_kind)request->transport);
    reply_id(c, request, session->id);
}

static void run_info(struct control *c, struct api_request *request)
{
    info_reply(c, request);
}

static void run_ping(struct control *c, struct api_request *request)
{
    reply_plain(c, request, "pong");
}

static void dispatch_root(struct control *c, struct api_request *request)
{
    static const struct verb roots[] = {
        {"create", LEVEL_SESSION, REQUEST_CREATE, run_create},
        {"info", LEVEL_SESSION, REQUEST_INFO, run_info},
        {"ping", LEVEL_SESSION, REQUEST_PING, run_ping},
    };
    for (size_t i = 0; i < ARRAY_COUNT(roots); i++)
        if (is_verb(request, roots[i].name)) {
            request->kind = (uint8_t)roots[i].kind;
            roots[i].run(c, request);
            return;
        }
    wrong_level(c, request);
}

/* -- with a session -------------------------------------------------------------------------------------------------------- */

static void run_keepalive(struct control *c, struct api_request *request)
{
    reply_plain(c, request, "ack");
}

static void run_claim(struct control *c, struct api_request *request)
{
    struct caller *caller = caller_get(c, request->owner, request->layout);
    if (caller == NULL || !session_claim(c, request->session, caller)) {
        reply_error(c, request, 490, "Memory error");
        return;
    }
    reply_plain(c, request, "success");
}

static void run_destroy(struct control *c, struct api_request *request)
{
    reply_plain(c, request, "success");
    session_end(c, request->session);
}

static bool check_attach(struct control *c, const struct api_request *request)
{
    static const struct element elements[] = {
        {"plugin", ELEMENT_STRING, true}, {"opaque_id", ELEMENT_STRING, false}, {"loop_index", ELEMENT_POSITIVE, false}};
    if (!request_has(c, request, elements, ARRAY_COUNT(elements)))
        return false;
    json_t *opaque_id = json_object_get(request->root, "opaque_id");
    if (opaque_id == NULL || json_string_length(opaque_id) <= OPAQUE_ID_BYTES_MAX)
        return true;
    reply_error(c, request, 467, "Invalid element type (opaque_id should be at most %u bytes)", OPAQUE_ID_BYTES_MAX);
    return false;
}

/* The operator may see it (admin-api.md 6.1). */
static void keep_token(const struct control *c, const struct api_request *request, struct handle *handle)
{
    const char *token = element_string(request->root, "token");
    if (c->settings->token_auth && token != NULL)
        handle->token = memcpy(mem_get(strlen(token) + 1), token, strlen(token) + 1);
}

static void run_attach(struct control *c, struct api_request *request)
{
    struct handle *handle = NULL;
    if (!check_attach(c, request))
        return;
    const char *package = element_string(request->root, "plugin");
    struct host *host = host_find(c, package);
    if (host == NULL) {
        reply_error(c, request, 460, "No such plugin '%s'", package);
        return;
    }
    if (!auth_plugin(c, request->root, package)) {
        reply_error(c, request, 405, "Provided token can't access plugin '%s'", package);
        return;
    }
    events_hold(c);
    switch (handle_new(c, request->session, host, element_string(request->root, "opaque_id"), &handle)) {
    case ATTACH_OK:
        keep_token(c, request, handle);
        reply_id(c, request, handle->id);
        break;
    case ATTACH_FULL:
        reply_error(c, request, 490, "Memory error");
        break;
    case ATTACH_REFUSED:
        reply_error(c, request, 461, "Couldn't attach to plugin: error '-1'");
        break;
    }
    events_release(c);
}

/* -- with a handle ----------------------------------------------------------------------------------------------------------- */

static void run_message(struct control *c, struct api_request *request)
{
    handle_submit(c, request);
}

static void run_trickle(struct control *c, struct api_request *request)
{
    trickle_request(c, request);
}

static void run_hangup(struct control *c, struct api_request *request)
{
    reply_plain(c, request, "success");
    handle_hangup(c, request->handle, HANGUP_JANUS_API);
}

static void run_detach(struct control *c, struct api_request *request)
{
    ops_end_of_handle(c, request->handle);      /* what was asked before is answered before */
    reply_plain(c, request, "success");
    handle_close(c, request->handle, true);
}

static const struct verb verbs[] = {
    {"message", LEVEL_HANDLE, REQUEST_MESSAGE, run_message},
    {"trickle", LEVEL_HANDLE, REQUEST_TRICKLE, run_trickle},
    {"keepalive", LEVEL_SESSION_OR_HANDLE, REQUEST_KEEPALIVE, run_keepalive},
    {"attach", LEVEL_SESSION, REQUEST_ATTACH, run_attach},
    {"detach", LEVEL_HANDLE, REQUEST_DETACH, run_detach},
    {"hangup", LEVEL_HANDLE, REQUEST_HANGUP, run_hangup},
    {"destroy", LEVEL_SESSION, REQUEST_DESTROY, run_destroy},
    {"claim", LEVEL_SESSION_OR_HANDLE, REQUEST_CLAIM, run_claim},
};

static const struct verb *find_verb(const struct api_request *request)
{
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++)
        if (is_verb(request, verbs[i].name))
            return &verbs[i];
    return NULL;
}

static void run_verb(struct control *c, struct api_request *request, const struct verb *verb)
{
    request->kind = (uint8_t)verb->kind;
    if (verb->kind == REQUEST_MESSAGE)
        request->kind += (uint8_t)(request->handle->host - c->hosts);
    verb->run(c, request);
}

static void dispatch_verb(struct control *c, struct api_request *request)
{
    const struct verb *verb = find_verb(request);
    bool has_handle = request->handle != NULL;
    if (verb == NULL)
        reply_error(c, request, 453, "Unknown request '%s'", request->verb);
    else if ((verb->level == LEVEL_SESSION && has_handle) || (verb->level == LEVEL_HANDLE && !has_handle))
        wrong_level(c, request);
    else
        run_verb(c, request, verb);
}

/* Steps 7 to 12. */
static void dispatch_session(struct control *c, struct api_request *request)
{
    if (request->session_id < 1) {
        /* A negative session alone is just one that does not exist. */
        if (request->handle_id != 0)
            reply_error(c, request, 458, "Session not found");
        else
            reply_error(c, request, 458, "No such session %lld", (long long)request->session_id);
        return;
    }
    if (request->has_handle_id && request->handle_id < 1) {
        reply_error(c, request, 459, "Handle not found");
        return;
    }
    if (!auth_request(c, request->root)) {
        refuse(c, request);
        return;
    }
    request->session = session_find(c, request->session_id);
    if (request->session == NULL) {
        reply_error(c, request, 458, "No such session %lld", (long long)request->session_id);
        return;
    }
    session_touch(c, request->session);
    if (request->handle_id > 0) {
        request->handle = handle_find(c, request->session, request->handle_id);
        if (request->handle == NULL) {
            reply_error(c, request, 459, "No such handle %lld in session %lld", (long long)request->handle_id,
                        (long long)request->session_id);
            return;
        }
    }
    dispatch_verb(c, request);
}

/* Which id counts when the path has one and the body too (transports.md 2.5): the path's if the body's is 0 or no number. False:
 * they are not the same. */
static bool merge_id(int64_t *id, bool in_path, int64_t of_path)
{
    if (!in_path)
        return true;
    if (*id == 0)
        *id = of_path;
    return *id == of_path;
}

static bool merge_path(struct control *c, struct api_request *request, const struct request_from *from)
{
    const char *what = NULL;
    if (!merge_id(&request->session_id, from->path_ids > 0, from->session_id))
        what = "session";
    else if (!merge_id(&request->handle_id, from->path_ids > 1, from->handle_id))
        what = "handle";
    if (what == NULL) {
        request->has_handle_id = request->has_handle_id || request->handle_id != 0;
        return true;
    }
    request->session_id = 0;            /* the error names none */
    reply_error(c, request, 457, "Conflicting %s ID (payload and path)", what);
    return false;
}

bool api_request_read(struct control *c, struct api_request *request, const struct request_from *from, json_t *document,
                      const struct element *header, size_t count)
{
    const json_t *handle_id = json_object_get(document, "handle_id");
    *request = (struct api_request){
        .client = from->client,
        .tag = from->tag,
        .owner = from->owner,
        .layout = from->layout,
        .kind = from->api == CLIENT_API_ADMIN ? REQUEST_ADMIN : REQUEST_OTHER,
        .since = from->since,
        .transport = from->transport,
        .root = document,
        .session_id = element_integer(document, "session_id"),
        .handle_id = element_integer(document, "handle_id"),
        .has_handle_id = handle_id != NULL && !json_is_null(handle_id),
    };
    if (!merge_path(c, request, from) || !request_has(c, request, header, count))
        return false;
    request->transaction = element_string(document, "transaction");
    request->verb = element_string(document, "janus");
    return true;
}

void api_dispatch(struct control *c, const struct request_from *from, json_t *document)
{
    static const struct element header[] = {
        {"transaction", ELEMENT_STRING, true}, {"janus", ELEMENT_STRING, true}, {"id", ELEMENT_POSITIVE, false}};
    struct api_request request;
    if (!api_request_read(c, &request, from, document, header, ARRAY_COUNT(header)))
        return;
    if (request.session_id == 0 && request.handle_id == 0)
        dispatch_root(c, &request);
    else
        dispatch_session(c, &request);
}
