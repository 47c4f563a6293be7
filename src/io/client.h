/* io/client.h - one client connection, from its first byte to its last, without a socket: TLS, HTTP head, static files or
 * WebSocket, credits, deadlines. The io actor gives it bytes and writes what it has; the simulator and the tests do the same.
 * Owner: io. Memory is held only while something is partial, queued or held back.
 *
 *   client_open
 *   client_feed(bytes), or client_resume; then while (client_next(&text)) { text goes to control: one credit is taken }
 *   client_send, client_credit, client_close          what control has for it
 *   while (client_output(parts)) { write; client_sent }
 *   client_timeout at client_deadline
 *   client_fini once client_is_dead; what control shall be told is client_is_gone
 *
 *   HTTP ----101----> WEBSOCKET ---\
 *     \------ refusal, EOF, close --> CLOSING (what is queued leaves, the peer may answer) --> DEAD
 *
 * Where whole texts come and go one by one (packets: Unix sockets, brokers) there is neither: PACKETS until CLOSING. What is fed is
 * one text; what client_output gives is one text, with its tag in front if it has one, and client_sent takes all of it. */
#pragma once

#include "base/json_out.h"
#include "base/net.h"
#include "base/pool.h"
#include "base/timerq.h"
#include "io/outq.h"
#include "io/eventq.h"
#include "io/site.h"
#include "msg/io.h"
#include "proto/http/http.h"
#include "proto/tls/tls.h"
#include "proto/ws/ws.h"

/* Why a client has gone: each ends by exactly one of these, and is counted by it. */
#define CLIENT_ENDS(X)                                                                               \
    X(PEER)              /* it closed, or its connection broke */                                    \
    X(ASKED)             /* control or shutdown closed it */                                         \
    X(SERVED)            /* HTTP: answered, and no further request wanted */                         \
    X(BAD_HTTP)          /* a request that is refused (traps.md, Client connections) */              \
    X(BAD_HANDSHAKE)     /* 400 or 426 */                                                            \
    X(NO_SUBPROTOCOL)                                                                                \
    X(NOT_IN_ACL)                                                                                    \
    X(WRONG_ORIGIN)                                                                                  \
    X(BROKE_FRAMES)      /* 1002 */                                                                  \
    X(NOT_UTF8)          /* 1007 */                                                                  \
    X(TOO_BIG)           /* 1009 */                                                                  \
    X(TLS_FAILED)                                                                                    \
    X(NO_REQUEST)        /* handshake, head or keep-alive deadline */                                \
    X(PARTIAL)           /* a message that wasn't finished in time */                                \
    X(NO_PONG)                                                                                       \
    X(STALLED)           /* it took nothing of its output for too long */                            \
    X(EVENTS_PILED)      /* IO_EVENT_BYTES_MAX, IO_EVENTS_MAX */                                     \
    X(REPLIES_PILED)     /* IO_REPLY_BYTES_MAX */                                                    \
    X(PARTIALS_PILED)    /* IO_PARTIAL_BYTES_MAX, of all clients */                                  \
    X(NO_ROOM)           /* a pool was full */

enum client_end {
    CLIENT_LIVES,
#define X(name) CLIENT_END_##name,
    CLIENT_ENDS(X)
#undef X
    CLIENT_END_COUNT,
};
const char *client_end_name(enum client_end end);

enum client_state { CLIENT_HTTP, CLIENT_WEBSOCKET, CLIENT_PACKETS, CLIENT_CLOSING, CLIENT_DEAD };

struct http_config;

/* How packets travel; the shell's `packets_read` and `packets_write` know. */
enum packets_way { PACKETS_SOCKET, PACKETS_DATAGRAM, PACKETS_BROKER, PACKETS_NANOMSG };

struct packets_origin {
    uint8_t way;                     /* enum packets_way */
    uint8_t transport;               /* enum transport_kind */
    enum json_layout layout;
    const char *package;             /* as event handlers are told of it, if `events` */
    bool events;
    bool lasting;                    /* nobody at the other end to give up: what can't wait any more is dropped instead */
    bool tagged;                     /* texts go out with their tag in front */
};

/* What a listener says about the clients that came through it. Lives as long as they do. */
struct client_origin {
    uint8_t api;                     /* enum client_api (msg/control.h) */
    const char *subprotocol;
    const struct http_config *http;  /* the API is spoken in HTTP requests; NULL: in a WebSocket */
    const char *acl;                 /* NULL: everybody; unix sockets are never asked */
    bool acl_forwarded;
    struct tls_shared *tls;          /* NULL: none */
    const struct packets_origin *packets;   /* NULL: a stream of HTTP or of a WebSocket */
};

struct client_rules {
    enum json_layout layout;
    uint32_t text_bytes_max;
    usec_t ping_trigger_us;
    usec_t ping_timeout_us;
    const char *allow_origin;
    bool enforce_cors;
    uint32_t partial_bytes_max;      /* of all clients; 0: IO_PARTIAL_BYTES_MAX */
    uint32_t queued_bytes_max;       /* 0: IO_QUEUED_BYTES_MAX */
    const char *admin_secret;        /* NULL: none is asked for; likewise below (client_monitor.c) */
    const char *metrics_token;       /* NULL: numbers are for this machine only */
};

struct client_counters {
    uint64_t opened;
    uint64_t websockets;             /* handshakes that were answered 101 */
    uint64_t http_requests;
    uint64_t texts;                  /* handed to control */
    uint64_t sent_texts;             /* replies and events taken from control */
    uint64_t paused;                 /* times that input was held back for want of credits */
    uint64_t sent_to_gone;           /* texts for clients that are closing */
    uint64_t stray_credits;          /* given back by control, but not held: a mistake of ours */
    uint64_t dropped_replies;        /* of lasting clients: more than may wait */
    uint64_t dropped_events;
    uint64_t too_long;               /* texts that no packet can hold */
    uint64_t unauthorized;           /* for what is shown beside the Admin API */
    uint64_t ended[CLIENT_END_COUNT];
};

/* What all clients of an actor share. Scratch memory is here: a client owns none of it between calls. */
struct clients {
    struct client_rules rules;
    const struct site *site;         /* NULL: no web folder */
    uint64_t wall_s;                 /* for Date; kept up to date by the shell */
    struct pool http_pool;
    struct pool tls_pool;
    struct eventqs events;           /* of sessions that are driven over HTTP */
    struct rng rng;                  /* for transactions of requests that the server makes itself */
    struct list asking;              /* clients whose GET the shell is to answer: client_asking, client_want, client_show */
    struct io_health health;         /* as main said last; the shell keeps both up to date */
    usec_t health_at;                /* 0: not yet */
    size_t partial_bytes;            /* memory in messages that aren't whole */
    size_t queued_bytes;             /* replies and events that wait to be written */
    struct client_counters counters;
    struct ws_input raw;             /* what client_feed got and isn't used yet */
    struct ws_input clear;           /* the same without TLS; of `resumed` when that is set */
    uint8_t *resumed;
    uint8_t decrypted[TLS_WRITE_MAX];
    uint8_t *gather;                 /* IO_GATHER_BYTES */
};

struct client_http;

/* What an HTTP request says beside its text (msg/control.h). */
struct client_ask {
    struct ref queue;                /* the shell's: made for this request, in case that it creates a session; REF_NONE: none */
    int64_t session_id, handle_id;
    uint8_t path_ids;
    bool is_poll;                    /* its text is a keepalive: the poll begins when that has been answered */
};

struct client {
    struct ref ref;                  /* the shell's; so are fd, through, tag, watched, turn and announced */
    int fd;                          /* -1: it has no socket of its own */
    void *through;                   /* what it is written through then */
    uint32_t tag;                    /* of the text that is being fed */
    uint32_t watched;
    struct list turn;
    const struct client_origin *origin;
    struct timer timer;
    struct net_addr addr;
    uint8_t state;                   /* enum client_state */
    uint8_t end;                     /* enum client_end */
    bool announced;                  /* control knows of it */
    bool gone_told;
    bool opened_told;                /* event handlers know of it; */
    uint16_t requests;               /* of HTTP so far, */
    uint16_t requests_told;          /* and as far as they know */
    bool output_ended;               /* the peer has been told that no more comes */
    bool input_ended;                /* the peer has closed its side; what is queued may still leave */
    bool ping_sent;
    bool linger;                     /* CLOSING: give the peer time to close first */
    bool drained;                    /* CLOSING: everything has left */
    bool tls_closed;
    uint8_t credits_used;
    uint32_t request_bytes;          /* of the texts that control still has, about */
    uint32_t partial_bytes;          /* of env->partial_bytes */
    uint32_t queued_bytes;           /* of env->queued_bytes */
    struct tls *tls;                 /* NULL: none */
    struct client_http *http;        /* CLIENT_HTTP only */
    struct client_held *held;        /* clear bytes that wait for credits */
    usec_t last_input;
    usec_t last_progress;            /* output left, or began to wait */
    usec_t phase_deadline;           /* head, partial message, close */
    struct ws ws;
    struct outq out;
};

void clients_init(struct clients *env, const struct client_rules *rules, const struct site *site, uint32_t limit,
                  void (*entropy)(void *source, uint8_t *out, size_t size), void *entropy_source);
void clients_fini(struct clients *env);

/* False: no room for it in the pools; nothing to be undone. */
bool client_open(struct clients *env, struct client *c, const struct client_origin *origin, const struct net_addr *addr, usec_t now);
void client_fini(struct clients *env, struct client *c);

/* Bytes from the socket; changed in place. Everything is used or put aside once client_next says false. */
void client_feed(struct clients *env, struct client *c, usec_t now, uint8_t *data, size_t size);
/* What was put aside, if it may go on now: true, then client_next. */
bool client_resume(struct clients *env, struct client *c, usec_t now);
/* A request text for control; valid until the next call. */
bool client_next(struct clients *env, struct client *c, usec_t now, struct view *text);
/* The socket has no more: closed by the peer in order, or broken. */
void client_input_ended(struct clients *env, struct client *c, bool broken);

/* `block`: NULL, or the memory that `text` lies in (from mem_get), the client's from now on. */
void client_send(struct clients *env, struct client *c, usec_t now, enum out_kind kind, struct view text, void *block);
/* The same, with the tag of the request that it answers, where tags go out. */
void client_send_tagged(struct clients *env, struct client *c, usec_t now, enum out_kind kind, uint32_t tag, struct view text, void *block);
/* The answer to what was asked by an HTTP request; `error`: its code, 0 when it is none. */
void client_reply(struct clients *env, struct client *c, usec_t now, struct view text, unsigned error);
/* What the shell has to answer beside the API's texts. Each is answered once, by client_show, which takes it off its list. */
enum client_want { CLIENT_WANTS_NOTHING, CLIENT_WANTS_METRICS, CLIENT_WANTS_READY, CLIENT_WANTS_LOG };
struct client *client_asking(const struct list *node);
enum client_want client_want(const struct client *c);
uint64_t client_wants_after(const struct client *c);     /* the last line that it has */
void client_show(struct clients *env, struct client *c, usec_t now, unsigned status, const char *type, struct view text);
void client_credit(struct clients *env, struct client *c);
/* Of the request that client_next has given or that control has; NULL: it came by a WebSocket, or there is none. Also of a
 * client that has gone meanwhile: what was made for its request is to be given back. */
struct client_ask *client_ask(const struct client *c);
/* An event has come for the session of `q`: whoever polls it is answered, the first with the event, the others with none. The
 * connections that were answered are put in `touched`, by their `turn`. */
void client_poll_wake(struct clients *env, struct eventq *q, usec_t now, struct list *touched);
/* Lets go of it: polls that wait go on waiting, for nothing. */
void client_poll_forget(struct eventq *q);
void client_close(struct clients *env, struct client *c, usec_t now, enum ws_code code);

/* What to write now, 0 parts: nothing. Then how much of it was taken. */
size_t client_output(struct clients *env, struct client *c, usec_t now, struct view parts[OUTQ_PARTS]);
void client_sent(struct clients *env, struct client *c, usec_t now, size_t size);

usec_t client_deadline(const struct clients *env, const struct client *c);
void client_timeout(struct clients *env, struct client *c, usec_t now);

/* The text that client_output gave can't be sent as a packet: a reply is replaced by an error, an event is lost. */
void client_skip(struct clients *env, struct client *c, usec_t now);

bool client_wants_input(const struct client *c);     /* the socket shall be read */
bool client_wants_output(const struct client *c);
bool client_output_is_over(const struct client *c);   /* the peer can be told that no more comes */
bool client_is_asking(const struct client *c);       /* HTTP: a request of it waits for its answer */
bool client_in_handshake(const struct client *c);    /* its next bytes cost a TLS handshake */
static inline bool client_is_dead(const struct client *c)
{
    return c->state == CLIENT_DEAD;
}
static inline bool client_is_gone(const struct client *c)
{
    return c->state >= CLIENT_CLOSING;
}
