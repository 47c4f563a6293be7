/* proto/dtls/dtls_internal.h - what dtls.c, handshake.c and shared.c know of each other. Inside proto/dtls only.
 *
 * Life of a struct dtls:
 *
 *     CREATED --first datagram--> TRYING --handshake done, fingerprint right--> CONNECTED --alert, dtls_close--> CLOSED
 *        |                          |
 *        +------------20 s----------+---alert, error, 20 s--> FAILED
 *
 * `ssl` exists while OpenSSL does the handshake and at no other time; `done` says that record.c has taken over. Between
 * `done` and CONNECTED the fingerprint may be missing: then `certificate` waits for it. */
#pragma once

#include "base/list.h"
#include "proto/dtls/dtls.h"
#include "proto/dtls/record.h"
#include "proto/dtls/openssl.h"

#define DTLS_LAST_FLIGHT_MAX 112u       /* CCS 14 + Finished 61 (GCM) in one datagram, and some */

struct dtls_datagram {
    struct list node;
    uint16_t size;
    uint8_t bytes[DTLS_DATAGRAM_MAX];
};

struct dtls_shared {
    SSL_CTX *ctx;
    BIO_METHOD *bio_method;
    struct dtls_crypto crypto;
    struct pool datagrams;
    uint32_t handshakes;                /* SSL objects alive */
    uint32_t handshakes_max;
    uint16_t mtu;
    bool accept_selfsigned;
    struct dtls_counters counters;
    /* Decrypted records of the last dtls_input: each a 16-bit size and its bytes. A record loses at least 29 bytes when
     * opened, so what a datagram holds always fits. */
    const struct dtls *data_owner;
    struct writer data_in;
    struct reader data_out;
    uint8_t data[DTLS_INPUT_MAX];
};

struct dtls {
    struct dtls_shared *shared;
    struct pool *pool;
    struct list tx;                     /* struct dtls_datagram */
    SSL *ssl;
    X509 *certificate;                  /* the remote one, from `done` until the fingerprint has been compared */
    usec_t give_up;
    usec_t retransmit;                  /* handshake: OpenSSL's timer, or the next try for room to begin */
    usec_t flight_repeated;             /* when the last flight was last sent */
    const char *reason;                 /* of the end; NULL: not ended, or nobody has to be told */
    const char *detail;
    struct view input;                  /* handshake: the datagram that OpenSSL may read, once */
    struct dtls_record record;
    struct dtls_srtp_keys keys;         /* from `done` until CONNECTED is polled */
    struct dtls_fingerprint remote;
    uint32_t retransmissions;
    uint32_t dropped;
    uint16_t mtu;
    uint16_t profile;                   /* enum dtls_srtp_profile */
    uint16_t handshake_datagrams;
    uint8_t handshake_epoch1;
    uint8_t role;                       /* enum dtls_role */
    uint8_t state;                      /* enum dtls_state */
    bool done;
    bool tx_handed;                     /* the first of `tx` has been polled, and goes back at the next poll */
    bool held;                          /* dtls_hold */
    uint8_t held_count;                 /* datagrams queued since */
    bool tell_connected;
    bool tell_end;
    bool alerted;                       /* handshake: an alert came in */
    uint8_t flight_size;
    uint8_t flight[DTLS_LAST_FLIGHT_MAX];   /* the server's last flight, until the client proves that it has it */
};

/* One cause of a drop: the worker's counter and the peer's. */
void dtls_drop(struct dtls *dtls, uint64_t *counter);

/* A buffer at the end of `tx`; NULL (counted) when there is none: the datagram is lost. */
struct dtls_datagram *dtls_tx_add(struct dtls *dtls);

/* Queues a protected alert (RFC 5246 7.2). */
void dtls_alert(struct dtls *dtls, uint8_t level, uint8_t description);

/* The end, for a cause of ours; the first one stands. */
void dtls_fail(struct dtls *dtls, const char *reason, const char *detail);

/* handshake.c. Begins, or false (counted) when too many are under way. */
bool dtls_handshake_begin(struct dtls *dtls, usec_t now);
void dtls_handshake_input(struct dtls *dtls, usec_t now, struct view datagram);
void dtls_handshake_timeout(struct dtls *dtls, usec_t now);
void dtls_handshake_end(struct dtls *dtls);     /* frees the SSL, if there is one */

/* handshake.c: what SSL_CTX needs to call. */
BIO_METHOD *dtls_bio_method_new(void);
void dtls_on_ssl_info(const SSL *ssl, int where, int value);

/* verify.c */
int  dtls_on_verify(X509_STORE_CTX *store, void *arg);      /* SSL_CTX_set_cert_verify_callback */
bool dtls_certificate_matches(X509 *certificate, const struct dtls_fingerprint *fingerprint);
void dtls_settle(struct dtls *dtls);            /* handshake done: compare the fingerprint, connect or fail */

/* identity.c: fresh library objects for one worker. False, with the library's error queue filled. */
bool dtls_identity_use(const struct dtls_identity *identity, SSL_CTX *ctx);
