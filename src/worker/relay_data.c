/* Data messages between workers (compare relay.c): one copy per worker that has sinks for a source. They travel as messages and
 * are never dropped: the home worker has at most DATA_RELAY_WINDOW under way for each, and its source waits then. A proxy
 * tells what it is done with, which is later when one of its own receivers is full. */
#include "worker/worker_private.h"

_Static_assert(offsetof(struct relay_data, bytes) == sizeof(struct relay_data), "head and bytes are sent as two parts");

void relay_data_push(void *owner, uint32_t worker, struct ref source, bool binary, struct view bytes)
{
    struct worker *w = owner;
    const struct relay_data head = {.source = source, .size = (uint32_t)bytes.size, .binary = binary};
    actor_send_parts(w->actor, (actor_id)(ACTOR_WORKER_0 + worker), WORKER_RELAY_DATA, REF_NONE, VIEW(&head, sizeof(head)), bytes);
}

static actor_id home_of(const struct data_source *proxy)
{
    return (actor_id)(ACTOR_WORKER_0 + proxy->home_worker);
}

static void ask(struct worker *w, usec_t now, struct data_proxy *proxy, bool open)
{
    const struct relay_order order = {proxy->source->name};
    proxy->asked_at = now;
    actor_send(w->actor, home_of(proxy->source), open ? WORKER_RELAY_OPEN : WORKER_RELAY_CLOSE, &order, sizeof(order));
}

static struct data_source *make_proxy(struct worker *w, usec_t now, const struct source_name *name)
{
    struct data_proxy *proxy = pool_get(&w->data_proxy_pool);
    struct data_source *source = proxy == NULL ? NULL : data_source_new(&w->media, name->ref);
    if (source == NULL || !data_source_put(&w->data_sources, source)) {
        w->counters.orders_refused++;
        if (source != NULL)
            data_source_free(source);
        pool_put(&w->data_proxy_pool, proxy);
        return NULL;
    }
    source->proxy = true;
    source->home_worker = name->worker;
    proxy->source = source;
    list_add_tail(&w->data_proxies, &proxy->node);
    ask(w, now, proxy, true);
    w->proxies_at = usec_min(w->proxies_at, now + PROXY_RETRY_US);
    return source;
}

/* The source itself, or its proxy, made when needed. NULL: it is gone, or no room. */
struct data_source *relay_data_source(struct worker *w, usec_t now, const struct source_name *name)
{
    struct data_source *source = slots_get(&w->data_sources, name->ref);
    if (source != NULL)
        return source;
    if (name->worker == w->config.index) {
        w->counters.orders_stale++;
        return NULL;
    }
    return make_proxy(w, now, name);
}

void on_relay_data(struct worker *w, usec_t now, const struct relay_data *order, size_t size)
{
    struct data_source *proxy = slots_get(&w->data_sources, order->source);
    if (size < sizeof(*order) + order->size) {
        w->counters.orders_malformed++;
        return;
    }
    w->counters.relay_in++;
    if (proxy == NULL || !proxy->proxy) {
        w->counters.relay_unknown++;            /* let go meanwhile: RELAY_CLOSE is on its way, and ends the waiting */
        return;
    }
    data_source_input(proxy, now, order->binary, VIEW(order->bytes, order->size));
    proxy->owed += data_cost(order->size);
    if (!data_source_waits(proxy))
        relay_data_pay(w, proxy);
}

void relay_data_pay(struct worker *w, struct data_source *proxy)
{
    const struct relay_data_done done = {proxy->name, proxy->owed};
    if (proxy->owed == 0)
        return;
    proxy->owed = 0;
    actor_send(w->actor, home_of(proxy), WORKER_RELAY_DATA_DONE, &done, sizeof(done));
}

void on_relay_data_done(struct worker *w, usec_t now, actor_id from, const struct relay_data_done *order)
{
    struct data_source *source = slots_get(&w->data_sources, order->source);
    (void)now;
    if (source != NULL && !source->proxy)
        data_source_relay_done(source, (uint32_t)from - ACTOR_WORKER_0, order->cost);
}

void relay_data_state(struct worker *w, struct data_source *source, bool present)
{
    if (present)
        source->present = true;
    else if (source->present)
        relay_data_orphan(w, source);           /* it was there, and has gone */
}

void relay_data_orphan(struct worker *w, struct data_source *source)
{
    slots_del(&w->data_sources, source->name);
    data_source_orphan(source);
}

void relay_data_forget(struct worker *w, const struct data_source *source)
{
    LIST_EACH(it, &w->data_proxies) {
        struct data_proxy *proxy = CONTAINER_OF(it, struct data_proxy, node);
        if (proxy->source != source)
            continue;
        list_del(it);
        pool_put(&w->data_proxy_pool, proxy);
        return;
    }
}

/* As relay_look, which calls it. */
void relay_data_look(struct worker *w, usec_t now)
{
    LIST_EACH(it, &w->data_proxies) {
        struct data_proxy *proxy = CONTAINER_OF(it, struct data_proxy, node);
        struct data_source *source = proxy->source;
        if (slots_get(&w->data_sources, source->name) != source)
            continue;                           /* orphaned: buried at the end of this turn */
        if (source->sink_count == 0) {
            ask(w, now, proxy, false);
            relay_data_orphan(w, source);
        } else if (!source->present && now - proxy->asked_at >= PROXY_RETRY_US) {
            ask(w, now, proxy, true);
        }
    }
}
