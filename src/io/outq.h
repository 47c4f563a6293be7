/* io/outq.h - what waits to be written to one client, in order. Owner: the client. Pure.
 * Replies and events are told apart because their limits differ (design rule 3); a credit that was given back while replies
 * are still queued comes free when the last of them has left, so a client that doesn't read its replies stops being read. */
#pragma once

#include "base/types.h"

enum out_kind { OUT_REPLY, OUT_EVENT };

#define OUTQ_HEAD_MAX  16u
#define OUTQ_PARTS     2u

struct out_node;

struct outq {
    struct out_node *first;
    struct out_node *last;
    uint32_t first_sent;         /* bytes of the first node that have left */
    uint32_t events;             /* queued */
    uint32_t event_bytes;
    uint32_t reply_bytes;
    uint32_t credits;            /* tied to what is queued */
};

void outq_fini(struct outq *q);              /* a zeroed one is ready to use */

static inline bool outq_is_empty(const struct outq *q)
{
    return q->first == NULL;
}

/* `head` goes in front of `text`. Copied; or in `block` (from mem_get, the queue's from now on), which holds `text`; or
 * somewhere that outlives the queue. */
void outq_add(struct outq *q, enum out_kind kind, struct view head, struct view text);
void outq_add_block(struct outq *q, enum out_kind kind, struct view head, struct view text, void *block);
void outq_add_lasting(struct outq *q, enum out_kind kind, struct view head, struct view text);

/* Ties one credit to what is queued now. False: nothing is, so it is free at once. */
bool outq_hold_credit(struct outq *q);

/* The first node's rest, in at most OUTQ_PARTS parts. */
size_t outq_peek(const struct outq *q, struct view parts[OUTQ_PARTS]);
enum out_kind outq_first_kind(const struct outq *q);      /* of one that isn't empty */
/* Copies from the front what fits into `room`. */
size_t outq_gather(const struct outq *q, uint8_t *out, size_t room);
/* Forgets that many bytes from the front; returns how many credits came free. */
uint32_t outq_sent(struct outq *q, size_t size);
