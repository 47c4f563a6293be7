/* Packets out: each is built at the moment it is asked for, control chunks first, then data as window, congestion and burst
 * allow (RFC 9260 6.1, 6.10). Answers that need a tag or a packet of their own are packets already, and go first. */
#include "proto/sctp/sctp_internal.h"

#define FRAGMENT_MIN 512u            /* a long message is not cut into less, to fill a packet up */

struct sctp_packer sctp_reply_begin(struct sctp *sctp, uint8_t *data, uint32_t tag)
{
    struct sctp_packer p;
    sctp_pack_begin(&p, data, sctp->config.mtu, sctp->config.local_port, sctp->config.remote_port, tag);
    return p;
}

void sctp_reply_end(struct sctp *sctp, struct sctp_packer *p)
{
    const size_t size = sctp_pack_end(p);
    if (size == 0 || sctp->reply_count >= SCTP_REPLIES_MAX) {
        sctp->shared->counters.replies_dropped++;
        return;
    }
    struct sctp_reply *reply = sctp_get_memory(sctp, sizeof(*reply) + size);
    reply->next = NULL;
    reply->size = (uint32_t)size;
    memcpy(reply->data, p->w.start, size);
    if (sctp->replies_last != NULL)
        sctp->replies_last->next = reply;
    else
        sctp->replies = reply;
    sctp->replies_last = reply;
    sctp->reply_count++;
}

static bool reply_take(struct sctp *sctp, struct sctp_tx *out)
{
    struct sctp_reply *reply = sctp->replies;
    if (reply == NULL)
        return false;
    sctp->replies = reply->next;
    if (reply->next == NULL)
        sctp->replies_last = NULL;
    sctp->reply_count--;
    out->size = reply->size;
    memcpy(out->data, reply->data, reply->size);
    sctp_put_memory(sctp, reply, sizeof(*reply) + reply->size);
    return true;
}

/* ---- data ---- */

static void chunk_write(struct sctp_packer *p, const struct sctp_tx_chunk *chunk, uint32_t tsn)
{
    const struct sctp_tx_message *message = chunk->message;
    sctp_pack_chunk(p, SCTP_DATA, chunk->flags);
    write_u32(&p->w, tsn);
    write_u16(&p->w, message->stream);
    write_u16(&p->w, message->ssn);
    write_u32(&p->w, message->ppid);
    write_bytes(&p->w, message->data + chunk->offset, chunk->size);
    sctp_pack_chunk_end(p);
}

static void chunk_sent(struct sctp *sctp, struct sctp_tx_chunk *chunk)
{
    chunk->state = SCTP_CHUNK_FLIGHT;
    chunk->sent_at = sctp->now;
    chunk->sent_in = sctp->path.packets;
    sctp->path.flight += sctp_chunk_weight(chunk);
}

/* What is lost goes first, in the order of TSNs. True when something was written. */
static bool lost_write(struct sctp *sctp, struct sctp_packer *p)
{
    struct sctp_tx_side *tx = &sctp->tx;
    bool wrote = false;
    for (; tx->lost > 0 && tsn_before(tx->lost_from, tx->next); tx->lost_from++) {
        struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tx->lost_from);
        if (chunk->state != SCTP_CHUNK_LOST)
            continue;
        if (sctp_is_given_up(sctp, chunk->message)) {
            sctp_abandon(sctp, chunk->message);
            continue;
        }
        if (SCTP_DATA_HEADER + chunk->size > writer_left(&p->w))
            return wrote;
        const bool is_free = sctp->path.flight == 0 || (sctp->path.fast_packet && !wrote);
        if (!is_free && sctp_is_shut(sctp))
            return wrote;
        if (!is_free && !wrote && sctp->path.flight + sctp_chunk_weight(chunk) > sctp->path.cwnd)
            return wrote;
        chunk->retransmits++;
        sctp->retransmits++;
        sctp->shared->counters.retransmits++;
        tx->lost--;
        chunk->flags |= SCTP_FLAG_I;
        chunk_sent(sctp, chunk);
        chunk_write(p, chunk, tx->lost_from);
        if (tx->lost_from == tx->base)           /* RFC 9260 7.2.4 4: T3 is for this copy now */
            sctp_timer_set(sctp, SCTP_TIMER_RETRANSMIT, sctp->path.rto_us);
        wrote = true;
    }
    return wrote;
}

/* May `size` bytes more be sent? One chunk always may when nothing is under way: it probes a closed window (6.1 A). */
static bool is_allowed(const struct sctp *sctp, uint32_t size)
{
    const struct sctp_path *path = &sctp->path;
    if (path->flight == 0 && sctp_tx_outstanding(sctp) == 0)
        return true;
    const uint32_t limit = path->cwnd < path->burst_limit ? path->cwnd : path->burst_limit;
    return path->flight < limit && sctp->tx.peer_window > path->flight && size <= sctp->tx.peer_window - path->flight &&
           sctp_tx_outstanding(sctp) < SCTP_OUTSTANDING_MAX;
}

/* How much of the message fits this packet; 0: nothing, or too little to be worth a cut. */
static uint32_t fragment_size(const struct sctp *sctp, const struct sctp_packer *p, const struct sctp_tx_message *message)
{
    const size_t left = writer_left(&p->w);
    if (left <= SCTP_DATA_HEADER)
        return 0;
    const uint32_t rest = message->size - message->sent;
    const uint32_t room = (uint32_t)(left - SCTP_DATA_HEADER) & ~3u;
    if (rest <= room)
        return rest;
    const uint32_t whole = sctp->config.mtu - SCTP_HEADER - SCTP_DATA_HEADER;
    if (rest <= whole && message->sent == 0)
        return 0;                    /* it needs no cut in the next packet */
    return room >= FRAGMENT_MIN || room == (whole & ~3u) ? room : 0;
}

/* The last that there is to send asks for its SACK (RFC 9260 3.3.1, I bit), which would else wait for another packet. But one that
 * is alone under way does it now and then only: who says little things often gets a SACK for every second of them. */
static bool is_to_ask(struct sctp *sctp, bool is_alone)
{
    return sctp_tx_pick(sctp) == NULL && (!is_alone || sctp->now - sctp->path.asked_at >= SCTP_ASK_US);
}

static bool new_write(struct sctp *sctp, struct sctp_packer *p, bool is_alone)
{
    bool wrote = false;
    struct sctp_tx_message *message;
    while ((message = sctp_tx_pick(sctp)) != NULL) {
        const uint32_t size = fragment_size(sctp, p, message);
        if (size == 0 || !is_allowed(sctp, size))
            break;
        const uint32_t tsn = sctp->tx.next;
        struct sctp_tx_chunk *chunk = sctp_tx_push(sctp, message, size);
        chunk_sent(sctp, chunk);
        if (is_to_ask(sctp, is_alone))
            chunk->flags |= SCTP_FLAG_I;
        sctp->path.asked |= (chunk->flags & SCTP_FLAG_I) != 0;
        chunk_write(p, chunk, tsn);
        wrote = true;
    }
    return wrote;
}

static void data_write(struct sctp *sctp, struct sctp_packer *p)
{
    if (!sctp_may_send_data(sctp) || (sctp->tx.lost == 0 && sctp_tx_pick(sctp) == NULL))
        return;
    sctp_path_wake(sctp);
    sctp->path.packets++;
    const bool is_alone = sctp->path.flight == 0;
    bool wrote = lost_write(sctp, p);
    if (wrote)
        sctp->path.fast_packet = false;
    sctp->path.asked = wrote;
    if (sctp->tx.lost == 0)
        wrote |= new_write(sctp, p, is_alone);
    if (wrote) {
        if (sctp->path.asked)
            sctp->path.asked_at = sctp->now;
        sctp->path.sent_at = sctp->now;
        sctp_path_rearm(sctp);
    } else {
        sctp->path.packets--;
    }
}

/* ---- control ---- */

static void simple_write(struct sctp_packer *p, uint8_t type)
{
    sctp_pack_chunk(p, type, 0);
    sctp_pack_chunk_end(p);
}

static bool take_want(struct sctp *sctp, uint32_t want)
{
    if (!sctp_wants(sctp, want))
        return false;
    sctp->wants &= ~want;
    return true;
}

static void heartbeat_write(struct sctp *sctp, struct sctp_packer *p)
{
    sctp->path.heartbeat_nonce = rng_u64(sctp->config.rng);
    sctp->path.heartbeat_open = true;
    sctp_pack_chunk(p, SCTP_HEARTBEAT, 0);
    sctp_pack_param(p, SCTP_PARAM_HEARTBEAT);
    write_u64(&p->w, sctp->now);
    write_u64(&p->w, sctp->path.heartbeat_nonce);
    sctp_pack_param_end(p);
    sctp_pack_chunk_end(p);
}

/* A SACK that may wait goes along with data. */
static bool is_sack_wanted(const struct sctp *sctp)
{
    if (sctp_wants(sctp, SCTP_WANT_SACK))
        return true;
    const bool has_new = sctp->tx.active_count > 0 || sctp->tx.current != NULL;
    return sctp->rx.packets_unacked > 0 && sctp_may_send_data(sctp) &&
           (sctp->tx.lost > 0 || (has_new && is_allowed(sctp, 1)));
}

static void handshake_write(struct sctp *sctp, struct sctp_packer *p)
{
    if (take_want(sctp, SCTP_WANT_COOKIE_ECHO)) {
        sctp_pack_chunk(p, SCTP_COOKIE_ECHO, 0);
        write_bytes(&p->w, sctp->cookie, sctp->cookie_size);
        sctp_pack_chunk_end(p);
    }
    if (take_want(sctp, SCTP_WANT_COOKIE_ACK))
        simple_write(p, SCTP_COOKIE_ACK);
}

/* What finds no room waits for the next packet: each of these fits an empty one. */
static void control_write(struct sctp *sctp, struct sctp_packer *p)
{
    handshake_write(sctp, p);
    if (writer_left(&p->w) >= SCTP_SACK_MIN && is_sack_wanted(sctp)) {
        sctp->wants &= ~(uint32_t)SCTP_WANT_SACK;
        sctp_write_sack(sctp, p);
    }
    if (writer_left(&p->w) >= 8 && take_want(sctp, SCTP_WANT_SHUTDOWN)) {
        sctp_pack_chunk(p, SCTP_SHUTDOWN, 0);
        write_u32(&p->w, sctp->rx.cum);
        sctp_pack_chunk_end(p);
    }
    if (writer_left(&p->w) >= SCTP_CHUNK_HEADER && take_want(sctp, SCTP_WANT_SHUTDOWN_ACK))
        simple_write(p, SCTP_SHUTDOWN_ACK);
    if (writer_left(&p->w) >= SCTP_FORWARD_MIN && take_want(sctp, SCTP_WANT_FORWARD_TSN))
        sctp_write_forward_tsn(sctp, p);
    if (writer_left(&p->w) >= 24 && take_want(sctp, SCTP_WANT_HEARTBEAT))
        heartbeat_write(sctp, p);
    if (sctp_wants(sctp, SCTP_WANT_RESET | SCTP_WANT_RESET_ANSWER))
        sctp_write_reconfig(sctp, p);
}

static bool packet_end(struct sctp *sctp, struct sctp_packer *p, struct sctp_tx *out)
{
    if (writer_size(&p->w) == SCTP_HEADER)
        return false;
    out->size = sctp_pack_end(p);
    CHECK(out->size > 0);
    sctp->shared->counters.packets_out++;
    return true;
}

bool sctp_poll_tx(struct sctp *sctp, struct sctp_tx *out)
{
    if (reply_take(sctp, out)) {
        sctp->shared->counters.packets_out++;
        return true;
    }
    const bool is_init = take_want(sctp, SCTP_WANT_INIT);
    struct sctp_packer p = sctp_reply_begin(sctp, out->data, is_init ? 0 : sctp->peer.tag);
    if (is_init) {
        sctp_write_init(sctp, &p, SCTP_INIT, sctp->local_tag, sctp->local_tsn);
        sctp_pack_chunk_end(&p);
        return packet_end(sctp, &p, out);
    }
    if (sctp->state == SCTP_STATE_CLOSED)
        return false;
    if (sctp->state >= SCTP_STATE_ESTABLISHED)
        sctp_reconfig_step(sctp);
    control_write(sctp, &p);
    data_write(sctp, &p);
    if (sctp_wants(sctp, SCTP_WANT_FORWARD_TSN) && writer_size(&p.w) == SCTP_HEADER)
        control_write(sctp, &p);     /* a message was given up just now */
    return packet_end(sctp, &p, out);
}
