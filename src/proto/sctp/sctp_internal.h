/* proto/sctp/sctp_internal.h - the inside of an association. Inside proto/sctp only.
 *
 *   assoc.c    life, timers, events            setup.c   INIT, cookies, collision (RFC 9260 5)
 *   input.c    packets and small chunks        closing.c SHUTDOWN and ABORT (9.2, 9.1)
 *   output.c   packets out: what is bundled    reconfig.c stream reset and addition (RFC 6525)
 *   queue.c    messages to send, fragments     receive.c DATA, SACK out; reassembly.c messages, FORWARD-TSN in
 *   sack.c     SACK in, losses                 path.c    round trips, congestion window, T3
 *   partial.c  messages given up (RFC 3758)    packet.c  the bytes
 *
 * Sending.   stream queues -> fragments get a TSN when they are first put into a packet -> ring of chunks [base, next)
 *            -> a message is freed when all its TSNs are below base. Invariants:
 *                flight = sum of sizes in state FLIGHT;  lost = number in state LOST;  base <= ack_point + 1 <= next
 * Receiving. ring of slots [base, highest] by TSN; fragments are HELD in runs until one run is a whole message, which goes
 *            to the ready queue, or waits in a map for its turn in its stream. Invariants:
 *                base <= cum + 1;  slot[t] != MISSING for base <= t <= cum;  HELD below cum are one run that ends at cum */
#pragma once

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "proto/sctp/packet.h"
#include "proto/sctp/sctp.h"

/* RFC 9260 16, where nothing else is said */
#define SCTP_RTO_INITIAL_US      SEC(1)
#define SCTP_RTO_MIN_US          MSEC(400)       /* RFC: 1 s; above every peer's delayed SACK (200 ms) and a round trip */
#define SCTP_RTO_MAX_US          SEC(10)         /* RFC: 60 s; ICE consent ends a dead path after 30 s */
#define SCTP_MAX_RETRANS         10u             /* Association.Max.Retrans */
#define SCTP_MAX_INIT_RETRANS    8u
#define SCTP_HEARTBEAT_US        SEC(30)
#define SCTP_COOKIE_LIFE_US      SEC(60)
#define SCTP_SACK_DELAY_US       MSEC(100)       /* RFC: at most 200 ms (6.2) */
#define SCTP_PEER_DELAY_US       MSEC(200)       /* the same of a peer, at most (RFC 9260 6.2) */
#define SCTP_ASK_US              MSEC(200)       /* a packet that is alone under way asks for its SACK this often at most */
#define SCTP_BURST_PACKETS       10u             /* RFC 9260: 4; RFC 6928's initial window for TCP */
#define SCTP_REORDER_PACKETS     3u              /* RFC 9260 7.2.4: three missing reports */
#define SCTP_GUARD_US            (5 * SCTP_RTO_MAX_US)   /* T5 (9.2) */
#define SCTP_DUPLICATES_MAX      8u              /* told in one SACK */
#define SCTP_OUTSTANDING_MAX     SCTP_TSN_SPREAD_MAX     /* chunks sent and not acknowledged */
#define SCTP_RESETS_MAX          256u            /* streams in one request */
#define SCTP_RING_KEPT           16u             /* slots that an idle association keeps */
#define SCTP_SACK_MIN            64u             /* room that a SACK wants: 12 gap blocks */
#define SCTP_FORWARD_MIN         64u             /* and a FORWARD TSN: 14 streams */

enum sctp_timer {
    SCTP_TIMER_INIT,                 /* T1 */
    SCTP_TIMER_SHUTDOWN,             /* T2 */
    SCTP_TIMER_RETRANSMIT,           /* T3 */
    SCTP_TIMER_GUARD,                /* T5 */
    SCTP_TIMER_PROBE,                /* the tail of a flight is sent again (RFC 8985 7) */
    SCTP_TIMER_SACK,
    SCTP_TIMER_HEARTBEAT,
    SCTP_TIMER_RECONFIG,
    SCTP_TIMER_COUNT,
};

/* Chunks to be sent when a packet is built next. */
enum sctp_want {
    SCTP_WANT_INIT = 1 << 0,
    SCTP_WANT_COOKIE_ECHO = 1 << 1,
    SCTP_WANT_COOKIE_ACK = 1 << 2,
    SCTP_WANT_SACK = 1 << 3,
    SCTP_WANT_FORWARD_TSN = 1 << 4,
    SCTP_WANT_HEARTBEAT = 1 << 5,
    SCTP_WANT_SHUTDOWN = 1 << 6,
    SCTP_WANT_SHUTDOWN_ACK = 1 << 7,
    SCTP_WANT_RESET = 1 << 8,        /* the request under way, for the first time or again */
    SCTP_WANT_RESET_ANSWER = 1 << 9,
};

enum sctp_told {                     /* events that are a flag; queued ones are struct sctp_rx */
    SCTP_TELL_UP = 1 << 0,
    SCTP_TELL_RESTARTED = 1 << 1,
    SCTP_TELL_WRITABLE = 1 << 2,
    SCTP_TELL_CLOSED = 1 << 3,
};

/* ---- sending ---- */

struct sctp_tx_message {
    struct sctp_tx_message *next;    /* in its stream's queue, until wholly sent */
    usec_t expires;                  /* USEC_NEVER: no lifetime */
    uint32_t size;
    uint32_t sent;                   /* bytes that have a TSN */
    uint32_t first_tsn;
    uint32_t chunks;                 /* in the ring */
    uint32_t retransmits_max;        /* UINT32_MAX: as often as it takes */
    uint32_t ppid;
    uint16_t stream;
    uint16_t ssn;                    /* once anything is sent */
    bool unordered;
    bool abandoned;
    uint8_t data[];
};

enum sctp_chunk_state { SCTP_CHUNK_FLIGHT, SCTP_CHUNK_LOST, SCTP_CHUNK_ACKED, SCTP_CHUNK_ABANDONED };

struct sctp_tx_chunk {
    struct sctp_tx_message *message;
    usec_t sent_at;
    uint32_t offset;
    uint32_t sent_in;                /* the packet that it was last sent in, counted */
    uint16_t size;                   /* payload; 0: a TSN that only ends an abandoned message */
    uint16_t retransmits;
    uint8_t state;
    uint8_t flags;                   /* B, E, U; I: its SACK need not wait for another packet */
};

enum sctp_reset_state { SCTP_RESET_NONE, SCTP_RESET_WANTED, SCTP_RESET_SENT };

struct sctp_tx_stream {
    struct sctp_tx_message *first, *last;
    size_t queued_bytes;             /* not sent yet */
    uint16_t next_ssn;
    uint16_t next_active;
    bool is_active;                  /* in the round of streams that have something to send */
    uint8_t reset;                   /* enum sctp_reset_state */
};

struct sctp_tx_side {
    struct sctp_tx_stream *streams;  /* [0, stream_room): the ids used so far */
    uint32_t stream_room;
    struct sctp_tx_message *current; /* partly sent; the only one */
    uint16_t first_active, last_active;
    uint32_t active_count;
    struct sctp_tx_chunk *ring;
    uint32_t ring_room;              /* a power of two */
    uint32_t base;                   /* the first TSN not acknowledged cumulatively */
    uint32_t next;                   /* the next new TSN */
    uint32_t ack_point;              /* Advanced.Peer.Ack.Point (RFC 3758 3.5) */
    uint32_t lost;
    uint32_t lost_from;              /* no TSN below it is LOST */
    uint32_t gap_end;                /* no TSN from here on has been acknowledged by a gap block */
    uint64_t buffered_bytes;         /* payload of all messages alive */
    uint64_t charged_bytes;          /* the same with their headers */
    uint32_t peer_window;            /* of the last SACK */
    usec_t forward_at;               /* when a FORWARD TSN went last */
    bool is_writable_due;
};

struct sctp_path {
    uint32_t cwnd, ssthresh, partial_acked, flight;
    uint32_t burst_limit;            /* flight may grow to this until the next SACK or time-out */
    uint32_t srtt_us, rttvar_us, rto_us;
    uint32_t rtt_from;               /* the next TSN whose round trip is measured: one a round (RFC 9260 6.3.1 C4) */
    uint32_t errors;
    uint32_t packets;                /* data packets sent, counted; 0 is never a packet's */
    uint32_t acked_in;               /* the latest of them known to have arrived */
    uint32_t recovery_end;           /* fast recovery lasts until this TSN is acknowledged */
    bool is_recovering;
    bool fast_packet;                /* the first packet of a fast retransmission is free of cwnd (7.2.4) */
    bool probed;                     /* one tail probe a flight */
    bool asked;                      /* the last packet wants its SACK at once */
    usec_t asked_at;
    usec_t sent_at;
    uint64_t heartbeat_nonce;
    bool heartbeat_open;
};

/* ---- receiving ---- */

enum sctp_rx_kind { SCTP_RX_DATA, SCTP_RX_RESET_IN, SCTP_RX_RESET_OUT, SCTP_RX_STREAMS };

struct sctp_rx {                     /* a fragment, a message, or an event that keeps its place among them */
    struct map_node node;            /* while it waits for its turn in its stream */
    struct sctp_rx *next;
    uint32_t tsn;
    uint32_t ppid;
    uint32_t size;
    uint16_t stream;
    uint16_t ssn;
    uint8_t flags;
    uint8_t kind;
    bool ok;
    uint8_t data[];
};

enum sctp_slot_state { SCTP_SLOT_MISSING, SCTP_SLOT_HELD, SCTP_SLOT_DONE, SCTP_SLOT_SKIPPED };

struct sctp_slot {
    struct sctp_rx *rx;              /* HELD */
    uint32_t other_end;              /* HELD, at both ends of a run of one message: the TSN of the other end */
    uint32_t run_bytes;              /* the same */
    uint8_t state;
};

struct sctp_rx_stream {
    uint32_t waiting;                /* messages in the map */
    uint16_t next_ssn;
    bool is_reset;                   /* while a reset is carried out */
};

struct sctp_rx_side {
    struct sctp_slot *ring;
    uint32_t ring_room;              /* a power of two */
    uint32_t base, cum, highest;     /* TSNs */
    bool is_before_base_skipped;
    struct sctp_rx_stream *streams;
    uint32_t stream_room;
    struct map waiting;
    struct sctp_rx *ready, *ready_last;
    struct sctp_rx *notes, *notes_last;      /* events that a hold doesn't hold */
    struct sctp_rx *taken;           /* the message of the last event */
    uint64_t held_bytes;             /* with headers */
    uint32_t window;                 /* as configured */
    uint32_t told_window;            /* by the last SACK */
    uint32_t duplicates[SCTP_DUPLICATES_MAX];
    uint32_t duplicate_count;
    uint32_t packets_unacked;
    bool is_held;                    /* sctp_hold */
    bool sack_at_once;               /* this packet wants it */
    bool has_data;                   /* this packet has */
};

/* ---- RFC 6525 ---- */

enum sctp_ask { SCTP_ASK_NONE, SCTP_ASK_RESET, SCTP_ASK_ADD };

#define SCTP_ANSWERS_MAX 2u          /* RFC 6525 3.1: parameters in one chunk */

struct sctp_answer {
    uint32_t seq, result;
};

struct sctp_reconfig {
    uint32_t wanted;                 /* streams in state WANTED */
    enum sctp_ask ask;               /* our request under way */
    uint32_t seq;                    /* of it, or of the next */
    uint32_t last_tsn;               /* RESET: what was sent before it */
    uint16_t add_count;              /* ADD, under way or wanted; 0: none */
    uint32_t peer_seq;               /* of the peer's next request */
    uint32_t peer_result;            /* of its last one, to be told again */
    struct sctp_answer answers[SCTP_ANSWERS_MAX];
    uint32_t answer_count;
    uint16_t *later;                 /* the streams of a reset that waits for data of the peer; NULL: none */
    uint32_t later_count, later_tsn;
};

struct sctp_reply {                  /* a whole packet */
    struct sctp_reply *next;
    uint32_t size;
    uint8_t data[];
};

/* What an INIT or INIT ACK says. */
struct sctp_offer {
    uint32_t tag, window, tsn;
    uint16_t streams_out, streams_in;
    bool has_forward_tsn, has_reconfig;
};

struct sctp {
    struct pool *pool;
    struct sctp_config config;       /* with the defaults filled in */
    struct sctp_shared *shared;
    usec_t now;
    usec_t timers[SCTP_TIMER_COUNT];
    enum sctp_state state;
    enum sctp_reason reason;
    uint32_t wants;
    uint32_t tells;
    uint32_t local_tag, local_tsn;   /* the TSN: initial */
    struct sctp_offer peer;          /* `tag` 0: not known yet */
    uint16_t streams_in, streams_out;
    struct hash_key cookie_keys[2];
    struct hash_key map_key;
    uint8_t *cookie;                 /* the peer's, while it is echoed */
    uint32_t cookie_size;
    uint32_t tries;                  /* of INIT, COOKIE ECHO; of SHUTDOWN */
    uint64_t memory_bytes;           /* in the queues */
    uint64_t retransmits;
    struct sctp_reply *replies, *replies_last;
    uint32_t reply_count;
    struct sctp_tx_side tx;
    struct sctp_path path;
    struct sctp_rx_side rx;
    struct sctp_reconfig reconfig;
};

static inline bool tsn_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool sctp_wants(const struct sctp *sctp, uint32_t want)
{
    return (sctp->wants & want) != 0;
}

/* assoc.c */
void *sctp_get_memory(struct sctp *sctp, size_t size);               /* counted; from mem.h, so never NULL */
void  sctp_put_memory(struct sctp *sctp, void *ptr, size_t size);
bool  sctp_has_budget(const struct sctp *sctp, size_t size);         /* of the worker */
void  sctp_timer_set(struct sctp *sctp, enum sctp_timer timer, usec_t after_us);
void  sctp_timer_stop(struct sctp *sctp, enum sctp_timer timer);
void  sctp_note(struct sctp *sctp, enum sctp_rx_kind kind, uint16_t stream, bool ok);     /* an event beside the messages */
void  sctp_clear(struct sctp *sctp);                                 /* all queues, but what is ready for the application */
void  sctp_close(struct sctp *sctp, enum sctp_reason reason);
void  sctp_error(struct sctp *sctp, bool is_silent);                 /* a time-out: counts, and ends what is dead */
bool  sctp_may_send_data(const struct sctp *sctp);

/* setup.c */
bool sctp_on_init(struct sctp *sctp, const struct sctp_chunk *chunk);
bool sctp_on_init_ack(struct sctp *sctp, const struct sctp_chunk *chunk);
bool sctp_on_cookie_echo(struct sctp *sctp, uint32_t tag, const struct sctp_chunk *chunk);
void sctp_on_cookie_ack(struct sctp *sctp);
void sctp_on_stale_cookie(struct sctp *sctp);
void sctp_setup_timeout(struct sctp *sctp);
void sctp_write_init(struct sctp *sctp, struct sctp_packer *p, uint8_t type, uint32_t tag, uint32_t tsn);

/* input.c */
void sctp_send_abort(struct sctp *sctp, uint32_t tag, uint16_t cause, struct view info);     /* cause 0: none */
void sctp_violated(struct sctp *sctp, uint16_t cause);               /* aborts: SCTP_REASON_PROTOCOL */

/* output.c */
struct sctp_packer sctp_reply_begin(struct sctp *sctp, uint8_t *data, uint32_t tag);
void sctp_reply_end(struct sctp *sctp, struct sctp_packer *p);

/* queue.c */
void sctp_queue_clear(struct sctp *sctp);
void sctp_queue_fit_streams(struct sctp *sctp);                      /* drops what is queued beyond streams_out */
struct sctp_tx_stream *sctp_tx_stream(struct sctp *sctp, uint16_t stream);
void sctp_tx_unqueue(struct sctp *sctp, struct sctp_tx_message *message);
void sctp_tx_release(struct sctp *sctp, struct sctp_tx_message *message);    /* frees it if nothing holds it any more */
struct sctp_tx_message *sctp_tx_pick(struct sctp *sctp);             /* what comes next; NULL: nothing waits */
struct sctp_tx_chunk *sctp_tx_push(struct sctp *sctp, struct sctp_tx_message *message, uint32_t size);
void sctp_tx_ring_trim(struct sctp *sctp);

static inline struct sctp_tx_chunk *sctp_tx_at(const struct sctp *sctp, uint32_t tsn)
{
    return &sctp->tx.ring[tsn & (sctp->tx.ring_room - 1)];
}

static inline uint32_t sctp_tx_outstanding(const struct sctp *sctp)
{
    return sctp->tx.next - sctp->tx.base;
}

static inline uint32_t sctp_chunk_weight(const struct sctp_tx_chunk *chunk)
{
    return chunk->size + SCTP_DATA_HEADER;
}

/* The peer has told of no room for what is under way: that one chunk knocks, alone, and its loss says nothing about the path. */
static inline bool sctp_is_shut(const struct sctp *sctp)
{
    return sctp_tx_outstanding(sctp) > 0 && sctp->tx.peer_window < sctp_chunk_weight(sctp_tx_at(sctp, sctp->tx.base));
}

/* sack.c */
void sctp_on_sack(struct sctp *sctp, const struct sctp_chunk *chunk);
bool sctp_acknowledge(struct sctp *sctp, uint32_t cum);              /* false: it acknowledges what was never sent */

/* partial.c */
bool sctp_is_given_up(const struct sctp *sctp, const struct sctp_tx_message *message);       /* its lifetime is over */
void sctp_abandon(struct sctp *sctp, struct sctp_tx_message *message);
void sctp_advance_ack_point(struct sctp *sctp);
void sctp_write_forward_tsn(struct sctp *sctp, struct sctp_packer *p);

/* path.c */
void sctp_path_init(struct sctp *sctp);
void sctp_path_measure(struct sctp *sctp, usec_t rtt_us);
void sctp_path_set_rto(struct sctp *sctp);                           /* as measured: no time-out has doubled it */
void sctp_path_acked(struct sctp *sctp, uint32_t bytes, uint32_t flight_before, bool cum_moved);
void sctp_path_lost(struct sctp *sctp);                              /* a loss found by SACKs */
void sctp_path_wake(struct sctp *sctp);                              /* before sending after an idle time */
void sctp_chunk_lost(struct sctp *sctp, uint32_t tsn);
void sctp_retransmit_timeout(struct sctp *sctp);
void sctp_probe_timeout(struct sctp *sctp);
void sctp_path_rearm(struct sctp *sctp);                             /* T3 and the probe, after data was sent */

/* receive.c */
void sctp_rx_begin(struct sctp *sctp);                               /* the peer's first TSN is known */
void sctp_on_data(struct sctp *sctp, const struct sctp_chunk *chunk);
void sctp_rx_advance(struct sctp *sctp);
void sctp_write_sack(struct sctp *sctp, struct sctp_packer *p);
void sctp_rx_window_opened(struct sctp *sctp);
void sctp_sack_decide(struct sctp *sctp);                            /* after a packet */
void sctp_rx_clear(struct sctp *sctp);
void sctp_rx_free(struct sctp *sctp, struct sctp_rx *rx);
struct sctp_rx *sctp_rx_new(struct sctp *sctp, uint32_t size);
struct sctp_rx_stream *sctp_rx_stream(struct sctp *sctp, uint16_t stream);

static inline struct sctp_slot *sctp_slot(const struct sctp *sctp, uint32_t tsn)
{
    return &sctp->rx.ring[tsn & (sctp->rx.ring_room - 1)];
}

/* reassembly.c */
bool sctp_slot_fill(struct sctp *sctp, struct sctp_rx *rx);          /* false: the association is aborted */
void sctp_on_forward_tsn(struct sctp *sctp, const struct sctp_chunk *chunk);
void sctp_rx_ready(struct sctp *sctp, struct sctp_rx *rx);
void sctp_rx_streams_reset(struct sctp *sctp, const uint16_t *streams, uint32_t count);      /* count 0: all */

/* reconfig.c */
void sctp_on_reconfig(struct sctp *sctp, const struct sctp_chunk *chunk);
void sctp_reconfig_step(struct sctp *sctp);                          /* sends what can be asked now */
void sctp_reconfig_arrived(struct sctp *sctp);                       /* the peer's TSN has moved on */
void sctp_reconfig_timeout(struct sctp *sctp);
void sctp_reconfig_clear(struct sctp *sctp);
void sctp_write_reconfig(struct sctp *sctp, struct sctp_packer *p);

/* closing.c */
void sctp_shutdown_step(struct sctp *sctp);                          /* when all is acknowledged */
void sctp_on_shutdown(struct sctp *sctp, const struct sctp_chunk *chunk);
void sctp_on_shutdown_ack(struct sctp *sctp, uint32_t tag);
void sctp_on_shutdown_complete(struct sctp *sctp);
void sctp_shutdown_timeout(struct sctp *sctp);
