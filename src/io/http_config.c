#include "io/http_config.h"

#include <string.h>

#include "base/str.h"

#define HTTP_PORT  8088      /* transports.md 2.1 */
#define HTTPS_PORT 8089

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

static void read_base_path(struct http_config *config, const struct conf_node *general, struct buf *notes)
{
    const char *path = conf_text_given(general, "base_path");
    config->base_path = path == NULL ? "/janus" : path;
    config->base_path_size = (uint32_t)strlen(config->base_path);
    if (config->base_path[0] != '/') {
        buf_addf(notes, "base_path must begin with a '/': no port is opened for HTTP\n");
        close_both(config);
    }
    if (config->base_path_size > 1 && config->base_path[config->base_path_size - 1] == '/')
        config->base_path_size--;
}

/* Empty, or not there: everybody (transports.md 1.8). But a list that can't be read lets nobody in. */
static void read_acl(struct http_config *config, const struct conf_node *general, struct buf *notes)
{
    const struct conf_node *acl = conf_get(general, "acl");
    config->acl = conf_text_given(general, "acl");
    config->acl_forwarded = conf_bool(general, "acl_forwarded", false);
    if (acl == NULL || conf_is_scalar(acl))
        return;
    buf_addf(notes, "acl must be one text, its entries separated by commas: no port is opened for HTTP without it\n");
    close_both(config);
}

/* What is known and has no effect here is said, never ignored in silence. */
static void note_unbuilt(const struct conf_node *root, struct buf *notes)
{
    static const char *const general[] = {"mhd_connection_limit", "mhd_debug"};
    static const char *const admin[] = {"admin_http", "admin_https"};
    for (size_t i = 0; i < ARRAY_COUNT(general); i++)
        if (conf_text_given(conf_get(root, "general"), general[i]) != NULL)
            buf_addf(notes, "%s has no effect: connections are limited by max_clients of janus.transport.websockets.jcfg\n", general[i]);
    for (size_t i = 0; i < ARRAY_COUNT(admin); i++)
        if (conf_bool(conf_get(root, "admin"), admin[i], false))
            buf_addf(notes, "%s: the Admin API over HTTP is not available in this version, no port is opened for it\n", admin[i]);
    if (conf_text_given(conf_get(root, "certificates"), "ciphers") != NULL)
        buf_addf(notes, "ciphers has no effect for HTTPS: it is a list for another library; TLS 1.2 and newer are spoken with strong ciphers\n");
}

void http_config_read(struct http_config *config, const struct conf_node *root, struct buf *notes)
{
    static const char *const http[] = {"http", "port", "interface", "ip"};
    static const char *const https[] = {"https", "secure_port", "secure_interface", "secure_ip"};
    const struct conf_node *general = conf_get(root, "general"), *certificates = conf_get(root, "certificates"), *cors = conf_get(root, "cors");
    const char *layout = conf_text_given(general, "json");
    *config = (struct http_config){.layout = LAYOUT_COMPACT};
    if (layout != NULL && !jout_layout_parse(&config->layout, str_of(layout)))
        buf_addf(notes, "json = \"%s\" is not known, using compact\n", layout);
    read_server(&config->http, general, http, HTTP_PORT, notes);
    read_server(&config->https, general, https, HTTPS_PORT, notes);
    read_base_path(config, general, notes);
    read_acl(config, general, notes);
    config->allow_origin = conf_text_given(cors, "allow_origin");
    config->enforce_cors = config->allow_origin != NULL && conf_bool(cors, "enforce_cors", false);
    config->cert_pem = conf_text_given(certificates, "cert_pem");
    config->cert_key = conf_text_given(certificates, "cert_key");
    config->cert_password = conf_text_given(certificates, "cert_pwd");
    note_unbuilt(root, notes);
}
