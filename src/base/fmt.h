/* base/fmt.h - printf for texts that are written a hundred thousand times a second: what libc's does for the few conversions that
 * protocols need, at a tenth of the price. Pure. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* %s %.*s %c %d %u %lu %llu %lld %zu %% without flags or widths; a format with anything else goes to libc. Writes at most `room` bytes and no
 * NUL; returns how many the whole text has. */
size_t fmt_text(char *out, size_t room, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

#define FMT_UINT_TEXT 21    /* longest text and NUL */
const char *fmt_uint(char out[FMT_UINT_TEXT], uint64_t v);
