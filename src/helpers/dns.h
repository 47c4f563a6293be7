/* helpers/dns.h - the actor that may wait for a resolver, so that no other has to. One question at a time, in order; it may
 * block for as long as the system's resolver does, so the watchdog leaves it alone and main does not wait for its end. */
#pragma once

#include "msg/dns.h"
#include "runtime/actor.h"

struct dns;

struct dns *dns_new(struct actor *actor);
void dns_free(struct dns *dns);

extern const struct actor_ops dns_ops;

/* The same by hand, blocking: for start-up on the main thread only. */
void dns_lookup(struct dns_answer *answer, const struct dns_ask *ask);
