/* helpers/events/evhandler.h - what an event handler is, and all that it can ask of its host (event-handlers.md 2, 4).
 *
 * A handler lives on the events actor, and never waits: its sockets are watched by the actor's loop, names are resolved by the dns
 * actor, time is a deadline. What waits to be sent waits in its host's queue, which is bounded: past the limit the oldest event is
 * dropped and counted, and nobody upstream notices. So a handler only takes the next payload when it can send it:
 *
 *   open                          on the main thread, before any thread runs; NULL: not running (it has said why)
 *   start                         on the actor's thread, first of all
 *   on_ready, on_addresses, on_message, turn (at the end of every turn): -> evhost_next, send, evhost_sent or evhost_lost
 *   finish                        in each turn while the server stops, for EVENTS_STOP_US at most
 *   close                         on the main thread, after the threads
 *
 * A new handler: its file in this folder, a row in table.c, its file of configuration in conf/, a test against its real peer. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/json_out.h"
#include "base/rng.h"
#include "msg/events.h"
#include "runtime/actor.h"
#include "runtime/log.h"

#define EVENTS_QUEUED_MAX       20000u                    /* events that wait for one handler ... */
#define EVENTS_QUEUED_BYTES_MAX (32u * 1024u * 1024u)     /* ... and their bytes; beyond either the oldest goes */
#define EVENTS_GROUP_MAX        100u                      /* events of one payload, and about: */
#define EVENTS_GROUP_BYTES_MAX  (1024u * 1024u)
#define EVENTS_STOP_US          SEC(1)                    /* for what waits when the server stops */
#define EVENTS_FD_MAX           UINT32_MAX

struct evhost;

/* One event as handlers see it. Views are valid during the call. */
struct event {
    const char *emitter;
    uint16_t type;                      /* enum event_type */
    uint16_t subtype;
    uint64_t wall_us;
    int64_t session_id, handle_id;
    struct view opaque_id;              /* empty: none */
    struct view body;                   /* compact JSON: the member `event` */
};

const char *event_label(uint16_t type);     /* "sessions": the word of masks and topics */
const char *event_name(uint16_t type);      /* "Sessions" */
/* The members of the envelope, in their order, into an object that the caller has opened. */
void event_write(struct json_out *j, const struct event *event);

/* What a `tweak` may hold beside `events` and `grouping`, which are the host's. */
enum evfield_type { EVFIELD_STRING, EVFIELD_BOOL, EVFIELD_POSITIVE };
struct evfield {
    const char *name;
    enum evfield_type type;
};

#define EVHANDLER_REASON_ROOM 256u

struct evhandler_desc {
    const char *package;                /* "janus.eventhandler.sampleevh" */
    const char *file_name;              /* "libjanus_sampleevh.so": what `events.disable` lists say */
    const char *name;
    const char *description;
    const char *author;
    const char *version_string;
    int version;
    bool groups;                        /* takes `grouping`: a payload may be an array of events */
    bool compact;                       /* does not take `json` */

    /* `general` is the category of its file; it outlives the handler. */
    void *(*open)(struct evhost *host, const struct conf_node *general);
    void (*close)(void *handler);
    void (*start)(void *handler, usec_t now);                                       /* NULL: nothing to do; likewise all below */
    /* The text of one event, whole; NULL: the envelope as it is. */
    void (*write)(void *handler, struct json_out *j, const struct event *event);
    void (*on_ready)(void *handler, usec_t now, int fd, uint32_t events);
    void (*on_addresses)(void *handler, usec_t now, uint32_t tag, const struct dns_answer *answer);
    /* From an actor of the handler's own, where a library must be waited for: EVENTS_SHELL with op.slot = evhost_index. */
    void (*on_message)(void *handler, usec_t now, const struct message *m);
    void (*turn)(void *handler, usec_t now);
    usec_t (*deadline)(const void *handler);
    bool (*finish)(void *handler, usec_t now);                                      /* true: nothing more to send */
    /* A `tweak` whose fields have their types. False: nothing is changed, and `reason` (error 413) says why. */
    const struct evfield *fields;
    uint32_t field_count;
    bool (*tweak)(void *handler, const json_t *request, char reason[EVHANDLER_REASON_ROOM]);
};

/* The static table, in the order of event-handlers.md 4; ends with NULL. */
extern const struct evhandler_desc *const evhandler_table[];

/* ---- the host ------------------------------------------------------------------------------------------------------ */

struct evhost_counters {
    uint64_t events;                    /* that its mask let through */
    uint64_t sent;                      /* events of payloads that were sent */
    uint64_t dropped;                   /* the queue was full, or capped */
    uint64_t lost;                      /* events of payloads that could not be sent */
    uint64_t retries;                   /* of payloads, and of connections */
};

/* One text to send. Init it once with evpayload_init; evhost_next fills it. */
struct evpayload {
    struct buf text;
    uint32_t events;                    /* in it; 0: there is none */
    uint16_t type;                      /* of its only event; 0 with an array */
    uint64_t wall_us;                   /* of its first event */
};

void evpayload_init(struct evpayload *payload);
void evpayload_fini(struct evpayload *payload);

/* False: nothing waits. What it gives is not in the queue any more: `sent` or `lost` says what became of it, and empties it. */
bool evhost_next(struct evhost *host, struct evpayload *payload);
void evhost_sent(struct evhost *host, struct evpayload *payload);
void evhost_lost(struct evhost *host, struct evpayload *payload);
uint32_t evhost_waiting(const struct evhost *host);             /* events */
/* Drops the oldest until `most` are left. */
void evhost_cap(struct evhost *host, uint32_t most);
void evhost_retried(struct evhost *host);

/* By descriptor: on_ready of the handler that watches it. As actor_watch. */
bool evhost_watch(struct evhost *host, int fd, uint32_t events);
void evhost_unwatch(struct evhost *host, int fd);
/* on_addresses follows, with `tag`. False: that is no name. An address is answered too, but not in this call. */
bool evhost_resolve(struct evhost *host, struct view name, uint16_t port, enum net_family family, uint32_t tag);

struct actor *evhost_actor(struct evhost *host);                /* for LOG_*, and messages to an actor of its own */
uint32_t evhost_index(const struct evhost *host);
struct rng *evhost_rng(struct evhost *host);
const char *evhost_emitter(const struct evhost *host);
