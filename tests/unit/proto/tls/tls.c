/* Our server's TLS against OpenSSL's own client, through memory. */
#include "support/seams.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "proto/tls/tls.h"
#include "tls_pair.h"

static void test_clear_bytes_pass_both_ways(void **state)
{
    const int *version = *state;
    struct pair p;
    pair_open(&p, *version, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    assert_true(tls_is_open(p.tls));
    assert_int_equal(SSL_version(p.client), *version);
    pair_client_says(&p, "hello");
    assert_int_equal(pair_server_hears(&p), 5);
    assert_memory_equal(p.heard, "hello", 5);
    assert_true(tls_write(p.tls, STR("good morning")));
    assert_int_equal(pair_client_hears(&p), 12);
    assert_memory_equal(p.heard, "good morning", 12);
    assert_int_equal(tls_output(p.tls).size, 0);
    pair_close(&p);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_a_handshake_byte_by_byte(void **state)
{
    const int *version = *state;
    struct pair p;
    pair_open(&p, *version, NULL, 0, NULL);
    assert_true(pair_handshake(&p, 1));
    pair_client_says(&p, "cut");
    assert_int_equal(pair_server_hears(&p), 3);
    pair_close(&p);
}

static void test_many_records_in_one_feed(void **state)
{
    const int *version = *state;
    struct pair p;
    pair_open(&p, *version, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    char *big = malloc(200000);
    assert_non_null(big);
    for (int i = 0; i < 200000; i++)
        big[i] = (char)('a' + i % 26);
    size_t done;
    assert_int_equal(SSL_write_ex(p.client, big, 200000, &done), 1);
    assert_int_equal(pair_server_hears(&p), 200000);
    assert_memory_equal(p.heard, big, 200000);
    for (size_t at = 0; at < 200000; at += TLS_WRITE_MAX) {
        size_t size = 200000 - at < TLS_WRITE_MAX ? 200000 - at : TLS_WRITE_MAX;
        assert_true(tls_write(p.tls, VIEW(big + at, size)));
        pair_to_client(&p);
    }
    assert_int_equal(pair_client_hears(&p), 200000);
    assert_memory_equal(p.heard, big, 200000);
    free(big);
    pair_close(&p);
}

static void test_alpn_is_http11_or_nothing(void **state)
{
    const int *version = *state;
    static const unsigned char both[] = "\x02h2\x08http/1.1", only_h2[] = "\x02h2";
    const unsigned char *chosen;
    unsigned int size;
    struct pair p;
    pair_open(&p, *version, both, sizeof(both) - 1, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    SSL_get0_alpn_selected(p.client, &chosen, &size);
    assert_int_equal(size, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    pair_close(&p);
    pair_open(&p, *version, only_h2, sizeof(only_h2) - 1, NULL);
    assert_false(pair_handshake(&p, SIZE_MAX));
    pair_close(&p);
    pair_open(&p, *version, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    SSL_get0_alpn_selected(p.client, &chosen, &size);
    assert_int_equal(size, 0);
    pair_close(&p);
}

static void test_tls_below_12_is_refused(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, TLS1_1_VERSION, NULL, 0, "ALL:@SECLEVEL=0");
    SSL_set_security_level(p.client, 0);
    assert_false(pair_handshake(&p, SIZE_MAX));
    assert_true(p.over);
    pair_close(&p);
}

static void test_garbage_and_a_cut_record_end_the_connection(void **state)
{
    (void)state;
    static const char *const garbage[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\xFF\xFF garbage", "\x80\x2e\x01\x00\x02"};
    uint8_t out[100];
    size_t size;
    for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
        struct pair p;
        pair_open(&p, TLS1_3_VERSION, NULL, 0, NULL);
        tls_feed(p.tls, str_of(garbage[i]));
        enum tls_result r = tls_read(p.tls, out, sizeof(out), &size);
        assert_int_not_equal(r, TLS_DATA);
        assert_int_equal(size, 0);
        if (i < 2) {
            assert_int_equal(r, TLS_OVER);
            tls_feed(p.tls, STR("more"));                 /* swallowed */
            assert_int_equal(tls_read(p.tls, out, sizeof(out), &size), TLS_OVER);
        }
        assert_false(tls_write(p.tls, STR("x")));
        pair_close(&p);
    }
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_a_changed_byte_is_noticed(void **state)
{
    const int *version = *state;
    struct pair p;
    pair_open(&p, *version, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    pair_client_says(&p, "hello");
    char bytes[400];
    int size = BIO_read(p.from_client, bytes, sizeof(bytes));
    assert_true(size > 10);
    bytes[size - 1] ^= 1;
    BIO_write(p.from_client, bytes, size);
    assert_int_equal(pair_server_hears(&p), 0);
    assert_true(p.over);
    pair_close(&p);
}

static void test_close_notify_goes_both_ways(void **state)
{
    const int *version = *state;
    struct pair p;
    pair_open(&p, *version, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    tls_close(p.tls);
    pair_to_client(&p);
    assert_int_equal(pair_client_hears(&p), 0);
    assert_int_equal(SSL_get_shutdown(p.client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    SSL_shutdown(p.client);
    assert_int_equal(pair_server_hears(&p), 0);
    assert_true(p.over);
    pair_close(&p);
}

static void test_renegotiation_is_refused(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, TLS1_2_VERSION, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    SSL_renegotiate(p.client);
    for (int i = 0; i < 5; i++) {
        assert_int_not_equal(SSL_do_handshake(p.client), 1);
        pair_server_hears(&p);
        pair_to_client(&p);
    }
    pair_close(&p);
}

static void test_key_updates_without_end_are_cut_off(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, TLS1_3_VERSION, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    for (int i = 0; i < 100000 && !p.over; i++) {
        if (SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) != 1 || SSL_do_handshake(p.client) != 1)
            break;
        pair_server_hears(&p);
        assert_true(tls_output(p.tls).size <= TLS_OUTPUT_MAX);
    }
    assert_true(p.over);
    pair_close(&p);
}

static void test_no_buffer_stays_when_idle(void **state)
{
    const int *version = *state;
    struct pair p;
    pair_open(&p, *version, NULL, 0, NULL);
    size_t base = seam_mem_outstanding();
    assert_true(pair_handshake(&p, SIZE_MAX));
    pair_client_says(&p, "hello");
    assert_int_equal(pair_server_hears(&p), 5);
    assert_true(tls_write(p.tls, STR("answer")));
    assert_int_equal(seam_mem_outstanding(), base + 1);
    pair_to_client(&p);
    assert_int_equal(seam_mem_outstanding(), base);
    pair_close(&p);
}

static void test_partial_sends_resume(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, TLS1_3_VERSION, NULL, 0, NULL);
    assert_true(pair_handshake(&p, SIZE_MAX));
    assert_true(tls_write(p.tls, STR("in small pieces")));
    while (tls_output(p.tls).size > 0) {
        BIO_write(p.to_client, tls_output(p.tls).data, 1);
        tls_sent(p.tls, 1);
    }
    assert_int_equal(pair_client_hears(&p), 15);
    pair_close(&p);
}

static void test_bad_configurations_say_what_is_wrong(void **state)
{
    (void)state;
    char error[TLS_ERROR_TEXT];
    char *cert, *key, *other_cert, *other_key, *locked_cert, *locked_key;
    make_identity(&cert, &key, NULL);
    make_identity(&other_cert, &other_key, NULL);
    make_identity(&locked_cert, &locked_key, "opensesame");
    struct tls_config good = {.cert_pem = str_of(cert), .key_pem = str_of(key)};

    struct tls_config c = good;
    c.ciphers = "no such cipher";
    assert_null(tls_shared_new(&c, error));
    assert_non_null(strstr(error, "cipher"));
    c = good;
    c.cert_pem = STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_null(tls_shared_new(&c, error));
    assert_non_null(strstr(error, "certificate"));
    c.cert_pem = STR("");
    assert_null(tls_shared_new(&c, error));
    c = good;
    c.key_pem = STR("garbage");
    assert_null(tls_shared_new(&c, error));
    assert_non_null(strstr(error, "key"));
    c.key_pem = str_of(other_key);
    assert_null(tls_shared_new(&c, error));

    c = (struct tls_config){.cert_pem = str_of(locked_cert), .key_pem = str_of(locked_key)};
    assert_null(tls_shared_new(&c, error));                          /* and no prompt */
    c.key_password = "wrong-password";
    assert_null(tls_shared_new(&c, error));
    assert_null(strstr(error, "wrong-password"));
    c.key_password = "opensesame";
    struct tls_shared *shared = tls_shared_new(&c, error);
    assert_non_null(shared);
    tls_shared_free(shared);

    c = good;
    c.ciphers = "ECDHE+AES256";
    shared = tls_shared_new(&c, error);
    assert_non_null(shared);
    tls_shared_free(shared);
    /* Renewed while it is in use: what can't be used changes nothing. */
    shared = tls_shared_new(&good, error);
    c = good;
    c.key_pem = str_of(other_key);
    assert_false(tls_shared_renew(shared, &c, error));
    assert_non_null(strstr(error, "match"));
    c.cert_pem = str_of(other_cert);
    assert_true(tls_shared_renew(shared, &c, error));
    tls_shared_free(shared);
    free(cert), free(key), free(other_cert), free(other_key), free(locked_cert), free(locked_key);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_a_full_pool_is_a_refusal(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, TLS1_3_VERSION, NULL, 0, NULL);
    seam_refuse_pool_at(0);
    assert_null(tls_new(&p.pool, p.shared));
    seam_refuse_pool_at(-1);
    pair_close(&p);
}

int main(void)
{
    static int tls12 = TLS1_2_VERSION, tls13 = TLS1_3_VERSION;
#define BOTH(f) {#f "_12", f, NULL, NULL, &tls12}, {#f "_13", f, NULL, NULL, &tls13}
    const struct CMUnitTest tests[] = {
        BOTH(test_clear_bytes_pass_both_ways),
        BOTH(test_a_handshake_byte_by_byte),
        BOTH(test_many_records_in_one_feed),
        BOTH(test_alpn_is_http11_or_nothing),
        BOTH(test_a_changed_byte_is_noticed),
        BOTH(test_close_notify_goes_both_ways),
        BOTH(test_no_buffer_stays_when_idle),
        cmocka_unit_test(test_tls_below_12_is_refused),
        cmocka_unit_test(test_garbage_and_a_cut_record_end_the_connection),
        cmocka_unit_test(test_renegotiation_is_refused),
        cmocka_unit_test(test_key_updates_without_end_are_cut_off),
        cmocka_unit_test(test_partial_sends_resume),
        cmocka_unit_test(test_bad_configurations_say_what_is_wrong),
        cmocka_unit_test(test_a_full_pool_is_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
