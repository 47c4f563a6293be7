/* sim/run.h - one run of a plan, in a process of its own: a crash is a result like another. */
#pragma once

#include "sim/plan.h"

struct run_result {
    bool ok;
    bool died;                      /* by a signal, a failed CHECK or an exit */
    uint64_t digest;
    usec_t at;                      /* virtual, of the failure or the end */
    uint64_t steps;                 /* of the scheduler */
    uint64_t datagrams, messages, requests, ups, legs, failures, refused, views, errors, heard;
    char checker[40];
    char failure[512];
};

struct run_options {
    bool perturbed;
    const char *log;                /* file, or NULL */
    bool quiet;                     /* lines of a failure are not printed */
};

void run_plan(const struct plan *plan, const struct run_options *options, struct run_result *result);
