/* proto/tls/tls.h - a TLS server for stream connections: OpenSSL between two memory ends, so that no socket, file or
 * thread is involved. TLS 1.2 and 1.3; ALPN is http/1.1 or nothing; no renegotiation, compression, early data, tickets.
 *
 * `struct tls_shared` (certificate, key, ciphers) is made once at start and only read afterwards; one actor.
 * `struct tls` belongs to one connection. Bytes go through it like this:
 *   tls_feed     what came from the peer; must be followed by tls_read until it says TLS_MORE or TLS_OVER
 *   tls_read     clear bytes out; the handshake happens in here
 *   tls_write    clear bytes in; only while tls_output is empty, TLS_WRITE_MAX at a time
 *   tls_output, tls_sent   what must go to the peer, after each of the calls above
 * The deadline of a handshake is the connection's: what must be there in time is the first request, not only its TLS.
 * Idle connections hold no buffers (SSL_MODE_RELEASE_BUFFERS; ours is freed when it is empty). */
#pragma once

#include "base/buf.h"
#include "base/pool.h"

#define TLS_WRITE_MAX   16384u       /* one record (RFC 8446 5.1) */
#define TLS_OUTPUT_MAX  131072u      /* ciphertext that may wait; a peer that provokes more (key updates) is cut off */
#define TLS_ERROR_TEXT  256u

struct tls_config {
    struct view cert_pem;            /* the certificate and, after it, its chain */
    struct view key_pem;
    const char *key_password;        /* NULL: none */
    const char *ciphers;             /* OpenSSL cipher list for TLS 1.2; NULL: ECDHE with AEAD only */
};

struct tls_shared;
/* NULL, and `error` says why (never the password). */
struct tls_shared *tls_shared_new(const struct tls_config *config, char error[TLS_ERROR_TEXT]);
/* Another certificate for connections that begin from now on. False: `error` says why, and nothing has changed. */
bool tls_shared_renew(struct tls_shared *shared, const struct tls_config *config, char error[TLS_ERROR_TEXT]);
void tls_shared_free(struct tls_shared *shared);

struct tls;
size_t tls_size(void);               /* item size for the pool */

/* NULL: the pool is full, or OpenSSL refused. */
struct tls *tls_new(struct pool *pool, struct tls_shared *shared);
void tls_free(struct pool *pool, struct tls *tls);

enum tls_result {
    TLS_DATA,                        /* *size bytes in `out`; ask again */
    TLS_MORE,                        /* all that was fed is used up */
    TLS_OVER,                        /* the peer has closed its side properly, or broke the protocol: an alert may be in tls_output */
};

void tls_feed(struct tls *tls, struct view ciphertext);
enum tls_result tls_read(struct tls *tls, uint8_t *out, size_t room, size_t *size);
bool tls_write(struct tls *tls, struct view clear);
void tls_close(struct tls *tls);     /* close_notify, once the handshake is done */

struct view tls_output(const struct tls *tls);
void tls_sent(struct tls *tls, size_t size);

bool tls_is_open(const struct tls *tls);         /* the handshake is done; stays true after the end */
