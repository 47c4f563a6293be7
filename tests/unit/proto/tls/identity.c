#include "identity.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    char *text = malloc((size_t)size + 1);
    if (text == NULL)
        abort();
    memcpy(text, data, (size_t)size);
    text[size] = '\0';
    BIO_free(bio);
    return text;
}

void make_identity(char **cert, char **key, const char *password)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    if (pkey == NULL || x == NULL)
        abort();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, pkey);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    if (X509_sign(x, pkey, EVP_sha256()) <= 0)
        abort();
    BIO *out = BIO_new(BIO_s_mem());
    if (PEM_write_bio_X509(out, x) != 1)
        abort();
    *cert = text_of(out);
    out = BIO_new(BIO_s_mem());
    const EVP_CIPHER *lock = password != NULL ? EVP_aes_128_cbc() : NULL;
    if (PEM_write_bio_PrivateKey(out, pkey, lock, NULL, 0, NULL, (void *)(uintptr_t)password) != 1)
        abort();
    *key = text_of(out);
    X509_free(x);
    EVP_PKEY_free(pkey);
}
