/* A protected record, and what is authenticated with it (RFC 5246 6.2.3.3, RFC 6347 4.1.2.1):
 *
 *     type 1 | version 2 | epoch 2 | seq 6 | length 2 | [explicit nonce 8, GCM only] | ciphertext | tag 16
 *     AAD:    epoch 2 | seq 6 | type 1 | version 2 | length of the plaintext 2
 *     nonce:  GCM  iv 4 | explicit 8            ChaCha20  iv 12 xor (0 4 | epoch 2 | seq 6)
 *
 * No (key, nonce) is used twice: ChaCha20's is the sequence number, which only grows; GCM's explicit half counts on from
 * the last one that OpenSSL used under the same key (see flight_note in handshake.c). */
#include "proto/dtls/record.h"

#define AAD_SIZE 13u
#define KEY_BLOCK_MAX (2u * (DTLS_KEY_MAX + DTLS_IV_MAX))

struct suite {
    const char *cipher;
    uint8_t key_size;
    uint8_t iv_size;
    uint8_t explicit_size;
};

static const struct suite suites[DTLS_SUITE_COUNT] = {
    [DTLS_SUITE_NONE] = {NULL, 0, 0, 0},
    [DTLS_SUITE_AES128_GCM] = {"AES-128-GCM", 16, 4, DTLS_GCM_EXPLICIT_SIZE},
    [DTLS_SUITE_AES256_GCM] = {"AES-256-GCM", 32, 4, DTLS_GCM_EXPLICIT_SIZE},
    [DTLS_SUITE_CHACHA20] = {"ChaCha20-Poly1305", 32, 12, 0},
};

bool dtls_header_next(struct reader *reader, struct dtls_header *out)
{
    if (reader_left(reader) == 0)
        return false;
    struct dtls_header h = {
        .type = read_u8(reader),
        .version = read_u16(reader),
        .epoch = read_u16(reader),
        .seq = read_u48(reader),
    };
    h.body = read_view(reader, read_u16(reader));
    if (reader_failed(reader))
        return false;
    *out = h;
    return true;
}

bool dtls_crypto_init(struct dtls_crypto *crypto)
{
    *crypto = (struct dtls_crypto){.kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL)};
    if (crypto->kdf == NULL)
        return false;
    for (int i = DTLS_SUITE_NONE + 1; i < DTLS_SUITE_COUNT; i++) {
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suites[i].cipher, NULL);
        crypto->ciphers[i] = EVP_CIPHER_CTX_new();
        bool fine = cipher != NULL && crypto->ciphers[i] != NULL &&
                    EVP_CipherInit_ex2(crypto->ciphers[i], cipher, NULL, NULL, 1, NULL) == 1;
        EVP_CIPHER_free(cipher);
        if (!fine)
            return false;
    }
    return true;
}

void dtls_crypto_fini(struct dtls_crypto *crypto)
{
    for (int i = 0; i < DTLS_SUITE_COUNT; i++)
        EVP_CIPHER_CTX_free(crypto->ciphers[i]);
    EVP_KDF_free(crypto->kdf);
    *crypto = (struct dtls_crypto){0};
}

static bool key_block(struct dtls_crypto *crypto, const struct dtls_secrets *s, uint8_t *out, size_t size)
{
    /* The parameter type has no const; the library only reads. Several seeds are joined (EVP_KDF-TLS1_PRF(7)). */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)s->digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)s->master.data, s->master.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)"key expansion", 13),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)s->server_random.data, s->server_random.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)s->client_random.data, s->client_random.size),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(crypto->kdf);
    bool fine = ctx != NULL && EVP_KDF_derive(ctx, out, size, params) == 1;
    EVP_KDF_CTX_free(ctx);
    return fine;
}

bool dtls_record_derive(struct dtls_record *record, struct dtls_crypto *crypto, const struct dtls_secrets *secrets,
                        bool is_client)
{
    const struct suite *suite = &suites[secrets->suite];
    uint8_t block[KEY_BLOCK_MAX];
    const size_t key = suite->key_size, iv = suite->iv_size;
    if (suite->cipher == NULL || secrets->digest == NULL || !key_block(crypto, secrets, block, 2 * (key + iv)))
        return false;
    /* client key, server key, client iv, server iv (RFC 5246 6.3; AEAD suites have no MAC keys) */
    const uint8_t *client_key = block, *server_key = client_key + key;
    const uint8_t *client_iv = server_key + key, *server_iv = client_iv + iv;
    record->suite = (uint8_t)secrets->suite;
    memcpy(record->write_key, is_client ? client_key : server_key, key);
    memcpy(record->read_key, is_client ? server_key : client_key, key);
    memcpy(record->write_iv, is_client ? client_iv : server_iv, iv);
    memcpy(record->read_iv, is_client ? server_iv : client_iv, iv);
    OPENSSL_cleanse(block, sizeof(block));
    return true;
}

static void write_number(struct writer *w, uint64_t seq)
{
    write_u16(w, DTLS_EPOCH);
    write_u48(w, seq);
}

static void write_aad(uint8_t out[AAD_SIZE], uint8_t type, uint64_t seq, size_t plain_size)
{
    struct writer w = writer_of(out, AAD_SIZE);
    write_number(&w, seq);
    write_u8(&w, type);
    write_u16(&w, DTLS_VERSION_1_2);
    write_u16(&w, (uint16_t)plain_size);
}

/* `explicit` is NULL for a suite without an explicit half. */
static void write_nonce(uint8_t out[DTLS_IV_MAX], const uint8_t *iv, const uint8_t *explicit, uint64_t seq)
{
    if (explicit != NULL) {
        memcpy(out, iv, DTLS_IV_MAX - DTLS_GCM_EXPLICIT_SIZE);
        memcpy(out + DTLS_IV_MAX - DTLS_GCM_EXPLICIT_SIZE, explicit, DTLS_GCM_EXPLICIT_SIZE);
        return;
    }
    struct writer w = writer_of(out, DTLS_IV_MAX);
    write_u32(&w, 0);
    write_number(&w, seq);
    for (size_t i = 0; i < DTLS_IV_MAX; i++)
        out[i] ^= iv[i];
}

size_t dtls_record_overhead(const struct dtls_record *record)
{
    return DTLS_HEADER_SIZE + suites[record->suite].explicit_size + DTLS_TAG_SIZE;
}

/* True: it is done. */
static bool is_gcm_elsewhere(struct dtls_crypto *crypto, const struct suite *suite, const struct seal_gcm *gcm)
{
    return crypto->seal != NULL && suite->explicit_size > 0 && seal_gcm_run(crypto->seal, gcm);
}

bool dtls_record_seal(struct dtls_record *record, struct dtls_crypto *crypto, uint8_t type, struct view data,
                      struct writer *out)
{
    const struct suite *suite = &suites[record->suite];
    const size_t body = suite->explicit_size + data.size + DTLS_TAG_SIZE;
    if (record->suite == DTLS_SUITE_NONE || record->write_seq > DTLS_SEQ_MAX || body > UINT16_MAX ||
        writer_left(out) < DTLS_HEADER_SIZE + body)
        return false;
    const uint64_t seq = record->write_seq++;
    write_u8(out, type);
    write_u16(out, DTLS_VERSION_1_2);
    write_number(out, seq);
    write_u16(out, (uint16_t)body);
    const uint8_t *explicit = NULL;
    if (suite->explicit_size > 0) {
        explicit = out->at;
        write_u64(out, record->write_explicit++);
    }
    uint8_t nonce[DTLS_IV_MAX], aad[AAD_SIZE];
    write_nonce(nonce, record->write_iv, explicit, seq);
    write_aad(aad, type, seq, data.size);

    uint8_t *text = write_room(out, data.size);
    uint8_t *tag = write_room(out, DTLS_TAG_SIZE);
    const struct seal_gcm gcm = {.key = record->write_key, .key_size = suite->key_size, .iv = nonce, .aad = VIEW(aad, AAD_SIZE),
                                 .in = data, .out = text, .tag = tag};
    if (is_gcm_elsewhere(crypto, suite, &gcm))
        return true;
    EVP_CIPHER_CTX *ctx = crypto->ciphers[record->suite];
    int n = 0;
    return EVP_CipherInit_ex2(ctx, NULL, record->write_key, nonce, 1, NULL) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &n, aad, AAD_SIZE) == 1 &&
           (data.size == 0 || EVP_CipherUpdate(ctx, text, &n, data.data, (int)data.size) == 1) &&
           EVP_CipherFinal_ex(ctx, tag, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, DTLS_TAG_SIZE, tag) == 1;
}

static bool is_replayed(const struct dtls_record *record, uint64_t seq)
{
    if (record->read_window == 0 || seq > record->read_highest)
        return false;
    const uint64_t age = record->read_highest - seq;
    return age >= DTLS_REPLAY_WINDOW || (record->read_window >> age & 1) != 0;
}

static void note_received(struct dtls_record *record, uint64_t seq)
{
    if (record->read_window != 0 && seq <= record->read_highest) {
        record->read_window |= UINT64_C(1) << (record->read_highest - seq);
        return;
    }
    const uint64_t ahead = seq - record->read_highest;
    record->read_window = ahead < DTLS_REPLAY_WINDOW ? record->read_window << ahead | 1 : 1;
    record->read_highest = seq;
}

static bool decrypt(const struct dtls_record *record, struct dtls_crypto *crypto, const uint8_t *nonce, const uint8_t *aad,
                    struct view text, uint8_t *out)
{
    const struct suite *suite = &suites[record->suite];
    uint8_t tag[DTLS_TAG_SIZE];
    const struct seal_gcm gcm = {.key = record->read_key, .key_size = suite->key_size, .iv = nonce, .aad = VIEW(aad, AAD_SIZE),
                                 .in = text, .out = out, .tag = tag, .decrypts = true};
    if (is_gcm_elsewhere(crypto, suite, &gcm))
        return CRYPTO_memcmp(tag, text.data + text.size, DTLS_TAG_SIZE) == 0;
    EVP_CIPHER_CTX *ctx = crypto->ciphers[record->suite];
    memcpy(tag, text.data + text.size, DTLS_TAG_SIZE);
    int n = 0;
    return EVP_CipherInit_ex2(ctx, NULL, record->read_key, nonce, 0, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, DTLS_TAG_SIZE, tag) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &n, aad, AAD_SIZE) == 1 &&
           (text.size == 0 || EVP_CipherUpdate(ctx, out, &n, text.data, (int)text.size) == 1) &&
           EVP_CipherFinal_ex(ctx, out + text.size, &n) == 1;
}

enum err dtls_record_open(struct dtls_record *record, struct dtls_crypto *crypto, const struct dtls_header *header,
                          uint8_t *out, size_t *size)
{
    const struct suite *suite = &suites[record->suite];
    const size_t around = suite->explicit_size + DTLS_TAG_SIZE;
    if (record->suite == DTLS_SUITE_NONE || header->epoch != DTLS_EPOCH || header->body.size < around)
        return ERR_INVALID;
    if (is_replayed(record, header->seq))
        return ERR_REPLAY;
    struct reader r = reader_of(header->body);
    const struct view explicit = read_view(&r, suite->explicit_size);
    const struct view text = read_view(&r, header->body.size - around);
    uint8_t nonce[DTLS_IV_MAX], aad[AAD_SIZE];
    write_nonce(nonce, record->read_iv, explicit.size > 0 ? explicit.data : NULL, header->seq);
    write_aad(aad, header->type, header->seq, text.size);
    if (!decrypt(record, crypto, nonce, aad, text, out))
        return ERR_AUTH;
    note_received(record, header->seq);
    *size = text.size;
    return ERR_NONE;
}
