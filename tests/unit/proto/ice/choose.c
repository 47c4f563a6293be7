/* Which pair carries the data: nominations, priorities, paths that die, addresses that are taken over. */
#include "net.h"

static const struct check good = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .controlling = true};

static void nominate(struct net *net, uint16_t port, uint32_t priority, bool use_candidate)
{
    struct check c = good;
    c.priority = priority;
    c.use_candidate = use_candidate;
    net_send_check(net, 0, &c, (struct net_tuple){.socket = 0, .remote = net_ip("203.0.113.66", port)});
}

static unsigned selected_port(const struct net *net)
{
    const struct net_tuple *t = ice_selected(net->host[0].ice);
    return t == NULL ? 0 : t->remote.port;
}

static void start_lite(struct net *net, uint64_t seed)
{
    net_init(net, seed);
    net->host[0].config.lite = true;
    net_start(net);
}

/* RFC 8445 7.3.2: a lite agent's pair is valid by the nomination, not by any check. */
static void test_lite_agent_selects_on_nomination_only(void **state)
{
    (void)state;
    struct net net;
    start_lite(&net, 1);
    nominate(&net, 1, 100, false);
    assert_int_equal(net.host[0].verified, 1);
    assert_int_equal(selected_port(&net), 0);
    nominate(&net, 1, 100, true);
    assert_int_equal(selected_port(&net), 1);
    net_fini(&net);
}

static void test_best_of_aggressive_nominations_wins_in_any_order(void **state)
{
    (void)state;
    struct net net;
    start_lite(&net, 2);
    nominate(&net, 1, 200, true);
    nominate(&net, 2, 100, true);
    assert_int_equal(selected_port(&net), 1);
    nominate(&net, 3, 300, true);
    assert_int_equal(selected_port(&net), 3);
    nominate(&net, 2, 100, true);
    assert_int_equal(selected_port(&net), 3);
    net_fini(&net);
}

static void test_newest_nomination_of_a_regular_peer_wins(void **state)
{
    (void)state;
    struct net net;
    start_lite(&net, 3);
    nominate(&net, 1, 300, false);
    nominate(&net, 1, 300, true);
    nominate(&net, 2, 100, false);
    assert_int_equal(selected_port(&net), 1);
    nominate(&net, 2, 100, true);
    assert_int_equal(selected_port(&net), 2);
    nominate(&net, 1, 300, false);
    assert_int_equal(selected_port(&net), 2);
    net_fini(&net);
}

/* Wi-Fi has gone: the best pair was nominated, but is silent, and the peer nominates over mobile. */
static void test_silent_pair_gives_way_to_a_living_one(void **state)
{
    (void)state;
    struct net net;
    start_lite(&net, 4);
    nominate(&net, 1, 300, true);
    net_run(&net, net.now + SEC(4));
    nominate(&net, 2, 100, true);
    assert_int_equal(selected_port(&net), 1);                /* it may just be a trial */
    net_run(&net, net.now + SEC(2));
    nominate(&net, 2, 100, true);
    assert_int_equal(selected_port(&net), 2);
    nominate(&net, 1, 300, true);                            /* and Wi-Fi is back */
    assert_int_equal(selected_port(&net), 1);
    net_fini(&net);
}

/* Two paths, real checks: the one in use dies at both ends; both move to the other before consent ends. */
static void test_dead_path_is_left_for_the_other(void **state)
{
    (void)state;
    for (int controlling = 0; controlling < 2; controlling++)
        for (int nomination = ICE_NOMINATE_AGGRESSIVE; nomination <= ICE_NOMINATE_REGULAR; nomination++) {
            struct net net;
            net_init(&net, 5);
            net.host[controlling].config.role = ICE_CONTROLLING;
            net.host[1 - controlling].config.role = ICE_CONTROLLED;
            net.host[controlling].config.nomination = (enum ice_nomination)nomination;
            net_start(&net);
            net_introduce(&net);
            assert_true(net_run_until_connected(&net, net.now + SEC(1)));
            net_run(&net, net.now + SEC(30));
            assert_int_equal(ice_selected(net.host[0].ice)->socket, 0);
            net.dead[1][0] = true;
            net_run(&net, net.now + SEC(22));
            assert_int_equal(ice_selected(net.host[0].ice)->socket, 1);
            assert_int_equal(ice_selected(net.host[1].ice)->socket, 1);
            net_run(&net, net.now + SEC(100));
            assert_true(net.host[0].failed_at == 0 && net.host[1].failed_at == 0);
            assert_true(net.host[0].state == ICE_CONNECTED && net.host[1].state == ICE_CONNECTED);
            net_assert_same_pair(&net);
            net_fini(&net);
        }
}

/* RFC 8445 7.3.1.5: USE-CANDIDATE on a pair not checked yet counts from our own check's success on. */
static void test_nomination_waits_for_our_own_check(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 6);
    net.host[0].config.base_count = net.host[1].config.base_count = 1;
    net_start(&net);
    net_credentials(&net, 0);
    net_credentials(&net, 1);
    struct check c = good;
    c.priority = 5;
    c.use_candidate = true;
    net_send_check(&net, 0, &c, (struct net_tuple){.socket = 0, .remote = net.host[1].bases[0]});
    struct ice_info info;
    ice_describe(net.host[0].ice, &info);
    assert_false(info.has_selected);
    net_run(&net, net.now + 2 * net.delay_us + 1);
    ice_describe(net.host[0].ice, &info);
    assert_true(info.has_selected && info.is_nominated);
    net_fini(&net);
}

/* Lower pairs are kept in reserve once a nominated one works: no checks are wasted on them. */
static void test_lower_pairs_are_not_checked_once_connected(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 7);
    net_start(&net);
    net_introduce(&net);
    for (uint16_t i = 0; i < 10; i++) {
        struct ice_candidate c = net_host_candidate("203.0.113.9", (uint16_t)(1 + i));
        c.priority = 1000;
        assert_int_equal(ice_add_remote(net.host[1].ice, &c), ERR_NONE);
    }
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    unsigned before = net.host[1].requests;
    net_run(&net, net.now + SEC(3));
    assert_in_range(net.host[1].requests - before, 0, 1);
    net_fini(&net);
}

static void test_taken_over_address_is_given_up(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 8);
    net_start(&net);
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    net_run(&net, net.now + SEC(1));
    struct net_tuple first = *ice_selected(net.host[0].ice);
    net_lose(&net, 0, &first);
    assert_true(ice_selected(net.host[0].ice) == NULL || !net_tuple_equal(ice_selected(net.host[0].ice), &first));
    net_run(&net, net.now + SEC(1));
    assert_int_equal(ice_selected(net.host[0].ice)->socket, 1);      /* the other family's pair takes over */
    struct check c = good;
    c.priority = 5;
    c.use_candidate = true;
    unsigned answers = net.host[0].answers;
    net_send_check(&net, 0, &c, first);                               /* it does not come back by the old nomination */
    assert_int_equal(net.host[0].answers, answers);
    struct net_tuple second = *ice_selected(net.host[0].ice);
    net_lose(&net, 0, &second);
    assert_int_equal(net.host[0].state, ICE_FAILED);
    assert_int_equal(net.host[0].failure, ICE_FAIL_LOST);
    struct net_tuple unknown = {.socket = 0, .remote = net_ip("203.0.113.200", 1)};
    net_lose(&net, 0, &unknown);
    net_fini(&net);
}

static void test_description_tells_the_selected_pair(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 9);
    net_start(&net);
    struct ice_info info;
    ice_describe(net.host[0].ice, &info);
    assert_int_equal(info.state, ICE_NEW);
    assert_false(info.has_selected);
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    net_run(&net, net.now + SEC(1));
    ice_describe(net.host[0].ice, &info);
    assert_int_equal(info.state, ICE_CONNECTED);
    assert_int_equal(info.role, ICE_CONTROLLED);
    assert_int_equal(info.remote_type, ICE_HOST);
    assert_int_equal(info.remote_count, 2);
    assert_int_equal(info.pair_count, 2);
    assert_true(info.is_nominated);
    assert_true(net_tuple_equal(&info.selected, ice_selected(net.host[0].ice)));
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lite_agent_selects_on_nomination_only),
        cmocka_unit_test(test_best_of_aggressive_nominations_wins_in_any_order),
        cmocka_unit_test(test_newest_nomination_of_a_regular_peer_wins),
        cmocka_unit_test(test_silent_pair_gives_way_to_a_living_one),
        cmocka_unit_test(test_dead_path_is_left_for_the_other),
        cmocka_unit_test(test_nomination_waits_for_our_own_check),
        cmocka_unit_test(test_lower_pairs_are_not_checked_once_connected),
        cmocka_unit_test(test_taken_over_address_is_given_up),
        cmocka_unit_test(test_description_tells_the_selected_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
