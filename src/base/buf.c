#include "base/buf.h"

#include <string.h>

#include "base/fmt.h"
#include "base/mem.h"

#define BUF_FIRST 256u

void buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){.limit = limit};
}

void buf_fini(struct buf *buf)
{
    mem_put(buf->data);
    buf_init(buf, buf->limit);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

bool buf_grow(struct buf *buf, size_t more)
{
    if (buf->failed || more > buf->limit - buf->size) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->size + more;
    if (need <= buf->room)
        return true;
    size_t room = buf->room < BUF_FIRST ? BUF_FIRST : buf->room;
    while (room < need)
        room *= 2;
    if (room > buf->limit)
        room = buf->limit;
    buf->data = mem_resize(buf->data, room);
    buf->room = room;
    return true;
}

void buf_add_u64(struct buf *buf, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_add(buf, digits + at, sizeof(digits) - at);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    const size_t room = buf->failed ? 0 : buf->room - buf->size;
    va_start(args, format);
    const size_t size = fmt_text(room == 0 ? NULL : (char *)buf->data + buf->size, room, format, args);
    va_end(args);
    if (size > room) {                          /* it did not fit, and is written again */
        if (!buf_grow(buf, size))
            return;
        va_start(args, format);
        (void)fmt_text((char *)buf->data + buf->size, size, format, args);
        va_end(args);
    }
    if (!buf->failed)
        buf->size += size;
}

void buf_drop(struct buf *buf, size_t size)
{
    if (size >= buf->size) {
        buf->size = 0;
        return;
    }
    memmove(buf->data, buf->data + size, buf->size - size);
    buf->size -= size;
}

const char *buf_text(struct buf *buf)
{
    if (buf->failed || buf->size == 0)
        return "";
    if (buf->size == buf->room)
        buf->data = mem_resize(buf->data, buf->room + 1);       /* for the NUL alone: no room that is counted */
    buf->data[buf->size] = '\0';
    return (const char *)buf->data;
}

uint8_t *buf_take(struct buf *buf, size_t *size)
{
    uint8_t *data = buf->data;
    *size = buf->size;
    *buf = (struct buf){.limit = buf->limit};
    return data;
}
