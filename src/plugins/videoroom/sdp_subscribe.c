/* The offer to a subscriber (videoroom.md 13.3): one m-line per stream of the subscription, in order, never removed. */
#include <stdio.h>

#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

/* Free among those of webrtc.md 4.4, which has none for it. */
#define DESCRIPTOR_EXT_ID 8u

static void offer_exts(const struct vr_room *room, const struct vr_sub_stream *sub, struct sdp_offer_line *line)
{
    const struct vr_pub_stream *source = sub->source;
    line->ext_ids[SDP_EXT_MID] = sdp_ext_default_id(SDP_EXT_MID);
    if (sub->kind == MEDIA_VIDEO)
        line->ext_ids[SDP_EXT_ABS_SEND_TIME] = sdp_ext_default_id(SDP_EXT_ABS_SEND_TIME);
    if (source == NULL)
        return;
    /* Transport-cc feedback would be 80 % of what a server with many viewers receives, and nothing but a choice of layers
     * could follow from it (design section 5): only those who have the choice are asked for it. */
    if (room->twcc_ext && (source->simulcast || source->svc))
        line->ext_ids[SDP_EXT_TRANSPORT_CC] = sdp_ext_default_id(SDP_EXT_TRANSPORT_CC);
    /* A picture of AV1 with several spatial layers can't be put together without it; VP9's own descriptor says it all. */
    if (source->svc && source->codec == CODEC_AV1 && source->described)
        line->ext_ids[SDP_EXT_DEPENDENCY_DESCRIPTOR] = DESCRIPTOR_EXT_ID;
    if (source->audiolevel_id > 0)
        line->ext_ids[SDP_EXT_AUDIO_LEVEL] = sdp_ext_default_id(SDP_EXT_AUDIO_LEVEL);
    if (source->playoutdelay_id > 0)
        line->ext_ids[SDP_EXT_PLAYOUT_DELAY] = sdp_ext_default_id(SDP_EXT_PLAYOUT_DELAY);
    if (source->videoorient_id > 0)
        line->ext_ids[SDP_EXT_VIDEO_ORIENTATION] = sdp_ext_default_id(SDP_EXT_VIDEO_ORIENTATION);
}

static void offer_formats(struct sdp *offer, const struct vr_sub_stream *sub, struct sdp_offer_line *line)
{
    const struct vr_pub_stream *source = sub->source;
    if (source == NULL)
        return;
    if (sub->kind == MEDIA_AUDIO) {
        const struct view text = sdp_textf(offer, "%s%s%s", source->fec ? ";useinbandfec=1" : "", source->dtx ? ";usedtx=1" : "",
                                           source->stereo ? ";stereo=1" : "");
        if (text.size > 0)
            line->fmtp = VIEW(text.data + 1, text.size - 1);
    } else {
        line->profile = str_of(source->profile);
    }
}

/* `<id> <track>`: an id of ours may be a text with blanks (RFC 8830 2: one word). */
static struct view msid_of(struct sdp *offer, const struct vr_sub_stream *sub)
{
    char shown[VR_ID_SHOWN];
    (void)vr_id_show(&sub->source->owner->id, shown);
    for (char *p = shown; *p != '\0'; p++)
        *p = *p == ' ' ? '_' : *p;
    return sdp_textf(offer, "%s %u", shown, sub->mindex);
}

static bool offer_data(struct sdp *offer, const struct vr_sub_stream *sub)
{
    struct sdp_offer_line line = sdp_offer_line_of(SDP_APPLICATION, SDP_SENDONLY);
    line.mid = sdp_textf(offer, "%u", sub->mindex);
    return sdp_offer_add(offer, &line) != NULL;
}

static bool offer_line(const struct vr_subscriber *s, struct sdp *offer, const struct vr_sub_stream *sub)
{
    const bool sends = sub->source != NULL && !sub->source->disabled;
    if (sub->kind == MEDIA_DATA)
        return offer_data(offer, sub);
    struct sdp_offer_line line = sdp_offer_line_of(sub->kind == MEDIA_AUDIO ? SDP_AUDIO : SDP_VIDEO, sends ? SDP_SENDONLY : SDP_INACTIVE);
    line.codec = (enum codec)sub->codec;
    if (sub->codec == CODEC_RED) {
        line.codec = CODEC_OPUS;
        line.red_pt = codec_info(CODEC_RED)->pt;
    }
    line.mid = sdp_textf(offer, "%u", sub->mindex);
    if (s->use_msid && sends)
        line.msid = msid_of(offer, sub);
    offer_exts(s->room, sub, &line);
    offer_formats(offer, sub, &line);
    return sdp_offer_add(offer, &line) != NULL;
}

bool vr_offer_subscriber(struct videoroom *vr, struct vr_subscriber *s, struct buf *out)
{
    char name[VR_ID_SHOWN + 16], shown[VR_ID_SHOWN];
    if (s->room == NULL)
        return false;
    snprintf(name, sizeof(name), "VideoRoom %s", vr_id_show(&s->room->id, shown));
    struct sdp *offer = sdp_offer_new(str_of(name), host_wall_us(vr->host), ++s->offer_version);
    bool fine = true;
    for (uint16_t i = 0; i < s->stream_count; i++)
        fine = offer_line(s, offer, s->streams[i]) && fine;
    fine = fine && sdp_write(offer, out);
    sdp_free(offer);
    return fine;
}
