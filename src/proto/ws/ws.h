/* proto/ws/ws.h - WebSocket frames (RFC 6455 section 5), both sides. No extension is ever negotiated.
 * Owner: one connection. Pure. Holds no memory while no message is partial: a message that stands whole in the input is
 * handed out where it stands.
 *
 *   ws_init; then for all that comes from the peer:
 *   while (ws_read(&ws, &input, &event)) ...      one event per call; false: the input is used up
 *   ws_fini
 *
 * Frames are written by ws_write_* into the caller's buffer, or by ws_head in front of a payload that lies elsewhere. */
#pragma once

#include "base/buf.h"
#include "base/rng.h"

#define WS_HEAD_MAX         14u      /* two bytes, eight of length, four of mask */
#define WS_CONTROL_MAX      125u     /* RFC 6455 5.5 */
#define WS_FRAGMENTS_MAX    1024u    /* frames of one message: past it 1009 */

enum ws_opcode {                     /* RFC 6455 5.2 */
    WS_OP_MORE = 0x0,
    WS_OP_TEXT = 0x1,
    WS_OP_BINARY = 0x2,
    WS_OP_CLOSE = 0x8,
    WS_OP_PING = 0x9,
    WS_OP_PONG = 0xA,
};

enum ws_code {                       /* RFC 6455 7.4.1 */
    WS_CODE_NORMAL = 1000,
    WS_CODE_GOING_AWAY = 1001,
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_NONE = 1005,             /* never on the wire: a close without a code */
    WS_CODE_NOT_UTF8 = 1007,
    WS_CODE_POLICY = 1008,
    WS_CODE_TOO_BIG = 1009,
};

enum ws_side { WS_SERVER, WS_CLIENT };

struct ws {
    struct buf text;                 /* the message so far, when it doesn't stand whole in one input */
    uint64_t left;                   /* payload bytes of the frame in hand that are still to come */
    uint32_t message_size;           /* of `text`: what belongs to earlier frames; a control frame's payload follows it */
    uint16_t fragments;              /* frames of the message so far; 0: none is open */
    uint8_t side;                    /* enum ws_side: whom we are */
    uint8_t opcode;                  /* of the frame in hand */
    uint8_t message_opcode;          /* of the message in hand */
    bool final;                      /* of the frame in hand */
    bool in_payload;
    bool over;                       /* a close or an error was reported: nothing more is read */
    uint8_t head_size;               /* bytes of `head` so far */
    uint8_t head[WS_HEAD_MAX];
    uint8_t mask[4];                 /* turned to where the next payload byte needs it */
};

enum ws_event_kind {
    WS_TEXT,                         /* a whole message; UTF-8 was checked */
    WS_BINARY,
    WS_PING,
    WS_PONG,
    WS_CLOSED,                       /* `code` (WS_CODE_NONE when there was none), the reason in `data` */
    WS_ERROR,                        /* the peer broke a rule: send a close with `code` */
};

struct ws_event {
    enum ws_event_kind kind;
    uint16_t code;
    struct view data;                /* valid until the next call, which also frees it; may lie in the input */
};

/* Bytes that are changed where they stand: the mask is taken off. */
struct ws_input {
    uint8_t *data;
    size_t size;
};

/* Messages above `limit` are refused by 1009, before memory is taken for them. */
void ws_init(struct ws *ws, enum ws_side side, uint32_t limit);
void ws_fini(struct ws *ws);
void ws_stop(struct ws *ws);                     /* nothing more is read; what was there of a message is forgotten */
bool ws_read(struct ws *ws, struct ws_input *input, struct ws_event *event);
bool ws_is_partial(const struct ws *ws);         /* inside a frame, or between the fragments of a message */

/* The head of an unfragmented frame. `mask`: four bytes (clients), or NULL (servers). Returns its size. */
size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_opcode opcode, bool final, uint64_t size, const uint8_t *mask);
/* Masks or unmasks in place, and turns the mask so that the next part of the same payload can follow. */
void ws_mask(uint8_t *data, size_t size, uint8_t mask[4]);

/* Whole frames. `rng` draws the mask of a client's frame; NULL for a server's. */
void ws_write(struct buf *out, enum ws_opcode opcode, struct view payload, struct rng *rng);
/* WS_CODE_NONE: an empty payload. A reason that doesn't fit is left out. */
void ws_write_close(struct buf *out, unsigned code, struct view reason, struct rng *rng);
