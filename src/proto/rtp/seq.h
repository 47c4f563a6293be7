/* proto/rtp/seq.h - arithmetic on 16-bit sequence numbers and 32-bit timestamps that wrap (RFC 1982 in spirit). */
#pragma once

#include "base/types.h"

/* a - b on the circle: positive when a is newer. Exactly half a circle apart counts as older. */
static inline int16_t seq_diff(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

static inline bool seq_newer(uint16_t a, uint16_t b)
{
    return seq_diff(a, b) > 0;
}

static inline int32_t ts_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool ts_newer(uint32_t a, uint32_t b)
{
    return ts_diff(a, b) > 0;
}

/* Extends 16-bit numbers to 64 bits by nearness to the newest one seen. Starts at SEQ_UNWRAP_BASE + the first number, so
 * that a packet from just before the first has a place too. Zeroed is initialised. */
#define SEQ_UNWRAP_BASE 65536u

struct seq_unwrap {
    uint64_t newest;               /* 0: nothing seen yet */
};

/* The extended number without taking note of it. */
static inline uint64_t seq_unwrap_peek(const struct seq_unwrap *unwrap, uint16_t seq)
{
    if (unwrap->newest == 0)
        return SEQ_UNWRAP_BASE + (uint64_t)seq;
    return unwrap->newest + (uint64_t)(int64_t)seq_diff(seq, (uint16_t)unwrap->newest);
}

static inline uint64_t seq_unwrap_next(struct seq_unwrap *unwrap, uint16_t seq)
{
    uint64_t extended = seq_unwrap_peek(unwrap, seq);
    if (extended > unwrap->newest)
        unwrap->newest = extended;
    return extended;
}
