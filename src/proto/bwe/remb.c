/* proto/bwe/remb.c - videoroom.md 14.3. */
#include "proto/bwe/remb.h"

void remb_cap_init(struct remb_cap *cap, uint64_t cap_bps)
{
    *cap = (struct remb_cap){.cap_bps = cap_bps};
}

void remb_cap_set(struct remb_cap *cap, usec_t now, uint64_t cap_bps)
{
    *cap = (struct remb_cap){.cap_bps = cap_bps, .ramp = REMB_RAMP_STEPS, .next_at = usec_add(now, REMB_PERIOD_US)};
}

bool remb_cap_packet(struct remb_cap *cap, usec_t now, uint64_t *bps)
{
    if (cap->cap_bps == 0)
        return false;
    if (cap->ramp < REMB_RAMP_STEPS) {
        *bps = cap->cap_bps / (REMB_RAMP_STEPS - cap->ramp);   /* a quarter, a third, half, all */
        cap->ramp++;
    } else if (now >= cap->next_at) {
        *bps = cap->cap_bps;
    } else {
        return false;
    }
    cap->next_at = usec_add(now, REMB_PERIOD_US);
    return true;
}
