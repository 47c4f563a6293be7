/* helpers/events/sample.h - the handler that posts events to a web server (event-handlers.md 5.1), by libcurl's multi interface. */
#pragma once

#include "helpers/events/evhandler.h"

extern const struct evhandler_desc evhandler_sample;
