/* load/storm.h - hundreds of clients that do everything at once, badly: connect, vanish, claim, join, publish, watch, unpublish, list,
 * kick, create and destroy rooms, without waiting for answers. Every request is timed. cmd_storm.c begins, ends and judges;
 * storm_client.c is one client's life; storm_ask.c what can be asked, and the books about it. */
#pragma once

#include "load/load.h"

#define STORM_ROOMS        8u
#define STORM_FEEDS        256u         /* publishers that somebody may watch or kick; the newest */
#define STORM_IN_FLIGHT    4u           /* of one client */
#define STORM_PATIENCE_US  SEC(10)      /* an answer that takes longer is missing */
#define STORM_CONNECT_US   SEC(5)       /* a connection that is not there by then is given up, and counted as refused */
#define STORM_BINS         64u

enum storm_ask {
    ASK_CREATE, ASK_CLAIM, ASK_KEEPALIVE, ASK_ATTACH, ASK_DETACH, ASK_HANGUP, ASK_DESTROY,
    ASK_ROOM_CREATE, ASK_ROOM_DESTROY, ASK_ROOM_LIST, ASK_PARTICIPANTS, ASK_KICK,
    ASK_JOIN, ASK_PUBLISH, ASK_UNPUBLISH, ASK_LEAVE, ASK_WATCH, ASK_START, ASK_KINDS
};

struct storm_feed {
    uint64_t room;
    uint64_t id;
};

struct storm {
    struct load *load;
    struct net net;
    struct pool requests;
    struct list waiting;                /* requests, oldest first */
    struct storm_client *clients;
    uint32_t count;
    bool over;                          /* nothing new is begun */
    uint64_t rooms[STORM_ROOMS];
    struct storm_feed feeds[STORM_FEEDS];
    uint32_t feed_next;
    struct buf body;
    struct buf sdp;

    uint64_t asked;
    uint64_t answered;
    uint64_t errors;                    /* answers too: "no such room" is what a storm is made of */
    uint64_t missing;                   /* not answered in time, or cut off by the server */
    uint64_t abandoned;                 /* their client vanished */
    enum storm_ask missing_kind;        /* the last one of them */
    usec_t worst_us;
    enum storm_ask worst_kind;
    uint64_t bins[STORM_BINS];          /* of times: four to an octave from 0.1 ms, which reaches 6 s */
    uint64_t connects;
    uint64_t connect_refused;
    usec_t connect_worst_us;
    uint64_t vanished;
    uint64_t calls_up;
};

struct storm_client {
    struct storm *storm;
    struct conn conn;
    struct janus janus;
    struct loop_timer timer;
    bool connecting;
    bool open;
    bool dropped;                       /* the connection has gone: tidy up at the next turn of the timer */
    bool call_over;                     /* the PeerConnection has ended */
    bool publishing;
    usec_t connect_at;
    uint32_t in_flight;
    uint64_t session;
    uint64_t lost_session;              /* of the last connection: to be claimed */
    uint64_t handle;
    uint64_t room;                      /* joined; 0: none */
    bool watching;
    struct net_endpoint *peer;
};

/* A request on its way. */
struct storm_request {
    struct list node;
    struct storm_client *client;
    enum storm_ask kind;
    usec_t at;
    bool late;                          /* counted as missing already */
};

void storm_client_start(struct storm_client *client, struct storm *storm, usec_t at);
void storm_client_stop(struct storm_client *client);

/* Sends it; storm_answered is called with the answer. */
void storm_ask(struct storm_client *client, enum storm_ask kind);
void storm_answered(struct storm_client *client, usec_t now, enum storm_ask kind, const struct janus_reply *reply);
void storm_look_for_missing(struct storm *storm, usec_t now);
const char *storm_ask_name(enum storm_ask kind);
usec_t storm_quantile(const struct storm *storm, double share);
