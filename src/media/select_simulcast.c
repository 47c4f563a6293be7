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
    select->alive_at = now;
    select->asked_at = now;
}

static int8_t effective_target(const struct select_simulcast *select)
{
    return select->substream_limit >= 0 ? select->substream_limit : select->substream_target;
}

/* A layer that has gone silent is given up for the next lower one that still sends. */
static bool fall_back(struct select_simulcast *select, usec_t now, int8_t layer)
{
    if (select->substream <= 0 || now - select->alive_at <= select->fallback_us || layer >= select->substream_target)
        return false;
    int8_t limit = (int8_t)((select->substream_limit >= 0 ? select->substream_limit : select->substream_target) - 1);
    select->substream_limit = limit < 0 ? 0 : limit;
    select->alive_at = now;               /* the timer starts again for the next step down */
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

/* To the layer that begins with this packet, or (AV1) to one that follows from what is relayed in any case. */
static int8_t rise_to(const struct select_simulcast *select, const struct select_packet *packet)
{
    if (packet->jump && packet->tid != select->temporal_target)
        return select->temporal;
    for (int8_t t = select->temporal_target; packet->up != 0 && t > select->temporal; t--)
        if ((packet->up >> t & 1) != 0 && (t == packet->tid || packet->tid <= select->temporal || select->temporal < 0))
            return t;
    return select->temporal;
}

static enum select_verdict choose_temporal(struct select_simulcast *select, const struct select_packet *packet, bool *changed)
{
    const int8_t target = select->temporal_target;
    if (packet->tid < 0 || select->single)
        return SELECT_RELAY;
    int8_t to = rise_to(select, packet);
    if (packet->down && packet->tid < select->temporal && packet->tid == target)
        to = target;
    if (to != select->temporal) {
        select->temporal = to;
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
            if (now - select->alive_at > SELECT_SILENT_US && now - select->asked_at > SELECT_SILENT_US)
                *keyframe_wanted = true;
            if (*keyframe_wanted)
                select->asked_at = now;
            return SELECT_SKIP;
        }
    }
    select->alive_at = now;                 /* also with what is left out of it: at the lowest temporal layer frames are far apart */
    return choose_temporal(select, packet, changed) == SELECT_DROP ? SELECT_DROP : verdict;
}
