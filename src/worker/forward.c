/* Forwards: what a publisher sends goes to an address outside as well (videoroom.md 6). One layer as it comes, or the best one
 * there is, chosen as for a viewer; messages: forward_data.c. In the clear or as SRTP; a (key, SSRC, index) is never sealed twice. */
#include <string.h>

#include "media/sink.h"
#include "worker/worker_private.h"

/* -- sending ----------------------------------------------------------------------------------------------------------------- */

static bool outlet_is_ready(const struct port *port)
{
    const struct outlet *outlet = (const void *)port;
    return plain_get(outlet->worker, outlet->order.way.plain) != NULL;
}

/* The publisher's own header with CSRCs and extensions; a bare one for what was kept. Returns its size. */
static size_t copy_header(uint8_t *out, const struct rtp_packet *raw)
{
    size_t size = RTP_HEADER_SIZE;
    if (raw == NULL) {
        out[0] = 2u << 6;
        return size;
    }
    size = raw->ext_offset > 0 ? (size_t)raw->ext_offset + raw->ext_size : RTP_HEADER_SIZE + 4u * raw->csrc_count;
    memcpy(out, raw->data, size);
    rtp_set_padding(out, false);
    return size;
}

static size_t write_packet(const struct outlet *outlet, const struct port_packet *packet, uint8_t *out, uint32_t *ssrc)
{
    const struct rtp_packet *raw = packet->raw;
    const size_t header_size = raw == NULL ? RTP_HEADER_SIZE : raw->payload_offset;
    if (header_size + packet->payload.size + SEAL_ROOM > EGRESS_PACKET)
        return 0;
    const size_t size = copy_header(out, raw);
    *ssrc = outlet->order.options.ssrc != 0 ? outlet->order.options.ssrc : raw != NULL ? raw->ssrc : outlet->tx.ssrc;
    rtp_set_marker(out, packet->marker);
    rtp_set_pt(out, outlet->order.options.pt != 0 ? outlet->order.options.pt : packet->source_pt);
    rtp_set_seq(out, packet->seq);
    rtp_set_ts(out, packet->ts);
    rtp_set_ssrc(out, *ssrc);
    memcpy(out + size, packet->patch, packet->patch_size);
    memcpy(out + size + packet->patch_size, packet->payload.data + packet->patch_size, packet->payload.size - packet->patch_size);
    return size;
}

static void outlet_send(struct port *port, usec_t now, const struct port_packet *packet)
{
    struct outlet *outlet = (void *)port;
    struct worker *w = outlet->worker;
    struct plain_item item = {.plain = outlet->order.way.plain, .to = outlet->order.way.to, .keys = outlet->keys};
    uint32_t ssrc = 0;
    (void)now;
    const size_t header_size = write_packet(outlet, packet, plain_reserve(w), &ssrc);
    if (header_size == 0) {
        w->counters.plain_too_large++;
        return;
    }
    if (outlet->tx.ssrc != ssrc)
        outlet->tx = (struct seal_tx_stream){.ssrc = ssrc};
    if (outlet->keys != NULL && !seal_tx_index(&outlet->tx, packet->seq, &item.index)) {
        w->counters.plain_index_used++;
        return;
    }
    item.header_size = (uint16_t)header_size;
    item.size = (uint16_t)(header_size + packet->payload.size);
    plain_commit(w, &item);
}

static const struct port_ops outlet_ops = {.send = outlet_send, .is_ready = outlet_is_ready};

/* -- orders ------------------------------------------------------------------------------------------------------------------ */

struct seal_master srtp_master_of(const struct srtp_master *srtp)
{
    struct seal_master master = {.profile = srtp->suite == 32 ? SEAL_AES128_CM_SHA1_32 : SEAL_AES128_CM_SHA1_80};
    memcpy(master.key, srtp->key, sizeof(srtp->key));
    memcpy(master.salt, srtp->salt, sizeof(srtp->salt));
    return master;
}

static bool set_keys(struct worker *w, struct outlet *outlet)
{
    if (outlet->order.options.srtp.suite == 0)
        return true;
    const struct seal_master master = srtp_master_of(&outlet->order.options.srtp);
    outlet->keys = seal_keys_new(w->env.seal, &master);
    return outlet->keys != NULL;
}

static void free_outlet(struct worker *w, struct outlet *outlet)
{
    plain_flush(w);                             /* what is to be sent names its keys */
    forward_detach(&outlet->forward);
    if (outlet->sink != NULL)
        sink_free(outlet->sink);
    if (outlet->data != NULL)
        data_sink_free(outlet->data);
    list_del(&outlet->asker);
    seal_keys_free(outlet->keys);
    pool_put(&w->outlet_pool, outlet);
}

static bool start(struct worker *w, usec_t now, struct outlet *outlet, struct source *source)
{
    const struct sink_options options = {.substream_target = LAYERS_MAX - 1, .temporal_target = 2, .min_delay = -1, .max_delay = -1};
    if (!set_keys(w, outlet))
        return false;
    if (!outlet->order.options.choose) {
        forward_attach(&outlet->forward, source, outlet->order.options.layer, &outlet->port);
        return true;
    }
    outlet->sink = sink_new(&w->media, REF_NONE, &options, now);
    if (outlet->sink == NULL)
        return false;
    outlet->sink->impatient = true;             /* a packet that was kept has lost what the publisher wrote around it */
    sink_set_port(outlet->sink, &outlet->port, false, source->desc.clock_hz);
    sink_set_source(outlet->sink, source, now);
    return true;
}

void on_forward_add(struct worker *w, usec_t now, const struct forward_add_order *order)
{
    struct source *source = slots_get(&w->sources, order->source);
    struct data_source *data = slots_get(&w->data_sources, order->source);
    struct plain *rtcp = plain_get(w, order->way.rtcp);
    const bool is_here = (source != NULL && !source->proxy) || (data != NULL && !data->proxy);
    if (!is_here || plain_get(w, order->way.plain) == NULL) {
        w->counters.orders_stale++;
        return;
    }
    struct outlet *outlet = pool_get(&w->outlet_pool);
    if (outlet == NULL) {
        w->counters.orders_refused++;
        return;
    }
    outlet->port.ops = &outlet_ops;
    outlet->worker = w;
    outlet->name = order->forward;
    outlet->order = *order;
    list_init(&outlet->asker);
    if (!(data != NULL ? outlet_start_data(outlet, data) : start(w, now, outlet, source)) || !slots_put(&w->outlets, order->forward, outlet)) {
        w->counters.orders_refused++;
        free_outlet(w, outlet);
        return;
    }
    if (rtcp != NULL)
        list_add_tail(&rtcp->askers, &outlet->asker);
}

void on_forward_del(struct worker *w, usec_t now, const struct forward_del_order *order)
{
    struct outlet *outlet = slots_get(&w->outlets, order->forward);
    (void)now;
    if (outlet == NULL) {
        w->counters.orders_stale++;
        return;
    }
    slots_del(&w->outlets, order->forward);
    free_outlet(w, outlet);
}

void outlets_close(struct worker *w)
{
    for (uint32_t i = slots_next(&w->outlets, 0); i != UINT32_MAX; i = slots_next(&w->outlets, i + 1)) {
        const struct outlet *outlet = slots_at(&w->outlets, i);
        on_forward_del(w, 0, &(struct forward_del_order){outlet->name});
    }
}

void outlet_asked(struct outlet *outlet, uint32_t media_ssrc)
{
    struct source *source = outlet->sink != NULL ? outlet->sink->source : outlet->forward.source;
    if (source != NULL && (!outlet->order.options.match_ssrc || media_ssrc == outlet->order.options.ssrc))
        source_want_keyframe(source);
}
