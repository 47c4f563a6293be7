#include "control/admin.h"

#include "base/str.h"
#include "control/api_dispatch.h"
#include "control/handle.h"
#include "control/info.h"
#include "control/session.h"

static const struct admin_verb *const tables[] = {admin_core_verbs, admin_session_verbs, admin_handle_verbs, admin_token_verbs, admin_ask_verbs};

static bool is_verb(const struct api_request *request, const char *name)
{
    return str_equal_nocase(str_of(request->verb), str_of(name));
}

static void run_verb(struct control *c, struct api_request *request, enum admin_level level)
{
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
        for (const struct admin_verb *verb = tables[i]; verb->name != NULL; verb++) {
            size_t count = 0;
            if (verb->level != level || !is_verb(request, verb->name))
                continue;
            while (count < ADMIN_ELEMENTS_MAX && verb->elements[count].key != NULL)
                count++;
            if (request_has(c, request, verb->elements, count))
                verb->run(c, request);
            return;
        }
    reply_error(c, request, 457, "Unhandled request '%s' at this path", request->verb);
}

/* admin_secret, where there is one. False: refused. */
static bool is_allowed(struct control *c, const struct api_request *request)
{
    const char *wanted = c->settings->admin_secret, *given = element_string(request->root, "admin_secret");
    if (wanted == NULL || (given != NULL && str_equal_secret(str_of(given), str_of(wanted))))
        return true;
    c->counters.unauthorized++;
    reply_error(c, request, 403, "Unauthorized request (wrong or missing secret/token)");
    return false;
}

static void dispatch_root(struct control *c, struct api_request *request)
{
    if (is_verb(request, "info"))
        info_reply(c, request);
    else if (is_verb(request, "ping"))
        reply_plain(c, request, "pong");
    else if (is_allowed(c, request))
        run_verb(c, request, ADMIN_ROOT);
}

/* Steps 3 to 8 of admin-api.md 1. */
static void dispatch_session(struct control *c, struct api_request *request)
{
    if (request->session_id < 1 || (request->has_handle_id && request->handle_id < 1)) {
        reply_error(c, request, 458, "Session not found");
        return;
    }
    if (!is_allowed(c, request))
        return;
    request->session = session_find(c, request->session_id);
    if (request->session == NULL) {
        reply_error(c, request, 458, "No such session %lld", (long long)request->session_id);
        return;
    }
    if (!request->has_handle_id) {
        run_verb(c, request, ADMIN_SESSION);
        return;
    }
    request->handle = handle_find(c, request->session, request->handle_id);
    if (request->handle == NULL)
        reply_error(c, request, 459, "No such handle %lld in session %lld", (long long)request->handle_id, (long long)request->session_id);
    else
        run_verb(c, request, ADMIN_HANDLE);
}

void admin_dispatch(struct control *c, const struct request_from *from, json_t *document)
{
    static const struct element header[] = {{"transaction", ELEMENT_STRING, true}, {"janus", ELEMENT_STRING, true}};
    struct api_request request;
    if (!api_request_read(c, &request, from, document, header, ARRAY_COUNT(header)))
        return;
    if (request.session_id == 0 && request.handle_id == 0) {
        dispatch_root(c, &request);
        return;
    }
    /* null, too, is a handle that there is not. */
    request.has_handle_id = request.has_handle_id || json_object_get(document, "handle_id") != NULL;
    dispatch_session(c, &request);
}
