/* What a stranger, or a hostile peer, may send at any moment: nothing of it crashes, and nothing unauthenticated ends a
 * connection. Where a row of security.md asks for the test, it is named. */
#include "duel.h"

#define ALL_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32"

static struct pair pair;

static const struct dtls_counters *counters(int side)
{
    return dtls_shared_counters(pair.side[side].shared);
}

static void connect_pair(void)
{
    pair_init(&pair, &(struct pair_options){0});
    pair_run(&pair, virtual_now + SEC(1));
    assert_connected(&pair);
}

/* Still connected, and data still passes. */
static void assert_alive(void)
{
    for (int i = 0; i < 2; i++) {
        pair.side[i].data_size = 0;
        assert_int_equal(dtls_send(pair.side[i].dtls, STR("alive")), ERR_NONE);
    }
    pair_run(&pair, virtual_now + MSEC(100));
    for (int i = 0; i < 2; i++) {
        assert_false(pair.side[i].closed || pair.side[i].failed);
        assert_int_equal(pair.side[i].data_size, 5);
    }
}

static size_t record(uint8_t *out, uint8_t type, uint16_t epoch, uint64_t seq, struct view body)
{
    struct writer w = writer_of(out, DTLS_INPUT_MAX);
    write_u8(&w, type);
    write_u16(&w, DTLS_VERSION_1_2);
    write_u16(&w, epoch);
    write_u48(&w, seq);
    write_u16(&w, (uint16_t)body.size);
    write_bytes(&w, body.data, body.size);
    return writer_size(&w);
}

static uint32_t dice;

static uint32_t roll(void)
{
    dice = dice * 1664525u + 1013904223u;
    return dice >> 8;
}

/* Random bytes, a third of them with a plausible record header. */
static void throw_garbage(int side, unsigned rounds)
{
    uint8_t bytes[DTLS_INPUT_MAX + 100], body[200];
    for (unsigned i = 0; i < rounds; i++) {
        size_t size = roll() % (i % 10 == 0 ? sizeof(bytes) : 120);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)roll();
        for (size_t k = 0; k < sizeof(body); k++)
            body[k] = (uint8_t)roll();
        if (i % 3 == 0)
            size = record(bytes, (uint8_t)(20 + roll() % 5), (uint16_t)(roll() % 4), roll() % 100,
                          VIEW(body, roll() % sizeof(body)));
        pair_input(&pair, side, VIEW(bytes, size));
    }
}

static void test_garbage_never_ends_a_connection(void **state)
{
    (void)state;
    connect_pair();
    dice = 1;
    for (int i = 0; i < 2; i++)
        throw_garbage(i, 3000);
    pair_input(&pair, SERVER, VIEW(NULL, 0));
    assert_true(counters(SERVER)->drop_size > 0 && counters(SERVER)->drop_malformed > 0);
    assert_true(counters(SERVER)->drop_auth > 0 && counters(SERVER)->drop_epoch > 0);
    assert_alive();
    pair_fini(&pair);
}

static enum fate garbage_first(struct pair *p, int from, unsigned n, struct view datagram)
{
    (void)p, (void)n;
    uint8_t bytes[DTLS_INPUT_MAX];
    /* Every prefix of what is coming: a whole record in it is honest, and makes what follows a duplicate. */
    for (size_t cut = 0; cut < datagram.size; cut++) {
        memcpy(bytes, datagram.data, cut);
        dtls_input(pair.side[1 - from].dtls, virtual_now, VIEW(bytes, cut));
    }
    return FATE_DELIVER;
}

static void test_datagrams_cut_at_every_byte_during_the_handshake(void **state)
{
    (void)state;
    for (uint16_t mtu = 256; mtu <= 1200; mtu = (uint16_t)(mtu + 944)) {
        pair_init(&pair, &(struct pair_options){.mtu = mtu});
        pair.fate = garbage_first;
        pair_run(&pair, virtual_now + SEC(5));
        assert_connected(&pair);
        pair.fate = NULL;
        assert_alive();
        pair_fini(&pair);
    }
}

static enum fate flip_one(struct pair *p, int from, unsigned n, struct view datagram)
{
    if (from != (int)p->fate_a || n != p->random || p->fate_b >= datagram.size * 8)
        return FATE_DELIVER;
    uint8_t bytes[DTLS_INPUT_MAX];
    memcpy(bytes, datagram.data, datagram.size);
    bytes[p->fate_b / 8] ^= (uint8_t)(1 << p->fate_b % 8);
    dtls_input(p->side[1 - from].dtls, virtual_now, VIEW(bytes, datagram.size));
    return FATE_DROP;
}

/* A changed handshake may fail or recover, but each side comes to an end with a reason, and never to keys that differ. (One
 * side may be connected alone: a changed number in a clear record can move OpenSSL's replay window past all that follows.) */
static void test_changed_bits_in_any_flight(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 2; from++) {
        for (uint32_t n = 0; n < 2; n++) {
            for (unsigned bit = 0; bit < 1200 * 8; bit += 37) {
                pair_init(&pair, &(struct pair_options){0});
                pair.fate = flip_one;
                pair.fate_a = from;
                pair.fate_b = bit;
                pair.random = n;
                pair_run(&pair, virtual_now + SEC(21));
                if (pair.side[CLIENT].connected && pair.side[SERVER].connected)
                    assert_connected(&pair);
                for (int i = 0; i < 2; i++)
                    assert_true(pair.side[i].connected || pair.side[i].failed || pair.side[i].closed);
                pair_fini(&pair);
            }
        }
    }
}

/* Pion CVE: clear data after the handshake; and clear alerts, which anybody can forge. */
static void test_clear_records_after_the_handshake_are_dropped(void **state)
{
    (void)state;
    uint8_t bytes[DTLS_INPUT_MAX];
    const uint8_t close_notify[] = {1, 0}, fatal[] = {2, 40};
    connect_pair();
    for (int i = 0; i < 2; i++) {
        pair.side[i].data_size = 0;
        pair_input(&pair, i, VIEW(bytes, record(bytes, DTLS_TYPE_DATA, 0, 100, STR("clear"))));
        pair_input(&pair, i, VIEW(bytes, record(bytes, DTLS_TYPE_ALERT, 0, 101, VIEW(close_notify, 2))));
        pair_input(&pair, i, VIEW(bytes, record(bytes, DTLS_TYPE_ALERT, 0, 102, VIEW(fatal, 2))));
        assert_int_equal(counters(i)->drop_clear, 3);
        assert_int_equal(pair.side[i].data_size, 0);
    }
    assert_alive();
    pair_fini(&pair);
}

/* A null-cipher ClientHello from a stranger (Enable Security 2024; GHSA-hxj9, GHSA-39gv). */
static size_t null_cipher_hello(uint8_t out[DTLS_INPUT_MAX])
{
    struct oracle oracle;
    struct view v;
    oracle_init(&oracle, &(struct oracle_options){.is_client = true, .null_cipher = true, .srtp = ALL_PROFILES});
    oracle_step(&oracle);
    assert_true(oracle_take(&oracle, &v));
    memcpy(out, v.data, v.size);
    const size_t size = v.size;
    oracle_fini(&oracle);
    return size;
}

static void test_null_cipher_client_hello(void **state)
{
    (void)state;
    uint8_t hello[DTLS_INPUT_MAX];
    const size_t size = null_cipher_hello(hello);

    pair_init(&pair, &(struct pair_options){0});        /* first of all: no common cipher, an alert, the end */
    pair_input(&pair, SERVER, VIEW(hello, size));
    assert_true(pair.side[SERVER].failed);
    assert_string_equal(pair.side[SERVER].reason, DTLS_REASON_ALERT);
    pair_fini(&pair);

    pair_init(&pair, &(struct pair_options){0});        /* in the middle: a repeated message 0, no more */
    pair_run(&pair, virtual_now + MSEC(7));
    pair_input(&pair, SERVER, VIEW(hello, size));
    pair_input(&pair, CLIENT, VIEW(hello, size));
    pair_run(&pair, virtual_now + SEC(5));
    assert_connected(&pair);
    pair_input(&pair, SERVER, VIEW(hello, size));       /* afterwards */
    pair_input(&pair, CLIENT, VIEW(hello, size));
    assert_alive();
    pair_fini(&pair);
}

/* CVE-2026-75806: one short AEAD record must not end anything, before or after the handshake. */
static void test_short_protected_records(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    uint8_t bytes[DTLS_INPUT_MAX];
    pair_init(&pair, &(struct pair_options){0});
    for (int phase = 0; phase < 6; phase++) {
        for (size_t size = 0; size < sizeof(zeros); size += phase < 5 && size >= 16 ? 16 : 1) {
            for (int i = 0; i < 2; i++)
                pair_input(&pair, i, VIEW(bytes, record(bytes, (uint8_t)(20 + size % 4), 1, 1000 + size, VIEW(zeros, size))));
        }
        pair_run(&pair, virtual_now + MSEC(6));
    }
    pair_run(&pair, virtual_now + SEC(2));
    assert_connected(&pair);
    assert_alive();
    pair_fini(&pair);
}

/* CVE-2026-54874: records of an epoch that has not begun are not kept, or only so many. */
static void test_a_flood_of_future_epochs(void **state)
{
    (void)state;
    uint8_t bytes[DTLS_INPUT_MAX], body[1000] = {20};
    pair_init(&pair, &(struct pair_options){0});
    pair_run(&pair, virtual_now + MSEC(7));
    for (unsigned i = 0; i < 2000; i++) {
        for (int side = 0; side < 2; side++) {
            pair_input(&pair, side, VIEW(bytes, record(bytes, DTLS_TYPE_HANDSHAKE, (uint16_t)(2 + i), i,
                                                       VIEW(body, sizeof(body)))));
            pair_input(&pair, side, VIEW(bytes, record(bytes, DTLS_TYPE_DATA, 1, i, VIEW(body, sizeof(body)))));
        }
    }
    assert_int_equal(counters(SERVER)->drop_epoch, 2000);
    pair_run(&pair, virtual_now + SEC(5));
    assert_connected(&pair);
    for (unsigned i = 0; i < 2000; i++)
        pair_input(&pair, SERVER, VIEW(bytes, record(bytes, DTLS_TYPE_DATA, (uint16_t)(2 + i), i, VIEW(body, 100))));
    assert_int_equal(counters(SERVER)->drop_epoch, 4000);
    assert_alive();
    pair_fini(&pair);
}

static void test_floods_in_one_handshake_are_bounded(void **state)
{
    (void)state;
    uint8_t bytes[DTLS_INPUT_MAX], body[1000] = {20};
    pair_init(&pair, &(struct pair_options){0});
    pair_run(&pair, virtual_now + MSEC(7));
    for (unsigned i = 0; i < 5000; i++)
        pair_input(&pair, SERVER, VIEW(bytes, record(bytes, DTLS_TYPE_HANDSHAKE, 1, i, VIEW(body, sizeof(body)))));
    assert_true(counters(SERVER)->drop_flood >= 5000 - DTLS_HANDSHAKE_EPOCH1_MAX);
    memset(body, 0, sizeof(body));
    for (unsigned i = 0; i < 5000; i++) {
        body[0] = 1;
        pair_input(&pair, SERVER, VIEW(bytes, record(bytes, DTLS_TYPE_HANDSHAKE, 0, 100 + i, VIEW(body, 12))));
    }
    assert_true(counters(SERVER)->drop_flood >= 10000 - DTLS_HANDSHAKE_EPOCH1_MAX - DTLS_HANDSHAKE_DATAGRAMS_MAX);
    pair_run(&pair, virtual_now + SEC(25));
    assert_true(pair.side[SERVER].failed);
    pair_fini(&pair);
}

/* CVE-2022-0778: a certificate whose curve has p = 65 and a compressed generator; a library without the mend never comes back
 * from looking for a square root of 14 in it. Sent as a client's certificate message, in the clear. */
static void test_a_certificate_with_a_looping_curve(void **state)
{
    (void)state;
    static const uint8_t certificate[] = {
        0x30, 0x81, 0xa1, 0x30, 0x81, 0x87, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 0x78,
        0x30, 0x1e, 0x17, 0x0d, 0x32, 0x30, 0x30, 0x31, 0x30, 0x31, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x5a, 0x17, 0x0d, 0x34,
        0x30, 0x30, 0x31, 0x30, 0x31, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x5a, 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03,
        0x55, 0x04, 0x03, 0x0c, 0x01, 0x78, 0x30, 0x35, 0x30, 0x2e, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x30,
        0x23, 0x02, 0x01, 0x01, 0x30, 0x0c, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01, 0x02, 0x01, 0x41, 0x30, 0x06,
        0x04, 0x01, 0x01, 0x04, 0x01, 0x0e, 0x04, 0x02, 0x02, 0x00, 0x02, 0x01, 0x43, 0x02, 0x01, 0x01, 0x03, 0x03, 0x00, 0x02,
        0x00, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03, 0x09, 0x00, 0x30, 0x06, 0x02, 0x01,
        0x01, 0x02, 0x01, 0x01,
    };
    uint8_t bytes[DTLS_INPUT_MAX], body[300];
    struct writer w = writer_of(body, sizeof(body));
    write_u8(&w, 11);                                   /* RFC 6347 4.2.2: type, length, message number, fragment */
    write_u24(&w, sizeof(certificate) + 6);
    write_u16(&w, 1);
    write_u24(&w, 0);
    write_u24(&w, sizeof(certificate) + 6);
    write_u24(&w, sizeof(certificate) + 3);             /* RFC 5246 7.4.2: a list of one */
    write_u24(&w, sizeof(certificate));
    write_bytes(&w, certificate, sizeof(certificate));
    struct pair_options options = {0};                  /* its sender has announced it, so its key is asked for */
    options.expect[SERVER] = (struct dtls_fingerprint){.hash = DTLS_HASH_SHA256, .size = 32};
    assert_int_equal(EVP_Digest(certificate, sizeof(certificate), options.expect[SERVER].bytes, NULL, EVP_sha256(), NULL), 1);
    pair_init(&pair, &options);
    pair_run(&pair, virtual_now + MSEC(7));
    assert_true(pair.side[SERVER].sent > 0);
    pair_input(&pair, SERVER, VIEW(bytes, record(bytes, DTLS_TYPE_HANDSHAKE, 0, 50, VIEW(body, writer_size(&w)))));
    assert_true(pair.side[SERVER].failed);
    assert_string_equal(pair.side[SERVER].reason, DTLS_REASON_ALERT);
    assert_string_not_equal(pair.side[SERVER].detail, "the remote certificate has another fingerprint");
    pair_fini(&pair);
}

/* What does not even say ClientHello costs a server nothing. */
static void test_a_server_spends_nothing_on_garbage(void **state)
{
    (void)state;
    pair_init(&pair, &(struct pair_options){0});
    dice = 7;
    uint8_t bytes[DTLS_INPUT_MAX];
    const uint8_t finished[] = {20, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 12};
    throw_garbage(SERVER, 1000);
    pair_input(&pair, SERVER, VIEW(bytes, record(bytes, DTLS_TYPE_HANDSHAKE, 0, 1, VIEW(finished, sizeof(finished)))));
    struct dtls_info info;
    dtls_get_info(pair.side[SERVER].dtls, &info);
    assert_int_equal(info.state, DTLS_CREATED);
    assert_true(info.dropped > 900);
    pair_run(&pair, virtual_now + SEC(2));
    assert_connected(&pair);
    pair_fini(&pair);
}

/* Asking again and again for the last flight yields it at a bounded rate, and not at all once the client has it. */
static void test_the_last_flight_is_no_amplifier(void **state)
{
    (void)state;
    uint8_t bytes[DTLS_INPUT_MAX];
    const uint8_t hello[] = {1, 0, 0, 0};
    connect_pair();
    const struct view ask = VIEW(bytes, record(bytes, DTLS_TYPE_HANDSHAKE, 0, 500, VIEW(hello, sizeof(hello))));
    const unsigned sent = pair.side[SERVER].sent;
    for (int i = 0; i < 1000; i++) {
        virtual_now += MSEC(1);
        pair_input(&pair, SERVER, ask);
    }
    assert_true(pair.side[SERVER].sent - sent >= 40 && pair.side[SERVER].sent - sent <= 1000 / 20);
    pair_run(&pair, virtual_now + SEC(1));
    assert_alive();                                     /* the client has dropped them as replays */
    const uint64_t repeated = counters(SERVER)->flights_repeated;
    virtual_now += SEC(1);
    pair_input(&pair, SERVER, ask);                     /* data has come: the client must have Finished */
    assert_int_equal(counters(SERVER)->flights_repeated, repeated);
    pair_fini(&pair);

    connect_pair();
    dtls_confirm(pair.side[SERVER].dtls);               /* the same by SRTP */
    virtual_now += SEC(1);
    pair_input(&pair, SERVER, ask);
    assert_int_equal(counters(SERVER)->flights_repeated, 0);
    pair_fini(&pair);
}

static void test_forged_and_replayed_data_is_dropped(void **state)
{
    (void)state;
    uint8_t wire[DTLS_DATAGRAM_MAX], bad[DTLS_DATAGRAM_MAX];
    connect_pair();
    struct side *server = &pair.side[SERVER];
    assert_int_equal(dtls_send(pair.side[CLIENT].dtls, STR("genuine")), ERR_NONE);
    const size_t size = take_tx(pair.side[CLIENT].dtls, wire);
    for (size_t bit = 0; bit < size * 8; bit++) {
        memcpy(bad, wire, size);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        pair_input(&pair, SERVER, VIEW(bad, size));
    }
    for (size_t cut = 0; cut < size; cut++)
        pair_input(&pair, SERVER, VIEW(wire, cut));
    assert_int_equal(server->data_size, 0);
    pair_input(&pair, SERVER, VIEW(wire, size));
    assert_int_equal(server->data_size, 7);
    const uint64_t replayed = counters(SERVER)->drop_replay;    /* one changed bit makes the number that of Finished */
    pair_input(&pair, SERVER, VIEW(wire, size));
    assert_int_equal(server->data_size, 7);
    assert_int_equal(counters(SERVER)->drop_replay, replayed + 1);
    assert_alive();
    pair_fini(&pair);
}

/* As many records as a datagram can hold: all views stay apart, none is lost. */
static void test_a_datagram_full_of_records(void **state)
{
    (void)state;
    uint8_t wire[DTLS_INPUT_MAX];
    size_t size = 0;
    unsigned count = 0;
    connect_pair();
    while (size + 40 <= sizeof(wire)) {
        const uint8_t one = (uint8_t)count++;
        assert_int_equal(dtls_send(pair.side[CLIENT].dtls, VIEW(&one, 1)), ERR_NONE);
        size += take_tx(pair.side[CLIENT].dtls, wire + size);
    }
    pair_input(&pair, SERVER, VIEW(wire, size));
    assert_int_equal(pair.side[SERVER].data_events, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(pair.side[SERVER].data[i], i);
    pair_fini(&pair);
}

static void test_calls_after_the_end_are_harmless(void **state)
{
    (void)state;
    uint8_t bytes[DTLS_INPUT_MAX];
    connect_pair();
    dtls_close(pair.side[CLIENT].dtls);
    pair_run(&pair, virtual_now + SEC(1));
    assert_true(pair.side[SERVER].closed);
    for (int i = 0; i < 2; i++) {
        struct dtls *dtls = pair.side[i].dtls;
        pair_input(&pair, i, VIEW(bytes, record(bytes, DTLS_TYPE_HANDSHAKE, 0, 1, STR("hello"))));
        dtls_timeout(dtls, virtual_now + SEC(100));
        dtls_set_fingerprint(dtls, virtual_now, dtls_identity_fingerprint(pair.side[i].identity));
        dtls_confirm(dtls);
        dtls_close(dtls);
        assert_int_equal(dtls_send(dtls, STR("x")), ERR_STATE);
        assert_true(dtls_deadline(dtls) == USEC_NEVER);
        pair_drain(&pair, i);
    }
    pair_fini(&pair);
}

/* A hostile end that is done with the handshake: an alert that is no alert, in a genuine record. */
static void test_broken_alerts_and_empty_data_in_genuine_records(void **state)
{
    (void)state;
    connect_pair();
    struct dtls *client = pair.side[CLIENT].dtls;
    const uint8_t hello_request[] = {0, 0, 0, 0};
    static const struct {
        uint8_t type;
        size_t size;
    } cases[] = {{DTLS_TYPE_ALERT, 0}, {DTLS_TYPE_ALERT, 1}, {DTLS_TYPE_ALERT, 3}, {DTLS_TYPE_DATA, 0}, {DTLS_TYPE_CCS, 1},
                 {DTLS_TYPE_HANDSHAKE, 4}, {DTLS_TYPE_HANDSHAKE, 0}, {99, 2}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint8_t wire[DTLS_DATAGRAM_MAX];
        struct writer w = writer_of(wire, sizeof(wire));
        assert_true(dtls_record_seal(&client->record, &client->shared->crypto, cases[i].type,
                                     VIEW(hello_request, cases[i].size), &w));
        pair_input(&pair, SERVER, VIEW(wire, writer_size(&w)));
        assert_int_equal(counters(SERVER)->drop_content, i + 1);
    }
    assert_alive();
    pair_fini(&pair);
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
        cmocka_unit_test(test_garbage_never_ends_a_connection),
        cmocka_unit_test(test_datagrams_cut_at_every_byte_during_the_handshake),
        cmocka_unit_test(test_changed_bits_in_any_flight),
        cmocka_unit_test(test_clear_records_after_the_handshake_are_dropped),
        cmocka_unit_test(test_null_cipher_client_hello),
        cmocka_unit_test(test_short_protected_records),
        cmocka_unit_test(test_a_flood_of_future_epochs),
        cmocka_unit_test(test_floods_in_one_handshake_are_bounded),
        cmocka_unit_test(test_a_certificate_with_a_looping_curve),
        cmocka_unit_test(test_a_server_spends_nothing_on_garbage),
        cmocka_unit_test(test_the_last_flight_is_no_amplifier),
        cmocka_unit_test(test_forged_and_replayed_data_is_dropped),
        cmocka_unit_test(test_a_datagram_full_of_records),
        cmocka_unit_test(test_calls_after_the_end_are_harmless),
        cmocka_unit_test(test_broken_alerts_and_empty_data_in_genuine_records),
    };
    return cmocka_run_group_tests(tests, NULL, fini);
}
