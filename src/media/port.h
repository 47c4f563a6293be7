/* media/port.h - where a sink sends: a peer's m-line, plain RTP (worker/forward.c), later a mixer. One of the two
 * kinds of v-table in the code base (design section 10). Calls go down only: a port never calls back into the graph. */
#pragma once

#include "base/types.h"
#include "proto/rtp/ext_types.h"

#define PORT_PATCH_MAX 8

struct rtp_packet;

struct port_packet {
    uint16_t seq;
    uint32_t ts;
    uint8_t pt;
    bool marker;
    uint8_t padding;                /* bytes to add behind the payload */
    bool again;                     /* answers a NACK: seq has been sent before */
    uint8_t source_pt;              /* media_packet.pt and raw, for ports that hand on what the publisher wrote */
    const struct rtp_packet *raw;
    struct view payload;
    const struct rtp_ext_values *ext;
    /* The first patch_size bytes of the payload are replaced by these (VP8 numbers that must be continuous). */
    uint8_t patch_size;
    uint8_t patch[PORT_PATCH_MAX];
};

struct port;

struct port_ops {
    void (*send)(struct port *port, usec_t now, const struct port_packet *packet);
    bool (*is_ready)(const struct port *port);      /* nothing is offered to a port that is not */
};

/* Embedded first in the object that implements it. */
struct port {
    const struct port_ops *ops;
};
