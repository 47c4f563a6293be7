/* proto/seal/ipsec_mb.c - RTP with libipsec-mb (amd64).
 *
 * AES-GCM: the library's direct calls, one packet each; batches gain nothing there.
 * AES-CM:  all packets of a batch are encrypted by one call and hashed by another, which runs a packet per SIMD lane. A pass
 *          over the lanes costs the same for one packet as for a full set, so a remainder of less than LANES_WORTH is hashed
 *          one by one (hmac.c, which uses the CPU's SHA instructions); see bench/seal.c for the numbers.
 * In place only, and tags go to a scratch of 12 bytes: the library knows no tag of 10. */
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/mem.h"
#include "proto/seal/seal_internal.h"

#define IMB_TAG      12u           /* RFC 2404's 96 bits: what the library wants for HMAC-SHA1 */
#define AES128_ROUND_KEYS (11u * 16u)
#define LANES_AVX512 16u
#define LANES_AVX2   8u
#define GCM_ALIGN    64u
#define LANES_WORTH  5u

/* One packet of an AES-CM batch. */
struct cm_packet {
    struct seal_job *job;
    size_t size;                   /* without tag */
    uint8_t tag[SEAL_CM_TAG];      /* received */
};

struct seal_mb {
    IMB_MGR *mgr;
    const char *name;
    unsigned lanes;
    IMB_JOB cipher[SEAL_BATCH];
    IMB_JOB hash[SEAL_BATCH];
    uint8_t iv[SEAL_BATCH][16];
    uint8_t tag[SEAL_BATCH][SEAL_SHA1_SIZE];
    struct cm_packet packets[SEAL_BATCH];      /* the batch being filled */
    struct gcm_key_data *gcm;      /* of seal_mb_gcm's last key, in gcm_room: the library wants it aligned */
    uint8_t gcm_room[sizeof(struct gcm_key_data) + GCM_ALIGN];
    uint8_t gcm_key[SEAL_KEY_MAX];
    uint32_t gcm_key_size;         /* 0: none yet */
};

static void prepare_jobs(struct seal_mb *mb)
{
    for (unsigned i = 0; i < SEAL_BATCH; i++) {
        mb->cipher[i].cipher_mode = IMB_CIPHER_CNTR;
        mb->cipher[i].cipher_direction = IMB_DIR_ENCRYPT;      /* the same both ways */
        mb->cipher[i].key_len_in_bytes = IMB_KEY_128_BYTES;
        mb->cipher[i].iv = mb->iv[i];
        mb->cipher[i].iv_len_in_bytes = 16;
        mb->hash[i].hash_alg = IMB_AUTH_HMAC_SHA_1;
        mb->hash[i].auth_tag_output = mb->tag[i];
        mb->hash[i].auth_tag_output_len_in_bytes = IMB_TAG;
    }
}

struct seal_mb *seal_mb_new(bool use_avx512)
{
    IMB_MGR *mgr = alloc_mb_mgr(0);
    if (mgr == NULL)
        return NULL;
    bool avx512 = use_avx512 && (mgr->features & IMB_CPUFLAGS_AVX512) == IMB_CPUFLAGS_AVX512;
    bool avx2 = (mgr->features & IMB_CPUFLAGS_AVX2) == IMB_CPUFLAGS_AVX2;
    if (!avx2) {                   /* below that, OpenSSL is as good */
        free_mb_mgr(mgr);
        return NULL;
    }
    if (avx512)
        init_mb_mgr_avx512(mgr);
    else
        init_mb_mgr_avx2(mgr);
    if (imb_get_errno(mgr) != 0) {
        free_mb_mgr(mgr);
        return NULL;
    }
    struct seal_mb *mb = mem_get_zero(sizeof(*mb));
    mb->mgr = mgr;
    mb->gcm = (void *)(((uintptr_t)mb->gcm_room + GCM_ALIGN - 1) & ~(uintptr_t)(GCM_ALIGN - 1));
    mb->name = avx512 ? "ipsec-mb avx512" : "ipsec-mb avx2";
    mb->lanes = avx512 ? LANES_AVX512 : LANES_AVX2;
    prepare_jobs(mb);
    return mb;
}

void seal_mb_free(struct seal_mb *mb)
{
    if (mb == NULL)
        return;
    free_mb_mgr(mb->mgr);
    OPENSSL_cleanse(mb->gcm_room, sizeof(mb->gcm_room));
    OPENSSL_cleanse(mb->gcm_key, sizeof(mb->gcm_key));
    mem_put(mb);
}

const char *seal_mb_name(const struct seal_mb *mb)
{
    return mb->name;
}

size_t seal_mb_expanded_size(enum seal_profile profile)
{
    return seal_is_gcm(profile) ? sizeof(struct gcm_key_data) : AES128_ROUND_KEYS;
}

void seal_mb_expand(struct seal_mb *mb, struct seal_keys *keys, const uint8_t *key)
{
    if (keys->profile == SEAL_AEAD_AES_256_GCM) {
        IMB_AES256_GCM_PRE(mb->mgr, key, keys->expanded);
    } else if (keys->profile == SEAL_AEAD_AES_128_GCM) {
        IMB_AES128_GCM_PRE(mb->mgr, key, keys->expanded);
    } else {
        _Alignas(16) uint8_t unused[AES128_ROUND_KEYS];
        IMB_AES_KEYEXP_128(mb->mgr, key, keys->expanded, unused);
        OPENSSL_cleanse(unused, sizeof(unused));
    }
}

/* ---- AES-GCM ---- */

static void gcm_run(const struct seal_mb *mb, const struct seal_job *job, size_t size, uint8_t tag[SEAL_GCM_TAG], bool protect)
{
    struct gcm_context_data context;
    const struct seal_keys *keys = job->keys;
    uint8_t *payload = job->packet + job->header_size;
    size_t count = size - job->header_size;
    uint8_t iv[12];
    seal_iv_gcm(iv, keys->salt, job->packet + 8, job->index);
    bool wide = keys->profile == SEAL_AEAD_AES_256_GCM;
    aes_gcm_enc_dec_t run = protect ? (wide ? mb->mgr->gcm256_enc : mb->mgr->gcm128_enc)
                                    : (wide ? mb->mgr->gcm256_dec : mb->mgr->gcm128_dec);
    run(keys->expanded, &context, payload, payload, count, iv, job->packet, job->header_size, tag, SEAL_GCM_TAG);
}

static bool gcm_open(const struct seal_mb *mb, const struct seal_job *job)
{
    uint8_t tag[SEAL_GCM_TAG];
    size_t size = job->size - SEAL_GCM_TAG;
    gcm_run(mb, job, size, tag, false);
    return CRYPTO_memcmp(tag, job->packet + size, SEAL_GCM_TAG) == 0;
}

static void gcm_use_key(struct seal_mb *mb, const uint8_t *key, uint32_t size)
{
    if (mb->gcm_key_size == size && memcmp(mb->gcm_key, key, size) == 0)
        return;
    memcpy(mb->gcm_key, key, size);
    mb->gcm_key_size = size;
    if (size == IMB_KEY_256_BYTES)
        IMB_AES256_GCM_PRE(mb->mgr, key, mb->gcm);
    else
        IMB_AES128_GCM_PRE(mb->mgr, key, mb->gcm);
}

void seal_mb_gcm(struct seal_mb *mb, const struct seal_gcm *gcm)
{
    struct gcm_context_data context;
    CHECK(gcm->key_size == IMB_KEY_128_BYTES || gcm->key_size == IMB_KEY_256_BYTES);
    gcm_use_key(mb, gcm->key, gcm->key_size);
    bool wide = gcm->key_size == IMB_KEY_256_BYTES;
    aes_gcm_enc_dec_t run = gcm->decrypts ? (wide ? mb->mgr->gcm256_dec : mb->mgr->gcm128_dec)
                                          : (wide ? mb->mgr->gcm256_enc : mb->mgr->gcm128_enc);
    run(mb->gcm, &context, gcm->out, gcm->in.data, gcm->in.size, gcm->iv, gcm->aad.data, gcm->aad.size, gcm->tag, SEAL_GCM_TAG);
}

/* ---- AES-CM ---- */

/* Encrypts, or decrypts, the payloads; empty ones the library would refuse. */
static void cm_crypt(struct seal_mb *mb, const struct cm_packet *packets, size_t count)
{
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct seal_job *job = packets[i].job;
        if (packets[i].size == job->header_size)
            continue;
        seal_iv_cm(mb->iv[used], job->keys->salt, job->packet + 8, job->index);
        IMB_JOB *imb = &mb->cipher[used++];
        imb->enc_keys = imb->dec_keys = job->keys->expanded;
        imb->src = job->packet;
        imb->dst = job->packet + job->header_size;
        imb->cipher_start_src_offset_in_bytes = job->header_size;
        imb->msg_len_to_cipher_in_bytes = packets[i].size - job->header_size;
    }
    if (used == 0)
        return;
    uint32_t done = IMB_SUBMIT_CIPHER_BURST_NOCHECK(mb->mgr, mb->cipher, used, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                                    IMB_KEY_128_BYTES);
    CHECK(done == used);
}

/* Tags into mb->tag. The roll-over counter is hashed behind the packet, so it is put there: where the tag goes, or was. */
static void cm_hash(struct seal_mb *mb, const struct cm_packet *packets, size_t count)
{
    size_t rest = count % mb->lanes;
    size_t in_lanes = rest >= LANES_WORTH ? count : count - rest;
    for (size_t i = 0; i < count; i++) {
        const struct seal_job *job = packets[i].job;
        put_u32(job->packet + packets[i].size, (uint32_t)(job->index >> 16));
        if (i >= in_lanes) {
            seal_hmac_run(&job->keys->hmac, VIEW(job->packet, packets[i].size + SEAL_ROC_SIZE), VIEW(NULL, 0), mb->tag[i]);
            continue;
        }
        IMB_JOB *imb = &mb->hash[i];
        imb->src = job->packet;
        imb->hash_start_src_offset_in_bytes = 0;
        imb->msg_len_to_hash_in_bytes = packets[i].size + SEAL_ROC_SIZE;
        imb->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)job->keys->hmac.inner;
        imb->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)job->keys->hmac.outer;
    }
    if (in_lanes == 0)
        return;
    uint32_t done = IMB_SUBMIT_HASH_BURST_NOCHECK(mb->mgr, mb->hash, (uint32_t)in_lanes, IMB_AUTH_HMAC_SHA_1);
    CHECK(done == in_lanes);
}

static void cm_protect(struct seal_mb *mb, struct cm_packet *packets, size_t count)
{
    cm_crypt(mb, packets, count);
    cm_hash(mb, packets, count);
    for (size_t i = 0; i < count; i++) {
        struct seal_job *job = packets[i].job;
        memcpy(job->packet + packets[i].size, mb->tag[i], seal_tag_size(job->keys->profile));
        job->ok = true;
    }
}

static void cm_open(struct seal_mb *mb, struct cm_packet *packets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(packets[i].tag, packets[i].job->packet + packets[i].size, seal_tag_size(packets[i].job->keys->profile));
    cm_hash(mb, packets, count);
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        struct seal_job *job = packets[i].job;
        job->ok = CRYPTO_memcmp(mb->tag[i], packets[i].tag, seal_tag_size(job->keys->profile)) == 0;
        if (job->ok)
            packets[good++] = packets[i];
    }
    cm_crypt(mb, packets, good);
}

/* ---- batches ---- */

void seal_mb_protect(struct seal_mb *mb, struct seal_job *jobs, size_t count)
{
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++) {
        struct seal_job *job = &jobs[i];
        if (seal_is_gcm(job->keys->profile)) {
            gcm_run(mb, job, job->size, job->packet + job->size, true);
            job->ok = true;
            continue;
        }
        mb->packets[waiting++] = (struct cm_packet){.job = job, .size = job->size};
        if (waiting == SEAL_BATCH) {
            cm_protect(mb, mb->packets, waiting);
            waiting = 0;
        }
    }
    cm_protect(mb, mb->packets, waiting);
}

void seal_mb_open(struct seal_mb *mb, struct seal_job *jobs, size_t count)
{
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++) {
        struct seal_job *job = &jobs[i];
        size_t tag = seal_tag_size(job->keys->profile);
        if (job->size < job->header_size + tag) {
            job->ok = false;
            continue;
        }
        if (seal_is_gcm(job->keys->profile)) {
            job->ok = gcm_open(mb, job);
            continue;
        }
        mb->packets[waiting++] = (struct cm_packet){.job = job, .size = job->size - tag};
        if (waiting == SEAL_BATCH) {
            cm_open(mb, mb->packets, waiting);
            waiting = 0;
        }
    }
    cm_open(mb, mb->packets, waiting);
}
