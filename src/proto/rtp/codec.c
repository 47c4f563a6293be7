/* proto/rtp/codec.c - the table of codecs (webrtc.md 4.1). */
#include "proto/rtp/codec.h"

#include "base/str.h"
#include "proto/rtp/av1.h"
#include "proto/rtp/h264.h"
#include "proto/rtp/h265.h"
#include "proto/rtp/vp8.h"
#include "proto/rtp/vp9.h"

#define AUDIO CODEC_KIND_AUDIO
#define VIDEO CODEC_KIND_VIDEO

static const struct codec_info table[CODEC_COUNT] = {
    [CODEC_NONE] = {"none", "", CODEC_KIND_NONE, 0, 0, 90000},
    [CODEC_OPUS] = {"opus", "opus/48000/2", AUDIO, 111, 2, 48000},
    [CODEC_MULTIOPUS] = {"multiopus", "multiopus/48000/6", AUDIO, 111, 6, 48000},
    [CODEC_RED] = {"red", "red/48000/2", AUDIO, 120, 2, 48000},
    [CODEC_PCMU] = {"pcmu", "PCMU/8000", AUDIO, 0, 1, 8000},
    [CODEC_PCMA] = {"pcma", "PCMA/8000", AUDIO, 8, 1, 8000},
    [CODEC_G722] = {"g722", "G722/8000", AUDIO, 9, 1, 8000},
    [CODEC_ISAC16] = {"isac16", "ISAC/16000", AUDIO, 103, 1, 16000},
    [CODEC_ISAC32] = {"isac32", "ISAC/32000", AUDIO, 104, 1, 32000},
    [CODEC_L16] = {"l16", "L16/16000", AUDIO, 106, 1, 16000},
    [CODEC_L16_48] = {"l16-48", "L16/48000", AUDIO, 105, 1, 48000},
    [CODEC_VP8] = {"vp8", "VP8/90000", VIDEO, 96, 0, 90000},
    [CODEC_VP9] = {"vp9", "VP9/90000", VIDEO, 101, 0, 90000},
    [CODEC_H264] = {"h264", "H264/90000", VIDEO, 107, 0, 90000},
    [CODEC_AV1] = {"av1", "AV1/90000", VIDEO, 98, 0, 90000},
    [CODEC_H265] = {"h265", "H265/90000", VIDEO, 100, 0, 90000},
};

const struct codec_info *codec_info(enum codec codec)
{
    return &table[codec < CODEC_COUNT ? codec : CODEC_NONE];
}

enum codec codec_by_name(struct view name)
{
    for (unsigned i = CODEC_NONE + 1; i < CODEC_COUNT; i++)
        if (str_equal_nocase(name, str_of(table[i].name)))
            return (enum codec)i;
    return CODEC_NONE;
}

/* Name and clock must agree; the number of channels is left to the fmtp. */
enum codec codec_by_rtpmap(struct view rtpmap)
{
    struct view rest = rtpmap;
    struct view name = str_split(&rest, '/');
    struct view clock = str_split(&rest, '/');
    for (unsigned i = CODEC_NONE + 1; i < CODEC_COUNT; i++) {
        struct view known = str_of(table[i].rtpmap);
        if (name.size == 0 || known.size == 0 || (name.data[0] | 0x20) != (known.data[0] | 0x20))
            continue;                   /* most of them: names start differently, in either case */
        struct view known_name = str_split(&known, '/');
        struct view known_clock = str_split(&known, '/');
        if (str_equal_nocase(name, known_name) && str_equal(clock, known_clock))
            return (enum codec)i;
    }
    return CODEC_NONE;
}

enum codec codec_by_static_pt(uint8_t pt)
{
    switch (pt) {                  /* RFC 3551 table 4 */
    case 0: return CODEC_PCMU;
    case 8: return CODEC_PCMA;
    case 9: return CODEC_G722;
    default: return CODEC_NONE;
    }
}

bool codec_is_keyframe(enum codec codec, struct view payload)
{
    switch ((int)codec) {
    case CODEC_VP8: return vp8_is_keyframe(payload);
    case CODEC_VP9: return vp9_is_keyframe(payload);
    case CODEC_H264: return h264_is_keyframe(payload);
    case CODEC_AV1: return av1_is_keyframe(payload);
    case CODEC_H265: return h265_is_keyframe(payload);
    default: return false;
    }
}
