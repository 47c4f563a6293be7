#include "media/sink.h"

#include <string.h>

#include "media/history.h"
#include "media/hold.h"
#include "media/source.h"
#include "proto/rtp/codec.h"
#include "proto/rtp/red.h"
#include "proto/rtp/vp8.h"

#define PICTURE_ID_BITS 15
#define REPORT_FAR_US   SEC(60)     /* a report that maps this far from now is of no use: a clock was set, or it lies */

struct sink *sink_new(struct media *media, struct ref name, const struct sink_options *options, usec_t now)
{
    struct sink *sink = pool_get(&media->sinks);
    if (sink == NULL)
        return NULL;
    sink->media = media;
    sink->name = name;
    sink->options = *options;
    sink->rebase = true;
    list_init(&sink->by_source);
    list_init(&sink->changed);
    select_init(&sink->select, now, true, true);
    select_svc_init(&sink->svc, now);
    return sink;
}

void sink_free(struct sink *sink)
{
    sink_set_source(sink, NULL, 0);
    list_del(&sink->changed);
    pool_put(&sink->media->maps, sink->map);
    pool_put(&sink->media->sinks, sink);
}

/* Somebody may ask again for what the source sends: it keeps its packets from now on. */
static void want_kept(struct sink *sink)
{
    if (sink->source != NULL && sink->answers_nack)
        sink->source->keeps = true;
}

void sink_set_port(struct sink *sink, struct port *port, bool answers_nack, uint32_t clock_hz)
{
    sink->port = port;
    sink->answers_nack = answers_nack;
    if (sink->source == NULL)
        sink->clock_hz = clock_hz;          /* else it is the source's */
    want_kept(sink);
}

void sink_go_on(struct sink *sink, const struct sink_numbers *numbers)
{
    if (!numbers->any)
        return;
    sink->sent_any = true;
    sink->rebase = true;
    sink->seqs.out_last = numbers->seq;
    sink->ts_last = numbers->ts;
    sink->sent_at = numbers->at;
    sink->pictures.out_last = numbers->picture_id;
    sink->tl0_last = numbers->tl0picidx;
}

void sink_numbers_of(const struct sink *sink, struct sink_numbers *out)
{
    if (!sink->sent_any)
        return;
    *out = (struct sink_numbers){
        .any = true,
        .seq = sink->seqs.out_last,
        .ts = sink->ts_last,
        .at = sink->sent_at,
        .picture_id = sink->pictures.out_last,
        .tl0picidx = sink->tl0_last,
    };
}

static void report_layer(struct sink *sink)
{
    if (list_is_empty(&sink->changed))
        list_add_tail(&sink->media->layers, &sink->changed);
}

static void set_targets(struct sink *sink, usec_t now)
{
    const struct sink_options *options = &sink->options;
    select_set_targets(&sink->select, options->substream_target, options->temporal_target, options->fallback_us);
    select_svc_set_targets(&sink->svc, now, options->substream_target, options->temporal_target);
}

/* What follows needs a keyframe to stand on. */
static void wait_for_keyframe(struct sink *sink, usec_t now)
{
    select_restart(&sink->select, now);
    select_svc_restart(&sink->svc, now);
    sink->holds = false;
}

/* Of the codecs there are two with layers that can be told apart in one stream. */
static bool is_svc(const struct sink *sink)
{
    const struct source_desc *desc = &sink->source->desc;
    return sink->options.svc && desc->layer_count <= 1 && (desc->codec == CODEC_VP9 || desc->codec == CODEC_AV1);
}

/* A substream needs a keyframe to go to, and so does a higher spatial layer; all else is there already. */
static bool needs_keyframe(const struct sink *sink, const struct sink_options *before)
{
    if (sink->has_svc)
        return sink->options.substream_target > before->substream_target;
    return before->substream_target != sink->options.substream_target || before->temporal_target != sink->options.temporal_target;
}

void sink_set_options(struct sink *sink, const struct sink_options *options, usec_t now)
{
    const struct sink_options before = sink->options;
    bool resumed = before.paused && !options->paused;
    sink->options = *options;
    if (sink->source != NULL && is_svc(sink) != sink->has_svc) {
        sink->has_svc = !sink->has_svc;
        resumed = true;
    }
    set_targets(sink, now);
    if (resumed) {
        sink->rebase = true;
        wait_for_keyframe(sink, now);
    }
    if (sink->source != NULL && (resumed || needs_keyframe(sink, &before)))
        source_want_keyframe(sink->source);
}

void sink_set_source(struct sink *sink, struct source *source, usec_t now)
{
    if (sink->source == source)
        return;
    if (sink->source != NULL) {
        list_del(&sink->by_source);
        sink->source->sink_count--;
        sink->source->impatient -= sink->impatient;
    }
    sink->source = source;
    sink->rebase = true;
    sink->holds = false;
    if (sink->map != NULL)
        memset(sink->map, 0, sizeof(*sink->map));      /* what was sent can't be found in the new source */
    if (source == NULL)
        return;
    hold_let_go(source);                /* what waits is none of this receiver's: it may get it by a replay */
    list_add_tail(&source->sinks, &sink->by_source);
    source->sink_count++;
    source->impatient += sink->impatient;
    bool blind = source->desc.kind != MEDIA_VIDEO || source->desc.opaque;
    select_init(&sink->select, now, source->desc.layer_count <= 1, blind);
    select_svc_init(&sink->svc, now);
    set_targets(sink, now);
    sink->has_svc = is_svc(sink);
    sink->clock_hz = source->desc.clock_hz;
    want_kept(sink);
    source_want_keyframe(source);
}

/* Numbers go on at last + 1; time moves by what the clock has moved, by one unit at least (webrtc.md 14). A receiver that
 * has got nothing yet starts at sequence 1 and timestamp 0. */
static void rebase(struct sink *sink, const struct media_packet *packet)
{
    uint16_t next = sink->sent_any ? (uint16_t)(sink->seqs.out_last + 1) : 1;
    seqmap_rebase(&sink->seqs, packet->seq, next);
    uint32_t ts = 0;
    if (sink->sent_any) {
        usec_t passed = packet->arrived > sink->sent_at ? packet->arrived - sink->sent_at : 0;
        uint64_t units = passed * sink->clock_hz / 1000000u;
        ts = sink->ts_last + (units > 0 ? (uint32_t)units : 1);
    }
    sink->ts_shift = ts - packet->ts;
    sink->epoch = packet->epoch;
    sink->rebase = false;
    sink->pictures.count = 0;           /* theirs begin anew with the next packet that has one */
}

static void rebase_vp8(struct sink *sink, const struct vp8_descriptor *vp8)
{
    uint16_t next = sink->sent_any ? (uint16_t)(sink->pictures.out_last + 1) : vp8->picture_id;
    seqmap_rebase(&sink->pictures, vp8->picture_id, next);
    sink->tl0_shift = sink->sent_any ? (uint8_t)(sink->tl0_last + 1 - vp8->tl0picidx) : 0;
}

/* Picture ids have 7 or 15 bits; seqmap counts in 16. The id is moved to the 16-bit number nearest to the newest one. */
static uint16_t widen_picture_id(const struct sink *sink, const struct vp8_descriptor *vp8)
{
    unsigned bits = vp8->picture_id_bits == 7 ? 7 : PICTURE_ID_BITS;
    uint16_t newest = sink->pictures.in_last;
    uint16_t span = (uint16_t)(1u << bits);
    uint16_t candidate = (uint16_t)((newest & ~(span - 1u)) | (vp8->picture_id & (span - 1u)));
    int distance = seq_distance(candidate, newest);
    if (bits < 16 && distance > span / 2)
        candidate = (uint16_t)(candidate - span);
    else if (bits < 16 && distance < -(int)span / 2)
        candidate = (uint16_t)(candidate + span);
    return candidate;
}

static struct sink_sent *remember(struct sink *sink, const struct media_packet *packet, const struct port_packet *out)
{
    if (!sink->answers_nack)
        return NULL;
    if (sink->map == NULL && (sink->map = pool_get(&sink->media->maps)) == NULL)
        return NULL;
    struct sink_sent *sent = &sink->map->sent[out->seq & (SINK_MAP_SIZE - 1)];
    *sent = (struct sink_sent){.seq = out->seq, .from = packet->seq, .ts = out->ts, .layer = packet->layer & 3u, .used = 1,
                               .marker = out->marker, .epoch = packet->epoch};
    return sent;
}

static void patch_vp8(struct port_packet *out, const struct vp8_descriptor *vp8, uint16_t picture_id, uint8_t tl0picidx)
{
    if (vp8->size > PORT_PATCH_MAX)
        return;
    memcpy(out->patch, out->payload.data, vp8->size);
    vp8_rewrite(out->patch, vp8, picture_id, tl0picidx);
    out->patch_size = vp8->size;
}

static bool has_pictures(const struct media_packet *packet)
{
    return packet->vp8.picture_id_bits > 0;
}

/* The picture id as the receiver sees it. False: its picture was left out, or is too long ago. Ids that go back while sequence
 * numbers go on are a publisher's encoder that has begun anew: the receiver must not see that. */
static bool map_picture(struct sink *sink, const struct media_packet *packet, uint16_t *picture_id)
{
    const struct vp8_descriptor *vp8 = &packet->vp8;
    const bool newest = seq_distance(packet->seq, sink->seqs.in_last) > 0;
    const uint16_t wide = widen_picture_id(sink, vp8);
    if (sink->pictures.count > 0 && !(newest && seq_distance(wide, sink->pictures.in_last) < 0))
        return seqmap_get(&sink->pictures, wide, picture_id);
    rebase_vp8(sink, vp8);
    return seqmap_get(&sink->pictures, vp8->picture_id, picture_id);
}

/* A packet of the chosen layer that the receiver does not get: later numbers close up. */
static void leave_out(struct sink *sink, const struct media_packet *packet)
{
    seqmap_drop(&sink->seqs, packet->seq);
    if (has_pictures(packet))
        seqmap_drop(&sink->pictures, widen_picture_id(sink, &packet->vp8));
    sink->media->counters.dropped_layer++;
}

/* Redundant audio goes to those who take it; others get what it is about. */
static void fill_red(const struct sink *sink, const struct media_packet *packet, struct port_packet *out)
{
    if (!packet->red)
        return;
    if (sink->options.red_pt != 0)
        out->pt = sink->options.red_pt;
    else
        (void)red_primary(out->payload, &out->payload);     /* what can't be read goes as it is: no worse than lost */
}

static void fill(const struct sink *sink, const struct media_packet *packet, struct port_packet *out, struct rtp_ext_values *ext)
{
    *out = (struct port_packet){
        .pt = sink->options.pt,
        .marker = packet->marker,
        .padding = packet->padding,
        .source_pt = packet->pt,
        .raw = packet->raw,
        .payload = {packet->payload, packet->payload_size},
        .ext = &packet->ext,
    };
    fill_red(sink, packet, out);
    if (sink->options.min_delay < 0 || sink->options.max_delay < 0)
        return;
    *ext = packet->ext;
    ext->has |= RTP_EXT_HAS_PLAYOUT_DELAY;
    ext->playout_min = (uint16_t)sink->options.min_delay;
    ext->playout_max = (uint16_t)sink->options.max_delay;
    out->ext = ext;
}

static void note_sent(struct sink *sink, const struct media_packet *packet, uint32_t ts)
{
    if (!sink->sent_any || (int32_t)(ts - sink->ts_last) > 0)
        sink->ts_last = ts;
    sink->sent_any = true;
    sink->sent_at = packet->arrived;
    sink->packets++;
    sink->bytes += packet->payload_size;
    sink->media->counters.packets_out++;
}

static void forward(struct sink *sink, const struct media_packet *packet, bool marker)
{
    struct rtp_ext_values ext;
    struct port_packet out;
    uint16_t picture_id = 0;
    const bool is_vp8 = has_pictures(packet);
    if (sink->rebase || packet->epoch != sink->epoch)
        rebase(sink, packet);
    if (is_vp8 && !map_picture(sink, packet, &picture_id)) {
        leave_out(sink, packet);            /* the rest of a picture whose beginning was not sent */
        return;
    }
    fill(sink, packet, &out, &ext);
    if (!seqmap_get(&sink->seqs, packet->seq, &out.seq)) {
        sink->media->counters.dropped_late++;
        return;
    }
    out.ts = packet->ts + sink->ts_shift;
    out.marker = marker;
    struct sink_sent *sent = remember(sink, packet, &out);
    if (is_vp8) {
        uint8_t tl0picidx = (uint8_t)(packet->vp8.tl0picidx + sink->tl0_shift);
        patch_vp8(&out, &packet->vp8, picture_id, tl0picidx);
        if (sent != NULL) {
            sent->picture_id = picture_id;
            sent->tl0picidx = tl0picidx;
        }
        if ((int8_t)(uint8_t)(tl0picidx - sink->tl0_last) > 0 || !sink->sent_any)
            sink->tl0_last = tl0picidx;
    }
    note_sent(sink, packet, out.ts);
    sink->port->ops->send(sink->port, packet->arrived, &out);
}

/* What comes does not follow from what came (see media_packet.epoch): it needs a keyframe to stand on. */
static void begin_epoch(struct sink *sink, const struct media_packet *packet)
{
    if ((int8_t)packet->layer != sink->select.substream || packet->epoch == sink->epoch)
        return;
    wait_for_keyframe(sink, packet->arrived);
    if (!packet->keyframe && !sink->select.blind)
        source_want_keyframe(sink->source);
}

/* Which stream, and what of it. */
static enum select_verdict choose(struct sink *sink, const struct media_packet *packet, bool *marker)
{
    const struct select_packet chosen = {packet->layer, packet->keyframe, packet->tid, packet->tid_up, packet->tid_down, packet->tid_jump};
    bool changed = false, wants_keyframe = false;
    enum select_verdict verdict = select_offer(&sink->select, packet->arrived, &chosen, &changed, &wants_keyframe);
    if (verdict == SELECT_RELAY_FIRST) {
        sink->rebase = true;
        sink->epoch = packet->epoch;        /* the packet itself may have to wait */
    }
    if (sink->has_svc && verdict != SELECT_SKIP)
        verdict = select_svc_offer(&sink->svc, packet, marker, &changed, &wants_keyframe);
    if (changed)
        report_layer(sink);
    if (wants_keyframe)
        source_want_keyframe(sink->source);
    return verdict;
}

/* Its marker is settled now if what follows is there already, by its coming late; else with the next packet. */
static void hold(struct sink *sink, const struct media_packet *packet)
{
    const struct source_layer *layer = &sink->source->layers[packet->layer];
    const struct media_packet *next = history_get(&layer->history, (uint16_t)(packet->seq + 1u));
    if (next != NULL || packet->seq != layer->newest || history_get(&layer->history, packet->seq) == NULL) {
        forward(sink, packet, next != NULL && select_svc_ends(&sink->svc, packet, next));
        return;
    }
    sink->holds = true;
    sink->held = packet->seq;
    sink->held_next = (uint16_t)(packet->seq + 1u);
}

/* The held packet goes, ahead of the one that has come: unless that is older, or a probe's empty number. */
static void let_go(struct sink *sink, const struct media_packet *packet)
{
    const struct media_packet *held = history_get(&sink->source->layers[packet->layer].history, sink->held);
    if (seq_distance(packet->seq, sink->held_next) < 0)
        return;
    if (packet->payload_size == 0 && packet->seq == sink->held_next) {
        sink->held_next++;
        return;
    }
    sink->holds = false;
    if (held != NULL)
        forward(sink, held, packet->seq == sink->held_next && select_svc_ends(&sink->svc, held, packet));
}

void sink_offer(struct sink *sink, const struct media_packet *packet)
{
    bool marker = packet->marker;
    if (sink->options.paused || sink->port == NULL || !sink->port->ops->is_ready(sink->port)) {
        sink->media->counters.dropped_paused++;
        if (sink->select.substream >= 0)
            wait_for_keyframe(sink, packet->arrived);
        sink->rebase = true;
        return;
    }
    begin_epoch(sink, packet);
    if (sink->holds)
        let_go(sink, packet);
    if (packet->payload_size == 0) {
        if ((int8_t)packet->layer == sink->select.substream)
            leave_out(sink, packet);
        return;
    }
    switch (choose(sink, packet, &marker)) {
    case SELECT_SKIP:
        sink->media->counters.dropped_layer++;
        break;
    case SELECT_DROP:
        leave_out(sink, packet);
        break;
    case SELECT_HOLD:
        hold(sink, packet);
        break;
    case SELECT_RELAY_FIRST:
    case SELECT_RELAY:
        forward(sink, packet, marker);
        break;
    }
}

static bool is_too_soon(const struct sink_sent *sent, usec_t now)
{
    if (sent->resent == 0)
        return false;
    usec_t wait = SINK_BACKOFF_US << (sent->resent - 1u);
    uint16_t passed_ms = (uint16_t)((uint16_t)(now / 1000u) - sent->resent_ms);
    return passed_ms < wait / 1000u;
}

void sink_nack(struct sink *sink, usec_t now, uint16_t seq)
{
    struct rtp_ext_values ext;
    struct port_packet out;
    struct media_counters *counters = &sink->media->counters;
    struct sink_sent *sent = sink->map == NULL ? NULL : &sink->map->sent[seq & (SINK_MAP_SIZE - 1)];
    if (sent == NULL || !sent->used || sent->seq != seq || sink->source == NULL) {
        counters->nack_missed++;
        return;
    }
    if (is_too_soon(sent, now)) {
        counters->nack_soon++;
        return;
    }
    const struct source_layer *layer = &sink->source->layers[sent->layer];
    const struct media_packet *packet = layer->epoch == sent->epoch ? history_get(&layer->history, sent->from) : NULL;
    if (packet == NULL || now - packet->arrived > SINK_KEEP_US) {
        counters->nack_missed++;
        return;
    }
    fill(sink, packet, &out, &ext);
    out.seq = seq;
    out.ts = sent->ts;
    out.again = true;
    out.marker = sent->marker;
    if (has_pictures(packet))
        patch_vp8(&out, &packet->vp8, sent->picture_id, sent->tl0picidx);
    if (sent->resent < SINK_BACKOFF_MAX)
        sent->resent++;
    sent->resent_ms = (uint16_t)(now / 1000u);
    counters->nack_answered++;
    sink->port->ops->send(sink->port, now, &out);
}

bool sink_report(const struct sink *sink, usec_t now, uint64_t wall_now_us, uint32_t *ts, uint64_t *wall_us)
{
    int layer = sink->select.substream < 0 ? 0 : sink->select.substream;
    if (sink->source == NULL || !sink->sent_any || sink->rebase)
        return false;
    const struct source_report *report = &sink->source->reports[layer];
    if (report->at == 0)
        return false;
    /* Both clocks are run forward from the publisher's own pair, so that its audio and video keep their distance. */
    int64_t passed_us = (int64_t)(wall_now_us - report->wall_us);
    if (passed_us > (int64_t)REPORT_FAR_US || passed_us < -(int64_t)REPORT_FAR_US)
        return false;
    (void)now;
    *wall_us = wall_now_us;
    *ts = report->ts + sink->ts_shift + (uint32_t)(passed_us * (int64_t)sink->clock_hz / 1000000);
    return true;
}
