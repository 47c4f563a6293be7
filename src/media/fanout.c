/* From one source to all who get it: local sinks and one copy per other worker that has any (design section 5). */
#include "media/forward.h"
#include "media/hold.h"
#include "media/seqmap.h"
#include "media/sink.h"
#include "media/source.h"

static void relay_packet(struct source *source, uint64_t workers, const struct media_packet *packet)
{
    const struct media_relay *relay = &source->media->relay;
    for (; workers != 0; workers &= workers - 1)
        relay->packet(relay->owner, (uint32_t)__builtin_ctzll(workers), source->name, packet);
}

/* A keyframe's first packet that comes behind others of it, by RTX or out of order: who begins with it gets those now. */
static void offer_late_beginning(struct source *source, struct sink *sink, const struct media_packet *packet)
{
    const struct source_layer *layer = &source->layers[packet->layer];
    const int8_t before = sink->select.substream;
    sink_offer(sink, packet);
    if (sink->select.substream == before || sink->select.substream != (int8_t)packet->layer)
        return;
    for (uint16_t seq = (uint16_t)(packet->seq + 1u); seq_distance(layer->newest, seq) >= 0; seq++) {
        const struct media_packet *kept = history_get(&layer->history, seq);
        if (kept != NULL)
            sink_offer(sink, kept);
    }
}

static void forward_packet(struct source *source, const struct media_packet *packet)
{
    LIST_EACH(it, &source->forwards)
        forward_offer(CONTAINER_OF(it, struct forward, by_source), packet);
}

void fanout_packet(struct source *source, const struct media_packet *packet)
{
    const bool begins_late = packet->keyframe && packet->seq != source->layers[packet->layer].newest;
    LIST_EACH(it, &source->sinks) {
        struct sink *sink = CONTAINER_OF(it, struct sink, by_source);
        if (begins_late)
            offer_late_beginning(source, sink, packet);
        else
            sink_offer(sink, packet);
    }
    forward_packet(source, packet);
    if (source->relay_mask != 0)
        relay_packet(source, source->relay_mask, packet);
}

void fanout_at_once(struct source *source, const struct media_packet *packet)
{
    if (source->impatient > 0)
        LIST_EACH(it, &source->sinks) {
            struct sink *sink = CONTAINER_OF(it, struct sink, by_source);
            if (sink->impatient)
                sink_offer(sink, packet);
        }
    forward_packet(source, packet);
}

/* A receiver's memory has gone cold since the frame before: what is behind the next one's pointers comes while this one is served. */
static void prefetch(const struct list *node)
{
    const struct sink *sink = CONTAINER_OF(node, const struct sink, by_source);
    __builtin_prefetch(sink->port);
    __builtin_prefetch(&sink->seqs);
    __builtin_prefetch(sink->by_source.next);
}

void fanout_frame(struct source *source, const struct media_packet *packets, uint32_t count)
{
    LIST_EACH(it, &source->sinks) {
        struct sink *sink = CONTAINER_OF(it, struct sink, by_source);
        if (it_next != &source->sinks)
            prefetch(it_next);
        for (uint32_t i = 0; i < count && !sink->impatient; i++)
            sink_offer(sink, &packets[i]);
    }
    for (uint32_t i = 0; i < count && source->relay_mask != 0; i++)
        relay_packet(source, source->relay_mask, &packets[i]);
}

static bool has_recent_key(const struct source_layer *layer, usec_t now)
{
    const struct history *history = &layer->history;
    return layer->started && history->has_key && now - history->key_at <= KEYFRAME_REPLAY_US &&
           history_get(history, history->key_seq) != NULL;
}

/* Every packet from the keyframe to the newest must still be there, else the receiver starts with a hole. */
static bool is_whole(const struct source_layer *layer)
{
    const struct history *history = &layer->history;
    for (uint16_t seq = history->key_seq; seq_distance(layer->newest, seq) >= 0; seq++)
        if (history_get(history, seq) == NULL)
            return false;
    return true;
}

static const struct source_layer *replay_layer(const struct source *source, uint8_t highest, usec_t now)
{
    if (!source->active)
        return NULL;
    for (unsigned i = highest + 1u; i-- > 0;)
        if (has_recent_key(&source->layers[i], now) && is_whole(&source->layers[i]))
            return &source->layers[i];
    return NULL;
}

bool fanout_replay(struct source *source, struct sink *sink, usec_t now)
{
    if (sink->source != source || sink_is_flowing(sink))
        return false;
    hold_let_go(source);
    uint8_t top = (uint8_t)(source->desc.layer_count - 1);
    uint8_t highest = sink->options.substream_target < top ? sink->options.substream_target : top;
    const struct source_layer *layer = replay_layer(source, highest, now);
    if (layer == NULL)
        return false;
    source->media->counters.replays++;
    for (uint16_t seq = layer->history.key_seq; seq_distance(layer->newest, seq) >= 0; seq++)
        sink_offer(sink, history_get(&layer->history, seq));
    return true;
}

bool fanout_replay_to_worker(struct source *source, uint32_t worker, usec_t now)
{
    bool any = false;
    hold_let_go(source);
    for (unsigned i = 0; i < source->desc.layer_count; i++) {
        const struct source_layer *layer = &source->layers[i];
        if (!source->active || !has_recent_key(layer, now) || !is_whole(layer))
            continue;
        for (uint16_t seq = layer->history.key_seq; seq_distance(layer->newest, seq) >= 0; seq++)
            relay_packet(source, 1ull << worker, history_get(&layer->history, seq));
        any = true;
    }
    return any;
}
