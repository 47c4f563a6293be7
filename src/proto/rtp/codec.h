/* proto/rtp/codec.h - names, kinds, clock rates and fixed payload types of the codecs (webrtc.md 4.1), and the keyframe
 * test that fits a codec. Pure. */
#pragma once

#include "proto/rtp/codec_types.h"

struct codec_info {
    const char *name;              /* as the API spells it: "opus", "l16-48", "h264" */
    const char *rtpmap;            /* as SDP spells it: "opus/48000/2" */
    enum codec_kind kind;
    uint8_t pt;                    /* what our offers use */
    uint8_t channels;              /* 0 for video */
    uint32_t clock_hz;             /* of the RTP timestamp: 8000 for G.722 too (RFC 3551 4.5.2) */
};

/* Never NULL; CODEC_NONE and values out of range give {"none", "", ...}. */
const struct codec_info *codec_info(enum codec codec);

/* By API name, in any case; CODEC_NONE when there is none such. */
enum codec codec_by_name(struct view name);

/* By the encoding of an rtpmap, "VP8/90000" or "L16/48000/2": name in any case, and the clock rate where it decides (L16, iSAC). */
enum codec codec_by_rtpmap(struct view rtpmap);

/* RFC 3551 table 4: payload types that need no rtpmap (0, 8, 9); CODEC_NONE for others. */
enum codec codec_by_static_pt(uint8_t pt);

/* Does a keyframe start in this payload (webrtc.md 15)? Audio and CODEC_NONE: never. Survives any payload, empty too. */
bool codec_is_keyframe(enum codec codec, struct view payload);
