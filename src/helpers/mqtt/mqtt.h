/* helpers/mqtt/mqtt.h - the actor that speaks with an MQTT broker for io: the MQTT transport (transports.md 6). It owns libmosquitto's
 * connection, and alone may wait for it. Made only when the transport is enabled.
 *
 *   struct mqtt *mqtt = mqtt_new(actor, &config);     main thread; NULL: said why in the log. `config` is copied, its texts are not
 *   actor_serve(actor, &mqtt_ops, mqtt); ... mqtt_free(mqtt) after the actor has stopped. */
#pragma once

#include "helpers/mqtt/mqtt_config.h"
#include "runtime/actor.h"

#define MQTT_ASKS_MAX       256u                 /* requests whose reply is to carry something; the oldest is forgotten then */

struct mqtt_counters {
    uint64_t requests, replies, events;
    uint64_t too_long, other_topic, asks_forgotten, not_taken;
};

struct mqtt;

struct mqtt *mqtt_new(struct actor *actor, const struct mqtt_config *config);
void mqtt_free(struct mqtt *mqtt);
extern const struct actor_ops mqtt_ops;
const struct mqtt_counters *mqtt_counters(const struct mqtt *mqtt);
