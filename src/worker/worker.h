/* worker/worker.h - a media worker: one actor that owns PeerConnections, sources and sinks, and the UDP sockets of all of
 * them (design section 2). It never sees JSON or SDP; what it can be told is msg/worker.h, what it tells is msg/control.h.
 *
 *   struct worker *w = worker_new(actor, &config);     on the main thread, before any thread runs
 *   actor_serve(actor, &worker_ops, w);
 *   ... actor_join(actor);
 *   worker_free(w);                                    closes its sockets; every pool must be empty then */
#pragma once

#include "proto/dtls/dtls.h"
#include "proto/seal/seal.h"
#include "runtime/actor.h"
#include "runtime/udp.h"

#define WORKER_SOCKETS_MAX 8u
#define WORKER_HOLD_US     MSEC(1)      /* how long video may wait for the rest of its frame */

struct worker_limits {
    uint32_t peers;
    uint32_t sources;               /* received here or from other workers */
    uint32_t sinks;
    uint32_t mlines;
    uint32_t packets;               /* kept for retransmission */
    uint32_t plains;                /* sockets of plain RTP */
    uint32_t forwards;
    uint32_t handshakes;            /* DTLS, in progress */
};

extern const struct worker_limits worker_limits_default;

struct worker_config {
    uint32_t index;                 /* it is actor ACTOR_WORKER_0 + index */
    struct udp *sockets;            /* opened by boot; the worker closes them */
    uint32_t socket_count;
    const struct dtls_identity *identity;
    const char *dtls_ciphers;       /* NULL: ours */
    bool dtls_accept_selfsigned;
    uint16_t dtls_mtu;
    usec_t no_media_us;
    uint32_t slowlink_threshold;
    usec_t twcc_period_us;
    bool hangup_on_failed;
    usec_t hold_us;                 /* media.hold_us */
    bool pads;
    struct net_addr stun_server;    /* NET_NONE: none */
    uint16_t events_mask;           /* what event handlers want (msg/events.h) */
    usec_t stats_period_us;         /* of the statistics that they get; 0: none */
    struct worker_limits limits;    /* zeros: defaults */
    enum seal_backend seal;
    void (*entropy)(void *source, uint8_t *out, size_t size);
    void *entropy_source;
};

struct worker;

/* NULL, and `error` says why. */
struct worker *worker_new(struct actor *actor, const struct worker_config *config, char error[DTLS_ERROR_TEXT]);
void worker_free(struct worker *worker);

extern const struct actor_ops worker_ops;
