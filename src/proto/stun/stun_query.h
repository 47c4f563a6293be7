/* proto/stun/stun_query.h - asks a STUN server for our address as it sees it (server-reflexive discovery, RFC 8489 6.2.1,
 * RFC 8445 5.1.1.2): one plain Binding request, repeated until answered.
 * Owner: whoever owns the socket; embedded. Order: stun_query_start, then at each stun_query_deadline
 * stun_query_poll_tx until it says false; stun_query_input for responses; look at `state`. Start again to refresh. */
#pragma once

#include "base/rng.h"
#include "proto/stun/stun.h"

#define STUN_QUERY_BYTES (STUN_HEADER_BYTES + 8u)          /* header and FINGERPRINT */

enum stun_query_state { STUN_QUERY_IDLE, STUN_QUERY_ASKING, STUN_QUERY_DONE, STUN_QUERY_FAILED };

struct stun_query {
    enum stun_query_state state;
    uint8_t txid[STUN_TXID_BYTES];
    uint8_t sends;
    usec_t due;                      /* of the next request, or of giving up */
    struct net_addr server;
    struct net_addr mapped;          /* valid in STUN_QUERY_DONE */
};

/* `txid_prefix` begins the transaction id, so that a demultiplexer finds its way back; the rest is random. */
void stun_query_start(struct stun_query *query, struct rng *rng, uint32_t txid_prefix, const struct net_addr *server,
                      usec_t now);
usec_t stun_query_deadline(const struct stun_query *query);  /* USEC_NEVER unless asking */

/* True: send `*size` bytes to query->server. Giving up happens here too (7 requests, 39.5 s after the first). */
bool stun_query_poll_tx(struct stun_query *query, usec_t now, uint8_t out[STUN_QUERY_BYTES], size_t *size);

/* True when the datagram was the answer to this query, good or bad; `state` says which. */
bool stun_query_input(struct stun_query *query, const struct net_addr *from, struct view datagram);
