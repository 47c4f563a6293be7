/* A stream with layers in it on its way to one receiver: numbers without gaps, one marker a picture, whatever is left out and however late
 * it comes. */
#include "rig.h"

#include <string.h>

#include "base/bytes.h"

static struct rig rig;
static struct fake_port port;
static struct source *source;
static struct sink *sink;
static uint16_t seq;
static uint32_t ts, content;
static usec_t now;

static void choose(uint8_t spatial, uint8_t temporal)
{
    struct sink_options options = rig_options;
    options.svc = true;
    options.substream_target = spatial;
    options.temporal_target = temporal;
    sink_set_options(sink, &options, now);
}

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    fake_port_init(&port);
    seq = 65530;
    ts = 1;
    now = SEC(10);
    source = rig_source(&rig, CODEC_VP9, 1);
    sink = rig_sink(&rig, source, &port, now);
    choose(2, 2);
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

enum part { WHOLE, FIRST, LAST };

/* One packet of VP9 (RFC 9628 4.2), not flexible; the structure of three layers on a keyframe's first. Its number is `at`. */
static uint32_t put(uint16_t at, uint8_t sid, uint8_t tid, bool key, enum part part, bool marker)
{
    uint8_t payload[PAYLOAD_SIZE] = {0};
    const bool structure = key && sid == 0 && part != LAST;
    payload[0] = (uint8_t)(0x20 | (key ? 0 : 0x40) | (part != LAST ? 0x08 : 0) | (part != FIRST ? 0x04 : 0) | (structure ? 0x02 : 0));
    payload[1] = (uint8_t)(tid << 5 | 0x10 | sid << 1 | (sid > 0));
    if (structure) {
        payload[3] = 2 << 5 | 0x10;
        for (unsigned i = 0; i < 6; i++)
            put_u16(payload + 4 + 2 * i, (uint16_t)(180 << i / 2));
    }
    put_u32(payload + PAYLOAD_SIZE - 4, ++content);
    struct media_packet packet = {.arrived = now, .ts = ts, .seq = at, .marker = marker, .payload = payload, .payload_size = PAYLOAD_SIZE};
    source_input(source, &packet, false);
    return content;
}

static void next_picture(void)
{
    now += FRAME_US;
    ts += FRAME_TICKS;
}

/* All three layers, each in two packets. */
static void picture(uint8_t tid, bool key)
{
    for (uint8_t sid = 0; sid < 3; sid++) {
        put(seq++, sid, tid, key, FIRST, false);
        put(seq++, sid, tid, key, LAST, sid == 2);
    }
    next_picture();
}

static void probe(void)
{
    struct media_packet packet = {.arrived = now, .ts = ts, .seq = seq++, .payload = (const uint8_t *)"", .payload_size = 0};
    source_input(source, &packet, false);
}

/* Numbers from `first` on, each picture with one marker, on its last packet; so many packets to each. */
static void assert_pictures(uint16_t first, unsigned pictures, unsigned packets)
{
    assert_int_equal(port.count, pictures * packets);
    for (uint32_t i = 0; i < port.count; i++) {
        assert_int_equal(port.sent[i].seq, (uint16_t)(first + i));
        assert_int_equal(port.sent[i].marker, i % packets == packets - 1);
        assert_int_equal(port.sent[i].ts, port.sent[i - i % packets].ts);
    }
}

static void test_layers_above_are_left_out_without_a_gap(void **state)
{
    (void)state;
    for (uint8_t spatial = 0; spatial < 3; spatial++) {
        choose(spatial, 2);
        picture(0, true);
        fake_port_forget(&port);
        const uint16_t first = (uint16_t)(sink->seqs.out_last + 1);
        for (int i = 0; i < 20; i++)
            picture(0, false);
        assert_pictures(first, 20, 2u * (spatial + 1u));
        assert_int_equal(sink_levels(sink).spatial, spatial);
        assert_int_equal(sink_levels(sink).temporal, 0);
    }
}

static void test_it_is_relayed_whole_to_who_has_not_asked(void **state)
{
    (void)state;
    struct sink_options options = rig_options;
    options.substream_target = 0;
    options.temporal_target = 0;
    sink_set_options(sink, &options, now);
    picture(0, true);
    picture(2, false);
    assert_pictures(1, 2, 6);
    choose(0, 0);                                           /* from now on it asks: a keyframe is needed to begin with */
    picture(0, false);
    assert_int_equal(port.count, 12);
    assert_false(list_is_empty(&source->wanting));
    picture(0, true);
    assert_int_equal(port.count, 14);
    assert_int_equal(port.sent[13].seq, 14);
    assert_true(port.sent[13].marker);
}

static void test_temporal_layers_are_left_out_without_a_gap(void **state)
{
    (void)state;
    static const uint8_t tids[] = {0, 2, 1, 2};
    choose(1, 1);
    for (unsigned i = 0; i < 40; i++)
        picture(tids[i % 4], i == 0);
    assert_pictures(1, 20, 4);
    assert_int_equal(sink_levels(sink).temporal, 1);
}

static void test_only_up_needs_a_keyframe(void **state)
{
    (void)state;
    picture(0, true);
    choose(1, 0);
    assert_false(source->keyframe_wanted);
    choose(1, 2);
    assert_false(source->keyframe_wanted);
    choose(2, 2);
    assert_true(source->keyframe_wanted);
}

/* ---- where a picture ends ---- */

static void test_a_frames_last_packet_waits_for_the_next(void **state)
{
    (void)state;
    choose(1, 2);
    picture(0, true);
    fake_port_forget(&port);
    put(seq++, 0, 0, false, WHOLE, false);
    assert_int_equal(port.count, 0);
    probe();                                                /* says nothing about it, and leaves no gap */
    assert_int_equal(port.count, 0);
    put(seq++, 2, 0, false, WHOLE, true);                   /* layer 1 was left out by the encoder */
    assert_int_equal(port.count, 1);
    assert_true(port.sent[0].marker);
    next_picture();
    put(seq++, 0, 0, false, WHOLE, false);
    put(seq++, 1, 0, false, WHOLE, false);
    assert_int_equal(port.count, 3);
    assert_false(port.sent[1].marker);
    assert_true(port.sent[2].marker);
    for (unsigned i = 1; i < 3; i++)
        assert_int_equal(port.sent[i].seq, (uint16_t)(port.sent[0].seq + i));
}

static void test_what_is_lost_behind_it_may_belong_to_the_picture(void **state)
{
    (void)state;
    choose(1, 2);
    picture(0, true);
    fake_port_forget(&port);
    put(seq, 0, 0, false, WHOLE, false);
    const uint32_t missing_ts = ts;
    next_picture();
    put((uint16_t)(seq + 2), 0, 0, false, FIRST, false);    /* seq + 1, the frame of layer 1, is on its way again */
    assert_int_equal(port.count, 2);
    assert_false(port.sent[0].marker);
    ts = missing_ts;
    put((uint16_t)(seq + 1), 1, 0, false, WHOLE, false);
    assert_int_equal(port.count, 3);
    assert_true(port.sent[2].marker);
    assert_int_equal(port.sent[2].seq, (uint16_t)(port.sent[0].seq + 1));
}

/* The last packet of layer 0 is lost, and comes when it is known what followed it. */
static void test_a_late_end_is_judged_by_what_is_there(void **state)
{
    (void)state;
    for (uint8_t above = 1; above < 3; above++) {
        choose(1, 2);
        picture(0, true);
        fake_port_forget(&port);
        put(seq, 0, 0, false, FIRST, false);
        put((uint16_t)(seq + 2), above, 0, false, WHOLE, above == 2);
        put((uint16_t)(seq + 1), 0, 0, false, LAST, false);
        const struct sent *late = fake_port_last(&port);
        assert_int_equal(late->marker, above == 2);
        assert_int_equal(late->seq, (uint16_t)(port.sent[0].seq + 1));
        seq = (uint16_t)(seq + 3);
        next_picture();
    }
}

static void test_what_waits_is_forgotten_with_its_stream(void **state)
{
    (void)state;
    struct sink_options options = sink->options;
    choose(1, 2);
    picture(0, true);
    put(seq++, 0, 0, false, WHOLE, false);
    assert_true(sink->holds);
    fake_port_forget(&port);
    options = sink->options;
    options.paused = true;
    sink_set_options(sink, &options, now);
    picture(0, false);
    options.paused = false;
    sink_set_options(sink, &options, now);
    picture(0, true);
    assert_int_equal(port.count, 4);
    put(seq++, 0, 0, false, WHOLE, false);
    assert_true(sink->holds);
    source_set_active(source, false);
    source_set_active(source, true);
    picture(0, true);
    assert_int_equal(port.count, 8);
    put(seq++, 0, 0, false, WHOLE, false);
    sink_set_source(sink, NULL, now);
    assert_false(sink->holds);
}

static void test_a_packet_is_sent_again_with_the_marker_it_had(void **state)
{
    (void)state;
    choose(0, 2);
    picture(0, true);
    for (unsigned i = 0; i < 2; i++) {
        const uint16_t asked = port.sent[i].seq;
        const bool marker = port.sent[i].marker;
        sink_nack(sink, now, asked);
        assert_true(fake_port_last(&port)->again);
        assert_int_equal(fake_port_last(&port)->seq, asked);
        assert_int_equal(fake_port_last(&port)->marker, marker);
    }
    assert_true(port.sent[1].marker);
}

/* ---- beginnings ---- */

static void test_a_keyframe_whose_beginning_comes_late_is_begun_with(void **state)
{
    (void)state;
    choose(1, 2);
    const uint16_t first = seq++;
    put(seq++, 0, 0, true, LAST, false);
    put(seq++, 1, 0, true, WHOLE, false);
    put(seq++, 2, 0, true, WHOLE, true);
    assert_int_equal(port.count, 0);
    put(first, 0, 0, true, FIRST, false);
    assert_pictures(1, 1, 3);
    next_picture();
    picture(0, false);
    assert_int_equal(port.count, 7);
    assert_int_equal(port.sent[6].seq, 7);
    assert_true(port.sent[6].marker);
}

static void test_a_replay_has_its_layers_too(void **state)
{
    (void)state;
    struct fake_port other;
    fake_port_init(&other);
    picture(0, true);
    picture(0, false);
    struct sink *late = rig_sink(&rig, source, &other, now);
    struct sink_options options = rig_options;
    options.svc = true;
    options.substream_target = 1;
    sink_set_options(late, &options, now);
    assert_true(fanout_replay(source, late, now));
    assert_int_equal(other.count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(other.sent[i].seq, 1 + i);
        assert_int_equal(other.sent[i].marker, i % 4 == 3);
    }
    sink_free(late);
    fake_port_fini(&other);
}

int main(void)
{
#define SVC(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SVC(test_layers_above_are_left_out_without_a_gap),
        SVC(test_it_is_relayed_whole_to_who_has_not_asked),
        SVC(test_temporal_layers_are_left_out_without_a_gap),
        SVC(test_only_up_needs_a_keyframe),
        SVC(test_a_frames_last_packet_waits_for_the_next),
        SVC(test_what_is_lost_behind_it_may_belong_to_the_picture),
        SVC(test_a_late_end_is_judged_by_what_is_there),
        SVC(test_what_waits_is_forgotten_with_its_stream),
        SVC(test_a_packet_is_sent_again_with_the_marker_it_had),
        SVC(test_a_keyframe_whose_beginning_comes_late_is_begun_with),
        SVC(test_a_replay_has_its_layers_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
