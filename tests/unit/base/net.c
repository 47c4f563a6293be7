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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_parse_and_print),
        cmocka_unit_test(test_mapped_addresses_become_ipv4),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_acl_never_matches_a_substring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
