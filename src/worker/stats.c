/* Statistics of media for event handlers (event-handlers.md 3.6): every period to the events actor, as records of a lane, which drops when it
 * is full; the last ones of a peer by control, so that they stand before its end. */
#include "base/mem.h"
#include "worker/worker_private.h"

static bool are_wanted(const struct worker *w)
{
    return (w->events_mask & EVENT_MEDIA) != 0 && w->config.stats_period_us > 0;
}

/* Layers beyond the first are told of once they have come. Counts them, or writes them. */
static uint32_t gather(struct worker *w, const struct peer *peer, struct event_stats *out)
{
    struct event_stats stats = {.peer = {peer_face_const(peer)->name, w->config.index}, .wall_us = actor_wall_us(w->actor)};
    uint32_t count = 0;
    for (uint16_t n = 0; n < peer_line_count(peer); n++)
        for (uint8_t layer = 0; peer_layer_stats(peer, n, layer, &stats.stats); layer++) {
            if (layer > 0 && stats.stats.packets_in == 0)
                continue;
            if (out != NULL)
                out[count] = stats;
            count++;
        }
    if (out != NULL && count > 0)
        out[count - 1].last = true;
    return count;
}

void stats_tell(struct worker *w, const struct peer *peer)
{
    struct event_stats all[STATS_AT_ONCE], *list = all;
    if (!are_wanted(w))
        return;
    const uint32_t count = gather(w, peer, NULL);
    if (count > STATS_AT_ONCE)
        list = mem_get(count * sizeof(*list));
    (void)gather(w, peer, list);
    for (uint32_t i = 0; i < count; i++)
        (void)relay_push(w->actor, ACTOR_EVENTS, VIEW(&list[i], sizeof(list[i])), VIEW(NULL, 0));      /* full: dropped and counted */
    if (list != all)
        mem_put(list);
}

void stats_tell_last(struct worker *w, const struct peer *peer)
{
    const uint32_t count = are_wanted(w) ? gather(w, peer, NULL) : 0;
    if (count == 0)
        return;
    struct event_stats *list = mem_get(count * sizeof(*list));
    (void)gather(w, peer, list);
    actor_send_block(w->actor, ACTOR_CONTROL, CONTROL_PEER_STATS, REF_NONE, list, count * sizeof(*list));
}

void stats_wanted(struct worker *w, uint16_t mask)
{
    w->events_mask = mask;
    w->env.settings.tell_webrtc = (mask & EVENT_WEBRTC) != 0;
    w->env.settings.stats_ticks = (mask & EVENT_MEDIA) != 0 ? (uint32_t)(w->config.stats_period_us / PEER_TICK_US) : 0;
}
