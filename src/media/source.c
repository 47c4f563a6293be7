#include "media/source.h"

#include "base/check.h"
#include "media/forward.h"
#include "media/hold.h"
#include "media/seqmap.h"
#include "media/sink.h"
#include "proto/rtp/codec.h"
#include "proto/rtp/vp8.h"
#include "proto/rtp/vp9.h"

struct source *source_new(struct media *media, struct ref name, const struct source_desc *desc)
{
    struct source *source = pool_get(&media->sources);
    if (source == NULL)
        return NULL;
    source->media = media;
    source->name = name;
    source->desc = *desc;
    source->active = true;
    source->keyframe_every_us = KEYFRAME_EVERY_US;
    source->keeps = desc->kind == MEDIA_VIDEO;
    if (source->desc.layer_count == 0 || source->desc.layer_count > LAYERS_MAX)
        source->desc.layer_count = 1;
    list_init(&source->sinks);
    list_init(&source->forwards);
    list_init(&source->wanting);
    list_init(&source->talking);
    for (uint8_t i = 0; i < LAYERS_MAX; i++) {
        source->layers[i].index = i;
        list_init(&source->layers[i].hold.node);
    }
    return source;
}

static void let_sinks_go(struct source *source)
{
    LIST_EACH(it, &source->forwards)
        forward_detach(CONTAINER_OF(it, struct forward, by_source));
    LIST_EACH(it, &source->sinks)
        sink_set_source(CONTAINER_OF(it, struct sink, by_source), NULL, 0);
    hold_let_go(source);                /* to nobody */
    CHECK(source->sink_count == 0);
}

void source_orphan(struct source *source)
{
    let_sinks_go(source);
    source->origin = source->inlet = NULL;
    source->keyframe_wanted = false;
    list_del(&source->talking);
    list_del(&source->wanting);
    list_add_tail(&source->media->orphans, &source->wanting);
}

void source_free(struct source *source)
{
    let_sinks_go(source);
    for (unsigned i = 0; i < LAYERS_MAX; i++)
        history_clear(&source->layers[i].history, source->media);
    list_del(&source->wanting);
    list_del(&source->talking);
    pool_put(&source->media->sources, source);
}

bool source_put(struct slots *sources, struct source *source)
{
    if (slots_put(sources, source->name, source))
        return true;
    struct source *older = slots_at(sources, source->name.slot);
    if (older == NULL)
        return false;
    slots_del(sources, older->name);
    source_orphan(older);
    return slots_put(sources, source->name, source);
}

/* Where in the stream a packet stands, as far as its codec says (webrtc.md 15, 16). What cannot be read is relayed as it is. */
static void look_into_vp8(struct media_packet *packet, struct view payload)
{
    if (!vp8_parse(&packet->vp8, payload)) {
        packet->vp8.picture_id_bits = 0;
        return;
    }
    packet->keyframe = packet->vp8.keyframe;
    if (!packet->vp8.has_tid)
        return;
    packet->tid = (int8_t)packet->vp8.tid;
    packet->tid_up = (uint8_t)(1u << packet->vp8.tid);
    packet->tid_down = packet->tid_jump = true;
}

static void look_into_vp9(struct source_layer *layer, struct media_packet *packet, struct view payload)
{
    struct vp9_descriptor vp9;
    if (!vp9_parse(&vp9, payload))
        return;
    packet->keyframe = vp9.keyframe;
    if (vp9.has_structure)
        layer->spatial_count = vp9.spatial_count;
    packet->spatial_count = layer->spatial_count;
    if (!vp9.has_layers)
        return;
    packet->sid = (int8_t)vp9.sid;
    packet->tid = (int8_t)vp9.tid;
    packet->frame_end = packet->tid_down = vp9.end_of_frame;
    /* With a picture, not in the middle of one: lower spatial layers have gone by then. */
    if (vp9.switching_up && vp9.start_of_frame && vp9.sid == 0)
        packet->tid_up = (uint8_t)(1u << vp9.tid);
}

/* False: it has none that can be read. */
static bool look_into_descriptor(struct source_layer *layer, struct media_packet *packet, bool *has_structure)
{
    struct dd dd;
    if ((packet->ext.has & RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR) == 0 ||
        !dd_parse(&dd, &layer->structure, packet->ext.dependency_descriptor) || !dd.has_layer)
        return false;
    *has_structure = dd.has_structure;
    packet->spatial_count = layer->structure.active_spatial_count;
    packet->sid = (int8_t)dd.spatial;
    packet->tid = (int8_t)dd.temporal;
    packet->frame_end = dd.end_of_frame;
    packet->tid_down = true;
    packet->tid_up = dd.start_of_frame ? dd.switch_to : 0;
    return true;
}

static void look_into(const struct source *source, struct source_layer *layer, struct media_packet *packet)
{
    const struct view payload = {packet->payload, packet->payload_size};
    bool has_structure = false;
    packet->keyframe = packet->tid_down = packet->tid_jump = packet->frame_end = false;
    packet->sid = packet->tid = -1;
    packet->tid_up = packet->spatial_count = packet->vp8.picture_id_bits = 0;
    if (source->desc.kind != MEDIA_VIDEO || payload.size == 0)
        return;
    if (source->desc.opaque) {
        /* End-to-end encrypted: the descriptor is all that there is. It has a structure where a keyframe begins. */
        packet->keyframe = look_into_descriptor(layer, packet, &has_structure) && has_structure;
        return;
    }
    switch ((int)source->desc.codec) {
    case CODEC_VP8:
        look_into_vp8(packet, payload);
        break;
    case CODEC_VP9:
        look_into_vp9(layer, packet, payload);
        break;
    case CODEC_AV1:
        packet->keyframe = codec_is_keyframe(CODEC_AV1, payload);
        (void)look_into_descriptor(layer, packet, &has_structure);
        break;
    default:
        packet->keyframe = codec_is_keyframe((enum codec)source->desc.codec, payload);
        break;
    }
}

static void begin_epoch(struct source *source, struct source_layer *layer)
{
    if (!layer->started)
        return;
    hold_let_go(source);
    layer->epoch++;
    layer->started = false;
    layer->structure.known = false;
    layer->spatial_count = 0;
    history_clear(&layer->history, source->media);
}

void source_input(struct source *source, struct media_packet *packet, bool renumbered)
{
    CHECK(packet->layer < LAYERS_MAX);
    struct source_layer *layer = &source->layers[packet->layer];
    if (renumbered) {
        begin_epoch(source, layer);
        source->reports[packet->layer] = (struct source_report){0};
    }
    source->media->counters.packets_in++;
    if (!source->active) {
        source->media->counters.dropped_inactive++;
        return;
    }
    const bool newest = !layer->started || seq_distance(packet->seq, layer->newest) > 0;
    if (newest)
        layer->newest = packet->seq;
    layer->started = true;
    packet->epoch = layer->epoch;
    if ((packet->ext.has & RTP_EXT_HAS_AUDIO_LEVEL) != 0 && levels_input(&source->levels, packet->ext.audio_level) &&
        list_is_empty(&source->talking))
        list_add_tail(&source->media->talkers, &source->talking);
    look_into(source, layer, packet);
    if (packet->keyframe && packet->layer + 1 == source->desc.layer_count)
        source->keyframe_wanted = false;        /* the highest layer has what was asked for */
    hold_make_room(source, layer, packet);
    if (source->keeps)
        history_put(&layer->history, source->media, packet);
    if (!hold_packet(source, layer, packet, newest))
        fanout_packet(source, packet);
}

void source_report(struct source *source, uint8_t layer, usec_t now, uint64_t wall_us, uint32_t ts)
{
    if (layer >= LAYERS_MAX)
        return;
    source->reports[layer] = (struct source_report){now, wall_us, ts};
    const struct media_relay *relay = &source->media->relay;
    for (uint64_t workers = source->relay_mask; workers != 0; workers &= workers - 1)
        relay->report(relay->owner, (uint32_t)__builtin_ctzll(workers), source->name, layer, wall_us, ts);
}

void source_want_keyframe(struct source *source)
{
    if (source->desc.kind != MEDIA_VIDEO)
        return;
    source->keyframe_wanted = true;
    if (list_is_empty(&source->wanting))
        list_add_tail(&source->media->keyframes, &source->wanting);
}

usec_t source_keyframe_deadline(const struct source *source)
{
    if (!source->keyframe_wanted)
        return 0;                               /* due at once: it only has to leave the list */
    return source->keyframe_asked_at == 0 ? 0 : source->keyframe_asked_at + source->keyframe_every_us;
}

bool source_keyframe_due(struct source *source, usec_t now)
{
    if (now < source_keyframe_deadline(source))
        return false;
    list_del(&source->wanting);
    if (!source->keyframe_wanted)
        return false;
    source->keyframe_wanted = false;
    source->keyframe_asked_at = now;
    source->media->counters.keyframes_asked++;
    return true;
}

void source_set_active(struct source *source, bool active)
{
    if (source->active == active)
        return;
    source->active = active;
    if (!active)
        return;
    for (unsigned i = 0; i < LAYERS_MAX; i++)
        begin_epoch(source, &source->layers[i]);
    source_want_keyframe(source);
}

void source_expire(struct source *source, usec_t now)
{
    for (unsigned i = 0; i < LAYERS_MAX; i++)
        history_expire(&source->layers[i].history, source->media, now);
}
