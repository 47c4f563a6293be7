/* `switch`: m-lines get another source, seamlessly (videoroom.md 10.6). */
#include "base/str.h"
#include "plugins/videoroom/requests.h"

static const struct schema_field switch_fields[] = {
    {"mid", SCHEMA_STRING, true},         {"sub_mid", SCHEMA_STRING, true},         {"substream", SCHEMA_POSINT, false},
    {"temporal", SCHEMA_POSINT, false},   {"spatial_layer", SCHEMA_POSINT, false},  {"temporal_layer", SCHEMA_POSINT, false},
};

static uint8_t target_of(const json_t *entry, const char *name)
{
    int64_t v = vr_int(entry, name, 2);
    return v > 2 ? 2 : (uint8_t)v;
}

static enum vr_error find_stream(struct vr_call *call, const json_t *entry, struct vr_pub_stream **out)
{
    const struct vr_subscriber *s = call->session->subscriber;
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    enum vr_error error = vr_check_fields(call, VR_FIELDS(switch_fields), entry);
    if (error == VR_OK)
        error = vr_id_read(call, entry, "feed", true, &id);
    if (error != VR_OK)
        return error;
    struct vr_participant *p = vr_room_feed(call->vr, s->room, &id);
    if (p == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such feed (%s)", vr_id_show(&id, shown));
    if (p->e2ee != s->e2ee)
        return vr_fail(call, VR_INVALID_FEED, "Can't mix normal and end-to-end encrypted subscriptions");
    *out = vr_stream_by_mid(p, vr_text(entry, "mid"));
    if (*out == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such mid '%.32s' in feed (%s)", vr_text(entry, "mid"), vr_id_show(&id, shown));
    return VR_OK;
}

static bool can_feed(const struct vr_sub_stream *sub, const struct vr_pub_stream *stream)
{
    return sub->source != stream && sub->kind != MEDIA_DATA && sub->kind == stream->kind && sub->codec == stream->codec && !stream->disabled;
}

static void swap_source(struct vr_call *call, struct vr_sub_stream *sub, struct vr_pub_stream *stream, const json_t *entry)
{
    sub->send = true;
    sub->substream_target = target_of(entry, "substream");
    sub->temporal_target = target_of(entry, "temporal");
    sub->spatial_target = target_of(entry, "spatial_layer");
    sub->temporal_layer_target = target_of(entry, "temporal_layer");
    vr_sub_set_source(call->vr, sub, stream);
    vr_sub_apply(call->vr, sub);
    if (stream->kind == MEDIA_VIDEO)
        host_keyframe(call->vr->host, stream->source);
}

static enum vr_error reply_switched(struct vr_call *call, uint32_t changes, bool woke)
{
    struct vr_subscriber *s = call->session->subscriber;
    if (woke)
        vr_subscriber_update(call->vr, s, call->request->transaction);      /* comes before `switched` (videoroom.md 19.1) */
    jout_string(&call->j, "videoroom", "event");
    jout_string(&call->j, "switched", "ok");
    vr_id_write(&call->j, "room", &s->room->id);
    jout_uint(&call->j, "changes", changes);
    vr_write_sub_streams(&call->j, s);
    return VR_OK;
}

static enum vr_error switch_list(struct vr_call *call, const json_t *list)
{
    struct vr_subscriber *s = call->session->subscriber;
    struct vr_pub_stream *stream;
    size_t index;
    const json_t *entry;
    uint32_t changes = 0;
    bool woke = false;
    json_array_foreach(list, index, entry) {
        enum vr_error error = find_stream(call, entry, &stream);
        if (error != VR_OK)
            return error;
    }
    json_array_foreach(list, index, entry) {
        struct vr_sub_stream *sub = vr_sub_by_mid(s, vr_text(entry, "sub_mid"));
        if (sub == NULL || find_stream(call, entry, &stream) != VR_OK || !can_feed(sub, stream))
            continue;
        woke = woke || sub->source == NULL;
        swap_source(call, sub, stream, entry);
        changes++;
    }
    return reply_switched(call, changes, woke);
}

/* The line that `stream` goes to; NULL: it is on one already, or none fits. */
static struct vr_sub_stream *first_line(const struct vr_subscriber *s, const struct vr_pub_stream *stream, bool taken[VR_SUB_STREAMS_MAX])
{
    for (uint16_t i = 0; i < s->stream_count; i++)
        if (s->streams[i]->source == stream)
            return NULL;
    for (uint16_t i = 0; i < s->stream_count; i++)
        if (!taken[i] && can_feed(s->streams[i], stream)) {
            taken[i] = true;
            return s->streams[i];
        }
    return NULL;
}

/* Legacy {"feed":X}: each of X's streams goes to the first compatible m-line that no other has taken (the reference means to). */
static enum vr_error switch_feed(struct vr_call *call)
{
    struct vr_subscriber *s = call->session->subscriber;
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    bool taken[VR_SUB_STREAMS_MAX] = {false}, woke = false;
    uint32_t changes = 0;
    if (call->vr->string_ids && json_object_get(call->body, "feed") == NULL)
        return vr_fail(call, VR_MISSING, "At least one between 'streams' and 'feed' must be specified");
    enum vr_error error = vr_id_read(call, call->body, "feed", false, &id);
    if (error != VR_OK)
        return error;
    struct vr_participant *p = vr_room_feed(call->vr, s->room, &id);
    if (p == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such feed (%s)", vr_id_show(&id, shown));
    if (p->e2ee != s->e2ee)
        return vr_fail(call, VR_INVALID_FEED, "Can't mix normal and end-to-end encrypted subscriptions");
    for (uint16_t i = 0; i < s->stream_count; i++)
        taken[i] = s->streams[i]->source != NULL && s->streams[i]->source->owner == p;
    for (uint16_t i = 0; i < p->stream_count; i++) {
        struct vr_sub_stream *sub = first_line(s, p->streams[i], taken);
        if (sub == NULL)
            continue;
        woke = woke || sub->source == NULL;
        swap_source(call, sub, p->streams[i], call->body);
        changes++;
    }
    return reply_switched(call, changes, woke);
}

static const struct schema_field list_field[] = {{"streams", SCHEMA_ARRAY, false}};

enum vr_error vr_req_switch(struct vr_call *call)
{
    const json_t *list = json_object_get(call->body, "streams");
    enum vr_error error = vr_check_fields(call, VR_FIELDS(list_field), call->body);
    if (error != VR_OK)
        return error;
    return json_array_size(list) > 0 ? switch_list(call, list) : switch_feed(call);
}
