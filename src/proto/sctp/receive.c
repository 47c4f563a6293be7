/* DATA in: which TSNs are here, how much room is left, and when to say so (RFC 9260 6.2). */
#include "proto/sctp/sctp_internal.h"

#define STREAMS_FIRST 4u

/* What a chunk costs: its struct, and about what the allocator and its slot add. */
static uint64_t weight(uint32_t size)
{
    return sizeof(struct sctp_rx) + sizeof(struct sctp_slot) + size;
}

struct sctp_rx *sctp_rx_new(struct sctp *sctp, uint32_t size)
{
    struct sctp_rx *rx = sctp_get_memory(sctp, sizeof(*rx) + size);
    *rx = (struct sctp_rx){.size = size};
    sctp->rx.held_bytes += weight(size);
    return rx;
}

void sctp_rx_free(struct sctp *sctp, struct sctp_rx *rx)
{
    if (rx == NULL)
        return;
    sctp->rx.held_bytes -= weight(rx->size);
    sctp_put_memory(sctp, rx, sizeof(*rx) + rx->size);
}

/* ---- the ring ---- */

static void ring_fit(struct sctp *sctp, uint32_t tsn)
{
    struct sctp_rx_side *rx = &sctp->rx;
    const uint32_t needed = tsn - rx->base + 1;
    if (needed <= rx->ring_room)
        return;
    uint32_t room = rx->ring_room == 0 ? SCTP_RING_KEPT : rx->ring_room;
    while (room < needed)
        room *= 2;
    struct sctp_slot *ring = sctp_get_memory(sctp, room * sizeof(*ring));
    memset(ring, 0, room * sizeof(*ring));
    for (uint32_t at = rx->base; !tsn_before(rx->highest, at); at++)
        ring[at & (room - 1)] = *sctp_slot(sctp, at);
    sctp_put_memory(sctp, rx->ring, rx->ring_room * sizeof(*ring));
    rx->ring = ring;
    rx->ring_room = room;
}

static void ring_trim(struct sctp *sctp)
{
    struct sctp_rx_side *rx = &sctp->rx;
    if (!tsn_before(rx->highest, rx->base) || rx->ring_room <= SCTP_RING_KEPT)
        return;
    sctp_put_memory(sctp, rx->ring, rx->ring_room * sizeof(*rx->ring));
    rx->ring = NULL;
    rx->ring_room = 0;
}

/* Moves the cumulative TSN on over what is here, then lets go of what is finished. */
void sctp_rx_advance(struct sctp *sctp)
{
    struct sctp_rx_side *rx = &sctp->rx;
    const uint32_t before = rx->cum;
    while (tsn_before(rx->cum, rx->highest) && sctp_slot(sctp, rx->cum + 1)->state != SCTP_SLOT_MISSING)
        rx->cum++;
    while (!tsn_before(rx->cum, rx->base) && sctp_slot(sctp, rx->base)->state != SCTP_SLOT_HELD) {
        struct sctp_slot *slot = sctp_slot(sctp, rx->base);
        rx->is_before_base_skipped = slot->state == SCTP_SLOT_SKIPPED;
        *slot = (struct sctp_slot){0};
        rx->base++;
    }
    /* A message whose next TSN has come, and is not of it, has no end: the ring would grow behind it for ever. */
    if (!tsn_before(rx->cum, rx->base) && tsn_before(sctp_slot(sctp, rx->base)->other_end, rx->cum)) {
        sctp_violated(sctp, SCTP_CAUSE_VIOLATION);
        return;
    }
    ring_trim(sctp);
    if (rx->cum != before)
        sctp_reconfig_arrived(sctp);
}

void sctp_rx_begin(struct sctp *sctp)
{
    struct sctp_rx_side *rx = &sctp->rx;
    rx->base = sctp->peer.tsn;
    rx->cum = rx->highest = sctp->peer.tsn - 1;
    rx->is_before_base_skipped = false;
    rx->told_window = rx->window;
}

void sctp_rx_clear(struct sctp *sctp)
{
    struct sctp_rx_side *rx = &sctp->rx;
    if (rx->ring != NULL)
        for (uint32_t tsn = rx->base; !tsn_before(rx->highest, tsn); tsn++)
            if (sctp_slot(sctp, tsn)->state == SCTP_SLOT_HELD)
                sctp_rx_free(sctp, sctp_slot(sctp, tsn)->rx);
    sctp_put_memory(sctp, rx->ring, rx->ring_room * sizeof(*rx->ring));
    rx->ring = NULL;
    rx->ring_room = 0;
    rx->base = rx->highest + 1;
    for (struct map_node *node = map_each(&rx->waiting, NULL); node != NULL;) {
        struct map_node *next = map_each(&rx->waiting, node);
        map_del(&rx->waiting, node);
        sctp_rx_free(sctp, CONTAINER_OF(node, struct sctp_rx, node));
        node = next;
    }
    map_fini(&rx->waiting);
    map_init(&rx->waiting);
    sctp_put_memory(sctp, rx->streams, rx->stream_room * sizeof(*rx->streams));
    rx->streams = NULL;
    rx->stream_room = 0;
    rx->duplicate_count = rx->packets_unacked = 0;
}

struct sctp_rx_stream *sctp_rx_stream(struct sctp *sctp, uint16_t stream)
{
    struct sctp_rx_side *rx = &sctp->rx;
    if (stream < rx->stream_room)
        return &rx->streams[stream];
    uint32_t room = rx->stream_room == 0 ? STREAMS_FIRST : rx->stream_room;
    while (room <= stream)
        room *= 2;
    struct sctp_rx_stream *streams = sctp_get_memory(sctp, room * sizeof(*streams));
    memset(streams, 0, room * sizeof(*streams));
    if (rx->stream_room > 0)
        memcpy(streams, rx->streams, rx->stream_room * sizeof(*streams));
    sctp_put_memory(sctp, rx->streams, rx->stream_room * sizeof(*streams));
    rx->streams = streams;
    rx->stream_room = room;
    return &rx->streams[stream];
}

/* ---- DATA ---- */

static void on_duplicate(struct sctp *sctp, uint32_t tsn)
{
    struct sctp_rx_side *rx = &sctp->rx;
    sctp->shared->counters.duplicates++;
    if (rx->duplicate_count < SCTP_DUPLICATES_MAX)
        rx->duplicates[rx->duplicate_count++] = tsn;
    rx->sack_at_once = true;
}

/* The window bounds what is beyond the highest TSN. What fills a gap may go on to twice of it, for the window counts our
 * headers and the peer counts payload: the gap would never close else. */
static bool has_room(struct sctp *sctp, uint32_t tsn, uint32_t size)
{
    const struct sctp_rx_side *rx = &sctp->rx;
    const bool fills_gap = !tsn_before(rx->highest, tsn) || tsn == rx->cum + 1;
    const uint64_t limit = fills_gap && !rx->is_held ? 2 * (uint64_t)rx->window : rx->window;
    if (rx->held_bytes + weight(size) > limit) {
        sctp->shared->counters.no_room++;
        return false;
    }
    if (!sctp_has_budget(sctp, sizeof(struct sctp_rx) + size)) {
        sctp->shared->counters.no_budget++;
        return false;
    }
    return true;
}

/* RFC 9260 6.5: the TSN counts as received, the data is dropped, the peer is told. */
static void on_bad_stream(struct sctp *sctp, uint16_t stream)
{
    sctp->shared->counters.bad_streams++;
    uint8_t data[SCTP_PACKET_MAX];
    struct sctp_packer p = sctp_reply_begin(sctp, data, sctp->peer.tag);
    sctp_pack_chunk(&p, SCTP_ERROR, 0);
    sctp_pack_param(&p, SCTP_CAUSE_STREAM);
    write_u16(&p.w, stream);
    write_u16(&p.w, 0);
    sctp_pack_param_end(&p);
    sctp_pack_chunk_end(&p);
    sctp_reply_end(sctp, &p);
}

struct data {
    uint32_t tsn, ppid;
    uint16_t stream, ssn;
    uint8_t flags;
    struct view payload;
};

/* A TSN that is new and within reach. */
static void take(struct sctp *sctp, const struct data *data)
{
    struct sctp_rx_side *rx = &sctp->rx;
    const bool is_bad = data->stream >= sctp->streams_in;
    if (!is_bad && !has_room(sctp, data->tsn, (uint32_t)data->payload.size)) {
        rx->sack_at_once = true;
        return;
    }
    ring_fit(sctp, data->tsn);
    if (tsn_before(rx->highest, data->tsn))
        rx->highest = data->tsn;
    struct sctp_slot *slot = sctp_slot(sctp, data->tsn);
    if (is_bad) {
        slot->state = SCTP_SLOT_SKIPPED;
        on_bad_stream(sctp, data->stream);
    } else {
        struct sctp_rx *chunk = sctp_rx_new(sctp, (uint32_t)data->payload.size);
        chunk->tsn = data->tsn;
        chunk->ppid = data->ppid;
        chunk->stream = data->stream;
        chunk->ssn = data->ssn;
        chunk->flags = data->flags;
        memcpy(chunk->data, data->payload.data, data->payload.size);
        if (!sctp_slot_fill(sctp, chunk))
            return;
    }
    sctp_rx_advance(sctp);
}

void sctp_on_data(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    struct sctp_rx_side *rx = &sctp->rx;
    struct reader r = reader_of(chunk->value);
    struct data data = {.flags = chunk->flags, .tsn = read_u32(&r), .stream = read_u16(&r)};
    data.ssn = read_u16(&r);
    data.ppid = read_u32(&r);
    data.payload = read_view(&r, reader_left(&r));
    if (reader_failed(&r)) {
        sctp->shared->counters.malformed++;
        return;
    }
    if (sctp->state > SCTP_STATE_SHUTDOWN_SENT) {            /* RFC 9260 6: after its SHUTDOWN the peer sends none */
        sctp->shared->counters.wrong_state++;
        return;
    }
    if (data.payload.size == 0) {
        sctp_violated(sctp, SCTP_CAUSE_NO_DATA);
        return;
    }
    rx->has_data = true;
    if ((data.flags & SCTP_FLAG_I) != 0)
        rx->sack_at_once = true;
    if (!tsn_before(rx->cum, data.tsn)) {
        on_duplicate(sctp, data.tsn);
        return;
    }
    if (data.tsn - rx->cum > SCTP_TSN_SPREAD_MAX) {
        sctp->shared->counters.outside_window++;
        return;
    }
    if (!tsn_before(rx->highest, data.tsn) && sctp_slot(sctp, data.tsn)->state != SCTP_SLOT_MISSING) {
        on_duplicate(sctp, data.tsn);
        return;
    }
    take(sctp, &data);
}

/* ---- SACK ---- */

/* RFC 9260 6.2: at once when something is missing or came twice, else every second packet or after a while. */
void sctp_sack_decide(struct sctp *sctp)
{
    struct sctp_rx_side *rx = &sctp->rx;
    if (rx->has_data)
        rx->packets_unacked++;
    const bool at_once = rx->sack_at_once || (rx->has_data && (rx->packets_unacked >= 2 || rx->highest != rx->cum));
    if (rx->has_data && sctp->state == SCTP_STATE_SHUTDOWN_SENT)     /* 9.2: the peer may not have heard of it */
        sctp->wants |= SCTP_WANT_SHUTDOWN | SCTP_WANT_SACK;
    rx->has_data = rx->sack_at_once = false;
    if (at_once)
        sctp->wants |= SCTP_WANT_SACK;
    else if (rx->packets_unacked > 0 && sctp->timers[SCTP_TIMER_SACK] == USEC_NEVER)
        sctp_timer_set(sctp, SCTP_TIMER_SACK, SCTP_SACK_DELAY_US);
}

/* A rest that a packet of the peer may not fit into is none: it would count payload, and we our headers too. */
static uint32_t window_left(const struct sctp *sctp)
{
    const struct sctp_rx_side *rx = &sctp->rx;
    const uint64_t left = rx->held_bytes < rx->window ? rx->window - rx->held_bytes : 0;
    return left < weight(SCTP_PACKET_MAX) ? 0 : (uint32_t)left;
}

/* The application has taken what was ready: the peer hears of it when the window was small and is not any more. */
void sctp_rx_window_opened(struct sctp *sctp)
{
    const struct sctp_rx_side *rx = &sctp->rx;
    if (sctp->state < SCTP_STATE_ESTABLISHED || rx->told_window >= rx->window / 4)
        return;
    if (window_left(sctp) >= rx->window / 2)
        sctp->wants |= SCTP_WANT_SACK;
}

void sctp_write_sack(struct sctp *sctp, struct sctp_packer *p)
{
    struct sctp_rx_side *rx = &sctp->rx;
    rx->told_window = window_left(sctp);
    sctp_pack_chunk(p, SCTP_SACK, 0);
    write_u32(&p->w, rx->cum);
    write_u32(&p->w, rx->told_window);
    uint8_t *counts = write_room(&p->w, 4);
    CHECK(counts != NULL);
    uint16_t gaps = 0;
    for (uint32_t tsn = rx->cum + 1; !tsn_before(rx->highest, tsn) && writer_left(&p->w) >= 4;) {
        if (sctp_slot(sctp, tsn)->state == SCTP_SLOT_MISSING) {
            tsn++;
            continue;
        }
        const uint32_t start = tsn;
        while (!tsn_before(rx->highest, tsn) && sctp_slot(sctp, tsn)->state != SCTP_SLOT_MISSING)
            tsn++;
        write_u16(&p->w, (uint16_t)(start - rx->cum));
        write_u16(&p->w, (uint16_t)(tsn - 1 - rx->cum));
        gaps++;
    }
    uint16_t duplicates = 0;
    while (duplicates < rx->duplicate_count && writer_left(&p->w) >= 4)
        write_u32(&p->w, rx->duplicates[duplicates++]);
    put_u16(counts, gaps);
    put_u16(counts + 2, duplicates);
    sctp_pack_chunk_end(p);
    rx->duplicate_count = 0;
    rx->packets_unacked = 0;
    sctp_timer_stop(sctp, SCTP_TIMER_SACK);
}
