/* proto/rtp/vp9.c - RFC 9628 4.2:
 *
 *       0 1 2 3 4 5 6 7
 *      |I|P|L|F|B|E|V|Z|
 *   I: |M| PICTURE ID  |   M: 15 bits in two bytes
 *   L: | TID |U| SID |D|
 *      |   TL0PICIDX   |   L without F
 * P,F: |  P_DIFF   | N|   up to 3 times
 *   V: | N_S |Y|G|-|-|-| and what they announce   */
#include "proto/rtp/vp9.h"

#include "base/bytes.h"

#define P_DIFF_MAX 3u              /* RFC 9628 4.2: "up to 3 times" */

static void read_picture_id(struct reader *r, struct vp9_descriptor *d)
{
    uint8_t first = read_u8(r);
    d->picture_id_bits = (first & 0x80) != 0 ? 15 : 7;
    d->picture_id = first & 0x7F;
    if (d->picture_id_bits == 15)
        d->picture_id = (uint16_t)(d->picture_id << 8 | read_u8(r));
}

static void read_layers(struct reader *r, struct vp9_descriptor *d)
{
    uint8_t v = read_u8(r);
    d->tid = v >> 5;
    d->switching_up = (v & 0x10) != 0;
    d->sid = v >> 1 & 0x07;
    d->inter_layer = (v & 0x01) != 0;
    if (!d->flexible)
        d->tl0picidx = read_u8(r);
}

static void skip_references(struct reader *r)
{
    for (unsigned i = 0; i < P_DIFF_MAX; i++)
        if ((read_u8(r) & 0x01) == 0)
            return;
}

/* RFC 9628 4.2.1. The picture group is walked over, only its size matters here. */
static void read_structure(struct reader *r, struct vp9_descriptor *d)
{
    uint8_t v = read_u8(r);
    d->spatial_count = (uint8_t)((v >> 5) + 1);
    d->has_resolutions = (v & 0x10) != 0;
    d->keyframe = d->has_resolutions && !d->inter_predicted;
    for (unsigned i = 0; d->has_resolutions && i < d->spatial_count; i++) {
        d->width[i] = read_u16(r);
        d->height[i] = read_u16(r);
        d->keyframe = d->keyframe && d->width[i] != 0 && d->height[i] != 0;
    }
    if ((v & 0x08) == 0)
        return;
    unsigned pictures = read_u8(r);
    for (unsigned i = 0; i < pictures && !reader_failed(r); i++)
        read_skip(r, read_u8(r) >> 2 & 0x03);     /* TID, U, R: R reference bytes follow */
}

bool vp9_parse(struct vp9_descriptor *out, struct view payload)
{
    struct reader r = reader_of(payload);
    uint8_t first = read_u8(&r);
    struct vp9_descriptor d = {
        .has_picture_id = (first & 0x80) != 0,
        .inter_predicted = (first & 0x40) != 0,
        .has_layers = (first & 0x20) != 0,
        .flexible = (first & 0x10) != 0,
        .start_of_frame = (first & 0x08) != 0,
        .end_of_frame = (first & 0x04) != 0,
        .has_structure = (first & 0x02) != 0,
        .not_reference = (first & 0x01) != 0,
    };
    if (d.has_picture_id)
        read_picture_id(&r, &d);
    if (d.has_layers)
        read_layers(&r, &d);
    if (d.inter_predicted && d.flexible)
        skip_references(&r);
    if (d.has_structure)
        read_structure(&r, &d);
    if (reader_failed(&r))
        return false;
    d.size = (uint16_t)(r.at - payload.data);
    *out = d;
    return true;
}

bool vp9_is_keyframe(struct view payload)
{
    struct vp9_descriptor d;
    return vp9_parse(&d, payload) && d.keyframe;
}
