/* A plain OpenSSL end with a datagram BIO of the test's own: what our record layer says must make sense to it. */
#pragma once

#include "pair.h"

#include "proto/dtls/dtls_internal.h"

#include <openssl/x509v3.h>

#define ORACLE_QUEUE 64

struct oracle_options {
    bool is_client;
    const char *ciphers;                /* NULL: the library's default */
    const char *srtp;                   /* NULL: no use_srtp extension */
    uint16_t mtu;                       /* 0: 1200 */
    EVP_PKEY *key;                      /* NULL: a P-256 one, shared by all oracles */
    X509 *certificate;
    bool long_hello;                    /* a ClientHello that needs several datagrams of 256 bytes */
    bool null_cipher;                   /* offer nothing but eNULL suites */
};

struct oracle {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO_METHOD *method;
    struct {
        size_t size;
        uint8_t bytes[DTLS_INPUT_MAX];
    } in[ORACLE_QUEUE], out[ORACLE_QUEUE];
    unsigned in_head, in_tail, out_head, out_tail;
    int alert;                          /* last alert received: level << 8 | description; -1: none */
};

/* `days`: how long from now the certificate is valid; negative: expired. */
X509 *oracle_certificate(EVP_PKEY *key, const char *name, long days, X509 *issuer, EVP_PKEY *issuer_key);
struct dtls_fingerprint oracle_fingerprint(X509 *certificate, enum dtls_hash hash);
X509 *oracle_default_certificate(void);
void oracle_globals_fini(void);

void oracle_init(struct oracle *oracle, const struct oracle_options *options);
void oracle_fini(struct oracle *oracle);
void oracle_step(struct oracle *oracle);            /* handshake as far as the input goes */
void oracle_put(struct oracle *oracle, struct view datagram);
bool oracle_take(struct oracle *oracle, struct view *out);      /* valid until the next write */

/* One side of ours with an oracle as the other. */
struct duel {
    struct oracle oracle;
    struct pair pair;                   /* only `side` index `us` is used */
    int us;
};

void duel_init(struct duel *duel, const struct oracle_options *options, const struct dtls_fingerprint *expect);
void duel_fini(struct duel *duel);
void duel_settle(struct duel *duel);                /* passes datagrams until both are silent, time stands still */
void duel_wait(struct duel *duel, usec_t us);       /* the same, with timers */
struct side *duel_us(struct duel *duel);
