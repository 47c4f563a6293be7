/* load/compare.h - one command against two servers in turns, a process for each run, and how the results relate. */
#pragma once

#include "load/load.h"

/* The exit code. */
int compare_run(const struct options *options, const struct command *command);
