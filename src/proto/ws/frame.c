/* Reading frames. Every rule that the head can break is checked before any payload is taken:
 *
 *   FIN RSV(3) opcode(4) | MASK length(7) | length 16 or 64 | mask 32 | payload
 *
 * A payload goes to `text` only when it doesn't stand whole in the input. A control frame may come between the fragments of
 * a message: its payload is then kept behind the message's bytes, and dropped when it has been handed out. */
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/str.h"
#include "proto/ws/ws.h"

void ws_init(struct ws *ws, enum ws_side side, uint32_t limit)
{
    *ws = (struct ws){.side = (uint8_t)side};
    buf_init(&ws->text, (size_t)limit + WS_CONTROL_MAX);
}

void ws_fini(struct ws *ws)
{
    buf_fini(&ws->text);
}

void ws_stop(struct ws *ws)
{
    ws->over = true;
    buf_fini(&ws->text);
}

bool ws_is_partial(const struct ws *ws)
{
    return ws->head_size > 0 || ws->in_payload || ws->fragments > 0;
}

static bool is_control(uint8_t opcode)
{
    return (opcode & 0x8) != 0;
}

static bool fail(struct ws *ws, struct ws_event *event, unsigned code)
{
    ws_stop(ws);
    *event = (struct ws_event){.kind = WS_ERROR, .code = (uint16_t)code};
    return true;
}

/* The first two bytes alone: 0, or the code of the refusal. */
static unsigned check_start(const struct ws *ws)
{
    uint8_t b0 = ws->head[0], b1 = ws->head[1];
    bool final = (b0 & 0x80) != 0, masked = (b1 & 0x80) != 0;
    uint8_t opcode = b0 & 0x0F;
    if ((b0 & 0x70) != 0)
        return WS_CODE_PROTOCOL;                                 /* reserved bits (5.2) */
    if (masked != (ws->side == WS_SERVER))
        return WS_CODE_PROTOCOL;                                 /* clients mask, servers don't (5.1) */
    switch (opcode) {
    case WS_OP_MORE:
        return ws->fragments > 0 ? 0 : WS_CODE_PROTOCOL;         /* nothing to go on with (5.4) */
    case WS_OP_TEXT:
    case WS_OP_BINARY:
        return ws->fragments > 0 ? WS_CODE_PROTOCOL : 0;         /* the open message isn't finished (5.4) */
    case WS_OP_CLOSE:
    case WS_OP_PING:
    case WS_OP_PONG:
        return final && (b1 & 0x7F) <= WS_CONTROL_MAX ? 0 : WS_CODE_PROTOCOL;      /* 5.5 */
    default:
        return WS_CODE_PROTOCOL;
    }
}

static size_t head_need(const struct ws *ws)
{
    if (ws->head_size < 2)
        return 2;
    uint8_t length = ws->head[1] & 0x7F;
    return 2u + (length == 126 ? 2u : length == 127 ? 8u : 0u) + ((ws->head[1] & 0x80) != 0 ? 4u : 0u);
}

/* The whole head is there: length and mask. 0, or the code of the refusal. */
static unsigned open_frame(struct ws *ws)
{
    struct reader r = reader_of(VIEW(ws->head, ws->head_size));
    uint8_t b0 = read_u8(&r), b1 = read_u8(&r);
    uint64_t length = b1 & 0x7F;
    if (length == 126) {
        length = read_u16(&r);
        if (length < 126)
            return WS_CODE_PROTOCOL;                             /* not the shortest form (5.2) */
    } else if (length == 127) {
        length = read_u64(&r);
        if (length <= UINT16_MAX || length > INT64_MAX)
            return WS_CODE_PROTOCOL;
    }
    ws->final = (b0 & 0x80) != 0;
    ws->opcode = b0 & 0x0F;
    memset(ws->mask, 0, sizeof(ws->mask));
    if ((b1 & 0x80) != 0)
        read_copy(&r, ws->mask, sizeof(ws->mask));
    CHECK(!reader_failed(&r));
    if (!is_control(ws->opcode)) {
        size_t limit = ws->text.limit - WS_CONTROL_MAX;
        if (length > limit - ws->message_size || ws->fragments == WS_FRAGMENTS_MAX)
            return WS_CODE_TOO_BIG;
        ws->fragments++;
        if (ws->opcode != WS_OP_MORE)
            ws->message_opcode = ws->opcode;
    }
    ws->left = length;
    ws->in_payload = true;
    ws->head_size = 0;
    return 0;
}

/* Takes head bytes. True: the payload is next, or *code says why not. */
static bool read_head(struct ws *ws, struct ws_input *input, unsigned *code)
{
    while (ws->head_size < head_need(ws)) {
        if (input->size == 0)
            return false;
        ws->head[ws->head_size++] = *input->data++;
        input->size--;
        if (ws->head_size == 2 && (*code = check_start(ws)) != 0)
            return true;
    }
    *code = open_frame(ws);
    return true;
}

static bool is_close_code(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);   /* 7.4 */
}

static bool on_close(struct ws *ws, struct view payload, struct ws_event *event)
{
    struct reader r = reader_of(payload);
    *event = (struct ws_event){.kind = WS_CLOSED, .code = WS_CODE_NONE};
    if (payload.size > 0) {
        event->code = read_u16(&r);
        event->data = read_view(&r, reader_left(&r));
        if (reader_failed(&r) || !is_close_code(event->code))
            return fail(ws, event, WS_CODE_PROTOCOL);
        if (!utf8_is_valid(event->data))
            return fail(ws, event, WS_CODE_NOT_UTF8);
    }
    ws->over = true;
    return true;
}

/* A frame is complete; its payload, or the whole message when it ends one, is `data`. False: nothing to report yet. */
static bool on_frame(struct ws *ws, struct view data, struct ws_event *event)
{
    ws->in_payload = false;
    if (ws->opcode == WS_OP_CLOSE)
        return on_close(ws, data, event);
    if (is_control(ws->opcode)) {
        *event = (struct ws_event){.kind = ws->opcode == WS_OP_PING ? WS_PING : WS_PONG, .data = data};
        return true;
    }
    if (!ws->final) {
        ws->message_size = (uint32_t)ws->text.size;
        return false;
    }
    ws->fragments = 0;
    ws->message_size = 0;
    /* Fragments may be cut inside a character, so the text is checked as a whole (5.6, 8.1). */
    if (ws->message_opcode == WS_OP_TEXT && !utf8_is_valid(data))
        return fail(ws, event, WS_CODE_NOT_UTF8);
    *event = (struct ws_event){.kind = ws->message_opcode == WS_OP_TEXT ? WS_TEXT : WS_BINARY, .data = data};
    return true;
}

/* Takes payload bytes. True: the frame is complete, and `data` is what on_frame wants. */
static bool read_payload(struct ws *ws, struct ws_input *input, struct view *data)
{
    size_t size = input->size < ws->left ? input->size : (size_t)ws->left;
    uint8_t *at = input->data;
    ws_mask(at, size, ws->mask);
    input->data += size;
    input->size -= size;
    ws->left -= size;
    size_t before = is_control(ws->opcode) ? ws->message_size : 0;
    bool whole = ws->left == 0 && ws->text.size == before && (is_control(ws->opcode) || ws->final);
    if (whole) {
        *data = VIEW(at, size);
        return true;
    }
    buf_add(&ws->text, at, size);
    CHECK(!ws->text.failed);         /* open_frame has refused what doesn't fit */
    *data = VIEW(size == 0 && ws->text.size == before ? NULL : ws->text.data + before, ws->text.size - before);
    return ws->left == 0;
}

/* Forgets what the last event showed: a control frame's payload, or a finished message. */
static void drop_shown(struct ws *ws)
{
    if (ws->in_payload)
        return;
    if (ws->fragments == 0 && ws->text.data != NULL)
        buf_fini(&ws->text);
    else
        ws->text.size = ws->message_size;
}

bool ws_read(struct ws *ws, struct ws_input *input, struct ws_event *event)
{
    drop_shown(ws);
    while (!ws->over) {
        unsigned code = 0;
        struct view data;
        if (!ws->in_payload) {
            if (!read_head(ws, input, &code))
                return false;
            if (code != 0)
                return fail(ws, event, code);
        }
        if (input->size == 0 && ws->left > 0)
            return false;
        if (read_payload(ws, input, &data) && on_frame(ws, data, event))
            return true;
    }
    input->size = 0;
    return false;
}

void ws_mask(uint8_t *data, size_t size, uint8_t mask[4])
{
    uint64_t wide;
    size_t i = 0;
    memcpy(&wide, mask, 4);
    memcpy((uint8_t *)&wide + 4, mask, 4);
    for (; i + 8 <= size; i += 8) {
        uint64_t v;
        memcpy(&v, data + i, 8);
        v ^= wide;
        memcpy(data + i, &v, 8);
    }
    for (size_t k = 0; i < size; i++, k++)
        data[i] ^= mask[k & 3];
    uint8_t turned[4];
    for (size_t k = 0; k < 4; k++)
        turned[k] = mask[(k + size) & 3];
    memcpy(mask, turned, 4);
}
