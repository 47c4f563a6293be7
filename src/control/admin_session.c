/* The Admin API's requests about sessions and handles (admin-api.md 3.4, 4, 5). They count as no sign of life of a session. */
#include "control/admin.h"
#include "control/handle.h"
#include "control/session.h"

static void run_list_sessions(struct control *c, struct api_request *request)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_array(&j, "sessions");
    for (struct map_node *node = map_each(&c->sessions_by_id, NULL); node != NULL; node = map_each(&c->sessions_by_id, node))
        jout_int(&j, NULL, CONTAINER_OF(node, struct session, by_id)->id);
    jout_end(&j);
    reply_end(c, &j, request);
}

static void run_list_handles(struct control *c, struct api_request *request)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_array(&j, "handles");
    LIST_EACH(it, &request->session->handles)
        jout_int(&j, NULL, CONTAINER_OF(it, struct handle, in_session)->id);
    jout_end(&j);
    reply_end(c, &j, request);
}

static void run_set_session_timeout(struct control *c, struct api_request *request)
{
    const int64_t asked = element_integer(request->root, "timeout"), timeout_s = asked > INT32_MAX ? INT32_MAX : asked;
    struct json_out j;
    if (timeout_s < -1) {
        reply_error(c, request, 467, "Invalid element type (timeout should be a non-negative integer or -1)");
        return;
    }
    session_set_timeout(c, request->session, timeout_s);
    request->session_id = 0;            /* it stands at the end here */
    reply_begin(c, &j, request, "success");
    jout_int(&j, "timeout", timeout_s);
    jout_int(&j, "session_id", request->session->id);
    reply_end(c, &j, request);
}

static void run_destroy_session(struct control *c, struct api_request *request)
{
    reply_plain(c, request, "success");
    session_end(c, request->session);
}

static void run_detach_handle(struct control *c, struct api_request *request)
{
    reply_plain(c, request, "success");
    handle_close(c, request->handle, true);
}

static void run_hangup_webrtc(struct control *c, struct api_request *request)
{
    reply_plain(c, request, "success");
    if (request->handle->pc != NULL)            /* else nothing happens, to the plugin either (admin-api.md 5) */
        handle_hangup(c, request->handle, HANGUP_ADMIN_API);
}

const struct admin_verb admin_session_verbs[] = {
    {"list_sessions", ADMIN_ROOT, run_list_sessions, {{0}}},
    {"list_handles", ADMIN_SESSION, run_list_handles, {{0}}},
    {"set_session_timeout", ADMIN_SESSION, run_set_session_timeout, {{"timeout", ELEMENT_INTEGER, true}}},
    {"destroy_session", ADMIN_SESSION, run_destroy_session, {{0}}},
    {"detach_handle", ADMIN_HANDLE, run_detach_handle, {{0}}},
    {"hangup_webrtc", ADMIN_HANDLE, run_hangup_webrtc, {{0}}},
    {0},
};
