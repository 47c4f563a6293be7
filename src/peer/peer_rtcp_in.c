/* RTCP in (webrtc.md 17.2), every block by the SSRC it is about. */
#include "peer/peer_private.h"
#include "proto/rtcp/ntp.h"

#define NACKS_PER_COMPOUND 512u     /* sequence numbers answered of one compound */

static struct rx_layer *layer_by_ssrc(const struct peer *peer, uint32_t ssrc, struct mline **mline, uint8_t *layer)
{
    for (uint16_t i = 0; i < peer->mline_count; i++)
        for (uint8_t k = 0; k < peer->mlines[i]->desc.layer_count; k++)
            if (ssrc != 0 && peer->mlines[i]->layers[k].ssrc == ssrc) {
                *mline = peer->mlines[i];
                *layer = k;
                return &peer->mlines[i]->layers[k];
            }
    return NULL;
}

static struct mline *sender_by_ssrc(const struct peer *peer, uint32_t ssrc)
{
    for (uint16_t i = 0; i < peer->mline_count; i++)
        if (ssrc != 0 && peer->mlines[i]->desc.send && peer->mlines[i]->desc.ssrc == ssrc)
            return peer->mlines[i];
    return NULL;
}

/* The publisher's NTP clock against ours: the smallest difference seen, since delay only adds to it; it may drift slowly.
 * One for the whole PeerConnection, so that audio and video keep their distance (RFC 3550 6.4.1). */
static uint64_t to_our_wall(struct peer *peer, uint64_t ntp)
{
    uint64_t theirs = ntp_to_unix_us(ntp);
    int64_t offset = (int64_t)(peer->env->wall_us - theirs);
    if (!peer->has_clock || offset < peer->clock_offset_us)
        peer->clock_offset_us = offset;
    else
        peer->clock_offset_us += (offset - peer->clock_offset_us) / 64;
    peer->has_clock = true;
    return theirs + (uint64_t)peer->clock_offset_us;
}

static void on_block(struct mline *mline, const struct rtcp_block *block)
{
    struct peer_env *env = mline->peer->env;
    report_out_block(&mline->report, ntp_from_unix_us(env->wall_us), block);
    if (block->lsr != 0 && mline->report.has_rtt)
        histogram_add(&env->counters.rtt_us, mline->report.rtt_us);
    histogram_add(&env->counters.jitter_out_us, report_out_jitter_us(&mline->report));
}

static void on_blocks(struct peer *peer, const struct rtcp_packet *packet)
{
    struct rtcp_block block;
    for (uint8_t i = 0; rtcp_block_at(&block, packet, i); i++) {
        struct mline *mline = sender_by_ssrc(peer, block.ssrc);
        if (mline != NULL)
            on_block(mline, &block);
    }
}

static void on_sr(struct peer *peer, usec_t now, const struct rtcp_packet *packet)
{
    struct rtcp_sr sr;
    struct mline *mline;
    uint8_t layer;
    if (!rtcp_sr_parse(&sr, packet)) {
        peer->env->counters.rtcp_malformed++;
        return;
    }
    struct rx_layer *rx = layer_by_ssrc(peer, sr.ssrc, &mline, &layer);
    if (rx != NULL) {
        report_in_sr(&rx->report, now, &sr);
        if (mline->source != NULL && sr.ntp != 0)
            source_report(mline->source, layer, now, to_our_wall(peer, sr.ntp), sr.rtp_ts);
    }
    on_blocks(peer, packet);
}

static void want_keyframe(struct peer *peer, uint32_t ssrc)
{
    struct mline *mline = sender_by_ssrc(peer, ssrc);
    if (mline == NULL) {
        peer->env->counters.rtcp_unknown++;
        return;
    }
    peer->env->counters.plis_in++;
    if (mline->sink != NULL && mline->sink->source != NULL)
        source_want_keyframe(mline->sink->source);
}

static void on_nack(struct peer *peer, usec_t now, const struct rtcp_feedback *feedback, uint32_t *budget)
{
    struct mline *mline = sender_by_ssrc(peer, feedback->media_ssrc);
    struct rtcp_nack_iter it = rtcp_nack_iter_of(feedback);
    uint16_t seq;
    if (mline == NULL || mline->sink == NULL || !mline->desc.nack) {
        peer->env->counters.rtcp_unknown++;
        return;
    }
    while (*budget > 0 && rtcp_nack_next(&it, &seq)) {
        (*budget)--;
        peer->env->counters.nacks_in++;
        mline->nacks++;
        mline->report.nacks++;
        sink_nack(mline->sink, now, seq);
    }
}

static void note_remb(struct peer *peer, const struct rtcp_remb *remb)
{
    for (uint8_t i = 0; i < remb->ssrc_count; i++) {
        struct mline *mline = sender_by_ssrc(peer, get_u32(remb->ssrcs.data + 4u * i));
        if (mline != NULL)
            mline->remb_bps = remb->bitrate_bps;
    }
}

static void on_remb(struct peer *peer)
{
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        struct mline *mline = peer->mlines[i];
        if (!mline->answer_remb || !mline->desc.recv || mline->desc.kind != MEDIA_VIDEO)
            continue;
        peer_send_remb(peer, mline, mline->cap.cap_bps == 0 ? REMB_UNLIMITED_BPS : mline->cap.cap_bps);
        return;
    }
}

static void on_feedback(struct peer *peer, usec_t now, const struct rtcp_packet *packet, uint32_t *budget)
{
    struct rtcp_feedback feedback;
    struct rtcp_remb remb;
    struct rtcp_fir fir;
    if (!rtcp_feedback_parse(&feedback, packet)) {
        peer->env->counters.rtcp_malformed++;
        return;
    }
    if (rtcp_is_nack(packet)) {
        on_nack(peer, now, &feedback, budget);
    } else if (rtcp_is_pli(packet)) {
        want_keyframe(peer, feedback.media_ssrc);
    } else if (rtcp_is_fir(packet)) {
        for (size_t i = 0; rtcp_fir_at(&fir, &feedback, i); i++)
            want_keyframe(peer, fir.ssrc);
    } else if (rtcp_remb_parse(&remb, packet)) {
        note_remb(peer, &remb);
        on_remb(peer);
    }
}

static void on_compound(struct peer *peer, usec_t now, struct view compound)
{
    struct rtcp_iter it = rtcp_iter_of(compound);
    struct rtcp_packet packet;
    uint32_t budget = NACKS_PER_COMPOUND;
    while (rtcp_next(&it, &packet)) {
        switch (packet.pt) {
        case RTCP_SR:
            on_sr(peer, now, &packet);
            break;
        case RTCP_RR:
            on_blocks(peer, &packet);
            break;
        case RTCP_RTPFB:
        case RTCP_PSFB:
            on_feedback(peer, now, &packet, &budget);
            break;
        default:
            break;                  /* SDES, BYE, APP, XR: nothing follows from them */
        }
    }
    if (it.failed)
        peer->env->counters.rtcp_malformed++;
}

void peer_rtcp_input(struct peer *peer, usec_t now, uint8_t *datagram, size_t size)
{
    struct peer_counters *counters = &peer->env->counters;
    bool replay = false;
    if (peer->keys_in == NULL) {
        counters->rtp_early++;
        return;
    }
    if (size > RTP_PACKET_MAX) {
        counters->rtp_too_large++;
        peer->too_large++;
        return;
    }
    size = seal_rtcp_open(peer->keys_in, &peer->rtcp_rx, datagram, size, &replay);
    if (size == 0) {
        if (replay)
            counters->rtcp_replay++;
        else
            counters->rtcp_forged++;
        return;
    }
    dtls_confirm(peer->dtls);
    on_compound(peer, now, VIEW(datagram, size));
}
