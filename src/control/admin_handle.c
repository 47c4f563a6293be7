/* `handle_info` of the Admin API (admin-api.md 6). What control knows is written at once; what only the worker knows is asked for
 * first, for 200 ms at most (design section 2). */
#include "control/admin.h"
#include "control/admin_wait.h"
#include "control/handle.h"
#include "control/info.h"
#include "control/out.h"
#include "control/session.h"
#include "msg/worker.h"

#define COLLECT_US MSEC(200)

/* Since the process began. */
static int64_t clock_of(const struct control *c, usec_t at)
{
    return at > c->started_at ? (int64_t)(at - c->started_at) : 0;
}

static bool has_data(const struct pc *pc)
{
    const struct local_description *local = pc->negotiation.local;
    for (uint16_t i = 0; local != NULL && i < local->mline_count; i++) {
        struct negotiated_line line;
        if (negotiation_line(&pc->negotiation, i, &line) && line.kind == SDP_APPLICATION)
            return true;
    }
    return false;
}

static void write_flags(struct json_out *j, const struct pc *pc)
{
    const struct remote_description *remote = pc == NULL ? NULL : pc->negotiation.remote;
    const bool data = pc != NULL && has_data(pc);
    jout_object(j, "flags");
    jout_bool(j, "got-offer", pc != NULL);
    jout_bool(j, "got-answer", pc != NULL && pc->negotiated);
    jout_bool(j, "negotiated", pc != NULL && pc->negotiated);
    jout_bool(j, "processing-offer", pc != NULL && pc->offer == PC_OFFER_CLIENT);
    jout_bool(j, "starting", pc != NULL && pc->negotiated);
    jout_bool(j, "ice-restart", pc != NULL && pc->restarting);
    jout_bool(j, "ready", pc != NULL && pc->state == PC_UP);
    jout_bool(j, "stopped", false);
    jout_bool(j, "alert", pc == NULL);
    jout_bool(j, "trickle", pc != NULL && pc->trickle);
    jout_bool(j, "all-trickles", pc != NULL && pc->story.all_candidates);
    jout_bool(j, "resend-trickles", false);
    jout_bool(j, "trickle-synced", false);
    jout_bool(j, "data-channels", data);
    jout_bool(j, "has-audio", false);
    jout_bool(j, "has-video", false);
    jout_bool(j, "new-datachan-sdp", data);
    jout_bool(j, "rfc4588-rtx", pc != NULL && pc->negotiation.rtx && remote != NULL && remote->has_rtx);
    jout_bool(j, "cleaning", false);
    jout_bool(j, "e2ee", pc != NULL && pc->e2ee);
    jout_end(j);
}

static void write_sdps(struct json_out *j, const struct pc *pc)
{
    jout_object(j, "sdps");
    if (pc != NULL && pc->negotiation.rtp_proto[0] != '\0')
        jout_string(j, "profile", pc->negotiation.rtp_proto);
    if (pc != NULL && pc->story.local != NULL)
        jout_string(j, "local", pc->story.local);
    if (pc != NULL && pc->story.remote != NULL)
        jout_string(j, "remote", pc->story.remote);
    jout_end(j);
}

static void write_agent(const struct control *c, struct json_out *j, const struct pc *pc)
{
    if (pc == NULL)
        return;
    jout_int(j, "agent-created", clock_of(c, pc->story.created_at));
    if (pc->story.started_at != 0)
        jout_int(j, "agent-started", clock_of(c, pc->story.started_at));
    jout_string(j, "ice-mode", c->settings->ice_lite ? "lite" : "full");
    jout_string(j, "ice-role", pc->controlling ? "controlling" : "controlled");
}

/* What there is also with `plugin_only`. */
static void write_head(const struct control *c, struct json_out *j, const struct handle *handle)
{
    const struct session *session = handle->session;
    jout_int(j, "session_id", session->id);
    jout_int(j, "session_last_activity", clock_of(c, session->active_at));
    jout_int(j, "session_timeout", session_timeout_s(c, session));
    if (session->owner != NULL)
        jout_string(j, "session_transport", info_transport(session->owner->transport));
    jout_int(j, "handle_id", handle->id);
    if (handle->opaque_id != NULL)
        jout_string(j, "opaque_id", handle->opaque_id);
    if (handle->token != NULL)
        jout_string(j, "token", handle->token);
    jout_bool(j, "loop-running", true);
    jout_int(j, "created", clock_of(c, handle->created_at));
    jout_int(j, "current_time", clock_of(c, c->now));
    jout_string(j, "plugin", handle->host->desc->package);
    if (handle->host->desc->query == NULL)
        return;
    jout_object(j, "plugin_specific");
    handle->host->desc->query(handle->host->plugin, handle->state, j);
    jout_end(j);
}

static void reply(struct control *c, const struct api_request *request, const struct handle *handle, const struct peer_report *report)
{
    const struct pc *pc = handle->pc;
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_int(&j, "handle_id", handle->id);
    jout_object(&j, "info");
    write_head(c, &j, handle);
    if (!json_is_true(json_object_get(request->root, "plugin_only"))) {
        write_flags(&j, pc);
        write_agent(c, &j, pc);
        write_sdps(&j, pc);
        if (handle->early != NULL && handle->early->count > 0)
            jout_int(&j, "pending-trickles", handle->early->count);
        jout_int(&j, "queued-packets", 0);
        if (pc != NULL)
            admin_write_webrtc(c, &j, pc, report);
    }
    jout_end(&j);
    reply_end(c, &j, request);
}

static void collected(struct control *c, struct admin_wait *wait, const void *answer, size_t size)
{
    const struct api_request *request = &wait->request;
    const struct session *session = session_find(c, request->session_id);
    const struct handle *handle = session == NULL ? NULL : handle_find(c, session, request->handle_id);
    const struct peer_report *report = answer;
    if (handle == NULL) {
        reply_error(c, request, 459, "No such handle %lld in session %lld", (long long)request->handle_id, (long long)request->session_id);
        return;
    }
    if (report != NULL && (!report->exists || size < sizeof(*report) + report->line_count * sizeof(report->lines[0])))
        report = NULL;
    reply(c, request, handle, report);
}

static void run_handle_info(struct control *c, struct api_request *request)
{
    const struct pc *pc = request->handle->pc;
    if (pc == NULL || pc->state == PC_OFFERED || json_is_true(json_object_get(request->root, "plugin_only"))) {
        reply(c, request, request->handle, NULL);
        return;
    }
    const struct admin_wait *wait = admin_wait_begin(c, request, COLLECT_US, collected);
    const struct collect_order order = {pc->peer.ref};
    if (wait != NULL)
        out_op(c, (actor_id)(ACTOR_WORKER_0 + pc->peer.worker), WORKER_COLLECT, wait->ref, &order, sizeof(order));
}

const struct admin_verb admin_handle_verbs[] = {
    {"handle_info", ADMIN_HANDLE, run_handle_info, {{"plugin_only", ELEMENT_BOOL, false}}},
    {0},
};
