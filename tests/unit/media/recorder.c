/* media/recorder: what a sink sends, as frames of a recording. */
#include "rig.h"

#include <string.h>

#include "base/str.h"
#include "media/recorder.h"
#include "proto/rtp/ext.h"
#include "proto/rtp/rtp.h"

static struct rig rig;
static struct recorder recorder;
static struct source *source;
static struct sink *sink;
static struct feed feed;

static const struct mjr_info video = {.kind = MJR_VIDEO, .codec = "vp8", .created_us = 1000000, .exts = {{RECORDER_ORIENTATION_ID, RECORDER_ORIENTATION_URI}}, .ext_count = 1};

static void begin(enum codec codec, const struct mjr_info *info)
{
    const struct sink_options options = {.pt = 101, .substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1};
    rig_init(&rig);
    source = rig_source(&rig, codec, 1);
    recorder_init(&recorder, info, 0xcafe0001, SEC(10));
    sink = sink_new(&rig.media, REF_NONE, &options, SEC(10));
    sink_set_port(sink, &recorder.port, false, source->desc.clock_hz);
    sink_set_source(sink, source, SEC(10));
    feed_init(&feed, source, 0, SEC(10) + MSEC(500));
    feed.codec = codec;
}

static void end(void)
{
    sink_free(sink);
    recorder_fini(&recorder);
    source_free(source);
    rig_fini(&rig);
}

/* The file so far: `chunk`, read from its beginning. */
static struct mjr_reader open_chunk(void)
{
    struct mjr_reader reader;
    assert_true(mjr_open(&reader, buf_view(&recorder.chunk)));
    return reader;
}

static struct rtp_packet next(struct mjr_reader *reader, uint32_t *ms)
{
    struct mjr_frame frame;
    struct rtp_packet packet;
    assert_true(mjr_next(reader, &frame));
    assert_true(rtp_parse(&packet, frame.payload));
    if (ms != NULL)
        *ms = frame.ms;
    return packet;
}

static void test_nothing_but_the_magic_before_the_first_frame(void **state)
{
    (void)state;
    begin(CODEC_VP8, &video);
    feed_frame(&feed, false, 3);                        /* no keyframe: nothing to begin with */
    assert_int_equal(recorder.chunk.size, MJR_MAGIC_BYTES);
    assert_false(recorder_is_due(&recorder, SEC(10)));
    assert_true(recorder_is_due(&recorder, SEC(11)));   /* so that even an empty recording is a file */
    end();
}

static void test_video_begins_with_a_keyframe_at_seq_1_and_time_0(void **state)
{
    (void)state;
    uint32_t ms;
    begin(CODEC_VP8, &video);
    assert_false(list_is_empty(&rig.media.keyframes));  /* it was asked for */
    feed_frame(&feed, false, 2);
    feed_frame(&feed, true, 2);
    feed_frame(&feed, false, 1);
    struct mjr_reader reader = open_chunk();
    assert_memory_equal(reader.json.data, "{\"t\": \"v\", \"c\": \"vp8\", \"x\": {\"4\": \"urn:3gpp:video-orientation\"}, \"s\": 1000000, \"u\": 1533000}", reader.json.size);
    struct rtp_packet packet = next(&reader, &ms);
    assert_int_equal(packet.seq, 1);
    assert_int_equal(packet.ts, 0);
    assert_int_equal(packet.pt, 101);
    assert_int_equal(packet.ssrc, 0xcafe0001);
    assert_int_equal(ms, 0);
    packet = next(&reader, &ms);
    assert_int_equal(packet.seq, 2);
    assert_true(packet.marker);
    packet = next(&reader, &ms);
    assert_int_equal(packet.seq, 3);
    assert_int_equal(packet.ts, FRAME_TICKS);
    assert_int_equal(ms, FRAME_US / 1000);
    struct mjr_frame none;
    assert_false(mjr_next(&reader, &none));
    assert_int_equal(recorder.frames, 3);
    end();
}

static void test_losses_and_order_stay(void **state)
{
    (void)state;
    begin(CODEC_VP8, &video);
    feed_frame(&feed, true, 1);
    feed_lose(&feed);
    feed_frame(&feed, false, 1);
    struct mjr_reader reader = open_chunk();
    assert_int_equal(next(&reader, NULL).seq, 1);
    assert_int_equal(next(&reader, NULL).seq, 3);
    end();
}

static void test_orientation_is_kept_and_nothing_else(void **state)
{
    (void)state;
    struct port_packet packet = {.seq = 1, .pt = 96, .payload = STR("payload")};
    const struct rtp_ext_values ext = {.has = RTP_EXT_HAS_ORIENTATION | RTP_EXT_HAS_AUDIO_LEVEL | RTP_EXT_HAS_PLAYOUT_DELAY, .orientation = 3};
    struct view value;
    begin(CODEC_VP8, &video);
    packet.ext = &ext;
    packet.patch_size = 2;
    memcpy(packet.patch, "PA", 2);
    recorder.port.ops->send(&recorder.port, SEC(10), &packet);
    struct mjr_reader reader = open_chunk();
    const struct rtp_packet got = next(&reader, NULL);
    assert_true(rtp_ext_find(&got, RECORDER_ORIENTATION_ID, &value));
    assert_int_equal(value.data[0], 3);
    assert_int_equal(got.ext_size, 4);
    assert_memory_equal(rtp_payload(&got).data, "PAyload", 7);
    end();
    /* A recording that names no extension has none. */
    const struct mjr_info audio = {.kind = MJR_AUDIO, .codec = "opus"};
    begin(CODEC_OPUS, &audio);
    recorder.port.ops->send(&recorder.port, SEC(10), &packet);
    reader = open_chunk();
    assert_int_equal(next(&reader, NULL).ext_offset, 0);
    end();
}

/* recording.md 2.1: after a pause numbers go on, and time by the clock; frames' own times include the pause. */
static void test_a_muted_source_leaves_no_hole_in_the_numbers(void **state)
{
    (void)state;
    uint32_t ms;
    begin(CODEC_VP8, &video);
    feed_frame(&feed, true, 1);
    source_set_active(source, false);
    feed_frame(&feed, false, 1);
    feed.now += SEC(2);
    feed.ts += 180000;
    source_set_active(source, true);
    feed_frame(&feed, true, 1);
    struct mjr_reader reader = open_chunk();
    (void)next(&reader, NULL);
    const struct rtp_packet after = next(&reader, &ms);
    assert_int_equal(after.seq, 2);
    assert_int_equal(ms, 2000 + 2 * FRAME_US / 1000);
    assert_int_equal(after.ts, (SEC(2) + 2 * FRAME_US) * 9 / 100);
    end();
}

/* Nobody takes the chunk: it fills up to a bound, what comes is left out, and after that a keyframe begins anew. */
static void test_a_full_recorder_leaves_frames_out_until_there_is_room(void **state)
{
    (void)state;
    unsigned sent = 0;
    begin(CODEC_VP8, &video);
    feed_frame(&feed, true, 1);
    while (!recorder_is_full(&recorder)) {
        feed_frame(&feed, false, 20);
        assert_true(++sent < 10000);
    }
    assert_true(recorder_is_due(&recorder, feed.now));
    const uint64_t frames = recorder.frames;
    const size_t size = recorder.chunk.size;
    feed_frame(&feed, false, 20);
    feed_frame(&feed, true, 20);
    assert_int_equal(recorder.frames, frames);
    assert_int_equal(recorder.chunk.size, size);
    assert_true(size < RECORDER_CHUNK_MAX);
    recorder_taken(&recorder);
    assert_int_equal(recorder_deadline(&recorder), USEC_NEVER);
    feed_frame(&feed, false, 1);                        /* stands on frames that are not there */
    assert_int_equal(recorder.chunk.size, 0);
    feed_frame(&feed, true, 1);
    feed_frame(&feed, false, 1);
    assert_int_equal(recorder.frames, frames + 2);
    end();
}

static void test_a_payload_too_long_for_a_frame_is_counted(void **state)
{
    (void)state;
    static uint8_t bytes[MJR_PAYLOAD_MAX];
    const struct port_packet packet = {.payload = VIEW(bytes, sizeof(bytes))};
    begin(CODEC_VP8, &video);
    recorder.port.ops->send(&recorder.port, SEC(10), &packet);
    assert_int_equal(recorder.frames, 0);
    assert_int_equal(recorder.dropped, 1);
    end();
}

/* recording.md 1: eight bytes of wall clock, then the message. */
static void test_messages_are_frames_with_their_time(void **state)
{
    (void)state;
    static uint8_t bytes[MJR_PAYLOAD_MAX];
    const struct mjr_info text = {.kind = MJR_DATA, .codec = "text", .created_us = 1900000000000000};
    struct mjr_reader reader;
    struct mjr_frame frame;
    rig_init(&rig);
    recorder_init(&recorder, &text, 1, SEC(10));
    struct data_source *data = data_source_new(&rig.media, (struct ref){1, 1});
    struct data_sink *ear = data_sink_new(&rig.media, REF_NONE, &recorder.data_port, VIEW(NULL, 0));
    data_sink_set(ear, data, false);
    data_source_input(data, SEC(10) + 4266, false, STR("hi"));
    data_source_input(data, SEC(11) + 4266, true, VIEW(NULL, 0));
    data_source_input(data, SEC(11) + 4266, true, VIEW(bytes, MJR_PAYLOAD_MAX - 7));       /* has no room in 16 bits */
    data_source_input(data, SEC(11) + 4266, true, VIEW(bytes, MJR_PAYLOAD_MAX - 8));
    assert_false(data_source_waits(data));
    reader = open_chunk();
    assert_memory_equal(reader.json.data, "{\"t\": \"d\", \"c\": \"text\", \"s\": 1900000000000000, \"u\": 1900000000004266}", reader.json.size);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.payload.size, 10);
    assert_memory_equal(frame.payload.data, "\x00\x06\xc0\x0a\x39\x12\xd0\xaahi", 10);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.ms, 1000);
    assert_int_equal(frame.payload.size, 8);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.payload.size, MJR_PAYLOAD_MAX);
    assert_int_equal(recorder.dropped, 1);
    /* A full recorder has a gap; the sender never waits. */
    while (!recorder_is_full(&recorder))
        data_source_input(data, SEC(12), true, VIEW(bytes, 60000));
    data_source_input(data, SEC(12), true, STR("lost"));
    assert_int_equal(recorder.dropped, 2);
    assert_false(data_source_waits(data));
    data_sink_free(ear);
    data_source_free(data);
    recorder_fini(&recorder);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_but_the_magic_before_the_first_frame),
        cmocka_unit_test(test_video_begins_with_a_keyframe_at_seq_1_and_time_0),
        cmocka_unit_test(test_losses_and_order_stay),
        cmocka_unit_test(test_orientation_is_kept_and_nothing_else),
        cmocka_unit_test(test_a_muted_source_leaves_no_hole_in_the_numbers),
        cmocka_unit_test(test_a_full_recorder_leaves_frames_out_until_there_is_room),
        cmocka_unit_test(test_a_payload_too_long_for_a_frame_is_counted),
        cmocka_unit_test(test_messages_are_frames_with_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
