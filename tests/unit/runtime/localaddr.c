/* runtime/localaddr: which addresses are offered (webrtc.md 6, Interfaces). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "runtime/localaddr.h"

static void add(struct localaddr_list *list, const char *interface, const char *ip, bool up)
{
    struct localaddr *item = &list->items[list->count++];
    *item = (struct localaddr){.up = up, .loopback = strcmp(interface, "lo") == 0};
    snprintf(item->interface, sizeof(item->interface), "%s", interface);
    assert_true(net_ip_parse(&item->addr, str_of(ip)));
}

static struct localaddr_list machine(void)
{
    struct localaddr_list all = {.count = 0};
    add(&all, "lo", "127.0.0.1", true);
    add(&all, "lo", "::1", true);
    add(&all, "eth0", "192.168.1.20", true);
    add(&all, "eth0", "2001:db8::20", true);
    add(&all, "eth0", "fe80::20", true);
    add(&all, "eth1", "10.0.0.1", true);
    add(&all, "vmnet8", "10.0.0.10", true);
    add(&all, "eth2", "10.9.9.9", false);
    return all;
}

static void assert_selected(struct localaddr_rules rules, const char *expected)
{
    struct localaddr_list all = machine(), out;
    char text[256] = "", ip[NET_IP_TEXT];
    localaddr_select(&out, &all, &rules);
    for (uint32_t i = 0; i < out.count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "", net_ip_text(&out.items[i].addr, ip));
    assert_string_equal(text, expected);
}

#define LIST(field, ...) \
    .field = (const char *const[]){__VA_ARGS__}, .field##_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static void test_families(void **state)
{
    (void)state;
    assert_selected((struct localaddr_rules){0}, "192.168.1.20 10.0.0.1 10.0.0.10");
    assert_selected((struct localaddr_rules){.ip6 = true}, "192.168.1.20 2001:db8::20 10.0.0.1 10.0.0.10");
    assert_selected((struct localaddr_rules){.ip6 = true, .ip6_linklocal = true}, "192.168.1.20 2001:db8::20 fe80::20 10.0.0.1 10.0.0.10");
    assert_selected((struct localaddr_rules){.ip6_linklocal = true}, "192.168.1.20 10.0.0.1 10.0.0.10");
}

static void test_ignore_and_enforce_lists(void **state)
{
    (void)state;
    assert_selected((struct localaddr_rules){LIST(ignore, "vmnet")}, "192.168.1.20 10.0.0.1");
    assert_selected((struct localaddr_rules){LIST(ignore, "10.")}, "192.168.1.20");
    assert_selected((struct localaddr_rules){LIST(ignore, "10.0.0.1")}, "192.168.1.20 10.0.0.10");     /* a whole address is just that */
    assert_selected((struct localaddr_rules){LIST(ignore, "")}, "192.168.1.20 10.0.0.1 10.0.0.10");
    assert_selected((struct localaddr_rules){LIST(enforce, "eth1")}, "10.0.0.1");
    assert_selected((struct localaddr_rules){LIST(enforce, "192.168.1.20", "vmnet8")}, "192.168.1.20 10.0.0.10");
    assert_selected((struct localaddr_rules){LIST(enforce, "eth"), LIST(ignore, "eth1")}, "192.168.1.20 10.0.0.1");
    assert_selected((struct localaddr_rules){LIST(enforce, "eth"), LIST(ignore, "10.0.0.1")}, "192.168.1.20");
    assert_selected((struct localaddr_rules){LIST(enforce, "eth9")}, "");
    assert_selected((struct localaddr_rules){LIST(enforce, "lo")}, "127.0.0.1");
}

static void test_a_machine_with_loopback_only_offers_it(void **state)
{
    (void)state;
    assert_selected((struct localaddr_rules){LIST(ignore, "eth", "vmnet")}, "127.0.0.1");
    assert_selected((struct localaddr_rules){.ip6 = true, LIST(ignore, "eth", "vmnet")}, "127.0.0.1 ::1");
}

static void assert_local_ip(const char *interface, bool ip6, bool named, const char *expected)
{
    struct localaddr_list all = machine();
    struct net_addr found;
    char ip[NET_IP_TEXT];
    assert_int_equal(localaddr_local_ip(&found, &all, interface, ip6), named);
    assert_string_equal(net_ip_text(&found, ip), expected);
}

static void test_the_interface_option_names_an_address_or_an_interface(void **state)
{
    (void)state;
    assert_local_ip(NULL, false, true, "192.168.1.20");
    assert_local_ip("10.0.0.1", false, true, "10.0.0.1");
    assert_local_ip("eth1", false, true, "10.0.0.1");
    assert_local_ip("lo", false, true, "127.0.0.1");
    assert_local_ip("2001:db8::20", true, true, "2001:db8::20");
    assert_local_ip("nothing", false, false, "192.168.1.20");
    assert_local_ip("203.0.113.1", false, false, "192.168.1.20");
    struct localaddr_list none = {.count = 0};
    struct net_addr found;
    assert_true(localaddr_local_ip(&found, &none, NULL, true));
    assert_true(net_ip_is_loopback(&found));
    assert_false(localaddr_local_ip(&found, &none, "eth0", true));
    assert_true(net_ip_is_loopback(&found));
}

static void test_this_machine_has_addresses(void **state)
{
    (void)state;
    struct localaddr_list all, out;
    assert_true(localaddr_read(&all));
    assert_true(all.count > 0);
    localaddr_select(&out, &all, &(struct localaddr_rules){0});
    assert_true(out.count > 0);
    for (uint32_t i = 0; i < out.count; i++)
        assert_int_equal(out.items[i].addr.port, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_ignore_and_enforce_lists),
        cmocka_unit_test(test_a_machine_with_loopback_only_offers_it),
        cmocka_unit_test(test_the_interface_option_names_an_address_or_an_interface),
        cmocka_unit_test(test_this_machine_has_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
