/* msg/control.h - all that the control actor can be told: requests from clients, facts from workers. */
#pragma once

#include "base/json_out.h"
#include "base/net.h"
#include "msg/disk.h"
#include "msg/dns.h"
#include "msg/events.h"
#include "peer/peer_types.h"

#define CONTROL_MESSAGES(X)                                                    \
    /* name             from     payload                                    */ \
    X(CLIENT_REQUEST,   IO,      struct client_request)                        \
    X(CLIENT_GONE,      IO,      struct client_gone)                           \
    X(PEER_UP,          WORKER,  struct peer_fact)                             \
    X(PEER_HANGUP,      WORKER,  struct peer_hangup_fact)                      \
    X(PEER_CLOSED,      WORKER,  struct peer_fact)                             \
    X(PEER_ICE_FAILED,  WORKER,  struct peer_fact)                             \
    X(PEER_MEDIA,       WORKER,  struct peer_media_fact)                       \
    X(PEER_SLOWLINK,    WORKER,  struct peer_slowlink_fact)                    \
    X(SINK_LAYER,       WORKER,  struct sink_layer_fact)                       \
    X(SOURCE_LEVEL,     WORKER,  struct source_level_fact)                     \
    X(WORKER_SRFLX,     WORKER,  struct worker_srflx_fact)                     \
    X(DISK_DONE,        DISK,    struct disk_done)                             \
    X(PLAIN_OPENED,     WORKER,  struct plain_opened_fact)                     \
    X(NAME_FOUND,       DNS,     struct dns_answer)                             \
    X(PEER_DATA_UP,     WORKER,  struct peer_fact)                             \
    X(PEER_DATA,        WORKER,  struct data_packet)                           \
    X(PEER_DATA_TAKEN,  WORKER,  struct peer_data_taken_fact)                  \
    X(MEMORY,           MAIN,    struct memory_state)                           \
    X(DRAIN,            MAIN,    struct drain_order)                            \
    X(RECORD_DONE,      DISK,    struct record_done)                            \
    X(PEER_WEBRTC,      WORKER,  struct event_webrtc_fact)                      \
    X(PEER_STATS,       WORKER,  struct event_stats)                            \
    X(EVENTS_WANTED,    EVENTS,  struct events_wanted)                          \
    X(EVENTS_TAKEN,     EVENTS,  struct events_taken)                           \
    X(EVENTS_ANSWER,    EVENTS,  char)                                          \
    X(SIGNAL,           MAIN,    struct stop_signal)                            \
    X(COLLECTED,        WORKER,  struct peer_report)                            \
    X(ADMIN_ANSWER,     ANYBODY, char)

enum control_message {
    CONTROL_NONE,
#define X(name, from, payload) CONTROL_##name,
    CONTROL_MESSAGES(X)
#undef X
};

/* A client connection, named by io. It keeps its name for its life; sessions remember it as the transport that owns them. */
struct client_ref {
    struct ref ref;
};

enum client_api { CLIENT_API_JANUS, CLIENT_API_ADMIN };

/* One whole request text (WebSocket: possibly several JSON documents in a row). `size` bytes of text follow the struct.
 * The client holds one credit for it until control has sent exactly one IO_CREDIT for it (msg/io.h). */
struct client_request {
    struct ref client;              /* gets the reply */
    struct ref owner;               /* owns the sessions that it creates or claims: a queue of events (msg/io.h, SESSION);
                                       REF_NONE: the client itself */
    struct net_addr addr;           /* the other end of its connection; NET_NONE: a unix socket */
    usec_t asked_us;                /* when it was whole, by the clock of all actors; 0: nobody asks how long it took */
    int64_t session_id, handle_id;  /* HTTP: from the path; 0 when there was no number */
    uint8_t path_ids;               /* HTTP: how many of the two the path had */
    uint8_t transport;              /* enum transport_kind */
    uint8_t api;                    /* enum client_api */
    uint8_t layout;                 /* enum json_layout: how its replies are written */
    uint32_t tag;                   /* comes back with its replies (msg/io.h): io's own name of the request; 0: it has none */
    uint32_t pad;                   /* 0: the text begins at sizeof(struct client_request) */
    uint32_t size;
    char text[];
};

enum transport_kind { TRANSPORT_WEBSOCKETS, TRANSPORT_HTTP, TRANSPORT_UNIX, TRANSPORT_NANOMSG, TRANSPORT_MQTT, TRANSPORT_RABBITMQ };

struct client_gone {
    struct ref client;
};

/* Told when it changes. */
struct memory_state {
    bool is_short;
};

/* No new sessions; the others' clients are told that the server waits for them, so long at most. MAIN_DRAINED when none is left. */
struct drain_order {
    uint32_t seconds;
};

/* What made the server stop; ACTOR_STOP follows. */
struct stop_signal {
    int number;
};

struct peer_fact {
    struct peer_ref peer;
};

struct peer_hangup_fact {
    struct peer_ref peer;
    uint32_t reason;                /* enum hangup_reason */
};

struct peer_media_fact {
    struct peer_ref peer;
    uint16_t mindex;
    int8_t substream;               /* -1: the m-line has one layer */
    bool receiving;
    uint32_t seconds;               /* with receiving false and a timer above 1 s; else 0 */
};

struct peer_slowlink_fact {
    struct peer_ref peer;
    uint16_t mindex;
    bool uplink;                    /* true: what we send is lost on its way */
    uint32_t lost;
};

struct sink_layer_fact {
    struct ref sink;
    int8_t substream;               /* -1: nothing relayed yet */
    int8_t temporal;
};

/* Of what was sent by DATA_SEND: so much is done with, and may be sent anew. */
struct peer_data_taken_fact {
    struct peer_ref peer;
    uint32_t cost;
};

/* Somebody has begun to talk, or has ended. */
struct source_level_fact {
    struct ref source;
    bool talking;
    double average;                 /* of the window that shows it, in -dBov */
};

/* The reflexive address of one of a worker's sockets, as the STUN server saw it (design section 2). */
struct worker_srflx_fact {
    uint32_t worker;
    uint32_t socket;
    struct net_addr mapped;
};

/* The answer to WORKER_PLAIN_OPEN, with its op. */
struct plain_opened_fact {
    struct ref plain;
    uint32_t worker;
    uint8_t error;                  /* enum err; not ERR_NONE: there is no such socket, and nothing is left of it */
    struct net_addr local;          /* what was bound */
};
