/* What strangers, and peers who misuse what they know, can make an agent do: nothing, or a bounded amount. */
#include "net.h"

static const struct check good = {.username = "ufragofhost0:ufragofhost1", .pwd = "passwordofhost0123456789", .priority = 1000,
                                  .controlling = true, .use_candidate = true};

static void start_one(struct net *net, uint64_t seed)
{
    net_init(net, seed);
    net_start(net);
}

static struct net_tuple stranger(uint16_t port)
{
    return (struct net_tuple){.socket = 0, .remote = net_ip("203.0.113.66", port)};
}

static unsigned sent(const struct host *h)
{
    return h->requests + h->answers;
}

static void test_forged_checks_are_dropped_in_silence(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 1);
    net_credentials(&net, 0);
    struct host *h = &net.host[0];
    struct check c = good;
    c.pwd = "passwordofhost1123456789";
    net_send_check(&net, 0, &c, stranger(1));
    assert_int_equal(h->counters.wrong_key, 1);
    c = good;
    c.username = "ufragofhost1:ufragofhost0";
    net_send_check(&net, 0, &c, stranger(1));
    c.username = "ufragofhost0";
    net_send_check(&net, 0, &c, stranger(1));
    c.username = "ufragofhost0x:a";
    net_send_check(&net, 0, &c, stranger(1));
    c.username = ":";
    net_send_check(&net, 0, &c, stranger(1));
    assert_int_equal(h->counters.wrong_user, 4);
    c = good;
    c.pwd = NULL;
    net_send_check(&net, 0, &c, stranger(1));
    c = good;
    c.username = NULL;
    net_send_check(&net, 0, &c, stranger(1));
    assert_int_equal(h->counters.no_credentials, 2);
    net_run(&net, net.now + SEC(5));
    assert_int_equal(sent(h), 0);
    assert_int_equal(h->verified, 0);
    net_fini(&net);
}

/* security.md, row k: a flood costs a look or one HMAC a message, and is reflected to nobody. */
static void test_flood_without_key_leaves_no_trace(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 2);
    net_start(&net);
    net_introduce(&net);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    net_run(&net, net.now + SEC(1));
    struct host *h = &net.host[0];
    struct ice_info before, after;
    ice_describe(h->ice, &before);
    unsigned sent_before = sent(h);
    struct check c = good;
    c.pwd = "guessguessguessguessgues";
    for (unsigned i = 0; i < 20000; i++)
        net_send_check(&net, 0, &c, stranger((uint16_t)(1 + i % 60000)));
    ice_describe(h->ice, &after);
    assert_int_equal(after.pair_count, before.pair_count);
    assert_int_equal(after.state, ICE_CONNECTED);
    assert_true(net_tuple_equal(&after.selected, &before.selected));
    assert_int_equal(h->bound_count, h->verified);
    assert_int_equal(sent(h), sent_before);
    assert_int_equal(h->counters.wrong_key, 20000);
    net_fini(&net);
}

static void test_every_truncated_or_flipped_datagram_is_harmless(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 3);
    net_credentials(&net, 0);
    struct host *h = &net.host[0];
    uint8_t bytes[STUN_MESSAGE_MAX];
    struct net_tuple from = stranger(2);
    size_t size = net_write_check(&net, &good, bytes, sizeof(bytes));
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = test_malloc(cut + 1);
        memcpy(copy, bytes, cut);
        ice_input(h->ice, net.now, &from, VIEW(copy, cut));
        if (cut >= STUN_HEADER_BYTES) {
            put_u16(copy + 2, (uint16_t)(cut - STUN_HEADER_BYTES));
            ice_input(h->ice, net.now, &from, VIEW(copy, cut));
        }
        net_drain(&net, 0);
        test_free(copy);
    }
    /* Without FINGERPRINT, which is optional to us, the message stands. */
    assert_in_range(h->answers, 0, 1);
    unsigned answers = h->answers;
    for (size_t bit = 0; bit < (size - 8) * 8; bit++) {          /* FINGERPRINT itself may turn into something skipped */
        uint8_t copy[STUN_MESSAGE_MAX];
        memcpy(copy, bytes, size);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ice_input(h->ice, net.now, &from, VIEW(copy, size));
        net_drain(&net, 0);
    }
    assert_int_equal(h->answers, answers);
    net_fini(&net);
}

static void test_browser_trial_of_a_thousand_bytes_is_answered(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 4);
    struct check c = good;
    c.extra_type = 0xC070;
    c.extra_size = 1000;
    net_send_check(&net, 0, &c, stranger(3));
    assert_int_equal(net.host[0].answers, 1);
    assert_int_equal(net.host[0].errors, 0);
    net_fini(&net);
}

static void test_unknown_required_attribute_gets_420_when_authentic(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 5);
    struct host *h = &net.host[0];
    struct check c = good;
    c.extra_type = 0x7F31;
    c.extra_size = 4;
    net_send_check(&net, 0, &c, stranger(4));
    assert_int_equal(h->errors, 1);
    assert_int_equal(h->verified, 0);
    assert_int_equal(h->counters.unknown_attributes, 1);
    struct stun_message m;
    struct stun_attr attr;
    struct view answer = VIEW(h->last_answer.data, h->last_answer.size);
    assert_true(stun_parse(&m, answer));
    assert_int_equal(m.error_code, 420);
    bool named = false;
    for (struct reader r = stun_attrs(answer); stun_next_attr(&r, answer, &attr);)
        named |= attr.type == STUN_ATTR_UNKNOWN_ATTRIBUTES && attr.value.size == 2 && get_u16(attr.value.data) == 0x7F31;
    assert_true(named);
    c.pwd = "guessguessguessguessgues";
    net_send_check(&net, 0, &c, stranger(4));
    assert_int_equal(h->answers, 1);
    net_fini(&net);
}

static void test_answer_shows_the_source_and_is_signed(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 6);
    struct net_tuple from = {.socket = 1, .remote = net_ip("2001:db8::77", 1234)};
    net_send_check(&net, 0, &good, from);
    struct stun_message m;
    struct stun_key key = {0};
    stun_key_set(&key, str_of(net.host[0].config.pwd));
    assert_true(stun_parse(&m, VIEW(net.host[0].last_answer.data, net.host[0].last_answer.size)));
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_true(net_addr_equal(&m.mapped, &from.remote));
    assert_true(stun_is_authentic(&m, net.mac, &key));
    assert_true(net_tuple_equal(&net.host[0].last_answer.to, &from));
    net_fini(&net);
}

static void test_unusable_candidates_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "127.0.0.1", "::", "::1", "ff02::1",
                                      "fe80::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0"};
    struct net net;
    start_one(&net, 7);
    struct ice *ice = net.host[0].ice;
    net_credentials(&net, 0);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct ice_candidate c = net_host_candidate(bad[i], 9);
        assert_int_not_equal(ice_add_remote(ice, &c), ERR_NONE);
    }
    struct ice_candidate c = net_host_candidate("203.0.113.1", 0);
    assert_int_equal(ice_add_remote(ice, &c), ERR_INVALID);
    c = net_host_candidate("203.0.113.1", 1);
    c.priority = 0;
    assert_int_equal(ice_add_remote(ice, &c), ERR_INVALID);
    c.priority = 1;
    c.tcp = true;
    assert_int_equal(ice_add_remote(ice, &c), ERR_UNSUPPORTED);
    c.tcp = false;
    c.type = 9;
    assert_int_equal(ice_add_remote(ice, &c), ERR_UNSUPPORTED);
    c.type = ICE_HOST;
    c.addr.family = NET_NONE;
    assert_int_not_equal(ice_add_remote(ice, &c), ERR_NONE);
    net_run(&net, net.now + SEC(2));
    assert_int_equal(net.host[0].requests, 0);
    assert_int_equal(net.host[0].counters.candidates_refused, ARRAY_COUNT(bad) + 5);
    net_fini(&net);
}

static void test_candidate_without_a_base_of_its_family_is_refused(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 8);
    net.host[0].config.base_count = 1;
    net_start(&net);
    struct ice_candidate c = net_host_candidate("2001:db8::5", 5);
    assert_int_equal(ice_add_remote(net.host[0].ice, &c), ERR_UNSUPPORTED);
    net_fini(&net);
}

static void test_linklocal_candidate_gets_the_zone_of_its_base(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 9);
    net.host[0].bases[1] = net_ip("fe80::10", 5000);
    net.host[0].bases[1].scope = 3;
    net_start(&net);
    net_credentials(&net, 0);
    struct ice_candidate c = net_host_candidate("fe80::99", 5);
    assert_int_equal(ice_add_remote(net.host[0].ice, &c), ERR_NONE);
    net_run(&net, net.now + MSEC(1));
    assert_int_equal(net.host[0].requests, 1);
    assert_int_equal(net.host[0].last_request.to.socket, 1);
    assert_int_equal(net.host[0].last_request.to.remote.scope, 3);
    net_fini(&net);
}

/* The 33rd candidate is refused; a peer that checks from elsewhere still gets in. */
static void test_candidates_are_bounded_and_a_check_always_finds_room(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 10);
    struct host *h = &net.host[0];
    net_credentials(&net, 0);
    for (uint16_t i = 0; i < 100; i++) {
        struct ice_candidate c = net_host_candidate("203.0.113.9", (uint16_t)(1 + i));
        assert_int_equal(ice_add_remote(h->ice, &c), i < ICE_REMOTES_MAX ? ERR_NONE : ERR_FULL);
        assert_int_equal(ice_add_remote(h->ice, &c), i < ICE_REMOTES_MAX - 1 ? ERR_NONE : ERR_FULL);
    }
    struct ice_info info;
    ice_describe(h->ice, &info);
    assert_int_equal(info.pair_count, ICE_PAIRS_MAX);
    net_credentials(&net, 1);
    net_candidate(&net, 1, 0);
    assert_true(net_run_until_connected(&net, net.now + SEC(1)));
    net_assert_same_pair(&net);
    net_fini(&net);
}

static void test_better_candidates_push_out_worse_ones_only(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 11);
    net.host[0].bases[1] = net_ip("192.0.2.11", 5000);       /* two pairs a candidate */
    net_start(&net);
    struct host *h = &net.host[0];
    for (uint16_t i = 0; i < 20; i++) {
        struct ice_candidate c = net_host_candidate("203.0.113.9", (uint16_t)(1 + i));
        c.priority = 1000u + i;
        assert_int_equal(ice_add_remote(h->ice, &c), ERR_NONE);
    }
    struct ice_candidate worse = net_host_candidate("203.0.113.9", 500);
    worse.priority = 1;
    assert_int_equal(ice_add_remote(h->ice, &worse), ERR_NONE);
    struct ice_info info;
    ice_describe(h->ice, &info);
    assert_int_equal(info.pair_count, ICE_PAIRS_MAX);
    net_credentials(&net, 0);
    net_run(&net, net.now + MSEC(1));
    assert_int_equal(h->last_request.to.remote.port, 20);    /* the best one, first */
    unsigned worst_port = 100;
    for (int i = 0; i < 40; i++) {
        net_run(&net, net.now + MSEC(50));
        if (h->last_request.to.remote.port < worst_port)
            worst_port = h->last_request.to.remote.port;
        assert_int_not_equal(h->last_request.to.remote.port, 500);
    }
    assert_int_equal(worst_port, 5);                         /* 16 of 20 candidates kept */
    net_fini(&net);
}

/* 32 addresses that never answer: six checks each, in rhythm, then silence. */
static void test_signalled_victims_get_a_bounded_number_of_checks(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 12);
    struct host *h = &net.host[0];
    net_credentials(&net, 0);
    for (uint16_t i = 0; i < ICE_REMOTES_MAX; i++) {
        struct ice_candidate c = net_host_candidate("203.0.113.9", (uint16_t)(1 + i));
        assert_int_equal(ice_add_remote(h->ice, &c), ERR_NONE);
    }
    usec_t start = net.now;
    net_run(&net, start + SEC(1));
    assert_true(h->requests <= 21 + 4);
    net_run(&net, start + SEC(600));
    assert_int_equal(h->requests, ICE_REMOTES_MAX * 6);
    assert_int_equal(h->state, ICE_FAILED);
    net_fini(&net);
}

/* A peer that knows our password sends checks "from" ten thousand victims: each gets its answer, as any echo would, but
 * the checks of ours are bounded by ICE_UNPROVEN_MAX, and then one a second. */
static void test_spoofed_sources_do_not_multiply_checks(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 13);
    struct host *h = &net.host[0];
    net_credentials(&net, 0);
    usec_t start = net.now;
    for (unsigned i = 0; i < 10000; i++) {
        net_send_check(&net, 0, &good, stranger((uint16_t)(1 + i)));
        net_run(&net, net.now + MSEC(10));
    }
    assert_int_equal(h->answers, 10000);
    assert_true(net.now >= start + SEC(100));
    assert_in_range(h->requests, 100, ICE_UNPROVEN_MAX + 102);
    assert_true(h->bound_count <= ICE_VERIFIED_MAX);
    assert_true(h->counters.tuples_dropped > 9000);
    struct ice_info info;
    ice_describe(h->ice, &info);
    assert_true(info.pair_count <= ICE_PAIRS_MAX);
    assert_null(ice_selected(h->ice));                       /* none of them proved itself */
    net_fini(&net);
}

static void one_check_out(struct net *net, uint64_t seed, struct net_tuple *peer)
{
    net_init(net, seed);
    net->host[0].config.base_count = 1;
    net_start(net);
    net_credentials(net, 0);
    net_candidate(net, 0, 0);
    net_run(net, net->now + MSEC(1));
    assert_int_equal(net->host[0].requests, 1);
    *peer = (struct net_tuple){.socket = 0, .remote = net->host[1].bases[0]};
}

static void test_forged_answers_change_nothing(void **state)
{
    (void)state;
    struct net net;
    struct net_tuple peer;
    one_check_out(&net, 14, &peer);
    struct host *h = &net.host[0];
    net_answer(&net, 0, STUN_SUCCESS, 0, NULL, peer);
    net_answer(&net, 0, STUN_SUCCESS, 0, "passwordofhost0123456789", peer);      /* ours, not the peer's */
    net_answer(&net, 0, STUN_ERROR, 487, NULL, peer);
    net_answer(&net, 0, STUN_ERROR, 400, NULL, peer);
    assert_int_equal(h->counters.wrong_key, 4);
    assert_null(ice_selected(h->ice));
    assert_int_equal(h->roles, 0);
    struct ice_tx request = h->last_request;
    put_u32(h->last_request.data + 16, 0x12345678);
    net_answer(&net, 0, STUN_SUCCESS, 0, "passwordofhost1123456789", peer);
    h->last_request = request;
    put_u32(h->last_request.data + 8, 0xBBBB0000);
    net_answer(&net, 0, STUN_SUCCESS, 0, "passwordofhost1123456789", peer);
    assert_int_equal(h->counters.stray_responses, 2);
    h->last_request = request;
    net_answer(&net, 0, STUN_SUCCESS, 0, "passwordofhost1123456789", peer);      /* the true one still counts */
    assert_non_null(ice_selected(h->ice));
    assert_int_equal(h->verified, 1);
    net_fini(&net);
}

/* RFC 8445 7.2.5.2.1: an answer from elsewhere fails the pair, or media would go where nobody was asked. */
static void test_answer_from_another_address_fails_the_pair(void **state)
{
    (void)state;
    struct net net;
    struct net_tuple peer;
    one_check_out(&net, 15, &peer);
    peer.remote.port++;
    net_answer(&net, 0, STUN_SUCCESS, 0, "passwordofhost1123456789", peer);
    assert_int_equal(net.host[0].counters.asymmetric, 1);
    assert_int_equal(net.host[0].verified, 0);
    net_run(&net, net.now + SEC(8));
    assert_int_equal(net.host[0].state, ICE_FAILED);
    net_fini(&net);
}

static void test_signed_error_fails_the_pair(void **state)
{
    (void)state;
    struct net net;
    struct net_tuple peer;
    one_check_out(&net, 16, &peer);
    net_answer(&net, 0, STUN_ERROR, 400, "passwordofhost1123456789", peer);
    net_run(&net, net.now + SEC(8));
    assert_int_equal(net.host[0].requests, 1);
    assert_int_equal(net.host[0].counters.errors, 1);
    assert_int_equal(net.host[0].state, ICE_FAILED);
    net_fini(&net);
}

/* A peer that answers every check by 487 makes us change roles at its pace, but not for ever. */
static void test_endless_role_conflict_is_bounded(void **state)
{
    (void)state;
    struct net net;
    struct net_tuple peer;
    one_check_out(&net, 17, &peer);
    for (int i = 0; i < 20000; i++) {
        net_answer(&net, 0, STUN_ERROR, 487, "passwordofhost1123456789", peer);
        net_run(&net, net.now + MSEC(5));
    }
    assert_in_range(net.host[0].requests, 100, ICE_UNPROVEN_MAX + 102);
    net_fini(&net);
}

static void test_indications_and_other_methods_are_counted_only(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 18);
    struct host *h = &net.host[0];
    struct net_tuple from = stranger(5);
    uint8_t bytes[64];
    static const uint8_t txid[STUN_TXID_BYTES];
    struct stun_out out;
    stun_begin(&out, bytes, sizeof(bytes), STUN_INDICATION, STUN_BINDING, txid);
    ice_input(h->ice, net.now, &from, VIEW(bytes, stun_end(&out, NULL, NULL)));
    stun_begin(&out, bytes, sizeof(bytes), STUN_REQUEST, 0x003, txid);
    ice_input(h->ice, net.now, &from, VIEW(bytes, stun_end(&out, NULL, NULL)));
    ice_input(h->ice, net.now, &from, VIEW("\x16\xfe\xfd", 3));
    ice_input(h->ice, net.now, &from, VIEW(NULL, 0));
    net_drain(&net, 0);
    assert_int_equal(h->counters.indications, 1);
    assert_int_equal(h->counters.wrong_method, 1);
    assert_int_equal(h->counters.malformed, 2);
    assert_int_equal(sent(h), 0);
    net_fini(&net);
}

/* Addresses that other peers took over are remembered as closed; even a table full of them has room for the next check. */
static void test_closed_pairs_do_not_lock_the_peer_out(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 20);
    for (uint16_t i = 0; i < 2 * ICE_PAIRS_MAX; i++) {
        struct net_tuple from = stranger((uint16_t)(100 + i));
        net_send_check(&net, 0, &good, from);
        assert_int_equal(net.host[0].bound_count, 1);
        net_lose(&net, 0, &from);
    }
    assert_int_equal(net.host[0].verified, 2 * ICE_PAIRS_MAX);
    net_fini(&net);
}

/* When bindings run out, the one that has been silent for longest goes. */
static void test_binding_silent_for_longest_makes_room(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 21);
    for (uint16_t i = 0; i < ICE_VERIFIED_MAX; i++) {
        net_send_check(&net, 0, &good, stranger((uint16_t)(100 + i)));
        net_run(&net, net.now + MSEC(20));
    }
    net_send_check(&net, 0, &good, stranger(100));
    net_run(&net, net.now + MSEC(20));
    net_send_check(&net, 0, &good, stranger(999));
    assert_int_equal(net.host[0].forgotten, 1);
    for (unsigned i = 0; i < net.host[0].bound_count; i++)
        assert_int_not_equal(net.host[0].bound[i].remote.port, 101);
    net_fini(&net);
}

static void test_undrained_answer_is_counted(void **state)
{
    (void)state;
    struct net net;
    start_one(&net, 19);
    uint8_t bytes[200];
    struct net_tuple from = stranger(6);
    size_t size = net_write_check(&net, &good, bytes, sizeof(bytes));
    ice_input(net.host[0].ice, net.now, &from, VIEW(bytes, size));
    ice_input(net.host[0].ice, net.now, &from, VIEW(bytes, size));
    net_drain(&net, 0);
    assert_int_equal(net.host[0].answers, 1);
    assert_int_equal(net.host[0].counters.answers_overrun, 1);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forged_checks_are_dropped_in_silence),
        cmocka_unit_test(test_flood_without_key_leaves_no_trace),
        cmocka_unit_test(test_every_truncated_or_flipped_datagram_is_harmless),
        cmocka_unit_test(test_browser_trial_of_a_thousand_bytes_is_answered),
        cmocka_unit_test(test_unknown_required_attribute_gets_420_when_authentic),
        cmocka_unit_test(test_answer_shows_the_source_and_is_signed),
        cmocka_unit_test(test_unusable_candidates_are_refused),
        cmocka_unit_test(test_candidate_without_a_base_of_its_family_is_refused),
        cmocka_unit_test(test_linklocal_candidate_gets_the_zone_of_its_base),
        cmocka_unit_test(test_candidates_are_bounded_and_a_check_always_finds_room),
        cmocka_unit_test(test_better_candidates_push_out_worse_ones_only),
        cmocka_unit_test(test_signalled_victims_get_a_bounded_number_of_checks),
        cmocka_unit_test(test_spoofed_sources_do_not_multiply_checks),
        cmocka_unit_test(test_forged_answers_change_nothing),
        cmocka_unit_test(test_answer_from_another_address_fails_the_pair),
        cmocka_unit_test(test_signed_error_fails_the_pair),
        cmocka_unit_test(test_endless_role_conflict_is_bounded),
        cmocka_unit_test(test_indications_and_other_methods_are_counted_only),
        cmocka_unit_test(test_closed_pairs_do_not_lock_the_peer_out),
        cmocka_unit_test(test_binding_silent_for_longest_makes_room),
        cmocka_unit_test(test_undrained_answer_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
