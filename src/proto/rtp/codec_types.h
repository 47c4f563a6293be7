/* proto/rtp/codec_types.h - the codecs, as plain data that SDP, messages and media share. No functions: see codec.h. */
#pragma once

#include "base/types.h"

enum codec_kind { CODEC_KIND_NONE, CODEC_KIND_AUDIO, CODEC_KIND_VIDEO };

/* webrtc.md 4.1. The numbers may travel in messages inside one process; they are not a wire format. */
enum codec {
    CODEC_NONE,
    CODEC_OPUS,
    CODEC_MULTIOPUS,
    CODEC_RED,
    CODEC_PCMU,
    CODEC_PCMA,
    CODEC_G722,
    CODEC_ISAC16,
    CODEC_ISAC32,
    CODEC_L16,
    CODEC_L16_48,
    CODEC_VP8,
    CODEC_VP9,
    CODEC_H264,
    CODEC_AV1,
    CODEC_H265,
    CODEC_COUNT,
};

#define CODEC_DTMF_PT     126u     /* telephone-event/8000: a format of its own beside the codec, not a codec */
#define CODEC_DYNAMIC_PT  96u      /* RFC 3551 section 3: dynamic payload types are 96..127 */
