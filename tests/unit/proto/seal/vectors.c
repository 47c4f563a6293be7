/* The RFCs' own vectors, on every backend this machine has. */
#include "proto/seal/kit.h"

/* Keys whose session keys are given, not derived. */
static struct seal_keys *keys_of_session(struct seal_shared *shared, enum seal_profile profile, const char *key, const char *salt)
{
    struct seal_master any = {.profile = profile};
    struct seal_keys *keys = seal_keys_new(shared, &any);
    assert_non_null(keys);
    uint8_t raw[SEAL_KEY_MAX];
    assert_int_equal(kit_hex(raw, key), seal_key_size(profile));
    memset(keys->salt, 0, sizeof(keys->salt));
    assert_int_equal(kit_hex(keys->salt, salt), seal_salt_size(profile));
    memcpy(keys->rtcp.salt, keys->salt, sizeof(keys->salt));
    memcpy(keys->rtcp.key, raw, seal_key_size(profile));
    if (shared->mb != NULL)
        seal_mb_expand(shared->mb, keys, raw);
    else
        assert_int_equal(EVP_EncryptInit_ex2(keys->cipher, NULL, raw, NULL, NULL), 1);
    return keys;
}

static void assert_hex(const uint8_t *data, size_t size, const char *hex)
{
    uint8_t expected[KIT_PACKET_MAX];
    assert_int_equal(kit_hex(expected, hex), size);
    assert_memory_equal(data, expected, size);
}

static void test_rfc3711_b3_key_derivation(void **state)
{
    (void)state;
    struct seal_shared *shared = seal_shared_new(SEAL_BACKEND_OPENSSL, 2);
    struct seal_master master = {.profile = SEAL_AES128_CM_SHA1_80};
    kit_hex(master.key, "E1F97A0D3E018BE0D64FA32C06DE4139");
    kit_hex(master.salt, "0EC675AD498AFEEBB6960B3AABE6");
    uint8_t out[94];
    seal_derive(shared, &master, 0, out, 16);
    assert_hex(out, 16, "C61E7A93744F39EE10734AFE3FF7A087");
    seal_derive(shared, &master, 2, out, 14);
    assert_hex(out, 14, "30CBBC08863D8C85D49DB34A9AE1");
    seal_derive(shared, &master, 1, out, 94);
    assert_hex(out, 32, "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE");
    seal_shared_free(shared);
}

static void test_rfc3711_b2_keystream(void **state)
{
    (void)state;
    for (size_t b = 0; b < ARRAY_COUNT(kit_backends); b++) {
        struct seal_shared *shared = seal_shared_new(kit_backends[b], 2);
        if (shared == NULL)
            continue;
        struct seal_keys *keys = keys_of_session(shared, SEAL_AES128_CM_SHA1_80, "2B7E151628AED2A6ABF7158809CF4F3C",
                                                 "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
        uint8_t packet[12 + 48 + SEAL_ROOM] = {0x80};
        struct seal_job job = {.keys = keys, .index = 0, .packet = packet, .header_size = 12, .size = 60};
        seal_protect(shared, &job, 1);
        assert_true(job.ok);
        assert_int_equal(job.size, 70);
        assert_hex(packet + 12, 48, "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB"
                                    "41E95B3BB0A2E8DD477901E4FCA894C0");
        seal_keys_free(keys);
        seal_shared_free(shared);
    }
}

#define PRO_QUO "517569642070726f2071756f"
#define KEY_128 "000102030405060708090a0b0c0d0e0f"
#define KEY_256 KEY_128 "101112131415161718191a1b1c1d1e1f"
#define GALLIA  "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573"
#define GALLIA_128 "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf" \
                   "8833899d 7f27beb1 6a9152cf 765ee439 0cce"
#define GALLIA_256 "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799" \
                   "b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13"
#define MARS    "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef"
#define MARS_128 "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded" \
                 "0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4"
#define MARS_256 "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 c61de047" \
                 "6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4"

static void check_gcm(enum seal_backend backend, enum seal_profile profile, const char *key, const char *rtp, const char *rtcp)
{
    struct seal_shared *shared = seal_shared_new(backend, 2);
    if (shared == NULL)
        return;
    struct seal_keys *keys = keys_of_session(shared, profile, key, PRO_QUO);
    uint8_t packet[200];
    size_t size = kit_hex(packet, GALLIA);
    struct seal_job job = {.keys = keys, .index = 0xf17b, .packet = packet, .header_size = 12, .size = (uint16_t)size};
    seal_protect(shared, &job, 1);
    assert_true(job.ok);
    assert_hex(packet, job.size, rtp);
    seal_open(shared, &job, 1);
    assert_true(job.ok);
    assert_hex(packet, job.size, GALLIA);

    size = kit_hex(packet, MARS);
    uint32_t index = 0x5d4;
    size_t sealed = seal_rtcp_protect(keys, &index, packet, size, sizeof(packet));
    assert_hex(packet, sealed, rtcp);
    assert_int_equal(index, 0x5d5);
    struct seal_rtcp_rx rx = {0};
    bool replay;
    assert_int_equal(seal_rtcp_open(keys, &rx, packet, sealed, &replay), size);
    assert_hex(packet, size, MARS);
    seal_keys_free(keys);
    seal_shared_free(shared);
}

static void test_rfc7714_16_and_17(void **state)
{
    (void)state;
    for (size_t b = 0; b < ARRAY_COUNT(kit_backends); b++) {
        check_gcm(kit_backends[b], SEAL_AEAD_AES_128_GCM, KEY_128, GALLIA_128, MARS_128);
        check_gcm(kit_backends[b], SEAL_AEAD_AES_256_GCM, KEY_256, GALLIA_256, MARS_256);
    }
}

static void test_hmac_sha1_rfc2202_3(void **state)
{
    (void)state;
    uint8_t key[SEAL_SHA1_SIZE];
    memset(key, 0xaa, sizeof(key));
    uint8_t data[50];
    memset(data, 0xdd, sizeof(data));
    struct seal_hmac hmac;
    seal_hmac_init(&hmac, key);
    uint8_t out[SEAL_SHA1_SIZE];
    seal_hmac_run(&hmac, VIEW(data, 50), VIEW(NULL, 0), out);
    assert_hex(out, sizeof(out), "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
    seal_hmac_run(&hmac, VIEW(data, 46), VIEW(data, 4), out);
    assert_hex(out, sizeof(out), "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
}

static void test_split_takes_keys_then_salts(void **state)
{
    (void)state;
    uint8_t material[SEAL_MATERIAL_MAX];
    for (size_t i = 0; i < sizeof(material); i++)
        material[i] = (uint8_t)i;
    struct seal_master client;
    struct seal_master server;
    assert_int_equal(seal_material_size(SEAL_AES128_CM_SHA1_80), 60);
    assert_true(seal_split(SEAL_AES128_CM_SHA1_80, VIEW(material, 60), &client, &server));
    assert_memory_equal(client.key, material, 16);
    assert_memory_equal(server.key, material + 16, 16);
    assert_memory_equal(client.salt, material + 32, 14);
    assert_memory_equal(server.salt, material + 46, 14);
    assert_int_equal(seal_material_size(SEAL_AEAD_AES_256_GCM), 88);
    assert_true(seal_split(SEAL_AEAD_AES_256_GCM, VIEW(material, 88), &client, &server));
    assert_memory_equal(server.salt, material + 76, 12);
    assert_false(seal_split(SEAL_AEAD_AES_256_GCM, VIEW(material, 87), &client, &server));
    assert_false(seal_split(SEAL_NONE, VIEW(material, 88), &client, &server));
    assert_false(seal_split((enum seal_profile)3, VIEW(material, 88), &client, &server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3711_b3_key_derivation),
        cmocka_unit_test(test_rfc3711_b2_keystream),
        cmocka_unit_test(test_rfc7714_16_and_17),
        cmocka_unit_test(test_hmac_sha1_rfc2202_3),
        cmocka_unit_test(test_split_takes_keys_then_salts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
