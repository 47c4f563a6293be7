/* proto/seal/keys.c - session keys (RFC 3711 4.3 with AES-CM as the PRF; RFC 6188 and RFC 7714 section 11 for 256 bits). */
#include <openssl/crypto.h>
#include <string.h>

#include "base/check.h"
#include "proto/seal/seal_internal.h"

enum label {                       /* RFC 3711 4.3.2 */
    LABEL_RTP_KEY = 0,
    LABEL_RTP_AUTH = 1,
    LABEL_RTP_SALT = 2,
    LABEL_RTCP_KEY = 3,
    LABEL_RTCP_AUTH = 4,
    LABEL_RTCP_SALT = 5,
};

#define LABEL_PLACE 7u             /* key_id = label || 48 bits of index, at the right end of the 112 bits */
#define ALIGNMENT   64u            /* of libipsec-mb's key data */

void seal_derive(struct seal_shared *shared, const struct seal_master *master, uint8_t label, uint8_t *out, size_t size)
{
    uint8_t x[16] = {0};           /* (key_id xor master_salt) * 2^16; a 96-bit salt counts from the left too */
    memcpy(x, master->salt, seal_salt_size(master->profile));
    x[LABEL_PLACE] ^= label;
    const EVP_CIPHER *cipher = seal_key_size(master->profile) == 32 ? shared->ctr256 : shared->ctr128;
    int written = 0;
    memset(out, 0, size);
    int fine = EVP_EncryptInit_ex2(shared->scratch, cipher, master->key, x, NULL);
    CHECK(fine == 1);
    fine = EVP_EncryptUpdate(shared->scratch, out, &written, out, (int)size);
    CHECK(fine == 1);
    CHECK((size_t)written == size);
}

static void derive_session(struct seal_shared *shared, const struct seal_master *master, enum label first,
                           struct seal_session *out)
{
    *out = (struct seal_session){0};
    seal_derive(shared, master, (uint8_t)first, out->key, seal_key_size(master->profile));
    seal_derive(shared, master, (uint8_t)(first + 2), out->salt, seal_salt_size(master->profile));
    if (seal_is_gcm(master->profile))
        return;
    uint8_t auth[SEAL_SHA1_SIZE];
    seal_derive(shared, master, (uint8_t)(first + 1), auth, sizeof(auth));
    seal_hmac_init(&out->hmac, auth);
    OPENSSL_cleanse(auth, sizeof(auth));
}

/* OpenSSL's context with the key in it; each packet then only brings its IV. */
static EVP_CIPHER_CTX *new_cipher(struct seal_shared *shared, enum seal_profile profile, const uint8_t *key)
{
    const EVP_CIPHER *cipher = !seal_is_gcm(profile) ? shared->ctr128 :
        seal_key_size(profile) == 32 ? shared->gcm256 : shared->gcm128;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context != NULL && EVP_EncryptInit_ex2(context, cipher, key, NULL, NULL) != 1) {
        EVP_CIPHER_CTX_free(context);
        return NULL;
    }
    return context;
}

static void *align(void *p)
{
    return (void *)(((uintptr_t)p + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
}

static struct pool *pool_for(struct seal_shared *shared, enum seal_profile profile)
{
    return seal_is_gcm(profile) ? &shared->gcm : &shared->cm;
}

struct seal_keys *seal_keys_new(struct seal_shared *shared, const struct seal_master *master)
{
    if (seal_key_size(master->profile) == 0 || shared->cm.used + shared->gcm.used >= shared->keys_max)
        return NULL;
    struct pool *pool = pool_for(shared, master->profile);
    struct seal_keys *keys = pool_get(pool);
    if (keys == NULL)
        return NULL;
    keys->shared = shared;
    keys->profile = master->profile;

    struct seal_session rtp;
    derive_session(shared, master, LABEL_RTP_KEY, &rtp);
    derive_session(shared, master, LABEL_RTCP_KEY, &keys->rtcp);
    memcpy(keys->salt, rtp.salt, sizeof(keys->salt));
    keys->hmac = rtp.hmac;
    if (shared->mb != NULL) {
        keys->expanded = align(keys + 1);
        seal_mb_expand(shared->mb, keys, rtp.key);
    } else {
        keys->cipher = new_cipher(shared, master->profile, rtp.key);
    }
    OPENSSL_cleanse(&rtp, sizeof(rtp));
    if (keys->expanded == NULL && keys->cipher == NULL) {
        seal_keys_free(keys);
        return NULL;
    }
    return keys;
}

void seal_keys_free(struct seal_keys *keys)
{
    if (keys == NULL)
        return;
    struct pool *pool = pool_for(keys->shared, keys->profile);
    EVP_CIPHER_CTX_free(keys->cipher);
    OPENSSL_cleanse(keys, pool->item_size);
    pool_put(pool, keys);
}

enum seal_profile seal_keys_profile(const struct seal_keys *keys)
{
    return keys->profile;
}
