/* plugins/videoroom - the descriptor, the way of a request through the tables, and what the core has to tell. */
#include "plugins/videoroom/videoroom.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/table.h"
#include "plugins/videoroom/requests.h"

/* ---- requests ---- */

static const struct schema_field request_field[] = {{"request", SCHEMA_STRING, true}};

static const struct vr_request join_requests[] = {
    {"join", NULL, 0, vr_req_join},
    {"joinandconfigure", NULL, 0, vr_req_joinandconfigure},
};

static const struct vr_request *find_request(const struct vr_request *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(str_of(name), str_of(table[i].name)))
            return &table[i];
    return NULL;
}

/* Whether any role knows the verb: the others are answered at once (videoroom.md 1). */
static bool is_async(const char *name)
{
    return find_request(join_requests, ARRAY_COUNT(join_requests), name) != NULL ||
           find_request(vr_publisher_requests, vr_publisher_request_count, name) != NULL ||
           find_request(vr_subscriber_requests, vr_subscriber_request_count, name) != NULL;
}

static enum vr_error run(struct vr_call *call, const struct vr_request *request)
{
    enum vr_error error = vr_check_fields(call, request->fields, request->field_count, call->body);
    return error == VR_OK ? request->run(call) : error;
}

static enum vr_error unknown(struct vr_call *call, const char *name)
{
    return vr_fail(call, VR_INVALID_REQUEST, "Unknown request '%.64s'", name);
}

static enum vr_error run_as_publisher(struct vr_call *call, const char *name)
{
    const struct vr_participant *p = call->session->participant;
    const struct vr_request *request = find_request(vr_publisher_requests, vr_publisher_request_count, name);
    if (p->room == NULL) {
        bool joins = find_request(join_requests, ARRAY_COUNT(join_requests), name) != NULL;
        return joins ? vr_fail(call, VR_ALREADY_JOINED, "Not in a room (create a new handle)") : vr_fail(call, VR_NO_SUCH_ROOM, "No such room");
    }
    return request == NULL ? unknown(call, name) : run(call, request);
}

static enum vr_error run_for_subscriber(struct vr_call *call, const char *name)
{
    const struct vr_request *request = find_request(vr_subscriber_requests, vr_subscriber_request_count, name);
    if (request == NULL)
        return unknown(call, name);
    if (call->session->subscriber->room == NULL && request->run != vr_subscriber_requests[0].run)
        return vr_fail(call, VR_NO_SUCH_ROOM, "No such room ");
    if (call->request->jsep != NULL && strcmp(call->request->jsep->type, "answer") != 0)
        return vr_fail(call, VR_INVALID_SDP_TYPE, "Only publishers send offers");
    return run(call, request);
}

/* An answer counts whatever request it came with, and whatever becomes of that: for the core our offer is answered. What
 * waited for it is offered behind the reply. */
static enum vr_error run_as_subscriber(struct vr_call *call, const char *name)
{
    struct vr_subscriber *s = call->session->subscriber;
    const struct jsep_in *jsep = call->request->jsep;
    const bool answers = jsep != NULL && strcmp(jsep->type, "answer") == 0;
    if (answers)
        vr_subscriber_answered(call->vr, s, jsep->sdp);
    enum vr_error error = run_for_subscriber(call, name);
    if (!answers || !s->pending_offer || !s->answered || s->room == NULL)
        return error;
    if (error != VR_OK)
        vr_write_error(call, error, call->error);
    if (!call->replied)
        vr_reply(call, NULL, NULL);
    vr_subscriber_update(call->vr, s, NULL);
    return VR_OK;
}

static enum vr_error run_async(struct vr_call *call, const char *name)
{
    const struct vr_request *request;
    switch ((enum vr_role)call->session->role) {
    case VR_ROLE_NONE:
        request = find_request(join_requests, ARRAY_COUNT(join_requests), name);
        return request != NULL ? run(call, request) : vr_fail(call, VR_JOIN_FIRST, "Invalid request on unconfigured participant");
    case VR_ROLE_PUBLISHER:
        return run_as_publisher(call, name);
    case VR_ROLE_SUBSCRIBER:
        return run_as_subscriber(call, name);
    }
    return unknown(call, name);
}

/* What a request that is answered directly ends with; a job of its own goes on when the answer to its operation comes. */
static enum plugin_outcome finish_sync(struct vr_call *call, enum vr_error error)
{
    if (call->waits && error == VR_OK)
        return PLUGIN_WAIT;
    if (error != VR_OK)
        vr_write_error(call, error, call->error);
    jout_end(&call->j);
    if (call->text.failed) {
        vr_write_error(call, VR_UNKNOWN, "The answer is too long");
        jout_end(&call->j);
    }
    struct buf *reply = host_reply(call->vr->host), before = *reply;
    *reply = call->text;                /* handed over, not copied: it may be long */
    reply->limit = before.limit;
    call->text = before;
    return PLUGIN_SYNC;
}

static enum plugin_outcome vr_resume(void *plugin, void *state, const struct plugin_request *request, const struct plugin_answer *answer)
{
    struct vr_call call = {
        .vr = plugin, .session = state, .request = request, .body = request->body, .job = answer->data, .answer = answer};
    vr_call_begin(&call);
    enum plugin_outcome outcome = finish_sync(&call, call.job->go_on(&call));
    vr_call_end(&call);
    return outcome;
}

static enum plugin_outcome vr_message(void *plugin, void *state, const struct plugin_request *request)
{
    struct vr_call call = {.vr = plugin, .session = state, .request = request, .body = request->body};
    enum plugin_outcome outcome = PLUGIN_SYNC;
    vr_call_begin(&call);
    enum vr_error error = vr_check_fields(&call, VR_FIELDS(request_field), call.body);
    const char *name = error == VR_OK ? vr_text(call.body, "request") : "";
    const struct vr_request *sync = error == VR_OK ? find_request(vr_sync_requests, vr_sync_request_count, name) : NULL;
    if (sync != NULL) {
        error = run(&call, sync);
    } else if (error == VR_OK && call.session != NULL && is_async(name)) {
        outcome = PLUGIN_ACK;
        error = run_async(&call, name);
    } else if (error == VR_OK) {
        error = unknown(&call, name);
    }
    if (outcome == PLUGIN_SYNC) {
        outcome = finish_sync(&call, error);
    } else {
        if (error != VR_OK)
            vr_write_error(&call, error, call.error);
        if (!call.replied)
            vr_reply(&call, NULL, NULL);
    }
    vr_call_end(&call);
    return outcome;
}

/* Requests that manage rooms are free: they neither wait for others of their handle nor hold them up (videoroom.md 1). */
static bool vr_may_overtake(void *plugin, void *state, const json_t *body)
{
    const char *name = vr_text(body, "request");
    (void)plugin;
    (void)state;
    return name == NULL || find_request(vr_sync_requests, vr_sync_request_count, name) != NULL;
}

/* ---- what the core tells ---- */

static bool vr_attach(void *plugin, void *state, struct ref handle)
{
    struct vr_session *session = state;
    (void)plugin;
    session->handle = handle;
    return true;
}

static void vr_setup_media(void *plugin, void *state)
{
    struct vr_session *session = state;
    struct vr_participant *p = session->participant;
    if (p == NULL || p->room == NULL)
        return;
    p->started = true;
    vr_participant_changed(p);
    vr_record_apply(plugin, p);
    vr_notify_publishers(plugin, p);
}

static void vr_hangup_media(void *plugin, void *state)
{
    struct vr_session *session = state;
    if (session->participant != NULL)
        vr_participant_unpublish(plugin, session->participant);
    if (session->subscriber != NULL)
        vr_subscriber_hangup(session->subscriber);
}

static void vr_detach(void *plugin, void *state)
{
    struct videoroom *vr = plugin;
    struct vr_session *session = state;
    struct vr_participant *p = session->participant;
    if (p != NULL) {
        vr_participant_unpublish(vr, p);
        if (p->room != NULL)
            vr_notify_gone(vr, p->room, p, "leaving");
        vr_participant_free(vr, p);
    }
    if (session->subscriber != NULL)
        vr_subscriber_free(vr, session->subscriber);
    session->participant = NULL;
    session->subscriber = NULL;
}

static void vr_slow_link(void *plugin, void *state, uint16_t mindex, bool video, bool uplink)
{
    struct videoroom *vr = plugin;
    struct vr_session *session = state;
    char text[80];
    (void)mindex;
    (void)video;
    if (session->participant != NULL && !uplink) {
        int size = snprintf(text, sizeof(text), "{\"videoroom\":\"slow_link\",\"current-bitrate\":%u}", session->participant->bitrate_bps);
        vr_tell(vr, session, VIEW(text, (size_t)size));
    } else if (session->subscriber != NULL && uplink) {
        vr_tell(vr, session, STR("{\"videoroom\":\"slow_link\"}"));
    }
}

/* One event per layer that has changed (videoroom.md 11.2). */
static void vr_sink_layer(void *plugin, void *state, struct ref sink, int substream, int temporal)
{
    struct vr_session *session = state;
    struct vr_sub_stream *sub = session->subscriber == NULL ? NULL : vr_sub_by_sink(session->subscriber, sink);
    if (sub == NULL)
        return;
    /* A sink that starts again (-1) and comes back to the layer it had is no news. */
    bool new_substream = substream >= 0 && sub->substream != substream, new_temporal = temporal >= 0 && sub->temporal != temporal;
    sub->substream = new_substream ? (int8_t)substream : sub->substream;
    sub->temporal = new_temporal ? (int8_t)temporal : sub->temporal;
    if (sub->source == NULL || (!sub->source->simulcast && !sub->source->svc))
        return;
    if (new_substream)
        vr_notify_layer(plugin, sub, sub->source->svc ? "spatial_layer" : "substream", substream);
    if (new_temporal)
        vr_notify_layer(plugin, sub, sub->source->svc ? "temporal_layer" : "temporal", temporal);
}

/* fir_freq: a keyframe from every publisher that often (videoroom.md 14.2). */
static void vr_tick(void *plugin, usec_t now)
{
    struct videoroom *vr = plugin;
    for (struct map_node *n = map_each(&vr->rooms, NULL); n != NULL; n = map_each(&vr->rooms, n)) {
        struct vr_room *room = CONTAINER_OF(n, struct vr_room, node);
        if (room->fir_freq_s == 0 || room->participant_count == 0 || now < room->fir_at)
            continue;
        room->fir_at = now + SEC(room->fir_freq_s);
        LIST_EACH(it, &room->participants) {
            const struct vr_participant *p = CONTAINER_OF(it, struct vr_participant, of_room);
            for (uint16_t i = 0; p->started && i < p->stream_count; i++)
                if (p->streams[i]->kind == MEDIA_VIDEO)
                    host_keyframe(vr->host, p->streams[i]->source);
        }
    }
}

static void vr_query(void *plugin, void *state, struct json_out *out)
{
    const struct vr_session *session = state;
    const struct vr_participant *p = session->participant;
    const struct vr_subscriber *s = session->subscriber;
    (void)plugin;
    if (p != NULL) {
        jout_string(out, "type", "publisher");
        if (p->room != NULL) {
            vr_id_write(out, "room", &p->room->id);
            vr_id_write(out, "id", &p->id);
            jout_uint(out, "private_id", p->private_id);
            vr_write_name(out, p);
            jout_uint(out, "bitrate", p->bitrate_bps);
            if (p->e2ee)
                jout_bool(out, "e2ee", true);
            vr_write_session_streams(out, p);
        }
    } else if (s != NULL) {
        jout_string(out, "type", "subscriber");
        if (s->room != NULL)
            vr_id_write(out, "room", &s->room->id);
        jout_uint(out, "private_id", s->private_id);
        jout_bool(out, "answered", s->answered);
        jout_bool(out, "pending_offer", s->pending_offer);
        jout_bool(out, "pending_restart", s->pending_restart);
        jout_bool(out, "paused", s->paused);
        if (s->e2ee)
            jout_bool(out, "e2ee", true);
        vr_write_sub_streams(out, s);
    }
    jout_int(out, "hangingup", 0);
    jout_int(out, "destroyed", 0);
}

/* ---- life ---- */

static void *vr_init(struct host *host, const struct conf_node *conf)
{
    struct videoroom *vr = mem_get_zero(sizeof(*vr));
    const struct conf_node *general = conf_get(conf, "general");
    const char *admin_key = conf_text(general, "admin_key", "");
    vr->host = host;
    map_init(&vr->rooms);
    map_init(&vr->forwards);
    list_init(&vr->owed);
    vr->admin_key = admin_key[0] == '\0' ? NULL : vr_strdup(admin_key);
    vr->admin_key_closed = secret_is_sample(vr->admin_key);
    if (vr->admin_key_closed)
        host_log(host, 3, "VideoRoom: admin_key is one from a sample file; requests that need it are refused until you set your own");
    vr->lock_rtp_forward = vr->admin_key != NULL && conf_bool(general, "lock_rtp_forward", false);
    vr->string_ids = conf_bool(general, "string_ids", false);
    vr_rooms_from_conf(vr, conf);
    return vr;
}

static void vr_fini(void *plugin)
{
    struct videoroom *vr = plugin;
    for (struct map_node *n; (n = map_each(&vr->rooms, NULL)) != NULL;) {
        struct vr_room *room = CONTAINER_OF(n, struct vr_room, node);
        map_del(&vr->rooms, n);
        LIST_EACH(it, &room->participants)      /* handles are gone: who is left has none */
            vr_participant_free(vr, CONTAINER_OF(it, struct vr_participant, of_room));
        vr_room_free(vr, room);
    }
    map_fini(&vr->rooms);
    map_fini(&vr->forwards);
    mem_put(vr->admin_key);
    mem_put(vr);
}

static uint32_t vr_count_rooms(const void *plugin)
{
    return ((const struct videoroom *)plugin)->rooms.count;
}

const struct plugin_desc videoroom_plugin = {
    .package = VR_PACKAGE,
    .name = "Cardea VideoRoom",
    .description = "Rooms in which many publish and many subscribe",
    .author = "The Cardea project",
    .version_string = "0.0.10",
    .version = 10,
    .file_name = "libjanus_videoroom.so",
    .session_size = sizeof(struct vr_session),
    .init = vr_init,
    .fini = vr_fini,
    .attach = vr_attach,
    .detach = vr_detach,
    .message = vr_message,
    .resume = vr_resume,
    .may_overtake = vr_may_overtake,
    .setup_media = vr_setup_media,
    .hangup_media = vr_hangup_media,
    .slow_link = vr_slow_link,
    .sink_layer = vr_sink_layer,
    .source_level = vr_source_level,
    .record_failed = vr_record_failed,
    .tick = vr_tick,
    .turn = vr_subscribers_turn,
    .count_rooms = vr_count_rooms,
    .query = vr_query,
};
