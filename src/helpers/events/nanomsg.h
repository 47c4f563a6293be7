/* helpers/events/nanomsg.h - the handler that publishes events by Nanomsg (event-handlers.md 5.5): the pattern PUB, a message is a payload. */
#pragma once

#include "helpers/events/evhandler.h"

extern const struct evhandler_desc evhandler_nanomsg;
