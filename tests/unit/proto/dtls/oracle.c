/* Ours against a plain OpenSSL end: the handshake's variants, and above all what follows it, where OpenSSL keeps its own
 * record layer and ours has to be indistinguishable from one. */
#include "duel.h"

#define ALL_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32"

static struct duel duel;

static void assert_oracle_reads(const char *text)
{
    char out[DTLS_INPUT_MAX];
    const int size = SSL_read(duel.oracle.ssl, out, sizeof(out));
    assert_int_equal(size, (int)strlen(text));
    assert_memory_equal(out, text, strlen(text));
}

/* Lets the oracle see what has arrived when no data is expected. */
static void oracle_reads_nothing(void)
{
    char out[DTLS_INPUT_MAX];
    assert_true(SSL_read(duel.oracle.ssl, out, sizeof(out)) <= 0);
}

static void assert_same_srtp_keys(void)
{
    const struct dtls_srtp_keys *k = &duel_us(&duel)->keys;
    uint8_t out[120];
    const size_t key = k->key_size, salt = k->salt_size;
    assert_int_equal(SSL_export_keying_material(duel.oracle.ssl, out, 2 * (key + salt), "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0),
                     1);
    const bool we_are_client = duel.us == CLIENT;
    assert_memory_equal(out, we_are_client ? k->local_key : k->remote_key, key);
    assert_memory_equal(out + key, we_are_client ? k->remote_key : k->local_key, key);
    assert_memory_equal(out + 2 * key, we_are_client ? k->local_salt : k->remote_salt, salt);
    assert_memory_equal(out + 2 * key + salt, we_are_client ? k->remote_salt : k->local_salt, salt);
}

static const char *const suites[] = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                     "ECDHE-ECDSA-CHACHA20-POLY1305"};

static void connect_with(bool oracle_is_client, const char *suite)
{
    duel_init(&duel, &(struct oracle_options){.is_client = oracle_is_client, .ciphers = suite, .srtp = ALL_PROFILES}, NULL);
    duel_settle(&duel);
    assert_true(duel_us(&duel)->connected);
    assert_true(SSL_is_init_finished(duel.oracle.ssl));
    assert_string_equal(SSL_get_cipher(duel.oracle.ssl), suite);
    assert_same_srtp_keys();
}

static void exchange_data(int rounds)
{
    struct side *us = duel_us(&duel);
    for (int i = 0; i < rounds; i++) {
        assert_int_equal(dtls_send(us->dtls, STR("to OpenSSL")), ERR_NONE);
        duel_settle(&duel);
        assert_oracle_reads("to OpenSSL");
        us->data_size = 0;
        assert_int_equal(SSL_write(duel.oracle.ssl, "from OpenSSL", 12), 12);
        duel_settle(&duel);
        assert_int_equal(us->data_size, 12);
        assert_memory_equal(us->data, "from OpenSSL", 12);
    }
}

static void test_data_passes_in_every_suite_and_role(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        for (size_t i = 0; i < ARRAY_COUNT(suites); i++) {
            connect_with(role == 0, suites[i]);
            exchange_data(100);
            struct dtls_info info;
            dtls_get_info(duel_us(&duel)->dtls, &info);
            assert_int_equal(info.dropped, 0);
            duel_fini(&duel);
        }
    }
}

static void test_our_close_notify_reaches_openssl(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        for (size_t i = 0; i < ARRAY_COUNT(suites); i++) {
            connect_with(role == 0, suites[i]);
            dtls_close(duel_us(&duel)->dtls);
            duel_settle(&duel);
            oracle_reads_nothing();
            assert_int_equal(duel.oracle.alert, SSL3_AL_WARNING << 8 | SSL_AD_CLOSE_NOTIFY);
            assert_int_equal(SSL_get_shutdown(duel.oracle.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
            duel_fini(&duel);
        }
    }
}

static void test_openssls_close_notify_is_answered_and_ends(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        for (size_t i = 0; i < ARRAY_COUNT(suites); i++) {
            connect_with(role == 0, suites[i]);
            assert_int_equal(SSL_shutdown(duel.oracle.ssl), 0);
            duel_settle(&duel);
            assert_true(duel_us(&duel)->closed);
            assert_string_equal(duel_us(&duel)->reason, DTLS_REASON_ALERT);
            assert_int_equal(SSL_shutdown(duel.oracle.ssl), 1);         /* ours has come back */
            duel_fini(&duel);
        }
    }
}

static void test_a_late_wrong_fingerprint_sends_a_protected_alert(void **state)
{
    (void)state;
    struct dtls_fingerprint none = {0};
    duel_init(&duel, &(struct oracle_options){.is_client = true, .srtp = ALL_PROFILES}, &none);
    duel_settle(&duel);
    assert_false(duel_us(&duel)->connected);
    assert_true(SSL_is_init_finished(duel.oracle.ssl));
    none = oracle_fingerprint(oracle_default_certificate(), DTLS_HASH_SHA384);
    none.bytes[47] ^= 1;
    dtls_set_fingerprint(duel_us(&duel)->dtls, virtual_now, &none);
    duel_settle(&duel);
    pair_drain(&duel.pair, duel.us);
    oracle_reads_nothing();
    assert_true(duel_us(&duel)->failed);
    assert_int_equal(duel.oracle.alert, SSL3_AL_FATAL << 8 | SSL_AD_BAD_CERTIFICATE);
    duel_fini(&duel);
}

static void test_every_hash_of_a_fingerprint_is_compared(void **state)
{
    (void)state;
    for (int hash = DTLS_HASH_SHA1; hash <= DTLS_HASH_SHA512; hash++) {
        for (int right = 0; right < 2; right++) {
            struct dtls_fingerprint f = oracle_fingerprint(oracle_default_certificate(), (enum dtls_hash)hash);
            f.bytes[f.size - 1] ^= (uint8_t)(right ? 0 : 1);
            duel_init(&duel, &(struct oracle_options){.is_client = true, .srtp = ALL_PROFILES}, &f);
            duel_settle(&duel);
            assert_int_equal(duel_us(&duel)->connected, right);
            assert_int_equal(duel_us(&duel)->failed, !right);
            duel_fini(&duel);
        }
    }
}

static void test_each_srtp_profile(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t profile;
        uint8_t key, salt;
    } profiles[] = {
        {"SRTP_AEAD_AES_256_GCM", DTLS_SRTP_AEAD_AES_256_GCM, 32, 12},
        {"SRTP_AEAD_AES_128_GCM", DTLS_SRTP_AEAD_AES_128_GCM, 16, 12},
        {"SRTP_AES128_CM_SHA1_80", DTLS_SRTP_AES128_CM_SHA1_80, 16, 14},
        {"SRTP_AES128_CM_SHA1_32", DTLS_SRTP_AES128_CM_SHA1_32, 16, 14},
    };
    for (size_t i = 0; i < ARRAY_COUNT(profiles); i++) {
        for (int role = 0; role < 2; role++) {
            duel_init(&duel, &(struct oracle_options){.is_client = role == 0, .srtp = profiles[i].name}, NULL);
            duel_settle(&duel);
            const struct dtls_srtp_keys *k = &duel_us(&duel)->keys;
            assert_true(duel_us(&duel)->connected);
            assert_int_equal(k->profile, profiles[i].profile);
            assert_int_equal(k->key_size, profiles[i].key);
            assert_int_equal(k->salt_size, profiles[i].salt);
            assert_string_equal(dtls_srtp_profile_name(k->profile), profiles[i].name);
            assert_same_srtp_keys();
            duel_fini(&duel);
        }
    }
}

static void test_no_common_profile_ends_both_sides(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel_init(&duel, &(struct oracle_options){.is_client = role == 0}, NULL);
        duel_settle(&duel);
        assert_false(duel_us(&duel)->connected);
        assert_true(duel_us(&duel)->failed);
        assert_string_equal(duel_us(&duel)->reason, DTLS_REASON_ALERT);
        assert_string_equal(duel_us(&duel)->detail, "no common SRTP profile");
        oracle_reads_nothing();
        assert_int_equal(duel.oracle.alert, SSL3_AL_FATAL << 8 | SSL_AD_HANDSHAKE_FAILURE);
        duel_fini(&duel);
    }
}

static void test_no_common_cipher_ends_both_sides(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel_init(&duel, &(struct oracle_options){.is_client = role == 0, .srtp = ALL_PROFILES,
                                                  .ciphers = "ECDHE-ECDSA-AES128-SHA"}, NULL);
        duel_settle(&duel);
        assert_true(duel_us(&duel)->failed);
        assert_string_equal(duel_us(&duel)->reason, DTLS_REASON_ALERT);
        duel_fini(&duel);
    }
}

/* In one datagram: the server's last flight and data right behind it. OpenSSL stops at Finished; the rest is ours. */
static void test_data_behind_finished_in_one_datagram(void **state)
{
    (void)state;
    duel_init(&duel, &(struct oracle_options){.srtp = ALL_PROFILES}, NULL);
    struct side *us = duel_us(&duel);
    uint8_t joined[DTLS_INPUT_MAX];
    struct view v;
    for (int i = 0; i < 10 && !SSL_is_init_finished(duel.oracle.ssl); i++) {
        for (size_t n; (n = take_tx(us->dtls, joined)) > 0;)
            oracle_put(&duel.oracle, VIEW(joined, n));
        oracle_step(&duel.oracle);
        if (SSL_is_init_finished(duel.oracle.ssl))
            break;
        while (oracle_take(&duel.oracle, &v))
            dtls_input(us->dtls, virtual_now, v);
    }
    assert_true(SSL_is_init_finished(duel.oracle.ssl));
    assert_int_equal(SSL_write(duel.oracle.ssl, "first", 5), 5);
    assert_int_equal(SSL_write(duel.oracle.ssl, "second", 6), 6);
    size_t size = 0;
    for (; oracle_take(&duel.oracle, &v); size += v.size)
        memcpy(joined + size, v.data, v.size);
    pair_input(&duel.pair, duel.us, VIEW(joined, size));
    assert_true(us->connected);
    assert_int_equal(us->data_events, 2);
    assert_memory_equal(us->data, "firstsecond", 11);
    duel_fini(&duel);
}

/* OpenSSL's client retransmits one datagram per message; the server answers the burst once, and the handshake ends. */
static void test_openssl_gets_our_last_flight_again(void **state)
{
    (void)state;
    duel_init(&duel, &(struct oracle_options){.is_client = true, .srtp = ALL_PROFILES}, NULL);
    struct side *us = duel_us(&duel);
    uint8_t lost[DTLS_DATAGRAM_MAX];
    struct view v;
    while (!us->connected) {
        oracle_step(&duel.oracle);
        while (oracle_take(&duel.oracle, &v))
            dtls_input(us->dtls, virtual_now, v);
        struct dtls_event event;
        while (dtls_poll_event(us->dtls, &event))
            us->connected = event.kind == DTLS_EVENT_CONNECTED;
        for (size_t n; (n = take_tx(us->dtls, lost)) > 0;) {
            if (!us->connected)
                oracle_put(&duel.oracle, VIEW(lost, n));
        }
    }
    oracle_step(&duel.oracle);
    assert_false(SSL_is_init_finished(duel.oracle.ssl));
    const struct dtls_counters *c = dtls_shared_counters(us->shared);
    duel_wait(&duel, MSEC(30));         /* OpenSSL's timers fire up to 15 ms early */
    assert_int_equal(c->flights_repeated, 0);
    duel_wait(&duel, MSEC(200));
    assert_true(SSL_is_init_finished(duel.oracle.ssl));
    assert_int_equal(c->flights_repeated, 1);
    us->data_size = 0;
    exchange_data(3);
    duel_fini(&duel);
}

/* Chromium's ClientHello spans two datagrams (webrtc.md, corrections): either may come first, or be lost. */
static void test_a_client_hello_in_several_datagrams(void **state)
{
    (void)state;
    for (int mode = 0; mode < 4; mode++) {
        duel_init(&duel, &(struct oracle_options){.is_client = true, .srtp = ALL_PROFILES, .mtu = 400, .long_hello = true},
                  NULL);
        oracle_step(&duel.oracle);
        struct view parts[2];
        assert_true(oracle_take(&duel.oracle, &parts[0]) && oracle_take(&duel.oracle, &parts[1]));
        if (mode != 2)
            dtls_input(duel_us(&duel)->dtls, virtual_now, parts[mode == 1]);
        if (mode != 3)
            dtls_input(duel_us(&duel)->dtls, virtual_now, parts[mode != 1]);
        duel_wait(&duel, MSEC(mode < 2 ? 0 : 300));
        assert_true(duel_us(&duel)->connected);
        duel_fini(&duel);
    }
}

static void test_certificates_as_large_as_rsa_4096(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_RSA_gen(4096);
    X509 *certificate = oracle_certificate(key, "large", 30, NULL, NULL);
    const struct dtls_fingerprint f = oracle_fingerprint(certificate, DTLS_HASH_SHA256);
    for (int role = 0; role < 2; role++) {
        for (uint16_t mtu = 256; mtu <= 1200; mtu = (uint16_t)(mtu + 944)) {
            duel_init(&duel, &(struct oracle_options){.is_client = role == 0, .srtp = ALL_PROFILES, .mtu = mtu, .key = key,
                                                      .certificate = certificate}, &f);
            duel_settle(&duel);
            assert_true(duel_us(&duel)->connected);
            exchange_data(1);
            duel_fini(&duel);
        }
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void test_an_expired_certificate_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = oracle_certificate(key, "old", -1, NULL, NULL);
    const struct dtls_fingerprint f = oracle_fingerprint(certificate, DTLS_HASH_SHA256);
    for (int role = 0; role < 2; role++) {
        duel_init(&duel, &(struct oracle_options){.is_client = role == 0, .srtp = ALL_PROFILES, .key = key,
                                                  .certificate = certificate}, &f);
        duel_settle(&duel);
        assert_true(duel_us(&duel)->failed);
        assert_string_equal(duel_us(&duel)->detail, "the remote certificate has expired");
        assert_int_equal(duel.oracle.alert, SSL3_AL_FATAL << 8 | SSL_AD_CERTIFICATE_EXPIRED);
        duel_fini(&duel);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* dtls_accept_selfsigned=false: a chain that leads to a given CA passes, a self-signed certificate does not. */
static void test_a_chain_is_verified_on_request(void **state)
{
    (void)state;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = oracle_certificate(ca_key, "ca", 30, NULL, NULL);
    X509 *certificate = oracle_certificate(key, "leaf", 30, ca, ca_key);
    BIO *pem = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(pem, ca), 1);
    char *text;
    const long size = BIO_get_mem_data(pem, &text);
    for (int chained = 0; chained < 2; chained++) {
        const struct dtls_fingerprint f = oracle_fingerprint(chained ? certificate : oracle_default_certificate(),
                                                             DTLS_HASH_SHA256);
        pair_open(&duel.pair, &(struct pair_options){.refuse_selfsigned = {true, true}, .trust_pem = VIEW(text, size)});
        duel.us = SERVER;
        const struct dtls_config config = {.role = DTLS_ROLE_SERVER, .remote = f};
        struct side *us = duel_us(&duel);
        us->dtls = dtls_new(&us->pool, us->shared, &config, virtual_now);
        oracle_init(&duel.oracle, &(struct oracle_options){.is_client = true, .srtp = ALL_PROFILES,
                                                           .key = chained ? key : NULL,
                                                           .certificate = chained ? certificate : NULL});
        duel_settle(&duel);
        assert_int_equal(us->connected, chained);
        assert_int_equal(us->failed, !chained);
        duel_fini(&duel);
    }
    BIO_free(pem);
    X509_free(ca);
    X509_free(certificate);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}

static void test_renegotiation_is_not_on_offer(void **state)
{
    (void)state;
    connect_with(true, suites[0]);
    assert_int_equal(SSL_renegotiate(duel.oracle.ssl), 1);
    (void)SSL_do_handshake(duel.oracle.ssl);
    struct view v;
    bool any = false;
    for (; oracle_take(&duel.oracle, &v); any = true)
        pair_input(&duel.pair, duel.us, v);
    assert_true(any);
    assert_true(dtls_shared_counters(duel_us(&duel)->shared)->drop_content > 0);
    assert_false(duel_us(&duel)->closed);
    duel_fini(&duel);
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
        cmocka_unit_test(test_data_passes_in_every_suite_and_role),
        cmocka_unit_test(test_our_close_notify_reaches_openssl),
        cmocka_unit_test(test_openssls_close_notify_is_answered_and_ends),
        cmocka_unit_test(test_a_late_wrong_fingerprint_sends_a_protected_alert),
        cmocka_unit_test(test_every_hash_of_a_fingerprint_is_compared),
        cmocka_unit_test(test_each_srtp_profile),
        cmocka_unit_test(test_no_common_profile_ends_both_sides),
        cmocka_unit_test(test_no_common_cipher_ends_both_sides),
        cmocka_unit_test(test_data_behind_finished_in_one_datagram),
        cmocka_unit_test(test_openssl_gets_our_last_flight_again),
        cmocka_unit_test(test_a_client_hello_in_several_datagrams),
        cmocka_unit_test(test_certificates_as_large_as_rsa_4096),
        cmocka_unit_test(test_an_expired_certificate_is_refused),
        cmocka_unit_test(test_a_chain_is_verified_on_request),
        cmocka_unit_test(test_renegotiation_is_not_on_offer),
    };
    return cmocka_run_group_tests(tests, NULL, fini);
}
