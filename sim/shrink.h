/* sim/shrink.h - makes a plan that fails as short as it can be: steps are left out and knobs set back as long as the same
 * checker still fails (delta debugging: halves first, then ever smaller pieces). */
#pragma once

#include "sim/run.h"

/* `plan` becomes the shorter one. `tries`: runs at most. */
void shrink_plan(struct plan *plan, const struct run_result *failure, uint32_t tries);
