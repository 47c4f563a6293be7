/* Streams begin anew, and more of them (RFC 6525). One request of ours is under way at a time; streams whose last messages
 * have been sent go into one. A request of the peer is carried out when all that it sent before has come. */
#include "proto/sctp/sctp_internal.h"

enum {                               /* RFC 6525 4.4 */
    RESULT_NOTHING = 0,
    RESULT_PERFORMED = 1,
    RESULT_DENIED = 2,
    RESULT_WRONG_STREAM = 3,
    RESULT_BAD_SEQ = 5,
    RESULT_IN_PROGRESS = 6,
};

#define ANSWER_SIZE  12u
#define RESET_SIZE   16u             /* without its streams */
#define ADD_SIZE     12u

/* ---- ours ---- */

enum err sctp_reset_stream(struct sctp *sctp, usec_t now, uint16_t stream)
{
    sctp->now = now;
    if (sctp->state > SCTP_STATE_ESTABLISHED)
        return ERR_STATE;
    const bool is_up = sctp->state == SCTP_STATE_ESTABLISHED;
    if (stream >= (is_up ? sctp->streams_out : sctp->config.streams_out))
        return ERR_INVALID;
    if (is_up && !sctp->peer.has_reconfig)
        return ERR_UNSUPPORTED;
    struct sctp_tx_stream *s = sctp_tx_stream(sctp, stream);
    if (s->reset == SCTP_RESET_NONE) {
        s->reset = SCTP_RESET_WANTED;
        sctp->reconfig.wanted++;
    }
    return ERR_NONE;
}

enum err sctp_add_streams(struct sctp *sctp, usec_t now, uint16_t count)
{
    sctp->now = now;
    if (sctp->state != SCTP_STATE_ESTABLISHED || sctp->reconfig.add_count != 0)
        return ERR_STATE;
    if (!sctp->peer.has_reconfig)
        return ERR_UNSUPPORTED;
    if (count == 0 || (uint32_t)sctp->streams_out + count > UINT16_MAX)
        return ERR_INVALID;
    sctp->reconfig.add_count = count;
    return ERR_NONE;
}

static uint32_t resets_max(const struct sctp *sctp)
{
    const uint32_t fit = (sctp->config.mtu - 64u) / 2;
    return fit < SCTP_RESETS_MAX ? fit : SCTP_RESETS_MAX;
}

/* Streams that are wanted and have nothing left to be sent become part of the request. */
static bool mark_resets(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    uint32_t count = 0;
    for (uint32_t i = 0; i < tx->stream_room && count < resets_max(sctp); i++) {
        struct sctp_tx_stream *stream = &tx->streams[i];
        if (stream->reset != SCTP_RESET_WANTED || stream->first != NULL || (tx->current != NULL && tx->current->stream == i))
            continue;
        stream->reset = SCTP_RESET_SENT;
        sctp->reconfig.wanted--;
        count++;
    }
    return count > 0;
}

static void streams_done(struct sctp *sctp, enum sctp_reset_state from, bool ok)
{
    for (uint32_t i = 0; i < sctp->tx.stream_room; i++) {
        struct sctp_tx_stream *stream = &sctp->tx.streams[i];
        if (stream->reset != from)
            continue;
        stream->reset = SCTP_RESET_NONE;
        if (ok)
            stream->next_ssn = 0;
        sctp_note(sctp, SCTP_RX_RESET_OUT, (uint16_t)i, ok);
    }
}

void sctp_reconfig_step(struct sctp *sctp)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    if (re->wanted > 0 && !sctp->peer.has_reconfig) {        /* asked for before the peer was known */
        re->wanted = 0;
        streams_done(sctp, SCTP_RESET_WANTED, false);
        return;
    }
    if (sctp->state != SCTP_STATE_ESTABLISHED || re->ask != SCTP_ASK_NONE)
        return;
    if (re->wanted > 0 && mark_resets(sctp)) {
        re->ask = SCTP_ASK_RESET;
        re->last_tsn = sctp->tx.next - 1;
    } else if (re->add_count > 0) {
        re->ask = SCTP_ASK_ADD;
    } else {
        return;
    }
    sctp->wants |= SCTP_WANT_RESET;
    sctp_timer_set(sctp, SCTP_TIMER_RECONFIG, sctp->path.rto_us);
}

void sctp_reconfig_timeout(struct sctp *sctp)
{
    sctp_error(sctp, true);
    if (sctp->state == SCTP_STATE_CLOSED)
        return;
    sctp->wants |= SCTP_WANT_RESET;
    sctp_timer_set(sctp, SCTP_TIMER_RECONFIG, sctp->path.rto_us);
}

static void on_response(struct sctp *sctp, struct view value)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    struct reader r = reader_of(value);
    const uint32_t seq = read_u32(&r);
    const uint32_t result = read_u32(&r);
    if (reader_failed(&r)) {
        sctp->shared->counters.malformed++;
        return;
    }
    if (re->ask == SCTP_ASK_NONE || seq != re->seq)
        return;
    sctp->path.errors = 0;
    if (result == RESULT_IN_PROGRESS) {
        sctp_timer_set(sctp, SCTP_TIMER_RECONFIG, sctp->path.rto_us);
        return;
    }
    const enum sctp_ask ask = re->ask;
    const bool ok = result == RESULT_NOTHING || result == RESULT_PERFORMED;
    re->ask = SCTP_ASK_NONE;
    re->seq++;
    sctp->wants &= ~(uint32_t)SCTP_WANT_RESET;
    sctp_timer_stop(sctp, SCTP_TIMER_RECONFIG);
    if (ask == SCTP_ASK_RESET) {
        streams_done(sctp, SCTP_RESET_SENT, ok);
        return;
    }
    if (ok)
        sctp->streams_out = (uint16_t)(sctp->streams_out + re->add_count);
    re->add_count = 0;
    sctp_note(sctp, SCTP_RX_STREAMS, 0, ok);
}

/* ---- the peer's ---- */

static void answer(struct sctp *sctp, uint32_t seq, uint32_t result)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    if (re->answer_count == SCTP_ANSWERS_MAX)
        re->answers[0] = re->answers[--re->answer_count];
    re->answers[re->answer_count++] = (struct sctp_answer){seq, result};
    sctp->wants |= SCTP_WANT_RESET_ANSWER;
}

static void answer_for_good(struct sctp *sctp, uint32_t result)
{
    sctp->reconfig.peer_result = result;
    answer(sctp, sctp->reconfig.peer_seq++, result);
}

static void told_reset(struct sctp *sctp, uint16_t stream)
{
    struct sctp_rx *rx = sctp_rx_new(sctp, 0);
    rx->kind = SCTP_RX_RESET_IN;
    rx->stream = stream;
    rx->ok = true;
    sctp_rx_ready(sctp, rx);
}

static void perform_reset(struct sctp *sctp, const uint16_t *streams, uint32_t count)
{
    sctp_rx_streams_reset(sctp, streams, count);
    for (uint32_t i = 0; i < (count > 0 ? count : sctp->rx.stream_room); i++)
        told_reset(sctp, count > 0 ? streams[i] : (uint16_t)i);
    answer_for_good(sctp, RESULT_PERFORMED);
}

static void later_free(struct sctp *sctp)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    sctp_put_memory(sctp, re->later, re->later_count * sizeof(*re->later) + 1);
    re->later = NULL;
    re->later_count = 0;
}

void sctp_reconfig_arrived(struct sctp *sctp)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    if (re->later == NULL || tsn_before(sctp->rx.cum, re->later_tsn))
        return;
    perform_reset(sctp, re->later, re->later_count);
    later_free(sctp);
}

static void on_reset_out(struct sctp *sctp, struct reader *r)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    read_skip(r, 4);                             /* which request of ours it answers: we send none of that kind */
    const uint32_t last_tsn = read_u32(r);
    uint16_t streams[SCTP_PACKET_MAX / 2];
    uint32_t count = 0;
    bool is_wrong = reader_left(r) % 2 != 0;
    while (!is_wrong && reader_left(r) > 0) {
        const uint16_t stream = read_u16(r);
        if (stream >= sctp->streams_in || count == ARRAY_COUNT(streams))
            is_wrong = true;
        else
            streams[count++] = stream;
    }
    if (is_wrong || reader_failed(r)) {
        answer_for_good(sctp, RESULT_WRONG_STREAM);
        return;
    }
    /* What the application does not take bounds the resets, too: the peer asks again. */
    if (re->later != NULL || sctp->rx.held_bytes > sctp->rx.window) {
        answer(sctp, re->peer_seq, RESULT_IN_PROGRESS);
        return;
    }
    if (!tsn_before(sctp->rx.cum, last_tsn)) {
        perform_reset(sctp, streams, count);
        return;
    }
    re->later = sctp_get_memory(sctp, count * sizeof(*streams) + 1);
    memcpy(re->later, streams, count * sizeof(*streams));
    re->later_count = count;
    re->later_tsn = last_tsn;
    answer(sctp, re->peer_seq, RESULT_IN_PROGRESS);
}

/* The peer wants our direction to begin anew: as if the application had said so. */
static void on_reset_in(struct sctp *sctp, struct reader *r)
{
    bool any = false;
    while (reader_left(r) >= 2) {
        const uint16_t stream = read_u16(r);
        if (stream < sctp->streams_out)
            any |= sctp_reset_stream(sctp, sctp->now, stream) == ERR_NONE;
    }
    answer_for_good(sctp, any ? RESULT_PERFORMED : RESULT_NOTHING);
}

static void on_add_out(struct sctp *sctp, struct reader *r)
{
    const uint16_t count = read_u16(r);
    if ((uint32_t)sctp->streams_in + count > sctp->config.streams_in || sctp->rx.held_bytes > sctp->rx.window) {
        answer_for_good(sctp, RESULT_DENIED);
        return;
    }
    sctp->streams_in = (uint16_t)(sctp->streams_in + count);
    sctp_note(sctp, SCTP_RX_STREAMS, 0, true);
    answer_for_good(sctp, RESULT_PERFORMED);
}

static void on_request(struct sctp *sctp, const struct sctp_param *param)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    struct reader r = reader_of(param->value);
    const uint32_t seq = read_u32(&r);
    if (reader_failed(&r)) {
        sctp->shared->counters.malformed++;
        return;
    }
    if (seq == re->peer_seq - 1) {
        answer(sctp, seq, re->peer_result);
        return;
    }
    if (seq != re->peer_seq) {
        answer(sctp, seq, RESULT_BAD_SEQ);
        return;
    }
    if (param->type == SCTP_PARAM_RESET_OUT)
        on_reset_out(sctp, &r);
    else if (param->type == SCTP_PARAM_RESET_IN)
        on_reset_in(sctp, &r);
    else if (param->type == SCTP_PARAM_ADD_OUT)
        on_add_out(sctp, &r);
    else
        answer_for_good(sctp, RESULT_DENIED);    /* TSNs anew, and streams of ours at the peer's wish: RFC 6525 5.2.4, 5.2.6 */
}

void sctp_on_reconfig(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    if (sctp->state > SCTP_STATE_SHUTDOWN_SENT) {
        sctp->shared->counters.wrong_state++;
        return;
    }
    struct reader r = reader_of(chunk->value);
    struct sctp_param param;
    for (unsigned i = 0; i < SCTP_ANSWERS_MAX && sctp_param_next(&r, &param); i++) {
        if (param.type == SCTP_PARAM_RECONFIG_RESPONSE)
            on_response(sctp, param.value);
        else if (param.type >= SCTP_PARAM_RESET_OUT && param.type <= SCTP_PARAM_ADD_IN)
            on_request(sctp, &param);
        else
            sctp->shared->counters.malformed++;
    }
    if (reader_failed(&r))
        sctp->shared->counters.malformed++;
}

/* ---- bytes ---- */

static void ask_write(struct sctp *sctp, struct sctp_packer *p)
{
    const struct sctp_reconfig *re = &sctp->reconfig;
    if (re->ask == SCTP_ASK_ADD) {
        sctp_pack_param(p, SCTP_PARAM_ADD_OUT);
        write_u32(&p->w, re->seq);
        write_u16(&p->w, re->add_count);
        write_u16(&p->w, 0);
        sctp_pack_param_end(p);
        return;
    }
    sctp_pack_param(p, SCTP_PARAM_RESET_OUT);
    write_u32(&p->w, re->seq);
    write_u32(&p->w, re->peer_seq - 1);
    write_u32(&p->w, re->last_tsn);
    for (uint32_t i = 0; i < sctp->tx.stream_room; i++)
        if (sctp->tx.streams[i].reset == SCTP_RESET_SENT)
            write_u16(&p->w, (uint16_t)i);
    sctp_pack_param_end(p);
}

static size_t ask_size(const struct sctp *sctp)
{
    if (sctp->reconfig.ask == SCTP_ASK_ADD)
        return ADD_SIZE;
    size_t size = RESET_SIZE + 4;                /* with padding */
    for (uint32_t i = 0; i < sctp->tx.stream_room; i++)
        size += sctp->tx.streams[i].reset == SCTP_RESET_SENT ? 2 : 0;
    return size;
}

/* Writes what has room; the rest stays wanted. */
void sctp_write_reconfig(struct sctp *sctp, struct sctp_packer *p)
{
    struct sctp_reconfig *re = &sctp->reconfig;
    const size_t answers = re->answer_count * ANSWER_SIZE;
    const bool asks = sctp_wants(sctp, SCTP_WANT_RESET) && re->ask != SCTP_ASK_NONE;
    if (writer_left(&p->w) < SCTP_CHUNK_HEADER + answers)
        return;
    /* An answer and a request may share a chunk; two answers and a request may not (RFC 6525 3.1). */
    const bool ask_fits = asks && re->answer_count < 2 && writer_left(&p->w) >= SCTP_CHUNK_HEADER + answers + ask_size(sctp);
    if (answers == 0 && !ask_fits) {
        if (!asks)
            sctp->wants &= ~(uint32_t)(SCTP_WANT_RESET | SCTP_WANT_RESET_ANSWER);
        return;
    }
    sctp_pack_chunk(p, SCTP_RECONFIG, 0);
    for (uint32_t i = 0; i < re->answer_count; i++) {
        sctp_pack_param(p, SCTP_PARAM_RECONFIG_RESPONSE);
        write_u32(&p->w, re->answers[i].seq);
        write_u32(&p->w, re->answers[i].result);
        sctp_pack_param_end(p);
    }
    re->answer_count = 0;
    sctp->wants &= ~(uint32_t)SCTP_WANT_RESET_ANSWER;
    if (ask_fits) {
        ask_write(sctp, p);
        sctp->wants &= ~(uint32_t)SCTP_WANT_RESET;
    }
    sctp_pack_chunk_end(p);
}

void sctp_reconfig_clear(struct sctp *sctp)
{
    later_free(sctp);
    sctp->reconfig = (struct sctp_reconfig){0};
}
