/* Rooms of the configuration file (videoroom.md 2.2, 2.3). */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

static uint32_t positive(const struct conf_node *node, const char *name, uint32_t fallback)
{
    int64_t v = conf_i64(node, name, fallback);
    return v < 0 ? fallback : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static char *text_or_null(const struct conf_node *node, const char *name)
{
    const char *text = conf_text(node, name, "");
    return text[0] == '\0' ? NULL : vr_strdup(text);
}

/* `room-1234` or `1234`; in integer mode plain decimal, not 0, written the usual way. */
static bool category_id(const struct videoroom *vr, const char *category, struct vr_id *out)
{
    struct view name = str_of(category);
    if (str_starts(name, STR("room-"))) {
        name.data += 5;
        name.size -= 5;
    }
    *out = (struct vr_id){0};
    if (vr->string_ids) {
        out->text = (char *)name.data;              /* borrowed; category is NUL-terminated */
        return name.size > 0 && vr_id_text_is_fine(name);
    }
    return str_u64(name, &out->number) && out->number != 0 && name.data[0] != '0';
}

static void read_codecs(struct vr_room *room, const struct conf_node *node)
{
    const char *audio = conf_text(node, "audiocodec", ""), *video = conf_text(node, "videocodec", "");
    bool has_opus, has_vp9, has_h264;
    if (audio[0] != '\0')
        (void)vr_room_codecs(room->audio_codecs, audio, false, false);
    if (video[0] != '\0')
        (void)vr_room_codecs(room->video_codecs, video, true, false);
    vr_room_allows(room->audio_codecs, CODEC_OPUS, &has_opus);
    vr_room_allows(room->video_codecs, CODEC_VP9, &has_vp9);
    vr_room_allows(room->video_codecs, CODEC_H264, &has_h264);
    room->vp9_profile = has_vp9 ? text_or_null(node, "vp9_profile") : NULL;
    room->h264_profile = has_h264 ? text_or_null(node, "h264_profile") : NULL;
    room->opus_fec = conf_bool(node, "opus_fec", true);
    room->opus_dtx = conf_bool(node, "opus_dtx", false);
    if (!has_opus && conf_get(node, "opus_fec") != NULL)
        room->opus_fec = false;
    if (!has_opus)
        room->opus_dtx = false;
}

static void read_room(struct vr_room *room, const struct conf_node *node, const char *category)
{
    const char *description = conf_text(node, "description", "");
    room->description = vr_strdup(description[0] != '\0' ? description : category);
    room->is_private = conf_bool(node, "is_private", false);
    room->secret = text_or_null(node, "secret");
    room->pin = text_or_null(node, "pin");
    room->require_pvtid = conf_bool(node, "require_pvtid", false);
    room->signed_tokens = conf_bool(node, "signed_tokens", false);
    room->require_e2ee = conf_bool(node, "require_e2ee", false);
    room->publishers_max = positive(node, "publishers", VR_PUBLISHERS);
    room->bitrate_bps = positive(node, "bitrate", 0);
    vr_floor_bitrate(&room->bitrate_bps);
    room->bitrate_cap = conf_bool(node, "bitrate_cap", false);
    const uint32_t fir_freq = positive(node, "fir_freq", 0);
    room->fir_freq_s = fir_freq > UINT16_MAX ? UINT16_MAX : (uint16_t)fir_freq;
    room->audiolevel_ext = conf_bool(node, "audiolevel_ext", true);
    room->audiolevel_event = conf_bool(node, "audiolevel_event", false);
    room->videoorient_ext = conf_bool(node, "videoorient_ext", true);
    room->playoutdelay_ext = conf_bool(node, "playoutdelay_ext", true);
    room->twcc_ext = conf_bool(node, "transport_wide_cc_ext", true);
    room->notify_joining = conf_bool(node, "notify_joining", false);
    room->record = conf_bool(node, "record", false);
    room->rec_dir = text_or_null(node, "rec_dir");
    room->lock_record = conf_bool(node, "lock_record", false);
    room->dummy_publisher = conf_bool(node, "dummy_publisher", false);
    if (room->audiolevel_event) {
        room->audio_active_packets = positive(node, "audio_active_packets", 100);
        room->audio_level_average = positive(node, "audio_level_average", 25);
        if (room->audio_active_packets == 0)
            room->audio_active_packets = 100;
        if (room->audio_level_average == 0)
            room->audio_level_average = 25;
    }
    read_codecs(room, node);
}

/* What a room asks for and does not get yet is said once, at start. */
static void name_unbuilt(struct videoroom *vr, const struct vr_room *room, const char *category)
{
    if (room->signed_tokens && !host_token_mode_signed(vr->host))
        host_log(vr->host, 3, "VideoRoom: %s asks for signed tokens, but the server is not in signed-token mode: the key has no effect",
                 category);
}

static void add_dummy(struct videoroom *vr, struct vr_room *room, const struct conf_node *node)
{
    const struct conf_node *list = conf_get(node, "dummy_streams");
    struct vr_dummy_stream streams[VR_DUMMY_STREAMS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < conf_count(list) && count < VR_DUMMY_STREAMS_MAX; i++) {
        const enum codec codec = codec_by_name(str_of(conf_text(conf_at(list, i), "codec", "")));
        if (codec != CODEC_NONE)
            streams[count++] = (struct vr_dummy_stream){(uint8_t)codec, conf_text(conf_at(list, i), "fmtp", NULL)};
    }
    vr_dummy_join(vr, room, streams, count, conf_bool(node, "dummy_e2ee", false));
}

static void close_sample_secret(struct videoroom *vr, struct vr_room *room, const char *category)
{
    room->management_closed = secret_is_sample(room->secret);
    if (room->management_closed)
        host_log(vr->host, 3, "VideoRoom: %s has a secret from a sample file; requests that need it are refused until you set your own",
                 category);
}

void vr_rooms_from_conf(struct videoroom *vr, const struct conf_node *conf)
{
    for (uint32_t i = 0; i < conf_count(conf); i++) {
        const struct conf_node *node = conf_at(conf, i);
        const char *category = conf_name(node);
        struct vr_id id;
        if (conf_kind(node) != CONF_GROUP || str_equal_nocase(str_of(category), STR("general")))
            continue;
        if (!category_id(vr, category, &id)) {
            host_log(vr->host, 2, "VideoRoom: %s is no usable room id, skipped", category);
            continue;
        }
        if (vr_room_find(vr, &id) != NULL || vr->rooms.count == VR_ROOMS_MAX) {
            host_log(vr->host, 2, "VideoRoom: room %s exists already, skipped", category);
            continue;
        }
        struct vr_room *room = vr_room_new(vr, &id);
        read_room(room, node, category);
        close_sample_secret(vr, room, category);
        name_unbuilt(vr, room, category);
        if (positive(node, "threads", 0) > 0)
            host_log(vr->host, 4, "VideoRoom: %s asks for threads: media threads are shared by all rooms, so the key has no effect", category);
        vr_room_add(vr, room);
        add_dummy(vr, room, node);
    }
}
