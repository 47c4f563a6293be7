/* One m-line: what it receives (layers, source) and what it sends (sink, sealed copies). */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "peer/peer_private.h"

static uint32_t clock_of(const struct mline_desc *desc)
{
    if (desc->pt_count > 0 && desc->pts[0].clock_hz > 0)
        return desc->pts[0].clock_hz;
    return desc->kind == MEDIA_VIDEO ? 90000 : 48000;
}

/* Most lines have one layer, and a layer is a fifth of what a line takes. What there is stays: its SSRC may come back. */
static void make_layers(struct mline *mline, const struct mline_desc *desc)
{
    const uint8_t count = desc->layer_count == 0 || desc->layer_count > LAYERS_MAX ? 1 : desc->layer_count;
    if (count <= mline->layer_room)
        return;
    mline->layers = mem_resize(mline->layers, count * sizeof(*mline->layers));
    memset(mline->layers + mline->layer_room, 0, (count - mline->layer_room) * sizeof(*mline->layers));
    for (; mline->layer_room < count; mline->layer_room++) {
        report_in_init(&mline->layers[mline->layer_room].report, clock_of(desc));
        nack_init(&mline->layers[mline->layer_room].nack);
    }
}

struct mline *mline_new(struct peer *peer, const struct mline_desc *desc)
{
    struct mline *mline = pool_get(&peer->env->mlines);
    if (mline == NULL)
        return NULL;
    mline->port.ops = &peer_port_ops;
    mline->peer = peer;
    mline->desc.mindex = desc->mindex;
    report_out_init(&mline->report, clock_of(desc));
    make_layers(mline, desc);
    return mline;
}

static void drop_sealed(struct mline *mline)
{
    if (mline->sealed == NULL)
        return;
    for (unsigned i = 0; i < SEALED_RING; i++)
        pool_put(&mline->peer->env->sealed, mline->sealed->slots[i]);
    mem_put(mline->sealed);
    mline->sealed = NULL;
}

static void drop_source(struct mline *mline)
{
    if (mline->source == NULL)
        return;
    slots_del(mline->peer->env->sources, mline->source->name);
    source_orphan(mline->source);
    mline->source = NULL;
}

static void drop_sink(struct mline *mline)
{
    if (mline->sink == NULL)
        return;
    slots_del(mline->peer->env->sinks, mline->sink->name);
    sink_free(mline->sink);
    mline->sink = NULL;
}

void mline_free(struct mline *mline)
{
    drop_sink(mline);
    drop_source(mline);
    drop_sealed(mline);
    mem_put(mline->layers);
    pool_put(&mline->peer->env->mlines, mline);
}

/* A layer's SSRC is told or learnt: its numbering, its counters and its replay window begin anew (webrtc.md 5). */
void mline_set_layer_ssrc(struct mline *mline, uint8_t layer, uint32_t ssrc)
{
    struct rx_layer *rx = &mline->layers[layer];
    if (rx->ssrc == ssrc)
        return;
    rx->renumbered = rx->ssrc != 0;
    if (rx->ssrc != 0)
        rx->retired[rx->retired_next++ % RETIRED_SSRCS] = rx->ssrc;
    rx->ssrc = ssrc;
    rx->seal = (struct seal_rx_stream){.ssrc = ssrc};
    report_in_init(&rx->report, rx->report.clock_hz);
    nack_init(&rx->nack);
}

static void apply_source(struct mline *mline)
{
    const struct mline_desc *desc = &mline->desc;
    struct peer_env *env = mline->peer->env;
    if (mline->source != NULL && !ref_equal(mline->source->name, desc->source))
        drop_source(mline);
    if (ref_is_none(desc->source) || mline->source != NULL)
        return;
    struct source *source = source_new(env->media, desc->source, &desc->source_desc);
    if (source == NULL) {
        env->counters.apply_full++;
        return;
    }
    if (!source_put(env->sources, source)) {
        source_free(source);
        env->counters.apply_full++;
        return;
    }
    source->origin = mline;
    mline->source = source;
}

/* A description that names the SSRC it named before says nothing new: the layer may have found another since. */
static void apply_ssrcs(struct mline *mline, uint8_t layer, const struct mline_desc *before)
{
    const uint32_t ssrc = mline->desc.remote_ssrc[layer], rtx_ssrc = mline->desc.remote_rtx_ssrc[layer];
    struct rx_layer *rx = &mline->layers[layer];
    if (ssrc != 0 && ssrc != before->remote_ssrc[layer])
        mline_set_layer_ssrc(mline, layer, ssrc);
    if (rtx_ssrc == 0 || rtx_ssrc == before->remote_rtx_ssrc[layer] || rtx_ssrc == rx->rtx_ssrc)
        return;
    rx->rtx_ssrc = rtx_ssrc;
    rx->seal_rtx = (struct seal_rx_stream){.ssrc = rtx_ssrc};
}

void mline_apply(struct mline *mline, usec_t now, const struct mline_desc *desc)
{
    (void)now;
    const struct mline_desc before = mline->desc;
    bool stopped = before.recv && !desc->recv;
    mline->desc = *desc;
    make_layers(mline, desc);
    if (mline->desc.layer_count == 0 || mline->desc.layer_count > LAYERS_MAX)
        mline->desc.layer_count = 1;
    for (uint8_t i = 0; i < mline->layer_room; i++) {
        struct rx_layer *rx = &mline->layers[i];
        rx->report.clock_hz = clock_of(desc);
        apply_ssrcs(mline, i, &before);
        if (stopped && rx->receiving)
            mline_receiving(mline, i, false, 0);
    }
    if (desc->ssrc != 0 && mline->tx.ssrc != desc->ssrc)
        mline->tx = (struct seal_tx_stream){.ssrc = desc->ssrc};
    if (desc->rtx_ssrc != 0 && mline->tx_rtx.ssrc != desc->rtx_ssrc)
        mline->tx_rtx = (struct seal_tx_stream){.ssrc = desc->rtx_ssrc};
    mline->report.clock_hz = clock_of(desc);
    apply_source(mline);
    if (mline->sink != NULL)
        sink_set_port(mline->sink, &mline->port, desc->nack, clock_of(desc));
}

uint8_t mline_rtx_pt(const struct mline *mline, uint8_t pt)
{
    for (uint8_t i = 0; i < mline->desc.pt_count && i < MLINE_PTS_MAX; i++)
        if (mline->desc.pts[i].pt == pt)
            return mline->desc.pts[i].rtx_pt;
    return 0;
}

bool mline_is_rtx_pt(const struct mline *mline, uint8_t pt)
{
    for (uint8_t i = 0; i < mline->desc.pt_count && i < MLINE_PTS_MAX; i++)
        if (mline->desc.pts[i].rtx_pt != 0 && mline->desc.pts[i].rtx_pt == pt)
            return true;
    return false;
}

bool mline_is_red_pt(const struct mline *mline, uint8_t pt)
{
    for (uint8_t i = 0; i < mline->desc.pt_count && i < MLINE_PTS_MAX; i++)
        if (mline->desc.pts[i].pt == pt)
            return mline->desc.pts[i].codec == CODEC_RED;
    return false;
}

void mline_receiving(struct mline *mline, uint8_t layer, bool receiving, uint32_t seconds)
{
    struct rx_layer *rx = &mline->layers[layer];
    rx->receiving = receiving;
    peer_tell(mline->peer, &(struct peer_event){
        .kind = PEER_EVENT_MEDIA,
        .mindex = mline->desc.mindex,
        .substream = mline->desc.layer_count > 1 ? (int8_t)layer : -1,
        .receiving = receiving,
        .count = seconds,
    });
}

/* Without RTX a lost packet is sent again as the very bytes that were sent, so they are kept (design section 5). */
void mline_keep_sealed(struct mline *mline, usec_t now, struct view packet)
{
    struct peer_env *env = mline->peer->env;
    if (packet.size < RTP_HEADER_SIZE || packet.size > EGRESS_PACKET)
        return;
    if (mline->sealed == NULL)
        mline->sealed = mem_get_zero(sizeof(*mline->sealed));
    uint16_t seq = get_u16(packet.data + 2);
    struct sealed_packet **slot = &mline->sealed->slots[seq & (SEALED_RING - 1)];
    if (*slot == NULL)
        *slot = pool_get(&env->sealed);
    if (*slot == NULL) {
        env->counters.sealed_full++;
        return;
    }
    (*slot)->seq = seq;
    (*slot)->size = (uint16_t)packet.size;
    (*slot)->sent_at = now;
    memcpy((*slot)->bytes, packet.data, packet.size);
}

void mline_expire_sealed(struct mline *mline, usec_t now)
{
    bool any = false;
    if (mline->sealed == NULL)
        return;
    for (unsigned i = 0; i < SEALED_RING; i++) {
        struct sealed_packet **slot = &mline->sealed->slots[i];
        if (*slot != NULL && now - (*slot)->sent_at > SINK_KEEP_US) {
            pool_put(&mline->peer->env->sealed, *slot);
            *slot = NULL;
        }
        any = any || *slot != NULL;
    }
    if (!any)
        drop_sealed(mline);
}

const struct sealed_packet *mline_sealed(const struct mline *mline, usec_t now, uint16_t seq)
{
    if (mline->sealed == NULL)
        return NULL;
    const struct sealed_packet *kept = mline->sealed->slots[seq & (SEALED_RING - 1)];
    return kept != NULL && kept->seq == seq && now - kept->sent_at <= SINK_KEEP_US ? kept : NULL;
}
