/* Requests of a handle in the subscriber role (videoroom.md 10.2 - 10.5, 10.7). */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/requests.h"

static void write_event(struct vr_call *call, const struct vr_subscriber *s, const char *key)
{
    jout_string(&call->j, "videoroom", "event");
    vr_id_write(&call->j, "room", &s->room->id);
    jout_string(&call->j, key, "ok");
}

static void ask_keyframes(struct vr_call *call, const struct vr_subscriber *s)
{
    for (uint16_t i = 0; i < s->stream_count; i++)
        if (s->streams[i]->source != NULL && s->streams[i]->kind == MEDIA_VIDEO)
            host_keyframe(call->vr->host, s->streams[i]->source->source);
}

static enum vr_error req_start(struct vr_call *call)
{
    struct vr_subscriber *s = call->session->subscriber;
    const bool resumed = s->paused;
    s->paused = false;
    vr_subscriber_apply(call->vr, s);
    if (resumed && call->request->jsep == NULL)
        ask_keyframes(call, s);
    write_event(call, s, "started");
    return VR_OK;
}

static enum vr_error req_pause(struct vr_call *call)
{
    struct vr_subscriber *s = call->session->subscriber;
    s->paused = true;
    vr_subscriber_apply(call->vr, s);
    write_event(call, s, "paused");
    return VR_OK;
}

/* ---- configure ---- */

static const struct schema_field configure_fields[] = {
    {"streams", SCHEMA_ARRAY, false}, {"update", SCHEMA_BOOL, false}, {"restart", SCHEMA_BOOL, false},
    {"audio", SCHEMA_BOOL, false},    {"video", SCHEMA_BOOL, false},  {"data", SCHEMA_BOOL, false},
};

static const struct schema_field tweak_fields[] = {
    {"mid", SCHEMA_STRING, false},            {"send", SCHEMA_BOOL, false},           {"substream", SCHEMA_POSINT, false},
    {"temporal", SCHEMA_POSINT, false},       {"fallback", SCHEMA_POSINT, false},     {"spatial_layer", SCHEMA_POSINT, false},
    {"temporal_layer", SCHEMA_POSINT, false}, {"min_delay", SCHEMA_INT, false},       {"max_delay", SCHEMA_INT, false},
};

static enum vr_error check_tweak(struct vr_call *call, const struct vr_subscriber *s, const json_t *entry, bool needs_mid)
{
    enum vr_error error = vr_check_fields(call, VR_FIELDS(tweak_fields), entry);
    const char *mid = vr_text(entry, "mid");
    if (error == VR_OK && mid == NULL && needs_mid)
        error = vr_fail(call, VR_INVALID_ELEMENT, "Invalid value (mid can't be null in a streams array)");
    if (error == VR_OK && mid != NULL && vr_sub_by_mid(s, mid) == NULL)
        error = vr_fail(call, VR_NO_SUCH_FEED, "No such mid '%.32s' in subscription", mid);
    return error == VR_OK ? vr_check_layers(call, entry) : error;
}

static void set_layer(struct vr_call *call, struct vr_sub_stream *sub, const json_t *entry, const char *name, uint8_t *target, int current)
{
    if (json_object_get(entry, name) == NULL)
        return;
    *target = (uint8_t)vr_int(entry, name, 2);
    if (*target == current)
        vr_notify_layer(call->vr, sub, name, current);
    else if (!sub->source->svc)
        host_keyframe(call->vr->host, sub->source->source);     /* of SVC the sink asks, and only when it goes up */
}

static void tweak_sub(struct vr_call *call, struct vr_sub_stream *sub, const json_t *entry)
{
    if (json_object_get(entry, "send") != NULL)
        sub->send = vr_bool(entry, "send", true);
    if (sub->kind == MEDIA_VIDEO && sub->source != NULL && sub->source->simulcast) {
        set_layer(call, sub, entry, "substream", &sub->substream_target, sub->substream);
        set_layer(call, sub, entry, "temporal", &sub->temporal_target, sub->temporal);
        if (json_object_get(entry, "fallback") != NULL)
            sub->fallback_us = vr_u32(entry, "fallback", 0);
    } else if (sub->kind == MEDIA_VIDEO && sub->source != NULL && sub->source->svc) {
        set_layer(call, sub, entry, "spatial_layer", &sub->spatial_target, sub->substream);
        set_layer(call, sub, entry, "temporal_layer", &sub->temporal_layer_target, sub->temporal);
    }
    vr_set_delays(entry, &sub->min_delay, &sub->max_delay);
    vr_sub_apply(call->vr, sub);            /* a sink that resumes asks for its keyframe itself */
}

static void tweak_subs(struct vr_call *call, struct vr_subscriber *s, const json_t *entry)
{
    const char *mid = vr_text(entry, "mid");
    for (uint16_t i = 0; i < s->stream_count; i++)
        if (mid == NULL || s->streams[i] == vr_sub_by_mid(s, mid))
            tweak_sub(call, s->streams[i], entry);
}

static void tweak_kinds(struct vr_call *call, struct vr_subscriber *s)
{
    for (uint16_t i = 0; i < s->stream_count; i++) {
        const uint8_t kind = s->streams[i]->kind;
        const json_t *value = json_object_get(call->body, kind == MEDIA_AUDIO ? "audio" : kind == MEDIA_VIDEO ? "video" : "data");
        if (value == NULL)
            continue;
        s->streams[i]->send = json_is_true(value);
        vr_sub_apply(call->vr, s->streams[i]);
    }
}

static enum vr_error check_configure(struct vr_call *call, const struct vr_subscriber *s, const json_t *streams, bool *named)
{
    size_t index;
    const json_t *entry;
    enum vr_error error = vr_check_fields(call, VR_FIELDS(configure_fields), call->body);
    *named = streams == NULL && vr_text(call->body, "mid") != NULL;
    if (error == VR_OK && streams == NULL)
        error = check_tweak(call, s, call->body, false);
    json_array_foreach(streams, index, entry) {
        if (error == VR_OK)
            error = check_tweak(call, s, entry, json_array_size(streams) > 1);
        *named = *named || vr_text(entry, "mid") != NULL;
    }
    return error;
}

/* With `update` or `restart` an offer follows; one that is still unanswered makes it wait (and is answered all the same:
 * the reference says nothing at all here). */
static enum vr_error offer_again(struct vr_call *call, struct vr_subscriber *s, bool restart)
{
    if (s->answered)
        return vr_subscriber_reply_offer(call, s, restart);
    s->pending_offer = true;
    s->pending_restart = s->pending_restart || restart;
    return VR_OK;
}

static enum vr_error req_configure(struct vr_call *call)
{
    struct vr_subscriber *s = call->session->subscriber;
    const json_t *streams = json_object_get(call->body, "streams");
    const bool update = vr_bool(call->body, "update", false), restart = vr_bool(call->body, "restart", false);
    size_t index;
    const json_t *entry;
    bool named;
    if (s->kicked)
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized, you have been kicked");
    enum vr_error error = check_configure(call, s, streams, &named);
    if (error != VR_OK)
        return error;
    if (!named)
        tweak_kinds(call, s);
    if (streams == NULL)
        tweak_subs(call, s, call->body);
    json_array_foreach(streams, index, entry)
        tweak_subs(call, s, entry);
    write_event(call, s, "configured");
    return update || restart ? offer_again(call, s, restart) : VR_OK;
}

/* ---- subscribe, unsubscribe, update ---- */

static const struct schema_field streams_field[] = {{"streams", SCHEMA_ARRAY, true}};
static const struct schema_field update_fields[] = {{"subscribe", SCHEMA_ARRAY, false}, {"unsubscribe", SCHEMA_ARRAY, false}};
static const struct schema_field unsubscribe_fields[] = {{"mid", SCHEMA_STRING, false}, {"sub_mid", SCHEMA_STRING, false}};

static enum vr_error check_unsubscribe(struct vr_call *call, const json_t *list)
{
    size_t index;
    const json_t *entry;
    struct vr_id id;
    json_array_foreach(list, index, entry) {
        enum vr_error error = vr_check_fields(call, VR_FIELDS(unsubscribe_fields), entry);
        if (error == VR_OK)
            error = vr_id_read(call, entry, "feed", false, &id);
        if (error != VR_OK)
            return error;
    }
    return VR_OK;
}

static bool entry_hits(struct vr_call *call, const json_t *entry, const struct vr_pub_stream *source, const struct vr_sub_stream *sub)
{
    const char *mid = vr_text(entry, "mid"), *sub_mid = vr_text(entry, "sub_mid");
    struct vr_id id;
    if (sub_mid != NULL)
        return vr_sub_by_mid(sub->owner, sub_mid) == sub;
    if (json_object_get(entry, "feed") == NULL || vr_id_read(call, entry, "feed", false, &id) != VR_OK)
        return false;
    return vr_id_equal(&source->owner->id, &id) && (mid == NULL || strcmp(source->mid, mid) == 0);
}

/* The line itself stays. Only one named by `sub_mid` counts as changed (videoroom.md 10.5). */
static uint32_t unsubscribe_data(struct vr_call *call, struct vr_sub_stream *line, const json_t *entry)
{
    bool hit = false;
    LIST_EACH(it, &line->data_feeds) {
        struct vr_data_feed *feed = CONTAINER_OF(it, struct vr_data_feed, of_line);
        if (!entry_hits(call, entry, feed->source, line))
            continue;
        vr_data_del(call->vr, feed);
        hit = true;
    }
    return hit && vr_text(entry, "sub_mid") != NULL;
}

static uint32_t unsubscribe(struct vr_call *call, struct vr_subscriber *s, const json_t *list)
{
    uint32_t changes = 0;
    size_t index;
    const json_t *entry;
    json_array_foreach(list, index, entry)
        for (uint16_t i = 0; i < s->stream_count; i++) {
            struct vr_sub_stream *sub = s->streams[i];
            if (sub->kind == MEDIA_DATA)
                changes += unsubscribe_data(call, sub, entry);
            if (sub->source == NULL || !entry_hits(call, entry, sub->source, sub))
                continue;
            vr_sub_set_source(call->vr, sub, NULL);
            changes++;
        }
    return changes;
}

static enum vr_error check_lists(struct vr_call *call, const json_t *subscribe_list, const json_t *unsubscribe_list)
{
    if (subscribe_list != NULL && json_array_size(subscribe_list) == 0)
        return vr_fail(call, VR_INVALID_ELEMENT, "Empty subscription list");
    if (unsubscribe_list != NULL && json_array_size(unsubscribe_list) == 0)
        return vr_fail(call, VR_INVALID_ELEMENT, "Empty unsubscription list");
    return check_unsubscribe(call, unsubscribe_list);
}

static enum vr_error reply_updated(struct vr_call *call, struct vr_subscriber *s, uint32_t changes)
{
    jout_string(&call->j, "videoroom", changes > 0 && !s->answered ? "updating" : "updated");
    vr_id_write(&call->j, "room", &s->room->id);
    if (changes == 0)
        return VR_OK;
    if (!s->answered) {
        s->pending_offer = true;
        return VR_OK;
    }
    vr_write_sub_streams(&call->j, s);
    return vr_subscriber_reply_offer(call, s, false);
}

/* Everything is checked before anything is done; unsubscribing comes first (videoroom.md 10.5). */
static enum vr_error change(struct vr_call *call, const json_t *subscribe_list, const json_t *unsubscribe_list)
{
    struct vr_subscriber *s = call->session->subscriber;
    struct vr_feeds feeds = {0};
    enum vr_error error = check_lists(call, subscribe_list, unsubscribe_list);
    if (error == VR_OK && subscribe_list != NULL)
        error = vr_feeds_of_list(call, s, subscribe_list, &feeds);
    if (error != VR_OK)
        return error;
    uint32_t changes = unsubscribe(call, s, unsubscribe_list);
    changes += vr_feeds_add(call->vr, s, &feeds, true);
    changes += s->skipped_autoupdate;
    vr_feeds_free(&feeds);
    return reply_updated(call, s, changes);
}

static enum vr_error req_subscribe(struct vr_call *call)
{
    return change(call, json_object_get(call->body, "streams"), NULL);
}

static enum vr_error req_unsubscribe(struct vr_call *call)
{
    return change(call, NULL, json_object_get(call->body, "streams"));
}

static enum vr_error req_update(struct vr_call *call)
{
    const json_t *add = json_object_get(call->body, "subscribe"), *del = json_object_get(call->body, "unsubscribe");
    if (add == NULL && del == NULL)
        return vr_fail(call, VR_MISSING, "At least one of either 'subscribe' or 'unsubscribe' must be present");
    return change(call, add, del);
}

static enum vr_error req_leave(struct vr_call *call)
{
    struct vr_subscriber *s = call->session->subscriber;
    write_event(call, s, "left");
    for (uint16_t i = 0; i < s->stream_count; i++) {
        vr_sub_set_source(call->vr, s->streams[i], NULL);
        vr_data_clear(call->vr, s->streams[i]);
    }
    s->left = true;
    list_del(&s->of_room);
    s->room = NULL;
    host_peer_close(call->vr->host, call->session->handle);
    return VR_OK;
}

static enum vr_error already_in(struct vr_call *call)
{
    return vr_fail(call, VR_ALREADY_JOINED, "Already in as a subscriber on this handle");
}

const struct vr_request vr_subscriber_requests[] = {
    {"join", NULL, 0, already_in},
    {"start", NULL, 0, req_start},
    {"pause", NULL, 0, req_pause},
    {"configure", NULL, 0, req_configure},
    {"subscribe", VR_FIELDS(streams_field), req_subscribe},
    {"unsubscribe", VR_FIELDS(streams_field), req_unsubscribe},
    {"update", VR_FIELDS(update_fields), req_update},
    {"switch", NULL, 0, vr_req_switch},
    {"leave", NULL, 0, req_leave},
};
const size_t vr_subscriber_request_count = ARRAY_COUNT(vr_subscriber_requests);
