/* runtime/udp.h - one UDP socket, in batches. Owner: one actor (a worker has one per local address; design section 2).
 * Opened by boot before threads start, so that a failure is an exit code. Non-blocking; level-triggered watching. */
#pragma once

#include "base/err.h"
#include "base/net.h"

#define UDP_BATCH          32u          /* datagrams of one recvmmsg */
#define UDP_DATAGRAM_BYTES 2048u        /* longer ones are cut, dropped and counted */
#define UDP_SEND_BATCH     64u          /* runs of one sendmmsg */
#define UDP_RUN_MAX        16u          /* packets of one GSO run (design section 5) */
#define UDP_RECEIVE_BYTES  (8u * 1024u * 1024u)

struct udp_options {
    struct net_addr local;              /* port 0: from the range, or any */
    uint16_t port_min, port_max;        /* both 0: any; tried from a random start, each port once */
    uint8_t dscp;                       /* TOS / traffic class = dscp << 2 */
    uint32_t receive_bytes;             /* SO_RCVBUFFORCE, else SO_RCVBUF; 0: the system's default */
    uint32_t send_bytes;                /* the same for sending */
    const char *interface;              /* its first address of local's family is bound instead of `local`'s; NULL: as local says */
    struct net_addr group;              /* multicast that is joined, on the interface, and all that is received; NET_NONE: none */
};

struct udp_counters {
    uint64_t received, received_bytes;
    uint64_t received_cut;              /* longer than UDP_DATAGRAM_BYTES */
    uint64_t receive_errors;            /* ICMP errors and the like, one per failed call */
    uint64_t kernel_drops;              /* SO_RXQ_OVFL: our queue was full */
    uint64_t sent, sent_bytes;          /* packets, not runs */
    uint64_t send_full;                 /* packets not sent because the socket was full (EAGAIN, ENOBUFS) */
    uint64_t send_refused;              /* packets skipped: the destination was refused */
    uint64_t gso_refused;               /* runs sent packet by packet instead */
};

struct udp {
    int fd;                             /* -1: closed */
    struct net_addr local;              /* with the port that was bound */
    uint32_t receive_bytes;             /* what the kernel gave */
    uint32_t kernel_drops_seen;         /* the kernel's own counter wraps at 32 bits */
    bool gso;                           /* UDP_SEGMENT works on this socket */
    struct udp_counters counters;
};

/* ERR_FULL: no port free in the range, or no descriptor left; ERR_INVALID: no such interface; ERR_IO: errno says why. `seed` picks where the range starts. */
enum err udp_open(struct udp *udp, const struct udp_options *options, uint32_t seed);
void udp_close(struct udp *udp);

struct udp_datagram {
    struct net_addr from;
    uint8_t *data;                      /* into `bytes` below; may be changed in place */
    uint32_t size;
};

/* 64 KiB and a little: one per actor, in its own memory. */
struct udp_inbox {
    uint32_t count;
    struct udp_datagram items[UDP_BATCH];
    _Alignas(16) uint8_t bytes[UDP_BATCH][UDP_DATAGRAM_BYTES];
};

/* Fills the inbox. True when the socket may hold more (the batch came back full); call again within the turn's budget. */
bool udp_recv_batch(struct udp *udp, struct udp_inbox *inbox);

/* A run: packets to one destination. More than one packet is one GSO send: all of one size, only the last may be shorter.
 * A socket without GSO sends them one by one, so callers need not ask. */
struct udp_run {
    struct net_addr to;
    const struct view *packets;
    uint32_t packet_count;              /* 1 .. UDP_RUN_MAX */
};

/* Sends in order. A destination that is refused is skipped and counted. Returns how many runs are done with (sent or
 * skipped): fewer than `count` only when the socket is full; the caller drops the rest (they are counted already). */
size_t udp_send_batch(struct udp *udp, const struct udp_run *runs, size_t count);
