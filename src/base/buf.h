/* base/buf.h - a byte buffer that grows up to a limit set when it is made; past it, it fails and stays failed.
 * Owner: whoever embeds it. Contents are not NUL-terminated unless buf_text is asked. */
#pragma once

#include <stdarg.h>

#include "base/types.h"

struct buf {
    uint8_t *data;
    size_t size;
    size_t room;
    size_t limit;
    bool failed;
};

void  buf_init(struct buf *buf, size_t limit);
void  buf_fini(struct buf *buf);
void  buf_clear(struct buf *buf);                      /* keeps the memory, forgets contents and failure */
void  buf_add(struct buf *buf, const void *data, size_t size);
void  buf_add_view(struct buf *buf, struct view v);
void  buf_add_char(struct buf *buf, char c);
void  buf_add_text(struct buf *buf, const char *text);
void  buf_add_u64(struct buf *buf, uint64_t v);        /* decimal */
void  buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void  buf_drop(struct buf *buf, size_t size);          /* the first `size` bytes */
const char *buf_text(struct buf *buf);                 /* NUL-terminated view of the contents; "" when failed or empty */

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
