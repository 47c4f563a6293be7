/* helpers/events/evhost.h - one handler's place on the events actor: what it wants, what waits for it. Internal to this folder;
 * handlers see evhandler.h. Owner: the events actor. */
#pragma once

#include "base/list.h"
#include "helpers/events/evhandler.h"

struct events;

struct evhost {
    struct events *events;
    struct actor *actor;
    struct rng *rng;
    const char *emitter;
    const struct evhandler_desc *desc;
    void *handler;                      /* NULL: not running */
    uint32_t index;
    uint16_t mask;
    bool grouping;
    enum json_layout layout;
    struct list queue;                  /* struct queued */
    uint32_t queued;
    size_t queued_bytes;
    bool full;                          /* said in the log */
    struct buf scratch;
    struct evhost_counters counters;
};

/* `events`, `actor`, `rng`, `emitter`, `desc` and `index` are set. `general`: NULL without one. */
void evhost_open(struct evhost *host, const struct conf_node *general);
void evhost_close(struct evhost *host);

/* One that its mask lets through. */
void evhost_take(struct evhost *host, const struct event *event);

/* A `query_eventhandler`: its answer is appended to `out`, as compact JSON. Changes of the mask are the caller's to tell. */
void evhost_query(struct evhost *host, struct view request, struct buf *out);
