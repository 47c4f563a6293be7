/* sim/checks.h - what is looked at while a world runs, and what at its end. A checker that finds something calls sim_fail. */
#pragma once

#include "sim/crew.h"

struct checks {
    struct crew *crew;
    bool strict;                    /* nothing is lost on the way to the server: what it sends has no gaps */
};

void checks_open(struct checks *checks);
void checks_close(void);
void checks_tick(usec_t now);       /* now and then: what is overdue */
/* Nobody is there any more: everything must have come home. */
void checks_quiet(void);
/* The server has stopped and is closed. `blocks`: memory that was held before it was opened. */
void checks_closed(uint64_t blocks);
