/* Data channels: what control sends and takes, and who gets the messages of whom. */
#include "worker/worker_private.h"

_Static_assert(_Alignof(struct data_packet) <= sizeof(uint32_t), "a packet may follow any number of names");

static bool is_whole(struct worker *w, const struct data_packet *packet, size_t size)
{
    const bool whole = size >= sizeof(*packet) && size - sizeof(*packet) >= (size_t)packet->label_size + packet->protocol_size + packet->size;
    w->counters.orders_malformed += !whole;
    return whole;
}

void on_data_send(struct worker *w, usec_t now, const struct data_packet *packet, size_t size)
{
    struct peer *peer = is_whole(w, packet, size) ? worker_peer(w, packet->peer.ref) : NULL;
    if (peer != NULL)
        peer_data_send(peer, now, packet);
}

void on_data_cast(struct worker *w, usec_t now, const struct data_cast *cast, size_t size)
{
    const struct data_packet *packet = data_cast_packet(cast);
    const size_t names = sizeof(*cast) + cast->count * sizeof(cast->peers[0]);
    if (cast->count > DATA_CAST_SIZE || size < names) {
        w->counters.orders_malformed++;
        return;
    }
    if (!is_whole(w, packet, size - names))
        return;
    for (uint32_t i = 0; i < cast->count; i++) {
        struct peer *peer = worker_peer(w, cast->peers[i]);
        if (peer != NULL)
            peer_data_send(peer, now, packet);
    }
}

void on_data_credit(struct worker *w, usec_t now, const struct data_credit *credit)
{
    struct peer *peer = worker_peer(w, credit->peer);
    (void)now;
    if (peer != NULL)
        peer_data_credit(peer, credit->cost);
}

static void set_sink(struct worker *w, usec_t now, struct data_sink *sink, const struct data_sink_set_order *state)
{
    struct data_source *source = ref_is_none(state->source.ref) ? NULL : relay_data_source(w, now, &state->source);
    data_sink_set(sink, source, state->paused);
}

void on_data_sink_add(struct worker *w, usec_t now, const struct data_sink_add_order *order)
{
    struct peer *peer = worker_peer(w, order->peer);
    struct data_port *port = peer == NULL ? NULL : peer_data_port(peer);
    if (port == NULL) {
        w->counters.orders_stale += peer != NULL;
        return;
    }
    struct data_sink *sink = data_sink_new(&w->media, order->state.sink, port, VIEW(order->label, order->label_size));
    if (sink == NULL) {
        w->counters.orders_refused++;
        return;
    }
    if (!slots_put(&w->data_sinks, order->state.sink, sink)) {
        w->counters.orders_malformed++;
        data_sink_free(sink);
        return;
    }
    set_sink(w, now, sink, &order->state);
}

void on_data_sink_set(struct worker *w, usec_t now, const struct data_sink_set_order *order)
{
    struct data_sink *sink = slots_get(&w->data_sinks, order->sink);
    if (sink == NULL)
        w->counters.orders_stale++;
    else
        set_sink(w, now, sink, order);
}

/* Sources that waited go on: the other worker's, which is told; ours, whose SCTP is read again. */
static bool let_go_on(struct worker *w)
{
    bool any = false;
    for (struct list *it; (it = list_pop(&w->media.data_freed)) != NULL;) {
        struct data_source *source = CONTAINER_OF(it, struct data_source, freed);
        if (data_source_waits(source))
            continue;                           /* full again in the meantime */
        any = true;
        if (source->proxy)
            relay_data_pay(w, source);
        else if (source->origin != NULL)
            peer_data_go_on(source);
    }
    return any;
}

/* Each round reads what was held back, which is bounded by windows, so there are few. */
void worker_flush_data(struct worker *w, usec_t now)
{
    do
        while (peer_data_flush(&w->env, now))
            egress_flush(w, now);
    while (let_go_on(w));
}
