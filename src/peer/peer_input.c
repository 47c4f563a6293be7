/* Datagram in: which of the protocols is it (RFC 7983), and hand it on. */
#include "peer/peer_private.h"
#include "proto/rtp/demux.h"

static void dtls_datagram(struct peer *peer, usec_t now, struct view datagram)
{
    if (peer->dtls == NULL) {
        peer_start_dtls(peer, now);     /* nothing to answer with before the remote description: the peer will repeat itself */
        if (peer->dtls == NULL)
            return;
    }
    traffic_add(&peer->dtls_in, datagram.size);
    dtls_input(peer->dtls, now, datagram);
    peer_drain_dtls(peer, now);
}

void peer_input(struct peer *peer, usec_t now, const struct net_tuple *from, uint8_t *datagram, size_t size)
{
    struct view view = {datagram, size};
    peer->env->counters.datagrams++;
    if (peer->phase == PEER_ENDED)
        return;
    switch (rtp_classify(view)) {
    case RTP_KIND_STUN:
        ice_input(peer->ice, now, from, view);
        peer_drain_ice(peer, now);
        break;
    case RTP_KIND_DTLS:
        dtls_datagram(peer, now, view);
        break;
    case RTP_KIND_RTP:
        peer_rtp_input(peer, now, datagram, size);
        break;
    case RTP_KIND_RTCP:
        peer_rtcp_input(peer, now, datagram, size);
        break;
    case RTP_KIND_OTHER:
        peer->env->counters.datagrams_odd++;
        break;
    }
}
