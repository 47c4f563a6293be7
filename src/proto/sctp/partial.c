/* Messages given up (RFC 3758 3.5, 7496): all their TSNs are abandoned, and FORWARD TSN moves the receiver past them. */
#include "proto/sctp/sctp_internal.h"

bool sctp_is_given_up(const struct sctp *sctp, const struct sctp_tx_message *message)
{
    return sctp->now >= message->expires && (message->sent == 0 || sctp->peer.has_forward_tsn);
}

static void chunk_abandon(struct sctp *sctp, struct sctp_tx_chunk *chunk)
{
    if (chunk->state == SCTP_CHUNK_FLIGHT)
        sctp->path.flight -= sctp_chunk_weight(chunk);
    else if (chunk->state == SCTP_CHUNK_LOST)
        sctp->tx.lost--;
    chunk->state = SCTP_CHUNK_ABANDONED;
}

/* Of a message that has begun. A part that was never sent gets one TSN, which is never sent either: the receiver may hold all
 * the others, and must learn that no end will come. */
void sctp_abandon(struct sctp *sctp, struct sctp_tx_message *message)
{
    struct sctp_tx_side *tx = &sctp->tx;
    CHECK(message->sent > 0 && !message->abandoned);
    sctp->shared->counters.abandoned++;
    if (message->sent < message->size) {
        sctp_tx_unqueue(sctp, message);
        tx->current = message;                   /* for the push */
        const uint32_t sent = message->sent;
        sctp_tx_push(sctp, message, 0)->state = SCTP_CHUNK_ABANDONED;        /* it is in no flight */
        CHECK(message->sent == sent);
        tx->current = NULL;
    }
    message->abandoned = true;
    const uint32_t from = tsn_before(message->first_tsn, tx->base) ? tx->base : message->first_tsn;
    for (uint32_t tsn = from; tsn != tx->next && sctp_tx_at(sctp, tsn)->message == message; tsn++)
        chunk_abandon(sctp, sctp_tx_at(sctp, tsn));
    sctp_advance_ack_point(sctp);
    if (sctp->timers[SCTP_TIMER_RETRANSMIT] == USEC_NEVER)
        sctp_timer_set(sctp, SCTP_TIMER_RETRANSMIT, sctp->path.rto_us);
}

/* RFC 3758 3.5 C. Sent at once when it moves, and once a round trip until it is acknowledged. */
void sctp_advance_ack_point(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    const uint32_t before = tx->ack_point;
    while (tx->ack_point + 1 != tx->next && sctp_tx_at(sctp, tx->ack_point + 1)->state == SCTP_CHUNK_ABANDONED)
        tx->ack_point++;
    if (!tsn_before(tx->base - 1, tx->ack_point))
        return;
    if (tx->ack_point != before || sctp->now - tx->forward_at >= sctp->path.srtt_us)
        sctp->wants |= SCTP_WANT_FORWARD_TSN;
}

/* The streams' last sequence numbers that are skipped: a message's last TSN stands for it, and later messages of a stream replace
 * earlier ones. When the packet has no room for one more stream, the point told is the TSN before; the rest comes next. */
struct skip {
    uint16_t stream, ssn;
};

#define SKIPS_MAX 64u

void sctp_write_forward_tsn(struct sctp *sctp, struct sctp_packer *p)
{
    struct sctp_tx_side *tx = &sctp->tx;
    if (!tsn_before(tx->base - 1, tx->ack_point))
        return;
    struct skip skips[SKIPS_MAX];
    const size_t room = (writer_left(&p->w) - 8) / 4;
    const size_t limit = room < SKIPS_MAX ? room : SKIPS_MAX;
    size_t count = 0;
    uint32_t point = tx->base - 1;
    for (uint32_t tsn = tx->base; tsn != tx->ack_point + 1; tsn++) {
        const struct sctp_tx_message *message = sctp_tx_at(sctp, tsn)->message;
        if (!message->unordered) {
            size_t i = 0;
            while (i < count && skips[i].stream != message->stream)
                i++;
            if (i == limit)
                break;
            if (i == count)
                count++;
            skips[i] = (struct skip){message->stream, message->ssn};
        }
        point = tsn;
    }
    sctp_pack_chunk(p, SCTP_FORWARD_TSN, 0);
    write_u32(&p->w, point);
    for (size_t i = 0; i < count; i++) {
        write_u16(&p->w, skips[i].stream);
        write_u16(&p->w, skips[i].ssn);
    }
    sctp_pack_chunk_end(p);
    tx->forward_at = sctp->now;
}
