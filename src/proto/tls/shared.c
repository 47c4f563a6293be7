/* What all connections of a listener share: one SSL_CTX. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "proto/tls/tls_private.h"

/* Forward secrecy and AEAD. TLS 1.3 has nothing else, and its list is left alone. */
#define DEFAULT_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

static void say(char error[TLS_ERROR_TEXT], const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *why = code == 0 ? NULL : ERR_reason_error_string(code);
    snprintf(error, TLS_ERROR_TEXT, "%s%s%s", what, why != NULL ? ": " : "", why != NULL ? why : "");
    ERR_clear_error();
}

/* RFC 7301 3.2: of what the client offers, only http/1.1 is spoken; with nothing of that the handshake fails. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *in, unsigned int in_size,
                       void *arg)
{
    static const unsigned char spoken[] = "http/1.1";
    (void)ssl;
    (void)arg;
    for (unsigned int at = 0; at < in_size && in[at] < in_size - at; at += 1u + in[at])
        if (in[at] == sizeof(spoken) - 1 && memcmp(in + at + 1, spoken, sizeof(spoken) - 1) == 0) {
            *out = in + at + 1;
            *out_size = in[at];
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Without a password there must be no prompt on the terminal. */
static int password(char *out, int room, int writing, void *arg)
{
    const char *text = arg;
    (void)writing;
    if (text == NULL || room < 0 || strlen(text) > (size_t)room)
        return -1;
    memcpy(out, text, strlen(text));
    return (int)strlen(text);
}

/* The first certificate is ours, the others are its chain. */
static bool use_certificates(SSL_CTX *ctx, struct view pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509_AUX(bio, NULL, password, NULL);
    bool fine = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;
    X509_free(cert);
    while (fine && (cert = PEM_read_bio_X509(bio, NULL, password, NULL)) != NULL)
        if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
            X509_free(cert);
            fine = false;
        }
    BIO_free(bio);
    if (fine)
        ERR_clear_error();      /* the end of the text is an error to the PEM reader */
    return fine;
}

static bool use_key(SSL_CTX *ctx, struct view pem, const char *secret)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, password, (void *)(uintptr_t)secret);
    bool fine = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return fine;
}

static void set_up(SSL_CTX *ctx)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
}

/* NULL: `error` says why. */
static SSL_CTX *make(const struct tls_config *config, char error[TLS_ERROR_TEXT])
{
    error[0] = '\0';
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    const char *wrong = NULL;
    if (ctx == NULL)
        wrong = "no TLS context";
    else if (config->cert_pem.size > INT32_MAX || config->key_pem.size > INT32_MAX)
        wrong = "certificate or key too large";
    else if (SSL_CTX_set_cipher_list(ctx, config->ciphers != NULL ? config->ciphers : DEFAULT_CIPHERS) != 1)
        wrong = "cipher list not understood";
    else if (!use_certificates(ctx, config->cert_pem))
        wrong = "certificate not usable";
    else if (!use_key(ctx, config->key_pem, config->key_password))
        wrong = "private key not usable";
    else if (SSL_CTX_check_private_key(ctx) != 1)
        wrong = "certificate and private key don't match";
    if (wrong != NULL) {
        say(error, wrong);
        SSL_CTX_free(ctx);
        return NULL;
    }
    set_up(ctx);
    return ctx;
}

struct tls_shared *tls_shared_new(const struct tls_config *config, char error[TLS_ERROR_TEXT])
{
    SSL_CTX *ctx = make(config, error);
    if (ctx == NULL)
        return NULL;
    struct tls_shared *shared = mem_get_zero(sizeof(*shared));
    shared->ctx = ctx;
    shared->method = tls_bio_method();
    return shared;
}

bool tls_shared_renew(struct tls_shared *shared, const struct tls_config *config, char error[TLS_ERROR_TEXT])
{
    SSL_CTX *ctx = make(config, error);
    if (ctx == NULL)
        return false;
    SSL_CTX_free(shared->ctx);          /* connections that were made from it hold it until they end */
    shared->ctx = ctx;
    return true;
}

void tls_shared_free(struct tls_shared *shared)
{
    if (shared == NULL)
        return;
    SSL_CTX_free(shared->ctx);
    BIO_meth_free(shared->method);
    mem_put(shared);
}
