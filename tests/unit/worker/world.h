/* tests/unit/worker/world.h - one or two workers, the clients of their peers, and a control that is the test itself, in virtual
 * time. Messages between different pairs of actors come in a random order. */
#pragma once

#include "support/seams.h"

#include "fake_runtime.h"
#include "media/rig.h"
#include "msg/control.h"
#include "msg/worker.h"
#include "peer/peer_private.h"
#include "worker/worker.h"
#include "worker/worker_private.h"

#define WORLD_WORKERS 2
#define WORLD_REMOTES 64
#define REMOTE_LINES  3

/* A client: its peer, and what control knows about ours. Lines: 0 audio and 1 video sent by the client, 2 video sent by us. */
struct remote {
    struct world *world;
    bool used;
    uint32_t worker;
    uint32_t socket;                    /* of the worker: where it was told to go */
    struct net_addr addr;
    struct peer_env env;
    struct media media;
    struct slots sources, sinks, data_sources, data_sinks;
    struct rng rng;
    uint64_t seed;
    struct peer *peer;
    struct ice_credentials local, server;
    struct ref name;                    /* of our peer, as control minted it */
    struct ref source[REMOTE_LINES];    /* of ours: what line 0 and 1 receive */
    bool up, ended;                     /* the client's own peer */
    enum hangup_reason reason;
    struct source *feed_source[REMOTE_LINES];
    struct sink *ear;
    struct fake_port port;              /* what line 2 brings */
    bool cut;
    uint8_t layers;                     /* of line 1 */
    bool no_rtx;
    bool has_data;                      /* before remote_apply: a data line too, line 3 */
    bool data_to_control;
    struct ref data_source;             /* of ours */
    bool hoards;                        /* the client does not read: its messages are not paid back */
    uint32_t data_count;                /* messages that the client has got */
    uint64_t data_bytes;
    char data_label[64], data_text[64]; /* of the last */
    uint32_t data_cost;
};

struct fact {
    uint16_t type;
    actor_id from;
    struct ref op;
    union {
        struct peer_fact peer;
        struct peer_hangup_fact hangup;
        struct peer_media_fact media;
        struct peer_slowlink_fact slowlink;
        struct sink_layer_fact layer;
        struct worker_srflx_fact srflx;
        struct peer_data_taken_fact taken;
        struct plain_opened_fact plain;
        struct record_done record;
        struct peer_report report;      /* without its lines */
    };
};

struct world_flight {
    usec_t at;
    struct net_addr from, to;
    size_t size;
    uint8_t *data;
};

/* A datagram that went to an address of nobody here. */
struct outside {
    struct net_addr from, to;
    size_t size;
    uint8_t data[EGRESS_PACKET];
};

struct world_options {
    uint32_t workers;                   /* 0: 2 */
    uint32_t sockets;                   /* of each; 0: 1; UINT32_MAX: none */
    struct worker_limits limits;
    struct net_addr stun_server;
    uint32_t seed;
};

struct world {
    uint32_t random;
    usec_t delay_us;
    uint32_t worker_count;
    struct worker *worker[WORLD_WORKERS];
    struct actor actor[WORLD_WORKERS];
    struct udp sockets[WORLD_WORKERS][2];
    struct remote remotes[WORLD_REMOTES];
    struct world_flight *flights;
    uint32_t flight_count, flight_room;
    struct fact *facts;                 /* told to control, in order */
    uint32_t fact_count, fact_room;
    uint32_t next_peer[WORLD_WORKERS], next_source, next_sink;
    struct outside *outside;
    uint32_t outside_count, outside_room;
    uint32_t runs, packets;             /* sent by workers */
    uint32_t longest_run;
    size_t outstanding;
};

extern usec_t virtual_now;

void world_init(struct world *w, const struct world_options *options);
/* Stops the workers as control would, frees all, and fails unless every pool is empty and all memory is home. */
void world_fini(struct world *w);

void world_run(struct world *w, usec_t until);
void world_run_for(struct world *w, usec_t us);
void world_settle(struct world *w);                     /* messages, lanes and datagrams that are there now, without time */
void world_order(struct world *w, uint32_t worker, uint16_t type, const void *payload, size_t size);
void world_order_op(struct world *w, uint32_t worker, uint16_t type, struct ref op, const void *payload, size_t size);
/* A datagram from outside to a worker's own or plain socket: found by its port. */
void world_send_in(struct world *w, const struct net_addr *from, const struct net_addr *to, const void *data, size_t size);

/* A client on that worker, connected (fails after 5 s) or only opened. */
struct remote *world_join(struct world *w, uint32_t worker);
struct remote *world_open(struct world *w, uint32_t worker);
void remote_apply(struct remote *r, bool start);        /* both sides */
void remote_introduce(struct remote *r);
void world_leave(struct world *w, struct remote *r);    /* control closes it; the client's side is freed */

/* Publishing: what the client sends on line 0 or 1. */
void remote_feed(struct remote *r, uint16_t line, uint8_t layer, struct feed *feed);
void remote_turn(struct remote *r);
/* A frame of `packets` now; time does not move. */
void remote_frame(struct remote *r, struct feed *feed, bool key, unsigned packets);
struct source_name remote_source(const struct remote *r, uint16_t line);
struct source_desc remote_desc(const struct remote *r, uint16_t line);

/* The client sends a message on its channel of that label. */
void remote_say(struct remote *r, const char *label, bool binary, const void *bytes, size_t size);
/* The viewer's data line gets what the publisher's receives. Returns the sink's name. */
struct ref world_join_data(struct world *w, struct remote *viewer, const struct remote *publisher, const char *label);

/* Viewing: line 2 of `viewer` is fed by `publisher`'s video. Returns the sink's name. */
struct ref world_view(struct world *w, struct remote *viewer, const struct remote *publisher, uint16_t line);
void world_switch(struct world *w, struct remote *viewer, struct ref sink, const struct remote *publisher);    /* NULL: silent */

/* The n-th fact of that type (from 0); NULL: there were fewer. */
const struct fact *world_fact(const struct world *w, uint16_t type, uint32_t n);
uint32_t world_fact_count(const struct world *w, uint16_t type);
struct net_addr world_addr(uint32_t worker, uint32_t socket);
uint32_t world_dice(struct world *w, uint32_t sides);
