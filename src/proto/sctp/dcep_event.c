/* What the association tells, in terms of channels. One event of it may be two of ours (a stream used again is a channel closed and
 * another opened), so channels carry what is due, and it is told before the association is asked again. */
#include "base/check.h"
#include "proto/sctp/dcep_internal.h"

static void ack_send(struct dcep *dcep, usec_t now, struct dcep_slot *slot)
{
    static const uint8_t ack[1] = {DCEP_MESSAGE_ACK};
    const struct sctp_message message = {.stream = slot->channel.stream, .ppid = DCEP_PPID_DCEP};
    const enum err err = sctp_send(dcep->sctp, now, &message, VIEW(ack, sizeof(ack)));
    const bool is_due = err == ERR_FULL || err == ERR_STATE;     /* no room, or the last user's reset is not answered yet */
    dcep->acks_due += (uint32_t)is_due - (uint32_t)slot->is_ack_due;
    slot->is_ack_due = is_due;
}

static void acks_again(struct dcep *dcep, usec_t now)
{
    for (struct dcep_slot *slot = dcep->first; slot != NULL && dcep->acks_due > 0; slot = slot->next)
        if (slot->is_ack_due)
            ack_send(dcep, now, slot);
}

static void open_due(struct dcep *dcep, struct dcep_slot *slot)
{
    slot->is_open_due = true;
    dcep->opens_due++;
}

/* ---- DCEP ---- */

static bool parity_is_theirs(const struct dcep *dcep, uint16_t stream)
{
    const unsigned theirs = dcep->is_client ? 1 : 0;
    return stream % 2 == theirs;
}

/* RFC 8832 6: an OPEN that can't be is answered by a reset. */
static void refuse(struct dcep *dcep, usec_t now, uint16_t stream)
{
    struct dcep_slot *slot = dcep_slot_find(dcep, stream);
    if (slot != NULL)
        dcep_slot_reset(dcep, now, slot);
    else
        (void)sctp_reset_stream(dcep->sctp, now, stream);    /* what can't be reset can't be used either */
}

static void on_open(struct dcep *dcep, usec_t now, uint16_t stream, struct view data)
{
    struct dcep_open open;
    struct dcep_slot *slot = dcep_slot_find(dcep, stream);
    /* Both directions have begun anew for the remote; its answer to our reset is still on the way. */
    if (slot != NULL && slot->channel.is_in_reset) {
        dcep_slot_leave(dcep, slot);
        slot = NULL;
    }
    if (!dcep_open_parse(&open, data)) {
        dcep->counters->malformed++;
    } else if (slot != NULL || !parity_is_theirs(dcep, stream)) {
        dcep->counters->wrong_parity++;
    } else if (dcep->channel_count >= DCEP_CHANNELS_MAX || stream >= dcep->stream_count) {
        dcep->counters->channels_full++;
    } else {
        slot = dcep_slot_add(dcep, stream, &open, false);
        open_due(dcep, slot);
        dcep->counters->opened_by_remote++;
        ack_send(dcep, now, slot);
        return;
    }
    refuse(dcep, now, stream);
}

static void on_ack(struct dcep *dcep, uint16_t stream)
{
    struct dcep_slot *slot = dcep_slot_find(dcep, stream);
    if (slot == NULL || slot->channel.state != DCEP_OPENING) {
        dcep->counters->stray_acks++;
        return;
    }
    slot->channel.state = DCEP_OPENED;
    open_due(dcep, slot);
}

static void on_dcep(struct dcep *dcep, usec_t now, uint16_t stream, struct view data)
{
    if (data.data[0] == DCEP_MESSAGE_ACK && data.size == 1)
        on_ack(dcep, stream);
    else if (data.data[0] == DCEP_MESSAGE_OPEN)
        on_open(dcep, now, stream, data);
    else
        dcep->counters->malformed++;
}

/* ---- data ---- */

static bool collect(struct dcep *dcep, struct dcep_slot *slot, struct view data)
{
    buf_add_view(&slot->parts, data);
    if (!slot->parts.failed)
        return true;
    dcep->counters->too_long++;
    buf_fini(&slot->parts);
    buf_init(&slot->parts, dcep->message_max);
    return false;
}

/* True when `out` is a message. */
static bool on_message(struct dcep *dcep, const struct sctp_event *event, struct dcep_event *out)
{
    struct dcep_slot *slot = dcep_slot_find(dcep, event->stream);
    if (slot == NULL || slot->channel.is_in_reset) {
        dcep->counters->stray_messages++;
        return false;
    }
    *out = (struct dcep_event){.kind = DCEP_EVENT_MESSAGE, .channel = &slot->channel, .data = event->data};
    switch (event->ppid) {
    case DCEP_PPID_TEXT_PARTIAL:
    case DCEP_PPID_BINARY_PARTIAL:
        (void)collect(dcep, slot, event->data);
        return false;
    case DCEP_PPID_TEXT_EMPTY:
    case DCEP_PPID_BINARY_EMPTY:
        out->is_text = event->ppid == DCEP_PPID_TEXT_EMPTY;
        out->data = VIEW(NULL, 0);
        return true;
    case DCEP_PPID_TEXT:
    case DCEP_PPID_BINARY:
        out->is_text = event->ppid == DCEP_PPID_TEXT;
        if (slot->parts.size == 0)
            return true;
        if (!collect(dcep, slot, event->data))
            return false;
        out->data = buf_view(&slot->parts);
        dcep->collected = slot;
        return true;
    default:
        dcep->counters->unknown_ppids++;
        return false;
    }
}

/* ---- resets and the end ---- */

static void on_reset(struct dcep *dcep, usec_t now, const struct sctp_event *event)
{
    struct dcep_slot *slot = dcep_slot_find(dcep, event->stream);
    if (slot == NULL)
        return;                      /* of a channel that was refused, or that we never knew */
    if (event->kind == SCTP_EVENT_RESET_IN)
        slot->channel.is_in_reset = true;
    else if (slot->channel.state == DCEP_CLOSING)
        slot->channel.is_out_reset = true;
    if (slot->channel.is_out_reset && (slot->channel.is_in_reset || !event->ok))
        dcep_slot_leave(dcep, slot);
    else if (slot->channel.is_in_reset)
        dcep_slot_reset(dcep, now, slot);
}

static void all_leave(struct dcep *dcep, enum sctp_reason reason)
{
    while (dcep->first != NULL)
        dcep_slot_leave(dcep, dcep->first);
    dcep->is_down_due = true;
    dcep->reason = reason;
}

static void on_up(struct dcep *dcep, const struct sctp_event *event)
{
    dcep->stream_count = event->streams_in < event->streams_out ? event->streams_in : event->streams_out;
    dcep->is_up_due = true;
    for (struct dcep_slot *slot = dcep->first, *next; slot != NULL; slot = next) {
        next = slot->next;
        if (slot->channel.stream >= dcep->stream_count)      /* opened before we knew: its OPEN is gone, too */
            dcep_slot_leave(dcep, slot);
    }
}

/* True when `out` is an event; else something may have become due. */
static bool translate(struct dcep *dcep, usec_t now, const struct sctp_event *event, struct dcep_event *out)
{
    *out = (struct dcep_event){.kind = DCEP_EVENT_WRITABLE};
    switch (event->kind) {
    case SCTP_EVENT_UP:
        on_up(dcep, event);
        return false;
    case SCTP_EVENT_MESSAGE:
        if (event->ppid != DCEP_PPID_DCEP)
            return on_message(dcep, event, out);
        on_dcep(dcep, now, event->stream, event->data);
        return false;
    case SCTP_EVENT_RESET_IN:
    case SCTP_EVENT_RESET_OUT:
        on_reset(dcep, now, event);
        acks_again(dcep, now);
        return false;
    case SCTP_EVENT_STREAMS:
        dcep->stream_count = event->streams_in < event->streams_out ? event->streams_in : event->streams_out;
        return false;
    case SCTP_EVENT_WRITABLE:
        acks_again(dcep, now);
        return true;
    case SCTP_EVENT_RESTARTED:
        all_leave(dcep, SCTP_REASON_NONE);
        on_up(dcep, event);
        return false;
    case SCTP_EVENT_CLOSED:
        all_leave(dcep, event->reason);
        return false;
    default:
        return false;
    }
}

/* ---- what is due ---- */

static bool closed_due(struct dcep *dcep, struct dcep_event *out)
{
    struct dcep_slot *slot = dcep->leaving;
    if (slot == NULL)
        return false;
    dcep->leaving = slot->next;
    dcep->told = slot;
    *out = (struct dcep_event){.kind = DCEP_EVENT_CHANNEL_CLOSED, .channel = &slot->channel};
    return true;
}

static bool opened_due(struct dcep *dcep, struct dcep_event *out)
{
    if (dcep->opens_due == 0)
        return false;
    struct dcep_slot *slot = dcep->first;
    while (slot != NULL && !slot->is_open_due)
        slot = slot->next;
    CHECK(slot != NULL);
    slot->is_open_due = false;
    dcep->opens_due--;
    *out = (struct dcep_event){.kind = DCEP_EVENT_CHANNEL_OPEN, .channel = &slot->channel};
    return true;
}

static bool take_due(struct dcep *dcep, struct dcep_event *out)
{
    if (closed_due(dcep, out))
        return true;
    if (dcep->is_down_due) {
        dcep->is_down_due = false;
        *out = (struct dcep_event){.kind = DCEP_EVENT_DOWN, .reason = dcep->reason};
        return true;
    }
    if (dcep->is_up_due) {
        dcep->is_up_due = false;
        *out = (struct dcep_event){.kind = DCEP_EVENT_UP};
        return true;
    }
    return opened_due(dcep, out);
}

static void forget_last(struct dcep *dcep)
{
    dcep_slot_free(dcep->told);
    dcep->told = NULL;
    if (dcep->collected == NULL)
        return;
    buf_fini(&dcep->collected->parts);
    buf_init(&dcep->collected->parts, dcep->message_max);
    dcep->collected = NULL;
}

bool dcep_poll_event(struct dcep *dcep, usec_t now, struct dcep_event *out)
{
    forget_last(dcep);
    struct sctp_event event;
    while (!take_due(dcep, out)) {
        if (!sctp_poll_event(dcep->sctp, &event))
            return false;
        if (translate(dcep, now, &event, out))
            return true;
    }
    return true;
}
