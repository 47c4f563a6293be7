/* An established peer that breaks the rules: numbers out of reach, messages without end, floods; memory is bounded by what
 * the configuration says, and comes back. */
#include <string.h>

#include "craft.h"
#include "support/seams.h"

static struct net net;
static const uint8_t block[1100];

static const struct sctp_counters *counters(int side)
{
    return &net.side[side].shared.counters;
}

static void start(const struct sctp_config *config)
{
    net_init(&net, 21, config);
    net.allow_junk = true;
    net_connect(&net);
    net_run(&net, SEC(1));
}

static bool is_up(int side)
{
    return sctp_get_state(net.side[side].sctp) == SCTP_STATE_ESTABLISHED;
}

static struct sctp *victim(void)
{
    return net.side[1].sctp;
}

static void chunk_to_victim(uint8_t type, const void *value, size_t size)
{
    struct craft craft = craft_begin(victim()->local_tag);
    craft_chunk(&craft, type, 0, VIEW(value, size));
    craft_send(&net, 1, &craft);
}

static void violation(void)
{
    net_drain(&net, 1);
    assert_int_equal(counters(1)->violations, 1);
    assert_int_equal(net.side[1].reason, SCTP_REASON_PROTOCOL);
    assert_int_equal(net.side[1].shared.memory_bytes, 0);
    net_run(&net, SEC(1));
    assert_int_equal(net.side[0].reason, SCTP_REASON_PEER_ABORTED);
    net_fini(&net);
}

/* ---- numbers ---- */

static void test_tsns_out_of_reach_are_dropped(void **state)
{
    (void)state;
    start(NULL);
    const size_t before = net.side[1].shared.memory_bytes;
    const uint32_t aheads[] = {SCTP_TSN_SPREAD_MAX, SCTP_TSN_SPREAD_MAX + 1, 100000, 0x7ffffffe};
    for (size_t i = 0; i < ARRAY_COUNT(aheads); i++)
        craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, aheads[i], 0, 0, VIEW("x", 1));
    assert_int_equal(counters(1)->outside_window, ARRAY_COUNT(aheads));
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0x80000000u, 0, 0, VIEW("x", 1));      /* that is behind */
    assert_int_equal(counters(1)->duplicates, 1);
    assert_int_equal(net.side[1].shared.memory_bytes, before);
    assert_true(is_up(1));
    net_fini(&net);
}

static void test_the_farthest_tsn_within_reach_costs_little_and_comes_back(void **state)
{
    (void)state;
    start(NULL);
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, SCTP_TSN_SPREAD_MAX - 1, 0, 0, VIEW("x", 1));
    assert_true(net.side[1].shared.memory_bytes > 8192);
    assert_true(net.side[1].shared.memory_bytes < 2 * SCTP_TSN_SPREAD_MAX * sizeof(struct sctp_slot));
    uint8_t forward[4];
    put_u32(forward, victim()->rx.cum + SCTP_TSN_SPREAD_MAX);
    chunk_to_victim(SCTP_FORWARD_TSN, forward, 4);
    net_drain(&net, 1);
    assert_true(net.side[1].shared.memory_bytes < 2048);
    net_fini(&net);
}

static void test_a_sack_of_what_was_never_sent_aborts(void **state)
{
    (void)state;
    start(NULL);
    uint8_t sack[12] = {0};
    put_u32(sack, victim()->tx.next);
    chunk_to_victim(SCTP_SACK, sack, sizeof(sack));
    violation();
}

static void test_a_shutdown_of_what_was_never_sent_aborts(void **state)
{
    (void)state;
    start(NULL);
    uint8_t cum[4];
    put_u32(cum, victim()->tx.next + 5);
    chunk_to_victim(SCTP_SHUTDOWN, cum, sizeof(cum));
    violation();
}

static void test_gap_blocks_that_make_no_sense_are_skipped(void **state)
{
    (void)state;
    start(NULL);
    struct sctp_message message = net_message(0);
    net.side[1].link.is_cut = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(net_send(&net, 1, &message, 1000), ERR_NONE);
    net_drain(&net, 1);
    for (uint32_t round = 0; round < 2000; round++) {
        uint8_t sack[12 + 4 * 5];
        put_u32(sack, victim()->tx.base - 1);
        put_u32(sack + 4, 100000);
        put_u16(sack + 8, 5);
        put_u16(sack + 10, 0);
        for (int i = 0; i < 10; i++)
            put_u16(sack + 12 + 2 * i, (uint16_t)(round % 2 == 0 ? net_random(&net) : net_random(&net) % 8));
        chunk_to_victim(SCTP_SACK, sack, sizeof(sack));
    }
    assert_true(is_up(1));
    net.side[1].link.is_cut = false;
    assert_true(net_run_until_idle(&net, SEC(60)));
    assert_int_equal(net.side[0].received[0], 5);
    assert_int_equal(net.side[0].wrong, 0);
    net_fini(&net);
}

static void test_streams_beyond_the_negotiated_are_told_and_dropped(void **state)
{
    (void)state;
    start(&(struct sctp_config){.streams_in = 16, .streams_out = 16});
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 16, 0, VIEW("x", 1));
    craft_data_to(&net, 1, SCTP_FLAG_B, 0, 65535, 0, VIEW("x", 1));
    craft_data_to(&net, 1, SCTP_FLAG_E, 0, 65535, 0, VIEW("x", 1));
    assert_int_equal(counters(1)->bad_streams, 3);
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 15, 0, VIEW("\0\0\0\0", 4));
    struct sctp_tx tx;
    assert_true(sctp_poll_tx(victim(), &tx));
    assert_int_equal(tx.data[SCTP_HEADER], SCTP_ERROR);
    assert_int_equal(get_u16(tx.data + SCTP_HEADER + 4), SCTP_CAUSE_STREAM);
    assert_int_equal(get_u16(tx.data + SCTP_HEADER + 8), 16);
    net_drain(&net, 1);
    assert_int_equal(net.side[1].received[15], 1);
    assert_true(is_up(1));
    net_fini(&net);
}

/* ---- data that can't be ---- */

static void test_an_empty_data_chunk_aborts(void **state)
{
    (void)state;
    start(NULL);
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, 0, VIEW(NULL, 0));
    violation();
}

static void test_fragments_that_do_not_fit_abort(void **state)
{
    (void)state;
    /* What comes first, and what comes after it (ahead: in steps of the TSN expected). */
    const struct {
        uint8_t first, second;
        uint32_t first_ahead, second_ahead;
        uint16_t stream, ssn;
    } cases[] = {
        {SCTP_FLAG_B, SCTP_FLAG_B, 0, 0, 0, 0},                       /* begins again */
        {SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, 0, 0, 0},                   /* goes on after its end */
        {SCTP_FLAG_B, SCTP_FLAG_E, 0, 0, 1, 0},                       /* in another stream */
        {SCTP_FLAG_B, SCTP_FLAG_E, 0, 0, 0, 1},                       /* with another number */
        {SCTP_FLAG_B, SCTP_FLAG_E | SCTP_FLAG_U, 0, 0, 0, 0},         /* unordered now */
        {SCTP_FLAG_E, SCTP_FLAG_B | SCTP_FLAG_E, 1, 0, 0, 0},         /* the next one does not begin */
        {SCTP_FLAG_B | SCTP_FLAG_E, SCTP_FLAG_B, 1, 0, 0, 0},         /* the next one begins too early */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        start(NULL);
        craft_data_to(&net, 1, cases[i].first, cases[i].first_ahead, 0, 0, VIEW("abcd", 4));
        craft_data_to(&net, 1, cases[i].second, cases[i].second_ahead, cases[i].stream, cases[i].ssn, VIEW("abcd", 4));
        violation();
    }
}

/* The rest of a message goes to a stream that there isn't: nothing of it may stay behind. */
static void test_a_message_that_ends_in_no_stream_aborts(void **state)
{
    (void)state;
    start(&(struct sctp_config){.streams_in = 16, .streams_out = 16});
    craft_data_to(&net, 1, SCTP_FLAG_B, 0, 0, 0, VIEW("abcd", 4));
    craft_data_to(&net, 1, SCTP_FLAG_E, 0, 16, 0, VIEW("abcd", 4));
    violation();
}

static void test_a_message_without_end_is_aborted_at_the_limit(void **state)
{
    (void)state;
    start(&(struct sctp_config){.max_message_bytes = 50000});
    uint32_t sent = 0;
    uint64_t most = 0;
    for (; is_up(1); sent++) {
        craft_data_to(&net, 1, sent == 0 ? SCTP_FLAG_B : 0, 0, 0, 0, VIEW(block, sizeof(block)));
        most = net.side[1].shared.memory_bytes > most ? net.side[1].shared.memory_bytes : most;
    }
    assert_int_equal(sent, 50000 / sizeof(block) + 1);
    assert_true(most < 2 * 50000);
    net_drain(&net, 1);
    assert_int_equal(net.side[1].reason, SCTP_REASON_TOO_LONG);
    assert_int_equal(net.side[1].shared.memory_bytes, 0);
    net_fini(&net);
}

/* ---- floods ---- */

static void test_a_flood_of_tiny_messages_is_bounded_by_the_window(void **state)
{
    (void)state;
    start(&(struct sctp_config){.window_bytes = 200000, .max_message_bytes = 50000});
    sctp_hold(victim(), net.now, true);
    for (int i = 0; i < 20000; i++)
        craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E | SCTP_FLAG_U, 0, 0, 0, VIEW("\0\0\0\0", 4));
    assert_true(counters(1)->no_room > 10000);
    assert_true(net.side[1].shared.memory_bytes < 220000);
    sctp_hold(victim(), net.now, false);
    net_drain(&net, 1);
    assert_int_equal(net.side[1].received[0], 20000 - counters(1)->no_room);
    assert_true(net.side[1].shared.memory_bytes < 2048);
    net_fini(&net);
}

/* Messages out of turn wait for one that never comes; what is beyond reach is dropped. */
static void test_messages_out_of_turn_are_bounded(void **state)
{
    (void)state;
    start(&(struct sctp_config){.window_bytes = 200000, .max_message_bytes = 50000});
    for (uint32_t i = 0; i < 20000; i++)
        craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, (uint16_t)(i % 50), (uint16_t)(1 + net_random(&net) % 60000), VIEW("\0\0\0\0", 4));
    assert_true(net.side[1].shared.memory_bytes < 420000);
    net_drain(&net, 1);
    assert_int_equal(net.side[1].received_bytes, 0);
    assert_true(is_up(1));
    net_fini(&net);
}

static void test_fragments_in_every_second_place_are_bounded(void **state)
{
    (void)state;
    start(&(struct sctp_config){.window_bytes = 200000, .max_message_bytes = 50000});
    for (uint32_t i = 1; i < SCTP_TSN_SPREAD_MAX; i += 2)
        craft_data_to(&net, 1, 0, i, 0, 0, VIEW("x", 1));
    assert_true(net.side[1].shared.memory_bytes < 200000 + 2 * SCTP_TSN_SPREAD_MAX * sizeof(struct sctp_slot));
    struct sctp_tx tx;
    assert_true(sctp_poll_tx(victim(), &tx));                /* a SACK with more gaps than a packet has room for */
    assert_true(tx.size <= SCTP_MTU_DEFAULT);
    net_drain(&net, 1);
    assert_true(is_up(1));
    net_fini(&net);
}

static void test_heartbeats_are_answered_by_a_few(void **state)
{
    (void)state;
    start(NULL);
    for (int i = 0; i < 1000; i++)
        chunk_to_victim(SCTP_HEARTBEAT, block, sizeof(block));
    assert_int_equal(counters(1)->replies_dropped, 1000 - SCTP_REPLIES_MAX);
    assert_true(net.side[1].shared.memory_bytes < SCTP_REPLIES_MAX * SCTP_PACKET_MAX + 2048);
    net_fini(&net);
}

static void test_the_budget_of_the_worker_holds(void **state)
{
    (void)state;
    start(NULL);
    net.side[1].shared.memory_bytes_max = 100000;
    struct sctp_message message = net_message(0);
    net.side[1].link.is_cut = true;
    uint32_t taken = 0;
    while (net_send(&net, 1, &message, 10000) == ERR_NONE)
        taken++;
    assert_int_equal(taken, 9);
    sctp_hold(victim(), net.now, true);
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, 0, VIEW(block, 1100));
    for (int i = 0; i < 20; i++)
        craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, (uint16_t)(i + 1), VIEW(block, 1100));
    assert_true(counters(1)->no_budget > 5);
    assert_true(net.side[1].shared.memory_bytes < 110000);
    net_fini(&net);
}

/* ---- FORWARD TSN ---- */

static void test_forward_tsn_out_of_reach_is_dropped(void **state)
{
    (void)state;
    start(NULL);
    uint8_t value[4 + 4 * 200];
    for (size_t i = 4; i < sizeof(value); i += 2)
        put_u16(value + i, (uint16_t)(net_random(&net) % 1024));
    put_u32(value, victim()->rx.cum + SCTP_TSN_SPREAD_MAX + 1);
    chunk_to_victim(SCTP_FORWARD_TSN, value, sizeof(value));
    assert_int_equal(counters(1)->outside_window, 1);
    put_u32(value, victim()->rx.cum - 5);
    chunk_to_victim(SCTP_FORWARD_TSN, value, sizeof(value));
    put_u32(value, victim()->rx.cum + 3);                    /* three TSNs can't have been hundreds of messages */
    chunk_to_victim(SCTP_FORWARD_TSN, value, sizeof(value));
    assert_true(counters(1)->malformed > 100);
    chunk_to_victim(SCTP_FORWARD_TSN, value, 6);             /* half a stream */
    assert_true(is_up(1));
    net_fini(&net);
}

static void test_forward_tsn_drops_what_is_not_whole_and_delivers_what_waited(void **state)
{
    (void)state;
    start(NULL);
    uint8_t data[4];
    put_u32(data, 1);
    craft_data_to(&net, 1, SCTP_FLAG_B, 0, 1, 0, VIEW("\0\0\0\0", 4));       /* a beginning; its end is given up */
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 1, 1, 1, VIEW(data, 4));
    craft_data_to(&net, 1, SCTP_FLAG_B, 2, 2, 0, VIEW("\0\0\0\0", 4));       /* one that goes on */
    net_drain(&net, 1);
    assert_int_equal(net.side[1].received[1], 0);
    uint8_t forward[8];
    put_u32(forward, victim()->rx.cum + 1);
    put_u16(forward + 4, 1);
    put_u16(forward + 6, 0);
    chunk_to_victim(SCTP_FORWARD_TSN, forward, sizeof(forward));
    craft_data_to(&net, 1, SCTP_FLAG_E, 0, 2, 0, VIEW("x", 1));
    net_drain(&net, 1);
    assert_int_equal(net.side[1].received[1], 1);
    assert_true(is_up(1));
    net_fini(&net);
}

/* ---- RE-CONFIG ---- */

static void test_requests_that_can_not_be_are_answered_so(void **state)
{
    (void)state;
    start(&(struct sctp_config){.streams_in = 16, .streams_out = 16});
    const uint32_t seq = victim()->reconfig.peer_seq;
    const struct {
        uint16_t type;
        uint32_t seq;
        uint16_t stream;
        uint32_t result;
    } cases[] = {
        {SCTP_PARAM_RESET_OUT, seq + 1, 1, 5},   /* the wrong number */
        {SCTP_PARAM_RESET_OUT, seq, 16, 3},      /* no such stream */
        {SCTP_PARAM_RESET_OUT, seq, 16, 3},      /* the same again: the same answer */
        {SCTP_PARAM_RESET_TSN, seq + 1, 0, 2},
        {SCTP_PARAM_ADD_IN, seq + 2, 1, 2},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint8_t value[4 + 4 + 8 + 2];
        put_u16(value, cases[i].type);
        put_u16(value + 2, sizeof(value));
        put_u32(value + 4, cases[i].seq);
        put_u32(value + 8, 0);
        put_u32(value + 12, victim()->rx.cum);
        put_u16(value + 16, cases[i].stream);
        chunk_to_victim(SCTP_RECONFIG, value, sizeof(value));
        struct sctp_tx tx;
        assert_true(sctp_poll_tx(victim(), &tx));
        assert_int_equal(tx.data[SCTP_HEADER], SCTP_RECONFIG);
        assert_int_equal(get_u32(tx.data + SCTP_HEADER + 8), cases[i].seq);
        assert_int_equal(get_u32(tx.data + SCTP_HEADER + 12), cases[i].result);
    }
    assert_true(is_up(1));
    net_fini(&net);
}

/* Resets nobody takes notice of are bounded as messages are. */
static void test_a_flood_of_resets_is_bounded(void **state)
{
    (void)state;
    start(&(struct sctp_config){.window_bytes = 120000, .max_message_bytes = 50000});
    sctp_hold(victim(), net.now, true);
    for (int round = 0; round < 1000; round++) {
        uint8_t value[4 + 12 + 2 * 500];
        put_u16(value, SCTP_PARAM_RESET_OUT);
        put_u16(value + 2, sizeof(value));
        put_u32(value + 4, victim()->reconfig.peer_seq);
        put_u32(value + 8, 0);
        put_u32(value + 12, victim()->rx.cum);
        for (uint16_t i = 0; i < 500; i++)
            put_u16(value + 16 + 2 * i, i);
        chunk_to_victim(SCTP_RECONFIG, value, sizeof(value));
    }
    assert_true(net.side[1].shared.memory_bytes < 250000);
    sctp_hold(victim(), net.now, false);
    net_drain(&net, 1);
    assert_true(net.side[1].resets_in >= 500);
    assert_true(net.side[1].shared.memory_bytes < 16384);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tsns_out_of_reach_are_dropped),
        cmocka_unit_test(test_the_farthest_tsn_within_reach_costs_little_and_comes_back),
        cmocka_unit_test(test_a_sack_of_what_was_never_sent_aborts),
        cmocka_unit_test(test_a_shutdown_of_what_was_never_sent_aborts),
        cmocka_unit_test(test_gap_blocks_that_make_no_sense_are_skipped),
        cmocka_unit_test(test_streams_beyond_the_negotiated_are_told_and_dropped),
        cmocka_unit_test(test_an_empty_data_chunk_aborts),
        cmocka_unit_test(test_fragments_that_do_not_fit_abort),
        cmocka_unit_test(test_a_message_that_ends_in_no_stream_aborts),
        cmocka_unit_test(test_a_message_without_end_is_aborted_at_the_limit),
        cmocka_unit_test(test_a_flood_of_tiny_messages_is_bounded_by_the_window),
        cmocka_unit_test(test_messages_out_of_turn_are_bounded),
        cmocka_unit_test(test_fragments_in_every_second_place_are_bounded),
        cmocka_unit_test(test_heartbeats_are_answered_by_a_few),
        cmocka_unit_test(test_the_budget_of_the_worker_holds),
        cmocka_unit_test(test_forward_tsn_out_of_reach_is_dropped),
        cmocka_unit_test(test_forward_tsn_drops_what_is_not_whole_and_delivers_what_waited),
        cmocka_unit_test(test_requests_that_can_not_be_are_answered_so),
        cmocka_unit_test(test_a_flood_of_resets_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
