/* base/bytes.h - reading and writing wire formats: bounds live here and nowhere else.
 * Failure sticks: read on, and ask once at the end. A failed read gives zeros. */
#pragma once

#include <string.h>

#include "base/types.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct reader reader_of(struct view v)
{
    return (struct reader){v.data, v.size > 0 ? v.data + v.size : v.data, false};
}

static inline bool reader_failed(const struct reader *r)
{
    return r->failed;
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* `size` bytes as a view; an empty view and a failed reader when there are fewer. */
static inline struct view read_view(struct reader *r, size_t size)
{
    if (r->failed || size > reader_left(r)) {
        r->failed = true;
        return (struct view){NULL, 0};
    }
    struct view v = {r->at, size};
    if (size > 0)
        r->at += size;
    return v;
}

static inline void read_skip(struct reader *r, size_t size)
{
    (void)read_view(r, size);
}

static inline uint8_t read_u8(struct reader *r)
{
    struct view v = read_view(r, 1);
    return v.data == NULL ? 0 : v.data[0];
}

static inline uint16_t read_u16(struct reader *r)
{
    struct view v = read_view(r, 2);
    return v.data == NULL ? 0 : (uint16_t)(v.data[0] << 8 | v.data[1]);
}

static inline uint32_t read_u24(struct reader *r)
{
    struct view v = read_view(r, 3);
    return v.data == NULL ? 0 : (uint32_t)v.data[0] << 16 | (uint32_t)v.data[1] << 8 | v.data[2];
}

static inline uint32_t read_u32(struct reader *r)
{
    uint32_t hi = read_u16(r);
    return hi << 16 | read_u16(r);
}

static inline uint64_t read_u48(struct reader *r)
{
    uint64_t hi = read_u16(r);
    return hi << 32 | read_u32(r);
}

static inline uint64_t read_u64(struct reader *r)
{
    uint64_t hi = read_u32(r);
    return hi << 32 | read_u32(r);
}

/* Copies exactly `size` bytes, or zeros when there are fewer. */
static inline void read_copy(struct reader *r, void *out, size_t size)
{
    struct view v = read_view(r, size);
    if (v.data != NULL)
        memcpy(out, v.data, size);
    else
        memset(out, 0, size);
}

struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

static inline struct writer writer_of(uint8_t *out, size_t room)
{
    return (struct writer){out, out, out + room, false};
}

static inline bool writer_failed(const struct writer *w)
{
    return w->failed;
}

static inline size_t writer_size(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

static inline size_t writer_left(const struct writer *w)
{
    return (size_t)(w->end - w->at);
}

/* Room for `size` bytes, to be filled by the caller; NULL and a failed writer when there is less. */
static inline uint8_t *write_room(struct writer *w, size_t size)
{
    if (w->failed || size > writer_left(w)) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->at;
    w->at += size;
    return at;
}

static inline void write_u8(struct writer *w, uint8_t v)
{
    uint8_t *p = write_room(w, 1);
    if (p != NULL)
        p[0] = v;
}

static inline void write_u16(struct writer *w, uint16_t v)
{
    uint8_t *p = write_room(w, 2);
    if (p != NULL) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
    }
}

static inline void write_u24(struct writer *w, uint32_t v)
{
    write_u8(w, (uint8_t)(v >> 16));
    write_u16(w, (uint16_t)v);
}

static inline void write_u32(struct writer *w, uint32_t v)
{
    write_u16(w, (uint16_t)(v >> 16));
    write_u16(w, (uint16_t)v);
}

static inline void write_u48(struct writer *w, uint64_t v)
{
    write_u16(w, (uint16_t)(v >> 32));
    write_u32(w, (uint32_t)v);
}

static inline void write_u64(struct writer *w, uint64_t v)
{
    write_u32(w, (uint32_t)(v >> 32));
    write_u32(w, (uint32_t)v);
}

static inline void write_bytes(struct writer *w, const void *data, size_t size)
{
    uint8_t *p = write_room(w, size);
    if (p != NULL && size > 0)
        memcpy(p, data, size);
}

static inline void write_zeros(struct writer *w, size_t size)
{
    uint8_t *p = write_room(w, size);
    if (p != NULL && size > 0)
        memset(p, 0, size);
}

/* Fixed-place access, for bytes whose bounds the caller has already proven. */
static inline uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}
