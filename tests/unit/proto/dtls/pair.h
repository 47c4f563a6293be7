/* Two of our own DTLS ends in virtual time, with a network between them that a test can make as bad as it likes.
 * The clock that OpenSSL reads (gettimeofday) is the pair's: pair.c defines it, and so belongs into each test program as an
 * object, not into a library. */
#pragma once

#include "support/seams.h"

#include <string.h>

#include "base/list.h"
#include "base/str.h"
#include "proto/dtls/dtls.h"

#define CLIENT 0
#define SERVER 1
#define DATA_ROOM 16384u

extern usec_t virtual_now;
extern unsigned clock_reads;        /* calls of gettimeofday so far */

struct side {
    const struct dtls_identity *identity;
    struct dtls_shared *shared;
    struct pool pool;
    struct dtls *dtls;
    bool connected, closed, failed;
    usec_t ended_at;
    const char *reason, *detail;
    struct dtls_srtp_keys keys;
    unsigned sent;                  /* datagrams that this side has put out */
    size_t largest;
    uint8_t data[DATA_ROOM];        /* what DATA events brought, end to end */
    size_t data_size;
    unsigned data_events;
};

/* What the network does with the n-th datagram (from 0) of a side. */
enum fate { FATE_DELIVER, FATE_DROP, FATE_TWICE, FATE_LATE };

struct pair {
    struct side side[2];
    enum fate (*fate)(struct pair *pair, int from, unsigned n, struct view datagram);
    unsigned fate_a, fate_b;        /* for the fate function */
    uint32_t random;
    usec_t latency;
    struct list wire;
};

struct pair_options {
    uint16_t mtu;
    const char *ciphers;
    const struct dtls_identity *identity[2];    /* NULL: a generated P-256 one */
    struct dtls_fingerprint expect[2];          /* what this side expects; hash NONE: the true SHA-256 one */
    bool no_fingerprint[2];
    bool refuse_selfsigned[2];
    struct view trust_pem;
    uint32_t datagrams_max;
    uint32_t handshakes_max;
};

/* Identities that are made once per program. */
const struct dtls_identity *identity_p256(int side);
void identities_fini(void);

void pair_open(struct pair *pair, const struct pair_options *options);   /* shared contexts only */
void pair_start(struct pair *pair, const struct pair_options *options);  /* both struct dtls; may leave one NULL */
void pair_init(struct pair *pair, const struct pair_options *options);   /* both of the above */
void pair_fini(struct pair *pair);

void pair_run(struct pair *pair, usec_t until);         /* everything that happens up to then */
void pair_drain(struct pair *pair, int side);           /* events noted, datagrams put on the wire */
void pair_input(struct pair *pair, int side, struct view datagram);      /* hands in, drains */

void assert_connected(struct pair *pair);               /* both, with keys that fit each other */

/* For tests that feed by hand: the next datagram of `dtls`, copied; 0: none. */
size_t take_tx(struct dtls *dtls, uint8_t out[DTLS_DATAGRAM_MAX]);
