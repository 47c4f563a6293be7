/* base/buf.h - a byte buffer that grows up to a limit set when it is made; past it, it fails and stays failed.
 * Owner: whoever embeds it. Contents are not NUL-terminated unless buf_text is asked. */
#pragma once

#include <stdarg.h>
#include <string.h>

#include "base/types.h"

struct buf {
    uint8_t *data;
    size_t size;
    size_t room;                                       /* never above the limit */
    size_t limit;
    bool failed;
};

void  buf_init(struct buf *buf, size_t limit);
void  buf_fini(struct buf *buf);
void  buf_clear(struct buf *buf);                      /* keeps the memory, forgets contents and failure */
bool  buf_grow(struct buf *buf, size_t more);          /* room for that much; false, and failed: past the limit */
void  buf_add_u64(struct buf *buf, uint64_t v);        /* decimal */
void  buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void  buf_drop(struct buf *buf, size_t size);          /* the first `size` bytes */
const char *buf_text(struct buf *buf);                 /* NUL-terminated view of the contents; "" when failed or empty */

/* Here because texts are written in a hundred small pieces, most of them of a length that the compiler knows. */
static inline void buf_add(struct buf *buf, const void *data, size_t size)
{
    if (size == 0 || ((buf->failed || size > buf->room - buf->size) && !buf_grow(buf, size)))
        return;
    memcpy(buf->data + buf->size, data, size);
    buf->size += size;
}

static inline void buf_add_view(struct buf *buf, struct view v)
{
    buf_add(buf, v.data, v.size);
}

static inline void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

static inline void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

static inline struct view buf_view(const struct buf *buf)
{
    return (struct view){buf->data, buf->size};
}

/* Empty when the buffer has failed: half a text is nobody's text. */
static inline struct view buf_whole(const struct buf *buf)
{
    return buf->failed ? (struct view){NULL, 0} : buf_view(buf);
}

/* Takes the memory out; the caller mem_puts it. The buffer is empty afterwards. */
uint8_t *buf_take(struct buf *buf, size_t *size);
