/* media/seqmap.h - one numbering made of another: RTP sequence numbers and VP8 picture ids towards one receiver.
 *
 *   out = in + shift(in)        shift changes at a step: when the source is changed (rebase) or a number is left out (drop)
 *
 * The last SEQMAP_STEPS steps are kept, so that a packet that comes late (reordered, or recovered by RTX) gets the number
 * that was kept free for it; whoever is more than SEQMAP_REACH late gets none. Numbers are 16 bits and compared by distance
 * (RFC 3550 A.1): so that a step is never mistaken for one to come, none stays further behind than SEQMAP_REACH.
 * Owner: a sink. */
#pragma once

#include "base/types.h"

#define SEQMAP_STEPS 64          /* a simulcast publisher with a still picture probes between nearly all of its packets (traps.md) */
#define SEQMAP_REACH 0x4000u

struct seqmap_step {
    uint16_t from;          /* first input number that it holds for */
    uint16_t shift;
};

struct seqmap {
    struct seqmap_step steps[SEQMAP_STEPS];     /* newest last */
    uint8_t count;
    bool dropping;          /* the newest step ends a run of dropped numbers that the next drop may extend */
    uint16_t in_last;       /* highest input number seen */
    uint16_t out_last;      /* highest output number given */
};

/* From input `in` on, outputs go on at `out`. What came before is forgotten. */
void seqmap_rebase(struct seqmap *map, uint16_t in, uint16_t out);

/* The output number of `in`. False: it was dropped, or it is older than the steps remember. */
bool seqmap_get(struct seqmap *map, uint16_t in, uint16_t *out);

/* `in` is left out: what follows moves up, so that the receiver sees no gap. A late `in` changes nothing. */
void seqmap_drop(struct seqmap *map, uint16_t in);

static inline int16_t seq_distance(uint16_t a, uint16_t b)      /* a - b, signed */
{
    return (int16_t)(uint16_t)(a - b);
}
