/* helpers/mqtt/mqtt_link.h - one connection to an MQTT broker, by libmosquitto: made, made again after back-offs, subscribed, kept.
 * Owner: an actor that may wait, since libmosquitto asks the resolver itself; or one that gives it addresses (mqtt_link_aim), where nothing
 * of it waits. libmosquitto's calls back only put things into the link: the owner looks at the end of its turn.
 *
 *   mqtt_link_library_init once, on the main thread
 *   mqtt_link_new; then on the actor: mqtt_link_ready for its descriptor, mqtt_link_turn at the end of every turn, and in it
 *   mqtt_link_changed, mqtt_link_next until NULL, mqtt_link_publish while mqtt_link_has_room */
#pragma once

#include <mosquitto.h>

#include "base/list.h"
#include "helpers/mqtt/mqtt_config.h"
#include "runtime/actor.h"

#define MQTT_RETRY_MIN_US   MSEC(500)
#define MQTT_RETRY_MAX_US   SEC(10)
#define MQTT_CONNECT_US     SEC(10)      /* from the address to the broker's word that we are welcome */
#define MQTT_READS_PER_TURN 32u
#define MQTT_USER_PROPERTIES_MAX 64u     /* of one message that comes: more are not looked at */

struct mqtt_pair {
    char *name, *value;
};

/* One that has come; the owner gives it back by mqtt_in_free. */
struct mqtt_in {
    struct list node;
    char *topic;
    uint8_t *text;
    size_t size;
    char *response_topic;                /* MQTT 5; NULL: none. So are the correlation data */
    uint8_t *correlation;
    uint16_t correlation_size;
    struct mqtt_pair *pairs;
    uint32_t pair_count;
};
void mqtt_in_free(struct mqtt_in *in);

struct mqtt_link_counters {
    uint64_t connected, failed, lost;
    uint64_t received, published, unconfirmed_lost;
};

struct mqtt_link;

void mqtt_link_library_init(void);
void mqtt_link_library_fini(void);

struct mqtt_link_ops {
    bool (*watch)(void *owner, int fd, uint32_t events);
    void (*unwatch)(void *owner, int fd);
};

/* `actor` and `name` are for the log. NULL: the library refuses (said in the log). */
struct mqtt_link *mqtt_link_new(struct actor *actor, const char *name, const struct mqtt_link_config *config, const struct mqtt_link_ops *ops, void *owner);
/* It is the owner who resolves the broker's name: mqtt_link_wants_address says when, mqtt_link_ask that it has asked, mqtt_link_aim gives
 * the address, for one attempt. The name in a certificate can't be checked then. */
void mqtt_link_by_address(struct mqtt_link *link);
bool mqtt_link_wants_address(const struct mqtt_link *link, usec_t now);
void mqtt_link_ask(struct mqtt_link *link);
void mqtt_link_aim(struct mqtt_link *link, const char *address);
void mqtt_link_miss(struct mqtt_link *link, usec_t now, const char *why);      /* there is none: later again */
void mqtt_link_free(struct mqtt_link *link);
void mqtt_link_subscribe(struct mqtt_link *link, const char *topic, int qos);      /* before the first turn */

void mqtt_link_ready(struct mqtt_link *link, usec_t now, uint32_t events);
void mqtt_link_turn(struct mqtt_link *link, usec_t now);
usec_t mqtt_link_deadline(const struct mqtt_link *link);
void mqtt_link_pause(struct mqtt_link *link, bool paused);      /* nothing more is read meanwhile */

bool mqtt_link_is_up(const struct mqtt_link *link);
bool mqtt_link_changed(struct mqtt_link *link);                 /* up or down since it was asked last */
struct mqtt_in *mqtt_link_next(struct mqtt_link *link);
bool mqtt_link_has_room(const struct mqtt_link *link);          /* it is up, and not too much is unconfirmed */
/* `properties` may be NULL; they stay the caller's. False: not taken. */
bool mqtt_link_publish(struct mqtt_link *link, const char *topic, struct view text, int qos, bool retain, const mosquitto_property *properties);
/* An orderly end: what was published leaves, then the connection closes. */
void mqtt_link_end(struct mqtt_link *link);
bool mqtt_link_has_ended(const struct mqtt_link *link);
const struct mqtt_link_counters *mqtt_link_counters(const struct mqtt_link *link);
