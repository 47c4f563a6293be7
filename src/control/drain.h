/* control/drain.h - before the server leaves it refuses new sessions, tells the clients of those that are there, and tells main when the
 * last has ended (docs/OPERATORS.md, Draining). Nothing is ended here: that is what stopping does. */
#pragma once

#include "control/state.h"

void drain_begin(struct control *c, const struct drain_order *order);
void drain_turn(struct control *c);             /* once it has begun: tells some more clients; tells main, once, that nobody is left */
bool drain_has_work(const struct control *c);
void drain_fini(struct control *c);
