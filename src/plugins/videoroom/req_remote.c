/* Publishers of other servers: add_remote_publisher, update_remote_publisher, remove_remote_publisher (videoroom.md 7.1 - 7.3). */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/requests.h"

#define PORT_MIN 10000u                 /* videoroom.md 7.1 */
#define PORT_MAX 60000u

static const struct schema_field add_fields[] = {
    {"secret", SCHEMA_STRING, false},     {"display", SCHEMA_STRING, false},     {"mcast", SCHEMA_STRING, false},
    {"iface", SCHEMA_STRING, false},      {"port", SCHEMA_POSINT, false},        {"streams", SCHEMA_ARRAY, true},
    {"metadata", SCHEMA_OBJECT, false},   {"srtp_suite", SCHEMA_POSINT, false},  {"srtp_crypto", SCHEMA_STRING, false},
};

static const struct schema_field update_fields[] = {
    {"secret", SCHEMA_STRING, false},     {"display", SCHEMA_STRING, false},     {"metadata", SCHEMA_OBJECT, false},
    {"streams", SCHEMA_ARRAY, true},      {"srtp_suite", SCHEMA_POSINT, false},  {"srtp_crypto", SCHEMA_STRING, false},
};

static const struct schema_field stream_fields[] = {
    {"mid", SCHEMA_STRING, true},                {"mindex", SCHEMA_POSINT, true},           {"type", SCHEMA_STRING, true},
    {"codec", SCHEMA_STRING, false},             {"description", SCHEMA_STRING, false},     {"disabled", SCHEMA_BOOL, false},
    {"stereo", SCHEMA_BOOL, false},              {"fec", SCHEMA_BOOL, false},               {"dtx", SCHEMA_BOOL, false},
    {"h264_profile", SCHEMA_STRING, false},      {"vp9_profile", SCHEMA_STRING, false},     {"simulcast", SCHEMA_BOOL, false},
    {"svc", SCHEMA_BOOL, false},                 {"audiolevel_ext_id", SCHEMA_INT, false},  {"videoorient_ext_id", SCHEMA_INT, false},
    {"playoutdelay_ext_id", SCHEMA_INT, false},
};

/* ---- stream objects ---- */

static bool kind_of(const char *type, uint8_t *kind)
{
    static const char *const names[] = {[MEDIA_AUDIO] = "audio", [MEDIA_VIDEO] = "video", [MEDIA_DATA] = "data"};
    for (uint8_t k = 0; k < ARRAY_COUNT(names); k++) {
        if (!str_equal_nocase(str_of(type), str_of(names[k])))
            continue;
        *kind = k;
        return true;
    }
    return false;
}

static enum vr_error check_stream(struct vr_call *call, const json_t *entry)
{
    uint8_t kind;
    enum vr_error error = vr_check_fields(call, VR_FIELDS(stream_fields), entry);
    if (error != VR_OK)
        return error;
    if (!kind_of(vr_text(entry, "type"), &kind))
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (type)");
    if (kind == MEDIA_DATA)
        return VR_OK;
    if (vr_text(entry, "codec") == NULL)
        return vr_fail(call, VR_MISSING, "Missing mandatory element (codec)");
    const enum codec codec = codec_by_name(str_of(vr_text(entry, "codec")));
    if (codec == CODEC_NONE || codec_info(codec)->kind != (kind == MEDIA_VIDEO ? CODEC_KIND_VIDEO : CODEC_KIND_AUDIO))
        return vr_fail(call, VR_MISSING, "Invalid element value (unsupported codec)");
    return VR_OK;
}

static enum vr_error check_streams(struct vr_call *call)
{
    const json_t *streams = json_object_get(call->body, "streams"), *entry;
    size_t index, bytes = 0;
    if (json_array_size(streams) > VR_REMOTE_STREAMS_MAX)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (at most %u streams)", VR_REMOTE_STREAMS_MAX);
    json_array_foreach(streams, index, entry) {
        enum vr_error error = json_is_object(entry) ? check_stream(call, entry)
                                                    : vr_fail(call, VR_INVALID_ELEMENT, "Invalid element type (streams should be an array of objects)");
        if (error != VR_OK)
            return error;
        bytes += json_string_length(json_object_get(entry, "description"));
    }
    return bytes <= VR_TEXT_MAX ? VR_OK : vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (description is too long)");
}

static uint8_t ext_id(const json_t *entry, const char *name)
{
    const int64_t id = vr_int(entry, name, 0);
    return id > 0 && id < 256 ? (uint8_t)id : 0;
}

static void set_profile(const struct vr_room *room, struct vr_pub_stream *stream, const json_t *entry)
{
    const bool h264 = stream->codec == CODEC_H264;
    const char *given = vr_text(entry, h264 ? "h264_profile" : "vp9_profile"), *rooms = h264 ? room->h264_profile : room->vp9_profile;
    if (!h264 && stream->codec != CODEC_VP9)
        return;
    const char *profile = given != NULL ? given : rooms;
    if (profile == NULL || !str_copy(stream->profile, sizeof(stream->profile), str_of(profile)))
        stream->profile[0] = '\0';
}

/* The room has its codec; messages have none. */
static bool is_allowed(const struct vr_pub_stream *stream)
{
    const struct vr_room *room = stream->owner->room;
    bool allowed = stream->kind == MEDIA_DATA;
    if (!allowed)
        vr_room_allows(stream->kind == MEDIA_VIDEO ? room->video_codecs : room->audio_codecs, (enum codec)stream->codec, &allowed);
    return allowed;
}

/* The next stream of a remote publisher. A codec that the room does not have, or a key that can't be used, disables it. */
static void add_stream(struct videoroom *vr, struct vr_participant *p, const json_t *entry, bool keyed)
{
    const struct vr_room *room = p->room;
    struct vr_pub_stream *stream = vr_stream_add(p, p->stream_count);
    (void)kind_of(vr_text(entry, "type"), &stream->kind);
    snprintf(stream->mid, sizeof(stream->mid), "%u", stream->mindex);
    stream->description = vr_strdup(vr_text(entry, "description"));
    if (stream->kind != MEDIA_DATA)
        stream->codec = (uint8_t)codec_by_name(str_of(vr_text(entry, "codec")));
    stream->disabled = vr_bool(entry, "disabled", false) || !is_allowed(stream) || (!keyed && stream->kind != MEDIA_DATA);
    stream->stereo = vr_bool(entry, "stereo", false);
    stream->fec = vr_bool(entry, "fec", false) && room->opus_fec;
    stream->dtx = vr_bool(entry, "dtx", false) && room->opus_dtx;
    stream->simulcast = stream->kind == MEDIA_VIDEO && vr_bool(entry, "simulcast", false);
    /* AV1's layers are told by an extension that does not travel between servers. */
    stream->svc = stream->codec == CODEC_VP9 && !stream->simulcast && vr_bool(entry, "svc", false);
    stream->audiolevel_id = stream->kind == MEDIA_AUDIO ? ext_id(entry, "audiolevel_ext_id") : 0;
    stream->videoorient_id = stream->kind == MEDIA_VIDEO ? ext_id(entry, "videoorient_ext_id") : 0;
    stream->playoutdelay_id = stream->kind == MEDIA_VIDEO ? ext_id(entry, "playoutdelay_ext_id") : 0;
    set_profile(room, stream, entry);
    vr_remote_stream_open(vr, stream, stream->simulcast ? LAYERS_MAX : 1);
}

static void set_name(struct vr_call *call, struct vr_participant *p)
{
    const char *display = vr_text(call->body, "display");
    if (display != NULL) {
        mem_put(p->display);
        p->display = vr_strdup(display);
    }
    if (json_object_get(call->body, "metadata") != NULL)
        vr_set_metadata(p, json_object_get(call->body, "metadata"));
    vr_participant_changed(p);
}

/* ---- add_remote_publisher ---- */

struct add_job {
    struct vr_job base;
    struct vr_id room;
    struct plain_options where;     /* of both sockets, but for the multicast group, which is the first's only */
    struct net_addr ip;             /* the address that the second was bound to */
    struct ref plain[2];            /* RTP, RTCP */
    uint16_t port[2];
    uint32_t opened;
};

static vr_request_fn go_on;

static void drop_job(struct videoroom *vr, struct add_job *job)
{
    for (unsigned i = 0; i < ARRAY_COUNT(job->plain); i++)
        host_plain_close(vr->host, job->plain[i]);
    vr_id_free(&job->room);
    mem_put(job);
}

static enum vr_error check_id(struct vr_call *call, const struct vr_room *room, const struct vr_id *id)
{
    char shown[VR_ID_SHOWN];
    if (!vr_id_is_unset(id) && vr_room_participant(call->vr, room, id) != NULL)
        return vr_fail(call, VR_ID_EXISTS, "User ID %s already exists", vr_id_show(id, shown));
    return VR_OK;
}

static enum vr_error open_next(struct vr_call *call, struct add_job *job)
{
    const bool rtcp = job->opened == 1;
    const int64_t wanted = vr_int(call->body, rtcp ? "rtcp_port" : "port", 0);
    struct plain_options options = job->where;
    options.use = rtcp ? PLAIN_LATCH : PLAIN_RECEIVE;
    options.beside = job->plain[0];
    if (rtcp)
        options.multicast = (struct net_addr){.family = NET_NONE};
    if (wanted == 0) {
        options.port_min = PORT_MIN;
        options.port_max = PORT_MAX;
    }
    options.local.port = (uint16_t)wanted;
    enum err err = host_plain_open(call->vr->host, call->request, REF_NONE, &options, job, &job->plain[job->opened]);
    if (err != ERR_NONE)
        return vr_fail(call, VR_UNKNOWN, "Could not open UDP socket for RTP stream");
    call->waits = true;
    return VR_OK;
}

static void answer_added(struct vr_call *call, const struct add_job *job, const struct vr_participant *p)
{
    char ip[NET_IP_TEXT];
    jout_string(&call->j, "videoroom", "success");
    vr_id_write(&call->j, "room", &p->room->id);
    vr_id_write(&call->j, "id", &p->id);
    if (!net_ip_is_any(&job->ip))
        jout_string(&call->j, "ip", net_ip_text(&job->ip, ip));
    jout_uint(&call->j, "port", job->port[0]);
    jout_uint(&call->j, "rtcp_port", job->port[1]);
}

static enum vr_error add(struct vr_call *call, struct add_job *job)
{
    const json_t *streams = json_object_get(call->body, "streams"), *entry;
    struct vr_room *room;
    struct vr_id id;
    size_t index;
    bool keyed;
    enum vr_error error = vr_managed_room(call, &room);         /* once more: it may have gone meanwhile */
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", false, &id);
    if (error == VR_OK)
        error = check_id(call, room, &id);
    if (error != VR_OK)
        return error;
    struct vr_participant *p = vr_participant_new(NULL);
    p->remote = true;
    p->id = vr_new_user_id(call->vr, room, &id);
    set_name(call, p);
    (void)vr_srtp_of(call, &p->srtp, &keyed);
    for (unsigned i = 0; i < ARRAY_COUNT(p->inlets); i++) {
        p->inlets[i] = job->plain[i];
        job->plain[i] = REF_NONE;
    }
    vr_participant_join(call->vr, p, room);
    json_array_foreach(streams, index, entry)
        add_stream(call->vr, p, entry, keyed);
    p->started = true;
    vr_talk_apply(call->vr, p);
    vr_participant_changed(p);
    vr_record_apply(call->vr, p);
    answer_added(call, job, p);
    vr_notify_publishers(call->vr, p);
    return VR_OK;
}

static enum vr_error bad_interface(struct vr_call *call)
{
    return vr_fail(call, VR_UNKNOWN, "Invalid network interface configuration for remote publisher");
}

static enum vr_error go_on(struct vr_call *call)
{
    struct add_job *job = CONTAINER_OF(call->job, struct add_job, base);
    enum vr_error error;
    if (call->answer->status == ERR_INVALID) {
        error = bad_interface(call);
    } else if (call->answer->status != ERR_NONE) {
        error = vr_fail(call, VR_UNKNOWN, "Could not open UDP socket for RTP stream");
    } else {
        job->ip = call->answer->addr;
        job->port[job->opened++] = call->answer->addr.port;
        error = job->opened < ARRAY_COUNT(job->plain) ? open_next(call, job) : add(call, job);
    }
    if (error != VR_OK || !call->waits)
        drop_job(call->vr, job);
    return error;
}

/* Where the sockets are bound: anywhere, or at an address of ours, which `iface` names or which is that interface's. `mcast` that is
 * no multicast address means nothing, as in the reference. */
static enum vr_error where_of(struct vr_call *call, struct plain_options *out)
{
    const char *iface = vr_text(call->body, "iface"), *mcast = vr_text(call->body, "mcast");
    struct net_addr group, local;
    out->local.family = NET_IP4;
    if (mcast != NULL && net_ip_parse(&group, str_of(mcast)) && net_ip_is_multicast(&group)) {
        out->multicast = group;
        out->local.family = group.family;
    }
    if (iface == NULL)
        return VR_OK;
    if (!net_ip_parse(&local, str_of(iface)))
        return iface[0] != '\0' && str_copy(out->interface, sizeof(out->interface), str_of(iface)) ? VR_OK : bad_interface(call);
    if (out->multicast.family != NET_NONE && out->multicast.family != local.family)
        return bad_interface(call);
    out->local = local;
    return VR_OK;
}

static enum vr_error check_ports(struct vr_call *call)
{
    if (vr_int(call->body, "port", 0) > UINT16_MAX || vr_int(call->body, "rtcp_port", 0) > UINT16_MAX || vr_int(call->body, "rtcp_port", 0) < 0)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (port)");
    return VR_OK;
}

static enum vr_error check_add(struct vr_call *call, struct vr_room **room, struct vr_id *id)
{
    struct srtp_master srtp;
    bool keyed;
    enum vr_error error = vr_id_read(call, call->body, "room", true, id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", false, id);
    if (error == VR_OK)
        error = vr_check_fields(call, VR_FIELDS(add_fields), call->body);
    if (error == VR_OK)
        error = vr_check_name(call);
    if (error == VR_OK && json_array_size(json_object_get(call->body, "streams")) == 0)
        error = vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (streams can't be empty)");
    if (error == VR_OK)
        error = check_streams(call);
    if (error == VR_OK)
        error = check_ports(call);
    if (error == VR_OK)
        error = vr_srtp_of(call, &srtp, &keyed);
    if (error == VR_OK)
        error = vr_managed_room(call, room);
    return error == VR_OK ? check_id(call, *room, id) : error;
}

enum vr_error vr_req_add_remote_publisher(struct vr_call *call)
{
    struct vr_room *room;
    struct vr_id id;
    struct plain_options where = {0};
    enum vr_error error = check_add(call, &room, &id);
    if (error == VR_OK)
        error = where_of(call, &where);
    if (error != VR_OK)
        return error;
    struct add_job *job = mem_get_zero(sizeof(*job));
    job->base.go_on = go_on;
    job->room = vr_id_copy(&room->id);
    job->where = where;
    job->where.group = vr_id_hash(call->vr, &room->id);
    error = open_next(call, job);
    if (error != VR_OK)
        drop_job(call->vr, job);
    return error;
}

/* ---- update_remote_publisher, remove_remote_publisher ---- */

static enum vr_error find_remote(struct vr_call *call, struct vr_participant **out)
{
    struct vr_room *room;
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    enum vr_error error = vr_managed_room(call, &room);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", true, &id);
    if (error != VR_OK)
        return error;
    *out = vr_room_participant(call->vr, room, &id);
    if (*out == NULL || !(*out)->remote)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such remote publisher (%s)", vr_id_show(&id, shown));
    return VR_OK;
}

static bool update_known(struct videoroom *vr, struct vr_pub_stream *stream, const json_t *entry)
{
    const char *description = vr_text(entry, "description");
    const bool disabled = vr_bool(entry, "disabled", stream->disabled);
    bool changed = false;
    if (description != NULL && (stream->description == NULL || strcmp(description, stream->description) != 0)) {
        mem_put(stream->description);
        stream->description = vr_strdup(description);
        changed = true;
    }
    if (disabled != stream->disabled) {
        const bool allowed = is_allowed(stream);
        changed = changed || disabled || allowed;
        stream->disabled = disabled || !allowed;
        vr_remote_stream_open(vr, stream, stream->simulcast ? LAYERS_MAX : 1);
        vr_stream_apply(vr, stream);
    }
    return changed;
}

static bool update_streams(struct vr_call *call, struct vr_participant *p, bool keyed)
{
    const json_t *streams = json_object_get(call->body, "streams"), *entry;
    size_t index;
    bool changed = false;
    json_array_foreach(streams, index, entry) {
        struct vr_pub_stream *stream = vr_stream_by_mid(p, vr_text(entry, "mid"));
        if (stream != NULL) {
            changed = update_known(call->vr, stream, entry) || changed;
        } else if (vr_int(entry, "mindex", -1) == p->stream_count && p->stream_count < VR_REMOTE_STREAMS_MAX) {
            add_stream(call->vr, p, entry, keyed);
            changed = true;
        }
    }
    return changed;
}

enum vr_error vr_req_update_remote_publisher(struct vr_call *call)
{
    struct vr_participant *p;
    struct vr_id id;
    struct srtp_master srtp;
    bool keyed;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", true, &id);
    if (error == VR_OK)
        error = vr_check_fields(call, VR_FIELDS(update_fields), call->body);
    if (error == VR_OK)
        error = vr_check_name(call);
    if (error == VR_OK)
        error = check_streams(call);
    if (error == VR_OK)
        error = vr_srtp_of(call, &srtp, &keyed);
    if (error == VR_OK)
        error = find_remote(call, &p);
    if (error != VR_OK)
        return error;
    if (srtp.suite != 0)
        p->srtp = srtp;                 /* of streams that are added from now on */
    set_name(call, p);
    if (update_streams(call, p, keyed)) {
        vr_participant_changed(p);
        vr_record_apply(call->vr, p);
        vr_notify_publishers(call->vr, p);
    }
    jout_string(&call->j, "videoroom", "success");
    return VR_OK;
}

enum vr_error vr_req_remove_remote_publisher(struct vr_call *call)
{
    struct vr_participant *p;
    struct vr_id id;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", true, &id);
    if (error == VR_OK)
        error = find_remote(call, &p);          /* looks at `secret` where the room has one */
    if (error != VR_OK)
        return error;
    jout_string(&call->j, "videoroom", "success");
    vr_remote_leave(call->vr, p, "leaving");
    return VR_OK;
}
