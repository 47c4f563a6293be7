/* helpers/log_ring.h - the last lines of the log, for the operators' page. Owner: the log actor. Bounded by lines and by bytes. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "runtime/log.h"

#define LOG_RING_LINES 1000u
#define LOG_RING_BYTES (512u * 1024u)

struct log_ring {
    struct list lines;              /* oldest first */
    uint32_t count;
    size_t bytes;
    uint64_t serial;                /* of the newest; the first line ever is 1 */
};

void log_ring_init(struct log_ring *ring);
void log_ring_fini(struct log_ring *ring);
void log_ring_add(struct log_ring *ring, const struct log_record *record, struct view text);
/* {"last": SERIAL, "lines": [{"serial", "time" (ms since 1970), "level", "where", "text"}, ...]}: those that are newer than `after`. A
 * serial that there has not been yet is one of before a restart: then all of them. */
void log_ring_write(const struct log_ring *ring, uint64_t after, struct buf *out);
