/* control/candidates.h - our own candidates, as clients see them (webrtc.md 6.1, 6.2). */
#pragma once

#include "control/state.h"

#define LOCAL_CANDIDATES_MAX 64u

/* RFC 8445 5.1.2.1 for component 1 and socket `socket`; the worker's ICE agent must have the same ones. */
uint32_t candidates_priority(enum ice_candidate_type type, uint32_t socket);

/* All candidates of a worker; the number of them, at most LOCAL_CANDIDATES_MAX. */
size_t candidates_of_worker(const struct control *c, uint32_t worker, struct ice_candidate out[LOCAL_CANDIDATES_MAX]);

/* What stands in o= and c=: the first public address, else the local one. */
const struct net_addr *candidates_address(const struct control *c);

/* The reflexive address of a socket has become known. */
void candidates_learn(struct control *c, uint32_t worker, uint32_t socket, const struct net_addr *mapped);
