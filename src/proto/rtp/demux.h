/* proto/rtp/demux.h - what kind of datagram is this (RFC 7983 section 7, RFC 5761 section 4, webrtc.md 9). Pure. */
#pragma once

#include "base/types.h"

enum rtp_kind {
    RTP_KIND_OTHER,                /* ZRTP, TURN channel data, garbage, too short: drop and count */
    RTP_KIND_STUN,                 /* first byte 0..3 */
    RTP_KIND_DTLS,                 /* first byte 20..63 */
    RTP_KIND_RTP,                  /* first byte 128..191, at least 12 bytes */
    RTP_KIND_RTCP,                 /* the same, payload type 64..95 (packet type 192..223), at least 8 bytes */
};

/* RFC 5761 section 4: with rtcp-mux, the 7 bits where RTP has its payload type tell RTCP apart. The first two bytes must
 * exist and the first be 128..191. */
static inline bool rtp_is_rtcp(const uint8_t first_two[2])
{
    return (first_two[1] & 0x7F) >= 64 && (first_two[1] & 0x7F) < 96;
}

enum rtp_kind rtp_classify(struct view datagram);
