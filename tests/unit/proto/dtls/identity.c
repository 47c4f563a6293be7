/* Certificates, fingerprints, the per-worker context and its configuration errors. */
#include "duel.h"

static char error[DTLS_ERROR_TEXT];

static struct view pem_of(BIO **bio, EVP_PKEY *key, X509 *x509, const char *passphrase)
{
    *bio = BIO_new(BIO_s_mem());
    if (x509 != NULL)
        assert_int_equal(PEM_write_bio_X509(*bio, x509), 1);
    if (key != NULL)
        assert_int_equal(PEM_write_bio_PrivateKey(*bio, key, passphrase == NULL ? NULL : EVP_aes_128_cbc(),
                                                  (const unsigned char *)passphrase,
                                                  passphrase == NULL ? 0 : (int)strlen(passphrase), NULL, NULL), 1);
    char *text;
    const long size = BIO_get_mem_data(*bio, &text);
    return VIEW(text, size);
}

static SSL_CTX *context_of(const struct dtls_identity *identity)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    assert_true(dtls_identity_use(identity, ctx));
    return ctx;
}

static void test_a_generated_certificate(void **state)
{
    (void)state;
    for (int rsa = 0; rsa < 2; rsa++) {
        struct dtls_identity *identity = dtls_identity_new(&(struct dtls_identity_config){.rsa = rsa}, error);
        assert_non_null(identity);
        assert_string_equal(error, "");
        SSL_CTX *ctx = context_of(identity);
        X509 *x509 = SSL_CTX_get0_certificate(ctx);
        char name[64];
        X509_NAME_oneline(X509_get_subject_name(x509), name, sizeof(name));
        assert_string_equal(name, "/CN=Cardea");
        assert_int_equal(X509_self_signed(x509, 1), 1);
        int days, seconds;
        assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x509), X509_get0_notAfter(x509)), 1);
        assert_int_equal(days, 730);
        assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x509)), 1);
        assert_true(days == 365 || days == 364);
        assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(x509)), rsa ? 2048 : 256);
        const struct dtls_fingerprint expected = oracle_fingerprint(x509, DTLS_HASH_SHA256);
        assert_memory_equal(dtls_identity_fingerprint(identity)->bytes, expected.bytes, 32);
        SSL_CTX_free(ctx);
        dtls_identity_free(identity);
    }
}

static void test_a_certificate_from_files(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(4096);
    X509 *x509 = oracle_certificate(key, "from a file", 10, NULL, NULL);
    BIO *cert, *plain, *locked;
    const struct view cert_pem = pem_of(&cert, NULL, x509, NULL), key_pem = pem_of(&plain, key, NULL, NULL),
                      locked_pem = pem_of(&locked, key, NULL, "open sesame");
    struct dtls_identity *identity =
        dtls_identity_new(&(struct dtls_identity_config){.cert_pem = cert_pem, .key_pem = key_pem}, error);
    assert_non_null(identity);
    dtls_identity_free(identity);
    identity = dtls_identity_new(
        &(struct dtls_identity_config){.cert_pem = cert_pem, .key_pem = locked_pem, .passphrase = "open sesame"}, error);
    assert_non_null(identity);
    const struct dtls_fingerprint expected = oracle_fingerprint(x509, DTLS_HASH_SHA256);
    assert_memory_equal(dtls_identity_fingerprint(identity)->bytes, expected.bytes, 32);

    /* A certificate of this size in both roles, in 256-byte datagrams. */
    static struct pair pair;
    pair_init(&pair, &(struct pair_options){.mtu = 256, .identity = {identity, identity}});
    pair_run(&pair, virtual_now + SEC(2));
    assert_connected(&pair);
    assert_true(pair.side[CLIENT].largest <= 256 && pair.side[SERVER].largest <= 256);
    pair_fini(&pair);
    dtls_identity_free(identity);
    BIO_free(cert);
    BIO_free(plain);
    BIO_free(locked);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void assert_refused(const struct dtls_identity_config *config, const char *start)
{
    assert_null(dtls_identity_new(config, error));
    assert_memory_equal(error, start, strlen(start));
}

static void test_unusable_files_say_why(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    X509 *x509 = oracle_certificate(key, "x", 10, NULL, NULL);
    BIO *cert, *locked, *wrong, *plain;
    const struct view cert_pem = pem_of(&cert, NULL, x509, NULL), locked_pem = pem_of(&locked, key, NULL, "secret"),
                      wrong_pem = pem_of(&wrong, other, NULL, NULL), key_pem = pem_of(&plain, key, NULL, NULL);
    assert_refused(&(struct dtls_identity_config){.cert_pem = cert_pem}, "a certificate needs its private key");
    assert_refused(&(struct dtls_identity_config){.key_pem = key_pem}, "a certificate needs its private key");
    assert_refused(&(struct dtls_identity_config){cert_pem, locked_pem, NULL, false}, "the private key can't be read");
    assert_refused(&(struct dtls_identity_config){cert_pem, locked_pem, "guess", false}, "the private key can't be read");
    assert_refused(&(struct dtls_identity_config){cert_pem, STR("nonsense"), NULL, false}, "the private key can't be read");
    assert_refused(&(struct dtls_identity_config){STR("nonsense"), key_pem, NULL, false}, "the certificate can't be read");
    assert_refused(&(struct dtls_identity_config){cert_pem, wrong_pem, NULL, false}, "the certificate and the private key");
    for (size_t cut = 0; cut < cert_pem.size - 1; cut += 7)
        assert_null(dtls_identity_new(&(struct dtls_identity_config){VIEW(cert_pem.data, cut), key_pem, NULL, false}, error));

    BIO *many = BIO_new(BIO_s_mem());
    for (int i = 0; i < 9; i++)
        PEM_write_bio_X509(many, x509);
    char *text;
    const long size = BIO_get_mem_data(many, &text);
    assert_refused(&(struct dtls_identity_config){VIEW(text, size), key_pem, NULL, false}, "too many certificates");
    BIO_free(many);
    BIO_free(cert);
    BIO_free(locked);
    BIO_free(wrong);
    BIO_free(plain);
    X509_free(x509);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void assert_shared_refused(const struct dtls_shared_config *config, const char *start)
{
    assert_null(dtls_shared_open(config, error));
    assert_memory_equal(error, start, strlen(start));
}

static void test_contexts_that_can_not_work_are_refused(void **state)
{
    (void)state;
    const struct dtls_identity *identity = identity_p256(0);
    assert_shared_refused(&(struct dtls_shared_config){.identity = identity, .accept_selfsigned = true, .mtu = 255},
                          "the MTU is out of range");
    assert_shared_refused(&(struct dtls_shared_config){.identity = identity, .accept_selfsigned = true, .mtu = 1501},
                          "the MTU is out of range");
    assert_shared_refused(&(struct dtls_shared_config){.identity = identity, .accept_selfsigned = true, .ciphers = "ROT13"},
                          "no usable cipher suite");
    assert_shared_refused(&(struct dtls_shared_config){.identity = identity, .accept_selfsigned = true,
                                                       .ciphers = "ECDHE-ECDSA-AES128-SHA:eNULL"},
                          "no usable cipher suite");
    assert_shared_refused(&(struct dtls_shared_config){.identity = identity}, "self-signed certificates are refused");
    assert_shared_refused(&(struct dtls_shared_config){.identity = identity, .trust_pem = STR("nonsense")},
                          "self-signed certificates are refused");
}

/* The reference's default list, and whatever an operator writes: only what record.c can carry on is left. */
static void test_a_cipher_list_is_reduced_to_aead(void **state)
{
    (void)state;
    static struct pair pair;
    static const char *const lists[] = {
        "DEFAULT:!NULL:!aNULL:!SHA256:!SHA384:!aECDH:!AESGCM+AES256:!aPSK", "ALL", "HIGH", "ECDHE-ECDSA-CHACHA20-POLY1305",
    };
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        pair_init(&pair, &(struct pair_options){.ciphers = lists[i]});
        STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(pair.side[CLIENT].shared->ctx);
        for (int k = 0; k < sk_SSL_CIPHER_num(ciphers); k++) {
            const int nid = SSL_CIPHER_get_cipher_nid(sk_SSL_CIPHER_value(ciphers, k));
            assert_true(nid == NID_aes_128_gcm || nid == NID_aes_256_gcm || nid == NID_chacha20_poly1305);
        }
        pair_run(&pair, virtual_now + SEC(1));
        assert_connected(&pair);
        pair_fini(&pair);
    }
}

static void test_fingerprints_are_parsed_strictly(void **state)
{
    (void)state;
    static const char text[] = "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";     /* RFC 8122 5 */
    struct dtls_fingerprint f = {.hash = 77};
    char out[DTLS_FINGERPRINT_TEXT];
    assert_true(dtls_fingerprint_parse(&f, STR("SHA-1"), str_of(text)));
    assert_int_equal(f.hash, DTLS_HASH_SHA1);
    assert_int_equal(f.size, 20);
    assert_string_equal(dtls_fingerprint_text(&f, out), text);
    assert_true(dtls_fingerprint_parse(&f, STR("sha-1"), STR("4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab")));
    assert_string_equal(dtls_fingerprint_text(&f, out), text);

    f = (struct dtls_fingerprint){.hash = 77};
    for (size_t cut = 0; cut < sizeof(text) - 1; cut++)
        assert_false(dtls_fingerprint_parse(&f, STR("sha-1"), VIEW(text, cut)));
    assert_false(dtls_fingerprint_parse(&f, STR("sha-256"), str_of(text)));
    assert_false(dtls_fingerprint_parse(&f, STR("md5"), str_of(text)));
    assert_false(dtls_fingerprint_parse(&f, STR(""), str_of(text)));
    assert_false(dtls_fingerprint_parse(&f, STR("sha-1"), STR("4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:")));
    assert_false(dtls_fingerprint_parse(&f, STR("sha-1"), STR("4A-AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB")));
    assert_false(dtls_fingerprint_parse(&f, STR("sha-1"), STR("4G:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB")));
    assert_int_equal(f.hash, 77);           /* no partial result */

    for (int hash = DTLS_HASH_SHA1; hash <= DTLS_HASH_SHA512; hash++) {
        const struct dtls_fingerprint made = oracle_fingerprint(oracle_default_certificate(), (enum dtls_hash)hash);
        assert_true(dtls_fingerprint_parse(&f, str_of(dtls_hash_name((enum dtls_hash)hash)),
                                           str_of(dtls_fingerprint_text(&made, out))));
        assert_memory_equal(&f, &made, sizeof(f));
    }
    assert_string_equal(dtls_fingerprint_text(&(struct dtls_fingerprint){0}, out), "");
    assert_string_equal(dtls_hash_name(DTLS_HASH_NONE), "");
    assert_string_equal(dtls_srtp_profile_name(DTLS_SRTP_NONE), "");
}

static void test_old_libraries_are_warned_about(void **state)
{
    (void)state;
    assert_non_null(dtls_library_warning(0x300000f0));      /* 3.0.15 */
    assert_non_null(dtls_library_warning(0x30000150));      /* 3.0.21 */
    assert_null(dtls_library_warning(0x30000160));          /* 3.0.22 */
    assert_null(dtls_library_warning(0x30500090));          /* 3.5.9 */
    assert_true(dtls_library_version() >= 0x30000000);
}

static int fini(void **state)
{
    (void)state;
    identities_fini();
    oracle_globals_fini();
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_generated_certificate),
        cmocka_unit_test(test_a_certificate_from_files),
        cmocka_unit_test(test_unusable_files_say_why),
        cmocka_unit_test(test_contexts_that_can_not_work_are_refused),
        cmocka_unit_test(test_a_cipher_list_is_reduced_to_aead),
        cmocka_unit_test(test_fingerprints_are_parsed_strictly),
        cmocka_unit_test(test_old_libraries_are_warned_about),
    };
    return cmocka_run_group_tests(tests, NULL, fini);
}
