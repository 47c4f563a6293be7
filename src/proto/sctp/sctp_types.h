/* proto/sctp/sctp_types.h - the plain structs of SCTP and DCEP that messages may carry. */
#pragma once

#include "base/types.h"

enum sctp_state {
    SCTP_STATE_NEW,                  /* neither connected nor heard from; answers an INIT */
    SCTP_STATE_COOKIE_WAIT,          /* from here on the names of RFC 9260 4 */
    SCTP_STATE_COOKIE_ECHOED,
    SCTP_STATE_ESTABLISHED,
    SCTP_STATE_SHUTDOWN_PENDING,
    SCTP_STATE_SHUTDOWN_SENT,
    SCTP_STATE_SHUTDOWN_RECEIVED,
    SCTP_STATE_SHUTDOWN_ACK_SENT,
    SCTP_STATE_CLOSED,               /* for good: only draining and sctp_free make sense */
};

enum sctp_reason {
    SCTP_REASON_NONE,
    SCTP_REASON_SHUTDOWN,            /* orderly, by either side */
    SCTP_REASON_PEER_ABORTED,
    SCTP_REASON_ABORTED,             /* sctp_abort */
    SCTP_REASON_NO_ANSWER,           /* INIT or COOKIE ECHO: Max.Init.Retransmits */
    SCTP_REASON_UNREACHABLE,         /* Association.Max.Retrans */
    SCTP_REASON_PROTOCOL,            /* the peer broke the protocol, and was told by an ABORT */
    SCTP_REASON_TOO_LONG,            /* a message longer than max_message_bytes; aborted */
};

/* RFC 3758, 7496: when a message may be given up. */
enum sctp_reliability {
    SCTP_RELIABLE,
    SCTP_RETRANSMITS,                /* after `limit` retransmissions */
    SCTP_LIFETIME,                   /* `limit` milliseconds after sctp_send */
};

struct sctp_info {
    enum sctp_state state;
    uint16_t streams_in;             /* negotiated; 0 before ESTABLISHED */
    uint16_t streams_out;
    uint32_t mtu;
    uint32_t cwnd_bytes;
    uint32_t ssthresh_bytes;
    uint32_t flight_bytes;
    uint32_t peer_window_bytes;
    uint32_t srtt_us;
    uint32_t rto_us;
    uint64_t buffered_bytes;         /* sent by the application, not acknowledged yet */
    uint64_t held_bytes;             /* received, not taken by the application yet */
    uint64_t memory_bytes;           /* of the association in all */
    uint64_t retransmits;
};
