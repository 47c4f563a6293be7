/* RTP in. In two steps, so that a batch of packets is opened together: peer_rtp_input finds the stream and its index and
 * notes the packet; peer_receive_flush opens all that were noted and hands each to its source.
 *
 * Which stream (webrtc.md 10): by SSRC; else by the mid extension, then rid or repaired rid. What an unknown SSRC claims
 * is believed only after its packet has proven authentic. */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "peer/peer_private.h"
#include "proto/rtp/codec.h"
#include "proto/rtp/ext.h"
#include "proto/rtp/seq.h"

struct stream_match {
    struct mline *mline;
    uint8_t layer;
    bool rtx;
    bool fresh;
};

static bool match_ssrc(struct mline *mline, uint32_t ssrc, struct stream_match *out)
{
    for (uint8_t i = 0; i < mline->desc.layer_count; i++) {
        const struct rx_layer *rx = &mline->layers[i];
        if (rx->ssrc != ssrc && rx->rtx_ssrc != ssrc)
            continue;
        *out = (struct stream_match){mline, i, rx->ssrc != ssrc, false};
        return true;
    }
    return false;
}

static bool match_known(struct peer *peer, uint32_t ssrc, struct stream_match *out)
{
    if (ssrc == 0)
        return false;
    if (peer->mline_hint < peer->mline_count && match_ssrc(peer->mlines[peer->mline_hint], ssrc, out))
        return true;
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        if (!match_ssrc(peer->mlines[i], ssrc, out))
            continue;
        peer->mline_hint = i;
        return true;
    }
    return false;
}

static struct mline *mline_by_mid(struct peer *peer, struct view mid)
{
    for (uint16_t i = 0; i < peer->mline_count; i++)
        if (str_equal(mid, str_of(peer->mlines[i]->desc.mid)))
            return peer->mlines[i];
    return NULL;
}

static bool layer_by_rid(const struct mline *mline, struct view rid, uint8_t *layer)
{
    for (uint8_t i = 0; i < mline->desc.layer_count; i++) {
        if (!str_equal(rid, str_of(mline->desc.rid[i])))
            continue;
        *layer = i;
        return true;
    }
    return false;
}

/* A replaced SSRC has lost its replay window with its place: its packets, late or replayed, must not bring it back. */
static bool is_retired(const struct peer *peer, uint32_t ssrc)
{
    for (uint16_t i = 0; i < peer->mline_count; i++)
        for (uint8_t k = 0; k < peer->mlines[i]->layer_room; k++)
            for (unsigned n = 0; n < RETIRED_SSRCS; n++)
                if (peer->mlines[i]->layers[k].retired[n] == ssrc)
                    return true;
    return false;
}

static bool match_by_extensions(struct peer *peer, const struct rtp_packet *packet, struct stream_match *out)
{
    struct view mid, rid;
    if (!rtp_ext_find(packet, peer->ext.mid, &mid))
        return false;
    struct mline *mline = mline_by_mid(peer, mid);
    if (mline == NULL || mline->desc.kind == MEDIA_DATA)
        return false;
    *out = (struct stream_match){.mline = mline, .fresh = true};
    if (mline->desc.rid[0][0] == '\0' || peer->ext.rid == 0) {
        out->rtx = mline_is_rtx_pt(mline, packet->pt);      /* an unannounced RTX SSRC must not replace the main one */
        return true;
    }
    if (rtp_ext_find(packet, peer->ext.rid, &rid))
        return layer_by_rid(mline, rid, &out->layer);
    out->rtx = true;
    return rtp_ext_find(packet, peer->ext.repaired_rid, &rid) && layer_by_rid(mline, rid, &out->layer);
}

static const struct seal_rx_stream *stream_of(const struct rx_item *item)
{
    static const struct seal_rx_stream unseen;
    if (item->fresh)
        return &unseen;
    const struct rx_layer *rx = &item->mline->layers[item->layer];
    return item->rtx ? &rx->seal_rtx : &rx->seal;
}

void peer_rtp_input(struct peer *peer, usec_t now, uint8_t *datagram, size_t size)
{
    struct peer_counters *counters = &peer->env->counters;
    struct receive_batch *batch = &peer->env->receive;
    struct stream_match match;
    (void)now;
    if (peer->keys_in == NULL) {
        counters->rtp_early++;
        return;
    }
    if (size > RTP_PACKET_MAX) {
        counters->rtp_too_large++;
        peer->too_large++;
        return;
    }
    CHECK(batch->count < RECEIVE_BATCH);
    struct rx_item *item = &batch->items[batch->count];
    if (!rtp_parse_header(&item->packet, VIEW(datagram, size))) {
        counters->rtp_malformed++;
        return;
    }
    if (!match_known(peer, item->packet.ssrc, &match) &&
        (is_retired(peer, item->packet.ssrc) || !match_by_extensions(peer, &item->packet, &match))) {
        counters->rtp_unknown_ssrc++;
        return;
    }
    if (!match.mline->desc.recv) {
        counters->rtp_not_receiving++;
        return;
    }
    item->peer = peer;
    item->mline = match.mline;
    item->layer = match.layer;
    item->rtx = match.rtx;
    item->fresh = match.fresh;
    if (!seal_rx_guess(stream_of(item), item->packet.seq, &item->index)) {
        counters->rtp_replay++;
        return;
    }
    batch->jobs[batch->count++] = (struct seal_job){
        .keys = peer->keys_in,
        .index = item->index,
        .packet = datagram,
        .header_size = item->packet.payload_offset,
        .size = (uint16_t)size,
    };
}

/* Now that the packet is known to be the peer's, its SSRC is what it claimed to be. */
static void bind_fresh(struct rx_item *item)
{
    struct rx_layer *rx = &item->mline->layers[item->layer];
    uint32_t ssrc = item->packet.ssrc;
    if (!item->rtx) {
        mline_set_layer_ssrc(item->mline, item->layer, ssrc);
    } else if (rx->rtx_ssrc != ssrc) {
        rx->rtx_ssrc = ssrc;
        rx->seal_rtx = (struct seal_rx_stream){.ssrc = ssrc};
    }
}

/* RFC 4588 section 4: the original sequence number leads the payload. Only what was asked for, and has not come, is taken. */
static bool recover_rtx(struct rx_item *item, usec_t now)
{
    struct peer_counters *counters = &item->peer->env->counters;
    struct rtp_packet *packet = &item->packet;
    struct rx_layer *rx = &item->mline->layers[item->layer];
    if (packet->payload_size < 2) {
        counters->rtx_unwanted++;
        return false;
    }
    uint16_t seq = get_u16(packet->data + packet->payload_offset);
    if (item->mline->media_pt == 0 || !nack_is_wanted(&rx->nack, now, seq)) {
        counters->rtx_unwanted++;
        return false;
    }
    packet->seq = seq;
    packet->pt = item->mline->media_pt;
    packet->ssrc = rx->ssrc;
    packet->payload_offset = (uint16_t)(packet->payload_offset + 2);
    packet->payload_size = (uint16_t)(packet->payload_size - 2);
    counters->rtx_recovered++;
    rx->retransmissions++;
    report_in_recovered(&rx->report, seq, packet->payload_size);
    return true;
}

static void note_twcc(struct peer *peer, usec_t now, const struct rtp_ext_values *ext)
{
    if ((ext->has & RTP_EXT_HAS_TWCC) == 0)
        return;
    if (peer->twcc == NULL) {
        peer->twcc = mem_get(sizeof(*peer->twcc));
        twcc_in_init(peer->twcc, peer->env->settings.twcc_period_us);
    }
    twcc_in_packet(peer->twcc, now, ext->twcc_seq);
}

/* Statistics, losses, the client's `media` event, the bit-rate cap. */
static void account(struct rx_item *item, usec_t now, size_t size, bool keyframe)
{
    struct mline *mline = item->mline;
    struct rx_layer *rx = &mline->layers[item->layer];
    uint64_t bps;
    traffic_add(&rx->traffic, size);
    if (!item->rtx)
        report_in_packet(&rx->report, now, item->packet.seq, item->packet.ts, item->packet.payload_size);
    rx->packet_at = now;
    rx->seen = true;
    if (!rx->receiving)
        mline_receiving(mline, item->layer, true, 0);
    if (mline->desc.nack)
        (void)nack_input(&rx->nack, now, item->packet.seq, keyframe);
    if (mline->desc.kind == MEDIA_VIDEO && remb_cap_packet(&mline->cap, now, &bps))
        peer_send_remb(item->peer, mline, bps);
}

static void to_source(struct rx_item *item, usec_t now, const struct rtp_ext_values *ext)
{
    struct mline *mline = item->mline;
    struct rx_layer *rx = &mline->layers[item->layer];
    struct media_packet packet = {
        .arrived = now,
        .ts = item->packet.ts,
        .seq = item->packet.seq,
        .layer = item->layer,
        .marker = item->packet.marker,
        .red = mline->desc.kind == MEDIA_AUDIO && mline_is_red_pt(mline, item->packet.pt),
        .pt = item->packet.pt,
        .raw = &item->packet,
        .payload = item->packet.data + item->packet.payload_offset,
        .payload_size = item->packet.payload_size,
        .ext = *ext,
    };
    bool renumbered = rx->renumbered;
    rx->renumbered = false;
    source_input(mline->source, &packet, renumbered);
}

static bool is_keyframe(const struct mline *mline, const struct rtp_packet *packet)
{
    return mline->desc.kind == MEDIA_VIDEO && !mline->desc.source_desc.opaque &&
           codec_is_keyframe((enum codec)mline->desc.source_desc.codec, rtp_payload(packet));
}

static void packet_opened(struct rx_item *item, struct seal_job *job, usec_t now)
{
    struct peer *peer = item->peer;
    struct mline *mline = item->mline;
    struct peer_counters *counters = &peer->env->counters;
    struct rtp_ext_values ext;
    if (!job->ok) {
        counters->rtp_forged++;
        return;
    }
    if (peer->phase == PEER_ENDED)
        return;                             /* by what came before it in the same batch */
    if (item->fresh)
        bind_fresh(item);
    struct rx_layer *rx = &mline->layers[item->layer];
    if (!seal_rx_commit(item->rtx ? &rx->seal_rtx : &rx->seal, item->index)) {
        counters->rtp_replay++;
        return;
    }
    dtls_confirm(peer->dtls);
    if (!rtp_finish(&item->packet, job->size)) {
        counters->rtp_malformed++;
        return;
    }
    rtp_ext_read(&ext, &item->packet, &peer->ext);
    note_twcc(peer, now, &ext);
    if (item->rtx && !recover_rtx(item, now))
        return;
    if (!item->rtx && mline->media_pt == 0)
        mline->media_pt = item->packet.pt;
    account(item, now, job->size, is_keyframe(mline, &item->packet));
    if (item->packet.payload_size == 0)
        counters->rtp_padding_only++;       /* probes: the source takes note of the number, nobody gets the packet */
    if (mline->source != NULL)
        to_source(item, now, &ext);
}

bool peer_receive_flush(struct peer_env *env, usec_t now)
{
    struct receive_batch *batch = &env->receive;
    if (batch->count > 0 && batch->done == 0)
        seal_open(env->seal, batch->jobs, batch->count);
    while (batch->done < batch->count) {
        packet_opened(&batch->items[batch->done], &batch->jobs[batch->done], now);
        batch->done++;
        if (env->egress.count >= EGRESS_STOP_AT && batch->done < batch->count)
            return true;
    }
    batch->count = 0;
    batch->done = 0;
    return false;
}
