/* The finer rules, one agent against a peer played by the test: pacing, triggered checks, roles, what selects what. */
#include "net.h"

#define PEER_PWD "passwordofhost1123456789"

static const struct check good = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .controlling = true,
                                  .tie_breaker = 1};

static struct net_tuple peer(uint16_t port)
{
    return (struct net_tuple){.socket = 0, .remote = net_ip("203.0.113.9", port)};
}

static void start(struct net *net, uint64_t seed, enum ice_role role)
{
    net_init(net, seed);
    net->host[0].config.role = role;
    net->host[0].config.base_count = 1;
    net_start(net);
}

static void candidate(struct net *net, uint16_t port, uint32_t priority)
{
    struct ice_candidate c = net_host_candidate("203.0.113.9", port);
    c.priority = priority;
    assert_int_equal(ice_add_remote(net->host[0].ice, &c), ERR_NONE);
}

static void check_from(struct net *net, uint16_t port, uint32_t priority, bool use_candidate)
{
    struct check c = good;
    c.priority = priority;
    c.use_candidate = use_candidate;
    net_send_check(net, 0, &c, peer(port));
}

/* Runs until the agent asks `port`, and answers. */
static void answer_from(struct net *net, uint16_t port)
{
    usec_t until = net->now + SEC(30);
    net->host[0].last_request.to.remote.port = 0;
    while (net->host[0].last_request.to.remote.port != port) {
        assert_true(net->now < until);
        net_run(net, net->now + MSEC(1));
    }
    net_answer(net, 0, STUN_SUCCESS, 0, PEER_PWD, peer(port));
}

static struct ice_info info_of(const struct net *net)
{
    struct ice_info info;
    ice_describe(net->host[0].ice, &info);
    return info;
}

static unsigned selected_port(const struct net *net)
{
    return info_of(net).has_selected ? info_of(net).selected.remote.port : 0;
}

static struct stun_message last_request(const struct net *net)
{
    struct stun_message m;
    assert_true(stun_parse(&m, VIEW(net->host[0].last_request.data, net->host[0].last_request.size)));
    return m;
}

/* RFC 8445 7.3.1.4: whoever checks us is checked before anybody who was only signalled, and without waiting. */
static void test_triggered_check_overtakes_signalled_ones(void **state)
{
    (void)state;
    struct net net;
    start(&net, 1, ICE_CONTROLLED);
    for (uint16_t i = 0; i < 10; i++)
        candidate(&net, (uint16_t)(100 + i), 2000000);
    check_from(&net, 7, 1, false);
    net_credentials(&net, 0);
    ice_timeout(net.host[0].ice, net.now);
    struct ice_tx tx;
    assert_true(ice_poll_tx(net.host[0].ice, &tx));
    assert_int_equal(tx.to.remote.port, 7);
    net_drain(&net, 0);
    net_run(&net, net.now + ICE_PACE_US + MSEC(10));          /* 10 ms after an ordinary check */
    unsigned before = net.host[0].requests;
    check_from(&net, 8, 1, false);
    assert_int_equal(net.host[0].requests, before + 1);
    assert_int_equal(net.host[0].last_request.to.remote.port, 8);
    net_fini(&net);
}

/* Running ahead has an end: after a handful the rhythm rules again. */
static void test_triggered_checks_run_ahead_a_little_only(void **state)
{
    (void)state;
    struct net net;
    start(&net, 2, ICE_CONTROLLED);
    net_credentials(&net, 0);
    for (uint16_t i = 0; i < 10; i++)
        check_from(&net, (uint16_t)(1 + i), 1, false);
    assert_int_equal(net.host[0].requests, 5);
    net_run(&net, net.now + 2 * ICE_PACE_US + 1);
    assert_int_equal(net.host[0].requests, 7);
    net_fini(&net);
}

/* Our check was lost in the peer's NAT; its own check opens it: ours goes again at once, with the same transaction. */
static void test_check_received_repeats_ours_at_once_but_not_each_time(void **state)
{
    (void)state;
    struct net net;
    start(&net, 3, ICE_CONTROLLED);
    net_credentials(&net, 0);
    candidate(&net, 1, 100);
    net_run(&net, net.now + MSEC(250));
    assert_int_equal(net.host[0].requests, 1);
    struct ice_tx first = net.host[0].last_request;
    check_from(&net, 1, 100, false);
    assert_int_equal(net.host[0].requests, 2);
    assert_memory_equal(first.data, net.host[0].last_request.data, first.size);
    for (int i = 0; i < 50; i++) {
        check_from(&net, 1, 100, false);
        net_run(&net, net.now + MSEC(20));
    }
    assert_in_range(net.host[0].requests, 2 + 4, 2 + 6);
    net_fini(&net);
}

/* A pair that worked, but was not asked for a while, is asked again when the peer uses it. */
static void test_stale_success_is_checked_again(void **state)
{
    (void)state;
    struct net net;
    start(&net, 4, ICE_CONTROLLED);
    net_credentials(&net, 0);
    check_from(&net, 1, 200, true);
    net_answer(&net, 0, STUN_SUCCESS, 0, PEER_PWD, peer(1));
    check_from(&net, 2, 100, true);
    answer_from(&net, 2);
    unsigned before = net.host[0].requests;
    check_from(&net, 2, 100, true);
    assert_int_equal(net.host[0].requests, before);
    for (int i = 0; i < 3; i++)
        answer_from(&net, 1);                                 /* consent */
    net_run(&net, net.now + MSEC(1));
    check_from(&net, 2, 100, true);
    assert_int_equal(net.host[0].last_request.to.remote.port, 2);
    net_fini(&net);
}

/* Before anything is nominated, the first pair that works carries the data; a better one does not make it jump. */
static void test_first_valid_pair_stays_until_nomination(void **state)
{
    (void)state;
    struct net net;
    start(&net, 5, ICE_CONTROLLED);
    net_credentials(&net, 0);
    candidate(&net, 1, 900);
    candidate(&net, 2, 100);
    answer_from(&net, 2);
    assert_int_equal(selected_port(&net), 2);
    answer_from(&net, 1);
    assert_int_equal(selected_port(&net), 2);
    check_from(&net, 1, 900, true);
    assert_int_equal(selected_port(&net), 1);
    assert_int_equal(net.host[0].changed, 1);
    net_fini(&net);
}

/* A regular peer nominates what we cannot confirm: the pair in use keeps its nomination. */
static void test_unconfirmed_nomination_takes_nothing_away(void **state)
{
    (void)state;
    struct net net;
    start(&net, 6, ICE_CONTROLLED);
    net_credentials(&net, 0);
    check_from(&net, 1, 100, false);
    net_answer(&net, 0, STUN_SUCCESS, 0, PEER_PWD, peer(1));
    check_from(&net, 1, 100, true);
    assert_true(info_of(&net).is_nominated);
    check_from(&net, 2, 900, true);
    assert_true(info_of(&net).is_nominated);
    assert_int_equal(selected_port(&net), 1);
    answer_from(&net, 2);
    assert_int_equal(selected_port(&net), 2);
    assert_true(info_of(&net).is_nominated);
    net_fini(&net);
}

/* With a restart open, a pair that works but is not nominated does not take the data from the old, nominated one. */
static void test_old_nominated_pair_outranks_new_unnominated_one(void **state)
{
    (void)state;
    struct net net;
    start(&net, 7, ICE_CONTROLLED);
    net_credentials(&net, 0);
    check_from(&net, 1, 100, true);
    net_answer(&net, 0, STUN_SUCCESS, 0, PEER_PWD, peer(1));
    assert_int_equal(selected_port(&net), 1);
    assert_int_equal(ice_restart(net.host[0].ice, net.now, STR("secondufrag0"), STR("secondpassword0123456789")), ERR_NONE);
    net_credentials(&net, 0);
    candidate(&net, 2, 100);
    answer_from(&net, 2);
    assert_int_equal(selected_port(&net), 1);
    struct check c = good;
    c.username = "secondufrag0:ufragofhost1";
    c.pwd = "secondpassword0123456789";
    c.use_candidate = true;
    net_send_check(&net, 0, &c, peer(2));
    assert_int_equal(selected_port(&net), 2);
    net_fini(&net);
}

/* Nominations of the role before are void after a conflict; the data keeps its pair meanwhile. */
static void test_lost_role_takes_its_nominations_along(void **state)
{
    (void)state;
    struct net net;
    start(&net, 8, ICE_CONTROLLING);
    net_credentials(&net, 0);
    candidate(&net, 1, 100);
    answer_from(&net, 1);
    assert_true(last_request(&net).use_candidate && last_request(&net).has_controlling);
    assert_true(info_of(&net).is_nominated);
    struct check c = good;
    c.tie_breaker = 1000000;
    net_send_check(&net, 0, &c, peer(1));
    assert_int_equal(net.host[0].roles, 1);
    assert_int_equal(info_of(&net).role, ICE_CONTROLLED);
    assert_false(info_of(&net).is_nominated);
    assert_int_equal(selected_port(&net), 1);
    c.use_candidate = true;
    net_send_check(&net, 0, &c, peer(1));
    assert_true(info_of(&net).is_nominated);
    net_fini(&net);
}

/* RFC 8445 7.2.5.1: after a 487 the check goes out again at once, in the other role, with another tie-breaker. */
static void test_487_turns_role_and_tie_breaker(void **state)
{
    (void)state;
    struct net net;
    start(&net, 9, ICE_CONTROLLED);
    net_credentials(&net, 0);
    candidate(&net, 1, 100);
    net_run(&net, net.now + MSEC(1));
    struct stun_message before = last_request(&net);
    assert_true(before.has_controlled && !before.use_candidate);
    net_answer(&net, 0, STUN_ERROR, 487, PEER_PWD, peer(1));
    struct stun_message after = last_request(&net);
    assert_true(after.has_controlling && after.use_candidate);
    assert_true(after.tie_breaker != before.tie_breaker);
    assert_int_equal(net.host[0].requests, 2);
    net_fini(&net);
}

static void test_our_winning_tie_breaker_answers_487(void **state)
{
    (void)state;
    struct net net;
    start(&net, 10, ICE_CONTROLLING);
    net_credentials(&net, 0);
    check_from(&net, 1, 100, true);
    struct stun_message m;
    assert_true(stun_parse(&m, VIEW(net.host[0].last_answer.data, net.host[0].last_answer.size)));
    assert_int_equal(m.error_code, 487);
    assert_true(m.integrity_at != 0);
    assert_int_equal(net.host[0].verified, 0);
    assert_int_equal(net.host[0].requests, 0);
    net_fini(&net);
}

/* "USE-CANDIDATE in every check" of aggressive nomination means consent too: a lite peer goes by the last one it saw. */
static void test_aggressive_consent_nominates_again_and_regular_does_not(void **state)
{
    (void)state;
    for (int nomination = ICE_NOMINATE_AGGRESSIVE; nomination <= ICE_NOMINATE_REGULAR; nomination++) {
        struct net net;
        net_init(&net, 11);
        net.host[0].config.role = ICE_CONTROLLING;
        net.host[0].config.nomination = (enum ice_nomination)nomination;
        net_start(&net);
        net_credentials(&net, 0);
        candidate(&net, 1, 100);
        answer_from(&net, 1);
        if (nomination == ICE_NOMINATE_REGULAR) {
            assert_false(info_of(&net).is_nominated);
            answer_from(&net, 1);
            assert_true(last_request(&net).use_candidate);
        }
        assert_true(info_of(&net).is_nominated);
        answer_from(&net, 1);
        assert_int_equal(last_request(&net).use_candidate, nomination == ICE_NOMINATE_AGGRESSIVE);
        net_fini(&net);
    }
}

/* A regular nominator has nominated another pair since: the first one does not come back by its priority. */
static void test_our_regular_nomination_is_the_only_one(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 12);
    net.host[0].config.role = ICE_CONTROLLING;
    net.host[0].config.nomination = ICE_NOMINATE_REGULAR;
    net_start(&net);
    net_credentials(&net, 0);
    candidate(&net, 1, 900);
    answer_from(&net, 1);
    answer_from(&net, 1);
    assert_true(info_of(&net).is_nominated);
    candidate(&net, 2, 100);
    usec_t until = net.now + SEC(20);
    while (selected_port(&net) == 1 && net.now < until) {     /* port 1 falls silent; 2 answers all */
        net_run(&net, net.now + MSEC(1));
        if (net.host[0].last_request.to.remote.port == 2)
            net_answer(&net, 0, STUN_SUCCESS, 0, PEER_PWD, peer(2));
    }
    assert_int_equal(selected_port(&net), 2);
    answer_from(&net, 2);
    assert_true(info_of(&net).is_nominated);
    struct check c = good;
    c.controlling = false;
    c.controlled = true;
    net_send_check(&net, 0, &c, peer(1));                     /* it is back, and answers */
    answer_from(&net, 1);
    net_run(&net, net.now + MSEC(1));
    assert_int_equal(selected_port(&net), 2);
    assert_true(info_of(&net).is_nominated);
    net_fini(&net);
}

/* A restart makes a new acquaintance of the remote: whether it is regular has to be seen again. */
static void test_restart_forgets_how_the_remote_nominates(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 13);
    net.host[0].config.lite = true;
    net_start(&net);
    check_from(&net, 1, 100, false);
    assert_int_equal(ice_restart(net.host[0].ice, net.now, STR("secondufrag0"), STR("secondpassword0123456789")), ERR_NONE);
    net_drain(&net, 0);
    struct check c = good;
    c.username = "secondufrag0:ufragofhost1";
    c.pwd = "secondpassword0123456789";
    c.use_candidate = true;
    c.priority = 900;
    net_send_check(&net, 0, &c, peer(1));
    c.priority = 100;
    net_send_check(&net, 0, &c, peer(2));
    assert_int_equal(selected_port(&net), 1);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_triggered_check_overtakes_signalled_ones),
        cmocka_unit_test(test_triggered_checks_run_ahead_a_little_only),
        cmocka_unit_test(test_check_received_repeats_ours_at_once_but_not_each_time),
        cmocka_unit_test(test_stale_success_is_checked_again),
        cmocka_unit_test(test_first_valid_pair_stays_until_nomination),
        cmocka_unit_test(test_unconfirmed_nomination_takes_nothing_away),
        cmocka_unit_test(test_old_nominated_pair_outranks_new_unnominated_one),
        cmocka_unit_test(test_lost_role_takes_its_nominations_along),
        cmocka_unit_test(test_487_turns_role_and_tie_breaker),
        cmocka_unit_test(test_our_winning_tie_breaker_answers_487),
        cmocka_unit_test(test_aggressive_consent_nominates_again_and_regular_does_not),
        cmocka_unit_test(test_our_regular_nomination_is_the_only_one),
        cmocka_unit_test(test_restart_forgets_how_the_remote_nominates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
