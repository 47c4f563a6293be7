/* control/host_media.c - the verbs of the media graph (plugins/plugin.h). */
#include "control/graph.h"
#include "control/handle.h"
#include "control/order.h"

/* Names of nobody are no mistake: a plugin need not ask whether it has one. */
static void count_stale(struct control *c, struct ref ref)
{
    if (!ref_is_none(ref))
        c->counters.verbs_stale++;
}

static struct source *find_source(struct control *c, struct ref ref)
{
    struct source *source = graph_source(c, ref);
    if (source == NULL)
        count_stale(c, ref);
    return source;
}

static struct sink *find_sink(struct control *c, struct ref ref)
{
    struct sink *sink = graph_sink(c, ref);
    if (sink == NULL)
        count_stale(c, ref);
    return sink;
}

/* The PeerConnection of a handle, NULL when there is none. */
static struct pc *find_pc(struct control *c, struct ref ref)
{
    struct handle *handle = handle_get(c, ref);
    if (handle == NULL)
        count_stale(c, ref);
    return handle == NULL ? NULL : handle->pc;
}

struct ref host_source(struct host *host, struct ref handle, uint16_t mindex)
{
    const struct pc *pc = find_pc(host->control, handle);
    if (pc == NULL || mindex >= pc->line_count || pc->lines[mindex].source == NULL)
        return REF_NONE;
    return pc->lines[mindex].source->ref;
}

bool host_source_desc(struct host *host, struct ref ref, struct source_desc *out)
{
    const struct source *source = find_source(host->control, ref);
    if (source == NULL)
        return false;
    *out = source->desc;
    return true;
}

void host_source_set_active(struct host *host, struct ref ref, bool active)
{
    struct source *source = find_source(host->control, ref);
    if (source == NULL || source->active == active)
        return;
    source->active = active;
    order_source_set(host->control, source);
}

void host_source_rate_cap(struct host *host, struct ref ref, const struct rate_cap *cap)
{
    const struct source *source = find_source(host->control, ref);
    if (source != NULL)
        order_source_cap(host->control, source, cap);
}

void host_source_levels(struct host *host, struct ref ref, const struct level_window *window)
{
    const struct source *source = find_source(host->control, ref);
    if (source != NULL)
        order_source_levels(host->control, source, window);
}

void host_keyframe(struct host *host, struct ref ref)
{
    const struct source *source = find_source(host->control, ref);
    if (source != NULL)
        order_keyframe(host->control, source);
}

struct ref host_sink_add(struct host *host, struct ref source, struct ref handle, uint16_t mindex, const struct sink_options *options)
{
    struct control *c = host->control;
    struct pc *pc = find_pc(c, handle);
    if (pc == NULL) {
        c->counters.verbs_refused++;
        return REF_NONE;
    }
    struct sink *sink = graph_add_sink(c, find_source(c, source), pc, mindex, options);
    return sink == NULL ? REF_NONE : sink->ref;
}

void host_sink_set(struct host *host, struct ref ref, const struct sink_options *options)
{
    struct sink *sink = find_sink(host->control, ref);
    if (sink == NULL)
        return;
    sink->paused = options->paused;
    order_sink_set(host->control, sink, options);
}

void host_sink_switch(struct host *host, struct ref ref, struct ref source)
{
    struct sink *sink = find_sink(host->control, ref);
    if (sink != NULL)
        graph_switch_sink(host->control, sink, find_source(host->control, source));
}

void host_sink_del(struct host *host, struct ref ref)
{
    struct sink *sink = find_sink(host->control, ref);
    if (sink != NULL)
        graph_del_sink(host->control, sink);
}
