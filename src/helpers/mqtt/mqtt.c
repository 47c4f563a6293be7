/* Requests go to io as they come, at most BROKER_WINDOW ahead of it; meanwhile nothing more is read. What io has to say waits here while
 * the broker is away or busy, at most BROKER_AHEAD texts: the rest waits there.
 *
 * MQTT 5: what a request says of its reply is kept under the tag that it gets, until its reply (transports.md 6.2: its first one; what
 * comes later as an event goes to the topic of all). */
#include "helpers/mqtt/mqtt.h"

#include <mqtt_protocol.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "helpers/broker.h"
#include "helpers/mqtt/mqtt_link.h"
#include "msg/control.h"
#include "runtime/log.h"

#define LINK_TOKEN 1u

struct ask {
    uint32_t tag;                        /* 0: free */
    usec_t at;
    char *response_topic;
    mosquitto_property *properties;
};

struct mqtt {
    struct actor *actor;
    struct broker_desk desk;
    struct mqtt_config config;
    struct mqtt_link *link;
    struct ask asks[MQTT_ASKS_MAX];      /* by tag */
    usec_t stop_by;                      /* USEC_NEVER: not stopping */
    bool ended;
    struct mqtt_counters counters;
};

/* ---- start and end ------------------------------------------------------------------------------------------------- */

static bool watch(void *owner, int fd, uint32_t events)
{
    struct mqtt *mqtt = owner;
    return actor_watch(mqtt->actor, fd, events, LINK_TOKEN);
}

static void unwatch(void *owner, int fd)
{
    struct mqtt *mqtt = owner;
    actor_unwatch(mqtt->actor, fd);
}

static const struct mqtt_link_ops link_ops = {.watch = watch, .unwatch = unwatch};

struct mqtt *mqtt_new(struct actor *actor, const struct mqtt_config *config)
{
    struct mqtt *mqtt = mem_get_zero(sizeof(*mqtt));
    mqtt->actor = actor;
    mqtt->config = *config;
    mqtt->stop_by = USEC_NEVER;
    broker_desk_init(&mqtt->desk, actor, TRANSPORT_MQTT);
    mqtt->link = mqtt_link_new(actor, "MQTT", &config->link, &link_ops, mqtt);
    if (mqtt->link == NULL) {
        mem_put(mqtt);
        return NULL;
    }
    const struct mqtt_side *janus = &mqtt->config.janus, *admin = &mqtt->config.admin;
    if (janus->enabled)
        mqtt_link_subscribe(mqtt->link, janus->subscribe_topic, janus->subscribe_qos);
    if (admin->enabled && !(janus->enabled && str_equal_nocase(str_of(admin->subscribe_topic), str_of(janus->subscribe_topic))))
        mqtt_link_subscribe(mqtt->link, admin->subscribe_topic, admin->subscribe_qos);
    return mqtt;
}

static void ask_clear(struct ask *ask)
{
    mem_put(ask->response_topic);
    mosquitto_property_free_all(&ask->properties);
    *ask = (struct ask){0};
}

void mqtt_free(struct mqtt *mqtt)
{
    if (mqtt == NULL)
        return;
    broker_desk_fini(&mqtt->desk);
    for (uint32_t i = 0; i < MQTT_ASKS_MAX; i++)
        ask_clear(&mqtt->asks[i]);
    mqtt_link_free(mqtt->link);
    mem_put(mqtt);
}

const struct mqtt_counters *mqtt_counters(const struct mqtt *mqtt)
{
    return &mqtt->counters;
}

/* ---- requests ------------------------------------------------------------------------------------------------------- */

static const char *proxied_name(const struct mqtt_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->proxied_count; i++)
        if (str_starts(str_of(name), str_of(config->proxied[i])))
            return config->proxied[i];
    return NULL;
}

static void keep_ask(struct mqtt *mqtt, usec_t now, uint32_t tag, struct mqtt_in *in)
{
    struct ask *ask = &mqtt->asks[tag % MQTT_ASKS_MAX];
    const struct mqtt_config *config = &mqtt->config;
    mqtt->counters.asks_forgotten += ask->tag != 0;
    ask_clear(ask);
    if (config->link.version != MQTT_5)
        return;
    *ask = (struct ask){.tag = tag, .at = now, .response_topic = in->response_topic};
    in->response_topic = NULL;
    if (in->correlation != NULL)
        (void)mosquitto_property_add_binary(&ask->properties, MQTT_PROP_CORRELATION_DATA, in->correlation, in->correlation_size);
    for (uint32_t i = 0; i < in->pair_count; i++) {
        const char *name = proxied_name(config, in->pairs[i].name);
        if (name != NULL)
            (void)mosquitto_property_add_string_pair(&ask->properties, MQTT_PROP_USER_PROPERTY, name, in->pairs[i].value);
    }
    for (uint32_t i = 0; i < config->added_count; i++)
        (void)mosquitto_property_add_string_pair(&ask->properties, MQTT_PROP_USER_PROPERTY, config->added[i].name, config->added[i].value);
}

static bool is_topic(const struct mqtt_side *side, const struct mqtt_in *in)
{
    return side->enabled && str_equal_nocase(str_of(side->subscribe_topic), str_of(in->topic));
}

static void refuse(struct mqtt *mqtt, bool admin)
{
    mqtt->counters.too_long++;
    (void)mqtt_link_publish(mqtt->link, admin ? mqtt->config.admin.publish_topic : mqtt->config.janus.publish_topic, broker_refusal(),
                            mqtt->config.publish_qos, false, NULL);
}

static void take_request(struct mqtt *mqtt, usec_t now, struct mqtt_in *in)
{
    const bool admin = is_topic(&mqtt->config.admin, in);        /* of both, it is the Admin API's (transports.md 6.2) */
    if (!admin && !is_topic(&mqtt->config.janus, in)) {
        mqtt->counters.other_topic++;
        return;
    }
    if (in->size > BROKER_TEXT_BYTES_MAX) {
        refuse(mqtt, admin);
        return;
    }
    const uint32_t tag = broker_desk_tag(&mqtt->desk);
    if (!admin)
        keep_ask(mqtt, now, tag, in);
    mqtt->counters.requests++;
    broker_desk_ask(&mqtt->desk, tag, admin, VIEW(in->text, in->size));
}

/* ---- replies and events ----------------------------------------------------------------------------------------------- */

/* What its request has said of it; NULL: nothing, or too long ago. */
static struct ask *ask_of(struct mqtt *mqtt, usec_t now, uint32_t tag)
{
    struct ask *ask = &mqtt->asks[tag % MQTT_ASKS_MAX];
    if (tag == 0 || ask->tag != tag)
        return NULL;
    if (now < usec_add(ask->at, mqtt->config.vacuum_us))
        return ask;
    ask_clear(ask);
    return NULL;
}

static void publish(struct mqtt *mqtt, usec_t now, const struct broker_send *order)
{
    const struct mqtt_side *side = order->admin ? &mqtt->config.admin : &mqtt->config.janus;
    struct ask *ask = order->admin ? NULL : ask_of(mqtt, now, order->tag);
    const char *topic = ask != NULL && ask->response_topic != NULL ? ask->response_topic : side->publish_topic;
    if (!mqtt_link_publish(mqtt->link, topic, VIEW(order->text, order->size), mqtt->config.publish_qos, false,
                           ask == NULL ? NULL : ask->properties))
        mqtt->counters.not_taken++;          /* a topic of a stranger's that is none, or longer than the broker allows */
    if (order->tag != 0)
        mqtt->counters.replies++;
    else
        mqtt->counters.events++;
    if (ask != NULL)
        ask_clear(ask);
}

static void send_waiting(struct mqtt *mqtt, usec_t now)
{
    for (const struct broker_send *order; mqtt_link_has_room(mqtt->link) && (order = broker_desk_first(&mqtt->desk)) != NULL;) {
        publish(mqtt, now, order);
        broker_desk_done(&mqtt->desk);
    }
}

static void publish_status(struct mqtt *mqtt, const char *text)
{
    const struct mqtt_config *config = &mqtt->config;
    if (config->status && text != NULL)
        (void)mqtt_link_publish(mqtt->link, config->status_topic, str_of(text), config->status_qos, config->status_retain, NULL);
}

/* ---- the actor ---------------------------------------------------------------------------------------------------------- */

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct mqtt *mqtt = owner;
    (void)now;
    broker_desk_message(&mqtt->desk, m);
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct mqtt *mqtt = owner;
    if (token == LINK_TOKEN)
        mqtt_link_ready(mqtt->link, now, events);
}

/* Everything that waited has left, or may wait no longer. */
static void stop(struct mqtt *mqtt, usec_t now)
{
    const bool late = now >= mqtt->stop_by;
    if (!mqtt->ended && (late || broker_desk_first(&mqtt->desk) == NULL || !mqtt_link_is_up(mqtt->link))) {
        publish_status(mqtt, mqtt->config.disconnect_text);
        mqtt_link_end(mqtt->link);
        mqtt->ended = true;
    }
    if (!late && !mqtt_link_has_ended(mqtt->link))
        return;
    mqtt->stop_by = USEC_NEVER;
    actor_stop(mqtt->actor);
}

static void on_turn(void *owner, usec_t now)
{
    struct mqtt *mqtt = owner;
    mqtt_link_pause(mqtt->link, mqtt->desk.window == 0 && !mqtt->ended);
    mqtt_link_turn(mqtt->link, now);
    if (mqtt_link_changed(mqtt->link) && mqtt_link_is_up(mqtt->link))
        publish_status(mqtt, mqtt->config.connect_text);
    for (struct mqtt_in *in; mqtt->desk.window > 0 && (in = mqtt_link_next(mqtt->link)) != NULL; mqtt_in_free(in))
        take_request(mqtt, now, in);
    send_waiting(mqtt, now);
    broker_desk_tell(&mqtt->desk, mqtt_link_is_up(mqtt->link));
    if (mqtt->stop_by != USEC_NEVER)
        stop(mqtt, now);
}

static usec_t deadline(void *owner)
{
    const struct mqtt *mqtt = owner;
    return usec_min(mqtt->stop_by, mqtt_link_deadline(mqtt->link));
}

static void on_stop(void *owner, usec_t now)
{
    struct mqtt *mqtt = owner;
    mqtt->stop_by = usec_add(now, mqtt->config.stop_us);
}

const struct actor_ops mqtt_ops = {
    .on_message = on_message,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .deadline = deadline,
    .on_stop = on_stop,
    .type_name = broker_type_name,
    .may_block = true,                   /* libmosquitto asks the resolver itself */
};
