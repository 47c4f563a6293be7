/* What a worker's peers have in common: SSL_CTX, cipher contexts, datagram buffers. Made at start, by that worker. */
#include <stdio.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "proto/dtls/dtls_internal.h"

/* AEAD only, forward secret only; AES-128 first because it is the fastest in hardware (dtls.h on the SRTP profiles). */
#define CIPHERS                                                       \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"     \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"     \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define GROUPS "X25519:P-256"           /* an unknown name would make the call fail on 3.0 */
#define PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32"
#define CERTIFICATE_BYTES_MAX 16384     /* of the other side's certificate message */
#define CIPHER_TEXT_MAX 4096u

static bool is_record_suite(const SSL_CIPHER *cipher)
{
    const int nid = SSL_CIPHER_get_cipher_nid(cipher);
    /* TLS 1.3 suites are in every list and have no key exchange of their own. */
    return SSL_CIPHER_get_kx_nid(cipher) != NID_kx_any &&
           (nid == NID_aes_128_gcm || nid == NID_aes_256_gcm || nid == NID_chacha20_poly1305);
}

/* Sets the list, then again without what record.c can't carry on. */
static bool set_ciphers(SSL_CTX *ctx, const char *list)
{
    if (SSL_CTX_set_cipher_list(ctx, list) != 1)
        return false;
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    struct buf text;
    buf_init(&text, CIPHER_TEXT_MAX);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);
        if (!is_record_suite(cipher))
            continue;
        if (text.size > 0)
            buf_add_char(&text, ':');
        buf_add_text(&text, SSL_CIPHER_get_name(cipher));
    }
    bool fine = text.size > 0 && !text.failed && SSL_CTX_set_cipher_list(ctx, buf_text(&text)) == 1;
    buf_fini(&text);
    return fine;
}

static bool add_trust(SSL_CTX *ctx, struct view pem)
{
    BIO *bio = pem.size > 0 && pem.size <= INT32_MAX ? BIO_new_mem_buf(pem.data, (int)pem.size) : NULL;
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    bool any = false;
    X509 *x509;
    while (bio != NULL && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        any = X509_STORE_add_cert(store, x509) == 1 || any;
        X509_free(x509);
    }
    BIO_free(bio);
    return any;
}

static void set_modes(SSL_CTX *ctx)
{
    /* Tickets, cache and chain building: nothing of it is of use here, and together they cost 190 us a handshake on 3.0. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_max_cert_list(ctx, CERTIFICATE_BYTES_MAX);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, dtls_on_verify, NULL);
    SSL_CTX_set_info_callback(ctx, dtls_on_ssl_info);
}

/* NULL, or what could not be set. */
static const char *set_context(SSL_CTX *ctx, const struct dtls_shared_config *config)
{
    set_modes(ctx);
    if (SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) != 1)
        return "the library has no DTLS 1.2";
    if (!set_ciphers(ctx, config->ciphers != NULL ? config->ciphers : CIPHERS))
        return "no usable cipher suite (AES-GCM and ChaCha20-Poly1305 are) in the list";
    if (SSL_CTX_set1_groups_list(ctx, GROUPS) != 1)
        return "the library lacks a key exchange group";
    if (SSL_CTX_set_tlsext_use_srtp(ctx, PROFILES) != 0)       /* 0 is success here (traps.md) */
        return "the library lacks an SRTP profile";
    if (!dtls_identity_use(config->identity, ctx))
        return "the certificate or its key can't be used";
    if (!config->accept_selfsigned && !add_trust(ctx, config->trust_pem))
        return "self-signed certificates are refused, and no CA certificate is given";
    return NULL;
}

static const char *open_all(struct dtls_shared *shared, const struct dtls_shared_config *config)
{
    if (shared->mtu < DTLS_MTU_MIN || shared->mtu > DTLS_DATAGRAM_MAX)
        return "the MTU is out of range";
    shared->ctx = SSL_CTX_new(DTLS_method());
    shared->bio_method = dtls_bio_method_new();
    if (shared->ctx == NULL || shared->bio_method == NULL || !dtls_crypto_init(&shared->crypto))
        return "the library can't be set up";
    shared->crypto.seal = config->seal;
    return set_context(shared->ctx, config);
}

struct dtls_shared *dtls_shared_open(const struct dtls_shared_config *config, char error[DTLS_ERROR_TEXT])
{
    struct dtls_shared *shared = mem_get_zero(sizeof(*shared));
    shared->mtu = config->mtu > 0 ? config->mtu : DTLS_MTU_DEFAULT;
    shared->accept_selfsigned = config->accept_selfsigned;
    shared->handshakes_max = config->handshakes_max > 0 ? config->handshakes_max : DTLS_HANDSHAKES_DEFAULT;
    pool_init(&shared->datagrams, "dtls datagrams", sizeof(struct dtls_datagram),
              config->datagrams_max > 0 ? config->datagrams_max : DTLS_DATAGRAMS_DEFAULT);
    ERR_clear_error();
    const char *failure = open_all(shared, config);
    error[0] = '\0';
    if (failure != NULL) {
        const char *why = ERR_reason_error_string(ERR_peek_last_error());
        snprintf(error, DTLS_ERROR_TEXT, "%s%s%s", failure, why == NULL ? "" : ": ", why == NULL ? "" : why);
        dtls_shared_close(shared);
        shared = NULL;
    }
    ERR_clear_error();
    return shared;
}

void dtls_shared_close(struct dtls_shared *shared)
{
    if (shared == NULL)
        return;
    CHECK(shared->handshakes == 0);
    SSL_CTX_free(shared->ctx);
    BIO_meth_free(shared->bio_method);
    dtls_crypto_fini(&shared->crypto);
    pool_fini(&shared->datagrams);
    mem_put(shared);
}

const struct dtls_counters *dtls_shared_counters(const struct dtls_shared *shared)
{
    return &shared->counters;
}

unsigned long dtls_library_version(void)
{
    return OpenSSL_version_num();
}

/* 0xMNN00PP0: major, minor, patch (OPENSSL_VERSION_NUMBER(3)). security.md: 3.0.22 has the fixes that DTLS needs; of later
 * branches we know no bound. */
const char *dtls_library_warning(unsigned long version)
{
    const unsigned long patch = version >> 4 & 0xff;
    if (version >> 20 == 0x300 && patch < 22)
        return "OpenSSL is older than 3.0.22: known defects let a remote side end or stall DTLS; please upgrade";
    return NULL;
}
