/* A PeerConnection's life: opened by control's order, told its negotiated state, ended once, freed when control says so. */
#include "peer/peer.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "peer/peer_private.h"

static void batch_init(struct receive_batch *batch)
{
    batch->count = 0;
    batch->done = 0;
    batch->items = mem_get_zero(RECEIVE_BATCH * sizeof(struct rx_item));
    batch->jobs = mem_get_zero(RECEIVE_BATCH * sizeof(struct seal_job));
}

bool peer_env_init(struct peer_env *env, const struct peer_limits *limits)
{
    env->mac = stun_mac_new();
    if (env->mac == NULL)
        return false;
    pool_init(&env->peers, "peers", sizeof(struct peer), limits->peers);
    pool_init(&env->mlines, "m-lines", sizeof(struct mline), limits->mlines);
    pool_init(&env->agents, "ice agents", ice_size(), limits->peers);
    dtls_pool_init(&env->handshakes, limits->peers);
    pool_init(&env->datas, "data lines", sizeof(struct peer_data), limits->peers);
    pool_init(&env->associations, "SCTP associations", sctp_size(), limits->peers);
    env->sctp.memory_bytes_max = DATA_MEMORY_PER_WORKER;
    list_init(&env->data_dirty);
    pool_init(&env->sealed, "sealed packets", sizeof(struct sealed_packet), limits->sealed);
    egress_batch_init(&env->egress);
    batch_init(&env->receive);
    return true;
}

void peer_env_fini(struct peer_env *env)
{
    for (uint32_t i = 0; i < env->events.count; i++)
        mem_put(env->events.items[i].packet);           /* of peers that were closed with something to say */
    pool_fini(&env->sealed);
    pool_fini(&env->associations);
    pool_fini(&env->datas);
    pool_fini(&env->handshakes);
    pool_fini(&env->agents);
    pool_fini(&env->mlines);
    pool_fini(&env->peers);
    egress_batch_fini(&env->egress);
    mem_put(env->receive.items);
    mem_put(env->receive.jobs);
    mem_put(env->events.items);
    stun_mac_free(env->mac);
}

/* After HANGUP only addresses are still told of. */
static bool is_late(const struct peer *peer, uint8_t kind)
{
    return peer->phase == PEER_ENDED && kind != PEER_EVENT_HANGUP && kind != PEER_EVENT_BIND && kind != PEER_EVENT_CLAIM &&
           kind != PEER_EVENT_UNBIND;
}

void peer_tell(struct peer *peer, const struct peer_event *event)
{
    struct peer_events *events = &peer->env->events;
    if (is_late(peer, event->kind)) {
        mem_put(event->packet);
        return;
    }
    if (events->count == events->size) {
        events->size = events->size == 0 ? 64 : events->size * 2;
        events->items = mem_resize(events->items, events->size * sizeof(*events->items));
    }
    events->items[events->count] = *event;
    events->items[events->count++].peer = peer->face.name;
}

void peer_end(struct peer *peer, enum hangup_reason reason)
{
    if (peer->phase == PEER_ENDED)
        return;
    peer->phase = PEER_ENDED;
    peer->tick_at = USEC_NEVER;
    peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_HANGUP, .reason = (uint8_t)reason});
}

static struct ice *make_agent(struct peer_env *env, const struct peer_open_order *order, usec_t now)
{
    struct ice_config config = {
        .role = order->controlling && !order->lite ? ICE_CONTROLLING : ICE_CONTROLLED,
        .lite = order->lite,
        .nomination = order->nomination_regular ? ICE_NOMINATE_REGULAR : ICE_NOMINATE_AGGRESSIVE,
        .tie_breaker = rng_u64(env->rng),
        .txid_prefix = order->peer.slot,
        .bases = env->bases,
        .base_count = env->base_count,
        .rng = env->rng,
        .mac = env->mac,
        .counters = &env->ice,
    };
    if (env->base_count == 0)
        return NULL;                    /* a machine that has no address: nobody can be connected to */
    if (!str_copy(config.ufrag, sizeof(config.ufrag), str_of(order->local.ufrag)) ||
        !str_copy(config.pwd, sizeof(config.pwd), str_of(order->local.pwd)))
        return NULL;
    return ice_new(&env->agents, &config, now);
}

struct peer *peer_new(struct peer_env *env, const struct peer_open_order *order, usec_t now)
{
    struct peer *peer = pool_get(&env->peers);
    if (peer == NULL)
        return NULL;
    peer->face.name = order->peer;
    list_init(&peer->face.touched);
    list_init(&peer->face.bindings);
    peer->env = env;
    peer->tick_at = USEC_NEVER;
    peer->ice = make_agent(env, order, now);
    if (peer->ice == NULL) {
        pool_put(&env->peers, peer);
        return NULL;
    }
    return peer;
}

void peer_free(struct peer *peer)
{
    struct peer_env *env = peer->env;
    CHECK(env->receive.count == 0);
    CHECK(!timer_is_running(&peer->face.timer));
    CHECK(list_is_empty(&peer->face.bindings));
    list_del(&peer->face.touched);
    peer_data_free(peer);
    for (uint16_t i = 0; i < peer->mline_count; i++)
        mline_free(peer->mlines[i]);
    mem_put(peer->mlines);
    mem_put(peer->twcc);
    dtls_free(peer->dtls);
    ice_free(peer->ice);
    seal_keys_free(peer->keys_in);
    seal_keys_free(peer->keys_out);
    pool_put(&env->peers, peer);
}

struct mline *peer_mline(const struct peer *peer, uint16_t mindex)
{
    return mindex < peer->mline_count ? peer->mlines[mindex] : NULL;
}

static bool add_mline(struct peer *peer, const struct mline_desc *desc)
{
    if (peer->mline_count == MLINES_MAX)
        return false;
    if (peer->mline_count == peer->mline_room) {
        peer->mline_room = (uint16_t)(peer->mline_room == 0 ? 2 : peer->mline_room * 2);
        peer->mlines = mem_resize(peer->mlines, peer->mline_room * sizeof(*peer->mlines));
    }
    struct mline *mline = mline_new(peer, desc);
    if (mline == NULL)
        return false;
    peer->mlines[peer->mline_count++] = mline;
    return true;
}

static void apply_mlines(struct peer *peer, usec_t now, const struct peer_apply_order *order)
{
    for (uint16_t i = 0; i < order->mline_count; i++) {
        const struct mline_desc *desc = &order->mlines[i];
        if (desc->mindex > peer->mline_count ||
            (desc->mindex == peer->mline_count && !add_mline(peer, desc))) {
            peer->env->counters.apply_full++;
            continue;
        }
        mline_apply(peer->mlines[desc->mindex], now, desc);
    }
}

static void apply_remote(struct peer *peer, usec_t now, const struct peer_apply_order *order)
{
    (void)ice_set_remote(peer->ice, str_of(order->remote.ufrag), str_of(order->remote.pwd));
    peer->fingerprint = order->fingerprint;
    if (!peer->remote_known) {
        peer->remote_known = true;
        peer->dtls_client = order->dtls_client;
        if (peer->phase == PEER_NEW)
            peer->phase = PEER_CONNECTING;
    }
    if (peer->dtls != NULL)
        dtls_set_fingerprint(peer->dtls, now, &peer->fingerprint);
    peer_start_dtls(peer, now);
}

void peer_apply(struct peer *peer, usec_t now, const struct peer_apply_order *order)
{
    const uint64_t refused = peer->env->counters.apply_full;
    if (peer->phase == PEER_ENDED)
        return;
    peer->ext = order->ext;
    apply_mlines(peer, now, order);
    peer_data_apply(peer, now, &order->data);
    if (peer->env->counters.apply_full != refused) {
        peer_end(peer, HANGUP_DTLS_STACK);      /* a line that can't be had: better told than silent for ever */
        return;
    }
    if (order->restart) {
        peer->candidates_ended = false;
        peer->ice_failed_at = 0;        /* a new attempt has its own time */
        (void)ice_restart(peer->ice, now, str_of(order->local.ufrag), str_of(order->local.pwd));
    }
    if (order->remote_known && order->start)
        apply_remote(peer, now, order);
    peer_drain_ice(peer, now);
}

void peer_add_candidate(struct peer *peer, usec_t now, const struct ice_candidate *candidate)
{
    if (peer->phase == PEER_ENDED)
        return;
    (void)ice_add_remote(peer->ice, candidate);     /* a refusal is counted by the agent: the client is not told (janus-api.md 6.1) */
    peer_drain_ice(peer, now);
}

void peer_end_of_candidates(struct peer *peer, usec_t now)
{
    if (peer->phase == PEER_ENDED)
        return;
    peer->candidates_ended = true;
    ice_end_of_candidates(peer->ice);
    peer_drain_ice(peer, now);
}

void peer_lose_tuple(struct peer *peer, usec_t now, const struct net_tuple *tuple)
{
    ice_lose_tuple(peer->ice, now, tuple);
    peer_drain_ice(peer, now);
}

void peer_close(struct peer *peer, usec_t now, bool notify)
{
    if (notify && peer->dtls != NULL && peer->phase == PEER_UP) {
        dtls_close(peer->dtls);
        peer_drain_dtls(peer, now);
    }
    peer->phase = PEER_ENDED;
    peer->tick_at = USEC_NEVER;
}

bool peer_is_up(const struct peer *peer)
{
    return peer->phase == PEER_UP;
}

bool peer_attach_sink(struct peer *peer, usec_t now, uint16_t mindex, struct sink *sink)
{
    struct mline *mline = peer_mline(peer, mindex);
    if (mline == NULL)
        return false;
    if (mline->sink != NULL && mline->sink != sink) {
        sink_numbers_of(mline->sink, &mline->numbers);
        slots_del(peer->env->sinks, mline->sink->name);
        sink_free(mline->sink);
    }
    if (mline->sink != sink)
        sink_go_on(sink, &mline->numbers);
    mline->sink = sink;
    sink_set_port(sink, &mline->port, mline->desc.nack, mline->report.clock_hz);
    if (peer_is_up(peer) && sink->source != NULL)
        (void)fanout_replay(sink->source, sink, now);
    return true;
}

void peer_detach_sink(struct sink *sink)
{
    struct mline *mline = (void *)sink->port;
    if (mline == NULL || mline->sink != sink)
        return;
    sink_numbers_of(sink, &mline->numbers);
    mline->sink = NULL;
}

void peer_ask_keyframe(struct source *source, usec_t now)
{
    struct mline *mline = source->origin;
    CHECK(mline != NULL);
    (void)now;
    if (mline->peer->phase == PEER_UP)
        peer_send_pli(mline->peer, mline);
}

void peer_set_rate_cap(struct source *source, usec_t now, const struct rate_cap *cap)
{
    struct mline *mline = source->origin;
    CHECK(mline != NULL);
    mline->answer_remb = cap->answer_remb;
    if (cap->ramp)
        remb_cap_init(&mline->cap, cap->bps);
    else
        remb_cap_set(&mline->cap, now, cap->bps);
    if (cap->send_now && mline->peer->phase == PEER_UP)
        peer_send_remb(mline->peer, mline, cap->bps == 0 && cap->answer_remb ? REMB_UNLIMITED_BPS : cap->bps);
}

/* How long it may stay failed before it is given up (webrtc.md 6): less once there is nothing more to come. */
static usec_t ice_patience_ends(const struct peer *peer)
{
    if (peer->ice_failed_at == 0)
        return USEC_NEVER;
    usec_t grace = peer->ice_lost ? ICE_GRACE_CONSENT_US : peer->candidates_ended ? ICE_GRACE_US : ICE_GRACE_TRICKLE_US;
    return peer->ice_failed_at + grace;
}

static usec_t mlines_deadline(const struct peer *peer, usec_t now)
{
    usec_t first = USEC_NEVER;
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        const struct mline *mline = peer->mlines[i];
        if (mline->source == NULL || !mline->desc.nack)
            continue;
        for (unsigned k = 0; k < mline->desc.layer_count; k++)
            first = usec_min(first, nack_deadline(&mline->layers[k].nack, now));
    }
    return first;
}

usec_t peer_deadline(const struct peer *peer, usec_t now)
{
    if (peer->phase == PEER_ENDED)
        return USEC_NEVER;
    usec_t first = usec_min(ice_deadline(peer->ice), peer->tick_at);
    if (peer->dtls != NULL)
        first = usec_min(first, dtls_deadline(peer->dtls));
    first = usec_min(first, ice_patience_ends(peer));
    first = usec_min(first, peer_data_deadline(peer));
    if (peer->phase != PEER_UP)
        return first;
    if (peer->twcc != NULL)
        first = usec_min(first, twcc_in_deadline(peer->twcc));
    return usec_min(first, mlines_deadline(peer, now));
}

static void send_due_nacks(struct peer *peer, usec_t now)
{
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        struct mline *mline = peer->mlines[i];
        if (mline->source == NULL || !mline->desc.nack)
            continue;
        for (unsigned k = 0; k < mline->desc.layer_count; k++)
            if (nack_deadline(&mline->layers[k].nack, now) <= now)
                peer_send_nacks(peer, mline, &mline->layers[k], now);
    }
}

void peer_timeout(struct peer *peer, usec_t now)
{
    if (peer->phase == PEER_ENDED)
        return;
    if (ice_deadline(peer->ice) <= now) {
        ice_timeout(peer->ice, now);
        peer_drain_ice(peer, now);
    }
    if (peer->dtls != NULL && dtls_deadline(peer->dtls) <= now) {
        dtls_timeout(peer->dtls, now);
        peer_drain_dtls(peer, now);
    }
    if (now >= ice_patience_ends(peer))
        peer_end(peer, HANGUP_ICE_FAILED);
    if (peer->phase != PEER_UP)
        return;
    peer_data_timeout(peer, now);
    if (peer->twcc != NULL && twcc_in_deadline(peer->twcc) <= now)
        peer_send_twcc(peer, now);
    send_due_nacks(peer, now);
    if (peer->tick_at <= now)
        peer_tick(peer, now);
}
