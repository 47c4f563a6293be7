/* io/unix_config.h - janus.transport.pfunix.jcfg (transports.md 4) as a plain struct. Pure.
 * Texts live in the tree it was read from, which must outlive it. */
#pragma once

#include "base/conf.h"
#include "base/json_out.h"

struct unix_server {
    bool enabled;                /* and with a path */
    bool datagrams;              /* SOCK_DGRAM, else SOCK_SEQPACKET */
    const char *path;
};

struct unix_config {
    enum json_layout layout;
    bool events;                 /* handlers of events are told of clients */
    struct unix_server janus;
    struct unix_server admin;
};

/* `root` may be NULL (no file): nothing is enabled then. Remarks for the operator, a line each, go to `notes`. */
void unix_config_read(struct unix_config *config, const struct conf_node *root, struct buf *notes);
