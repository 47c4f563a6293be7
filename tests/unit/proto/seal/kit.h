/* tests/unit/proto/seal/kit.h - what the seal tests share: backends, keys, packets from a seeded generator. */
#pragma once

#include "support/seams.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/seal/seal.h"
#include "proto/seal/seal_internal.h"

#define KIT_PACKET_MAX 1500u

static const enum seal_profile kit_profiles[] = {
    SEAL_AES128_CM_SHA1_80, SEAL_AES128_CM_SHA1_32, SEAL_AEAD_AES_128_GCM, SEAL_AEAD_AES_256_GCM,
};

static const enum seal_backend kit_backends[] = {
    SEAL_BACKEND_OPENSSL, SEAL_BACKEND_IPSEC_MB, SEAL_BACKEND_IPSEC_MB_AVX2,
};

struct kit_random {
    uint64_t state;
};

static inline uint32_t kit_u32(struct kit_random *r)
{
    r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(r->state >> 33 ^ r->state >> 20);
}

static inline void kit_bytes(struct kit_random *r, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(kit_u32(r) >> 8);
}

static inline struct seal_master kit_master(struct kit_random *r, enum seal_profile profile)
{
    struct seal_master master = {.profile = profile};
    kit_bytes(r, master.key, seal_key_size(profile));
    kit_bytes(r, master.salt, seal_salt_size(profile));
    return master;
}

/* A packet with `csrcs` CSRCs and `words` of extension (0: no X bit); returns its header's size. */
static inline size_t kit_header(uint8_t *packet, struct kit_random *r, uint16_t seq, uint32_t ssrc, unsigned csrcs, unsigned words)
{
    packet[0] = (uint8_t)(0x80 | csrcs | (words > 0 ? 0x10 : 0));
    packet[1] = 96;
    put_u16(packet + 2, seq);
    put_u32(packet + 4, kit_u32(r));
    put_u32(packet + 8, ssrc);
    size_t size = 12;
    kit_bytes(r, packet + size, 4 * csrcs);
    size += 4 * csrcs;
    if (words > 0) {
        put_u16(packet + size, 0xBEDE);
        put_u16(packet + size + 2, (uint16_t)words);
        kit_bytes(r, packet + size + 4, 4 * words);
        size += 4 + 4 * words;
    }
    return size;
}

static inline size_t kit_hex(uint8_t *out, const char *text)
{
    size_t size = 0;
    unsigned digits = 0;
    unsigned value = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == '\n')
            continue;
        value = value << 4 | (unsigned)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
        if (++digits % 2 == 0) {
            out[size++] = (uint8_t)value;
            value = 0;
        }
    }
    return size;
}
