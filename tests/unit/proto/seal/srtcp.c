/* SRTCP: round trips, replays, tampering, limits. The vectors are in vectors.c, byte equality in libsrtp.c. */
#include "proto/seal/kit.h"

#include <stdlib.h>

static struct seal_shared *shared;
static struct seal_keys *keys[ARRAY_COUNT(kit_profiles)];

static int open_all(void **state)
{
    (void)state;
    struct kit_random r = {21};
    shared = seal_shared_new(SEAL_BACKEND_AUTO, 8);
    for (unsigned i = 0; i < ARRAY_COUNT(kit_profiles); i++) {
        struct seal_master master = kit_master(&r, kit_profiles[i]);
        keys[i] = seal_keys_new(shared, &master);
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(kit_profiles); i++)
        seal_keys_free(keys[i]);
    seal_shared_free(shared);
    return 0;
}

static size_t make(uint8_t *packet, uint32_t ssrc, size_t size)
{
    memset(packet, 0x5a, size);
    packet[0] = 0x80;
    packet[1] = 201;
    put_u16(packet + 2, (uint16_t)(size / 4 - 1));
    put_u32(packet + 4, ssrc);
    return size;
}

static void test_round_trip_of_every_size(void **state)
{
    (void)state;
    for (unsigned k = 0; k < ARRAY_COUNT(kit_profiles); k++) {
        struct seal_rtcp_rx rx = {0};
        uint32_t index = 0;
        for (size_t size = 8; size <= 1200; size += 4) {
            uint8_t packet[1300];
            uint8_t clear[1300];
            make(packet, 7, size);
            memcpy(clear, packet, size);
            size_t sealed = seal_rtcp_protect(keys[k], &index, packet, size, size + seal_rtcp_overhead(kit_profiles[k]));
            assert_int_equal(sealed, size + seal_rtcp_overhead(kit_profiles[k]));
            assert_memory_equal(packet, clear, 8);
            bool replay;
            assert_int_equal(seal_rtcp_open(keys[k], &rx, packet, sealed, &replay), size);
            assert_memory_equal(packet, clear, size);
        }
    }
}

static void test_what_cannot_be_sealed(void **state)
{
    (void)state;
    uint8_t packet[100];
    uint32_t index = 5;
    make(packet, 1, 8);
    assert_int_equal(seal_rtcp_protect(keys[0], &index, packet, 7, sizeof(packet)), 0);
    assert_int_equal(seal_rtcp_protect(keys[0], &index, packet, 8, 8 + 13), 0);
    assert_int_equal(index, 5);
    index = 0x7FFFFFFF;
    assert_int_equal(seal_rtcp_protect(keys[0], &index, packet, 8, sizeof(packet)), 22);
    assert_int_equal(seal_rtcp_protect(keys[0], &index, packet, 8, sizeof(packet)), 0);
    assert_int_equal(index, 0x80000000u);
}

static void test_replays_are_told_apart_from_forgeries(void **state)
{
    (void)state;
    for (unsigned k = 0; k < ARRAY_COUNT(kit_profiles); k++) {
        struct seal_rtcp_rx rx = {0};
        uint32_t index = 0;
        uint8_t packet[64];
        uint8_t copy[64];
        bool replay;
        size_t sealed = seal_rtcp_protect(keys[k], &index, packet, make(packet, 7, 32), sizeof(packet));
        for (size_t bit = 0; bit < sealed * 8; bit++) {
            memcpy(copy, packet, sealed);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(seal_rtcp_open(keys[k], &rx, copy, sealed, &replay), 0);
            assert_false(replay);
        }
        assert_int_equal(rx.count, 0);                          /* forgeries leave no trace */
        memcpy(copy, packet, sealed);
        assert_int_equal(seal_rtcp_open(keys[k], &rx, copy, sealed, &replay), 32);
        assert_int_equal(seal_rtcp_open(keys[k], &rx, packet, sealed, &replay), 0);
        assert_true(replay);
    }
}

/* E = 0 with a tag that is right for it is still refused: nothing in the clear is taken. */
static void test_unencrypted_is_refused(void **state)
{
    (void)state;
    uint8_t packet[64];
    size_t size = make(packet, 7, 16);
    put_u32(packet + size, 3);
    uint8_t tag[SEAL_SHA1_SIZE];
    seal_hmac_run(&keys[0]->rtcp.hmac, VIEW(packet, size + 4), VIEW(NULL, 0), tag);
    memcpy(packet + size + 4, tag, SEAL_CM_TAG);
    struct seal_rtcp_rx rx = {0};
    bool replay;
    assert_int_equal(seal_rtcp_open(keys[0], &rx, packet, size + 14, &replay), 0);
    assert_false(replay);
}

static void test_truncated_at_every_byte(void **state)
{
    (void)state;
    for (unsigned k = 0; k < ARRAY_COUNT(kit_profiles); k++) {
        uint8_t packet[64];
        uint32_t index = 1;
        size_t sealed = seal_rtcp_protect(keys[k], &index, packet, make(packet, 7, 28), sizeof(packet));
        for (size_t size = 0; size < sealed; size++) {
            uint8_t *copy = malloc(size > 0 ? size : 1);
            assert_non_null(copy);
            memcpy(copy, packet, size);
            struct seal_rtcp_rx rx = {0};
            bool replay;
            assert_int_equal(seal_rtcp_open(keys[k], &rx, copy, size, &replay), 0);
            free(copy);
        }
    }
}

static size_t sealed_with(uint8_t *packet, size_t room, uint32_t ssrc, uint32_t index)
{
    return seal_rtcp_protect(keys[2], &index, packet, make(packet, ssrc, 12), room);
}

static void test_every_sender_has_its_own_window(void **state)
{
    (void)state;
    struct seal_rtcp_rx rx = {0};
    uint8_t packet[64];
    bool replay;
    for (uint32_t index = 500; index > 490; index--) {          /* backwards inside the window is fine */
        for (uint32_t ssrc = 0; ssrc < SEAL_RTCP_SENDERS; ssrc++) {
            size_t size = sealed_with(packet, sizeof(packet), ssrc, index);
            assert_int_equal(seal_rtcp_open(keys[2], &rx, packet, size, &replay), 12);
        }
    }
    assert_int_equal(rx.count, SEAL_RTCP_SENDERS);
    for (uint32_t ssrc = 0; ssrc < SEAL_RTCP_SENDERS; ssrc++) {
        size_t size = sealed_with(packet, sizeof(packet), ssrc, 495);
        assert_int_equal(seal_rtcp_open(keys[2], &rx, packet, size, &replay), 0);
        assert_true(replay);
        size = sealed_with(packet, sizeof(packet), ssrc, 500 - SEAL_RX_WINDOW);
        assert_int_equal(seal_rtcp_open(keys[2], &rx, packet, size, &replay), 0);
        assert_true(replay);
    }
    /* One more: sender 0 was silent longest and is forgotten, sender 1 is not. */
    size_t size = sealed_with(packet, sizeof(packet), 99, 1);
    assert_int_equal(seal_rtcp_open(keys[2], &rx, packet, size, &replay), 12);
    assert_int_equal(rx.count, SEAL_RTCP_SENDERS);
    size = sealed_with(packet, sizeof(packet), 1, 495);
    assert_int_equal(seal_rtcp_open(keys[2], &rx, packet, size, &replay), 0);
    assert_true(replay);
    size = sealed_with(packet, sizeof(packet), 0, 495);
    assert_int_equal(seal_rtcp_open(keys[2], &rx, packet, size, &replay), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_of_every_size),
        cmocka_unit_test(test_what_cannot_be_sealed),
        cmocka_unit_test(test_replays_are_told_apart_from_forgeries),
        cmocka_unit_test(test_unencrypted_is_refused),
        cmocka_unit_test(test_truncated_at_every_byte),
        cmocka_unit_test(test_every_sender_has_its_own_window),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
