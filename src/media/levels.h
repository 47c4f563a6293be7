/* media/levels.h - does somebody talk? Audio levels (RFC 6464) over windows of packets (videoroom.md 14.4): the average of so many
 * packets is below the threshold (0 is loud, 127 silent), or not. Pure; owner: a source. */
#pragma once

#include "media/media_types.h"

struct levels {
    struct level_window window;     /* packets 0: not asked for */
    uint32_t sum;
    uint32_t count;
    bool talking;
    double average;                 /* of the last whole window */
};

/* Other windows begin anew; what is known about talking stays. */
void levels_set(struct levels *levels, const struct level_window *window);
/* True: it has changed with this packet. */
bool levels_input(struct levels *levels, uint8_t level);
