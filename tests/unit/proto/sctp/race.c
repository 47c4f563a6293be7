/* How much gets through in some virtual time, beside usrsctp in the same network with the same losses. */
#include <stdio.h>

#include "foreign.h"
#include "support/seams.h"

static const char *program;

static double megabytes(uint64_t seed, struct net_link link, bool is_foreign, usec_t for_us)
{
    struct net net;
    net_init(&net, seed, &(struct sctp_config){.remote_max_message_bytes = UINT32_MAX, .window_bytes = 1000000, .buffer_bytes = 1000000});
    net_link_both(&net, (struct net_link){.delay_us = MSEC(10)});
    if (is_foreign)
        for (int i = 0; i < 2; i++)
            foreign_start(&net, i, program, 1000000, 1000000, 300);
    net_connect(&net);
    net_link_both(&net, link);
    struct sctp_message message = net_message(1);
    for (const usec_t end = net.now + for_us; net.now < end;) {
        while (net_send(&net, 0, &message, 16000) == ERR_NONE)
            ;
        net_run(&net, MSEC(20));
    }
    assert_int_equal(net.side[1].wrong, 0);
    const double mb = (double)net.side[1].received_bytes / 1e6;
    net_fini(&net);
    return mb;
}

static double ratio(const char *name, struct net_link link, uint64_t seeds, usec_t for_us)
{
    double ours = 0, theirs = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        ours += megabytes(seed, link, false, for_us);
        theirs += megabytes(seed, link, true, for_us);
    }
    const double seconds = (double)(seeds * for_us) / 1e6;
    printf("# %s: ours %.3f MB/s, usrsctp %.3f MB/s: %.2f times\n", name, ours / seconds, theirs / seconds, ours / theirs);
    return ours / theirs;
}

static void test_five_percent_lost_at_a_hundred_milliseconds(void **state)
{
    (void)state;
    assert_true(ratio("5 % lost, 100 ms", (struct net_link){.delay_us = MSEC(50), .loss_pm = 50}, 3, SEC(60)) >= 0.9);
}

/* Fewer losses leave more to how fast the window grows, RFC 9260's additive increase on both sides, and to where they fall: one
 * run of usrsctp differs from the next by a tenth, so it takes a dozen. */
static void test_one_percent_lost_at_fifty_milliseconds(void **state)
{
    (void)state;
    assert_true(ratio("1 % lost, 50 ms", (struct net_link){.delay_us = MSEC(25), .loss_pm = 10}, 12, SEC(40)) >= 0.9);
}

static void test_a_narrow_path(void **state)
{
    (void)state;
    assert_true(ratio("10 Mbit/s, 40 ms", (struct net_link){.delay_us = MSEC(20), .rate_bps = 10000000}, 1, SEC(10)) >= 0.9);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s USRSCTP_PEER\n", argv[0]);
        return 2;
    }
    program = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_percent_lost_at_a_hundred_milliseconds),
        cmocka_unit_test(test_one_percent_lost_at_fifty_milliseconds),
        cmocka_unit_test(test_a_narrow_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
