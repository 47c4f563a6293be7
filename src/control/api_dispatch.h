/* control/api_dispatch.h - one document: the checks of janus-api.md 2 in their order, then its verb. */
#pragma once

#include "control/api_reply.h"

/* Sends exactly one direct reply, now or later (op.h). `document` is borrowed. */
void api_dispatch(struct control *c, const struct request_from *from, json_t *document);

/* What both APIs begin with: the ids of path and document, then the header's elements (`transaction` and `janus` must be among
 * them). False: answered by an error. */
bool api_request_read(struct control *c, struct api_request *request, const struct request_from *from, json_t *document,
                      const struct element *header, size_t count);
