/* runtime/clock.h - the clocks. Everything outside runtime gets `now` as a parameter (handlers) or asks actor_now /
 * actor_wall_us; only runtime and main's start-up call these.
 *
 * libssl's DTLS timers read gettimeofday and nothing else (traps.md). The executable therefore supplies gettimeofday from
 * gettimeofday.c: on an actor's thread it is the turn's monotonic clock moved to the wall time of the process's start, so a
 * clock that is set back stops no retransmission; elsewhere it is CLOCK_REALTIME. That object must be linked into the
 * executable directly (runtime_gettimeofday in meson), never through a library. */
#pragma once

#include "base/types.h"

usec_t clock_now(void);                 /* monotonic */
uint64_t clock_wall_us(void);           /* since 1970 */

/* How far the machine's zone is ahead of UTC then. */
int32_t clock_utc_offset_s(uint64_t wall_us);

/* What gettimeofday gives on this thread: false when it is no actor's. */
bool clock_turn_us(uint64_t *us);

/* How often gettimeofday.c was called; a test that links it shows with this that libssl uses it. */
uint64_t gettimeofday_calls(void);
