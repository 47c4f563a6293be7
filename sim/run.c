#include "sim/run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "sim/actor.h"
#include "sim/checks.h"
#include "sim/network.h"

#define SETTLE_US   SEC(15)         /* from the last step until all has found its place */
#define QUIET_US    SEC(120)        /* from the last client's going: pings find out (30 s), its session expires (60 s) */
#define STOP_US     SEC(20)
#define LOOK_US     MSEC(250)
#define OPERATION_US SEC(10)        /* as OP_TIME_US of control/op.h, which the world does not see */
#define HANG_S      600u            /* real ones: a handler that does not end, and nothing virtual would tell */

/* What the process of a run leaves behind when it dies: written on the way down, by the signal's handler. */
static struct run_result *shared;
static int shared_end;
static bool print_lines;

static void fill_failure(void)
{
    shared->at = sim->now - SIM_START_US;
    shared->digest = sim->digest;
    shared->steps = sim->steps;
    memcpy(shared->checker, sim->checker, sizeof(shared->checker));
    memcpy(shared->failure, sim->failure, sizeof(shared->failure));
}

static void on_fatal(int number)
{
    if (sim != NULL && shared != NULL) {
        if (!sim_failed())
            sim_fail("crash", "signal %d in %s", number, sim->running != NULL ? sim->running->name : "the clients");
        fill_failure();
        shared->died = true;
        if (print_lines)
            sim_print_lines(stderr);
        (void)!write(shared_end, shared, sizeof(*shared));
    }
    _exit(1);
}

static void apply_knobs(const struct plan *plan)
{
    const uint64_t *k = plan->knobs;
    network.weather = (struct weather){
        .delay_us = k[KNOB_delay_us],
        .jitter_us = k[KNOB_jitter_us],
        .loss_ppm = (uint32_t)k[KNOB_loss_ppm],
        .duplicate_ppm = (uint32_t)k[KNOB_duplicate_ppm],
        .reorder_ppm = (uint32_t)k[KNOB_reorder_ppm],
        .mtu = (uint32_t)k[KNOB_mtu],
        .tcp_loss_ppm = (uint32_t)k[KNOB_tcp_loss_ppm],
        .tcp_cut_ppm = (uint32_t)k[KNOB_tcp_cut_ppm],
        .tcp_reset_ppm = (uint32_t)k[KNOB_tcp_reset_ppm],
    };
    sim->faults = (struct sim_faults){
        .descriptor_ppm = (uint32_t)k[KNOB_descriptor_ppm],
        .pool_ppm = (uint32_t)k[KNOB_pool_ppm],
        .late_ppm = (uint32_t)k[KNOB_late_ppm],
        .late_us = k[KNOB_late_us],
        .cross_ppm = (uint32_t)k[KNOB_cross_ppm],
        .cross_us = k[KNOB_cross_us],
        .ring_cells = (uint32_t)k[KNOB_ring_cells],
        .lane_bytes = k[KNOB_lane_bytes],
        .disk_ppm = (uint32_t)k[KNOB_disk_ppm],
        .disk_us = k[KNOB_disk_us],
        .dns_us = k[KNOB_dns_us],
    };
    if (sim->faults.disk_us > 0 || sim->faults.dns_us > 0)
        sim->patience_us = OPERATION_US;
}

/* The bad weather ends; what the plan says of delays stays. */
static void calm_down(void)
{
    const struct weather was = network.weather;
    network.weather = (struct weather){.delay_us = was.delay_us, .tcp_cut_ppm = was.tcp_cut_ppm};
    sim->faults = (struct sim_faults){.ring_cells = sim->faults.ring_cells, .cross_ppm = sim->faults.cross_ppm, .cross_us = sim->faults.cross_us};
}

static void advance(usec_t until)
{
    for (usec_t look = sim->now; sim->now < until && !sim_failed();) {
        look = usec_min(look + LOOK_US, until);
        while (!sim_failed() && world_step(look))
            ;
        checks_tick(sim->now);
    }
}

static void play(struct crew *crew, const struct plan *plan)
{
    advance(SIM_START_US + SEC(plan->knobs[KNOB_seconds]));
    calm_down();
    crew_settle(crew);
    advance(sim->now + SETTLE_US);
    if (!sim_failed())
        crew_look(crew);
    crew_dismiss(crew);
    advance(sim->now + QUIET_US);
    if (!sim_failed())
        checks_quiet();
    if (sim_failed())
        return;
    server_stop();
    const usec_t limit = sim->now + STOP_US;
    while (!server_is_down() && !sim_failed() && world_step(limit))
        ;
    if (!server_is_down())
        sim_fail("stop", "the server has not stopped after %u s", (unsigned)(STOP_US / SEC(1)));
}

static void count(const struct crew *crew)
{
    shared->datagrams = network.counters.sent;
    shared->requests = crew->counters.asked;
    shared->ups = crew->counters.ups;
    shared->legs = crew->counters.legs;
    shared->failures = crew->counters.failures;
    shared->views = crew->counters.views_checked;
    shared->heard = crew->counters.heard;
    shared->errors = crew->counters.errors;
    shared->refused = sim->pool_refusals + sim->descriptor_refusals + sim->disk_errors;
    for (uint32_t i = 0; i < sim->actor_count; i++)
        shared->messages += sim->actors[i]->counters.messages;
}

static void run_here(const struct plan *plan, const struct run_options *options)
{
    struct crew crew;
    struct checks checks = {.crew = &crew, .strict = plan_is_clean(plan)};
    const struct server_options server = {
        .workers = (uint32_t)plan->knobs[KNOB_workers],
        .session_timeout_s = (uint32_t)plan->knobs[KNOB_session_timeout],
        .reclaim_s = (uint32_t)plan->knobs[KNOB_reclaim],
    };
    world_open(plan->seed, options->perturbed);
    sim->log = options->log == NULL ? NULL : fopen(options->log, "w");
    network_open();
    storage_reset();
    const uint64_t blocks = sim->memory_blocks;
    sim->faults.lane_bytes = plan->knobs[KNOB_lane_bytes];
    if (!server_open(&server) || !crew_open(&crew, plan)) {
        sim_fail("start", "the server or the crew could not be opened");
        fill_failure();
        return;
    }
    apply_knobs(plan);
    checks_open(&checks);
    play(&crew, plan);
    count(&crew);
    if (shared->ups > 0 && crypto_clock_calls() == 0)
        sim_fail("clock", "libssl does not read the simulator's clock");
    if (!sim_failed()) {
        crew_close(&crew);
        server_close();
        checks_close();
        checks_closed(blocks);
    }
    fill_failure();
    shared->ok = !sim_failed();
    if (!shared->ok && print_lines)
        sim_print_lines(stderr);
    if (sim->log != NULL)
        fclose(sim->log);
}

void run_plan(const struct plan *plan, const struct run_options *options, struct run_result *result)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    const pid_t child = fork();
    CHECK(child >= 0);
    *result = (struct run_result){.died = true, .checker = "crash", .failure = "the run's process ended without a word"};
    if (child == 0) {
        struct run_result own = {0};
        static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
        close(ends[0]);
        shared = &own;
        shared_end = ends[1];
        print_lines = !options->quiet;
        for (size_t i = 0; i < ARRAY_COUNT(fatal); i++)
            signal(fatal[i], on_fatal);
        alarm(HANG_S);
        crypto_seed();
        run_here(plan, options);
        (void)!write(ends[1], &own, sizeof(own));
        _exit(0);
    }
    close(ends[1]);
    size_t got = 0;
    for (ssize_t n; got < sizeof(*result) && (n = read(ends[0], (char *)result + got, sizeof(*result) - got)) > 0;)
        got += (size_t)n;
    close(ends[0]);
    (void)waitpid(child, NULL, 0);
    if (got != sizeof(*result))
        *result = (struct run_result){.died = true, .checker = "crash", .failure = "the run's process ended without a word"};
}
