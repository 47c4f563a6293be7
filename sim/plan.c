#include "sim/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim/world.h"

static const char *const knob_names[] = {
#define X(name, value) #name,
    KNOBS(X)
#undef X
};

static const uint64_t knob_defaults[] = {
#define X(name, value) value,
    KNOBS(X)
#undef X
};

static const char *const step_names[] = {
#define X(name) #name,
    STEPS(X)
#undef X
};

/* How often each step comes, in a scenario. */
struct weights {
    uint8_t of[STEP_COUNT];
};

#define USUAL                                                                                                           \
    [STEP_come] = 10, [STEP_publish] = 14, [STEP_view] = 20, [STEP_echo] = 5, [STEP_stop] = 12, [STEP_leave] = 4, [STEP_ask] = 14

static const struct weights calm = {{USUAL, [STEP_mute] = 6, [STEP_choose] = 5, [STEP_pause] = 5, [STEP_unpublish] = 3, [STEP_again] = 4,
                                     [STEP_renegotiate] = 3, [STEP_restart] = 3, [STEP_layer] = 4, [STEP_lie] = 3, [STEP_more] = 6, [STEP_less] = 4,
                                     [STEP_trickle] = 4, [STEP_hangup] = 3, [STEP_detach] = 2, [STEP_record] = 4, [STEP_forward] = 3}};
static const struct weights rough = {{USUAL, [STEP_mute] = 4, [STEP_choose] = 4, [STEP_pause] = 4, [STEP_unpublish] = 3, [STEP_again] = 4,
                                      [STEP_renegotiate] = 3, [STEP_restart] = 5, [STEP_layer] = 3, [STEP_drop] = 3, [STEP_vanish] = 3,
                                      [STEP_back] = 5, [STEP_reset] = 3, [STEP_part] = 6, [STEP_move] = 6, [STEP_deaf] = 3, [STEP_more] = 5,
                                      [STEP_less] = 4, [STEP_trickle] = 3, [STEP_hangup] = 2, [STEP_detach] = 2, [STEP_bounce] = 4,
                                      [STEP_record] = 4, [STEP_forward] = 3}};
static const struct weights hostile = {{USUAL, [STEP_lie] = 20, [STEP_garble] = 10, [STEP_flood] = 6, [STEP_deaf] = 5, [STEP_kick] = 6,
                                        [STEP_room] = 8, [STEP_drop] = 4, [STEP_vanish] = 3, [STEP_back] = 5, [STEP_burst] = 4,
                                        [STEP_forge] = 8, [STEP_replay] = 8, [STEP_knock] = 4, [STEP_clock] = 3, [STEP_stranger] = 6,
                                        [STEP_again] = 4, [STEP_unpublish] = 4, [STEP_renegotiate] = 4, [STEP_more] = 6, [STEP_less] = 4,
                                        [STEP_trickle] = 6, [STEP_hangup] = 4, [STEP_detach] = 4, [STEP_steal] = 3, [STEP_restart] = 4,
                                        [STEP_choose] = 4, [STEP_bounce] = 5, [STEP_record] = 5, [STEP_forward] = 4}};

const char *step_name(uint32_t kind)
{
    return kind < STEP_COUNT ? step_names[kind] : "?";
}

const char *plan_names(void)
{
    return "mix calm rough hostile faults ten ten5";
}

uint64_t knob_default(uint32_t knob)
{
    return knob_defaults[knob];
}

bool plan_is_clean(const struct plan *plan)
{
    static const uint32_t spoils[] = {KNOB_loss_ppm, KNOB_duplicate_ppm, KNOB_reorder_ppm, KNOB_mtu, KNOB_pool_ppm, KNOB_late_ppm,
                                      KNOB_lane_bytes, KNOB_descriptor_ppm, KNOB_jitter_us, KNOB_tcp_reset_ppm, KNOB_tcp_loss_ppm};
    static const uint32_t blows[] = {STEP_part, STEP_move, STEP_vanish, STEP_burst, STEP_replay, STEP_forge, STEP_drop, STEP_bounce, STEP_reset, STEP_knock};
    for (size_t i = 0; i < ARRAY_COUNT(spoils); i++)
        if (plan->knobs[spoils[i]] != 0)
            return false;
    for (uint32_t i = 0; i < plan->step_count; i++)
        for (size_t k = 0; k < ARRAY_COUNT(blows); k++)
            if (plan->steps[i].kind == blows[k])
                return false;
    return true;
}

static void add_step(struct plan *plan, usec_t at, uint32_t member, uint32_t kind, uint32_t arg)
{
    if (plan->step_count == plan->step_room) {
        plan->step_room = plan->step_room == 0 ? 64 : plan->step_room * 2;
        plan->steps = realloc(plan->steps, plan->step_room * sizeof(*plan->steps));
        CHECK(plan->steps != NULL);
    }
    plan->steps[plan->step_count++] = (struct step){at, member, kind, arg};
}

/* By time; equal ones keep their order. */
static void sort_steps(struct plan *plan)
{
    for (uint32_t i = 1; i < plan->step_count; i++) {
        const struct step step = plan->steps[i];
        uint32_t k = i;
        for (; k > 0 && plan->steps[k - 1].at > step.at; k--)
            plan->steps[k] = plan->steps[k - 1];
        plan->steps[k] = step;
    }
}

/* ---- made from a seed ---- */

static uint32_t draw_kind(struct sim_rng *rng, const struct weights *weights)
{
    uint32_t total = 0, kind = 0;
    for (uint32_t i = 0; i < STEP_COUNT; i++)
        total += weights->of[i];
    for (uint64_t at = sim_below(rng, total); at >= weights->of[kind]; kind++)
        at -= weights->of[kind];
    return kind;
}

static void draw_steps(struct plan *plan, struct sim_rng *rng, const struct weights *weights, usec_t every)
{
    const uint64_t members = plan->knobs[KNOB_members];
    const usec_t end = SEC(plan->knobs[KNOB_seconds]);
    for (uint32_t i = 0; i < members; i++)
        add_step(plan, sim_below(rng, SEC(1)), i, STEP_come, (uint32_t)sim_draw(rng));
    for (usec_t at = SEC(1); at < end; at += sim_between(rng, 1, every * 2))
        add_step(plan, at, (uint32_t)sim_below(rng, members), draw_kind(rng, weights), (uint32_t)sim_draw(rng));
}

static void draw_weather(struct plan *plan, struct sim_rng *rng)
{
    uint64_t *k = plan->knobs;
    k[KNOB_delay_us] = sim_between(rng, 200, 120000);
    k[KNOB_jitter_us] = sim_below(rng, 2) * sim_below(rng, 40000);
    k[KNOB_loss_ppm] = sim_below(rng, 2) * sim_below(rng, 80000);
    k[KNOB_duplicate_ppm] = sim_below(rng, 2) * sim_below(rng, 30000);
    k[KNOB_reorder_ppm] = sim_below(rng, 2) * sim_below(rng, 50000);
    k[KNOB_mtu] = sim_below(rng, 8) == 0 ? sim_between(rng, 1250, 1450) : 0;
    k[KNOB_tcp_loss_ppm] = sim_below(rng, 2) * sim_below(rng, 50000);
    k[KNOB_tcp_cut_ppm] = sim_below(rng, 2) * sim_below(rng, 500000);
    k[KNOB_tcp_reset_ppm] = sim_below(rng, 4) == 0 ? sim_below(rng, 3000) : 0;
}

static void draw_faults(struct plan *plan, struct sim_rng *rng)
{
    uint64_t *k = plan->knobs;
    k[KNOB_descriptor_ppm] = sim_below(rng, 2) * sim_below(rng, 200000);
    k[KNOB_pool_ppm] = sim_below(rng, 2) * sim_below(rng, 20000);
    k[KNOB_late_ppm] = sim_below(rng, 2) * sim_below(rng, 2000);
    k[KNOB_late_us] = sim_between(rng, 1000, 300000);
    k[KNOB_ring_cells] = sim_below(rng, 2) == 0 ? 0 : sim_between(rng, 1, 16);
    k[KNOB_lane_bytes] = sim_below(rng, 3) == 0 ? sim_between(rng, 4096, 20000) : 0;
    k[KNOB_disk_ppm] = sim_below(rng, 2) * sim_below(rng, 300000);
    k[KNOB_disk_us] = sim_below(rng, 2) * sim_below(rng, SEC(3));
    k[KNOB_dns_us] = sim_below(rng, 2) * sim_below(rng, SEC(6));
}

/* One cell at a time, each seen late, is not a fault but a server without a future: a flood takes minutes. So it does over HTTP, where
 * each request waits for the answer to the one before. */
static void temper(struct plan *plan)
{
    uint64_t *k = plan->knobs;
    if (k[KNOB_http] != 0)
        k[KNOB_cross_us] = usec_min(k[KNOB_cross_us], MSEC(20));
    if (k[KNOB_ring_cells] == 0)
        return;
    k[KNOB_cross_us] = usec_min(k[KNOB_cross_us], MSEC(2));
    k[KNOB_late_us] = usec_min(k[KNOB_late_us], MSEC(20));
}

static void draw_size(struct plan *plan, struct sim_rng *rng)
{
    uint64_t *k = plan->knobs;
    k[KNOB_members] = sim_between(rng, 2, 9);
    k[KNOB_workers] = sim_between(rng, 1, 4);
    k[KNOB_reclaim] = sim_below(rng, 2) * 20;
    k[KNOB_audio_pps] = sim_between(rng, 2, 50);
    k[KNOB_video_pps] = sim_between(rng, 2, 30);
    k[KNOB_video_bytes] = sim_between(rng, 50, 4000);
    k[KNOB_layers] = sim_below(rng, 3) == 0 ? 3 : 1;
    k[KNOB_svc] = k[KNOB_layers] == 1 && plan->seed / 4 % 3 == 0;      /* drawn by nothing: what is drawn stays what it was */
    k[KNOB_tcp_cut_ppm] = sim_below(rng, 3) * 100000;
    if (sim_below(rng, 2) == 0)
        return;
    k[KNOB_cross_ppm] = sim_below(rng, 400000);
    k[KNOB_cross_us] = sim_below(rng, MSEC(200));
}

/* Ten publishers, each of them watching two others; somebody joins or leaves every 5 s. The scenario that the speed is measured with. */
static void make_ten(struct plan *plan, struct sim_rng *rng, uint64_t audio_pps, uint64_t video_pps)
{
    plan->knobs[KNOB_members] = 10;
    plan->knobs[KNOB_audio_pps] = audio_pps;
    plan->knobs[KNOB_video_pps] = video_pps;
    for (uint32_t i = 0; i < 10; i++) {
        add_step(plan, MSEC(100) * i, i, STEP_come, 0);
        add_step(plan, MSEC(500) + MSEC(100) * i, i, STEP_publish, 0);
        add_step(plan, SEC(3) + MSEC(100) * i, i, STEP_view, (uint32_t)sim_draw(rng));
        add_step(plan, SEC(4) + MSEC(100) * i, i, STEP_view, (uint32_t)sim_draw(rng));
    }
    for (usec_t at = SEC(5); at < SEC(plan->knobs[KNOB_seconds]); at += SEC(10)) {
        const uint32_t who = (uint32_t)sim_below(rng, 10);
        add_step(plan, at, who, STEP_stop, 0);
        add_step(plan, at + SEC(5), who, STEP_publish, 0);
    }
}

bool plan_make(struct plan *plan, const char *name, uint64_t seed, uint64_t seconds)
{
    struct sim_rng rng = {{seed * 0x9E3779B97F4A7C15u + 7, (seed ^ 0xD1B54A32D192ED03u) | 1u}};
    static const char *const drawn[] = {"calm", "rough", "hostile", "faults"};
    *plan = (struct plan){.seed = seed};
    memcpy(plan->knobs, knob_defaults, sizeof(knob_defaults));
    for (int i = 0; i < 8; i++)
        (void)sim_draw(&rng);
    if (strcmp(name, "mix") == 0)
        name = drawn[seed % ARRAY_COUNT(drawn)];        /* drawn by nothing: the plan is that of the scenario so named */
    snprintf(plan->name, sizeof(plan->name), "%s", name);
    const bool ten = strcmp(name, "ten") == 0, ten5 = strcmp(name, "ten5") == 0;
    plan->knobs[KNOB_seconds] = seconds > 0 ? seconds : ten || ten5 ? 120 : 30;
    if (ten || ten5) {
        make_ten(plan, &rng, ten ? 50 : 5, ten ? 30 : 5);
        sort_steps(plan);
        return true;
    }
    draw_size(plan, &rng);
    const usec_t every = sim_between(&rng, MSEC(100), MSEC(900));
    if (strcmp(name, "calm") == 0) {
        draw_steps(plan, &rng, &calm, every);
    } else if (strcmp(name, "rough") == 0) {
        draw_weather(plan, &rng);
        draw_steps(plan, &rng, &rough, every);
    } else if (strcmp(name, "hostile") == 0) {
        draw_steps(plan, &rng, &hostile, every / 2);
    } else if (strcmp(name, "faults") == 0) {
        draw_faults(plan, &rng);
        draw_steps(plan, &rng, sim_below(&rng, 2) == 0 ? &rough : &hostile, every);
    } else {
        return false;
    }
    plan->knobs[KNOB_http] = sim_below(&rng, 2) == 0 ? 0 : sim_below(&rng, 1u << plan->knobs[KNOB_members]);
    temper(plan);
    sort_steps(plan);
    return true;
}

/* ---- files: a line each, `knob NAME VALUE` or `step MICROSECONDS MEMBER NAME ARG` ---- */

void plan_write(const struct plan *plan, FILE *out)
{
    fprintf(out, "# cardea-sim --scenario THIS_FILE\nseed %" PRIu64 "\nname %s\n", plan->seed, plan->name);
    for (uint32_t i = 0; i < KNOB_COUNT; i++)
        fprintf(out, "knob %s %" PRIu64 "\n", knob_names[i], plan->knobs[i]);
    for (uint32_t i = 0; i < plan->step_count; i++)
        fprintf(out, "step %" PRIu64 " %u %s %u\n", plan->steps[i].at, plan->steps[i].member, step_name(plan->steps[i].kind), plan->steps[i].arg);
}

static uint32_t index_of(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return UINT32_MAX;
}

static bool read_line(struct plan *plan, const char *line)
{
    char word[64];
    uint64_t value, at;
    uint32_t member, arg, index;
    if (line[0] == '#' || line[0] == '\n')
        return true;
    if (sscanf(line, "seed %" SCNu64, &plan->seed) == 1 || sscanf(line, "name %63s", plan->name) == 1)
        return true;
    if (sscanf(line, "knob %63s %" SCNu64, word, &value) == 2) {
        index = index_of(knob_names, KNOB_COUNT, word);
        if (index == UINT32_MAX)
            return false;
        plan->knobs[index] = value;
        return true;
    }
    if (sscanf(line, "step %" SCNu64 " %u %63s %u", &at, &member, word, &arg) != 4)
        return false;
    index = index_of(step_names, STEP_COUNT, word);
    if (index == UINT32_MAX)
        return false;
    add_step(plan, at, member, index, arg);
    return true;
}

bool plan_read(struct plan *plan, FILE *in)
{
    char line[256];
    *plan = (struct plan){.seed = 1};
    memcpy(plan->knobs, knob_defaults, sizeof(knob_defaults));
    while (fgets(line, sizeof(line), in) != NULL)
        if (!read_line(plan, line))
            return false;
    sort_steps(plan);
    for (uint32_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].member >= plan->knobs[KNOB_members])
            return false;
    return true;
}

void plan_copy(struct plan *to, const struct plan *from)
{
    *to = *from;
    to->step_room = from->step_count;
    to->steps = malloc((from->step_count + 1) * sizeof(*to->steps));
    CHECK(to->steps != NULL);
    memcpy(to->steps, from->steps, from->step_count * sizeof(*to->steps));
}

void plan_fini(struct plan *plan)
{
    free(plan->steps);
    plan->steps = NULL;
}
