#include "helpers/dns.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"
#include "helpers/stun_ask.h"
#include "runtime/sockaddr.h"

struct dns {
    struct actor *actor;
};

static bool is_local(struct view name)
{
    if (name.size > 0 && name.data[name.size - 1] == '.')
        name.size--;
    struct view tail = name.size >= 6 ? VIEW(name.data + name.size - 6, 6) : name;
    return str_equal_nocase(tail, STR(".local"));
}

static void collect(struct dns_answer *answer, const struct addrinfo *first, uint16_t port)
{
    for (const struct addrinfo *i = first; i != NULL && answer->count < DNS_ANSWERS_MAX; i = i->ai_next) {
        struct net_addr *addr = &answer->addrs[answer->count];
        sockaddr_to(addr, i->ai_addr);
        addr->port = port;
        answer->count += addr->family != NET_NONE;
    }
}

void dns_lookup(struct dns_answer *answer, const struct dns_ask *ask)
{
    *answer = (struct dns_answer){.count = 0};
    size_t size = strnlen(ask->name, sizeof(ask->name));
    struct view name = VIEW(ask->name, size);
    if (size == 0 || size == sizeof(ask->name) || is_local(name)) {
        snprintf(answer->error, sizeof(answer->error), "not a name for the resolver");
        return;
    }
    if (net_ip_parse(&answer->addrs[0], name)) {
        answer->addrs[0].port = ask->port;
        answer->count = 1;
        return;
    }
    const struct addrinfo hints = {
        .ai_family = ask->family == NET_IP4 ? AF_INET : ask->family == NET_IP6 ? AF_INET6 : AF_UNSPEC,
        .ai_socktype = SOCK_DGRAM,
    };
    struct addrinfo *first = NULL;
    int failed = getaddrinfo(ask->name, NULL, &hints, &first);
    if (failed == 0)
        collect(answer, first, ask->port);
    if (failed != 0 || answer->count == 0)
        snprintf(answer->error, sizeof(answer->error), "%s", failed != 0 ? gai_strerror(failed) : "no address");
    if (first != NULL)
        freeaddrinfo(first);
}

static void on_ask(struct dns *dns, const struct message *m)
{
    struct dns_ask ask;
    CHECK(m->size == sizeof(ask));
    memcpy(&ask, m->payload, sizeof(ask));
    struct dns_answer answer;
    dns_lookup(&answer, &ask);
    actor_send_op(dns->actor, m->from, ask.answer, m->op, &answer, sizeof(answer));
}

static void on_stun(struct dns *dns, const struct message *m)
{
    struct dns_stun_ask ask;
    struct dns_stun_answer answer = {0};
    CHECK(m->size == sizeof(ask));
    memcpy(&ask, m->payload, sizeof(ask));
    answer.fine = stun_ask(&ask.server, ask.local_port, &answer.mapped);
    actor_send_op(dns->actor, m->from, ask.answer, m->op, &answer, sizeof(answer));
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct dns *dns = owner;
    (void)now;
    if (m->type == DNS_ASK)
        on_ask(dns, m);
    else if (m->type == DNS_STUN)
        on_stun(dns, m);
    actor_flush(dns->actor);            /* the next question may take long */
}

const struct actor_ops dns_ops = {.on_message = on_message, .may_block = true};

struct dns *dns_new(struct actor *actor)
{
    struct dns *dns = mem_get_zero(sizeof(*dns));
    dns->actor = actor;
    return dns;
}

void dns_free(struct dns *dns)
{
    mem_put(dns);
}
