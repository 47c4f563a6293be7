/* io/nanomsg_config.h - janus.transport.nanomsg.jcfg (transports.md 7) as a plain struct. Pure.
 * Texts live in the tree it was read from, which must outlive it. */
#pragma once

#include "base/conf.h"
#include "base/json_out.h"

struct nanomsg_server {
    bool enabled;                /* and with an address */
    bool connects;               /* else it binds */
    const char *address;
};

struct nanomsg_config {
    enum json_layout layout;
    bool events;
    struct nanomsg_server janus;
    struct nanomsg_server admin;
};

/* `root` may be NULL (no file): nothing is enabled then. `admin_guarded`: the Admin API's secret is not one that everybody knows; else it
 * is served only where this machine alone can get at it (security.md). Remarks for the operator, a line each, go to `notes`. */
void nanomsg_config_read(struct nanomsg_config *config, const struct conf_node *root, bool admin_guarded, struct buf *notes);
