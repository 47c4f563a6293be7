/* Packets in: ports, checksum, tags (RFC 9260 8.5), and the chunks that are small enough to be answered here. */
#include "proto/sctp/sctp_internal.h"

#define HEARTBEAT_INFO 16u           /* ours: when it went, and a nonce */

void sctp_send_abort(struct sctp *sctp, uint32_t tag, uint16_t cause, struct view info)
{
    uint8_t data[SCTP_PACKET_MAX];
    struct sctp_packer p = sctp_reply_begin(sctp, data, tag);
    sctp_pack_chunk(&p, SCTP_ABORT, 0);
    if (cause != 0) {
        sctp_pack_param(&p, cause);
        write_bytes(&p.w, info.data, info.size);
        sctp_pack_param_end(&p);
    }
    sctp_pack_chunk_end(&p);
    sctp_reply_end(sctp, &p);
}

void sctp_violated(struct sctp *sctp, uint16_t cause)
{
    if (sctp->state == SCTP_STATE_CLOSED)
        return;
    sctp->shared->counters.violations++;
    sctp_send_abort(sctp, sctp->peer.tag, cause, VIEW(NULL, 0));
    sctp_close(sctp, SCTP_REASON_PROTOCOL);
}

static void on_heartbeat(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    uint8_t data[SCTP_PACKET_MAX];
    struct sctp_packer p = sctp_reply_begin(sctp, data, sctp->peer.tag);
    sctp_pack_chunk(&p, SCTP_HEARTBEAT_ACK, 0);
    write_bytes(&p.w, chunk->value.data, chunk->value.size);
    sctp_pack_chunk_end(&p);
    sctp_reply_end(sctp, &p);
}

static void on_heartbeat_ack(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    struct reader r = reader_of(chunk->value);
    struct sctp_param param;
    if (!sctp_param_next(&r, &param) || param.type != SCTP_PARAM_HEARTBEAT || param.value.size != HEARTBEAT_INFO) {
        sctp->shared->counters.malformed++;
        return;
    }
    struct reader info = reader_of(param.value);
    const usec_t sent_at = read_u64(&info);
    if (!sctp->path.heartbeat_open || read_u64(&info) != sctp->path.heartbeat_nonce)
        return;
    sctp->path.heartbeat_open = false;
    sctp->path.errors = 0;
    sctp_path_measure(sctp, sctp->now - sent_at);
}

static void on_error(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    struct reader r = reader_of(chunk->value);
    struct sctp_param cause;
    while (sctp_param_next(&r, &cause))
        if (cause.type == SCTP_CAUSE_STALE_COOKIE)
            sctp_on_stale_cookie(sctp);
}

static bool on_unknown(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    sctp->shared->counters.unknown_chunks++;
    const unsigned bits = chunk->type >> 6;
    if (sctp_unknown_is_reported(bits) && sctp->peer.tag != 0) {
        uint8_t data[SCTP_PACKET_MAX];
        struct sctp_packer p = sctp_reply_begin(sctp, data, sctp->peer.tag);
        sctp_pack_chunk(&p, SCTP_ERROR, 0);
        sctp_pack_param(&p, SCTP_CAUSE_UNKNOWN_CHUNK);
        const size_t room = writer_left(&p.w);
        write_bytes(&p.w, chunk->whole.data, chunk->whole.size < room ? chunk->whole.size : room);
        sctp_pack_param_end(&p);
        sctp_pack_chunk_end(&p);
        sctp_reply_end(sctp, &p);
    }
    return sctp_unknown_is_skipped(bits);
}

/* Chunks of an association that is up. */
static void on_chunk_up(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    switch (chunk->type) {
    case SCTP_DATA:
        sctp_on_data(sctp, chunk);
        break;
    case SCTP_SACK:
        sctp_on_sack(sctp, chunk);
        break;
    case SCTP_FORWARD_TSN:
        sctp_on_forward_tsn(sctp, chunk);
        break;
    case SCTP_RECONFIG:
        sctp_on_reconfig(sctp, chunk);
        break;
    case SCTP_SHUTDOWN:
        sctp_on_shutdown(sctp, chunk);
        break;
    case SCTP_HEARTBEAT_ACK:
        on_heartbeat_ack(sctp, chunk);
        break;
    default:                         /* ECNE, CWR: no ECN over DTLS */
        break;
    }
}

/* False: the rest of the packet is not looked at. */
static bool on_chunk(struct sctp *sctp, uint32_t tag, const struct sctp_chunk *chunk)
{
    switch (chunk->type) {
    case SCTP_INIT_ACK:
        return sctp_on_init_ack(sctp, chunk);
    case SCTP_COOKIE_ECHO:
        return sctp_on_cookie_echo(sctp, tag, chunk) && tag == sctp->local_tag;
    case SCTP_COOKIE_ACK:
        sctp_on_cookie_ack(sctp);
        return true;
    case SCTP_SHUTDOWN_ACK:
        sctp_on_shutdown_ack(sctp, sctp->peer.tag);
        return true;
    case SCTP_ERROR:
        on_error(sctp, chunk);
        return true;
    case SCTP_HEARTBEAT:
        if (sctp->peer.tag != 0)
            on_heartbeat(sctp, chunk);
        return true;
    case SCTP_INIT:                  /* not alone in its packet, or not with tag 0 */
    case SCTP_ABORT:
    case SCTP_SHUTDOWN_COMPLETE:
        sctp->shared->counters.malformed++;
        return false;
    case SCTP_DATA:
    case SCTP_SACK:
    case SCTP_FORWARD_TSN:
    case SCTP_RECONFIG:
    case SCTP_SHUTDOWN:
    case SCTP_HEARTBEAT_ACK:
    case SCTP_ECNE:
    case SCTP_CWR:
        if (sctp->state >= SCTP_STATE_ESTABLISHED)
            on_chunk_up(sctp, chunk);
        else
            sctp->shared->counters.wrong_state++;
        return true;
    default:
        return on_unknown(sctp, chunk);
    }
}

/* RFC 9260 8.5.1 B, C: the tag is ours, or with the T bit the one we use. */
static bool is_tag_or_reflected(const struct sctp *sctp, uint32_t tag, const struct sctp_chunk *chunk)
{
    return (chunk->flags & SCTP_FLAG_T) != 0 ? tag == sctp->peer.tag && tag != 0 : tag == sctp->local_tag;
}

/* The chunks whose tag follows a rule of its own; they stand first in their packet. True: the packet is dealt with. */
static bool on_first_chunk(struct sctp *sctp, uint32_t tag, const struct sctp_chunk *chunk, bool is_alone)
{
    if (chunk->type == SCTP_INIT) {
        if (tag == 0 && is_alone)
            (void)sctp_on_init(sctp, chunk);
        else
            sctp->shared->counters.malformed++;
        return true;
    }
    if (chunk->type == SCTP_ABORT || chunk->type == SCTP_SHUTDOWN_COMPLETE) {
        if (!is_tag_or_reflected(sctp, tag, chunk))
            sctp->shared->counters.wrong_tag++;
        else if (chunk->type == SCTP_SHUTDOWN_COMPLETE)
            sctp_on_shutdown_complete(sctp);
        else
            sctp_close(sctp, SCTP_REASON_PEER_ABORTED);
        return true;
    }
    if (chunk->type == SCTP_SHUTDOWN_ACK && sctp->state < SCTP_STATE_ESTABLISHED) {
        sctp_on_shutdown_ack(sctp, tag);         /* RFC 9260 8.5.1 E */
        return true;
    }
    return false;
}

static void chunks_in(struct sctp *sctp, uint32_t tag, struct view body)
{
    struct reader r = reader_of(body);
    struct sctp_chunk chunk;
    bool is_first = true;
    while (sctp->state != SCTP_STATE_CLOSED && sctp_chunk_next(&r, &chunk)) {
        if (is_first) {
            if (on_first_chunk(sctp, tag, &chunk, reader_left(&r) == 0))
                return;
            if (tag != sctp->local_tag && chunk.type != SCTP_COOKIE_ECHO) {
                sctp->shared->counters.wrong_tag++;
                return;
            }
        }
        is_first = false;
        if (!on_chunk(sctp, tag, &chunk))
            return;
    }
    if (reader_failed(&r))
        sctp->shared->counters.malformed++;
}

/* We are gone; the peer that has not heard of it asks again (RFC 9260 8.4 5). */
static void input_closed(struct sctp *sctp, uint32_t tag, struct view body)
{
    struct reader r = reader_of(body);
    struct sctp_chunk chunk;
    if (sctp_chunk_next(&r, &chunk) && chunk.type == SCTP_SHUTDOWN_ACK)
        sctp_on_shutdown_ack(sctp, tag);
}

void sctp_input(struct sctp *sctp, usec_t now, struct view packet)
{
    struct sctp_counters *counters = &sctp->shared->counters;
    sctp->now = now;
    counters->packets_in++;
    if (packet.size < SCTP_HEADER + SCTP_CHUNK_HEADER) {
        counters->malformed++;
        return;
    }
    if (!sctp_checksum_is_right(packet)) {
        counters->wrong_checksum++;
        return;
    }
    if (get_u16(packet.data) != sctp->config.remote_port || get_u16(packet.data + 2) != sctp->config.local_port) {
        counters->wrong_port++;
        return;
    }
    const uint32_t tag = get_u32(packet.data + 4);
    const struct view body = VIEW(packet.data + SCTP_HEADER, packet.size - SCTP_HEADER);
    if (sctp->state == SCTP_STATE_CLOSED) {
        input_closed(sctp, tag, body);
        return;
    }
    chunks_in(sctp, tag, body);
    if (sctp->state == SCTP_STATE_CLOSED)
        return;
    sctp_sack_decide(sctp);
    sctp_shutdown_step(sctp);
}
