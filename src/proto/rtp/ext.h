/* proto/rtp/ext.h - RTP header extensions, one-byte and two-byte (RFC 8285), read and written. Pure; no state, no owner.
 * Reading never fails: an element that is truncated or of the wrong length is as if it were not there. */
#pragma once

#include "proto/rtp/ext_types.h"
#include "proto/rtp/rtp.h"

#define RTP_EXT_ONE_BYTE 0xBEDEu   /* RFC 8285 4.2 */
#define RTP_EXT_TWO_BYTE 0x1000u   /* RFC 8285 4.3; the low 4 bits ("appbits") are the application's */

/* Walks the elements: struct rtp_ext_iter it = rtp_ext_iter_of(packet); while (rtp_ext_next(&it, &id, &value)) ... */
struct rtp_ext_iter {
    const uint8_t *at;
    const uint8_t *end;
    bool two_byte;
};

struct rtp_ext_iter rtp_ext_iter_of(const struct rtp_packet *packet);
bool rtp_ext_next(struct rtp_ext_iter *iter, uint8_t *id, struct view *value);

/* The first element with this id. False for id 0. The view is into the packet. */
bool rtp_ext_find(const struct rtp_packet *packet, uint8_t id, struct view *out);

/* All values in one walk. mid and the rids are not among them: they matter for unknown SSRCs only (rtp_ext_find). */
void rtp_ext_read(struct rtp_ext_values *values, const struct rtp_packet *packet, const struct rtp_ext_ids *ids);

/* Changes the id of one element in place (RTX recovery turns repaired_rid into rid: webrtc.md 10). False: it has none. */
bool rtp_ext_change_id(const struct rtp_packet *packet, uint8_t from, uint8_t to);

/* What the receiver of a packet shall be told. */
struct rtp_ext_out {
    const struct rtp_ext_values *values;   /* of the packet that came in; NULL: none */
    struct view mid;                       /* of the m-line it is sent on; RTP_EXT_MID_MAX or less (longer: left out) */
    bool abs_send_time;                    /* reserve the field (video only: webrtc.md 12.2) */
    bool twcc;                             /* the same */
};

/* Where the egress writes, just before it seals; offsets from the first byte of the block, 0: no such field. */
struct rtp_ext_patch {
    uint16_t abs_send_time;        /* 3 bytes: rtp_ext_patch_send_time */
    uint16_t twcc;                 /* 2 bytes: put_u16 */
};

/* With this much room rtp_ext_write never leaves anything out. */
#define RTP_EXT_ROOM 320u

/* The whole block, its 4-byte header and its padding included, in the order of webrtc.md 12.2. Returns its size, a multiple
 * of 4; 0: there is nothing to say (X bit clear), or it needs more than `room`. Values that the receiver's `ids` lack are
 * left out. A dependency descriptor of more than 16 bytes, or an id above 14, makes the block two-byte. */
size_t rtp_ext_write(uint8_t *out, size_t room, const struct rtp_ext_ids *ids, const struct rtp_ext_out *values,
                     struct rtp_ext_patch *patch);

/* 24 bits, 6.18 fixed point seconds (webrtc.org/experiments/rtp-hdrext/abs-send-time). */
static inline uint32_t rtp_abs_send_time(usec_t now)
{
    return (uint32_t)((((now % SEC(64)) << 18) / SEC(1)) & 0xFFFFFFu);
}

static inline void rtp_ext_patch_send_time(uint8_t *field, usec_t now)
{
    uint32_t time = rtp_abs_send_time(now);
    field[0] = (uint8_t)(time >> 16);
    put_u16(field + 1, (uint16_t)time);
}
