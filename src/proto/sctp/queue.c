/* Messages to be sent: a queue per stream, streams in turn by whole messages (RFC 9260 has no interleaving without
 * I-DATA), and the ring of chunks that have a TSN. */
#include "proto/sctp/sctp_internal.h"

#define STREAMS_FIRST 4u             /* room for streams, then doubled */

static uint32_t message_memory(uint32_t size)
{
    return (uint32_t)sizeof(struct sctp_tx_message) + size;
}

/* ---- streams ---- */

static void streams_grow(struct sctp *sctp, uint16_t stream)
{
    struct sctp_tx_side *tx = &sctp->tx;
    uint32_t room = tx->stream_room == 0 ? STREAMS_FIRST : tx->stream_room;
    while (room <= stream)
        room *= 2;
    struct sctp_tx_stream *streams = sctp_get_memory(sctp, room * sizeof(*streams));
    memset(streams, 0, room * sizeof(*streams));
    if (tx->stream_room > 0)
        memcpy(streams, tx->streams, tx->stream_room * sizeof(*streams));
    sctp_put_memory(sctp, tx->streams, tx->stream_room * sizeof(*streams));
    tx->streams = streams;
    tx->stream_room = room;
}

struct sctp_tx_stream *sctp_tx_stream(struct sctp *sctp, uint16_t stream)
{
    if (stream >= sctp->tx.stream_room)
        streams_grow(sctp, stream);
    return &sctp->tx.streams[stream];
}

static void activate(struct sctp *sctp, uint16_t id)
{
    struct sctp_tx_side *tx = &sctp->tx;
    struct sctp_tx_stream *stream = &tx->streams[id];
    if (stream->is_active)
        return;
    stream->is_active = true;
    if (tx->active_count == 0)
        tx->first_active = id;
    else
        tx->streams[tx->last_active].next_active = id;
    tx->last_active = id;
    tx->active_count++;
}

static uint16_t deactivate_first(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    const uint16_t id = tx->first_active;
    tx->first_active = tx->streams[id].next_active;
    tx->streams[id].is_active = false;
    tx->active_count--;
    return id;
}

/* ---- messages ---- */

static void message_free(struct sctp *sctp, struct sctp_tx_message *message)
{
    struct sctp_tx_side *tx = &sctp->tx;
    tx->buffered_bytes -= message->size;
    tx->charged_bytes -= message_memory(message->size);
    sctp_put_memory(sctp, message, message_memory(message->size));
    if (tx->is_writable_due && tx->charged_bytes <= sctp->config.buffer_bytes / 2) {
        tx->is_writable_due = false;
        sctp->tells |= SCTP_TELL_WRITABLE;
    }
}

void sctp_tx_release(struct sctp *sctp, struct sctp_tx_message *message)
{
    if (message->chunks == 0 && (message->abandoned || message->sent == message->size))
        message_free(sctp, message);
}

/* Takes the first message of its stream, or the one that is being sent, out of what waits. */
void sctp_tx_unqueue(struct sctp *sctp, struct sctp_tx_message *message)
{
    struct sctp_tx_stream *stream = &sctp->tx.streams[message->stream];
    stream->queued_bytes -= message->size - message->sent;
    if (sctp->tx.current == message) {
        sctp->tx.current = NULL;
        return;
    }
    CHECK(stream->first == message);
    stream->first = message->next;
    if (stream->first == NULL)
        stream->last = NULL;
}

static void drop_expired(struct sctp *sctp, struct sctp_tx_stream *stream)
{
    while (stream->first != NULL && sctp_is_given_up(sctp, stream->first)) {
        struct sctp_tx_message *message = stream->first;
        sctp_tx_unqueue(sctp, message);
        message->abandoned = true;
        sctp->shared->counters.abandoned++;
        sctp_tx_release(sctp, message);
    }
}

struct sctp_tx_message *sctp_tx_pick(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    if (tx->current != NULL && sctp_is_given_up(sctp, tx->current))
        sctp_abandon(sctp, tx->current);
    while (tx->current == NULL && tx->active_count > 0) {
        struct sctp_tx_stream *stream = &tx->streams[tx->first_active];
        drop_expired(sctp, stream);
        if (stream->first != NULL)
            return stream->first;
        (void)deactivate_first(sctp);
    }
    return tx->current;
}

/* The picked message begins: it leaves its queue, and its stream goes to the end of the round. */
static void message_begin(struct sctp *sctp, struct sctp_tx_message *message)
{
    struct sctp_tx_stream *stream = &sctp->tx.streams[message->stream];
    CHECK(stream->first == message && sctp->tx.first_active == message->stream);
    stream->first = message->next;
    if (stream->first == NULL)
        stream->last = NULL;
    (void)deactivate_first(sctp);
    if (stream->first != NULL)
        activate(sctp, message->stream);
    sctp->tx.current = message;
    message->first_tsn = sctp->tx.next;
    message->ssn = message->unordered ? 0 : stream->next_ssn++;
}

/* ---- the ring ---- */

static void ring_grow(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    const uint32_t room = tx->ring_room == 0 ? SCTP_RING_KEPT : tx->ring_room * 2;
    struct sctp_tx_chunk *ring = sctp_get_memory(sctp, room * sizeof(*ring));
    for (uint32_t tsn = tx->base; tsn != tx->next; tsn++)
        ring[tsn & (room - 1)] = *sctp_tx_at(sctp, tsn);
    sctp_put_memory(sctp, tx->ring, tx->ring_room * sizeof(*ring));
    tx->ring = ring;
    tx->ring_room = room;
}

void sctp_tx_ring_trim(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    if (tx->base != tx->next || tx->ring_room <= SCTP_RING_KEPT)
        return;
    sctp_put_memory(sctp, tx->ring, tx->ring_room * sizeof(*tx->ring));
    tx->ring = NULL;
    tx->ring_room = 0;
}

struct sctp_tx_chunk *sctp_tx_push(struct sctp *sctp, struct sctp_tx_message *message, uint32_t size)
{
    struct sctp_tx_side *tx = &sctp->tx;
    if (sctp_tx_outstanding(sctp) == tx->ring_room)
        ring_grow(sctp);
    if (tx->current != message)
        message_begin(sctp, message);
    struct sctp_tx_chunk *chunk = sctp_tx_at(sctp, tx->next);
    *chunk = (struct sctp_tx_chunk){.message = message, .offset = message->sent, .size = (uint16_t)size};
    if (message->unordered)
        chunk->flags |= SCTP_FLAG_U;
    if (message->sent == 0)
        chunk->flags |= SCTP_FLAG_B;
    message->sent += size;
    message->chunks++;
    tx->streams[message->stream].queued_bytes -= size;
    tx->next++;
    if (message->sent == message->size) {
        chunk->flags |= SCTP_FLAG_E;
        tx->current = NULL;
        sctp->shared->counters.messages_out++;
    }
    return chunk;
}

/* ---- what the application calls ---- */

/* One message is always taken when nothing else is buffered: else nothing would tell when there is room again. */
static bool has_room(struct sctp *sctp, uint32_t memory)
{
    const struct sctp_tx_side *tx = &sctp->tx;
    return tx->charged_bytes == 0 || (tx->charged_bytes + memory <= sctp->config.buffer_bytes && sctp_has_budget(sctp, memory));
}

static enum err send_check(struct sctp *sctp, const struct sctp_message *message, struct view data)
{
    if (sctp->state > SCTP_STATE_ESTABLISHED)
        return ERR_STATE;
    const uint16_t streams = sctp->state == SCTP_STATE_ESTABLISHED ? sctp->streams_out : sctp->config.streams_out;
    if (data.size == 0 || data.size > sctp->config.remote_max_message_bytes || message->stream >= streams ||
        data.size > UINT32_MAX - sizeof(struct sctp_tx_message))
        return ERR_INVALID;
    struct sctp_tx_stream *stream = sctp_tx_stream(sctp, message->stream);
    if (stream->reset != SCTP_RESET_NONE)
        return ERR_STATE;
    if (!has_room(sctp, message_memory((uint32_t)data.size)))
        drop_expired(sctp, stream);
    if (has_room(sctp, message_memory((uint32_t)data.size)))
        return ERR_NONE;
    sctp->shared->counters.sends_refused++;
    sctp->tx.is_writable_due = true;
    return ERR_FULL;
}

enum err sctp_send(struct sctp *sctp, usec_t now, const struct sctp_message *options, struct view data)
{
    sctp->now = now;
    const enum err err = send_check(sctp, options, data);
    if (err != ERR_NONE)
        return err;
    const uint32_t size = (uint32_t)data.size;
    struct sctp_tx_message *message = sctp_get_memory(sctp, message_memory(size));
    *message = (struct sctp_tx_message){
        .expires = options->reliability == SCTP_LIFETIME ? usec_add(now, MSEC(options->limit)) : USEC_NEVER,
        .retransmits_max = options->reliability == SCTP_RETRANSMITS ? options->limit : UINT32_MAX,
        .size = size,
        .ppid = options->ppid,
        .stream = options->stream,
        .unordered = options->unordered,
    };
    memcpy(message->data, data.data, size);
    struct sctp_tx_stream *stream = &sctp->tx.streams[options->stream];
    if (stream->last != NULL)
        stream->last->next = message;
    else
        stream->first = message;
    stream->last = message;
    stream->queued_bytes += size;
    activate(sctp, options->stream);
    sctp->tx.buffered_bytes += size;
    sctp->tx.charged_bytes += message_memory(size);
    if (sctp->tx.charged_bytes > sctp->config.buffer_bytes / 2)
        sctp->tx.is_writable_due = true;
    return ERR_NONE;
}

size_t sctp_buffered(const struct sctp *sctp)
{
    return sctp->tx.buffered_bytes;
}

size_t sctp_stream_queued(const struct sctp *sctp, uint16_t stream)
{
    return stream < sctp->tx.stream_room ? sctp->tx.streams[stream].queued_bytes : 0;
}

/* ---- the end ---- */

static void stream_clear(struct sctp *sctp, struct sctp_tx_stream *stream)
{
    while (stream->first != NULL) {
        struct sctp_tx_message *message = stream->first;
        stream->first = message->next;
        stream->queued_bytes -= message->size;
        message_free(sctp, message);
    }
    stream->last = NULL;
}

void sctp_queue_fit_streams(struct sctp *sctp)
{
    for (uint32_t i = sctp->streams_out; i < sctp->tx.stream_room; i++)
        stream_clear(sctp, &sctp->tx.streams[i]);
}

void sctp_queue_clear(struct sctp *sctp)
{
    struct sctp_tx_side *tx = &sctp->tx;
    for (uint32_t i = 0; i < tx->stream_room; i++)
        stream_clear(sctp, &tx->streams[i]);
    if (tx->current != NULL && tx->current->chunks == 0)
        message_free(sctp, tx->current);
    else if (tx->current != NULL)
        tx->current->abandoned = true;           /* the ring frees it */
    for (uint32_t tsn = tx->base; tsn != tx->next; tsn++) {
        struct sctp_tx_message *message = sctp_tx_at(sctp, tsn)->message;
        message->chunks--;
        sctp_tx_release(sctp, message);
    }
    CHECK(tx->charged_bytes == 0);
    sctp_put_memory(sctp, tx->ring, tx->ring_room * sizeof(*tx->ring));
    sctp_put_memory(sctp, tx->streams, tx->stream_room * sizeof(*tx->streams));
    *tx = (struct sctp_tx_side){0};
    sctp->path.flight = 0;
}
