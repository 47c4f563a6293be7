/* peer/peer.h - one PeerConnection: ICE, DTLS, SRTP, RTP and RTCP put together (design section 3). Pure: it reads no clock
 * and no socket; datagrams come in by peer_input and leave through the worker's egress batch.
 *
 * Owner: one worker, which also owns the peer_env that all its peers share. Order of calls:
 *   peer_new; peer_apply whenever control says so; peer_input per datagram of the peer; peer_timeout at peer_deadline;
 *   after a batch of datagrams peer_receive_flush(env) until it says false; after everything drain env.events; peer_free.
 * RTP is opened in batches: peer_input only notes it in env.receive, peer_receive_flush opens all and hands it on. No peer
 * of the env may be freed between the two. */
#pragma once

#include "base/histogram.h"
#include "base/slots.h"
#include "base/timerq.h"
#include "media/data_source.h"
#include "media/media.h"
#include "media/port.h"
#include "peer/egress_batch.h"
#include "peer/peer_types.h"
#include "proto/dtls/dtls.h"
#include "proto/ice/ice.h"
#include "proto/rtp/rtp.h"
#include "proto/sctp/dcep.h"
#include "proto/seal/seal.h"

#define RECEIVE_BATCH 64u           /* RTP packets opened together */
#define PEER_TICK_US  SEC(1)        /* reports, media and slowlink events (webrtc.md 17, 18) */
#define PEER_CNAME    "janus"       /* webrtc.md 17.1: clients and recordings know it */

/* How long a failed ICE agent is given to recover (webrtc.md 6): short once the client has no more candidates to offer. */
#define ICE_GRACE_US          SEC(5)
#define ICE_GRACE_TRICKLE_US  SEC(15)
#define ICE_GRACE_CONSENT_US  SEC(3)    /* consent had 30 s already: together within the 35 s that we promise */

enum peer_event_kind {
    PEER_EVENT_BIND,                /* an authenticated check came from tuple: it is the peer's unless it is another's */
    PEER_EVENT_CLAIM,               /* the peer has answered there too, and the pair is selected: it is the peer's whoever had it */
    PEER_EVENT_UNBIND,
    PEER_EVENT_UP,                  /* keys exist and a pair is selected; once */
    PEER_EVENT_HANGUP,              /* reason; once, the last but for addresses */
    PEER_EVENT_ICE_FAILED,          /* was connected; may be followed by a hangup */
    PEER_EVENT_MEDIA,
    PEER_EVENT_SLOWLINK,
    PEER_EVENT_DATA_UP,             /* data channels can be written to */
    PEER_EVENT_DATA,                /* packet: a message for control; whoever takes the event owns it */
    PEER_EVENT_DATA_TAKEN,          /* count: of what control sent, the cost of what is done with */
    PEER_EVENT_STATS,               /* it is time for statistics (stats_ticks) */
    PEER_EVENT_ICE_STATE,           /* for event handlers, with tell_webrtc only: reason is the enum ice_state, */
    PEER_EVENT_PAIR,                /* tuple has been selected, reason is the remote's enum ice_candidate_type, */
    PEER_EVENT_DTLS,                /* reason is the enum dtls_state, count the retransmissions */
};

struct peer_event {
    struct ref peer;
    uint8_t kind;                   /* enum peer_event_kind */
    uint8_t reason;                 /* enum hangup_reason, or as the kind says */
    int8_t substream;
    bool receiving;                 /* MEDIA */
    bool uplink;                    /* SLOWLINK */
    uint16_t mindex;
    uint32_t count;                 /* MEDIA: seconds; SLOWLINK: lost; DATA_TAKEN: cost */
    struct data_packet *packet;     /* DATA */
    struct net_tuple tuple;
};

struct peer_events {
    struct peer_event *items;
    uint32_t count;
    uint32_t size;
};

struct peer_counters {
    uint64_t datagrams;
    uint64_t datagrams_odd;         /* neither STUN, DTLS, RTP nor RTCP */
    uint64_t rtp_early;             /* before keys */
    uint64_t rtp_malformed;
    uint64_t rtp_unknown_ssrc;
    uint64_t rtp_not_receiving;
    uint64_t rtp_replay;
    uint64_t rtp_forged;
    uint64_t rtp_too_large;
    uint64_t rtp_padding_only;
    uint64_t rtx_unwanted;          /* not asked for, or come already */
    uint64_t rtx_recovered;
    uint64_t rtcp_malformed;
    uint64_t rtcp_replay;
    uint64_t rtcp_forged;
    uint64_t rtcp_unknown;          /* about nobody we know */
    uint64_t sent_index_used;       /* not sealed: the index had been used */
    uint64_t sent_too_large;
    uint64_t sealed_full;           /* no room to keep a sealed packet */
    uint64_t nacks_in;              /* sequence numbers asked for by peers */
    uint64_t nacks_out;
    uint64_t plis_in;
    uint64_t plis_out;
    uint64_t apply_full;            /* m-lines or sources beyond the limit */
    uint64_t data_early;            /* SCTP that nobody has negotiated, or before the peer is up */
    uint64_t data_lost;             /* messages of plugins whose channel is closing, can't be opened, or does not exist */
    uint64_t data_refused;          /* associations beyond the limit */
    uint64_t lost_in;               /* packets that clients' networks have lost on their way to us; retransmitted ones taken off */
    uint64_t lost_out;              /* and on their way to them, as they report */
    struct histogram rtt_us;        /* each that a report gives */
    struct histogram jitter_in_us;  /* of each layer that is received, every second */
    struct histogram jitter_out_us; /* as reported */
};

struct peer_settings {
    usec_t no_media_us;             /* 0: no such events */
    uint32_t slowlink_threshold;    /* 0: off */
    usec_t twcc_period_us;
    uint16_t dtls_mtu;
    bool hangup_on_failed;
    uint32_t stats_ticks;           /* how many ticks apart event handlers get statistics; 0: none */
    bool tell_webrtc;               /* event handlers want to know about ICE and DTLS */
};

struct peer;
struct rx_item;
struct sink;
struct source;

/* RTP that waits to be opened. */
struct receive_batch {
    uint32_t count;
    uint32_t done;                  /* opened, and handed on so far; 0: not opened yet */
    struct rx_item *items;
    struct seal_job *jobs;
};

/* What the peers of one worker share. Owner: the worker; filled by peer_env_init but for what it is handed. */
struct peer_env {
    struct media *media;
    struct slots *sources;          /* by control's ref: peers add and remove theirs */
    struct slots *sinks;            /* the same: a peer's sinks die with it */
    struct dtls_shared *dtls;
    struct seal_shared *seal;
    struct rng *rng;
    const struct net_addr *bases;
    uint32_t base_count;
    uint64_t wall_us;               /* this turn's wall clock, set by the worker */
    struct peer_settings settings;

    struct pool peers;
    struct pool mlines;
    struct pool agents;             /* ICE */
    struct pool handshakes;         /* DTLS */
    struct pool sealed;             /* copies of sealed packets, for receivers without RTX */
    struct pool datas;              /* data lines, */
    struct pool associations;       /* and their SCTP */
    struct sctp_shared sctp;
    struct dcep_counters dcep;
    struct slots *data_sources;     /* by control's ref, as `sources` */
    struct slots *data_sinks;
    struct list *touched;           /* the worker's: peers whose deadline may have changed; NULL: nobody looks */
    struct list data_dirty;         /* data lines with something to send, or to read: peer_data_flush */
    struct stun_mac *mac;
    struct ice_counters ice;
    struct peer_counters counters;
    struct peer_events events;
    struct egress_batch egress;
    struct receive_batch receive;
};

struct peer_limits {
    uint32_t peers;
    uint32_t mlines;
    uint32_t sealed;
};

/* False: libcrypto has no HMAC. The fields that are handed in are set before. */
bool peer_env_init(struct peer_env *env, const struct peer_limits *limits);
void peer_env_fini(struct peer_env *env);

struct peer_public {                /* what the worker may use directly; a peer begins with it */
    struct ref name;
    struct timer timer;             /* in the worker's queue, at peer_deadline */
    struct list touched;            /* the worker's list of peers to look after at the end of the turn */
    struct list bindings;           /* the worker's: addresses that are this peer's */
};

/* NULL: a pool is at its limit, or the machine has no address. */
struct peer *peer_new(struct peer_env *env, const struct peer_open_order *order, usec_t now);
void peer_free(struct peer *peer);

void peer_apply(struct peer *peer, usec_t now, const struct peer_apply_order *order);
void peer_add_candidate(struct peer *peer, usec_t now, const struct ice_candidate *candidate);
void peer_end_of_candidates(struct peer *peer, usec_t now);
void peer_close(struct peer *peer, usec_t now, bool notify);     /* says goodbye; peer_free follows */
void peer_lose_tuple(struct peer *peer, usec_t now, const struct net_tuple *tuple);

/* `datagram` is writable and has SEAL_ROOM bytes behind it; it must stay until peer_receive_flush. */
void peer_input(struct peer *peer, usec_t now, const struct net_tuple *from, uint8_t *datagram, size_t size);
/* True: the egress batch is filling up, and packets are left: flush it, and call again. */
bool peer_receive_flush(struct peer_env *env, usec_t now);

void peer_timeout(struct peer *peer, usec_t now);
usec_t peer_deadline(const struct peer *peer, usec_t now);

/* ---- media ---- */

/* The sink sends on m-line `mindex` from now on, replacing another. False: no such m-line. */
bool peer_attach_sink(struct peer *peer, usec_t now, uint16_t mindex, struct sink *sink);
/* The sink is about to be freed: its m-line forgets it. */
void peer_detach_sink(struct sink *sink);
/* About a source that a peer receives: worker-side entry points for what control and other workers ask. */
void peer_ask_keyframe(struct source *source, usec_t now);
void peer_set_rate_cap(struct source *source, usec_t now, const struct rate_cap *cap);

bool peer_is_up(const struct peer *peer);

/* ---- what is known (peer/peer_report.c) ---- */

uint16_t peer_line_count(const struct peer *peer);
/* `lines` has room for as many. Everything but peer and exists is filled in. */
void peer_describe(const struct peer *peer, struct peer_report *out, struct peer_line_report *lines);
/* Of layer `layer` of the n-th m-line; false: there is none. */
bool peer_layer_stats(const struct peer *peer, uint16_t n, uint8_t layer, struct media_stats *out);

/* ---- data channels (peer/peer_data.c) ---- */

/* What data lines have to send and to tell. True: the egress batch is filling up: flush it, and call again. Called after each
 * batch of datagrams, and at the end of a turn, when media.data_freed has been drained too. */
bool peer_data_flush(struct peer_env *env, usec_t now);
/* The same for one peer, where who sends must be known; and a peer that has something left. REF_NONE: none. */
bool peer_data_turn(struct peer *peer, usec_t now);
struct ref peer_data_waiting(const struct peer_env *env);
/* Control's message. What it costs comes back by DATA_TAKEN, whatever becomes of it, once it has come to DATA_TAKEN_STEP: so much may
 * always be missing. */
void peer_data_send(struct peer *peer, usec_t now, const struct data_packet *packet);
/* Control is done with so much of what it was told. */
void peer_data_credit(struct peer *peer, uint32_t cost);
/* The source need not wait any more. */
void peer_data_go_on(struct data_source *source);
/* Where a data sink of this peer sends; NULL: it has no data line. */
struct data_port *peer_data_port(struct peer *peer);

/* For the egress, about an item with `keep`: the sealed packet as it goes out (peer/mline.c). */
void mline_keep_sealed(struct mline *mline, usec_t now, struct view packet);

static inline struct peer_public *peer_face(struct peer *peer)
{
    return (struct peer_public *)(void *)peer;
}

static inline const struct peer_public *peer_face_const(const struct peer *peer)
{
    return (const struct peer_public *)(const void *)peer;
}
