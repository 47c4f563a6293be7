/* control/api_dispatch.h - one document: the checks of janus-api.md 2 in their order, then its verb. */
#pragma once

#include "control/api_reply.h"

/* Sends exactly one direct reply. `document` is borrowed. */
void api_dispatch(struct control *c, const struct request_from *from, json_t *document);
