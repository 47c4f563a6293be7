/* RTCP out (webrtc.md 17.1): compounds of at most 1,200 bytes, sealed and put into the egress batch. */
#include "base/str.h"
#include "peer/peer_private.h"
#include "proto/rtcp/ntp.h"

struct compound {
    struct peer *peer;
    struct writer w;
    uint8_t bytes[RTCP_COMPOUND_MAX + SEAL_RTCP_ROOM];
};

static void compound_begin(struct compound *c, struct peer *peer)
{
    c->peer = peer;
    c->w = writer_of(c->bytes, RTCP_COMPOUND_MAX);
}

static void compound_flush(struct compound *c)
{
    struct peer *peer = c->peer;
    const struct net_tuple *to = ice_selected(peer->ice);
    size_t size = writer_size(&c->w);
    c->w = writer_of(c->bytes, RTCP_COMPOUND_MAX);
    if (size == 0 || to == NULL || peer->keys_out == NULL)
        return;
    size = seal_rtcp_protect(peer->keys_out, &peer->rtcp_index, c->bytes, size, sizeof(c->bytes));
    if (size > 0)
        egress_raw(&peer->env->egress, to, VIEW(c->bytes, size));
}

/* The sender SSRC of what we say about a line: its own, which the client knows from our SDP. */
static uint32_t own_ssrc(const struct mline *mline)
{
    return mline->desc.ssrc != 0 ? mline->desc.ssrc : 1;
}

static void add_sr(struct compound *c, struct mline *mline, usec_t now)
{
    struct peer *peer = c->peer;
    struct rtcp_sr sr;
    uint64_t wall_us = peer->env->wall_us;
    uint32_t ts;
    uint64_t at_us;
    if (!report_out_sr(&mline->report, now, ntp_from_unix_us(wall_us), mline->desc.ssrc, &sr))
        return;
    if (mline->sink != NULL && sink_report(mline->sink, now, wall_us, &ts, &at_us))
        sr.rtp_ts = ts;             /* on the publisher's own timeline: audio and video stay in step */
    struct view name = STR(PEER_CNAME);
    if (writer_left(&c->w) < 28u + 8u + 4u + name.size)
        compound_flush(c);
    rtcp_write_sr(&c->w, &sr, NULL, 0);
    rtcp_write_sdes(&c->w, mline->desc.ssrc, name);
}

static void add_rr(struct compound *c, struct mline *mline, usec_t now)
{
    struct rtcp_block blocks[LAYERS_MAX];
    uint8_t count = 0;
    for (uint8_t i = 0; i < mline->desc.layer_count; i++) {
        struct rx_layer *rx = &mline->layers[i];
        if (rx->ssrc != 0 && report_in_block(&rx->report, now, rx->ssrc, &blocks[count]))
            count++;
    }
    if (count == 0)
        return;
    if (writer_left(&c->w) < 8u + count * 24u)
        compound_flush(c);
    rtcp_write_rr(&c->w, own_ssrc(mline), blocks, count);
}

void peer_send_reports(struct peer *peer, usec_t now)
{
    struct compound c;
    compound_begin(&c, peer);
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        struct mline *mline = peer->mlines[i];
        if (mline->desc.kind == MEDIA_DATA)
            continue;
        if (mline->desc.send)
            add_sr(&c, mline, now);
        if (mline->desc.recv)
            add_rr(&c, mline, now);
    }
    compound_flush(&c);
}

void peer_send_nacks(struct peer *peer, struct mline *mline, struct rx_layer *layer, usec_t now)
{
    uint16_t seqs[NACK_WINDOW];
    struct compound c;
    compound_begin(&c, peer);
    for (size_t count; (count = nack_poll(&layer->nack, now, seqs, ARRAY_COUNT(seqs))) > 0;) {
        peer->env->counters.nacks_out += count;
        layer->nacks += count;
        for (size_t done = 0; done < count;) {
            size_t wrote = rtcp_write_nack(&c.w, own_ssrc(mline), layer->ssrc, seqs + done, count - done);
            if (wrote == 0) {
                compound_flush(&c);
                wrote = rtcp_write_nack(&c.w, own_ssrc(mline), layer->ssrc, seqs + done, count - done);
            }
            done += wrote > 0 ? wrote : count;
        }
    }
    compound_flush(&c);
}

/* One for each layer whose SSRC is known (webrtc.md 17.1). */
void peer_send_pli(struct peer *peer, struct mline *mline)
{
    struct compound c;
    compound_begin(&c, peer);
    for (uint8_t i = 0; i < mline->desc.layer_count; i++) {
        if (mline->layers[i].ssrc == 0)
            continue;
        rtcp_write_pli(&c.w, own_ssrc(mline), mline->layers[i].ssrc);
        peer->env->counters.plis_out++;
    }
    compound_flush(&c);
}

void peer_send_remb(struct peer *peer, struct mline *mline, uint64_t bps)
{
    struct compound c;
    uint32_t ssrcs[LAYERS_MAX];
    uint8_t count = 0;
    for (uint8_t i = 0; i < mline->desc.layer_count; i++)
        if (mline->layers[i].ssrc != 0)
            ssrcs[count++] = mline->layers[i].ssrc;
    if (count == 0)
        return;
    compound_begin(&c, peer);
    rtcp_write_rr_remb(&c.w, own_ssrc(mline), bps, ssrcs, count);
    compound_flush(&c);
}

/* Media SSRC of the feedback: the first known layer of a receiving video line, else of any (webrtc.md 17.1). */
static const struct mline *twcc_line(const struct peer *peer, uint32_t *media_ssrc)
{
    const struct mline *found = NULL;
    for (uint16_t i = 0; i < peer->mline_count; i++) {
        const struct mline *mline = peer->mlines[i];
        if (!mline->desc.recv || (found != NULL && mline->desc.kind != MEDIA_VIDEO))
            continue;
        for (uint8_t k = 0; k < mline->desc.layer_count; k++) {
            if (mline->layers[k].ssrc == 0)
                continue;
            *media_ssrc = mline->layers[k].ssrc;
            found = mline;
            if (mline->desc.kind == MEDIA_VIDEO)
                return found;
            break;
        }
    }
    return found;
}

void peer_send_twcc(struct peer *peer, usec_t now)
{
    struct compound c;
    uint32_t media_ssrc = 0;
    const struct mline *mline = twcc_line(peer, &media_ssrc);
    uint32_t sender = mline == NULL ? 1 : own_ssrc(mline);
    compound_begin(&c, peer);
    while (twcc_in_build(peer->twcc, now, sender, media_ssrc, &c.w))
        compound_flush(&c);
    compound_flush(&c);
}
