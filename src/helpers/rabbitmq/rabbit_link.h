/* helpers/rabbitmq/rabbit_link.h - one connection to a RabbitMQ broker (AMQP 0-9-1), by librabbitmq: made, made again after back-offs, its
 * exchange and queues declared, read frame by frame.
 * Owner: an actor that may wait. It waits while a connection is made (RABBIT_CONNECT_US at most for each of its steps), and when a socket
 * takes nothing (RABBIT_PATIENCE_US at most); a broker that says it is blocked is written nothing.
 *
 *   rabbit_link_new; then on the actor: rabbit_link_ready for its descriptor, rabbit_link_turn at the end of every turn, and in it
 *   rabbit_link_next until NULL, rabbit_link_publish while rabbit_link_has_room */
#pragma once

#include "base/list.h"
#include "helpers/rabbitmq/rabbit_config.h"
#include "runtime/actor.h"

#define RABBIT_RETRY_MIN_US   MSEC(100)      /* transports.md 5.3: times 1.5, up to 5 s */
#define RABBIT_RETRY_MAX_US   SEC(5)
#define RABBIT_CONNECT_US     SEC(5)
#define RABBIT_PATIENCE_US    SEC(15)
#define RABBIT_FRAMES_PER_TURN 256u
#define RABBIT_FRAME_BYTES    131072         /* transports.md 5.2 */
#define RABBIT_QUEUES_MAX     2u
#define RABBIT_CORRELATION_MAX 255u          /* AMQP: a short string */

/* One that has come; the owner gives it back by mem_put. */
struct rabbit_in {
    struct list node;
    char routing_key[256];
    uint8_t correlation_size;
    bool has_correlation;
    bool too_long;                           /* its text is left out */
    char correlation[RABBIT_CORRELATION_MAX];
    uint32_t size;
    uint8_t text[];
};

struct rabbit_out {
    const char *routing_key;
    const char *reply_to;                    /* NULL: not said */
    const char *correlation;                 /* NULL: likewise */
    uint8_t correlation_size;
    struct view text;
};

struct rabbit_link_counters {
    uint64_t connected, failed, lost;
    uint64_t received, published, blocked;
};

struct rabbit_link;

/* `name` is for the log; `token`: what its descriptor is watched by. */
struct rabbit_link *rabbit_link_new(struct actor *actor, const char *name, uint64_t token, const struct rabbit_link_config *config);
void rabbit_link_free(struct rabbit_link *link);
/* Declared at every connection, before the first turn: consumed from, unless `out_only`. */
void rabbit_link_queue(struct rabbit_link *link, const struct rabbit_queue *queue, bool out_only);

void rabbit_link_ready(struct rabbit_link *link, usec_t now, uint32_t events);
void rabbit_link_turn(struct rabbit_link *link, usec_t now);
usec_t rabbit_link_deadline(const struct rabbit_link *link);
void rabbit_link_pause(struct rabbit_link *link, bool paused);      /* nothing more is read meanwhile */

bool rabbit_link_is_up(const struct rabbit_link *link);
struct rabbit_in *rabbit_link_next(struct rabbit_link *link);
bool rabbit_link_has_room(const struct rabbit_link *link);          /* it is up, and the broker takes something */
/* False: not taken, and the link is down. */
bool rabbit_link_publish(struct rabbit_link *link, usec_t now, const struct rabbit_out *out);
void rabbit_link_end(struct rabbit_link *link);                     /* closes in order */
const struct rabbit_link_counters *rabbit_link_counters(const struct rabbit_link *link);
