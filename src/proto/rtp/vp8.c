/* proto/rtp/vp8.c - RFC 7741 4.2:
 *
 *       0 1 2 3 4 5 6 7
 *      |X|R|N|S|R| PID |
 *   X: |I|L|T|K|  RSV  |
 *   I: |M| PictureID   |   M: 15 bits in two bytes
 *   L: |   TL0PICIDX   |
 * T/K: |TID|Y| KEYIDX  |   */
#include "proto/rtp/vp8.h"

#include "base/bytes.h"

#define KEYFRAME_PAYLOAD_MIN 16u   /* webrtc.md 15; a frame tag with start code and dimensions is 10 (RFC 6386 9.1) */

static void read_extension(struct reader *r, const uint8_t *start, struct vp8_descriptor *d)
{
    uint8_t flags = read_u8(r);
    if ((flags & 0x80) != 0) {
        d->picture_id_offset = (uint8_t)(r->at - start);
        uint8_t first = read_u8(r);
        d->picture_id_bits = (first & 0x80) != 0 ? 15 : 7;
        d->picture_id = first & 0x7F;
        if (d->picture_id_bits == 15)
            d->picture_id = (uint16_t)(d->picture_id << 8 | read_u8(r));
    }
    if ((flags & 0x40) != 0) {
        d->has_tl0picidx = true;
        d->tl0picidx_offset = (uint8_t)(r->at - start);
        d->tl0picidx = read_u8(r);
    }
    if ((flags & 0x30) != 0) {
        uint8_t v = read_u8(r);
        d->has_tid = (flags & 0x20) != 0;
        d->has_keyidx = (flags & 0x10) != 0;
        d->tid = d->has_tid ? v >> 6 : 0;
        d->layer_sync = d->has_tid && (v & 0x20) != 0;
        d->keyidx = d->has_keyidx ? v & 0x1F : 0;
    }
}

bool vp8_parse(struct vp8_descriptor *out, struct view payload)
{
    struct reader r = reader_of(payload);
    uint8_t first = read_u8(&r);
    struct vp8_descriptor d = {
        .non_reference = (first & 0x20) != 0,
        .start = (first & 0x10) != 0,
        .partition = first & 0x07,
    };
    if ((first & 0x80) != 0)
        read_extension(&r, payload.data, &d);
    if (reader_failed(&r))
        return false;
    d.size = (uint8_t)(r.at - payload.data);
    d.keyframe = d.start && d.partition == 0 && payload.size >= KEYFRAME_PAYLOAD_MIN && (payload.data[d.size] & 0x01) == 0;
    *out = d;
    return true;
}

bool vp8_is_keyframe(struct view payload)
{
    struct vp8_descriptor d;
    return vp8_parse(&d, payload) && d.keyframe;
}

void vp8_rewrite(uint8_t *payload, const struct vp8_descriptor *descriptor, uint16_t picture_id, uint8_t tl0picidx)
{
    if (descriptor->picture_id_bits == 15)
        put_u16(payload + descriptor->picture_id_offset, picture_id | 0x8000u);
    else if (descriptor->picture_id_bits == 7)
        payload[descriptor->picture_id_offset] = picture_id & 0x7F;
    if (descriptor->has_tl0picidx)
        payload[descriptor->tl0picidx_offset] = tl0picidx;
}
