/* runtime/ring.h - how two threads meet: a single-producer single-consumer ring of 64-byte cells (CTRL), one of bytes (lane,
 * for MEDIA and log lines), and a doorbell that is rung only when the receiver sleeps.
 * One thread may call the push side, one the pop side. Nothing here blocks. */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>

#include "base/types.h"

#define RING_CELL_BYTES 64u
#define RING_INLINE_MAX 48u

enum { CELL_BLOCK = 1 };            /* the payload is a pointer to a block, not inline bytes */

struct ring_cell {
    uint16_t type;
    uint8_t from;
    uint8_t flags;
    uint32_t size;
    struct ref op;
    union {
        alignas(16) uint8_t bytes[RING_INLINE_MAX];
        void *block;
    };
};

/* head and tail only grow (and wrap as unsigned): tail - head is what lies in the ring. Each side keeps its own copy of the
 * other's counter and looks at the shared one only when its copy says full (or empty). */
struct ring {
    alignas(64) _Atomic uint32_t tail;      /* written by the producer */
    uint32_t head_seen;
    alignas(64) _Atomic uint32_t head;      /* written by the consumer */
    uint32_t tail_seen;
    alignas(64) struct ring_cell *cells;
    uint32_t mask;
};

void ring_init(struct ring *ring, uint32_t cells);      /* a power of two; memory is mapped, untouched pages cost nothing */
void ring_fini(struct ring *ring);
bool ring_push(struct ring *ring, const struct ring_cell *cell);       /* false: full */
struct ring_cell *ring_peek(struct ring *ring);         /* the oldest, in place until ring_pop; NULL: empty */
void ring_pop(struct ring *ring);
/* Consumer's side: a mark behind all that lies in the ring now, and whether all before a mark has been popped. */
uint32_t ring_mark(struct ring *ring);
bool ring_is_past(struct ring *ring, uint32_t mark);
uint32_t ring_used(struct ring *ring);                  /* consumer's side: cells that lie in it */

/* Records lie in one piece, 8-byte aligned, behind a 4-byte size; one that would wrap is preceded by a filler. */
struct lane {
    alignas(64) _Atomic uint64_t tail;
    uint64_t head_seen;
    alignas(64) _Atomic uint64_t head;
    uint64_t tail_seen;
    uint64_t reading;                       /* size of the record that lane_peek showed */
    alignas(64) uint8_t *bytes;
    size_t size;
};

void lane_init(struct lane *lane, size_t bytes);        /* a power of two, at least 4 records of the largest size */
void lane_fini(struct lane *lane);
bool lane_push(struct lane *lane, struct view head, struct view body);     /* false: full */
bool lane_peek(struct lane *lane, struct view *record); /* in place until lane_pop */
void lane_pop(struct lane *lane);
bool lane_is_empty(struct lane *lane);                  /* consumer's side */
uint64_t lane_mark(struct lane *lane);                  /* as ring_mark */
bool lane_is_past(struct lane *lane, uint64_t mark);
uint64_t lane_used(struct lane *lane);                  /* consumer's side: bytes that lie in it */

/* The sleeping receiver. Receiver: doorbell_arm, look at every ring once more, then either wait on `fd` or doorbell_disarm.
 * Sender: push, then doorbell_ring: true when the receiver had to be woken. Between "say I sleep" and "look again", and between
 * "push" and "does it sleep", both sides need store-then-load order: doorbell_fence, the only seq_cst fence in the code. */
struct doorbell {
    alignas(64) _Atomic uint32_t sleeping;
    int fd;                                 /* an eventfd */
};

bool doorbell_open(struct doorbell *bell);              /* false: errno */
void doorbell_close(struct doorbell *bell);
void doorbell_fence(void);
void doorbell_arm(struct doorbell *bell);
void doorbell_disarm(struct doorbell *bell);
bool doorbell_ring(struct doorbell *bell);              /* after doorbell_fence, which may serve several bells */
void doorbell_drain(struct doorbell *bell);             /* after waking: empties the eventfd */
