/* Messages arrive whole, once and in order, whatever the network does. */
#include "net.h"
#include "support/seams.h"

static void check_all(const struct net *net)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(net->side[i].wrong, 0);
        for (uint16_t s = 0; s < NET_STREAMS; s++)
            assert_int_equal(net->side[i].received[s], net->side[1 - i].sent[s]);
    }
}

static void test_both_connect_at_once(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1, NULL);
    net_connect(&net);
    assert_int_equal(net.side[0].streams_in, SCTP_STREAMS_DEFAULT);
    assert_int_equal(sctp_get_state(net.side[0].sctp), SCTP_STATE_ESTABLISHED);
    net_run(&net, SEC(10));
    assert_int_equal(net.side[0].packets + net.side[1].packets, 8);     /* four each: INIT, INIT ACK, ECHO, ACK */
    net_fini(&net);
}

static void test_one_side_connects(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1, NULL);
    sctp_connect(net.side[0].sctp, net.now);
    net_run(&net, SEC(1));
    assert_int_equal(net.side[0].ups, 1);
    assert_int_equal(net.side[1].ups, 1);
    assert_int_equal(net.side[0].packets + net.side[1].packets, 4);
    net_fini(&net);
}

static void test_messages_of_every_size(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 2, &(struct sctp_config){.remote_max_message_bytes = UINT32_MAX});
    net_connect(&net);
    const size_t sizes[] = {4, 5, 6, 7, 8, 1100, 1131, 1132, 1133, 1160, 2263, 2264, 2265, 65535, 262144};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
        for (int side = 0; side < 2; side++) {
            struct sctp_message message = net_message((uint16_t)(i % 3));
            assert_int_equal(net_send(&net, side, &message, sizes[i]), ERR_NONE);
        }
    assert_true(net_run_until_idle(&net, SEC(60)));
    check_all(&net);
    assert_int_equal(net.side[0].shared.counters.retransmits, 0);
    net_fini(&net);
}

/* The smallest and the largest packets that DTLS can ask for, with everything that a packet may have to hold. */
static void test_every_packet_size_works(void **state)
{
    (void)state;
    const uint16_t sizes[] = {SCTP_MTU_MIN, 216, 500, 1001, SCTP_PACKET_MAX};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct net net;
        net_init(&net, 5, &(struct sctp_config){.mtu = sizes[i]});
        net_link_both(&net, (struct net_link){MSEC(10), MSEC(30), 150, 100, 0, 0, false});
        net.allow_gaps = true;
        net_connect(&net);
        for (uint16_t n = 0; n < 200; n++)
            for (int side = 0; side < 2; side++) {
                struct sctp_message message = net_message((uint16_t)(n % 60));
                message.reliability = n % 3 == 0 ? SCTP_RETRANSMITS : SCTP_RELIABLE;
                (void)net_send(&net, side, &message, 4 + n * 13u);
                net_run(&net, MSEC(3));
            }
        net_run(&net, SEC(60));
        for (uint16_t s = 0; s < 60; s++)
            for (int side = 0; side < 2; side++)
                assert_int_equal(sctp_reset_stream(net.side[side].sctp, net.now, s), ERR_NONE);
        net_run(&net, SEC(60));
        for (int side = 0; side < 2; side++) {
            assert_int_equal(net.side[side].resets_in, 60);
            assert_int_equal(net.side[side].resets_out, 60);
            assert_int_equal(net.side[side].wrong, 0);
            assert_int_equal(sctp_buffered(net.side[side].sctp), 0);
        }
        net_fini(&net);
    }
}

struct storm {
    uint32_t loss_pm, repeat_pm;
    usec_t jitter_us;
    bool unordered;
};

/* Messages of mixed sizes on eight streams, both ways, sent as the buffer allows. */
static void storm_run(uint64_t seed, struct storm storm)
{
    struct net net;
    net_init(&net, seed, &(struct sctp_config){.buffer_bytes = 200000});
    net_link_both(&net, (struct net_link){MSEC(20), storm.jitter_us, storm.loss_pm, storm.repeat_pm, 0, 0, false});
    net.allow_any_order = storm.unordered;
    net_connect(&net);
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 12; i++) {
            struct sctp_message message = net_message((uint16_t)(net_random(&net) % 8));
            message.unordered = storm.unordered;
            const uint32_t roll = net_random(&net) % 10;
            const size_t size = roll < 6 ? 4 + net_random(&net) % 200 : roll < 9 ? 4 + net_random(&net) % 3000 : 4 + net_random(&net) % 20000;
            (void)net_send(&net, (int)(net_random(&net) % 2), &message, size);
        }
        net_run(&net, MSEC(net_random(&net) % 100));
    }
    if (!net_run_until_idle(&net, SEC(3600)))
        fail_msg("seed %llu: not done in an hour", (unsigned long long)seed);
    check_all(&net);
    net_fini(&net);
}

static void test_storms(void **state)
{
    (void)state;
    const struct storm storms[] = {
        {50, 0, 0, false},          {300, 0, 0, false},
        {0, 300, 0, false},         {0, 0, MSEC(200), false},
        {300, 300, MSEC(50), false}, {300, 300, MSEC(50), true},
        {100, 100, MSEC(100), false}, {10, 10, MSEC(5), true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(storms); i++)
        for (uint64_t seed = 1; seed <= 5; seed++)
            storm_run(seed + 100 * i, storms[i]);
}

static void test_connecting_through_heavy_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct net net;
        net_init(&net, seed, NULL);
        net_link_both(&net, (struct net_link){MSEC(20), MSEC(100), 300, 300, 0, 0, false});
        struct sctp_message message = net_message(0);
        for (int side = 0; side < 2; side++)     /* waits until the association is there */
            assert_int_equal(net_send(&net, side, &message, 100), ERR_NONE);
        net_connect(&net);
        assert_true(net_run_until_idle(&net, SEC(600)));
        check_all(&net);
        net_fini(&net);
    }
}

static void test_streams_do_not_wait_for_one_another(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 3, NULL);
    net_connect(&net);
    struct sctp_message first = net_message(1), second = net_message(2);
    net.side[0].link.is_cut = true;
    assert_int_equal(net_send(&net, 0, &first, 100), ERR_NONE);
    net_run(&net, MSEC(1));
    net.side[0].link.is_cut = false;
    assert_int_equal(net_send(&net, 0, &second, 100), ERR_NONE);
    assert_int_equal(net_send(&net, 0, &first, 100), ERR_NONE);
    net_run(&net, MSEC(15));
    assert_int_equal(net.side[1].received[2], 1);            /* here, while stream 1 misses its first message */
    assert_int_equal(net.side[1].received[1], 0);
    net_run(&net, SEC(5));
    assert_int_equal(net.side[1].received[1], 2);
    check_all(&net);
    net_fini(&net);
}

static void test_a_long_message_does_not_hold_up_other_streams_for_long(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 4, &(struct sctp_config){.remote_max_message_bytes = UINT32_MAX});
    net_link_both(&net, (struct net_link){.delay_us = MSEC(10), .rate_bps = 8000000});
    net_connect(&net);
    struct sctp_message file = net_message(1), chat = net_message(2);
    for (int i = 0; i < 20; i++)
        assert_int_equal(net_send(&net, 0, &file, 40000), ERR_NONE);
    net_run(&net, MSEC(100));
    assert_int_equal(net_send(&net, 0, &chat, 20), ERR_NONE);
    net_run(&net, MSEC(150));                                /* the rest of one message, not of twenty (800 ms) */
    assert_int_equal(net.side[1].received[2], 1);
    assert_true(net_run_until_idle(&net, SEC(60)));
    check_all(&net);
    net_fini(&net);
}

static void oom_body(void)
{
    struct pool pool;
    pool_init(&pool, "sctp", sctp_size(), 1);
    struct net net = {.seed = 7};
    struct sctp_shared shared = {0};
    struct sctp *sctp = sctp_new(&pool, &(struct sctp_config){.rng = &net.rng, .shared = &shared}, 0);
    assert_null(sctp);
    pool_fini(&pool);
}

static void test_a_full_pool_is_a_refusal(void **state)
{
    (void)state;
    seam_refuse_pool_at(0);
    oom_body();
    seam_refuse_pool_at(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_connect_at_once),
        cmocka_unit_test(test_one_side_connects),
        cmocka_unit_test(test_messages_of_every_size),
        cmocka_unit_test(test_every_packet_size_works),
        cmocka_unit_test(test_connecting_through_heavy_loss),
        cmocka_unit_test(test_streams_do_not_wait_for_one_another),
        cmocka_unit_test(test_a_long_message_does_not_hold_up_other_streams_for_long),
        cmocka_unit_test(test_storms),
        cmocka_unit_test(test_a_full_pool_is_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
