#include "tls_pair.h"

#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

void pair_open(struct pair *p, int version, const unsigned char *alpn, unsigned alpn_size, const char *ciphers)
{
    char *cert, *key, error[TLS_ERROR_TEXT];
    memset(p, 0, sizeof(*p));
    make_identity(&cert, &key, NULL);
    struct tls_config config = {.cert_pem = VIEW(cert, strlen(cert)), .key_pem = VIEW(key, strlen(key)), .ciphers = ciphers};
    p->shared = tls_shared_new(&config, error);
    assert_string_equal(error, "");
    assert_non_null(p->shared);
    free(cert);
    free(key);
    pool_init(&p->pool, "tls", tls_size(), 4);
    p->tls = tls_new(&p->pool, p->shared);
    assert_non_null(p->tls);

    p->client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(p->client_ctx, version);
    SSL_CTX_set_max_proto_version(p->client_ctx, version);
    p->client = SSL_new(p->client_ctx);
    p->to_client = BIO_new(BIO_s_mem());
    p->from_client = BIO_new(BIO_s_mem());
    SSL_set_bio(p->client, p->to_client, p->from_client);
    SSL_set_connect_state(p->client);
    if (alpn != NULL)
        assert_int_equal(SSL_set_alpn_protos(p->client, alpn, alpn_size), 0);
}

void pair_close(struct pair *p)
{
    SSL_free(p->client);
    SSL_CTX_free(p->client_ctx);
    tls_free(&p->pool, p->tls);
    pool_fini(&p->pool);
    tls_shared_free(p->shared);
}

void pair_to_client(struct pair *p)
{
    struct view out = tls_output(p->tls);
    if (out.size > 0)
        assert_int_equal(BIO_write(p->to_client, out.data, (int)out.size), (int)out.size);
    tls_sent(p->tls, out.size);
}

/* Everything that our side can read now goes behind `at` in heard. */
static size_t read_clear(struct pair *p, size_t at)
{
    for (;;) {
        size_t size;
        enum tls_result r = tls_read(p->tls, p->heard + at, sizeof(p->heard) - at, &size);
        at += size;
        if (r == TLS_OVER)
            p->over = true;
        if (r != TLS_DATA)
            return at;
    }
}

size_t pair_server_hears(struct pair *p)
{
    uint8_t bytes[16384];
    size_t heard = 0;
    int size;
    while ((size = BIO_read(p->from_client, bytes, sizeof(bytes))) > 0) {
        tls_feed(p->tls, VIEW(bytes, size));
        heard = read_clear(p, heard);
    }
    return heard;
}

void pair_client_says(struct pair *p, const char *text)
{
    size_t done;
    assert_int_equal(SSL_write_ex(p->client, text, strlen(text), &done), 1);
}

size_t pair_client_hears(struct pair *p)
{
    size_t heard = 0, size;
    pair_to_client(p);
    while (SSL_read_ex(p->client, p->heard + heard, sizeof(p->heard) - heard, &size) == 1)
        heard += size;
    return heard;
}

bool pair_handshake(struct pair *p, size_t step)
{
    uint8_t bytes[16384];
    size_t limit = step < sizeof(bytes) ? step : sizeof(bytes);
    for (int round = 0; round < 100; round++) {
        int result = SSL_do_handshake(p->client);
        if (result != 1 && SSL_get_error(p->client, result) != SSL_ERROR_WANT_READ)
            return false;
        int size;
        while ((size = BIO_read(p->from_client, bytes, (int)limit)) > 0) {
            tls_feed(p->tls, VIEW(bytes, size));
            assert_int_equal(read_clear(p, 0), 0);
        }
        pair_to_client(p);
        if (p->over)
            return false;
        if (result == 1 && tls_is_open(p->tls))
            return true;
    }
    return false;
}
