/* The rules of RFC 9260 one by one, on the bytes of packets and on the clock. */
#include <string.h>

#include "craft.h"
#include "proto/sctp/dcep.h"
#include "support/seams.h"

static struct net net;
static const uint8_t block[1100];

static void start(const struct sctp_config *config)
{
    net_init(&net, 31, config);
    net_connect(&net);
    net_run(&net, SEC(1));
}

static const struct sctp_counters *counters(int side)
{
    return &net.side[side].shared.counters;
}

static struct sctp_info info_of(int side)
{
    struct sctp_info info;
    sctp_describe(net.side[side].sctp, &info);
    return info;
}

static void send_many(int side, uint16_t stream, int count, size_t size)
{
    struct sctp_message message = net_message(stream);
    for (int i = 0; i < count; i++)
        assert_int_equal(net_send(&net, side, &message, size), ERR_NONE);
}

/* The chunk types of one packet, as text; of a chunk in it, its value. */
static struct view find_chunk(const struct sctp_tx *tx, uint8_t type)
{
    struct reader r = reader_of(VIEW(tx->data + SCTP_HEADER, tx->size - SCTP_HEADER));
    struct sctp_chunk chunk;
    while (sctp_chunk_next(&r, &chunk))
        if (chunk.type == type)
            return chunk.value;
    return VIEW(NULL, 0);
}

/* ---- memory ---- */

static void test_an_idle_association_costs_at_most_8_kb(void **state)
{
    (void)state;
    start(NULL);
    struct dcep_counters dcep_counters = {0};
    struct dcep dcep;
    dcep_init(&dcep, net.side[0].sctp, true, 0, &dcep_counters);
    uint16_t stream;
    for (int i = 0; i < 3; i++)
        assert_int_equal(dcep_open(&dcep, net.now, &(struct dcep_open){.label = VIEW("chat", 4)}, &stream), ERR_NONE);
    net.allow_junk = true;
    for (int i = 0; i < 50; i++) {
        send_many(0, 10, 5, 30000);
        send_many(1, 10, 5, 30000);
        assert_true(net_run_until_idle(&net, SEC(60)));
    }
    net_run(&net, SEC(100));
    for (int side = 0; side < 2; side++) {
        assert_int_equal(info_of(side).memory_bytes, sctp_size() + net.side[side].shared.memory_bytes);
        assert_true(info_of(side).memory_bytes + sizeof(dcep) + 3 * 200 <= 8192);
    }
    dcep_fini(&dcep);
    net_fini(&net);
}

/* ---- bytes ---- */

static void test_an_init_is_what_the_rfcs_draw(void **state)
{
    (void)state;
    net_init(&net, 1, &(struct sctp_config){.streams_in = 300, .streams_out = 1024, .window_bytes = 0x180000});
    sctp_connect(net.side[0].sctp, net.now);
    struct sctp_tx tx;
    assert_true(sctp_poll_tx(net.side[0].sctp, &tx));
    const uint8_t expected[] = {
        0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0,                      /* ports 5000, tag 0, checksum */
        1, 0, 0, 30,                                                         /* INIT */
        0, 0, 0, 0, 0, 0x18, 0, 0, 4, 0, 1, 44, 0, 0, 0, 0,                  /* tag, window, streams out, in, TSN */
        0xc0, 0, 0, 4, 0x80, 8, 0, 6, 130, 192, 0, 0,                        /* FORWARD TSN; RE-CONFIG and FORWARD TSN; padding */
    };
    assert_int_equal(tx.size, sizeof(expected));
    assert_true(sctp_checksum_is_right(VIEW(tx.data, tx.size)));
    assert_int_not_equal(get_u32(tx.data + 16), 0);
    memset(tx.data + 8, 0, 4);
    memset(tx.data + 16, 0, 4);
    memset(tx.data + 28, 0, 4);
    assert_memory_equal(tx.data, expected, sizeof(expected));
    net_fini(&net);
}

static void test_small_messages_share_a_packet(void **state)
{
    (void)state;
    start(NULL);
    send_many(0, 1, 10, 50);
    struct sctp_tx tx;
    assert_true(sctp_poll_tx(net.side[0].sctp, &tx));
    assert_int_equal(tx.size, 12 + 10 * (16 + 52));
    assert_false(sctp_poll_tx(net.side[0].sctp, &tx));
    net_fini(&net);
}

static void test_the_first_flight_is_ten_packets(void **state)
{
    (void)state;
    start(NULL);
    send_many(0, 1, 40, 1132);
    const uint32_t before = net.side[0].packets;
    net_drain(&net, 0);
    assert_int_equal(net.side[0].packets - before, SCTP_BURST_PACKETS + 1);      /* flight < cwnd lets the last one over */
    net_fini(&net);
}

static void test_unknown_chunks_are_treated_by_their_upper_bits(void **state)
{
    (void)state;
    const struct {
        uint8_t type;
        bool goes_on, is_told;
    } cases[] = {{0x3f, false, false}, {0x7f, false, true}, {0xbf, true, false}, {0xff, true, true}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        start(NULL);
        struct craft craft = craft_begin(net.side[1].sctp->local_tag);
        craft_chunk(&craft, cases[i].type, 0, VIEW("what", 4));
        craft_data(&craft, SCTP_FLAG_B | SCTP_FLAG_E, net.side[1].sctp->rx.cum + 1, 0, 0, VIEW("\0\0\0\0", 4));
        craft_send(&net, 1, &craft);
        struct sctp_tx tx;
        const bool told = sctp_poll_tx(net.side[1].sctp, &tx) && find_chunk(&tx, SCTP_ERROR).size == 4 + 8;
        assert_int_equal(told, cases[i].is_told);
        if (told)
            assert_memory_equal(find_chunk(&tx, SCTP_ERROR).data + 4, ((uint8_t[]){cases[i].type, 0, 0, 8}), 4);
        net_drain(&net, 1);
        assert_int_equal(net.side[1].received[0], cases[i].goes_on);
        net_fini(&net);
    }
}

static void test_unknown_parameters_of_an_init_are_treated_by_their_upper_bits(void **state)
{
    (void)state;
    const struct {
        uint16_t type;
        bool goes_on, is_told;
    } cases[] = {{0x3fff, false, false}, {0x7fff, false, true}, {0xbfff, true, false}, {0xffff, true, true}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        net_init(&net, 32, NULL);
        uint8_t value[16 + 8 + 4] = {0, 0, 0, 9, 0, 1, 0, 0, 0, 5, 0, 5, 0, 0, 0, 1};
        put_u16(value + 16, cases[i].type);
        put_u16(value + 18, 8);
        put_u16(value + 24, SCTP_PARAM_FORWARD_TSN);
        put_u16(value + 26, 4);
        struct craft craft = craft_begin(0);
        craft_chunk(&craft, SCTP_INIT, 0, VIEW(value, sizeof(value)));
        craft_send(&net, 1, &craft);
        struct sctp_tx tx;
        assert_true(sctp_poll_tx(net.side[1].sctp, &tx));
        const struct view ack = find_chunk(&tx, SCTP_INIT_ACK);
        struct reader r = reader_of(VIEW(ack.data + 16, ack.size - 16));
        struct sctp_param param;
        bool told = false;
        uint8_t has_forward_tsn = 2;
        while (sctp_param_next(&r, &param)) {
            if (param.type == SCTP_PARAM_UNKNOWN)
                told = param.value.size == 8 && get_u16(param.value.data) == cases[i].type;
            if (param.type == SCTP_PARAM_COOKIE)             /* what the offer was read as, in the cookie */
                has_forward_tsn = param.value.data[40];
        }
        assert_int_equal(told, cases[i].is_told);
        assert_int_equal(has_forward_tsn, cases[i].goes_on);
        net_fini(&net);
    }
}

/* ---- SACKs ---- */

static bool polls(int side, struct sctp_tx *tx)
{
    net.now += MSEC(1);
    sctp_timeout(net.side[side].sctp, net.now);
    return sctp_poll_tx(net.side[side].sctp, tx);
}

static void test_every_second_packet_is_acknowledged_at_once_one_after_a_while(void **state)
{
    (void)state;
    start(NULL);
    net.allow_junk = true;
    struct sctp_tx tx;
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, 0, VIEW("x", 1));
    assert_false(polls(1, &tx));
    assert_true(sctp_deadline(net.side[1].sctp) <= net.now + SCTP_SACK_DELAY_US);
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, 1, VIEW("x", 1));
    assert_true(polls(1, &tx));
    assert_int_equal(get_u32(find_chunk(&tx, SCTP_SACK).data), net.side[1].sctp->rx.cum);
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, 2, VIEW("x", 1));
    net.now += SCTP_SACK_DELAY_US;
    assert_true(polls(1, &tx));
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E | SCTP_FLAG_I, 0, 0, 3, VIEW("x", 1));
    assert_true(polls(1, &tx));                              /* the peer asked for it */
    net_fini(&net);
}

/* What is said now and then is acknowledged at once; what is said often, every second time; and what is lost of it is found by the
 * probe, which reckons with a SACK that waits. The round trip is 20 ms, and is measured as such. */
static void test_little_messages_ask_for_a_sack_now_and_then(void **state)
{
    (void)state;
    start(NULL);
    for (int every_ms = 300; every_ms >= 30; every_ms -= 270) {
        const uint32_t before = net.side[1].packets;
        for (int i = 0; i < 100; i++) {
            send_many(0, 1, 1, 100);
            net_run(&net, MSEC(every_ms));
        }
        const uint32_t sacks = net.side[1].packets - before;
        if (every_ms == 300)
            assert_in_range(sacks, 100, 104);                /* heartbeats are among them */
        else
            assert_in_range(sacks, 50, 60);
        assert_in_range(info_of(0).srtt_us, MSEC(20), MSEC(21));
    }
    net.side[0].link.is_cut = true;
    send_many(0, 1, 1, 100);
    net_drain(&net, 0);
    net.side[0].link.is_cut = false;
    const usec_t began = net.now;
    assert_true(net_run_until_idle(&net, SEC(5)));
    assert_true(net.now - began <= MSEC(300));
    assert_int_equal(counters(0)->timeouts, 0);
    assert_int_equal(counters(0)->retransmits, 1);           /* none of it in vain, before */
    net_fini(&net);
}

/* A SACK that waits its 200 ms is no time-out, however long the way. */
static void test_a_sack_that_waits_is_no_time_out(void **state)
{
    (void)state;
    for (usec_t way = MSEC(5); way <= MSEC(300); way += MSEC(59)) {
        net_init(&net, 36, NULL);
        net_link_both(&net, (struct net_link){.delay_us = way});
        net_connect(&net);
        for (int i = 0; i < 200; i++) {
            send_many(0, 1, 1, 100);
            net_run(&net, MSEC(10 + 7 * (i % 30)));
        }
        net_run(&net, SEC(2));
        assert_int_equal(counters(0)->retransmits, 0);
        assert_int_equal(net.side[1].received[1], 200);
        net_fini(&net);
    }
}

static void test_gaps_and_duplicates_are_told(void **state)
{
    (void)state;
    start(NULL);
    net.allow_junk = true;
    const uint32_t cum = net.side[1].sctp->rx.cum;
    const uint32_t aheads[] = {1, 2, 4, 7, 7};
    struct sctp_tx tx;
    for (size_t i = 0; i < ARRAY_COUNT(aheads); i++) {
        craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E | SCTP_FLAG_U, aheads[i], 0, 0, VIEW("x", 1));
        assert_true(polls(1, &tx));                          /* at once, as something is missing */
    }
    const struct view sack = find_chunk(&tx, SCTP_SACK);
    assert_int_equal(get_u32(sack.data), cum);
    const uint8_t rest[] = {0, 3, 0, 1, 0, 2, 0, 3, 0, 5, 0, 5, 0, 8, 0, 8};
    assert_int_equal(sack.size, 8 + sizeof(rest) + 4);
    assert_memory_equal(sack.data + 8, rest, sizeof(rest));
    assert_int_equal(get_u32(sack.data + 8 + sizeof(rest)), cum + 8);
    net_fini(&net);
}

static void test_a_sack_goes_along_with_data(void **state)
{
    (void)state;
    start(NULL);
    net.allow_junk = true;
    craft_data_to(&net, 1, SCTP_FLAG_B | SCTP_FLAG_E, 0, 0, 0, VIEW("x", 1));
    send_many(1, 0, 1, 100);
    struct sctp_tx tx;
    assert_true(sctp_poll_tx(net.side[1].sctp, &tx));
    assert_int_equal(find_chunk(&tx, SCTP_SACK).size, 12);
    assert_int_equal(find_chunk(&tx, SCTP_DATA).size, 12 + 100);
    assert_false(sctp_poll_tx(net.side[1].sctp, &tx));
    net_fini(&net);
}

/* ---- losses ---- */

static int lose_at, lose_count;

/* Side 0's data packets from the lose_at-th on are lost, lose_count of them; the link is cut for one packet at a time. */
static void lose_some(struct net *n, int from, struct view packet)
{
    if (from != 0 || packet.size < 200)
        return;
    n->side[0].link.is_cut = lose_at <= 0 && lose_count > 0;
    if (lose_at-- <= 0)
        lose_count--;
}

static void start_losing(int at, int count)
{
    start(NULL);
    send_many(0, 1, 4, 1000);                                /* the round trip is measured */
    assert_true(net_run_until_idle(&net, SEC(1)));
    lose_at = at;
    lose_count = count;
    net.on_packet = lose_some;
}

static void test_a_lost_packet_is_sent_again_without_a_time_out(void **state)
{
    (void)state;
    for (int at = 0; at < 10; at++)
        for (int count = 1; count <= 3; count++) {
            start_losing(at, count);
            send_many(0, 1, 20, 1000);
            const usec_t began = net.now;
            assert_true(net_run_until_idle(&net, SEC(5)));
            assert_int_equal(net.side[1].received[1], 24);
            assert_int_equal(counters(0)->timeouts, 0);
            assert_true(net.now - began <= MSEC(200));       /* the round trip is 20 ms */
            net_fini(&net);
        }
}

/* Half a second there and back, and half a second more for what is sent again: longer than the time-out as it was set first. */
static void test_a_long_way_is_no_time_out(void **state)
{
    (void)state;
    net_init(&net, 35, NULL);
    net_link_both(&net, (struct net_link){.delay_us = MSEC(250)});
    net_connect(&net);
    for (int i = 0; i < 20; i++) {                           /* the variance goes down */
        send_many(0, 1, 2, 1000);
        assert_true(net_run_until_idle(&net, SEC(5)));
    }
    for (int i = 0; i < 5; i++) {
        lose_at = i;
        lose_count = 1;
        net.on_packet = lose_some;
        send_many(0, 1, 10, 1000);
        assert_true(net_run_until_idle(&net, SEC(10)));
        assert_int_equal(counters(0)->retransmits, i + 1);
        assert_int_equal(counters(0)->timeouts, 0);
    }
    net_fini(&net);
}

static void test_the_last_packet_lost_is_found_by_a_probe(void **state)
{
    (void)state;
    for (int count = 1; count <= 3; count++) {
        start_losing(6 - count, count);
        send_many(0, 1, 6, 1000);
        const usec_t began = net.now;
        assert_true(net_run_until_idle(&net, SEC(5)));
        assert_int_equal(net.side[1].received[1], 10);
        assert_int_equal(counters(0)->timeouts, 0);
        assert_true(net.now - began <= MSEC(200));
        net_fini(&net);
    }
}

static void test_a_lost_retransmission_is_found_without_a_time_out(void **state)
{
    (void)state;
    start_losing(0, 1);
    send_many(0, 1, 1, 1000);
    net_drain(&net, 0);
    lose_at = 5;                                             /* five more, then its retransmission */
    lose_count = 1;
    send_many(0, 1, 30, 1000);
    assert_true(net_run_until_idle(&net, SEC(5)));
    assert_int_equal(net.side[1].received[1], 35);
    assert_int_equal(counters(0)->timeouts, 0);
    net_fini(&net);
}

static void test_a_time_out_sends_one_packet_and_backs_off(void **state)
{
    (void)state;
    start(NULL);
    send_many(0, 1, 4, 1000);
    assert_true(net_run_until_idle(&net, SEC(1)));
    net.side[0].link.is_cut = true;
    send_many(0, 1, 20, 1000);
    net_drain(&net, 0);
    net_run(&net, MSEC(350));                                /* the flight, and its probe */
    uint32_t before = net.side[0].packets;
    usec_t wait = SCTP_RTO_MIN_US;
    for (int i = 0; i < 3; i++) {
        net_run(&net, wait);
        assert_in_range(net.side[0].packets - before, 1, 2); /* 1,160 bytes of window: one packet, or one and what fits on */
        assert_int_equal(counters(0)->timeouts, i + 1);
        assert_int_equal(info_of(0).cwnd_bytes, SCTP_MTU_DEFAULT);
        before = net.side[0].packets;
        wait *= 2;
    }
    net.side[0].link.is_cut = false;
    assert_true(net_run_until_idle(&net, SEC(20)));
    assert_int_equal(net.side[1].received[1], 24);
    net_fini(&net);
}

static void test_a_peer_that_vanishes_is_given_up(void **state)
{
    (void)state;
    start(NULL);
    net.side[0].link.is_cut = net.side[1].link.is_cut = true;
    send_many(0, 1, 20, 1000);
    net_run(&net, SEC(200));
    assert_int_equal(net.side[0].reason, SCTP_REASON_UNREACHABLE);
    net_run(&net, SEC(600));                                 /* the other has nothing to send: heartbeats find out */
    assert_int_equal(net.side[1].reason, SCTP_REASON_UNREACHABLE);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(net.side[side].shared.memory_bytes, 0);
        assert_int_equal(sctp_deadline(net.side[side].sctp), USEC_NEVER);
    }
    net_fini(&net);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    net_init(&net, 33, NULL);
    net.side[0].link.is_cut = true;
    sctp_connect(net.side[0].sctp, net.now);
    net_run(&net, SEC(120));
    assert_int_equal(net.side[0].packets, 1 + SCTP_MAX_INIT_RETRANS);
    assert_int_equal(net.side[0].reason, SCTP_REASON_NO_ANSWER);
    net_fini(&net);
}

static void test_an_idle_association_keeps_itself_alive(void **state)
{
    (void)state;
    start(NULL);
    const uint32_t before = net.side[0].packets + net.side[1].packets;
    net_run(&net, SEC(3600));
    const uint32_t packets = net.side[0].packets + net.side[1].packets - before;
    assert_in_range(packets, 4 * 100, 4 * 120);              /* each asks every 30 s and a bit, and is answered */
    assert_int_equal(sctp_get_state(net.side[0].sctp), SCTP_STATE_ESTABLISHED);
    net_fini(&net);
}

/* ---- windows and buffers ---- */

static void test_a_peer_that_never_reads_costs_a_bounded_amount(void **state)
{
    (void)state;
    start(&(struct sctp_config){.buffer_bytes = 100000, .window_bytes = 60000, .max_message_bytes = 20000});
    sctp_hold(net.side[1].sctp, net.now, true);
    struct sctp_message message = net_message(1);
    uint32_t taken = 0;
    for (int i = 0; i < 600; i++) {
        for (int k = 0; k < 3; k++)
            taken += net_send(&net, 0, &message, 5000) == ERR_NONE;
        net_run(&net, SEC(1));
    }
    assert_true(taken * 5000 <= 160000);
    assert_true(net.side[0].shared.memory_bytes < 110000);
    assert_true(net.side[1].shared.memory_bytes < 65000);
    assert_true(counters(0)->sends_refused > 1000);
    assert_int_equal(sctp_get_state(net.side[0].sctp), SCTP_STATE_ESTABLISHED);      /* a closed window is no dead peer */
    assert_int_equal(net.side[0].writables, 0);
    sctp_hold(net.side[1].sctp, net.now, false);
    assert_true(net_run_until_idle(&net, SEC(60)));
    assert_int_equal(net.side[1].received[1], taken);
    assert_int_equal(net.side[0].writables, 1);
    net_fini(&net);
}

/* Held for a minute, with a window that nothing or only a little is left of: one chunk knocks now and then, which is neither a dead
 * path nor a crowded one, and once the window is told to be open, all goes on at once. */
static void test_a_receiver_that_reads_again_is_sent_to_at_once(void **state)
{
    (void)state;
    for (size_t size = 900; size <= 1400; size += 50) {      /* what is left of the window differs */
        start(&(struct sctp_config){.buffer_bytes = 400000, .window_bytes = 60000, .max_message_bytes = 20000});
        send_many(0, 1, 40, size);
        assert_true(net_run_until_idle(&net, SEC(5)));
        const struct sctp_info before = info_of(0);
        sctp_hold(net.side[1].sctp, net.now, true);
        send_many(0, 1, 200, size);
        net_run(&net, SEC(60));
        const uint32_t knocks = net.side[0].packets;
        net_run(&net, SEC(60));
        assert_in_range(net.side[0].packets - knocks, 6, 20);
        assert_int_equal(sctp_get_state(net.side[0].sctp), SCTP_STATE_ESTABLISHED);
        sctp_hold(net.side[1].sctp, net.now, false);
        const usec_t began = net.now;
        assert_true(net_run_until_idle(&net, SEC(60)));
        assert_int_equal(net.side[1].received[1], 240);
        assert_true(net.now - began <= MSEC(400));           /* 200 kB, 60 kB a round trip of 20 ms at most */
        assert_true(info_of(0).cwnd_bytes >= SCTP_BURST_PACKETS * SCTP_MTU_DEFAULT);
        assert_true(info_of(0).rto_us <= before.rto_us * 2);
        net_fini(&net);
    }
}

static void test_sends_are_refused_for_what_they_are(void **state)
{
    (void)state;
    start(&(struct sctp_config){.streams_out = 8, .remote_max_message_bytes = 5000, .buffer_bytes = 10000});
    struct sctp_message message = net_message(7);
    struct sctp *sctp = net.side[0].sctp;
    assert_int_equal(sctp_send(sctp, net.now, &message, VIEW(block, 0)), ERR_INVALID);
    assert_int_equal(net_send(&net, 0, &message, 5001), ERR_INVALID);
    sctp_set_remote_max(sctp, 6000);
    assert_int_equal(net_send(&net, 0, &message, 5001), ERR_NONE);
    assert_int_equal(sctp_buffered(sctp), 5001);
    assert_int_equal(sctp_stream_queued(sctp, 7), 5001);
    assert_int_equal(net_send(&net, 0, &message, 5001), ERR_FULL);
    message.stream = 8;
    assert_int_equal(net_send(&net, 0, &message, 100), ERR_INVALID);
    assert_int_equal(sctp_reset_stream(sctp, net.now, 8), ERR_INVALID);
    assert_int_equal(sctp_reset_stream(sctp, net.now, 7), ERR_NONE);
    message.stream = 7;
    assert_int_equal(net_send(&net, 0, &message, 100), ERR_STATE);
    assert_true(net_run_until_idle(&net, SEC(5)));
    assert_int_equal(net.side[0].writables, 1);
    assert_int_equal(sctp_stream_queued(sctp, 7), 0);
    sctp_shutdown(sctp, net.now);
    assert_int_equal(net_send(&net, 0, &message, 100), ERR_STATE);
    assert_int_equal(sctp_reset_stream(sctp, net.now, 7), ERR_STATE);
    net_fini(&net);
}

/* A reordered reset waits for the data before it. */
static void test_a_reset_comes_after_all_that_was_sent_before(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        net_init(&net, seed, NULL);
        net_link_both(&net, (struct net_link){MSEC(10), MSEC(40), 150, 100, 0, 0, false});
        net_connect(&net);
        send_many(0, 3, 30, 3000);
        assert_int_equal(sctp_reset_stream(net.side[0].sctp, net.now, 3), ERR_NONE);
        while (net.side[1].resets_in == 0)
            net_run(&net, MSEC(1));
        assert_int_equal(net.side[1].received[3], 30);
        net_run(&net, SEC(30));
        assert_int_equal(net.side[0].resets_out, 1);
        send_many(0, 3, 1, 10);                              /* from number 0 on again */
        net_run(&net, SEC(30));
        assert_int_equal(net.side[1].received[3], 31);
        assert_int_equal(net.side[1].resets_in, 1);
        net_fini(&net);
    }
}

static void test_streams_can_be_added_up_to_what_the_peer_takes(void **state)
{
    (void)state;
    net_init(&net, 34, &(struct sctp_config){.streams_out = 10, .streams_in = 40});
    net_connect(&net);
    assert_int_equal(net.side[0].streams_out, 10);
    struct sctp_message message = net_message(20);
    assert_int_equal(net_send(&net, 0, &message, 10), ERR_INVALID);
    assert_int_equal(sctp_add_streams(net.side[0].sctp, net.now, 30), ERR_NONE);
    assert_int_equal(sctp_add_streams(net.side[0].sctp, net.now, 1), ERR_STATE);
    net_run(&net, SEC(1));
    assert_int_equal(net.side[0].streams_out, 40);
    assert_int_equal(net.side[1].streams_in, 40);
    assert_int_equal(net_send(&net, 0, &message, 10), ERR_NONE);
    assert_int_equal(sctp_add_streams(net.side[0].sctp, net.now, 1), ERR_NONE);
    net_run(&net, SEC(1));
    assert_int_equal(net.side[0].refused, 1);
    assert_int_equal(net.side[0].streams_out, 40);
    assert_int_equal(net.side[1].received[20], 1);
    net_fini(&net);
}

/* ---- partial reliability ---- */

static void test_what_was_never_sent_expires_without_a_trace(void **state)
{
    (void)state;
    start(&(struct sctp_config){.window_bytes = 40000, .max_message_bytes = 20000});
    sctp_hold(net.side[1].sctp, net.now, true);
    struct sctp_message message = net_message(1);
    message.reliability = SCTP_LIFETIME;
    message.limit = 100;
    for (int i = 0; i < 40; i++)
        (void)net_send(&net, 0, &message, 5000);
    net_run(&net, SEC(5));
    sctp_hold(net.side[1].sctp, net.now, false);
    net.allow_gaps = true;
    net_run(&net, SEC(60));
    assert_in_range(net.side[1].received[1], 2, 10);
    assert_true(counters(0)->abandoned >= 30);
    assert_int_equal(sctp_buffered(net.side[0].sctp), 0);
    message = net_message(1);
    assert_int_equal(net_send(&net, 0, &message, 10), ERR_NONE);
    net_run(&net, SEC(5));
    assert_int_equal(net.side[1].expected[1], 41);
    net_fini(&net);
}

/* Each message is sent once; what is lost is never seen, what comes is whole and in order, and nothing blocks. */
static void test_no_retransmission_means_none(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        net_init(&net, seed, NULL);
        net_connect(&net);
        net_link_both(&net, (struct net_link){MSEC(10), MSEC(10), 200, 0, 0, 0, false});
        net.allow_gaps = true;
        struct sctp_message message = net_message(1);
        message.reliability = SCTP_RETRANSMITS;
        for (int i = 0; i < 200; i++) {
            assert_int_equal(net_send(&net, 0, &message, i % 4 == 0 ? 5000 : 100), ERR_NONE);
            net_run(&net, MSEC(5));
        }
        net_run(&net, SEC(30));
        assert_int_equal(counters(0)->retransmits, 0);
        assert_in_range(net.side[1].received[1], 80, 195);
        assert_int_equal(net.side[1].wrong, 0);
        assert_int_equal(sctp_buffered(net.side[0].sctp), 0);
        struct sctp_message last = net_message(1);
        assert_int_equal(net_send(&net, 0, &last, 10), ERR_NONE);
        net_run(&net, SEC(30));
        assert_int_equal(net.side[1].received[1] + net.side[1].gone, 201);
        net_fini(&net);
    }
}

/* ---- beginnings and ends ---- */

static void test_a_peer_that_begins_anew_is_taken_back(void **state)
{
    (void)state;
    start(NULL);
    send_many(0, 1, 3, 100);
    send_many(1, 1, 3, 100);
    assert_true(net_run_until_idle(&net, SEC(5)));
    const struct sctp_config config = net.side[0].sctp->config;
    sctp_free(net.side[0].sctp);                             /* without a word */
    net.side[0].sctp = sctp_new(&net.pool, &config, net.now);
    sctp_connect(net.side[0].sctp, net.now);
    net_run(&net, SEC(5));
    assert_int_equal(net.side[0].ups, 2);
    assert_int_equal(net.side[1].restarts, 1);
    assert_int_equal(net.side[1].ups, 1);
    send_many(0, 1, 3, 100);
    send_many(1, 1, 3, 100);
    assert_true(net_run_until_idle(&net, SEC(5)));
    for (int side = 0; side < 2; side++) {
        assert_int_equal(net.side[side].received[1], 6);
        assert_int_equal(net.side[side].wrong, 0);
    }
    net_fini(&net);
}

static void test_orderly_ends_deliver_all(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        net_init(&net, seed, NULL);
        net_link_both(&net, (struct net_link){MSEC(10), MSEC(20), 200, 100, 0, 0, false});
        net_connect(&net);
        send_many(0, 1, 10, 2000);
        send_many(1, 1, 10, 2000);
        sctp_shutdown(net.side[0].sctp, net.now);
        if (seed % 2 == 0)
            sctp_shutdown(net.side[1].sctp, net.now);        /* both at once */
        net_run(&net, SEC(300));
        for (int side = 0; side < 2; side++) {
            assert_true(net.side[side].is_closed);
            assert_int_equal(net.side[side].reason, SCTP_REASON_SHUTDOWN);
        }
        assert_int_equal(net.side[1].received[1], 10);
        if (seed % 2 == 0)
            assert_int_equal(net.side[0].received[1], 10);
        net_fini(&net);
    }
}

static void test_the_end_comes_after_the_last_message_even_when_held(void **state)
{
    (void)state;
    start(NULL);
    sctp_hold(net.side[1].sctp, net.now, true);
    send_many(0, 1, 3, 100);
    net_run(&net, SEC(1));
    sctp_abort(net.side[0].sctp, net.now);
    net_run(&net, SEC(1));
    assert_int_equal(net.side[1].is_closed, 0);
    sctp_hold(net.side[1].sctp, net.now, false);
    net_drain(&net, 1);
    assert_int_equal(net.side[1].received[1], 3);
    assert_int_equal(net.side[1].reason, SCTP_REASON_PEER_ABORTED);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_idle_association_costs_at_most_8_kb),
        cmocka_unit_test(test_an_init_is_what_the_rfcs_draw),
        cmocka_unit_test(test_small_messages_share_a_packet),
        cmocka_unit_test(test_the_first_flight_is_ten_packets),
        cmocka_unit_test(test_unknown_chunks_are_treated_by_their_upper_bits),
        cmocka_unit_test(test_unknown_parameters_of_an_init_are_treated_by_their_upper_bits),
        cmocka_unit_test(test_every_second_packet_is_acknowledged_at_once_one_after_a_while),
        cmocka_unit_test(test_little_messages_ask_for_a_sack_now_and_then),
        cmocka_unit_test(test_a_sack_that_waits_is_no_time_out),
        cmocka_unit_test(test_gaps_and_duplicates_are_told),
        cmocka_unit_test(test_a_sack_goes_along_with_data),
        cmocka_unit_test(test_a_lost_packet_is_sent_again_without_a_time_out),
        cmocka_unit_test(test_a_long_way_is_no_time_out),
        cmocka_unit_test(test_the_last_packet_lost_is_found_by_a_probe),
        cmocka_unit_test(test_a_lost_retransmission_is_found_without_a_time_out),
        cmocka_unit_test(test_a_time_out_sends_one_packet_and_backs_off),
        cmocka_unit_test(test_a_peer_that_vanishes_is_given_up),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_an_idle_association_keeps_itself_alive),
        cmocka_unit_test(test_a_peer_that_never_reads_costs_a_bounded_amount),
        cmocka_unit_test(test_a_receiver_that_reads_again_is_sent_to_at_once),
        cmocka_unit_test(test_sends_are_refused_for_what_they_are),
        cmocka_unit_test(test_a_reset_comes_after_all_that_was_sent_before),
        cmocka_unit_test(test_streams_can_be_added_up_to_what_the_peer_takes),
        cmocka_unit_test(test_what_was_never_sent_expires_without_a_trace),
        cmocka_unit_test(test_no_retransmission_means_none),
        cmocka_unit_test(test_a_peer_that_begins_anew_is_taken_back),
        cmocka_unit_test(test_orderly_ends_deliver_all),
        cmocka_unit_test(test_the_end_comes_after_the_last_message_even_when_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
