/* Orders about peers, and what peers have to say to control. */
#include <stddef.h>

#include "base/mem.h"
#include "runtime/log.h"
#include "worker/worker_private.h"

static struct peer_ref ref_of(const struct worker *w, struct ref peer)
{
    return (struct peer_ref){peer, w->config.index};
}

void worker_tell_hangup(struct worker *w, struct ref peer, enum hangup_reason reason)
{
    const struct peer_hangup_fact fact = {ref_of(w, peer), reason};
    actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_HANGUP, &fact, sizeof(fact));
}

void on_peer_open(struct worker *w, usec_t now, const struct peer_open_order *order)
{
    struct peer *peer = peer_new(&w->env, order, now);
    if (peer == NULL) {
        w->counters.orders_refused++;
        worker_tell_hangup(w, order->peer, HANGUP_DTLS_STACK);
        return;
    }
    if (!slots_put(&w->peers, order->peer, peer)) {
        w->counters.orders_malformed++;         /* control has used a name twice */
        peer_free(peer);
        return;
    }
    worker_touch(w, peer);
}

void on_peer_apply(struct worker *w, usec_t now, const struct peer_apply_order *order, size_t size)
{
    if (size < sizeof(*order) + order->mline_count * sizeof(order->mlines[0])) {
        w->counters.orders_malformed++;
        return;
    }
    struct peer *peer = worker_peer(w, order->peer);
    if (peer == NULL)
        return;
    peer_apply(peer, now, order);
    worker_touch(w, peer);
}

void on_peer_candidate(struct worker *w, usec_t now, const struct peer_candidate_order *order)
{
    struct peer *peer = worker_peer(w, order->peer);
    if (peer == NULL)
        return;
    peer_add_candidate(peer, now, &order->candidate);
    worker_touch(w, peer);
}

void on_peer_candidates_end(struct worker *w, usec_t now, const struct peer_end_order *order)
{
    struct peer *peer = worker_peer(w, order->peer);
    if (peer == NULL)
        return;
    peer_end_of_candidates(peer, now);
    worker_touch(w, peer);
}

void worker_close_peer(struct worker *w, usec_t now, struct peer *peer, bool notify)
{
    struct peer_public *face = peer_face(peer);
    peer_close(peer, now, notify);
    egress_flush(w, now);                       /* its last words hold pointers into it */
    demux_unbind_all(w, peer);
    timerq_stop(&w->timers, &face->timer);
    slots_del(&w->peers, face->name);
    peer_free(peer);
}

/* Always answered: control frees the name when the answer comes, whether the peer was still there or not. */
void on_peer_close(struct worker *w, usec_t now, const struct peer_close_order *order)
{
    struct peer *peer = slots_get(&w->peers, order->peer);
    if (peer != NULL) {
        stats_tell_last(w, peer);
        worker_close_peer(w, now, peer, order->notify);
    }
    const struct peer_fact fact = {ref_of(w, order->peer)};
    actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_CLOSED, &fact, sizeof(fact));
}

void on_collect(struct worker *w, const struct collect_order *order, struct ref op)
{
    const struct peer *peer = worker_peer(w, order->peer);
    const uint16_t count = peer == NULL ? 0 : peer_line_count(peer);
    const size_t size = sizeof(struct peer_report) + count * sizeof(struct peer_line_report);
    struct peer_report *report = mem_get_zero(size);
    if (peer != NULL)
        peer_describe(peer, report, report->lines);
    report->peer = ref_of(w, order->peer);
    report->exists = peer != NULL;
    actor_send_block(w->actor, ACTOR_CONTROL, CONTROL_COLLECTED, op, report, size);
}

static void tell_media(struct worker *w, const struct peer_event *event)
{
    const struct peer_media_fact fact = {
        .peer = ref_of(w, event->peer),
        .mindex = event->mindex,
        .substream = event->substream,
        .receiving = event->receiving,
        .seconds = event->count,
    };
    actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_MEDIA, &fact, sizeof(fact));
}

static void tell_slowlink(struct worker *w, const struct peer_event *event)
{
    const struct peer_slowlink_fact fact = {
        .peer = ref_of(w, event->peer),
        .mindex = event->mindex,
        .uplink = event->uplink,
        .lost = event->count,
    };
    actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_SLOWLINK, &fact, sizeof(fact));
}

static void tell_data(struct worker *w, const struct peer_event *event)
{
    struct data_packet *packet = event->packet;
    packet->peer = ref_of(w, event->peer);
    actor_send_block(w->actor, ACTOR_CONTROL, CONTROL_PEER_DATA, REF_NONE, packet,
                     sizeof(*packet) + packet->label_size + packet->protocol_size + packet->size);
}

static void tell_taken(struct worker *w, const struct peer_event *event)
{
    const struct peer_data_taken_fact fact = {ref_of(w, event->peer), event->count};
    actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_DATA_TAKEN, &fact, sizeof(fact));
}

static void tell_webrtc(struct worker *w, const struct peer_event *event, enum event_webrtc kind)
{
    struct event_webrtc_fact fact = {
        .peer = ref_of(w, event->peer),
        .kind = (uint8_t)kind,
        .state = event->reason,
        .retransmissions = event->count,
    };
    if (kind == EVENT_PAIR) {
        fact.local = w->bases[event->tuple.socket];
        fact.remote = event->tuple.remote;
    }
    actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_WEBRTC, &fact, sizeof(fact));
}

static void tell_event(struct worker *w, usec_t now, const struct peer_event *event)
{
    struct peer *peer = slots_get(&w->peers, event->peer);
    const struct peer_fact fact = {ref_of(w, event->peer)};
    if (peer == NULL) {                         /* closed in the meantime */
        mem_put(event->packet);
        return;
    }
    switch ((enum peer_event_kind)event->kind) {
    case PEER_EVENT_BIND:
    case PEER_EVENT_CLAIM:
        demux_bind(w, now, peer, &event->tuple, event->kind == PEER_EVENT_CLAIM);
        break;
    case PEER_EVENT_UNBIND:
        demux_unbind(w, peer, &event->tuple);
        break;
    case PEER_EVENT_UP:
        actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_UP, &fact, sizeof(fact));
        break;
    case PEER_EVENT_HANGUP:
        worker_tell_hangup(w, event->peer, (enum hangup_reason)event->reason);
        break;
    case PEER_EVENT_ICE_FAILED:
        actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_ICE_FAILED, &fact, sizeof(fact));
        break;
    case PEER_EVENT_MEDIA:
        tell_media(w, event);
        break;
    case PEER_EVENT_SLOWLINK:
        tell_slowlink(w, event);
        break;
    case PEER_EVENT_DATA_UP:
        actor_send(w->actor, ACTOR_CONTROL, CONTROL_PEER_DATA_UP, &fact, sizeof(fact));
        break;
    case PEER_EVENT_DATA:
        tell_data(w, event);
        break;
    case PEER_EVENT_DATA_TAKEN:
        tell_taken(w, event);
        break;
    case PEER_EVENT_STATS:
        stats_tell(w, peer);
        break;
    case PEER_EVENT_ICE_STATE:
        tell_webrtc(w, event, EVENT_ICE);
        break;
    case PEER_EVENT_PAIR:
        tell_webrtc(w, event, EVENT_PAIR);
        break;
    case PEER_EVENT_DTLS:
        tell_webrtc(w, event, EVENT_DTLS);
        break;
    }
}

/* Telling one event may raise others (a lost address, say): they are appended, and told in the same pass. */
void worker_tell_events(struct worker *w, usec_t now)
{
    struct peer_events *events = &w->env.events;
    for (uint32_t i = 0; i < events->count; i++) {
        const struct peer_event event = events->items[i];
        tell_event(w, now, &event);
    }
    events->count = 0;
}
