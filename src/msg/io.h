/* msg/io.h - all that the transport actor can be told. */
#pragma once

#include "base/types.h"
#include "msg/events.h"

#define IO_MESSAGES(X)                                              \
    /* name        from      payload                             */ \
    X(SEND,        CONTROL,  struct io_send)                        \
    X(CREDIT,      CONTROL,  struct io_credit)                      \
    X(SESSION,     CONTROL,  struct io_session)                     \
    X(CLOSE,       CONTROL,  struct io_close)                       \
    X(HEALTH,      MAIN,     struct io_health)                      \
    X(CERTIFICATE, MAIN,     struct io_certificate)                 \
    X(EVENTS_WANTED, EVENTS, struct events_wanted)            \
    X(LINES,       LOG,      struct io_lines)                 \
    X(BROKER_TEXT,  BROKER,  struct io_broker_text)           \
    X(BROKER_TAKEN, BROKER,  struct io_broker_taken)          \
    X(BROKER_STATE, BROKER,  struct io_broker_state)          \
    X(QUERY,       CONTROL,  struct io_query)

enum io_message {
    IO_NONE,
#define X(name, from, payload) IO_##name,
    IO_MESSAGES(X)
#undef X
};

/* One text to one client; `size` bytes follow. Replies count against the request's credit, events against the cap of
 * design rule 3 (4 MiB or 2,000 queued: the client is closed). */
struct io_send {
    struct ref client;
    bool event;
    uint16_t error;                 /* the code of an error reply, 0: it is none */
    uint32_t tag;                   /* of the request that it answers (msg/control.h); an event: 0 */
    uint32_t size;                  /* last, so that the text begins at sizeof(struct io_send) */
    char text[];
};

/* The request that one credit was held for has been answered in full. */
struct io_credit {
    struct ref client;
};

/* A queue of events (IO_QUEUE_BIT in its name) has become the owner of a session, or is so no more. It comes before the reply
 * to the request that made it so. */
struct io_session {
    struct ref owner;
    int64_t session_id;
    bool over;
};

/* In the slot of the name of an owner that is not a connection: HTTP has requests of many connections and polls of others for
 * one session, so its events go to a queue. */
#define IO_QUEUE_BIT 0x80000000u

/* `query_transport` of the Admin API (transports.md 1.6). The answer, with the message's op, is CONTROL_ADMIN_ANSWER and a struct
 * io_answer. */
struct io_query {
    uint8_t transport;              /* enum transport_kind */
    bool configure;                 /* false: who is connected */
    bool events;                    /* configure: event handlers shall hear of it */
    bool sets_layout;
    uint8_t layout;                 /* enum json_layout */
};

struct io_answer {
    uint8_t transport;
    uint32_t connections;           /* of both APIs */
    bool runs[4];                   /* HTTP: http, https, and of the Admin API */
    uint32_t of_server[4];
    uint32_t messages;              /* HTTP: requests that wait for their answer */
};

struct io_close {
    struct ref client;
};

/* As the watchdog sees it, about once a second. */
struct io_health {
    bool alive;                     /* every actor ends its turns */
    char stuck[16];                 /* who does not */
};

/* The answer to LOG_TAIL, with its op: JSON (helpers/log_ring.h). */
struct io_lines {
    uint32_t size;                  /* last, so that the text begins at sizeof(struct io_lines) */
    char text[];
};

/* A new certificate for the listeners of one configuration file. Four texts follow: certificate, key, password, ciphers; the last
 * two end with NUL, or are empty. Connections that are open keep the old one. */
struct io_certificate {
    bool http;                      /* else WebSockets */
    uint32_t cert_size, key_size, password_size, ciphers_size;
};

/* From the actor of a message broker (msg/broker.h): a request; `size` bytes of text follow. It is answered by BROKER_SEND with its tag,
 * once, and once it has been read by BROKER_READ. */
struct io_broker_text {
    uint8_t transport;              /* enum transport_kind (msg/control.h); likewise below */
    bool admin;
    uint32_t tag;                   /* not 0 */
    uint32_t size;
    char text[];
};

/* So many texts, with so many bytes, wait no more: the library has them, or they were given up. */
struct io_broker_taken {
    uint8_t transport;
    uint32_t count;
    uint32_t bytes;
};

struct io_broker_state {
    uint8_t transport;
    bool up;
};
