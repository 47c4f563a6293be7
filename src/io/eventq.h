/* io/eventq.h - the events of sessions that are driven over HTTP, until a poll fetches them (transports.md 2.6).
 * Owner: io. Pure. A queue is the owner of its session in control's eyes: `ref`, with IO_QUEUE_BIT, is its name there.
 *
 *   eventq_new for a request that names no session whose queue we have; eventq_bind when control says which session it owns.
 *   One that was bound to nothing when its request has been answered is freed.
 *   eventq_add per event, bounded like what a WebSocket client may have waiting (design rule 3); eventq_take for a poll.
 *   `held` are the polls that wait for the next event, oldest first; their nodes belong to the connections. */
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "base/json_out.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/slots.h"

struct eventq {
    struct ref ref;
    int64_t session_id;          /* 0: none yet */
    struct map_node by_session;
    struct list texts;
    uint32_t count;
    size_t bytes;
    struct list held;
};

struct eventqs {
    struct pool pool;
    struct slots slots;
    struct map by_session;
    struct hash_key key;
    size_t bytes;                /* of all of them */
    size_t bytes_max;            /* IO_QUEUED_BYTES_MAX, unless memory is small */
};

void eventqs_init(struct eventqs *all, const struct hash_key *key, uint32_t limit);
void eventqs_fini(struct eventqs *all);                          /* frees those that are left */

struct eventq *eventq_new(struct eventqs *all);                  /* NULL: at the limit */
void eventq_free(struct eventqs *all, struct eventq *q);         /* what holds on to it must have let go */
struct eventq *eventq_get(const struct eventqs *all, struct ref ref);        /* NULL: it is gone, or no queue's name */
struct eventq *eventq_of_session(const struct eventqs *all, int64_t session_id);

void eventq_bind(struct eventqs *all, struct eventq *q, int64_t session_id);
/* False: more than may wait; nothing was added. */
bool eventq_add(struct eventqs *all, struct eventq *q, struct view text);
/* Appends up to `most` of them, the oldest first, as one array; or one of them as it is when `most` is 1. */
void eventq_take(struct eventqs *all, struct eventq *q, uint32_t most, enum json_layout layout, struct buf *out);
