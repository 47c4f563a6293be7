/* Our client against our server: bad networks, certificates and fingerprints, time. */
#include "pair.h"

static struct pair pair;

static void test_both_sides_connect_with_keys_that_fit(void **state)
{
    (void)state;
    const unsigned reads = clock_reads;
    pair_init(&pair, &(struct pair_options){0});
    const usec_t start = virtual_now;
    pair_run(&pair, start + SEC(1));
    assert_connected(&pair);
    assert_int_equal(pair.side[CLIENT].keys.profile, DTLS_SRTP_AEAD_AES_128_GCM);
    assert_int_equal(pair.side[CLIENT].keys.key_size, 16);
    assert_int_equal(pair.side[CLIENT].keys.salt_size, 12);
    assert_true(clock_reads > reads);           /* else OpenSSL would retransmit by the wall clock */
    for (int i = 0; i < 2; i++) {
        struct dtls_info info;
        dtls_get_info(pair.side[i].dtls, &info);
        assert_int_equal(info.state, DTLS_CONNECTED);
        assert_int_equal(info.profile, DTLS_SRTP_AEAD_AES_128_GCM);
        assert_int_equal(info.retransmissions, 0);
        assert_int_equal(info.dropped, 0);
        assert_int_equal(pair.side[i].sent, 2);
        assert_true(dtls_deadline(pair.side[i].dtls) == USEC_NEVER);
        assert_int_equal(dtls_shared_counters(pair.side[i].shared)->connected, 1);
    }
    pair_fini(&pair);
    assert_int_equal(seam_mem_outstanding(), 0 + 2);        /* the two identities */
}

/* The fate_b first transmissions of what side fate_a sends as its n-th datagram (n in random) are lost. */
static enum fate lose_flight(struct pair *p, int from, unsigned n, struct view datagram)
{
    (void)datagram;
    return from == (int)p->fate_a && n >= p->random && n < p->random + p->fate_b ? FATE_DROP : FATE_DELIVER;
}

static void test_any_flight_may_be_lost(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 2; from++) {
        for (uint32_t n = 0; n < 2; n++) {
            for (unsigned times = 1; times <= 8; times++) {
                pair_init(&pair, &(struct pair_options){0});
                pair.fate = lose_flight;
                pair.fate_a = from;
                pair.fate_b = times;
                pair.random = n;
                pair_run(&pair, virtual_now + SEC(15));
                assert_connected(&pair);
                pair_fini(&pair);
            }
        }
    }
}

/* RFC 6347 4.2.4: the client can't go on without the server's last flight, and OpenSSL is long gone there. */
static void test_servers_last_flight_is_sent_again_on_request(void **state)
{
    (void)state;
    pair_init(&pair, &(struct pair_options){0});
    pair.fate = lose_flight;
    pair.fate_a = SERVER;
    pair.fate_b = 1;
    pair.random = 1;
    pair_run(&pair, virtual_now + SEC(1));
    assert_connected(&pair);
    assert_int_equal(dtls_shared_counters(pair.side[SERVER].shared)->flights_repeated, 1);
    pair_fini(&pair);
}

static void test_retransmission_starts_at_50_ms_and_doubles(void **state)
{
    (void)state;
    pair_init(&pair, &(struct pair_options){0});
    struct dtls *client = pair.side[CLIENT].dtls;
    const usec_t start = virtual_now;
    usec_t expected = start, step = MSEC(50);
    pair_drain(&pair, CLIENT);
    for (int i = 0; i < 6; i++) {
        expected += step;
        step *= 2;
        /* OpenSSL calls a timer expired up to 15 ms early, and then asks for a call at once. */
        assert_true(dtls_deadline(client) <= expected && dtls_deadline(client) + MSEC(15) >= expected);
        virtual_now = expected;
        const unsigned sent = pair.side[CLIENT].sent;
        dtls_timeout(client, virtual_now - 1);      /* early: harmless */
        pair_drain(&pair, CLIENT);
        dtls_timeout(client, virtual_now);
        pair_drain(&pair, CLIENT);
        assert_true(pair.side[CLIENT].sent > sent);
    }
    struct dtls_info info;
    dtls_get_info(client, &info);
    assert_int_equal(info.retransmissions, 6);
    pair_fini(&pair);
}

static enum fate twice(struct pair *p, int from, unsigned n, struct view datagram)
{
    (void)p, (void)from, (void)n, (void)datagram;
    return FATE_TWICE;
}

static enum fate every_other_late(struct pair *p, int from, unsigned n, struct view datagram)
{
    (void)from, (void)datagram;
    return n % 2 == p->fate_a ? FATE_LATE : FATE_DELIVER;
}

static void test_duplicates_and_reordering(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++) {
        for (unsigned mtu = 256; mtu <= 1200; mtu += 944) {
            pair_init(&pair, &(struct pair_options){.mtu = (uint16_t)mtu});
            pair.fate = mode == 2 ? twice : every_other_late;
            pair.fate_a = mode;
            pair_run(&pair, virtual_now + SEC(2));
            assert_connected(&pair);
            assert_true(pair.side[CLIENT].largest <= mtu && pair.side[SERVER].largest <= mtu);
            pair_fini(&pair);
        }
    }
}

static enum fate random_fate(struct pair *p, int from, unsigned n, struct view datagram)
{
    (void)from, (void)n, (void)datagram;
    p->random = p->random * 1664525u + 1013904223u;
    const unsigned dice = (p->random >> 16) % 100;
    return dice < 20 ? FATE_DROP : dice < 35 ? FATE_LATE : dice < 45 ? FATE_TWICE : FATE_DELIVER;
}

static void test_a_bad_network_is_survived(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        pair_init(&pair, &(struct pair_options){.mtu = seed % 2 == 0 ? 256 : 1200});
        pair.fate = random_fate;
        pair.random = seed;
        pair_run(&pair, virtual_now + SEC(19));
        assert_connected(&pair);
        pair_fini(&pair);
    }
}

static void test_a_silent_peer_times_out_after_20_s(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 2; from++) {
        pair_init(&pair, &(struct pair_options){0});
        const usec_t start = virtual_now;
        pair.fate = lose_flight;
        pair.fate_a = from;
        pair.fate_b = 1000;
        pair.random = 0;
        pair_run(&pair, start + SEC(20) - 1);
        assert_false(pair.side[CLIENT].failed || pair.side[SERVER].failed);
        pair_run(&pair, start + SEC(20));
        for (int i = 0; i < 2; i++) {
            assert_true(pair.side[i].failed);
            assert_string_equal(pair.side[i].reason, DTLS_REASON_TIMEOUT);
            assert_true(pair.side[i].ended_at == start + SEC(20));
            assert_true(dtls_deadline(pair.side[i].dtls) == USEC_NEVER);
            assert_int_equal(dtls_shared_counters(pair.side[i].shared)->timed_out, 1);
        }
        pair_fini(&pair);
    }
}

static void test_a_wrong_fingerprint_fails_on_both_sides(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct pair_options options = {0};
        options.expect[wrong] = *dtls_identity_fingerprint(identity_p256(1 - wrong));
        options.expect[wrong].bytes[31] ^= 1;
        pair_init(&pair, &options);
        pair_run(&pair, virtual_now + SEC(25));
        for (int i = 0; i < 2; i++) {
            assert_true(pair.side[i].failed);
            assert_string_equal(pair.side[i].reason, DTLS_REASON_ALERT);
            assert_int_equal(dtls_send(pair.side[i].dtls, STR("no")), ERR_STATE);
        }
        assert_string_equal(pair.side[wrong].detail, "the remote certificate has another fingerprint");
        pair_fini(&pair);
    }
}

static void test_a_fingerprint_may_come_after_the_handshake(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        for (int right = 0; right < 2; right++) {
            struct pair_options options = {0};
            options.no_fingerprint[late] = true;
            pair_init(&pair, &options);
            pair_run(&pair, virtual_now + SEC(1));
            assert_false(pair.side[late].connected);
            assert_true(pair.side[1 - late].connected);
            assert_int_equal(dtls_send(pair.side[late].dtls, STR("early")), ERR_STATE);
            assert_int_equal(dtls_send(pair.side[1 - late].dtls, STR("early")), ERR_NONE);
            pair_run(&pair, virtual_now + SEC(1));
            assert_int_equal(pair.side[late].data_size, 0);         /* GHSA-74xm: nothing before the fingerprint */

            struct dtls_fingerprint f = *dtls_identity_fingerprint(identity_p256(1 - late));
            f.bytes[0] ^= (uint8_t)(right ? 0 : 1);
            dtls_set_fingerprint(pair.side[late].dtls, virtual_now, &f);
            pair_run(&pair, virtual_now + SEC(25));
            if (right) {
                assert_connected(&pair);
            } else {
                assert_true(pair.side[late].failed);
                assert_true(pair.side[1 - late].closed);            /* by a protected alert */
                assert_string_equal(pair.side[late].reason, DTLS_REASON_ALERT);
                assert_string_equal(pair.side[1 - late].reason, DTLS_REASON_ALERT);
            }
            pair_fini(&pair);
        }
    }
}

static void test_a_fingerprint_that_never_comes_times_out(void **state)
{
    (void)state;
    pair_init(&pair, &(struct pair_options){.no_fingerprint = {false, true}});
    pair_run(&pair, virtual_now + SEC(21));
    assert_true(pair.side[SERVER].failed);
    assert_string_equal(pair.side[SERVER].reason, DTLS_REASON_TIMEOUT);
    pair_fini(&pair);
}

static enum fate stop_client_flight(struct pair *p, int from, unsigned n, struct view datagram)
{
    (void)p, (void)datagram;
    return from == SERVER && n >= 1 ? FATE_DROP : FATE_DELIVER;
}

/* The client has checked the certificate against the old value by then; the new one must count. */
static void test_a_fingerprint_changed_during_the_handshake_counts(void **state)
{
    (void)state;
    pair_init(&pair, &(struct pair_options){0});
    pair.fate = stop_client_flight;
    pair_run(&pair, virtual_now + MSEC(30));
    assert_false(pair.side[CLIENT].connected);
    struct dtls_fingerprint f = *dtls_identity_fingerprint(identity_p256(SERVER));
    f.bytes[5] ^= 0x80;
    dtls_set_fingerprint(pair.side[CLIENT].dtls, virtual_now, &f);
    pair.fate = NULL;
    pair_run(&pair, virtual_now + SEC(2));
    assert_true(pair.side[CLIENT].failed);
    assert_false(pair.side[CLIENT].connected);
    pair_fini(&pair);
}

static void test_close_tells_the_other_side(void **state)
{
    (void)state;
    for (int closer = 0; closer < 2; closer++) {
        pair_init(&pair, &(struct pair_options){0});
        pair_run(&pair, virtual_now + SEC(1));
        assert_connected(&pair);
        dtls_close(pair.side[closer].dtls);
        dtls_close(pair.side[closer].dtls);
        pair_run(&pair, virtual_now + SEC(1));
        assert_true(pair.side[1 - closer].closed);
        assert_string_equal(pair.side[1 - closer].reason, DTLS_REASON_ALERT);
        assert_string_equal(pair.side[1 - closer].detail, "close notify");
        assert_false(pair.side[closer].closed);             /* asked for: no event */
        struct dtls_info info;
        dtls_get_info(pair.side[closer].dtls, &info);
        assert_int_equal(info.state, DTLS_CLOSED);
        assert_int_equal(dtls_send(pair.side[closer].dtls, STR("late")), ERR_STATE);
        pair_fini(&pair);
    }
}

static void test_close_during_the_handshake_is_quiet(void **state)
{
    (void)state;
    pair_init(&pair, &(struct pair_options){0});
    pair_run(&pair, virtual_now + MSEC(7));
    for (int i = 0; i < 2; i++)
        dtls_close(pair.side[i].dtls);
    pair_run(&pair, virtual_now + SEC(30));
    assert_false(pair.side[CLIENT].failed || pair.side[SERVER].failed);
    pair_fini(&pair);
}

static void test_data_passes_both_ways(void **state)
{
    (void)state;
    static uint8_t big[DTLS_DATA_MAX + 1];
    memset(big, 0x5a, sizeof(big));
    pair_init(&pair, &(struct pair_options){0});
    pair_run(&pair, virtual_now + SEC(1));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dtls_send(pair.side[i].dtls, STR("hello")), ERR_NONE);
        assert_int_equal(dtls_send(pair.side[i].dtls, VIEW(big, DTLS_DATA_MAX)), ERR_NONE);
        assert_int_equal(dtls_send(pair.side[i].dtls, VIEW(big, DTLS_DATA_MAX + 1)), ERR_INVALID);
        assert_int_equal(dtls_send(pair.side[i].dtls, VIEW(big, 0)), ERR_INVALID);
    }
    pair_run(&pair, virtual_now + SEC(1));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair.side[i].data_events, 2);
        assert_int_equal(pair.side[i].data_size, 5 + DTLS_DATA_MAX);
        assert_memory_equal(pair.side[i].data, "hello", 5);
        assert_memory_equal(pair.side[i].data + 5, big, DTLS_DATA_MAX);
    }
    pair_fini(&pair);
}

/* Above the cap a handshake waits for its turn; it is not refused. */
static void test_too_many_handshakes_wait_for_their_turn(void **state)
{
    (void)state;
    struct dtls *others[2];
    pair_open(&pair, &(struct pair_options){.handshakes_max = 1});
    for (int i = 0; i < 2; i++) {
        const struct dtls_config config = {.role = DTLS_ROLE_CLIENT};
        others[i] = dtls_new(&pair.side[i].pool, pair.side[i].shared, &config, virtual_now);
        assert_non_null(others[i]);
    }
    /* The server's place is taken by a client of its own, so its clients' hellos go unanswered at first. */
    pair_start(&pair, &(struct pair_options){0});
    pair_run(&pair, virtual_now + MSEC(120));
    assert_int_equal(pair.side[CLIENT].sent, 0);
    dtls_free(others[CLIENT]);
    pair_run(&pair, virtual_now + MSEC(500));
    assert_true(pair.side[CLIENT].sent > 0);
    assert_int_equal(pair.side[SERVER].sent, 0);
    dtls_free(others[SERVER]);
    pair_run(&pair, virtual_now + SEC(5));
    assert_connected(&pair);
    for (int i = 0; i < 2; i++)
        assert_true(dtls_shared_counters(pair.side[i].shared)->handshakes_deferred > 0);
    pair_fini(&pair);
}

/* OpenSSL refuses an MTU below 256, and says so only by the result of SSL_set_mtu. */
static void test_an_mtu_that_openssl_refuses_fails_at_once(void **state)
{
    (void)state;
    pair_open(&pair, &(struct pair_options){0});
    const struct dtls_config config = {.role = DTLS_ROLE_CLIENT, .mtu = DTLS_MTU_MIN - 1};
    struct dtls *dtls = dtls_new(&pair.side[CLIENT].pool, pair.side[CLIENT].shared, &config, virtual_now);
    struct dtls_event event;
    assert_true(dtls_poll_event(dtls, &event));
    assert_int_equal(event.kind, DTLS_EVENT_FAILED);
    assert_string_equal(event.reason, DTLS_REASON_STACK);
    assert_false(dtls_poll_event(dtls, &event));
    dtls_free(dtls);
    pair_fini(&pair);
}

static void one_run_short_of_memory(void)
{
    pair_open(&pair, &(struct pair_options){0});
    pair_start(&pair, &(struct pair_options){0});
    if (pair.side[CLIENT].dtls != NULL && pair.side[SERVER].dtls != NULL) {
        /* Datagrams that found no buffer are lost, and come again. */
        pair_run(&pair, virtual_now + SEC(5));
        assert_connected(&pair);
        const enum err sent = dtls_send(pair.side[CLIENT].dtls, STR("data"));
        assert_int_equal(sent, seam_pool_was_refused() && sent != ERR_NONE ? ERR_FULL : ERR_NONE);
        pair_run(&pair, virtual_now + SEC(1));
        assert_int_equal(pair.side[SERVER].data_size, sent == ERR_NONE ? 4 : 0);
        dtls_close(pair.side[CLIENT].dtls);
        pair_run(&pair, virtual_now + SEC(1));
    }
    pair_fini(&pair);
}

static void test_every_refused_allocation_is_survived(void **state)
{
    (void)state;
    const size_t before = seam_mem_outstanding();
    seam_oom_sweep(one_run_short_of_memory);
    assert_int_equal(seam_mem_outstanding(), before);
}

static int fini(void **state)
{
    (void)state;
    identities_fini();
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides_connect_with_keys_that_fit),
        cmocka_unit_test(test_any_flight_may_be_lost),
        cmocka_unit_test(test_servers_last_flight_is_sent_again_on_request),
        cmocka_unit_test(test_retransmission_starts_at_50_ms_and_doubles),
        cmocka_unit_test(test_duplicates_and_reordering),
        cmocka_unit_test(test_a_bad_network_is_survived),
        cmocka_unit_test(test_a_silent_peer_times_out_after_20_s),
        cmocka_unit_test(test_a_wrong_fingerprint_fails_on_both_sides),
        cmocka_unit_test(test_a_fingerprint_may_come_after_the_handshake),
        cmocka_unit_test(test_a_fingerprint_that_never_comes_times_out),
        cmocka_unit_test(test_a_fingerprint_changed_during_the_handshake_counts),
        cmocka_unit_test(test_close_tells_the_other_side),
        cmocka_unit_test(test_close_during_the_handshake_is_quiet),
        cmocka_unit_test(test_data_passes_both_ways),
        cmocka_unit_test(test_too_many_handshakes_wait_for_their_turn),
        cmocka_unit_test(test_an_mtu_that_openssl_refuses_fails_at_once),
        cmocka_unit_test(test_every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, fini);
}
