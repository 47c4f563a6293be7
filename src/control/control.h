/* control/control.h - the control actor: sessions, handles, plugins, SDP and the Janus API (design section 2).
 *
 * One actor, one thread. Nothing here is visible to others but by messages: requests and facts come in (msg/control.h),
 * orders to workers (msg/worker.h) and texts to io (msg/io.h) go out. No call waits for anything.
 *
 *   struct control *c = control_new(actor, &config);     on the main thread, before any thread runs: starts the plugins
 *   actor_serve(actor, &control_ops, c);
 *   ... actor_join(actor);
 *   control_free(c);                                     every pool must be empty then; what is left is closed first
 *
 * All that `config` points at outlives the control. */
#pragma once

#include "base/conf.h"
#include "base/net.h"
#include "media/media_types.h"
#include "runtime/actor.h"
#include "settings/settings.h"

struct plugin_desc;

#define CONTROL_SOCKETS_MAX 8u          /* local UDP sockets of one worker */

/* The sockets of one worker, by number: their addresses and ports stand in the candidates. There may be none. */
struct control_worker {
    struct net_addr sockets[CONTROL_SOCKETS_MAX];
    uint32_t socket_count;
};

/* What `info` says of a transport, event handler or logger. Texts are UTF-8. */
struct control_module {
    const char *package;                /* "janus.transport.websockets" */
    const char *name;
    const char *author;
    const char *description;
    const char *version_string;
    int version;
};

struct control_modules {
    const struct control_module *items;
    uint32_t count;
};

/* How many there may be (base/limits.h); taken down where memory is small (settings/budget.h). */
struct control_limits {
    uint32_t clients;                           /* connections that have sessions or waiting requests */
    uint32_t sessions;
    uint32_t handles;
    uint32_t sources, sinks;                    /* names of both in all workers */
};

extern const struct control_limits control_limits_default;

struct control_config {
    const struct settings *settings;
    const struct control_worker *workers;       /* worker n is actor ACTOR_WORKER_0 + n */
    uint32_t worker_count;
    struct control_limits limits;               /* zeros: the defaults */
    uint32_t peers_per_worker;                  /* no more than a worker has room for; 0: PEERS_PER_WORKER_MAX */
    struct net_addr local_ip;                   /* of o=, c= and `local-ip`; NET_NONE: the first socket's, else 127.0.0.1 */
    const char *fingerprint;                    /* of our certificate: SHA-256, "AB:CD:..." */

    /* NULL-terminated; the executable's is plugin_table (plugins/plugin.h). */
    const struct plugin_desc *const *plugins;
    /* A plugin's own configuration, read before, and the plugin's to change: NULL when it has no file. */
    struct conf_node *(*plugin_conf)(void *owner, const char *package);
    void *plugin_conf_owner;

    struct control_modules transports, event_handlers, loggers;
    bool events_running;                        /* there is an events actor, */
    uint16_t events_mask;                       /* whose handlers want these (msg/events.h) */
    bool shows_peers;                           /* there is an Admin API: what a PeerConnection's two sides said is kept for it */
    const char *commit;                         /* of this build; NULL: "unknown" */
    const char *compile_time;

    /* How far local time is ahead of UTC (runtime/clock.h); NULL: it is UTC. */
    int32_t (*utc_offset_s)(uint64_t wall_us);

    /* Random bytes (runtime/entropy.h; seeded in the simulator). */
    void (*entropy)(void *source, uint8_t *out, size_t size);
    void *entropy_source;
    bool random_placement;                      /* the simulator's: nothing may depend on where a peer lives */
};

struct control;

/* NULL: the configuration can't be used (logged). A plugin whose init fails is left out. */
struct control *control_new(struct actor *actor, const struct control_config *config);
void control_free(struct control *control);

extern const struct actor_ops control_ops;

/* Every drop and refusal by cause, and the sizes of things. Own thread only. */
struct control_counters {
    /* requests */
    uint64_t texts;                     /* CLIENT_REQUEST messages: as many credits went back */
    uint64_t documents;
    uint64_t replies;                   /* direct ones, errors included */
    uint64_t errors;                    /* direct replies that are errors */
    uint64_t unauthorized;
    uint64_t unparsable;                /* texts answered by 454 */
    uint64_t too_many_documents;        /* or values: 454 before any of the text is parsed or served */
    uint64_t documents_dropped;         /* their client had gone before their turn came */
    uint64_t malformed_messages;        /* of impossible size or unknown type: our own mistake, never a client's */
    uint64_t wrong_api;                 /* for an API that does not exist */
    /* events */
    uint64_t events;
    uint64_t events_lost;               /* the session had no client */
    uint64_t texts_too_long;            /* a reply or event beyond TEXT_BYTES_MAX */
    /* sessions and handles */
    uint64_t sessions_created;
    uint64_t sessions_timed_out;
    uint64_t sessions_reclaimable;      /* their transport went and a claim may save them */
    uint64_t sessions_claimed;
    uint64_t sessions_refused;          /* at the limit */
    uint64_t handles_refused;
    uint64_t clients_refused;
    uint64_t memory_refused;            /* sessions, handles and PeerConnections, while memory is short */
    /* operations (op.h) */
    uint64_t ops_begun;
    uint64_t ops_timed_out;
    uint64_t ops_refused;               /* at a limit, requests that would have had to wait included */
    uint64_t ops_cut_short;             /* by the end of their handle or client */
    uint64_t answers_stale;             /* for an operation that has ended */
    uint64_t requests_queued;           /* had to wait behind another of their handle */
    /* PeerConnections */
    uint64_t pcs_opened;                /* PEER_OPEN orders */
    uint64_t pcs_closed;                /* PEER_CLOSED facts that fit */
    uint64_t pcs_refused;               /* at the limit of the pool or of the worker */
    uint64_t facts_stale;               /* about a peer or sink that is gone or going */
    uint64_t candidates_taken;
    uint64_t candidates_mdns;           /* `.local`: dropped, the peer's checks find us */
    uint64_t candidates_tcp;
    uint64_t candidates_over_limit;
    uint64_t candidates_late;           /* older than candidates_timeout when the answer came */
    uint64_t candidates_invalid;        /* unparsable, or for another m-line */
    /* event handlers */
    uint64_t notices;
    uint64_t notices_dropped;           /* the events actor does not keep up: EVENTS_WINDOW */
    /* recordings */
    uint64_t records_started;
    uint64_t records_refused;           /* a codec or name that can't be, or at the limit */
    uint64_t records_failed;            /* their file could not be opened, or written on */
    uint64_t records_gaps;              /* times that frames were left out because a disk did not keep up */
    /* plugins' verbs */
    uint64_t verbs_stale;               /* given a name of something gone */
    uint64_t verbs_refused;             /* no room for a source or sink, or no such m-line */
    uint64_t sdp_refused;               /* a plugin's SDP that could not be merged */
};

struct control_sizes {
    uint32_t clients, sessions, handles, sources, sinks, plains, forwards;
    uint32_t pcs;                       /* closing ones included */
    uint32_t pcs_closing;
    uint32_t ops;                       /* requests that wait */
    uint32_t recordings;
};

bool control_is_accepting(const struct control *control);    /* new sessions */
const struct control_counters *control_counters(const struct control *control);
struct control_sizes control_sizes(const struct control *control);
