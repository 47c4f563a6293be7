/* control/negotiate/rtx_pt.c - payload types for retransmissions (RFC 4588) that we offer. */
#include "control/negotiate/negotiate_internal.h"
#include "proto/rtp/codec.h"

#define DYNAMIC_FIRST 96u           /* RFC 3551 6 */
#define DYNAMIC_LAST  127u

/* The fixed payload types of our codecs (webrtc.md 4.1): a stream that is added later will want its own, and would lose it. */
static bool is_codec_pt(unsigned pt)
{
    for (unsigned codec = CODEC_NONE + 1; codec < CODEC_COUNT; codec++)
        if (codec_info((enum codec)codec)->pt == pt)
            return true;
    return pt == CODEC_DTMF_PT;
}

static uint8_t take(struct rtx_pts *rtx, uint8_t pt, bool spare_codecs)
{
    unsigned candidate = pt;
    for (unsigned tries = 0; tries <= DYNAMIC_LAST - DYNAMIC_FIRST; tries++) {
        candidate = candidate < DYNAMIC_FIRST || candidate >= DYNAMIC_LAST ? DYNAMIC_FIRST : candidate + 1;
        if (!rtx->used[candidate] && !(spare_codecs && is_codec_pt(candidate))) {
            rtx->of[pt] = (uint8_t)candidate;
            rtx->used[candidate] = true;
            return rtx->of[pt];
        }
    }
    return 0;
}

uint8_t rtx_give(struct rtx_pts *rtx, uint8_t pt)
{
    if (rtx->of[pt] != 0)
        return rtx->of[pt];
    uint8_t given = take(rtx, pt, true);
    return given != 0 ? given : take(rtx, pt, false);
}
