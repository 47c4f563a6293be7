/* proto/sdp/offer_answer.c - what offers and answers write alike, and offers (webrtc.md 4.3). Answers: answer.c. */
#include "proto/sdp/offer_answer.h"

#include "base/str.h"
#include "proto/sdp/sdp_internal.h"

void sdp_add_text(struct sdp *sdp, struct sdp_mline *mline, struct view name, struct view value)
{
    if (value.size > 0)
        sdp_attr_add(sdp, &mline->attrs, name, value);
}

void sdp_add_rtpmap(struct sdp *sdp, struct sdp_mline *mline, uint8_t pt, struct view rtpmap)
{
    sdp_mline_add_pt(mline, pt);
    sdp_attr_addf(sdp, &mline->attrs, STR("rtpmap"), "%u %.*s", pt, (int)rtpmap.size, (const char *)rtpmap.data);
}

void sdp_add_feedback(struct sdp *sdp, struct sdp_mline *mline, uint8_t pt, bool transport_cc)
{
    static const char *const video[] = {"ccm fir", "nack", "nack pli", "goog-remb"};
    if (mline->kind == SDP_VIDEO)
        for (unsigned i = 0; i < ARRAY_COUNT(video); i++)
            sdp_attr_addf(sdp, &mline->attrs, STR("rtcp-fb"), "%u %s", pt, video[i]);
    if (transport_cc)
        sdp_attr_addf(sdp, &mline->attrs, STR("rtcp-fb"), "%u transport-cc", pt);
}

void sdp_add_red_fmtp(struct sdp *sdp, struct sdp_mline *mline, uint8_t red, uint8_t pt)
{
    sdp_attr_addf(sdp, &mline->attrs, STR("fmtp"), "%u %u/%u", red, pt, pt);
}

void sdp_add_fmtp(struct sdp *sdp, struct sdp_mline *mline, uint8_t pt, enum codec codec, struct view profile, struct view fmtp)
{
    if (profile.size > 0 && codec == CODEC_VP9)
        fmtp = sdp_textf(sdp, "profile-id=%.*s", (int)profile.size, (const char *)profile.data);
    else if (profile.size > 0 && codec == CODEC_H264)
        fmtp = sdp_textf(sdp, "profile-level-id=%.*s;packetization-mode=1", (int)profile.size, (const char *)profile.data);
    if (fmtp.size > 0)
        sdp_attr_addf(sdp, &mline->attrs, STR("fmtp"), "%u %.*s", pt, (int)fmtp.size, (const char *)fmtp.data);
}

/* ---- offers ---- */

struct sdp *sdp_offer_new(struct view session_name, uint64_t session_id, uint64_t session_version)
{
    struct sdp *sdp = sdp_new();
    sdp->origin_id = session_id;
    sdp->origin_version = session_version;
    if (session_name.size > 0)
        sdp->session_name = sdp_text(sdp, session_name);
    return sdp;
}

struct sdp_offer_line sdp_offer_line_of(enum sdp_kind kind, enum sdp_direction direction)
{
    return (struct sdp_offer_line){.kind = kind, .direction = direction, .pt = SDP_PT_NONE, .red_pt = SDP_PT_NONE, .dtmf_pt = SDP_PT_NONE};
}

static void add_data(struct sdp *sdp, struct sdp_mline *mline, bool legacy)
{
    mline->formats = legacy ? STR("5000") : STR("webrtc-datachannel");
    if (legacy)
        sdp_attr_add(sdp, &mline->attrs, STR("sctpmap"), STR("5000 webrtc-datachannel 16"));
    else
        sdp_attr_add(sdp, &mline->attrs, STR("sctp-port"), STR("5000"));
}

/* In ascending order of their ids. */
static void add_extmaps(struct sdp *sdp, struct sdp_mline *mline, const uint8_t ids[SDP_EXT_COUNT])
{
    uint8_t order[SDP_EXT_COUNT];
    unsigned count = 0;
    for (uint8_t ext = 0; ext < SDP_EXT_COUNT; ext++) {
        unsigned at = count;
        if (ids[ext] == 0)
            continue;
        for (count++; at > 0 && ids[order[at - 1]] > ids[ext]; at--)
            order[at] = order[at - 1];
        order[at] = ext;
    }
    for (unsigned i = 0; i < count; i++)
        sdp_attr_addf(sdp, &mline->attrs, STR("extmap"), "%u %s", ids[order[i]], sdp_ext_uri((enum sdp_ext)order[i]));
}

static void add_media(struct sdp *sdp, struct sdp_mline *mline, const struct sdp_offer_line *line)
{
    const struct codec_info *info = codec_info(line->codec);
    const uint8_t pt = line->pt == SDP_PT_NONE ? info->pt : line->pt;
    const bool has_red = line->red_pt != SDP_PT_NONE;
    if (has_red)
        sdp_add_rtpmap(sdp, mline, line->red_pt, str_of(codec_info(CODEC_RED)->rtpmap));
    sdp_add_rtpmap(sdp, mline, pt, line->rtpmap.size > 0 ? line->rtpmap : str_of(info->rtpmap));
    if (line->dtmf_pt != SDP_PT_NONE)
        sdp_add_rtpmap(sdp, mline, line->dtmf_pt, STR("telephone-event/8000"));
    sdp_add_feedback(sdp, mline, pt, line->ext_ids[SDP_EXT_TRANSPORT_CC] != 0);
    add_extmaps(sdp, mline, line->ext_ids);
    if (has_red)
        sdp_add_red_fmtp(sdp, mline, line->red_pt, pt);
    sdp_add_fmtp(sdp, mline, pt, line->codec, line->profile, line->fmtp);
}

struct sdp_mline *sdp_offer_add(struct sdp *offer, const struct sdp_offer_line *line)
{
    const bool is_data = line->kind == SDP_APPLICATION;
    const struct view data_proto = line->legacy_data ? STR("DTLS/SCTP") : STR("UDP/DTLS/SCTP");
    struct sdp_mline *mline = sdp_mline_add(offer, line->kind, is_data ? data_proto : STR("UDP/TLS/RTP/SAVPF"));
    if (mline == NULL)
        return NULL;
    mline->direction = line->direction;
    sdp_add_text(offer, mline, STR("mid"), line->mid);
    if (is_data) {
        add_data(offer, mline, line->legacy_data);
        return mline;
    }
    sdp_add_text(offer, mline, STR("msid"), line->msid);
    add_media(offer, mline, line);
    return mline;
}
