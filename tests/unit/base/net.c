#include "support/seams.h"

#include "base/net.h"
#include "base/str.h"

static struct net_addr addr(const char *text)
{
    struct net_addr a;
    assert_true(net_ip_parse(&a, str_of(text)));
    return a;
}

static void test_addresses_parse_and_print(void **state)
{
    (void)state;
    static const char *const good[] = {"192.0.2.1", "2001:db8::1", "::1", "0.0.0.0", "fe80::1"};
    char text[NET_IP_TEXT];
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        struct net_addr a = addr(good[i]);
        assert_string_equal(net_ip_text(&a, text), good[i]);
    }
    static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "host", "1.2.3.4 ", "::g", "256.1.1.1"};
    struct net_addr a;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(net_ip_parse(&a, str_of(bad[i])));
}

static void test_mapped_addresses_become_ipv4(void **state)
{
    (void)state;
    struct net_addr mapped = addr("::ffff:127.0.0.1"), plain = addr("127.0.0.1");
    assert_true(net_addr_equal(&mapped, &plain));
    assert_true(net_ip_is_loopback(&mapped));
}

static void test_kinds(void **state)
{
    (void)state;
    struct net_addr a = addr("172.31.255.1"), b = addr("172.32.0.1"), c = addr("fd00::1"), d = addr("fe80::2"), e = addr("::");
    assert_true(net_ip_is_private(&a));
    assert_false(net_ip_is_private(&b));
    assert_true(net_ip_is_private(&c));
    assert_true(net_ip_is_linklocal(&d));
    assert_true(net_ip_is_any(&e));
}

/* security.md, PR 3637: an access list is compared by whole addresses, never as a substring. */
static void test_acl_never_matches_a_substring(void **state)
{
    (void)state;
    struct net_addr a = addr("10.0.0.1"), b = addr("10.0.0.10"), c = addr("192.168.0.77"), d = addr("192.168.1.77");
    assert_true(net_acl_admits(STR("10.0.0.1"), &a));
    assert_false(net_acl_admits(STR("10.0.0.1"), &b));
    assert_true(net_acl_admits(STR("127.0.0.1, 192.168.0."), &c));
    assert_false(net_acl_admits(STR("127.0.0.1,192.168.0."), &d));
    assert_true(net_acl_admits(STR("192.168.0.0/23"), &d));
    assert_false(net_acl_admits(STR("192.168.0.0/24"), &d));
    assert_true(net_acl_admits(STR(" , "), &d));
    assert_false(net_acl_admits(STR("garbage"), &d));
    assert_true(net_acl_admits(STR("::ffff:10.0.0.1"), &a));
}

static void test_what_is_public(void **state)
{
    (void)state;
    static const char *const walled[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1",
                                         "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
                                         "203.0.113.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1", "::5",
                                         "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1", "2001:db8::1",
                                         "2002:7f00:1::", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1"};
    static const char *const open[] = {"1.1.1.1", "9.255.255.255", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.0",
                                       "223.255.255.255", "2001:4860:4860::8888", "2606:4700::1", "::ffff:8.8.8.8"};
    struct net_addr addr;
    for (size_t i = 0; i < ARRAY_COUNT(walled); i++) {
        assert_true(net_ip_parse(&addr, str_of(walled[i])));
        if (net_ip_is_public(&addr))
            fail_msg("%s is not public", walled[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(open); i++) {
        assert_true(net_ip_parse(&addr, str_of(open[i])));
        if (!net_ip_is_public(&addr))
            fail_msg("%s is public", open[i]);
    }
    assert_false(net_ip_is_public(&(struct net_addr){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_public),
        cmocka_unit_test(test_addresses_parse_and_print),
        cmocka_unit_test(test_mapped_addresses_become_ipv4),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_acl_never_matches_a_substring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
