/* io/io.h - the transport actor: listeners and every client connection (design section 2). Its thread is the only one that
 * touches a client's socket; with control it exchanges messages (msg/io.h, msg/control.h) and nothing else.
 *
 *   struct io *io = io_new(actor, &options);      main thread: reads files, opens the listeners
 *   actor_serve(actor, &io_ops, io); actor_start(actor); ... actor_join(actor);
 *   io_free(io);
 *
 * What goes wrong at start is logged, and only means that this listener isn't there: ask io_listening. */
#pragma once

#include "base/conf.h"
#include "io/client.h"
#include "runtime/actor.h"

/* A broker that another actor speaks with (msg/broker.h). */
struct io_broker_options {
    uint8_t transport;                   /* enum transport_kind; 0: there is none */
    actor_id actor;
    enum json_layout layout;
    bool janus, admin;                   /* which APIs */
    const char *package;                 /* as event handlers are told of it, if `events` */
    bool events;
};
#define IO_BROKERS_MAX 2u

struct io_options {
    const struct conf_node *websockets;  /* janus.transport.websockets; NULL: no such file. Must outlive the io */
    const struct conf_node *http;        /* janus.transport.http; likewise */
    bool admin_guarded;                  /* the Admin API's secret is not one of sample files (security.md); false: it is served to
                                            this machine only */
    const struct conf_node *unix_sockets;   /* janus.transport.pfunix; likewise */
    const char *admin_secret;            /* NULL: none. Must outlive the io, as the next */
    const char *metrics_token;           /* of who may read the numbers from other machines; NULL: nobody */
    const struct conf_node *nanomsg;     /* janus.transport.nanomsg; likewise */
    struct io_broker_options brokers[IO_BROKERS_MAX];
    const char *web_folder;              /* from the command line; NULL: the configuration's */
    uint64_t descriptors;                /* soft limit of the process */
    uint16_t events_mask;                /* what event handlers want (msg/events.h) */
    uint32_t partial_bytes_max, queued_bytes_max;   /* 0: as built (io/limits.h) */
};

struct io_counters {
    uint64_t refused_full;               /* closed at once: max_clients */
    uint64_t refused_address;            /* closed at once: max_clients_per_address */
    uint64_t refused_no_room;            /* closed at once: a pool, or epoll, was full */
    uint64_t accept_failed;              /* clients that went before they were accepted */
    uint64_t accept_paused;              /* no descriptor left */
    uint64_t queues_piled;               /* sessions over HTTP whose events nobody fetched: IO_EVENTS_MAX */
    uint64_t queues_refused;             /* requests that found IO_QUEUES_MAX of them */
    uint64_t packets_cut;                /* longer than a text may be: answered by a 454 */
    uint64_t packets_refused;            /* datagrams of peers with too many requests under way */
    uint64_t datagrams_unnamed;          /* of peers that have no path */
    uint64_t datagrams_lost;             /* nobody had the path any more */
    uint64_t datagram_peers_evicted;     /* IO_DATAGRAM_PEERS_MAX */
    uint64_t stale;                      /* messages for clients that are no longer there */
};

struct io;

struct io *io_new(struct actor *self, const struct io_options *options);
void io_free(struct io *io);             /* after the actor has stopped */

uint32_t io_listening(const struct io *io);
uint32_t io_serves(const struct io *io, uint8_t api);    /* of one API (enum client_api): listeners, and brokers */
bool io_serves_http(const struct io *io);            /* either API */
bool io_serves_websockets(const struct io *io);
bool io_serves_unix(const struct io *io);
bool io_serves_nanomsg(const struct io *io);
/* Where the n-th listener is (its port may have been 0). False: no such, or a unix socket. */
bool io_local(const struct io *io, uint32_t index, struct net_addr *local);

extern const struct actor_ops io_ops;

/* On the actor's own thread. */
const struct io_counters *io_counters(const struct io *io);
const struct client_counters *io_client_counters(const struct io *io);
uint32_t io_client_count(const struct io *io);
