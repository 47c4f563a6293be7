/* proto/seal/seal.c - the shared state, and RTP with OpenSSL: one packet after the other, RFC 3711 3.3 and RFC 7714 8. */
#include "proto/seal/seal.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/mem.h"
#include "proto/seal/seal_internal.h"

#define POOL_ALIGNMENT_SLACK 64u

static size_t item_size(const struct seal_shared *shared, enum seal_profile profile)
{
    size_t size = sizeof(struct seal_keys);
    if (shared->mb != NULL)
        size += POOL_ALIGNMENT_SLACK + seal_mb_expanded_size(profile);
    return size;
}

struct seal_shared *seal_shared_new(enum seal_backend backend, uint32_t keys_max)
{
    struct seal_mb *mb = backend == SEAL_BACKEND_OPENSSL ? NULL : seal_mb_new(backend != SEAL_BACKEND_IPSEC_MB_AVX2);
    if (mb == NULL && backend != SEAL_BACKEND_OPENSSL && backend != SEAL_BACKEND_AUTO)
        return NULL;
    struct seal_shared *shared = mem_get_zero(sizeof(*shared));
    shared->keys_max = keys_max;
    shared->mb = mb;
    pool_init(&shared->cm, "seal_keys_cm", item_size(shared, SEAL_AES128_CM_SHA1_80), keys_max);
    pool_init(&shared->gcm, "seal_keys_gcm", item_size(shared, SEAL_AEAD_AES_256_GCM), keys_max);
    shared->ctr128 = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    shared->ctr256 = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    shared->gcm128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    shared->gcm256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    shared->scratch = EVP_CIPHER_CTX_new();
    if (shared->ctr128 == NULL || shared->ctr256 == NULL || shared->gcm128 == NULL || shared->gcm256 == NULL ||
        shared->scratch == NULL) {
        seal_shared_free(shared);
        return NULL;
    }
    return shared;
}

void seal_shared_free(struct seal_shared *shared)
{
    if (shared == NULL)
        return;
    pool_fini(&shared->cm);
    pool_fini(&shared->gcm);
    EVP_CIPHER_CTX_free(shared->scratch);
    EVP_CIPHER_free(shared->ctr128);
    EVP_CIPHER_free(shared->ctr256);
    EVP_CIPHER_free(shared->gcm128);
    EVP_CIPHER_free(shared->gcm256);
    seal_mb_free(shared->mb);
    mem_put(shared);
}

bool seal_gcm_run(struct seal_shared *shared, const struct seal_gcm *gcm)
{
    if (shared->mb == NULL)
        return false;
    seal_mb_gcm(shared->mb, gcm);
    return true;
}

const char *seal_backend_name(const struct seal_shared *shared)
{
    return shared->mb != NULL ? seal_mb_name(shared->mb) : "openssl";
}

/* ---- AES-CM and HMAC-SHA1 ---- */

static bool cm_crypt(const struct seal_job *job, size_t size)
{
    const struct seal_keys *keys = job->keys;
    uint8_t *payload = job->packet + job->header_size;
    uint8_t iv[16];
    int written;
    if (size == 0)
        return true;
    seal_iv_cm(iv, keys->salt, job->packet + 8, job->index);
    return EVP_EncryptInit_ex2(keys->cipher, NULL, NULL, iv, NULL) == 1 &&
           EVP_EncryptUpdate(keys->cipher, payload, &written, payload, (int)size) == 1;
}

static void cm_tag(const struct seal_job *job, size_t size, uint8_t tag[SEAL_SHA1_SIZE])
{
    uint8_t roc[SEAL_ROC_SIZE];
    put_u32(roc, (uint32_t)(job->index >> 16));
    seal_hmac_run(&job->keys->hmac, VIEW(job->packet, size), VIEW(roc, sizeof(roc)), tag);
}

static bool cm_protect(struct seal_job *job)
{
    uint8_t tag[SEAL_SHA1_SIZE];
    if (!cm_crypt(job, (size_t)job->size - job->header_size))
        return false;
    cm_tag(job, job->size, tag);
    memcpy(job->packet + job->size, tag, seal_tag_size(job->keys->profile));
    return true;
}

static bool cm_open(struct seal_job *job, size_t size)
{
    uint8_t tag[SEAL_SHA1_SIZE];
    cm_tag(job, size, tag);
    if (CRYPTO_memcmp(tag, job->packet + size, seal_tag_size(job->keys->profile)) != 0)
        return false;
    return cm_crypt(job, size - job->header_size);
}

/* ---- AES-GCM ---- */

static bool gcm_begin(const struct seal_job *job, int encrypt)
{
    uint8_t iv[12];
    int written;
    seal_iv_gcm(iv, job->keys->salt, job->packet + 8, job->index);
    return EVP_CipherInit_ex2(job->keys->cipher, NULL, NULL, iv, encrypt, NULL) == 1 &&
           EVP_CipherUpdate(job->keys->cipher, NULL, &written, job->packet, job->header_size) == 1;
}

static bool gcm_payload(const struct seal_job *job, size_t size)
{
    uint8_t *payload = job->packet + job->header_size;
    int written;
    return size == 0 || EVP_CipherUpdate(job->keys->cipher, payload, &written, payload, (int)size) == 1;
}

static bool gcm_protect(struct seal_job *job)
{
    EVP_CIPHER_CTX *cipher = job->keys->cipher;
    int written;
    return gcm_begin(job, 1) && gcm_payload(job, (size_t)job->size - job->header_size) &&
           EVP_CipherFinal_ex(cipher, job->packet + job->size, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_GCM_TAG, job->packet + job->size) == 1;
}

static bool gcm_open(struct seal_job *job, size_t size)
{
    EVP_CIPHER_CTX *cipher = job->keys->cipher;
    uint8_t nothing[16];
    int written;
    return gcm_begin(job, 0) &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_GCM_TAG, job->packet + size) == 1 &&
           gcm_payload(job, size - job->header_size) && EVP_CipherFinal_ex(cipher, nothing, &written) == 1;
}

/* ---- both directions, both backends ---- */

/* The caller's promises. Sizes of what arrives are not among them: see seal_open. */
static void check_job(const struct seal_shared *shared, const struct seal_job *job)
{
    CHECK(job->keys->shared == shared);
    CHECK(job->index >> 48 == 0);
    CHECK(job->header_size >= SEAL_RTP_MIN);
}

void seal_protect(struct seal_shared *shared, struct seal_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_job(shared, &jobs[i]);
        CHECK(jobs[i].size >= jobs[i].header_size);
        CHECK(jobs[i].size <= UINT16_MAX - SEAL_ROOM);
    }
    if (shared->mb != NULL) {
        seal_mb_protect(shared->mb, jobs, count);
    } else {
        for (size_t i = 0; i < count; i++)
            jobs[i].ok = seal_is_gcm(jobs[i].keys->profile) ? gcm_protect(&jobs[i]) : cm_protect(&jobs[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (jobs[i].ok)
            jobs[i].size = (uint16_t)(jobs[i].size + seal_tag_size(jobs[i].keys->profile));
}

static bool openssl_open(struct seal_job *job)
{
    size_t tag = seal_tag_size(job->keys->profile);
    if (job->size < job->header_size + tag)
        return false;
    size_t size = job->size - tag;
    return seal_is_gcm(job->keys->profile) ? gcm_open(job, size) : cm_open(job, size);
}

void seal_open(struct seal_shared *shared, struct seal_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_job(shared, &jobs[i]);
    if (shared->mb != NULL) {
        seal_mb_open(shared->mb, jobs, count);
    } else {
        for (size_t i = 0; i < count; i++)
            jobs[i].ok = openssl_open(&jobs[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (jobs[i].ok)
            jobs[i].size = (uint16_t)(jobs[i].size - seal_tag_size(jobs[i].keys->profile));
}
