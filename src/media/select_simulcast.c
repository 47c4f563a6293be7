#include "media/select_simulcast.h"

#include "media/media_types.h"

void select_init(struct select_simulcast *select, usec_t now, bool single, bool blind)
{
    *select = (struct select_simulcast){
        .substream_target = SELECT_TARGET_DEFAULT,
        .temporal_target = SELECT_TARGET_DEFAULT,
        .fallback_us = SINK_FALLBACK_US,
        .blind = blind,
        .single = single,
    };
    select_restart(select, now);
}

void select_set_targets(struct select_simulcast *select, uint8_t substream, uint8_t temporal, uint32_t fallback_us)
{
    select->substream_target = (int8_t)substream;
    select->temporal_target = (int8_t)temporal;
    select->fallback_us = fallback_us == 0 ? SINK_FALLBACK_US : fallback_us;
    if (select->substream_limit >= select->substream_target)
        select->substream_limit = -1;
}

void select_restart(struct select_simulcast *select, usec_t now)
{
    select->substream = -1;
    select->substream_limit = -1;
    select->temporal = -1;
    select->relayed_at = now;
    select->asked_at = now;
}

static int8_t effective_target(const struct select_simulcast *select)
{
    return select->substream_limit >= 0 ? select->substream_limit : select->substream_target;
}

/* A layer that has gone silent is given up for the next lower one that still sends. */
static bool fall_back(struct select_simulcast *select, usec_t now, int8_t layer)
{
    if (select->substream <= 0 || now - select->relayed_at <= select->fallback_us || layer >= select->substream_target)
        return false;
    int8_t limit = (int8_t)((select->substream_limit >= 0 ? select->substream_limit : select->substream_target) - 1);
    select->substream_limit = limit < 0 ? 0 : limit;
    select->relayed_at = now;               /* the timer starts again for the next step down */
    return true;
}

static bool may_start(const struct select_simulcast *select, const struct select_packet *packet)
{
    int8_t layer = (int8_t)packet->layer;
    if (!packet->keyframe && !select->blind)
        return false;
    if (select->substream < 0)
        return true;
    int8_t target = effective_target(select);
    return (select->substream < target && layer > select->substream) || (select->substream > target && layer < select->substream);
}

static enum select_verdict choose_temporal(struct select_simulcast *select, const struct select_packet *packet, bool *changed)
{
    const int8_t target = select->temporal_target;
    if (packet->tid < 0 || select->single)
        return SELECT_RELAY;
    bool rises = packet->up && packet->tid > select->temporal && packet->tid <= target && (!packet->jump || packet->tid == target);
    bool falls = packet->down && packet->tid < select->temporal && packet->tid == target;
    if (rises || falls) {
        select->temporal = packet->tid;
        *changed = true;
    }
    return select->temporal >= 0 && packet->tid > select->temporal ? SELECT_DROP : SELECT_RELAY;
}

enum select_verdict select_offer(struct select_simulcast *select, usec_t now, const struct select_packet *packet, bool *changed,
                                 bool *keyframe_wanted)
{
    int8_t layer = (int8_t)packet->layer;
    enum select_verdict verdict = SELECT_RELAY;
    *changed = *keyframe_wanted = false;

    if (select->substream_limit >= 0 && (layer > select->substream_limit || select->substream_target <= select->substream_limit))
        select->substream_limit = -1;       /* the higher layer lives again */
    if (layer != select->substream) {
        if (may_start(select, packet)) {
            select->substream = layer;
            select->temporal = -1;
            *changed = true;
            verdict = SELECT_RELAY_FIRST;
        } else {
            *keyframe_wanted = fall_back(select, now, layer);
            if (now - select->relayed_at > SELECT_SILENT_US && now - select->asked_at > SELECT_SILENT_US)
                *keyframe_wanted = true;
            if (*keyframe_wanted)
                select->asked_at = now;
            return SELECT_SKIP;
        }
    }
    if (choose_temporal(select, packet, changed) == SELECT_DROP)
        return SELECT_DROP;
    select->relayed_at = now;
    return verdict;
}
