/* helpers/rabbitmq/rabbit_config.h - janus.transport.rabbitmq.jcfg (transports.md 5.1) as plain structs. Pure.
 * Texts live in the tree it was read from, which must outlive them. */
#pragma once

#include "base/conf.h"
#include "base/json_out.h"

/* What a connection to a broker needs, whoever it is for. */
struct rabbit_link_config {
    const char *host;
    uint16_t port;
    const char *username, *password, *vhost;
    int heartbeat_s;                     /* 0: none */
    bool tls;
    const char *ca_file, *cert_file, *key_file;    /* NULL: not given */
    bool verify_peer, verify_hostname;
    const char *exchange;                /* NULL: the default one, which needs no declaring */
    const char *exchange_type;
};

struct rabbit_queue {
    bool enabled;
    const char *name;                    /* of the incoming queue; NULL: `in` is */
    const char *in, *out;                /* routing keys, or queues */
    bool declare_out;
    bool durable, autodelete, exclusive;
};

struct rabbit_config {
    struct rabbit_link_config link;
    enum json_layout layout;
    bool events;
    struct rabbit_queue janus, admin;
};

/* The connection's keys, which event handlers have too; `tls` and `old_tls` are what the switch is called. */
void rabbit_link_config_read(struct rabbit_link_config *link, const struct conf_node *general, const char *tls, const char *old_tls);
/* False: it can't be used; why is the last line of `notes`. The rest as in mqtt_config_read. */
bool rabbit_config_read(struct rabbit_config *config, const struct conf_node *root, bool admin_guarded, struct buf *notes);
