/* control/state.h - everything that the control actor holds. Internal to control.
 *
 *   client -- sessions -- handles -- pc (a PeerConnection) -- lines -- source (what it receives)
 *                           |                               '- sink   (what it sends, fed by some source)
 *                           '- state of its plugin
 *
 * Ownership is this tree; a sink's pointer to a source in another branch is unlinked by whichever of the two ends first.
 * Plugins and workers know handles, sources, sinks and peers by ref only. */
#pragma once

#include <jansson.h>

#include "base/hash.h"
#include "base/histogram.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/slots.h"
#include "base/tally.h"
#include "base/timerq.h"
#include "control/control.h"
#include "control/negotiate/negotiate.h"
#include "msg/control.h"
#include "peer/peer_types.h"
#include "plugins/plugin.h"
#include "proto/sdp/ufrag.h"
#include "runtime/log.h"

#define TICK_US           SEC(1)        /* plugins' tick */
#define WATCHDOG_TICKS    2u            /* sessions expire at every second one (janus-api.md 8) */
#define STOP_WAIT_US      SEC(3)        /* for PEER_CLOSED after STOP; workers that still owe one are given up */
#define STOP_ANSWER_US    MSEC(500)     /* for requests that wait; 30,000 are served in it */
#define PWD_CHARS         24u           /* ICE asks for 22 at least (RFC 8839 5.4) */
#define DEFERRED_PER_TURN 64u

struct api_request;
struct op;

/* Settings that the Admin API can change: from the configuration at first (admin-api.md 3.1). */
struct adjustable {
    uint32_t session_timeout_s;         /* 0: never */
    uint32_t min_nack_queue_ms;
    uint32_t no_media_timer_s;
    uint32_t slowlink_threshold;
    bool nack_optimizations;
    bool log_timestamps, log_colors;
    bool locking_debug, refcount_debug;
    bool accepting;                     /* new sessions */
};

/* -- how long requests take (measure.h) -------------------------------------------------------------------------------------- */

#define REQUEST_HOSTS_MAX       32u
#define REQUEST_KINDS           48u     /* verbs, then `message` by plugin */
#define REQUESTS_TIMED_PER_TURN 256u    /* of more the turn's own time is not known */
#define ERROR_CODE_FIRST        400     /* of the core's errors (janus-api.md 2) */
#define ERROR_CODES             100u

struct request_answered {
    uint8_t kind;                       /* enum request_kind */
    usec_t since;
};

struct request_times {
    usec_t turn;                        /* in which `answered` were */
    uint32_t count;
    struct request_answered answered[REQUESTS_TIMED_PER_TURN];
    struct histogram kinds[REQUEST_KINDS];
    uint64_t errors[ERROR_CODES];
};

/* -- clients ------------------------------------------------------------------------------------------------------------ */

/* Whose request it is, and what its transport says of it beside the text. */
struct request_from {
    struct ref client;                  /* gets the reply */
    struct ref owner;                   /* of the sessions that it creates or claims */
    enum json_layout layout;
    uint8_t api;                        /* enum client_api */
    uint8_t transport;                  /* enum transport_kind */
    uint8_t path_ids;                   /* HTTP: how many ids its path has */
    uint32_t tag;                       /* comes back with the reply */
    int64_t session_id, handle_id;      /* of the path */
    usec_t since;                       /* when io delivered it */
};

/* One text that waits for its turn, or what is left of it. */
struct waiting_text {
    struct list node;                   /* in caller.waiting */
    struct request_from from;
    struct client_request *raw;         /* not parsed yet: a block of its own; then there are no documents */
    uint32_t count, next;
    struct credit *credit;              /* NULL: none of its documents has had to wait for an operation */
    json_t *documents[];
};

/* A connection that owns sessions or has documents waiting; others need no object. */
struct caller {
    struct map_node by_ref;             /* in control.callers_by_ref */
    struct ref client;
    struct net_addr addr;
    uint8_t transport;                  /* enum transport_kind */
    uint8_t layout;                     /* enum json_layout: how its events are written */
    uint32_t session_count;
    struct list sessions;
    struct list waiting;
    struct list parked;                 /* its requests that wait for an operation (op.h) */
    struct list busy;                   /* in control.busy or busy_long while something waits */
};

/* -- sessions and handles ------------------------------------------------------------------------------------------------- */

struct session {
    struct map_node by_id;              /* in control.sessions_by_id, unless ending */
    int64_t id;
    struct caller *owner;               /* NULL: its transport is gone, until a claim or the time-out */
    struct list node;                   /* in owner->sessions; in control.ending; alone while reclaimable */
    struct list handles;
    uint32_t handle_count;
    struct net_addr counted;            /* whose share of max_sessions_per_address it takes: who has created it */
    bool told_over;                     /* event handlers know of its end: it has timed out */
    bool ending;                        /* not addressable any more; its handles are being closed, without events */
    usec_t active_at;                   /* last authenticated request that named it */
    int64_t timeout_s;                  /* of its own, 0: never; -1: the one of all */
    struct timer expiry;                /* in control.expiries: when to look whether it has expired */
};

struct early_candidate {
    usec_t at;
    char mid[NEGOTIATE_MID_ROOM];       /* "" without one */
    struct ice_candidate candidate;
};

/* Trickled candidates that came before the offer/answer exchange was complete (janus-api.md 6.1). */
struct early_candidates {
    uint32_t count;
    bool end;                           /* `completed` was among them */
    struct early_candidate items[REMOTE_CANDIDATES_MAX];
};

struct handle {
    struct map_node by_id;              /* in control.handles_by_id */
    struct ref ref;                     /* what plugins call it */
    int64_t id;
    struct session *session;
    struct list in_session;
    struct host *host;                  /* the plugin it is attached to */
    void *state;                        /* of that plugin: session_size bytes of host->states */
    char *opaque_id;                    /* NULL: none */
    char *token;                        /* that it was attached with, where tokens are asked for; NULL: none */
    usec_t created_at;
    struct pc *pc;                      /* the one that is being negotiated or in use */
    uint64_t group;                     /* for placement */
    struct early_candidates *early;     /* NULL: none */
    struct list deferred;               /* in control.deferred while a plugin's wish waits */
    struct list ops_open;               /* requests that wait for an answer */
    struct list ops_waiting;            /* requests that wait behind `ordered`, in order */
    struct op *ordered;                 /* of ops_open: the one that others wait for; NULL: none */
    uint32_t op_count;                  /* in both lists */
    struct list resuming;               /* in control.resuming when the next of ops_waiting may go on */
    bool wants_pc_closed, wants_detach, wants_data;
    bool closing;                       /* plugins' verbs find it no more */
    bool hung_up;                       /* hangup_media has been called since the last negotiation began */
};

/* -- PeerConnections and the media graph ------------------------------------------------------------------------------------ */

enum pc_state {
    PC_OFFERED,                         /* the client's first offer waits for the plugin's answer; no worker knows it yet */
    PC_OPEN,                            /* ordered (PEER_OPEN) */
    PC_UP,                              /* DTLS done: between setup_media and hangup_media */
    PC_CLOSING,                         /* PEER_CLOSE sent, PEER_CLOSED awaited: has no handle any more */
};

/* Whose offer waits for its answer. */
enum pc_offer { PC_OFFER_NONE, PC_OFFER_CLIENT, PC_OFFER_PLUGIN };

struct pc_line {
    struct source *source;
    struct sink *sink;
};

/* Its data channels (control/data.c). */
struct pc_data {
    uint32_t queued;                    /* cost of what was sent to the worker and is not done with there */
    bool refused;                       /* a plugin was told ERR_FULL: it wants to know when there is room */
    struct list sinks;                  /* of the data line: sink.in_pc */
    struct list put_off;                /* messages that the plugin will not have yet: put_off.node */
};

struct put_off {
    struct list node;
    struct data_packet *packet;
};

/* What is kept of it to be shown (admin-api.md 6): nothing depends on it. */
struct pc_story {
    usec_t created_at, started_at;      /* started_at 0: no answer yet */
    bool all_candidates;                /* the client has said so */
    char *local, *remote;               /* the newest descriptions; NULL: none */
    struct buf candidates;              /* the client's, a line each */
};

struct pc {
    struct peer_ref peer;               /* REF_NONE while PC_OFFERED */
    struct handle *handle;              /* NULL while PC_CLOSING */
    enum pc_state state;
    enum pc_offer offer;
    enum pc_offer offer_before;         /* what was waited for when the client's offer came that is being worked on */
    const char *ended_by;               /* closing: why, as event handlers are told; NULL: they are not */
    bool negotiated;                    /* an answer has passed, in either direction */
    bool controlling;                   /* our first description was an offer */
    bool e2ee;                          /* sticky */
    bool trickle;                       /* of the client's newest description: more candidates may come */
    bool client_restarts;               /* its offer has new ICE credentials: our answer will have too */
    bool restarting;                    /* we have offered new credentials: the client's are of the old generation */
    char ufrag[UFRAG_CHARS + 1];
    char pwd[PWD_CHARS + 1];
    struct negotiation negotiation;
    uint32_t candidate_count;           /* given to the worker since the newest description of the client */
    uint32_t line_count;
    struct pc_line *lines;
    struct pc_data data;
    struct pc_story story;
};

struct source {
    struct ref ref;
    struct pc *pc;                      /* NULL: plain RTP feeds it (plain.h) */
    uint32_t worker;                    /* of one without */
    struct host *host;                  /* the same: whose it is */
    uint16_t mindex;
    bool active;
    struct source_desc desc;
    struct list sinks;
    struct list forwards;               /* struct forward (plain.h) */
    struct list recordings;
};

struct sink {
    struct ref ref;
    struct pc *pc;
    uint16_t mindex;
    struct source *source;              /* NULL: silent */
    struct list in_source;
    bool data;                          /* one of the data line's, which has one per source; `mindex` means nothing */
    bool paused;                        /* with data: a worker is told the whole state each time */
    struct list in_pc;                  /* with data: pc.data.sinks */
};

/* What a source sends is being written to a file. Ends with its source. */
struct recording {
    struct ref ref;
    struct source *source;
    struct list in_source;
};

/* -- plugins and workers ------------------------------------------------------------------------------------------------------ */

/* The server as one plugin sees it. */
struct host {
    struct control *control;
    const struct plugin_desc *desc;
    void *plugin;                       /* what init returned */
    struct conf_node *conf;             /* of its file; NULL: it has none */
    bool again;                         /* its `turn` is wanted in the next one */
    struct pool states;
};

struct worker_seat {
    struct slots peers;                 /* names and pcs; closing ones keep theirs until PEER_CLOSED */
    struct net_addr mapped[CONTROL_SOCKETS_MAX];    /* server-reflexive; NET_NONE: not known */
};

/* An event that was pushed while a request was being handled; `block` is an io_send. */
struct held_text {
    void *block;
    size_t size;
};

/* Whom the end of the server is still to be told (drain.h). */
struct drain {
    uint32_t seconds;
    int64_t *ids;                       /* of the sessions; NULL: it has not begun */
    uint32_t count, next;
    bool over;                          /* main knows that nobody is left */
};

/* -- the actor ------------------------------------------------------------------------------------------------------------------ */

struct control {
    struct actor *actor;
    struct control_config config;
    const struct settings *settings;
    struct rng rng;
    struct hash_key key;
    usec_t now;                         /* of this turn */
    usec_t started_at;                  /* `now` of the first */
    struct net_addr from;               /* of the client whose request is in hand */
    uint8_t from_transport;             /* the same */
    struct adjustable adjustable;

    struct net_addr local_ip;
    struct address_list public_ips;     /* nat_1_1_mapping, else what the STUN server saw */

    struct host *hosts;
    uint32_t host_count;
    bool hosts_again;                   /* one of them has something left to do */
    struct worker_seat *seats;

    struct pool callers, sessions, handles, pcs, sources, sinks, plains, forwards, recordings;
    struct map tokens;                  /* tokens.h */
    uint32_t token_count;
    struct map callers_by_ref, sessions_by_id, handles_by_id;
    struct slots handle_names, source_names, sink_names, plain_names, forward_names, recording_names;
    struct timerq expiries;
    struct pool ops;
    struct slots op_names;
    struct pool admin_waits;            /* admin_wait.h */
    struct slots admin_wait_names;
    struct timerq admin_wait_deadlines;
    uint32_t saves_unasked;             /* files being saved that no request waits for */
    struct timerq op_deadlines;
    struct list yielding;               /* ops that go on in a later turn, one in each */
    struct list resuming;               /* handles */
    struct tally per_address;           /* sessions: max_sessions_per_address */

    struct list busy;                   /* callers with documents waiting, served in turn */
    struct list busy_long;              /* those of them whose next text is a long one */
    bool memory_short;                  /* main says so: nothing new is begun until it is over */
    bool long_parsed;                   /* in this turn, a long text */
    struct list ending;                 /* sessions with handles left to close */
    struct list deferred;               /* handles that their plugin wants closed, or their PeerConnection */
    uint32_t pcs_closing;

    struct buf text;                    /* scratch: the text being written */
    struct buf reply;                   /* host_reply */
    struct buf sdp;                     /* scratch: what a plugin sees of the jsep in hand */
    struct buf wire;                    /* scratch: a description for a client */
    struct jsep_simulcast simulcast[SDP_MLINES_MAX];    /* of the jsep in hand */
    const struct api_request *in_hand;  /* what a plugin is working on; NULL: nothing */
    struct op *op_in_hand;              /* the same, once it has had to wait */
    struct credit *credit_in_hand;      /* of the text in hand, once one of its documents has had to wait */
    uint32_t holding;                   /* above 0: events are held back */
    struct held_text *held;
    uint32_t held_count, held_room;

    uint32_t documents_left;            /* of this turn's budget */
    uint32_t bytes_left;                /* the same, of text to parse */
    uint32_t closings_left;
    bool expiring;                      /* the watchdog has more to look at */
    uint32_t ticks;
    usec_t next_tick;
    bool draining;                      /* no new sessions */
    bool stopping;
    bool stopped;
    bool freeing;                       /* nothing is sent any more */
    usec_t stop_deadline;

    struct drain drain;
    uint16_t events_mask;               /* what event handlers want: enum event_type (notify.h) */
    uint32_t notices_unread;            /* bytes of what they were told and have not read */
    struct buf notice;                  /* scratch: the notice being written */
    usec_t next_update;
    uint32_t pcs_up;                    /* PC_UP */
    int stop_signal;

    struct control_counters counters;
    struct request_times times;
};
