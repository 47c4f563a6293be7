/* Two associations and a network between them that loses, delays, repeats and reorders, in virtual time; every message
 * carries its number and a pattern, and every receiver checks both. */
#pragma once

#include "base/list.h"
#include "proto/sctp/sctp.h"

#define NET_STREAMS 64u

struct net_link {                    /* of one direction */
    usec_t delay_us;
    usec_t jitter_us;                /* evenly in [0, jitter), so it reorders */
    uint32_t loss_pm, repeat_pm;     /* per mille */
    uint32_t rate_bps;               /* 0: none; else packets wait for one another */
    usec_t free_at;
    bool is_cut;                     /* loses all */
};

struct foreign;

struct net_side {
    struct sctp *sctp;               /* NULL: `foreign` has its place */
    struct foreign *foreign;
    struct sctp_shared shared;
    struct net_link link;            /* to the other side */
    uint32_t sent[NET_STREAMS];      /* messages, numbered */
    uint32_t expected[NET_STREAMS];  /* the next number in order */
    uint32_t received[NET_STREAMS];
    uint32_t gone;                   /* numbers that were skipped over */
    uint64_t received_bytes;
    uint32_t wrong;                  /* contents, or order */
    uint32_t ups, writables, restarts, resets_in, resets_out, refused, stream_changes;
    uint32_t packets;                /* that left */
    bool is_closed;
    enum sctp_reason reason;
    uint16_t streams_in, streams_out;
    uint16_t last_reset;
};

struct net {
    struct pool pool;
    struct rng rng;
    uint64_t seed;
    usec_t now;
    struct list flying;              /* by time of arrival */
    struct net_side side[2];
    bool allow_gaps;                 /* partial reliability: numbers may be missing */
    bool allow_any_order;
    bool allow_junk;                 /* contents are not looked at */
    bool hands_off;                  /* the test drains events by itself */
    void (*on_packet)(struct net *net, int from, struct view packet);     /* a look at what passes; NULL: none */
};

/* `config` without rng and shared; NULL: all defaults. */
void net_init(struct net *net, uint64_t seed, const struct sctp_config *config);
void net_fini(struct net *net);      /* checks that nothing is left */
void net_link_both(struct net *net, struct net_link link);
void net_connect(struct net *net);   /* both at once, then until both are up */

void net_drain(struct net *net, int side);
void net_event(struct net *net, int side, const struct sctp_event *event);
void net_carry(struct net *net, int from, struct view packet);
void net_run(struct net *net, usec_t for_us);
bool net_run_until_idle(struct net *net, usec_t most_us);    /* nothing buffered, nothing flying; false: not in time */

struct sctp_message net_message(uint16_t stream);            /* ordered, reliable */
/* The next number of its stream, of `size` bytes (at least 4). */
enum err net_send(struct net *net, int side, const struct sctp_message *message, size_t size);
uint32_t net_random(struct net *net);
