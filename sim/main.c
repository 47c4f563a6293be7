/* cardea-sim - the server, its clients and the network between them in one thread and in virtual time (docs/RELIABILITY.md).
 * Each seed is run twice; both must give the same digest of all that crossed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "sim/plan.h"
#include "sim/run.h"
#include "sim/shrink.h"

struct arguments {
    uint64_t seed;
    uint64_t count;                 /* of seeds */
    uint64_t budget_s;              /* real seconds; 0: as many as `count` says */
    uint64_t seconds;               /* virtual; 0: the scenario's own */
    const char *scenario;           /* a name, or a file */
    const char *log;
    const char *write;              /* where the plan goes, unrun */
    const char *keep;               /* where the shortest failing scenario goes */
    uint32_t tries;
    bool stop;                      /* at the first failure */
    bool list;                      /* a line a seed, as scripts/ci_summary.py reads it */
};

static const char help[] =
    "usage: cardea-sim [--seed N] [--hours H | --seconds S] [--scenario S] [--log FILE]\n"
    "       cardea-sim --count N | --for SECONDS  [--seed FIRST] [--scenario S] [--list]\n"
    "\n"
    "  --seed N        the seed (default 1); with --count or --for the first of them\n"
    "  --scenario S    %s, or a file that a failed run has left\n"
    "  --hours H       virtual hours (fractions allowed); --seconds S the same in seconds\n"
    "  --count N       so many seeds; --for SECONDS as many as fit into that time\n"
    "  --log FILE      what happened, a line each, with virtual times\n"
    "  --write FILE    writes the seed's plan there, and runs nothing\n"
    "  --keep FILE     where the shortest scenario that still fails is written (default sim-SEED.scenario)\n"
    "  --tries N       runs spent on making it short (default 200; 0: it is not tried)\n"
    "  --list          a line `ok - NAME` or `not ok - NAME` for each seed\n"
    "  --stop          ends at the first seed that fails\n"
    "\n"
    "Each seed is run twice. The last line is the digest of everything that crossed; a failure says its seed, its virtual time\n"
    "and the checker that found it, and the exit code is 1.\n";

static double real_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What all runs so far have cost of a core: on a machine that others use too, the clock on the wall says little. */
static double core_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static bool load(struct plan *plan, const struct arguments *a, uint64_t seed)
{
    if (plan_make(plan, a->scenario, seed, a->seconds))
        return true;
    FILE *in = fopen(a->scenario, "r");
    const bool fine = in != NULL && plan_read(plan, in);
    if (in != NULL)
        fclose(in);
    if (!fine)
        fprintf(stderr, "cardea-sim: there is no scenario %s\n", a->scenario);
    return fine;
}

static void report(const struct plan *plan, const struct run_result *r)
{
    fflush(stdout);
    fprintf(stderr, "FAILED: seed %" PRIu64 ", scenario %s, at %" PRIu64 ".%06" PRIu64 " s, checker %s: %s\n", plan->seed, plan->name,
            r->at / SEC(1), r->at % SEC(1), r->checker, r->failure);
}

static void keep_shortest(const struct arguments *a, struct plan *plan, const struct run_result *failure)
{
    char name[64];
    const uint32_t before = plan->step_count;
    if (a->tries == 0)
        return;
    shrink_plan(plan, failure, a->tries);
    snprintf(name, sizeof(name), "sim-%" PRIu64 ".scenario", plan->seed);
    const char *path = a->keep == NULL ? name : a->keep;
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return;
    plan_write(plan, out);
    fclose(out);
    fprintf(stderr, "%u of %u steps are enough: cardea-sim --scenario %s\n", plan->step_count, before, path);
}

/* Both runs. False: something was found. */
static bool run_seed(const struct arguments *a, struct plan *plan, struct run_result *first)
{
    struct run_result second;
    run_plan(plan, &(struct run_options){.log = a->log}, first);
    if (!first->ok) {
        report(plan, first);
        keep_shortest(a, plan, first);
        return false;
    }
    run_plan(plan, &(struct run_options){.perturbed = true}, &second);
    if (!second.ok) {
        fprintf(stderr, "The first run found nothing; memory lies elsewhere in the second.\n");
        report(plan, &second);
        return false;
    }
    if (second.digest != first->digest) {
        second.at = first->at;
        snprintf(second.checker, sizeof(second.checker), "twice");
        snprintf(second.failure, sizeof(second.failure), "two runs of one seed differ: %016" PRIx64 " and %016" PRIx64, first->digest, second.digest);
        report(plan, &second);
        return false;
    }
    return true;
}

static void tell(const struct plan *plan, const struct run_result *r, double took)
{
    const double virtual_s = (double)plan->knobs[KNOB_seconds];     /* what follows, the emptying, is nearly free */
    printf("seed %" PRIu64 " (%s): %.0f virtual s twice in %.2f s of a core: %.0f times real time; %" PRIu64 " datagrams, %" PRIu64 " messages, %" PRIu64
           " requests (%" PRIu64 " refused), %" PRIu64 " of %" PRIu64 " calls up, %" PRIu64 " faults, %" PRIu64 " views, %" PRIu64 " on data channels\n",
           plan->seed, plan->name, virtual_s, took, virtual_s / took, r->datagrams, r->messages, r->requests, r->errors, r->ups, r->legs, r->refused,
           r->views, r->heard);
}

static bool read_arguments(struct arguments *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--list") == 0 || strcmp(name, "--stop") == 0) {
            *(name[2] == 'l' ? &a->list : &a->stop) = true;
            continue;
        }
        const char *value = i + 1 < argc ? argv[++i] : NULL;
        if (value == NULL)
            return false;
        if (strcmp(name, "--seed") == 0)
            a->seed = strtoull(value, NULL, 10);
        else if (strcmp(name, "--count") == 0)
            a->count = strtoull(value, NULL, 10);
        else if (strcmp(name, "--for") == 0)
            a->budget_s = strtoull(value, NULL, 10);
        else if (strcmp(name, "--seconds") == 0)
            a->seconds = strtoull(value, NULL, 10);
        else if (strcmp(name, "--hours") == 0)
            a->seconds = (uint64_t)(strtod(value, NULL) * 3600.0);
        else if (strcmp(name, "--scenario") == 0)
            a->scenario = value;
        else if (strcmp(name, "--log") == 0)
            a->log = value;
        else if (strcmp(name, "--write") == 0)
            a->write = value;
        else if (strcmp(name, "--keep") == 0)
            a->keep = value;
        else if (strcmp(name, "--tries") == 0)
            a->tries = (uint32_t)strtoul(value, NULL, 10);
        else
            return false;
    }
    return true;
}

static void show_progress(uint64_t done, uint64_t failed, double since)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRIu64 " seeds in %.0f s, %" PRIu64 " failed ", done, real_now() - since, failed);
}

static int write_only(const struct arguments *a)
{
    struct plan plan;
    FILE *out = fopen(a->write, "w");
    if (out == NULL || !load(&plan, a, a->seed))
        return 2;
    plan_write(&plan, out);
    plan_fini(&plan);
    return fclose(out) == 0 ? 0 : 2;
}

static int run_many(const struct arguments *a)
{
    const double began = real_now();
    uint64_t done = 0, failed = 0, digest = 0;
    for (; a->budget_s > 0 ? real_now() - began < (double)a->budget_s : done < a->count; done++) {
        struct plan plan;
        struct run_result r;
        const double start = core_seconds();
        if (!load(&plan, a, a->seed + done))
            return 2;
        const bool fine = run_seed(a, &plan, &r);
        failed += !fine;
        digest = digest * 0x9E3779B97F4A7C15u + r.digest;
        if (a->list)
            printf("%s - seed %" PRIu64 " (%s)\n", fine ? "ok" : "not ok", plan.seed, plan.name);
        else if (fine)
            tell(&plan, &r, core_seconds() - start);
        fflush(stdout);
        plan_fini(&plan);
        if (a->budget_s > 0 || a->count > 1)
            show_progress(done + 1, failed, began);
        if (failed > 0 && a->stop)
            break;
    }
    if (isatty(STDERR_FILENO) && (a->budget_s > 0 || a->count > 1))
        fputc('\n', stderr);
    printf("digest %016" PRIx64 "\n", digest);
    return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.seed = 1, .count = 1, .scenario = "mix", .tries = 200};
    if (!read_arguments(&arguments, argc, argv)) {
        printf(help, plan_names());
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    return arguments.write != NULL ? write_only(&arguments) : run_many(&arguments);
}
