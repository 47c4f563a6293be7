#include "duel.h"

#include <sys/time.h>

static EVP_PKEY *default_key;
static X509 *default_certificate;

X509 *oracle_certificate(EVP_PKEY *key, const char *name, long days, X509 *issuer, EVP_PKEY *issuer_key)
{
    const long day_s = 24L * 60 * 60;
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_get_subject_name(x509);
    assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), issuer == NULL ? 7 : 8);
    X509_gmtime_adj(X509_getm_notBefore(x509), -400 * day_s);
    X509_gmtime_adj(X509_getm_notAfter(x509), days * day_s);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x509, issuer == NULL ? subject : X509_get_subject_name(issuer));
    X509_set_pubkey(x509, key);
    if (issuer == NULL) {
        X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(x509, ca, -1);
        X509_EXTENSION_free(ca);
    }
    assert_true(X509_sign(x509, issuer == NULL ? key : issuer_key, EVP_sha256()) > 0);
    return x509;
}

struct dtls_fingerprint oracle_fingerprint(X509 *certificate, enum dtls_hash hash)
{
    const EVP_MD *md = hash == DTLS_HASH_SHA1 ? EVP_sha1() : hash == DTLS_HASH_SHA256 ? EVP_sha256()
                     : hash == DTLS_HASH_SHA384 ? EVP_sha384() : EVP_sha512();
    struct dtls_fingerprint f = {.hash = (uint8_t)hash};
    unsigned int size = 0;
    assert_int_equal(X509_digest(certificate, md, f.bytes, &size), 1);
    f.size = (uint8_t)size;
    return f;
}

X509 *oracle_default_certificate(void)
{
    if (default_key == NULL) {
        default_key = EVP_EC_gen("P-256");
        default_certificate = oracle_certificate(default_key, "oracle", 30, NULL, NULL);
    }
    return default_certificate;
}

void oracle_globals_fini(void)
{
    X509_free(default_certificate);
    EVP_PKEY_free(default_key);
    default_certificate = NULL;
    default_key = NULL;
}

static int oracle_write(BIO *bio, const char *bytes, int size)
{
    struct oracle *o = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    assert_true(o->out_tail - o->out_head < ORACLE_QUEUE);
    assert_true((size_t)size <= DTLS_INPUT_MAX);
    memcpy(o->out[o->out_tail % ORACLE_QUEUE].bytes, bytes, (size_t)size);
    o->out[o->out_tail++ % ORACLE_QUEUE].size = (size_t)size;
    return size;
}

static int oracle_read(BIO *bio, char *out, int room)
{
    struct oracle *o = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (o->in_head == o->in_tail) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const size_t size = o->in[o->in_head % ORACLE_QUEUE].size;
    assert_true(size <= (size_t)room);
    memcpy(out, o->in[o->in_head++ % ORACLE_QUEUE].bytes, size);
    return (int)size;
}

static long oracle_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int oracle_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static unsigned int oracle_timer(SSL *ssl, unsigned int us)
{
    (void)ssl;
    return us == 0 ? 50000 : us * 2;
}

static void oracle_info(const SSL *ssl, int where, int value)
{
    struct oracle *o = SSL_get_app_data(ssl);
    if ((where & SSL_CB_ALERT) != 0 && (where & SSL_CB_READ) != 0)
        o->alert = value;
}

static int oracle_verify(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 1;
}

static void oracle_context(struct oracle *o, const struct oracle_options *options)
{
    X509 *certificate = oracle_default_certificate();
    EVP_PKEY *key = default_key;
    if (options->certificate != NULL) {
        certificate = options->certificate;
        key = options->key;
    }
    o->ctx = SSL_CTX_new(DTLS_method());
    SSL_CTX_set_options(o->ctx, SSL_OP_NO_QUERY_MTU);
    if (options->null_cipher) {
        SSL_CTX_set_security_level(o->ctx, 0);
        assert_int_equal(SSL_CTX_set_cipher_list(o->ctx, "eNULL"), 1);
    } else if (options->ciphers != NULL) {
        assert_int_equal(SSL_CTX_set_cipher_list(o->ctx, options->ciphers), 1);
    }
    assert_int_equal(SSL_CTX_use_certificate(o->ctx, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(o->ctx, key), 1);
    if (options->srtp != NULL)
        assert_int_equal(SSL_CTX_set_tlsext_use_srtp(o->ctx, options->srtp), 0);
    SSL_CTX_set_verify(o->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(o->ctx, oracle_verify, NULL);
    SSL_CTX_set_info_callback(o->ctx, oracle_info);
}

void oracle_init(struct oracle *o, const struct oracle_options *options)
{
    memset(o, 0, sizeof(*o));
    o->alert = -1;
    oracle_context(o, options);
    o->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "oracle");
    BIO_meth_set_write(o->method, oracle_write);
    BIO_meth_set_read(o->method, oracle_read);
    BIO_meth_set_ctrl(o->method, oracle_ctrl);
    BIO_meth_set_create(o->method, oracle_create);
    o->ssl = SSL_new(o->ctx);
    BIO *bio = BIO_new(o->method);
    BIO_set_data(bio, o);
    SSL_set_bio(o->ssl, bio, bio);
    SSL_set_app_data(o->ssl, o);
    DTLS_set_timer_cb(o->ssl, oracle_timer);
    assert_true(SSL_set_mtu(o->ssl, options->mtu > 0 ? options->mtu : 1200) > 0);
    if (options->long_hello) {
        uint8_t protocols[400];
        for (size_t i = 0; i < sizeof(protocols); i++)
            protocols[i] = i % 100 == 0 ? 99 : 'p';
        assert_int_equal(SSL_set_alpn_protos(o->ssl, protocols, sizeof(protocols)), 0);
    }
    if (options->is_client)
        SSL_set_connect_state(o->ssl);
    else
        SSL_set_accept_state(o->ssl);
}

void oracle_fini(struct oracle *o)
{
    SSL_free(o->ssl);
    SSL_CTX_free(o->ctx);
    BIO_meth_free(o->method);
}

void oracle_step(struct oracle *o)
{
    ERR_clear_error();
    if (!SSL_is_init_finished(o->ssl))
        (void)SSL_do_handshake(o->ssl);
    ERR_clear_error();
}

void oracle_put(struct oracle *o, struct view datagram)
{
    assert_true(o->in_tail - o->in_head < ORACLE_QUEUE);
    memcpy(o->in[o->in_tail % ORACLE_QUEUE].bytes, datagram.data, datagram.size);
    o->in[o->in_tail++ % ORACLE_QUEUE].size = datagram.size;
}

bool oracle_take(struct oracle *o, struct view *out)
{
    if (o->out_head == o->out_tail)
        return false;
    *out = VIEW(o->out[o->out_head % ORACLE_QUEUE].bytes, o->out[o->out_head % ORACLE_QUEUE].size);
    o->out_head++;
    return true;
}

struct side *duel_us(struct duel *duel)
{
    return &duel->pair.side[duel->us];
}

void duel_init(struct duel *duel, const struct oracle_options *options, const struct dtls_fingerprint *expect)
{
    duel->us = options->is_client ? SERVER : CLIENT;
    pair_open(&duel->pair, &(struct pair_options){0});
    const struct dtls_config config = {
        .role = options->is_client ? DTLS_ROLE_SERVER : DTLS_ROLE_CLIENT,
        .remote = expect != NULL ? *expect : oracle_fingerprint(oracle_default_certificate(), DTLS_HASH_SHA256),
    };
    struct side *us = duel_us(duel);
    us->dtls = dtls_new(&us->pool, us->shared, &config, virtual_now);
    assert_non_null(us->dtls);
    oracle_init(&duel->oracle, options);
}

void duel_fini(struct duel *duel)
{
    oracle_fini(&duel->oracle);
    pair_fini(&duel->pair);
}

static bool pass_ours(struct duel *duel)
{
    uint8_t bytes[DTLS_DATAGRAM_MAX];
    bool any = false;
    for (size_t size; (size = take_tx(duel_us(duel)->dtls, bytes)) > 0; any = true)
        oracle_put(&duel->oracle, VIEW(bytes, size));
    return any;
}

static bool pass_theirs(struct duel *duel)
{
    struct view datagram;
    bool any = false;
    for (; oracle_take(&duel->oracle, &datagram); any = true) {
        dtls_input(duel_us(duel)->dtls, virtual_now, datagram);
        (void)pass_ours(duel);
        pair_drain(&duel->pair, duel->us);      /* events only: nothing is left to send */
    }
    return any;
}

void duel_settle(struct duel *duel)
{
    bool any = true;
    while (any) {
        oracle_step(&duel->oracle);
        any = pass_theirs(duel);
        any = pass_ours(duel) || any;
    }
}

void duel_wait(struct duel *duel, usec_t us)
{
    const usec_t until = virtual_now + us;
    duel_settle(duel);
    while (virtual_now < until) {
        virtual_now += MSEC(10);
        dtls_timeout(duel_us(duel)->dtls, virtual_now);
        if (!SSL_is_init_finished(duel->oracle.ssl))
            (void)DTLSv1_handle_timeout(duel->oracle.ssl);
        duel_settle(duel);
    }
}
