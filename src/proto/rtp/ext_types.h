/* proto/rtp/ext_types.h - header extensions as plain data that messages, media and peer share. Functions: ext.h. */
#pragma once

#include "base/types.h"

/* The ids that one PeerConnection negotiated (webrtc.md 4.4; one id space per PeerConnection). 0: not negotiated. */
struct rtp_ext_ids {
    uint8_t mid;                   /* urn:ietf:params:rtp-hdrext:sdes:mid (RFC 9143) */
    uint8_t rid;                   /* urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id (RFC 8852) */
    uint8_t repaired_rid;          /* urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id (RFC 8852) */
    uint8_t audio_level;           /* urn:ietf:params:rtp-hdrext:ssrc-audio-level (RFC 6464) */
    uint8_t abs_send_time;         /* .../rtp-hdrext/abs-send-time */
    uint8_t twcc;                  /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
    uint8_t toffset;               /* urn:ietf:params:rtp-hdrext:toffset (RFC 5450); never read nor written */
    uint8_t orientation;           /* urn:3gpp:video-orientation (3GPP TS 26.114 7.4.5) */
    uint8_t playout_delay;         /* .../rtp-hdrext/playout-delay */
    uint8_t dependency_descriptor; /* AV1 RTP spec, appendix A */
    uint8_t abs_capture_time;      /* .../rtp-hdrext/abs-capture-time */
    uint8_t vla;                   /* .../rtp-hdrext/video-layers-allocation00; accepted, never read nor written */
};

/* What a packet's extensions said, in a form that survives the change of ids from one PeerConnection to another.
 * `has` tells which fields mean anything. */
enum rtp_ext_has {
    RTP_EXT_HAS_AUDIO_LEVEL = 1u << 0,
    RTP_EXT_HAS_ORIENTATION = 1u << 1,
    RTP_EXT_HAS_PLAYOUT_DELAY = 1u << 2,
    RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR = 1u << 3,
    RTP_EXT_HAS_ABS_CAPTURE_TIME = 1u << 4,
    RTP_EXT_HAS_TWCC = 1u << 5,
    RTP_EXT_HAS_ABS_SEND_TIME = 1u << 6,
};

#define RTP_EXT_DESCRIPTOR_MAX 255u    /* bytes: all that a two-byte element can carry (RFC 8285 4.3) */
#define RTP_EXT_MID_MAX        16u     /* webrtc.md 1.4: longer mids are refused in the SDP */

struct rtp_ext_values {
    uint16_t has;                  /* enum rtp_ext_has, or-ed; 0: nothing */
    uint8_t audio_level;           /* 0 loud .. 127 silent, in -dBov (RFC 6464 section 3) */
    bool voice;
    uint8_t orientation;           /* as on the wire: bits 0000CFRR (camera back, flipped, rotation in 90 degrees) */
    uint16_t playout_min;          /* in 10 ms, 12 bits */
    uint16_t playout_max;
    uint16_t twcc_seq;             /* received only: the egress counts its own */
    uint32_t abs_send_time;        /* received only; 6.18 fixed point seconds, 24 bits */
    uint64_t abs_capture_time;     /* NTP, as on the wire; the optional clock offset is not kept */
    struct view dependency_descriptor;   /* into the packet that was read: lives as long as that packet's bytes */
};
