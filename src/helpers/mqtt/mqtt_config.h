/* helpers/mqtt/mqtt_config.h - janus.transport.mqtt.jcfg (transports.md 6.1) as plain structs. Pure.
 * Texts live in the tree it was read from, which must outlive them. */
#pragma once

#include "base/conf.h"
#include "base/json_out.h"

#define MQTT_URL_HOST_ROOM 256u
#define MQTT_PROPERTIES_MAX 32u          /* user properties of the configuration, of each kind */

enum mqtt_version { MQTT_3_1, MQTT_3_1_1, MQTT_5 };

/* What a connection to a broker needs, whoever it is for. */
struct mqtt_link_config {
    char host[MQTT_URL_HOST_ROOM];
    uint16_t port;
    enum mqtt_version version;
    const char *client_id;
    const char *username, *password;     /* NULL: neither is sent */
    unsigned keep_alive_s;
    bool clean;
    unsigned inflight_max;               /* texts that the broker hasn't confirmed */
    bool tls;
    const char *ca_file, *cert_file, *key_file;    /* NULL: not given */
    bool verify_peer, verify_name;       /* its certificate, and the name in it */
    const char *will_topic, *will_text;  /* NULL: no last will */
    int will_qos;
    bool will_retain;
};

struct mqtt_property {
    const char *name, *value;
};

struct mqtt_side {
    bool enabled;
    const char *subscribe_topic, *publish_topic;
    int subscribe_qos;
};

struct mqtt_config {
    struct mqtt_link_config link;
    enum json_layout layout;
    bool events;
    struct mqtt_side janus, admin;
    int publish_qos;                     /* of both (transports.md 6.1) */
    usec_t vacuum_us;
    const char *proxied[MQTT_PROPERTIES_MAX];
    uint32_t proxied_count;
    struct mqtt_property added[MQTT_PROPERTIES_MAX];
    uint32_t added_count;
    bool status;
    const char *status_topic, *connect_text, *disconnect_text;     /* texts: NULL: none */
    int status_qos;
    bool status_retain;
    usec_t stop_us;                      /* disconnect_timeout */
};

/* "tcp://host:port", "ssl://[::1]:8883", "host": false when it can't be read. */
bool mqtt_url_read(struct mqtt_link_config *link, const char *url, bool *tls);
bool mqtt_version_read(enum mqtt_version *out, const char *text);

/* False: it can't be used; why is the last line of `notes`. `root` NULL: nothing is enabled, and true. Relative names of files are below
 * the working folder. `admin_guarded`: the Admin API's secret is not one that everybody knows (security.md); else it is served only by a
 * broker of this machine. */
bool mqtt_config_read(struct mqtt_config *config, const struct conf_node *root, bool admin_guarded, struct buf *notes);
