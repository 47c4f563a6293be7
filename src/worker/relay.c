/* Media between workers: the source's worker sends one copy of each packet per worker that has sinks for it; there a proxy,
 * a source like any other, fans it out. Keyframe asks walk back by message (design section 5).
 *
 * RELAY_OPEN may overtake the source's own creation, so the proxy asks again until it is answered "present"; a proxy
 * without sinks says RELAY_CLOSE and goes. */
#include <string.h>

#include "base/check.h"
#include "worker/worker_private.h"

enum relay_kind { RELAY_KIND_PACKET, RELAY_KIND_REPORT };

/* A record of the MEDIA lane: this, then descriptor_size bytes of dependency descriptor, then the payload. */
struct relay_head {
    struct ref source;
    uint8_t kind;                   /* enum relay_kind */
    uint8_t layer;
    uint8_t epoch;
    bool marker;
    bool red;
    uint16_t seq;
    uint16_t descriptor_size;
    uint32_t ts;
    uint64_t wall_us;               /* REPORT */
    struct rtp_ext_values ext;      /* its view means nothing here */
};

static void push_packet(void *owner, uint32_t worker, struct ref source, const struct media_packet *packet)
{
    struct worker *w = owner;
    struct {
        struct relay_head head;
        uint8_t descriptor[RTP_EXT_DESCRIPTOR_MAX];
    } record;
    const struct view descriptor = packet->ext.dependency_descriptor;
    record.head = (struct relay_head){
        .source = source,
        .kind = RELAY_KIND_PACKET,
        .layer = packet->layer,
        .epoch = packet->epoch,
        .marker = packet->marker,
        .red = packet->red,
        .seq = packet->seq,
        .ts = packet->ts,
        .ext = packet->ext,
    };
    if ((packet->ext.has & RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR) != 0 && descriptor.size <= sizeof(record.descriptor)) {
        record.head.descriptor_size = (uint16_t)descriptor.size;
        memcpy((uint8_t *)&record + sizeof(record.head), descriptor.data, descriptor.size);
    }
    /* A full lane drops and counts: the far side sees a hole and asks for a keyframe. */
    (void)relay_push(w->actor, (actor_id)(ACTOR_WORKER_0 + worker), VIEW(&record, sizeof(record.head) + record.head.descriptor_size),
                     (struct view){packet->payload, packet->payload_size});
}

static void push_report(void *owner, uint32_t worker, struct ref source, uint8_t layer, uint64_t wall_us, uint32_t ts)
{
    struct worker *w = owner;
    const struct relay_head head = {.source = source, .kind = RELAY_KIND_REPORT, .layer = layer, .wall_us = wall_us, .ts = ts};
    (void)relay_push(w->actor, (actor_id)(ACTOR_WORKER_0 + worker), VIEW(&head, sizeof(head)), VIEW(NULL, 0));
}

const struct media_relay relay_ports = {.packet = push_packet, .report = push_report, .data = relay_data_push};

static void proxy_packet(struct source *proxy, usec_t now, const struct relay_head *head, struct view descriptor, struct view payload)
{
    struct source_layer *layer = &proxy->layers[head->layer];
    struct media_packet packet = {
        .arrived = now,
        .ts = head->ts,
        .seq = head->seq,
        .layer = head->layer,
        .marker = head->marker,
        .red = head->red,
        .payload = payload.data,
        .payload_size = (uint16_t)payload.size,
        .ext = head->ext,
    };
    packet.ext.dependency_descriptor = descriptor;
    /* Epochs here are the home worker's own: a proxy that missed one change still ends up with the right number. */
    bool renumbered = head->epoch != layer->epoch;
    if (renumbered)
        layer->epoch = layer->started ? (uint8_t)(head->epoch - 1) : head->epoch;
    source_input(proxy, &packet, renumbered);
}

void on_relay(void *owner, usec_t now, actor_id from, struct view record)
{
    struct worker *w = owner;
    struct relay_head head;
    (void)from;
    w->now = now;
    CHECK(record.size >= sizeof(head));
    memcpy(&head, record.data, sizeof(head));
    w->counters.relay_in++;
    struct source *proxy = slots_get(&w->sources, head.source);
    if (proxy == NULL || !proxy->proxy) {
        w->counters.relay_unknown++;
        return;
    }
    w->env.wall_us = actor_wall_us(w->actor);
    if (head.kind == RELAY_KIND_REPORT) {
        source_report(proxy, head.layer, now, head.wall_us, head.ts);
        return;
    }
    CHECK(record.size >= sizeof(head) + head.descriptor_size);
    CHECK(head.layer < LAYERS_MAX);
    struct view descriptor = {record.data + sizeof(head), head.descriptor_size};
    size_t before = sizeof(head) + head.descriptor_size;
    proxy_packet(proxy, now, &head, descriptor, (struct view){record.data + before, record.size - before});
    if (w->env.egress.count >= EGRESS_FLUSH_AT)
        egress_flush(w, now);
}

static void ask(struct worker *w, usec_t now, struct proxy *proxy, bool open)
{
    const struct relay_order order = {proxy->source->name};
    proxy->asked_at = now;
    actor_send(w->actor, (actor_id)(ACTOR_WORKER_0 + proxy->source->home_worker), open ? WORKER_RELAY_OPEN : WORKER_RELAY_CLOSE, &order,
               sizeof(order));
}

static struct source *make_proxy(struct worker *w, usec_t now, const struct source_name *name, const struct source_desc *desc)
{
    struct proxy *proxy = pool_get(&w->proxy_pool);
    struct source *source = proxy == NULL ? NULL : source_new(&w->media, name->ref, desc);
    if (source == NULL || !source_put(&w->sources, source)) {
        w->counters.orders_refused++;
        if (source != NULL)
            source_free(source);
        pool_put(&w->proxy_pool, proxy);
        return NULL;
    }
    source->proxy = true;
    source->home_worker = name->worker;
    proxy->source = source;
    list_add_tail(&w->proxies, &proxy->node);
    ask(w, now, proxy, true);
    w->proxies_at = usec_min(w->proxies_at, now + PROXY_RETRY_US);
    return source;
}

/* The source itself when it is received here; its proxy, made when needed, when it is not. NULL: it is gone, or no room. */
struct source *relay_source(struct worker *w, usec_t now, const struct source_name *name, const struct source_desc *desc)
{
    struct source *source = slots_get(&w->sources, name->ref);
    if (source != NULL)
        return source;
    if (name->worker == w->config.index) {
        w->counters.orders_stale++;
        return NULL;
    }
    return make_proxy(w, now, name, desc);
}

void on_relay_open(struct worker *w, usec_t now, actor_id from, const struct relay_order *order)
{
    struct source *source = slots_get(&w->sources, order->source);
    struct data_source *data = slots_get(&w->data_sources, order->source);
    const struct relay_state state = {order->source, data != NULL ? !data->proxy : source != NULL && !source->proxy};
    actor_send(w->actor, from, WORKER_RELAY_STATE, &state, sizeof(state));
    if (!state.present)
        return;
    uint32_t worker = (uint32_t)from - ACTOR_WORKER_0;
    uint64_t bit = 1ull << worker;
    if (data != NULL) {
        data_source_relay_open(data, worker);
        return;
    }
    if ((source->relay_mask & bit) != 0)
        return;
    source->relay_mask |= bit;
    if (!fanout_replay_to_worker(source, worker, now))
        source_want_keyframe(source);
}

void on_relay_close(struct worker *w, usec_t now, actor_id from, const struct relay_order *order)
{
    struct source *source = slots_get(&w->sources, order->source);
    struct data_source *data = slots_get(&w->data_sources, order->source);
    (void)now;
    if (data != NULL)
        data_source_relay_close(data, (uint32_t)from - ACTOR_WORKER_0);
    if (source != NULL)
        source->relay_mask &= ~(1ull << ((uint32_t)from - ACTOR_WORKER_0));
}

void on_relay_state(struct worker *w, usec_t now, const struct relay_state *state)
{
    struct source *source = slots_get(&w->sources, state->source);
    struct data_source *data = slots_get(&w->data_sources, state->source);
    (void)now;
    if (data != NULL && data->proxy)
        relay_data_state(w, data, state->present);
    if (source == NULL || !source->proxy)
        return;
    if (state->present)
        source->present = true;
    else if (source->present)
        relay_orphan(w, source);        /* it was there, and has gone */
}

void relay_orphan(struct worker *w, struct source *source)
{
    slots_del(&w->sources, source->name);
    source_orphan(source);
}

void relay_forget(struct worker *w, const struct source *source)
{
    LIST_EACH(it, &w->proxies) {
        struct proxy *proxy = CONTAINER_OF(it, struct proxy, node);
        if (proxy->source != source)
            continue;
        list_del(it);
        pool_put(&w->proxy_pool, proxy);
        return;
    }
}

/* Ask again where no answer has come, let go what nobody here needs, give back what is old. */
void relay_look(struct worker *w, usec_t now)
{
    if (now < w->proxies_at)
        return;
    relay_data_look(w, now);
    LIST_EACH(it, &w->proxies) {
        struct proxy *proxy = CONTAINER_OF(it, struct proxy, node);
        struct source *source = proxy->source;
        if (slots_get(&w->sources, source->name) != source)
            continue;                   /* orphaned: buried at the end of this turn */
        source_expire(source, now);
        if (source->sink_count == 0) {
            ask(w, now, proxy, false);
            relay_orphan(w, source);
        } else if (!source->present && now - proxy->asked_at >= PROXY_RETRY_US) {
            ask(w, now, proxy, true);
        }
    }
    w->proxies_at = list_is_empty(&w->proxies) && list_is_empty(&w->data_proxies) ? USEC_NEVER : now + PROXY_RETRY_US;
}
