/* Two agents under random calls and a random network. After every step the harness holds: deadlines lie ahead, the
 * selected addresses are bound, what is forgotten was bound, bindings are bounded, no CHECK fires. At the end the network
 * heals, both sides restart, and must connect. */
#include "net.h"

static uint32_t rand_below(struct net *net, uint32_t n)
{
    return rng_u32(&net->host[0].rng) % n;
}

static struct net_addr random_addr(struct net *net)
{
    struct net_addr addr = net_ip(rand_below(net, 4) == 0 ? "2001:db8::99" : "203.0.113.9", (uint16_t)(1 + rand_below(net, 60)));
    return rand_below(net, 3) == 0 ? net->host[1].bases[rand_below(net, SOCKETS)] : addr;
}

static void random_restart(struct net *net, int host)
{
    struct ice_config *c = &net->host[host].config;
    rng_text(&net->host[host].rng, c->ufrag, 12);
    rng_text(&net->host[host].rng, c->pwd, 24);
    assert_int_equal(ice_restart(net->host[host].ice, net->now, str_of(c->ufrag), str_of(c->pwd)), ERR_NONE);
}

static void random_check(struct net *net)
{
    char user[80];
    const struct ice_config *c = &net->host[0].config;
    snprintf(user, sizeof(user), "%s:%s", c->ufrag, net->host[1].config.ufrag);
    bool controlling = rand_below(net, 8) != 0;
    struct check check = {.username = user, .pwd = c->pwd, .priority = rng_u32(&net->host[0].rng), .controlling = controlling,
                          .controlled = !controlling, .use_candidate = rand_below(net, 2) == 0, .tie_breaker = rand_below(net, 2000)};
    struct net_addr addr = random_addr(net);
    net_send_check(net, 0, &check, (struct net_tuple){.socket = addr.family == NET_IP4 ? 0 : 1, .remote = addr});
}

static void random_candidate(struct net *net, int host)
{
    struct ice_candidate c = {.foundation = "x", .type = (uint8_t)rand_below(net, 4), .addr = random_addr(net),
                              .priority = rng_u32(&net->host[0].rng)};
    (void)ice_add_remote(net->host[host].ice, &c);
}

static void random_call(struct net *net)
{
    int host = (int)rand_below(net, 2);
    struct host *h = &net->host[host];
    switch (rand_below(net, 12)) {
    case 0: random_restart(net, host); break;
    case 1: net_credentials(net, host); break;
    case 2: random_candidate(net, host); break;
    case 3: ice_end_of_candidates(h->ice); break;
    case 4:
        if (h->bound_count > 0) {
            struct net_tuple t = h->bound[rand_below(net, h->bound_count)];
            net_lose(net, host, &t);
        }
        break;
    case 5: random_check(net); break;
    case 6: h->mapped[0] = net_ip("198.51.100.200", (uint16_t)(1 + rand_below(net, 9))); break;
    case 7: net->cut[host] = !net->cut[host]; break;
    case 8: net->dead[host][rand_below(net, SOCKETS)] ^= true; break;
    case 9: net->loss_percent = rand_below(net, 60); break;
    case 10: ice_timeout(h->ice, net->now); break;
    default: net_candidate(net, host, (int)rand_below(net, SOCKETS)); break;
    }
    net_drain(net, host);
}

static void heal(struct net *net)
{
    net->loss_percent = 0;
    memset(net->cut, 0, sizeof(net->cut));
    memset(net->dead, 0, sizeof(net->dead));
    for (int i = 0; i < 2; i++) {
        memset(net->host[i].mapped, 0, sizeof(net->host[i].mapped));
        random_restart(net, i);
        net_drain(net, i);
    }
    net_introduce(net);
    net_run(net, net->now + SEC(20));
    assert_true(net->host[0].state == ICE_CONNECTED && net->host[1].state == ICE_CONNECTED);
    struct ice_info info[2];
    for (int i = 0; i < 2; i++)
        ice_describe(net->host[i].ice, &info[i]);
    assert_true(info[0].is_nominated && info[1].is_nominated);
    net_assert_same_pair(net);
}

static void test_random_calls_keep_all_invariants(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct net net;
        net_init(&net, 1000 + seed);
        net.host[0].config.lite = seed % 4 == 3;
        net.host[0].config.nomination = seed % 2 ? ICE_NOMINATE_REGULAR : ICE_NOMINATE_AGGRESSIVE;
        net.host[1].config.nomination = seed % 3 ? ICE_NOMINATE_REGULAR : ICE_NOMINATE_AGGRESSIVE;
        net_start(&net);
        if (seed % 5 != 0)
            net_introduce(&net);
        for (int i = 0; i < 150; i++) {
            if (rand_below(&net, 3) != 0)
                random_call(&net);
            net_run(&net, net.now + (rand_below(&net, 20) == 0 ? SEC(rand_below(&net, 20)) : MSEC(rand_below(&net, 400))));
        }
        heal(&net);
        net_fini(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_calls_keep_all_invariants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
