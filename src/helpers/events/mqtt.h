/* helpers/events/mqtt.h - the handler that publishes events to an MQTT broker (event-handlers.md 5.4), by libmosquitto without waiting:
 * names are asked of the dns actor. */
#pragma once

#include "helpers/events/evhandler.h"

extern const struct evhandler_desc evhandler_mqtt;
