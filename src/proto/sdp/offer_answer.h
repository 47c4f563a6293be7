/* proto/sdp/offer_answer.h - answers and offers as plugins make them (webrtc.md 4, RFC 3264).
 *
 * An answer: sdp_answer_new makes one rejected line per offered line; sdp_answer_accept turns one of them into an accepted
 * one; the caller may then still change it (direction, extra attributes); the lines left alone stay rejected.
 * An offer: sdp_offer_new, then sdp_offer_add per line, in order.
 * Both write attributes in the order of webrtc.md 4.3; transport lines (ICE, DTLS, ssrc, rtx, simulcast) are added by the
 * core (control/negotiate) and don't belong here. */
#pragma once

#include "proto/rtp/codec.h"
#include "proto/sdp/extmap.h"
#include "proto/sdp/sdp.h"

#define SDP_PT_NONE 255u

/* ---- payloads of a line that somebody sent ---- */

struct sdp_payload {
    struct view rtpmap;               /* "opus/48000/2"; for 0, 8 and 9 without one the static meaning (RFC 3551 6) */
    struct view fmtp;                 /* body, without the number */
    enum codec codec;                 /* CODEC_NONE: not one of ours, or not for this kind of line */
    uint8_t apt;                      /* RFC 4588 8.1; SDP_PT_NONE: not there */
};

struct sdp_payload_table {
    struct sdp_payload of[SDP_PTS_MAX];   /* by payload type; empty ones have an empty rtpmap */
};

/* All of them in one walk: a line that a stranger wrote may have thousands of attributes, so ask once, not per type. */
void        sdp_payloads(const struct sdp_mline *mline, struct sdp_payload_table *out);
/* Value of parameter `name` of an fmtp body ("profile-level-id", "apt"); names are case-insensitive; empty: not there. */
struct view sdp_fmtp_param(struct view fmtp, struct view name);
/* Splits "111 opus/48000/2" (rtpmap, fmtp and rtcp-fb values); false without a payload type 0..127 in front. */
bool        sdp_pt_split(struct view value, uint8_t *pt, struct view *rest);

/* First payload type of that codec. With a profile (VP9 profile-id, H.264 profile-level-id in any case) one that has it,
 * and for H.264 not packetization-mode=0; otherwise whatever comes first. SDP_PT_NONE: not offered. */
uint8_t     sdp_codec_find(const struct sdp_mline *mline, enum codec codec, struct view profile);
/* Payload type of `telephone-event/8000`; SDP_PT_NONE: not offered. (RED for Opus is CODEC_RED.) */
uint8_t     sdp_dtmf_find(const struct sdp_mline *mline);

/* The two fixed preferences of webrtc.md 4.2. Never the browser's order. */
enum sdp_codec_order { SDP_CODECS_PREFERRED, SDP_CODECS_AUTOMATIC };
/* First codec of that order which the line offers; CODEC_NONE when none is. */
enum codec  sdp_codec_choose(const struct sdp_mline *mline, enum sdp_codec_order order);

/* ---- answers ---- */

/* Copies o= (with the address 1.1.1.1) and t=, and s= when `session_name` is empty. Never fails. */
struct sdp *sdp_answer_new(const struct sdp *offer, struct view session_name);

struct sdp_answer_line {
    enum sdp_direction direction;     /* what we would like; intersected with the offer (webrtc.md 4.3) */
    enum codec codec;                 /* CODEC_NONE: sdp_codec_choose(AUTOMATIC) */
    struct view profile;              /* the offered payload must have it, and the fmtp says so; empty: any */
    struct view fmtp;                 /* body without the number; empty: the profile's, else copied for vp8, vp9, h264. multiopus
                                       * without channel_mapping: copied too */
    uint32_t exts;                    /* SDP_EXT_BITs accepted when offered; the dependency descriptor for AV1 and VP9 only */
    struct view msid;                 /* "stream track"; empty: the core's default */
    bool red;                         /* opus: accept red/48000/2 */
    bool dtmf;                        /* audio: accept telephone-event/8000 */
};

/* What became of a line. */
struct sdp_accepted {
    enum codec codec;
    uint8_t pt;                       /* as offered; SDP_PT_NONE for data */
    uint8_t red_pt;
    uint8_t dtmf_pt;
};

/* Line `index` of the answer to `offer`. False, and the line stays rejected: it was offered with port 0, or its codec (or
 * profile) is not offered, or it is an application line that is not SCTP. Application lines: only `direction` counts.
 * `out` may be NULL. */
bool sdp_answer_accept(struct sdp *answer, const struct sdp *offer, uint16_t index, const struct sdp_answer_line *how,
                       struct sdp_accepted *out);

/* Requested direction as far as the offer goes with it: offer sendonly -> at most recvonly, and so on. */
enum sdp_direction sdp_direction_answer(enum sdp_direction offered, enum sdp_direction wanted);

/* ---- offers ---- */

/* `o=- <id> <version> IN IP4 1.1.1.1`; an empty name is `-`. */
struct sdp *sdp_offer_new(struct view session_name, uint64_t session_id, uint64_t session_version);

struct sdp_offer_line {
    enum sdp_kind kind;
    enum sdp_direction direction;
    enum codec codec;
    struct view rtpmap;               /* empty: the codec's; "L16/48000/2" where the number of channels is the plugin's to say */
    uint8_t pt;                       /* SDP_PT_NONE: the codec's default (codec table) */
    uint8_t red_pt;                   /* SDP_PT_NONE: no RED */
    uint8_t dtmf_pt;                  /* SDP_PT_NONE: no telephone-event */
    struct view mid;                  /* empty: the core's, which is the index */
    struct view msid;
    struct view profile;
    struct view fmtp;                 /* used when there is no profile */
    uint8_t ext_ids[SDP_EXT_COUNT];   /* 0: not offered; sdp_ext_default_id has the usual ones */
    bool legacy_data;                 /* application: DTLS/SCTP 5000 instead of UDP/DTLS/SCTP webrtc-datachannel */
};

/* A line with nothing chosen: PTs SDP_PT_NONE, the rest zero. */
struct sdp_offer_line sdp_offer_line_of(enum sdp_kind kind, enum sdp_direction direction);

/* NULL at the limit of m-lines. Audio and video need a codec. Transport-cc feedback follows SDP_EXT_TRANSPORT_CC. */
struct sdp_mline *sdp_offer_add(struct sdp *offer, const struct sdp_offer_line *line);
