/* runtime/log.h - how an actor logs: one line, formatted here, pushed into its lane to the log actor (helpers/logger.h).
 * Never blocks: a full lane drops the line and counts it; the log actor reports how many. Lines written before the log
 * actor runs wait in the lane. Never log secrets, tokens, PINs or passwords (security.md).
 *
 *   LOG_WARN(self, "port %u is taken", port);
 *
 * Levels and their names are the reference's (config-core.md 10). Not for the packet path. */
#pragma once

#include "runtime/actor.h"

enum log_level { LOG_LEVEL_NONE, LOG_LEVEL_FATAL, LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_VERB, LOG_LEVEL_HUGE, LOG_LEVEL_DBG };

#define LOG_LINE_MAX 1800u      /* longer texts are cut, and end in "..." */

/* `self` may be NULL before actors exist: the line then goes to stderr. */
void log_write(struct actor *self, enum log_level level, const char *file, const char *function, int line, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
bool log_wanted(const struct actor *self, enum log_level level);
void log_set_level(struct actors *set, enum log_level level);       /* any thread, at once for every actor */
enum log_level log_get_level(const struct actors *set);
uint64_t log_dropped(const struct actors *set);                     /* lines lost to full lanes, any thread */

#define LOG_AT(self, level, ...) \
    (log_wanted((self), (level)) ? log_write((self), (level), __FILE__, __func__, __LINE__, __VA_ARGS__) : (void)0)
#define LOG_FATAL(self, ...) LOG_AT(self, LOG_LEVEL_FATAL, __VA_ARGS__)
#define LOG_ERR(self, ...)   LOG_AT(self, LOG_LEVEL_ERR, __VA_ARGS__)
#define LOG_WARN(self, ...)  LOG_AT(self, LOG_LEVEL_WARN, __VA_ARGS__)
#define LOG_INFO(self, ...)  LOG_AT(self, LOG_LEVEL_INFO, __VA_ARGS__)
#define LOG_VERB(self, ...)  LOG_AT(self, LOG_LEVEL_VERB, __VA_ARGS__)
#define LOG_HUGE(self, ...)  LOG_AT(self, LOG_LEVEL_HUGE, __VA_ARGS__)
#define LOG_DBG(self, ...)   LOG_AT(self, LOG_LEVEL_DBG, __VA_ARGS__)

/* What lies in the lane: this, then the text without a newline. */
struct log_record {
    uint64_t wall_us;
    uint8_t level;
    char where[119];            /* "file:function:line", cut if need be */
};
