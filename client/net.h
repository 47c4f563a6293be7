/* client/net.h - endpoints on a loop: a UDP socket for each, their deadlines, and the clock. Owner: the program.
 *
 *   net_init -> net_endpoint ... net_close -> net_fini
 * Everything that an endpoint wants to send in a turn leaves at the end of the turn. */
#pragma once

#include "client/endpoint.h"
#include "client/loop.h"
#include "client/synth.h"
#include "runtime/udp.h"

struct net;
struct net_endpoint;

typedef void (*net_changed)(void *owner, usec_t now, struct net_endpoint *peer, const struct rtc_event *event);

struct net_endpoint {
    struct loop_source source;
    struct loop_timer timer;
    struct net *net;
    struct udp udp;
    struct endpoint *endpoint;
    uint8_t loss_percent;       /* of the RTP that comes in: thrown away, as a network would */
    bool touched;               /* its deadline is to be looked up again at the end of the turn */
    struct list touch;
    net_changed on_changed;     /* up, or ended */
    void *owner;
};

struct net_synth {
    struct loop_timer timer;
    struct net *net;
    struct synth *synth;
};

struct net {
    struct loop *loop;
    struct rtc *rtc;
    struct net_addr local;      /* address of the sockets */
    struct loop_hook hook;
    struct loop_timer timer;    /* keyframes that are wanted */
    struct list touched;
    struct udp_inbox *inbox;
    uint64_t send_failed;
    uint64_t thrown_away;
};

/* False, and `error` says why. */
bool net_init(struct net *net, struct loop *loop, const struct net_addr *local, const struct rtc_config *config, char error[DTLS_ERROR_TEXT]);
void net_fini(struct net *net);

/* NULL: no descriptor, or a limit. `port`: 0, or the first of a thousand, one of which its socket gets. */
struct net_endpoint *net_open(struct net *net, bool offers, uint16_t port, net_changed on_changed, void *owner);
void net_close(struct net_endpoint *peer);              /* says goodbye; NULL is fine */
/* After calls to endpoint_* of it. */
void net_touch(struct net_endpoint *peer);

/* Runs a synth: `synth` is freed with it. */
struct net_synth *net_synth_start(struct net *net, struct synth *synth);
void net_synth_stop(struct net_synth *running);         /* NULL is fine */
