/* load/sink_count.h - what scripts/nullsink.sh has dropped in this namespace. */
#pragma once

#include "base/types.h"

#define SINK_HEADERS 28u            /* IPv4 and UDP, of a datagram; a GSO run that has stayed whole is one */

struct sink_count {
    uint64_t datagrams;
    uint64_t bytes;
};

/* False: there is no sink here. */
bool sink_count(struct sink_count *out);
