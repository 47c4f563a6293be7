/* `join` and `joinandconfigure`: a handle gets its role for life (videoroom.md 9.1, 10.1). */
#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"
#include "plugins/videoroom/requests.h"

static const struct schema_field join_fields[] = {
    {"ptype", SCHEMA_STRING, true},     {"audio", SCHEMA_BOOL, false},      {"video", SCHEMA_BOOL, false},
    {"data", SCHEMA_BOOL, false},       {"bitrate", SCHEMA_POSINT, false},  {"record", SCHEMA_BOOL, false},
    {"filename", SCHEMA_STRING, false}, {"token", SCHEMA_STRING, false},
};

static const struct schema_field publisher_fields[] = {{"display", SCHEMA_STRING, false}, {"metadata", SCHEMA_OBJECT, false}};

static const struct schema_field description_fields[] = {{"mid", SCHEMA_STRING, true}, {"description", SCHEMA_STRING, true}};

/* Bytes of the descriptions that are not replaced by these. */
static size_t kept_descriptions(const struct vr_participant *p, const json_t *descriptions)
{
    size_t bytes = 0;
    for (uint16_t i = 0; p != NULL && i < p->stream_count; i++) {
        bool replaced = p->streams[i]->description == NULL;
        for (size_t k = 0; !replaced && k < json_array_size(descriptions); k++)
            replaced = strcmp(vr_text(json_array_get(descriptions, k), "mid"), p->streams[i]->mid) == 0;
        bytes += replaced ? 0 : strlen(p->streams[i]->description);
    }
    return bytes;
}

enum vr_error vr_check_descriptions(struct vr_call *call, const struct vr_participant *p)
{
    const json_t *descriptions = json_object_get(call->body, "descriptions");
    size_t index, bytes = 0;
    const json_t *entry;
    if (!json_is_array(descriptions))
        return VR_OK;                       /* a wrong outer type is ignored (videoroom.md, corrections to 9.1) */
    json_array_foreach(descriptions, index, entry) {
        enum vr_error error = vr_check_fields(call, VR_FIELDS(description_fields), entry);
        if (error != VR_OK)
            return error;
        bytes += json_string_length(json_object_get(entry, "description"));
    }
    if (bytes > 0 && bytes + kept_descriptions(p, descriptions) > VR_TEXT_MAX)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (description is too long)");
    return VR_OK;
}

enum vr_error vr_check_name(struct vr_call *call)
{
    enum vr_error error = vr_check_fields(call, VR_FIELDS(publisher_fields), call->body);
    if (error != VR_OK)
        return error;
    if (json_string_length(json_object_get(call->body, "display")) > VR_TEXT_MAX)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (display is too long)");
    const json_t *metadata = json_object_get(call->body, "metadata");
    if (metadata != NULL && json_dumpb(metadata, NULL, 0, JSON_COMPACT) > VR_TEXT_MAX)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (metadata is too long)");
    return VR_OK;
}

/* Keeps `metadata` as compact text; vr_check_name has looked at it. */
void vr_set_metadata(struct vr_participant *p, const json_t *metadata)
{
    size_t size = json_dumpb(metadata, NULL, 0, JSON_COMPACT);
    mem_put(p->metadata);
    p->metadata = mem_get(size + 1);
    (void)json_dumpb(metadata, p->metadata, size, JSON_COMPACT);
    p->metadata[size] = '\0';
}

static enum vr_error check_token(struct vr_call *call, const struct vr_room *room)
{
    struct videoroom *vr = call->vr;
    const char *token = vr_text(call->body, "token");
    char descriptor[VR_ID_SHOWN + 8], shown[VR_ID_SHOWN];
    if (!room->signed_tokens || !host_token_mode_signed(vr->host))
        return VR_OK;
    snprintf(descriptor, sizeof(descriptor), "room=%s", vr_id_show(&room->id, shown));
    if (token == NULL || !host_token_is_valid(vr->host, token, VR_PACKAGE) ||
        !host_token_contains(vr->host, token, VR_PACKAGE, descriptor))
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized (wrong token)");
    return VR_OK;
}

/* ---- as publisher ---- */

/* joinandconfigure with an offer: codecs that the request asks for must be the room's. */
enum vr_error vr_force_codecs(struct vr_call *call, struct vr_participant *p, const struct vr_room *room)
{
    const char *audio = vr_text(call->body, "audiocodec"), *video = vr_text(call->body, "videocodec");
    bool allowed;
    if (call->request->jsep == NULL)
        return VR_OK;
    if (audio != NULL) {
        vr_room_allows(room->audio_codecs, codec_by_name(str_of(audio)), &allowed);
        if (!allowed)
            return vr_fail(call, VR_INVALID_ELEMENT, "Audio codec unavailable in this room");
        if (p != NULL)
            p->audio_codec = (uint8_t)codec_by_name(str_of(audio));
    }
    if (video != NULL) {
        vr_room_allows(room->video_codecs, codec_by_name(str_of(video)), &allowed);
        if (!allowed)
            return vr_fail(call, VR_INVALID_ELEMENT, "Video codec unavailable in this room");
        if (p != NULL)
            p->video_codec = (uint8_t)codec_by_name(str_of(video));
    }
    return VR_OK;
}

static enum vr_error check_publisher(struct vr_call *call, const struct vr_room *room, bool configure, struct vr_id *id)
{
    char shown[VR_ID_SHOWN];
    enum vr_error error = vr_check_name(call);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", false, id);
    if (error == VR_OK)
        error = vr_check_descriptions(call, NULL);
    if (error != VR_OK)
        return error;
    if (!acl_allows(&room->acl, host_hash_key(call->vr->host), vr_text(call->body, "token")))
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized (not in the allowed list)");
    if (!vr_id_is_unset(id) && vr_room_participant(call->vr, room, id) != NULL)
        return vr_fail(call, VR_ID_EXISTS, "User ID %s already exists", vr_id_show(id, shown));
    return configure ? vr_force_codecs(call, NULL, room) : VR_OK;
}

static void write_joined(struct vr_call *call, const struct vr_participant *p)
{
    struct json_out *j = &call->j;
    const struct vr_room *room = p->room;
    jout_string(j, "videoroom", "joined");
    vr_id_write(j, "room", &room->id);
    jout_string(j, "description", room->description);
    vr_id_write(j, "id", &p->id);
    jout_uint(j, "private_id", p->private_id);
    jout_array(j, "publishers");
    LIST_EACH(it, &room->participants) {
        struct vr_participant *other = CONTAINER_OF(it, struct vr_participant, of_room);
        if (other != p && other->started && other->stream_count > 0)
            jout_raw(j, NULL, str_of(vr_joined_text(other)));
    }
    jout_end(j);
    if (room->notify_joining) {
        jout_array(j, "attendees");
        LIST_EACH(it, &room->participants) {
            const struct vr_participant *other = CONTAINER_OF(it, struct vr_participant, of_room);
            if (other == p || other->started)
                continue;
            jout_object(j, NULL);
            vr_id_write(j, "id", &other->id);
            vr_write_name(j, other);
            jout_end(j);
        }
        jout_end(j);
    }
    if (p->audio_active_packets > 0)
        jout_uint(j, "audio_active_packets", p->audio_active_packets);
    if (p->audio_level_average > 0)
        jout_uint(j, "audio_level_average", p->audio_level_average);
}

static enum vr_error join_publisher(struct vr_call *call, struct vr_room *room, bool configure)
{
    struct videoroom *vr = call->vr;
    const json_t *body = call->body, *metadata = json_object_get(body, "metadata");
    struct vr_id id;
    enum vr_error error = check_publisher(call, room, configure, &id);
    if (error != VR_OK)
        return error;
    struct vr_participant *p = vr_participant_new(call->session);
    p->id = vr_new_user_id(vr, room, &id);
    p->display = vr_strdup(vr_text(body, "display"));
    if (metadata != NULL)
        vr_set_metadata(p, metadata);
    p->bitrate_bps = configure ? vr_u32(body, "bitrate", room->bitrate_bps) : room->bitrate_bps;
    p->audio_active_packets = vr_u32(body, "audio_active_packets", 0);
    p->audio_level_average = vr_u32(body, "audio_level_average", 0);
    vr_participant_join(vr, p, room);
    if (configure) {
        (void)vr_force_codecs(call, p, room);
        vr_record_configure(call, p);
    }
    vr_notify_joining(vr, p);
    write_joined(call, p);
    if (call->request->jsep == NULL)
        return VR_OK;
    if (strcmp(call->request->jsep->type, "offer") != 0)
        return vr_fail(call, VR_INVALID_SDP_TYPE, "Unknown SDP type '%s'", call->request->jsep->type);
    return vr_answer_publisher(call, p);        /* when this fails the handle has joined all the same (videoroom.md 9.1) */
}

/* ---- as subscriber ---- */

static const struct schema_field subscriber_fields[] = {
    {"streams", SCHEMA_ARRAY, false},      {"private_id", SCHEMA_POSINT, false},  {"autoupdate", SCHEMA_BOOL, false},
    {"offer_audio", SCHEMA_BOOL, false},   {"offer_video", SCHEMA_BOOL, false},   {"offer_data", SCHEMA_BOOL, false},
    {"substream", SCHEMA_POSINT, false},   {"temporal", SCHEMA_POSINT, false},    {"fallback", SCHEMA_POSINT, false},
    {"spatial_layer", SCHEMA_POSINT, false}, {"temporal_layer", SCHEMA_POSINT, false},
};

static struct vr_participant *by_private_id(const struct videoroom *vr, const struct vr_room *room, uint32_t private_id)
{
    struct map_node *n = map_first(&room->by_private_id, hash_u64(host_hash_key(vr->host), private_id));
    for (; n != NULL; n = map_next_same(n)) {
        struct vr_participant *p = CONTAINER_OF(n, struct vr_participant, private_node);
        if (p->private_id == private_id)
            return p;
    }
    return NULL;
}

static enum vr_error check_private_id(struct vr_call *call, const struct vr_room *room, struct vr_participant **owner)
{
    int64_t private_id = vr_int(call->body, "private_id", 0);
    *owner = private_id > 0 && private_id <= UINT32_MAX ? by_private_id(call->vr, room, (uint32_t)private_id) : NULL;
    if (room->require_pvtid && *owner == NULL)
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized (this room requires a valid private_id)");
    return VR_OK;
}

static void write_attached(struct vr_call *call, const struct vr_subscriber *s, const struct vr_participant *legacy)
{
    jout_string(&call->j, "videoroom", "attached");
    vr_id_write(&call->j, "room", &s->room->id);
    if (legacy != NULL) {
        vr_id_write(&call->j, "id", &legacy->id);
        jout_string(&call->j, "warning", "deprecated_api");
        vr_write_name(&call->j, legacy);
    }
    vr_write_sub_streams(&call->j, s);
}

static void drop_subscriber(struct vr_call *call, struct vr_subscriber *s)
{
    call->session->subscriber = NULL;
    call->session->role = VR_ROLE_NONE;
    vr_subscriber_free(call->vr, s);
}

static enum vr_error join_subscriber(struct vr_call *call, struct vr_room *room)
{
    struct vr_participant *owner, *legacy = NULL;
    struct vr_feeds feeds;
    enum vr_error error = vr_check_fields(call, VR_FIELDS(subscriber_fields), call->body);
    if (error == VR_OK && call->request->jsep != NULL)
        error = vr_fail(call, VR_INVALID_REQUEST, "Can't send an offer to create subscribers");
    if (error == VR_OK)
        error = vr_feeds_of_join(call, room, &feeds, &legacy);
    if (error != VR_OK)
        return error;
    error = check_private_id(call, room, &owner);
    if (error != VR_OK) {
        vr_feeds_free(&feeds);
        return error;
    }
    struct vr_subscriber *s = vr_subscriber_new(call->session, room);
    s->private_id = vr_u32(call->body, "private_id", 0);
    s->autoupdate = vr_bool(call->body, "autoupdate", true);
    s->use_msid = vr_bool(call->body, "use_msid", false);
    s->e2ee = room->require_e2ee || (feeds.count > 0 && feeds.items[0].stream->owner->e2ee);
    if (owner != NULL && room->require_pvtid) {
        s->owner = owner;
        list_add_tail(&owner->own_subs, &s->of_owner);
    }
    (void)vr_feeds_add(call->vr, s, &feeds, false);
    vr_feeds_free(&feeds);
    if (s->stream_count == 0) {
        drop_subscriber(call, s);
        return vr_fail(call, VR_INVALID_SDP, "Can't offer an SDP with no stream");
    }
    host_peer_group(call->vr->host, call->session->handle, vr_id_hash(call->vr, &room->id));
    write_attached(call, s, legacy);
    error = vr_subscriber_reply_offer(call, s, false);
    if (s->answered)                        /* the offer did not leave: the join has failed */
        drop_subscriber(call, s);
    return error;
}

static enum vr_error join(struct vr_call *call, bool configure)
{
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_check_fields(call, VR_FIELDS(join_fields), call->body);
    if (error != VR_OK)
        return error;
    struct vr_room *room = vr_room_find(call->vr, &id);
    if (room == NULL)
        return vr_fail(call, VR_NO_SUCH_ROOM, "No such room (%s)", vr_id_show(&id, shown));
    error = check_token(call, room);
    if (error == VR_OK)
        error = vr_check_secret(call, "pin", room->pin);
    if (error != VR_OK)
        return error;
    struct view ptype = str_of(vr_text(call->body, "ptype"));
    if (str_equal_nocase(ptype, STR("publisher")))
        return join_publisher(call, room, configure);
    if (str_equal_nocase(ptype, STR("subscriber")))
        return join_subscriber(call, room);
    return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element (ptype)");
}

enum vr_error vr_req_join(struct vr_call *call)
{
    return join(call, false);
}

enum vr_error vr_req_joinandconfigure(struct vr_call *call)
{
    return join(call, true);
}
