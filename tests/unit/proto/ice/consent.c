/* Consent and its loss, restarts, failure and what mends it. */
#include "net.h"

static void connect_pair(struct net *net, uint64_t seed)
{
    net_init(net, seed);
    net->host[0].config.base_count = net->host[1].config.base_count = 1;
    net_start(net);
    net_introduce(net);
    assert_true(net_run_until_connected(net, net->now + SEC(1)));
}

/* RFC 7675 5.1: 5 s times 0.8 to 1.2, never the same rhythm, each a transaction of its own. Agents that are idle share their
 * wake-ups: their deadlines lie on a grid. */
static void test_consent_is_asked_every_four_to_six_seconds(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 1);
    net_run(&net, net.now + SEC(1));
    struct host *h = &net.host[0];
    usec_t shortest = USEC_NEVER, longest = 0, last = 0;
    uint8_t txid[STUN_TXID_BYTES] = {0};
    for (int i = 0; i < 60; i++) {
        unsigned before = h->requests;
        while (h->requests == before)
            net_run(&net, net.now + MSEC(1));
        assert_int_equal(ice_deadline(h->ice) % USEC_GRID, 0);
        if (last != 0) {
            shortest = usec_min(shortest, net.now - last);
            longest = net.now - last > longest ? net.now - last : longest;
        }
        last = net.now;
        assert_memory_not_equal(txid, stun_txid_of(VIEW(h->last_request.data, h->last_request.size)), sizeof(txid));
        memcpy(txid, stun_txid_of(VIEW(h->last_request.data, h->last_request.size)), sizeof(txid));
    }
    assert_true(shortest >= SEC(4) && shortest < MSEC(4500));
    assert_true(longest <= SEC(6) + MSEC(2) && longest > MSEC(5500));
    assert_int_equal(h->state, ICE_CONNECTED);
    net_fini(&net);
}

static void test_vanished_peer_loses_consent_after_thirty_seconds(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 2);
    net_run(&net, net.now + SEC(60));
    struct host *h = &net.host[0];
    usec_t cut_at = net.now;
    net.cut[1] = true;
    net_run(&net, cut_at + SEC(45));
    assert_true(h->disconnected_at > cut_at + SEC(6) && h->disconnected_at <= cut_at + SEC(14));
    assert_true(h->failed_at > cut_at + SEC(23) && h->failed_at <= cut_at + SEC(31));
    assert_int_equal(h->state, ICE_FAILED);
    assert_int_equal(h->failure, ICE_FAIL_CONSENT);
    assert_int_equal(h->counters.consent_lost, 1);
    assert_null(ice_selected(h->ice));
    assert_int_equal(h->bound_count, 0);                     /* FORGOTTEN came */
    assert_true(h->last_sent_at <= h->failed_at);            /* RFC 7675: nothing more goes there */
    assert_true(ice_deadline(h->ice) == USEC_NEVER);
    net_fini(&net);
}

/* RFC 7675 5.1: after consent has expired these credentials are not used there again; a restart mends it. */
static void test_lost_consent_is_mended_by_restart_only(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 3);
    net.cut[0] = net.cut[1] = true;
    net_run(&net, net.now + SEC(40));
    net.cut[0] = net.cut[1] = false;
    struct check check = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .priority = 1,
                          .controlling = true, .use_candidate = true};
    struct net_tuple from = {.socket = 0, .remote = net.host[1].bases[0]};
    unsigned answers = net.host[0].answers;
    net_send_check(&net, 0, &check, from);
    assert_int_equal(net.host[0].answers, answers);
    assert_int_equal(net.host[0].counters.expired_pair, 1);
    assert_int_equal(net.host[0].state, ICE_FAILED);

    memcpy(net.host[0].config.ufrag, "newufragof00", 12);
    memcpy(net.host[1].config.ufrag, "newufragof11", 12);
    for (int i = 0; i < 2; i++) {
        struct ice_config *c = &net.host[i].config;
        assert_int_equal(ice_restart(net.host[i].ice, net.now, str_of(c->ufrag), str_of(c->pwd)), ERR_NONE);
        net_drain(&net, i);
    }
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    assert_int_equal(net.host[0].changed, 1);
    net_fini(&net);
}

/* Checks of the peer are no consent of the peer: it must answer ours. */
static void test_checks_received_do_not_replace_consent(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 15);
    net.cut[1] = true;
    struct check check = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .priority = 1,
                          .controlling = true, .use_candidate = true};
    for (int i = 0; i < 62; i++) {
        net_send_check(&net, 0, &check, (struct net_tuple){.socket = 0, .remote = net.host[1].bases[0]});
        net_run(&net, net.now + MSEC(500));
    }
    assert_int_equal(net.host[0].failure, ICE_FAIL_CONSENT);
    net_fini(&net);
}

/* A round trip longer than the rhythm of consent: the answer to the check before the last one counts too. */
static void test_consent_works_over_a_very_slow_path(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 16);
    net.delay_us = MSEC(3500);
    net_run(&net, net.now + SEC(200));
    assert_true(net.host[0].disconnected_at == 0);
    assert_true(net.host[1].disconnected_at == 0);
    net_fini(&net);
}

static void test_short_outage_is_disconnected_then_connected(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 4);
    net_run(&net, net.now + SEC(20));
    net.cut[1] = true;
    net_run(&net, net.now + SEC(18));
    assert_int_equal(net.host[0].state, ICE_DISCONNECTED);
    assert_non_null(ice_selected(net.host[0].ice));
    net.cut[1] = false;
    net_run(&net, net.now + SEC(7));
    assert_int_equal(net.host[0].state, ICE_CONNECTED);
    assert_int_equal(net.host[0].changed, 0);
    net_fini(&net);
}

/* One lost consent check is not worth an event. */
static void test_single_lost_consent_check_goes_unnoticed(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 5);
    for (int i = 0; i < 50; i++) {
        unsigned before = net.host[0].requests;
        net_run(&net, net.now + SEC(7));
        net.cut[0] = true;
        before = net.host[0].requests;
        while (net.host[0].requests == before)
            net_run(&net, net.now + MSEC(1));
        net.cut[0] = false;
    }
    assert_true(net.host[0].disconnected_at == 0);
    net_fini(&net);
}

/* A lite agent asks nothing: thirty seconds without a check are its loss; the peer's next check brings it back. */
static void test_lite_agent_notices_a_vanished_peer(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 6);
    net.host[0].config.lite = true;
    net.host[0].config.base_count = net.host[1].config.base_count = 1;
    net_start(&net);
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    net_run(&net, net.now + SEC(120));
    assert_true(net.host[0].disconnected_at == 0);
    usec_t cut_at = net.now;
    net.cut[1] = true;
    net_run(&net, cut_at + SEC(32));
    struct host *h = &net.host[0];
    assert_true(h->failed_at > cut_at + SEC(23) && h->failed_at <= cut_at + SEC(31));
    assert_int_equal(h->failure, ICE_FAIL_CONSENT);
    assert_null(ice_selected(h->ice));
    assert_int_equal(h->bound_count, 0);
    struct check check = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .priority = 1,
                          .controlling = true, .use_candidate = true};
    net_send_check(&net, 0, &check, (struct net_tuple){.socket = 0, .remote = net.host[1].bases[0]});
    assert_int_equal(h->state, ICE_CONNECTED);
    net_fini(&net);
}

static void restart_local(struct net *net, int host, const char *ufrag, const char *pwd)
{
    struct ice_config *c = &net->host[host].config;
    memcpy(c->ufrag, ufrag, strlen(ufrag) + 1);
    memcpy(c->pwd, pwd, strlen(pwd) + 1);
    assert_int_equal(ice_restart(net->host[host].ice, net->now, str_of(ufrag), str_of(pwd)), ERR_NONE);
    net_drain(net, host);
}

/* We offer a restart; the answer takes three seconds; media never loses its pair, and nobody hears of a failure. */
static void test_restart_keeps_the_old_pair_until_the_new_one_works(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 7);
    net_run(&net, net.now + SEC(9));
    restart_local(&net, 0, "secondufrag0", "secondpassword0123456789");
    for (int i = 0; i < 30; i++) {
        net_run(&net, net.now + MSEC(100));
        assert_non_null(ice_selected(net.host[0].ice));
        assert_int_equal(net.host[0].state, ICE_CONNECTED);
    }
    assert_int_equal(net.host[0].changed, 0);
    restart_local(&net, 1, "secondufrag1", "secondpassword1123456789");
    net_credentials(&net, 1);
    net_candidate(&net, 1, 0);
    net_run(&net, net.now + MSEC(300));
    assert_non_null(ice_selected(net.host[0].ice));
    net_credentials(&net, 0);
    net_candidate(&net, 0, 0);
    net_run(&net, net.now + MSEC(300));
    net_assert_same_pair(&net);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(net.host[i].changed, 1);            /* same addresses, new generation */
        assert_int_equal(net.host[i].state, ICE_CONNECTED);
        assert_true(net.host[i].disconnected_at == 0 && net.host[i].failed_at == 0);
    }
    net_run(&net, net.now + SEC(60));
    assert_int_equal(net.host[0].bound_count, 1);            /* the old generation's end unbinds nothing in use */
    assert_int_equal(net.host[0].forgotten, 0);
    assert_true(net.host[0].state == ICE_CONNECTED && net.host[1].state == ICE_CONNECTED);
    net_fini(&net);
}

/* The old pair keeps its consent by the old credentials, as long as the restart takes. */
static void test_consent_goes_on_while_a_restart_is_open(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 8);
    restart_local(&net, 0, "secondufrag0", "secondpassword0123456789");
    unsigned requests = net.host[0].requests;
    net_run(&net, net.now + SEC(100));
    assert_int_equal(net.host[0].state, ICE_CONNECTED);
    assert_in_range(net.host[0].requests - requests, 15, 26);
    usec_t cut_at = net.now;
    net.cut[1] = true;
    net_run(&net, cut_at + SEC(31));
    assert_int_equal(net.host[0].state, ICE_FAILED);
    assert_int_equal(net.host[0].failure, ICE_FAIL_CONSENT);
    net_fini(&net);
}

static void test_checks_of_the_old_generation_are_answered_for_ten_seconds(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 9);
    struct check old = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .priority = 1,
                        .controlling = true, .use_candidate = true};
    struct net_tuple from = {.socket = 0, .remote = net_ip("198.51.100.99", 9)};
    restart_local(&net, 0, "secondufrag0", "secondpassword0123456789");
    restart_local(&net, 1, "secondufrag1", "secondpassword1123456789");
    net_introduce(&net);
    net_run(&net, net.now + SEC(1));
    assert_int_equal(net.host[0].changed, 1);
    unsigned answers = net.host[0].answers;
    unsigned verified = net.host[0].verified;
    net_send_check(&net, 0, &old, from);
    assert_int_equal(net.host[0].answers, answers + 1);
    assert_int_equal(net.host[0].verified, verified);        /* but it binds nothing any more */
    net_run(&net, net.now + SEC(11));
    answers = net.host[0].answers;
    net_send_check(&net, 0, &old, from);
    assert_int_equal(net.host[0].answers, answers);
    assert_int_equal(net.host[0].counters.wrong_user, 1);
    net_fini(&net);
}

/* Three restarts in a row, without an answer in between: the pair that works is still the first generation's. */
static void test_repeated_restarts_keep_the_working_generation(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 10);
    restart_local(&net, 0, "secondufrag0", "secondpassword0123456789");
    net_run(&net, net.now + SEC(7));
    restart_local(&net, 0, "thirdufragof0", "thirdpassword00123456789");
    net_run(&net, net.now + SEC(40));
    assert_int_equal(net.host[0].state, ICE_CONNECTED);
    restart_local(&net, 0, "fourthufrag00", "fourthpassword0123456789");
    restart_local(&net, 1, "secondufrag1", "secondpassword1123456789");
    net_introduce(&net);
    net_run(&net, net.now + SEC(60));
    net_assert_same_pair(&net);
    assert_int_equal(net.host[0].changed, 1);
    assert_true(net.host[0].disconnected_at == 0);
    assert_int_equal(ice_restart(net.host[0].ice, net.now, STR("abc"), STR("thirdpassword00123456789")), ERR_INVALID);
    assert_int_equal(ice_restart(net.host[0].ice, net.now, STR("abcdefghijkl"), STR("short")), ERR_INVALID);
    net_fini(&net);
}

/* Nothing had been selected: the old credentials still go after their ten seconds, and patience starts anew. */
static void test_restart_before_success_begins_from_nothing(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 17);
    net.cut[0] = net.cut[1] = true;
    net_start(&net);
    net_introduce(&net);
    net_run(&net, net.now + SEC(20));
    assert_int_equal(net.host[0].state, ICE_FAILED);
    restart_local(&net, 0, "secondufrag0", "secondpassword0123456789");
    assert_int_equal(net.host[0].state, ICE_NEW);
    usec_t again = net.now;
    net.host[0].failed_at = 0;
    net_credentials(&net, 0);
    net_run(&net, again + SEC(11));
    assert_int_equal(net.host[0].state, ICE_CHECKING);       /* no candidate, and their end has not been said again */
    struct check old = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .priority = 1};
    net_send_check(&net, 0, &old, (struct net_tuple){.socket = 0, .remote = net.host[1].bases[0]});
    assert_int_equal(net.host[0].counters.wrong_user, 1);
    net_run(&net, again + SEC(41));
    assert_true(net.host[0].failed_at == again + MSEC(39500));
    net_fini(&net);
}

static void test_restart_after_lost_consent_forgets_the_failure(void **state)
{
    (void)state;
    struct net net;
    connect_pair(&net, 18);
    net.cut[0] = net.cut[1] = true;
    net_run(&net, net.now + SEC(40));
    assert_int_equal(net.host[0].failure, ICE_FAIL_CONSENT);
    restart_local(&net, 0, "secondufrag0", "secondpassword0123456789");
    assert_int_equal(net.host[0].state, ICE_NEW);
    net_credentials(&net, 0);
    net_candidate(&net, 0, 0);
    net_run(&net, net.now + SEC(10));
    assert_int_equal(net.host[0].failure, ICE_FAIL_CHECKS);
    net_fini(&net);
}

/* The remote's credentials changed, and ours did not: what failed with the old ones is tried with the new ones. */
static void test_changed_remote_credentials_are_tried_again(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 19);
    net_start(&net);
    assert_int_equal(ice_set_remote(net.host[0].ice, STR("wrong"), STR("wrongwrongwrongwrongwrong")), ERR_NONE);
    net_candidate(&net, 0, 0);
    net_run(&net, net.now + SEC(10));
    assert_int_equal(net.host[0].state, ICE_FAILED);
    net_credentials(&net, 0);
    net_credentials(&net, 0);                                 /* the same again changes nothing */
    assert_true(net_run_until_connected(&net, net.now + SEC(1)) || net.host[0].state == ICE_CONNECTED);
    net_fini(&net);
}

static void test_fails_only_after_all_checks_failed(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 11);
    net.cut[0] = net.cut[1] = true;
    net_start(&net);
    usec_t start = net.now;
    net_introduce(&net);
    net_run(&net, start + SEC(7));
    assert_int_equal(net.host[0].state, ICE_CHECKING);
    net_run(&net, start + SEC(9));
    assert_int_equal(net.host[0].state, ICE_FAILED);
    assert_int_equal(net.host[0].failure, ICE_FAIL_CHECKS);
    assert_int_equal(net.host[0].requests, 2 * 6);
    net_fini(&net);
}

static void test_failed_agent_recovers_by_a_new_candidate_or_check(void **state)
{
    (void)state;
    for (int by_check = 0; by_check < 2; by_check++) {
        struct net net;
        net_init(&net, 12);
        net_start(&net);
        net_credentials(&net, 0);
        struct ice_candidate nowhere = net_host_candidate("203.0.113.200", 1);
        assert_int_equal(ice_add_remote(net.host[0].ice, &nowhere), ERR_NONE);
        net_run(&net, net.now + SEC(10));
        assert_int_equal(net.host[0].state, ICE_FAILED);
        net_credentials(&net, 1);
        net_candidate(&net, by_check ? 1 : 0, 0);
        net_run(&net, net.now + 1);
        assert_int_equal(net.host[by_check ? 1 : 0].state, ICE_CHECKING);
        assert_true(net_run_until_connected(&net, net.now + SEC(1)));
        assert_int_equal(net.host[0].failure, ICE_FAIL_NONE);
        net_fini(&net);
    }
}

/* Only `.local` candidates came, and were dropped: a check may still arrive, so patience (RFC 8863) decides. */
static void test_without_pairs_patience_decides(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 13);
    net_start(&net);
    usec_t start = net.now;
    for (int i = 0; i < 2; i++)
        net_credentials(&net, i);
    ice_end_of_candidates(net.host[0].ice);
    net_run(&net, start + SEC(60));
    assert_true(net.host[0].failed_at == start + MSEC(7500));
    assert_true(net.host[1].failed_at == start + MSEC(39500));
    assert_int_equal(net.host[0].failure, ICE_FAIL_NO_PAIRS);
    assert_true(ice_deadline(net.host[0].ice) == USEC_NEVER);
    net_fini(&net);
}

static void test_agent_without_credentials_waits_idle(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 14);
    net_start(&net);
    net_candidate(&net, 0, 0);
    net_run(&net, net.now + SEC(300));
    assert_int_equal(net.host[0].state, ICE_NEW);
    assert_int_equal(net.host[0].requests, 0);
    assert_true(ice_deadline(net.host[0].ice) == USEC_NEVER);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_consent_is_asked_every_four_to_six_seconds),
        cmocka_unit_test(test_vanished_peer_loses_consent_after_thirty_seconds),
        cmocka_unit_test(test_lost_consent_is_mended_by_restart_only),
        cmocka_unit_test(test_checks_received_do_not_replace_consent),
        cmocka_unit_test(test_consent_works_over_a_very_slow_path),
        cmocka_unit_test(test_restart_before_success_begins_from_nothing),
        cmocka_unit_test(test_restart_after_lost_consent_forgets_the_failure),
        cmocka_unit_test(test_changed_remote_credentials_are_tried_again),
        cmocka_unit_test(test_short_outage_is_disconnected_then_connected),
        cmocka_unit_test(test_single_lost_consent_check_goes_unnoticed),
        cmocka_unit_test(test_lite_agent_notices_a_vanished_peer),
        cmocka_unit_test(test_restart_keeps_the_old_pair_until_the_new_one_works),
        cmocka_unit_test(test_consent_goes_on_while_a_restart_is_open),
        cmocka_unit_test(test_checks_of_the_old_generation_are_answered_for_ten_seconds),
        cmocka_unit_test(test_repeated_restarts_keep_the_working_generation),
        cmocka_unit_test(test_fails_only_after_all_checks_failed),
        cmocka_unit_test(test_failed_agent_recovers_by_a_new_candidate_or_check),
        cmocka_unit_test(test_without_pairs_patience_decides),
        cmocka_unit_test(test_agent_without_credentials_waits_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
