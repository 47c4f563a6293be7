#include "control/graph.h"

#include "base/mem.h"
#include "control/data.h"
#include "control/handle.h"
#include "control/order.h"
#include "control/plain.h"
#include "control/record.h"

struct source *graph_source(const struct control *c, struct ref ref)
{
    struct source *source = slots_get(&c->source_names, ref);
    return source == NULL || (source->pc != NULL && source->pc->state == PC_CLOSING) ? NULL : source;
}

uint32_t source_worker(const struct source *source)
{
    return source->pc == NULL ? source->worker : source->pc->peer.worker;
}

struct sink *graph_sink(const struct control *c, struct ref ref)
{
    return slots_get(&c->sink_names, ref);
}

/* Makes room up to `mindex`; the caller knows that the description has that line. */
static struct pc_line *line_at(struct pc *pc, uint16_t mindex)
{
    if (mindex >= pc->line_count) {
        uint32_t count = mindex + 1u;
        pc->lines = mem_resize(pc->lines, count * sizeof(*pc->lines));
        memset(pc->lines + pc->line_count, 0, (count - pc->line_count) * sizeof(*pc->lines));
        pc->line_count = count;
    }
    return &pc->lines[mindex];
}

/* -- sources ----------------------------------------------------------------------------------------------------------- */

static void end_feeds(struct control *c, struct source *source)
{
    forwards_end(c, source);
    recordings_end(c, source);
    LIST_EACH(it, &source->sinks) {
        struct sink *sink = CONTAINER_OF(it, struct sink, in_source);
        list_del(it);
        sink->source = NULL;
        order_sink_switch(c, sink);
    }
}

static void source_free(struct control *c, struct source *source)
{
    forwards_end(c, source);
    slots_del(&c->source_names, source->ref);
    pool_put(&c->sources, source);
}

/* There is no room for a name. A PeerConnection that would go on without one of its lines is ended instead: better told than
 * silent for ever. */
static void starve(struct control *c, const struct pc *pc)
{
    c->counters.verbs_refused++;
    if (pc != NULL)
        handle_wish_pc_closed(c, pc->handle);
}

static struct source *source_make(struct control *c, struct pc *pc, uint16_t mindex, const struct source_desc *desc)
{
    struct source *source = pool_get(&c->sources);
    if (source == NULL) {
        starve(c, pc);
        return NULL;
    }
    source->ref = slots_add(&c->source_names, source);
    CHECK(!ref_is_none(source->ref));           /* the pool has the same limit */
    source->pc = pc;
    source->mindex = mindex;
    source->active = true;
    source->desc = *desc;
    list_init(&source->sinks);
    list_init(&source->forwards);
    list_init(&source->recordings);
    return source;
}

static bool same_desc(const struct source_desc *a, const struct source_desc *b)
{
    return a->kind == b->kind && a->codec == b->codec && a->layer_count == b->layer_count && a->opaque == b->opaque &&
           a->clock_hz == b->clock_hz;
}

void graph_set_source(struct control *c, struct pc *pc, uint16_t mindex, const struct source_desc *desc)
{
    struct pc_line *line = line_at(pc, mindex);
    if (line->source != NULL) {
        if (desc != NULL && same_desc(&line->source->desc, desc))
            return;
        end_feeds(c, line->source);
        source_free(c, line->source);
        line->source = NULL;
    }
    if (desc != NULL)
        line->source = source_make(c, pc, mindex, desc);
}

struct source *graph_add_inlet(struct control *c, struct host *host, uint32_t worker, const struct inlet_options *options)
{
    struct source *source = source_make(c, NULL, 0, &options->desc);
    if (source == NULL)
        return NULL;
    source->worker = worker;
    source->host = host;
    order_inlet_open(c, source, options);
    return source;
}

void graph_del_inlet(struct control *c, struct source *source)
{
    end_feeds(c, source);
    order_inlet_close(c, source);
    source_free(c, source);
}

/* -- sinks ------------------------------------------------------------------------------------------------------------- */

static void feed(struct sink *sink, struct source *source)
{
    list_del(&sink->in_source);
    sink->source = source;
    if (source != NULL)
        list_add_tail(&source->sinks, &sink->in_source);
}

struct sink *graph_add_sink(struct control *c, struct source *source, struct pc *pc, uint16_t mindex, const struct sink_options *options)
{
    const struct local_description *local = pc->negotiation.local;
    if (local == NULL || mindex >= local->mline_count || local->mlines[mindex].kind == SDP_APPLICATION) {
        c->counters.verbs_refused++;
        return NULL;
    }
    struct pc_line *line = line_at(pc, mindex);
    if (line->sink != NULL)
        graph_del_sink(c, line->sink);
    struct sink *sink = pool_get(&c->sinks);
    if (sink == NULL) {
        starve(c, pc);
        return NULL;
    }
    sink->ref = slots_add(&c->sink_names, sink);
    CHECK(!ref_is_none(sink->ref));             /* the pool has the same limit */
    sink->pc = pc;
    sink->mindex = mindex;
    list_init(&sink->in_source);
    feed(sink, source);
    line->sink = sink;
    order_sink_add(c, sink, options);
    return sink;
}

void graph_switch_sink(struct control *c, struct sink *sink, struct source *source)
{
    if (sink->source == source)
        return;
    feed(sink, source);
    order_sink_switch(c, sink);
}

struct sink *graph_add_data_sink(struct control *c, struct source *source, struct pc *pc, struct view label, bool paused)
{
    if (data_line(pc) == NULL) {
        c->counters.verbs_refused++;
        return NULL;
    }
    struct sink *sink = pool_get(&c->sinks);
    if (sink == NULL) {
        starve(c, pc);
        return NULL;
    }
    sink->ref = slots_add(&c->sink_names, sink);
    CHECK(!ref_is_none(sink->ref));             /* the pool has the same limit */
    sink->pc = pc;
    sink->data = true;
    sink->paused = paused;
    list_init(&sink->in_source);
    list_add_tail(&pc->data.sinks, &sink->in_pc);
    feed(sink, source);
    order_data_sink_add(c, sink, label);
    return sink;
}

void graph_del_sink(struct control *c, struct sink *sink)
{
    order_sink_del(c, sink);
    if (sink->data)
        list_del(&sink->in_pc);
    else
        sink->pc->lines[sink->mindex].sink = NULL;
    list_del(&sink->in_source);
    slots_del(&c->sink_names, sink->ref);
    pool_put(&c->sinks, sink);
}

/* -- the end of a PeerConnection ----------------------------------------------------------------------------------------- */

void graph_silence(struct control *c, struct pc *pc)
{
    LIST_EACH(it, &pc->data.sinks)
        graph_del_sink(c, CONTAINER_OF(it, struct sink, in_pc));
    for (uint32_t i = 0; i < pc->line_count; i++)
        if (pc->lines[i].sink != NULL)
            graph_del_sink(c, pc->lines[i].sink);
    for (uint32_t i = 0; i < pc->line_count; i++)
        if (pc->lines[i].source != NULL)
            end_feeds(c, pc->lines[i].source);
}

void graph_drop(struct control *c, struct pc *pc)
{
    for (uint32_t i = 0; i < pc->line_count; i++)
        if (pc->lines[i].source != NULL)
            source_free(c, pc->lines[i].source);
    mem_put(pc->lines);
    pc->lines = NULL;
    pc->line_count = 0;
}
