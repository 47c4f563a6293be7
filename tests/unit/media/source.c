/* What one m-line of a publisher sends: looked into once, kept, asked for keyframes. */
#include "rig.h"

#include <string.h>

#include "proto/rtp/codec_types.h"

static struct rig rig;
static struct fake_port port;
static struct source *source;
static struct feed feed;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    fake_port_init(&port);
    source = rig_source(&rig, CODEC_VP8, 1);
    feed_init(&feed, source, 0, SEC(10));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    while (source != NULL && source->sink_count > 0)
        sink_free(CONTAINER_OF(source->sinks.next, struct sink, by_source));
    if (source != NULL)
        source_free(source);
    fake_port_fini(&port);
    rig_fini(&rig);
    return 0;
}

/* ---- keyframes ---- */

static bool is_wanting(void)
{
    return !list_is_empty(&rig.media.keyframes);
}

static void test_a_keyframe_is_asked_for_at_once(void **state)
{
    (void)state;
    source_want_keyframe(source);
    assert_true(is_wanting());
    assert_int_equal(source_keyframe_deadline(source), 0);
    assert_true(source_keyframe_due(source, SEC(1)));
    assert_false(is_wanting());
    assert_int_equal(rig.media.counters.keyframes_asked, 1);
}

static void test_asks_are_merged_and_the_rest_remembered(void **state)
{
    (void)state;
    source_want_keyframe(source);
    source_want_keyframe(source);
    assert_true(source_keyframe_due(source, SEC(1)));
    for (int i = 0; i < 20; i++)
        source_want_keyframe(source);
    assert_false(source_keyframe_due(source, SEC(1) + KEYFRAME_EVERY_US - 1));
    assert_true(is_wanting());
    assert_int_equal(source_keyframe_deadline(source), SEC(1) + KEYFRAME_EVERY_US);
    assert_true(source_keyframe_due(source, SEC(1) + KEYFRAME_EVERY_US));
    assert_false(is_wanting());
    assert_int_equal(rig.media.counters.keyframes_asked, 2);
}

static void test_one_that_comes_in_time_answers_what_is_remembered(void **state)
{
    (void)state;
    source_want_keyframe(source);
    assert_true(source_keyframe_due(source, feed.now));
    source_want_keyframe(source);
    feed.now += MSEC(100);
    feed_packet(&feed, true, true, true);
    assert_int_equal(source_keyframe_deadline(source), 0);          /* it only has to leave the list */
    assert_false(source_keyframe_due(source, feed.now));
    assert_false(is_wanting());
    assert_int_equal(rig.media.counters.keyframes_asked, 1);
}

static void test_a_lower_layers_keyframe_answers_nothing(void **state)
{
    (void)state;
    struct source *layered = rig_source(&rig, CODEC_VP8, 3);
    struct feed low, high;
    feed_init(&low, layered, 0, SEC(10));
    feed_init(&high, layered, 2, SEC(10));
    source_want_keyframe(layered);
    feed_packet(&low, true, true, true);
    assert_true(layered->keyframe_wanted);
    feed_packet(&high, true, true, true);
    assert_false(layered->keyframe_wanted);
    source_free(layered);
    assert_false(is_wanting());
}

static void test_audio_has_none(void **state)
{
    (void)state;
    struct source *audio = rig_source(&rig, CODEC_OPUS, 1);
    source_want_keyframe(audio);
    assert_false(is_wanting());
    source_free(audio);
}

/* ---- what is kept ---- */

static void test_video_is_kept_for_a_second_audio_is_not(void **state)
{
    (void)state;
    struct source *audio = rig_source(&rig, CODEC_OPUS, 1);
    struct feed voice;
    feed_init(&voice, audio, 0, SEC(10));
    voice.codec = CODEC_OPUS;
    for (int i = 0; i < 10; i++) {
        feed_frame(&feed, i == 0, 2);
        feed_packet(&voice, false, true, false);
    }
    assert_int_equal(rig.media.packets.used, 20);
    source_expire(source, feed.now + SEC(1));
    assert_int_equal(rig.media.packets.used, 0);
    source_free(audio);
}

static void test_audio_that_may_be_asked_for_again_is_kept(void **state)
{
    (void)state;
    struct source *audio = rig_source(&rig, CODEC_OPUS, 1);
    struct feed voice;
    feed_init(&voice, audio, 0, SEC(10));
    voice.codec = CODEC_OPUS;
    struct sink *sink = rig_sink(&rig, audio, &port, SEC(10));
    feed_packet(&voice, false, true, false);
    uint32_t content = voice.content;
    sink_nack(sink, SEC(10) + MSEC(30), port.sent[0].seq);
    assert_int_equal(port.count, 2);
    assert_true(port.sent[1].again);
    assert_int_equal(port.sent[1].content, content);
    sink_free(sink);
    source_free(audio);
}

/* ---- mutes and new SSRCs ---- */

static void test_muted_nothing_passes_and_unmuted_there_is_no_gap(void **state)
{
    (void)state;
    rig_sink(&rig, source, &port, feed.now);
    feed_frame(&feed, true, 3);
    source_set_active(source, false);
    for (int i = 0; i < 100; i++)
        feed_frame(&feed, false, 3);
    assert_int_equal(port.count, 3);
    assert_int_equal(rig.media.counters.dropped_inactive, 300);
    source_set_active(source, true);
    assert_true(source->keyframe_wanted);
    feed_frame(&feed, false, 3);                            /* would stand on what was not sent */
    assert_int_equal(port.count, 3);
    feed_frame(&feed, true, 3);
    assert_int_equal(port.count, 6);
    assert_int_equal(port.sent[3].seq, port.sent[2].seq + 1);
    assert_true(port.sent[3].ts - port.sent[2].ts >= 100 * FRAME_TICKS);
}

/* Another worker's proxy hears of a mute by the packets alone. */
static void test_unmuting_begins_a_new_epoch(void **state)
{
    (void)state;
    feed_packet(&feed, true, true, true);
    source_set_active(source, true);                        /* it was */
    assert_int_equal(source->layers[0].epoch, 0);
    source_set_active(source, false);
    assert_int_equal(source->layers[0].epoch, 0);
    source_set_active(source, true);
    assert_int_equal(source->layers[0].epoch, 1);
    assert_int_equal(rig.media.packets.used, 0);            /* what went before is of no use */
    assert_int_equal(source->layers[1].epoch, 0);
}

static void test_a_new_ssrc_begins_a_new_epoch(void **state)
{
    (void)state;
    rig_sink(&rig, source, &port, feed.now);
    feed_frame(&feed, true, 2);
    source_report(source, 0, feed.now, 1, 2);
    feed.seq = 40000;
    feed.ts = 5;
    feed.picture_id = 9000;
    feed.renumbered = true;
    feed_frame(&feed, true, 2);
    assert_int_equal(source->layers[0].epoch, 1);
    assert_int_equal(source->reports[0].at, 0);
    assert_int_equal(port.count, 4);
    assert_int_equal(port.sent[2].seq, port.sent[1].seq + 1);
    assert_null(history_get(&source->layers[0].history, 1000));
}

static void test_renumbered_before_the_first_packet_is_nothing_new(void **state)
{
    (void)state;
    feed.renumbered = true;
    feed_packet(&feed, true, true, true);
    assert_int_equal(source->layers[0].epoch, 0);
}

/* ---- ends ---- */

static void test_an_orphan_lets_its_sinks_go_and_waits_for_the_worker(void **state)
{
    (void)state;
    struct sink *sink = rig_sink(&rig, source, &port, feed.now);
    source->origin = &port;
    source_want_keyframe(source);
    source_orphan(source);
    assert_null(sink->source);
    assert_null(source->origin);
    assert_false(is_wanting());
    assert_ptr_equal(list_pop(&rig.media.orphans), &source->wanting);
    source_free(source);
    source = NULL;
    sink_free(sink);
}

static void test_a_free_source_leaves_silent_sinks(void **state)
{
    (void)state;
    struct sink *sink = rig_sink(&rig, source, &port, feed.now);
    feed_frame(&feed, true, 5);
    source_want_keyframe(source);
    source_free(source);
    source = NULL;
    assert_null(sink->source);
    sink_nack(sink, feed.now, port.sent[0].seq);
    assert_int_equal(rig.media.counters.nack_missed, 1);
    sink_free(sink);
}

static void test_a_newer_source_takes_an_older_ones_slot(void **state)
{
    (void)state;
    struct slots slots;
    slots_init(&slots, 16);
    struct source *older = rig_source(&rig, CODEC_VP8, 1), *newer = rig_source(&rig, CODEC_VP8, 1);
    older->name = (struct ref){3, 7};
    newer->name = (struct ref){3, 8};
    older->proxy = true;
    struct sink *sink = rig_sink(&rig, older, &port, feed.now);
    assert_true(source_put(&slots, older));
    assert_true(source_put(&slots, newer));
    assert_ptr_equal(slots_get(&slots, newer->name), newer);
    assert_null(slots_get(&slots, older->name));
    assert_null(sink->source);
    assert_ptr_equal(list_pop(&rig.media.orphans), &older->wanting);
    struct source *beyond = rig_source(&rig, CODEC_VP8, 1);
    beyond->name = (struct ref){16, 1};
    assert_false(source_put(&slots, beyond));
    source_free(beyond);
    source_free(older);
    source_free(newer);
    sink_free(sink);
    slots_fini(&slots);
}

/* ---- looking into packets ---- */

static struct media_packet look(struct source *into, uint8_t layer, const void *payload, uint16_t size)
{
    struct media_packet packet = {.arrived = feed.now, .seq = feed.seq++, .layer = layer, .payload = payload, .payload_size = size};
    source_input(into, &packet, false);
    return packet;
}

static void test_vp8_says_its_temporal_layer(void **state)
{
    (void)state;
    feed.tid = 2;
    feed_packet(&feed, false, true, true);
    const struct media_packet *kept = history_get(&source->layers[0].history, (uint16_t)(feed.seq - 1));
    assert_int_equal(kept->tid, 2);
    assert_int_equal(kept->tid_up, 1u << 2);
    assert_true(kept->tid_down && kept->tid_jump);
    feed.tid = -1;
    feed_packet(&feed, false, true, true);
    assert_int_equal(history_get(&source->layers[0].history, (uint16_t)(feed.seq - 1))->tid, -1);
}

static void test_vp9_says_where_layers_may_change(void **state)
{
    (void)state;
    struct source *vp9 = rig_source(&rig, CODEC_VP9, 2);
    /* L set, no I, no F; B or E; then TID, U, SID, D; TL0PICIDX (RFC 9628 4.2) */
    struct media_packet packet = look(vp9, 0, "\x28\x30\x05xxxx", 7);          /* B; TID 1, U */
    assert_int_equal(packet.tid, 1);
    assert_int_equal(packet.tid_up, 1u << 1);
    assert_false(packet.tid_down);
    packet = look(vp9, 0, "\x24\x20\x05xxxx", 7);                               /* E; TID 1 */
    assert_int_equal(packet.tid_up, 0);
    assert_true(packet.tid_down);
    assert_false(packet.tid_jump);
    packet = look(vp9, 0, "\x24\x30\x05xxxx", 7);                               /* U, but not the beginning */
    assert_int_equal(packet.tid_up, 0);
    assert_int_equal(packet.sid, 0);
    assert_int_equal(packet.spatial_count, 0);
    packet = look(vp9, 0, "\x28\x34\x05xxxx", 7);                               /* U, at the beginning of an upper layer */
    assert_int_equal(packet.tid_up, 0);
    assert_false(packet.frame_end);
    packet = look(vp9, 0, "\x0Cxxxx", 5);                                       /* no layers */
    assert_int_equal(packet.tid, -1);
    assert_int_equal(packet.sid, -1);
    source_free(vp9);
}

/* The structure says how many there are, until the next one does; without a keyframe it is told when layers come or go. */
static void test_vp9_says_how_many_layers_there_are(void **state)
{
    (void)state;
    struct source *vp9 = rig_source(&rig, CODEC_VP9, 1);
    static const char key[] = "\x2A\x00\x05\x30\x01\x40\x00\xB4\x02\x80\x01\x68xxxx";       /* L, B, V; N_S 2, Y */
    static const char more[] = "\x6A\x00\x05\x10\x01\x40\x00\xB4xxxx";                          /* the same, P; N_S 1 */
    struct media_packet packet = look(vp9, 0, key, sizeof(key) - 1);
    assert_true(packet.keyframe);
    assert_int_equal(packet.spatial_count, 2);
    packet = look(vp9, 0, "\x26\x02\x05xxxx", 7);                               /* V, but truncated: relayed as it is */
    assert_int_equal(packet.sid, -1);
    packet = look(vp9, 0, "\x24\x02\x05xxxx", 7);
    assert_int_equal(packet.spatial_count, 2);
    packet = look(vp9, 0, more, sizeof(more) - 1);
    assert_false(packet.keyframe);
    assert_int_equal(packet.spatial_count, 1);
    source_free(vp9);
}

/* Two temporal layers, templates 0 and 1 (AV1 RTP specification A.8.3): mandatory fields, then a structure with
 * template offset 0, one decode target, layers "0, next temporal, end", no dtis beyond two, no fdiffs, no chains. */
static struct view structure_descriptor(uint8_t out[16], bool start, uint8_t template_id)
{
    uint64_t bits = 0;
    unsigned count = 0;
#define BITS(v, n) (bits = bits << (n) | (v), count += (n))
    BITS(start, 1); BITS(1, 1); BITS(template_id, 6); BITS(1, 16);
    BITS(1, 1); BITS(0, 4);                                 /* structure present; nothing else */
    BITS(0, 6); BITS(0, 5);                                 /* template offset, targets - 1 */
    BITS(1, 2); BITS(3, 2);                                 /* next temporal; end */
    BITS(2, 2); BITS(2, 2);                                 /* dti per template */
    BITS(0, 1); BITS(0, 1);                                 /* fdiffs */
    BITS(0, 1);                                             /* chains: ns(2) = 0 */
    BITS(0, 1);                                             /* resolutions */
#undef BITS
    bits <<= 64 - count;
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(bits >> (56 - 8 * i));
    return VIEW(out, (count + 7) / 8);
}

static void test_av1_says_it_in_its_descriptor(void **state)
{
    (void)state;
    struct source *av1 = rig_source(&rig, CODEC_AV1, 2);
    uint8_t bytes[16];
    struct media_packet packet = {.arrived = feed.now, .seq = 1, .payload = (const uint8_t *)"\x10xxx", .payload_size = 4};
    packet.ext.has = RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR;
    packet.ext.dependency_descriptor = VIEW("\xC1\x00\x01", 3);                 /* template 1, of an unknown structure */
    source_input(av1, &packet, false);
    assert_int_equal(packet.tid, -1);
    packet.seq = 2;
    packet.ext.dependency_descriptor = structure_descriptor(bytes, true, 0);
    source_input(av1, &packet, false);
    assert_int_equal(packet.tid, 0);
    packet.seq = 3;
    packet.ext.dependency_descriptor = VIEW("\xC1\x00\x02", 3);
    source_input(av1, &packet, false);
    assert_int_equal(packet.tid, 1);
    assert_int_equal(packet.tid_up, 1u << 1);
    assert_true(packet.tid_down && !packet.tid_jump);
    assert_int_equal(packet.sid, 0);
    assert_int_equal(packet.spatial_count, 1);
    assert_true(packet.frame_end);
    packet.seq = 4;                                         /* another SSRC: its structure is its own */
    source_input(av1, &packet, true);
    assert_int_equal(packet.tid, -1);
    source_free(av1);
}

static void test_an_opaque_source_is_not_looked_into(void **state)
{
    (void)state;
    source->desc.opaque = true;
    feed.tid = 1;
    feed_packet(&feed, true, true, true);
    const struct media_packet *kept = history_get(&source->layers[0].history, (uint16_t)(feed.seq - 1));
    assert_false(kept->keyframe);
    assert_int_equal(kept->tid, -1);
}

/* But for what stands beside its payload. */
static void test_an_opaque_source_may_describe_itself(void **state)
{
    (void)state;
    struct source *av1 = rig_source(&rig, CODEC_AV1, 1);
    uint8_t bytes[16];
    av1->desc.opaque = true;
    struct media_packet packet = {.arrived = feed.now, .seq = 1, .payload = (const uint8_t *)"\xFFxxx", .payload_size = 4};
    packet.ext.has = RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR;
    packet.ext.dependency_descriptor = structure_descriptor(bytes, true, 0);
    source_input(av1, &packet, false);
    assert_true(packet.keyframe);
    assert_int_equal(packet.sid, 0);
    packet.seq = 2;
    packet.ext.dependency_descriptor = VIEW("\xC1\x00\x02", 3);
    source_input(av1, &packet, false);
    assert_false(packet.keyframe);
    assert_int_equal(packet.tid, 1);
    source_free(av1);
}

/* security.md, PR 3636: VP8 payloads of a few bytes, with simulcast. */
static void test_short_payloads_pass_unharmed(void **state)
{
    (void)state;
    static const uint8_t worst[] = {0x90, 0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x9D, 0x01, 0x2A};
    for (int codec = CODEC_VP8; codec < CODEC_COUNT; codec++) {
        struct source *layered = rig_source(&rig, (enum codec)codec, 3);
        struct sink *sink = rig_sink(&rig, layered, &port, feed.now);
        for (uint8_t layer = 0; layer < 3; layer++)
            for (uint16_t size = 0; size <= sizeof(worst); size++) {
                uint8_t *exact = test_malloc(size + 1u);
                memcpy(exact, worst, size);
                (void)look(layered, layer, exact, size);
                test_free(exact);
            }
        sink_free(sink);
        source_free(layered);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_keyframe_is_asked_for_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asks_are_merged_and_the_rest_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_that_comes_in_time_answers_what_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lower_layers_keyframe_answers_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_audio_has_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_video_is_kept_for_a_second_audio_is_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_audio_that_may_be_asked_for_again_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_muted_nothing_passes_and_unmuted_there_is_no_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unmuting_begins_a_new_epoch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_new_ssrc_begins_a_new_epoch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renumbered_before_the_first_packet_is_nothing_new, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_orphan_lets_its_sinks_go_and_waits_for_the_worker, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_free_source_leaves_silent_sinks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_newer_source_takes_an_older_ones_slot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vp8_says_its_temporal_layer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vp9_says_where_layers_may_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vp9_says_how_many_layers_there_are, setup, teardown),
        cmocka_unit_test_setup_teardown(test_av1_says_it_in_its_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_opaque_source_is_not_looked_into, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_opaque_source_may_describe_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_payloads_pass_unharmed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
