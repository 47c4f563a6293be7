#include "base/fmt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct out {
    char *at;
    size_t room;
    size_t size;
};

static void put(struct out *o, const char *bytes, size_t size)
{
    if (o->size < o->room)
        memcpy(o->at + o->size, bytes, size < o->room - o->size ? size : o->room - o->size);
    o->size += size;
}

static void put_number(struct out *o, bool negative, uint64_t v)
{
    char digits[21];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    if (negative)
        digits[--at] = '-';
    put(o, digits + at, sizeof(digits) - at);
}

static void put_signed(struct out *o, int64_t v)
{
    put_number(o, v < 0, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

static void put_bounded(struct out *o, int size, const char *text)
{
    if (size > 0)                                       /* a view's: there may be no NUL behind it */
        put(o, text, strnlen(text, (size_t)size));
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* One conversion, the text behind its '%'. Returns how long it is; 0: not one of ours. */
static size_t convert(struct out *o, const char *spec, va_list *args)
{
    switch (spec[0]) {
    case 's': {
        const char *text = va_arg(*args, const char *);
        put(o, text, strlen(text));
        return 1;
    }
    case 'u': put_number(o, false, va_arg(*args, unsigned)); return 1;
    case 'd': put_signed(o, va_arg(*args, int)); return 1;
    case 'c': {
        const char c = (char)va_arg(*args, int);
        put(o, &c, 1);
        return 1;
    }
    case '%': put(o, "%", 1); return 1;
    default: break;
    }
    if (starts(spec, ".*s")) {
        const int size = va_arg(*args, int);
        put_bounded(o, size, va_arg(*args, const char *));
        return 3;
    }
    if (starts(spec, "lu") || starts(spec, "zu")) {
        put_number(o, false, va_arg(*args, unsigned long));
        return 2;
    }
    if (starts(spec, "llu")) {
        put_number(o, false, va_arg(*args, unsigned long long));
        return 3;
    }
    if (starts(spec, "lld")) {
        put_signed(o, va_arg(*args, long long));
        return 3;
    }
    return 0;
}

_Static_assert(sizeof(size_t) == sizeof(unsigned long), "zu and lu are one");

/* libc ends with a NUL, which has no room of its own here. */
static size_t by_libc(char *out, size_t room, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    const int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size <= 0)
        return 0;
    char *text = mem_get((size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, args);
    if (room > 0)
        memcpy(out, text, (size_t)size < room ? (size_t)size : room);
    mem_put(text);
    return (size_t)size;
}

size_t fmt_text(char *out, size_t room, const char *format, va_list args)
{
    struct out o = {.at = out, .room = room};
    va_list taken;
    va_copy(taken, args);
    for (const char *at = format; *at != '\0';) {
        const char *next = strchr(at, '%');
        const size_t plain = next == NULL ? strlen(at) : (size_t)(next - at);
        put(&o, at, plain);
        at += plain;
        if (*at == '\0')
            break;
        const size_t size = convert(&o, at + 1, &taken);
        if (size == 0) {
            va_end(taken);
            return by_libc(out, room, format, args);
        }
        at += 1 + size;
    }
    va_end(taken);
    return o.size;
}

const char *fmt_uint(char out[FMT_UINT_TEXT], uint64_t v)
{
    struct out o = {.at = out, .room = FMT_UINT_TEXT - 1};
    put_number(&o, false, v);
    out[o.size] = '\0';
    return out;
}
