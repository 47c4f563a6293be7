/* io/io_private.h - the actor's state, between io.c, io_listen.c and io_message.c only. */
#pragma once

#include "base/slots.h"
#include "base/tally.h"
#include "io/http_config.h"
#include "io/io.h"
#include "io/limits.h"
#include "io/nanomsg_config.h"
#include "io/scrape.h"
#include "io/unix_config.h"
#include "io/websocket_config.h"
#include "msg/io.h"
#include "msg/io.h"

struct listener {
    int fd;
    const char *name;                    /* for the log: "ws", "admin_https" */
    struct client_origin origin;
    bool datagrams;                      /* nothing is accepted: what comes is texts, of peers that have paths */
    const char *path;                    /* of a Unix socket of packets: its file goes with it; else NULL */
};

/* Clients that are the paths of their sockets (io_packets.c). */
struct datagrams {
    struct map by_path;
    struct list by_use, full;
    struct pool pool;
    struct hash_key key;
    usec_t retry_at;                     /* of those that were full; USEC_NEVER: none was */
};

/* Who has asked for what other actors know (monitor.c). The nodes are the clients'. */
struct monitor {
    struct scrape scrape;
    struct list scraping;
    struct list tailing;                 /* the oldest first */
};

/* The socket of one API (io_nanomsg.c). */
struct io_nanomsg {
    int socket;                          /* -1: none */
    int receive_fd, send_fd;
    bool receive_watched, send_watched;
    struct packets_origin packets;
    struct client_origin origin;
    struct client *client;               /* NULL: none */
};
#define IO_NANOMSG_TOKEN 0x80000000u     /* and a small number; no listener's */

/* One message broker (io_broker.c). */
struct io_broker {
    struct io_broker_options options;
    struct packets_origin packets;
    struct client_origin origins[2];     /* by API; likewise the clients, NULL: none */
    struct client *clients[2];
    struct list waiting;                 /* texts that came while their client had no credit: BROKER_WINDOW at most */
    uint32_t ahead, ahead_bytes;         /* at the actor, not taken yet */
    bool up;
    uint64_t connections, sent;
};

struct io {
    struct actor *self;
    struct websocket_config config;
    struct http_config http;
    struct http_config http_admin;
    struct unix_config unix_sockets;
    struct packets_origin packets[2];    /* of the Unix sockets: the API, the Admin API */
    struct datagrams datagrams;
    struct io_broker brokers[IO_BROKERS_MAX];
    struct nanomsg_config nanomsg;
    struct io_nanomsg nanomsgs[2];       /* by API */
    uint8_t *packet;                     /* IO_TEXT_BYTES_MAX, for the one that is being read; NULL: no Unix sockets */
    struct site site;
    struct tls_shared *tls;
    struct tls_shared *https_tls;
    bool admin_guarded;                  /* by a secret that not everybody knows */
    struct listener listeners[IO_LISTENERS_MAX];
    uint32_t listener_count;
    struct clients clients;
    struct pool client_pool;
    struct slots slots;                  /* ref -> struct client */
    struct timerq timers;
    struct list turn;                    /* clients that something happened to, settled at the end of the turn */
    uint32_t clients_max;
    struct tally per_address;            /* max_clients_per_address */
    uint32_t tls_left;                   /* of IO_TLS_PER_TURN */
    usec_t accept_at;                    /* when listening goes on; USEC_NEVER: it isn't paused */
    usec_t accept_logged_at;
    usec_t stop_at;                      /* USEC_NEVER: not stopping */
    uint16_t events_mask;                /* what event handlers want (msg/events.h) */
    struct io_counters counters;
    struct monitor monitor;
    uint8_t in[IO_READ_BYTES];
};

/* A listener's token is its index: its upper half is 0, which no client's generation is. */
static inline uint64_t listener_token(uint32_t index)
{
    return index;
}

/* --- io.c */
void io_touch(struct io *io, struct client *c);
void io_deliver(struct io *io, struct client *c, usec_t now);
/* A client, whose descriptor isn't watched yet (-1: it has none). NULL: no room for it, counted. */
struct client *io_add(struct io *io, int fd, const struct client_origin *origin, const struct net_addr *addr, usec_t now);
void io_take(struct io *io, int fd, const struct listener *listener, const struct net_addr *addr, usec_t now);

/* --- io_listen.c */
void io_listen_open(struct io *io);
void io_listen_close(struct io *io);
void io_listen_watch(struct io *io);
void io_listen_accept(struct io *io, uint32_t index, usec_t now);
void io_listen_timeout(struct io *io, usec_t now);
void io_listen_renew(struct io *io, const struct io_certificate *certificate, const uint8_t *texts);

/* --- monitor.c */
void io_monitor_init(struct io *io);
void io_monitor_fini(struct io *io);
void io_monitor_turn(struct io *io, usec_t now);
usec_t io_monitor_deadline(const struct io *io);
void io_monitor_measured(struct io *io, usec_t now, const struct message *m);
void io_monitor_lines(struct io *io, usec_t now, const struct message *m);

/* --- measure.c */
void io_measure(void *owner, usec_t now, struct metrics *out);

/* --- io_packets.c */
void io_packets_open(struct io *io);
void io_packets_fini(struct io *io);
void io_packets_read(struct io *io, struct client *c, usec_t now);
void io_packets_receive(struct io *io, const struct listener *l, usec_t now);
void io_packets_write(struct io *io, struct client *c, usec_t now);
void io_packets_timeout(struct io *io, usec_t now);
void io_packets_drop(struct io *io, struct client *c);

/* --- io_notify.c: what event handlers are told; once a turn, and at the end */
void io_notify(struct io *io, struct client *c);
void io_notify_broker(struct io *io, const struct client *c, bool up);
void io_notify_gone(struct io *io, const struct client *c);

/* --- io_nanomsg.c */
void io_nanomsg_open(struct io *io);
void io_nanomsg_fini(struct io *io);
void io_nanomsg_start(struct io *io, usec_t now);
void io_nanomsg_ready(struct io *io, usec_t now, uint64_t token);
void io_nanomsg_write(struct io *io, struct client *c, usec_t now);
void io_nanomsg_renew(struct io *io, struct client *c);
void io_nanomsg_drop(struct io *io, struct client *c);
uint32_t io_nanomsg_serves(const struct io *io, uint8_t api);

/* --- io_broker.c */
void io_broker_init(struct io *io, const struct io_broker_options *options);
void io_broker_fini(struct io *io);
void io_broker_start(struct io *io, usec_t now);
void io_broker_drop(struct client *c);
void io_broker_write(struct io *io, struct client *c, usec_t now);
void io_broker_resume(struct io *io, struct io_broker *b, usec_t now);
void io_broker_text(struct io *io, usec_t now, const struct message *m);
void io_broker_taken(struct io *io, const struct io_broker_taken *news);
void io_broker_state(struct io *io, const struct io_broker_state *news);

/* --- io_query.c */
void io_on_query(struct io *io, actor_id from, struct ref op, const struct io_query *query);

/* --- io_message.c: all that knows what the messages look like */
void io_on_message(void *owner, usec_t now, const struct message *m);
const char *io_type_name(uint16_t type);
void io_tell_request(struct io *io, struct client *c, usec_t now, struct view text);
void io_tell_gone(struct io *io, struct ref owner);
/* The queue that was made for its request, unless that has given it a session. */
void io_settle_ask(struct io *io, struct client_ask *ask);
