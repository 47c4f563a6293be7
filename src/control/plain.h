/* control/plain.h - control's side of plain RTP: names of sockets outside of any PeerConnection, and of the forwards that send
 * through them. A socket is opened by an operation (op.h) and closed by an order; a forward ends with its source. */
#pragma once

#include "control/state.h"

struct plain {
    struct ref ref;
    uint32_t worker;
};

struct forward {
    struct ref ref;
    struct source *source;
    struct list in_source;              /* source->forwards */
};

/* On that worker. REF_NONE: at PLAINS_MAX (counted). The answer comes with `op`; until then the name may be used, and
 * an answer that says no frees it nowhere: plain_close does, always. */
struct ref plain_open(struct control *c, uint32_t worker, const struct plain_options *options, struct ref op);
void plain_close(struct control *c, struct ref ref);

/* REF_NONE: at FORWARDS_MAX, or the socket is gone or on another worker (counted). */
struct ref forward_add(struct control *c, struct source *source, const struct forward_way *way, const struct forward_options *options);
void forward_del(struct control *c, struct ref ref);
void forwards_end(struct control *c, struct source *source);     /* their source goes */
