/* Packet out: the last hop before the egress batch. One header, one extension block, one copy of the payload. */
#include <string.h>

#include "peer/peer_private.h"
#include "proto/rtp/ext.h"

static bool port_is_ready(const struct port *port)
{
    const struct mline *mline = (const void *)port;
    return mline->peer->phase == PEER_UP && mline->desc.send && ice_selected(mline->peer->ice) != NULL;
}

/* No RTX was negotiated: the sealed bytes that were sent go out once more. */
static void send_again(struct mline *mline, usec_t now, uint16_t seq)
{
    const struct sealed_packet *kept = mline_sealed(mline, now, seq);
    if (kept != NULL)
        egress_raw(&mline->peer->env->egress, ice_selected(mline->peer->ice), VIEW(kept->bytes, kept->size));
}

/* Extensions that depend on the moment of sending (webrtc.md 12.2). */
static void patch_extensions(struct peer *peer, usec_t now, uint8_t *block, const struct rtp_ext_patch *patch)
{
    if (patch->abs_send_time != 0)
        rtp_ext_patch_send_time(block + patch->abs_send_time, now);
    if (patch->twcc != 0)
        put_u16(block + patch->twcc, ++peer->twcc_out_seq);
}

static size_t write_packet(struct mline *mline, usec_t now, const struct port_packet *packet, bool rtx, uint16_t seq, uint8_t *out,
                           uint16_t *header_size)
{
    struct peer *peer = mline->peer;
    struct rtp_ext_patch patch;
    const bool video = mline->desc.kind == MEDIA_VIDEO;
    const struct rtp_ext_out values = {
        .values = packet->ext,
        .mid = VIEW(mline->desc.mid, strlen(mline->desc.mid)),
        .abs_send_time = video,
        .twcc = video,
    };
    uint8_t *extension = out + RTP_HEADER_SIZE;
    size_t extension_size = rtp_ext_write(extension, RTP_EXT_ROOM, &peer->ext, &values, &patch);
    size_t size = RTP_HEADER_SIZE + extension_size;
    const uint8_t padding = packet->again ? 0 : packet->padding;
    size_t total = size + (rtx ? 2u : 0u) + packet->payload.size + padding;
    if (total + SEAL_ROOM > EGRESS_PACKET) {
        peer->env->counters.sent_too_large++;
        return 0;
    }
    const struct rtp_header header = {
        .padding = padding > 0,
        .extension = extension_size > 0,
        .marker = packet->marker,
        .pt = rtx ? mline_rtx_pt(mline, packet->pt) : packet->pt,
        .seq = seq,
        .ts = packet->ts,
        .ssrc = rtx ? mline->desc.rtx_ssrc : mline->desc.ssrc,
    };
    rtp_write_header(out, RTP_HEADER_SIZE, &header);
    if (extension_size > 0)
        patch_extensions(peer, now, extension, &patch);
    *header_size = (uint16_t)size;
    if (rtx) {
        put_u16(out + size, packet->seq);       /* RFC 4588 section 4: the original sequence number */
        size += 2;
    }
    memcpy(out + size, packet->patch, packet->patch_size);
    memcpy(out + size + packet->patch_size, packet->payload.data + packet->patch_size, packet->payload.size - packet->patch_size);
    if (padding > 0)
        rtp_write_padding(out + total - padding, padding);
    return total;
}

static void peer_port_send(struct port *port, usec_t now, const struct port_packet *packet)
{
    struct mline *mline = (void *)port;
    struct peer *peer = mline->peer;
    const struct net_tuple *to = ice_selected(peer->ice);
    const bool has_rtx = mline->desc.rtx_ssrc != 0 && mline_rtx_pt(mline, packet->pt) != 0;
    const bool rtx = packet->again && has_rtx;
    if (to == NULL || peer->keys_out == NULL)
        return;
    if (packet->again && !rtx) {
        send_again(mline, now, packet->seq);
        return;
    }
    uint8_t *out = egress_reserve(&peer->env->egress);
    if (out == NULL)
        return;
    struct egress_item item = {.to = *to, .keys = peer->keys_out};
    const uint16_t seq = rtx ? ++mline->rtx_seq : packet->seq;
    const size_t size = write_packet(mline, now, packet, rtx, seq, out, &item.header_size);
    if (size == 0)
        return;
    if (!seal_tx_index(rtx ? &mline->tx_rtx : &mline->tx, seq, &item.index)) {
        peer->env->counters.sent_index_used++;
        return;
    }
    item.size = (uint16_t)size;
    if (!has_rtx && mline->desc.nack)
        item.keep = mline;
    egress_commit(&peer->env->egress, &item);
    traffic_add(&mline->traffic, size);
    if (!rtx)
        report_out_packet(&mline->report, now, packet->ts, packet->payload.size > UINT16_MAX ? 0 : (uint16_t)packet->payload.size);
}

const struct port_ops peer_port_ops = {
    .send = peer_port_send,
    .is_ready = port_is_ready,
};
