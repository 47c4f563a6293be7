#include "client/wire.h"

#include "base/str.h"

void wire_open(struct wire *wire, struct rng *rng, const char *host, const char *path, const char *protocol, struct buf *out)
{
    *wire = (struct wire){.rng = rng, .protocol = protocol};
    buf_init(&wire->head, HTTP_HEAD_BYTES_MAX);
    ws_init(&wire->ws, WS_CLIENT, WIRE_TEXT_MAX);
    rng_bytes(rng, wire->key, sizeof(wire->key));
    ws_request_write(out, host, path, protocol, wire->key);
}

void wire_fini(struct wire *wire)
{
    buf_fini(&wire->head);
    ws_fini(&wire->ws);
}

static bool end(struct wire *wire, uint16_t code, struct wire_event *event)
{
    wire->over = true;
    *event = (struct wire_event){.kind = WIRE_CLOSED, .code = code};
    return true;
}

/* Takes the answer's head off the input. */
static bool read_head(struct wire *wire, struct ws_input *input, struct wire_event *event)
{
    struct http_response response;
    size_t used = 0;
    enum http_result result = http_scan(&wire->scan, VIEW(input->data, input->size), &used);
    buf_add(&wire->head, input->data, used);
    input->data += used;
    input->size -= used;
    if (result == HTTP_MORE)
        return false;
    if (result != HTTP_DONE || !http_response_parse(&response, buf_view(&wire->head)) ||
        !ws_response_check(&response, wire->protocol, wire->key))
        return end(wire, 0, event);
    buf_fini(&wire->head);
    wire->open = true;
    *event = (struct wire_event){.kind = WIRE_OPEN};
    return true;
}

bool wire_read(struct wire *wire, struct ws_input *input, struct buf *out, struct wire_event *event)
{
    struct ws_event frame;
    if (wire->over || (!wire->open && input->size == 0))
        return false;
    if (!wire->open)
        return read_head(wire, input, event);
    while (ws_read(&wire->ws, input, &frame)) {
        switch (frame.kind) {
        case WS_TEXT:
            *event = (struct wire_event){.kind = WIRE_TEXT, .text = frame.data};
            return true;
        case WS_PING:
            ws_write(out, WS_OP_PONG, frame.data, wire->rng);
            break;
        case WS_BINARY:
        case WS_PONG:
            break;
        case WS_CLOSED:
            ws_write_close(out, WS_CODE_NORMAL, STR(""), wire->rng);
            return end(wire, frame.code, event);
        case WS_ERROR:
            ws_write_close(out, frame.code, STR(""), wire->rng);
            return end(wire, 0, event);
        }
    }
    return false;
}

void wire_text(struct wire *wire, struct view text, struct buf *out)
{
    ws_write(out, WS_OP_TEXT, text, wire->rng);
}

void wire_close(struct wire *wire, struct buf *out)
{
    ws_write_close(out, WS_CODE_NORMAL, STR(""), wire->rng);
}
