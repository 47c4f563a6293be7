#include "runtime/watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/actor_impl.h"
#include "runtime/log.h"

#define ABORT_WAIT_S 5u                 /* for the core dump to be written, by the other thread's end of the process */

static bool is_stuck(struct watchdog *watchdog, const struct actor *actor)
{
    struct actor_pulse pulse = actor_pulse(actor);
    bool in_turn = pulse.running && !pulse.may_block && pulse.beat % 2 == 1;
    if (!in_turn || pulse.beat != watchdog->seen[actor->id].beat) {
        watchdog->seen[actor->id].beat = pulse.beat;
        watchdog->seen[actor->id].same = 0;
        return false;
    }
    return ++watchdog->seen[actor->id].same >= WATCHDOG_LOOKS;
}

struct actor *watchdog_look(struct watchdog *watchdog, struct actors *set, usec_t now)
{
    bool late = watchdog->looked != 0 && now - watchdog->looked > WATCHDOG_LATE_US;
    watchdog->looked = now;
    if (late) {
        memset(watchdog->seen, 0, sizeof(watchdog->seen));
        return NULL;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        actor_id id = set->ids[i];
        if (id != ACTOR_MAIN && is_stuck(watchdog, set->by_id[id]))
            return set->by_id[id];
    }
    return NULL;
}

const struct actor *watchdog_slow(const struct watchdog *watchdog, struct actors *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (watchdog->seen[set->ids[i]].same >= WATCHDOG_SLOW)
            return set->by_id[set->ids[i]];
    return NULL;
}

_Noreturn void watchdog_abort(struct watchdog *watchdog, struct actor *main_actor, struct actor *stuck)
{
    struct actor_pulse pulse = actor_pulse(stuck);
    const char *name = stuck->ops->type_name != NULL ? stuck->ops->type_name(pulse.last_type) : NULL;
    snprintf(watchdog->cause, sizeof(watchdog->cause), "actor %s has not ended its turn for %u s; its last message was %s (%u)", stuck->name,
             WATCHDOG_LOOKS, name != NULL ? name : "of type", pulse.last_type);
    fprintf(stderr, "cardea: %s\n", watchdog->cause);
    LOG_FATAL(main_actor, "%s", watchdog->cause);
    actor_flush(main_actor);
    if (stuck->started && pthread_kill(stuck->thread, SIGABRT) == 0)
        sleep(ABORT_WAIT_S);
    abort();
}
