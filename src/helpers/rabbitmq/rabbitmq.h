/* helpers/rabbitmq/rabbitmq.h - the actor that speaks with a RabbitMQ broker for io: the RabbitMQ transport (transports.md 5). It owns
 * librabbitmq's connection, and alone may wait for it. Made only when the transport is enabled.
 *
 *   struct rabbitmq *r = rabbitmq_new(actor, &config);     main thread. `config` is copied, its texts are not
 *   actor_serve(actor, &rabbitmq_ops, r); ... rabbitmq_free(r) after the actor has stopped. */
#pragma once

#include "helpers/rabbitmq/rabbit_config.h"
#include "runtime/actor.h"

#define RABBITMQ_ASKS_MAX 256u               /* requests whose reply is to carry something; the oldest is forgotten then */
#define RABBITMQ_STOP_US  SEC(2)

struct rabbitmq_counters {
    uint64_t requests, replies, events, too_long;
};

struct rabbitmq;

struct rabbitmq *rabbitmq_new(struct actor *actor, const struct rabbit_config *config);
void rabbitmq_free(struct rabbitmq *r);
extern const struct actor_ops rabbitmq_ops;
const struct rabbitmq_counters *rabbitmq_counters(const struct rabbitmq *r);
