/* control/place.h - which worker a new PeerConnection lives on. Policy only: nothing may depend on it, and the simulator
 * places at random to prove that (design section 2). */
#pragma once

#include "control/state.h"

/* Peers with one `group` (not 0) prefer one worker while it isn't much busier than the least busy one. */
uint32_t place_peer(struct control *c, uint64_t group);
