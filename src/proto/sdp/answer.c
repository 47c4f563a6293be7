/* proto/sdp/answer.c - answers: the client's payload types and extension ids are kept (webrtc.md 4, RFC 3264 6). */
#include "base/str.h"
#include "proto/sdp/offer_answer.h"
#include "proto/sdp/sdp_internal.h"

enum sdp_direction sdp_direction_answer(enum sdp_direction offered, enum sdp_direction wanted)
{
    return (enum sdp_direction)((unsigned)sdp_direction_mirror(offered) & (unsigned)wanted);
}

struct sdp *sdp_answer_new(const struct sdp *offer, struct view session_name)
{
    struct sdp *answer = sdp_new();
    answer->origin_name = sdp_text(answer, offer->origin_name);
    answer->origin_id = offer->origin_id;
    answer->origin_version = offer->origin_version;
    answer->session_name = sdp_text(answer, session_name.size > 0 ? session_name : offer->session_name);
    answer->time_start = offer->time_start;
    answer->time_stop = offer->time_stop;
    for (unsigned i = 0; i < offer->mline_count; i++) {
        const struct sdp_mline *offered = offer->mlines[i];
        struct sdp_mline *mline = sdp_mline_add(answer, offered->kind, offered->proto);
        mline->formats = sdp_text(answer, offered->formats);
        sdp_mline_reject(mline);
    }
    return answer;
}

static bool is_accepted_ext(const struct sdp_extmap *map, uint32_t exts, enum codec codec)
{
    if (map->ext == SDP_EXT_UNKNOWN || map->id > UINT8_MAX || (exts & SDP_EXT_BIT(map->ext)) == 0)
        return false;
    return map->ext != SDP_EXT_DEPENDENCY_DESCRIPTOR || codec == CODEC_AV1 || codec == CODEC_VP9;
}

/* "3 urn:..." or, when the offer gave a direction, "3/recvonly urn:..." seen from our side (RFC 8285 7). */
static void add_extmap(struct sdp *answer, struct sdp_mline *mline, const struct sdp_extmap *map)
{
    if (map->has_direction)
        sdp_attr_addf(answer, &mline->attrs, STR("extmap"), "%u/%s %s", map->id,
                      sdp_direction_name(sdp_direction_mirror(map->direction)), sdp_ext_uri(map->ext));
    else
        sdp_attr_addf(answer, &mline->attrs, STR("extmap"), "%u %s", map->id, sdp_ext_uri(map->ext));
}

/* Extensions, and the fmtp lines of `copied_pt`, in the order of the offer. An extension or an id offered twice counts once. */
static void add_from_offer(struct sdp *answer, struct sdp_mline *mline, const struct sdp_mline *offered, uint32_t exts,
                           enum codec codec, uint8_t copied_pt)
{
    uint8_t used[UINT8_MAX + 1] = {0};
    for (const struct sdp_attr *attr = offered->attrs.first; attr != NULL; attr = attr->next) {
        struct sdp_extmap map;
        struct view body;
        uint8_t pt;
        if (str_equal(attr->name, STR("fmtp"))) {
            if (sdp_pt_split(attr->value, &pt, &body) && pt == copied_pt)
                sdp_attr_add(answer, &mline->attrs, attr->name, attr->value);
        } else if (str_equal(attr->name, STR("extmap")) && sdp_extmap_parse(&map, attr->value) &&
                   is_accepted_ext(&map, exts, codec) && used[map.id]++ == 0) {
            exts &= ~SDP_EXT_BIT(map.ext);
            add_extmap(answer, mline, &map);
        }
    }
}

/* Names that say how many channels there are must not be replaced by ours. */
static struct view rtpmap_of(enum codec codec, const struct sdp_payload *offered)
{
    if (codec == CODEC_MULTIOPUS || codec == CODEC_L16 || codec == CODEC_L16_48)
        return offered->rtpmap;
    return str_of(codec_info(codec)->rtpmap);
}

static struct view fmtp_of(const struct sdp_answer_line *how, enum codec codec, const struct sdp_payload *offered)
{
    if (codec == CODEC_MULTIOPUS && !str_contains(how->fmtp, STR("channel_mapping")))
        return offered->fmtp;
    return how->fmtp;
}

static bool is_fmtp_copied(const struct sdp_answer_line *how, enum codec codec)
{
    if (how->fmtp.size > 0)
        return false;
    return codec == CODEC_VP8 || ((codec == CODEC_VP9 || codec == CODEC_H264) && how->profile.size == 0);
}

static uint8_t red_offered(const struct sdp_mline *offered, const struct sdp_payload_table *table)
{
    for (unsigned i = 0; i < offered->pt_count; i++)
        if (table->of[offered->pts[i]].codec == CODEC_RED)
            return offered->pts[i];
    return SDP_PT_NONE;
}

static bool has_ext(const struct sdp_mline *offered, uint32_t exts, enum sdp_ext ext)
{
    return (exts & SDP_EXT_BIT(ext)) != 0 && sdp_ext_find(offered, ext) != 0;
}

/* webrtc.md 4.3, "answer line order". */
static void fill_media(struct sdp *answer, struct sdp_mline *mline, const struct sdp_mline *offered,
                       const struct sdp_answer_line *how, const struct sdp_accepted *chosen)
{
    struct sdp_payload_table table;
    sdp_payloads(offered, &table);
    const uint8_t pt = chosen->pt;
    const struct sdp_payload *payload = &table.of[pt];
    const bool transport_cc = has_ext(offered, how->exts, SDP_EXT_TRANSPORT_CC);
    mline->pt_count = 0;
    sdp_add_text(answer, mline, STR("msid"), how->msid);
    if (chosen->red_pt != SDP_PT_NONE)
        sdp_add_rtpmap(answer, mline, chosen->red_pt, table.of[chosen->red_pt].rtpmap);
    sdp_add_rtpmap(answer, mline, pt, rtpmap_of(chosen->codec, payload));
    if (chosen->dtmf_pt != SDP_PT_NONE)
        sdp_add_rtpmap(answer, mline, chosen->dtmf_pt, STR("telephone-event/8000"));
    if (mline->kind == SDP_VIDEO)
        sdp_add_feedback(answer, mline, pt, transport_cc);
    if (chosen->red_pt != SDP_PT_NONE)
        sdp_add_red_fmtp(answer, mline, chosen->red_pt, pt);
    sdp_add_fmtp(answer, mline, pt, chosen->codec, how->profile, fmtp_of(how, chosen->codec, payload));
    if (mline->kind == SDP_AUDIO)
        sdp_add_feedback(answer, mline, pt, transport_cc);
    add_from_offer(answer, mline, offered, how->exts, chosen->codec, is_fmtp_copied(how, chosen->codec) ? pt : SDP_PT_NONE);
}

static bool accept_media(struct sdp *answer, struct sdp_mline *mline, const struct sdp_mline *offered,
                         const struct sdp_answer_line *how, struct sdp_accepted *chosen)
{
    struct sdp_payload_table table;
    chosen->codec = how->codec == CODEC_NONE ? sdp_codec_choose(offered, SDP_CODECS_AUTOMATIC) : how->codec;
    chosen->pt = sdp_codec_find(offered, chosen->codec, how->profile);
    if (chosen->pt == SDP_PT_NONE)
        return false;
    sdp_payloads(offered, &table);
    if (how->red && chosen->codec == CODEC_OPUS)
        chosen->red_pt = red_offered(offered, &table);
    if (how->dtmf && mline->kind == SDP_AUDIO)
        chosen->dtmf_pt = sdp_dtmf_find(offered);
    fill_media(answer, mline, offered, how, chosen);
    return true;
}

static bool is_sctp(const struct sdp_mline *mline)
{
    return str_equal_nocase(mline->proto, STR("UDP/DTLS/SCTP")) || str_equal_nocase(mline->proto, STR("DTLS/SCTP"));
}

bool sdp_answer_accept(struct sdp *answer, const struct sdp *offer, uint16_t index, const struct sdp_answer_line *how,
                       struct sdp_accepted *out)
{
    struct sdp_accepted chosen = {CODEC_NONE, SDP_PT_NONE, SDP_PT_NONE, SDP_PT_NONE};
    if (index >= offer->mline_count || index >= answer->mline_count)
        return false;
    const struct sdp_mline *offered = offer->mlines[index];
    struct sdp_mline *mline = answer->mlines[index];
    const bool fine = offered->port != 0 && (mline->kind == SDP_APPLICATION ? is_sctp(offered)
                                                                            : accept_media(answer, mline, offered, how, &chosen));
    if (out != NULL)
        *out = chosen;
    if (!fine)
        return false;
    mline->port = 9;
    mline->direction = sdp_direction_answer(offered->direction, how->direction);
    return true;
}
