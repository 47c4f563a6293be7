/* sim/network.h - the network: UDP with loss, delay, jitter, reordering, duplication, partition, change of address, and a limit of
 * size; TCP as streams of bytes that are cut anywhere, come late, or break. Behind runtime/udp.h and runtime/tcp.h.
 *
 * The server's machine has SERVER_IP, the clients' CLIENT_IP. The path of a datagram is that of the client's socket at its one
 * end: paths are set for all (weather) and worsened for single sockets (network_partition). */
#pragma once

#include "base/net.h"
#include "runtime/udp.h"
#include "sim/world.h"

#define SERVER_IP "10.1.0.1"
#define CLIENT_IP "10.2.0.1"

struct weather {
    usec_t delay_us;            /* one way */
    usec_t jitter_us;           /* at most so much more */
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm;       /* overtaken by what comes behind */
    uint32_t mtu;               /* longer ones are lost; 0: none are */
    uint32_t tcp_loss_ppm;      /* of segments: they and all behind them come TCP_RESEND_US later */
    uint32_t tcp_cut_ppm;       /* of writes: cut in several segments, taken in part */
    uint32_t tcp_reset_ppm;     /* of segments: the connection breaks */
};

struct network_counters {
    uint64_t sent, delivered, duplicated;
    uint64_t lost, lost_partition, lost_mtu, lost_nobody, lost_full;
    uint64_t unread;            /* of the delivered: their socket was closed */
    uint64_t under_way;
    uint64_t bytes;
    uint64_t segments, stream_bytes, resets;
    uint64_t injected;
};

struct network {
    struct weather weather;
    struct network_counters counters;
};

extern struct network network;

void network_open(void);
void network_close(void);       /* CHECKs that no socket is open */

/* By the port of the client's socket. */
void network_partition(uint16_t port, bool on);
/* The NAT in front of it has forgotten: from now on it is seen at another port, and what is sent to the old one is lost. */
void network_move(uint16_t port);
/* A datagram out of nowhere, from `from`, to the server's port. */
void network_inject(const struct net_addr *from, uint16_t to_port, const void *data, size_t size);
/* The last datagrams that clients sent to the server, for replaying. False: none yet. */
bool network_recall(uint32_t back, struct net_addr *from, uint16_t *to_port, struct view *datagram);

/* A client's connection, by descriptor. */
void network_tcp_partition(int fd, bool on);
void network_tcp_deaf(int fd, bool on);         /* it takes nothing more from the network */
void network_tcp_reset(int fd);

/* taps.c: each datagram as it is sent, and as the server gets it. */
void tap_datagram(const struct net_addr *from, const struct net_addr *to, struct view datagram, bool by_server);
