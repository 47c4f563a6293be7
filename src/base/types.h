/* base/types.h - the few types that everything else speaks in. No I/O, no clock, no threads in this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Monotonic time in microseconds. Always a parameter called `now`; nothing below runtime reads a clock. */
typedef uint64_t usec_t;

#define USEC_NEVER UINT64_MAX
#define MSEC(n)    ((usec_t)(n) * 1000u)
#define SEC(n)     ((usec_t)(n) * 1000000u)

static inline usec_t usec_min(usec_t a, usec_t b)
{
    return a < b ? a : b;
}

/* Saturating: USEC_NEVER stays USEC_NEVER. */
static inline usec_t usec_add(usec_t a, usec_t b)
{
    return a > USEC_NEVER - b ? USEC_NEVER : a + b;
}

/* Deadlines that need not be exact are rounded up to a grid that all share: a thousand idle peers then wake their worker some
 * twenty times a second, not thousands. */
#define USEC_GRID MSEC(50)

static inline usec_t usec_on_grid(usec_t at)
{
    return at + (USEC_GRID - at % USEC_GRID) % USEC_GRID;
}

/* Bytes that somebody else owns; valid during the call that got them, unless its header says longer. */
struct view {
    const uint8_t *data;
    size_t size;
};

#define VIEW(ptr, len) ((struct view){(const uint8_t *)(ptr), (size_t)(len)})

/* A name of an object that lives in another actor or in a table that outlives the call (design rule 5).
 * Generation 0 is never given out, so a zeroed ref names nobody. */
struct ref {
    uint32_t slot;
    uint32_t generation;
};

#define REF_NONE ((struct ref){0, 0})

static inline bool ref_is_none(struct ref r)
{
    return r.generation == 0;
}

static inline bool ref_equal(struct ref a, struct ref b)
{
    return a.slot == b.slot && a.generation == b.generation;
}

static inline uint64_t ref_pack(struct ref r)
{
    return (uint64_t)r.generation << 32 | r.slot;
}

static inline struct ref ref_unpack(uint64_t v)
{
    return (struct ref){(uint32_t)v, (uint32_t)(v >> 32)};
}

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
