/* proto/sctp/sctp.h - one SCTP association over DTLS (RFC 9260, 8261; partial reliability: 3758; stream reset and
 * addition: 6525; for data channels: 8831). DCEP and channels stand above it: dcep.h.
 * Owner: one peer. Pure: no clock, socket, thread or malloc. The association is one pool object of sctp_size() bytes; what
 * it queues comes from base/mem.h, bounded by the configuration and by the worker's budget (struct sctp_shared).
 *
 * Order: sctp_new; sctp_connect once DTLS is up (both sides do it: the collision is the normal case); then sctp_input for
 * each decrypted DTLS payload, sctp_send, sctp_reset_stream ... as things happen; sctp_free.
 * After each call that takes a `struct sctp *` without const: drain sctp_poll_event, then sctp_poll_tx, until both say
 * false (a message taken first makes the SACK tell the wider window), then look at sctp_deadline, which may lie in the
 * past. Several inputs of one batch may come before one draining. */
#pragma once

#include "base/err.h"
#include "base/pool.h"
#include "base/rng.h"
#include "proto/sctp/sctp_types.h"

#define SCTP_PORT                5000u       /* what everybody's a=sctp-port says */
#define SCTP_PACKET_MAX          1460u       /* largest packet that we send, and the largest `mtu` */
#define SCTP_MTU_MIN             200u        /* DTLS_MTU_MIN leaves 216 */
#define SCTP_MTU_DEFAULT         1160u       /* DTLS_MTU_DEFAULT less record header, nonce and tag, in words */

/* What strangers can raise, and where it ends. */
#define SCTP_STREAMS_DEFAULT     1024u       /* each way; more are refused at INIT and by stream addition */
#define SCTP_MESSAGE_MAX_DEFAULT 262144u     /* what our SDP says: a=max-message-size */
#define SCTP_MESSAGE_MAX_LIMIT   (64u << 20) /* the setting's end */
#define SCTP_REMOTE_MAX_DEFAULT  65536u      /* RFC 8841 6.1: the remote's SDP says nothing */
#define SCTP_WINDOW_DEFAULT      (1u << 20)  /* receive window: bytes held for the application, overhead included */
#define SCTP_BUFFER_DEFAULT      (1u << 20)  /* sent and not acknowledged yet; then sctp_send says ERR_FULL */
#define SCTP_TSN_SPREAD_MAX      8192u       /* chunks received beyond the first missing one; more are dropped */
#define SCTP_REPLIES_MAX         8u          /* answers to control chunks not drained yet; more are dropped */
#define SCTP_COOKIE_MAX          1024u       /* of the peer; longer ones don't fit one packet back */

/* Drops and refusals by cause, and a few totals. */
struct sctp_counters {
    uint64_t packets_in, packets_out;
    uint64_t messages_in, messages_out;
    uint64_t retransmits;            /* chunks */
    uint64_t fast_retransmits;       /* losses found without a time-out */
    uint64_t timeouts;               /* T3 */
    uint64_t abandoned;              /* messages given up by their partial reliability */
    uint64_t skipped;                /* messages or parts that the peer gave up */
    uint64_t duplicates;             /* chunks */
    uint64_t malformed;              /* packets or chunks cut short, or lengths that make no sense */
    uint64_t wrong_checksum;
    uint64_t wrong_port;
    uint64_t wrong_tag;
    uint64_t wrong_state;            /* chunks that have no meaning now */
    uint64_t unknown_chunks;
    uint64_t bad_cookies;            /* forged, or of another association */
    uint64_t stale_cookies;
    uint64_t bad_streams;            /* DATA beyond the negotiated streams */
    uint64_t outside_window;         /* TSNs far from the expected */
    uint64_t no_room;                /* chunks dropped since the window is full */
    uint64_t no_budget;              /* the same for the worker's budget */
    uint64_t replies_dropped;
    uint64_t sends_refused;          /* ERR_FULL */
    uint64_t violations;             /* aborted: SCTP_REASON_PROTOCOL and SCTP_REASON_TOO_LONG */
    uint64_t restarts;
};

/* One per worker, zeroed, with memory_bytes_max set; its associations share it. */
struct sctp_shared {
    struct sctp_counters counters;
    uint64_t memory_bytes;           /* in the queues of all associations */
    uint64_t memory_bytes_max;       /* 0: no limit */
};

struct sctp_config {
    uint16_t local_port;             /* 0: SCTP_PORT */
    uint16_t remote_port;            /* 0: SCTP_PORT */
    uint16_t mtu;                    /* SCTP bytes in one DTLS record; 0: SCTP_MTU_DEFAULT */
    uint16_t streams_in;             /* 0: SCTP_STREAMS_DEFAULT */
    uint16_t streams_out;            /* 0: the same */
    uint32_t max_message_bytes;      /* received; 0: SCTP_MESSAGE_MAX_DEFAULT */
    uint32_t remote_max_message_bytes;   /* sent; 0: SCTP_REMOTE_MAX_DEFAULT. The SDP's "0" is any size: UINT32_MAX */
    uint32_t window_bytes;           /* 0: SCTP_WINDOW_DEFAULT; at least twice max_message_bytes is taken */
    uint32_t buffer_bytes;           /* 0: SCTP_BUFFER_DEFAULT */
    struct rng *rng;
    struct sctp_shared *shared;
};

struct sctp;

size_t       sctp_size(void);        /* for pool_init */
struct sctp *sctp_new(struct pool *pool, const struct sctp_config *config, usec_t now);    /* NULL: the pool is full */
void         sctp_free(struct sctp *sctp);       /* says nothing to the other side: sctp_abort first. NULL is fine */

void sctp_connect(struct sctp *sctp, usec_t now);            /* no effect unless SCTP_STATE_NEW */
void sctp_set_remote_max(struct sctp *sctp, uint32_t remote_max_message_bytes);    /* a later SDP; as in the config */

void   sctp_input(struct sctp *sctp, usec_t now, struct view packet);
void   sctp_timeout(struct sctp *sctp, usec_t now);          /* early or repeated calls are harmless */
usec_t sctp_deadline(const struct sctp *sctp);               /* USEC_NEVER when idle */

struct sctp_message {
    uint16_t stream;
    bool unordered;
    uint8_t reliability;             /* enum sctp_reliability */
    uint32_t limit;                  /* its retransmissions or milliseconds */
    uint32_t ppid;
};

/* Copies `data`. Before ESTABLISHED it waits. ERR_FULL: buffer_bytes or the worker's budget is reached, and nothing is
 * taken; an SCTP_EVENT_WRITABLE follows when half of the buffer is free. ERR_INVALID: empty, longer than the remote takes, or no
 * such stream. ERR_STATE: the stream is being reset, or the association shut down or closed. One message longer than the
 * whole buffer is taken when nothing else is buffered. */
enum err sctp_send(struct sctp *sctp, usec_t now, const struct sctp_message *message, struct view data);

size_t sctp_buffered(const struct sctp *sctp);                           /* of all streams, not acknowledged yet */
size_t sctp_stream_queued(const struct sctp *sctp, uint16_t stream);     /* of one, not sent yet: bufferedAmount */

/* Our direction of `stream` starts anew once all that was sent before has arrived: SCTP_EVENT_RESET_OUT tells. Meanwhile
 * sctp_send on it is refused. Several are put into one request. ERR_UNSUPPORTED: the peer has no RE-CONFIG (then the stream
 * goes on as it was). */
enum err sctp_reset_stream(struct sctp *sctp, usec_t now, uint16_t stream);

/* Asks for `count` more streams in our direction (RFC 6525 4.5); SCTP_EVENT_STREAMS tells what is there then, as
 * refused too. ERR_STATE: not ESTABLISHED, or one such request is under way. ERR_INVALID: more than 65535 in all. */
enum err sctp_add_streams(struct sctp *sctp, usec_t now, uint16_t count);

/* While on, no SCTP_EVENT_MESSAGE or SCTP_EVENT_RESET_IN comes out of sctp_poll_event, and the window closes: the peer's
 * data waits on its side. Off: drain again. */
void sctp_hold(struct sctp *sctp, usec_t now, bool on);

void sctp_shutdown(struct sctp *sctp, usec_t now);           /* delivers what is buffered, then CLOSED */
void sctp_abort(struct sctp *sctp, usec_t now);              /* an ABORT to drain, and CLOSED */

struct sctp_tx {
    size_t size;
    uint8_t data[SCTP_PACKET_MAX];
};

/* The next packet for dtls_send, built at this moment: don't ask while the way out is full. */
bool sctp_poll_tx(struct sctp *sctp, struct sctp_tx *out);

enum sctp_event_kind {
    SCTP_EVENT_UP,                   /* `streams_in`, `streams_out` */
    SCTP_EVENT_MESSAGE,              /* `stream`, `ppid`, `unordered`, `data` */
    SCTP_EVENT_RESET_IN,             /* the peer's direction of `stream` starts anew; all its messages have come before */
    SCTP_EVENT_RESET_OUT,            /* ours does; `ok` false: refused, and it goes on as it was */
    SCTP_EVENT_STREAMS,              /* their numbers have changed, or (`ok` false) our wish was refused */
    SCTP_EVENT_WRITABLE,             /* after a refusal, or more than half of the buffer in use: there is room again */
    SCTP_EVENT_RESTARTED,            /* the peer began anew (RFC 9260 5.2.4.1): streams, buffers, all is as at UP */
    SCTP_EVENT_CLOSED,               /* `reason`; the last one */
};

struct sctp_event {
    enum sctp_event_kind kind;
    enum sctp_reason reason;
    bool ok;
    bool unordered;
    uint16_t stream;
    uint16_t streams_in;
    uint16_t streams_out;
    uint32_t ppid;
    struct view data;                /* whole message, never empty; valid until the next call with this association */
};

bool sctp_poll_event(struct sctp *sctp, struct sctp_event *out);

enum sctp_state sctp_get_state(const struct sctp *sctp);
void sctp_describe(const struct sctp *sctp, struct sctp_info *out);
