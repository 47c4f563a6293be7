/* media/data_source.h - messages of data channels in the media graph: what one data line receives, or its likeness on another
 * worker (a proxy), and who gets it. Nothing is dropped for the sake of order or time as it is with packets: a full receiver
 * makes the source wait, and that waiting ends in the sender's SCTP window. Owner: one worker.
 *
 *   data_source_new -> data_source_input per message; while data_source_waits nothing more should be put in -> data_source_free
 *   data_sink_new, data_sink_set -> data_sink_free
 * The worker drains media.data_freed (sources that may go on) and media.data_orphans (as source_orphan does). */
#pragma once

#include "base/limits.h"
#include "base/slots.h"
#include "media/media.h"

/* Where a data sink sends: a data line of a peer, an RTP forward, a recorder (see media/port.h). */
struct data_port;

struct data_port_ops {
    /* Takes the message, or loses it and counts. True: it is full, its sources should wait until data_port_free. */
    bool (*send)(struct data_port *port, usec_t now, struct view label, bool binary, struct view bytes);
};

struct data_port {
    const struct data_port_ops *ops;
    struct list sinks;                      /* that send through it: data_sink.by_port */
};

struct data_source {
    struct media *media;
    struct ref name;
    void *origin;                           /* the peer's data line; NULL for a proxy */
    bool active;                            /* false: muted */
    bool proxy;
    bool present;                           /* proxies: the home worker has confirmed */
    uint32_t home_worker;                   /* proxies */
    uint32_t owed;                          /* proxies: bytes that the home worker has not been told as done */
    struct list sinks;
    uint32_t sink_count;
    uint32_t holding;                       /* sinks that are waited for */
    uint64_t relay_mask;                    /* workers that get a copy of each message */
    uint64_t relay_waits;                   /* those of them that are waited for */
    uint32_t *relayed;                      /* by worker: sent there, and not done; NULL until there is one */
    struct list freed;                      /* in media.data_freed, or data_orphans */
};

struct data_sink {
    struct list by_source;
    struct list by_port;
    struct media *media;
    struct data_source *source;             /* NULL: silent */
    struct data_port *port;
    struct ref name;
    bool paused;
    bool holds;                             /* its source waits for it */
    uint8_t label_size;
    uint8_t label[DATA_LABEL_MAX];
};

void data_port_init(struct data_port *port, const struct data_port_ops *ops);
/* It is not full any more, or is not to be waited for: whoever waited for it may go on. */
void data_port_free(struct data_port *port);

/* NULL: at the limit. */
struct data_source *data_source_new(struct media *media, struct ref name);
void data_source_free(struct data_source *source);      /* its sinks fall silent */
void data_source_orphan(struct data_source *source);    /* the same at once; the worker frees it at the end of the turn */
bool data_source_put(struct slots *sources, struct data_source *source);    /* as source_put */

void data_source_input(struct data_source *source, usec_t now, bool binary, struct view bytes);
/* Nothing more should be put in; it comes to media.data_freed when that has changed. */
static inline bool data_source_waits(const struct data_source *source)
{
    return source->holding > 0 || source->relay_waits != 0;
}

void data_source_relay_open(struct data_source *source, uint32_t worker);
void data_source_relay_close(struct data_source *source, uint32_t worker);
void data_source_relay_done(struct data_source *source, uint32_t worker, uint32_t bytes);

static inline uint32_t data_cost(size_t size)
{
    return (uint32_t)size + DATA_COST_EXTRA;
}

/* `label`: at most DATA_LABEL_MAX bytes. NULL: at the limit. */
struct data_sink *data_sink_new(struct media *media, struct ref name, struct data_port *port, struct view label);
void data_sink_free(struct data_sink *sink);
void data_sink_set(struct data_sink *sink, struct data_source *source, bool paused);
