/* Orders about sources and sinks, and what they have to say: keyframes wanted, layers changed, m-lines gone. */
#include "media/sink.h"
#include "worker/worker_private.h"

static struct sink *find_sink(struct worker *w, struct ref ref)
{
    struct sink *sink = slots_get(&w->sinks, ref);
    if (sink == NULL)
        w->counters.orders_stale++;
    return sink;
}

static struct source *find_source(struct worker *w, struct ref ref)
{
    struct source *source = slots_get(&w->sources, ref);
    if (source == NULL)
        w->counters.orders_stale++;
    return source;
}

void on_sink_add(struct worker *w, usec_t now, const struct sink_add_order *order)
{
    const uint64_t refused = w->counters.orders_refused;
    struct peer *peer = worker_peer(w, order->peer);
    if (peer == NULL)
        return;
    struct sink *sink = sink_new(&w->media, order->sink, &order->options, now);
    if (sink == NULL) {
        w->counters.orders_refused++;
        worker_tell_hangup(w, order->peer, HANGUP_DTLS_STACK);      /* better told than silent for ever */
        return;
    }
    if (!slots_put(&w->sinks, order->sink, sink)) {
        w->counters.orders_malformed++;
        sink_free(sink);
        return;
    }
    if (!ref_is_none(order->source.ref))
        sink_set_source(sink, relay_source(w, now, &order->source, &order->desc), now);
    if (w->counters.orders_refused != refused)
        worker_tell_hangup(w, order->peer, HANGUP_DTLS_STACK);          /* no room for what comes from another worker */
    if (!peer_attach_sink(peer, now, order->mindex, sink)) {
        w->counters.orders_stale++;
        slots_del(&w->sinks, order->sink);
        sink_free(sink);
    }
}

void on_sink_set(struct worker *w, usec_t now, const struct sink_set_order *order)
{
    struct sink *sink = find_sink(w, order->sink);
    if (sink != NULL)
        sink_set_options(sink, &order->options, now);
}

void on_sink_switch(struct worker *w, usec_t now, const struct sink_switch_order *order)
{
    struct sink *sink = find_sink(w, order->sink);
    if (sink == NULL)
        return;
    struct source *source = ref_is_none(order->source.ref) ? NULL : relay_source(w, now, &order->source, &order->desc);
    sink_set_source(sink, source, now);
    if (source != NULL && sink->port != NULL && sink->port->ops->is_ready(sink->port))
        (void)fanout_replay(source, sink, now);
}

void on_sink_del(struct worker *w, usec_t now, const struct sink_del_order *order)
{
    struct data_sink *data = slots_get(&w->data_sinks, order->sink);
    (void)now;
    if (data != NULL) {
        slots_del(&w->data_sinks, order->sink);
        data_sink_free(data);
        return;
    }
    struct sink *sink = find_sink(w, order->sink);
    if (sink == NULL)
        return;
    slots_del(&w->sinks, order->sink);
    peer_detach_sink(sink);
    sink_free(sink);
}

void on_source_set(struct worker *w, usec_t now, const struct source_set_order *order)
{
    struct data_source *data = slots_get(&w->data_sources, order->source);
    (void)now;
    if (data != NULL) {
        data->active = order->active;
        return;
    }
    struct source *source = find_source(w, order->source);
    if (source != NULL)
        source_set_active(source, order->active);
}

void on_source_cap(struct worker *w, usec_t now, const struct source_cap_order *order)
{
    struct source *source = find_source(w, order->source);
    if (source != NULL && source->origin != NULL)
        peer_set_rate_cap(source, now, &order->cap);
}

void on_source_levels(struct worker *w, usec_t now, const struct source_levels_order *order)
{
    struct source *source = find_source(w, order->source);
    (void)now;
    if (source != NULL)
        levels_set(&source->levels, &order->window);
}

void on_keyframe_ask(struct worker *w, usec_t now, const struct keyframe_ask *order)
{
    struct source *source = find_source(w, order->source);
    (void)now;
    if (source != NULL)
        source_want_keyframe(source);
}

static void tell_layers(struct worker *w)
{
    for (struct list *it; (it = list_pop(&w->media.layers)) != NULL;) {
        const struct sink *sink = CONTAINER_OF(it, struct sink, changed);
        const struct svc_levels levels = sink_levels(sink);
        const struct sink_layer_fact fact = {sink->name, levels.spatial, levels.temporal};
        if (sink->source != NULL && sink->source->desc.kind == MEDIA_VIDEO && !ref_is_none(sink->name))
            actor_send(w->actor, ACTOR_CONTROL, CONTROL_SINK_LAYER, &fact, sizeof(fact));
    }
}

/* One that has changed twice in a turn says what it is now. */
static void tell_talkers(struct worker *w)
{
    for (struct list *it; (it = list_pop(&w->media.talkers)) != NULL;) {
        const struct source *source = CONTAINER_OF(it, struct source, talking);
        const struct source_level_fact fact = {source->name, source->levels.talking, source->levels.average};
        actor_send(w->actor, ACTOR_CONTROL, CONTROL_SOURCE_LEVEL, &fact, sizeof(fact));
    }
}

static void ask_keyframes(struct worker *w, usec_t now)
{
    LIST_EACH(it, &w->media.keyframes) {
        struct source *source = CONTAINER_OF(it, struct source, wanting);
        if (!source_keyframe_due(source, now))
            continue;
        const struct keyframe_ask ask = {source->name};
        if (source->origin != NULL)
            peer_ask_keyframe(source, now);
        else if (source->inlet != NULL)
            inlet_ask_keyframe(source->inlet);
        else
            actor_send(w->actor, (actor_id)(ACTOR_WORKER_0 + source->home_worker), WORKER_KEYFRAME_ASK, &ask, sizeof(ask));
    }
}

static void tell_gone(struct worker *w, struct ref source, uint64_t workers)
{
    const struct relay_state gone = {source, false};
    for (; workers != 0; workers &= workers - 1)
        actor_send(w->actor, (actor_id)(ACTOR_WORKER_0 + __builtin_ctzll(workers)), WORKER_RELAY_STATE, &gone, sizeof(gone));
}

static void bury_orphans(struct worker *w)
{
    for (struct list *it; (it = list_pop(&w->media.data_orphans)) != NULL;) {
        struct data_source *source = CONTAINER_OF(it, struct data_source, freed);
        tell_gone(w, source->name, source->relay_mask);
        if (source->proxy)
            relay_data_forget(w, source);
        data_source_free(source);
    }
    for (struct list *it; (it = list_pop(&w->media.orphans)) != NULL;) {
        struct source *source = CONTAINER_OF(it, struct source, wanting);
        tell_gone(w, source->name, source->relay_mask);
        if (source->proxy)
            relay_forget(w, source);
        source_free(source);
    }
}

void worker_tell_graph(struct worker *w, usec_t now)
{
    bury_orphans(w);
    tell_layers(w);
    tell_talkers(w);
    ask_keyframes(w, now);
}

usec_t worker_graph_deadline(struct worker *w)
{
    usec_t first = USEC_NEVER;
    LIST_EACH(it, &w->media.keyframes)
        first = usec_min(first, source_keyframe_deadline(CONTAINER_OF(it, struct source, wanting)));
    return first;
}
