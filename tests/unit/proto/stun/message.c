/* STUN messages against the vectors of RFC 5769, and against what strangers send. */
#include "support/seams.h"

#include <string.h>
#include <openssl/evp.h>

#include "base/str.h"
#include "proto/stun/stun.h"

static const char *const password = "VOkJxbRl1RmTxUk/WvJxBt";

/* RFC 5769 2.1 */
static const uint8_t request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74,
    0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36,
    0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20,
    0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2,
    0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
};

/* RFC 5769 2.2 */
static const uint8_t response4[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20,
    0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53,
    0xf0, 0x6b, 0xe7, 0xd7,
    0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
};

/* RFC 5769 2.3 */
static const uint8_t response6[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20,
    0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5,
    0xbe, 0xd2, 0xb9, 0xd9,
    0x00, 0x08, 0x00, 0x14, 0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75,
    0xbf, 0xe3, 0xed, 0x41,
    0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
};

/* RFC 5769 2.4: long-term credentials, no FINGERPRINT */
static const uint8_t request_long[] = {
    0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e,
    0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83, 0xaa, 0xe3, 0x83, 0x83, 0xe3, 0x82, 0xaf, 0xe3,
    0x82, 0xb9, 0x00, 0x00,
    0x00, 0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34,
    0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73, 0x41,
    0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00,
    0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2,
    0x8c, 0xa8, 0x96, 0x66,
};

static const uint8_t vector_txid[12] = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

static struct stun_key key_of(const char *text)
{
    struct stun_key key = {0};
    stun_key_set(&key, str_of(text));
    return key;
}

static bool authentic(struct view datagram, struct stun_key key)
{
    struct stun_message m;
    struct stun_mac *mac = stun_mac_new();
    assert_true(stun_parse(&m, datagram));
    bool yes = stun_is_authentic(&m, mac, &key);
    stun_mac_free(mac);
    return yes;
}

static void test_rfc5769_request_is_read_and_authentic(void **state)
{
    (void)state;
    struct stun_message m;
    struct view datagram = VIEW(request, sizeof(request));
    assert_true(stun_parse(&m, datagram));
    assert_int_equal(m.class, STUN_REQUEST);
    assert_int_equal(m.method, STUN_BINDING);
    assert_memory_equal(m.txid, vector_txid, sizeof(vector_txid));
    assert_true(str_equal(m.username, STR("evtj:h6vY")));
    assert_true(m.has_priority);
    assert_int_equal(m.priority, 0x6e0001ff);
    assert_true(m.has_controlled);
    assert_false(m.has_controlling);
    assert_true(m.tie_breaker == 0x932ff9b151263b36ull);
    assert_true(m.has_fingerprint);
    assert_int_equal(m.unknown_count, 0);
    assert_true(authentic(datagram, key_of(password)));
    assert_false(authentic(datagram, key_of("VOkJxbRl1RmTxUk/WvJxBT")));
    assert_false(authentic(datagram, (struct stun_key){0}));
}

static void test_rfc5769_responses_give_the_mapped_address(void **state)
{
    (void)state;
    struct stun_message m;
    struct net_addr want;
    assert_true(stun_parse(&m, VIEW(response4, sizeof(response4))));
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_true(net_ip_parse(&want, STR("192.0.2.1")));
    want.port = 32853;
    assert_true(m.has_mapped && net_addr_equal(&m.mapped, &want));
    assert_true(authentic(VIEW(response4, sizeof(response4)), key_of(password)));

    assert_true(stun_parse(&m, VIEW(response6, sizeof(response6))));
    assert_true(net_ip_parse(&want, STR("2001:db8:1234:5678:11:2233:4455:6677")));
    want.port = 32853;
    assert_true(m.has_mapped && net_addr_equal(&m.mapped, &want));
    assert_true(authentic(VIEW(response6, sizeof(response6)), key_of(password)));
}

static void test_rfc5769_long_term_request_is_authentic_under_its_hash(void **state)
{
    (void)state;
    static const char text[] = "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9:example.org:TheMatrIX";
    uint8_t md5[16];
    size_t size = sizeof(md5);
    assert_int_equal(EVP_Q_digest(NULL, "MD5", NULL, text, sizeof(text) - 1, md5, &size), 1);
    struct stun_key key = {.size = 16};
    memcpy(key.bytes, md5, 16);
    assert_true(authentic(VIEW(request_long, sizeof(request_long)), key));
}

/* The same attributes written in the same order give the vectors' bytes back (but for their padding of spaces). */
static void test_written_request_equals_the_vector(void **state)
{
    (void)state;
    uint8_t bytes[200];
    struct stun_out out;
    struct stun_mac *mac = stun_mac_new();
    struct stun_key key = key_of(password);
    struct net_addr mapped;
    assert_true(net_ip_parse(&mapped, STR("2001:db8:1234:5678:11:2233:4455:6677")));
    mapped.port = 32853;
    stun_begin(&out, bytes, sizeof(bytes), STUN_SUCCESS, STUN_BINDING, vector_txid);
    stun_add(&out, STUN_ATTR_SOFTWARE, VIEW(response6 + 24, 11));
    stun_add_xor_address(&out, STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
    size_t size = stun_end(&out, mac, &key);
    assert_int_equal(size, sizeof(response6));
    bytes[35] = 0x20;                                   /* the vector's padding; the integrity covers it, so stop there */
    assert_memory_equal(bytes, response6, 60);

    stun_begin(&out, bytes, sizeof(bytes), STUN_REQUEST, STUN_BINDING, vector_txid);
    stun_add_u32(&out, STUN_ATTR_PRIORITY, 0x6e0001ff);
    stun_add_u64(&out, STUN_ATTR_ICE_CONTROLLED, 0x932ff9b151263b36ull);
    stun_add(&out, STUN_ATTR_USE_CANDIDATE, VIEW(NULL, 0));
    size = stun_end(&out, mac, &key);
    assert_true(size > 0 && stun_is_message(VIEW(bytes, size)));
    assert_memory_equal(bytes + 20, request + 40, 20);
    assert_true(authentic(VIEW(bytes, size), key));
    stun_mac_free(mac);
}

static void test_classes_and_methods_survive_the_way(void **state)
{
    (void)state;
    for (unsigned method = 0; method <= 0xFFF; method++)
        for (unsigned class = STUN_REQUEST; class <= STUN_ERROR; class ++) {
            uint8_t bytes[28];
            struct stun_out out;
            stun_begin(&out, bytes, sizeof(bytes), (enum stun_class)class, (uint16_t)method, vector_txid);
            assert_int_equal(stun_end(&out, NULL, NULL), 28);
            assert_true(stun_is_message(VIEW(bytes, 28)));
            assert_int_equal(stun_class_of(VIEW(bytes, 28)), class);
            assert_int_equal(stun_method_of(VIEW(bytes, 28)), method);
        }
}

static void test_every_truncation_and_overrun_is_refused(void **state)
{
    (void)state;
    static const struct view vectors[] = {{request, sizeof(request)}, {response4, sizeof(response4)},
                                          {response6, sizeof(response6)}, {request_long, sizeof(request_long)}};
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++)
        for (size_t size = 0; size < vectors[i].size; size++) {
            uint8_t *copy = size > 0 ? test_malloc(size) : NULL;    /* exactly as long: a sanitizer sees the first byte too many */
            struct stun_message m;
            struct view ufrag;
            if (size > 0)
                memcpy(copy, vectors[i].data, size);
            assert_false(stun_is_message(VIEW(copy, size)));
            assert_false(stun_parse(&m, VIEW(copy, size)));
            if (size >= STUN_HEADER_BYTES) {
                put_u16(copy + 2, (uint16_t)(size - STUN_HEADER_BYTES));    /* a header that fits: only attributes are cut */
                (void)stun_parse(&m, VIEW(copy, size));
                if (size % 4 == 0)
                    (void)stun_peek_local_ufrag(VIEW(copy, size), &ufrag);
            }
            if (copy != NULL)
                test_free(copy);
        }
}

/* One byte changed anywhere: the CRC or the integrity notices; and never both say yes. */
static void test_no_changed_byte_goes_unnoticed(void **state)
{
    (void)state;
    struct stun_mac *mac = stun_mac_new();
    struct stun_key key = key_of(password);
    for (size_t at = 0; at < sizeof(request); at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t copy[sizeof(request)];
            struct stun_message m;
            memcpy(copy, request, sizeof(copy));
            copy[at] ^= (uint8_t)(1u << bit);
            bool parsed = stun_parse(&m, VIEW(copy, sizeof(copy)));
            assert_false(parsed && m.has_fingerprint && stun_is_authentic(&m, mac, &key));
        }
    stun_mac_free(mac);
}

static void test_username_is_peeked_without_verification(void **state)
{
    (void)state;
    struct view ufrag;
    uint8_t copy[sizeof(request)];
    assert_true(stun_peek_local_ufrag(VIEW(request, sizeof(request)), &ufrag));
    assert_true(str_equal(ufrag, STR("evtj")));
    memcpy(copy, request, sizeof(copy));
    copy[80] ^= 1;                                      /* integrity */
    assert_true(stun_peek_local_ufrag(VIEW(copy, sizeof(copy)), &ufrag));
    memset(copy + 64, 'x', 9);                          /* no colon in it */
    assert_false(stun_peek_local_ufrag(VIEW(copy, sizeof(copy)), &ufrag));
    assert_false(stun_peek_local_ufrag(VIEW(response4, sizeof(response4)), &ufrag));
}

struct built {
    uint8_t bytes[STUN_MESSAGE_MAX];
    size_t size;
};

static void build(struct built *b, uint16_t type, size_t value_size, unsigned times)
{
    static const uint8_t zeros[STUN_MESSAGE_MAX];
    struct stun_out out;
    stun_begin(&out, b->bytes, sizeof(b->bytes), STUN_REQUEST, STUN_BINDING, vector_txid);
    for (unsigned i = 0; i < times; i++)
        stun_add(&out, type, VIEW(zeros, value_size));
    b->size = stun_end(&out, NULL, NULL);
}

static void test_unknown_attributes_are_skipped_or_named_by_their_half(void **state)
{
    (void)state;
    struct built b;
    struct stun_message m;
    build(&b, 0xC070, 900, 1);                          /* what browsers do today: a long optional attribute */
    assert_true(b.size > 900 && stun_parse(&m, VIEW(b.bytes, b.size)));
    assert_int_equal(m.unknown_count, 0);
    build(&b, 0x7F00, 3, 12);
    assert_true(stun_parse(&m, VIEW(b.bytes, b.size)));
    assert_int_equal(m.unknown_count, 12);
    assert_int_equal(m.unknown[STUN_UNKNOWN_MAX - 1], 0x7F00);
}

static void test_limits_of_size_and_count_are_kept(void **state)
{
    (void)state;
    struct built b;
    struct stun_message m;
    build(&b, 0xC070, 0, STUN_ATTRIBUTES_MAX - 1);      /* and FINGERPRINT */
    assert_true(stun_parse(&m, VIEW(b.bytes, b.size)));
    build(&b, 0xC070, 0, STUN_ATTRIBUTES_MAX);
    assert_false(stun_parse(&m, VIEW(b.bytes, b.size)));
    build(&b, 0xC070, STUN_MESSAGE_MAX - 32, 1);
    assert_int_equal(b.size, STUN_MESSAGE_MAX);
    assert_true(stun_parse(&m, VIEW(b.bytes, b.size)));
    build(&b, 0xC070, STUN_MESSAGE_MAX - 31, 1);
    assert_int_equal(b.size, 0);
}

static void test_malformed_values_fail_the_parse(void **state)
{
    (void)state;
    static const struct { uint16_t type; size_t size; } bad[] = {
        {STUN_ATTR_PRIORITY, 3}, {STUN_ATTR_PRIORITY, 8}, {STUN_ATTR_USE_CANDIDATE, 4}, {STUN_ATTR_ICE_CONTROLLED, 4},
        {STUN_ATTR_ICE_CONTROLLING, 12}, {STUN_ATTR_XOR_MAPPED_ADDRESS, 8}, {STUN_ATTR_XOR_MAPPED_ADDRESS, 3},
        {STUN_ATTR_MAPPED_ADDRESS, 20}, {STUN_ATTR_ERROR_CODE, 4}, {STUN_ATTR_ERROR_CODE, 0}, {STUN_ATTR_USERNAME, 0},
        {STUN_ATTR_USERNAME, 514}, {STUN_ATTR_MESSAGE_INTEGRITY, 19}, {STUN_ATTR_FINGERPRINT, 4},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct built b;
        struct stun_message m;
        build(&b, bad[i].type, bad[i].size, 1);
        assert_true(b.size > 0);
        assert_false(stun_parse(&m, VIEW(b.bytes, b.size)));
    }
}

static void test_both_roles_at_once_are_malformed(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct stun_out out;
    struct stun_message m;
    stun_begin(&out, bytes, sizeof(bytes), STUN_REQUEST, STUN_BINDING, vector_txid);
    stun_add_u64(&out, STUN_ATTR_ICE_CONTROLLED, 1);
    stun_add_u64(&out, STUN_ATTR_ICE_CONTROLLING, 1);
    size_t size = stun_end(&out, NULL, NULL);
    assert_false(stun_parse(&m, VIEW(bytes, size)));
}

/* What stands behind the integrity is nobody's word: a request cannot be nominated by appending to it. */
static void test_attributes_behind_the_integrity_are_ignored(void **state)
{
    (void)state;
    uint8_t bytes[200];
    struct stun_message m;
    size_t end = sizeof(request) - 8;                   /* without FINGERPRINT */
    memcpy(bytes, request, end);
    put_u32(bytes + end, (uint32_t)STUN_ATTR_USE_CANDIDATE << 16);
    put_u32(bytes + end + 4, 0x7F000000);               /* and one that would have to be understood */
    put_u16(bytes + 2, (uint16_t)(end + 8 - STUN_HEADER_BYTES));
    assert_true(stun_parse(&m, VIEW(bytes, end + 8)));
    assert_false(m.use_candidate);
    assert_int_equal(m.unknown_count, 0);
    assert_true(authentic(VIEW(bytes, end + 8), key_of(password)));
}

static void test_mapped_ipv6_is_read_as_ipv4(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct stun_out out;
    struct stun_message m;
    struct net_addr want;
    struct net_addr mapped = {.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 9}, .port = 5, .family = NET_IP6};
    stun_begin(&out, bytes, sizeof(bytes), STUN_SUCCESS, STUN_BINDING, vector_txid);
    stun_add_xor_address(&out, STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
    size_t size = stun_end(&out, NULL, NULL);
    assert_true(stun_parse(&m, VIEW(bytes, size)));
    assert_true(net_ip_parse(&want, STR("192.0.2.9")));
    want.port = 5;
    assert_true(net_addr_equal(&m.mapped, &want));
}

static void test_errors_carry_code_and_unknown_attributes(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct stun_out out;
    struct stun_message m;
    const uint16_t unknown[] = {0x7F01, 0x7F02, 0x7F03};
    stun_begin(&out, bytes, sizeof(bytes), STUN_ERROR, STUN_BINDING, vector_txid);
    stun_add_error(&out, STUN_ERROR_UNKNOWN_ATTRIBUTE, "Unknown Attribute");
    stun_add_unknown(&out, unknown, 3);
    size_t size = stun_end(&out, NULL, NULL);
    assert_true(stun_parse(&m, VIEW(bytes, size)));
    assert_int_equal(m.error_code, 420);
    assert_int_equal(get_u32(bytes + size - 8 - 12), (uint32_t)STUN_ATTR_UNKNOWN_ATTRIBUTES << 16 | 6);
    assert_int_equal(get_u16(bytes + size - 8 - 4), 0x7F03);
}

static void test_writer_that_has_no_room_says_zero(void **state)
{
    (void)state;
    struct stun_mac *mac = stun_mac_new();
    struct stun_key key = key_of(password);
    for (size_t room = 0; room < 20 + 8 + 24 + 8; room++) {
        uint8_t bytes[64];
        struct stun_out out;
        memset(bytes, 0xAA, sizeof(bytes));
        stun_begin(&out, bytes, room, STUN_REQUEST, STUN_BINDING, vector_txid);
        stun_add_u32(&out, STUN_ATTR_PRIORITY, 1);
        assert_int_equal(stun_end(&out, mac, &key), 0);
        assert_int_equal(bytes[room], 0xAA);
    }
    stun_mac_free(mac);
}

/* A password longer than HMAC's block is kept as its hash: the same key to HMAC. */
static void test_long_password_signs_like_its_hash(void **state)
{
    (void)state;
    char text[257];
    uint8_t bytes[100];
    struct stun_out out;
    memset(text, 'p', 256);
    text[256] = 0;
    struct stun_mac *mac = stun_mac_new();
    struct stun_key key = key_of(text);
    assert_int_equal(key.size, 20);
    stun_begin(&out, bytes, sizeof(bytes), STUN_REQUEST, STUN_BINDING, vector_txid);
    size_t size = stun_end(&out, mac, &key);
    assert_true(size == 52);
    uint8_t want[20];
    size_t want_size = 0;
    put_u16(bytes + 2, 24);
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, text, 256, bytes, 20, want, sizeof(want), &want_size));
    assert_memory_equal(bytes + 24, want, 20);
    stun_mac_free(mac);
    assert_int_equal(seam_mem_outstanding(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc5769_request_is_read_and_authentic),
        cmocka_unit_test(test_rfc5769_responses_give_the_mapped_address),
        cmocka_unit_test(test_rfc5769_long_term_request_is_authentic_under_its_hash),
        cmocka_unit_test(test_written_request_equals_the_vector),
        cmocka_unit_test(test_classes_and_methods_survive_the_way),
        cmocka_unit_test(test_every_truncation_and_overrun_is_refused),
        cmocka_unit_test(test_no_changed_byte_goes_unnoticed),
        cmocka_unit_test(test_username_is_peeked_without_verification),
        cmocka_unit_test(test_unknown_attributes_are_skipped_or_named_by_their_half),
        cmocka_unit_test(test_limits_of_size_and_count_are_kept),
        cmocka_unit_test(test_malformed_values_fail_the_parse),
        cmocka_unit_test(test_both_roles_at_once_are_malformed),
        cmocka_unit_test(test_attributes_behind_the_integrity_are_ignored),
        cmocka_unit_test(test_mapped_ipv6_is_read_as_ipv4),
        cmocka_unit_test(test_errors_carry_code_and_unknown_attributes),
        cmocka_unit_test(test_writer_that_has_no_room_says_zero),
        cmocka_unit_test(test_long_password_signs_like_its_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
