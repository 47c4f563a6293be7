/* The orderly end (RFC 9260 9.2). */
#include "proto/sctp/sctp_internal.h"

static void say_again(struct sctp *sctp, enum sctp_want want)
{
    sctp->wants |= want;
    sctp_timer_set(sctp, SCTP_TIMER_SHUTDOWN, sctp->path.rto_us);
}

void sctp_shutdown(struct sctp *sctp, usec_t now)
{
    sctp->now = now;
    if (sctp->state < SCTP_STATE_ESTABLISHED) {
        if (sctp->peer.tag != 0)
            sctp_send_abort(sctp, sctp->peer.tag, SCTP_CAUSE_USER, VIEW(NULL, 0));
        sctp_close(sctp, SCTP_REASON_SHUTDOWN);
    } else if (sctp->state == SCTP_STATE_ESTABLISHED) {
        sctp->state = SCTP_STATE_SHUTDOWN_PENDING;
        sctp_shutdown_step(sctp);
    }
}

static bool is_all_delivered(struct sctp *sctp)
{
    return sctp_tx_outstanding(sctp) == 0 && sctp_tx_pick(sctp) == NULL;
}

void sctp_shutdown_step(struct sctp *sctp)
{
    if (sctp->state == SCTP_STATE_SHUTDOWN_PENDING && is_all_delivered(sctp)) {
        sctp->state = SCTP_STATE_SHUTDOWN_SENT;
        sctp->tries = 0;
        sctp_timer_set(sctp, SCTP_TIMER_GUARD, SCTP_GUARD_US);
        say_again(sctp, SCTP_WANT_SHUTDOWN);
    } else if (sctp->state == SCTP_STATE_SHUTDOWN_RECEIVED && is_all_delivered(sctp)) {
        sctp->state = SCTP_STATE_SHUTDOWN_ACK_SENT;
        sctp->tries = 0;
        say_again(sctp, SCTP_WANT_SHUTDOWN_ACK);
    }
}

/* T2 */
void sctp_shutdown_timeout(struct sctp *sctp)
{
    if (++sctp->tries > SCTP_MAX_RETRANS) {
        sctp_close(sctp, SCTP_REASON_UNREACHABLE);
        return;
    }
    sctp->path.rto_us = (uint32_t)usec_min(2 * (usec_t)sctp->path.rto_us, SCTP_RTO_MAX_US);
    say_again(sctp, sctp->state == SCTP_STATE_SHUTDOWN_SENT ? SCTP_WANT_SHUTDOWN : SCTP_WANT_SHUTDOWN_ACK);
}

void sctp_on_shutdown(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    struct reader r = reader_of(chunk->value);
    const uint32_t cum = read_u32(&r);
    if (reader_failed(&r)) {
        sctp->shared->counters.malformed++;
        return;
    }
    if (!sctp_acknowledge(sctp, cum)) {
        sctp_violated(sctp, SCTP_CAUSE_VIOLATION);
        return;
    }
    if (sctp->state == SCTP_STATE_ESTABLISHED || sctp->state == SCTP_STATE_SHUTDOWN_PENDING) {
        sctp->state = SCTP_STATE_SHUTDOWN_RECEIVED;
    } else if (sctp->state == SCTP_STATE_SHUTDOWN_SENT) {    /* both at once */
        sctp->state = SCTP_STATE_SHUTDOWN_ACK_SENT;
        sctp->wants &= ~(uint32_t)SCTP_WANT_SHUTDOWN;
        say_again(sctp, SCTP_WANT_SHUTDOWN_ACK);
    } else if (sctp->state == SCTP_STATE_SHUTDOWN_ACK_SENT) {
        sctp->wants |= SCTP_WANT_SHUTDOWN_ACK;
    }
}

static void complete(struct sctp *sctp, uint32_t tag, uint8_t flags)
{
    uint8_t data[SCTP_PACKET_MAX];
    struct sctp_packer p = sctp_reply_begin(sctp, data, tag);
    sctp_pack_chunk(&p, SCTP_SHUTDOWN_COMPLETE, flags);
    sctp_pack_chunk_end(&p);
    sctp_reply_end(sctp, &p);
}

void sctp_on_shutdown_ack(struct sctp *sctp, uint32_t tag)
{
    if (sctp->state == SCTP_STATE_SHUTDOWN_SENT || sctp->state == SCTP_STATE_SHUTDOWN_ACK_SENT) {
        complete(sctp, sctp->peer.tag, 0);
        sctp_close(sctp, SCTP_REASON_SHUTDOWN);
    } else if (sctp->state < SCTP_STATE_ESTABLISHED || sctp->state == SCTP_STATE_CLOSED) {
        complete(sctp, tag, SCTP_FLAG_T);        /* RFC 9260 8.4: it speaks of an association that we don't have */
    } else {
        sctp->shared->counters.wrong_state++;
    }
}

void sctp_on_shutdown_complete(struct sctp *sctp)
{
    if (sctp->state == SCTP_STATE_SHUTDOWN_ACK_SENT)
        sctp_close(sctp, SCTP_REASON_SHUTDOWN);
    else
        sctp->shared->counters.wrong_state++;
}
