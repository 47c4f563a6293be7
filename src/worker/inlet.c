/* Inlets: plain RTP (or SRTP) of another server feeds a source, as a PeerConnection's m-line does (videoroom.md 7). All streams of
 * one publisher come to one port; the SSRC tells which, and which layer. Keyframes are asked for by a PLI to whoever has shown
 * itself on the RTCP socket. */
#include "proto/rtcp/rtcp.h"
#include "proto/rtp/codec.h"
#include "proto/rtp/ext.h"
#include "proto/rtp/red.h"
#include "worker/worker_private.h"

#define INLET_KEYFRAME_EVERY_US SEC(1)  /* videoroom.md 7 */
#define INLET_JUMP              3000    /* a number this far away is of a stream that has begun anew */
#define INLET_SILENCE_US        MSEC(500)   /* after which one that goes back is of such a stream too: nothing is so late */
#define INLET_SENDER_SSRC       1u
#define INLETS_EVERY_US         SEC(1)

/* -- what comes in ----------------------------------------------------------------------------------------------------------- */

static struct inlet *find(const struct plain *plain, uint32_t ssrc)
{
    LIST_EACH(it, &plain->inlets) {
        struct inlet *inlet = CONTAINER_OF(it, struct inlet, of_plain);
        if (ssrc - inlet->options.ssrc < inlet->options.desc.layer_count)
            return inlet;
    }
    return NULL;
}

static bool open_seal(const struct inlet *inlet, struct inlet_layer *layer, struct rtp_packet *packet, size_t size)
{
    struct seal_job job = {.keys = inlet->keys, .packet = packet->data, .header_size = packet->payload_offset, .size = (uint16_t)size};
    if (!seal_rx_guess(&layer->rx, packet->seq, &job.index))
        return false;
    seal_open(inlet->worker->env.seal, &job, 1);
    return job.ok && seal_rx_commit(&layer->rx, job.index) && rtp_finish(packet, job.size);
}

/* False: nothing that can be believed. */
static bool read_packet(const struct inlet *inlet, struct inlet_layer *layer, struct rtp_packet *packet, size_t size)
{
    return inlet->keys != NULL ? open_seal(inlet, layer, packet, size) : rtp_finish(packet, size);
}

static bool is_renumbered(struct inlet_layer *layer, usec_t now, uint16_t seq)
{
    const int distance = (int16_t)(uint16_t)(seq - layer->newest);
    const bool back = distance <= 0 && now - layer->heard_at > INLET_SILENCE_US;
    const bool jumped = layer->started && (back || distance > INLET_JUMP || distance < -INLET_JUMP);
    layer->heard_at = now;
    if (!layer->started || distance > 0 || jumped)
        layer->newest = seq;
    layer->started = true;
    return jumped;
}

/* The far side's payload types are its own. In a stream of RED every packet is one, but those of the type that it wraps (RFC 2198 4). */
static bool is_red(const struct inlet *inlet, struct inlet_layer *layer, const struct media_packet *packet)
{
    if (inlet->options.desc.codec != CODEC_RED || packet->pt == layer->primary_pt)
        return false;
    (void)red_primary_pt(VIEW(packet->payload, packet->payload_size), &layer->primary_pt);
    return true;
}

void inlet_input(struct worker *w, usec_t now, const struct plain *plain, uint8_t *data, size_t size)
{
    struct rtp_packet packet;
    if (!rtp_parse_header(&packet, VIEW(data, size))) {
        w->counters.plain_strange++;
        return;
    }
    struct inlet *inlet = find(plain, packet.ssrc);
    if (inlet != NULL && inlet->data != NULL && rtp_finish(&packet, size)) {
        inlet_data_input(inlet, now, &packet);
        return;
    }
    const uint32_t which = inlet == NULL ? 0 : packet.ssrc - inlet->options.ssrc;
    if (inlet == NULL || inlet->data != NULL || !read_packet(inlet, &inlet->layers[which], &packet, size)) {
        w->counters.plain_strange++;
        return;
    }
    struct media_packet media = {
        .arrived = now,
        .ts = packet.ts,
        .seq = packet.seq,
        .layer = (uint8_t)which,
        .marker = packet.marker,
        .pt = packet.pt,
        .raw = &packet,
        .payload = packet.data + packet.payload_offset,
        .payload_size = packet.payload_size,
    };
    media.red = is_red(inlet, &inlet->layers[which], &media);
    rtp_ext_read(&media.ext, &packet, &inlet->options.ext);
    source_input(inlet->source, &media, is_renumbered(&inlet->layers[which], now, packet.seq));
}

/* -- what goes back ---------------------------------------------------------------------------------------------------------- */

void inlet_ask_keyframe(struct inlet *inlet)
{
    struct worker *w = inlet->worker;
    const struct plain *rtcp = plain_get(w, inlet->options.rtcp);
    if (rtcp == NULL || rtcp->from.family == NET_NONE)
        return;                                 /* nobody has shown itself yet: the next ask may find one */
    struct writer out = writer_of(plain_reserve(w), EGRESS_PACKET);
    (void)rtcp_write_pli(&out, INLET_SENDER_SSRC, inlet->options.ssrc);
    plain_commit(w, &(struct plain_item){.plain = rtcp->name, .to = rtcp->from, .size = (uint16_t)writer_size(&out)});
}

/* -- orders ------------------------------------------------------------------------------------------------------------------ */

static bool set_keys(struct worker *w, struct inlet *inlet)
{
    if (inlet->options.srtp.suite == 0)
        return true;
    const struct seal_master master = srtp_master_of(&inlet->options.srtp);
    inlet->keys = seal_keys_new(w->env.seal, &master);
    return inlet->keys != NULL;
}

static void free_inlet(struct worker *w, struct inlet *inlet)
{
    list_del(&inlet->of_plain);
    seal_keys_free(inlet->keys);
    if (inlet->source != NULL) {
        slots_del(&w->sources, inlet->name);
        source_orphan(inlet->source);           /* other workers are told when it is buried */
    }
    if (inlet->data != NULL)
        relay_data_orphan(w, inlet->data);
    pool_put(&w->inlet_pool, inlet);
}

static bool start_data(struct worker *w, struct inlet *inlet)
{
    struct data_source *data = data_source_new(&w->media, inlet->name);
    if (data == NULL)
        return false;
    if (!data_source_put(&w->data_sources, data)) {
        data_source_free(data);
        return false;
    }
    inlet->data = data;
    inlet->options.desc.layer_count = 1;
    return slots_put(&w->inlets, inlet->name, inlet);
}

static bool start(struct worker *w, struct inlet *inlet)
{
    if (inlet->options.desc.kind == MEDIA_DATA)
        return start_data(w, inlet);
    if (!set_keys(w, inlet))
        return false;
    struct source *source = source_new(&w->media, inlet->name, &inlet->options.desc);
    if (source == NULL)
        return false;
    if (!source_put(&w->sources, source)) {
        source_free(source);
        return false;
    }
    source->inlet = inlet;
    source->keyframe_every_us = INLET_KEYFRAME_EVERY_US;
    inlet->source = source;
    inlet->options.desc = source->desc;         /* its layers are within bounds there */
    return slots_put(&w->inlets, inlet->name, inlet);
}

void on_inlet_open(struct worker *w, usec_t now, const struct inlet_open_order *order)
{
    struct plain *plain = plain_get(w, order->options.plain);
    if (plain == NULL) {
        w->counters.orders_stale++;
        return;
    }
    struct inlet *inlet = pool_get(&w->inlet_pool);
    if (inlet == NULL) {
        w->counters.orders_refused++;
        return;
    }
    inlet->worker = w;
    inlet->name = order->source;
    inlet->options = order->options;
    list_init(&inlet->of_plain);
    if (!start(w, inlet)) {
        w->counters.orders_refused++;
        free_inlet(w, inlet);
        return;
    }
    list_add_tail(&plain->inlets, &inlet->of_plain);
    w->inlets_at = usec_min(w->inlets_at, now + INLETS_EVERY_US);
}

void on_inlet_close(struct worker *w, usec_t now, const struct inlet_close_order *order)
{
    struct inlet *inlet = slots_get(&w->inlets, order->source);
    (void)now;
    if (inlet == NULL) {
        w->counters.orders_stale++;
        return;
    }
    slots_del(&w->inlets, order->source);
    free_inlet(w, inlet);
}

/* What is old is given back. */
void inlets_look(struct worker *w, usec_t now)
{
    if (now < w->inlets_at)
        return;
    for (uint32_t i = slots_next(&w->inlets, 0); i != UINT32_MAX; i = slots_next(&w->inlets, i + 1)) {
        const struct inlet *inlet = slots_at(&w->inlets, i);
        if (inlet->source != NULL)
            source_expire(inlet->source, now);
    }
    w->inlets_at = w->inlets.count == 0 ? USEC_NEVER : now + INLETS_EVERY_US;
}

void inlets_close(struct worker *w)
{
    for (uint32_t i = slots_next(&w->inlets, 0); i != UINT32_MAX; i = slots_next(&w->inlets, i + 1)) {
        const struct inlet *inlet = slots_at(&w->inlets, i);
        on_inlet_close(w, 0, &(struct inlet_close_order){inlet->name});
    }
}
