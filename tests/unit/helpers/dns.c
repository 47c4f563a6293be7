/* helpers/dns: addresses are answered without a resolver, .local never reaches it, and answers carry their question's op. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "helpers/dns.h"

static struct dns_answer look_up(const char *name, enum net_family family)
{
    struct dns_ask ask = {.port = 3478, .family = family};
    struct dns_answer answer;
    snprintf(ask.name, sizeof(ask.name), "%s", name);
    dns_lookup(&answer, &ask);
    assert_true((answer.count == 0) == (answer.error[0] != '\0'));
    return answer;
}

static void test_addresses_need_no_resolver(void **state)
{
    (void)state;
    struct dns_answer answer = look_up("192.0.2.7", NET_NONE);
    char text[NET_IP_TEXT];
    assert_int_equal(answer.count, 1);
    assert_string_equal(net_ip_text(&answer.addrs[0], text), "192.0.2.7");
    assert_int_equal(answer.addrs[0].port, 3478);
    assert_int_equal(look_up("2001:db8::1", NET_NONE).count, 1);
}

static void test_localhost_is_found_by_the_systems_resolver(void **state)
{
    (void)state;
    struct dns_answer answer = look_up("localhost", NET_IP4);
    assert_true(answer.count >= 1);
    assert_true(net_ip_is_loopback(&answer.addrs[0]));
    assert_int_equal(answer.addrs[0].port, 3478);
}

static void test_local_names_are_never_asked(void **state)
{
    (void)state;
    static const char *const names[] = {"host.local", "5d7b3f6e-1b.LOCAL", "host.local.", ".local", ""};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct dns_answer answer = look_up(names[i], NET_NONE);
        assert_int_equal(answer.count, 0);
        assert_string_equal(answer.error, "not a name for the resolver");
    }
    struct dns_ask endless;
    memset(&endless, 'a', sizeof(endless));
    struct dns_answer answer;
    dns_lookup(&answer, &endless);
    assert_int_equal(answer.count, 0);
}

struct asker {
    struct actor *actor;
    struct actors *set;
    struct dns_answer answer;
    struct ref op;
};

enum { ANSWERED = 40 };

static void begin(void *owner, usec_t now)
{
    struct asker *a = owner;
    (void)now;
    struct dns_ask ask = {.answer = ANSWERED, .port = 5, .name = "198.51.100.9"};
    actor_send_op(a->actor, ACTOR_DNS, DNS_ASK, (struct ref){3, 4}, &ask, sizeof(ask));
}

static void hear(void *owner, usec_t now, const struct message *m)
{
    struct asker *a = owner;
    (void)now;
    if (m->type == ANSWERED) {
        memcpy(&a->answer, m->payload, sizeof(a->answer));
        a->op = m->op;
        actor_ask_stop(a->actor, ACTOR_DNS);
    } else if (m->type == ACTOR_STOPPED) {
        actor_join(actors_get(a->set, m->from));
        actor_stop(a->actor);
    }
}

static void test_the_actor_answers_with_the_questions_op(void **state)
{
    (void)state;
    static const struct actor_ops ops = {.on_start = begin, .on_message = hear};
    struct asker a = {.set = actors_new()};
    a.actor = actor_new(a.set, ACTOR_MAIN, "main");
    struct actor *actor = actor_new(a.set, ACTOR_DNS, "dns");
    struct dns *dns = dns_new(actor);
    actor_serve(a.actor, &ops, &a);
    actor_serve(actor, &dns_ops, dns);
    actors_wire(a.set);
    assert_true(actor_start(actor));
    actor_run(a.actor);
    assert_int_equal(a.answer.count, 1);
    assert_int_equal(a.answer.addrs[0].port, 5);
    assert_true(ref_equal(a.op, (struct ref){3, 4}));
    dns_free(dns);
    actors_free(a.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_need_no_resolver),
        cmocka_unit_test(test_localhost_is_found_by_the_systems_resolver),
        cmocka_unit_test(test_local_names_are_never_asked),
        cmocka_unit_test(test_the_actor_answers_with_the_questions_op),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
