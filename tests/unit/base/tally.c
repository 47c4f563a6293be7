/* How many of something each address has. */
#include "base/tally.h"

#include "base/str.h"
#include "support/seams.h"

static const struct hash_key key = {1, 2};

static struct net_addr addr(const char *text)
{
    struct net_addr out;
    assert_true(net_ip_parse(&out, str_of(text)));
    return out;
}

static bool take(struct tally *tally, const char *text)
{
    const struct net_addr a = addr(text);
    return tally_take(tally, &a);
}

static void give(struct tally *tally, const char *text)
{
    const struct net_addr a = addr(text);
    tally_give(tally, &a);
}

static void test_each_address_has_its_share_and_gets_it_back(void **state)
{
    (void)state;
    struct tally tally;
    tally_init(&tally, &key, 2, 100);
    assert_true(take(&tally, "192.0.2.1") && take(&tally, "192.0.2.1"));
    assert_false(take(&tally, "192.0.2.1"));
    assert_int_equal(tally.refused, 1);
    assert_true(take(&tally, "192.0.2.2"));
    give(&tally, "192.0.2.1");
    assert_true(take(&tally, "192.0.2.1"));
    assert_false(take(&tally, "192.0.2.1"));
    give(&tally, "192.0.2.1");
    give(&tally, "192.0.2.1");
    give(&tally, "192.0.2.2");
    assert_int_equal(tally.entries.used, 0);
    tally_fini(&tally);
}

/* The port is another for each connection, and an IPv6 host has 2^64 addresses to choose from. */
static void test_ports_and_the_host_part_of_ipv6_make_no_difference(void **state)
{
    (void)state;
    struct tally tally;
    tally_init(&tally, &key, 1, 100);
    struct net_addr first = addr("192.0.2.1"), second = first;
    first.port = 1000;
    second.port = 2000;
    assert_true(tally_take(&tally, &first));
    assert_false(tally_take(&tally, &second));
    assert_true(take(&tally, "2001:db8:1:2::1"));
    assert_false(take(&tally, "2001:db8:1:2:ffff::"));
    assert_true(take(&tally, "2001:db8:1:3::1"));
    assert_false(take(&tally, "::ffff:192.0.2.1"));
    tally_give(&tally, &second);
    give(&tally, "2001:db8:1:2::7");
    give(&tally, "2001:db8:1:3::1");
    tally_fini(&tally);
}

/* Bytes equal, families not: 1.2.3.4 is not 102:304::. */
static void test_families_are_apart(void **state)
{
    (void)state;
    struct tally tally;
    tally_init(&tally, &key, 1, 100);
    assert_true(take(&tally, "1.2.3.4"));
    assert_true(take(&tally, "102:304::"));
    give(&tally, "1.2.3.4");
    give(&tally, "102:304::");
    tally_fini(&tally);
}

static void test_no_limit_and_no_address_are_not_counted(void **state)
{
    (void)state;
    struct tally tally;
    const struct net_addr none = {0};
    tally_init(&tally, &key, 0, 100);
    for (int i = 0; i < 10; i++)
        assert_true(take(&tally, "192.0.2.1"));
    assert_int_equal(tally.entries.used, 0);
    give(&tally, "192.0.2.1");
    tally_fini(&tally);
    tally_init(&tally, &key, 1, 100);
    for (int i = 0; i < 10; i++)
        assert_true(tally_take(&tally, &none));
    tally_give(&tally, &none);
    tally_fini(&tally);
}

static void test_a_full_table_refuses(void **state)
{
    (void)state;
    struct tally tally;
    tally_init(&tally, &key, 5, 2);
    assert_true(take(&tally, "192.0.2.1") && take(&tally, "192.0.2.2"));
    assert_false(take(&tally, "192.0.2.3"));
    assert_true(take(&tally, "192.0.2.2"));
    for (int i = 0; i < 2; i++)
        give(&tally, "192.0.2.2");
    assert_true(take(&tally, "192.0.2.3"));
    give(&tally, "192.0.2.3");
    give(&tally, "192.0.2.1");
    tally_fini(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_address_has_its_share_and_gets_it_back),
        cmocka_unit_test(test_ports_and_the_host_part_of_ipv6_make_no_difference),
        cmocka_unit_test(test_families_are_apart),
        cmocka_unit_test(test_no_limit_and_no_address_are_not_counted),
        cmocka_unit_test(test_a_full_table_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
