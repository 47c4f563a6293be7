/* helpers/stun_ask.h - asks a STUN server once, and waits for its answer: for actors that may block, and for start-up. */
#pragma once

#include "base/net.h"

#define STUN_ASK_US SEC(5)

/* From `local_port` (0: any). False: no socket, or no answer within STUN_ASK_US. */
bool stun_ask(const struct net_addr *server, uint16_t local_port, struct net_addr *mapped);
