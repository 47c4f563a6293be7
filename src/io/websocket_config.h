/* io/websocket_config.h - janus.transport.websockets.jcfg (transports.md 3.1) as a plain struct. Pure.
 * Texts live in the tree it was read from, which must outlive it. */
#pragma once

#include "base/conf.h"
#include "base/json_out.h"

struct websocket_server {
    bool enabled;
    uint16_t port;
    const char *interface;       /* NULL: not given; likewise below */
    const char *ip;
    const char *unix_path;       /* replaces TCP */
};

struct websocket_config {
    enum json_layout layout;
    bool events;                 /* event handlers are told of clients */
    usec_t ping_trigger_us;      /* nothing came from the client for so long: PING */
    usec_t ping_timeout_us;      /* and so much longer: gone */
    struct websocket_server ws;
    struct websocket_server wss;
    const char *acl;             /* NULL: everybody */
    bool acl_forwarded;
    struct websocket_server admin_ws;    /* the Admin API; likewise */
    struct websocket_server admin_wss;
    const char *admin_acl;
    bool admin_acl_forwarded;
    const char *allow_origin;    /* NULL: any */
    bool enforce_cors;
    const char *cert_pem;
    const char *cert_key;        /* cert_pem when it isn't given */
    const char *cert_password;
    const char *ciphers;
    const char *web_folder;      /* ours */
    uint32_t max_clients;        /* ours; 0: from the descriptor limit */
    uint32_t max_clients_per_address;   /* ours; 0: no such limit */
};

/* `root` may be NULL (no file): nothing is enabled then. Remarks for the operator, a line each, go to `notes`. */
void websocket_config_read(struct websocket_config *config, const struct conf_node *root, struct buf *notes);
