/* control/info.h - the answer to `info` (janus-api.md 10). */
#pragma once

#include "control/api_reply.h"

#define INFO_VERSION      1401          /* of the API that we speak: clients look at it */
#define INFO_VERSION_TEXT "1.4.1"

/* The members of the answer, into an object that the caller has opened. */
void info_write(const struct control *c, struct json_out *j);
const char *info_transport(uint8_t kind);       /* the package of an enum transport_kind */
void info_reply(struct control *c, const struct api_request *request);
