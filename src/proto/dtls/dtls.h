/* proto/dtls/dtls.h - DTLS 1.2 with SRTP keys (RFC 6347, 5764) for one PeerConnection, over OpenSSL >= 3.0.
 *
 * Three objects, from the widest to the narrowest:
 *   dtls_identity   our certificate: made once in main, then plain bytes that nobody changes; every worker reads it.
 *   dtls_shared     one per worker: SSL_CTX, cipher contexts, datagram buffers, counters. Outlives every dtls made on it.
 *   dtls            one per peer. Pure: no socket, no clock of its own (see below), bounded memory.
 * Owner: the peer; all on its worker's thread.
 *
 * Order of calls: dtls_new; then dtls_input, dtls_timeout, dtls_send, dtls_close, dtls_set_fingerprint as things happen;
 * after each of them drain dtls_poll_tx and dtls_poll_event until both say false (DATA views live in a buffer that the
 * worker's next dtls_input overwrites); dtls_free. After CLOSED or FAILED only draining and dtls_free make sense, but
 * every call stays harmless.
 *
 * The handshake is OpenSSL's, over a BIO of ours that keeps datagrams apart. When it is done the SSL object is freed (40 to
 * 110 KB) and record.c carries alerts and application data. OpenSSL's retransmission timers read gettimeofday(), which
 * the executable has to supply from the actor's clock (traps.md, "Time and randomness").
 *
 * Order of SRTP profiles: AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80, AES128_CM_SHA1_32. The reference puts
 * 256 first; in WebRTC nobody gains from it (the handshake is P-256: 128 bits of strength), and it costs 4 to 6 % more for
 * each 1,200-byte packet and viewer (openssl speed, three runs). The order decides only where we are DTLS server. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/pool.h"
#include "proto/dtls/dtls_types.h"

#define DTLS_DATAGRAM_MAX 1500u         /* largest datagram that we send: UDP payload */
#define DTLS_INPUT_MAX 2048u            /* largest datagram that we accept */
#define DTLS_MTU_MIN 256u               /* smallest that OpenSSL takes (SSL_set_mtu) */
#define DTLS_MTU_DEFAULT 1200u          /* webrtc.md 8, `dtls_mtu` */
#define DTLS_DATA_MAX (DTLS_DATAGRAM_MAX - 37u)             /* record header, explicit nonce, tag */
#define DTLS_GIVE_UP_US SEC(20)         /* webrtc.md 8 */
#define DTLS_TIMEOUT_FIRST_US MSEC(50)  /* then doubling (RFC 6347 4.2.4.1 asks for 1 s: written for the open Internet) */
#define DTLS_TIMEOUT_LAST_US MSEC(3200)
#define DTLS_HANDSHAKE_DATAGRAMS_MAX 1024u  /* taken in one handshake; more are dropped */
#define DTLS_HANDSHAKE_EPOCH1_MAX 32u   /* protected records in one handshake: OpenSSL may keep each with its 16 KB buffer */
#define DTLS_HANDSHAKES_DEFAULT 1024u   /* in progress per worker, about 100 KB each */
#define DTLS_DATAGRAMS_DEFAULT 1024u    /* waiting to be polled, per worker */
#define DTLS_HELD_MAX 8u                /* datagrams that wait under dtls_hold: a first flight is one or two */
#define DTLS_LAST_FLIGHT_EVERY_US MSEC(20)  /* a burst of retransmitted messages is answered once; below any first time-out */
#define DTLS_ERROR_TEXT 200u

/* ---- our certificate ---- */

struct dtls_identity;

struct dtls_identity_config {
    struct view cert_pem;               /* the certificate, then the chain if any; empty: generate one */
    struct view key_pem;
    const char *passphrase;             /* NULL: none */
    bool rsa;                           /* generate RSA-2048 rather than EC P-256 */
};

/* NULL, and `error` says why in English. Generated: CN=Cardea, valid from a year ago for two years. */
struct dtls_identity *dtls_identity_new(const struct dtls_identity_config *config, char error[DTLS_ERROR_TEXT]);
void dtls_identity_free(struct dtls_identity *identity);
const struct dtls_fingerprint *dtls_identity_fingerprint(const struct dtls_identity *identity);     /* SHA-256 */

/* ---- per worker ---- */

struct dtls_shared;

struct dtls_shared_config {
    const struct dtls_identity *identity;
    const char *ciphers;                /* OpenSSL cipher list (`dtls_ciphers`); NULL: ours. What is not AEAD is taken out */
    bool accept_selfsigned;             /* normally true: the fingerprint is what counts. False: the chain must verify */
    struct view trust_pem;              /* with accept_selfsigned false: CA certificates to verify against */
    uint16_t mtu;                       /* 0: DTLS_MTU_DEFAULT */
    uint32_t handshakes_max;            /* 0: DTLS_HANDSHAKES_DEFAULT */
    uint32_t datagrams_max;             /* 0: DTLS_DATAGRAMS_DEFAULT */
    struct seal_shared *seal;           /* the same worker's: seals AES-GCM records where it can. NULL: OpenSSL does */
};

struct dtls_shared *dtls_shared_open(const struct dtls_shared_config *config, char error[DTLS_ERROR_TEXT]);
void dtls_shared_close(struct dtls_shared *shared);
const struct dtls_counters *dtls_shared_counters(const struct dtls_shared *shared);

/* NULL, or why the linked OpenSSL should be replaced. `version` is that of dtls_library_version(). */
unsigned long dtls_library_version(void);
const char *dtls_library_warning(unsigned long version);

/* ---- per peer ---- */

struct dtls;

struct dtls_config {
    enum dtls_role role;
    struct dtls_fingerprint remote;     /* hash NONE: comes later by dtls_set_fingerprint */
    uint16_t mtu;                       /* 0: the worker's. Below DTLS_MTU_MIN nothing works: DTLS_REASON_STACK */
};

void dtls_pool_init(struct pool *pool, uint32_t limit);     /* sized for struct dtls; pool_fini as usual */

/* NULL: the pool is full. A client has its ClientHello to poll at once. */
struct dtls *dtls_new(struct pool *pool, struct dtls_shared *shared, const struct dtls_config *config, usec_t now);
void dtls_free(struct dtls *dtls);      /* says nothing to the other side: dtls_close first. NULL is fine */

/* Sets or replaces the fingerprint that the remote certificate must have; no effect once connected. A handshake that is
 * done without one stays TRYING, its data dropped, until this is called or time is up. */
void dtls_set_fingerprint(struct dtls *dtls, usec_t now, const struct dtls_fingerprint *remote);

void   dtls_input(struct dtls *dtls, usec_t now, struct view datagram);
void   dtls_timeout(struct dtls *dtls, usec_t now);         /* early or repeated calls are harmless */
usec_t dtls_deadline(const struct dtls *dtls);              /* USEC_NEVER once connected */

/* While the other side's address has not proven to be its own nothing may be sent there: a ClientHello from a forged one would
 * bring down a flight of certificates on a stranger. What there is to send waits, DTLS_HELD_MAX datagrams of it, and is not
 * repeated; time still runs out. */
void dtls_hold(struct dtls *dtls, usec_t now, bool held);

bool dtls_poll_tx(struct dtls *dtls, struct dtls_tx *out);
bool dtls_poll_event(struct dtls *dtls, struct dtls_event *out);

/* One record with application data, up to DTLS_DATA_MAX bytes. ERR_STATE unless connected, ERR_INVALID when empty or too
 * long, ERR_FULL when no buffer is left. */
enum err dtls_send(struct dtls *dtls, struct view data);
/* The same straight into the caller's buffer, without a queue: it is for the caller to send. False: not connected, something waits in
 * dtls_poll_tx that must go before it, no room, or too long. */
bool dtls_seal(struct dtls *dtls, struct view data, struct writer *out);

/* Queues a protected close_notify when connected; no event follows. */
void dtls_close(struct dtls *dtls);

/* The peer has authenticated something that only a connected other side can have sent (SRTP): the last flight is not needed
 * any more. Optional; cheap enough for every packet. */
void dtls_confirm(struct dtls *dtls);

void dtls_get_info(const struct dtls *dtls, struct dtls_info *out);
void dtls_srtp_keys_wipe(struct dtls_srtp_keys *keys);
