/* What a peer may do that is not honest: packets cut and mended, wrong tags, forged cookies, numbers out of reach, floods.
 * It is dropped or answered by an abort as the RFC says, counted, bounded, and nothing leaks. */
#include <string.h>

#include "craft.h"
#include "support/seams.h"

static struct net net;

static const struct sctp_counters *counters(int side)
{
    return &net.side[side].shared.counters;
}

static void start(const struct sctp_config *config)
{
    net_init(&net, 11, config);
    net_connect(&net);
    net_run(&net, SEC(1));
}

static bool is_up(int side)
{
    return sctp_get_state(net.side[side].sctp) == SCTP_STATE_ESTABLISHED;
}

/* ---- every packet cut at every byte ---- */

static void cut_everywhere(struct net *n, int from, struct view packet)
{
    for (size_t size = 0; size < packet.size; size++)
        craft_input(n, 1 - from, VIEW(packet.data, size), true);
}

static void test_every_packet_cut_at_every_byte(void **state)
{
    (void)state;
    net_init(&net, 12, NULL);
    net.on_packet = cut_everywhere;
    net.allow_gaps = true;
    net_link_both(&net, (struct net_link){MSEC(10), 0, 100, 0, 0, 0, false});
    net_connect(&net);
    struct sctp_message reliable = net_message(1), partial = net_message(2);
    partial.reliability = SCTP_RETRANSMITS;
    for (int i = 0; i < 30; i++)
        for (int side = 0; side < 2; side++) {
            assert_int_equal(net_send(&net, side, &reliable, 3000), ERR_NONE);
            assert_int_equal(net_send(&net, side, &partial, 30), ERR_NONE);
            net_run(&net, MSEC(30));
        }
    assert_int_equal(sctp_reset_stream(net.side[0].sctp, net.now, 1), ERR_NONE);
    net_run(&net, SEC(100));                     /* heartbeats, too */
    for (int side = 0; side < 2; side++) {
        assert_int_equal(net.side[side].received[1], 30);
        assert_int_equal(net.side[side].wrong, 0);
        assert_true(counters(side)->malformed > 1000);
    }
    sctp_shutdown(net.side[0].sctp, net.now);
    net_run(&net, SEC(60));
    assert_int_equal(net.side[0].reason, SCTP_REASON_SHUTDOWN);
    assert_int_equal(net.side[1].reason, SCTP_REASON_SHUTDOWN);
    net_fini(&net);
}

/* ---- packets changed at random ---- */

static void mend_and_repeat(struct net *n, int from, struct view packet)
{
    uint8_t bytes[SCTP_PACKET_MAX];
    for (int i = 0; i < 3; i++) {
        memcpy(bytes, packet.data, packet.size);
        for (uint32_t changes = 1 + net_random(n) % 4; changes > 0; changes--)
            bytes[SCTP_HEADER + net_random(n) % (packet.size - SCTP_HEADER)] = (uint8_t)net_random(n);
        craft_input(n, 1 - from, VIEW(bytes, packet.size), true);
    }
}

/* The association may end by it; it may not fall over, nor keep memory. */
static void test_packets_changed_at_random(void **state)
{
    (void)state;
    uint32_t survived = 0;
    for (uint64_t seed = 0; seed < 150; seed++) {
        net_init(&net, seed, NULL);
        net.allow_junk = true;
        net_link_both(&net, (struct net_link){MSEC(10), MSEC(10), 50, 50, 0, 0, false});
        net_connect(&net);
        net.on_packet = mend_and_repeat;
        for (int i = 0; i < 20; i++) {
            struct sctp_message message = net_message((uint16_t)(i % 4));
            message.unordered = i % 3 == 0;
            message.reliability = (uint8_t)(i % 3);
            message.limit = 30;
            (void)net_send(&net, i % 2, &message, i % 5 == 0 ? 5000 : 100);
            if (i % 7 == 0)
                (void)sctp_reset_stream(net.side[i % 2].sctp, net.now, (uint16_t)(i % 4));
            net_run(&net, MSEC(20));
        }
        net_run(&net, SEC(2));
        survived += is_up(0) && is_up(1);
        net_fini(&net);
    }
    assert_true(survived < 150);
}

/* ---- tags and ports ---- */

static void test_wrong_tags_and_ports_are_dropped(void **state)
{
    (void)state;
    start(NULL);
    const uint32_t tag = net.side[1].sctp->local_tag;
    const uint8_t types[] = {SCTP_DATA, SCTP_INIT_ACK, SCTP_SACK, SCTP_HEARTBEAT, SCTP_ABORT, SCTP_SHUTDOWN, SCTP_SHUTDOWN_ACK, SCTP_ERROR,
                             SCTP_COOKIE_ACK, SCTP_SHUTDOWN_COMPLETE, SCTP_RECONFIG, SCTP_FORWARD_TSN};
    for (size_t i = 0; i < sizeof(types); i++) {
        struct craft craft = craft_begin(tag + 1);
        craft_chunk(&craft, types[i], 0, VIEW("0123456789abcdefgh", 16));
        craft_send(&net, 1, &craft);
        craft = craft_begin(0);
        craft_chunk(&craft, types[i], SCTP_FLAG_T, VIEW("0123456789abcdefgh", 16));
        craft_send(&net, 1, &craft);
    }
    assert_int_equal(counters(1)->wrong_tag, 2 * sizeof(types));
    struct craft craft = craft_begin(tag);
    craft_chunk(&craft, SCTP_ABORT, 0, VIEW(NULL, 0));
    put_u16(craft.bytes, 5001);
    craft_send(&net, 1, &craft);
    assert_int_equal(counters(1)->wrong_port, 1);
    craft = craft_begin(tag);
    craft_chunk(&craft, SCTP_ABORT, 0, VIEW(NULL, 0));
    craft.bytes[9] ^= 1;
    craft_input(&net, 1, VIEW(craft.bytes, sctp_pack_end(&craft.p)), false);
    assert_int_equal(counters(1)->wrong_checksum, 0);        /* pack_end has mended it */
    assert_int_equal(net.side[1].is_closed, 0);
    assert_int_equal(sctp_get_state(net.side[1].sctp), SCTP_STATE_CLOSED);   /* the right tag does abort */
    net_fini(&net);
}

static void test_wrong_checksums_are_dropped(void **state)
{
    (void)state;
    start(NULL);
    struct craft craft = craft_begin(net.side[1].sctp->local_tag);
    craft_chunk(&craft, SCTP_ABORT, 0, VIEW(NULL, 0));
    const size_t size = sctp_pack_end(&craft.p);
    for (size_t i = 0; i < size; i++) {
        craft.bytes[i] ^= 0x40;
        craft_input(&net, 1, VIEW(craft.bytes, size), false);
        craft.bytes[i] ^= 0x40;
    }
    assert_int_equal(counters(1)->wrong_checksum, size);
    assert_true(is_up(1));
    net_fini(&net);
}

static void test_a_reflected_tag_counts_with_the_t_bit_only(void **state)
{
    (void)state;
    start(NULL);
    struct craft craft = craft_begin(net.side[0].sctp->local_tag);
    craft_chunk(&craft, SCTP_ABORT, 0, VIEW(NULL, 0));
    craft_send(&net, 1, &craft);
    assert_true(is_up(1));
    craft = craft_begin(net.side[0].sctp->local_tag);
    craft_chunk(&craft, SCTP_ABORT, SCTP_FLAG_T, VIEW(NULL, 0));
    craft_send(&net, 1, &craft);
    assert_false(is_up(1));
    net_fini(&net);
}

/* ---- cookies ---- */

static uint8_t echo[SCTP_PACKET_MAX];
static size_t echo_size;

static void keep_echo(struct net *n, int from, struct view packet)
{
    (void)n;
    if (from == 0 && packet.data[SCTP_HEADER] == SCTP_COOKIE_ECHO) {
        memcpy(echo, packet.data, packet.size);
        echo_size = packet.size;
    }
}

/* Side 0 has its cookie; side 1 has not seen the echo. */
static void start_until_echo(uint64_t seed)
{
    net_init(&net, seed, NULL);
    net.on_packet = keep_echo;
    echo_size = 0;
    sctp_connect(net.side[0].sctp, net.now);
    net_run(&net, MSEC(19));
    net.side[0].link.is_cut = true;
    net_run(&net, MSEC(5));
    assert_true(echo_size > 0);
}

static void test_forged_cookies_are_dropped(void **state)
{
    (void)state;
    start_until_echo(13);
    for (size_t i = SCTP_HEADER + SCTP_CHUNK_HEADER; i < echo_size; i++)
        for (int bit = 0; bit < 8; bit++) {
            echo[i] ^= (uint8_t)(1 << bit);
            craft_input(&net, 1, VIEW(echo, echo_size), true);
            echo[i] ^= (uint8_t)(1 << bit);
        }
    const size_t padding = (4 - (get_u16(echo + SCTP_HEADER + 2) % 4)) % 4;
    const size_t cookie = echo_size - SCTP_HEADER - SCTP_CHUNK_HEADER - padding;
    assert_int_equal(sctp_get_state(net.side[1].sctp) == SCTP_STATE_ESTABLISHED, padding > 0);   /* padding is not signed */
    assert_int_equal(counters(1)->bad_cookies, cookie * 8);
    net_fini(&net);
}

static void test_a_cookie_of_another_association_is_dropped(void **state)
{
    (void)state;
    start_until_echo(14);
    uint8_t other[SCTP_PACKET_MAX];
    const size_t other_size = echo_size;
    memcpy(other, echo, echo_size);
    net_fini(&net);
    start_until_echo(15);
    craft_input(&net, 1, VIEW(other, other_size), true);
    assert_int_equal(counters(1)->bad_cookies, 1);
    assert_int_equal(sctp_get_state(net.side[1].sctp), SCTP_STATE_NEW);
    net_fini(&net);
}

static void test_a_stale_cookie_is_refused_and_setup_goes_on(void **state)
{
    (void)state;
    start_until_echo(16);
    net.now += SCTP_COOKIE_LIFE_US + SEC(1);
    craft_input(&net, 1, VIEW(echo, echo_size), true);
    assert_int_equal(counters(1)->stale_cookies, 1);
    assert_int_equal(sctp_get_state(net.side[1].sctp), SCTP_STATE_NEW);
    net.side[0].link.is_cut = false;
    net_run(&net, SEC(10));                      /* the ERROR makes side 0 begin again */
    assert_true(is_up(0));
    assert_true(is_up(1));
    net_fini(&net);
}

static void test_a_cookie_echoed_again_changes_nothing(void **state)
{
    (void)state;
    start_until_echo(17);
    net.side[0].link.is_cut = false;
    net_run(&net, SEC(5));
    struct sctp_message message = net_message(0);
    assert_int_equal(net_send(&net, 0, &message, 100), ERR_NONE);
    net_run(&net, SEC(1));
    for (int i = 0; i < 100; i++)
        craft_input(&net, 1, VIEW(echo, echo_size), true);
    net_drain(&net, 1);
    assert_int_equal(net_send(&net, 0, &message, 100), ERR_NONE);
    net_run(&net, SEC(1));
    assert_int_equal(net.side[1].ups, 1);
    assert_int_equal(net.side[1].received[0], 2);
    net_fini(&net);
}

/* ---- INITs ---- */

static void test_a_flood_of_inits_is_answered_by_a_few(void **state)
{
    (void)state;
    start(NULL);
    const size_t before = net.side[1].shared.memory_bytes;
    for (uint32_t i = 0; i < 1000; i++) {
        struct craft craft = craft_begin(0);
        craft_init(&craft, SCTP_INIT, 1000 + i, 10, 10);
        craft_send(&net, 1, &craft);
    }
    assert_int_equal(counters(1)->replies_dropped, 1000 - SCTP_REPLIES_MAX);
    assert_true(net.side[1].shared.memory_bytes < before + SCTP_REPLIES_MAX * 300);
    net_drain(&net, 1);
    assert_int_equal(net.side[1].shared.memory_bytes, before);
    assert_true(is_up(1));
    struct sctp_message message = net_message(0);
    assert_int_equal(net_send(&net, 0, &message, 100), ERR_NONE);
    net_run(&net, SEC(1));
    assert_int_equal(net.side[1].received[0], 1);
    net_fini(&net);
}

static void test_inits_that_offer_nothing_are_refused(void **state)
{
    (void)state;
    net_init(&net, 18, NULL);
    const uint32_t tags[] = {0, 7, 7};
    const uint16_t outs[] = {5, 0, 5}, ins[] = {5, 5, 0};
    for (int i = 0; i < 3; i++) {
        struct craft craft = craft_begin(0);
        craft_init(&craft, SCTP_INIT, tags[i], outs[i], ins[i]);
        craft_send(&net, 1, &craft);
    }
    assert_int_equal(counters(1)->malformed, 3);
    struct sctp_tx tx;
    for (int i = 0; i < 2; i++) {                            /* without a tag there is nobody to tell */
        assert_true(sctp_poll_tx(net.side[1].sctp, &tx));
        assert_int_equal(tx.data[SCTP_HEADER], SCTP_ABORT);
        assert_int_equal(get_u32(tx.data + 4), 7);
    }
    assert_false(sctp_poll_tx(net.side[1].sctp, &tx));
    assert_int_equal(sctp_get_state(net.side[1].sctp), SCTP_STATE_NEW);
    net_fini(&net);
}

static void test_an_init_with_company_or_a_tag_is_dropped(void **state)
{
    (void)state;
    net_init(&net, 19, NULL);
    struct craft craft = craft_begin(0);
    craft_init(&craft, SCTP_INIT, 7, 5, 5);
    craft_chunk(&craft, SCTP_COOKIE_ACK, 0, VIEW(NULL, 0));
    craft_send(&net, 1, &craft);
    craft = craft_begin(99);
    craft_init(&craft, SCTP_INIT, 7, 5, 5);
    craft_send(&net, 1, &craft);
    assert_int_equal(counters(1)->malformed, 2);
    struct sctp_tx tx;
    assert_false(sctp_poll_tx(net.side[1].sctp, &tx));
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_packet_cut_at_every_byte),
        cmocka_unit_test(test_packets_changed_at_random),
        cmocka_unit_test(test_wrong_tags_and_ports_are_dropped),
        cmocka_unit_test(test_wrong_checksums_are_dropped),
        cmocka_unit_test(test_a_reflected_tag_counts_with_the_t_bit_only),
        cmocka_unit_test(test_forged_cookies_are_dropped),
        cmocka_unit_test(test_a_cookie_of_another_association_is_dropped),
        cmocka_unit_test(test_a_stale_cookie_is_refused_and_setup_goes_on),
        cmocka_unit_test(test_a_cookie_echoed_again_changes_nothing),
        cmocka_unit_test(test_a_flood_of_inits_is_answered_by_a_few),
        cmocka_unit_test(test_inits_that_offer_nothing_are_refused),
        cmocka_unit_test(test_an_init_with_company_or_a_tag_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
