/* settings/budget.h - how large the pools may grow, from the memory that there is: so that a request is refused before the kernel
 * ends the process (design section 13). Pure.
 *
 * All limits as they are built together may come to more than a machine has, most of all on a small one or in a container: then each is
 * taken down by the same share, though not below a floor with which a small server works. Pools take memory only as objects come. */
#pragma once

#include "base/types.h"

struct budget {
    /* of each worker */
    uint32_t peers;
    uint32_t sources;
    uint32_t sinks;
    uint32_t mlines;
    uint32_t packets;               /* kept for retransmission; and as many sealed ones */
    uint32_t handshakes;            /* DTLS, in progress */
    /* of control */
    uint32_t clients;
    uint32_t sessions;
    uint32_t handles;
    uint32_t source_names;          /* in all workers */
    uint32_t sink_names;
    /* of the transports */
    uint32_t partial_bytes;         /* texts that are not whole yet */
    uint32_t queued_bytes;          /* what waits to be written */
};

/* What one costs at its fullest, without what a malloc adds (tests/unit/worker/graph.c compares). */
#define BUDGET_PEER_BYTES      16384u
#define BUDGET_SOURCE_BYTES    28672u       /* three layers' rings of history */
#define BUDGET_SINK_BYTES      12288u
#define BUDGET_MLINE_BYTES     2048u
#define BUDGET_PACKET_BYTES    3328u        /* one kept, and one sealed */
#define BUDGET_HANDSHAKE_BYTES 114688u      /* OpenSSL's (traps.md) */
#define BUDGET_CLIENT_BYTES    256u
#define BUDGET_SESSION_BYTES   256u
#define BUDGET_HANDLE_BYTES    8192u        /* with candidates that came early, and a plugin's state */
#define BUDGET_NAME_BYTES      128u
#define BUDGET_BASE_BYTES      (48u * 1024u * 1024u)    /* an idle server with two workers has 12 MB; threads' stacks, code, rings */

#define BUDGET_USED_OF_8       6u           /* of the limit so much may be pools; what is left is texts, rooms, the allocator's loss */

uint64_t budget_bytes(const struct budget *budget, uint32_t workers);
/* `*budget` holds what is built; it is taken down to fit. True: it had to be. */
bool budget_fit(struct budget *budget, uint64_t limit_bytes, uint32_t workers);

/* The share of the limit in use from which new sessions, handles and PeerConnections are refused, and below which no longer. */
#define BUDGET_SHORT_PERCENT 85u
#define BUDGET_EASE_PERCENT  80u
bool budget_is_short(bool was_short, uint64_t used_bytes, uint64_t limit_bytes);
