/* proto/dtls/record.h - the DTLS 1.2 record layer after the handshake (RFC 6347 4.1; AES-GCM: RFC 5288, ChaCha20: RFC 7905).
 * Inside proto/dtls only.
 * Owner: dtls_record is embedded in one struct dtls, dtls_crypto in the worker's struct dtls_shared: cipher contexts are
 * large, so one per suite is keyed anew for each record. Keying OpenSSL takes longer than sealing; proto/seal does it where it can. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "proto/dtls/openssl.h"
#include "proto/seal/seal.h"

/* RFC 5246 6.2.1 */
enum {
    DTLS_TYPE_CCS = 20,
    DTLS_TYPE_ALERT = 21,
    DTLS_TYPE_HANDSHAKE = 22,
    DTLS_TYPE_DATA = 23,
};

#define DTLS_VERSION_1_2 0xfefdu        /* RFC 6347 4.1 */
#define DTLS_VERSION_1_0 0xfeffu        /* on a ClientHello's record */
#define DTLS_HEADER_SIZE 13u
#define DTLS_TAG_SIZE 16u
#define DTLS_GCM_EXPLICIT_SIZE 8u       /* RFC 5288 3 */
#define DTLS_SEQ_MAX ((UINT64_C(1) << 48) - 1)
#define DTLS_REPLAY_WINDOW 64u          /* RFC 6347 4.1.2.6 */
#define DTLS_EPOCH 1u                   /* the only protected epoch: nothing is renegotiated */
#define DTLS_KEY_MAX 32u
#define DTLS_IV_MAX 12u

enum dtls_suite { DTLS_SUITE_NONE, DTLS_SUITE_AES128_GCM, DTLS_SUITE_AES256_GCM, DTLS_SUITE_CHACHA20, DTLS_SUITE_COUNT };

/* One record as it stands in a datagram; not authenticated. */
struct dtls_header {
    uint8_t type;
    uint16_t version;
    uint16_t epoch;
    uint64_t seq;
    struct view body;
};

/* The next record of a datagram. False at its end, and with a failed reader when the rest is no record. */
bool dtls_header_next(struct reader *reader, struct dtls_header *out);

struct dtls_crypto {
    EVP_CIPHER_CTX *ciphers[DTLS_SUITE_COUNT];
    EVP_KDF *kdf;
    struct seal_shared *seal;           /* AES-GCM by libipsec-mb, if it can; NULL: never */
};

bool dtls_crypto_init(struct dtls_crypto *crypto);      /* false: the library refused */
void dtls_crypto_fini(struct dtls_crypto *crypto);

struct dtls_record {
    uint8_t suite;                      /* enum dtls_suite */
    uint8_t write_key[DTLS_KEY_MAX];
    uint8_t read_key[DTLS_KEY_MAX];
    uint8_t write_iv[DTLS_IV_MAX];      /* GCM: the implicit 4 bytes */
    uint8_t read_iv[DTLS_IV_MAX];
    uint64_t write_seq;                 /* of the next record */
    uint64_t write_explicit;            /* GCM: explicit nonce of the next record */
    uint64_t read_highest;
    uint64_t read_window;               /* bit n: read_highest - n has been seen; 0: nothing yet */
};

/* What the handshake agreed on. `digest` is the PRF's (RFC 5246 5). */
struct dtls_secrets {
    enum dtls_suite suite;
    const char *digest;
    struct view master;
    struct view client_random;
    struct view server_random;
};

/* Sets the keys (RFC 5246 6.3); sequence numbers are left alone. */
bool dtls_record_derive(struct dtls_record *record, struct dtls_crypto *crypto, const struct dtls_secrets *secrets,
                        bool is_client);

/* Bytes that sealing adds, header included. */
size_t dtls_record_overhead(const struct dtls_record *record);

/* Writes one whole record with the content `data`. False when there is no room, the sequence numbers are used up, or the
 * library refused. */
bool dtls_record_seal(struct dtls_record *record, struct dtls_crypto *crypto, uint8_t type, struct view data,
                      struct writer *out);

/* Opens an epoch 1 record into `out`, which has room for header->body.size bytes. ERR_INVALID: too short; ERR_REPLAY;
 * ERR_AUTH. Only an authentic record moves the window. */
enum err dtls_record_open(struct dtls_record *record, struct dtls_crypto *crypto, const struct dtls_header *header,
                          uint8_t *out, size_t *size);
