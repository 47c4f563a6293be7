/* Another implementation as one side of a net (net.h), driven in the same virtual time. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "net.h"

struct foreign {
    pid_t pid;
    FILE *in, *out;                  /* its */
    usec_t tick_at;
    uint8_t *parts[NET_STREAMS];     /* of a message that has not come wholly; of several streams in turn */
    size_t part_bytes[NET_STREAMS];
    bool last_result;
};

/* Takes the place of our association on this side. `program`: its path. */
void foreign_start(struct net *net, int side, const char *program, uint32_t buffer_bytes, uint32_t window_bytes, uint16_t streams);
void foreign_stop(struct net *net, int side);
void foreign_command(struct net *net, int side, uint8_t type, struct view head, struct view data);
