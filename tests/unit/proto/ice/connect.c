/* Two agents find each other: full and lite, any order of signalling, loss, NAT, conflicts of role. */
#include "net.h"

static void test_two_full_agents_connect_within_two_round_trips(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1);
    net_start(&net);
    usec_t start = net.now;
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, start + SEC(1)));
    assert_true(net.now <= start + 2 * 2 * net.delay_us);
    net_run(&net, start + SEC(3));
    net_assert_same_pair(&net);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(net.host[i].selected, 1);
        assert_int_equal(net.host[i].roles, 0);
        assert_true(net.host[i].first_verified_at <= net.host[i].connected_at);
        assert_int_equal(ice_selected(net.host[i].ice)->socket, 0);      /* the better base */
    }
    net_fini(&net);
}

/* DTLS is answered from the first authenticated check on, one trip before our own check has its answer. */
static void test_verified_comes_before_selected(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 2);
    net_start(&net);
    usec_t start = net.now;
    net_introduce(&net);
    net.host[0].config.base_count = 1;
    net_run(&net, start + net.delay_us);
    assert_true(net.host[0].first_verified_at == start + net.delay_us);
    assert_int_equal(net.host[0].selected, 0);
    assert_null(ice_selected(net.host[0].ice));
    net_fini(&net);
}

static void test_first_check_goes_at_once_and_the_rest_in_rhythm(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 3);
    net_start(&net);
    struct host *h = &net.host[0];
    usec_t start = net.now;
    net_credentials(&net, 0);
    for (uint16_t i = 0; i < 6; i++) {
        struct ice_candidate c = net_host_candidate("203.0.113.5", (uint16_t)(1000 + i));
        assert_int_equal(ice_add_remote(h->ice, &c), ERR_NONE);
    }
    assert_true(ice_deadline(h->ice) <= net.now);
    net_run(&net, start + 1);
    assert_int_equal(h->requests, 1);
    net_run(&net, start + 5 * ICE_PACE_US - 1);
    assert_int_equal(h->requests, 5);
    net_run(&net, start + 5 * ICE_PACE_US + 1);
    assert_int_equal(h->requests, 6);
    assert_int_equal(h->checks_in_a_row_max, 1);
    net_fini(&net);
}

static void test_full_and_lite_connect_in_either_place(void **state)
{
    (void)state;
    for (int lite = 0; lite < 2; lite++) {
        struct net net;
        net_init(&net, 4);
        net.host[lite].config.lite = true;
        net.host[1 - lite].config.role = ICE_CONTROLLING;
        net_start(&net);
        net_introduce(&net);
        assert_true(net_run_until_connected(&net, net.now + SEC(1)));
        net_run(&net, net.now + SEC(60));
        net_assert_same_pair(&net);
        assert_int_equal(net.host[lite].requests, 0);
        assert_true(net.host[lite].state == ICE_CONNECTED && net.host[1 - lite].state == ICE_CONNECTED);
        net_fini(&net);
    }
}

static void test_role_conflicts_end_with_one_of_each(void **state)
{
    (void)state;
    for (int both = ICE_CONTROLLING; both <= ICE_CONTROLLED; both++)
        for (uint64_t larger = 0; larger < 2; larger++) {
            struct net net;
            net_init(&net, 5 + larger);
            net.host[0].config.role = net.host[1].config.role = (enum ice_role)both;
            net.host[0].config.tie_breaker = 10 - larger;
            net.host[1].config.tie_breaker = 9 + larger;
            net_start(&net);
            net_introduce(&net);
            assert_true(net_run_until_connected(&net, net.now + SEC(2)));
            net_run(&net, net.now + SEC(10));
            struct ice_info info[2];
            for (int i = 0; i < 2; i++) {
                ice_describe(net.host[i].ice, &info[i]);
                assert_true(info[i].is_nominated);
                assert_int_equal(info[i].state, ICE_CONNECTED);
            }
            assert_int_equal(info[0].role + info[1].role, ICE_CONTROLLING + ICE_CONTROLLED);
            assert_int_equal(info[larger].role, ICE_CONTROLLING);       /* RFC 8445 7.3.1.1 */
            assert_true(net.host[0].roles + net.host[1].roles >= 1);
            net_assert_same_pair(&net);
            net_fini(&net);
        }
}

/* Two lite agents cannot be, but a lite one must not be talked out of its role. */
static void test_lite_agent_stays_controlled(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 7);
    net.host[0].config.lite = true;
    net.host[0].config.tie_breaker = 5000;               /* which would win, were it to count */
    net.host[1].config.role = ICE_CONTROLLED;
    net_start(&net);
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(2)));
    struct ice_info info;
    ice_describe(net.host[0].ice, &info);
    assert_int_equal(info.role, ICE_CONTROLLED);
    ice_describe(net.host[1].ice, &info);
    assert_int_equal(info.role, ICE_CONTROLLING);
    assert_int_equal(net.host[0].roles, 0);
    assert_int_equal(net.host[1].roles, 1);
    net_fini(&net);
}

static void test_trickled_candidates_may_come_in_any_order(void **state)
{
    (void)state;
    for (int order = 0; order < 4; order++) {
        struct net net;
        net_init(&net, 8);
        net_start(&net);
        for (int i = 0; i < 2; i++) {
            if (order & 1)
                net_candidate(&net, i, 0);
            net_credentials(&net, i);
            net_run(&net, net.now + MSEC(700));
            if (order & 2)
                ice_end_of_candidates(net.host[i].ice);
            if (!(order & 1))
                net_candidate(&net, i, 0);
        }
        assert_true(net_run_until_connected(&net, net.now + SEC(3)));
        net_assert_same_pair(&net);
        net_fini(&net);
    }
}

/* A browser's check overtakes its own answer: it is answered, remembered, and tried when the credentials come. */
static void test_early_check_is_answered_and_used_later(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 9);
    net_start(&net);
    net_credentials(&net, 1);
    net_candidate(&net, 1, 0);
    net_run(&net, net.now + MSEC(400));
    struct host *server = &net.host[0];
    assert_int_equal(server->verified, 1);
    assert_int_equal(server->requests, 0);
    assert_true(server->answers >= 1);
    assert_int_equal(server->state, ICE_NEW);
    assert_null(ice_selected(server->ice));
    assert_int_equal(net.host[1].state, ICE_CONNECTED);     /* our answer is enough for the other side */
    net_credentials(&net, 0);                                 /* no candidate at all: only .local ones came */
    ice_end_of_candidates(server->ice);
    assert_true(net_run_until_connected(&net, net.now + MSEC(100)));
    net_assert_same_pair(&net);
    net_fini(&net);
}

static void test_connects_through_loss_and_bursts(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct net net;
        net_init(&net, 100 + seed);
        net.loss_percent = 20;
        net.burst_every_us = SEC(2);
        net.host[0].config.lite = seed % 3 == 1;
        net.host[0].config.nomination = net.host[1].config.nomination =
            seed % 2 == 1 ? ICE_NOMINATE_REGULAR : ICE_NOMINATE_AGGRESSIVE;
        net_start(&net);
        net_introduce(&net);
        assert_true(net_run_until_connected(&net, net.now + SEC(12)));
        net.loss_percent = 0;
        net.burst_every_us = 0;
        net_run(&net, net.now + SEC(15));
        assert_true(net.host[0].state == ICE_CONNECTED && net.host[1].state == ICE_CONNECTED);
        net_assert_same_pair(&net);
        net_fini(&net);
    }
}

/* 500 ms of silence every two seconds, and one packet in ten lost, for ten minutes: nobody is given up. */
static void test_consent_survives_bursts(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct net net;
        net_init(&net, 200 + seed);
        net_start(&net);
        net_introduce(&net);
        assert_true(net_run_until_connected(&net, net.now + SEC(2)));
        net.loss_percent = 10;
        net.burst_every_us = SEC(2);
        net_run(&net, net.now + SEC(600));
        assert_true(net.host[0].failed_at == 0 && net.host[1].failed_at == 0);
        net_fini(&net);
    }
}

/* The browser sits behind a NAT, and signalled an address that leads nowhere. */
static void test_peer_behind_nat_is_found_by_its_check(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 10);
    net.host[1].config.base_count = 1;
    net.host[1].mapped[0] = net_ip("203.0.113.77", 40000);
    net_start(&net);
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    net_assert_same_pair(&net);
    struct ice_info info;
    ice_describe(net.host[0].ice, &info);
    assert_int_equal(info.remote_type, ICE_PRFLX);
    net_fini(&net);
}

/* The NAT forgets, and gives another port: the peer's next check shows it, and media follows without a restart. */
static void test_changed_nat_port_is_followed(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 11);
    net.host[1].config.base_count = 1;
    net.host[1].mapped[0] = net_ip("203.0.113.77", 40000);
    net_start(&net);
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    net_run(&net, net.now + SEC(20));
    net.host[1].mapped[0] = net_ip("203.0.113.77", 41111);
    net_run(&net, net.now + SEC(14));
    assert_int_equal(ice_selected(net.host[0].ice)->remote.port, 41111);
    assert_int_equal(net.host[0].changed, 1);
    net_run(&net, net.now + SEC(60));
    assert_true(net.host[0].failed_at == 0 && net.host[1].failed_at == 0);
    assert_int_equal(net.host[0].state, ICE_CONNECTED);
    net_fini(&net);
}

/* A candidate signalled after its check was seen takes its place: no second pair, and the signalled priority counts. */
static void test_signalled_candidate_replaces_reflexive_one(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 12);
    net_start(&net);
    net_credentials(&net, 1);
    net_candidate(&net, 1, 0);
    net_run(&net, net.now + MSEC(100));
    struct ice_info before, after;
    ice_describe(net.host[0].ice, &before);
    net_credentials(&net, 0);
    net_candidate(&net, 0, 0);
    net_run(&net, net.now + MSEC(200));
    ice_describe(net.host[0].ice, &after);
    assert_int_equal(before.pair_count, 1);
    assert_int_equal(after.pair_count, 1);
    assert_int_equal(after.remote_type, ICE_HOST);
    net_fini(&net);
}

static void test_regular_nomination_takes_the_best_pair(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 13);
    net.host[1].config.nomination = ICE_NOMINATE_REGULAR;
    net_start(&net);
    for (int i = 0; i < 2; i++) {
        net_credentials(&net, i);
        net_candidate(&net, i, 1);                           /* the worse one works first */
    }
    usec_t start = net.now;
    net_run(&net, start + MSEC(30));
    net_candidate(&net, 0, 0);
    net_candidate(&net, 1, 0);
    assert_true(net_run_until_connected(&net, start + MSEC(60)));
    assert_int_equal(ice_selected(net.host[1].ice)->socket, 1);
    net_run(&net, start + SEC(1));
    net_assert_same_pair(&net);
    struct ice_info info;
    for (int i = 0; i < 2; i++) {
        ice_describe(net.host[i].ice, &info);
        assert_true(info.is_nominated);
        assert_int_equal(info.selected.socket, 0);
    }
    net_fini(&net);
}

static void test_credentials_of_any_allowed_length_work(void **state)
{
    (void)state;
    struct net net;
    char ufrag[258], pwd[258];
    memset(ufrag, 'u', sizeof(ufrag));
    memset(pwd, 'p', sizeof(pwd));
    net_init(&net, 14);
    net_start(&net);
    struct ice *ice = net.host[0].ice;
    assert_int_equal(ice_set_remote(ice, VIEW(ufrag, 3), VIEW(pwd, 22)), ERR_INVALID);
    assert_int_equal(ice_set_remote(ice, VIEW(ufrag, 4), VIEW(pwd, 21)), ERR_INVALID);
    assert_int_equal(ice_set_remote(ice, VIEW(ufrag, 257), VIEW(pwd, 22)), ERR_INVALID);
    assert_int_equal(ice_set_remote(ice, VIEW(ufrag, 4), VIEW(pwd, 257)), ERR_INVALID);
    assert_int_equal(ice_set_remote(ice, STR("with:colon"), VIEW(pwd, 22)), ERR_INVALID);
    assert_int_equal(ice_set_remote(ice, STR("with\nline"), VIEW(pwd, 22)), ERR_INVALID);
    assert_int_equal(ice_set_remote(ice, VIEW(ufrag, 256), VIEW(pwd, 256)), ERR_NONE);
    net_candidate(&net, 0, 0);
    net_run(&net, net.now + MSEC(10));
    assert_int_equal(net.host[0].requests, 1);
    struct stun_message m;
    struct stun_key key = {0};
    stun_key_set(&key, VIEW(pwd, 256));
    assert_true(stun_parse(&m, VIEW(net.host[0].last_request.data, net.host[0].last_request.size)));
    assert_int_equal(m.username.size, 256 + 1 + 12);
    assert_true(stun_is_authentic(&m, net.mac, &key));
    net_fini(&net);
}

static void test_agent_is_refused_when_the_pool_is_full(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 15);
    net_start(&net);
    assert_null(ice_new(&net.host[0].pool, &net.host[0].config, net.now));
    assert_int_equal(net.host[0].pool.refused, 1);
    ice_free(NULL);
    net_fini(&net);
}

static void oom_body(void)
{
    struct net net;
    net_init(&net, 16);
    struct host *h = &net.host[0];
    pool_init(&h->pool, "ice", ice_size(), 4);
    struct ice *ice = ice_new(&h->pool, &h->config, net.now);
    assert_true((ice == NULL) == seam_pool_was_refused());
    if (ice != NULL) {
        /* nothing else may want memory: all of an agent is in its one object */
        struct ice_candidate c = net_host_candidate("203.0.113.9", 9);
        assert_int_equal(ice_set_remote(ice, STR("abcd"), STR("abcdefghijklmnopqrstuv")), ERR_NONE);
        assert_int_equal(ice_add_remote(ice, &c), ERR_NONE);
        ice_timeout(ice, net.now);
        assert_int_equal(ice_restart(ice, net.now, STR("newufragofus"), STR("newpasswordofus012345678")), ERR_NONE);
        assert_int_equal(h->pool.used, 1);
    }
    ice_free(ice);
    pool_fini(&h->pool);
    stun_mac_free(net.mac);
}

static void test_out_of_memory_is_survived(void **state)
{
    (void)state;
    seam_oom_sweep(oom_body);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_priorities_follow_the_formula(void **state)
{
    (void)state;
    assert_int_equal(ice_candidate_priority(ICE_HOST, 65535, 1), 2130706431u);
    assert_int_equal(ice_candidate_priority(ICE_HOST, 65535, 2), 2130706430u);
    assert_int_equal(ice_candidate_priority(ICE_SRFLX, 65535, 1), 1694498815u);
    assert_int_equal(ice_candidate_priority(ICE_PRFLX, 65535, 1), 1862270975u);
    assert_int_equal(ice_candidate_priority(ICE_RELAY, 65535, 1), 16777215u);
    assert_true(ice_local_preference(0) > ice_local_preference(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_full_agents_connect_within_two_round_trips),
        cmocka_unit_test(test_verified_comes_before_selected),
        cmocka_unit_test(test_first_check_goes_at_once_and_the_rest_in_rhythm),
        cmocka_unit_test(test_full_and_lite_connect_in_either_place),
        cmocka_unit_test(test_role_conflicts_end_with_one_of_each),
        cmocka_unit_test(test_lite_agent_stays_controlled),
        cmocka_unit_test(test_trickled_candidates_may_come_in_any_order),
        cmocka_unit_test(test_early_check_is_answered_and_used_later),
        cmocka_unit_test(test_connects_through_loss_and_bursts),
        cmocka_unit_test(test_consent_survives_bursts),
        cmocka_unit_test(test_peer_behind_nat_is_found_by_its_check),
        cmocka_unit_test(test_changed_nat_port_is_followed),
        cmocka_unit_test(test_signalled_candidate_replaces_reflexive_one),
        cmocka_unit_test(test_regular_nomination_takes_the_best_pair),
        cmocka_unit_test(test_credentials_of_any_allowed_length_work),
        cmocka_unit_test(test_agent_is_refused_when_the_pool_is_full),
        cmocka_unit_test(test_out_of_memory_is_survived),
        cmocka_unit_test(test_priorities_follow_the_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
