#include "support/seams.h"

#include "base/str.h"
#include "proto/sdp/candidate.h"

static enum candidate_result parse(struct ice_candidate *out, const char *text)
{
    struct view name;
    return candidate_parse(out, &name, str_of(text));
}

static void assert_written(const struct ice_candidate *c, const char *expected)
{
    struct buf out;
    buf_init(&out, 1024);
    candidate_write(c, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

/* What we write is what we read. */
static void test_round_trip(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1 1 udp 2015363327 203.0.113.9 20014 typ host",
        "2 1 udp 1 2001:db8::5 1 typ srflx raddr 10.0.0.1 rport 5000",
        "abcdefghijklmnopqrstuvwxyz012345 1 udp 4294967295 198.51.100.7 65535 typ relay raddr 0.0.0.0 rport 0",
        "3 1 tcp 7 192.0.2.1 9 typ host tcptype active",
        "3 1 tcp 7 192.0.2.1 4000 typ host tcptype passive",
        "3 1 tcp 7 192.0.2.1 4000 typ srflx raddr 10.0.0.1 rport 9 tcptype so",
        "4 1 udp 8 192.0.2.2 4001 typ prflx raddr 10.0.0.1 rport 9",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct ice_candidate c;
        assert_int_equal(parse(&c, texts[i]), CANDIDATE_OK);
        assert_written(&c, texts[i]);
    }
}

static void test_prefixes_and_browsers_extras(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "candidate:842163049 1 udp 1677729535 203.0.113.5 53222 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag 9gQk network-cost 999",
        "a=candidate:842163049 1 UDP 1677729535 203.0.113.5 53222 TYP SRFLX raddr 0.0.0.0 rport 0\r\n",
        "842163049 1 udp 1677729535 203.0.113.5 53222 typ srflx raddr 0.0.0.0 rport 0 odd",
        "  CANDIDATE:842163049  1  udp 1677729535 203.0.113.5 53222 typ srflx raddr 0.0.0.0 rport 0",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct ice_candidate c;
        assert_int_equal(parse(&c, texts[i]), CANDIDATE_OK);
        assert_written(&c, "842163049 1 udp 1677729535 203.0.113.5 53222 typ srflx raddr 0.0.0.0 rport 0");
    }
}

static void test_names_are_reported_not_resolved(void **state)
{
    (void)state;
    struct ice_candidate c;
    struct view name;
    const char *text = "candidate:2786146737 1 udp 2113937151 ef20d897-6b42-4f3c-bc10-c7362e68a801.local 45557 typ host generation 0";
    assert_int_equal(candidate_parse(&c, &name, str_of(text)), CANDIDATE_NAME);
    assert_true(str_equal(name, STR("ef20d897-6b42-4f3c-bc10-c7362e68a801.local")));
    assert_int_equal(c.addr.family, NET_NONE);
    assert_int_equal(c.addr.port, 45557);
    assert_int_equal(c.priority, 2113937151);
    assert_int_equal(parse(&c, "1 1 udp 1 host.LOCAL 5 typ host"), CANDIDATE_NAME);
    assert_int_equal(parse(&c, "1 1 udp 1 example.com 5 typ host"), CANDIDATE_INVALID);
    assert_int_equal(parse(&c, "1 1 udp 1 .local 5 typ host"), CANDIDATE_INVALID);
    assert_int_equal(parse(&c, "1 1 udp 1 local 5 typ host"), CANDIDATE_INVALID);
}

static void test_other_components_are_skipped(void **state)
{
    (void)state;
    struct ice_candidate c;
    assert_int_equal(parse(&c, "1 2 udp 1 1.2.3.4 5 typ host"), CANDIDATE_SKIPPED);
    assert_int_equal(parse(&c, "1 256 udp 1 1.2.3.4 5 typ host"), CANDIDATE_SKIPPED);
    assert_int_equal(parse(&c, "1 257 udp 1 1.2.3.4 5 typ host"), CANDIDATE_INVALID);
    assert_int_equal(parse(&c, "1 0 udp 1 1.2.3.4 5 typ host"), CANDIDATE_INVALID);
    assert_int_equal(parse(&c, "1 65537 udp 1 1.2.3.4 5 typ host"), CANDIDATE_INVALID);
}

static void test_ends(void **state)
{
    (void)state;
    struct ice_candidate c;
    static const char *const ends[] = {"", " \r\n", "end-of-candidates", "a=end-of-candidates\r\n"};
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
        assert_int_equal(parse(&c, ends[i]), CANDIDATE_END);
}

static void test_mapped_addresses_are_ipv4(void **state)
{
    (void)state;
    struct ice_candidate c;
    assert_int_equal(parse(&c, "1 1 udp 1 ::ffff:10.0.0.1 5 typ host"), CANDIDATE_OK);
    assert_int_equal(c.addr.family, NET_IP4);
}

/* webrtc.md 6.3; the output is left alone. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "candidate:",
        "a=candidate:1",
        "abcdefghijklmnopqrstuvwxyz0123456 1 udp 1 1.2.3.4 5 typ host",     /* foundation of 33 */
        "1 x udp 1 1.2.3.4 5 typ host",
        "1 1 sctp 1 1.2.3.4 5 typ host",
        "1 1 ssltcp 1 1.2.3.4 5 typ host",
        "1 1 udp 0 1.2.3.4 5 typ host",
        "1 1 udp 4294967296 1.2.3.4 5 typ host",
        "1 1 udp -1 1.2.3.4 5 typ host",
        "1 1 udp 1 1.2.3 5 typ host",
        "1 1 udp 1 1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4.local 5 typ host",     /* address of 53 */
        "1 1 udp 1 fe80::1%eth0 5 typ host",
        "1 1 udp 1 1.2.3.4 0 typ host",
        "1 1 udp 1 1.2.3.4 65536 typ host",
        "1 1 udp 1 1.2.3.4 5",
        "1 1 udp 1 1.2.3.4 5 typ",
        "1 1 udp 1 1.2.3.4 5 type host",
        "1 1 udp 1 1.2.3.4 5 typ wifi",
        "1 1 tcp 1 1.2.3.4 5 typ host",                                    /* TCP without tcptype (RFC 6544 4.5) */
        "1 1 tcp 1 1.2.3.4 5 typ host tcptype sideways",
        "1 1 udp 1 1.2.3.4 5 typ host tcptype active",
        "1 1 udp 1\r\n1.2.3.4 5 typ host",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct ice_candidate c = {.priority = 77};
        assert_int_equal(parse(&c, bad[i]), CANDIDATE_INVALID);
        assert_int_equal(c.priority, 77);
    }
}

static void test_truncated_anywhere(void **state)
{
    (void)state;
    const char *text = "a=candidate:1 1 tcp 2015363327 2001:db8::1 20014 typ srflx raddr 10.0.0.1 rport 9 tcptype passive";
    for (size_t size = 0; size <= strlen(text); size++) {
        char copy[128];
        struct ice_candidate c;
        struct view name;
        memcpy(copy, text, size);
        const enum candidate_result result = candidate_parse(&c, &name, VIEW(copy, size));
        assert_true(size == 0 ? result == CANDIDATE_END : size == strlen(text) ? result == CANDIDATE_OK : result == CANDIDATE_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_prefixes_and_browsers_extras),
        cmocka_unit_test(test_names_are_reported_not_resolved),
        cmocka_unit_test(test_other_components_are_skipped),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_mapped_addresses_are_ipv4),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_truncated_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
