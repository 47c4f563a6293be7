/* proto/rtp/ext.c - RFC 8285 section 4. One-byte form, a nibble of id and a nibble of length - 1; two-byte form, a byte of
 * each, the length as it is. A zero byte is padding in both. */
#include "proto/rtp/ext.h"

#define ONE_BYTE_ID_MAX   14u      /* RFC 8285 4.2: 15 is reserved and ends the block */
#define ONE_BYTE_ID_STOP  15u
#define ONE_BYTE_SIZE_MAX 16u
#define BLOCK_HEADER_SIZE 4u

static bool is_two_byte(uint16_t profile)
{
    return (profile & 0xFFF0u) == RTP_EXT_TWO_BYTE;
}

struct rtp_ext_iter rtp_ext_iter_of(const struct rtp_packet *packet)
{
    bool two_byte = is_two_byte(packet->ext_profile);
    if (packet->ext_offset == 0 || (!two_byte && packet->ext_profile != RTP_EXT_ONE_BYTE))
        return (struct rtp_ext_iter){packet->data, packet->data, false};
    const uint8_t *at = packet->data + packet->ext_offset;
    return (struct rtp_ext_iter){at, at + packet->ext_size, two_byte};
}

static bool stop(struct rtp_ext_iter *iter)
{
    iter->at = iter->end;
    return false;
}

bool rtp_ext_next(struct rtp_ext_iter *iter, uint8_t *id, struct view *value)
{
    while (iter->at < iter->end && *iter->at == 0)
        iter->at++;
    size_t left = (size_t)(iter->end - iter->at);
    size_t head = iter->two_byte ? 2 : 1;
    if (left < head)
        return stop(iter);
    uint8_t element = iter->at[0];
    size_t size;
    if (iter->two_byte) {
        size = iter->at[1];
    } else {
        /* id 0 with a length, or id 15: nothing from here on counts (RFC 8285 4.2) */
        if (element >> 4 == 0 || element >> 4 == ONE_BYTE_ID_STOP)
            return stop(iter);
        size = (element & 0x0Fu) + 1u;
        element >>= 4;
    }
    if (size > left - head)
        return stop(iter);
    *id = element;
    *value = (struct view){iter->at + head, size};
    iter->at += head + size;
    return true;
}

bool rtp_ext_find(const struct rtp_packet *packet, uint8_t id, struct view *out)
{
    struct rtp_ext_iter iter = rtp_ext_iter_of(packet);
    uint8_t found;
    struct view value;
    while (id != 0 && rtp_ext_next(&iter, &found, &value)) {
        if (found == id) {
            *out = value;
            return true;
        }
    }
    return false;
}

bool rtp_ext_change_id(const struct rtp_packet *packet, uint8_t from, uint8_t to)
{
    struct rtp_ext_iter iter = rtp_ext_iter_of(packet);
    struct view value;
    if (to == 0 || (!iter.two_byte && to > ONE_BYTE_ID_MAX) || !rtp_ext_find(packet, from, &value))
        return false;
    size_t offset = (size_t)(value.data - packet->data);
    if (iter.two_byte)
        packet->data[offset - 2] = to;
    else
        packet->data[offset - 1] = (uint8_t)(to << 4 | (packet->data[offset - 1] & 0x0F));
    return true;
}

/* ---- reading ---- */

static void take_audio_level(struct rtp_ext_values *values, struct view v)
{
    if (v.size < 1)
        return;
    values->audio_level = v.data[0] & 0x7F;
    values->voice = (v.data[0] & 0x80) != 0;
    values->has |= RTP_EXT_HAS_AUDIO_LEVEL;
}

static void take_orientation(struct rtp_ext_values *values, struct view v)
{
    if (v.size < 1)
        return;
    values->orientation = v.data[0] & 0x0F;
    values->has |= RTP_EXT_HAS_ORIENTATION;
}

static void take_playout_delay(struct rtp_ext_values *values, struct view v)
{
    if (v.size < 3)
        return;
    values->playout_min = (uint16_t)(v.data[0] << 4 | v.data[1] >> 4);
    values->playout_max = (uint16_t)((v.data[1] & 0x0F) << 8 | v.data[2]);
    values->has |= RTP_EXT_HAS_PLAYOUT_DELAY;
}

static void take_capture_time(struct rtp_ext_values *values, struct view v)
{
    if (v.size < 8)
        return;
    values->abs_capture_time = (uint64_t)get_u32(v.data) << 32 | get_u32(v.data + 4);
    values->has |= RTP_EXT_HAS_ABS_CAPTURE_TIME;
}

static void take_twcc(struct rtp_ext_values *values, struct view v)
{
    if (v.size < 2)
        return;
    values->twcc_seq = get_u16(v.data);
    values->has |= RTP_EXT_HAS_TWCC;
}

static void take_send_time(struct rtp_ext_values *values, struct view v)
{
    if (v.size < 3)
        return;
    values->abs_send_time = (uint32_t)v.data[0] << 16 | get_u16(v.data + 1);
    values->has |= RTP_EXT_HAS_ABS_SEND_TIME;
}

static void take_descriptor(struct rtp_ext_values *values, struct view v)
{
    if (v.size < 1)
        return;
    values->dependency_descriptor = v;
    values->has |= RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR;
}

void rtp_ext_read(struct rtp_ext_values *values, const struct rtp_packet *packet, const struct rtp_ext_ids *ids)
{
    *values = (struct rtp_ext_values){0};
    struct rtp_ext_iter iter = rtp_ext_iter_of(packet);
    uint8_t id;
    struct view v;
    while (rtp_ext_next(&iter, &id, &v)) {         /* never gives id 0, so what was not negotiated matches nothing */
        if (id == ids->twcc)
            take_twcc(values, v);
        else if (id == ids->abs_send_time)
            take_send_time(values, v);
        else if (id == ids->audio_level)
            take_audio_level(values, v);
        else if (id == ids->dependency_descriptor)
            take_descriptor(values, v);
        else if (id == ids->orientation)
            take_orientation(values, v);
        else if (id == ids->playout_delay)
            take_playout_delay(values, v);
        else if (id == ids->abs_capture_time)
            take_capture_time(values, v);
    }
}

/* ---- writing ---- */

struct block {
    uint8_t *start;
    uint8_t *at;
    const uint8_t *end;
    bool two_byte;
    bool full;
};

/* Room for one element's value; NULL when it was not negotiated or does not fit. */
static uint8_t *element(struct block *b, uint8_t id, size_t size)
{
    size_t head = b->two_byte ? 2 : 1;
    if (id == 0 || b->full)
        return NULL;
    if (head + size > (size_t)(b->end - b->at)) {
        b->full = true;
        return NULL;
    }
    if (b->two_byte) {
        b->at[0] = id;
        b->at[1] = (uint8_t)size;
    } else {
        b->at[0] = (uint8_t)(id << 4 | (size - 1));
    }
    uint8_t *value = b->at + head;
    b->at = value + size;
    return value;
}

static bool needs_two_byte(const struct rtp_ext_ids *ids, const struct rtp_ext_out *out)
{
    if (ids->dependency_descriptor != 0 && out->values != NULL &&
        (out->values->has & RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR) != 0 &&
        out->values->dependency_descriptor.size > ONE_BYTE_SIZE_MAX)
        return true;
    return ids->mid > ONE_BYTE_ID_MAX || ids->audio_level > ONE_BYTE_ID_MAX || ids->abs_send_time > ONE_BYTE_ID_MAX ||
           ids->twcc > ONE_BYTE_ID_MAX || ids->orientation > ONE_BYTE_ID_MAX || ids->playout_delay > ONE_BYTE_ID_MAX ||
           ids->dependency_descriptor > ONE_BYTE_ID_MAX || ids->abs_capture_time > ONE_BYTE_ID_MAX;
}

static void write_send_fields(struct block *b, const struct rtp_ext_ids *ids, const struct rtp_ext_out *out,
                              struct rtp_ext_patch *patch)
{
    uint8_t *p;
    if (out->abs_send_time && (p = element(b, ids->abs_send_time, 3)) != NULL) {
        memset(p, 0, 3);
        patch->abs_send_time = (uint16_t)(p - b->start);
    }
    if (out->twcc && (p = element(b, ids->twcc, 2)) != NULL) {
        memset(p, 0, 2);
        patch->twcc = (uint16_t)(p - b->start);
    }
}

/* The values before mid in the order of webrtc.md 12.2. */
static void write_short_values(struct block *b, const struct rtp_ext_ids *ids, const struct rtp_ext_values *v)
{
    uint8_t *p;
    if ((v->has & RTP_EXT_HAS_AUDIO_LEVEL) != 0 && (p = element(b, ids->audio_level, 1)) != NULL)
        p[0] = (uint8_t)((v->voice ? 0x80 : 0) | (v->audio_level & 0x7F));
    if ((v->has & RTP_EXT_HAS_ORIENTATION) != 0 && (p = element(b, ids->orientation, 1)) != NULL)
        p[0] = v->orientation & 0x0F;
    if ((v->has & RTP_EXT_HAS_PLAYOUT_DELAY) != 0 && (p = element(b, ids->playout_delay, 3)) != NULL) {
        p[0] = (uint8_t)(v->playout_min >> 4);
        p[1] = (uint8_t)((v->playout_min & 0x0F) << 4 | (v->playout_max >> 8 & 0x0F));
        p[2] = (uint8_t)v->playout_max;
    }
}

static void write_long_values(struct block *b, const struct rtp_ext_ids *ids, const struct rtp_ext_values *v)
{
    uint8_t *p;
    size_t descriptor = v->dependency_descriptor.size;
    if ((v->has & RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR) != 0 && descriptor > 0 && descriptor <= RTP_EXT_DESCRIPTOR_MAX &&
        (p = element(b, ids->dependency_descriptor, descriptor)) != NULL)
        memcpy(p, v->dependency_descriptor.data, descriptor);
    if ((v->has & RTP_EXT_HAS_ABS_CAPTURE_TIME) != 0 && (p = element(b, ids->abs_capture_time, 8)) != NULL) {
        put_u32(p, (uint32_t)(v->abs_capture_time >> 32));
        put_u32(p + 4, (uint32_t)v->abs_capture_time);
    }
}

size_t rtp_ext_write(uint8_t *out, size_t room, const struct rtp_ext_ids *ids, const struct rtp_ext_out *values,
                     struct rtp_ext_patch *patch)
{
    static const struct rtp_ext_values none;
    const struct rtp_ext_values *v = values->values != NULL ? values->values : &none;
    *patch = (struct rtp_ext_patch){0};
    if (room < BLOCK_HEADER_SIZE)
        return 0;
    struct block b = {.start = out, .at = out + BLOCK_HEADER_SIZE, .end = out + (room & ~(size_t)3),
                      .two_byte = needs_two_byte(ids, values)};
    write_send_fields(&b, ids, values, patch);
    write_short_values(&b, ids, v);
    uint8_t *mid;
    if (values->mid.size > 0 && values->mid.size <= RTP_EXT_MID_MAX && (mid = element(&b, ids->mid, values->mid.size)) != NULL)
        memcpy(mid, values->mid.data, values->mid.size);
    write_long_values(&b, ids, v);
    if (b.full || b.at == out + BLOCK_HEADER_SIZE) {
        *patch = (struct rtp_ext_patch){0};
        return 0;
    }
    while ((b.at - out) % 4 != 0)
        *b.at++ = 0;
    put_u16(out, b.two_byte ? RTP_EXT_TWO_BYTE : RTP_EXT_ONE_BYTE);
    put_u16(out + 2, (uint16_t)((b.at - out - BLOCK_HEADER_SIZE) / 4));
    return (size_t)(b.at - out);
}
