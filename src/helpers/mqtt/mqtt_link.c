/*   DOWN -(retry_at)-> CONNECTING -(CONNACK, and every topic granted)-> UP
 *     ^-------------------'-------(lost, refused, too slow)-------------'       ENDED: mqtt_link_end, and closed */
#include "helpers/mqtt/mqtt_link.h"

#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/log.h"

#define TOPICS_MAX    2u
#define MISC_US       SEC(1)             /* keep-alive and the like: the library wants to be called about every second */
#define GRANTED_MAX   2                  /* above it a subscription was refused */

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP, LINK_ENDED };

struct mqtt_link {
    struct actor *actor;
    const char *name;
    const struct mqtt_link_ops *ops;
    void *owner;
    struct mqtt_link_config config;
    bool by_address, asked;
    char address[MQTT_URL_HOST_ROOM];    /* of the next attempt; "": none yet */
    struct mosquitto *m;
    enum link_state state;
    bool changed, ending, failing, paused;
    bool refused;                        /* a subscription was */
    int fd;
    uint32_t watched;
    usec_t retry_at, backoff_us, connect_by, misc_at;
    const char *topics[TOPICS_MAX];
    int qos[TOPICS_MAX];
    uint32_t topic_count, granted;
    uint32_t unconfirmed;
    uint8_t pending[65536 / 8];          /* by message identifier: those that the broker will confirm (above quality of service 0) */
    struct list inbox;
    struct mqtt_link_counters counters;
};

void mqtt_link_library_init(void)
{
    mosquitto_lib_init();
}

void mqtt_link_library_fini(void)
{
    mosquitto_lib_cleanup();
}

/* ---- what comes -------------------------------------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
    return memcpy(mem_get(strlen(text) + 1), text, strlen(text) + 1);
}

void mqtt_in_free(struct mqtt_in *in)
{
    for (uint32_t i = 0; i < in->pair_count; i++) {
        mem_put(in->pairs[i].name);
        mem_put(in->pairs[i].value);
    }
    mem_put(in->pairs);
    mem_put(in->topic);
    mem_put(in->text);
    mem_put(in->response_topic);
    mem_put(in->correlation);
    mem_put(in);
}

static void read_pair(struct mqtt_in *in, const mosquitto_property *property)
{
    char *name = NULL, *value = NULL;
    if (in->pair_count == MQTT_USER_PROPERTIES_MAX ||
        mosquitto_property_read_string_pair(property, MQTT_PROP_USER_PROPERTY, &name, &value, false) == NULL)
        return;
    in->pairs = mem_resize(in->pairs, (in->pair_count + 1) * sizeof(*in->pairs));
    in->pairs[in->pair_count++] = (struct mqtt_pair){copy_text(name == NULL ? "" : name), copy_text(value == NULL ? "" : value)};
    free(name);
    free(value);
}

static void read_properties(struct mqtt_in *in, const mosquitto_property *properties)
{
    char *topic = NULL;
    void *data = NULL;
    uint16_t size = 0;
    if (mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &topic, false) != NULL && topic != NULL)
        in->response_topic = copy_text(topic);
    if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &data, &size, false) != NULL && data != NULL) {
        in->correlation = memcpy(mem_get(size), data, size);
        in->correlation_size = size;
    }
    free(topic);
    free(data);
    for (const mosquitto_property *p = properties; p != NULL; p = mosquitto_property_next(p))
        if (mosquitto_property_identifier(p) == MQTT_PROP_USER_PROPERTY)
            read_pair(in, p);
}

static void on_message(struct mosquitto *m, void *owner, const struct mosquitto_message *message, const mosquitto_property *properties)
{
    struct mqtt_link *link = owner;
    (void)m;
    if (message->topic == NULL || message->payloadlen <= 0)
        return;
    struct mqtt_in *in = mem_get_zero(sizeof(*in));
    in->topic = copy_text(message->topic);
    in->size = (size_t)message->payloadlen;
    in->text = memcpy(mem_get(in->size), message->payload, in->size);
    if (properties != NULL)
        read_properties(in, properties);
    list_init(&in->node);
    list_add_tail(&link->inbox, &in->node);
    link->counters.received++;
}

struct mqtt_in *mqtt_link_next(struct mqtt_link *link)
{
    struct list *first = list_pop(&link->inbox);
    return first == NULL ? NULL : CONTAINER_OF(first, struct mqtt_in, node);
}

/* ---- up and down -------------------------------------------------------------------------------------------------- */

static void set_up(struct mqtt_link *link)
{
    link->state = LINK_UP;
    link->changed = true;
    link->backoff_us = MQTT_RETRY_MIN_US;
    link->connect_by = USEC_NEVER;
    link->counters.connected++;
    LOG_INFO(link->actor, "%s: connected to %s, port %u", link->name, link->config.host, link->config.port);
    link->failing = false;
}

static void on_connect(struct mosquitto *m, void *owner, int code, int flags, const mosquitto_property *properties)
{
    struct mqtt_link *link = owner;
    (void)flags;
    (void)properties;
    if (code != 0)
        return;                          /* the library closes, and says so */
    link->granted = 0;
    for (uint32_t i = 0; i < link->topic_count; i++)
        if (mosquitto_subscribe(m, NULL, link->topics[i], link->qos[i]) != MOSQ_ERR_SUCCESS)
            link->refused = true;
    if (link->topic_count == 0)
        set_up(link);
}

static void on_subscribe(struct mosquitto *m, void *owner, int mid, int count, const int *granted)
{
    struct mqtt_link *link = owner;
    (void)m;
    (void)mid;
    for (int i = 0; i < count; i++)
        if (granted[i] > GRANTED_MAX)
            link->refused = true;
    link->granted++;
    if (link->granted == link->topic_count && !link->refused && link->state == LINK_CONNECTING)
        set_up(link);
}

static void on_publish(struct mosquitto *m, void *owner, int mid)
{
    struct mqtt_link *link = owner;
    uint8_t *byte = &link->pending[(uint16_t)mid / 8], bit = (uint8_t)(1u << (mid % 8));
    (void)m;
    if ((*byte & bit) == 0)
        return;
    *byte &= (uint8_t)~bit;
    link->unconfirmed--;
}

static void unwatch(struct mqtt_link *link)
{
    if (link->fd >= 0)
        link->ops->unwatch(link->owner, link->fd);
    link->fd = -1;
    link->watched = 0;
}

/* One line when it begins, and one when it works again: a broker that is away must not fill the log. */
static void say_down(struct mqtt_link *link, const char *why)
{
    if (!link->failing)
        LOG_WARN(link->actor, "%s: no connection to %s, port %u: %s", link->name, link->config.host, link->config.port, why);
    link->failing = true;
}

static void set_down(struct mqtt_link *link, usec_t now, const char *why)
{
    if (link->state == LINK_UP) {
        link->changed = true;
        link->counters.lost++;
    } else {
        link->counters.failed++;
    }
    unwatch(link);
    link->refused = false;
    link->connect_by = USEC_NEVER;
    link->state = link->ending ? LINK_ENDED : LINK_DOWN;
    if (link->ending)
        return;
    say_down(link, why);
    link->retry_at = usec_add(now, link->backoff_us);
    link->backoff_us = usec_min(link->backoff_us * 2, MQTT_RETRY_MAX_US);
}

/* ---- making it ------------------------------------------------------------------------------------------------------ */

static int set_tls(struct mosquitto *m, const struct mqtt_link_config *c)
{
    int rc = mosquitto_tls_set(m, c->ca_file, c->ca_file == NULL ? "/etc/ssl/certs" : NULL, c->cert_file, c->key_file, NULL);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_tls_opts_set(m, c->verify_peer ? 1 : 0, NULL, NULL);     /* OpenSSL's SSL_VERIFY_PEER and SSL_VERIFY_NONE */
    return rc == MOSQ_ERR_SUCCESS ? mosquitto_tls_insecure_set(m, !c->verify_name) : rc;
}

static int set_options(struct mosquitto *m, const struct mqtt_link_config *c)
{
    static const int versions[] = {[MQTT_3_1] = MQTT_PROTOCOL_V31, [MQTT_3_1_1] = MQTT_PROTOCOL_V311, [MQTT_5] = MQTT_PROTOCOL_V5};
    int rc = mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, versions[c->version]);
    if (rc == MOSQ_ERR_SUCCESS && c->username != NULL)
        rc = mosquitto_username_pw_set(m, c->username, c->password);
    if (rc == MOSQ_ERR_SUCCESS && c->tls)
        rc = set_tls(m, c);
    if (rc == MOSQ_ERR_SUCCESS && c->will_topic != NULL)
        rc = mosquitto_will_set(m, c->will_topic, (int)strlen(c->will_text), c->will_text, c->will_qos, c->will_retain);
    return rc == MOSQ_ERR_SUCCESS ? mosquitto_max_inflight_messages_set(m, c->inflight_max) : rc;
}

static bool make_client(struct mqtt_link *link)
{
    link->m = mosquitto_new(link->config.client_id, link->config.clean, link);
    int rc = link->m == NULL ? MOSQ_ERR_NOMEM : set_options(link->m, &link->config);
    if (rc != MOSQ_ERR_SUCCESS) {
        LOG_ERR(link->actor, "%s: the MQTT library refuses: %s", link->name, mosquitto_strerror(rc));
        mosquitto_destroy(link->m);
        link->m = NULL;
        return false;
    }
    mosquitto_connect_v5_callback_set(link->m, on_connect);
    mosquitto_message_v5_callback_set(link->m, on_message);
    mosquitto_subscribe_callback_set(link->m, on_subscribe);
    mosquitto_publish_callback_set(link->m, on_publish);
    return true;
}

struct mqtt_link *mqtt_link_new(struct actor *actor, const char *name, const struct mqtt_link_config *config, const struct mqtt_link_ops *ops, void *owner)
{
    struct mqtt_link *link = mem_get_zero(sizeof(*link));
    link->actor = actor;
    link->name = name;
    link->ops = ops;
    link->owner = owner;
    link->config = *config;
    link->fd = -1;
    link->backoff_us = MQTT_RETRY_MIN_US;
    link->connect_by = link->misc_at = USEC_NEVER;
    list_init(&link->inbox);
    if (make_client(link))
        return link;
    mem_put(link);
    return NULL;
}

void mqtt_link_free(struct mqtt_link *link)
{
    if (link == NULL)
        return;
    mosquitto_destroy(link->m);
    for (struct mqtt_in *in; (in = mqtt_link_next(link)) != NULL;)
        mqtt_in_free(in);
    mem_put(link);
}

void mqtt_link_subscribe(struct mqtt_link *link, const char *topic, int qos)
{
    CHECK(link->topic_count < TOPICS_MAX);
    link->topics[link->topic_count] = topic;
    link->qos[link->topic_count++] = qos;
}

/* ---- the loop ------------------------------------------------------------------------------------------------------- */

static void renew_watch(struct mqtt_link *link)
{
    int fd = mosquitto_socket(link->m);
    uint32_t events = (link->paused ? 0u : EPOLLIN) | (mosquitto_want_write(link->m) || link->state == LINK_CONNECTING ? EPOLLOUT : 0u);
    if (fd != link->fd)
        unwatch(link);
    if (fd < 0 || (fd == link->fd && events == link->watched))
        return;
    if (link->ops->watch(link->owner, fd, events)) {
        link->fd = fd;
        link->watched = events;
    }
}

static void look(struct mqtt_link *link, usec_t now, int rc)
{
    if (link->state == LINK_DOWN || link->state == LINK_ENDED)
        return;
    if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(link->m) < 0)
        set_down(link, now, rc == MOSQ_ERR_SUCCESS ? "it was closed" : mosquitto_strerror(rc));
}

static void connect_now(struct mqtt_link *link, usec_t now)
{
    link->state = LINK_CONNECTING;
    link->connect_by = usec_add(now, MQTT_CONNECT_US);
    link->misc_at = usec_add(now, MISC_US);
    link->refused = false;
    int rc = mosquitto_connect_async(link->m, link->by_address ? link->address : link->config.host, link->config.port,
                                     (int)link->config.keep_alive_s);
    link->address[0] = '\0';
    look(link, now, rc);
}

/* The library has no way to let go of a connection that goes nowhere: it gets a new client. */
static void give_up(struct mqtt_link *link, usec_t now, const char *why)
{
    unwatch(link);
    mosquitto_destroy(link->m);
    link->counters.unconfirmed_lost += link->unconfirmed;
    link->unconfirmed = 0;
    memset(link->pending, 0, sizeof(link->pending));
    set_down(link, now, why);
    if (!make_client(link))
        link->retry_at = usec_add(now, MQTT_RETRY_MAX_US);
}

void mqtt_link_ready(struct mqtt_link *link, usec_t now, uint32_t events)
{
    int rc = MOSQ_ERR_SUCCESS;
    if (link->m == NULL || link->fd < 0)
        return;
    if ((events & EPOLLOUT) != 0)
        rc = mosquitto_loop_write(link->m, 1);
    if (rc == MOSQ_ERR_SUCCESS && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        rc = mosquitto_loop_read(link->m, MQTT_READS_PER_TURN);
    look(link, now, rc);
}

void mqtt_link_turn(struct mqtt_link *link, usec_t now)
{
    if (link->m == NULL && now >= link->retry_at && !make_client(link))
        link->retry_at = usec_add(now, MQTT_RETRY_MAX_US);
    if (link->m == NULL)
        return;
    if (link->refused && link->state != LINK_DOWN)
        give_up(link, now, "a subscription was refused");
    if (link->state == LINK_DOWN && now >= link->retry_at && !link->ending && (!link->by_address || link->address[0] != '\0'))
        connect_now(link, now);
    if (link->state == LINK_CONNECTING && now >= link->connect_by)
        give_up(link, now, "no answer");
    if (link->m != NULL && link->state != LINK_DOWN && link->state != LINK_ENDED && now >= link->misc_at) {
        link->misc_at = usec_add(now, MISC_US);
        look(link, now, mosquitto_loop_misc(link->m));
    }
    if (link->m != NULL && (link->state == LINK_CONNECTING || link->state == LINK_UP))
        renew_watch(link);
}

usec_t mqtt_link_deadline(const struct mqtt_link *link)
{
    if (link->state == LINK_ENDED)
        return USEC_NEVER;
    if (link->state == LINK_DOWN)
        return link->ending || link->asked ? USEC_NEVER : link->retry_at;
    return usec_min(link->misc_at, link->connect_by);
}

void mqtt_link_pause(struct mqtt_link *link, bool paused)
{
    link->paused = paused;
}

void mqtt_link_by_address(struct mqtt_link *link)
{
    link->by_address = true;
}

bool mqtt_link_wants_address(const struct mqtt_link *link, usec_t now)
{
    return link->by_address && !link->asked && link->state == LINK_DOWN && !link->ending && now >= link->retry_at && link->address[0] == '\0';
}

void mqtt_link_ask(struct mqtt_link *link)
{
    link->asked = true;
}

void mqtt_link_aim(struct mqtt_link *link, const char *address)
{
    link->asked = false;
    (void)str_copy(link->address, sizeof(link->address), str_of(address));
}

void mqtt_link_miss(struct mqtt_link *link, usec_t now, const char *why)
{
    link->asked = false;
    set_down(link, now, why);
}

bool mqtt_link_is_up(const struct mqtt_link *link)
{
    return link->state == LINK_UP;
}

bool mqtt_link_changed(struct mqtt_link *link)
{
    bool changed = link->changed;
    link->changed = false;
    return changed;
}

bool mqtt_link_has_room(const struct mqtt_link *link)
{
    return link->state == LINK_UP && link->unconfirmed < link->config.inflight_max && !mosquitto_want_write(link->m);
}

bool mqtt_link_publish(struct mqtt_link *link, const char *topic, struct view text, int qos, bool retain, const mosquitto_property *properties)
{
    int mid = 0;
    if (link->state != LINK_UP)
        return false;
    if (mosquitto_publish_v5(link->m, &mid, topic, (int)text.size, text.data, qos, retain,
                             link->config.version == MQTT_5 ? properties : NULL) != MOSQ_ERR_SUCCESS)
        return false;
    link->counters.published++;
    if (qos > 0) {
        link->pending[(uint16_t)mid / 8] |= (uint8_t)(1u << (mid % 8));
        link->unconfirmed++;
    }
    return true;
}

void mqtt_link_end(struct mqtt_link *link)
{
    link->ending = true;
    if (link->state == LINK_UP)
        (void)mosquitto_disconnect(link->m);
    else if (link->state == LINK_CONNECTING || link->state == LINK_DOWN)
        link->state = LINK_ENDED;
}

bool mqtt_link_has_ended(const struct mqtt_link *link)
{
    return link->state == LINK_ENDED;
}

const struct mqtt_link_counters *mqtt_link_counters(const struct mqtt_link *link)
{
    return &link->counters;
}
