/* proto/sctp/dcep_internal.h - what dcep.c, dcep_event.c and dcep_message.c share. */
#pragma once

#include "base/buf.h"
#include "proto/sctp/dcep.h"

/* RFC 8832 8.2.1 */
enum {
    DCEP_MESSAGE_ACK = 2,
    DCEP_MESSAGE_OPEN = 3,
};

struct dcep_slot {
    struct dcep_slot *next;
    struct dcep_channel channel;
    struct buf parts;                /* of a partial message (PPID 52, 54) */
    bool is_open_due;
    bool is_ack_due;
    uint8_t text[];                  /* label, protocol */
};

struct dcep_slot *dcep_slot_add(struct dcep *dcep, uint16_t stream, const struct dcep_open *open, bool is_ours);
void dcep_slot_leave(struct dcep *dcep, struct dcep_slot *slot);     /* to be told as closed */
void dcep_slot_free(struct dcep_slot *slot);
struct dcep_slot *dcep_slot_find(const struct dcep *dcep, uint16_t stream);

/* Resets our direction, or does without where the peer can't. */
void dcep_slot_reset(struct dcep *dcep, usec_t now, struct dcep_slot *slot);
