/* What a PeerConnection can tell of itself: statistics of its lines, where ICE and DTLS are. Nothing changes by asking. */
#include <string.h>

#include "peer/peer_private.h"

#define NACK_QUEUE_EXTRA_MS 100u        /* admin-api.md 6.4, nack-queue-ms */
#define NACK_QUEUE_MAX_MS   1000u

void traffic_second(struct traffic *traffic)
{
    const uint64_t bytes = traffic->bytes - traffic->bytes_before;
    traffic->bytes_lastsec = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
    traffic->bytes_before = traffic->bytes;
}

uint16_t peer_line_count(const struct peer *peer)
{
    return peer->mline_count;
}

/* Datagrams of DTLS carry a data line's messages, and nothing else is known of it. Those that leave are counted as coming in,
 * too, since clients know it so (admin-api.md 6.4). */
static void describe_data(const struct peer *peer, struct media_stats *out)
{
    out->packets_in = peer->dtls_in.packets + peer->dtls_out.packets;
    out->bytes_in = peer->dtls_in.bytes + peer->dtls_out.bytes;
}

static void describe_sending(const struct mline *mline, struct media_stats *out)
{
    const struct report_out *report = &mline->report;
    out->rtt_ms = report->has_rtt ? report->rtt_us / 1000u : 0;
    out->rtt_ntp = report->rtt_ntp;
    out->rtt_lsr = report->rtt_lsr;
    out->rtt_dlsr = report->rtt_dlsr;
    out->lost_by_remote = report->lost;
    out->jitter_remote_ms = report_out_jitter_us(report) / 1000u;
    out->out_quality = report->quality;
    out->out_media_quality = report->media_quality;
    out->packets_out = mline->traffic.packets;
    out->bytes_out = mline->traffic.bytes;
    out->bytes_out_lastsec = mline->traffic.bytes_lastsec;
    out->nacks_in = mline->nacks;
    out->remb_bps = mline->remb_bps;
}

bool peer_layer_stats(const struct peer *peer, uint16_t n, uint8_t layer, struct media_stats *out)
{
    if (n >= peer->mline_count || layer >= peer->mlines[n]->desc.layer_count)
        return false;
    const struct mline *mline = peer->mlines[n];
    const struct rx_layer *rx = &mline->layers[layer];
    *out = (struct media_stats){
        .mindex = mline->desc.mindex,
        .kind = mline->desc.kind,
        .codec = mline->desc.source_desc.codec,
        .layer = layer,
        .clock_hz = rx->report.clock_hz,
        .in_quality = rx->report.quality,
        .in_media_quality = rx->report.media_quality,
        .lost = report_in_lost(&rx->report),
        .jitter_ms = report_in_jitter_us(&rx->report) / 1000u,
        .packets_in = rx->traffic.packets,
        .bytes_in = rx->traffic.bytes,
        .bytes_in_lastsec = rx->traffic.bytes_lastsec,
        .nacks_out = rx->nacks,
        .retransmissions_in = rx->retransmissions,
    };
    memcpy(out->mid, mline->desc.mid, sizeof(out->mid));
    if (mline->desc.kind == MEDIA_DATA)
        describe_data(peer, out);
    else if (layer == 0)
        describe_sending(mline, out);
    return true;
}

static void describe_line(const struct peer *peer, uint16_t n, struct peer_line_report *out)
{
    const struct mline *mline = peer->mlines[n];
    *out = (struct peer_line_report){.mindex = mline->desc.mindex, .layer_count = mline->desc.layer_count, .pt = mline->media_pt};
    if (mline->report.has_rtt) {
        const uint32_t queue_ms = mline->report.rtt_us / 1000u + NACK_QUEUE_EXTRA_MS;
        out->nack_queue_ms = queue_ms < NACK_QUEUE_MAX_MS ? queue_ms : NACK_QUEUE_MAX_MS;
    }
    for (uint8_t i = 0; i < mline->desc.layer_count; i++) {
        out->remote_ssrc[i] = mline->layers[i].ssrc;
        out->remote_rtx_ssrc[i] = mline->layers[i].rtx_ssrc;
        (void)peer_layer_stats(peer, n, i, &out->layers[i]);
    }
}

static void describe_ice(const struct peer *peer, struct peer_report *out)
{
    struct ice_info ice;
    ice_describe(peer->ice, &ice);
    out->ice_state = (uint8_t)ice.state;
    out->ice_role = (uint8_t)ice.role;
    out->has_selected = ice.has_selected;
    out->connected_at = peer->connected_at;
    out->ice_failed_at = peer->ice_failed_at;
    if (!ice.has_selected)
        return;
    out->remote_type = (uint8_t)ice.remote_type;
    out->local = peer->env->bases[ice.selected.socket];
    out->remote = ice.selected.remote;
}

static void describe_dtls(const struct peer *peer, struct peer_report *out)
{
    struct dtls_info dtls;
    out->dtls_at = peer->dtls_at;
    out->keys_at = peer->keys_at;
    out->dtls_packets_in = peer->dtls_in.packets;
    out->dtls_bytes_in = peer->dtls_in.bytes;
    out->dtls_packets_out = peer->dtls_out.packets;
    out->dtls_bytes_out = peer->dtls_out.bytes;
    out->has_association = peer->data != NULL && peer->data->sctp != NULL;
    out->has_dtls = peer->dtls != NULL;
    if (peer->dtls == NULL)
        return;
    dtls_get_info(peer->dtls, &dtls);
    out->dtls_role = dtls.role;
    out->dtls_state = dtls.state;
    out->srtp_profile = dtls.profile;
    out->retransmissions = dtls.retransmissions;
}

void peer_describe(const struct peer *peer, struct peer_report *out, struct peer_line_report *lines)
{
    describe_ice(peer, out);
    describe_dtls(peer, out);
    out->too_large = peer->too_large;
    out->line_count = peer->mline_count;
    for (uint16_t i = 0; i < peer->mline_count; i++)
        describe_line(peer, i, &lines[i]);
}
