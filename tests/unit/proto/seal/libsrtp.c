/* Byte equality with another implementation, libsrtp2, which is a peer of the tests only: every profile and backend, with
 * CSRCs, extensions, empty payloads and over two roll-overs of the sequence number; and SRTCP. */
#include "proto/seal/kit.h"

#include <srtp2/srtp.h>

#define SSRC 0x12345678u

static void set_policy(srtp_policy_t *policy, enum seal_profile profile)
{
    if (profile == SEAL_AEAD_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
    } else if (profile == SEAL_AEAD_AES_256_GCM) {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
    } else {
        if (profile == SEAL_AES128_CM_SHA1_32)
            srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
        else
            srtp_crypto_policy_set_rtp_default(&policy->rtp);
        srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
    }
}

static srtp_t session(const struct seal_master *master, bool outbound)
{
    uint8_t key[SEAL_KEY_MAX + SEAL_SALT_MAX];
    memcpy(key, master->key, seal_key_size(master->profile));
    memcpy(key + seal_key_size(master->profile), master->salt, seal_salt_size(master->profile));
    srtp_policy_t policy;
    memset(&policy, 0, sizeof(policy));
    set_policy(&policy, master->profile);
    policy.ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key;
    policy.window_size = 128;
    srtp_t out = NULL;
    assert_int_equal(srtp_create(&out, &policy), srtp_err_status_ok);
    return out;
}

static void compare_rtp(struct seal_shared *shared, const struct seal_keys *keys, const struct seal_master *master)
{
    srtp_t out = session(master, true);
    srtp_t in = session(master, false);
    struct seal_tx_stream tx = {.ssrc = SSRC};
    struct seal_rx_stream rx = {.ssrc = SSRC};
    struct kit_random r = {master->profile};
    for (unsigned i = 0; i < 4000; i++) {
        uint16_t seq = (uint16_t)(30000 + i * 40);              /* wraps twice */
        uint8_t clear[KIT_PACKET_MAX];
        uint8_t ours[KIT_PACKET_MAX + SEAL_ROOM];
        uint8_t theirs[KIT_PACKET_MAX + SRTP_MAX_TRAILER_LEN];
        size_t header = kit_header(clear, &r, seq, SSRC, kit_u32(&r) % 16, kit_u32(&r) % 8);
        size_t size = header + (kit_u32(&r) % 8 == 0 ? 0 : kit_u32(&r) % (1400 - header));
        kit_bytes(&r, clear + header, size - header);
        memcpy(ours, clear, size);
        memcpy(theirs, clear, size);

        struct seal_job job = {.keys = keys, .packet = ours, .header_size = (uint16_t)header, .size = (uint16_t)size};
        assert_true(seal_tx_index(&tx, seq, &job.index));
        seal_protect(shared, &job, 1);
        assert_true(job.ok);
        int their_size = (int)size;
        assert_int_equal(srtp_protect(out, theirs, &their_size), srtp_err_status_ok);
        assert_int_equal(job.size, their_size);
        assert_memory_equal(ours, theirs, job.size);

        int opened = job.size;
        assert_int_equal(srtp_unprotect(in, ours, &opened), srtp_err_status_ok);
        assert_int_equal(opened, size);
        job.packet = theirs;
        assert_true(seal_rx_guess(&rx, seq, &job.index));
        seal_open(shared, &job, 1);
        assert_true(job.ok);
        assert_true(seal_rx_commit(&rx, job.index));
        assert_int_equal(job.size, size);
        assert_memory_equal(theirs, clear, size);
    }
    assert_true(tx.highest >> 16 >= 2);
    srtp_dealloc(out);
    srtp_dealloc(in);
}

static void compare_rtcp(const struct seal_keys *keys, const struct seal_master *master)
{
    srtp_t out = session(master, true);
    srtp_t in = session(master, false);
    struct seal_rtcp_rx rx = {0};
    struct kit_random r = {master->profile};
    uint32_t index = 1;                                         /* libsrtp's counter begins there */
    for (unsigned i = 0; i < 300; i++) {
        size_t size = 8 + 4 * (kit_u32(&r) % 300);
        uint8_t clear[1300];
        uint8_t ours[1300];
        uint8_t theirs[1300 + SRTP_MAX_TRAILER_LEN + 4];
        kit_bytes(&r, clear, size);
        clear[0] = 0x80;
        clear[1] = 201;
        put_u32(clear + 4, SSRC);
        memcpy(ours, clear, size);
        memcpy(theirs, clear, size);
        size_t sealed = seal_rtcp_protect(keys, &index, ours, size, sizeof(ours));
        int their_size = (int)size;
        assert_int_equal(srtp_protect_rtcp(out, theirs, &their_size), srtp_err_status_ok);
        assert_int_equal(sealed, their_size);
        assert_memory_equal(ours, theirs, sealed);
        int opened = (int)sealed;
        assert_int_equal(srtp_unprotect_rtcp(in, ours, &opened), srtp_err_status_ok);
        assert_int_equal(opened, size);
        bool replay;
        assert_int_equal(seal_rtcp_open(keys, &rx, theirs, sealed, &replay), size);
        assert_memory_equal(theirs, clear, size);
    }
    srtp_dealloc(out);
    srtp_dealloc(in);
}

static void test_same_bytes_as_libsrtp(void **state)
{
    (void)state;
    assert_int_equal(srtp_init(), srtp_err_status_ok);
    for (size_t b = 0; b < ARRAY_COUNT(kit_backends); b++) {
        struct seal_shared *shared = seal_shared_new(kit_backends[b], 4);
        if (shared == NULL)
            continue;
        for (size_t p = 0; p < ARRAY_COUNT(kit_profiles); p++) {
            struct kit_random r = {p + 1};
            struct seal_master master = kit_master(&r, kit_profiles[p]);
            struct seal_keys *keys = seal_keys_new(shared, &master);
            compare_rtp(shared, keys, &master);
            compare_rtcp(keys, &master);
            seal_keys_free(keys);
        }
        seal_shared_free(shared);
    }
    srtp_shutdown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes_as_libsrtp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
