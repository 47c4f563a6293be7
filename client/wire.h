/* client/wire.h - the client's end of a WebSocket connection as bytes: the opening handshake, then frames (RFC 6455). Pure:
 * what it wants to send is appended to the caller's buffer. Owner: one connection.
 *
 *   wire_open       the request is in `out`
 *   while (wire_read(&wire, &input, out, &event)) ...      one event a call; false: the input is used up
 *   wire_text       any time after WIRE_OPEN
 *   wire_fini */
#pragma once

#include "proto/http/http.h"
#include "proto/ws/handshake.h"
#include "proto/ws/ws.h"

#define WIRE_TEXT_MAX (64u * 1024u * 1024u)     /* of one message from the server */

enum wire_event_kind {
    WIRE_OPEN,
    WIRE_TEXT,              /* `text` is valid until the next call */
    WIRE_CLOSED,            /* `code`: what the other side said, or 0: it broke the protocol */
};

struct wire_event {
    enum wire_event_kind kind;
    uint16_t code;
    struct view text;
};

struct wire {
    struct rng *rng;
    const char *protocol;
    bool open;
    bool over;
    uint8_t key[WS_KEY_BYTES];
    struct http_scan scan;
    struct buf head;        /* of the server's answer, as far as it has come */
    struct ws ws;
};

/* `host` as in the Host field; `protocol` is the subprotocol (a static text). */
void wire_open(struct wire *wire, struct rng *rng, const char *host, const char *path, const char *protocol, struct buf *out);
void wire_fini(struct wire *wire);
bool wire_read(struct wire *wire, struct ws_input *input, struct buf *out, struct wire_event *event);
void wire_text(struct wire *wire, struct view text, struct buf *out);
void wire_close(struct wire *wire, struct buf *out);
