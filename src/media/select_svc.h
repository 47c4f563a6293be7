/* media/select_svc.h - how much of one stream that has its layers in it (VP9, AV1: SVC) one receiver gets: spatial and temporal
 * layers up to a target (webrtc.md 16). It stands behind select_simulcast, which has chosen the stream and seen it begin with a
 * keyframe. Pure; owner: a sink.
 *
 * What is relayed of a picture is settled where the picture begins, for its last packet must carry the marker bit, and that one
 * may be of any of its layers:
 *
 *   down, both ways   with the next picture: nothing below depends on what is above
 *   spatial up        with a keyframe only: the picture's first packets do not tell whether the layer above begins anew
 *   temporal up       where the codec says that it can (media_packet.tid_up), and with a keyframe
 *
 * Encoders leave layers out of single pictures, also below others that are there (Chromium with AV1). So whether a frame is the last
 * of its picture for a receiver of fewer layers is known with the packet after it, and until then its last packet waits.
 *
 * Packets that come late are judged by what held when they were sent. The payload stays as it is: VP9 picture ids and AV1 frame
 * numbers of what is left out are missing in no reference of what is not. */
#pragma once

#include "media/packet.h"
#include "media/select_simulcast.h"

struct svc_levels {
    int8_t spatial;             /* highest relayed; -1: it has not begun */
    int8_t temporal;
};

struct select_svc {
    int8_t spatial_target;
    int8_t temporal_target;
    struct svc_levels now;
    struct svc_levels before;   /* of packets before `since` */
    struct svc_levels told;     /* of what there is, this is relayed; -1: nothing yet */
    uint16_t since;
    uint16_t newest;            /* sequence number */
    uint32_t ts;                /* of the newest picture */
    usec_t asked_at;            /* last time that a keyframe was asked for, or that it was plain that one would be */
};

void select_svc_init(struct select_svc *svc, usec_t now);
void select_svc_set_targets(struct select_svc *svc, usec_t now, uint8_t spatial, uint8_t temporal);
void select_svc_restart(struct select_svc *svc, usec_t now);            /* the next packet begins it */

/* SELECT_RELAY, SELECT_DROP or SELECT_HOLD. `marker` is set on the last packet of a picture as this receiver gets it, else left
 * alone; `changed`: `told` differs from before. `keyframe_wanted`: the publisher should be asked. */
enum select_verdict select_svc_offer(struct select_svc *svc, const struct media_packet *packet, bool *marker, bool *changed,
                                     bool *keyframe_wanted);
/* Of one that was held: does its picture end with it? `next` follows it in sequence; it may, but need not, have been offered. */
bool select_svc_ends(const struct select_svc *svc, const struct media_packet *packet, const struct media_packet *next);
