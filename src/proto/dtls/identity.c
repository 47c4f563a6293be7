/* Our certificate and key, as DER bytes: main makes them once, nobody writes them afterwards, and each worker parses objects
 * of its own from them, so that no two threads share anything that OpenSSL counts references of. */
#include <stdio.h>

#include "base/mem.h"
#include "proto/dtls/dtls_internal.h"

#define CERTIFICATES_MAX 8              /* ours and its chain */
#define COMMON_NAME "Cardea"
#define YEAR_S (365L * 24 * 60 * 60)    /* valid for one before and one after now (webrtc.md 8) */
#define RSA_BITS 2048

struct der {
    unsigned char *bytes;               /* the library's memory (OPENSSL_free) */
    int size;
};

struct dtls_identity {
    struct der key;
    struct der certificates[CERTIFICATES_MAX];
    int certificate_count;
    struct dtls_fingerprint fingerprint;
};

/* What went wrong, with the library's own words behind it. */
static void explain(char error[DTLS_ERROR_TEXT], const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(error, DTLS_ERROR_TEXT, "%s%s%s", what, why == NULL ? "" : ": ", why == NULL ? "" : why);
    ERR_clear_error();
}

static bool add_certificate(struct dtls_identity *identity, X509 *x509)
{
    if (identity->certificate_count == CERTIFICATES_MAX)
        return false;
    struct der *der = &identity->certificates[identity->certificate_count];
    der->size = i2d_X509(x509, &der->bytes);
    if (der->size <= 0)
        return false;
    identity->certificate_count++;
    return true;
}

/* The first certificate counts; its fingerprint is the one that SDP carries. */
static bool set_key_and_fingerprint(struct dtls_identity *identity, EVP_PKEY *key, X509 *x509)
{
    identity->key.size = i2d_PrivateKey(key, &identity->key.bytes);
    unsigned int size = 0;
    struct dtls_fingerprint *f = &identity->fingerprint;
    *f = (struct dtls_fingerprint){.hash = DTLS_HASH_SHA256, .size = 32};
    return identity->key.size > 0 && X509_digest(x509, EVP_sha256(), f->bytes, &size) == 1 && size == f->size;
}

/* Never asks at a terminal: no passphrase means a wrong one. */
static int on_passphrase(char *out, int room, int writing, void *arg)
{
    (void)writing;
    const char *passphrase = arg;
    if (passphrase == NULL || strlen(passphrase) > (size_t)room)
        return -1;
    memcpy(out, passphrase, strlen(passphrase));
    return (int)strlen(passphrase);
}

static EVP_PKEY *read_key(struct view pem, const char *passphrase)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, (void *)passphrase);
    BIO_free(bio);
    return key;
}

static const char *load_certificates(struct dtls_identity *identity, struct view pem, EVP_PKEY *key)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    const char *failure = NULL;
    X509 *x509;
    while (failure == NULL && bio != NULL && (x509 = PEM_read_bio_X509(bio, NULL, on_passphrase, NULL)) != NULL) {
        const bool is_first = identity->certificate_count == 0;
        if (!add_certificate(identity, x509))
            failure = "too many certificates in the file";
        else if (is_first && X509_check_private_key(x509, key) != 1)
            failure = "the certificate and the private key don't belong together";
        else if (is_first && !set_key_and_fingerprint(identity, key, x509))
            failure = "the certificate can't be used";
        X509_free(x509);
    }
    BIO_free(bio);
    if (failure == NULL && identity->certificate_count == 0)
        failure = "the certificate can't be read";
    return failure;
}

static const char *load(struct dtls_identity *identity, const struct dtls_identity_config *config)
{
    EVP_PKEY *key = read_key(config->key_pem, config->passphrase);
    if (key == NULL)
        return "the private key can't be read";
    const char *failure = load_certificates(identity, config->cert_pem, key);
    EVP_PKEY_free(key);
    return failure;
}

static bool fill_certificate(X509 *x509, EVP_PKEY *key)
{
    uint64_t serial = 0;
    X509_NAME *name = X509_get_subject_name(x509);
    return RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
           X509_set_version(x509, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1 | 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x509), -YEAR_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x509), YEAR_S) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)COMMON_NAME, -1, -1, 0) == 1 &&
           X509_set_issuer_name(x509, name) == 1 &&
           X509_set_pubkey(x509, key) == 1 &&
           X509_sign(x509, key, EVP_sha256()) > 0;
}

static const char *generate(struct dtls_identity *identity, bool rsa)
{
    EVP_PKEY *key = rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    bool fine = key != NULL && x509 != NULL && fill_certificate(x509, key) && add_certificate(identity, x509) &&
                set_key_and_fingerprint(identity, key, x509);
    X509_free(x509);
    EVP_PKEY_free(key);
    return fine ? NULL : "no certificate could be generated";
}

struct dtls_identity *dtls_identity_new(const struct dtls_identity_config *config, char error[DTLS_ERROR_TEXT])
{
    struct dtls_identity *identity = mem_get_zero(sizeof(*identity));
    ERR_clear_error();
    const char *failure;
    if (config->cert_pem.size == 0 && config->key_pem.size == 0)
        failure = generate(identity, config->rsa);
    else if (config->cert_pem.size == 0 || config->key_pem.size == 0)
        failure = "a certificate needs its private key, and a private key its certificate";
    else if (config->cert_pem.size > INT32_MAX || config->key_pem.size > INT32_MAX)
        failure = "the certificate or the private key is too large";
    else
        failure = load(identity, config);
    if (failure != NULL) {
        explain(error, failure);
        dtls_identity_free(identity);
        return NULL;
    }
    ERR_clear_error();                  /* the end of a PEM file leaves an error behind */
    error[0] = '\0';
    return identity;
}

void dtls_identity_free(struct dtls_identity *identity)
{
    if (identity == NULL)
        return;
    OPENSSL_clear_free(identity->key.bytes, identity->key.size > 0 ? (size_t)identity->key.size : 0);
    for (int i = 0; i < identity->certificate_count; i++)
        OPENSSL_free(identity->certificates[i].bytes);
    mem_put(identity);
}

const struct dtls_fingerprint *dtls_identity_fingerprint(const struct dtls_identity *identity)
{
    return &identity->fingerprint;
}

static bool use_certificate(const struct der *der, SSL_CTX *ctx, bool is_first)
{
    const unsigned char *at = der->bytes;
    X509 *x509 = d2i_X509(NULL, &at, der->size);
    bool fine = x509 != NULL &&
                (is_first ? SSL_CTX_use_certificate(ctx, x509) : SSL_CTX_add1_chain_cert(ctx, x509)) == 1;
    X509_free(x509);
    return fine;
}

bool dtls_identity_use(const struct dtls_identity *identity, SSL_CTX *ctx)
{
    for (int i = 0; i < identity->certificate_count; i++) {
        if (!use_certificate(&identity->certificates[i], ctx, i == 0))
            return false;
    }
    const unsigned char *at = identity->key.bytes;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, identity->key.size);
    bool fine = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    return fine;
}
