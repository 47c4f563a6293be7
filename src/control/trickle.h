/* control/trickle.h - candidates from clients: the `trickle` request (janus-api.md 6.1) and those in descriptions. */
#pragma once

#include "control/api_reply.h"
#include "control/state.h"

void trickle_request(struct control *c, const struct api_request *request);

/* The exchange is complete and the worker knows: hands on the candidates of the client's description, then those that were
 * trickled early. */
void trickle_from_description(struct control *c, struct pc *pc);
void trickle_early(struct control *c, struct pc *pc);
