#include "base/buf.h"

#include <stdio.h>
#include <string.h>

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

static bool make_room(struct buf *buf, size_t more)
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
    buf->data = mem_resize(buf->data, room);
    buf->room = room;
    return true;
}

void buf_add(struct buf *buf, const void *data, size_t size)
{
    if (size == 0 || !make_room(buf, size))
        return;
    memcpy(buf->data + buf->size, data, size);
    buf->size += size;
}

void buf_add_view(struct buf *buf, struct view v)
{
    buf_add(buf, v.data, v.size);
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
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
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0 || !make_room(buf, (size_t)size + 1)) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf((char *)buf->data + buf->size, (size_t)size + 1, format, args);
    va_end(args);
    buf->size += (size_t)size;
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
    if (buf->size == buf->room) {
        buf->room++;
        buf->data = mem_resize(buf->data, buf->room);
    }
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
