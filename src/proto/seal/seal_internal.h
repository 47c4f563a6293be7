/* proto/seal/seal_internal.h - what the files of this folder share; nobody else includes it.
 *
 *   profile.c   sizes, names, splitting the exporter's bytes
 *   stream.c    indexes and replay windows
 *   hmac.c      HMAC-SHA1 from saved pads, one message
 *   keys.c      derivation, seal_keys_new and _free
 *   seal.c      the shared state; RTP with OpenSSL
 *   ipsec_mb.c  RTP with libipsec-mb, where it was found
 *   seal_rtcp.c SRTCP */
#pragma once

#include <openssl/evp.h>

#include "proto/seal/seal.h"

#define SEAL_CM_TAG     10u        /* RFC 3711 5.2: 80 bits, for SRTCP always */
#define SEAL_CM_TAG_32  4u
#define SEAL_GCM_TAG    16u        /* RFC 7714 13.1 */
#define SEAL_SHA1_SIZE  20u
#define SEAL_RTP_MIN    12u
#define SEAL_ROC_SIZE   4u

/* SHA-1's state after the first block of HMAC, inner and outer; words in the machine's order. */
struct seal_hmac {
    uint32_t inner[5];
    uint32_t outer[5];
};

/* Session keys of one packet type, not expanded. */
struct seal_session {
    uint8_t key[SEAL_KEY_MAX];
    uint8_t salt[16];              /* 12 or 14 bytes, the rest zero */
    struct seal_hmac hmac;         /* CM only */
};

struct seal_keys {
    struct seal_shared *shared;
    enum seal_profile profile;
    uint8_t salt[16];              /* RTP */
    struct seal_hmac hmac;         /* RTP */
    struct seal_session rtcp;
    EVP_CIPHER_CTX *cipher;        /* RTP with OpenSSL; NULL with libipsec-mb */
    void *expanded;                /* RTP with libipsec-mb: a key schedule, aligned, in the same pool item; NULL with OpenSSL */
};

struct seal_mb;                    /* libipsec-mb's manager and the scratch of a batch: ipsec_mb.c */

struct seal_shared {
    uint32_t keys_max;
    struct pool cm;
    struct pool gcm;
    EVP_CIPHER *ctr128;
    EVP_CIPHER *ctr256;
    EVP_CIPHER *gcm128;
    EVP_CIPHER *gcm256;
    EVP_CIPHER_CTX *scratch;       /* derivation and SRTCP: given a key per use */
    struct seal_mb *mb;            /* NULL: OpenSSL does RTP */
};

static inline bool seal_is_gcm(enum seal_profile profile)
{
    return profile == SEAL_AEAD_AES_128_GCM || profile == SEAL_AEAD_AES_256_GCM;
}

/* RFC 3711 4.1.1: IV = (salt * 2^16) xor (SSRC * 2^64) xor (index * 2^16) */
static inline void seal_iv_cm(uint8_t iv[16], const uint8_t salt[16], const uint8_t ssrc[4], uint64_t index)
{
    for (unsigned i = 0; i < 16; i++)
        iv[i] = salt[i];
    for (unsigned i = 0; i < 4; i++)
        iv[4 + i] ^= ssrc[i];
    for (unsigned i = 0; i < 6; i++)
        iv[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

/* RFC 7714 8.1 (and 9.1, where a 31-bit SRTCP index fills the same place): 00 00 SSRC ROC SEQ, xor salt */
static inline void seal_iv_gcm(uint8_t iv[12], const uint8_t salt[16], const uint8_t ssrc[4], uint64_t index)
{
    for (unsigned i = 0; i < 12; i++)
        iv[i] = salt[i];
    for (unsigned i = 0; i < 4; i++)
        iv[2 + i] ^= ssrc[i];
    for (unsigned i = 0; i < 6; i++)
        iv[6 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

/* Is it seen, or too old to tell? `size` is a multiple of 64. */
bool seal_window_has(const uint64_t *bits, uint64_t size, uint64_t highest, uint64_t index);
void seal_window_add(uint64_t *bits, uint64_t size, uint64_t *highest, uint64_t index);

void seal_hmac_init(struct seal_hmac *hmac, const uint8_t key[SEAL_SHA1_SIZE]);
/* HMAC of `message` and then `tail` (the ROC of SRTP; may be empty). */
void seal_hmac_run(const struct seal_hmac *hmac, struct view message, struct view tail, uint8_t out[SEAL_SHA1_SIZE]);

/* Derives one session key by label (RFC 3711 4.3.1, 4.3.3). */
void seal_derive(struct seal_shared *shared, const struct seal_master *master, uint8_t label, uint8_t *out, size_t size);

/* ipsec_mb.c, or the same names refusing in a build without it. */
struct seal_mb *seal_mb_new(bool use_avx512);                  /* NULL: this CPU has no use for it */
void seal_mb_free(struct seal_mb *mb);
const char *seal_mb_name(const struct seal_mb *mb);
size_t seal_mb_expanded_size(enum seal_profile profile);
void seal_mb_expand(struct seal_mb *mb, struct seal_keys *keys, const uint8_t *key);
void seal_mb_gcm(struct seal_mb *mb, const struct seal_gcm *gcm);
void seal_mb_protect(struct seal_mb *mb, struct seal_job *jobs, size_t count);
void seal_mb_open(struct seal_mb *mb, struct seal_job *jobs, size_t count);
