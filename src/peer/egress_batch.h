/* peer/egress_batch.h - everything that one worker's peers want to send in this turn, in order. Peers append; the worker
 * seals the lot over all keys at once and sends it (worker/egress.c). Owner: one worker.
 * A full batch drops and counts: the worker flushes long before, between inputs and between the packets of one. */
#pragma once

#include "base/net.h"
#include "proto/seal/seal.h"

#define EGRESS_ITEMS     16384u             /* its memory is touched as far as it is needed only */
#define EGRESS_BYTES     (EGRESS_ITEMS * 1280u)
#define EGRESS_PACKET    1500u              /* largest datagram that we make, seal included */
#define EGRESS_DRAIN_AT  256u               /* items that a drain takes: what was written is sealed and sent while the caches have it */
#define EGRESS_FLUSH_AT  512u               /* items waiting after which an input loop should flush */
#define EGRESS_STOP_AT   8192u              /* the same inside a batch of received packets: what is left is room for one packet's
                                               fan-out, so a source has at most so many receivers on a worker */

struct mline;

struct egress_item {
    struct net_tuple to;
    const struct seal_keys *keys;           /* NULL: as it is */
    struct mline *keep;                     /* keeps a copy of the sealed bytes (no RTX); NULL: nobody */
    uint64_t index;
    uint32_t offset;
    uint16_t header_size;
    uint16_t size;
};

/* Seals and sends all that is in the batch, and clears it; puts nothing into it. */
typedef void (*egress_drain)(void *owner);

struct egress_batch {
    egress_drain drain;                     /* NULL: the batch grows until somebody takes it */
    void *owner;
    struct egress_item *items;
    uint8_t *bytes;
    uint32_t count;
    uint32_t used;
    uint64_t dropped;
};

void egress_batch_init(struct egress_batch *batch);
void egress_batch_fini(struct egress_batch *batch);

/* Room for one packet of up to EGRESS_PACKET bytes, or NULL when full (counted). Not yet in the batch, which may have been drained
 * when this returns: a pointer into it is good until the next call. */
uint8_t *egress_reserve(struct egress_batch *batch);
/* Puts what was written at egress_reserve's address into the batch. `item` needs to, keys, keep, index, header_size, size. */
void egress_commit(struct egress_batch *batch, const struct egress_item *item);
/* A whole datagram that is sent as it is. */
void egress_raw(struct egress_batch *batch, const struct net_tuple *to, struct view datagram);

/* Seals in place, over all keys at once, whatever has keys. What fails (it never should) gets size 0: it must not be sent.
 * Returns how many that were. */
uint32_t egress_seal(struct egress_batch *batch, struct seal_shared *seal);

static inline void egress_clear(struct egress_batch *batch)
{
    batch->count = 0;
    batch->used = 0;
}
