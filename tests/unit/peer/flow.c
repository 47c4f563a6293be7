/* Media both ways and what is said about it: losses, keyframes, rates, reports, silence. */
#include "duo.h"

#include "base/bytes.h"
#include "proto/rtcp/ntp.h"
#include "proto/rtcp/twcc.h"

static struct duo duo;
static uint16_t audio, video, back;         /* A to B; A to B; B to A */

static void begin(const struct duo_options *options)
{
    duo_init(&duo, options);
    audio = duo_line(&duo, &(struct duo_line){.codec = CODEC_OPUS, .a_sends = true});
    video = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    back = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .b_sends = true, .nack = true, .rtx = true});
    duo_connect(&duo);
}

/* One frame of `packets` packets now, and on to the next in 33 ms. */
static void frame(int side, struct feed *feed, bool key, unsigned packets)
{
    feed->now = duo.now;
    feed_frame(feed, key, packets);
    duo_turn(&duo, side);
    duo_run_for(&duo, FRAME_US);
}

static void frames(struct feed *feed, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        frame(A, feed, i == 0, 3);
}

static bool is_rtp(const uint8_t *datagram, size_t size, uint32_t ssrc)
{
    return rtp_classify(VIEW(datagram, size)) == RTP_KIND_RTP && get_u32(datagram + 8) == ssrc;
}

/* ---- media ---- */

static void test_what_goes_in_on_one_side_comes_out_on_the_other(void **state)
{
    (void)state;
    struct feed pictures, voice, other;
    uint32_t contents[60];
    begin(&(struct duo_options){0});
    struct fake_port *seen = duo_ear(&duo, B, video), *heard = duo_ear(&duo, B, audio), *returned = duo_ear(&duo, A, back);
    duo_feed(&duo, A, video, 0, &pictures);
    duo_feed(&duo, A, audio, 0, &voice);
    duo_feed(&duo, B, back, 0, &other);
    for (unsigned i = 0; i < 20; i++) {
        pictures.now = duo.now;
        for (unsigned k = 0; k < 3; k++)
            contents[3 * i + k] = feed_packet(&pictures, i == 0, k == 0, k == 2);
        feed_next_frame(&pictures, -1);
        voice.now = duo.now;
        feed_packet(&voice, false, true, false);
        duo_turn(&duo, A);
        frame(B, &other, i == 0, 2);
    }
    assert_int_equal(seen->count, 60);
    assert_int_equal(heard->count, 20);
    assert_int_equal(returned->count, 40);
    for (unsigned i = 0; i < 60; i++) {
        assert_int_equal(seen->sent[i].content, contents[i]);
        assert_int_equal(seen->sent[i].size, PAYLOAD_SIZE);
        assert_int_equal(seen->sent[i].marker, i % 3 == 2);
        assert_int_equal(seen->sent[i].ts, i / 3 * FRAME_TICKS);
    }
    assert_int_equal(duo.side[B].env.counters.rtp_forged, 0);
    assert_int_equal(duo.side[B].env.counters.nacks_out, 0);
    duo_fini(&duo);
}

static void test_extensions_travel_as_values(void **state)
{
    (void)state;
    struct feed voice, pictures;
    begin(&(struct duo_options){0});
    struct fake_port *heard = duo_ear(&duo, B, audio), *seen = duo_ear(&duo, B, video);
    duo_feed(&duo, A, audio, 0, &voice);
    duo_feed(&duo, A, video, 0, &pictures);
    struct media_packet packet = {.arrived = duo.now, .seq = 5, .payload = (const uint8_t *)"0123456789", .payload_size = 10};
    packet.ext = (struct rtp_ext_values){.has = RTP_EXT_HAS_AUDIO_LEVEL, .audio_level = 42, .voice = true};
    source_input(voice.source, &packet, false);
    packet.payload = (const uint8_t *)"\x10\0xxxxxxxxxxxxxxxxxx";      /* a keyframe */
    packet.payload_size = 20;
    packet.ext = (struct rtp_ext_values){.has = RTP_EXT_HAS_ORIENTATION | RTP_EXT_HAS_PLAYOUT_DELAY, .orientation = 0x0B, .playout_min = 7,
                                         .playout_max = 4095};
    source_input(pictures.source, &packet, false);
    duo_turn(&duo, A);
    duo_run_for(&duo, MSEC(50));
    assert_int_equal(heard->sent[0].ext.audio_level, 42);
    assert_true(heard->sent[0].ext.voice);
    assert_int_equal(heard->sent[0].ext.has & RTP_EXT_HAS_TWCC, 0);        /* audio carries no transport-cc (webrtc.md 12.2) */
    assert_int_equal(seen->sent[0].ext.orientation, 0x0B);
    assert_int_equal(seen->sent[0].ext.playout_min, 7);
    assert_int_equal(seen->sent[0].ext.playout_max, 4095);
    assert_int_equal(seen->sent[0].ext.twcc_seq, 1);                       /* the first value is 1 */
    assert_true((seen->sent[0].ext.has & RTP_EXT_HAS_ABS_SEND_TIME) != 0);
    duo_fini(&duo);
}

/* ---- losses ---- */

/* Loses the fate_a-th RTP packet of A's video, once. */
static enum fate lose_one(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    if (from != A || !is_rtp(datagram, *size, duo_ssrc(A, video, 0)))
        return FATE_DELIVER;
    return ++d->fate_b == d->fate_a ? FATE_DROP : FATE_DELIVER;
}

static void test_a_lost_packet_comes_by_rtx(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    struct fake_port *seen = duo_ear(&duo, B, video);
    duo_feed(&duo, A, video, 0, &feed);
    duo.fate = lose_one;
    duo.fate_a = 5;
    frames(&feed, 10);
    assert_int_equal(seen->count, 30);
    assert_int_equal(duo.side[B].env.counters.rtx_recovered, 1);
    assert_int_equal(duo.side[B].env.counters.nacks_out, 1);
    assert_int_equal(duo.side[A].env.counters.nacks_in, 1);
    struct rtcp_packet nack;
    const struct rtcp_seen *asked = duo_rtcp(&duo, A, RTCP_RTPFB, RTCP_FMT_NACK, 0, &nack);
    struct rtcp_feedback feedback;
    assert_true(rtcp_feedback_parse(&feedback, &nack));
    assert_int_equal(feedback.sender_ssrc, duo_ssrc(B, video, 0));
    assert_int_equal(feedback.media_ssrc, duo_ssrc(A, video, 0));
    assert_non_null(asked);
    bool found[30] = {false};
    for (uint32_t i = 0; i < 30; i++)
        found[seen->sent[i].seq - 1] = true;
    for (uint32_t i = 0; i < 30; i++)
        assert_true(found[i]);
    duo_fini(&duo);
}

/* webrtc.md 11: once 12 ms after a later packet showed it, once more 155 ms after that, and never again. */
static enum fate lose_one_and_rtx(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    if (from == A && is_rtp(datagram, *size, duo_rtx_ssrc(A, video, 0)))
        return FATE_DROP;
    return lose_one(d, from, datagram, size);
}

static void test_a_packet_is_asked_for_twice(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    duo_ear(&duo, B, video);
    duo_feed(&duo, A, video, 0, &feed);
    duo.fate = lose_one_and_rtx;
    duo.fate_a = 5;
    frames(&feed, 1);
    frame(A, &feed, false, 3);
    usec_t shown_at = duo.now - FRAME_US + duo.delay_us;    /* the sixth came with the fifth's frame */
    for (int i = 0; i < 30; i++)
        frame(A, &feed, false, 1);
    assert_int_equal(duo_rtcp_count(&duo, A, RTCP_RTPFB, RTCP_FMT_NACK), 2);
    assert_in_range(duo_rtcp(&duo, A, RTCP_RTPFB, RTCP_FMT_NACK, 0, NULL)->at - shown_at - duo.delay_us, MSEC(12), MSEC(14));
    assert_in_range(duo_rtcp(&duo, A, RTCP_RTPFB, RTCP_FMT_NACK, 1, NULL)->at - shown_at - duo.delay_us, MSEC(155), MSEC(158));
    duo_fini(&duo);
}

static enum fate lose_many(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    (void)from;
    if (rtp_classify(VIEW(datagram, *size)) != RTP_KIND_RTP)
        return FATE_DELIVER;
    uint32_t dice = duo_dice(d, 100);
    return dice < d->fate_a ? FATE_DROP : dice < d->fate_a + 3 ? FATE_TWICE : dice < d->fate_a + 8 ? FATE_LATE : FATE_DELIVER;
}

static void test_under_heavy_loss_nothing_comes_twice_and_most_comes(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 5; seed++) {
        struct feed feed;
        begin(&(struct duo_options){.a_is_dtls_server = seed % 2 != 0});
        struct fake_port *seen = duo_ear(&duo, B, video);
        duo_feed(&duo, A, video, 0, &feed);
        duo.random = seed;
        duo.fate = lose_many;
        duo.fate_a = 10;
        for (unsigned i = 0; i < 300; i++)
            frame(A, &feed, i == 0, 4);
        duo.fate = NULL;
        frame(A, &feed, false, 1);
        duo_run_for(&duo, MSEC(500));
        static bool found[2000];
        for (unsigned i = 0; i < 2000; i++)
            found[i] = false;
        for (uint32_t i = 0; i < seen->count; i++) {
            assert_in_range(seen->sent[i].seq, 1, 1300);
            assert_false(found[seen->sent[i].seq]);
            found[seen->sent[i].seq] = true;
        }
        assert_true(seen->count > 1170);                    /* 10 % lost, and 10 % of those twice */
        assert_true(duo.side[B].env.counters.rtx_recovered > 80);
        duo_fini(&duo);
    }
}

/* ---- keyframes ---- */

static void test_a_keyframe_ask_reaches_the_publisher_merged(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    duo_ear(&duo, B, video);
    duo_feed(&duo, A, video, 0, &feed);
    frames(&feed, 3);
    duo_run_for(&duo, SEC(1));
    uint32_t before = duo_rtcp_count(&duo, A, RTCP_PSFB, RTCP_FMT_PLI);
    struct source *source = slots_get(&duo.side[B].sources, duo.side[B].lines[video].source);
    usec_t start = duo.now;
    for (int i = 0; i < 10; i++) {
        source_want_keyframe(source);
        duo_turn(&duo, B);
        duo_run_for(&duo, MSEC(20));
    }
    duo_run_for(&duo, SEC(2));
    assert_int_equal(duo_rtcp_count(&duo, A, RTCP_PSFB, RTCP_FMT_PLI) - before, 2);
    assert_in_range(duo_rtcp(&duo, A, RTCP_PSFB, RTCP_FMT_PLI, before, NULL)->at - start, duo.delay_us, duo.delay_us + 1);
    assert_in_range(duo_rtcp(&duo, A, RTCP_PSFB, RTCP_FMT_PLI, before + 1, NULL)->at - start, KEYFRAME_EVERY_US + duo.delay_us,
                    KEYFRAME_EVERY_US + duo.delay_us + 1);
    struct rtcp_packet packet;
    struct rtcp_feedback pli;
    duo_rtcp(&duo, A, RTCP_PSFB, RTCP_FMT_PLI, before, &packet);
    assert_true(rtcp_feedback_parse(&pli, &packet));
    assert_int_equal(pli.media_ssrc, duo_ssrc(A, video, 0));
    assert_true(duo.side[A].env.counters.plis_in >= 2);
    assert_true(duo.side[A].keyframes_asked > 0);           /* A's own source heard of it */
    duo_fini(&duo);
}

static void send_rtcp(int from, struct writer *w, uint8_t *bytes)
{
    duo_inject(&duo, 1 - from, bytes, duo_seal_rtcp(&duo, from, bytes, writer_size(w)));
}

static void test_fir_counts_like_pli_whoever_sends_it(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct feed feed;
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &feed);
    uint64_t before = duo.side[A].env.counters.plis_in;
    struct writer w = writer_of(bytes, 200);
    rtcp_write_fir(&w, 0x12345678, duo_ssrc(A, video, 0), 1);          /* a sender nobody knows (videoroom.md 14.1) */
    rtcp_write_pli(&w, 0x12345678, duo_ssrc(A, video, 0));
    rtcp_write_pli(&w, 0x12345678, 0xDEADBEEF);
    send_rtcp(B, &w, bytes);
    assert_int_equal(duo.side[A].env.counters.plis_in - before, 2);
    assert_int_equal(duo.side[A].env.counters.rtcp_unknown, 1);
    duo_fini(&duo);
}

/* ---- rates ---- */

static uint32_t remb_at_a(uint32_t n, usec_t *at)
{
    struct rtcp_packet packet;
    struct rtcp_remb remb;
    const struct rtcp_seen *seen = duo_rtcp(&duo, A, RTCP_PSFB, RTCP_FMT_AFB, n, &packet);
    if (seen == NULL)
        return 0;
    assert_true(rtcp_remb_parse(&remb, &packet));
    assert_int_equal(remb.ssrc_count, 1);
    assert_int_equal(get_u32(remb.ssrcs.data), duo_ssrc(A, video, 0));
    if (at != NULL)
        *at = seen->at;
    return (uint32_t)remb.bitrate_bps;
}

static struct source *received(uint16_t line)
{
    struct source *source = slots_get(&duo.side[B].sources, duo.side[B].lines[line].source);
    assert_non_null(source);
    return source;
}

static void test_the_cap_is_told_in_steps_and_then_every_five_seconds(void **state)
{
    (void)state;
    struct feed feed;
    usec_t last, next;
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &feed);
    peer_set_rate_cap(received(video), duo.now, &(struct rate_cap){.bps = 1200000, .ramp = true});
    for (unsigned i = 0; i < 400; i++)
        frame(A, &feed, i == 0, 1);
    static const uint32_t steps[] = {300000, 400000, 600000, 1200000};
    for (uint32_t i = 0; i < 4; i++)
        assert_in_range(remb_at_a(i, &last), steps[i] - steps[i] / 1000, steps[i]);
    for (uint32_t i = 4; i < 6; i++, last = next) {
        assert_in_range(remb_at_a(i, &next), 1198000, 1200000);
        assert_in_range(next - last, SEC(5), SEC(5) + 2 * FRAME_US);
    }
    assert_int_equal(remb_at_a(6, NULL), 0);
    duo_fini(&duo);
}

static void test_a_new_cap_is_told_at_once_even_zero(void **state)
{
    (void)state;
    struct feed feed;
    struct rtcp_packet packet;
    struct rtcp_remb remb;
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &feed);
    frames(&feed, 2);
    peer_set_rate_cap(received(video), duo.now, &(struct rate_cap){.bps = 500000, .send_now = true});
    duo_turn(&duo, B);
    duo_run_for(&duo, MSEC(20));
    assert_in_range(remb_at_a(0, NULL), 499000, 500000);
    peer_set_rate_cap(received(video), duo.now, &(struct rate_cap){.bps = 0, .send_now = true});
    duo_turn(&duo, B);
    duo_run_for(&duo, MSEC(20));
    assert_non_null(duo_rtcp(&duo, A, RTCP_PSFB, RTCP_FMT_AFB, 1, &packet));
    assert_true(rtcp_remb_parse(&remb, &packet));
    assert_int_equal(remb.bitrate_bps, 0);
    frames(&feed, 10);
    assert_int_equal(duo_rtcp_count(&duo, A, RTCP_PSFB, RTCP_FMT_AFB), 2);
    duo_fini(&duo);
}

static void test_echo_answers_each_remb(void **state)
{
    (void)state;
    struct feed feed;
    uint8_t bytes[256];
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &feed);
    frames(&feed, 2);
    static const uint32_t caps[] = {0, 128000}, answers[] = {10000000, 128000};
    for (uint32_t i = 0; i < 2; i++) {
        peer_set_rate_cap(received(video), duo.now, &(struct rate_cap){.bps = caps[i], .answer_remb = true});
        uint32_t ssrc = duo_ssrc(B, back, 0);
        struct writer w = writer_of(bytes, 200);
        rtcp_write_rr_remb(&w, 1, 777777, &ssrc, 1);
        send_rtcp(A, &w, bytes);
        duo_run_for(&duo, MSEC(20));
        assert_in_range(remb_at_a(i, NULL), answers[i] - answers[i] / 1000, answers[i]);
    }
    assert_int_equal(duo_rtcp_count(&duo, A, RTCP_PSFB, RTCP_FMT_AFB), 2);
    duo_fini(&duo);
}

/* ---- transport-wide feedback ---- */

static void test_every_packet_is_reported_once_lost_ones_too(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &feed);
    duo.fate = lose_one_and_rtx;
    duo.fate_a = 7;
    frames(&feed, 60);                                      /* 180 packets, and 2 RTX */
    duo_run_for(&duo, MSEC(500));
    uint32_t reports = duo_rtcp_count(&duo, A, RTCP_RTPFB, RTCP_FMT_TWCC);
    assert_in_range(reports, 9, 12);                        /* every 200 ms for two seconds */
    uint16_t next = 1;
    uint32_t arrived = 0, lost = 0;
    usec_t before = 0;
    for (uint32_t i = 0; i < reports; i++) {
        struct rtcp_packet packet;
        struct twcc twcc;
        struct twcc_status status;
        const struct rtcp_seen *seen = duo_rtcp(&duo, A, RTCP_RTPFB, RTCP_FMT_TWCC, i, &packet);
        assert_true(twcc_parse(&twcc, &packet));
        assert_int_equal(twcc.base_seq, next);
        assert_int_equal(twcc.feedback_count, i);
        assert_int_equal(twcc.media_ssrc, duo_ssrc(A, video, 0));
        for (struct twcc_iter it = twcc_iter_of(&twcc); twcc_next(&it, &status); next++) {
            arrived += status.received;
            lost += !status.received;
        }
        if (before != 0)
            assert_true(seen->at - before >= MSEC(199));
        before = seen->at;
    }
    assert_int_equal(arrived, 179);
    assert_int_equal(lost, 3);
    duo_fini(&duo);
}

/* ---- reports ---- */

static void test_reports_go_every_second_and_tell_the_round_trip(void **state)
{
    (void)state;
    struct feed pictures, voice;
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &pictures);
    duo_feed(&duo, A, audio, 0, &voice);
    for (unsigned i = 0; i < 150; i++) {
        voice.now = duo.now;
        feed_packet(&voice, false, true, false);
        voice.ts += 48000 * 33 / 1000;
        frame(A, &pictures, i == 0, 2);
    }
    uint32_t srs = duo_rtcp_count(&duo, B, RTCP_SR, ANY_FORMAT), names = duo_rtcp_count(&duo, B, RTCP_SDES, ANY_FORMAT);
    assert_in_range(srs, 8, 12);                            /* two lines, five seconds */
    assert_int_equal(names, srs);
    struct rtcp_packet packet;
    duo_rtcp(&duo, B, RTCP_SDES, ANY_FORMAT, 0, &packet);
    assert_memory_equal(packet.body.data + 4, "\1\5janus", 7);
    assert_in_range(duo_rtcp_count(&duo, A, RTCP_RR, ANY_FORMAT), 8, 12);
    const struct report_out *report = &duo.side[A].peer->mlines[video]->report;
    assert_true(report->has_rtt);
    assert_in_range(report->rtt_us, 2 * duo.delay_us - 100, 2 * duo.delay_us + 100);
    assert_int_equal(report->fraction_lost, 0);
    struct rtcp_sr sr;
    duo_rtcp(&duo, B, RTCP_SR, ANY_FORMAT, srs - 1, &packet);
    assert_true(rtcp_sr_parse(&sr, &packet));
    assert_true(sr.packets > 0 && sr.octets > 0);
    duo_fini(&duo);
}

/* B sends back what A sends to it: its sender reports speak of A's own timeline. */
static void test_a_relayed_streams_reports_keep_the_publishers_time(void **state)
{
    (void)state;
    struct feed feed;
    struct rtcp_packet packet;
    struct rtcp_sr sr = {0};
    begin(&(struct duo_options){0});
    struct fake_port *returned = duo_ear(&duo, A, back);
    duo_feed(&duo, A, video, 0, &feed);
    const struct ref name = {300, 1};
    struct sink *sink = sink_new(&duo.side[B].media, name, &rig_options, duo.now);
    assert_true(slots_put(&duo.side[B].sinks, name, sink));
    sink_set_source(sink, received(video), duo.now);
    assert_true(peer_attach_sink(duo.side[B].peer, duo.now, back, sink));
    for (unsigned i = 0; i < 120; i++)
        frame(A, &feed, i == 0, 1);
    assert_int_equal(returned->count, 120);
    uint32_t count = duo_rtcp_count(&duo, A, RTCP_SR, ANY_FORMAT);
    assert_true(count >= 3);
    const struct rtcp_seen *seen = duo_rtcp(&duo, A, RTCP_SR, ANY_FORMAT, count - 1, &packet);
    assert_true(rtcp_sr_parse(&sr, &packet));
    assert_int_equal(sr.ssrc, duo_ssrc(B, back, 0));
    /* The last packet left A at frame 119; the report was written at seen->at - delay. By A's clock the picture of that moment
     * has the timestamp of the last frame, moved by what had passed; the two ways (10 ms each) are not to be seen in it. */
    usec_t written_at = seen->at - duo.delay_us, last_at = duo.now - FRAME_US;
    int64_t passed = (int64_t)written_at - (int64_t)last_at;
    /* A's own source of that line began at 0 on its wire, and B's sink at 0 on the way back */
    int64_t expected = 119 * (int64_t)FRAME_TICKS + passed * 90 / 1000;
    assert_in_range((int64_t)sr.rtp_ts - expected + 100000, 100000 - 900, 100000 + 900);       /* 10 ms */
    duo_fini(&duo);
}

/* ---- silence and loss, as clients are told ---- */

static void assert_media(int side, uint32_t n, uint16_t mindex, bool receiving, uint32_t seconds)
{
    assert_true(n < duo.side[side].media_count);
    const struct peer_event *event = &duo.side[side].media_events[n];
    assert_int_equal(event->mindex, mindex);
    assert_int_equal(event->receiving, receiving);
    assert_int_equal(event->count, seconds);
    assert_int_equal(event->substream, -1);
}

static void test_media_events_tell_of_first_packets_and_of_silence(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &feed);
    duo_run_for(&duo, SEC(5));
    assert_int_equal(duo.side[B].media_count, 0);           /* what never sent is not missed */
    frames(&feed, 5);
    assert_int_equal(duo.side[B].media_count, 1);
    assert_media(B, 0, video, true, 0);
    usec_t silent_at = duo.now;
    while (duo.side[B].media_count == 1 && duo.now < silent_at + SEC(10))
        duo_run_for(&duo, MSEC(10));
    assert_media(B, 1, video, false, 0);
    assert_in_range(duo.now - silent_at, SEC(1) + MSEC(900), SEC(3) + MSEC(100));      /* janus-api.md 4.1: 2-3 s */
    duo_run_for(&duo, SEC(5));
    assert_int_equal(duo.side[B].media_count, 2);
    frames(&feed, 5);
    assert_media(B, 2, video, true, 0);
    /* A line that receives no more says so at once, once. */
    duo.side[B].lines[video].recv = false;
    duo_apply(&duo, B, true, false);
    assert_media(B, 3, video, false, 0);
    duo_apply(&duo, B, true, false);
    duo_run_for(&duo, SEC(5));
    assert_int_equal(duo.side[B].media_count, 4);
    duo_fini(&duo);
}

static void test_a_longer_timer_names_its_seconds(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){.settings = {.no_media_us = SEC(4)}});
    duo_feed(&duo, A, video, 0, &feed);
    frames(&feed, 5);
    duo_run_for(&duo, SEC(4));
    assert_int_equal(duo.side[B].media_count, 1);
    duo_run_for(&duo, SEC(3));
    assert_int_equal(duo.side[B].media_count, 2);
    assert_media(B, 1, video, false, 4);
    duo_fini(&duo);
}

static void test_losses_above_the_threshold_are_told_on_both_sides(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){.settings = {.slowlink_threshold = 3}});
    duo_feed(&duo, A, video, 0, &feed);
    frames(&feed, 90);
    assert_int_equal(duo.side[A].slowlink_count + duo.side[B].slowlink_count, 0);
    duo.fate = lose_many;
    duo.fate_a = 30;
    for (int i = 0; i < 60; i++)
        frame(A, &feed, false, 3);
    duo.fate = NULL;
    duo_run_for(&duo, SEC(3));
    assert_true(duo.side[B].slowlink_count >= 1);
    assert_false(duo.side[B].slowlink[0].uplink);
    assert_int_equal(duo.side[B].slowlink[0].mindex, video);
    assert_true(duo.side[B].slowlink[0].count >= 3);
    assert_true(duo.side[A].slowlink_count >= 1);
    assert_true(duo.side[A].slowlink[0].uplink);
    duo_fini(&duo);
}

/* A batch of packets whose fan-out fills the egress: it stops, says so, and goes on when that has been sent. */
static void test_statistics_of_both_sides(void **state)
{
    (void)state;
    struct feed pictures;
    struct media_stats sent, got;
    struct peer_report report = {0};
    struct peer_line_report lines[DUO_LINES];
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, video, 0, &pictures);
    struct peer *sender = duo.side[A].peer, *receiver = duo.side[B].peer;
    assert_true(peer_layer_stats(receiver, video, 0, &got));
    assert_int_equal(got.packets_in, 0);
    assert_false(peer_layer_stats(receiver, video, 1, &got));
    assert_false(peer_layer_stats(receiver, 99, 0, &got));
    frames(&pictures, 90);                      /* three seconds */
    assert_true(peer_layer_stats(sender, video, 0, &sent) && peer_layer_stats(receiver, video, 0, &got));
    assert_int_equal(sent.packets_out, 270);
    assert_int_equal(got.packets_in, 270);
    assert_true(got.bytes_in > 270 * 12 && got.bytes_in == sent.bytes_out);
    assert_true(got.bytes_in_lastsec > 0 && got.bytes_in_lastsec < got.bytes_in);
    assert_int_equal(got.packets_out, 0);
    assert_int_equal(sent.packets_in, 0);
    assert_int_equal(got.kind, MEDIA_VIDEO);
    assert_int_equal(got.clock_hz, 90000);
    assert_int_equal(got.in_quality, 100);
    assert_true(sent.rtt_ms > 0);
    duo_run_for(&duo, SEC(3));                  /* silence */
    assert_true(peer_layer_stats(receiver, video, 0, &got));
    assert_int_equal(got.bytes_in_lastsec, 0);
    peer_describe(receiver, &report, lines);
    assert_int_equal(report.line_count, 3);
    assert_true(report.has_selected && report.has_dtls && report.keys_at > report.dtls_at);
    assert_true(report.connected_at > 0 && report.ice_failed_at == 0);
    assert_int_equal(report.dtls_state, DTLS_CONNECTED);
    assert_true(net_addr_equal(&report.remote, &duo.side[A].base));
    assert_int_equal(lines[video].pt, 96);
    assert_int_equal(lines[video].remote_ssrc[0], duo_ssrc(A, video, 0));
    assert_true(report.dtls_packets_in > 1 && report.dtls_packets_out > 1 && report.dtls_bytes_in > 500);
    duo_fini(&duo);
}

static void test_receiving_stops_while_the_egress_is_full(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    struct fake_port *seen = duo_ear(&duo, B, video);
    duo_feed(&duo, A, video, 0, &feed);
    frames(&feed, 1);
    duo.taped = true;
    feed.now = duo.now;
    feed_frame(&feed, false, 5);
    duo_turn(&duo, A);
    assert_int_equal(duo.tape_count[A], 5);
    struct side *side = &duo.side[B];
    const struct net_tuple to = {0, duo.side[A].base};
    for (uint32_t i = 0; i < EGRESS_STOP_AT; i++)
        egress_raw(&side->env.egress, &to, VIEW("x", 1));
    for (uint32_t i = 0; i < 5; i++)
        peer_input(side->peer, duo.now, &to, duo.tape[A][i].data, duo.tape[A][i].size);
    uint32_t before = seen->count;
    for (uint32_t i = 1; i < 5; i++) {
        assert_true(peer_receive_flush(&side->env, duo.now));
        assert_int_equal(seen->count, before + i);
    }
    assert_false(peer_receive_flush(&side->env, duo.now));
    assert_int_equal(seen->count, before + 5);
    assert_false(peer_receive_flush(&side->env, duo.now));
    egress_clear(&side->env.egress);
    duo_fini(&duo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_on_one_side_comes_out_on_the_other),
        cmocka_unit_test(test_extensions_travel_as_values),
        cmocka_unit_test(test_a_lost_packet_comes_by_rtx),
        cmocka_unit_test(test_a_packet_is_asked_for_twice),
        cmocka_unit_test(test_under_heavy_loss_nothing_comes_twice_and_most_comes),
        cmocka_unit_test(test_a_keyframe_ask_reaches_the_publisher_merged),
        cmocka_unit_test(test_fir_counts_like_pli_whoever_sends_it),
        cmocka_unit_test(test_the_cap_is_told_in_steps_and_then_every_five_seconds),
        cmocka_unit_test(test_a_new_cap_is_told_at_once_even_zero),
        cmocka_unit_test(test_echo_answers_each_remb),
        cmocka_unit_test(test_every_packet_is_reported_once_lost_ones_too),
        cmocka_unit_test(test_reports_go_every_second_and_tell_the_round_trip),
        cmocka_unit_test(test_a_relayed_streams_reports_keep_the_publishers_time),
        cmocka_unit_test(test_media_events_tell_of_first_packets_and_of_silence),
        cmocka_unit_test(test_a_longer_timer_names_its_seconds),
        cmocka_unit_test(test_losses_above_the_threshold_are_told_on_both_sides),
        cmocka_unit_test(test_receiving_stops_while_the_egress_is_full),
        cmocka_unit_test(test_statistics_of_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
