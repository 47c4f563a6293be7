/* bench/seams.h - what the benches put under base/mem.h and base/check.h: malloc. And how they take the time. */
#pragma once

#include "base/types.h"

uint64_t cpu_ns(void);                  /* of this thread */

/* The least of `rounds` runs of `body`, in ns per item: what disturbs a run only makes it longer. */
double best_ns(unsigned rounds, uint64_t items, void (*body)(void *context), void *context);
