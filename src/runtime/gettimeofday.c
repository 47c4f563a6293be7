/* Why this exists: clock.h. Linked into executables as an object, with default visibility, or libssl never sees it. */
#include <stdatomic.h>
#include <sys/time.h>

#include "runtime/clock.h"

/* Lets a test show that libssl calls ours. */
static _Atomic uint64_t calls;

uint64_t gettimeofday_calls(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;                 /* obsolete, and NULL everywhere */
    uint64_t us;
    if (!clock_turn_us(&us))
        us = clock_wall_us();
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    tv->tv_sec = (time_t)(us / 1000000u);
    tv->tv_usec = (suseconds_t)(us % 1000000u);
    return 0;
}
