#include "io/http_config.h"

#include <string.h>

#include "base/str.h"

/* Where the two APIs have their keys, and what they mean when they are not there (transports.md 2.1). */
struct http_keys {
    const char *group;
    const char *http[4], *https[4];      /* switch, port, interface, address */
    uint16_t http_port, https_port;
    const char *base_path, *base_path_default;
    const char *acl, *acl_forwarded;
};

static const struct http_keys janus_keys = {
    "general", {"http", "port", "interface", "ip"}, {"https", "secure_port", "secure_interface", "secure_ip"}, 8088, 8089,
    "base_path", "/janus", "acl", "acl_forwarded",
};
static const struct http_keys admin_keys = {
    "admin", {"admin_http", "admin_port", "admin_interface", "admin_ip"},
    {"admin_https", "admin_secure_port", "admin_secure_interface", "admin_secure_ip"}, 7088, 7889,
    "admin_base_path", "/admin", "admin_acl", "admin_acl_forwarded",
};

static void read_server(struct websocket_server *server, const struct conf_node *general, const char *const keys[4], uint16_t port, struct buf *notes)
{
    server->enabled = conf_bool(general, keys[0], false);
    server->interface = conf_text_given(general, keys[2]);
    server->ip = conf_text_given(general, keys[3]);
    if (!conf_port(general, keys[1], port, &server->port)) {
        server->port = port;
        buf_addf(notes, "%s is no port number, using %u\n", keys[1], (unsigned)port);
    }
}

static void close_both(struct http_config *config)
{
    config->http.enabled = config->https.enabled = false;
}

static void read_base_path(struct http_config *config, const struct conf_node *group, const struct http_keys *keys, struct buf *notes)
{
    const char *path = conf_text_given(group, keys->base_path);
    config->base_path = path == NULL ? keys->base_path_default : path;
    config->base_path_size = (uint32_t)strlen(config->base_path);
    if (config->base_path[0] != '/') {
        buf_addf(notes, "%s must begin with a '/': no port is opened for it\n", keys->base_path);
        close_both(config);
    }
    if (config->base_path_size > 1 && config->base_path[config->base_path_size - 1] == '/')
        config->base_path_size--;
}

/* Empty, or not there: everybody (transports.md 1.8). But a list that can't be read lets nobody in. */
static void read_acl(struct http_config *config, const struct conf_node *group, const struct http_keys *keys, struct buf *notes)
{
    const struct conf_node *acl = conf_get(group, keys->acl);
    config->acl = conf_text_given(group, keys->acl);
    if (acl == NULL || conf_is_scalar(acl))
        return;
    buf_addf(notes, "%s must be one text, its entries separated by commas: no port is opened for HTTP without it\n", keys->acl);
    close_both(config);
}

/* What is known and has no effect here is said, never ignored in silence. */
static void note_unbuilt(const struct conf_node *root, struct buf *notes)
{
    static const char *const general[] = {"mhd_connection_limit", "mhd_debug"};
    for (size_t i = 0; i < ARRAY_COUNT(general); i++)
        if (conf_text_given(conf_get(root, "general"), general[i]) != NULL)
            buf_addf(notes, "%s has no effect: connections are limited by max_clients of janus.transport.websockets.jcfg\n", general[i]);
    if (conf_text_given(conf_get(root, "certificates"), "ciphers") != NULL)
        buf_addf(notes, "ciphers has no effect for HTTPS: it is a list for another library; TLS 1.2 and newer are spoken with strong ciphers\n");
}

static void read_all(struct http_config *config, const struct conf_node *root, const struct http_keys *keys, struct buf *notes)
{
    const struct conf_node *group = conf_get(root, keys->group), *certificates = conf_get(root, "certificates"), *cors = conf_get(root, "cors");
    *config = (struct http_config){.layout = LAYOUT_COMPACT, .events = conf_bool(conf_get(root, "general"), "events", true)};
    (void)jout_layout_parse(&config->layout, str_of(conf_text(conf_get(root, "general"), "json", "compact")));
    read_server(&config->http, group, keys->http, keys->http_port, notes);
    read_server(&config->https, group, keys->https, keys->https_port, notes);
    read_base_path(config, group, keys, notes);
    read_acl(config, group, keys, notes);
    /* The reference looks for admin_acl_forwarded in `general`, its own sample file has it in `admin`: it guards in either. */
    config->acl_forwarded = conf_bool(group, keys->acl_forwarded, false) || conf_bool(conf_get(root, "general"), keys->acl_forwarded, false);
    config->allow_origin = conf_text_given(cors, "allow_origin");
    config->enforce_cors = config->allow_origin != NULL && conf_bool(cors, "enforce_cors", false);
    config->cert_pem = conf_text_given(certificates, "cert_pem");
    config->cert_key = conf_text_given(certificates, "cert_key");
    config->cert_password = conf_text_given(certificates, "cert_pwd");
}

void http_config_read(struct http_config *config, const struct conf_node *root, struct buf *notes)
{
    enum json_layout layout;
    const char *name = conf_text_given(conf_get(root, "general"), "json");
    if (name != NULL && !jout_layout_parse(&layout, str_of(name)))
        buf_addf(notes, "json = \"%s\" is not known, using compact\n", name);
    read_all(config, root, &janus_keys, notes);
    note_unbuilt(root, notes);
}

void http_config_read_admin(struct http_config *config, const struct conf_node *root, struct buf *notes)
{
    read_all(config, root, &admin_keys, notes);
}
