/* proto/rtp/vp9.h - VP9 payload descriptor (RFC 9628 4.2): peek. Pure. */
#pragma once

#include "base/types.h"

#define VP9_SPATIAL_MAX 8u         /* N_S is 3 bits: 0..7 means 1..8 */

struct vp9_descriptor {
    uint16_t size;                 /* of the descriptor: where the VP9 payload begins */
    bool has_picture_id;           /* I */
    bool inter_predicted;          /* P */
    bool has_layers;               /* L */
    bool flexible;                 /* F */
    bool start_of_frame;           /* B: of a layer frame */
    bool end_of_frame;             /* E: of a layer frame */
    bool has_structure;            /* V */
    bool not_reference;            /* Z: not a reference for upper spatial layers */
    bool switching_up;             /* U */
    bool inter_layer;              /* D */
    uint8_t sid;                   /* 0 without has_layers */
    uint8_t tid;
    uint8_t tl0picidx;             /* non-flexible mode with has_layers only */
    uint8_t picture_id_bits;       /* 0, 7 or 15 */
    uint16_t picture_id;
    uint8_t spatial_count;         /* from the scalability structure; 0 without one */
    bool has_resolutions;          /* Y */
    uint16_t width[VP9_SPATIAL_MAX];
    uint16_t height[VP9_SPATIAL_MAX];
    bool keyframe;                 /* V and Y with resolutions that are all non-zero (webrtc.md 15), and no P: the structure is told
                                      again when layers come or go, without a keyframe */
};

/* False: empty or truncated inside the descriptor. */
bool vp9_parse(struct vp9_descriptor *out, struct view payload);
bool vp9_is_keyframe(struct view payload);
