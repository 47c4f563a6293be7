/* What a worker tells when it is asked for its numbers (base/metrics.h). */
#include "base/metrics.h"
#include "worker/worker_private.h"

#define MEDIA(id, label, name) {METRIC_##id, label, offsetof(struct media_counters, name)}
static const struct metric_field media_fields[] = {
    MEDIA(MEDIA_PACKETS, "in", packets_in), MEDIA(MEDIA_PACKETS, "out", packets_out), MEDIA(MEDIA_DROPS, "inactive", dropped_inactive),
    MEDIA(MEDIA_DROPS, "layer", dropped_layer), MEDIA(MEDIA_DROPS, "paused", dropped_paused), MEDIA(MEDIA_DROPS, "late", dropped_late),
    MEDIA(MEDIA_DROPS, "history_full", history_full), MEDIA(NACKS, "answered", nack_answered), MEDIA(NACKS, "missed", nack_missed),
    MEDIA(NACKS, "repeated_too_soon", nack_soon), MEDIA(KEYFRAMES, "wanted", keyframes_asked), MEDIA(KEYFRAMES, "replayed", replays),
    MEDIA(DATA_MESSAGES, "in", data_in), MEDIA(DATA_MESSAGES, "out", data_out), MEDIA(DATA_MESSAGES, "inactive", data_dropped_inactive),
    MEDIA(DATA_MESSAGES, "lost", data_lost),
};

#define PEER(id, label, name) {METRIC_##id, label, offsetof(struct peer_counters, name)}
static const struct metric_field peer_fields[] = {
    PEER(NACKS, "received", nacks_in), PEER(NACKS, "sent", nacks_out), PEER(NACKS, "recovered", rtx_recovered),
    PEER(KEYFRAMES, "received", plis_in), PEER(KEYFRAMES, "sent", plis_out),
    PEER(MEDIA_LOST, "in", lost_in), PEER(MEDIA_LOST, "out", lost_out),
    PEER(PEER_DROPS, "odd", datagrams_odd), PEER(PEER_DROPS, "rtp_early", rtp_early), PEER(PEER_DROPS, "rtp_malformed", rtp_malformed),
    PEER(PEER_DROPS, "rtp_unknown_ssrc", rtp_unknown_ssrc), PEER(PEER_DROPS, "rtp_not_receiving", rtp_not_receiving),
    PEER(PEER_DROPS, "rtp_replay", rtp_replay), PEER(PEER_DROPS, "rtp_forged", rtp_forged), PEER(PEER_DROPS, "rtp_too_large", rtp_too_large),
    PEER(PEER_DROPS, "rtp_padding_only", rtp_padding_only), PEER(PEER_DROPS, "rtx_unwanted", rtx_unwanted),
    PEER(PEER_DROPS, "rtcp_malformed", rtcp_malformed), PEER(PEER_DROPS, "rtcp_replay", rtcp_replay), PEER(PEER_DROPS, "rtcp_forged", rtcp_forged),
    PEER(PEER_DROPS, "rtcp_unknown", rtcp_unknown), PEER(PEER_DROPS, "sent_index_used", sent_index_used),
    PEER(PEER_DROPS, "sent_too_large", sent_too_large), PEER(PEER_DROPS, "sealed_full", sealed_full), PEER(PEER_DROPS, "apply_full", apply_full),
    PEER(PEER_DROPS, "data_early", data_early), PEER(PEER_DROPS, "data_lost", data_lost), PEER(PEER_DROPS, "data_refused", data_refused),
};

#define WORKER(id, label, name) {METRIC_##id, label, offsetof(struct worker_counters, name)}
static const struct metric_field worker_fields[] = {
    WORKER(WORKER_DROPS, "stun_unknown_user", stun_unknown_ufrag), WORKER(WORKER_DROPS, "stun_unknown_transaction", stun_unknown_txid),
    WORKER(WORKER_DROPS, "stun_malformed", stun_malformed), WORKER(WORKER_DROPS, "unknown_address", unknown_tuple),
    WORKER(WORKER_DROPS, "orders_stale", orders_stale), WORKER(WORKER_DROPS, "orders_refused", orders_refused),
    WORKER(WORKER_DROPS, "orders_malformed", orders_malformed), WORKER(WORKER_DROPS, "address_contested", bindings_contested),
    WORKER(WORKER_DROPS, "relay_unknown", relay_unknown), WORKER(WORKER_DROPS, "seal_failed", seal_failed),
    WORKER(WORKER_DROPS, "plain_refused", plain_refused), WORKER(WORKER_DROPS, "plain_strange", plain_strange),
    WORKER(WORKER_DROPS, "plain_too_large", plain_too_large), WORKER(WORKER_DROPS, "plain_index_used", plain_index_used),
    WORKER(WORKER_DROPS, "record_gaps", record_gaps), WORKER(RELAYED, NULL, relay_in),
};

#define ICE(label, name) {METRIC_STUN, label, offsetof(struct ice_counters, name)}
static const struct metric_field ice_fields[] = {
    ICE("requests", requests), ICE("responses", responses), ICE("checks_sent", checks_sent), ICE("malformed", malformed),
    ICE("no_credentials", no_credentials), ICE("wrong_user", wrong_user), ICE("wrong_key", wrong_key), ICE("role_conflicts", role_conflicts),
    ICE("stray_responses", stray_responses),
};

#define UDP(id, label, name) {METRIC_##id, label, offsetof(struct udp_counters, name)}
static const struct metric_field udp_fields[] = {
    UDP(UDP_PACKETS, "in", received), UDP(UDP_PACKETS, "out", sent), UDP(UDP_BYTES, "in", received_bytes), UDP(UDP_BYTES, "out", sent_bytes),
    UDP(UDP_DROPS, "too_long", received_cut), UDP(UDP_DROPS, "receive_errors", receive_errors), UDP(UDP_DROPS, "kernel", kernel_drops),
    UDP(UDP_DROPS, "send_full", send_full), UDP(UDP_DROPS, "send_refused", send_refused),
};

/* Of all its sockets together: a sum of counters that are all uint64_t. */
static struct udp_counters udp_sum(const struct worker *w)
{
    struct udp_counters sum = {0};
    for (uint32_t i = 0; i < w->config.socket_count; i++) {
        const struct udp_counters *c = &w->config.sockets[i].counters;
        sum.received += c->received;
        sum.received_bytes += c->received_bytes;
        sum.received_cut += c->received_cut;
        sum.receive_errors += c->receive_errors;
        sum.kernel_drops += c->kernel_drops;
        sum.sent += c->sent;
        sum.sent_bytes += c->sent_bytes;
        sum.send_full += c->send_full;
        sum.send_refused += c->send_refused;
    }
    return sum;
}

void worker_measure(void *owner, usec_t now, struct metrics *out)
{
    const struct worker *w = owner;
    const struct peer_env *env = &w->env;
    const struct udp_counters udp = udp_sum(w);
    const struct pool *const pools[] = {
        &env->peers, &env->mlines, &env->agents, &env->handshakes, &env->sealed, &env->datas, &env->associations, &w->media.sources,
        &w->media.sinks, &w->media.packets, &w->media.rings, &w->media.maps, &w->media.data_sources, &w->media.data_sinks, &w->bindings,
        &w->proxy_pool, &w->data_proxy_pool, &w->plain_pool, &w->outlet_pool, &w->inlet_pool, &w->recording_pool,
    };
    (void)now;
    metrics_add_fields(out, udp_fields, ARRAY_COUNT(udp_fields), &udp);
    metrics_add_fields(out, media_fields, ARRAY_COUNT(media_fields), &w->media.counters);
    metrics_add_fields(out, peer_fields, ARRAY_COUNT(peer_fields), &env->counters);
    metrics_add_fields(out, worker_fields, ARRAY_COUNT(worker_fields), &w->counters);
    metrics_add_fields(out, ice_fields, ARRAY_COUNT(ice_fields), &env->ice);
    metrics_add_times(out, METRIC_RTT, NULL, NULL, &env->counters.rtt_us);
    metrics_add_times(out, METRIC_JITTER, "in", NULL, &env->counters.jitter_in_us);
    metrics_add_times(out, METRIC_JITTER, "out", NULL, &env->counters.jitter_out_us);
    for (size_t i = 0; i < ARRAY_COUNT(pools); i++)
        metrics_add_pool(out, pools[i]);
}
