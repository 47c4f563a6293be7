/* runtime/watchdog.h - finds an actor that no longer ends its turn. Main looks once a second.
 *
 * Counted are main's own looks, not seconds: a process that was stopped and continued, or a machine that slept, gives main one
 * late look, and a late look clears all counts. So only an actor that stands still while main runs is stuck. */
#pragma once

#include "runtime/actor.h"

#define WATCHDOG_PERIOD_US SEC(1)
#define WATCHDOG_LATE_US   SEC(2)       /* a look this long after the one before proves nothing */
#define WATCHDOG_LOOKS     15u          /* looks at one and the same unfinished turn */
#define WATCHDOG_SLOW      3u           /* so many of them: not stuck yet, but not well */

struct watchdog {
    usec_t looked;
    char cause[160];                    /* for who reads the core dump: "actor io has not ended ..." */
    struct {
        uint64_t beat;
        uint32_t same;
    } seen[ACTOR_LIMIT];
};

/* The actor that is stuck, or NULL. */
struct actor *watchdog_look(struct watchdog *watchdog, struct actors *set, usec_t now);

/* One that has not ended its turn for WATCHDOG_SLOW looks; NULL: all are well. */
const struct actor *watchdog_slow(const struct watchdog *watchdog, struct actors *set);

/* Names the actor and the last message it took, on stderr, in the log and in `cause`, then aborts on that actor's thread: the first
 * stack in the core dump is the one that stands still. */
_Noreturn void watchdog_abort(struct watchdog *watchdog, struct actor *main_actor, struct actor *stuck);
