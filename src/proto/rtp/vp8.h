/* proto/rtp/vp8.h - VP8 payload descriptor (RFC 7741 4.2): peek, and rewrite of the numbers that must be continuous for a
 * receiver across source switches. Pure. */
#pragma once

#include "base/types.h"

struct vp8_descriptor {
    uint8_t size;                  /* of the descriptor: where the VP8 payload begins */
    bool start;                    /* S: start of a VP8 partition */
    uint8_t partition;             /* PID */
    bool non_reference;            /* N */
    uint8_t picture_id_bits;       /* 0 (absent), 7 or 15 */
    bool has_tl0picidx;
    bool has_tid;
    bool has_keyidx;
    bool layer_sync;               /* Y; means something with has_tid */
    uint8_t tid;
    uint8_t keyidx;
    uint8_t tl0picidx;
    uint16_t picture_id;
    uint8_t picture_id_offset;     /* from the payload's first byte; 0: absent */
    uint8_t tl0picidx_offset;
    bool keyframe;                 /* the first packet of a keyframe: see vp8_is_keyframe */
};

/* False: empty or truncated inside the descriptor. A descriptor with nothing behind it is fine (size == payload.size). */
bool vp8_parse(struct vp8_descriptor *out, struct view payload);

/* S set, partition 0, P bit of the frame tag clear, and at least 16 bytes of payload in all (webrtc.md 15). */
bool vp8_is_keyframe(struct view payload);

/* Writes the low 7 or 15 bits of `picture_id`, as wide as the packet has it, and `tl0picidx`, where the packet has them.
 * `payload` must be the bytes (or a copy of the bytes) that `descriptor` was parsed from. */
void vp8_rewrite(uint8_t *payload, const struct vp8_descriptor *descriptor, uint16_t picture_id, uint8_t tl0picidx);
