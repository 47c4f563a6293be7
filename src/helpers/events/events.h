/* helpers/events/events.h - the events actor: tells event handlers what happens (event-handlers.md). It is made only when
 * `events.broadcast` is on and a handler that is not on `events.disable` is enabled; else nobody produces anything for it.
 *
 *   if (events_wanted_by(&config))                             a handler is enabled
 *       struct events *e = events_new(actor, &config);         opens the handlers, on the main thread, before any thread runs
 *   mask = events_mask(e);                                     control, io and workers begin with it
 *   actor_serve(actor, &events_ops, e); ... joined; events_free(e);
 *
 * Everything that waits is bounded, and dropped and counted beyond: a handler's queue (evhandler.h), the lanes from io and workers, the
 * window of control's notices (msg/events.h). */
#pragma once

#include "helpers/events/evhandler.h"

#define EVENT_HANDLERS_MAX 16u

struct events_handler {
    const struct evhandler_desc *desc;
    struct conf_node *conf;                 /* of its file; NULL: it has none */
};

struct events_config {
    struct events_handler handlers[EVENT_HANDLERS_MAX];
    uint32_t handler_count;
    uint32_t worker_count;
    const char *emitter;                    /* general.server_name */
    bool combine_stats;                     /* events.combine_media_stats */
    void (*entropy)(void *source, uint8_t *out, size_t size);
    void *entropy_source;
};

struct events;

struct events_counters {
    uint64_t notices;                       /* from control and io */
    uint64_t stats;                         /* statistics of a medium */
    uint64_t stats_stale;                   /* of a PeerConnection that is gone, or not known */
    uint64_t malformed;                     /* our own mistake */
};

bool events_wanted_by(const struct events_config *config);
struct events *events_new(struct actor *actor, const struct events_config *config);
void events_free(struct events *events);            /* NULL is fine */
uint16_t events_mask(const struct events *events);  /* of all handlers together */

/* Own thread only, or before and after the threads. */
const struct events_counters *events_counters(const struct events *events);
/* NULL: no such handler. */
const struct evhost_counters *events_handler_counters(const struct events *events, const char *package);

extern const struct actor_ops events_ops;
