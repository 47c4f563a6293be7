/* Rooms: properties, access lists, who is in them, and what `list` says of them. */
#include <stdio.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

#define ROOM_LISTED_BYTES (1024u * 1024u)

void vr_floor_bitrate(uint32_t *bps)
{
    if (*bps > 0 && *bps < VR_BITRATE_FLOOR)
        *bps = VR_BITRATE_FLOOR;
}

struct vr_room *vr_room_find(struct videoroom *vr, const struct vr_id *id)
{
    struct map_node *node = map_first(&vr->rooms, vr_id_hash(vr, id));
    while (node != NULL && !vr_id_equal(&CONTAINER_OF(node, struct vr_room, node)->id, id))
        node = map_next_same(node);
    return node == NULL ? NULL : CONTAINER_OF(node, struct vr_room, node);
}

enum vr_error vr_room_of(struct vr_call *call, struct vr_room **out)
{
    struct vr_id id;
    char shown[VR_ID_SHOWN];
    enum vr_error error = vr_id_read(call, call->body, "room", true, &id);
    if (error != VR_OK)
        return error;
    *out = vr_room_find(call->vr, &id);
    if (*out == NULL)
        return vr_fail(call, VR_NO_SUCH_ROOM, "No such room (%s)", vr_id_show(&id, shown));
    return VR_OK;
}

struct vr_room *vr_room_new(struct videoroom *vr, const struct vr_id *id)
{
    struct vr_room *room = mem_get_zero(sizeof(*room));
    (void)vr;
    room->id = vr_id_copy(id);
    room->publishers_max = VR_PUBLISHERS;
    room->opus_fec = true;
    room->audiolevel_ext = true;
    room->videoorient_ext = true;
    room->playoutdelay_ext = true;
    room->twcc_ext = true;
    room->audio_active_packets = 100;
    room->audio_level_average = 25;
    room->audio_codecs[0] = CODEC_OPUS;
    room->video_codecs[0] = CODEC_VP8;
    acl_init(&room->acl);
    list_init(&room->participants);
    list_init(&room->subscribers);
    map_init(&room->by_id);
    map_init(&room->by_private_id);
    return room;
}

void vr_room_add(struct videoroom *vr, struct vr_room *room)
{
    map_add(&vr->rooms, &room->node, vr_id_hash(vr, &room->id));
}

void vr_room_free(struct videoroom *vr, struct vr_room *room)
{
    (void)vr;
    CHECK(list_is_empty(&room->participants));
    CHECK(list_is_empty(&room->subscribers));
    acl_fini(&room->acl);
    map_fini(&room->by_id);
    map_fini(&room->by_private_id);
    vr_id_free(&room->id);
    mem_put(room->description);
    mem_put(room->secret);
    mem_put(room->pin);
    mem_put(room->vp9_profile);
    mem_put(room->h264_profile);
    mem_put(room->rec_dir);
    mem_put(room->listed);
    mem_put(room);
}

/* Names the codecs of a comma list. Strict (create): an empty or unknown item among the first five refuses the list;
 * else (configuration) it becomes an empty slot. */
bool vr_room_codecs(uint8_t out[VR_CODECS_MAX], const char *list, bool video, bool strict)
{
    struct view rest = str_of(list);
    uint8_t codecs[VR_CODECS_MAX] = {CODEC_NONE};
    bool more = true;
    for (unsigned i = 0; i < VR_CODECS_MAX && more; i++) {
        const size_t size = rest.size;
        const struct view item = str_split(&rest, ',');
        enum codec codec = codec_by_name(strict ? item : str_trim(item));
        more = item.size < size;                    /* a comma stood behind it */
        if (codec != CODEC_NONE && codec_info(codec)->kind != (video ? CODEC_KIND_VIDEO : CODEC_KIND_AUDIO))
            codec = CODEC_NONE;
        if (codec == CODEC_NONE && strict)
            return false;
        codecs[i] = (uint8_t)codec;
    }
    memcpy(out, codecs, sizeof(codecs));
    return true;
}

void vr_room_allows(const uint8_t codecs[VR_CODECS_MAX], enum codec codec, bool *out)
{
    *out = false;
    for (unsigned i = 0; i < VR_CODECS_MAX; i++)
        *out = *out || (codec != CODEC_NONE && codecs[i] == codec);
}

void vr_room_changed(struct vr_room *room)
{
    mem_put(room->listed);
    room->listed = NULL;
}

static void write_codecs(struct json_out *j, const char *key, const uint8_t codecs[VR_CODECS_MAX])
{
    char text[128] = "";
    size_t at = 0;
    for (unsigned i = 0; i < VR_CODECS_MAX; i++)
        if (codecs[i] != CODEC_NONE)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? "," : "", codec_info((enum codec)codecs[i])->name);
    jout_string(j, key, text);
}

/* videoroom.md 5.4, in its order. */
static void write_listed(struct json_out *j, const struct vr_room *room)
{
    jout_object(j, NULL);
    vr_id_write(j, "room", &room->id);
    jout_string(j, "description", room->description);
    jout_bool(j, "pin_required", room->pin != NULL);
    jout_bool(j, "is_private", room->is_private);
    jout_uint(j, "max_publishers", room->publishers_max);
    jout_uint(j, "bitrate", room->bitrate_bps);
    if (room->bitrate_cap)
        jout_bool(j, "bitrate_cap", true);
    jout_uint(j, "fir_freq", room->fir_freq_s);
    jout_bool(j, "require_pvtid", room->require_pvtid);
    jout_bool(j, "require_e2ee", room->require_e2ee);
    jout_bool(j, "dummy_publisher", room->dummy_publisher);
    jout_bool(j, "notify_joining", room->notify_joining);
    write_codecs(j, "audiocodec", room->audio_codecs);
    write_codecs(j, "videocodec", room->video_codecs);
    if (room->opus_fec)
        jout_bool(j, "opus_fec", true);
    if (room->opus_dtx)
        jout_bool(j, "opus_dtx", true);
    jout_bool(j, "record", room->record);
    if (room->rec_dir != NULL)
        jout_string(j, "rec_dir", room->rec_dir);
    jout_bool(j, "lock_record", room->lock_record);
    jout_uint(j, "num_participants", room->participant_count);
    jout_bool(j, "audiolevel_ext", room->audiolevel_ext);
    jout_bool(j, "audiolevel_event", room->audiolevel_event);
    if (room->audiolevel_event) {
        jout_uint(j, "audio_active_packets", room->audio_active_packets);
        jout_uint(j, "audio_level_average", room->audio_level_average);
    }
    jout_bool(j, "videoorient_ext", room->videoorient_ext);
    jout_bool(j, "playoutdelay_ext", room->playoutdelay_ext);
    jout_bool(j, "transport_wide_cc_ext", room->twcc_ext);
    jout_end(j);
}

const char *vr_room_listed(struct videoroom *vr, struct vr_room *room)
{
    (void)vr;
    if (room->listed == NULL) {
        struct buf text;
        struct json_out j;
        buf_init(&text, ROOM_LISTED_BYTES);
        jout_begin(&j, &text, LAYOUT_COMPACT);
        write_listed(&j, room);
        room->listed = vr_strdup(buf_text(&text));
        buf_fini(&text);
    }
    return room->listed;
}

struct vr_participant *vr_room_participant(const struct videoroom *vr, const struct vr_room *room, const struct vr_id *id)
{
    struct map_node *node = map_first(&room->by_id, vr_id_hash(vr, id));
    while (node != NULL && !vr_id_equal(&CONTAINER_OF(node, struct vr_participant, node)->id, id))
        node = map_next_same(node);
    return node == NULL ? NULL : CONTAINER_OF(node, struct vr_participant, node);
}

struct vr_participant *vr_room_feed(const struct videoroom *vr, const struct vr_room *room, const struct vr_id *id)
{
    struct vr_participant *p = vr_room_participant(vr, room, id);
    return p != NULL && p->started ? p : NULL;
}

uint32_t vr_room_started(const struct vr_room *room)
{
    uint32_t count = 0;
    LIST_EACH(it, &room->participants)
        count += CONTAINER_OF(it, struct vr_participant, of_room)->started && !CONTAINER_OF(it, struct vr_participant, of_room)->dummy;
    return count;
}
