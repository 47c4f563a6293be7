/* bench/floor/floor.h - what forwarding costs on this machine when there is nothing else to do: recvmmsg, open, rewrite, batch
 * seal, sendmmsg with UDP_SEGMENT, in one thread over one socket, by the server's own proto/seal. No ICE, no RTCP, no
 * retransmissions, no statistics: the server's figures are shown as multiples of this one.
 *
 * floor_run forks a publisher (and a reader, on loopback), forwards for a while, and ends both. Linux, IPv4. */
#pragma once

#include "proto/seal/seal.h"

#define FLOOR_RECEIVERS_MAX 4096u
#define FLOOR_BURST_MAX     16u
#define FLOOR_SIZE_MIN      64u
#define FLOOR_SIZE_MAX      1300u

struct floor_options {
    uint32_t receivers;
    uint32_t burst;                 /* packets of the publisher that are there at a time */
    uint32_t size;                  /* of a packet before it is sealed: header and payload */
    uint32_t bursts_per_s;          /* the forwarder sleeps between them; 0: as fast as it goes, publisher and forwarder in turns */
    uint32_t msec;                  /* how long */
    enum seal_profile profile;
    bool no_gso;
    const char *to;                 /* address of the receivers; NULL: loopback, to a reader that looks at every packet */
};

struct floor_result {
    double ns_per_packet;           /* CPU of the forwarding thread, user and system, per packet sent */
    uint64_t packets;               /* sent while it was measured */
    /* Of the reader, from the first packet to the last: */
    uint64_t verified;              /* opened, of the right content, next in order */
    uint64_t wrong;                 /* not so */
    uint64_t lost;
    char error[128];
};

/* False: `error` says why. */
bool floor_run(const struct floor_options *options, struct floor_result *result);
