/* control/measure.h - what control tells when it is asked for its numbers, and how long requests took: from the turn of io that
 * delivered them to the end of the turn in which they were answered. No clock is read for it. */
#pragma once

#include "base/metrics.h"
#include "control/state.h"

struct api_request;

/* `message` is counted by plugin: REQUEST_MESSAGE + the plugin's place among the hosts. */
enum request_kind {
    REQUEST_OTHER, REQUEST_PING, REQUEST_INFO, REQUEST_CREATE, REQUEST_ATTACH, REQUEST_DETACH, REQUEST_HANGUP, REQUEST_DESTROY,
    REQUEST_CLAIM, REQUEST_KEEPALIVE, REQUEST_TRICKLE, REQUEST_ADMIN, REQUEST_MESSAGE,
};

/* Of every direct reply; `code` 0: it is no error. */
void measure_reply(struct control *c, const struct api_request *request, int code);
void measure_turn(struct control *c);           /* at the end of a turn's work */
void measure_fill(void *owner, usec_t now, struct metrics *out);
