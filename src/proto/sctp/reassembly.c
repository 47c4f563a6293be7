/* From fragments to messages, and messages in the order of their streams (RFC 9260 6.5, 6.6, 6.9; RFC 3758 3.6).
 *
 * Fragments of a message have neighbouring TSNs. Neighbours of one message make a run; both ends of a run know the other end,
 * so that a fragment joins in a few steps wherever it comes. A run from B to E is a message. */
#include "proto/sctp/sctp_internal.h"

/* ---- order in a stream ---- */

static uint64_t place_hash(const struct sctp *sctp, uint16_t stream, uint16_t ssn)
{
    return hash_u64(&sctp->map_key, (uint64_t)stream << 16 | ssn);
}

static struct sctp_rx *waiting_find(const struct sctp *sctp, uint16_t stream, uint16_t ssn)
{
    for (struct map_node *node = map_first(&sctp->rx.waiting, place_hash(sctp, stream, ssn)); node != NULL;
         node = map_next_same(node)) {
        struct sctp_rx *rx = CONTAINER_OF(node, struct sctp_rx, node);
        if (rx->stream == stream && rx->ssn == ssn)
            return rx;
    }
    return NULL;
}

void sctp_rx_ready(struct sctp *sctp, struct sctp_rx *rx)
{
    rx->next = NULL;
    if (sctp->rx.ready_last != NULL)
        sctp->rx.ready_last->next = rx;
    else
        sctp->rx.ready = rx;
    sctp->rx.ready_last = rx;
    if (rx->kind == SCTP_RX_DATA)
        sctp->shared->counters.messages_in++;
}

static struct sctp_rx *waiting_take(struct sctp *sctp, struct sctp_rx_stream *stream, uint16_t id, uint16_t ssn)
{
    struct sctp_rx *rx = stream->waiting > 0 ? waiting_find(sctp, id, ssn) : NULL;
    if (rx == NULL)
        return NULL;
    map_del(&sctp->rx.waiting, &rx->node);
    stream->waiting--;
    if (sctp->rx.waiting.count == 0) {           /* it does not shrink by itself */
        map_fini(&sctp->rx.waiting);
        map_init(&sctp->rx.waiting);
    }
    return rx;
}

static void stream_go_on(struct sctp *sctp, struct sctp_rx_stream *stream, uint16_t id)
{
    struct sctp_rx *rx;
    while ((rx = waiting_take(sctp, stream, id, stream->next_ssn)) != NULL) {
        stream->next_ssn++;
        sctp_rx_ready(sctp, rx);
    }
}

static void message_in(struct sctp *sctp, struct sctp_rx *rx)
{
    if ((rx->flags & SCTP_FLAG_U) != 0) {
        sctp_rx_ready(sctp, rx);
        return;
    }
    struct sctp_rx_stream *stream = sctp_rx_stream(sctp, rx->stream);
    const uint16_t ahead = (uint16_t)(rx->ssn - stream->next_ssn);
    if (ahead == 0) {
        stream->next_ssn++;
        const uint16_t id = rx->stream;
        sctp_rx_ready(sctp, rx);
        stream_go_on(sctp, stream, id);
        return;
    }
    /* Each message before this one has a TSN of its own that is missing, so no honest one is farther ahead; behind is
     * one that FORWARD TSN has skipped, or a number used twice. */
    if (ahead > SCTP_TSN_SPREAD_MAX || waiting_find(sctp, rx->stream, rx->ssn) != NULL) {
        sctp->shared->counters.skipped++;
        sctp_rx_free(sctp, rx);
        return;
    }
    map_add(&sctp->rx.waiting, &rx->node, place_hash(sctp, rx->stream, rx->ssn));
    stream->waiting++;
}

/* Each number that is skipped here stands for a TSN that the point has just passed, so no honest peer skips more than `most`
 * in all its streams together; the walk is bounded by it, whatever a peer says. */
static void stream_skip(struct sctp *sctp, uint16_t id, uint16_t ssn, uint32_t *most)
{
    struct sctp_rx_stream *stream = sctp_rx_stream(sctp, id);
    const uint16_t count = (uint16_t)(ssn + 1 - stream->next_ssn);
    if (count > INT16_MAX)
        return;                                  /* already behind */
    if (count > *most) {
        sctp->shared->counters.malformed++;
        return;
    }
    *most -= count;
    for (uint16_t i = 0; i < count && stream->waiting > 0; i++) {
        struct sctp_rx *rx = waiting_take(sctp, stream, id, (uint16_t)(stream->next_ssn + i));
        if (rx != NULL)
            sctp_rx_ready(sctp, rx);
    }
    stream->next_ssn = (uint16_t)(ssn + 1);
    stream_go_on(sctp, stream, id);
}

void sctp_rx_streams_reset(struct sctp *sctp, const uint16_t *streams, uint32_t count)
{
    struct sctp_rx_side *rx = &sctp->rx;
    for (uint32_t i = 0; i < (count > 0 ? count : rx->stream_room); i++) {
        struct sctp_rx_stream *stream = sctp_rx_stream(sctp, count > 0 ? streams[i] : (uint16_t)i);
        stream->next_ssn = 0;
        stream->is_reset = true;
    }
    /* All TSNs before the reset have come: what still waits here has a number that nobody will reach. */
    for (struct map_node *node = map_each(&rx->waiting, NULL); node != NULL;) {
        struct map_node *next = map_each(&rx->waiting, node);
        struct sctp_rx *message = CONTAINER_OF(node, struct sctp_rx, node);
        if (rx->streams[message->stream].is_reset) {
            map_del(&rx->waiting, node);
            rx->streams[message->stream].waiting--;
            sctp->shared->counters.skipped++;
            sctp_rx_free(sctp, message);
        }
        node = next;
    }
    for (uint32_t i = 0; i < rx->stream_room; i++)
        rx->streams[i].is_reset = false;
}

/* ---- runs ---- */

static bool is_one_message(const struct sctp_rx *a, const struct sctp_rx *b)
{
    return a->stream == b->stream && ((a->flags ^ b->flags) & SCTP_FLAG_U) == 0 &&
           (a->ssn == b->ssn || (a->flags & SCTP_FLAG_U) != 0);
}

enum fit { FIT_ALONE, FIT_JOINS, FIT_SKIPPED, FIT_WRONG };

/* How the chunk `later` goes with what is at the TSN before it. */
static enum fit fits_before(const struct sctp *sctp, const struct sctp_rx *later)
{
    const struct sctp_rx_side *rx = &sctp->rx;
    const bool begins = (later->flags & SCTP_FLAG_B) != 0;
    const uint32_t before = later->tsn - 1;
    if (tsn_before(before, rx->base)) {
        if (rx->is_before_base_skipped)
            return begins ? FIT_ALONE : FIT_SKIPPED;
        return begins ? FIT_ALONE : FIT_WRONG;
    }
    const struct sctp_slot *slot = sctp_slot(sctp, before);
    switch ((enum sctp_slot_state)slot->state) {
    case SCTP_SLOT_HELD:
        if (((slot->rx->flags & SCTP_FLAG_E) != 0) != begins)
            return FIT_WRONG;
        return begins ? FIT_ALONE : is_one_message(slot->rx, later) ? FIT_JOINS : FIT_WRONG;
    case SCTP_SLOT_SKIPPED:
        return begins ? FIT_ALONE : FIT_SKIPPED;
    case SCTP_SLOT_DONE:
        return begins ? FIT_ALONE : FIT_WRONG;
    case SCTP_SLOT_MISSING:
    default:
        return FIT_ALONE;
    }
}

static enum fit fits_after(const struct sctp *sctp, const struct sctp_rx *earlier)
{
    const bool ends = (earlier->flags & SCTP_FLAG_E) != 0;
    if (!tsn_before(earlier->tsn, sctp->rx.highest))
        return FIT_ALONE;
    const struct sctp_slot *slot = sctp_slot(sctp, earlier->tsn + 1);
    switch ((enum sctp_slot_state)slot->state) {
    case SCTP_SLOT_HELD:
        if (((slot->rx->flags & SCTP_FLAG_B) != 0) != ends)
            return FIT_WRONG;
        return ends ? FIT_ALONE : is_one_message(slot->rx, earlier) ? FIT_JOINS : FIT_WRONG;
    case SCTP_SLOT_SKIPPED:
    case SCTP_SLOT_DONE:
        return ends ? FIT_ALONE : FIT_WRONG;
    case SCTP_SLOT_MISSING:
    default:
        return FIT_ALONE;
    }
}

static struct sctp_rx *join(struct sctp *sctp, uint32_t first, uint32_t last, uint32_t bytes)
{
    struct sctp_rx *head = sctp_slot(sctp, first)->rx;
    if (first == last)
        return head;
    struct sctp_rx *whole = sctp_rx_new(sctp, bytes);
    whole->ppid = head->ppid;
    whole->stream = head->stream;
    whole->ssn = head->ssn;
    whole->flags = head->flags;
    uint32_t at = 0;
    for (uint32_t tsn = first; tsn != last + 1; tsn++) {
        struct sctp_rx *part = sctp_slot(sctp, tsn)->rx;
        memcpy(whole->data + at, part->data, part->size);
        at += part->size;
        sctp_rx_free(sctp, part);
    }
    CHECK(at == bytes);
    return whole;
}

static void run_done(struct sctp *sctp, uint32_t first, uint32_t last, uint32_t bytes)
{
    struct sctp_rx *message = join(sctp, first, last, bytes);
    for (uint32_t tsn = first; tsn != last + 1; tsn++)
        *sctp_slot(sctp, tsn) = (struct sctp_slot){.state = SCTP_SLOT_DONE};
    message_in(sctp, message);
}

/* The rest of a message whose beginning has been given up. */
static void run_skip(struct sctp *sctp, uint32_t first)
{
    const uint32_t last = sctp_slot(sctp, first)->other_end;
    for (uint32_t tsn = first; tsn != last + 1; tsn++) {
        sctp_rx_free(sctp, sctp_slot(sctp, tsn)->rx);
        *sctp_slot(sctp, tsn) = (struct sctp_slot){.state = SCTP_SLOT_SKIPPED};
    }
    sctp->shared->counters.skipped++;
}

bool sctp_slot_fill(struct sctp *sctp, struct sctp_rx *rx)
{
    const enum fit before = fits_before(sctp, rx);
    const enum fit after = fits_after(sctp, rx);
    if (before == FIT_WRONG || after == FIT_WRONG) {
        sctp_rx_free(sctp, rx);
        sctp_violated(sctp, SCTP_CAUSE_VIOLATION);
        return false;
    }
    uint32_t first = rx->tsn, last = rx->tsn, bytes = rx->size;
    *sctp_slot(sctp, rx->tsn) = (struct sctp_slot){.rx = rx, .state = SCTP_SLOT_HELD};
    if (before == FIT_JOINS) {
        bytes += sctp_slot(sctp, rx->tsn - 1)->run_bytes;
        first = sctp_slot(sctp, rx->tsn - 1)->other_end;
    }
    if (after == FIT_JOINS) {
        bytes += sctp_slot(sctp, rx->tsn + 1)->run_bytes;
        last = sctp_slot(sctp, rx->tsn + 1)->other_end;
    }
    struct sctp_slot *head = sctp_slot(sctp, first), *tail = sctp_slot(sctp, last);
    head->other_end = last;
    tail->other_end = first;
    head->run_bytes = tail->run_bytes = bytes;
    if (bytes > sctp->config.max_message_bytes) {
        sctp->shared->counters.violations++;
        sctp_send_abort(sctp, sctp->peer.tag, SCTP_CAUSE_USER, VIEW("message too long", 16));
        sctp_close(sctp, SCTP_REASON_TOO_LONG);
        return false;
    }
    if (before == FIT_SKIPPED)
        run_skip(sctp, first);
    else if ((head->rx->flags & SCTP_FLAG_B) != 0 && (tail->rx->flags & SCTP_FLAG_E) != 0)
        run_done(sctp, first, last, bytes);
    return true;
}

/* ---- FORWARD TSN ---- */

/* Everything up to `point` counts as received; what is not whole by then never will be. */
static void skip_to(struct sctp *sctp, uint32_t point)
{
    struct sctp_rx_side *rx = &sctp->rx;
    for (uint32_t tsn = rx->base; !tsn_before(point, tsn) && !tsn_before(rx->highest, tsn); tsn++) {
        struct sctp_slot *slot = sctp_slot(sctp, tsn);
        if (slot->state == SCTP_SLOT_HELD) {
            const uint32_t last = tsn_before(slot->other_end, tsn) ? tsn : slot->other_end;
            run_skip(sctp, tsn);
            tsn = last;
        } else if (slot->state == SCTP_SLOT_MISSING) {
            slot->state = SCTP_SLOT_SKIPPED;
        }
    }
    if (tsn_before(rx->highest, point)) {        /* nothing is held any more: the ring begins anew behind the point */
        for (uint32_t tsn = rx->base; !tsn_before(rx->highest, tsn); tsn++)
            *sctp_slot(sctp, tsn) = (struct sctp_slot){0};
        rx->base = point + 1;
        rx->cum = rx->highest = point;
        rx->is_before_base_skipped = true;
    }
    const struct sctp_slot *next = tsn_before(point, rx->highest) ? sctp_slot(sctp, point + 1) : NULL;
    if (next != NULL && next->state == SCTP_SLOT_HELD && (next->rx->flags & SCTP_FLAG_B) == 0)
        run_skip(sctp, point + 1);
}

void sctp_on_forward_tsn(struct sctp *sctp, const struct sctp_chunk *chunk)
{
    struct sctp_rx_side *rx = &sctp->rx;
    struct reader r = reader_of(chunk->value);
    const uint32_t point = read_u32(&r);
    if (reader_failed(&r) || reader_left(&r) % 4 != 0 || sctp->state > SCTP_STATE_SHUTDOWN_SENT) {
        sctp->shared->counters.malformed++;
        return;
    }
    rx->sack_at_once = true;
    if (!tsn_before(rx->cum, point))
        return;                                  /* old news: the SACK says so (RFC 3758 3.6) */
    if (point - rx->cum > SCTP_TSN_SPREAD_MAX) {
        sctp->shared->counters.outside_window++;
        return;
    }
    uint32_t most = point - rx->cum;
    skip_to(sctp, point);
    while (reader_left(&r) > 0) {
        const uint16_t stream = read_u16(&r);
        const uint16_t ssn = read_u16(&r);
        if (stream < sctp->streams_in)
            stream_skip(sctp, stream, ssn, &most);
        else
            sctp->shared->counters.bad_streams++;
    }
    sctp_rx_advance(sctp);
    sctp_reconfig_arrived(sctp);
}
