#include "helpers/mqtt/mqtt_config.h"

#include <stdlib.h>

#include "base/str.h"
#include "helpers/broker.h"

#define MQTT_PORT     1883u
#define MQTT_TLS_PORT 8883u

bool mqtt_url_read(struct mqtt_link_config *link, const char *url, bool *tls)
{
    struct view rest = str_of(url), host;
    *tls = str_starts_nocase(rest, STR("ssl://")) || str_starts_nocase(rest, STR("mqtts://"));
    for (size_t i = 0; i + 2 < rest.size; i++)
        if (memcmp(rest.data + i, "://", 3) == 0) {
            rest = VIEW(rest.data + i + 3, rest.size - i - 3);
            break;
        }
    link->port = *tls ? MQTT_TLS_PORT : MQTT_PORT;
    if (rest.size > 0 && rest.data[0] == '[') {
        rest = VIEW(rest.data + 1, rest.size - 1);
        host = str_split(&rest, ']');
        if (rest.size > 0 && rest.data[0] == ':')
            rest = VIEW(rest.data + 1, rest.size - 1);
    } else {
        host = str_split(&rest, ':');
    }
    if (rest.size > 0 && (!str_u16(rest, &link->port) || link->port == 0))
        return false;
    return host.size > 0 && str_copy(link->host, sizeof(link->host), host);
}

bool mqtt_version_read(enum mqtt_version *out, const char *text)
{
    static const char *const names[] = {[MQTT_3_1] = "3.1", [MQTT_3_1_1] = "3.1.1", [MQTT_5] = "5"};
    for (unsigned i = 0; i < ARRAY_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum mqtt_version)i;
            return true;
        }
    return false;
}

static int read_qos(const struct conf_node *group, const char *name, int fallback, int negative)
{
    int qos = conf_int(group, name, fallback);
    return qos < 0 ? negative : qos > 2 ? 2 : qos;
}

/* An old name of a key counts where the new one isn't there. */
static bool read_bool(const struct conf_node *group, const char *name, const struct conf_node *old_group, const char *old)
{
    return conf_get(group, name) != NULL ? conf_bool(group, name, false) : conf_bool(old_group, old, false);
}

static bool read_link(struct mqtt_link_config *link, const struct conf_node *general, struct buf *notes)
{
    const char *url = conf_text(general, "url", "tcp://localhost:1883"), *version = conf_text(general, "mqtt_version", "3.1.1");
    bool url_tls = false;
    if (!mqtt_url_read(link, url, &url_tls)) {
        buf_addf(notes, "url = \"%s\" can't be read\n", url);
        return false;
    }
    if (!mqtt_version_read(&link->version, version)) {
        buf_addf(notes, "mqtt_version = \"%s\" is not known (3.1, 3.1.1 or 5)\n", version);
        return false;
    }
    link->tls = read_bool(general, "ssl_enabled", general, "ssl_enable");
    if (link->tls != url_tls)
        buf_addf(notes, "ssl_enabled says %s, the url something else: ssl_enabled counts\n", link->tls ? "true" : "false");
    link->client_id = conf_text(general, "client_id", "guest");
    link->username = conf_text(general, "username", "guest");
    link->password = conf_text(general, "password", "guest");
    int keep_alive = conf_int(general, "keep_alive_interval", 20), inflight = conf_int(general, "max_inflight", 10);
    link->keep_alive_s = keep_alive < 0 || keep_alive > 65535 ? 20u : (unsigned)keep_alive;
    link->inflight_max = inflight < 1 || inflight > 65535 ? 10u : (unsigned)inflight;
    link->clean = conf_int(general, "cleansession", 0) != 0;
    link->ca_file = conf_text_given(general, "cacertfile");
    link->cert_file = conf_text_given(general, "certfile");
    link->key_file = conf_text_given(general, "keyfile");
    link->verify_peer = link->verify_name = conf_bool(general, "verify_peer", false);
    if (link->tls && (link->cert_file == NULL) != (link->key_file == NULL)) {
        buf_addf(notes, "certfile and keyfile must be given together\n");
        return false;
    }
    return true;
}

static bool read_side(struct mqtt_side *side, const struct conf_node *group, const char *what, struct buf *notes)
{
    side->subscribe_topic = conf_text_given(group, "subscribe_topic");
    side->publish_topic = conf_text_given(group, "publish_topic");
    side->subscribe_qos = read_qos(group, "subscribe_qos", 1, 1);
    if (!side->enabled || (side->subscribe_topic != NULL && side->publish_topic != NULL))
        return true;
    buf_addf(notes, "%s: subscribe_topic or publish_topic is missing\n", what);
    return false;
}

static void read_properties(struct mqtt_config *config, const struct conf_node *general, struct buf *notes)
{
    const struct conf_node *proxied = conf_get(general, "proxy_transaction_user_properties");
    const struct conf_node *added = conf_get(general, "add_transaction_user_properties");
    for (uint32_t i = 0; i < conf_count(proxied); i++) {
        if (i < MQTT_PROPERTIES_MAX && conf_is_scalar(conf_at(proxied, i)))
            config->proxied[config->proxied_count++] = conf_value(conf_at(proxied, i));
        else
            buf_addf(notes, "proxy_transaction_user_properties: item %u is left out\n", i + 1);
    }
    for (uint32_t i = 0; i < conf_count(added); i++) {
        const struct conf_node *pair = conf_at(added, i);
        if (i < MQTT_PROPERTIES_MAX && conf_count(pair) == 2 && conf_is_scalar(conf_at(pair, 0)) && conf_is_scalar(conf_at(pair, 1)))
            config->added[config->added_count++] = (struct mqtt_property){conf_value(conf_at(pair, 0)), conf_value(conf_at(pair, 1))};
        else
            buf_addf(notes, "add_transaction_user_properties: item %u is left out\n", i + 1);
    }
}

static void read_status(struct mqtt_config *config, const struct conf_node *status)
{
    config->status = conf_bool(status, "enabled", false);
    config->status_topic = conf_text(status, "topic", "status");
    config->connect_text = conf_text_given(status, "connect_message");
    config->disconnect_text = conf_text_given(status, "disconnect_message");
    config->status_qos = read_qos(status, "qos", 1, 0);
    config->status_retain = conf_bool(status, "retain", false);
    if (!config->status || config->disconnect_text == NULL)
        return;
    config->link.will_topic = config->status_topic;
    config->link.will_text = config->disconnect_text;
    config->link.will_qos = config->status_qos;
    config->link.will_retain = config->status_retain;
}

bool mqtt_config_read(struct mqtt_config *config, const struct conf_node *root, bool admin_guarded, struct buf *notes)
{
    const struct conf_node *general = conf_get(root, "general"), *admin = conf_get(root, "admin");
    const char *layout = conf_text_given(general, "json");
    *config = (struct mqtt_config){.layout = LAYOUT_COMPACT, .events = conf_bool(general, "events", true)};
    config->janus.enabled = read_bool(general, "enabled", general, "enable");
    config->admin.enabled = read_bool(admin, "admin_enabled", general, "admin_enable");
    if (!config->janus.enabled && !config->admin.enabled)
        return true;
    if (layout != NULL && !jout_layout_parse(&config->layout, str_of(layout)))
        buf_addf(notes, "json = \"%s\" is not known, using compact\n", layout);
    if (!read_link(&config->link, general, notes) || !read_side(&config->janus, general, "general", notes) ||
        !read_side(&config->admin, admin, "admin", notes))
        return false;
    if (config->admin.enabled && !admin_guarded && !broker_host_is_local(config->link.host)) {
        buf_addf(notes, "the Admin API is not served: admin_secret is the one of the sample files, and the broker is not on this machine\n");
        config->admin.enabled = false;
    }
    config->publish_qos = config->janus.enabled ? read_qos(general, "publish_qos", 1, 1) : 0;
    int vacuum = conf_int(general, "vacuum_interval", 60), stop_ms = conf_int(general, "disconnect_timeout", 100);
    config->vacuum_us = SEC(vacuum <= 0 ? 60 : vacuum);
    config->stop_us = MSEC(stop_ms < 0 || stop_ms > 2000 ? 2000 : stop_ms < 100 ? 100 : stop_ms);
    read_properties(config, general, notes);
    read_status(config, conf_get(root, "status"));
    return true;
}
