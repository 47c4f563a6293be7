/* proto/rtp/dd.h - dependency descriptor (AV1 RTP specification 1.0, appendix A.8): which frame and layer a packet belongs
 * to, without looking into its payload; VP9 publishers use it too.
 * Owner of a `struct dd_structure`: the source layer whose packets carry it. It comes with keyframes and is needed to read
 * what follows: hand the same one to every dd_parse of that SSRC. Zeroed is "none learnt yet". Pure.
 * Walked over, not kept: frame differences and chains. Whoever decodes finds out what is missing, and asks. */
#pragma once

#include "base/types.h"

#define DD_TEMPLATES_MAX 64u       /* 6-bit template id */
#define DD_TARGETS_MAX   32u       /* 5-bit count */
#define DD_SPATIAL_MAX   4u        /* AV1 has at most 4 (next_layer_idc 2 beyond that is refused) */
#define DD_TEMPORAL_MAX  8u

struct dd_structure {
    bool known;
    uint8_t template_offset;       /* template_id_offset */
    uint8_t template_count;
    uint8_t target_count;
    uint8_t spatial_count;
    uint8_t temporal_count;
    bool has_resolutions;
    uint8_t layer[DD_TEMPLATES_MAX];   /* spatial << 4 | temporal, by template index */
    uint8_t switch_to[DD_TEMPLATES_MAX];   /* dd.switch_to of frames that say nothing else */
    uint8_t target[DD_TARGETS_MAX];    /* the highest layer of a decode target: spatial << 4 | temporal */
    uint8_t active_spatial_count;      /* of the decode targets that are active now */
    uint16_t width[DD_SPATIAL_MAX];
    uint16_t height[DD_SPATIAL_MAX];
};

struct dd {
    bool start_of_frame;
    bool end_of_frame;
    uint8_t template_id;
    uint16_t frame_number;
    bool has_structure;            /* it brought one: the start of a keyframe */
    bool has_layer;                /* the template is known, so spatial and temporal mean something */
    uint8_t spatial;
    uint8_t temporal;
    uint8_t switch_to;             /* bits: temporal layers of this spatial layer that can be decoded from this frame on (A.8.3.4: its
                                      decode target has the indication "switch") */
    bool has_active_targets;
    uint32_t active_targets;       /* bit mask of decode targets */
};

/* False: under 3 bytes, or a structure that is truncated or out of its limits. On true a structure that came along has been
 * stored in `structure`, and so has a change of its active targets; on false `structure` is as it was. */
bool dd_parse(struct dd *out, struct dd_structure *structure, struct view descriptor);
