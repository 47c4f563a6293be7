#include "helpers/rabbitmq/rabbit_config.h"

#include "base/str.h"
#include "helpers/broker.h"

#define AMQP_PORT 5672u                  /* with TLS too, unless the file says another (transports.md 5.1) */

/* An old name of a key counts where the new one isn't there. */
static bool read_bool(const struct conf_node *group, const char *name, const struct conf_node *old_group, const char *old)
{
    return conf_get(group, name) != NULL || old == NULL ? conf_bool(group, name, false) : conf_bool(old_group, old, false);
}

void rabbit_link_config_read(struct rabbit_link_config *link, const struct conf_node *general, const char *tls, const char *old_tls)
{
    int heartbeat = conf_int(general, "heartbeat", 0);
    *link = (struct rabbit_link_config){
        .host = conf_text(general, "host", "localhost"),
        .username = conf_text(general, "username", "guest"),
        .password = conf_text(general, "password", "guest"),
        .vhost = conf_text(general, "vhost", "/"),
        .heartbeat_s = heartbeat < 0 || heartbeat > UINT16_MAX ? 0 : heartbeat,
        .tls = read_bool(general, tls, general, old_tls),
        .ca_file = conf_text_given(general, "ssl_cacert"),
        .cert_file = conf_text_given(general, "ssl_cert"),
        .key_file = conf_text_given(general, "ssl_key"),
        .verify_peer = conf_bool(general, "ssl_verify_peer", false),
        .verify_hostname = conf_bool(general, "ssl_verify_hostname", false),
    };
    if (!conf_port(general, "port", AMQP_PORT, &link->port) || link->port == 0)
        link->port = AMQP_PORT;
}

/* `suffix`: "_admin", or nothing. */
static bool read_queue(struct rabbit_queue *queue, const struct conf_node *group, bool admin, struct buf *notes)
{
    queue->name = conf_text_given(group, admin ? "queue_name_admin" : "queue_name");
    queue->in = conf_text_given(group, admin ? "to_janus_admin" : "to_janus");
    queue->out = conf_text_given(group, admin ? "from_janus_admin" : "from_janus");
    queue->declare_out = conf_bool(group, admin ? "declare_outgoing_queue_admin" : "declare_outgoing_queue", true);
    queue->durable = conf_bool(group, admin ? "queue_durable_admin" : "queue_durable", false);
    queue->autodelete = conf_bool(group, admin ? "queue_autodelete_admin" : "queue_autodelete", false);
    queue->exclusive = conf_bool(group, admin ? "queue_exclusive_admin" : "queue_exclusive", false);
    if (!queue->enabled || (queue->in != NULL && queue->out != NULL))
        return true;
    buf_addf(notes, "%s or %s is missing\n", admin ? "to_janus_admin" : "to_janus", admin ? "from_janus_admin" : "from_janus");
    return false;
}

bool rabbit_config_read(struct rabbit_config *config, const struct conf_node *root, bool admin_guarded, struct buf *notes)
{
    const struct conf_node *general = conf_get(root, "general"), *admin = conf_get(root, "admin");
    const char *layout = conf_text_given(general, "json");
    *config = (struct rabbit_config){.layout = LAYOUT_COMPACT, .events = conf_bool(general, "events", true)};
    config->janus.enabled = read_bool(general, "enabled", general, "enable");
    config->admin.enabled = read_bool(admin, "admin_enabled", general, "admin_enable");
    if (!config->janus.enabled && !config->admin.enabled)
        return true;
    if (layout != NULL && !jout_layout_parse(&config->layout, str_of(layout)))
        buf_addf(notes, "json = \"%s\" is not known, using compact\n", layout);
    rabbit_link_config_read(&config->link, general, "ssl_enabled", "ssl_enable");
    if (config->janus.enabled) {
        config->link.exchange = conf_text_given(general, "janus_exchange");
        config->link.exchange_type = conf_text(general, "janus_exchange_type", "fanout");
    }
    if (!read_queue(&config->janus, general, false, notes) || !read_queue(&config->admin, admin, true, notes))
        return false;
    if (config->admin.enabled && !admin_guarded && !broker_host_is_local(config->link.host)) {
        buf_addf(notes, "the Admin API is not served: admin_secret is the one of the sample files, and the broker is not on this machine\n");
        config->admin.enabled = false;
    }
    return true;
}
