/* client/conn.h - a connection on a loop: TCP under client/wire.h, or bytes as they are (client/door.h makes HTTP of them). Owner: whoever embeds it.
 *
 *   conn_open -> on_open -> conn_send, on_text ... -> conn_close or conn_drop, or on_closed when the other side goes (or never came)
 * All end it; on_closed is not called for an end of our own. What is sent in a turn leaves at its end. */
#pragma once

#include "base/net.h"
#include "client/loop.h"
#include "client/wire.h"

#define CONN_OUT_MAX (64u * 1024u * 1024u)

struct conn;

struct conn_ops {
    void (*on_open)(struct conn *conn, usec_t now);
    void (*on_text)(struct conn *conn, usec_t now, struct view text);
    void (*on_closed)(struct conn *conn, usec_t now);
};

struct conn {
    struct loop_source source;      /* fd -1: closed */
    struct loop *loop;
    const struct conn_ops *ops;
    struct list unsent;             /* in the set's list while there is something to write */
    struct conn_set *set;
    struct wire wire;
    struct buf out;
    size_t out_at;                  /* what is written already */
    bool raw;                       /* no WebSocket */
    bool connecting;
    bool blocked;                   /* the socket is full: wait for EPOLLOUT */
};

/* What all connections of a loop share. */
struct conn_set {
    struct loop *loop;
    struct rng *rng;
    struct loop_hook hook;
    struct list unsent;
};

void conn_set_init(struct conn_set *set, struct loop *loop, struct rng *rng);
void conn_set_fini(struct conn_set *set);

/* False: no descriptor, or refused at once (errno). `protocol` is a static text; NULL: no WebSocket, what is sent goes out as it is and
 * on_text gets the bytes as they come. */
bool conn_open(struct conn *conn, struct conn_set *set, const struct net_addr *to, const char *protocol, const struct conn_ops *ops);
void conn_send(struct conn *conn, struct view text);
void conn_close(struct conn *conn);         /* with a close frame if the socket takes it; harmless when closed */
void conn_drop(struct conn *conn);          /* without a word, as when a process is killed or a network is gone; the same */
bool conn_is_open(const struct conn *conn);
