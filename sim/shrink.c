#include "sim/shrink.h"

#include <string.h>

#include "sim/world.h"

struct search {
    struct plan *plan;
    const char *checker;
    uint32_t tries;
};

static bool still_fails(struct search *search, const struct plan *candidate)
{
    const struct run_options options = {.quiet = true};
    struct run_result result;
    if (search->tries == 0)
        return false;
    search->tries--;
    run_plan(candidate, &options, &result);
    return !result.ok && strcmp(result.checker, search->checker) == 0;
}

static bool try_without(struct search *search, uint32_t from, uint32_t count)
{
    struct plan candidate;
    plan_copy(&candidate, search->plan);
    memmove(candidate.steps + from, candidate.steps + from + count, (candidate.step_count - from - count) * sizeof(*candidate.steps));
    candidate.step_count -= count;
    const bool fails = still_fails(search, &candidate);
    if (fails) {
        plan_fini(search->plan);
        *search->plan = candidate;
    } else {
        plan_fini(&candidate);
    }
    return fails;
}

static void cut_steps(struct search *search)
{
    for (uint32_t size = search->plan->step_count / 2; size > 0; size /= 2)
        for (uint32_t at = 0; at + size <= search->plan->step_count;)
            if (!try_without(search, at, size))
                at += size;
}

static void reset_knobs(struct search *search)
{
    for (uint32_t i = 0; i < KNOB_COUNT; i++) {
        const uint64_t was = search->plan->knobs[i];
        if (was == knob_default(i) || i == KNOB_seconds || i == KNOB_members)
            continue;
        search->plan->knobs[i] = knob_default(i);
        if (!still_fails(search, search->plan))
            search->plan->knobs[i] = was;
    }
}

/* Nothing of interest happens after the last step. */
static void cut_time(struct search *search)
{
    struct plan *plan = search->plan;
    const uint64_t was = plan->knobs[KNOB_seconds];
    const uint64_t last = plan->step_count == 0 ? 1 : plan->steps[plan->step_count - 1].at / SEC(1) + 2;
    if (last >= was)
        return;
    plan->knobs[KNOB_seconds] = last;
    if (!still_fails(search, plan))
        plan->knobs[KNOB_seconds] = was;
}

void shrink_plan(struct plan *plan, const struct run_result *failure, uint32_t tries)
{
    struct search search = {.plan = plan, .checker = failure->checker, .tries = tries};
    /* What came after the failure has no part in it. */
    while (plan->step_count > 0 && plan->steps[plan->step_count - 1].at > failure->at)
        plan->step_count--;
    if (!still_fails(&search, plan))
        return;
    cut_steps(&search);
    reset_knobs(&search);
    cut_time(&search);
    cut_steps(&search);
}
