/* Round trips and T3 (RFC 9260 6.3), congestion control (7.2), and the probe of a flight's tail (RFC 8985 7). */
#include "proto/sctp/sctp_internal.h"

#define PROBE_MIN_US MSEC(10)

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t mtu(const struct sctp *sctp)
{
    return sctp->config.mtu;
}

void sctp_path_init(struct sctp *sctp)
{
    const uint32_t first = SCTP_BURST_PACKETS * mtu(sctp);   /* RFC 6928; RFC 9260 7.2.1 has three or four */
    sctp->path = (struct sctp_path){
        .cwnd = first,
        .ssthresh = UINT32_MAX,
        .burst_limit = first,
        .rto_us = SCTP_RTO_INITIAL_US,
        .rtt_from = sctp->tx.next,
    };
}

/* RFC 9260 6.3.1 */
void sctp_path_measure(struct sctp *sctp, usec_t rtt_us)
{
    struct sctp_path *path = &sctp->path;
    const uint32_t rtt = (uint32_t)usec_min(rtt_us, SCTP_RTO_MAX_US);
    if (path->srtt_us == 0) {
        path->srtt_us = max_u32(rtt, 1);
        path->rttvar_us = rtt / 2;
    } else {
        const uint32_t off = rtt > path->srtt_us ? rtt - path->srtt_us : path->srtt_us - rtt;
        path->rttvar_us = (uint32_t)((3u * (uint64_t)path->rttvar_us + off) / 4);
        path->srtt_us = max_u32((uint32_t)((7u * (uint64_t)path->srtt_us + rtt) / 8), 1);
    }
    sctp_path_set_rto(sctp);
}

void sctp_path_set_rto(struct sctp *sctp)
{
    struct sctp_path *path = &sctp->path;
    const uint32_t rto = path->srtt_us == 0 ? SCTP_RTO_INITIAL_US : path->srtt_us + 4 * path->rttvar_us;
    path->rto_us = min_u32(max_u32(rto, SCTP_RTO_MIN_US), SCTP_RTO_MAX_US);
}

/* RFC 9260 7.2.1, with L = 2, and 7.2.2, which goes on during recovery */
void sctp_path_acked(struct sctp *sctp, uint32_t bytes, uint32_t flight_before, bool cum_moved)
{
    struct sctp_path *path = &sctp->path;
    path->burst_limit = path->flight + SCTP_BURST_PACKETS * mtu(sctp);
    if (sctp_tx_outstanding(sctp) == 0)
        path->partial_acked = 0;
    if (path->cwnd <= path->ssthresh) {
        if (cum_moved && !path->is_recovering && flight_before + mtu(sctp) > path->cwnd)          /* it was in full use */
            path->cwnd += min_u32(bytes, 2 * mtu(sctp));
    } else {
        path->partial_acked += bytes;
        if (path->partial_acked >= path->cwnd && flight_before + mtu(sctp) > path->cwnd) {
            path->partial_acked -= path->cwnd;
            path->cwnd += mtu(sctp);
        }
    }
}

/* RFC 9260 7.2.4 */
void sctp_path_lost(struct sctp *sctp)
{
    struct sctp_path *path = &sctp->path;
    if (path->is_recovering)
        return;
    sctp->shared->counters.fast_retransmits++;
    path->ssthresh = max_u32(path->cwnd / 2, 4 * mtu(sctp));
    path->cwnd = path->ssthresh;
    path->partial_acked = 0;
    path->is_recovering = true;
    path->recovery_end = sctp->tx.next - 1;
    path->fast_packet = true;
}

/* RFC 9260 7.2.1: an idle sender's window shrinks, by half a time-out's worth at a time. */
void sctp_path_wake(struct sctp *sctp)
{
    struct sctp_path *path = &sctp->path;
    if (path->flight > 0 || path->sent_at == 0)
        return;
    const uint32_t floor = min_u32(path->cwnd, SCTP_BURST_PACKETS * mtu(sctp));
    for (usec_t idle = sctp->now - path->sent_at; idle > path->rto_us && path->cwnd > floor; idle -= path->rto_us)
        path->cwnd = max_u32(path->cwnd / 2, floor);
    path->burst_limit = SCTP_BURST_PACKETS * mtu(sctp);
}

/* Out of the flight, to be sent again; or given up. */
void sctp_chunk_lost(struct sctp *sctp, uint32_t tsn)
{
    struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tsn);
    CHECK(chunk->state == SCTP_CHUNK_FLIGHT);
    sctp->path.flight -= sctp_chunk_weight(chunk);
    chunk->state = SCTP_CHUNK_LOST;
    sctp->tx.lost++;
    if (tsn_before(tsn, sctp->tx.lost_from))
        sctp->tx.lost_from = tsn;
    const struct sctp_tx_message *message = chunk->message;
    if (sctp->peer.has_forward_tsn && (chunk->retransmits >= message->retransmits_max || sctp_is_given_up(sctp, message)))
        sctp_abandon(sctp, chunk->message);
}

/* RFC 9260 6.3.3. A chunk that knocks at a closed window tells nothing of the path, so there it is only the time that doubles. */
void sctp_retransmit_timeout(struct sctp *sctp)
{
    struct sctp_path *path = &sctp->path;
    sctp->shared->counters.timeouts++;
    sctp_error(sctp, true);
    if (sctp->state == SCTP_STATE_CLOSED)
        return;
    if (!sctp_is_shut(sctp)) {
        path->ssthresh = max_u32(path->cwnd / 2, 4 * mtu(sctp));
        path->cwnd = mtu(sctp);
        path->partial_acked = 0;
    }
    path->is_recovering = false;
    path->rto_us = min_u32(2 * path->rto_us, SCTP_RTO_MAX_US);
    for (uint32_t tsn = sctp->tx.base; tsn != sctp->tx.next; tsn++)
        if (sctp_tx_at(sctp, tsn)->state == SCTP_CHUNK_FLIGHT)
            sctp_chunk_lost(sctp, tsn);
    path->burst_limit = SCTP_BURST_PACKETS * mtu(sctp);
    sctp_advance_ack_point(sctp);
    if (sctp_tx_outstanding(sctp) > 0) {
        if (tsn_before(sctp->tx.base - 1, sctp->tx.ack_point))
            sctp->wants |= SCTP_WANT_FORWARD_TSN;
        sctp_timer_set(sctp, SCTP_TIMER_RETRANSMIT, path->rto_us);
    }
}

/* The last chunk of a flight goes again after two round trips without a SACK: its own SACK tells what else was lost, long
 * before T3 does. It costs no congestion window; that is for the losses found by it. */
void sctp_probe_timeout(struct sctp *sctp)
{
    if (sctp->path.probed || sctp->tx.lost > 0 || sctp_is_shut(sctp))
        return;
    for (uint32_t tsn = sctp->tx.next; tsn != sctp->tx.base; tsn--) {
        const struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tsn - 1);
        if (chunk->state != SCTP_CHUNK_FLIGHT)
            continue;
        if (chunk->message->retransmits_max == UINT32_MAX) {
            sctp_chunk_lost(sctp, tsn - 1);
            sctp->path.fast_packet = true;
            sctp->path.probed = true;
        }
        return;
    }
}

void sctp_path_rearm(struct sctp *sctp)
{
    struct sctp_path *path = &sctp->path;
    const usec_t delay = path->asked ? 0 : SCTP_PEER_DELAY_US;
    if (sctp->timers[SCTP_TIMER_RETRANSMIT] == USEC_NEVER)
        sctp_timer_set(sctp, SCTP_TIMER_RETRANSMIT, path->rto_us + delay);
    if (path->srtt_us > 0 && !path->probed)
        sctp_timer_set(sctp, SCTP_TIMER_PROBE, usec_min(2 * (usec_t)path->srtt_us + PROBE_MIN_US, path->rto_us) + delay);
}
