/* proto/sdp/payload.c - what the payload types of somebody's m-line stand for. */
#include "base/str.h"
#include "proto/sdp/offer_answer.h"
#include "proto/sdp/sdp_internal.h"

bool sdp_pt_split(struct view value, uint8_t *pt, struct view *rest)
{
    uint16_t number;
    struct view body = value;
    if (!str_u16(sdp_field(&body), &number) || number >= SDP_PTS_MAX)
        return false;
    *pt = (uint8_t)number;
    *rest = str_trim(body);
    return true;
}

/* The first of several attributes about one payload type counts. */
static void keep_first(struct view *kept, struct view body)
{
    if (kept->size == 0)
        *kept = body;
}

static enum codec codec_of_kind(enum codec codec, enum sdp_kind kind)
{
    const enum codec_kind wanted = kind == SDP_AUDIO ? CODEC_KIND_AUDIO : CODEC_KIND_VIDEO;
    return codec_info(codec)->kind == wanted ? codec : CODEC_NONE;
}

#define NOTHING {(const uint8_t *)"", 0}
static const struct sdp_payload_table nothing_known = {
    .of = {[0 ... SDP_PTS_MAX - 1] = {.rtpmap = NOTHING, .fmtp = NOTHING, .codec = CODEC_NONE, .apt = SDP_PT_NONE}}};

void sdp_payloads(const struct sdp_mline *mline, struct sdp_payload_table *out)
{
    *out = nothing_known;
    for (const struct sdp_attr *attr = mline->attrs.first; attr != NULL; attr = attr->next) {
        const bool is_rtpmap = str_equal(attr->name, STR("rtpmap"));
        uint8_t pt;
        struct view body;
        if ((is_rtpmap || str_equal(attr->name, STR("fmtp"))) && sdp_pt_split(attr->value, &pt, &body))
            keep_first(is_rtpmap ? &out->of[pt].rtpmap : &out->of[pt].fmtp, body);
    }
    for (unsigned i = 0; i < mline->pt_count; i++) {
        const uint8_t pt = mline->pts[i];
        struct sdp_payload *payload = &out->of[pt];
        uint16_t apt;
        if (payload->rtpmap.size == 0)
            payload->rtpmap = str_of(codec_info(codec_by_static_pt(pt))->rtpmap);
        payload->codec = codec_of_kind(codec_by_rtpmap(payload->rtpmap), mline->kind);
        if (str_u16(sdp_fmtp_param(payload->fmtp, STR("apt")), &apt) && apt < SDP_PTS_MAX)
            payload->apt = (uint8_t)apt;
    }
}

/* Parameters behind this many bytes are not looked for. The longest that are written by anybody are H.264's parameter sets, of
 * some hundred; each of our questions walks the whole list, and 1 MB of ';' took 20 ms of it. */
#define FMTP_BYTES_MAX 4096u

struct view sdp_fmtp_param(struct view fmtp, struct view name)
{
    if (fmtp.size > FMTP_BYTES_MAX)
        fmtp.size = FMTP_BYTES_MAX;
    while (fmtp.size > 0) {
        struct view value = str_trim(str_split(&fmtp, ';'));
        struct view key = str_trim(str_split(&value, '='));
        if (str_equal_nocase(key, name))
            return str_trim(value);
    }
    return STR("");
}

/* webrtc.md 4.2: H.264 without packetization-mode is mode 0 by RFC 6184, but only a written 0 is refused. */
static bool has_profile(enum codec codec, struct view fmtp, struct view profile)
{
    if (codec == CODEC_VP9)
        return str_equal(sdp_fmtp_param(fmtp, STR("profile-id")), profile);
    if (codec == CODEC_H264)
        return str_equal_nocase(sdp_fmtp_param(fmtp, STR("profile-level-id")), profile) &&
               !str_equal(sdp_fmtp_param(fmtp, STR("packetization-mode")), STR("0"));
    return true;
}

uint8_t sdp_codec_find(const struct sdp_mline *mline, enum codec codec, struct view profile)
{
    struct sdp_payload_table table;
    if (codec == CODEC_NONE)
        return SDP_PT_NONE;
    sdp_payloads(mline, &table);
    for (unsigned i = 0; i < mline->pt_count; i++) {
        const struct sdp_payload *payload = &table.of[mline->pts[i]];
        if (payload->codec == codec && (profile.size == 0 || has_profile(codec, payload->fmtp, profile)))
            return mline->pts[i];
    }
    return SDP_PT_NONE;
}

uint8_t sdp_dtmf_find(const struct sdp_mline *mline)
{
    struct sdp_payload_table table;
    sdp_payloads(mline, &table);
    for (unsigned i = 0; i < mline->pt_count; i++)
        if (str_equal_nocase(table.of[mline->pts[i]].rtpmap, STR("telephone-event/8000")))
            return mline->pts[i];
    return SDP_PT_NONE;
}

static const enum codec preferred[] = {
    CODEC_OPUS, CODEC_MULTIOPUS, CODEC_PCMU, CODEC_PCMA, CODEC_G722, CODEC_L16_48, CODEC_L16, CODEC_ISAC16, CODEC_ISAC32,
    CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_AV1, CODEC_H265,
};
static const enum codec automatic[ARRAY_COUNT(preferred)] = {
    CODEC_OPUS, CODEC_PCMU, CODEC_PCMA, CODEC_G722, CODEC_ISAC32, CODEC_ISAC16, CODEC_MULTIOPUS, CODEC_L16_48, CODEC_L16,
    CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_AV1, CODEC_H265,
};

enum codec sdp_codec_choose(const struct sdp_mline *mline, enum sdp_codec_order order)
{
    const enum codec *codecs = order == SDP_CODECS_PREFERRED ? preferred : automatic;
    struct sdp_payload_table table;
    bool offered[CODEC_COUNT] = {false};
    sdp_payloads(mline, &table);
    for (unsigned i = 0; i < mline->pt_count; i++)
        offered[table.of[mline->pts[i]].codec] = true;
    for (unsigned i = 0; i < ARRAY_COUNT(preferred); i++)
        if (offered[codecs[i]])
            return codecs[i];
    return CODEC_NONE;
}
