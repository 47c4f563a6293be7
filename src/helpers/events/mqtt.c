/* Each event goes to a topic of its own kind. While the broker is away or has not confirmed enough they wait in the host's queue. */
#include "helpers/events/mqtt.h"

#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/net.h"
#include "base/str.h"
#include "helpers/mqtt/mqtt_link.h"
#include "msg/dns.h"

#define TOPIC_ROOM        512u
#define PROPERTIES_MAX    32u
#define PAYLOADS_PER_TURN 64u

struct publisher {
    struct evhost *host;
    struct mqtt_link_config config;
    struct mqtt_link *link;
    char base[TOPIC_ROOM / 2], status[TOPIC_ROOM];
    const char *connect_text, *disconnect_text;
    int qos;
    bool retain, will_retain;
    mosquitto_property *properties;
    struct evpayload payload;
    uint32_t question;
    bool ended;
};

static bool watch(void *owner, int fd, uint32_t events)
{
    struct publisher *p = owner;
    return evhost_watch(p->host, fd, events);
}

static void unwatch(void *owner, int fd)
{
    struct publisher *p = owner;
    evhost_unwatch(p->host, fd);
}

static const struct mqtt_link_ops link_ops = {.watch = watch, .unwatch = unwatch};

/* ---- configuration ---- */

static int read_qos(const struct conf_node *general, const char *name, int fallback)
{
    int qos = conf_int(general, name, fallback);
    return qos < 0 ? 0 : qos > 2 ? 2 : qos;
}

static const char *read_file(const struct conf_node *general, const char *name, const char *old)
{
    const char *file = conf_text_given(general, name);
    return file != NULL ? file : conf_text_given(general, old);
}

static bool read_link(struct publisher *p, const struct conf_node *general)
{
    struct mqtt_link_config *c = &p->config;
    const char *url = conf_text(general, "url", "tcp://localhost:1883"), *version = conf_text(general, "mqtt_version", "3.1.1");
    bool url_tls;
    int keep_alive = conf_int(general, "keep_alive_interval", 30), inflight = conf_int(general, "max_inflight", 10);
    if (!mqtt_url_read(c, url, &url_tls) || !mqtt_version_read(&c->version, version))
        return false;
    c->client_id = conf_text(general, "client_id", "guest");
    c->username = conf_text_given(general, "username");
    c->password = conf_text_given(general, "password");
    c->keep_alive_s = keep_alive < 0 || keep_alive > 65535 ? 30u : (unsigned)keep_alive;
    c->inflight_max = inflight < 1 || inflight > 65535 ? 10u : (unsigned)inflight;
    c->clean = conf_int(general, "cleansession", 0) != 0;
    c->tls = conf_bool(general, "tls_enable", conf_bool(general, "ssl_enable", false));
    c->ca_file = read_file(general, "tls_cacert", "ssl_cacert");
    c->cert_file = read_file(general, "tls_client_cert", "ssl_client_cert");
    c->key_file = read_file(general, "tls_client_key", "ssl_client_key");
    c->verify_peer = conf_bool(general, "tls_verify_peer", conf_bool(general, "ssl_verify_peer", false));
    return !c->tls || (c->cert_file == NULL) == (c->key_file == NULL);
}

static void read_texts(struct publisher *p, const struct conf_node *general)
{
    const struct conf_node *added = conf_get(general, "add_user_properties");
    p->connect_text = conf_text(general, "connect_status", "{\"event\": \"connected\", \"eventhandler\": \"janus.eventhandler.mqttevh\"}");
    p->disconnect_text = conf_text(general, "disconnect_status", "{\"event\": \"disconnected\"}");
    p->qos = read_qos(general, "qos", 1);
    p->retain = conf_bool(general, "retain", false) && conf_int(general, "retain", 0) != 0;      /* both, as the reference has it */
    p->will_retain = true;                                                                       /* likewise whatever the file says */
    for (uint32_t i = 0; i < conf_count(added) && i < PROPERTIES_MAX; i++) {
        const struct conf_node *pair = conf_at(added, i);
        if (conf_count(pair) == 2 && conf_is_scalar(conf_at(pair, 0)) && conf_is_scalar(conf_at(pair, 1)))
            (void)mosquitto_property_add_string_pair(&p->properties, MQTT_PROP_USER_PROPERTY, conf_value(conf_at(pair, 0)), conf_value(conf_at(pair, 1)));
    }
    if (!conf_bool(general, "will_enabled", false))
        return;
    p->config.will_topic = p->status;
    p->config.will_text = p->disconnect_text;
    p->config.will_qos = read_qos(general, "will_qos", 0);
    p->config.will_retain = p->will_retain;
}

static void free_publisher(struct publisher *p)
{
    mqtt_link_free(p->link);
    mosquitto_property_free_all(&p->properties);
    evpayload_fini(&p->payload);
    mem_put(p);
    mqtt_link_library_fini();
}

static void *open_publisher(struct evhost *host, const struct conf_node *general)
{
    struct publisher *p = mem_get_zero(sizeof(*p));
    mqtt_link_library_init();
    p->host = host;
    evpayload_init(&p->payload);
    bool fine = str_copy(p->base, sizeof(p->base), str_of(conf_text(general, "topic", "/janus/events"))) && read_link(p, general);
    if (fine) {
        snprintf(p->status, sizeof(p->status), "%s/status", p->base);
        read_texts(p, general);
        p->link = mqtt_link_new(evhost_actor(host), "MQTT event handler", &p->config, &link_ops, p);
    } else {
        LOG_ERR(evhost_actor(host), "MQTT event handler: url, mqtt_version, topic or the certificates can't be used");
    }
    if (p->link != NULL) {
        mqtt_link_by_address(p->link);
        return p;
    }
    free_publisher(p);
    return NULL;
}

static void close_publisher(void *handler)
{
    free_publisher(handler);
}

/* ---- events ---- */

static void write_event(void *handler, struct json_out *j, const struct event *event)
{
    (void)handler;
    jout_object(j, NULL);
    event_write(j, event);
    jout_string(j, "eventtype", event_name(event->type));
    jout_end(j);
}

static void on_ready(void *handler, usec_t now, int fd, uint32_t events)
{
    struct publisher *p = handler;
    (void)fd;
    mqtt_link_ready(p->link, now, events);
}

static void ask(struct publisher *p, usec_t now)
{
    if (!mqtt_link_wants_address(p->link, now))
        return;
    mqtt_link_ask(p->link);
    if (!evhost_resolve(p->host, str_of(p->config.host), p->config.port, NET_NONE, ++p->question))
        mqtt_link_miss(p->link, now, "no name");
}

static void on_addresses(void *handler, usec_t now, uint32_t tag, const struct dns_answer *answer)
{
    struct publisher *p = handler;
    char text[NET_IP_TEXT];
    if (tag != p->question)
        return;
    if (answer->count == 0)
        mqtt_link_miss(p->link, now, answer->error);
    else
        mqtt_link_aim(p->link, net_ip_text(&answer->addrs[0], text));
}

static void publish_waiting(struct publisher *p)
{
    char topic[TOPIC_ROOM];
    for (unsigned i = 0; i < PAYLOADS_PER_TURN && mqtt_link_has_room(p->link) && evhost_next(p->host, &p->payload); i++) {
        snprintf(topic, sizeof(topic), "%s/%s", p->base, event_label(p->payload.type));
        if (mqtt_link_publish(p->link, topic, buf_view(&p->payload.text), p->qos, p->retain, p->properties))
            evhost_sent(p->host, &p->payload);
        else
            evhost_lost(p->host, &p->payload);
    }
}

static void turn(void *handler, usec_t now)
{
    struct publisher *p = handler;
    ask(p, now);
    mqtt_link_turn(p->link, now);
    if (mqtt_link_changed(p->link) && mqtt_link_is_up(p->link))
        (void)mqtt_link_publish(p->link, p->status, str_of(p->connect_text), p->qos, p->will_retain, NULL);
    for (struct mqtt_in *in; (in = mqtt_link_next(p->link)) != NULL;)
        mqtt_in_free(in);                /* nothing is subscribed to */
    publish_waiting(p);
}

static usec_t deadline(const void *handler)
{
    const struct publisher *p = handler;
    return mqtt_link_has_room(p->link) && evhost_waiting(p->host) > 0 ? 0 : mqtt_link_deadline(p->link);
}

static bool finish(void *handler, usec_t now)
{
    struct publisher *p = handler;
    (void)now;
    if (!p->ended && evhost_waiting(p->host) > 0 && mqtt_link_is_up(p->link))
        return false;
    if (!p->ended) {
        (void)mqtt_link_publish(p->link, p->status, str_of(p->disconnect_text), p->qos, true, NULL);
        mqtt_link_end(p->link);
        p->ended = true;
    }
    return mqtt_link_has_ended(p->link);
}

const struct evhandler_desc evhandler_mqtt = {
    .package = "janus.eventhandler.mqttevh",
    .file_name = "libjanus_mqttevh.so",
    .name = "Cardea MQTT event handler",
    .description = "Publishes events to an MQTT broker",
    .author = "The Cardea project",
    .version_string = "0.1.0",
    .version = 1,
    .open = open_publisher,
    .close = close_publisher,
    .write = write_event,
    .on_ready = on_ready,
    .on_addresses = on_addresses,
    .turn = turn,
    .deadline = deadline,
    .finish = finish,
};
