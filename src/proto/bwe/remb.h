/* proto/bwe/remb.h - when to tell a publisher its bit-rate cap, and with which value (videoroom.md 14.3): on the first four
 * video packets a quarter, a third, half and all of it, then all of it every 5 s. Pure.
 * Owner: one PeerConnection's receiving side. Zeroed is "no cap yet". */
#pragma once

#include "base/types.h"

#define REMB_UNLIMITED_BPS 10000000u       /* what cap 0 means to EchoTest, VideoCall and the scripts (echotest.md) */
#define REMB_PERIOD_US     SEC(5)
#define REMB_RAMP_STEPS    4u

struct remb_cap {
    uint64_t cap_bps;              /* 0: none, nothing is sent on packets */
    uint8_t ramp;                  /* start-up steps already taken */
    usec_t next_at;
};

void remb_cap_init(struct remb_cap *cap, uint64_t cap_bps);
/* A new cap in mid-call; the caller sends the value at once (0 as well). The period begins anew; a ramp not finished is cut. */
void remb_cap_set(struct remb_cap *cap, usec_t now, uint64_t cap_bps);
/* A video packet arrived: true when a REMB with *bps is due. */
bool remb_cap_packet(struct remb_cap *cap, usec_t now, uint64_t *bps);
