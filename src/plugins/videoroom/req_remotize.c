/* Publishing on another server as well: publish_remotely, unpublish_remotely, listremotes (videoroom.md 7.4 - 7.6). */
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/forward_job.h"
#include "plugins/videoroom/requests.h"

static const struct schema_field publish_fields[] = {
    {"secret", SCHEMA_STRING, false},      {"remote_id", SCHEMA_STRING, true},   {"host", SCHEMA_STRING, true},
    {"host_family", SCHEMA_STRING, false}, {"port", SCHEMA_POSINT, true},        {"rtcp_port", SCHEMA_POSINT, false},
    {"srtp_suite", SCHEMA_POSINT, false},  {"srtp_crypto", SCHEMA_STRING, false},
};

static const struct schema_field unpublish_fields[] = {{"secret", SCHEMA_STRING, false}, {"remote_id", SCHEMA_STRING, true}};

/* `room` and `publisher_id`, the secret, and whom they name. `key`: the administrator's is needed too, where there is one. */
static enum vr_error find(struct vr_call *call, bool key, struct vr_participant **p)
{
    struct vr_room *room;
    struct vr_id id;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "publisher_id", true, &id);
    if (error == VR_OK && key)
        error = vr_check_forward_key(call);
    if (error == VR_OK)
        error = vr_managed_room(call, &room);
    if (error != VR_OK || key)
        return error == VR_OK ? vr_feed_of(call, room, &id, p) : error;
    char shown[VR_ID_SHOWN];
    *p = vr_room_participant(call->vr, room, &id);
    return *p != NULL ? VR_OK : vr_fail(call, VR_NO_SUCH_FEED, "No such publisher (%s)", vr_id_show(&id, shown));
}

static void answer(struct vr_call *call, const struct vr_participant *p)
{
    jout_string(&call->j, "videoroom", "success");
    vr_id_write(&call->j, "room", &p->room->id);
    vr_id_write(&call->j, "id", &p->id);
}

static enum vr_error taken(struct vr_call *call, const char *remote_id)
{
    return vr_fail(call, VR_ID_EXISTS, "Remotization already exists (%.64s)", remote_id);
}

/* All is there: host, the sockets. The forwards are made by vr_remotizations_extend, as for streams that come later. */
static enum vr_error made(struct vr_call *call, struct forward_job *job, struct vr_participant *p)
{
    const char *remote_id = vr_text(call->body, "remote_id");
    struct forward_target *target = &job->targets[0];
    bool fine;
    if (vr_remotization_find(p, remote_id) != NULL)
        return taken(call, remote_id);
    struct vr_remotization *remote = mem_get_zero(sizeof(*remote));
    remote->owner = p;
    remote->remote_id = vr_strdup(remote_id);
    remote->host = vr_strdup(target->host);
    remote->to = target->like.way.to;
    remote->rtcp_port = target->like.rtcp_port;
    remote->rtcp = target->like.way.rtcp;
    (void)vr_srtp_of(call, &remote->srtp, &fine);
    target->like.way.rtcp = REF_NONE;
    list_add_tail(&p->remotizations, &remote->of_owner);
    vr_remotizations_extend(call->vr, p);
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (p->streams[i]->kind == MEDIA_VIDEO)
            host_keyframe(call->vr->host, p->streams[i]->source);
    answer(call, p);
    jout_string(&call->j, "remote_id", remote->remote_id);
    return VR_OK;
}

static const struct vr_pub_stream *first_live(const struct vr_participant *p)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (!ref_is_none(p->streams[i]->source))
            return p->streams[i];
    return NULL;
}

static uint32_t remotization_count(const struct vr_participant *p)
{
    uint32_t count = 0;
    LIST_EACH(it, &p->remotizations)
        count++;
    return count;
}

static enum vr_error check_publish(struct vr_call *call, const struct vr_participant *p)
{
    const char *remote_id = vr_text(call->body, "remote_id");
    if (p->session == NULL)
        return vr_fail(call, VR_INVALID_ELEMENT, "Only local publishers can be remotized");
    if (vr_remotization_find(p, remote_id) != NULL)
        return taken(call, remote_id);
    if (strlen(remote_id) > VR_ID_TEXT_MAX)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (remote_id is too long)");
    if (remotization_count(p) >= VR_REMOTIZATIONS_MAX)
        return vr_fail(call, VR_UNKNOWN, "A publisher has at most %u remotizations", VR_REMOTIZATIONS_MAX);
    return VR_OK;
}

enum vr_error vr_req_publish_remotely(struct vr_call *call)
{
    struct vr_participant *p;
    struct srtp_master srtp;
    enum net_family family = NET_NONE;
    bool fine = true;
    enum vr_error error = vr_check_fields(call, VR_FIELDS(publish_fields), call->body);
    const int64_t port = vr_int(call->body, "port", 0), rtcp_port = vr_int(call->body, "rtcp_port", 0);
    if (error == VR_OK && (port == 0 || port > UINT16_MAX || rtcp_port > UINT16_MAX))
        error = vr_fail(call, VR_INVALID_ELEMENT, "Invalid element (port must be a non-zero positive integer)");
    if (error == VR_OK)
        error = vr_family_of(call, call->body, &family);
    if (error == VR_OK)
        error = vr_srtp_of(call, &srtp, &fine);
    if (error == VR_OK && !fine)
        error = vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (srtp_crypto)");
    if (error == VR_OK)
        error = find(call, true, &p);
    if (error == VR_OK)
        error = check_publish(call, p);
    if (error != VR_OK)
        return error;
    struct forward_job *job = forward_job_new(p, 1, made);
    struct forward_target *target = &job->targets[job->count++];
    target->mindex = first_live(p) != NULL ? first_live(p)->mindex : FORWARD_NO_STREAM;     /* it may publish later */
    target->host = vr_text(call->body, "host");
    target->family = family;
    target->like.way.to.port = (uint16_t)port;
    target->like.rtcp_port = (uint16_t)rtcp_port;
    return forward_job_start(call, job);
}

enum vr_error vr_req_unpublish_remotely(struct vr_call *call)
{
    struct vr_participant *p;
    enum vr_error error = vr_check_fields(call, VR_FIELDS(unpublish_fields), call->body);
    if (error == VR_OK)
        error = find(call, false, &p);
    if (error != VR_OK)
        return error;
    const char *remote_id = vr_text(call->body, "remote_id");
    struct vr_remotization *remote = vr_remotization_find(p, remote_id);
    if (remote == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such remotization (%.64s)", remote_id);
    vr_remotization_free(call->vr, remote);
    answer(call, p);
    return VR_OK;
}

enum vr_error vr_req_listremotes(struct vr_call *call)
{
    struct vr_participant *p;
    enum vr_error error = find(call, false, &p);
    if (error != VR_OK)
        return error;
    answer(call, p);
    jout_array(&call->j, "list");
    LIST_EACH(it, &p->remotizations) {
        const struct vr_remotization *remote = CONTAINER_OF(it, struct vr_remotization, of_owner);
        char host[NET_IP_TEXT];
        jout_object(&call->j, NULL);
        jout_string(&call->j, "remote_id", remote->remote_id);
        jout_string(&call->j, "host", net_ip_text(&remote->to, host));
        jout_uint(&call->j, "port", remote->to.port);
        if (remote->rtcp_port > 0)
            jout_uint(&call->j, "rtcp_port", remote->rtcp_port);
        jout_end(&call->j);
    }
    jout_end(&call->j);
    return VR_OK;
}
