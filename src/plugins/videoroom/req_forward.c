/* RTP forwarders (videoroom.md 6): rtp_forward in its two forms, stop_rtp_forward, listforwarders. */
#include <stdio.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/forward_job.h"
#include "plugins/videoroom/requests.h"

static const struct schema_field forward_fields[] = {
    {"secret", SCHEMA_STRING, false},         {"host", SCHEMA_STRING, true},            {"host_family", SCHEMA_STRING, false},
    {"simulcast", SCHEMA_BOOL, false},        {"srtp_suite", SCHEMA_POSINT, false},     {"srtp_crypto", SCHEMA_STRING, false},
    {"streams", SCHEMA_ARRAY, false},         {"video_port", SCHEMA_POSINT, false},     {"video_rtcp_port", SCHEMA_POSINT, false},
    {"video_ssrc", SCHEMA_POSINT, false},     {"video_pt", SCHEMA_POSINT, false},       {"video_port_2", SCHEMA_POSINT, false},
    {"video_ssrc_2", SCHEMA_POSINT, false},   {"video_pt_2", SCHEMA_POSINT, false},     {"video_port_3", SCHEMA_POSINT, false},
    {"video_ssrc_3", SCHEMA_POSINT, false},   {"video_pt_3", SCHEMA_POSINT, false},     {"audio_port", SCHEMA_POSINT, false},
    {"audio_rtcp_port", SCHEMA_POSINT, false}, {"audio_ssrc", SCHEMA_POSINT, false},    {"audio_pt", SCHEMA_POSINT, false},
    {"data_port", SCHEMA_POSINT, false},
};

static const struct schema_field stream_fields[] = {
    {"mid", SCHEMA_STRING, true},         {"host", SCHEMA_STRING, false},        {"host_family", SCHEMA_STRING, false},
    {"port", SCHEMA_POSINT, true},        {"rtcp_port", SCHEMA_POSINT, false},   {"ssrc", SCHEMA_POSINT, false},
    {"pt", SCHEMA_POSINT, false},         {"simulcast", SCHEMA_BOOL, false},     {"port_2", SCHEMA_POSINT, false},
    {"ssrc_2", SCHEMA_POSINT, false},     {"pt_2", SCHEMA_POSINT, false},        {"port_3", SCHEMA_POSINT, false},
    {"ssrc_3", SCHEMA_POSINT, false},     {"pt_3", SCHEMA_POSINT, false},        {"secret", SCHEMA_STRING, false},
    {"srtp_suite", SCHEMA_POSINT, false}, {"srtp_crypto", SCHEMA_STRING, false},
};

#define PT_MAX 127

/* ---- what is common ---- */

enum vr_error vr_check_forward_key(struct vr_call *call)
{
    return call->vr->lock_rtp_forward ? vr_check_admin_key(call) : VR_OK;
}

enum vr_error vr_family_of(struct vr_call *call, const json_t *object, enum net_family *out)
{
    const char *name = vr_text(object, "host_family");
    *out = NET_NONE;
    if (name == NULL)
        return VR_OK;
    if (!str_equal_nocase(str_of(name), STR("ipv4")) && !str_equal_nocase(str_of(name), STR("ipv6")))
        return vr_fail(call, VR_INVALID_ELEMENT, "Unsupported protocol family (%.32s)", name);
    *out = str_equal_nocase(str_of(name), STR("ipv4")) ? NET_IP4 : NET_IP6;
    return VR_OK;
}

/* Only both together mean anything. *fine: the key can be used. */
enum vr_error vr_srtp_of(struct vr_call *call, struct srtp_master *out, bool *fine)
{
    const char *crypto = vr_text(call->body, "srtp_crypto");
    const int64_t suite = vr_int(call->body, "srtp_suite", 0);
    uint8_t key[SRTP_KEY_BYTES + SRTP_SALT_BYTES];
    size_t size;
    *out = (struct srtp_master){0};
    *fine = true;
    if (suite == 0 || crypto == NULL)
        return VR_OK;
    if (suite != 32 && suite != 80)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid SRTP suite (%lld)", (long long)suite);
    *fine = base64_decode(key, sizeof(key), &size, str_of(crypto)) && size == sizeof(key);
    if (!*fine)
        return VR_OK;
    out->suite = (uint8_t)suite;
    memcpy(out->key, key, sizeof(out->key));
    memcpy(out->salt, key + sizeof(out->key), sizeof(out->salt));
    return VR_OK;
}

/* `publisher_id` in `room`. */
enum vr_error vr_feed_of(struct vr_call *call, const struct vr_room *room, const struct vr_id *id, struct vr_participant **out)
{
    char shown[VR_ID_SHOWN];
    *out = vr_room_participant(call->vr, room, id);
    return *out != NULL ? VR_OK : vr_fail(call, VR_NO_SUCH_FEED, "No such feed (%s)", vr_id_show(id, shown));
}

/* ---- rtp_forward ---- */

/* The members of one target: "port", "port_2" in a stream's object, "video_port", "video_port_2" in the old form. */
struct names {
    const char *prefix;
    const char *suffix;
};

static uint32_t number(const json_t *object, const struct names *names, const char *what)
{
    char name[32];
    snprintf(name, sizeof(name), "%s%s%s", names->prefix, what, names->suffix);
    return vr_u32(object, name, 0);
}

static enum vr_error check_numbers(struct vr_call *call, const json_t *object, const struct names *names)
{
    static const struct {
        const char *name;
        uint32_t max;
    } checked[] = {{"port", UINT16_MAX}, {"rtcp_port", UINT16_MAX}, {"pt", PT_MAX}};
    for (size_t i = 0; i < ARRAY_COUNT(checked); i++)
        if (number(object, names, checked[i].name) > checked[i].max)
            return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (%s%s%s is at most %u)", names->prefix, checked[i].name,
                           names->suffix, checked[i].max);
    return VR_OK;
}

static const struct names plain_names[] = {{"", ""}, {"", "_2"}, {"", "_3"}};
static const struct names video_names[] = {{"video_", ""}, {"video_", "_2"}, {"video_", "_3"}};
static const struct names audio_names = {"audio_", ""}, data_names = {"data_", ""};

static struct forward_target *add_target(struct forward_job *job, const struct vr_pub_stream *stream, const json_t *object, const struct names *names)
{
    const uint32_t port = number(object, names, "port");
    if (port == 0 || ref_is_none(stream->source))
        return NULL;
    struct forward_target *target = &job->targets[job->count++];
    *target = (struct forward_target){.mindex = stream->mindex};
    target->like.way.to.port = (uint16_t)port;
    if (stream->kind == MEDIA_DATA)
        return target;                  /* the messages as they are: nothing of RTP */
    target->like.rtcp_port = (uint16_t)number(object, names, "rtcp_port");
    target->like.options.pt = (uint8_t)number(object, names, "pt");
    target->like.ssrc = target->like.options.ssrc = number(object, names, "ssrc");
    return target;
}

/* One target for audio and data; up to three for video, one per layer, unless one stream is chosen of them. */
static void add_targets(struct forward_job *job, const struct vr_pub_stream *stream, const json_t *object, const struct names *names, bool choose)
{
    for (uint8_t k = 0; k < (stream->kind == MEDIA_VIDEO && !choose ? LAYERS_MAX : 1); k++) {
        struct forward_target *target = add_target(job, stream, object, &names[k]);
        if (target == NULL)
            continue;
        target->like.options.layer = k;
        target->like.options.choose = choose && stream->kind == MEDIA_VIDEO;
        target->tag = names[k].prefix[0] == '\0' ? NULL : names[k].suffix;
    }
}

static enum vr_error add_stream(struct vr_call *call, struct forward_job *job, const struct vr_participant *p, const json_t *entry,
                                enum net_family family)
{
    const struct vr_pub_stream *stream = vr_stream_by_mid(p, vr_text(entry, "mid"));
    const uint32_t first = job->count;
    if (stream == NULL)
        return VR_OK;
    add_targets(job, stream, entry, plain_names, vr_bool(entry, "simulcast", false));
    for (uint32_t i = first; i < job->count; i++) {
        job->targets[i].host = vr_text(call->body, "host");
        job->targets[i].family = family;
        if (vr_text(entry, "host") == NULL)
            continue;
        job->targets[i].host = vr_text(entry, "host");
        enum vr_error error = vr_family_of(call, entry, &job->targets[i].family);
        if (error != VR_OK)
            return error;
    }
    return VR_OK;
}

static const struct vr_pub_stream *first_of(const struct vr_participant *p, uint8_t kind)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (p->streams[i]->kind == kind)
            return p->streams[i];
    return NULL;
}

static void add_legacy(struct vr_call *call, struct forward_job *job, const struct vr_participant *p, enum net_family family)
{
    const struct vr_pub_stream *audio = first_of(p, MEDIA_AUDIO), *video = first_of(p, MEDIA_VIDEO), *data = first_of(p, MEDIA_DATA);
    if (audio != NULL)
        add_targets(job, audio, call->body, &audio_names, false);
    if (video != NULL)
        add_targets(job, video, call->body, video_names, vr_bool(call->body, "simulcast", false));
    if (data != NULL)
        add_targets(job, data, call->body, &data_names, false);
    for (uint32_t i = 0; i < job->count; i++) {
        job->targets[i].host = vr_text(call->body, "host");
        job->targets[i].family = family;
    }
}

static enum vr_error check_entry(struct vr_call *call, const json_t *entry)
{
    enum net_family family;
    enum vr_error error = json_is_object(entry) ? vr_check_fields(call, VR_FIELDS(stream_fields), entry)
                                                : vr_fail(call, VR_INVALID_ELEMENT, "Invalid element type (streams should be an array of objects)");
    for (unsigned k = 0; error == VR_OK && k < ARRAY_COUNT(plain_names); k++)
        error = check_numbers(call, entry, &plain_names[k]);
    return error == VR_OK ? vr_family_of(call, entry, &family) : error;
}

static enum vr_error check_request(struct vr_call *call, enum net_family *family)
{
    const json_t *streams = json_object_get(call->body, "streams"), *entry;
    size_t index;
    enum vr_error error = vr_family_of(call, call->body, family);
    if (error == VR_OK && json_array_size(streams) > VR_FORWARDS_MAX)
        error = vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (at most %u streams)", VR_FORWARDS_MAX);
    json_array_foreach(streams, index, entry)
        error = error == VR_OK ? check_entry(call, entry) : error;
    for (unsigned k = 0; error == VR_OK && k < ARRAY_COUNT(video_names); k++)
        error = check_numbers(call, call->body, &video_names[k]);
    if (error == VR_OK)
        error = check_numbers(call, call->body, &audio_names);
    return error == VR_OK ? check_numbers(call, call->body, &data_names) : error;
}

static void begin_answer(struct vr_call *call, const struct vr_participant *p)
{
    jout_string(&call->j, "videoroom", "rtp_forward");
    vr_id_write(&call->j, "room", &p->room->id);
    vr_id_write(&call->j, "publisher_id", &p->id);
}

/* The forward that a target has become. NULL: none, and what was opened for it stays the job's. */
static const struct vr_forward *make(struct vr_call *call, struct forward_target *target, const struct vr_participant *p)
{
    if (!vr_forward_add(call->vr, p->streams[target->mindex], &target->like))
        return NULL;
    target->like.way.rtcp = REF_NONE;
    return CONTAINER_OF(p->forwards.prev, struct vr_forward, of_owner);
}

static enum vr_error made_streams(struct vr_call *call, struct forward_job *job, struct vr_participant *p)
{
    begin_answer(call, p);
    jout_array(&call->j, "forwarders");
    for (uint32_t i = 0; i < job->count; i++) {
        const struct vr_forward *forward = make(call, &job->targets[i], p);
        if (forward != NULL)
            vr_write_forward(&call->j, forward);
    }
    jout_end(&call->j);
    return VR_OK;
}

static void write_legacy(struct json_out *j, const struct vr_forward *forward, const char *suffix)
{
    static const char *const kinds[] = {[MEDIA_AUDIO] = "audio", [MEDIA_VIDEO] = "video", [MEDIA_DATA] = "data"};
    const char *kind = kinds[forward->stream->kind];
    char name[32];
    snprintf(name, sizeof(name), "%s_stream_id%s", kind, suffix);
    jout_uint(j, name, forward->stream_id);
    snprintf(name, sizeof(name), "%s%s", kind, suffix);
    jout_uint(j, name, forward->way.to.port);
    snprintf(name, sizeof(name), "%s_rtcp%s", kind, suffix);
    if (forward->rtcp_port > 0)
        jout_uint(j, name, forward->rtcp_port);
}

static enum vr_error made_legacy(struct vr_call *call, struct forward_job *job, struct vr_participant *p)
{
    char host[NET_IP_TEXT];
    begin_answer(call, p);
    jout_object(&call->j, "rtp_stream");
    for (uint32_t i = 0; i < job->count; i++) {
        const struct vr_forward *forward = make(call, &job->targets[i], p);
        if (forward == NULL)
            continue;
        write_legacy(&call->j, forward, job->targets[i].tag);
        if (forward->stream->kind == MEDIA_VIDEO)
            host_keyframe(call->vr->host, forward->stream->source);
    }
    jout_string(&call->j, "host", job->count > 0 ? net_ip_text(&job->targets[0].like.way.to, host) : vr_text(call->body, "host"));
    jout_string(&call->j, "warning", "deprecated_api");
    jout_end(&call->j);
    return VR_OK;
}

static uint32_t forward_count(const struct vr_participant *p)
{
    uint32_t count = 0;
    LIST_EACH(it, &p->forwards)
        count++;
    return count;
}

static enum vr_error forward(struct vr_call *call, const struct vr_participant *p, enum net_family family, const struct srtp_master *srtp, bool keyed)
{
    const json_t *streams = json_object_get(call->body, "streams"), *entry;
    const size_t wanted = (streams != NULL ? json_array_size(streams) : 3) * LAYERS_MAX;
    size_t index;
    enum vr_error error = VR_OK;
    struct forward_job *job = forward_job_new(p, (uint32_t)wanted, streams != NULL ? made_streams : made_legacy);
    json_array_foreach(streams, index, entry)
        error = error == VR_OK ? add_stream(call, job, p, entry, family) : error;
    if (streams == NULL)
        add_legacy(call, job, p, family);
    if (!keyed)
        job->count = 0;                     /* a key that can't be used makes no forward (videoroom.md 6.1) */
    for (uint32_t i = 0; i < job->count; i++)
        if (p->streams[job->targets[i].mindex]->kind != MEDIA_DATA)
            job->targets[i].like.options.srtp = *srtp;
    if (error == VR_OK && forward_count(p) + job->count > VR_FORWARDS_MAX)
        error = vr_fail(call, VR_UNKNOWN, "A publisher has at most %u forwarders", VR_FORWARDS_MAX);
    if (error == VR_OK)
        return forward_job_start(call, job);
    forward_job_drop(call->vr, job);
    return error;
}

enum vr_error vr_req_rtp_forward(struct vr_call *call)
{
    struct vr_room *room;
    struct vr_participant *p;
    struct vr_id id;
    struct srtp_master srtp;
    enum net_family family;
    bool keyed;
    enum vr_error error = vr_check_fields(call, VR_FIELDS(forward_fields), call->body);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "publisher_id", true, &id);
    if (error == VR_OK)
        error = vr_check_forward_key(call);
    if (error == VR_OK)
        error = check_request(call, &family);
    if (error == VR_OK)
        error = vr_srtp_of(call, &srtp, &keyed);
    if (error == VR_OK)
        error = vr_managed_room(call, &room);
    if (error == VR_OK)
        error = vr_feed_of(call, room, &id, &p);
    return error == VR_OK ? forward(call, p, family, &srtp, keyed) : error;
}

/* ---- stop_rtp_forward, listforwarders ---- */

static const struct schema_field stop_fields[] = {{"secret", SCHEMA_STRING, false}, {"stream_id", SCHEMA_POSINT, true}};

enum vr_error vr_req_stop_rtp_forward(struct vr_call *call)
{
    struct vr_room *room;
    struct vr_participant *p;
    struct vr_id id;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "publisher_id", true, &id);
    if (error == VR_OK)
        error = vr_check_fields(call, VR_FIELDS(stop_fields), call->body);
    if (error == VR_OK)
        error = vr_check_forward_key(call);
    if (error == VR_OK)
        error = vr_managed_room(call, &room);
    if (error == VR_OK)
        error = vr_feed_of(call, room, &id, &p);
    if (error != VR_OK)
        return error;
    const int64_t stream_id = vr_int(call->body, "stream_id", 0);
    struct vr_forward *found = stream_id > UINT32_MAX ? NULL : vr_forward_find(call->vr, p, (uint32_t)stream_id);
    if (found == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such stream (%lld)", (long long)stream_id);
    vr_forward_free(call->vr, found);
    jout_string(&call->j, "videoroom", "stop_rtp_forward");
    vr_id_write(&call->j, "room", &room->id);
    vr_id_write(&call->j, "publisher_id", &p->id);
    jout_int(&call->j, "stream_id", stream_id);
    return VR_OK;
}

static void write_forwards(struct json_out *j, const struct vr_participant *p)
{
    jout_object(j, NULL);
    vr_id_write(j, "publisher_id", &p->id);
    vr_write_name(j, p);
    jout_array(j, "forwarders");
    LIST_EACH(it, &p->forwards) {
        const struct vr_forward *forward = CONTAINER_OF(it, struct vr_forward, of_owner);
        if (forward->remote == NULL)
            vr_write_forward(j, forward);
    }
    jout_end(j);
    jout_end(j);
}

enum vr_error vr_req_listforwarders(struct vr_call *call)
{
    struct vr_room *room;
    enum vr_error error = vr_managed_room(call, &room);
    if (error != VR_OK)
        return error;
    jout_string(&call->j, "videoroom", "forwarders");
    vr_id_write(&call->j, "room", &room->id);
    jout_array(&call->j, "publishers");
    LIST_EACH(it, &room->participants) {
        const struct vr_participant *p = CONTAINER_OF(it, struct vr_participant, of_room);
        if (!list_is_empty(&p->forwards))
            write_forwards(&call->j, p);
    }
    jout_end(&call->j);
    return VR_OK;
}
