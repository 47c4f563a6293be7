/* Once a second: reports, what has fallen silent, what is being lost (webrtc.md 17.1, 18; janus-api.md 4.1, 4.2). */
#include "peer/peer_private.h"

static void check_silence(struct mline *mline, usec_t now)
{
    const struct peer_settings *settings = &mline->peer->env->settings;
    if (settings->no_media_us == 0 || !mline->desc.recv)
        return;
    for (uint8_t i = 0; i < mline->desc.layer_count; i++) {
        struct rx_layer *rx = &mline->layers[i];
        if (!rx->receiving || now - rx->packet_at < settings->no_media_us + PEER_TICK_US)
            continue;
        mline_receiving(mline, i, false, settings->no_media_us > SEC(1) ? (uint32_t)(settings->no_media_us / SEC(1)) : 0);
    }
}

static void tell_slowlink(struct mline *mline, bool uplink, uint32_t lost)
{
    uint32_t threshold = mline->peer->env->settings.slowlink_threshold;
    if (threshold == 0 || lost < threshold)
        return;
    peer_tell(mline->peer, &(struct peer_event){
        .kind = PEER_EVENT_SLOWLINK,
        .mindex = mline->desc.mindex,
        .uplink = uplink,
        .count = lost,
    });
}

/* What was lost of the lowest layer, which slowlink goes by (webrtc.md 18); all layers are counted. */
static uint32_t count_incoming(struct mline *mline)
{
    struct peer_counters *counters = &mline->peer->env->counters;
    uint32_t lost[LAYERS_MAX] = {0};
    for (uint8_t i = 0; i < mline->desc.layer_count; i++) {
        struct rx_layer *rx = &mline->layers[i];
        lost[i] = report_in_lost_since(&rx->report);
        counters->lost_in += lost[i];
        if (rx->receiving)
            histogram_add(&counters->jitter_in_us, report_in_jitter_us(&rx->report));
    }
    return lost[0];
}

static uint32_t count_outgoing(struct mline *mline)
{
    const uint32_t lost = report_out_lost_since(&mline->report);
    mline->peer->env->counters.lost_out += lost;
    return lost;
}

void peer_tick(struct peer *peer, usec_t now)
{
    peer_send_reports(peer, now);
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        struct mline *mline = peer->mlines[i];
        check_silence(mline, now);
        if (mline->desc.recv)
            tell_slowlink(mline, false, count_incoming(mline));
        if (mline->desc.send && mline->report.started)
            tell_slowlink(mline, true, count_outgoing(mline));
        if (mline->source != NULL)
            source_expire(mline->source, now);
        mline_expire_sealed(mline, now);
        traffic_second(&mline->traffic);
        for (uint8_t k = 0; k < mline->desc.layer_count; k++)
            traffic_second(&mline->layers[k].traffic);
    }
    peer->ticks++;
    if (peer->env->settings.stats_ticks > 0 && peer->ticks % peer->env->settings.stats_ticks == 0)
        peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_STATS});
    while (peer->tick_at <= now)
        peer->tick_at += PEER_TICK_US;
}
