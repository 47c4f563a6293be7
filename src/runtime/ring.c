/* The three things that two threads share.
 *
 * ring and lane: the producer writes the bytes, then publishes them by a release store of `tail`; the consumer's acquire load
 * of `tail` makes them visible. The same pair on `head` gives the room back. Nobody ever reads what the other may be writing:
 *
 *      head <= tail <= head + size        [head, tail) is the consumer's, the rest is the producer's
 *
 * doorbell: see doorbell_fence. */
#include "runtime/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "runtime/actor.h"

_Static_assert(sizeof(struct ring_cell) == RING_CELL_BYTES, "a cell is one cache line");
_Static_assert(RING_INLINE_MAX == MESSAGE_INLINE_MAX, "actor.h and ring.h agree");

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static void *map_pages(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(pages != MAP_FAILED);
    return pages;
}

/* ---- cells */

void ring_init(struct ring *ring, uint32_t cells)
{
    CHECK(is_power_of_two(cells));
    memset(ring, 0, sizeof(*ring));
    ring->cells = map_pages((size_t)cells * sizeof(struct ring_cell));
    ring->mask = cells - 1;
}

void ring_fini(struct ring *ring)
{
    if (ring->cells != NULL)
        munmap(ring->cells, ((size_t)ring->mask + 1) * sizeof(struct ring_cell));
    ring->cells = NULL;
}

bool ring_push(struct ring *ring, const struct ring_cell *cell)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail - ring->head_seen > ring->mask) {
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail - ring->head_seen > ring->mask)
            return false;
    }
    ring->cells[tail & ring->mask] = *cell;
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

struct ring_cell *ring_peek(struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head == ring->tail_seen) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->tail_seen)
            return NULL;
    }
    return &ring->cells[head & ring->mask];
}

void ring_pop(struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    CHECK(head != ring->tail_seen);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

uint32_t ring_mark(struct ring *ring)
{
    return atomic_load_explicit(&ring->tail, memory_order_acquire);
}

bool ring_is_past(struct ring *ring, uint32_t mark)
{
    return (int32_t)(atomic_load_explicit(&ring->head, memory_order_relaxed) - mark) >= 0;
}

uint32_t ring_used(struct ring *ring)
{
    return ring_mark(ring) - atomic_load_explicit(&ring->head, memory_order_relaxed);
}

/* ---- bytes */

#define LANE_ALIGN  8u
#define LANE_HEADER 8u                  /* size (4 bytes) and padding, so that records are aligned */
#define LANE_FILLER UINT32_MAX          /* in place of a size: the rest of the buffer is unused */

static size_t lane_room_for(size_t size)
{
    return (LANE_HEADER + size + LANE_ALIGN - 1) & ~(size_t)(LANE_ALIGN - 1);
}

void lane_init(struct lane *lane, size_t bytes)
{
    CHECK(is_power_of_two(bytes));
    CHECK(bytes >= 4 * lane_room_for(RELAY_RECORD_MAX));
    memset(lane, 0, sizeof(*lane));
    lane->bytes = map_pages(bytes);
    lane->size = bytes;
}

void lane_fini(struct lane *lane)
{
    if (lane->bytes != NULL)
        munmap(lane->bytes, lane->size);
    lane->bytes = NULL;
}

static bool lane_has_room(struct lane *lane, uint64_t tail, size_t need)
{
    if (tail + need - lane->head_seen <= lane->size)
        return true;
    lane->head_seen = atomic_load_explicit(&lane->head, memory_order_acquire);
    return tail + need - lane->head_seen <= lane->size;
}

bool lane_push(struct lane *lane, struct view head, struct view body)
{
    size_t size = head.size + body.size;
    CHECK(size <= RELAY_RECORD_MAX);
    size_t need = lane_room_for(size);
    uint64_t tail = atomic_load_explicit(&lane->tail, memory_order_relaxed);
    size_t at = (size_t)(tail & (lane->size - 1));
    size_t to_end = lane->size - at;
    size_t filler = to_end < need ? to_end : 0;
    if (!lane_has_room(lane, tail, filler + need))
        return false;
    if (filler > 0) {
        memcpy(lane->bytes + at, &(uint32_t){LANE_FILLER}, sizeof(uint32_t));
        at = 0;
    }
    uint8_t *to = lane->bytes + at;
    memcpy(to, &(uint32_t){(uint32_t)size}, sizeof(uint32_t));
    if (head.size > 0)
        memcpy(to + LANE_HEADER, head.data, head.size);
    if (body.size > 0)
        memcpy(to + LANE_HEADER + head.size, body.data, body.size);
    atomic_store_explicit(&lane->tail, tail + filler + need, memory_order_release);
    return true;
}

bool lane_is_empty(struct lane *lane)
{
    uint64_t head = atomic_load_explicit(&lane->head, memory_order_relaxed);
    if (head != lane->tail_seen)
        return false;
    lane->tail_seen = atomic_load_explicit(&lane->tail, memory_order_acquire);
    return head == lane->tail_seen;
}

bool lane_peek(struct lane *lane, struct view *record)
{
    if (lane_is_empty(lane))
        return false;
    uint64_t head = atomic_load_explicit(&lane->head, memory_order_relaxed);
    size_t at = (size_t)(head & (lane->size - 1));
    size_t skipped = 0;
    uint32_t size;
    memcpy(&size, lane->bytes + at, sizeof(size));
    if (size == LANE_FILLER) {
        skipped = lane->size - at;
        at = 0;
        memcpy(&size, lane->bytes, sizeof(size));
    }
    CHECK(size <= RELAY_RECORD_MAX);
    *record = VIEW(lane->bytes + at + LANE_HEADER, size);
    lane->reading = skipped + lane_room_for(size);
    return true;
}

void lane_pop(struct lane *lane)
{
    CHECK(lane->reading > 0);
    uint64_t head = atomic_load_explicit(&lane->head, memory_order_relaxed);
    atomic_store_explicit(&lane->head, head + lane->reading, memory_order_release);
    lane->reading = 0;
}

uint64_t lane_mark(struct lane *lane)
{
    return atomic_load_explicit(&lane->tail, memory_order_acquire);
}

bool lane_is_past(struct lane *lane, uint64_t mark)
{
    return atomic_load_explicit(&lane->head, memory_order_relaxed) >= mark;
}

uint64_t lane_used(struct lane *lane)
{
    return lane_mark(lane) - atomic_load_explicit(&lane->head, memory_order_relaxed);
}

/* ---- doorbell */

bool doorbell_open(struct doorbell *bell)
{
    atomic_init(&bell->sleeping, 0);
    bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return bell->fd >= 0;
}

void doorbell_close(struct doorbell *bell)
{
    if (bell->fd >= 0)
        close(bell->fd);
    bell->fd = -1;
}

/* The receiver stores `sleeping`, then loads the rings' tails; a sender stores a tail, then loads `sleeping`. Were both loads
 * allowed to overtake the stores before them, the receiver could miss the message and the sender the sleeper: a hang. Acquire
 * and release do not order a store before a later load; only this does. */
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"     /* no data race hides behind the fence: all that it orders is atomic */
#endif
void doorbell_fence(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

void doorbell_arm(struct doorbell *bell)
{
    atomic_store_explicit(&bell->sleeping, 1, memory_order_relaxed);
    doorbell_fence();
}

void doorbell_disarm(struct doorbell *bell)
{
    atomic_store_explicit(&bell->sleeping, 0, memory_order_relaxed);
}

bool doorbell_ring(struct doorbell *bell)
{
    if (atomic_load_explicit(&bell->sleeping, memory_order_relaxed) == 0)
        return false;
    /* Of several senders, one writes. */
    if (atomic_exchange_explicit(&bell->sleeping, 0, memory_order_relaxed) == 0)
        return false;
    uint64_t one = 1;
    ssize_t written = write(bell->fd, &one, sizeof(one));
    CHECK(written == (ssize_t)sizeof(one) || errno == EAGAIN);     /* EAGAIN: it is ringing already */
    return true;
}

void doorbell_drain(struct doorbell *bell)
{
    uint64_t count;
    ssize_t got = read(bell->fd, &count, sizeof(count));
    CHECK(got == (ssize_t)sizeof(count) || errno == EAGAIN);
}
