/* worker/worker_private.h - the inside of a worker, shared by this folder's files only. */
#pragma once

#include "base/hash.h"
#include "base/map.h"
#include "media/data_source.h"
#include "media/forward.h"
#include "media/source.h"
#include "msg/control.h"
#include "msg/worker.h"
#include "peer/peer.h"
#include "proto/stun/stun_query.h"
#include "worker/worker.h"

#define DATAGRAMS_PER_TURN  256u        /* of one socket (design section 5) */
#define TIMERS_PER_TURN     1024u
#define STATS_AT_ONCE       8u          /* of one peer, without memory for them */
#define PROXY_RETRY_US      MSEC(200)   /* an unanswered RELAY_OPEN is repeated: no order is promised across pairs */
#define SRFLX_REFRESH_US    SEC(25)     /* keeps the NAT binding of a socket alive (RFC 8445 11) */
#define SRFLX_TXID_PREFIX   0xFFFFFF00u /* transaction ids of a socket's own queries begin with it + the socket's number */

/* An address pair and whose it is. */
struct binding {
    struct map_node node;
    struct list of_peer;
    struct net_tuple tuple;
    struct ref peer;
};

struct worker_counters {
    uint64_t datagrams;
    uint64_t stun_unknown_ufrag;        /* a check for nobody: dropped in silence */
    uint64_t stun_unknown_txid;
    uint64_t stun_malformed;
    uint64_t unknown_tuple;             /* not STUN, from an address that is nobody's */
    uint64_t orders_stale;              /* about something gone: a normal case */
    uint64_t orders_refused;            /* a pool or table at its limit */
    uint64_t orders_malformed;          /* our own mistake */
    uint64_t bindings_contested;        /* checks from an address that is another peer's */
    uint64_t bindings_stolen;           /* the newest nomination wins */
    uint64_t relay_in;
    uint64_t relay_unknown;
    uint64_t sent_packets;
    uint64_t sent_runs;
    uint64_t seal_failed;
    uint64_t plain_refused;             /* sockets that could not be opened */
    uint64_t plain_in;
    uint64_t plain_strange;             /* RTP of no inlet, malformed, replayed, or not authentic */
    uint64_t plain_sent;
    uint64_t plain_too_large;
    uint64_t plain_data_cut;            /* messages longer than an envelope holds */
    uint64_t plain_data_lost;           /* messages that came while receivers were full: UDP can't be told to wait */
    uint64_t plain_index_used;          /* never sealed twice: dropped */
    uint64_t record_gaps;               /* times that a recording had to leave frames out */
};

/* The egress batch by destination (egress.c): items of one are chained in their order. */
struct egress_groups {
    uint32_t count;
    uint16_t head[EGRESS_ITEMS];        /* of each group: its first item, and its last */
    uint16_t tail[EGRESS_ITEMS];
    uint16_t next[EGRESS_ITEMS];        /* of each item */
    uint16_t table[EGRESS_ITEMS * 2];   /* group + 1 by the destination's hash; 0: free */
};

struct srflx {
    struct stun_query query;
    struct net_addr told;               /* what control knows */
    usec_t again_at;
};

/* A socket of plain RTP (plain.c). */
struct plain {
    struct ref name;
    uint8_t use;                        /* enum plain_use */
    struct udp udp;
    struct list askers;                 /* struct outlet.asker: whose publishers its RTCP asks */
    struct list inlets;                 /* struct inlet.of_plain: who may be fed from here */
    struct net_addr from;               /* PLAIN_LATCH: whom we have heard last; NET_NONE: nobody */
};

/* Plain RTP that feeds a source (inlet.c). */
struct inlet_layer {
    bool started;
    uint16_t newest;
    usec_t heard_at;
    uint8_t primary_pt;                 /* of a RED stream: what its packets say that they wrap; 0: not known yet */
    struct seal_rx_stream rx;
};

struct inlet {
    struct worker *worker;
    struct ref name;                    /* the source's */
    struct source *source;              /* one of the two */
    struct data_source *data;
    struct inlet_options options;
    struct list of_plain;               /* in plain.inlets */
    struct seal_keys *keys;             /* NULL: in the clear */
    struct inlet_layer layers[LAYERS_MAX];
};

/* A forward: where one layer of a source, or the best of all, or a data line's messages, go to (forward.c). */
struct outlet {
    struct port port;
    struct data_port data_port;
    struct worker *worker;
    struct ref name;
    struct forward forward;             /* as it comes; or */
    struct sink *sink;                  /* chosen; or */
    struct data_sink *data;             /* messages (forward_data.c) */
    struct forward_add_order order;
    struct list asker;                  /* in plain.askers */
    struct seal_keys *keys;             /* NULL: in the clear */
    struct seal_tx_stream tx;
};

#define INLETS_PER_PLAIN 4u             /* on average, at the limit of both */

#define PLAIN_BATCH 64u
#define PLAIN_ROOM  1536u               /* EGRESS_PACKET and SEAL_ROOM, rounded up */

/* What plain sockets are to send, in order; sealed and sent together (plain.c). */
struct plain_item {
    struct ref plain;
    struct net_addr to;
    const struct seal_keys *keys;
    uint64_t index;
    uint16_t header_size;
    uint16_t size;
};

struct plain_batch {
    uint32_t count;
    struct plain_item items[PLAIN_BATCH];
    _Alignas(16) uint8_t bytes[PLAIN_BATCH][PLAIN_ROOM];
};

struct worker {
    struct actor *actor;
    struct worker_config config;
    usec_t now;                         /* of this turn: for what is drained in the middle of it */
    struct rng rng;
    struct hash_key hash_key;
    struct media media;
    struct peer_env env;
    struct slots peers;
    struct slots sources;
    struct slots sinks;
    struct slots plains;
    struct slots outlets;
    struct pool plain_pool;
    struct pool outlet_pool;
    struct slots inlets;                /* by the name of their source */
    struct pool inlet_pool;
    usec_t inlets_at;                   /* next look at them */
    struct plain_batch *plain_out;
    struct slots data_sources;
    struct slots data_sinks;
    struct map tuples;
    struct pool bindings;
    struct timerq timers;
    struct list touched;                /* peers whose deadline is to be looked up again */
    struct list proxies;                /* sources fed by other workers: struct proxy */
    struct list data_proxies;           /* the same of data lines: struct data_proxy */
    struct pool proxy_pool;
    struct pool data_proxy_pool;
    usec_t proxies_at;                  /* next look at the proxies */
    struct list recordings;             /* record.c */
    struct pool recording_pool;
    usec_t records_at;                  /* next look at the recordings */
    uint64_t record_bytes;              /* of chunks that a disk has not answered yet */
    struct net_addr bases[WORKER_SOCKETS_MAX];
    struct srflx srflx[WORKER_SOCKETS_MAX];
    struct udp_inbox *inbox;
    uint16_t events_mask;               /* what event handlers want (msg/events.h) */
    struct worker_counters counters;
    struct egress_groups groups;        /* last: its memory is touched as far as it is needed only */
};

/* What a worker remembers about a source that lives elsewhere. */
struct proxy {
    struct list node;
    struct source *source;
    usec_t asked_at;
};

struct data_proxy {
    struct list node;
    struct data_source *source;
    usec_t asked_at;
};

/* worker.c */
void worker_touch(struct worker *w, struct peer *peer);
struct peer *worker_peer(struct worker *w, struct ref ref);
/* measure.c */
void worker_measure(void *owner, usec_t now, struct metrics *out);
/* demux.c */
void demux_packet(struct worker *w, usec_t now, uint32_t socket, const struct udp_datagram *datagram);
void demux_bind(struct worker *w, usec_t now, struct peer *peer, const struct net_tuple *tuple, bool claim);
void demux_unbind(struct worker *w, struct peer *peer, const struct net_tuple *tuple);
void demux_unbind_all(struct worker *w, struct peer *peer);
/* egress.c */
void egress_flush(struct worker *w, usec_t now);
void egress_drain_worker(void *owner);      /* egress_batch.drain */
/* on_peer.c: orders about peers, and what peers have to say */
void on_peer_open(struct worker *w, usec_t now, const struct peer_open_order *order);
void on_peer_apply(struct worker *w, usec_t now, const struct peer_apply_order *order, size_t size);
void on_peer_candidate(struct worker *w, usec_t now, const struct peer_candidate_order *order);
void on_peer_candidates_end(struct worker *w, usec_t now, const struct peer_end_order *order);
void on_collect(struct worker *w, const struct collect_order *order, struct ref op);
void on_peer_close(struct worker *w, usec_t now, const struct peer_close_order *order);
void worker_close_peer(struct worker *w, usec_t now, struct peer *peer, bool notify);
void worker_tell_events(struct worker *w, usec_t now);
void worker_tell_hangup(struct worker *w, struct ref peer, enum hangup_reason reason);
/* stats.c: what event handlers are told of media */
void stats_wanted(struct worker *w, uint16_t mask);
void stats_tell(struct worker *w, const struct peer *peer);
void stats_tell_last(struct worker *w, const struct peer *peer);
/* on_graph.c: orders about sources and sinks, and what they have to say */
void on_sink_add(struct worker *w, usec_t now, const struct sink_add_order *order);
void on_sink_set(struct worker *w, usec_t now, const struct sink_set_order *order);
void on_sink_switch(struct worker *w, usec_t now, const struct sink_switch_order *order);
void on_sink_del(struct worker *w, usec_t now, const struct sink_del_order *order);
void on_source_set(struct worker *w, usec_t now, const struct source_set_order *order);
void on_source_cap(struct worker *w, usec_t now, const struct source_cap_order *order);
void on_source_levels(struct worker *w, usec_t now, const struct source_levels_order *order);
void on_keyframe_ask(struct worker *w, usec_t now, const struct keyframe_ask *order);
void worker_tell_graph(struct worker *w, usec_t now);
usec_t worker_graph_deadline(struct worker *w);
/* plain.c: sockets of plain RTP */
void on_plain_open(struct worker *w, usec_t now, const struct plain_open_order *order, struct ref op);
void on_plain_close(struct worker *w, usec_t now, const struct plain_close_order *order);
void plain_ready(struct worker *w, usec_t now, struct ref name);
struct plain *plain_get(struct worker *w, struct ref name);
/* Room for a packet of up to EGRESS_PACKET bytes; then plain_commit. */
uint8_t *plain_reserve(struct worker *w);
void plain_commit(struct worker *w, const struct plain_item *item);
void plain_flush(struct worker *w);
void plain_send_now(struct worker *w, struct ref plain, const struct net_addr *to, struct view datagram);   /* longer than a packet */
void plains_close(struct worker *w);
/* forward.c */
void on_forward_add(struct worker *w, usec_t now, const struct forward_add_order *order);
void on_forward_del(struct worker *w, usec_t now, const struct forward_del_order *order);
void outlets_close(struct worker *w);
struct seal_master srtp_master_of(const struct srtp_master *srtp);
void outlet_asked(struct outlet *outlet, uint32_t media_ssrc);
/* forward_data.c: messages of data channels out of and into plain sockets */
bool outlet_start_data(struct outlet *outlet, struct data_source *source);
void inlet_data_input(struct inlet *inlet, usec_t now, const struct rtp_packet *packet);
/* inlet.c: plain RTP in */
void on_inlet_open(struct worker *w, usec_t now, const struct inlet_open_order *order);
void on_inlet_close(struct worker *w, usec_t now, const struct inlet_close_order *order);
void inlet_input(struct worker *w, usec_t now, const struct plain *plain, uint8_t *data, size_t size);
void inlet_ask_keyframe(struct inlet *inlet);
void inlets_look(struct worker *w, usec_t now);
void inlets_close(struct worker *w);
/* relay.c */
struct source *relay_source(struct worker *w, usec_t now, const struct source_name *name, const struct source_desc *desc);
void on_relay_open(struct worker *w, usec_t now, actor_id from, const struct relay_order *order);
void on_relay_close(struct worker *w, usec_t now, actor_id from, const struct relay_order *order);
void on_relay_state(struct worker *w, usec_t now, const struct relay_state *state);
void on_relay(void *owner, usec_t now, actor_id from, struct view record);
void relay_orphan(struct worker *w, struct source *source);
void relay_forget(struct worker *w, const struct source *source);
void relay_look(struct worker *w, usec_t now);
extern const struct media_relay relay_ports;
/* on_data.c: data channels, their way to control and through the graph */
void on_data_send(struct worker *w, usec_t now, const struct data_packet *packet, size_t size);
void on_data_cast(struct worker *w, usec_t now, const struct data_cast *cast, size_t size);
void on_data_credit(struct worker *w, usec_t now, const struct data_credit *credit);
void on_data_sink_add(struct worker *w, usec_t now, const struct data_sink_add_order *order);
void on_data_sink_set(struct worker *w, usec_t now, const struct data_sink_set_order *order);
void worker_flush_data(struct worker *w, usec_t now);
/* relay_data.c */
struct data_source *relay_data_source(struct worker *w, usec_t now, const struct source_name *name);
void on_relay_data(struct worker *w, usec_t now, const struct relay_data *order, size_t size);
void on_relay_data_done(struct worker *w, usec_t now, actor_id from, const struct relay_data_done *order);
void relay_data_state(struct worker *w, struct data_source *source, bool present);
void relay_data_orphan(struct worker *w, struct data_source *source);
void relay_data_forget(struct worker *w, const struct data_source *source);
void relay_data_pay(struct worker *w, struct data_source *proxy);
void relay_data_push(void *owner, uint32_t worker, struct ref source, bool binary, struct view bytes);
void relay_data_look(struct worker *w, usec_t now);
/* record.c */
void record_init(struct worker *w);
void on_record_start(struct worker *w, usec_t now, const struct message *m);
void on_record_stop(struct worker *w, usec_t now, const struct record_stop_order *order);
void on_record_written(struct worker *w, usec_t now, const struct record_written *written);
void record_turn(struct worker *w, usec_t now);
void record_close_all(struct worker *w);
/* srflx.c */
void srflx_start(struct worker *w, usec_t now);
void srflx_input(struct worker *w, usec_t now, uint32_t socket, const struct udp_datagram *datagram);
void srflx_turn(struct worker *w, usec_t now);
usec_t srflx_deadline(const struct worker *w);
