/* SACKs in (RFC 9260 6.2.1): what has arrived, what has been taken back, and what must be lost.
 *
 * A loss is found by the order of sending, not by counting reports per TSN (7.2.4): a chunk is lost when a packet has been
 * acknowledged that left SCTP_REORDER_PACKETS after its own, or that left after it at all and one and a half round trips have gone
 * by. Without retransmissions it is the same rule; with them, it finds the retransmission that was lost, too, for which the RFC waits for T3. */
#include "proto/sctp/sctp_internal.h"

struct tally {
    uint32_t acked_bytes;
    uint32_t measured_tsn;           /* the highest TSN acknowledged now that was sent once */
    usec_t measured_at;              /* when; 0: none */
    uint32_t packet;                 /* what is acknowledged was sent in it; 0: nothing is */
    bool many;                       /* or in several */
    bool asked;                      /* its SACK was asked for */
};

static void chunk_acked(struct sctp *sctp, struct sctp_tx_chunk *chunk, uint32_t tsn, struct tally *tally)
{
    struct sctp_path *path = &sctp->path;
    if (chunk->state == SCTP_CHUNK_ACKED || chunk->state == SCTP_CHUNK_ABANDONED)
        return;
    if (chunk->state == SCTP_CHUNK_FLIGHT)
        path->flight -= sctp_chunk_weight(chunk);
    else
        sctp->tx.lost--;
    tally->acked_bytes += sctp_chunk_weight(chunk);
    tally->many |= tally->packet != 0 && tally->packet != chunk->sent_in;
    tally->packet = chunk->sent_in;
    tally->asked |= (chunk->flags & SCTP_FLAG_I) != 0;
    chunk->state = SCTP_CHUNK_ACKED;
    /* What comes less than half a round trip after its retransmission is the first copy. */
    const bool is_first_copy = chunk->retransmits > 0 && sctp->now - chunk->sent_at < path->srtt_us / 2;
    if (!is_first_copy && (int32_t)(chunk->sent_in - path->acked_in) > 0)
        path->acked_in = chunk->sent_in;
    if (chunk->retransmits == 0 && !tsn_before(tsn, path->rtt_from)) {
        tally->measured_tsn = tsn;
        tally->measured_at = chunk->sent_at;
    }
}

/* Cumulatively: the ring lets go of everything up to `cum`. */
static void ack_up_to(struct sctp *sctp, uint32_t cum, struct tally *tally)
{
    struct sctp_tx_side *tx = &sctp->tx;
    while (!tsn_before(cum, tx->base)) {
        struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tx->base);
        struct sctp_tx_message *message = chunk->message;
        chunk_acked(sctp, chunk, tx->base, tally);
        tx->base++;
        message->chunks--;
        sctp_tx_release(sctp, message);
    }
    if (tsn_before(tx->lost_from, tx->base))
        tx->lost_from = tx->base;
    if (tsn_before(tx->gap_end, tx->base))
        tx->gap_end = tx->base;
    if (tsn_before(tx->ack_point, cum))
        tx->ack_point = cum;
    sctp_tx_ring_trim(sctp);
}

/* [from, to): not in the SACK. What was there before has been taken back (RFC 9260 6.2.1 iii), and goes again. */
static void take_back(struct sctp *sctp, uint32_t from, uint32_t to)
{
    for (uint32_t tsn = from; tsn_before(tsn, to) && tsn_before(tsn, sctp->tx.gap_end); tsn++) {
        struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tsn);
        if (chunk->state != SCTP_CHUNK_ACKED)
            continue;
        chunk->state = SCTP_CHUNK_FLIGHT;
        sctp->path.flight += sctp_chunk_weight(chunk);
        sctp_chunk_lost(sctp, tsn);
    }
}

/* Blocks out of order, or beyond what was sent, are skipped. */
static void gaps_in(struct sctp *sctp, uint32_t cum, struct reader *r, uint16_t count, struct tally *tally)
{
    struct sctp_tx_side *tx = &sctp->tx;
    uint32_t done = tx->base;        /* below it, all is settled */
    for (uint16_t i = 0; i < count; i++) {
        const uint32_t start = cum + read_u16(r);
        const uint32_t end = cum + read_u16(r) + 1;
        if (tsn_before(start, done) || !tsn_before(start, end) || tsn_before(tx->next, end))
            continue;
        take_back(sctp, done, start);
        for (uint32_t tsn = start; tsn != end; tsn++)
            chunk_acked(sctp, sctp_tx_at(sctp, tsn), tsn, tally);
        done = end;
    }
    take_back(sctp, done, tx->gap_end);
    tx->gap_end = done;
}

static bool is_overdue(const struct sctp *sctp, const struct sctp_tx_chunk *chunk)
{
    const struct sctp_path *path = &sctp->path;
    const int32_t behind = (int32_t)(path->acked_in - chunk->sent_in);
    return behind >= (int32_t)SCTP_REORDER_PACKETS ||
           (behind > 0 && path->srtt_us > 0 && sctp->now - chunk->sent_at > path->srtt_us + path->srtt_us / 2);
}

static void find_losses(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    bool found = false;
    for (uint32_t tsn = tx->base; tsn_before(tsn, tx->gap_end); tsn++) {
        struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tsn);
        if (chunk->state != SCTP_CHUNK_FLIGHT || !is_overdue(sctp, chunk))
            continue;
        sctp_chunk_lost(sctp, tsn);
        found = true;
    }
    if (found)
        sctp_path_lost(sctp);
}

/* A SACK for one packet that has not asked for it may have waited on the other side for another. */
static void measure(struct sctp *sctp, const struct tally *tally)
{
    if (tally->measured_at == 0 || (!tally->many && !tally->asked))
        return;
    sctp->path.rtt_from = sctp->tx.next;
    sctp_path_measure(sctp, sctp->now - tally->measured_at);
}

/* T3 after a SACK (RFC 9260 6.3.2 R2, R3). */
static void settle(struct sctp *sctp, bool cum_moved)
{
    sctp_advance_ack_point(sctp);
    if (sctp_tx_outstanding(sctp) == 0) {
        sctp_timer_stop(sctp, SCTP_TIMER_RETRANSMIT);
        sctp_timer_stop(sctp, SCTP_TIMER_PROBE);
    } else if (cum_moved) {
        sctp_timer_set(sctp, SCTP_TIMER_RETRANSMIT, sctp->path.rto_us);
    }
}

/* The window opens, and what has knocked was not let in. It goes again now; T3 may be ten seconds away. */
static void opened(struct sctp *sctp, bool let_in)
{
    struct sctp_tx_side *tx = &sctp->tx;
    sctp_path_set_rto(sctp);
    if (let_in)
        return;
    for (uint32_t tsn = tx->base; tsn != tx->next; tsn++)
        if (sctp_tx_at(sctp, tsn)->state == SCTP_CHUNK_FLIGHT)
            sctp_chunk_lost(sctp, tsn);
    sctp->path.burst_limit = SCTP_BURST_PACKETS * sctp->config.mtu;
    sctp_timer_set(sctp, SCTP_TIMER_RETRANSMIT, sctp->path.rto_us);
}

bool sctp_acknowledge(struct sctp *sctp, uint32_t cum)
{
    if (!tsn_before(cum, sctp->tx.next))
        return false;
    if (tsn_before(cum, sctp->tx.base))
        return true;
    struct tally tally = {0};
    ack_up_to(sctp, cum, &tally);
    sctp->path.errors = 0;
    settle(sctp, true);
    return true;
}

void sctp_on_sack(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    struct sctp_tx_side *tx = &sctp->tx;
    struct reader r = reader_of(chunk->value);
    const uint32_t cum = read_u32(&r);
    const uint32_t window = read_u32(&r);
    const uint16_t gaps = read_u16(&r);
    const uint16_t duplicates = read_u16(&r);
    if (reader_failed(&r) || reader_left(&r) < 4u * gaps + 4u * duplicates) {
        sctp->shared->counters.malformed++;
        return;
    }
    if (!tsn_before(cum, tx->next)) {
        sctp_violated(sctp, SCTP_CAUSE_VIOLATION);
        return;
    }
    if (tsn_before(cum, tx->base - 1))
        return;                      /* older than one that we have had */
    const bool cum_moved = cum != tx->base - 1;
    const uint32_t flight_before = sctp->path.flight;
    const bool was_shut = sctp_is_shut(sctp);
    struct tally tally = {0};
    tx->peer_window = window;
    ack_up_to(sctp, cum, &tally);
    gaps_in(sctp, cum, &r, gaps, &tally);
    const bool is_news = cum_moved || tally.acked_bytes > 0;
    /* A closed window is no dead path as long as it is told (RFC 9260 6.1 A). */
    if (is_news || sctp_is_shut(sctp))
        sctp->path.errors = 0;
    if (is_news)
        sctp->path.probed = false;
    if (was_shut && !sctp_is_shut(sctp))
        opened(sctp, is_news);
    measure(sctp, &tally);
    if (sctp->path.is_recovering && !tsn_before(cum, sctp->path.recovery_end))
        sctp->path.is_recovering = false;
    find_losses(sctp);
    sctp_path_acked(sctp, tally.acked_bytes, flight_before, cum_moved);
    settle(sctp, cum_moved);
}
