/* media/select_simulcast.h - which layer of a source one receiver gets (webrtc.md 15). Also used with one layer: then it
 * only holds a new receiver back until a keyframe. Pure; owner: a sink. */
#pragma once

#include "base/types.h"

#define SELECT_TARGET_DEFAULT 2
#define SELECT_SILENT_US      SEC(1)      /* nothing relayed for this long: a keyframe is asked for (videoroom.md 14.5) */

struct select_simulcast {
    int8_t substream;           /* relayed now; -1: none yet */
    int8_t substream_target;
    int8_t substream_limit;     /* temporary target below the requested one, -1: none (fallback) */
    int8_t temporal;            /* highest relayed; -1: not known yet, all relayed */
    int8_t temporal_target;
    bool blind;                 /* payloads cannot be looked into: any packet may start a layer */
    bool single;                /* the source has one layer: targets do not apply */
    uint32_t fallback_us;
    usec_t alive_at;            /* last packet of the chosen layer, or when waiting began */
    usec_t asked_at;            /* last time that silence asked for a keyframe */
};

enum select_verdict {
    SELECT_RELAY,
    SELECT_RELAY_FIRST,         /* relay; it is the first of a newly chosen layer: numbering is rebased */
    SELECT_SKIP,                /* another layer's packet: it takes no number */
    SELECT_DROP,                /* a packet of this layer that is left out: its number is closed up */
    SELECT_HOLD,                /* select_svc: relay it once it is known whether its picture ends with it */
};

struct select_packet {
    uint8_t layer;
    bool keyframe;              /* the first packet of one */
    int8_t tid;                 /* temporal id; -1: none */
    uint8_t up;                 /* media_packet.tid_up and so on */
    bool down, jump;
};

void select_init(struct select_simulcast *select, usec_t now, bool single, bool blind);
void select_set_targets(struct select_simulcast *select, uint8_t substream, uint8_t temporal, uint32_t fallback_us);
void select_restart(struct select_simulcast *select, usec_t now);      /* new source, or resumed: wait for a keyframe again */

/* `changed`: substream or temporal differ from before. `keyframe_wanted`: the publisher should be asked. */
enum select_verdict select_offer(struct select_simulcast *select, usec_t now, const struct select_packet *packet, bool *changed,
                                 bool *keyframe_wanted);
