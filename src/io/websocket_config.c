#include "io/websocket_config.h"

#include <stdio.h>

#include "base/str.h"
#include "io/limits.h"

#define WS_PORT  8188        /* transports.md 3.1 */
#define WSS_PORT 8989
#define ADMIN_WS_PORT  7188
#define ADMIN_WSS_PORT 7989

static void read_server(struct websocket_server *server, const struct conf_node *general, const char *name, uint16_t port,
                        struct buf *notes)
{
    char key[40];
    struct {
        const char *ending;
        const char **to;
    } texts[] = {{"_interface", &server->interface}, {"_ip", &server->ip}, {"_unix", &server->unix_path}};
    server->enabled = conf_bool(general, name, false);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        snprintf(key, sizeof(key), "%s%s", name, texts[i].ending);
        *texts[i].to = conf_text_given(general, key);
    }
    snprintf(key, sizeof(key), "%s_port", name);
    if (!conf_port(general, key, port, &server->port)) {
        server->port = port;
        buf_addf(notes, "%s is no port number, using %u\n", key, (unsigned)port);
    }
}

static void read_pings(struct websocket_config *config, const struct conf_node *general, struct buf *notes)
{
    int64_t trigger = conf_i64(general, "pingpong_trigger", 0), timeout = conf_i64(general, "pingpong_timeout", 0);
    config->ping_trigger_us = IO_PING_TRIGGER_US;
    config->ping_timeout_us = IO_PING_TIMEOUT_US;
    if (trigger > 0 && timeout > 0 && trigger <= INT32_MAX && timeout <= INT32_MAX) {
        config->ping_trigger_us = SEC(trigger);
        config->ping_timeout_us = SEC(timeout);
    } else if (trigger != 0 || timeout != 0) {
        buf_addf(notes, "pingpong_trigger and pingpong_timeout must both be above zero: both are ignored\n");
    }
}

static void read_layout(struct websocket_config *config, const struct conf_node *general, struct buf *notes)
{
    const char *name = conf_text_given(general, "json");
    config->layout = LAYOUT_COMPACT;
    config->events = conf_bool(general, "events", true);
    if (name != NULL && !jout_layout_parse(&config->layout, str_of(name)))
        buf_addf(notes, "json = \"%s\" is not known, using compact\n", name);
}

static uint32_t read_limit(const struct conf_node *general, const char *key, struct buf *notes)
{
    int64_t limit = conf_i64(general, key, 0);
    if (limit >= 0 && limit <= IO_CLIENTS_MAX)
        return (uint32_t)limit;
    buf_addf(notes, "%s must be at most %u: it is ignored\n", key, (unsigned)IO_CLIENTS_MAX);
    return 0;
}

/* Empty, or not there: everybody (transports.md 1.8). But a list that can't be read lets nobody in. False: nor are there ports then. */
static bool read_acl(const char **to, const struct conf_node *group, const char *key, struct buf *notes)
{
    const struct conf_node *acl = conf_get(group, key);
    *to = conf_text_given(group, key);
    if (acl == NULL || conf_is_scalar(acl))
        return true;
    buf_addf(notes, "%s must be one text, its entries separated by commas: no port is opened without it\n", key);
    return false;
}

static void read_servers(struct websocket_config *config, const struct conf_node *general, struct buf *notes)
{
    read_server(&config->ws, general, "ws", WS_PORT, notes);
    read_server(&config->wss, general, "wss", WSS_PORT, notes);
    config->acl_forwarded = conf_bool(general, "ws_acl_forwarded", false);
    if (!read_acl(&config->acl, general, "ws_acl", notes))
        config->ws.enabled = config->wss.enabled = false;
}

static void read_admin_servers(struct websocket_config *config, const struct conf_node *admin, const struct conf_node *general, struct buf *notes)
{
    read_server(&config->admin_ws, admin, "admin_ws", ADMIN_WS_PORT, notes);
    read_server(&config->admin_wss, admin, "admin_wss", ADMIN_WSS_PORT, notes);
    /* The reference looks for it in `general`, its own sample file has it in `admin`: it guards in either. */
    config->admin_acl_forwarded = conf_bool(admin, "admin_ws_acl_forwarded", false) || conf_bool(general, "admin_ws_acl_forwarded", false);
    if (!read_acl(&config->admin_acl, admin, "admin_ws_acl", notes))
        config->admin_ws.enabled = config->admin_wss.enabled = false;
}

void websocket_config_read(struct websocket_config *config, const struct conf_node *root, struct buf *notes)
{
    const struct conf_node *general = conf_get(root, "general"), *certificates = conf_get(root, "certificates");
    const struct conf_node *cors = conf_get(root, "cors");
    *config = (struct websocket_config){0};
    read_layout(config, general, notes);
    read_pings(config, general, notes);
    read_servers(config, general, notes);
    read_admin_servers(config, conf_get(root, "admin"), general, notes);
    config->allow_origin = conf_text_given(cors, "allow_origin");
    config->enforce_cors = config->allow_origin != NULL && conf_bool(cors, "enforce_cors", false);
    config->cert_pem = conf_text_given(certificates, "cert_pem");
    config->cert_key = conf_text_given(certificates, "cert_key");
    if (config->cert_key == NULL)
        config->cert_key = config->cert_pem;
    config->cert_password = conf_text_given(certificates, "cert_pwd");
    config->ciphers = conf_text_given(certificates, "ciphers");
    config->web_folder = conf_text_given(general, "web_folder");
    config->max_clients = read_limit(general, "max_clients", notes);
    config->max_clients_per_address = read_limit(general, "max_clients_per_address", notes);
}
