/* io/http_config.h - janus.transport.http.jcfg (transports.md 2.1) as a plain struct. Pure.
 * Texts live in the tree it was read from, which must outlive it. */
#pragma once

#include "io/websocket_config.h"

/* Of one of the two APIs. */
struct http_config {
    enum json_layout layout;
    bool events;                             /* event handlers are told of requests */
    struct websocket_server http;            /* its unix_path is never set */
    struct websocket_server https;
    const char *base_path;                   /* begins with '/', does not end with one unless that is all */
    uint32_t base_path_size;
    const char *acl;                         /* NULL: everybody */
    bool acl_forwarded;
    const char *allow_origin;                /* NULL: any */
    bool enforce_cors;
    const char *cert_pem;
    const char *cert_key;
    const char *cert_password;
};

/* `root` may be NULL (no file): nothing is enabled then. Remarks for the operator, a line each, go to `notes`. */
void http_config_read(struct http_config *config, const struct conf_node *root, struct buf *notes);
void http_config_read_admin(struct http_config *config, const struct conf_node *root, struct buf *notes);
