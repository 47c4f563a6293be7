/* tests/unit/proto/ice/net.h - two agents and a fake network between them, in virtual time. Everything is seeded.
 * Host 0 and 1 reach each other by the address of a socket ("base") or, behind a NAT, by its mapped address only. */
#pragma once

#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/ice/ice.h"

#define SOCKETS 2
#define FLIGHTS 256
#define TUPLES  64

struct flight {
    usec_t at;
    int to;                      /* host */
    struct net_tuple tuple;      /* as the receiver sees it */
    size_t size;
    uint8_t data[ICE_TX_BYTES];
};

struct host {
    struct ice *ice;
    struct pool pool;
    struct ice_config config;
    struct ice_counters counters;
    struct net_addr bases[SOCKETS];
    struct net_addr mapped[SOCKETS];     /* NET_NONE: no NAT */
    struct rng rng;
    uint64_t seed;

    /* what its events said */
    struct net_tuple bound[TUPLES];      /* verified and not forgotten */
    unsigned bound_count;
    unsigned verified;
    unsigned forgotten;
    unsigned selected;
    unsigned changed;
    unsigned roles;
    enum ice_state state;
    enum ice_failure failure;
    usec_t first_verified_at;
    usec_t connected_at;
    usec_t disconnected_at;
    usec_t failed_at;

    /* what it sent */
    unsigned requests;
    unsigned answers;
    unsigned errors;
    usec_t last_sent_at;
    usec_t last_check_at;
    unsigned checks_in_a_row;            /* requests of the same instant */
    unsigned checks_in_a_row_max;
    struct ice_tx last_request;
    struct ice_tx last_answer;
};

struct net {
    usec_t now;
    struct host host[2];
    struct flight flights[FLIGHTS];
    unsigned flight_count;
    usec_t delay_us;
    unsigned loss_percent;
    usec_t burst_every_us;               /* all is lost for 500 ms of each such span; 0: never */
    bool cut[2];                         /* what this host sends is lost */
    bool dead[2][SOCKETS];               /* nothing leaves or reaches this socket */
    uint64_t seed;
    struct stun_mac *mac;
};

/* Both hosts get their addresses and configuration, but no agent yet: tests may change the configuration. */
void net_init(struct net *net, uint64_t seed);
void net_start(struct net *net);                              /* makes the agents */
void net_fini(struct net *net);

void net_credentials(struct net *net, int host);              /* tells `host` the other's */
void net_candidate(struct net *net, int host, int socket);    /* tells `host` of the other's base (not of its NAT) */
void net_introduce(struct net *net);                          /* all of these, and end-of-candidates, both ways */

void net_run(struct net *net, usec_t until);                  /* absolute */
bool net_run_until_connected(struct net *net, usec_t until);  /* both */
void net_drain(struct net *net, int host);                    /* after direct calls of an agent */
void net_lose(struct net *net, int host, const struct net_tuple *tuple);   /* as the worker does: unbinds and tells */

struct net_addr net_ip(const char *text, uint16_t port);
struct ice_candidate net_host_candidate(const char *ip, uint16_t port);
/* Both have selected, and the same addresses. */
void net_assert_same_pair(const struct net *net);

/* A check as the peer would send it to `host`, signed with `pwd`. */
struct check {
    const char *username;
    const char *pwd;
    uint32_t priority;
    bool use_candidate;
    bool controlling;
    bool controlled;
    uint64_t tie_breaker;
    uint16_t extra_type;         /* 0: none */
    size_t extra_size;
};
size_t net_write_check(struct net *net, const struct check *check, uint8_t *out, size_t room);
void   net_send_check(struct net *net, int host, const struct check *check, struct net_tuple from);   /* and drains */

/* Answers the last request that `host` sent, as if from `from`; signed with `pwd` (NULL: not at all). */
void   net_answer(struct net *net, int host, enum stun_class class, uint16_t code, const char *pwd, struct net_tuple from);
