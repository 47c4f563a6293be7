/* Against usrsctp, what Firefox and older browsers have: setup, bulk, loss, partial reliability, resets, the end. */
#include "foreign.h"
#include "foreign_frames.h"
#include "support/seams.h"

static const char *program;

static void start(struct net *net, uint64_t seed, struct net_link link)
{
    net_init(net, seed, &(struct sctp_config){.remote_max_message_bytes = UINT32_MAX});
    net_link_both(net, link);
    foreign_start(net, 1, program, 2000000, 2000000, 300);
}

static void check_all(const struct net *net)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(net->side[i].wrong, 0);
        for (uint16_t s = 0; s < NET_STREAMS; s++)
            assert_int_equal(net->side[i].received[s], net->side[1 - i].sent[s]);
    }
}

static const struct net_link plain = {.delay_us = MSEC(10)};

static void test_both_connect_at_once(void **state)
{
    (void)state;
    struct net net;
    start(&net, 1, plain);
    net_connect(&net);
    assert_int_equal(net.side[0].streams_in, 300);
    assert_int_equal(net.side[0].streams_out, 300);
    assert_int_equal(net.side[1].streams_in, 300);
    net_fini(&net);
}

static void test_only_we_connect(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1, NULL);
    foreign_start(&net, 1, program, 2000000, 2000000, 300);
    foreign_command(&net, 1, FOREIGN_CONNECT, VIEW(NULL, 0), VIEW(NULL, 0));     /* we answer only */
    net_run(&net, SEC(2));
    assert_int_equal(net.side[0].ups, 1);
    assert_int_equal(net.side[1].ups, 1);
    net_fini(&net);
}

static void test_connecting_through_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct net net;
        start(&net, seed, (struct net_link){MSEC(10), MSEC(50), 200, 200, 0, 0, false});
        net_connect(&net);
        struct sctp_message message = net_message(0);
        for (int i = 0; i < 2; i++)
            assert_int_equal(net_send(&net, i, &message, 1000), ERR_NONE);
        assert_true(net_run_until_idle(&net, SEC(600)));
        check_all(&net);
        net_fini(&net);
    }
}

static void bulk(uint64_t seed, struct net_link link, bool unordered)
{
    struct net net;
    start(&net, seed, link);
    net.allow_any_order = unordered;
    net_connect(&net);
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 8; i++) {
            struct sctp_message message = net_message((uint16_t)(net_random(&net) % 5));
            message.unordered = unordered;
            const size_t sizes[] = {4, 50, 1000, 1132, 1133, 5000, 30000, 4 + net_random(&net) % 70000};
            const size_t size = sizes[net_random(&net) % ARRAY_COUNT(sizes)];
            (void)net_send(&net, (int)(net_random(&net) % 2), &message, size);
        }
        net_run(&net, MSEC(net_random(&net) % 60));
    }
    if (!net_run_until_idle(&net, SEC(3600)))
        fail_msg("seed %llu: not done in an hour", (unsigned long long)seed);
    check_all(&net);
    net_fini(&net);
}

static void test_bulk_both_ways(void **state)
{
    (void)state;
    bulk(1, plain, false);
    bulk(2, plain, true);
}

static void test_bulk_through_a_lossy_network(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        bulk(seed, (struct net_link){MSEC(10), 0, 50, 0, 0, 0, false}, false);
        bulk(seed, (struct net_link){MSEC(10), MSEC(40), 100, 100, 0, 0, false}, seed == 2);
    }
}

static void test_longest_messages(void **state)
{
    (void)state;
    struct net net;
    start(&net, 3, plain);
    net_connect(&net);
    struct sctp_message message = net_message(7);
    for (int i = 0; i < 2; i++)
        assert_int_equal(net_send(&net, i, &message, 262144), ERR_NONE);
    assert_true(net_run_until_idle(&net, SEC(60)));
    check_all(&net);
    net_fini(&net);
}

static void partial(struct sctp_message message)
{
    struct net net;
    start(&net, 4, (struct net_link){MSEC(20), 0, 0, 0, 0, 0, false});
    net.allow_gaps = true;
    net.allow_any_order = message.unordered;
    net_connect(&net);
    net_run(&net, SEC(1));
    for (int i = 0; i < 2; i++)
        net.side[i].link.loss_pm = 150;
    for (int i = 0; i < 200; i++) {
        for (int side = 0; side < 2; side++)
            (void)net_send(&net, side, &message, i % 5 == 0 ? 4000 : 100);
        net_run(&net, MSEC(10));
    }
    for (int i = 0; i < 2; i++)
        net.side[i].link.loss_pm = 0;
    net_run(&net, SEC(20));
    struct sctp_message last = net_message(message.stream);      /* ordered, reliable: all before it is settled when it comes */
    for (int side = 0; side < 2; side++)
        assert_int_equal(net_send(&net, side, &last, 50), ERR_NONE);
    net_run(&net, SEC(20));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(net.side[i].wrong, 0);
        const uint32_t got = net.side[i].received[message.stream], sent = net.side[1 - i].sent[message.stream];
        assert_true(got > sent / 2);
        assert_true(got < sent);                 /* the losses did matter */
        assert_int_equal(net.side[i].expected[message.stream], sent);
        if (!message.unordered)
            assert_int_equal(got + net.side[i].gone, sent);
    }
    assert_int_equal(sctp_buffered(net.side[0].sctp), 0);
    assert_true(net.side[0].shared.counters.abandoned > 0);
    net_fini(&net);
}

static void test_messages_given_up_after_retransmissions(void **state)
{
    (void)state;
    struct sctp_message message = net_message(3);
    message.reliability = SCTP_RETRANSMITS;
    partial(message);
    message.unordered = true;
    partial(message);
}

static void test_messages_given_up_after_a_time(void **state)
{
    (void)state;
    struct sctp_message message = net_message(3);
    message.reliability = SCTP_LIFETIME;
    message.limit = 60;
    partial(message);
}

static void test_streams_are_reset_by_both(void **state)
{
    (void)state;
    struct net net;
    start(&net, 5, (struct net_link){MSEC(10), MSEC(20), 100, 50, 0, 0, false});
    net_connect(&net);
    for (uint32_t round = 1; round <= 5; round++) {
        struct sctp_message message = net_message(4);
        for (int i = 0; i < 20; i++)
            for (int side = 0; side < 2; side++)
                assert_int_equal(net_send(&net, side, &message, 500), ERR_NONE);
        assert_true(net_run_until_idle(&net, SEC(60)));
        assert_int_equal(sctp_reset_stream(net.side[0].sctp, net.now, 4), ERR_NONE);
        const uint8_t stream[2] = {4, 0};
        foreign_command(&net, 1, FOREIGN_RESET, VIEW(stream, 2), VIEW(NULL, 0));
        assert_true(net.side[1].foreign->last_result);
        net_run(&net, SEC(30));
        for (int side = 0; side < 2; side++) {
            assert_int_equal(net.side[side].resets_out, round);
            assert_int_equal(net.side[side].resets_in, round);
            assert_int_equal(net.side[side].last_reset, 4);
        }
    }
    check_all(&net);
    net_fini(&net);
}

static void test_streams_are_added_by_both(void **state)
{
    (void)state;
    struct net net;
    start(&net, 6, plain);
    net_connect(&net);
    const uint8_t count[2] = {20, 0};
    foreign_command(&net, 1, FOREIGN_ADD, VIEW(count, 2), VIEW(NULL, 0));
    assert_true(net.side[1].foreign->last_result);
    net_run(&net, SEC(2));
    assert_int_equal(net.side[0].streams_in, 320);
    assert_int_equal(sctp_add_streams(net.side[0].sctp, net.now, 10), ERR_NONE);
    net_run(&net, SEC(2));
    assert_int_equal(net.side[0].stream_changes, 2);
    struct sctp_info info;
    sctp_describe(net.side[0].sctp, &info);
    assert_true(info.streams_out == 310 || net.side[0].refused == 1);    /* it may refuse; we must not wait for ever */
    net_fini(&net);
}

static void test_orderly_ends(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++) {
        struct net net;
        start(&net, 7, (struct net_link){MSEC(10), 0, 100, 0, 0, 0, false});
        net_connect(&net);
        struct sctp_message message = net_message(0);
        for (int i = 0; i < 20; i++)
            assert_int_equal(net_send(&net, who, &message, 2000), ERR_NONE);
        if (who == 0)
            sctp_shutdown(net.side[0].sctp, net.now);
        else
            foreign_command(&net, 1, FOREIGN_SHUTDOWN, VIEW(NULL, 0), VIEW(NULL, 0));
        net_run(&net, SEC(60));
        assert_int_equal(net.side[1 - who].received[0], 20);
        assert_true(net.side[0].is_closed);
        assert_int_equal(net.side[0].reason, SCTP_REASON_SHUTDOWN);
        assert_true(net.side[1].is_closed);
        net_fini(&net);
    }
}

static void test_an_abort_is_understood(void **state)
{
    (void)state;
    struct net net;
    start(&net, 8, plain);
    net_connect(&net);
    sctp_abort(net.side[0].sctp, net.now);
    net_run(&net, SEC(1));
    assert_true(net.side[1].is_closed);
    net_fini(&net);
}

/* Our window closes while the application takes nothing; what was sent comes when it does. */
static void test_a_held_receiver(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 9, &(struct sctp_config){.window_bytes = 60000, .max_message_bytes = 20000});
    foreign_start(&net, 1, program, 1000000, 1000000, 300);
    net_connect(&net);
    sctp_hold(net.side[0].sctp, net.now, true);
    struct sctp_message message = net_message(1);
    for (int i = 0; i < 100; i++)
        assert_int_equal(net_send(&net, 1, &message, 5000), ERR_NONE);
    net_run(&net, SEC(60));
    assert_int_equal(net.side[0].received[1], 0);
    struct sctp_info info;
    sctp_describe(net.side[0].sctp, &info);
    assert_true(info.held_bytes > 40000 && info.held_bytes <= 60000);
    sctp_hold(net.side[0].sctp, net.now, false);
    assert_true(net_run_until_idle(&net, SEC(120)));
    check_all(&net);
    net_fini(&net);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s USRSCTP_PEER\n", argv[0]);
        return 2;
    }
    program = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_connect_at_once),
        cmocka_unit_test(test_only_we_connect),
        cmocka_unit_test(test_connecting_through_loss),
        cmocka_unit_test(test_bulk_both_ways),
        cmocka_unit_test(test_bulk_through_a_lossy_network),
        cmocka_unit_test(test_longest_messages),
        cmocka_unit_test(test_messages_given_up_after_retransmissions),
        cmocka_unit_test(test_messages_given_up_after_a_time),
        cmocka_unit_test(test_streams_are_reset_by_both),
        cmocka_unit_test(test_streams_are_added_by_both),
        cmocka_unit_test(test_orderly_ends),
        cmocka_unit_test(test_an_abort_is_understood),
        cmocka_unit_test(test_a_held_receiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
