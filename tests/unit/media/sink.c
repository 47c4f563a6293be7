/* One receiver: numbers and time go on whatever happens upstream, and what was sent can be sent again. */
#include "rig.h"

#include "proto/rtp/codec_types.h"

static struct rig rig;
static struct fake_port port;
static struct source *source;
static struct sink *sink;
static struct feed feed;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    fake_port_init(&port);
    source = rig_source(&rig, CODEC_VP8, 1);
    feed_init(&feed, source, 0, SEC(10));
    sink = rig_sink(&rig, source, &port, feed.now);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sink_free(sink);
    source_free(source);
    fake_port_fini(&port);
    rig_fini(&rig);
    return 0;
}

static struct vp8_descriptor picture(const struct sent *sent)
{
    struct vp8_descriptor vp8;
    assert_true(vp8_parse(&vp8, VIEW(sent->payload, sent->size)));
    return vp8;
}

/* Every number once, none left out, from `first` on. */
static void assert_continuous(uint16_t first)
{
    for (uint32_t i = 0; i < port.count; i++)
        assert_int_equal(port.sent[i].seq, (uint16_t)(first + i));
}

/* ---- numbers ---- */

static void test_a_fresh_receiver_starts_at_one_and_zero(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    feed_frame(&feed, false, 1);
    assert_continuous(1);
    assert_int_equal(port.sent[0].ts, 0);
    assert_int_equal(port.sent[1].ts, 0);
    assert_int_equal(port.sent[2].ts, FRAME_TICKS);
    assert_int_equal(port.sent[0].pt, 96);
    assert_true(port.sent[1].marker);
    assert_false(port.sent[0].marker);
    assert_int_equal(sink->packets, 3);
    assert_int_equal(sink->bytes, 3 * PAYLOAD_SIZE);
}

static void test_losses_and_late_packets_keep_their_places(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, false);
    feed_lose(&feed);
    feed_packet(&feed, true, false, true);
    feed.seq = (uint16_t)(feed.seq - 2);
    feed_packet(&feed, true, false, false);
    assert_int_equal(port.sent[0].seq, 1);
    assert_int_equal(port.sent[1].seq, 3);
    assert_int_equal(port.sent[2].seq, 2);
}

static void test_probes_leave_no_gap(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    for (int i = 0; i < 50; i++) {
        for (int k = 0; k < 1 + i % 7; k++)
            feed_probe(&feed);
        feed_frame(&feed, false, 1);
    }
    assert_int_equal(port.count, 52);
    assert_continuous(1);
}

static void test_a_switch_goes_on_by_one_and_by_the_clock(void **state)
{
    (void)state;
    struct source *other = rig_source(&rig, CODEC_VP8, 1);
    struct feed next;
    feed_frame(&feed, true, 3);
    feed_init(&next, other, 0, feed.now + SEC(2));
    next.seq = 50000;
    next.ts = 4000000000u;
    sink_set_source(sink, other, next.now);
    feed_frame(&feed, false, 3);                            /* nobody's any more */
    feed_frame(&next, false, 1);                            /* no keyframe yet */
    feed_frame(&next, true, 2);
    feed_frame(&next, false, 1);
    assert_int_equal(port.count, 6);
    assert_continuous(1);
    /* the last packet went out one frame before feed.now was read, the next comes one frame after next.now began */
    uint32_t passed = port.sent[3].ts - port.sent[2].ts, expected = (uint32_t)((SEC(2) + 2 * FRAME_US) * 90000 / SEC(1));
    assert_in_range(passed, expected - 1, expected + 1);
    assert_int_equal(port.sent[5].ts - port.sent[4].ts, FRAME_TICKS);
    sink_set_source(sink, source, next.now);
    source_free(other);
}

static void test_time_moves_by_one_at_least(void **state)
{
    (void)state;
    struct source *other = rig_source(&rig, CODEC_VP8, 1);
    struct feed next;
    feed_packet(&feed, true, true, true);
    feed_init(&next, other, 0, feed.now);
    sink_set_source(sink, other, feed.now);
    feed_packet(&next, true, true, true);
    assert_int_equal(port.sent[1].ts, port.sent[0].ts + 1);
    sink_set_source(sink, NULL, 0);
    source_free(other);
}

static void test_a_late_packet_does_not_turn_time_back(void **state)
{
    (void)state;
    struct source *other = rig_source(&rig, CODEC_VP8, 1);
    struct feed next;
    feed_frame(&feed, true, 1);
    feed_lose(&feed);
    feed_next_frame(&feed, -1);
    feed_packet(&feed, false, true, true);
    uint32_t newest = port.sent[1].ts;
    feed.seq = (uint16_t)(feed.seq - 2);
    feed.ts -= FRAME_TICKS;
    feed.picture_id--;
    feed_packet(&feed, false, true, true);                  /* the lost one, by RTX */
    feed_init(&next, other, 0, feed.now);
    sink_set_source(sink, other, feed.now);
    feed_packet(&next, true, true, true);
    assert_true((int32_t)(port.sent[3].ts - newest) > 0);
    sink_set_source(sink, NULL, 0);
    source_free(other);
}

static void test_paused_nothing_is_sent_and_resumed_there_is_no_gap(void **state)
{
    (void)state;
    struct sink_options options = rig_options;
    feed_frame(&feed, true, 2);
    options.paused = true;
    sink_set_options(sink, &options, feed.now);
    feed_frame(&feed, true, 2);
    feed_frame(&feed, false, 2);
    assert_int_equal(port.count, 2);
    assert_int_equal(rig.media.counters.dropped_paused, 4);
    source->keyframe_wanted = false;
    options.paused = false;
    sink_set_options(sink, &options, feed.now);
    assert_true(source->keyframe_wanted);
    feed_frame(&feed, false, 2);
    feed_frame(&feed, true, 2);
    assert_int_equal(port.count, 4);
    assert_continuous(1);
}

static void test_nothing_is_offered_to_a_port_that_is_not_ready(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    port.ready = false;
    feed_frame(&feed, false, 2);
    port.ready = true;
    feed_frame(&feed, false, 2);                            /* stands on what was not sent */
    assert_int_equal(port.count, 2);
    feed_frame(&feed, true, 2);
    assert_int_equal(port.count, 4);
    assert_continuous(1);
}

static void test_a_sink_without_a_port_swallows(void **state)
{
    (void)state;
    struct sink *loose = sink_new(&rig.media, (struct ref){99, 1}, &rig_options, feed.now);
    sink_set_source(loose, source, feed.now);
    feed_frame(&feed, true, 2);
    sink_free(loose);
}

/* A second sink on the same m-line: for the receiver, and for the seal, it is the same stream. */
static void test_a_sink_that_follows_another_goes_on_from_its_numbers(void **state)
{
    (void)state;
    struct sink_numbers numbers = {0};
    feed.tid = 0;
    sink_numbers_of(sink, &numbers);
    assert_false(numbers.any);
    for (int i = 0; i < 20; i++) {
        feed_packet(&feed, i == 0, true, true);
        feed_next_frame(&feed, 0);
    }
    sink_numbers_of(sink, &numbers);
    assert_true(numbers.any);
    struct vp8_descriptor before = picture(fake_port_last(&port));
    uint32_t ts = fake_port_last(&port)->ts;
    sink_free(sink);
    sink = sink_new(&rig.media, (struct ref){98, 1}, &rig_options, feed.now);
    sink_set_port(sink, &port.port, true, 90000);
    sink_go_on(sink, &numbers);
    sink_set_source(sink, source, feed.now);
    feed.picture_id = 3;
    feed_packet(&feed, true, true, true);
    assert_int_equal(port.count, 21);
    assert_continuous(1);
    struct vp8_descriptor after = picture(fake_port_last(&port));
    assert_int_equal(after.picture_id, before.picture_id + 1);
    assert_int_equal(after.tl0picidx, (uint8_t)(before.tl0picidx + 1));
    assert_int_equal(fake_port_last(&port)->ts, ts + FRAME_TICKS);
}

/* ---- a new numbering upstream ---- */

static void test_a_new_ssrc_is_not_seen_by_the_receiver(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    feed.seq = 9;
    feed.ts = 123;
    feed.renumbered = true;
    feed_frame(&feed, true, 2);
    assert_int_equal(port.count, 4);
    assert_continuous(1);
    assert_in_range(port.sent[2].ts - port.sent[1].ts, FRAME_TICKS - 1, FRAME_TICKS + 1);
}

static void test_a_new_ssrc_needs_a_keyframe(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    source->keyframe_wanted = false;
    feed.seq = 9;
    feed.renumbered = true;
    feed_frame(&feed, false, 2);
    assert_true(source->keyframe_wanted);
    assert_int_equal(port.count, 2);
    feed_frame(&feed, true, 2);
    assert_int_equal(port.count, 4);
    assert_continuous(1);
}

static void test_audio_goes_on_at_once_after_a_new_ssrc(void **state)
{
    (void)state;
    struct source *audio = rig_source(&rig, CODEC_OPUS, 1);
    struct fake_port speaker;
    struct feed voice;
    fake_port_init(&speaker);
    feed_init(&voice, audio, 0, SEC(10));
    voice.codec = CODEC_OPUS;
    struct sink *ear = rig_sink(&rig, audio, &speaker, SEC(10));
    feed_packet(&voice, false, true, false);
    voice.seq = 60000;
    voice.renumbered = true;
    voice.now += MSEC(20);
    feed_packet(&voice, false, true, false);
    assert_int_equal(speaker.count, 2);
    assert_int_equal(speaker.sent[1].seq, 2);
    assert_int_equal(speaker.sent[1].ts, 960);              /* 20 ms of its own clock, not of the m-line's */
    sink_free(ear);
    source_free(audio);
    fake_port_fini(&speaker);
}

static void test_an_old_probe_in_a_new_numbering_changes_nothing(void **state)
{
    (void)state;
    feed_frame(&feed, true, 2);
    feed.seq = 5;
    feed.renumbered = true;
    feed_probe(&feed);
    feed_frame(&feed, true, 2);
    assert_int_equal(port.count, 4);
    assert_continuous(1);
}

/* ---- VP8's own numbers ---- */

static void test_picture_ids_go_on_across_a_switch(void **state)
{
    (void)state;
    struct source *other = rig_source(&rig, CODEC_VP8, 1);
    struct feed next;
    feed.tid = 0;
    for (int i = 0; i < 5; i++) {
        feed_packet(&feed, i == 0, true, true);
        feed_next_frame(&feed, 0);
    }
    feed_init(&next, other, 0, feed.now);
    next.tid = 0;
    next.picture_id = 32766;
    next.tl0picidx = 254;
    sink_set_source(sink, other, feed.now);
    for (int i = 0; i < 5; i++) {
        feed_packet(&next, i == 0, true, true);
        feed_next_frame(&next, 0);
    }
    assert_int_equal(port.count, 10);
    for (uint32_t i = 1; i < port.count; i++) {
        struct vp8_descriptor before = picture(&port.sent[i - 1]), after = picture(&port.sent[i]);
        assert_int_equal(after.picture_id, before.picture_id + 1);
        assert_int_equal(after.tl0picidx, (uint8_t)(before.tl0picidx + 1));
        assert_int_equal(after.picture_id_bits, 15);
        assert_int_equal(after.tid, 0);
    }
    sink_set_source(sink, NULL, 0);
    source_free(other);
}

static void run_picture_ids(uint8_t bits, uint16_t from, unsigned frames)
{
    const uint16_t mask = (uint16_t)((1u << bits) - 1);
    feed.bits = bits;
    feed.picture_id = from;
    for (unsigned i = 0; i < frames; i++) {
        feed_packet(&feed, i == 0, true, true);
        feed_next_frame(&feed, -1);
    }
    for (uint32_t i = 0; i < port.count; i++)
        assert_int_equal(picture(&port.sent[i]).picture_id, (uint16_t)(from + i) & mask);
    assert_int_equal(port.count, frames);
}

static void test_picture_ids_of_15_bits_wrap(void **state)
{
    (void)state;
    run_picture_ids(15, 32700, 200);
}

static void test_picture_ids_of_7_bits_wrap(void **state)
{
    (void)state;
    run_picture_ids(7, 100, 700);
}

/* Twenty minutes: more pictures than half the circle. */
static void test_picture_ids_go_on_for_hours(void **state)
{
    (void)state;
    run_picture_ids(15, 0, 70000);
}

static void test_left_out_pictures_close_up(void **state)
{
    (void)state;
    struct source *layered = rig_source(&rig, CODEC_VP8, 2);
    struct feed low;
    struct sink_options options = rig_options;
    options.temporal_target = 0;
    feed_init(&low, layered, 0, SEC(10));
    low.tid = 0;
    sink_set_source(sink, layered, SEC(10));
    sink_set_options(sink, &options, SEC(10));
    for (unsigned i = 0; i < 400; i++) {                    /* pattern 0 2 1 2 */
        static const int pattern[] = {0, 2, 1, 2};
        bool key = i == 0;
        feed_packet(&low, key, true, false);
        feed_packet(&low, key, false, true);
        feed_next_frame(&low, pattern[(i + 1) % 4]);
    }
    assert_int_equal(port.count, 200);
    assert_continuous(1);
    for (uint32_t i = 2; i < port.count; i++) {
        struct vp8_descriptor before = picture(&port.sent[i - 1]), after = picture(&port.sent[i]);
        assert_int_equal(after.tid, 0);
        assert_int_equal(after.picture_id, before.picture_id + (i % 2 == 0));
        assert_int_equal(after.tl0picidx, (uint8_t)(before.tl0picidx + (i % 2 == 0)));
    }
    sink_set_source(sink, NULL, 0);
    source_free(layered);
}

/* An encoder that begins anew under the same SSRC, with a lower picture id. */
static void test_picture_ids_that_go_back_are_not_shown(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        feed_frame(&feed, i == 0, 2);
    feed.picture_id = 7;
    for (int i = 0; i < 5; i++)
        feed_frame(&feed, i == 0, 2);
    assert_int_equal(port.count, 20);
    assert_continuous(1);
    for (uint32_t i = 1; i < port.count; i++)
        assert_int_equal(picture(&port.sent[i]).picture_id, picture(&port.sent[i - 1]).picture_id + (i % 2 == 0));
}

static void test_pictures_without_ids_are_not_touched(void **state)
{
    (void)state;
    feed.bits = 0;
    feed_frame(&feed, true, 2);
    assert_int_equal(port.sent[0].payload[0], 0x10);
    feed.bits = 15;                                         /* and one that has them, later */
    feed_frame(&feed, false, 2);
    assert_int_equal(port.count, 4);
}

static void test_other_codecs_pass_unchanged(void **state)
{
    (void)state;
    struct source *h264 = rig_source(&rig, CODEC_H264, 1);
    struct feed next;
    feed_init(&next, h264, 0, feed.now);
    next.codec = CODEC_H264;
    sink_set_source(sink, h264, feed.now);
    feed_frame(&next, true, 2);
    assert_int_equal(port.count, 2);
    assert_int_equal(port.sent[0].payload[0], 0x67);
    assert_int_equal(port.sent[1].payload[0], 0x61);
    sink_set_source(sink, NULL, 0);
    source_free(h264);
}

/* ---- simulcast ---- */

static void test_a_change_of_layer_leaves_no_gap_and_is_reported(void **state)
{
    (void)state;
    struct source *layered = rig_source(&rig, CODEC_VP8, 3);
    struct feed layers[3];
    sink_set_source(sink, layered, feed.now);
    for (uint8_t i = 0; i < 3; i++)
        feed_init(&layers[i], layered, i, feed.now);
    for (unsigned round = 0; round < 30; round++)
        for (uint8_t i = 0; i < 3; i++)
            feed_frame(&layers[i], round == 5 * i, 2);
    assert_continuous(1);
    assert_int_equal(sink->select.substream, 2);
    assert_ptr_equal(list_pop(&rig.media.layers), &sink->changed);
    assert_true(list_is_empty(&rig.media.layers));
    for (uint32_t i = 2; i < port.count; i += 2)
        assert_int_equal(picture(&port.sent[i]).picture_id, picture(&port.sent[i - 1]).picture_id + 1);
    assert_int_equal(port.count, 2 * 30 + 2 * 2);           /* in the round of a change both layers get through */
    sink_set_source(sink, NULL, 0);
    source_free(layered);
}

/* ---- sending again ---- */

static void test_what_was_sent_is_sent_again_the_same(void **state)
{
    (void)state;
    struct source *other = rig_source(&rig, CODEC_VP8, 1);
    struct feed next;
    feed_frame(&feed, true, 3);
    feed_init(&next, other, 0, feed.now);
    next.tid = 0;
    sink_set_source(sink, other, feed.now);
    for (int i = 0; i < 10; i++) {
        feed_packet(&next, i == 0, true, false);
        feed_packet(&next, i == 0, false, true);
        feed_next_frame(&next, 0);
    }
    uint32_t count = port.count;
    for (uint32_t i = 3; i < count; i++) {
        sink_nack(sink, next.now, port.sent[i].seq);
        const struct sent *first = &port.sent[i], *again = fake_port_last(&port);
        assert_true(again->again);
        assert_int_equal(again->seq, first->seq);
        assert_int_equal(again->ts, first->ts);
        assert_int_equal(again->marker, first->marker);
        assert_int_equal(again->size, first->size);
        assert_memory_equal(again->payload, first->payload, first->size);
    }
    assert_int_equal(port.count, 2 * count - 3);
    sink_nack(sink, next.now, port.sent[0].seq);            /* of the source before: it can't be found any more */
    assert_int_equal(rig.media.counters.nack_missed, 1);
    sink_set_source(sink, NULL, 0);
    source_free(other);
}

static void test_a_number_that_was_never_sent_is_not_answered(void **state)
{
    (void)state;
    sink_nack(sink, feed.now, 1);
    feed_packet(&feed, true, true, false);
    feed_lose(&feed);
    feed_packet(&feed, true, false, true);
    sink_nack(sink, feed.now, 2);
    sink_nack(sink, feed.now, 4);
    sink_nack(sink, feed.now, (uint16_t)(1 + SINK_MAP_SIZE));
    assert_int_equal(rig.media.counters.nack_missed, 4);
    assert_int_equal(port.count, 2);
    feed.seq = (uint16_t)(feed.seq - 2);
    feed_packet(&feed, true, false, false);                 /* it comes late, and then can be had */
    sink_nack(sink, feed.now, 2);
    assert_int_equal(port.count, 4);
}

static void test_the_same_number_is_left_alone_for_a_while_doubling(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);
    usec_t now = feed.now;
    uint32_t wait_ms = 40;
    sink_nack(sink, now, 1);
    assert_int_equal(port.count, 2);
    for (unsigned i = 0; i < 4; i++, wait_ms *= 2) {        /* 40, 80, 160, 320: all within the second that it is kept */
        sink_nack(sink, now + MSEC(wait_ms - 1), 1);
        assert_int_equal(port.count, 2 + i);
        now += MSEC(wait_ms);
        sink_nack(sink, now, 1);
        assert_int_equal(port.count, 3 + i);
    }
    assert_int_equal(rig.media.counters.nack_soon, 4);
    assert_int_equal(rig.media.counters.nack_answered, 5);
}

static void test_after_a_second_it_is_gone(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);
    sink_nack(sink, feed.now + SINK_KEEP_US, 1);
    assert_int_equal(port.count, 2);
    sink_nack(sink, feed.now + 2 * SINK_KEEP_US, 1);
    assert_int_equal(port.count, 2);
    assert_int_equal(rig.media.counters.nack_missed, 1);
}

static void test_another_epochs_numbers_are_not_mixed_up(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);                   /* our 1 is their 1000 */
    feed.seq = 1000;
    feed.renumbered = true;
    feed_packet(&feed, true, true, true);                   /* our 2 is their new 1000 */
    uint32_t content = feed.content;
    sink_nack(sink, feed.now, 1);
    assert_int_equal(rig.media.counters.nack_missed, 1);
    sink_nack(sink, feed.now, 2);
    assert_int_equal(fake_port_last(&port)->content, content);
    assert_int_equal(fake_port_last(&port)->seq, 2);
}

static void test_a_layers_numbers_are_not_mixed_up(void **state)
{
    (void)state;
    struct source *layered = rig_source(&rig, CODEC_VP8, 2);
    struct feed low, high;
    feed_init(&low, layered, 0, feed.now);
    feed_init(&high, layered, 1, feed.now);
    high.seq = low.seq;
    sink_set_source(sink, layered, feed.now);
    uint32_t first = feed_packet(&low, true, true, true), second = feed_packet(&high, true, true, true);
    sink_nack(sink, feed.now, 1);
    assert_int_equal(fake_port_last(&port)->content, first);
    sink_nack(sink, feed.now, 2);
    assert_int_equal(fake_port_last(&port)->content, second);
    sink_set_source(sink, NULL, 0);
    source_free(layered);
}

static void test_a_receiver_that_may_not_ask_costs_no_map(void **state)
{
    (void)state;
    sink_set_port(sink, &port.port, false, 90000);
    feed_frame(&feed, true, 2);
    assert_int_equal(rig.media.maps.used, 0);
    sink_nack(sink, feed.now, 1);
    assert_int_equal(port.count, 2);
}

static void test_without_a_map_media_flows_all_the_same(void **state)
{
    (void)state;
    seam_refuse_pool_at(2);                                 /* ring, packet, map */
    feed_packet(&feed, true, true, true);
    assert_true(seam_pool_was_refused());
    assert_int_equal(port.count, 1);
    sink_nack(sink, feed.now, 1);
    assert_int_equal(port.count, 1);
    feed_packet(&feed, false, true, true);
    sink_nack(sink, feed.now, 2);
    assert_int_equal(port.count, 3);
}

/* ---- extensions ---- */

static void offer_with_delay(uint16_t min, uint16_t max)
{
    struct media_packet packet = {.arrived = feed.now, .seq = feed.seq++, .payload = (const uint8_t *)"\x10\0xxxxxxxxxxxxxxxxxx",
                                  .payload_size = 20};
    packet.ext.has = RTP_EXT_HAS_PLAYOUT_DELAY | RTP_EXT_HAS_ORIENTATION;
    packet.ext.playout_min = min;
    packet.ext.playout_max = max;
    packet.ext.orientation = 3;
    source_input(source, &packet, false);
}

static void test_playout_delay_is_the_packets_unless_one_is_set(void **state)
{
    (void)state;
    struct sink_options options = rig_options;
    offer_with_delay(1, 2);
    assert_int_equal(port.sent[0].ext.playout_min, 1);
    assert_int_equal(port.sent[0].ext.playout_max, 2);
    options.min_delay = 30;
    options.max_delay = 40;
    sink_set_options(sink, &options, feed.now);
    offer_with_delay(1, 2);
    assert_int_equal(port.sent[1].ext.playout_min, 30);
    assert_int_equal(port.sent[1].ext.playout_max, 40);
    assert_int_equal(port.sent[1].ext.orientation, 3);      /* the others stay */
    sink_nack(sink, feed.now, 2);
    assert_int_equal(port.sent[2].ext.playout_min, 30);
}

/* ---- sender reports ---- */

static void test_reports_speak_of_the_receivers_timeline(void **state)
{
    (void)state;
    uint32_t ts;
    uint64_t wall;
    assert_false(sink_report(sink, feed.now, 5000000, &ts, &wall));
    feed_packet(&feed, true, true, true);                   /* its 90000 is our 0 */
    assert_false(sink_report(sink, feed.now, 5000000, &ts, &wall));
    source_report(source, 0, feed.now, 4000000, 90000 + 900);
    assert_true(sink_report(sink, feed.now, 5000000, &ts, &wall));
    assert_int_equal(wall, 5000000);
    assert_int_equal(ts, 900 + 90000);                      /* a second later than the report */
    assert_true(sink_report(sink, feed.now, 3990000, &ts, &wall));
    assert_int_equal(ts, 0);                                /* ten milliseconds earlier */
}

static void test_a_report_from_another_age_is_not_believed(void **state)
{
    (void)state;
    uint32_t ts;
    uint64_t wall;
    feed_packet(&feed, true, true, true);
    static const uint64_t walls[] = {0, 1, UINT64_C(1) << 62, UINT64_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < ARRAY_COUNT(walls); i++) {
        source_report(source, 0, feed.now, walls[i], 1);
        assert_false(sink_report(sink, feed.now, UINT64_C(1800000000) * 1000000, &ts, &wall));
    }
}

/* Redundant audio for those who take it, what it is about for the others (RFC 2198). */
static void test_redundant_audio_is_unwrapped_for_who_does_not_take_it(void **state)
{
    (void)state;
    static const uint8_t red[] = {0x80 | 111, 0, 0, 3, 111, 'o', 'l', 'd', 'n', 'e', 'w', '!'};
    struct rig own;
    struct fake_port with, without;
    rig_init(&own);
    fake_port_init(&with);
    fake_port_init(&without);
    struct source *audio = rig_source(&own, CODEC_OPUS, 1);
    struct sink *takes = rig_sink(&own, audio, &with, SEC(1)), *does_not = rig_sink(&own, audio, &without, SEC(1));
    struct sink_options options = rig_options;
    options.pt = 111;
    options.red_pt = 120;
    sink_set_options(takes, &options, SEC(1));
    options.red_pt = 0;
    sink_set_options(does_not, &options, SEC(1));
    for (uint16_t i = 0; i < 2; i++) {
        struct media_packet packet = {.arrived = SEC(1), .seq = i, .red = i == 0, .payload = i == 0 ? red : red + 8,
                                      .payload_size = i == 0 ? sizeof(red) : 4};
        source_input(audio, &packet, false);
    }
    assert_int_equal(with.sent[0].pt, 120);
    assert_int_equal(with.sent[0].size, sizeof(red));
    assert_int_equal(with.sent[1].pt, 111);
    assert_int_equal(without.sent[0].pt, 111);
    assert_int_equal(without.sent[0].size, 4);
    assert_memory_equal(without.sent[0].payload, "new!", 4);
    sink_free(takes);
    sink_free(does_not);
    source_free(audio);
    fake_port_fini(&with);
    fake_port_fini(&without);
    rig_fini(&own);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_fresh_receiver_starts_at_one_and_zero),
        T(test_losses_and_late_packets_keep_their_places),
        T(test_probes_leave_no_gap),
        T(test_a_switch_goes_on_by_one_and_by_the_clock),
        T(test_time_moves_by_one_at_least),
        T(test_a_late_packet_does_not_turn_time_back),
        T(test_paused_nothing_is_sent_and_resumed_there_is_no_gap),
        T(test_nothing_is_offered_to_a_port_that_is_not_ready),
        T(test_a_sink_without_a_port_swallows),
        T(test_a_sink_that_follows_another_goes_on_from_its_numbers),
        T(test_a_new_ssrc_is_not_seen_by_the_receiver),
        T(test_a_new_ssrc_needs_a_keyframe),
        T(test_audio_goes_on_at_once_after_a_new_ssrc),
        T(test_an_old_probe_in_a_new_numbering_changes_nothing),
        T(test_picture_ids_go_on_across_a_switch),
        T(test_picture_ids_of_15_bits_wrap),
        T(test_picture_ids_of_7_bits_wrap),
        T(test_picture_ids_go_on_for_hours),
        T(test_left_out_pictures_close_up),
        T(test_picture_ids_that_go_back_are_not_shown),
        T(test_pictures_without_ids_are_not_touched),
        T(test_other_codecs_pass_unchanged),
        T(test_a_change_of_layer_leaves_no_gap_and_is_reported),
        T(test_what_was_sent_is_sent_again_the_same),
        T(test_a_number_that_was_never_sent_is_not_answered),
        T(test_the_same_number_is_left_alone_for_a_while_doubling),
        T(test_after_a_second_it_is_gone),
        T(test_another_epochs_numbers_are_not_mixed_up),
        T(test_a_layers_numbers_are_not_mixed_up),
        T(test_a_receiver_that_may_not_ask_costs_no_map),
        T(test_without_a_map_media_flows_all_the_same),
        T(test_playout_delay_is_the_packets_unless_one_is_set),
        T(test_reports_speak_of_the_receivers_timeline),
        T(test_a_report_from_another_age_is_not_believed),
        cmocka_unit_test(test_redundant_audio_is_unwrapped_for_who_does_not_take_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
