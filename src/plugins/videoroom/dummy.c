/* The dummy publisher (videoroom.md 14.8): it never sends; subscribing to it makes m-lines that are fed later, by `switch`. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

static bool fmtp_has(const char *fmtp, const char *text)
{
    return fmtp != NULL && str_contains(str_of(fmtp), str_of(text));
}

static void set_profile(const struct vr_room *room, struct vr_pub_stream *stream, const char *fmtp)
{
    const bool h264 = stream->codec == CODEC_H264;
    const char *rooms = h264 ? room->h264_profile : stream->codec == CODEC_VP9 ? room->vp9_profile : NULL;
    struct view given = {NULL, 0};
    if (!h264 && stream->codec != CODEC_VP9)
        return;
    if (fmtp != NULL)
        given = sdp_fmtp_param(str_of(fmtp), h264 ? STR("profile-level-id") : STR("profile-id"));
    if (!str_copy(stream->profile, sizeof(stream->profile), given.size > 0 ? given : str_of(rooms)))
        stream->profile[0] = '\0';
}

static void add_stream(struct vr_participant *p, enum codec codec, const char *fmtp)
{
    const struct vr_room *room = p->room;
    struct vr_pub_stream *stream = vr_stream_add(p, p->stream_count);
    const bool opus = codec == CODEC_OPUS;
    stream->kind = codec_info(codec)->kind == CODEC_KIND_VIDEO ? MEDIA_VIDEO : MEDIA_AUDIO;
    stream->codec = (uint8_t)codec;
    snprintf(stream->mid, sizeof(stream->mid), "%u", stream->mindex);
    stream->fec = opus && room->opus_fec && fmtp_has(fmtp, "useinbandfec=1");
    stream->dtx = opus && room->opus_dtx && fmtp_has(fmtp, "usedtx=1");
    stream->stereo = opus && fmtp_has(fmtp, "stereo=1");
    set_profile(room, stream, fmtp);
}

static bool room_has(const struct vr_room *room, enum codec codec)
{
    bool audio, video;
    vr_room_allows(room->audio_codecs, codec, &audio);
    vr_room_allows(room->video_codecs, codec, &video);
    return audio || video;
}

/* Numbers in string mode too (videoroom.md 14.8). */
static struct vr_id dummy_id(struct videoroom *vr)
{
    char text[24];
    if (!vr->string_ids)
        return vr_id_random(vr);
    snprintf(text, sizeof(text), "%" PRIu64, rng_id53(host_rng(vr->host)));
    return (struct vr_id){.text = vr_strdup(text)};
}

void vr_dummy_join(struct videoroom *vr, struct vr_room *room, const struct vr_dummy_stream *streams, uint32_t count, bool e2ee)
{
    if (!room->dummy_publisher)
        return;
    struct vr_participant *p = vr_participant_new(NULL);
    p->dummy = true;
    p->id = dummy_id(vr);
    p->display = vr_strdup("Dummy publisher");
    p->e2ee = room->require_e2ee || e2ee;
    p->started = true;
    vr_participant_join(vr, p, room);
    for (unsigned i = 0; count == 0 && i < VR_CODECS_MAX; i++)
        if (room->audio_codecs[i] != CODEC_NONE)
            add_stream(p, (enum codec)room->audio_codecs[i], NULL);
    for (unsigned i = 0; count == 0 && i < VR_CODECS_MAX; i++)
        if (room->video_codecs[i] != CODEC_NONE)
            add_stream(p, (enum codec)room->video_codecs[i], NULL);
    for (uint32_t i = 0; i < count; i++)
        if (room_has(room, (enum codec)streams[i].codec))
            add_stream(p, (enum codec)streams[i].codec, streams[i].fmtp);
}
