/* msg/events.h - all that the events actor can be told (event-handlers.md 2, 3). It exists only when an event handler is enabled;
 * who has something to tell looks at the mask first, so that nothing is produced for nobody.
 *
 * Nobody waits: control keeps EVENTS_WINDOW of notices unread and drops beyond it (the events actor says CONTROL_EVENTS_TAKEN); io and
 * workers use MEDIA lanes, which drop and count when they are full. The order of one sender's notices is kept. */
#pragma once

#include "msg/dns.h"
#include "peer/peer_types.h"

#define EVENTS_MESSAGES(X)                                             \
    /* name        from           payload                         */ \
    X(NOTICE,      CONTROL,       struct event_notice)                 \
    X(PEER,        CONTROL,       struct event_peer)                   \
    X(PEER_GONE,   CONTROL,       struct event_peer_gone)              \
    X(WEBRTC,      CONTROL,       struct event_webrtc_fact)            \
    X(STATS,       CONTROL,       struct event_stats)                  \
    X(QUERY,       CONTROL,       struct event_query)                  \
    X(ADDRESSES,   DNS,           struct dns_answer)                   \
    X(SHELL,       ANYBODY,       char)

enum events_message {
    EVENTS_NONE,
#define X(name, from, payload) EVENTS_##name,
    EVENTS_MESSAGES(X)
#undef X
};

/* Bits of a handler's mask, and `type` of every event (event-handlers.md 2.1). */
enum event_type {
    EVENT_SESSION = 1,
    EVENT_HANDLE = 2,
    EVENT_EXTERNAL = 4,
    EVENT_JSEP = 8,
    EVENT_WEBRTC = 16,
    EVENT_MEDIA = 32,
    EVENT_PLUGIN = 64,
    EVENT_TRANSPORT = 128,
    EVENT_CORE = 256,
    EVENT_ALL = 511,
};

/* `subtype` of EVENT_WEBRTC, EVENT_MEDIA and EVENT_CORE. */
enum event_webrtc { EVENT_ICE = 1, EVENT_LOCAL_CANDIDATE, EVENT_REMOTE_CANDIDATE, EVENT_PAIR, EVENT_DTLS, EVENT_CONNECTION };
enum event_media { EVENT_MEDIA_STATE = 1, EVENT_SLOWLINK, EVENT_STATS };
enum event_core { EVENT_STATUS = 1, EVENT_SHUTDOWN };

#define EVENTS_WINDOW     (8u * 1024u * 1024u)      /* bytes of control's notices that are not read yet */
#define EVENTS_LANE_BYTES (128u * 1024u)            /* of io, and of each worker: about 300 statistics */

/* One event. `opaque_size` bytes of the handle's opaque id follow, then `size` bytes of the member `event`: compact JSON.
 * io sends it as a record of its lane. */
struct event_notice {
    uint64_t wall_us;
    int64_t session_id;             /* 0: the event has none; likewise the next */
    int64_t handle_id;
    uint16_t type;                  /* enum event_type */
    uint16_t subtype;               /* 0: none */
    uint32_t opaque_size;
    uint32_t size;
    uint32_t pad;                   /* 0: the text begins at sizeof(struct event_notice) */
    char text[];
};

/* Whose a PeerConnection is: what its statistics are told about. The opaque id follows. One message an object: never dropped. */
struct event_peer {
    struct peer_ref peer;
    int64_t session_id;
    int64_t handle_id;
    uint32_t opaque_size;
    uint32_t pad;                   /* the same */
    char opaque_id[];
};

/* `reason`: of the hangup that is told; "": none is. */
struct event_peer_gone {
    struct peer_ref peer;
    uint64_t wall_us;
    char reason[24];
};

/* ICE, DTLS and the selected pair, as the worker tells control (which passes it on, so that it stands in its place). */
struct event_webrtc_fact {
    struct peer_ref peer;
    uint8_t kind;                   /* enum event_webrtc: EVENT_ICE, EVENT_PAIR, EVENT_DTLS */
    uint8_t state;                  /* enum ice_state; enum ice_candidate_type of the remote; enum dtls_state */
    uint32_t retransmissions;
    uint64_t wall_us;
    struct net_addr local, remote;  /* EVENT_PAIR */
};

/* Statistics of one m-line and layer: a record of a worker's lane; the last ones of a PeerConnection come through control, so
 * that they stand before its end. */
struct event_stats {
    struct peer_ref peer;
    uint64_t wall_us;
    bool last;                      /* of this PeerConnection, this time */
    struct media_stats stats;
};

/* `query_eventhandler` of the Admin API. The package's name follows, then the request: JSON. The answer, with the message's op, is
 * CONTROL_EVENTS_ANSWER. */
struct event_query {
    uint32_t package_size;
    uint32_t size;
    char text[];
};

/* To control, io and workers, at start and when a handler's mask changes. */
struct events_wanted {
    uint16_t mask;                  /* of all handlers together */
};

/* To control: so many bytes of notices have been read. */
struct events_taken {
    uint32_t bytes;
};
