/* What the synth makes goes through a media graph unharmed, and verify.h sees what does not. */
#include "support/seams.h"

#include <string.h>

#include "client/endpoint.h"
#include "client/rtc.h"
#include "client/synth.h"
#include "client/verify.h"
#include "proto/rtp/vp8.h"

static void fill(void *source, uint8_t *out, size_t size)
{
    uint64_t *state = source;
    for (size_t i = 0; i < size; i++) {
        *state = *state * 6364136223846793005ull + 1442695040888963407ull;
        out[i] = (uint8_t)(*state >> 56);
    }
}

static uint64_t seed;
static struct rtc *rtc;
static struct verify verify;
static struct sink *sink;
static struct synth *synth;

/* Between the sink and verify: what it does to packets is up to the test. */
struct tamper {
    struct port port;
    bool drop, twice, flip;
    bool hold;
    uint32_t held;
    struct port_packet packet;
    uint8_t bytes[2048];
};

static struct tamper tamper;

static void pass(struct port *port, usec_t now, const struct port_packet *packet)
{
    struct port_packet changed = *packet;
    uint8_t bytes[2048];
    (void)port;
    memcpy(bytes, packet->payload.data, packet->payload.size);
    memcpy(bytes, packet->patch, packet->patch_size);
    changed.payload.data = bytes;
    if (tamper.hold) {
        memcpy(tamper.bytes, bytes, packet->payload.size);
        tamper.packet = changed;
        tamper.packet.payload.data = tamper.bytes;
        tamper.held++;
        tamper.hold = false;
        return;
    }
    if (tamper.flip)
        bytes[packet->payload.size - 1] ^= 1;
    if (!tamper.drop)
        verify.port.ops->send(&verify.port, now, &changed);
    if (tamper.twice)
        verify.port.ops->send(&verify.port, now, &changed);
}

static bool ready(const struct port *port)
{
    (void)port;
    return true;
}

static const struct port_ops tamper_ops = {.send = pass, .is_ready = ready};

enum kind { AUDIO, VIDEO, SVC };

static int setup_kind(void **state, enum kind kind)
{
    char error[DTLS_ERROR_TEXT];
    static const struct sink_options options = {.pt = 96, .substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1};
    const struct rtc_config config = {.endpoints = 2, .lines = 4, .packets = 4096, .seal = SEAL_BACKEND_OPENSSL, .entropy = fill, .entropy_source = &seed};
    (void)state;
    seed = 7;
    rtc = rtc_new(&config, error);
    assert_non_null(rtc);
    synth = kind == SVC ? synth_svc(rtc, 7, 1000000, 25, SEC(1)) : kind == VIDEO ? synth_video(rtc, 5, 1000000, 25, SEC(1)) : synth_audio(rtc, 6, 80, SEC(1));
    assert_non_null(synth);
    verify_init(&verify, kind != AUDIO);
    memset(&tamper, 0, sizeof(tamper));
    tamper.port.ops = &tamper_ops;
    sink = sink_new(&rtc->media, REF_NONE, &options, SEC(1));
    sink_set_port(sink, &tamper.port, false, 90000);
    sink_set_source(sink, synth->source, SEC(1));
    static struct endpoint somebody;            /* only its being there counts */
    synth->endpoint = &somebody;
    return 0;
}

static int setup_video(void **state)
{
    return setup_kind(state, VIDEO);
}

static int setup_audio(void **state)
{
    return setup_kind(state, AUDIO);
}

static int setup_svc(void **state)
{
    return setup_kind(state, SVC);
}

static int teardown(void **state)
{
    (void)state;
    sink_free(sink);
    synth_free(synth);
    rtc_free(rtc);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

static void run(usec_t until)
{
    while (synth->next_at < until)
        synth_timeout(synth, synth->next_at);
}

static void test_video_arrives_as_it_was_sent(void **state)
{
    (void)state;
    run(SEC(3));
    assert_int_equal(verify.packets, synth->packets);
    assert_int_equal(verify.strange + verify.repeated + verify.renumbered + verify.out_of_time, 0);
    assert_int_equal(verify_lost(&verify), 0);
    assert_int_equal(verify.keyframes, 1);
    /* 1 Mb/s for 2 s, and two frames' worth more in the keyframe */
    assert_in_range(verify.bytes, 250000, 270000);
}

static void test_layers_arrive_in_one_stream_and_can_be_chosen(void **state)
{
    struct sink_options options = sink->options;
    (void)state;
    run(SEC(2));
    assert_int_equal(verify.packets, synth->packets);
    assert_int_equal(verify.strange + verify.repeated + verify.renumbered + verify.out_of_time, 0);
    for (unsigned i = 0; i < VERIFY_LAYERS; i++)
        assert_true(verify.layer_at[i] > SEC(2) - MSEC(100));
    options.svc = true;
    options.substream_target = 1;
    sink_set_options(sink, &options, SEC(2));
    synth_want_keyframe(synth);
    run(SEC(3));
    assert_int_equal(verify.strange + verify.repeated + verify.out_of_time, 0);
    assert_int_equal(verify.keyframes, 2);
    assert_true(verify.layer_at[2] < SEC(2));
    assert_true(verify.layer_at[1] > SEC(3) - MSEC(100));
}

static void test_audio_arrives_every_20_ms(void **state)
{
    (void)state;
    run(SEC(2));
    assert_int_equal(verify.packets, 50);
    assert_int_equal(verify.strange + verify.renumbered, 0);
    assert_int_equal(verify.bytes, 50 * 80);
}

static void test_a_keyframe_comes_when_asked_for(void **state)
{
    (void)state;
    run(SEC(2));
    synth_want_keyframe(synth);
    run(SEC(3));
    assert_int_equal(verify.keyframes, 2);
    assert_int_equal(synth->keyframes, 2);
}

static void test_a_shaped_frame_has_its_packets_and_no_others(void **state)
{
    (void)state;
    synth_shape(synth, 5, 1172, MSEC(2));
    synth_timeout(synth, SEC(1));
    assert_int_equal(synth->packets, 1);
    assert_int_equal(synth_deadline(synth), SEC(1) + MSEC(2));
    run(SEC(1) + MSEC(40));
    assert_int_equal(synth->packets, 5);
    assert_int_equal(synth_deadline(synth), SEC(1) + MSEC(40));
    synth_shape(synth, 5, 1172, 0);
    synth_timeout(synth, SEC(1) + MSEC(40));
    assert_int_equal(synth->packets, 10);
    run(SEC(3));
    assert_int_equal(synth->packets, 250);
    assert_int_equal(verify.packets, 250);
    assert_int_equal(verify.bytes, 250 * 1172);
    assert_int_equal(verify.strange + verify.renumbered + verify.out_of_time, 0);
    assert_int_equal(verify.keyframes, 2);              /* one a second, of the same size */
}

static void test_a_flipped_bit_is_seen(void **state)
{
    (void)state;
    run(SEC(2));
    tamper.flip = true;
    run(SEC(2) + MSEC(40));
    assert_true(verify.strange > 0);
}

static void test_a_missing_packet_is_lost(void **state)
{
    (void)state;
    run(SEC(2));
    tamper.drop = true;
    const uint64_t before = synth->packets;
    run(SEC(2) + MSEC(40));
    const uint64_t dropped = synth->packets - before;
    tamper.drop = false;
    run(SEC(3));
    assert_true(dropped > 0);
    assert_int_equal(verify_lost(&verify), dropped);
}

static void test_a_repeated_packet_counts_once(void **state)
{
    (void)state;
    run(SEC(2));
    tamper.twice = true;
    const uint64_t before = synth->packets;
    run(SEC(2) + MSEC(40));
    assert_int_equal(verify.repeated, synth->packets - before);
    assert_int_equal(verify.packets, synth->packets);
}

static void test_a_late_packet_is_not_lost(void **state)
{
    (void)state;
    run(SEC(2));
    tamper.hold = true;
    run(SEC(3));
    assert_int_equal(tamper.held, 1);
    assert_int_equal(verify_lost(&verify), 1);
    verify.port.ops->send(&verify.port, SEC(3), &tamper.packet);
    assert_int_equal(verify_lost(&verify), 0);
    assert_int_equal(verify.repeated + verify.renumbered, 0);
}

static void test_foreign_payloads_are_strange(void **state)
{
    static const uint8_t foreign[] = {0x90, 0xE0, 0x80, 0x01, 0x00, 0x00, 0x11, 0, 0, 'C', 'A', 'R', 'D', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    (void)state;
    for (size_t size = 0; size <= sizeof(foreign); size++) {
        const struct port_packet packet = {.payload = {foreign, size}};
        verify.port.ops->send(&verify.port, SEC(1), &packet);
    }
    assert_int_equal(verify.strange, sizeof(foreign) + 1);
    assert_int_equal(verify.packets, 0);
}

static void test_delays_are_told_by_share(void **state)
{
    uint64_t bins[VERIFY_BINS] = {0};
    (void)state;
    assert_int_equal(verify_delay(bins, 0.5), 0);
    bins[0] = 90;
    bins[4] = 10;
    assert_int_equal(verify_delay(bins, 0.5), 16);
    assert_int_equal(verify_delay(bins, 0.9), 16);
    assert_int_equal(verify_delay(bins, 0.99), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_video_arrives_as_it_was_sent, setup_video, teardown),
        cmocka_unit_test_setup_teardown(test_layers_arrive_in_one_stream_and_can_be_chosen, setup_svc, teardown),
        cmocka_unit_test_setup_teardown(test_audio_arrives_every_20_ms, setup_audio, teardown),
        cmocka_unit_test_setup_teardown(test_a_keyframe_comes_when_asked_for, setup_video, teardown),
        cmocka_unit_test_setup_teardown(test_a_shaped_frame_has_its_packets_and_no_others, setup_video, teardown),
        cmocka_unit_test_setup_teardown(test_a_flipped_bit_is_seen, setup_video, teardown),
        cmocka_unit_test_setup_teardown(test_a_missing_packet_is_lost, setup_video, teardown),
        cmocka_unit_test_setup_teardown(test_a_repeated_packet_counts_once, setup_video, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_packet_is_not_lost, setup_video, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_payloads_are_strange, setup_video, teardown),
        cmocka_unit_test(test_delays_are_told_by_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
