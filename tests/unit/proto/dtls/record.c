/* The record layer by itself: two ends with the same secrets. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "proto/dtls/dtls_internal.h"

#define ROOM 2048u

static struct dtls_crypto crypto;


static const uint8_t master[48] = {1, 2, 3}, client_random[32] = {4, 5}, server_random[32] = {6};

static struct dtls_record end_of(enum dtls_suite suite, bool is_client)
{
    struct dtls_record record = {.write_explicit = UINT64_MAX - 2};     /* wraps soon: only uniqueness counts */
    const struct dtls_secrets secrets = {
        .suite = suite,
        .digest = suite == DTLS_SUITE_AES256_GCM ? "SHA384" : "SHA256",
        .master = VIEW(master, sizeof(master)),
        .client_random = VIEW(client_random, sizeof(client_random)),
        .server_random = VIEW(server_random, sizeof(server_random)),
    };
    assert_true(dtls_record_derive(&record, &crypto, &secrets, is_client));
    return record;
}

static struct view seal_one(struct dtls_record *record, uint8_t out[ROOM], struct view data)
{
    struct writer w = writer_of(out, ROOM);
    assert_true(dtls_record_seal(record, &crypto, DTLS_TYPE_DATA, data, &w));
    assert_int_equal(writer_size(&w), data.size + dtls_record_overhead(record));
    return VIEW(out, writer_size(&w));
}

static enum err open_one(struct dtls_record *record, struct view datagram, uint8_t *out, size_t *size)
{
    struct reader r = reader_of(datagram);
    struct dtls_header h;
    return dtls_header_next(&r, &h) ? dtls_record_open(record, &crypto, &h, out, size) : ERR_INVALID;
}

static void test_what_one_end_seals_the_other_opens(void **state)
{
    (void)state;
    uint8_t wire[ROOM], plain[ROOM], data[1400];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (int suite = DTLS_SUITE_AES128_GCM; suite < DTLS_SUITE_COUNT; suite++) {
        struct dtls_record a = end_of((enum dtls_suite)suite, true), b = end_of((enum dtls_suite)suite, false);
        for (size_t n = 0; n <= sizeof(data); n += n < 40 ? 1 : 97) {
            size_t size = 9999;
            assert_int_equal(open_one(&b, seal_one(&a, wire, VIEW(data, n)), plain, &size), ERR_NONE);
            assert_int_equal(size, n);
            assert_memory_equal(plain, data, n);
            assert_int_equal(open_one(&a, seal_one(&b, wire, VIEW(data, n)), plain, &size), ERR_NONE);
            assert_int_not_equal(open_one(&b, VIEW(wire, n + dtls_record_overhead(&b)), plain, &size), ERR_NONE);   /* its own */
        }
    }
}

/* The same bytes never come twice, whatever is sealed: each record has a nonce of its own. */
static void test_equal_data_gives_different_records(void **state)
{
    (void)state;
    uint8_t one[ROOM], two[ROOM];
    for (int suite = DTLS_SUITE_AES128_GCM; suite < DTLS_SUITE_COUNT; suite++) {
        struct dtls_record a = end_of((enum dtls_suite)suite, true);
        const struct view v = seal_one(&a, one, STR("equal data"));
        (void)seal_one(&a, two, STR("equal data"));
        assert_memory_not_equal(one + v.size - 26, two + v.size - 26, 10);
        assert_int_equal(a.write_seq, 2);
    }
}

static void test_every_changed_bit_and_every_cut_is_noticed(void **state)
{
    (void)state;
    uint8_t wire[ROOM], bad[ROOM], plain[ROOM];
    size_t size;
    for (int suite = DTLS_SUITE_AES128_GCM; suite < DTLS_SUITE_COUNT; suite++) {
        struct dtls_record a = end_of((enum dtls_suite)suite, true), b = end_of((enum dtls_suite)suite, false);
        const struct view v = seal_one(&a, wire, STR("to be or not"));
        for (size_t bit = 0; bit < v.size * 8; bit++) {
            /* The version is not among the bytes that dtls_record_open looks at: its caller does. */
            if (bit / 8 == 1 || bit / 8 == 2)
                continue;
            memcpy(bad, wire, v.size);
            bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_not_equal(open_one(&b, VIEW(bad, v.size), plain, &size), ERR_NONE);
        }
        for (size_t cut = 0; cut < v.size; cut++) {
            assert_int_equal(open_one(&b, VIEW(wire, cut), plain, &size), ERR_INVALID);
            if (cut < DTLS_HEADER_SIZE)
                continue;
            memcpy(bad, wire, cut);         /* with a length that fits the rest */
            put_u16(bad + 11, (uint16_t)(cut - DTLS_HEADER_SIZE));
            assert_int_not_equal(open_one(&b, VIEW(bad, cut), plain, &size), ERR_NONE);
        }
        assert_true(b.read_window == 0);    /* nothing of it has moved the window */
        assert_int_equal(open_one(&b, v, plain, &size), ERR_NONE);
    }
}

static void test_replays_and_old_records_are_refused(void **state)
{
    (void)state;
    static uint8_t wires[200][ROOM];
    uint8_t plain[ROOM];
    struct view v[200];
    size_t size;
    struct dtls_record a = end_of(DTLS_SUITE_AES128_GCM, true), b = end_of(DTLS_SUITE_AES128_GCM, false);
    for (int i = 0; i < 200; i++)
        v[i] = seal_one(&a, wires[i], STR("x"));
    assert_int_equal(open_one(&b, v[10], plain, &size), ERR_NONE);
    assert_int_equal(open_one(&b, v[10], plain, &size), ERR_REPLAY);
    assert_int_equal(open_one(&b, v[0], plain, &size), ERR_NONE);           /* out of order, inside the window */
    assert_int_equal(open_one(&b, v[0], plain, &size), ERR_REPLAY);
    assert_int_equal(open_one(&b, v[73], plain, &size), ERR_NONE);          /* the window is now 10..73 */
    assert_int_equal(open_one(&b, v[10], plain, &size), ERR_REPLAY);
    assert_int_equal(open_one(&b, v[9], plain, &size), ERR_REPLAY);         /* never seen, too old to tell */
    assert_int_equal(open_one(&b, v[11], plain, &size), ERR_NONE);
    assert_int_equal(open_one(&b, v[137], plain, &size), ERR_NONE);         /* 64 ahead: nothing of the old one is left */
    assert_int_equal(open_one(&b, v[73], plain, &size), ERR_REPLAY);
    assert_int_equal(open_one(&b, v[74], plain, &size), ERR_NONE);
    assert_int_equal(open_one(&b, v[199], plain, &size), ERR_NONE);
    for (int i = 136; i < 199; i++)
        assert_int_equal(open_one(&b, v[i], plain, &size), i == 137 ? ERR_REPLAY : ERR_NONE);
    for (int i = 0; i < 200; i++)
        assert_int_equal(open_one(&b, v[i], plain, &size), ERR_REPLAY);
}

/* A forged sequence number far ahead must not shut out what follows. */
static void test_a_forged_number_does_not_move_the_window(void **state)
{
    (void)state;
    uint8_t wire[ROOM], plain[ROOM];
    size_t size;
    struct dtls_record a = end_of(DTLS_SUITE_CHACHA20, true), b = end_of(DTLS_SUITE_CHACHA20, false);
    const struct view v = seal_one(&a, wire, STR("x"));
    wire[5] = 0xff;
    assert_int_equal(open_one(&b, v, plain, &size), ERR_AUTH);
    wire[5] = 0;
    assert_int_equal(open_one(&b, v, plain, &size), ERR_NONE);
}

static void test_sequence_numbers_end(void **state)
{
    (void)state;
    uint8_t wire[ROOM];
    struct dtls_record a = end_of(DTLS_SUITE_AES256_GCM, true);
    a.write_seq = DTLS_SEQ_MAX;
    (void)seal_one(&a, wire, STR("last"));
    struct writer w = writer_of(wire, sizeof(wire));
    assert_false(dtls_record_seal(&a, &crypto, DTLS_TYPE_DATA, STR("one more"), &w));
}

static void test_no_room_and_no_keys_seal_nothing(void **state)
{
    (void)state;
    uint8_t wire[64];
    struct dtls_record a = end_of(DTLS_SUITE_AES128_GCM, true), empty = {0};
    for (size_t room = 0; room < 41; room++) {
        struct writer w = writer_of(wire, room);
        assert_false(dtls_record_seal(&a, &crypto, DTLS_TYPE_DATA, STR("1234"), &w));
        assert_int_equal(writer_size(&w), 0);
    }
    assert_int_equal(a.write_seq, 0);
    struct writer w = writer_of(wire, sizeof(wire));
    assert_false(dtls_record_seal(&empty, &crypto, DTLS_TYPE_DATA, STR("1234"), &w));
    struct dtls_header h = {.epoch = 1, .body = VIEW(wire, sizeof(wire))};
    size_t size;
    assert_int_equal(dtls_record_open(&empty, &crypto, &h, wire, &size), ERR_INVALID);
    assert_false(dtls_record_derive(&empty, &crypto, &(struct dtls_secrets){.digest = "SHA256"}, true));
}

static void test_headers_are_read_to_the_end_of_the_datagram(void **state)
{
    (void)state;
    const uint8_t two[] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0xaa,
                           22, 0xfe, 0xff, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0};
    struct reader r = reader_of(VIEW(two, sizeof(two)));
    struct dtls_header h;
    assert_true(dtls_header_next(&r, &h));
    assert_int_equal(h.type, DTLS_TYPE_DATA);
    assert_int_equal(h.epoch, 1);
    assert_int_equal(h.seq, 9);
    assert_int_equal(h.body.size, 1);
    assert_true(dtls_header_next(&r, &h));
    assert_true(h.seq == UINT64_C(0x010203040506));
    assert_int_equal(h.version, DTLS_VERSION_1_0);
    assert_int_equal(h.body.size, 0);
    assert_false(dtls_header_next(&r, &h));
    assert_false(reader_failed(&r));
    for (size_t cut = 1; cut < 14; cut++) {
        r = reader_of(VIEW(two, cut));
        assert_false(dtls_header_next(&r, &h));
        assert_true(reader_failed(&r));
    }
}

/* 40 to 110 KB of OpenSSL give way to this. */
static void test_a_connected_peer_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct dtls) <= 600);
}

/* Both libraries make the same bytes of the same record, and each opens what the other has sealed. */
static void test_the_libraries_agree(void **state)
{
    (void)state;
    uint8_t ours[ROOM], theirs[ROOM], plain[ROOM], data[1400];
    struct seal_shared *seal = seal_shared_new(SEAL_BACKEND_AUTO, 1);
    const struct dtls_crypto before = crypto;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    for (int suite = DTLS_SUITE_AES128_GCM; suite < DTLS_SUITE_COUNT; suite++) {
        struct dtls_record a = end_of((enum dtls_suite)suite, true), b = a, far = end_of((enum dtls_suite)suite, false);
        struct dtls_record far_b = far;
        for (size_t n = 1; n <= sizeof(data); n += n < 40 ? 1 : 97) {
            size_t size;
            crypto.seal = NULL;
            const struct view one = seal_one(&a, ours, VIEW(data, n));
            crypto.seal = seal;
            const struct view two = seal_one(&b, theirs, VIEW(data, n));
            assert_int_equal(one.size, two.size);
            assert_memory_equal(one.data, two.data, one.size);
            assert_int_equal(open_one(&far, one, plain, &size), ERR_NONE);
            crypto.seal = NULL;
            assert_int_equal(open_one(&far_b, two, plain, &size), ERR_NONE);
            assert_memory_equal(plain, data, n);
        }
    }
    crypto = before;
    seal_shared_free(seal);
}

static int init(void **state)
{
    (void)state;
    return dtls_crypto_init(&crypto) ? 0 : -1;
}

static int init_with_seal(void **state)
{
    (void)state;
    if (!dtls_crypto_init(&crypto))
        return -1;
    crypto.seal = seal_shared_new(SEAL_BACKEND_AUTO, 1);
    return crypto.seal == NULL ? -1 : 0;
}

static int fini(void **state)
{
    (void)state;
    seal_shared_free(crypto.seal);
    dtls_crypto_fini(&crypto);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_one_end_seals_the_other_opens),
        cmocka_unit_test(test_equal_data_gives_different_records),
        cmocka_unit_test(test_every_changed_bit_and_every_cut_is_noticed),
        cmocka_unit_test(test_replays_and_old_records_are_refused),
        cmocka_unit_test(test_a_forged_number_does_not_move_the_window),
        cmocka_unit_test(test_sequence_numbers_end),
        cmocka_unit_test(test_no_room_and_no_keys_seal_nothing),
        cmocka_unit_test(test_headers_are_read_to_the_end_of_the_datagram),
        cmocka_unit_test(test_a_connected_peer_is_small),
        cmocka_unit_test(test_the_libraries_agree),
    };
    const int failed = cmocka_run_group_tests(tests, init, fini);
    return failed + cmocka_run_group_tests_name("with proto/seal", tests, init_with_seal, fini);
}
