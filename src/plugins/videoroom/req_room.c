/* Requests that manage rooms (videoroom.md 5). All are answered at once, and are open to the Admin API too. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/requests.h"

/* ---- create ---- */

static const struct schema_field create_fields[] = {
    {"description", SCHEMA_STRING, false},       {"is_private", SCHEMA_BOOL, false},         {"allowed", SCHEMA_ARRAY, false},
    {"secret", SCHEMA_STRING, false},            {"pin", SCHEMA_STRING, false},              {"require_pvtid", SCHEMA_BOOL, false},
    {"signed_tokens", SCHEMA_BOOL, false},       {"bitrate", SCHEMA_POSINT, false},          {"bitrate_cap", SCHEMA_BOOL, false},
    {"fir_freq", SCHEMA_POSINT, false},          {"publishers", SCHEMA_POSINT, false},       {"audiocodec", SCHEMA_STRING, false},
    {"videocodec", SCHEMA_STRING, false},        {"vp9_profile", SCHEMA_STRING, false},      {"h264_profile", SCHEMA_STRING, false},
    {"opus_fec", SCHEMA_BOOL, false},            {"opus_dtx", SCHEMA_BOOL, false},           {"audiolevel_ext", SCHEMA_BOOL, false},
    {"audiolevel_event", SCHEMA_BOOL, false},    {"audio_active_packets", SCHEMA_POSINT, false},
    {"audio_level_average", SCHEMA_POSINT, false}, {"videoorient_ext", SCHEMA_BOOL, false},  {"playoutdelay_ext", SCHEMA_BOOL, false},
    {"transport_wide_cc_ext", SCHEMA_BOOL, false}, {"record", SCHEMA_BOOL, false},           {"rec_dir", SCHEMA_STRING, false},
    {"lock_record", SCHEMA_BOOL, false},         {"permanent", SCHEMA_BOOL, false},          {"notify_joining", SCHEMA_BOOL, false},
    {"require_e2ee", SCHEMA_BOOL, false},        {"dummy_publisher", SCHEMA_BOOL, false},    {"dummy_streams", SCHEMA_ARRAY, false},
    {"dummy_e2ee", SCHEMA_BOOL, false},          {"threads", SCHEMA_POSINT, false},
};

static char *text_or_null(const json_t *body, const char *name)
{
    const char *text = vr_text(body, name);
    return text == NULL || text[0] == '\0' ? NULL : vr_strdup(text);
}

/* An empty secret or pin is one all the same: it has to be given. */
static char *text_as_given(const json_t *body, const char *name)
{
    const char *text = vr_text(body, name);
    return text == NULL ? NULL : vr_strdup(text);
}

static enum vr_error check_codecs(struct vr_call *call)
{
    uint8_t codecs[VR_CODECS_MAX];
    const char *audio = vr_text(call->body, "audiocodec"), *video = vr_text(call->body, "videocodec");
    if (audio != NULL && audio[0] != '\0' && !vr_room_codecs(codecs, audio, false, true))
        return vr_fail(call, VR_INVALID_ELEMENT,
                       "Invalid element (audiocodec can only be or contain opus, isac32, isac16, pcmu, pcma or g722)");
    if (video != NULL && video[0] != '\0' && !vr_room_codecs(codecs, video, true, true))
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element (videocodec can only be or contain vp8, vp9, av1, h264 or h265)");
    return VR_OK;
}

/* A text that would be repeated to everybody has a limit of its own. */
static enum vr_error check_texts(struct vr_call *call, const char *name)
{
    const json_t *value = json_object_get(call->body, name);
    if (json_string_length(value) > VR_TEXT_MAX)
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element value (%s is too long)", name);
    return VR_OK;
}

static void read_codecs(struct vr_room *room, const json_t *body)
{
    const char *audio = vr_text(body, "audiocodec"), *video = vr_text(body, "videocodec");
    bool has_opus, has_vp9, has_h264;
    if (audio != NULL && audio[0] != '\0')
        (void)vr_room_codecs(room->audio_codecs, audio, false, true);
    if (video != NULL && video[0] != '\0')
        (void)vr_room_codecs(room->video_codecs, video, true, true);
    vr_room_allows(room->audio_codecs, CODEC_OPUS, &has_opus);
    vr_room_allows(room->video_codecs, CODEC_VP9, &has_vp9);
    vr_room_allows(room->video_codecs, CODEC_H264, &has_h264);
    room->vp9_profile = has_vp9 ? text_or_null(body, "vp9_profile") : NULL;
    room->h264_profile = has_h264 ? text_or_null(body, "h264_profile") : NULL;
    room->opus_fec = vr_bool(body, "opus_fec", true);
    room->opus_dtx = has_opus && vr_bool(body, "opus_dtx", false);
    if (!has_opus && json_object_get(body, "opus_fec") != NULL)
        room->opus_fec = false;
}

static void read_properties(struct vr_room *room, const json_t *body)
{
    char text[VR_ID_SHOWN + 8], shown[VR_ID_SHOWN];
    room->description = text_or_null(body, "description");
    if (room->description == NULL) {
        snprintf(text, sizeof(text), "Room %s", vr_id_show(&room->id, shown));
        room->description = vr_strdup(text);
    }
    room->is_private = vr_bool(body, "is_private", false);
    room->secret = text_as_given(body, "secret");
    room->pin = text_as_given(body, "pin");
    room->require_pvtid = vr_bool(body, "require_pvtid", false);
    room->signed_tokens = vr_bool(body, "signed_tokens", false);
    room->require_e2ee = vr_bool(body, "require_e2ee", false);
    room->publishers_max = vr_u32(body, "publishers", VR_PUBLISHERS);
    room->bitrate_bps = vr_u32(body, "bitrate", 0);
    vr_floor_bitrate(&room->bitrate_bps);
    room->bitrate_cap = vr_bool(body, "bitrate_cap", false);
    room->fir_freq_s = vr_u16(body, "fir_freq", 0);
    room->audiolevel_ext = vr_bool(body, "audiolevel_ext", true);
    room->audiolevel_event = vr_bool(body, "audiolevel_event", false);
    if (room->audiolevel_event) {
        room->audio_active_packets = vr_u32(body, "audio_active_packets", 100);
        room->audio_level_average = vr_u32(body, "audio_level_average", 25);
        if (room->audio_active_packets == 0)
            room->audio_active_packets = 100;
        if (room->audio_level_average == 0)
            room->audio_level_average = 25;
    }
    room->videoorient_ext = vr_bool(body, "videoorient_ext", true);
    room->playoutdelay_ext = vr_bool(body, "playoutdelay_ext", true);
    room->twcc_ext = vr_bool(body, "transport_wide_cc_ext", true);
    room->record = vr_bool(body, "record", false);
    room->rec_dir = text_as_given(body, "rec_dir");
    room->lock_record = vr_bool(body, "lock_record", false);
    room->notify_joining = vr_bool(body, "notify_joining", false);
    room->dummy_publisher = vr_bool(body, "dummy_publisher", false);
    read_codecs(room, body);
}

static enum vr_error read_allowed(struct vr_call *call, struct vr_room *room)
{
    const json_t *allowed = json_object_get(call->body, "allowed");
    size_t index;
    const json_t *token;
    if (allowed == NULL)
        return VR_OK;
    room->acl.on = true;
    json_array_foreach(allowed, index, token)
        if (!acl_add(&room->acl, host_hash_key(call->vr->host), json_string_value(token)))
            return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element (at most %u tokens in the allowed array)", ACL_TOKENS_MAX);
    return VR_OK;
}

/* Entries that are none are skipped (videoroom.md 2.3). */
static void add_dummy(struct vr_call *call, struct vr_room *room)
{
    const json_t *list = json_object_get(call->body, "dummy_streams"), *entry;
    struct vr_dummy_stream streams[VR_DUMMY_STREAMS_MAX];
    uint32_t count = 0;
    size_t index;
    json_array_foreach(list, index, entry) {
        const json_t *fmtp = json_object_get(entry, "fmtp");
        const char *name = vr_text(entry, "codec");
        const enum codec codec = name == NULL ? CODEC_NONE : codec_by_name(str_of(name));
        if (codec != CODEC_NONE && (fmtp == NULL || json_is_string(fmtp)) && count < VR_DUMMY_STREAMS_MAX)
            streams[count++] = (struct vr_dummy_stream){(uint8_t)codec, vr_text(entry, "fmtp")};
    }
    vr_dummy_join(call->vr, room, streams, count, vr_bool(call->body, "dummy_e2ee", false));
}

static enum vr_error check_create(struct vr_call *call, struct vr_id *id)
{
    enum vr_error error = vr_id_read(call, call->body, "room", false, id);
    if (error == VR_OK)
        error = vr_check_admin_key(call);
    if (error == VR_OK)
        error = check_codecs(call);
    if (error == VR_OK && !field_all_strings(json_object_get(call->body, "allowed")))
        error = vr_fail(call, VR_INVALID_ELEMENT, "Invalid element in the allowed array (not a string)");
    if (error == VR_OK)
        error = check_texts(call, "description");
    if (error == VR_OK)
        error = vr_check_permanent(call, "create permanent room");
    return error;
}

static enum vr_error req_create(struct vr_call *call)
{
    struct videoroom *vr = call->vr;
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    enum vr_error error = check_create(call, &id);
    if (error != VR_OK)
        return error;
    if (!vr_id_is_unset(&id) && vr_room_find(vr, &id) != NULL)
        return vr_fail(call, VR_ROOM_EXISTS, "Room %s already exists", vr_id_show(&id, shown));
    if (vr->rooms.count == VR_ROOMS_MAX)
        return vr_fail(call, VR_UNKNOWN, "Too many rooms");
    if (host_memory_short(vr->host))
        return vr_fail(call, VR_UNKNOWN, "No memory for another room");
    struct vr_id chosen = {0};
    if (vr_id_is_unset(&id)) {
        do {
            vr_id_free(&chosen);
            chosen = vr_id_random(vr);
        } while (vr_room_find(vr, &chosen) != NULL);
    } else {
        chosen = vr_id_copy(&id);
    }
    struct vr_room *room = vr_room_new(vr, &chosen);
    vr_id_free(&chosen);
    read_properties(room, call->body);
    error = read_allowed(call, room);
    if (error != VR_OK) {
        vr_room_free(vr, room);
        return error;
    }
    add_dummy(call, room);
    vr_room_add(vr, room);
    return vr_answer_room(call, "created", room, false);
}

/* ---- edit, destroy ---- */

static const struct schema_field edit_fields[] = {
    {"secret", SCHEMA_STRING, false},           {"new_description", SCHEMA_STRING, false}, {"new_is_private", SCHEMA_BOOL, false},
    {"new_secret", SCHEMA_STRING, false},       {"new_pin", SCHEMA_STRING, false},         {"new_require_pvtid", SCHEMA_BOOL, false},
    {"new_bitrate", SCHEMA_POSINT, false},      {"new_fir_freq", SCHEMA_POSINT, false},    {"new_publishers", SCHEMA_POSINT, false},
    {"new_lock_record", SCHEMA_BOOL, false},    {"new_rec_dir", SCHEMA_STRING, false},     {"permanent", SCHEMA_BOOL, false},
};

enum vr_error vr_managed_room(struct vr_call *call, struct vr_room **room)
{
    enum vr_error error = vr_room_of(call, room);
    if (error == VR_OK && (*room)->management_closed)
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized (wrong secret)");
    return error == VR_OK ? vr_check_secret(call, "secret", (*room)->secret) : error;
}

static void replace_text(char **text, const json_t *body, const char *name, bool empty_too)
{
    const char *value = vr_text(body, name);
    if (value == NULL || (value[0] == '\0' && !empty_too))
        return;
    mem_put(*text);
    *text = vr_strdup(value);
}

static enum vr_error req_edit(struct vr_call *call)
{
    struct vr_room *room;
    const json_t *body = call->body;
    enum vr_error error = vr_managed_room(call, &room);
    if (error == VR_OK)
        error = check_texts(call, "new_description");
    if (error == VR_OK)
        error = vr_check_permanent(call, "edit room permanently");
    if (error != VR_OK)
        return error;
    replace_text(&room->description, body, "new_description", false);
    replace_text(&room->secret, body, "new_secret", false);
    replace_text(&room->pin, body, "new_pin", false);
    replace_text(&room->rec_dir, body, "new_rec_dir", true);
    room->is_private = vr_bool(body, "new_is_private", room->is_private);
    room->require_pvtid = vr_bool(body, "new_require_pvtid", room->require_pvtid);
    room->bitrate_bps = vr_u32(body, "new_bitrate", room->bitrate_bps);
    vr_floor_bitrate(&room->bitrate_bps);
    room->fir_freq_s = vr_u16(body, "new_fir_freq", room->fir_freq_s);
    room->publishers_max = vr_u32(body, "new_publishers", room->publishers_max);
    room->lock_record = vr_bool(body, "new_lock_record", room->lock_record);
    vr_room_changed(room);
    return vr_answer_room(call, "edited", room, false);
}

static const struct schema_field destroy_fields[] = {{"secret", SCHEMA_STRING, false}, {"permanent", SCHEMA_BOOL, false}};

/* Everybody is told, and their media ended; what the room leaves behind on handles is a role without a room. */
void vr_room_empty(struct videoroom *vr, struct vr_room *room)
{
    struct buf text;
    struct json_out j;
    buf_init(&text, VR_EVENT_BYTES);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "videoroom", "destroyed");
    vr_id_write(&j, "room", &room->id);
    jout_end(&j);
    LIST_EACH(it, &room->participants) {
        struct vr_participant *p = CONTAINER_OF(it, struct vr_participant, of_room);
        vr_tell(vr, p->session, buf_whole(&text));
        vr_participant_part(vr, p);
        if (p->session != NULL)
            host_peer_close(vr->host, p->session->handle);
        else
            vr_participant_free(vr, p);
    }
    LIST_EACH(it, &room->subscribers) {
        struct vr_subscriber *s = CONTAINER_OF(it, struct vr_subscriber, of_room);
        list_del(it);
        s->room = NULL;
    }
    buf_fini(&text);
}

static enum vr_error req_destroy(struct vr_call *call)
{
    struct vr_room *room;
    enum vr_error error = vr_managed_room(call, &room);
    if (error == VR_OK)
        error = vr_check_permanent(call, "destroy room permanently");
    if (error != VR_OK)
        return error;
    vr_room_empty(call->vr, room);
    map_del(&call->vr->rooms, &room->node);
    error = vr_answer_room(call, "destroyed", room, true);
    vr_room_free(call->vr, room);
    return error;
}

/* ---- exists, list, listparticipants ---- */

static enum vr_error req_exists(struct vr_call *call)
{
    struct vr_id id;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error != VR_OK)
        return error;
    jout_string(&call->j, "videoroom", "success");
    vr_id_write(&call->j, "room", &id);
    jout_bool(&call->j, "exists", vr_room_find(call->vr, &id) != NULL);
    return VR_OK;
}

static enum vr_error req_list(struct vr_call *call)
{
    struct videoroom *vr = call->vr;
    const char *key = vr_text(call->body, "admin_key");
    bool all = false;
    if (vr->admin_key != NULL && key != NULL && key[0] != '\0') {
        enum vr_error error = vr_check_admin_key(call);
        if (error != VR_OK)
            return error;
        all = true;
    }
    return vr_list_rooms(call, all);
}

static void write_listed_participant(struct json_out *j, const struct vr_participant *p)
{
    jout_object(j, NULL);
    vr_id_write(j, "id", &p->id);
    vr_write_name(j, p);
    if (p->dummy)
        jout_bool(j, "dummy", true);
    if (p->remote)
        jout_bool(j, "remote", true);
    jout_bool(j, "publisher", p->started);
    if (p->started && vr_has_levels(p))
        jout_bool(j, "talking", vr_is_talking(p));
    jout_end(j);
}

static enum vr_error req_listparticipants(struct vr_call *call)
{
    struct vr_room *room;
    enum vr_error error = vr_room_of(call, &room);
    if (error != VR_OK)
        return error;
    jout_string(&call->j, "videoroom", "participants");
    vr_id_write(&call->j, "room", &room->id);
    jout_array(&call->j, "participants");
    LIST_EACH(it, &room->participants)
        write_listed_participant(&call->j, CONTAINER_OF(it, struct vr_participant, of_room));
    jout_end(&call->j);
    return VR_OK;
}

/* ---- allowed, kick, moderate ---- */

static const struct schema_field allowed_fields[] = {
    {"secret", SCHEMA_STRING, false}, {"action", SCHEMA_STRING, true}, {"allowed", SCHEMA_ARRAY, false},
};

static enum vr_error change_allowed(struct vr_call *call, struct vr_room *room, bool add)
{
    const json_t *allowed = json_object_get(call->body, "allowed");
    size_t index;
    const json_t *token;
    if (!field_all_strings(allowed))
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element in the allowed array (not a string)");
    json_array_foreach(allowed, index, token) {
        if (!add)
            acl_del(&room->acl, host_hash_key(call->vr->host), json_string_value(token));
        else if (!acl_add(&room->acl, host_hash_key(call->vr->host), json_string_value(token)))
            return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element (at most %u tokens in the allowed array)", ACL_TOKENS_MAX);
    }
    return VR_OK;
}

static enum vr_error req_allowed(struct vr_call *call)
{
    static const char *const actions[] = {"enable", "disable", "add", "remove"};
    struct vr_room *room;
    struct vr_id id;
    unsigned action = 0;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_check_fields(call, VR_FIELDS(allowed_fields), call->body);
    if (error != VR_OK)
        return error;
    const char *name = vr_text(call->body, "action");
    while (action < ARRAY_COUNT(actions) && !str_equal_nocase(str_of(name), str_of(actions[action])))
        action++;
    if (action == ARRAY_COUNT(actions))
        return vr_fail(call, VR_INVALID_ELEMENT, "Unsupported action '%.64s' (allowed)", name);
    error = vr_managed_room(call, &room);
    if (error == VR_OK && action >= 2)
        error = change_allowed(call, room, action == 2);
    if (error != VR_OK)
        return error;
    if (action < 2)
        room->acl.on = action == 0;
    jout_string(&call->j, "videoroom", "success");
    vr_id_write(&call->j, "room", &room->id);
    if (action == 1)
        return VR_OK;
    acl_write(&room->acl, &call->j, "allowed");
    return VR_OK;
}

static const struct schema_field secret_field[] = {{"secret", SCHEMA_STRING, false}};

static enum vr_error user_of(struct vr_call *call, struct vr_room *room, struct vr_participant **out)
{
    struct vr_id id;
    char user[VR_ID_SHOWN], shown[VR_ID_SHOWN];
    enum vr_error error = vr_id_read(call, call->body, "id", true, &id);
    if (error != VR_OK)
        return error;
    *out = vr_room_participant(call->vr, room, &id);
    if (*out == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such user %s in room %s", vr_id_show(&id, user), vr_id_show(&room->id, shown));
    return VR_OK;
}

static enum vr_error req_kick(struct vr_call *call)
{
    struct videoroom *vr = call->vr;
    struct vr_room *room;
    struct vr_participant *p;
    struct vr_id id;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", true, &id);
    if (error == VR_OK)
        error = vr_managed_room(call, &room);
    if (error == VR_OK)
        error = user_of(call, room, &p);
    if (error == VR_OK && p->dummy)
        error = vr_fail(call, VR_NO_SUCH_FEED, "Can't kick dummy users");
    if (error != VR_OK)
        return error;
    jout_string(&call->j, "videoroom", "success");
    if (p->remote) {
        vr_remote_leave(vr, p, "kicked");
        return VR_OK;
    }
    struct buf text;
    struct json_out j;
    buf_init(&text, VR_EVENT_BYTES);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "videoroom", "event");
    vr_id_write(&j, "room", &room->id);
    jout_string(&j, "leaving", "ok");
    jout_string(&j, "reason", "kicked");
    jout_end(&j);
    vr_tell(vr, p->session, buf_whole(&text));
    buf_fini(&text);
    p->kicked = true;
    vr_notify_gone(vr, room, p, "kicked");
    vr_participant_part(vr, p);
    host_peer_close(vr->host, p->session->handle);
    return VR_OK;
}

static const struct schema_field moderate_fields[] = {
    {"secret", SCHEMA_STRING, false}, {"mid", SCHEMA_STRING, true}, {"mute", SCHEMA_BOOL, true},
};

static enum vr_error req_moderate(struct vr_call *call)
{
    struct videoroom *vr = call->vr;
    struct vr_room *room;
    struct vr_participant *p;
    struct vr_id id;
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error == VR_OK)
        error = vr_id_read(call, call->body, "id", true, &id);
    if (error == VR_OK)
        error = vr_check_fields(call, VR_FIELDS(moderate_fields), call->body);
    if (error == VR_OK)
        error = vr_managed_room(call, &room);
    if (error == VR_OK)
        error = user_of(call, room, &p);
    if (error != VR_OK)
        return error;
    struct vr_pub_stream *stream = vr_stream_by_mid(p, vr_text(call->body, "mid"));
    if (stream == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such stream %.32s", vr_text(call->body, "mid"));
    stream->moderated = vr_bool(call->body, "mute", false);
    vr_stream_apply(vr, stream);
    vr_participant_changed(p);
    struct buf text;
    struct json_out j;
    buf_init(&text, VR_EVENT_BYTES);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "videoroom", "event");
    vr_id_write(&j, "room", &room->id);
    vr_id_write(&j, "id", &p->id);
    jout_string(&j, "mid", stream->mid);
    jout_string(&j, "moderation", stream->moderated ? "muted" : "unmuted");
    jout_end(&j);
    vr_tell_others(vr, room, NULL, buf_whole(&text));
    buf_fini(&text);
    jout_string(&call->j, "videoroom", "success");
    return VR_OK;
}

const struct vr_request vr_sync_requests[] = {
    {"create", VR_FIELDS(create_fields), req_create},
    {"edit", VR_FIELDS(edit_fields), req_edit},
    {"destroy", VR_FIELDS(destroy_fields), req_destroy},
    {"exists", NULL, 0, req_exists},
    {"list", NULL, 0, req_list},
    {"listparticipants", NULL, 0, req_listparticipants},
    {"allowed", NULL, 0, req_allowed},
    {"kick", VR_FIELDS(secret_field), req_kick},
    {"moderate", NULL, 0, req_moderate},
    {"enable_recording", NULL, 0, vr_req_enable_recording},
    {"rtp_forward", NULL, 0, vr_req_rtp_forward},
    {"stop_rtp_forward", NULL, 0, vr_req_stop_rtp_forward},
    {"listforwarders", NULL, 0, vr_req_listforwarders},
    {"publish_remotely", NULL, 0, vr_req_publish_remotely},
    {"unpublish_remotely", NULL, 0, vr_req_unpublish_remotely},
    {"listremotes", NULL, 0, vr_req_listremotes},
    {"list_remotes", NULL, 0, vr_req_listremotes},
    {"add_remote_publisher", NULL, 0, vr_req_add_remote_publisher},
    {"update_remote_publisher", NULL, 0, vr_req_update_remote_publisher},
    {"remove_remote_publisher", NULL, 0, vr_req_remove_remote_publisher},
};
const size_t vr_sync_request_count = ARRAY_COUNT(vr_sync_requests);
