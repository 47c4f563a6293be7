#include "runtime/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/actor_impl.h"
#include "runtime/clock.h"

bool log_wanted(const struct actor *self, enum log_level level)
{
    return self == NULL || (int)level <= atomic_load_explicit(&self->set->log_level, memory_order_relaxed);
}

void log_set_level(struct actors *set, enum log_level level)
{
    atomic_store_explicit(&set->log_level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(const struct actors *set)
{
    return (enum log_level)atomic_load_explicit(&set->log_level, memory_order_relaxed);
}

uint64_t log_dropped(const struct actors *set)
{
    return atomic_load_explicit(&set->log_dropped, memory_order_relaxed);
}

/* A text from a client must not be able to begin a line of its own, or to move the terminal's cursor. */
static void blunt(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = *c == '\t' || *c == '\n' ? ' ' : '?';
        else if ((unsigned char)c[0] == 0xC2 && (unsigned char)c[1] >= 0x80 && (unsigned char)c[1] < 0xA0)
            c[0] = c[1] = '?';          /* U+0080 to U+009F: U+009B begins a command as ESC [ does */
    }
}

void log_write(struct actor *self, enum log_level level, const char *file, const char *function, int line, const char *format, ...)
{
    char text[LOG_LINE_MAX + 1];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (size < 0)
        return;
    if ((size_t)size > LOG_LINE_MAX) {
        size = (int)LOG_LINE_MAX;
        memcpy(text + LOG_LINE_MAX - 3, "...", 4);
    }
    blunt(text);
    if (self == NULL) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    struct log_record record = {.wall_us = clock_wall_us(), .level = (uint8_t)level};
    const char *base = strrchr(file, '/');
    snprintf(record.where, sizeof(record.where), "%s:%s:%d", base != NULL ? base + 1 : file, function, line);
    if (!relay_push(self, ACTOR_LOG, VIEW(&record, sizeof(record)), VIEW(text, (size_t)size)))
        atomic_fetch_add_explicit(&self->set->log_dropped, 1, memory_order_relaxed);
}
