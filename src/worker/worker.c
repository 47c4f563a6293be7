/* The worker's turn: orders, lanes, datagrams; then timers, what has to be said, and one flush of everything that is to be
 * sent. Walks: docs/ARCHITECTURE.md. */
#include "worker/worker.h"

#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/mem.h"
#include "media/hold.h"
#include "runtime/log.h"
#include "worker/worker_private.h"

/* Memory comes when objects come, so a limit costs nothing until it is needed. */
const struct worker_limits worker_limits_default = {
    .peers = 8192, .sources = 65536, .sinks = 131072, .mlines = 131072, .packets = 131072, .plains = 8192,
    .forwards = 16384, .handshakes = DTLS_HANDSHAKES_DEFAULT,
};

static bool open_crypto(struct worker *w, char error[DTLS_ERROR_TEXT])
{
    const struct worker_config *config = &w->config;
    w->env.seal = seal_shared_new(config->seal, config->limits.peers * 2 + config->limits.forwards + config->limits.plains);
    if (w->env.seal == NULL) {
        memcpy(error, "no SRTP backend", sizeof("no SRTP backend"));
        return false;
    }
    const struct dtls_shared_config dtls = {
        .identity = config->identity,
        .ciphers = config->dtls_ciphers,
        .accept_selfsigned = config->dtls_accept_selfsigned,
        .mtu = config->dtls_mtu,
        .handshakes_max = config->limits.handshakes,
        .seal = w->env.seal,
    };
    w->env.dtls = dtls_shared_open(&dtls, error);
    return w->env.dtls != NULL;
}

static void wire_env(struct worker *w)
{
    w->env.media = &w->media;
    w->env.sources = &w->sources;
    w->env.sinks = &w->sinks;
    w->env.data_sources = &w->data_sources;
    w->env.data_sinks = &w->data_sinks;
    w->env.touched = &w->touched;
    w->env.rng = &w->rng;
    w->env.bases = w->bases;
    w->env.base_count = w->config.socket_count;
    w->env.settings = (struct peer_settings){
        .no_media_us = w->config.no_media_us,
        .slowlink_threshold = w->config.slowlink_threshold,
        .twcc_period_us = w->config.twcc_period_us,
        .dtls_mtu = w->config.dtls_mtu,
        .hangup_on_failed = w->config.hangup_on_failed,
    };
    stats_wanted(w, w->config.events_mask);
    w->media.hold_us = w->config.hold_us;
    w->media.pads = w->config.pads;
    w->media.relay = relay_ports;
    w->media.relay.owner = w;
}

struct worker *worker_new(struct actor *actor, const struct worker_config *config, char error[DTLS_ERROR_TEXT])
{
    struct worker *w = mem_get_zero(sizeof(*w));
    w->actor = actor;
    w->config = *config;
    if (w->config.limits.peers == 0)
        w->config.limits = worker_limits_default;
    CHECK(config->socket_count <= WORKER_SOCKETS_MAX);
    for (uint32_t i = 0; i < config->socket_count; i++)
        w->bases[i] = config->sockets[i].local;
    rng_init(&w->rng, config->entropy, config->entropy_source);
    rng_bytes(&w->rng, &w->hash_key, sizeof(w->hash_key));
    const struct worker_limits *limits = &w->config.limits;
    media_init(&w->media, &(struct media_limits){limits->sources, limits->sinks, limits->packets});
    slots_init(&w->peers, UINT32_MAX);
    slots_init(&w->sources, UINT32_MAX);
    slots_init(&w->sinks, UINT32_MAX);
    slots_init(&w->plains, UINT32_MAX);
    slots_init(&w->outlets, UINT32_MAX);
    slots_init(&w->data_sources, UINT32_MAX);
    slots_init(&w->data_sinks, UINT32_MAX);
    slots_init(&w->inlets, UINT32_MAX);
    map_init(&w->tuples);
    timerq_init(&w->timers);
    pool_init(&w->bindings, "bindings", sizeof(struct binding), limits->peers * ICE_VERIFIED_MAX);
    pool_init(&w->proxy_pool, "proxies", sizeof(struct proxy), limits->sources);
    pool_init(&w->plain_pool, "plain sockets", sizeof(struct plain), limits->plains);
    pool_init(&w->outlet_pool, "forwards", sizeof(struct outlet), limits->forwards);
    pool_init(&w->data_proxy_pool, "data proxies", sizeof(struct data_proxy), limits->sources);
    pool_init(&w->inlet_pool, "inlets", sizeof(struct inlet), limits->plains * INLETS_PER_PLAIN);
    list_init(&w->touched);
    list_init(&w->data_proxies);
    list_init(&w->proxies);
    w->proxies_at = w->inlets_at = USEC_NEVER;
    record_init(w);
    w->inbox = mem_get(sizeof(*w->inbox));
    w->plain_out = mem_get(sizeof(*w->plain_out));
    w->plain_out->count = 0;
    wire_env(w);
    if (!open_crypto(w, error) || !peer_env_init(&w->env, &(struct peer_limits){limits->peers, limits->mlines, limits->packets})) {
        if (w->env.dtls != NULL && w->env.mac == NULL)
            memcpy(error, "no HMAC-SHA1 in libcrypto", sizeof("no HMAC-SHA1 in libcrypto"));
        dtls_shared_close(w->env.dtls);
        seal_shared_free(w->env.seal);
        mem_put(w->plain_out);
        mem_put(w->inbox);
        mem_put(w);
        return NULL;
    }
    w->env.egress.drain = egress_drain_worker;
    w->env.egress.owner = w;
    return w;
}

static void close_all(struct worker *w, usec_t now, bool notify)
{
    outlets_close(w);
    inlets_close(w);
    plains_close(w);
    record_close_all(w);
    for (uint32_t i = slots_next(&w->peers, 0); i != UINT32_MAX; i = slots_next(&w->peers, i + 1))
        worker_close_peer(w, now, slots_at(&w->peers, i), notify);
    worker_tell_graph(w, now);
    LIST_EACH(it, &w->proxies)
        relay_orphan(w, CONTAINER_OF(it, struct proxy, node)->source);      /* the orphans before were buried just now */
    LIST_EACH(it, &w->data_proxies)
        relay_data_orphan(w, CONTAINER_OF(it, struct data_proxy, node)->source);
    worker_tell_graph(w, now);
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    close_all(worker, 0, false);
    peer_env_fini(&worker->env);
    media_fini(&worker->media);
    dtls_shared_close(worker->env.dtls);
    seal_shared_free(worker->env.seal);
    pool_fini(&worker->bindings);
    pool_fini(&worker->proxy_pool);
    pool_fini(&worker->plain_pool);
    pool_fini(&worker->outlet_pool);
    pool_fini(&worker->data_proxy_pool);
    pool_fini(&worker->inlet_pool);
    pool_fini(&worker->recording_pool);
    map_fini(&worker->tuples);
    timerq_fini(&worker->timers);
    slots_fini(&worker->peers);
    slots_fini(&worker->sources);
    slots_fini(&worker->sinks);
    slots_fini(&worker->plains);
    slots_fini(&worker->outlets);
    slots_fini(&worker->data_sources);
    slots_fini(&worker->data_sinks);
    slots_fini(&worker->inlets);
    for (uint32_t i = 0; i < worker->config.socket_count; i++)
        udp_close(&worker->config.sockets[i]);
    mem_put(worker->plain_out);
    mem_put(worker->inbox);
    mem_put(worker);
}

struct peer *worker_peer(struct worker *w, struct ref ref)
{
    struct peer *peer = slots_get(&w->peers, ref);
    if (peer == NULL)
        w->counters.orders_stale++;
    return peer;
}

void worker_touch(struct worker *w, struct peer *peer)
{
    struct peer_public *face = peer_face(peer);
    if (list_is_empty(&face->touched))
        list_add_tail(&w->touched, &face->touched);
}

static void set_deadlines(struct worker *w, usec_t now)
{
    for (struct list *it; (it = list_pop(&w->touched)) != NULL;) {
        struct peer_public *face = CONTAINER_OF(it, struct peer_public, touched);
        timerq_set(&w->timers, &face->timer, peer_deadline((struct peer *)(void *)face, now));
    }
}

static void on_start(void *owner, usec_t now)
{
    struct worker *w = owner;
    for (uint32_t i = 0; i < w->config.socket_count; i++)
        if (!actor_watch(w->actor, w->config.sockets[i].fd, EPOLLIN, i))
            LOG_ERR(w->actor, "worker %u cannot watch its socket %u", w->config.index, i);
    srflx_start(w, now);
}

/* What an order must at least bring along. */
static size_t order_size(uint16_t type)
{
    switch ((enum worker_message)type) {
    case WORKER_NONE: return 0;
#define X(name, from, answer, payload) case WORKER_##name: return sizeof(payload);
    WORKER_MESSAGES(X)
#undef X
    }
    return 0;
}

static void on_adjust(struct worker *w, const struct worker_adjust_order *order)
{
    w->env.settings.no_media_us = SEC(order->no_media_timer_s);
    w->env.settings.slowlink_threshold = order->slowlink_threshold;
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct worker *w = owner;
    size_t least = order_size(m->type);
    w->now = now;
    if (least == 0 || m->size < least) {
        w->counters.orders_malformed++;
        return;
    }
    w->env.wall_us = actor_wall_us(w->actor);
    switch ((enum worker_message)m->type) {
    case WORKER_NONE: break;
    case WORKER_PEER_OPEN: on_peer_open(w, now, m->payload); break;
    case WORKER_PEER_APPLY: on_peer_apply(w, now, m->payload, m->size); break;
    case WORKER_PEER_CANDIDATE: on_peer_candidate(w, now, m->payload); break;
    case WORKER_PEER_CANDIDATES_END: on_peer_candidates_end(w, now, m->payload); break;
    case WORKER_PEER_CLOSE: on_peer_close(w, now, m->payload); break;
    case WORKER_SINK_ADD: on_sink_add(w, now, m->payload); break;
    case WORKER_SINK_SET: on_sink_set(w, now, m->payload); break;
    case WORKER_SINK_SWITCH: on_sink_switch(w, now, m->payload); break;
    case WORKER_SINK_DEL: on_sink_del(w, now, m->payload); break;
    case WORKER_SOURCE_SET: on_source_set(w, now, m->payload); break;
    case WORKER_SOURCE_CAP: on_source_cap(w, now, m->payload); break;
    case WORKER_SOURCE_LEVELS: on_source_levels(w, now, m->payload); break;
    case WORKER_KEYFRAME_ASK: on_keyframe_ask(w, now, m->payload); break;
    case WORKER_PLAIN_OPEN: on_plain_open(w, now, m->payload, m->op); break;
    case WORKER_PLAIN_CLOSE: on_plain_close(w, now, m->payload); break;
    case WORKER_FORWARD_ADD: on_forward_add(w, now, m->payload); break;
    case WORKER_FORWARD_DEL: on_forward_del(w, now, m->payload); break;
    case WORKER_INLET_OPEN: on_inlet_open(w, now, m->payload); break;
    case WORKER_INLET_CLOSE: on_inlet_close(w, now, m->payload); break;
    case WORKER_RELAY_OPEN: on_relay_open(w, now, m->from, m->payload); break;
    case WORKER_RELAY_CLOSE: on_relay_close(w, now, m->from, m->payload); break;
    case WORKER_RELAY_STATE: on_relay_state(w, now, m->payload); break;
    case WORKER_DATA_SEND: on_data_send(w, now, m->payload, m->size); break;
    case WORKER_DATA_CAST: on_data_cast(w, now, m->payload, m->size); break;
    case WORKER_DATA_CREDIT: on_data_credit(w, now, m->payload); break;
    case WORKER_DATA_SINK_ADD: on_data_sink_add(w, now, m->payload); break;
    case WORKER_DATA_SINK_SET: on_data_sink_set(w, now, m->payload); break;
    case WORKER_RELAY_DATA: on_relay_data(w, now, m->payload, m->size); break;
    case WORKER_RELAY_DATA_DONE: on_relay_data_done(w, now, m->from, m->payload); break;
    case WORKER_RECORD_START: on_record_start(w, now, m); break;
    case WORKER_RECORD_STOP: on_record_stop(w, now, m->payload); break;
    case WORKER_RECORD_WRITTEN: on_record_written(w, now, m->payload); break;
    case WORKER_ADJUST: on_adjust(w, m->payload); break;
    case WORKER_COLLECT: on_collect(w, m->payload, m->op); break;
    case WORKER_EVENTS_WANTED: stats_wanted(w, ((const struct events_wanted *)m->payload)->mask); break;
    }
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct worker *w = owner;
    (void)events;
    w->now = now;
    w->env.wall_us = actor_wall_us(w->actor);
    if (token >= w->config.socket_count) {
        plain_ready(w, now, ref_unpack(token));
        return;
    }
    struct udp *udp = &w->config.sockets[token];
    for (uint32_t taken = 0; taken < DATAGRAMS_PER_TURN; taken += UDP_BATCH) {
        bool more = udp_recv_batch(udp, w->inbox);
        w->counters.datagrams += w->inbox->count;
        for (uint32_t i = 0; i < w->inbox->count; i++)
            demux_packet(w, now, (uint32_t)token, &w->inbox->items[i]);
        while (peer_receive_flush(&w->env, now))
            egress_flush(w, now);
        worker_flush_data(w, now);
        worker_tell_events(w, now);
        if (w->env.egress.count >= EGRESS_FLUSH_AT)
            egress_flush(w, now);
        if (!more)
            break;
    }
}

static void run_timers(struct worker *w, usec_t now)
{
    for (uint32_t i = 0; i < TIMERS_PER_TURN; i++) {
        struct timer *timer = timerq_pop(&w->timers, now);
        if (timer == NULL)
            break;
        struct peer_public *face = CONTAINER_OF(timer, struct peer_public, timer);
        struct peer *peer = (struct peer *)(void *)face;
        peer_timeout(peer, now);
        worker_touch(w, peer);
        if (w->env.egress.count >= EGRESS_FLUSH_AT)
            egress_flush(w, now);
    }
}

static void on_turn(void *owner, usec_t now)
{
    struct worker *w = owner;
    w->now = now;
    w->env.wall_us = actor_wall_us(w->actor);
    hold_timeout(&w->media, now);
    run_timers(w, now);
    srflx_turn(w, now);
    relay_look(w, now);
    worker_flush_data(w, now);
    inlets_look(w, now);
    record_turn(w, now);
    worker_tell_graph(w, now);
    worker_tell_events(w, now);
    set_deadlines(w, now);
    egress_flush(w, now);
    plain_flush(w);
}

static usec_t deadline(void *owner)
{
    struct worker *w = owner;
    usec_t first = usec_min(timerq_next(&w->timers), usec_min(w->proxies_at, w->records_at));
    first = usec_min(first, srflx_deadline(w));
    first = usec_min(first, usec_min(w->inlets_at, hold_deadline(&w->media)));
    return usec_min(first, worker_graph_deadline(w));
}

static void on_stop(void *owner, usec_t now)
{
    struct worker *w = owner;
    close_all(w, now, true);
    egress_flush(w, now);
    for (uint32_t i = 0; i < w->config.socket_count; i++)
        actor_unwatch(w->actor, w->config.sockets[i].fd);
    actor_stop(w->actor);
}

static const char *type_name(uint16_t type)
{
    switch ((enum worker_message)type) {
    case WORKER_NONE: return "none";
#define X(name, from, answer, payload) case WORKER_##name: return #name;
    WORKER_MESSAGES(X)
#undef X
    }
    return "unknown";
}

const struct actor_ops worker_ops = {
    .on_start = on_start,
    .on_message = on_message,
    .on_relay = on_relay,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .deadline = deadline,
    .on_stop = on_stop,
    .type_name = type_name,
    .measure = worker_measure,
};
