/* Requests of a handle in the publisher role: configure, publish, unpublish, leave (videoroom.md 9.2 - 9.4). */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/requests.h"

static const struct schema_field publish_fields[] = {
    {"audiocodec", SCHEMA_STRING, false}, {"videocodec", SCHEMA_STRING, false}, {"bitrate", SCHEMA_POSINT, false},
    {"keyframe", SCHEMA_BOOL, false},     {"record", SCHEMA_BOOL, false},       {"filename", SCHEMA_STRING, false},
    {"display", SCHEMA_STRING, false},    {"metadata", SCHEMA_OBJECT, false},   {"secret", SCHEMA_STRING, false},
    {"audio", SCHEMA_BOOL, false},        {"video", SCHEMA_BOOL, false},        {"data", SCHEMA_BOOL, false},
    {"update", SCHEMA_BOOL, false},       {"restart", SCHEMA_BOOL, false},
};

static const struct schema_field stream_fields[] = {{"mid", SCHEMA_STRING, false}, {"send", SCHEMA_BOOL, false}};

static enum vr_error check_tweaks(struct vr_call *call, const struct vr_participant *p, const json_t *streams)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(streams, index, entry) {
        enum vr_error error = json_is_object(entry) ? vr_check_fields(call, VR_FIELDS(stream_fields), entry)
                                                    : vr_fail(call, VR_INVALID_ELEMENT, "Invalid element type (streams should be an array)");
        if (error != VR_OK)
            return error;
        const char *mid = vr_text(entry, "mid");
        if (mid == NULL && json_array_size(streams) > 1)
            return vr_fail(call, VR_INVALID_ELEMENT, "Invalid value (mid can't be null in a streams array)");
        if (mid != NULL && vr_stream_by_mid(p, mid) == NULL)
            return vr_fail(call, VR_NO_SUCH_FEED, "No such mid '%.32s' published", mid);
    }
    return VR_OK;
}

static void set_active(struct videoroom *vr, struct vr_pub_stream *stream, bool active)
{
    if (stream->active == active)
        return;
    stream->active = active;
    vr_stream_apply(vr, stream);
}

static void apply_delays(struct videoroom *vr, struct vr_pub_stream *stream, const json_t *entry)
{
    const int16_t min = stream->min_delay, max = stream->max_delay;
    if (stream->kind != MEDIA_VIDEO)
        return;
    vr_set_delays(entry, &stream->min_delay, &stream->max_delay);
    if (stream->min_delay == min && stream->max_delay == max)
        return;                             /* nothing to tell all who watch */
    LIST_EACH(it, &stream->subs)
        vr_sub_apply(vr, CONTAINER_OF(it, struct vr_sub_stream, of_source));
}

static void ask_keyframe(struct vr_call *call, const struct vr_pub_stream *stream)
{
    if (stream->kind == MEDIA_VIDEO)
        host_keyframe(call->vr->host, stream->source);
}

static void tweak(struct vr_call *call, struct vr_participant *p, const json_t *entry)
{
    const char *mid = vr_text(entry, "mid");
    struct vr_pub_stream *one = mid == NULL ? NULL : vr_stream_by_mid(p, mid);
    if (one != NULL && json_is_boolean(json_object_get(entry, "send")))
        set_active(call->vr, one, vr_bool(entry, "send", true));
    if (one != NULL && vr_bool(entry, "keyframe", false))
        ask_keyframe(call, one);
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (one == NULL || one == p->streams[i])
            apply_delays(call->vr, p->streams[i], entry);
}

/* `audio`, `video` for all streams of the kind: the old way, ignored as soon as a stream is named. */
static void tweak_kinds(struct vr_call *call, struct vr_participant *p)
{
    for (uint16_t i = 0; i < p->stream_count; i++) {
        const char *key = p->streams[i]->kind == MEDIA_AUDIO ? "audio" : p->streams[i]->kind == MEDIA_VIDEO ? "video" : "data";
        const json_t *value = json_object_get(call->body, key);
        if (json_is_boolean(value))
            set_active(call->vr, p->streams[i], json_is_true(value));
    }
}

static void tweak_streams(struct vr_call *call, struct vr_participant *p, const json_t *streams)
{
    size_t index;
    const json_t *entry;
    bool named = vr_text(call->body, "mid") != NULL && !json_is_array(streams);
    json_array_foreach(streams, index, entry)
        named = named || vr_text(entry, "mid") != NULL;
    if (!named)
        tweak_kinds(call, p);
    if (!json_is_array(streams)) {
        tweak(call, p, call->body);
        if (vr_bool(call->body, "keyframe", false))
            for (uint16_t i = 0; i < p->stream_count; i++)
                ask_keyframe(call, p->streams[i]);
        return;
    }
    json_array_foreach(streams, index, entry)
        tweak(call, p, entry);
}

static void set_bitrate(struct vr_call *call, struct vr_participant *p)
{
    if (json_object_get(call->body, "bitrate") == NULL)
        return;
    p->bitrate_bps = vr_u32(call->body, "bitrate", 0);
    vr_participant_caps(call->vr, p, false, true);
}

/* {"videoroom":"event","id":..,"display":..,"metadata":..}: without a room, and only if there was one before. */
static void tell_name(struct vr_call *call, struct vr_participant *p, bool display)
{
    struct buf text;
    struct json_out j;
    buf_init(&text, VR_EVENT_BYTES);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "videoroom", "event");
    vr_id_write(&j, "id", &p->id);
    if (display)
        vr_write_name(&j, p);
    else
        jout_raw(&j, "metadata", str_of(p->metadata));
    jout_end(&j);
    vr_tell_others(call->vr, p->room, p, buf_whole(&text));
    buf_fini(&text);
}

static void set_name(struct vr_call *call, struct vr_participant *p)
{
    const char *display = vr_text(call->body, "display");
    const json_t *metadata = json_object_get(call->body, "metadata");
    if (display != NULL) {
        bool had = p->display != NULL;
        mem_put(p->display);
        p->display = vr_strdup(display);
        if (had)
            tell_name(call, p, true);
    }
    if (metadata != NULL) {
        bool had = p->metadata != NULL;
        vr_set_metadata(p, metadata);
        if (had)
            tell_name(call, p, false);
    }
    vr_participant_changed(p);
}

/* Without an offer: existing streams get them, and others are told. */
static void set_descriptions(struct vr_call *call, struct vr_participant *p)
{
    const json_t *descriptions = json_object_get(call->body, "descriptions");
    size_t index;
    const json_t *entry;
    bool changed = false;
    json_array_foreach(descriptions, index, entry) {
        struct vr_pub_stream *stream = vr_stream_by_mid(p, vr_text(entry, "mid"));
        if (stream == NULL)
            continue;
        mem_put(stream->description);
        stream->description = vr_strdup(vr_text(entry, "description"));
        changed = true;
    }
    vr_participant_changed(p);
    if (changed && p->started)
        vr_notify_publishers(call->vr, p);
}

static enum vr_error check_publish(struct vr_call *call, struct vr_participant *p, const json_t *streams)
{
    enum vr_error error = vr_check_fields(call, VR_FIELDS(publish_fields), call->body);
    if (error == VR_OK)
        error = vr_check_name(call);
    if (error == VR_OK)
        error = vr_check_descriptions(call, p);
    if (error == VR_OK && call->request->jsep != NULL && strcmp(call->request->jsep->type, "offer") != 0)
        error = vr_fail(call, VR_INVALID_SDP_TYPE, "Unknown SDP type '%s'", call->request->jsep->type);
    if (error == VR_OK)
        error = vr_force_codecs(call, NULL, p->room);
    return error == VR_OK ? check_tweaks(call, p, streams) : error;
}

static enum vr_error configure(struct vr_call *call, struct vr_participant *p)
{
    const json_t *streams = json_object_get(call->body, "streams");
    const char *mid = vr_text(call->body, "mid");
    if (p->kicked)
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized, you have been kicked");
    enum vr_error error = check_publish(call, p, json_is_array(streams) ? streams : NULL);
    if (error == VR_OK && !json_is_array(streams) && mid != NULL && vr_stream_by_mid(p, mid) == NULL)
        error = vr_fail(call, VR_NO_SUCH_FEED, "No such mid '%.32s' published", mid);
    if (error != VR_OK)
        return error;
    (void)vr_force_codecs(call, p, p->room);
    tweak_streams(call, p, streams);
    set_bitrate(call, p);
    p->audio_active_packets = vr_u32(call->body, "audio_active_packets", p->audio_active_packets);
    p->audio_level_average = vr_u32(call->body, "audio_level_average", p->audio_level_average);
    vr_talk_apply(call->vr, p);
    vr_record_configure(call, p);
    set_name(call, p);
    if (call->request->jsep == NULL)
        set_descriptions(call, p);
    jout_string(&call->j, "videoroom", "event");
    vr_id_write(&call->j, "room", &p->room->id);
    jout_string(&call->j, "configured", "ok");
    return call->request->jsep == NULL ? VR_OK : vr_answer_publisher(call, p);
}

static enum vr_error req_configure(struct vr_call *call)
{
    return configure(call, call->session->participant);
}

static enum vr_error req_publish(struct vr_call *call)
{
    if (call->session->participant->started)
        return vr_fail(call, VR_ALREADY_PUBLISHED, "Can't publish, already published");
    return configure(call, call->session->participant);
}

static enum vr_error req_unpublish(struct vr_call *call)
{
    struct vr_participant *p = call->session->participant;
    if (!p->started)
        return vr_fail(call, VR_NOT_PUBLISHED, "Can't unpublish, not published");
    vr_participant_unpublish(call->vr, p);
    host_peer_close(call->vr->host, call->session->handle);
    jout_string(&call->j, "videoroom", "event");
    vr_id_write(&call->j, "room", &p->room->id);
    jout_string(&call->j, "unpublished", "ok");
    return VR_OK;
}

static enum vr_error req_leave(struct vr_call *call)
{
    struct vr_participant *p = call->session->participant;
    jout_string(&call->j, "videoroom", "event");
    vr_id_write(&call->j, "room", &p->room->id);
    jout_string(&call->j, "leaving", "ok");
    vr_notify_gone(call->vr, p->room, p, "leaving");
    vr_participant_part(call->vr, p);
    return VR_OK;
}

static enum vr_error already_in(struct vr_call *call)
{
    return vr_fail(call, VR_ALREADY_JOINED, "Already in as a publisher on this handle");
}

const struct vr_request vr_publisher_requests[] = {
    {"join", NULL, 0, already_in},
    {"joinandconfigure", NULL, 0, already_in},
    {"configure", NULL, 0, req_configure},
    {"publish", NULL, 0, req_publish},
    {"unpublish", NULL, 0, req_unpublish},
    {"leave", NULL, 0, req_leave},
};
const size_t vr_publisher_request_count = ARRAY_COUNT(vr_publisher_requests);
