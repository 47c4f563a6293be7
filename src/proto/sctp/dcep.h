/* proto/sctp/dcep.h - data channels (RFC 8831) and the protocol that opens them (DCEP, RFC 8832), on one association.
 * Owner: one peer, beside its struct sctp, which it uses and does not own. Pure; channels come from base/mem.h, at most
 * DCEP_CHANNELS_MAX of them.
 *
 * Order: dcep_init with an association; then dcep_poll_event instead of sctp_poll_event (it drains that one), dcep_send
 * instead of sctp_send, dcep_open and dcep_close; dcep_fini before sctp_free. Packets, timers and sctp_hold stay with
 * sctp.h, and its order of calls holds: after each call drain dcep_poll_event, then sctp_poll_tx.
 * A channel is named by its stream; an id is used again after CHANNEL_CLOSED only. */
#pragma once

#include "proto/sctp/sctp.h"

#define DCEP_CHANNELS_MAX  256u      /* of one association, both sides' together; an OPEN over it is answered by a reset */
#define DCEP_LABEL_MAX     255u      /* bytes kept of a label and of a protocol, cut at a character of UTF-8 */
#define DCEP_OPEN_HEADER   12u       /* RFC 8832 5.1 */

/* RFC 8831 8 */
enum {
    DCEP_PPID_DCEP = 50,
    DCEP_PPID_TEXT = 51,
    DCEP_PPID_BINARY_PARTIAL = 52,   /* deprecated: collected until the last part comes as 53 */
    DCEP_PPID_BINARY = 53,
    DCEP_PPID_TEXT_PARTIAL = 54,     /* deprecated, last part 51 */
    DCEP_PPID_TEXT_EMPTY = 56,
    DCEP_PPID_BINARY_EMPTY = 57,
};

/* RFC 8832 5.1 */
enum dcep_type {
    DCEP_RELIABLE = 0x00,
    DCEP_RETRANSMITS = 0x01,
    DCEP_LIFETIME = 0x02,
    DCEP_UNORDERED = 0x80,           /* a flag on each of the others */
};

#define DCEP_PRIORITY_NORMAL 256u    /* RFC 8831 6.4 */

struct dcep_open {
    uint8_t type;                    /* enum dcep_type, with or without DCEP_UNORDERED */
    uint16_t priority;
    uint32_t limit;                  /* retransmissions or milliseconds */
    struct view label;
    struct view protocol;
};

/* A DATA_CHANNEL_OPEN. False: cut short, another type of message, or a channel type that RFC 8832 does not know. */
bool   dcep_open_parse(struct dcep_open *out, struct view message);
size_t dcep_open_write(uint8_t *out, size_t room, const struct dcep_open *open);     /* 0: no room */

enum dcep_channel_state {
    DCEP_OPENING,                    /* our OPEN is under way; data may be sent, in order, until the ACK (RFC 8832 6) */
    DCEP_OPENED,
    DCEP_CLOSING,                    /* reset in at least one direction */
};

struct dcep_channel {
    uint16_t stream;
    uint8_t state;                   /* enum dcep_channel_state */
    uint8_t type;
    uint16_t priority;
    bool is_ours;                    /* we opened it */
    bool is_in_reset;                /* the remote's direction has been reset */
    bool is_out_reset;               /* ours has */
    uint32_t limit;
    struct view label;               /* valid while the channel is there */
    struct view protocol;
};

/* Owner: the worker; its peers share one. */
struct dcep_counters {
    uint64_t opened_by_remote;
    uint64_t opened_by_us;
    uint64_t malformed;              /* DCEP messages that are none: dropped */
    uint64_t wrong_parity;           /* OPEN on a stream of ours, or on one in use: closed, as RFC 8832 6 wants */
    uint64_t channels_full;
    uint64_t stray_acks;
    uint64_t stray_messages;         /* data on a stream without a channel: dropped */
    uint64_t unknown_ppids;
    uint64_t too_long;               /* collected parts longer than a message may be */
};

struct dcep {
    struct sctp *sctp;
    struct dcep_counters *counters;
    bool is_client;                  /* DTLS: a client opens even streams, a server odd ones (RFC 8832 6) */
    bool is_up_due;                  /* events to be told */
    bool is_down_due;
    enum sctp_reason reason;         /* of the latter */
    uint16_t stream_count;           /* both ways */
    uint32_t channel_count;
    uint32_t opens_due;              /* channels that are open, and not told yet */
    uint32_t acks_due;               /* channels whose ACK found no room */
    uint32_t message_max;
    struct dcep_slot *first;         /* channels by rising stream */
    struct dcep_slot *leaving;       /* closed, and not told yet */
    struct dcep_slot *told;          /* named by the last event; freed by the next call of dcep_poll_event */
    struct dcep_slot *collected;     /* whose parts were the last event's data */
};

/* `max_message_bytes`: as in the sctp_config; 0: SCTP_MESSAGE_MAX_DEFAULT. It bounds what is collected of partial messages. */
void dcep_init(struct dcep *dcep, struct sctp *sctp, bool is_dtls_client, uint32_t max_message_bytes,
               struct dcep_counters *counters);
void dcep_fini(struct dcep *dcep);

/* Opens a channel on the lowest free stream of our parity. Before UP it waits. Label and protocol are copied. ERR_FULL: no
 * stream, channel or buffer left. ERR_INVALID: label or protocol longer than DCEP_LABEL_MAX, or no such type. ERR_STATE:
 * association shut down or closed. */
enum err dcep_open(struct dcep *dcep, usec_t now, const struct dcep_open *open, uint16_t *stream);

/* Resets our direction; CHANNEL_CLOSED follows when both are. ERR_GONE: no such channel. Closing twice is fine. */
enum err dcep_close(struct dcep *dcep, usec_t now, uint16_t stream);

/* One message, text or binary, empty ones too, with the channel's order and reliability. ERR_GONE: no such channel.
 * ERR_STATE: it is closing. Others as sctp_send. */
enum err dcep_send(struct dcep *dcep, usec_t now, uint16_t stream, bool is_text, struct view data);

/* NULL: none. By label: the first that is not closing, in the order of streams, whoever opened it (webrtc.md 19). */
const struct dcep_channel *dcep_find(const struct dcep *dcep, uint16_t stream);
const struct dcep_channel *dcep_find_label(const struct dcep *dcep, struct view label);
const struct dcep_channel *dcep_next(const struct dcep *dcep, const struct dcep_channel *after);    /* walk: NULL first */

enum dcep_event_kind {
    DCEP_EVENT_UP,                   /* the association is: channels work */
    DCEP_EVENT_CHANNEL_OPEN,         /* `channel`: the remote opened it (ACK is sent), or acknowledged ours */
    DCEP_EVENT_MESSAGE,              /* `channel`, `is_text`, `data` (may be empty); if the remote sends unordered, it may come
                                        before its ACK, that is before CHANNEL_OPEN of a channel of ours */
    DCEP_EVENT_CHANNEL_CLOSED,       /* `channel`: gone in both directions; the last of it */
    DCEP_EVENT_WRITABLE,             /* as SCTP_EVENT_WRITABLE */
    DCEP_EVENT_DOWN,                 /* `reason`; all channels are gone, each told by CHANNEL_CLOSED before. The last one,
                                        unless the peer began anew (SCTP_EVENT_RESTARTED): then with SCTP_REASON_NONE,
                                        and UP follows */
};

struct dcep_event {
    enum dcep_event_kind kind;
    enum sctp_reason reason;
    bool is_text;
    const struct dcep_channel *channel;  /* valid until the next dcep_poll_event (CHANNEL_CLOSED: no longer) */
    struct view data;                    /* valid as long, and until the next sctp_input */
};

/* `now`, since an OPEN is acknowledged and a reset answered here. */
bool dcep_poll_event(struct dcep *dcep, usec_t now, struct dcep_event *out);
