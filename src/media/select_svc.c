#include "media/select_svc.h"

#include "media/seqmap.h"

void select_svc_init(struct select_svc *svc, usec_t now)
{
    *svc = (struct select_svc){.spatial_target = SELECT_TARGET_DEFAULT, .temporal_target = SELECT_TARGET_DEFAULT};
    select_svc_restart(svc, now);
}

void select_svc_set_targets(struct select_svc *svc, usec_t now, uint8_t spatial, uint8_t temporal)
{
    svc->spatial_target = (int8_t)spatial;
    svc->temporal_target = (int8_t)temporal;
    svc->asked_at = now;
}

void select_svc_restart(struct select_svc *svc, usec_t now)
{
    svc->now = svc->told = (struct svc_levels){-1, -1};
    svc->asked_at = now;
}

/* From this packet on. */
static void set_levels(struct select_svc *svc, uint16_t seq, struct svc_levels to)
{
    if (to.spatial == svc->now.spatial && to.temporal == svc->now.temporal)
        return;
    svc->before = svc->now;
    svc->now = to;
    svc->since = seq;
}

static int8_t lower_of(int8_t a, int8_t b)
{
    return a < b ? a : b;
}

/* The highest spatial layer that there is and may be relayed. */
static int8_t top_layer(const struct media_packet *packet, int8_t spatial)
{
    return packet->spatial_count == 0 ? spatial : lower_of(spatial, (int8_t)(packet->spatial_count - 1));
}

static struct svc_levels target_of(const struct select_svc *svc)
{
    return (struct svc_levels){svc->spatial_target, svc->temporal_target};
}

static void begin(struct select_svc *svc, const struct media_packet *packet)
{
    svc->now = svc->before = target_of(svc);
    svc->since = svc->newest = packet->seq;
    svc->ts = packet->ts;
}

static void begin_picture(struct select_svc *svc, const struct media_packet *packet, bool *keyframe_wanted)
{
    struct svc_levels to = {lower_of(svc->now.spatial, svc->spatial_target), lower_of(svc->now.temporal, svc->temporal_target)};
    svc->ts = packet->ts;
    if (packet->keyframe)
        to = target_of(svc);
    set_levels(svc, packet->seq, to);
    if (svc->now.spatial >= top_layer(packet, svc->spatial_target) || packet->arrived - svc->asked_at <= SELECT_SILENT_US)
        return;
    svc->asked_at = packet->arrived;        /* the one that was asked for has been lost, or its beginning has */
    *keyframe_wanted = true;
}

/* A picture is taken up with its own first packet, or (AV1) follows from a frame that is relayed in any case. */
static void take_up(struct select_svc *svc, const struct media_packet *packet)
{
    const bool own = packet->sid == 0, relayed = packet->tid <= svc->now.temporal && packet->sid == top_layer(packet, svc->now.spatial);
    struct svc_levels to = svc->now;
    if (packet->tid_up == 0)
        return;
    for (int8_t t = svc->temporal_target; t > svc->now.temporal; t--)
        if ((packet->tid_up >> t & 1) != 0 && (relayed || (own && t == packet->tid))) {
            to.temporal = t;
            break;
        }
    set_levels(svc, packet->seq, to);
}

static bool is_within(const struct media_packet *packet, struct svc_levels levels)
{
    return packet->sid <= levels.spatial && packet->tid <= levels.temporal;
}

/* Temporal layers are told as they are seen: no structure says in time which there are. */
static void tell(struct select_svc *svc, const struct media_packet *packet, bool *changed)
{
    const struct svc_levels told = svc->told;
    svc->told.spatial = top_layer(packet, svc->now.spatial);
    svc->told.temporal = lower_of(packet->tid > told.temporal ? packet->tid : told.temporal, svc->now.temporal);
    *changed = *changed || told.spatial != svc->told.spatial || told.temporal != svc->told.temporal;
}

static struct svc_levels levels_of(const struct select_svc *svc, const struct media_packet *packet)
{
    return packet->ts != svc->ts && seq_distance(packet->seq, svc->since) < 0 ? svc->before : svc->now;
}

bool select_svc_ends(const struct select_svc *svc, const struct media_packet *packet, const struct media_packet *next)
{
    return next->ts != packet->ts || next->sid > levels_of(svc, packet).spatial;
}

enum select_verdict select_svc_offer(struct select_svc *svc, const struct media_packet *packet, bool *marker, bool *changed,
                                     bool *keyframe_wanted)
{
    if (packet->sid < 0)
        return SELECT_RELAY;                /* says nothing about layers: relayed as it is */
    const bool begins = svc->now.spatial < 0;
    if (begins)
        begin(svc, packet);
    if (begins || seq_distance(packet->seq, svc->newest) > 0) {
        svc->newest = packet->seq;
        if (packet->ts != svc->ts)
            begin_picture(svc, packet, keyframe_wanted);
        take_up(svc, packet);
        if (is_within(packet, svc->now))
            tell(svc, packet, changed);
    }
    const struct svc_levels levels = levels_of(svc, packet);
    if (!is_within(packet, levels))
        return SELECT_DROP;
    if (!packet->frame_end || packet->marker)
        return SELECT_RELAY;
    *marker = packet->sid == levels.spatial;
    return *marker ? SELECT_RELAY : SELECT_HOLD;
}
