/* helpers/logger.h - the log actor: the only one that writes log lines (config-core.md 10). It takes them from every actor's
 * lane, puts time and level before them, and writes them to standard output and to a file, in batches. A reader of standard
 * output that stands still costs lines (counted), never time.
 *
 *   struct logger *l = logger_new(actor, &options);      opens the file
 *   actor_serve(actor, &logger_ops, l);                  ... joined last of all, then logger_free */
#pragma once

#include "msg/log.h"
#include "runtime/actor.h"

struct logger_options {
    bool to_stdout;
    const char *file;           /* NULL: none; appended to, re-opened on LOG_ROTATE */
    const char *prefix;         /* NULL: none */
    bool timestamps;
    bool colors;                /* standard output only */
};

struct logger;

/* NULL: the file can't be opened (errno). `options` texts must outlive it. */
struct logger *logger_new(struct actor *actor, const struct logger_options *options);
void logger_free(struct logger *logger);

extern const struct actor_ops logger_ops;
