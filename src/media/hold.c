#include "media/hold.h"

static struct source *source_of(struct source_layer *layer)
{
    return CONTAINER_OF(layer - layer->index, struct source, layers);
}

static struct source_layer *layer_of(struct list *node)
{
    return CONTAINER_OF(node, struct source_layer, hold.node);
}

/* One size for all but the last, which may be shorter. */
static void pad(struct media *media, struct media_packet *packets, uint32_t count)
{
    uint16_t longest = 0;
    for (uint32_t i = 0; i < count; i++)
        longest = packets[i].payload_size > longest ? packets[i].payload_size : longest;
    for (uint32_t i = 0; i + 1 < count; i++)
        if (packets[i].payload_size > 0 && packets[i].payload_size + 1u == longest) {
            packets[i].padding = 1;
            media->counters.padded++;
        }
}

/* They go as if they had come now: their distances on the wire are none, and the time in their headers has to say so. */
static void release(struct source_layer *layer, usec_t now)
{
    struct source *source = source_of(layer);
    struct media_packet packets[HOLD_PACKETS];
    uint32_t count = 0;
    for (uint16_t i = 0; i < HOLD_PACKETS; i++) {
        const struct media_packet *kept = (layer->hold.mask >> i & 1u) == 0 ? NULL : history_get(&layer->history, (uint16_t)(layer->hold.first + i));
        if (kept == NULL)
            continue;
        packets[count] = *kept;
        now = packets[count].arrived > now ? packets[count].arrived : now;
        count++;
    }
    layer->hold.mask = 0;
    list_del(&layer->hold.node);
    for (uint32_t i = 0; i < count; i++)
        packets[i].arrived = now;
    if (source->media->pads && count > 1)
        pad(source->media, packets, count);
    fanout_frame(source, packets, count);
}

void hold_make_room(struct source *source, struct source_layer *layer, const struct media_packet *packet)
{
    (void)source;
    if (layer->hold.mask != 0 && (uint16_t)(packet->seq - layer->hold.first) >= HOLD_PACKETS)
        release(layer, packet->arrived);
}

static bool wants_hold(const struct source *source)
{
    return source->media->hold_us > 0 && source->desc.kind == MEDIA_VIDEO && (source->sink_count >= HOLD_RECEIVERS || source->relay_mask != 0);
}

/* Late within its frame, it takes its place there; else it goes as it comes. */
static bool is_late(const struct source_hold *hold, const struct media_packet *packet, bool newest)
{
    return !newest && (hold->mask == 0 || (hold->mask >> (uint16_t)(packet->seq - hold->first) & 1u) != 0);
}

bool hold_packet(struct source *source, struct source_layer *layer, const struct media_packet *packet, bool newest)
{
    struct source_hold *hold = &layer->hold;
    if (is_late(hold, packet, newest) || (hold->mask == 0 && (packet->marker || !wants_hold(source))))
        return false;
    if (history_get(&layer->history, packet->seq) == NULL) {
        hold_let_go(source);
        return false;
    }
    if (hold->mask == 0) {
        hold->first = packet->seq;
        hold->until = packet->arrived + source->media->hold_us;
        list_add_tail(&source->media->holding, &hold->node);
    }
    hold->mask |= (uint16_t)(1u << (uint16_t)(packet->seq - hold->first));
    source->media->counters.held++;
    fanout_at_once(source, packet);
    if ((packet->marker && newest) || (uint16_t)(packet->seq - hold->first) == HOLD_PACKETS - 1u)
        release(layer, packet->arrived);
    return true;
}

void hold_let_go(struct source *source)
{
    for (unsigned i = 0; i < LAYERS_MAX; i++)
        if (source->layers[i].hold.mask != 0)
            release(&source->layers[i], 0);
}

void hold_timeout(struct media *media, usec_t now)
{
    while (hold_deadline(media) <= now) {
        media->counters.held_late++;
        release(layer_of(media->holding.next), now);
    }
}

usec_t hold_deadline(const struct media *media)
{
    return list_is_empty(&media->holding) ? USEC_NEVER : layer_of(media->holding.next)->hold.until;
}
