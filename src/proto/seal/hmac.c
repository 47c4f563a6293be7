/* proto/seal/hmac.c - HMAC-SHA1 (RFC 2104) from the states after its two key blocks, so that a key costs its two blocks
 * once and 40 bytes. OpenSSL's low-level SHA-1 is called: it is what lets a state be kept as five words; the EVP
 * interface wants about 1 KB of heap per key for the same. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "proto/seal/seal_internal.h"

#define BLOCK 64u                  /* of SHA-1, in bytes */

static void save(uint32_t words[5], const SHA_CTX *sha)
{
    words[0] = (uint32_t)sha->h0;
    words[1] = (uint32_t)sha->h1;
    words[2] = (uint32_t)sha->h2;
    words[3] = (uint32_t)sha->h3;
    words[4] = (uint32_t)sha->h4;
}

/* The state after one block. */
static void load(SHA_CTX *sha, const uint32_t words[5])
{
    SHA1_Init(sha);
    sha->h0 = words[0];
    sha->h1 = words[1];
    sha->h2 = words[2];
    sha->h3 = words[3];
    sha->h4 = words[4];
    sha->Nl = BLOCK * 8;
}

static void key_block(uint32_t words[5], const uint8_t key[SEAL_SHA1_SIZE], uint8_t pad)
{
    uint8_t block[BLOCK];
    memset(block, pad, sizeof(block));
    for (unsigned i = 0; i < SEAL_SHA1_SIZE; i++)
        block[i] ^= key[i];
    SHA_CTX sha;
    SHA1_Init(&sha);
    SHA1_Update(&sha, block, sizeof(block));
    save(words, &sha);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(&sha, sizeof(sha));
}

void seal_hmac_init(struct seal_hmac *hmac, const uint8_t key[SEAL_SHA1_SIZE])
{
    key_block(hmac->inner, key, 0x36);
    key_block(hmac->outer, key, 0x5C);
}

void seal_hmac_run(const struct seal_hmac *hmac, struct view message, struct view tail, uint8_t out[SEAL_SHA1_SIZE])
{
    SHA_CTX sha;
    load(&sha, hmac->inner);
    SHA1_Update(&sha, message.data, message.size);
    if (tail.size > 0)
        SHA1_Update(&sha, tail.data, tail.size);
    SHA1_Final(out, &sha);
    load(&sha, hmac->outer);
    SHA1_Update(&sha, out, SEAL_SHA1_SIZE);
    SHA1_Final(out, &sha);
}
