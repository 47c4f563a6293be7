/* client/door.h - one client's way into a server: a WebSocket, or HTTP with a connection for requests (pipelined, so that they keep
 * their order) and one for long polls. Owner: whoever embeds it.
 *
 *   door_open -> on_open -> door_send, on_text ... -> door_close, or on_closed when the other side goes (or never came)
 * With HTTP events come once door_poll has been told the session; both connections end together. */
#pragma once

#include "client/conn.h"

#define DOOR_ANSWER_BYTES_MAX (1024u * 1024u)

struct door;

struct door_ops {
    void (*on_open)(struct door *door, usec_t now);
    void (*on_text)(struct door *door, usec_t now, struct view text);
    void (*on_closed)(struct door *door, usec_t now);
};

/* Answers, one after another. */
struct door_http {
    struct conn conn;
    struct door *door;
    struct buf in;                  /* what has come of the next answer */
};

struct door {
    const struct door_ops *ops;
    bool http;
    struct conn ws;
    struct door_http ask, poll;
    uint64_t session;               /* that is polled for; 0: none */
    bool polling;
};

/* Before anything else. */
void door_init(struct door *door);
/* False: no descriptor, or refused at once. HTTP: `to` is another port, and the API's path is /janus. */
bool door_open(struct door *door, struct conn_set *set, const struct net_addr *to, bool http, const struct door_ops *ops);
void door_send(struct door *door, struct view text);
void door_poll(struct door *door, uint64_t session);
void door_close(struct door *door);             /* harmless when closed */
bool door_is_open(const struct door *door);
/* Its sockets, for those who disturb them; returns how many (two at most). */
uint32_t door_sockets(const struct door *door, int out[2]);
