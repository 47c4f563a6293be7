/* Whose is this datagram? A STUN request says it in its user name, a STUN answer in its transaction id, everything else by
 * the address pair that an authenticated check has bound (design section 2). */
#include "proto/rtp/demux.h"
#include "proto/sdp/ufrag.h"
#include "worker/worker_private.h"

#define GENERATION_24 0xFFFFFFu

static uint64_t tuple_hash(const struct worker *w, const struct net_tuple *tuple)
{
    return hash_bytes(&w->hash_key, VIEW(tuple, sizeof(*tuple)));
}

static struct binding *find_binding(const struct worker *w, const struct net_tuple *tuple)
{
    struct map_node *node = map_first(&w->tuples, tuple_hash(w, tuple));
    while (node != NULL && !net_tuple_equal(&CONTAINER_OF(node, struct binding, node)->tuple, tuple))
        node = map_next_same(node);
    return node == NULL ? NULL : CONTAINER_OF(node, struct binding, node);
}

static struct peer *peer_by_ufrag(struct worker *w, struct view datagram)
{
    struct view ufrag;
    uint32_t slot, generation;
    if (!stun_peek_local_ufrag(datagram, &ufrag) || !ufrag_parse(ufrag, &slot, &generation)) {
        w->counters.stun_unknown_ufrag++;
        return NULL;
    }
    struct peer *peer = slots_at(&w->peers, slot);
    if (peer != NULL && (peer_face(peer)->name.generation & GENERATION_24) == generation)
        return peer;
    w->counters.stun_unknown_ufrag++;
    return NULL;
}

static struct peer *peer_by_stun(struct worker *w, usec_t now, uint32_t socket, const struct udp_datagram *datagram)
{
    struct view view = {datagram->data, datagram->size};
    if (!stun_is_message(view)) {
        w->counters.stun_malformed++;
        return NULL;
    }
    enum stun_class class = stun_class_of(view);
    if (class == STUN_REQUEST)
        return peer_by_ufrag(w, view);
    uint32_t prefix = get_u32(stun_txid_of(view));
    if ((prefix & SRFLX_TXID_PREFIX) == SRFLX_TXID_PREFIX) {
        srflx_input(w, now, socket, datagram);
        return NULL;
    }
    struct peer *peer = slots_at(&w->peers, prefix);
    if (peer == NULL)
        w->counters.stun_unknown_txid++;
    return peer;
}

void demux_packet(struct worker *w, usec_t now, uint32_t socket, const struct udp_datagram *datagram)
{
    const struct net_tuple from = {socket, datagram->from};
    struct peer *peer;
    if (datagram->size == 0)
        return;
    if (datagram->data[0] < 4) {
        peer = peer_by_stun(w, now, socket, datagram);
    } else {
        const struct binding *binding = find_binding(w, &from);
        peer = binding == NULL ? NULL : slots_get(&w->peers, binding->peer);
        if (peer == NULL)
            w->counters.unknown_tuple++;
    }
    if (peer == NULL)
        return;
    peer_input(peer, now, &from, datagram->data, datagram->size);
    worker_touch(w, peer);
}

static void drop_binding(struct worker *w, struct binding *binding)
{
    map_del(&w->tuples, &binding->node);
    list_del(&binding->of_peer);
    pool_put(&w->bindings, binding);
}

/* A pair has one peer: the newest that has it selected wins, and the loser is told (design section 2). A check alone takes
 * nothing from anybody: whoever has a call here can sign one and send it from a forged address. */
void demux_bind(struct worker *w, usec_t now, struct peer *peer, const struct net_tuple *tuple, bool claim)
{
    struct ref name = peer_face(peer)->name;
    struct binding *binding = find_binding(w, tuple);
    if (binding != NULL && ref_equal(binding->peer, name))
        return;
    if (binding != NULL && !claim) {
        w->counters.bindings_contested++;
        return;
    }
    if (binding != NULL) {
        struct peer *loser = slots_get(&w->peers, binding->peer);
        drop_binding(w, binding);
        w->counters.bindings_stolen++;
        if (loser != NULL) {
            peer_lose_tuple(loser, now, tuple);
            worker_touch(w, loser);
        }
    }
    binding = pool_get(&w->bindings);
    if (binding == NULL) {
        w->counters.orders_refused++;
        return;
    }
    binding->tuple = *tuple;
    binding->peer = name;
    map_add(&w->tuples, &binding->node, tuple_hash(w, tuple));
    list_add_tail(&peer_face(peer)->bindings, &binding->of_peer);
}

void demux_unbind(struct worker *w, struct peer *peer, const struct net_tuple *tuple)
{
    struct binding *binding = find_binding(w, tuple);
    if (binding != NULL && ref_equal(binding->peer, peer_face(peer)->name))
        drop_binding(w, binding);
}

void demux_unbind_all(struct worker *w, struct peer *peer)
{
    LIST_EACH(it, &peer_face(peer)->bindings)
        drop_binding(w, CONTAINER_OF(it, struct binding, of_peer));
}
