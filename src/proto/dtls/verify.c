/* Whose certificate is it: the fingerprint from the signalling says so (RFC 8122 6.2), nothing else does unless the
 * configuration asks for a chain too. Checked twice: when the certificate arrives, so that a wrong one costs no more than
 * it must, and when the handshake is done, because the fingerprint may have come or changed in between. */
#include "proto/dtls/dtls_internal.h"

static const EVP_MD *digest_of(enum dtls_hash hash)
{
    switch (hash) {
    case DTLS_HASH_SHA1: return EVP_sha1();
    case DTLS_HASH_SHA256: return EVP_sha256();
    case DTLS_HASH_SHA384: return EVP_sha384();
    case DTLS_HASH_SHA512: return EVP_sha512();
    case DTLS_HASH_NONE: break;
    }
    return NULL;
}

bool dtls_certificate_matches(X509 *certificate, const struct dtls_fingerprint *fingerprint)
{
    const EVP_MD *md = digest_of(fingerprint->hash);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    return md != NULL && X509_digest(certificate, md, digest, &size) == 1 && size == fingerprint->size &&
           CRYPTO_memcmp(digest, fingerprint->bytes, size) == 0;
}

static int reject(struct dtls *dtls, X509_STORE_CTX *store, int error, const char *detail)
{
    dtls->detail = detail;
    X509_STORE_CTX_set_error(store, error);     /* chooses the alert */
    return 0;
}

int dtls_on_verify(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct dtls *dtls = SSL_get_app_data(ssl);
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    if (certificate == NULL)
        return reject(dtls, store, X509_V_ERR_UNSPECIFIED, "no remote certificate");
    /* 0: a time that can't be read */
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
        return reject(dtls, store, X509_V_ERR_CERT_HAS_EXPIRED, "the remote certificate has expired");
    if (dtls->remote.hash != DTLS_HASH_NONE && !dtls_certificate_matches(certificate, &dtls->remote))
        return reject(dtls, store, X509_V_ERR_CERT_REJECTED, "the remote certificate has another fingerprint");
    if (!dtls->shared->accept_selfsigned && X509_verify_cert(store) != 1) {
        dtls->detail = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
        return 0;
    }
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}
