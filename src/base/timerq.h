/* base/timerq.h - many deadlines, one minimum: an intrusive binary heap. Owner: one actor.
 * A timer belongs to the object that embeds it; it must be stopped before that object is freed. */
#pragma once

#include "base/types.h"

struct timer {
    usec_t at;
    uint32_t place;     /* index in the heap + 1; 0: not running */
};

struct timerq {
    struct timer **heap;
    uint32_t count;
    uint32_t size;
};

void   timerq_init(struct timerq *q);
void   timerq_fini(struct timerq *q);       /* CHECKs that no timer runs */
void   timerq_set(struct timerq *q, struct timer *timer, usec_t at);   /* starts or moves; USEC_NEVER stops */
void   timerq_stop(struct timerq *q, struct timer *timer);             /* harmless when not running */
usec_t timerq_next(const struct timerq *q);                            /* USEC_NEVER when empty */

/* The earliest timer that is due, taken out of the heap, or NULL. Set it again if it shall repeat. */
struct timer *timerq_pop(struct timerq *q, usec_t now);

static inline bool timer_is_running(const struct timer *timer)
{
    return timer->place != 0;
}
