/* One connection. The BIO below is both of OpenSSL's ends: it reads from `input`, which is the caller's and only there
 * during a call, and writes to `output`. OpenSSL asks for exactly what a record needs, so a partial record lies in its
 * own buffer, and nothing of `input` is ever left over. */
#include "proto/tls/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/check.h"
#include "proto/tls/tls_private.h"

struct tls {
    SSL *ssl;
    struct view input;
    struct buf output;
    bool opened;             /* SSL_is_init_finished says no again after a failure */
    bool over;
};

size_t tls_size(void)
{
    return sizeof(struct tls);
}

static int bio_read(BIO *bio, char *out, int room)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (room <= 0)
        return 0;
    if (tls->input.size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t size = tls->input.size < (size_t)room ? tls->input.size : (size_t)room;
    memcpy(out, tls->input.data, size);
    tls->input = VIEW(tls->input.data + size, tls->input.size - size);
    return (int)size;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    buf_add(&tls->output, data, (size_t)size);
    return tls->output.failed ? -1 : size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tls stream");
    CHECK(method != NULL);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

struct tls *tls_new(struct pool *pool, struct tls_shared *shared)
{
    struct tls *tls = pool_get(pool);
    if (tls == NULL)
        return NULL;
    BIO *bio = BIO_new(shared->method);
    tls->ssl = SSL_new(shared->ctx);
    if (bio == NULL || tls->ssl == NULL) {
        BIO_free(bio);
        SSL_free(tls->ssl);
        pool_put(pool, tls);
        ERR_clear_error();
        return NULL;
    }
    buf_init(&tls->output, TLS_OUTPUT_MAX);
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_free(struct pool *pool, struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    buf_fini(&tls->output);
    pool_put(pool, tls);
}

void tls_feed(struct tls *tls, struct view ciphertext)
{
    CHECK(tls->input.size == 0);
    tls->input = ciphertext;
}

enum tls_result tls_read(struct tls *tls, uint8_t *out, size_t room, size_t *size)
{
    *size = 0;
    while (!tls->over) {
        size_t before = tls->input.size;
        ERR_clear_error();
        int result = SSL_read_ex(tls->ssl, out, room, size);
        tls->opened = tls->opened || SSL_is_init_finished(tls->ssl);
        if (result == 1)
            return TLS_DATA;
        bool wants_more = SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ;
        if (wants_more && tls->input.size == 0)
            return TLS_MORE;
        /* OpenSSL may stop for breath between records; without any progress it has stopped for good. */
        tls->over = !wants_more || tls->input.size == before;
    }
    ERR_clear_error();
    tls->input = VIEW(NULL, 0);
    return TLS_OVER;
}

bool tls_write(struct tls *tls, struct view clear)
{
    size_t done = 0;
    CHECK(clear.size > 0 && clear.size <= TLS_WRITE_MAX);
    if (!tls->opened || tls->over)
        return false;
    ERR_clear_error();
    bool fine = SSL_write_ex(tls->ssl, clear.data, clear.size, &done) == 1 && !tls->output.failed;
    ERR_clear_error();
    if (!fine)
        tls->over = true;
    CHECK(!fine || done == clear.size);
    return fine;
}

void tls_close(struct tls *tls)
{
    if (!tls->opened || tls->over)
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

struct view tls_output(const struct tls *tls)
{
    return buf_view(&tls->output);
}

void tls_sent(struct tls *tls, size_t size)
{
    CHECK(size <= tls->output.size);
    if (size == tls->output.size)
        buf_fini(&tls->output);
    else
        buf_drop(&tls->output, size);
}

bool tls_is_open(const struct tls *tls)
{
    return tls->opened;
}
