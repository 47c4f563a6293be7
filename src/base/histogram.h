/* base/histogram.h - how long things took, in buckets that double: up to 16 us, 32 us ... 4.2 s, and beyond. Adding costs about ten
 * instructions and no memory. Owner: whoever embeds it; zeroed is empty. */
#pragma once

#include "base/types.h"

#define HISTOGRAM_BUCKETS    20u            /* the last one has no bound */
#define HISTOGRAM_FIRST_BITS 4u             /* the first one ends at 2^4 us */

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];    /* each value in one of them */
    uint64_t sum_us;
};

/* The largest value of a bucket; the last has none: USEC_NEVER. */
static inline usec_t histogram_bound_us(unsigned bucket)
{
    return bucket + 1 >= HISTOGRAM_BUCKETS ? USEC_NEVER : (usec_t)1 << (bucket + HISTOGRAM_FIRST_BITS);
}

static inline void histogram_add(struct histogram *h, usec_t us)
{
    const unsigned bits = us <= 1 ? 0 : 64u - (unsigned)__builtin_clzll(us - 1);
    const unsigned bucket = bits <= HISTOGRAM_FIRST_BITS ? 0 : bits - HISTOGRAM_FIRST_BITS;
    h->buckets[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]++;
    h->sum_us += us;
}

static inline uint64_t histogram_count(const struct histogram *h)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += h->buckets[i];
    return count;
}
