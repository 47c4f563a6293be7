/* base/hash.h - keyed hashing for tables whose keys strangers choose (SipHash-1-3 construction), and a mixer for
 * integers that only we choose. */
#pragma once

#include "base/types.h"

struct hash_key {
    uint64_t k0, k1;        /* random, per actor */
};

uint64_t hash_bytes(const struct hash_key *key, struct view bytes);

static inline uint64_t hash_u64(const struct hash_key *key, uint64_t v)
{
    return hash_bytes(key, VIEW(&v, sizeof(v)));
}
