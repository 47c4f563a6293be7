/* Writing frames. */
#include <string.h>

#include "base/bytes.h"
#include "proto/ws/ws.h"

size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_opcode opcode, bool final, uint64_t size, const uint8_t *mask)
{
    struct writer w = writer_of(out, WS_HEAD_MAX);
    uint8_t masked = mask != NULL ? 0x80 : 0;
    write_u8(&w, (uint8_t)((final ? 0x80 : 0) | opcode));
    if (size < 126) {
        write_u8(&w, (uint8_t)(masked | size));
    } else if (size <= UINT16_MAX) {
        write_u8(&w, masked | 126);
        write_u16(&w, (uint16_t)size);
    } else {
        write_u8(&w, masked | 127);
        write_u64(&w, size);
    }
    if (mask != NULL)
        write_bytes(&w, mask, 4);
    return writer_size(&w);
}

void ws_write(struct buf *out, enum ws_opcode opcode, struct view payload, struct rng *rng)
{
    uint8_t head[WS_HEAD_MAX], mask[4];
    if (rng != NULL)
        rng_bytes(rng, mask, sizeof(mask));
    buf_add(out, head, ws_head(head, opcode, true, payload.size, rng != NULL ? mask : NULL));
    size_t at = out->size;
    buf_add_view(out, payload);
    if (rng != NULL && !out->failed && payload.size > 0)
        ws_mask(out->data + at, payload.size, mask);
}

void ws_write_close(struct buf *out, unsigned code, struct view reason, struct rng *rng)
{
    uint8_t payload[WS_CONTROL_MAX];
    struct writer w = writer_of(payload, sizeof(payload));
    if (code != WS_CODE_NONE) {
        write_u16(&w, (uint16_t)code);
        if (reason.size <= writer_left(&w))
            write_bytes(&w, reason.data, reason.size);
    }
    ws_write(out, WS_OP_CLOSE, VIEW(payload, writer_size(&w)), rng);
}
