/* Which stream is it? By SSRC, by mid, by rid; and what happens when an SSRC changes (webrtc.md 5, 10). */
#include "craft.h"

static struct duo duo;
static uint16_t line;

static void begin(const struct duo_line *what)
{
    duo_init(&duo, &(struct duo_options){0});
    line = duo_line(&duo, what);
    duo_connect(&duo);
}

static struct source *source(void)
{
    struct source *found = slots_get(&duo.side[B].sources, duo.side[B].lines[line].source);
    assert_non_null(found);
    return found;
}

static const struct rx_layer *layer(uint8_t index)
{
    return &duo.side[B].peer->mlines[line]->layers[index];
}

static struct peer_counters *counters(void)
{
    return &duo.side[B].env.counters;
}

/* ---- by mid ---- */

static void test_an_unknown_ssrc_is_found_by_its_mid(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .by_mid = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    craft_send(&duo, A, &(struct craft){.ssrc = 77, .pt = 96, .seq = 5, .key = true, .osn = -1, .content = 1});
    assert_int_equal(counters()->rtp_unknown_ssrc, 1);                  /* no mid, no m-line */
    craft_send(&duo, A, &(struct craft){.ssrc = 77, .pt = 96, .seq = 6, .mid = "9", .key = true, .osn = -1});
    assert_int_equal(counters()->rtp_unknown_ssrc, 2);                  /* a mid that is nobody's */
    craft_send(&duo, A, &(struct craft){.ssrc = 77, .pt = 96, .seq = 7, .mid = "0", .key = true, .osn = -1, .content = 3});
    assert_int_equal(layer(0)->ssrc, 77);
    craft_send(&duo, A, &(struct craft){.ssrc = 77, .pt = 96, .seq = 8, .osn = -1, .content = 4});     /* known from now on */
    assert_int_equal(seen->count, 2);
    assert_int_equal(seen->sent[0].content, 3);
    assert_int_equal(seen->sent[1].content, 4);
    duo_fini(&duo);
}

/* A browser that sends RTX without having named its SSRC: it must not take the media's place. */
static void test_an_unannounced_rtx_ssrc_is_told_by_its_payload_type(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .by_mid = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    for (uint16_t seq = 10; seq < 15; seq++)
        if (seq != 12)
            craft_send(&duo, A, &(struct craft){.ssrc = 77, .pt = 96, .seq = seq, .mid = "0", .key = seq == 10, .osn = -1, .content = seq});
    duo_run_for(&duo, MSEC(20));                                        /* asked for */
    craft_send(&duo, A, &(struct craft){.ssrc = 78, .pt = 97, .seq = 1, .mid = "0", .osn = 12, .content = 12});
    assert_int_equal(layer(0)->ssrc, 77);
    assert_int_equal(layer(0)->rtx_ssrc, 78);
    assert_int_equal(counters()->rtx_recovered, 1);
    assert_int_equal(seen->count, 5);
    assert_int_equal(seen->sent[4].content, 12);
    assert_int_equal(seen->sent[4].seq, 3);
    duo_fini(&duo);
}

static void test_only_what_was_asked_for_is_taken_from_rtx_and_once(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    const uint32_t ssrc = duo_ssrc(A, line, 0), rtx = duo_rtx_ssrc(A, line, 0);
    craft_send(&duo, A, &(struct craft){.ssrc = rtx, .pt = 97, .seq = 1, .osn = 9});                    /* before any media */
    for (uint16_t seq = 10; seq < 15; seq++)
        if (seq != 12)
            craft_send(&duo, A, &(struct craft){.ssrc = ssrc, .pt = 96, .seq = seq, .key = seq == 10, .osn = -1, .content = seq});
    craft_send(&duo, A, &(struct craft){.ssrc = rtx, .pt = 97, .seq = 2, .osn = 12});                   /* not asked for yet */
    craft_send(&duo, A, &(struct craft){.ssrc = rtx, .pt = 97, .seq = 3, .osn = 11});                   /* has come */
    craft_send(&duo, A, &(struct craft){.ssrc = rtx, .pt = 97, .seq = 4, .osn = 500});                  /* a probe */
    assert_int_equal(counters()->rtx_unwanted, 4);
    duo_run_for(&duo, MSEC(20));
    craft_send(&duo, A, &(struct craft){.ssrc = rtx, .pt = 97, .seq = 5, .osn = 12, .content = 12});
    craft_send(&duo, A, &(struct craft){.ssrc = rtx, .pt = 97, .seq = 6, .osn = 12, .content = 13});
    assert_int_equal(counters()->rtx_recovered, 1);
    assert_int_equal(counters()->rtx_unwanted, 5);
    assert_int_equal(seen->count, 5);
    assert_int_equal(seen->sent[4].content, 12);
    duo_fini(&duo);
}

/* ---- by rid ---- */

static void test_layers_are_found_by_their_rids(void **state)
{
    (void)state;
    static const char *const rids[] = {"l", "m", "h"};
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .layers = 3, .by_rid = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    for (unsigned i = 0; i < 3; i++)
        craft_send(&duo, A, &(struct craft){.ssrc = 50 + i, .pt = 96, .seq = 1, .mid = "0", .rid = rids[i], .key = true, .osn = -1, .content = i});
    assert_int_equal(seen->count, 3);                                   /* up with each keyframe */
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(layer(i)->ssrc, 50u + i);
        assert_int_equal(duo.side[B].media_events[i].substream, i);
    }
    craft_send(&duo, A, &(struct craft){.ssrc = 60, .pt = 96, .seq = 1, .mid = "0", .rid = "x", .key = true, .osn = -1});
    craft_send(&duo, A, &(struct craft){.ssrc = 61, .pt = 96, .seq = 1, .mid = "0", .key = true, .osn = -1});
    assert_int_equal(counters()->rtp_unknown_ssrc, 2);
    duo_fini(&duo);
}

static void test_rtx_is_found_by_the_repaired_rid(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .layers = 3, .by_rid = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    for (uint16_t seq = 1; seq < 6; seq++)
        if (seq != 3)
            craft_send(&duo, A, &(struct craft){.ssrc = 52, .pt = 96, .seq = seq, .mid = "0", .rid = "h", .key = seq == 1, .osn = -1, .content = seq});
    duo_run_for(&duo, MSEC(20));
    craft_send(&duo, A, &(struct craft){.ssrc = 62, .pt = 97, .seq = 1, .mid = "0", .repaired_rid = "h", .osn = 3, .content = 3});
    assert_int_equal(layer(2)->rtx_ssrc, 62);
    assert_int_equal(seen->count, 5);
    assert_int_equal(seen->sent[4].content, 3);
    craft_send(&duo, A, &(struct craft){.ssrc = 63, .pt = 97, .seq = 1, .mid = "0", .repaired_rid = "q", .osn = 3});
    assert_int_equal(counters()->rtp_unknown_ssrc, 1);
    duo_fini(&duo);
}

static void test_layers_are_found_by_their_ssrcs(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .layers = 2});
    struct fake_port *seen = duo_ear(&duo, B, line);
    for (uint8_t i = 0; i < 2; i++)
        craft_send(&duo, A, &(struct craft){.ssrc = duo_ssrc(A, line, i), .pt = 96, .seq = 9, .key = true, .osn = -1, .content = i});
    assert_int_equal(seen->count, 2);
    peer_ask_keyframe(source(), duo.now);                               /* for each layer (webrtc.md 17.1) */
    duo_turn(&duo, B);
    duo_run_for(&duo, MSEC(20));
    uint32_t asked = 0;
    for (uint32_t n = 0; n < duo_rtcp_count(&duo, A, RTCP_PSFB, RTCP_FMT_PLI); n++) {
        struct rtcp_packet packet;
        struct rtcp_feedback pli;
        duo_rtcp(&duo, A, RTCP_PSFB, RTCP_FMT_PLI, n, &packet);
        assert_true(rtcp_feedback_parse(&pli, &packet));
        asked |= 1u << (pli.media_ssrc - duo_ssrc(A, line, 0));
    }
    assert_int_equal(asked, 3);
    duo_fini(&duo);
}

/* ---- an SSRC changes ---- */

static void send_some(uint32_t ssrc, uint16_t seq, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        craft_send(&duo, A, &(struct craft){.ssrc = ssrc, .pt = 96, .seq = (uint16_t)(seq + i), .ts = seq * 10u, .mid = "0", .key = i == 0, .osn = -1,
                                            .content = ssrc * 1000 + i});
}

static void assert_one_stream(const struct fake_port *seen)
{
    for (uint32_t i = 1; i < seen->count; i++) {
        assert_int_equal(seen->sent[i].seq, seen->sent[i - 1].seq + 1);
        assert_true((int32_t)(seen->sent[i].ts - seen->sent[i - 1].ts) >= 0);
    }
}

static void test_a_new_ssrc_in_mid_call_leaves_one_stream(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    send_some(duo_ssrc(A, line, 0), 100, 5);
    send_some(7, 60000, 5);
    send_some(8, 3, 5);
    assert_int_equal(seen->count, 15);
    assert_one_stream(seen);
    assert_int_equal(counters()->nacks_out, 0);
    assert_int_equal(source()->layers[0].epoch, 2);
    duo_fini(&duo);
}

/* The next description still names the SSRC of the first one: it says nothing new. */
static void test_a_renegotiation_does_not_bring_the_first_ssrc_back(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    send_some(duo_ssrc(A, line, 0), 100, 5);
    send_some(7, 200, 5);
    duo_apply(&duo, B, true, false);
    assert_int_equal(layer(0)->ssrc, 7);
    craft_send(&duo, A, &(struct craft){.ssrc = 7, .pt = 96, .seq = 205, .ts = 2000, .osn = -1, .content = 99});
    assert_int_equal(seen->count, 11);
    assert_one_stream(seen);
    assert_int_equal(source()->layers[0].epoch, 1);
    /* One that names another does. */
    duo.side[B].lines[line].remote_ssrc[0] = 9;
    duo_apply(&duo, B, true, false);
    assert_int_equal(layer(0)->ssrc, 9);
    duo_fini(&duo);
}

static void test_late_packets_of_a_replaced_ssrc_do_not_bring_it_back(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .by_mid = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    uint8_t packet[1600];
    send_some(6, 100, 5);
    size_t size = craft_write(&duo, A, &(struct craft){.ssrc = 6, .pt = 96, .seq = 104, .mid = "0", .key = true, .osn = -1}, packet);
    send_some(7, 200, 5);
    duo_inject(&duo, B, packet, size);                                  /* replayed */
    craft_send(&duo, A, &(struct craft){.ssrc = 6, .pt = 96, .seq = 105, .mid = "0", .key = true, .osn = -1});     /* late */
    assert_int_equal(layer(0)->ssrc, 7);
    assert_int_equal(seen->count, 10);
    assert_one_stream(seen);
    duo_fini(&duo);
}

static void test_a_forged_packet_with_an_unknown_ssrc_changes_nothing(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .by_mid = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    uint8_t packet[1600];
    send_some(6, 100, 5);
    size_t size = craft_write(&duo, A, &(struct craft){.ssrc = 7, .pt = 96, .seq = 9, .mid = "0", .key = true, .osn = -1}, packet);
    packet[size - 1] ^= 1;
    duo_inject(&duo, B, packet, size);
    assert_int_equal(counters()->rtp_forged, 1);
    assert_int_equal(layer(0)->ssrc, 6);
    send_some(6, 105, 1);
    assert_int_equal(seen->count, 6);
    assert_int_equal(source()->layers[0].epoch, 0);
    duo_fini(&duo);
}

/* Several first packets of a new SSRC lie in one batch of datagrams. */
static void test_a_batch_of_a_new_ssrcs_packets(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .by_mid = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    static uint8_t packets[8][1600];
    const struct net_tuple from = {0, duo.side[A].base};
    for (uint16_t i = 0; i < 8; i++) {
        size_t size = craft_write(&duo, A, &(struct craft){.ssrc = 7, .pt = 96, .seq = (uint16_t)(50 + i / 2), .mid = "0", .key = i == 0, .osn = -1}, packets[i]);
        peer_input(duo.side[B].peer, duo.now, &from, packets[i], size);         /* each twice */
    }
    assert_false(peer_receive_flush(&duo.side[B].env, duo.now));
    duo_turn(&duo, B);
    assert_int_equal(seen->count, 4);
    assert_int_equal(counters()->rtp_replay, 4);
    duo_fini(&duo);
}

/* ---- directions and lines ---- */

static void test_a_line_that_does_not_receive_drops_and_says_nothing(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    duo.side[B].lines[line].recv = false;
    duo_apply(&duo, B, true, false);
    send_some(duo_ssrc(A, line, 0), 100, 5);
    assert_int_equal(counters()->rtp_not_receiving, 5);
    assert_int_equal(duo.side[B].media_count, 0);
    duo.side[B].lines[line].recv = true;
    duo_apply(&duo, B, true, false);
    send_some(duo_ssrc(A, line, 0), 105, 5);
    assert_int_equal(seen->count, 5);
    duo_fini(&duo);
}

static void test_a_line_may_lose_its_source_and_get_another(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    struct mline_desc *desc = &duo.side[B].lines[line];
    duo_ear(&duo, B, line);
    send_some(duo_ssrc(A, line, 0), 100, 5);
    desc->source = REF_NONE;
    duo_apply(&duo, B, true, false);
    assert_int_equal(duo.side[B].sources.count, 0);
    assert_null(duo.side[B].ear[line]->source);
    send_some(duo_ssrc(A, line, 0), 105, 5);
    desc->source = (struct ref){line, 2};                               /* the same slot, a newer name */
    duo_apply(&duo, B, true, false);
    sink_set_source(duo.side[B].ear[line], source(), duo.now);
    send_some(duo_ssrc(A, line, 0), 110, 5);
    assert_int_equal(duo.side[B].port[line].count, 10);
    assert_one_stream(&duo.side[B].port[line]);
    duo_fini(&duo);
}

static void test_more_lines_may_come_later(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_OPUS, .a_sends = true});
    uint16_t second = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    struct feed feed;
    for (int i = 0; i < 2; i++)
        duo_apply(&duo, i, true, false);
    struct fake_port *seen = duo_ear(&duo, B, second);
    duo_feed(&duo, A, second, 0, &feed);
    feed_frame(&feed, true, 3);
    duo_turn(&duo, A);
    duo_run_for(&duo, MSEC(50));
    assert_int_equal(seen->count, 3);
    duo_fini(&duo);
}

static void test_lines_beyond_the_pool_are_counted(void **state)
{
    (void)state;
    static struct mline_desc many[40];
    begin(&(struct duo_line){.codec = CODEC_OPUS, .a_sends = true});
    struct peer_apply_order *order = test_calloc(1, sizeof(*order) + sizeof(many));
    order->mline_count = 40;
    for (uint16_t i = 0; i < 40; i++)
        order->mlines[i] = (struct mline_desc){.mindex = i, .kind = MEDIA_AUDIO};
    order->mlines[39].mindex = 60000;
    peer_apply(duo.side[B].peer, duo.now, order);
    assert_int_equal(duo.side[B].peer->mline_count, 16);
    assert_int_equal(counters()->apply_full, 24);
    test_free(order);
    duo_fini(&duo);
}

/* ---- sinks on lines ---- */

static struct sink *attach(uint32_t slot)
{
    struct side *side = &duo.side[A];
    const struct ref name = {slot, 1};
    struct sink *sink = sink_new(&side->media, name, &rig_options, duo.now);
    assert_true(slots_put(&side->sinks, name, sink));
    sink_set_source(sink, side->feed_source[line], duo.now);
    assert_true(peer_attach_sink(side->peer, duo.now, line, sink));
    return sink;
}

/* Taken away and added again, or replaced at once: the receiver must not see it, and no index may be sealed twice. */
static void test_a_second_sink_on_a_line_goes_on(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    struct fake_port *seen = duo_ear(&duo, B, line);
    duo_feed(&duo, A, line, 0, &feed);
    for (uint32_t round = 0; round < 6; round++) {
        for (int i = 0; i < 10; i++) {
            feed.now = duo.now;
            feed_frame(&feed, i == 0, 3);
            duo_turn(&duo, A);
            duo_run_for(&duo, FRAME_US);
        }
        if (round % 2 == 0) {
            attach(120 + round);                                        /* replaces */
        } else {
            struct sink *sink = duo.side[A].peer->mlines[line]->sink;   /* is deleted, and comes again later */
            slots_del(&duo.side[A].sinks, sink->name);
            peer_detach_sink(sink);
            sink_free(sink);
            duo_run_for(&duo, MSEC(300));
            attach(120 + round);
        }
    }
    assert_int_equal(duo.side[A].env.counters.sent_index_used, 0);
    assert_int_equal(seen->count, 180 + 3 * 30);            /* one that is added at once has the recent keyframe replayed */
    assert_one_stream(seen);
    assert_int_equal(duo.side[A].sinks.count, 1);
    duo_fini(&duo);
}

static void test_a_sink_on_a_line_that_is_not_there_is_refused(void **state)
{
    (void)state;
    begin(&(struct duo_line){.codec = CODEC_VP8, .a_sends = true});
    struct sink *sink = sink_new(&duo.side[A].media, (struct ref){1, 1}, &rig_options, duo.now);
    assert_false(peer_attach_sink(duo.side[A].peer, duo.now, 1, sink));
    assert_false(peer_attach_sink(duo.side[A].peer, duo.now, 60000, sink));
    sink_free(sink);
    duo_fini(&duo);
}

/* The keyframe is there when the receiver is (design section 5, Join). */
static void test_who_comes_up_gets_the_keyframe_that_is_there(void **state)
{
    (void)state;
    struct feed feed;
    duo_init(&duo, &(struct duo_options){0});
    line = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    for (int i = 0; i < 2; i++)
        duo_apply(&duo, i, true, false);
    struct fake_port *seen = duo_ear(&duo, B, line);
    duo_feed(&duo, A, line, 0, &feed);
    feed.now = duo.now;
    feed_frame(&feed, true, 3);
    feed_frame(&feed, false, 2);
    assert_int_equal(duo.side[A].env.egress.count, 0);
    for (int i = 0; i < 2; i++)
        duo_introduce(&duo, i);
    duo_run_for(&duo, MSEC(400));
    assert_true(duo.side[A].up);
    assert_int_equal(seen->count, 5);
    assert_one_stream(seen);
    duo_fini(&duo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_unknown_ssrc_is_found_by_its_mid),
        cmocka_unit_test(test_an_unannounced_rtx_ssrc_is_told_by_its_payload_type),
        cmocka_unit_test(test_only_what_was_asked_for_is_taken_from_rtx_and_once),
        cmocka_unit_test(test_layers_are_found_by_their_rids),
        cmocka_unit_test(test_rtx_is_found_by_the_repaired_rid),
        cmocka_unit_test(test_layers_are_found_by_their_ssrcs),
        cmocka_unit_test(test_a_new_ssrc_in_mid_call_leaves_one_stream),
        cmocka_unit_test(test_a_renegotiation_does_not_bring_the_first_ssrc_back),
        cmocka_unit_test(test_late_packets_of_a_replaced_ssrc_do_not_bring_it_back),
        cmocka_unit_test(test_a_forged_packet_with_an_unknown_ssrc_changes_nothing),
        cmocka_unit_test(test_a_batch_of_a_new_ssrcs_packets),
        cmocka_unit_test(test_a_line_that_does_not_receive_drops_and_says_nothing),
        cmocka_unit_test(test_a_line_may_lose_its_source_and_get_another),
        cmocka_unit_test(test_more_lines_may_come_later),
        cmocka_unit_test(test_lines_beyond_the_pool_are_counted),
        cmocka_unit_test(test_a_second_sink_on_a_line_goes_on),
        cmocka_unit_test(test_a_sink_on_a_line_that_is_not_there_is_refused),
        cmocka_unit_test(test_who_comes_up_gets_the_keyframe_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
