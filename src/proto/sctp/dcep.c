/* Channels (RFC 8831, 8832) on the streams of one association: the table, and what the application asks for. */
#include "proto/sctp/dcep.h"

#include <string.h>

#include "base/mem.h"
#include "proto/sctp/dcep_internal.h"

/* ---- the table ---- */

struct dcep_slot *dcep_slot_find(const struct dcep *dcep, uint16_t stream)
{
    struct dcep_slot *slot = dcep->first;
    while (slot != NULL && slot->channel.stream < stream)
        slot = slot->next;
    return slot != NULL && slot->channel.stream == stream ? slot : NULL;
}

/* At most DCEP_LABEL_MAX bytes, and no half character of UTF-8 at the end. */
static struct view cut(struct view text)
{
    if (text.size <= DCEP_LABEL_MAX)
        return text;
    size_t size = DCEP_LABEL_MAX;
    while (size > 0 && (text.data[size] & 0xc0) == 0x80)
        size--;
    return VIEW(text.data, size);
}

struct dcep_slot *dcep_slot_add(struct dcep *dcep, uint16_t stream, const struct dcep_open *open, bool is_ours)
{
    const struct view label = cut(open->label);
    const struct view protocol = cut(open->protocol);
    struct dcep_slot *slot = mem_get_zero(sizeof(*slot) + label.size + protocol.size);
    if (label.size > 0)
        memcpy(slot->text, label.data, label.size);
    if (protocol.size > 0)
        memcpy(slot->text + label.size, protocol.data, protocol.size);
    slot->channel = (struct dcep_channel){
        .stream = stream,
        .state = is_ours ? DCEP_OPENING : DCEP_OPENED,
        .type = open->type,
        .priority = open->priority,
        .is_ours = is_ours,
        .limit = open->limit,
        .label = VIEW(slot->text, label.size),
        .protocol = VIEW(slot->text + label.size, protocol.size),
    };
    buf_init(&slot->parts, dcep->message_max);
    struct dcep_slot **at = &dcep->first;
    while (*at != NULL && (*at)->channel.stream < stream)
        at = &(*at)->next;
    slot->next = *at;
    *at = slot;
    dcep->channel_count++;
    return slot;
}

static void unlink_slot(struct dcep *dcep, struct dcep_slot *slot)
{
    struct dcep_slot **at = &dcep->first;
    while (*at != slot)
        at = &(*at)->next;
    *at = slot->next;
    dcep->channel_count--;
    dcep->opens_due -= slot->is_open_due;
    dcep->acks_due -= slot->is_ack_due;
}

void dcep_slot_leave(struct dcep *dcep, struct dcep_slot *slot)
{
    unlink_slot(dcep, slot);
    slot->channel.state = DCEP_CLOSING;
    slot->next = NULL;
    struct dcep_slot **at = &dcep->leaving;
    while (*at != NULL)
        at = &(*at)->next;
    *at = slot;
}

void dcep_slot_free(struct dcep_slot *slot)
{
    if (slot == NULL)
        return;
    buf_fini(&slot->parts);
    mem_put(slot);
}

void dcep_init(struct dcep *dcep, struct sctp *sctp, bool is_dtls_client, uint32_t max_message_bytes,
               struct dcep_counters *counters)
{
    *dcep = (struct dcep){
        .sctp = sctp,
        .counters = counters,
        .is_client = is_dtls_client,
        .stream_count = SCTP_STREAMS_DEFAULT,
        .message_max = max_message_bytes != 0 ? max_message_bytes : SCTP_MESSAGE_MAX_DEFAULT,
    };
}

static void free_list(struct dcep_slot *slot)
{
    while (slot != NULL) {
        struct dcep_slot *next = slot->next;
        dcep_slot_free(slot);
        slot = next;
    }
}

void dcep_fini(struct dcep *dcep)
{
    free_list(dcep->first);
    free_list(dcep->leaving);
    dcep_slot_free(dcep->told);
    *dcep = (struct dcep){0};
}

/* ---- what the application asks for ---- */

static enum err open_send(struct dcep *dcep, usec_t now, uint16_t stream, const struct dcep_open *open)
{
    uint8_t bytes[DCEP_OPEN_HEADER + 2 * DCEP_LABEL_MAX];
    const size_t size = dcep_open_write(bytes, sizeof(bytes), open);
    if (size == 0)
        return ERR_INVALID;
    return sctp_send(dcep->sctp, now, &(struct sctp_message){.stream = stream, .ppid = DCEP_PPID_DCEP}, VIEW(bytes, size));
}

enum err dcep_open(struct dcep *dcep, usec_t now, const struct dcep_open *open, uint16_t *stream)
{
    if (open->label.size > DCEP_LABEL_MAX || open->protocol.size > DCEP_LABEL_MAX)
        return ERR_INVALID;
    if (dcep->channel_count >= DCEP_CHANNELS_MAX)
        return ERR_FULL;
    uint32_t id = dcep->is_client ? 0 : 1;       /* RFC 8832 6 */
    while (dcep_slot_find(dcep, (uint16_t)id) != NULL)
        id += 2;
    if (id >= dcep->stream_count)
        return ERR_FULL;
    const enum err err = open_send(dcep, now, (uint16_t)id, open);
    if (err != ERR_NONE)
        return err;
    (void)dcep_slot_add(dcep, (uint16_t)id, open, true);
    dcep->counters->opened_by_us++;
    *stream = (uint16_t)id;
    return ERR_NONE;
}

void dcep_slot_reset(struct dcep *dcep, usec_t now, struct dcep_slot *slot)
{
    if (slot->channel.state == DCEP_CLOSING)
        return;
    slot->channel.state = DCEP_CLOSING;
    const enum err err = sctp_reset_stream(dcep->sctp, now, slot->channel.stream);
    if (err == ERR_UNSUPPORTED)                  /* nobody will ever reset anything */
        dcep_slot_leave(dcep, slot);
}

enum err dcep_close(struct dcep *dcep, usec_t now, uint16_t stream)
{
    struct dcep_slot *slot = dcep_slot_find(dcep, stream);
    if (slot == NULL)
        return ERR_GONE;
    dcep_slot_reset(dcep, now, slot);
    return ERR_NONE;
}

enum err dcep_send(struct dcep *dcep, usec_t now, uint16_t stream, bool is_text, struct view data)
{
    const struct dcep_slot *slot = dcep_slot_find(dcep, stream);
    if (slot == NULL)
        return ERR_GONE;
    const struct dcep_channel *channel = &slot->channel;
    if (channel->state == DCEP_CLOSING)
        return ERR_STATE;
    static const uint8_t zero[1];
    const bool is_empty = data.size == 0;        /* SCTP has no empty messages: RFC 8831 6.6 */
    struct sctp_message message = {
        .stream = stream,
        .unordered = (channel->type & DCEP_UNORDERED) != 0 && channel->state == DCEP_OPENED,
        .limit = channel->limit,
        .ppid = is_text ? (is_empty ? DCEP_PPID_TEXT_EMPTY : DCEP_PPID_TEXT)
                        : (is_empty ? DCEP_PPID_BINARY_EMPTY : DCEP_PPID_BINARY),
    };
    const uint8_t kind = channel->type & (uint8_t)~DCEP_UNORDERED;
    message.reliability = kind == DCEP_RETRANSMITS ? SCTP_RETRANSMITS : kind == DCEP_LIFETIME ? SCTP_LIFETIME : SCTP_RELIABLE;
    return sctp_send(dcep->sctp, now, &message, is_empty ? VIEW(zero, 1) : data);
}

/* ---- who is there ---- */

const struct dcep_channel *dcep_find(const struct dcep *dcep, uint16_t stream)
{
    const struct dcep_slot *slot = dcep_slot_find(dcep, stream);
    return slot != NULL ? &slot->channel : NULL;
}

const struct dcep_channel *dcep_find_label(const struct dcep *dcep, struct view label)
{
    for (const struct dcep_slot *slot = dcep->first; slot != NULL; slot = slot->next) {
        const struct dcep_channel *channel = &slot->channel;
        if (channel->state != DCEP_CLOSING && channel->label.size == label.size &&
            (label.size == 0 || memcmp(channel->label.data, label.data, label.size) == 0))
            return channel;
    }
    return NULL;
}

const struct dcep_channel *dcep_next(const struct dcep *dcep, const struct dcep_channel *after)
{
    const struct dcep_slot *slot = after == NULL ? dcep->first : CONTAINER_OF(after, struct dcep_slot, channel)->next;
    return slot != NULL ? &slot->channel : NULL;
}
