#include "base/rng.h"

#include <stdio.h>
#include <string.h>

void rng_init(struct rng *rng, void (*fill)(void *source, uint8_t *out, size_t size), void *source)
{
    *rng = (struct rng){.fill = fill, .source = source};
}

void rng_bytes(struct rng *rng, void *out, size_t size)
{
    uint8_t *to = out;
    while (size > 0) {
        if (rng->left == 0) {
            rng->fill(rng->source, rng->stock, sizeof(rng->stock));
            rng->left = sizeof(rng->stock);
        }
        size_t part = size < rng->left ? size : rng->left;
        uint8_t *from = rng->stock + sizeof(rng->stock) - rng->left;
        memcpy(to, from, part);
        memset(from, 0, part);           /* what was given out is not kept */
        to += part;
        size -= part;
        rng->left -= (uint32_t)part;
    }
}

uint32_t rng_u32(struct rng *rng)
{
    uint32_t v;
    rng_bytes(rng, &v, sizeof(v));
    return v;
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t v;
    rng_bytes(rng, &v, sizeof(v));
    return v;
}

uint64_t rng_id53(struct rng *rng)
{
    uint64_t v;
    do
        v = rng_u64(rng) & 0x1FFFFFFFFFFFFFu;
    while (v == 0);
    return v;
}

void rng_text(struct rng *rng, char *out, size_t chars)
{
    /* ice-char = ALPHA / DIGIT / "+" / "/": 64 of them, so six bits each. */
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < chars; i++) {
        uint8_t b;
        rng_bytes(rng, &b, 1);
        out[i] = alphabet[b & 63];
    }
    out[chars] = '\0';
}

void rng_uuid(struct rng *rng, char out[RNG_UUID_TEXT])
{
    uint8_t b[16];
    rng_bytes(rng, b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);         /* version 4, variant 10 */
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    snprintf(out, RNG_UUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5],
             b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}
