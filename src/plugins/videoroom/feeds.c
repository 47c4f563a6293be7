/* What a subscriber's list of streams asks for: checked entry by entry, and only then done (videoroom.md 10.1, 10.5). */
#include "base/mem.h"
#include "plugins/videoroom/requests.h"

#define FEED_ITEMS_MAX 4096u

static const struct schema_field entry_fields[] = {
    {"mid", SCHEMA_STRING, false},             {"crossrefid", SCHEMA_STRING, false},      {"send", SCHEMA_BOOL, false},
    {"substream", SCHEMA_POSINT, false},       {"temporal", SCHEMA_POSINT, false},        {"spatial_layer", SCHEMA_POSINT, false},
    {"temporal_layer", SCHEMA_POSINT, false},  {"min_delay", SCHEMA_INT, false},          {"max_delay", SCHEMA_INT, false},
};

enum vr_error vr_check_layers(struct vr_call *call, const json_t *entry)
{
    if (vr_int(entry, "substream", 0) > 2 || vr_int(entry, "spatial_layer", 0) > 2)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid value (substream/spatial_layer should be 0, 1 or 2)");
    if (vr_int(entry, "temporal", 0) > 2 || vr_int(entry, "temporal_layer", 0) > 2)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid value (temporal/temporal_layer should be 0, 1 or 2)");
    return VR_OK;
}

static void add_item(struct vr_feeds *feeds, struct vr_pub_stream *stream, const json_t *entry, bool by_mid)
{
    if (feeds->count == FEED_ITEMS_MAX)
        return;
    if ((feeds->count & (feeds->count - 1)) == 0)
        feeds->items = mem_resize(feeds->items, (feeds->count == 0 ? 1u : feeds->count * 2u) * sizeof(*feeds->items));
    feeds->items[feeds->count++] = (struct vr_feed_item){stream, entry, by_mid};
}

void vr_feeds_free(struct vr_feeds *feeds)
{
    mem_put(feeds->items);
    *feeds = (struct vr_feeds){0};
}

static enum vr_error add_entry(struct vr_call *call, const struct vr_room *room, const json_t *entry, int e2ee, struct vr_feeds *feeds)
{
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    enum vr_error error = vr_check_fields(call, VR_FIELDS(entry_fields), entry);
    if (error == VR_OK)
        error = vr_id_read(call, entry, "feed", true, &id);
    if (error != VR_OK)
        return error;
    struct vr_participant *p = vr_room_feed(call->vr, room, &id);
    if (p == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such feed (%s)", vr_id_show(&id, shown));
    if (e2ee < 0)
        e2ee = feeds->count > 0 ? feeds->items[0].stream->owner->e2ee : p->e2ee;
    if (p->e2ee != (bool)e2ee)
        return vr_fail(call, VR_INVALID_FEED, "Can't have %send-to-end encrypted feed in this subscription (%s)", p->e2ee ? "" : "not ",
                       vr_id_show(&id, shown));
    const char *mid = vr_text(entry, "mid");
    if (mid != NULL) {
        struct vr_pub_stream *stream = vr_stream_by_mid(p, mid);
        if (stream == NULL)
            return vr_fail(call, VR_NO_SUCH_FEED, "No such mid '%.32s' in feed (%s)", mid, vr_id_show(&id, shown));
        add_item(feeds, stream, entry, true);
    } else {
        for (uint16_t i = 0; i < p->stream_count; i++)
            add_item(feeds, p->streams[i], entry, false);
    }
    return vr_check_layers(call, entry);
}

static enum vr_error add_list(struct vr_call *call, const struct vr_room *room, const json_t *list, int e2ee, struct vr_feeds *out)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(list, index, entry) {
        enum vr_error error = add_entry(call, room, entry, e2ee, out);
        if (error != VR_OK) {
            vr_feeds_free(out);
            return error;
        }
    }
    return VR_OK;
}

/* One publisher, all of its streams but for the kinds that `offer_*` leaves out. */
static enum vr_error legacy_feed(struct vr_call *call, const struct vr_room *room, struct vr_feeds *out, struct vr_participant **legacy)
{
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    enum vr_error error = vr_id_read(call, call->body, "feed", true, &id);
    if (error != VR_OK)
        return error;
    struct vr_participant *p = vr_room_feed(call->vr, room, &id);
    if (p == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such feed (%s)", vr_id_show(&id, shown));
    for (uint16_t i = 0; i < p->stream_count; i++) {
        const uint8_t kind = p->streams[i]->kind;
        const char *key = kind == MEDIA_AUDIO ? "offer_audio" : kind == MEDIA_VIDEO ? "offer_video" : "offer_data";
        if (vr_bool(call->body, key, true))
            add_item(out, p->streams[i], NULL, false);
    }
    *legacy = p;
    return VR_OK;
}

enum vr_error vr_feeds_of_join(struct vr_call *call, struct vr_room *room, struct vr_feeds *out, struct vr_participant **legacy)
{
    const json_t *list = json_object_get(call->body, "streams");
    *out = (struct vr_feeds){0};
    if (json_array_size(list) > 0)
        return add_list(call, room, list, room->require_e2ee ? 1 : -1, out);
    return legacy_feed(call, room, out, legacy);
}

enum vr_error vr_feeds_of_list(struct vr_call *call, struct vr_subscriber *s, const json_t *list, struct vr_feeds *out)
{
    *out = (struct vr_feeds){0};
    return add_list(call, s->room, list, s->e2ee, out);
}

static void set_targets(struct vr_sub_stream *sub, const struct vr_feed_item *item, bool update)
{
    const json_t *entry = item->entry;
    if (entry == NULL)
        return;
    if (vr_text(entry, "crossrefid") != NULL) {
        mem_put(sub->crossrefid);
        sub->crossrefid = vr_strdup(vr_text(entry, "crossrefid"));
    }
    if (update && item->by_mid)
        sub->send = vr_bool(entry, "send", true);
    sub->substream_target = (uint8_t)vr_int(entry, "substream", 2);
    sub->temporal_target = (uint8_t)vr_int(entry, "temporal", 2);
    sub->spatial_target = (uint8_t)vr_int(entry, "spatial_layer", 2);
    sub->temporal_layer_target = (uint8_t)vr_int(entry, "temporal_layer", 2);
    sub->fallback_us = vr_u32(entry, "fallback", 0);
    vr_set_delays(entry, &sub->min_delay, &sub->max_delay);
}

/* 1 when an offer has to tell of it: the data line is new. A line that is there takes another source in silence. */
static uint32_t add_data(struct videoroom *vr, struct vr_subscriber *s, const struct vr_feed_item *item)
{
    const uint16_t before = s->stream_count;
    bool line_changed;
    if (item->stream->disabled || !vr_data_add(vr, s, item->stream, &line_changed))
        return 0;
    if (s->stream_count > before)
        set_targets(s->streams[before], item, false);
    return line_changed;
}

uint32_t vr_feeds_add(struct videoroom *vr, struct vr_subscriber *s, const struct vr_feeds *feeds, bool update)
{
    uint32_t touched = 0;
    for (uint32_t i = 0; i < feeds->count; i++) {
        struct vr_pub_stream *stream = feeds->items[i].stream;
        if (update && stream->disabled)
            continue;
        if (stream->kind == MEDIA_DATA) {
            touched += add_data(vr, s, &feeds->items[i]);
            continue;
        }
        struct vr_sub_stream *sub = vr_sub_add(s, stream, update);
        if (sub == NULL)
            break;                          /* no more m-lines: what fits is offered, as videoroom.h says */
        set_targets(sub, &feeds->items[i], update);
        /* Asked for now, at the request: the keyframe is there when the receiver is (design section 5). */
        if (stream->kind == MEDIA_VIDEO && !stream->disabled)
            host_keyframe(vr->host, stream->source);
        if (!ref_is_none(sub->sink)) {
            vr_sub_apply(vr, sub);          /* silent until an answer takes the line */
            host_sink_switch(vr->host, sub->sink, stream->source);
        }
        touched++;
    }
    return touched;
}
