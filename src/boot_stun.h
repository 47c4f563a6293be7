/* boot_stun.h - the STUN server at start: resolved, and asked once (webrtc.md 7). */
#pragma once

#include "base/net.h"
#include "runtime/actor.h"
#include "settings/settings.h"

/* False: it can't be resolved, or does not answer within 5 s (said in the log). */
bool boot_stun(struct actor *main_actor, const struct settings *settings, struct net_addr *server);
