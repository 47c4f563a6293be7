/* base/rng.h - random bytes for ids, credentials and SSRCs. The source is handed in by the shell (runtime: the system's
 * generator through OpenSSL; simulator: seeded), so nothing below it reads randomness on its own. Owner: one actor. */
#pragma once

#include "base/types.h"

struct rng {
    void (*fill)(void *source, uint8_t *out, size_t size);   /* cannot fail: the source aborts instead */
    void *source;
    uint32_t left;
    uint8_t stock[256];
};

void     rng_init(struct rng *rng, void (*fill)(void *source, uint8_t *out, size_t size), void *source);
void     rng_bytes(struct rng *rng, void *out, size_t size);
uint32_t rng_u32(struct rng *rng);
uint64_t rng_u64(struct rng *rng);
uint64_t rng_id53(struct rng *rng);                  /* 1 .. 2^53-1: exact in JavaScript (janus-api.md 1) */
void     rng_text(struct rng *rng, char *out, size_t chars);   /* `chars` ICE characters (RFC 8839 5.4) and a NUL */
#define RNG_UUID_TEXT 37u
void     rng_uuid(struct rng *rng, char out[RNG_UUID_TEXT]);     /* version 4 (RFC 9562 5.4), as text */
