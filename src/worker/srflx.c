/* Server-reflexive addresses: learnt once per socket, refreshed, told to control (design section 2). */
#include "worker/worker_private.h"

static bool is_usable(const struct worker *w, uint32_t socket)
{
    return w->config.stun_server.family != NET_NONE && w->bases[socket].family == w->config.stun_server.family &&
           !net_ip_is_loopback(&w->bases[socket]);
}

void srflx_start(struct worker *w, usec_t now)
{
    for (uint32_t i = 0; i < w->config.socket_count; i++) {
        w->srflx[i].again_at = USEC_NEVER;
        if (is_usable(w, i))
            stun_query_start(&w->srflx[i].query, &w->rng, SRFLX_TXID_PREFIX + i, &w->config.stun_server, now);
    }
}

void srflx_input(struct worker *w, usec_t now, uint32_t socket, const struct udp_datagram *datagram)
{
    struct srflx *srflx = &w->srflx[socket];
    if (!stun_query_input(&srflx->query, &datagram->from, (struct view){datagram->data, datagram->size})) {
        w->counters.stun_unknown_txid++;
        return;
    }
    srflx->again_at = now + SRFLX_REFRESH_US;
    if (srflx->query.state != STUN_QUERY_DONE || net_addr_equal(&srflx->told, &srflx->query.mapped))
        return;
    srflx->told = srflx->query.mapped;
    const struct worker_srflx_fact fact = {w->config.index, socket, srflx->told};
    actor_send(w->actor, ACTOR_CONTROL, CONTROL_WORKER_SRFLX, &fact, sizeof(fact));
}

void srflx_turn(struct worker *w, usec_t now)
{
    uint8_t bytes[STUN_QUERY_BYTES];
    size_t size;
    for (uint32_t i = 0; i < w->config.socket_count; i++) {
        struct srflx *srflx = &w->srflx[i];
        if (srflx->again_at <= now) {
            srflx->again_at = USEC_NEVER;
            stun_query_start(&srflx->query, &w->rng, SRFLX_TXID_PREFIX + i, &w->config.stun_server, now);
        }
        if (stun_query_deadline(&srflx->query) > now)
            continue;
        while (stun_query_poll_tx(&srflx->query, now, bytes, &size))
            egress_raw(&w->env.egress, &(struct net_tuple){i, srflx->query.server}, VIEW(bytes, size));
        if (srflx->query.state == STUN_QUERY_FAILED)
            srflx->again_at = now + SRFLX_REFRESH_US;
    }
}

usec_t srflx_deadline(const struct worker *w)
{
    usec_t first = USEC_NEVER;
    for (uint32_t i = 0; i < w->config.socket_count; i++)
        first = usec_min(first, usec_min(w->srflx[i].again_at, stun_query_deadline(&w->srflx[i].query)));
    return first;
}
