#include "media/data_source.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define WORKERS_MAX 64u                     /* bits of relay_mask */

/* ---- waiting, and its end ---- */

static void tell_freed(struct data_source *source)
{
    if (!data_source_waits(source) && list_is_empty(&source->freed))
        list_add_tail(&source->media->data_freed, &source->freed);
}

static void release(struct data_sink *sink)
{
    if (!sink->holds)
        return;
    sink->holds = false;
    CHECK(sink->source->holding > 0);
    sink->source->holding--;
    tell_freed(sink->source);
}

void data_port_init(struct data_port *port, const struct data_port_ops *ops)
{
    port->ops = ops;
    list_init(&port->sinks);
}

void data_port_free(struct data_port *port)
{
    LIST_EACH(it, &port->sinks)
        release(CONTAINER_OF(it, struct data_sink, by_port));
}

/* ---- sources ---- */

struct data_source *data_source_new(struct media *media, struct ref name)
{
    struct data_source *source = pool_get(&media->data_sources);
    if (source == NULL)
        return NULL;
    source->media = media;
    source->name = name;
    source->active = true;
    list_init(&source->sinks);
    list_init(&source->freed);
    return source;
}

static void let_sinks_go(struct data_source *source)
{
    LIST_EACH(it, &source->sinks) {
        struct data_sink *sink = CONTAINER_OF(it, struct data_sink, by_source);
        data_sink_set(sink, NULL, sink->paused);
    }
    CHECK(source->sink_count == 0 && source->holding == 0);
}

void data_source_orphan(struct data_source *source)
{
    let_sinks_go(source);
    source->origin = NULL;
    list_del(&source->freed);
    list_add_tail(&source->media->data_orphans, &source->freed);
}

void data_source_free(struct data_source *source)
{
    let_sinks_go(source);
    list_del(&source->freed);
    mem_put(source->relayed);
    pool_put(&source->media->data_sources, source);
}

bool data_source_put(struct slots *sources, struct data_source *source)
{
    if (slots_put(sources, source->name, source))
        return true;
    struct data_source *older = slots_at(sources, source->name.slot);
    if (older == NULL)
        return false;
    slots_del(sources, older->name);
    data_source_orphan(older);
    return slots_put(sources, source->name, source);
}

static void send_local(struct data_source *source, usec_t now, bool binary, struct view bytes)
{
    LIST_EACH(it, &source->sinks) {
        struct data_sink *sink = CONTAINER_OF(it, struct data_sink, by_source);
        if (sink->paused)
            continue;
        if (sink->port->ops->send(sink->port, now, VIEW(sink->label, sink->label_size), binary, bytes) && !sink->holds) {
            sink->holds = true;
            source->holding++;
        }
    }
}

static void send_relayed(struct data_source *source, bool binary, struct view bytes)
{
    const struct media_relay *relay = &source->media->relay;
    for (uint64_t workers = source->relay_mask; workers != 0; workers &= workers - 1) {
        const uint32_t worker = (uint32_t)__builtin_ctzll(workers);
        relay->data(relay->owner, worker, source->name, binary, bytes);
        source->relayed[worker] += data_cost(bytes.size);
        if (source->relayed[worker] >= DATA_RELAY_WINDOW)
            source->relay_waits |= 1ull << worker;
    }
}

void data_source_input(struct data_source *source, usec_t now, bool binary, struct view bytes)
{
    source->media->counters.data_in++;
    if (!source->active) {
        source->media->counters.data_dropped_inactive++;
        return;
    }
    send_local(source, now, binary, bytes);
    send_relayed(source, binary, bytes);
}

void data_source_relay_open(struct data_source *source, uint32_t worker)
{
    CHECK(worker < WORKERS_MAX);
    if (source->relayed == NULL)
        source->relayed = mem_get_zero(WORKERS_MAX * sizeof(*source->relayed));
    source->relay_mask |= 1ull << worker;
}

void data_source_relay_close(struct data_source *source, uint32_t worker)
{
    const bool waited = data_source_waits(source);
    source->relay_mask &= ~(1ull << worker);
    source->relay_waits &= ~(1ull << worker);
    if (source->relayed != NULL)
        source->relayed[worker] = 0;
    if (waited)
        tell_freed(source);
}

void data_source_relay_done(struct data_source *source, uint32_t worker, uint32_t bytes)
{
    if ((source->relay_mask & 1ull << worker) == 0)
        return;                             /* closed meanwhile: nothing is waited for there */
    uint32_t *left = &source->relayed[worker];
    *left -= bytes < *left ? bytes : *left;
    if ((source->relay_waits & 1ull << worker) == 0 || *left > DATA_RELAY_WINDOW / 2)
        return;
    source->relay_waits &= ~(1ull << worker);
    tell_freed(source);
}

/* ---- sinks ---- */

struct data_sink *data_sink_new(struct media *media, struct ref name, struct data_port *port, struct view label)
{
    CHECK(label.size <= DATA_LABEL_MAX);
    struct data_sink *sink = pool_get(&media->data_sinks);
    if (sink == NULL)
        return NULL;
    sink->media = media;
    sink->name = name;
    sink->port = port;
    sink->label_size = (uint8_t)label.size;
    if (label.size > 0)
        memcpy(sink->label, label.data, label.size);
    list_init(&sink->by_source);
    list_add_tail(&port->sinks, &sink->by_port);
    return sink;
}

void data_sink_set(struct data_sink *sink, struct data_source *source, bool paused)
{
    if (paused || sink->source != source)
        release(sink);
    sink->paused = paused;
    if (sink->source == source)
        return;
    if (sink->source != NULL) {
        list_del(&sink->by_source);
        sink->source->sink_count--;
    }
    sink->source = source;
    if (source != NULL) {
        list_add_tail(&source->sinks, &sink->by_source);
        source->sink_count++;
    }
}

void data_sink_free(struct data_sink *sink)
{
    data_sink_set(sink, NULL, true);
    list_del(&sink->by_port);
    pool_put(&sink->media->data_sinks, sink);
}
