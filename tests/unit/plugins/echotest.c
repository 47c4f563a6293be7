/* EchoTest: echotest.md 2 to 4. */
#include "fake_host.h"
#include "offers.h"
#include "plugins/table.h"

static struct host h;
static uint32_t me;

static int setup(void **state)
{
    (void)state;
    fake_start(&h, &echotest_plugin, NULL);
    me = fake_attach(&h);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_stop(&h);
    return 0;
}

static const struct offer_line both[] = {
    {.kind = "audio", .mid = "0", .codecs = "opus red pcmu", .fmtp = "minptime=10;useinbandfec=1"},
    {.kind = "video", .mid = "1", .codecs = "vp8 vp9 h264"},
};

#define OK "{'echotest':'event','result':'ok'}"

static const struct fake_event *offer(const struct offer_line *lines, unsigned count, const char *body)
{
    const struct fake_say say = {.jsep = "offer", .sdp = offer_of(lines, count)};
    fake_say_jsep(&h, me, &say, "%s", body);
    const struct fake_event *event = expect_reply(&h, me, OK);
    assert_string_equal(event->jsep, "answer");
    return event;
}

static void connect(void)
{
    offer(both, 2, "{'audio':true,'video':true}");
    fake_up(&h, me);
}

/* ---- requests ---- */

static void test_requests_are_answered_later(void **state)
{
    (void)state;
    assert_string_equal(echotest_plugin.ack_hint, "I'm taking my time!");
    assert_int_equal(fake_say(&h, me, "{'audio':true}")->outcome, PLUGIN_ACK);
    expect_reply(&h, me, OK);
    assert_int_equal(fake_say(&h, me, "{'request':5,'video':false}")->outcome, PLUGIN_ACK);    /* `request` is not looked at */
    expect_reply(&h, me, OK);
}

static void test_the_admin_api_gets_its_request_back(void **state)
{
    (void)state;
    fake_admin(&h, "{'any':['thing',1]}");
    expect_sync(&h, "{'any':['thing',1]}");
}

static void test_something_must_be_asked_for(void **state)
{
    (void)state;
    static const char *const useless[] = {"{}", "{'audiocodec':'opus'}", "{'filename':'x'}", "{'svc':true}", "{'other':1}"};
    for (size_t i = 0; i < ARRAY_COUNT(useless); i++) {
        fake_say(&h, me, "%s", useless[i]);
        expect_error_text(&h, me, 413, "Message error: no supported attributes found");
    }
    static const char *const useful[] = {"{'audio':false}",  "{'video':false}",         "{'videocodec':'vp8'}",   "{'videoprofile':'x'}", "{'opusred':true}",
                                         "{'bitrate':0}",    "{'substream':0}",         "{'temporal':2}",         "{'fallback':1}",       "{'spatial_layer':1}",
                                         "{'temporal_layer':0}", "{'record':false}",    "{'min_delay':-5}",       "{'max_delay':5}"};
    for (size_t i = 0; i < ARRAY_COUNT(useful); i++) {
        fake_say(&h, me, "%s", useful[i]);
        expect_reply(&h, me, OK);
        expect_silence(&h, me);
    }
}

static void test_types_are_checked_in_order(void **state)
{
    (void)state;
    static const struct { const char *body, *text; } bad[] = {
        {"{'audio':1}", "Invalid element type (audio should be a boolean)"},
        {"{'video':'x','audio':null}", "Invalid element type (audio should be a boolean)"},
        {"{'bitrate':-1}", "Invalid element type (bitrate should be a positive integer)"},
        {"{'substream':'1'}", "Invalid element type (substream should be a positive integer)"},
        {"{'filename':1}", "Invalid element type (filename should be a string)"},
        {"{'svc':1}", "Invalid element type (svc should be a boolean)"},
        {"{'min_delay':1.5}", "Invalid element type (min_delay should be an integer)"},
        {"{'audiocodec':{}}", "Invalid element type (audiocodec should be a string)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "%s", bad[i].body);
        expect_error_text(&h, me, 413, bad[i].text);
    }
}

static void test_layers_end_at_two(void **state)
{
    (void)state;
    static const char *const fields[] = {"substream", "temporal", "spatial_layer", "temporal_layer"};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        char text[100];
        snprintf(text, sizeof(text), "Invalid value (%s should be 0, 1 or 2)", fields[i]);
        fake_say(&h, me, "{'%s':3}", fields[i]);
        expect_error_text(&h, me, 413, text);
        fake_say(&h, me, "{'%s':9007199254740993}", fields[i]);
        expect_error_text(&h, me, 413, text);
        fake_say(&h, me, "{'%s':2}", fields[i]);
        expect_reply(&h, me, OK);
    }
}

/* A value out of range is refused before anything takes effect. */
static void test_a_refused_request_has_no_effect(void **state)
{
    (void)state;
    connect();
    fake_say(&h, me, "{'audio':false,'substream':3}");
    expect_error(&h, me, 413);
    assert_false(fake_sink(&h, me, 0)->options.paused);
}

/* ---- answers ---- */

static void test_an_answer_takes_what_can_be_echoed(void **state)
{
    (void)state;
    const struct fake_event *event = offer(both, 2, "{'audio':true,'video':true}");
    assert_true(session_has(event->sdp, "s=-"));
    expect_line(event->sdp, 0,
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 1.1.1.1\na=sendrecv\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1\n"
                "a=rtcp-fb:111 transport-cc\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n"
                "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n"
                "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid");
    expect_line(event->sdp, 1,
                "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 1.1.1.1\na=sendrecv\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\n"
                "a=rtcp-fb:96 nack pli\na=rtcp-fb:96 goog-remb\na=rtcp-fb:96 transport-cc\n"
                "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\na=extmap:13 urn:3gpp:video-orientation\n"
                "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n"
                "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n"
                "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\na=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id");
}

static void test_directions(void **state)
{
    (void)state;
    static const struct { const char *offered, *answered; } cases[] = {
        {NULL, "a=sendrecv"}, {"sendrecv", "a=sendrecv"}, {"sendonly", "a=recvonly"}, {"recvonly", "a=inactive"}, {"inactive", "a=inactive"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct offer_line lines[] = {both[0], both[1]};
        lines[0].direction = lines[1].direction = cases[i].offered;
        uint32_t handle = me;
        me = fake_attach(&h);
        const struct fake_event *event = offer(lines, 2, "{'audio':true}");
        assert_true(line_has(event->sdp, 0, cases[i].answered));
        assert_true(line_has(event->sdp, 1, cases[i].answered));
        me = handle;
    }
    /* Only the first recvonly line of each kind is turned off. */
    struct offer_line many[] = {both[0], both[0], both[1], both[1]};
    for (int i = 0; i < 4; i++)
        many[i].direction = "recvonly";
    const struct fake_event *event = offer(many, 4, "{'audio':true}");
    assert_true(line_has(event->sdp, 0, "a=inactive"));
    assert_true(line_has(event->sdp, 1, "a=sendonly"));
    assert_true(line_has(event->sdp, 2, "a=inactive"));
    assert_true(line_has(event->sdp, 3, "a=sendonly"));
}

static void test_codecs_that_are_asked_for(void **state)
{
    (void)state;
    const struct fake_event *event = offer(both, 2, "{'audio':true,'audiocodec':'pcmu','videocodec':'vp9'}");
    assert_true(line_has(event->sdp, 0, "a=rtpmap:0 PCMU/8000"));
    assert_true(line_has(event->sdp, 1, "a=rtpmap:98 VP9/90000"));
    event = offer(both, 2, "{'audio':true,'audiocodec':'nonsense','videocodec':'av1'}");
    assert_true(line_has(event->sdp, 0, "m=audio 0 UDP/TLS/RTP/SAVPF 0"));
    assert_true(line_has(event->sdp, 1, "m=video 0 UDP/TLS/RTP/SAVPF 0"));
    assert_null(fake_sink(&h, me, 0));
    assert_null(fake_sink(&h, me, 1));
}

static void test_our_preference_decides_not_the_browsers(void **state)
{
    (void)state;
    static const struct offer_line lines[] = {
        {.kind = "audio", .mid = "0", .codecs = "g722 pcma pcmu opus"},
        {.kind = "video", .mid = "1", .codecs = "h264 av1 vp9"},
    };
    const struct fake_event *event = offer(lines, 2, "{'audio':true}");
    assert_true(line_has(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111"));
    assert_true(line_has(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 98"));
}

static void test_red_is_taken_when_it_is_wanted(void **state)
{
    (void)state;
    const struct fake_event *event = offer(both, 2, "{'audio':true,'opusred':true}");
    assert_true(line_has(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111"));
    assert_true(line_has(event->sdp, 0, "a=rtpmap:63 red/48000/2"));
    assert_true(line_has(event->sdp, 0, "a=fmtp:63 111/111"));
    assert_int_equal(fake_sink(&h, me, 0)->options.red_pt, 63);
    assert_int_equal(fake_sink(&h, me, 0)->options.pt, 111);        /* of what comes without redundancy */
    event = offer(both, 2, "{'audio':true,'opusred':false}");
    assert_true(line_has(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111"));
    assert_int_equal(fake_sink(&h, me, 0)->options.pt, 111);
    assert_int_equal(fake_sink(&h, me, 0)->options.red_pt, 0);
}

static void test_opus_keeps_its_options(void **state)
{
    (void)state;
    struct offer_line line = both[0];
    line.fmtp = "stereo=1;usedtx=1;minptime=10;useinbandfec=1";
    const struct fake_event *event = offer(&line, 1, "{'audio':true}");
    assert_true(line_has(event->sdp, 0, "a=fmtp:111 useinbandfec=1;usedtx=1;stereo=1"));
}

static void test_a_profile_must_match(void **state)
{
    (void)state;
    struct offer_line line = {.kind = "video", .mid = "0", .codecs = "h264", .fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"};
    const struct fake_event *event = offer(&line, 1, "{'video':true,'videocodec':'h264','videoprofile':'42E01F'}");
    assert_true(line_has(event->sdp, 0, "a=fmtp:102 profile-level-id=42E01F;packetization-mode=1"));
    event = offer(&line, 1, "{'video':true,'videocodec':'h264','videoprofile':'640032'}");
    assert_true(line_has(event->sdp, 0, "m=video 0 UDP/TLS/RTP/SAVPF 0"));
    event = offer(&line, 1, "{'video':true,'videocodec':'h264'}");
    assert_true(line_has(event->sdp, 0, "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"));
}

static void test_what_cannot_be_answered_is_an_error(void **state)
{
    (void)state;
    static const enum err refusals[] = {ERR_INVALID, ERR_FULL};
    const struct fake_say say = {.jsep = "offer", .sdp = offer_of(both, 2)};
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        h.refuse = refusals[i];
        fake_say_jsep(&h, me, &say, "{'audio':true}");
        expect_error(&h, me, 414);
        expect_silence(&h, me);
    }
    connect();
}

static void test_end_to_end_encryption_is_echoed_until_the_hangup(void **state)
{
    (void)state;
    struct fake_say say = {.jsep = "offer", .sdp = offer_of(both, 2), .e2ee = true};
    fake_say_jsep(&h, me, &say, "{'audio':true}");
    assert_true(expect_reply(&h, me, OK)->e2ee);
    say.e2ee = false;
    fake_say_jsep(&h, me, &say, "{'audio':true}");
    assert_true(expect_reply(&h, me, OK)->e2ee);
    fake_hangup(&h, me);
    expect_told(&h, me, "{'echotest':'event','result':'done'}");
    fake_say_jsep(&h, me, &say, "{'audio':true}");
    assert_false(expect_reply(&h, me, OK)->e2ee);
}

/* ---- media ---- */

static void test_each_line_is_joined_to_itself(void **state)
{
    (void)state;
    connect();
    for (uint16_t i = 0; i < 2; i++) {
        assert_true(ref_equal(fake_sink(&h, me, i)->source, fake_source(&h, me, i)->ref));
        assert_int_equal(fake_sink(&h, me, i)->options.pt, i == 0 ? 111 : 96);
        assert_false(fake_sink(&h, me, i)->options.paused);
    }
}

static void test_toggles_pause_their_kind(void **state)
{
    (void)state;
    connect();
    fake_say(&h, me, "{'audio':false}");
    assert_true(fake_sink(&h, me, 0)->options.paused);
    assert_false(fake_sink(&h, me, 1)->options.paused);
    uint32_t asked = fake_source(&h, me, 1)->keyframes;
    fake_say(&h, me, "{'video':false}");
    assert_true(fake_sink(&h, me, 1)->options.paused);
    assert_int_equal(fake_source(&h, me, 1)->keyframes, asked);
    fake_say(&h, me, "{'video':true,'audio':true}");
    assert_false(fake_sink(&h, me, 0)->options.paused);
    assert_false(fake_sink(&h, me, 1)->options.paused);
    assert_int_equal(fake_source(&h, me, 1)->keyframes, asked + 1);
    fake_say(&h, me, "{'video':true}");
    assert_int_equal(fake_source(&h, me, 1)->keyframes, asked + 1);
}

static void test_the_bit_rate_is_told_at_once(void **state)
{
    (void)state;
    connect();
    fake_say(&h, me, "{'bitrate':128000}");
    const struct fake_source *source = fake_source(&h, me, 1);
    assert_int_equal(source->cap.bps, 128000);
    assert_true(source->cap.send_now && source->cap.answer_remb && !source->cap.ramp);
    fake_say(&h, me, "{'bitrate':0}");
    assert_int_equal(source->cap.bps, 0);
    assert_true(source->cap.send_now);
    fake_say(&h, me, "{'bitrate':9007199254740993}");
    assert_int_equal(source->cap.bps, UINT32_MAX);
}

static void test_playout_delays_drag_each_other(void **state)
{
    (void)state;
    static const struct { const char *body; int min, max; } steps[] = {
        {"{'min_delay':10}", 10, 10}, {"{'max_delay':40}", 10, 40}, {"{'min_delay':50}", 50, 50}, {"{'max_delay':5}", 5, 5},
        {"{'min_delay':-1}", -1, -1}, {"{'max_delay':7}", 7, 7},    {"{'max_delay':-7}", -1, -1}, {"{'min_delay':1,'max_delay':100000}", 1, 4095},
    };
    connect();
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        fake_say(&h, me, "%s", steps[i].body);
        assert_int_equal(fake_sink(&h, me, 1)->options.min_delay, steps[i].min);
        assert_int_equal(fake_sink(&h, me, 1)->options.max_delay, steps[i].max);
    }
}

static void test_layers_are_reported_and_asked_for(void **state)
{
    (void)state;
    const struct jsep_simulcast simulcast = {.mindex = 1, .layer_count = 3, .by_rid = true};
    const struct fake_say say = {.jsep = "offer", .sdp = offer_of(both, 2), .simulcast = &simulcast, .simulcast_count = 1};
    fake_say_jsep(&h, me, &say, "{'video':true}");
    expect_reply(&h, me, OK);
    fake_layer(&h, me, 1, 0, -1);
    expect_told(&h, me, "{'echotest':'event','videocodec':'vp8','substream':0,'temporal':-1}");
    fake_layer(&h, me, 1, 2, 1);
    expect_told(&h, me, "{'echotest':'event','videocodec':'vp8','substream':2,'temporal':1}");
    uint32_t asked = fake_source(&h, me, 1)->keyframes;
    fake_say(&h, me, "{'substream':2,'temporal':1}");       /* already there: told before the ok */
    expect_told(&h, me, "{'echotest':'event','videocodec':'vp8','substream':2}");
    expect_told(&h, me, "{'echotest':'event','videocodec':'vp8','temporal':1}");
    expect_reply(&h, me, OK);
    assert_int_equal(fake_source(&h, me, 1)->keyframes, asked);
    fake_say(&h, me, "{'substream':0,'fallback':500000}");
    expect_reply(&h, me, OK);
    assert_int_equal(fake_source(&h, me, 1)->keyframes, asked + 1);
    assert_int_equal(fake_sink(&h, me, 1)->options.substream_target, 0);
    assert_int_equal(fake_sink(&h, me, 1)->options.temporal_target, 1);
    assert_int_equal(fake_sink(&h, me, 1)->options.fallback_us, 500000);
    fake_layer(&h, me, 0, 0, -1);                           /* audio has none */
    expect_silence(&h, me);
}

static const struct fake_event *offer_svc(const char *svc, const char *body)
{
    const struct fake_say say = {.jsep = "offer", .sdp = offer_of(both, 2), .svc = svc};
    fake_say_jsep(&h, me, &say, "%s", body);
    return expect_reply(&h, me, OK);
}

static void test_layers_of_svc_are_reported_and_asked_for(void **state)
{
    (void)state;
    offer_svc("[{\"mindex\":1,\"svc\":\"L3T3\"}]", "{'video':true,'videocodec':'vp9','spatial_layer':1}");
    assert_true(fake_sink(&h, me, 1)->options.svc);
    assert_int_equal(fake_sink(&h, me, 1)->options.substream_target, 1);
    assert_int_equal(fake_sink(&h, me, 1)->options.temporal_target, 2);
    assert_false(fake_sink(&h, me, 0)->options.svc);
    fake_layer(&h, me, 1, 1, 0);
    expect_told(&h, me, "{'echotest':'event','videocodec':'vp9','spatial_layer':1,'temporal_layer':0}");
    const uint32_t asked = fake_source(&h, me, 1)->keyframes;
    fake_say(&h, me, "{'spatial_layer':1,'temporal_layer':0}");             /* already there: told before the ok */
    expect_told(&h, me, "{'echotest':'event','videocodec':'vp9','spatial_layer':1}");
    expect_told(&h, me, "{'echotest':'event','videocodec':'vp9','temporal_layer':0}");
    expect_reply(&h, me, OK);
    fake_say(&h, me, "{'spatial_layer':0,'temporal_layer':1,'substream':2}");
    expect_reply(&h, me, OK);
    assert_int_equal(fake_sink(&h, me, 1)->options.substream_target, 0);
    assert_int_equal(fake_sink(&h, me, 1)->options.temporal_target, 1);
    assert_int_equal(fake_source(&h, me, 1)->keyframes, asked + 1);         /* for `substream`; of SVC the sink asks */
    struct buf text;
    struct json_out j;
    buf_init(&text, 4096);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    h.desc->query(h.plugin, h.handles[me].state, &j);
    jout_end(&j);
    assert_non_null(strstr(buf_text(&text), "\"svc\":true,\"spatial-layer\":1,\"spatial-layer-target\":0,\"temporal-layer\":0,\"temporal-layer-target\":1,"));
    buf_fini(&text);
}

static void test_svc_is_for_codecs_that_have_it(void **state)
{
    (void)state;
    offer_svc("[{\"mindex\":1,\"svc\":\"L1T3\"}]", "{'video':true,'videocodec':'vp8','temporal_layer':1}");
    assert_false(fake_sink(&h, me, 1)->options.svc);
    fake_layer(&h, me, 1, 0, 0);
    expect_silence(&h, me);
    offer_svc(NULL, "{'video':true}");
    assert_int_equal(fake_sink(&h, me, 1)->options.temporal_target, 2);
}

static void test_a_slow_link_is_told_for_what_comes_in(void **state)
{
    (void)state;
    connect();
    void *session = h.handles[me].state;
    fake_say(&h, me, "{'bitrate':64000}");
    expect_reply(&h, me, OK);
    h.desc->slow_link(h.plugin, session, 1, true, false);
    expect_told(&h, me, "{'echotest':'event','event':'slow_link','media':'video','current-bitrate':64000}");
    h.desc->slow_link(h.plugin, session, 0, false, false);
    expect_told(&h, me, "{'echotest':'event','event':'slow_link','media':'audio'}");
    h.desc->slow_link(h.plugin, session, 1, true, true);
    expect_silence(&h, me);
}

static void test_a_hangup_resets_all_and_says_done(void **state)
{
    (void)state;
    connect();
    fake_say(&h, me, "{'audio':false,'video':false,'bitrate':5,'min_delay':3,'substream':0}");
    fake_forget(&h);
    fake_hangup(&h, me);
    expect_told(&h, me, "{'echotest':'event','result':'done'}");
    expect_silence(&h, me);
    connect();
    for (uint16_t i = 0; i < 2; i++)
        assert_false(fake_sink(&h, me, i)->options.paused);
    assert_int_equal(fake_sink(&h, me, 1)->options.min_delay, -1);
    assert_int_equal(fake_sink(&h, me, 1)->options.substream_target, 2);
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 0);
}

static void test_done_is_not_told_to_who_has_gone(void **state)
{
    (void)state;
    connect();
    uint32_t before = h.events;
    fake_detach(&h, me);
    assert_int_equal(h.events, before);
    assert_int_equal(fake_sinks_alive(&h), 0);
}

/* ---- renegotiation ---- */

static void test_lines_come_go_and_turn(void **state)
{
    (void)state;
    struct offer_line lines[] = {both[0], both[1]};
    offer(lines, 1, "{'audio':true}");
    assert_null(fake_sink(&h, me, 1));
    offer(lines, 2, "{'audio':true}");
    assert_non_null(fake_sink(&h, me, 1));
    lines[1].direction = "inactive";
    offer(lines, 2, "{'audio':true}");
    assert_null(fake_sink(&h, me, 1));
    assert_null(fake_source(&h, me, 1));
    lines[1].direction = NULL;
    offer(lines, 2, "{'audio':true}");
    assert_true(ref_equal(fake_sink(&h, me, 1)->source, fake_source(&h, me, 1)->ref));
    lines[1].direction = "sendonly";
    offer(lines, 2, "{'audio':true}");
    assert_null(fake_sink(&h, me, 1));
    assert_non_null(fake_source(&h, me, 1));
    lines[1].rejected = true;
    offer(lines, 2, "{'audio':true}");
    assert_null(fake_source(&h, me, 1));
}

static void test_a_new_source_on_a_line_is_switched_to(void **state)
{
    (void)state;
    connect();
    struct ref before = fake_source(&h, me, 1)->ref;
    offer(both, 2, "{'video':true,'videocodec':'vp9'}");
    assert_false(ref_equal(fake_source(&h, me, 1)->ref, before));
    assert_true(ref_equal(fake_sink(&h, me, 1)->source, fake_source(&h, me, 1)->ref));
    assert_int_equal(fake_sink(&h, me, 1)->options.pt, 98);
}

static const struct offer_line with_data[] = {{.kind = "audio", .mid = "0", .codecs = "opus"}, {.kind = "application", .mid = "1"}};

static void test_data_lines_are_taken(void **state)
{
    (void)state;
    const struct fake_event *event = offer(with_data, 2, "{'audio':true}");
    assert_true(line_has(event->sdp, 1, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
    me = fake_attach(&h);
    event = offer(&with_data[1], 1, "{'audio':true}");
    assert_true(line_has(event->sdp, 0, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
    event = offer(both, 1, "{'audio':true}");
}

static void expect_data(const char *label, const char *protocol, bool binary, const char *text)
{
    const struct fake_data *data = fake_take_data(&h, me);
    assert_non_null(data);
    assert_string_equal(data->label, label);
    assert_string_equal(data->protocol, protocol);
    assert_int_equal(data->binary, binary);
    assert_string_equal((const char *)data->bytes, text);
}

static void test_messages_come_back_on_their_channel(void **state)
{
    (void)state;
    offer(with_data, 2, "{'audio':true}");
    fake_up(&h, me);
    assert_true(fake_data(&h, me, "chat", "p", false, STR("hello")));
    expect_data("chat", "p", false, "Janus EchoTest here! You wrote: hello");
    assert_true(fake_data(&h, me, "", "", true, VIEW("\1\2", 2)));
    expect_data("", "", true, "\1\2");
    assert_true(fake_data(&h, me, "chat", "", false, STR("")));
    assert_true(fake_data(&h, me, "chat", "", true, STR("")));
    assert_null(fake_take_data(&h, me));
}

static void test_a_text_that_has_no_room_for_the_greeting_comes_back_without(void **state)
{
    (void)state;
    static char text[FAKE_DATA_MAX + 1];
    memset(text, 'x', FAKE_DATA_MAX);
    offer(with_data, 2, "{'audio':true}");
    fake_up(&h, me);
    assert_true(fake_data(&h, me, "c", "", false, VIEW(text, FAKE_DATA_MAX)));
    assert_int_equal(fake_take_data(&h, me)->size, FAKE_DATA_MAX);
    assert_true(fake_data(&h, me, "c", "", false, VIEW(text, FAKE_DATA_MAX - 31)));
    assert_int_equal(fake_take_data(&h, me)->size, FAKE_DATA_MAX - 31);
    assert_true(fake_data(&h, me, "c", "", false, VIEW(text, FAKE_DATA_MAX - 32)));
    assert_int_equal(fake_take_data(&h, me)->size, FAKE_DATA_MAX);
}

static void test_a_client_that_takes_nothing_is_not_read(void **state)
{
    (void)state;
    offer(with_data, 2, "{'audio':true}");
    fake_up(&h, me);
    h.handles[me].full = true;
    assert_false(fake_data(&h, me, "c", "", false, STR("again, please")));
    assert_false(fake_data(&h, me, "c", "", true, STR("x")));
    assert_null(fake_take_data(&h, me));
    fake_data_ready(&h, me);
    assert_true(fake_data(&h, me, "c", "", false, STR("again, please")));
    expect_data("c", "", false, "Janus EchoTest here! You wrote: again, please");
}

/* ---- recordings (echotest.md 5) ---- */

static void test_both_lines_are_recorded(void **state)
{
    (void)state;
    offer(both, 2, "{'audio':true,'record':true,'filename':'/tmp/echo'}");
    assert_non_null(fake_recording(&h, "/tmp/echo-audio"));
    assert_non_null(fake_recording(&h, "/tmp/echo-video"));
    assert_int_equal(fake_recordings(&h), 2);
    assert_int_equal(h.recordings[0].red_pt, 0);
    fake_up(&h, me);
    fake_say(&h, me, "{'record':true,'filename':'other'}");     /* goes on under its name */
    expect_reply(&h, me, OK);
    assert_int_equal(h.recording_count, 2);
    fake_say(&h, me, "{'record':false}");
    expect_reply(&h, me, OK);
    assert_int_equal(fake_recordings(&h), 0);
    fake_say(&h, me, "{'record':true}");
    expect_reply(&h, me, OK);
    assert_non_null(fake_recording(&h, "echotest-0x"));
    fake_hangup(&h, me);
    assert_int_equal(fake_recordings(&h), 0);
    fake_forget(&h);
}

static void test_messages_are_recorded(void **state)
{
    (void)state;
    offer(with_data, 2, "{'audio':true,'record':true,'filename':'d'}");
    assert_non_null(fake_recording(&h, "d-audio"));
    assert_non_null(fake_recording(&h, "d-data"));
    assert_int_equal(fake_recordings(&h), 2);
}

static void test_red_is_recorded_as_it_comes(void **state)
{
    (void)state;
    offer(both, 2, "{'opusred':true,'record':true,'filename':'red'}");
    assert_int_not_equal(fake_recording(&h, "red-audio")->red_pt, fake_recording(&h, "red-audio")->pt);
    assert_true(fake_recording(&h, "red-audio")->red_pt > 0);
    assert_int_equal(fake_recording(&h, "red-video")->red_pt, 0);
}

static void test_a_recording_that_breaks_is_told(void **state)
{
    (void)state;
    connect();
    fake_say(&h, me, "{'record':true,'filename':'x'}");
    expect_reply(&h, me, OK);
    fake_break_recording(&h, "x-video", "No space left on device");
    expect_told(&h, me, "{'echotest':'event','event':'recording','media':'video','recording':'failed','reason':'No space left on device'}");
    fake_say(&h, me, "{'record':true}");
    expect_reply(&h, me, OK);
    assert_int_equal(h.recording_count, 2);             /* not begun again by itself */
    fake_say(&h, me, "{'record':false}");
    fake_say(&h, me, "{'record':true}");
    assert_int_equal(fake_recordings(&h), 2);
    fake_forget(&h);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_requests_are_answered_later),
        T(test_the_admin_api_gets_its_request_back),
        T(test_something_must_be_asked_for),
        T(test_types_are_checked_in_order),
        T(test_layers_end_at_two),
        T(test_a_refused_request_has_no_effect),
        T(test_an_answer_takes_what_can_be_echoed),
        T(test_directions),
        T(test_codecs_that_are_asked_for),
        T(test_our_preference_decides_not_the_browsers),
        T(test_red_is_taken_when_it_is_wanted),
        T(test_opus_keeps_its_options),
        T(test_a_profile_must_match),
        T(test_what_cannot_be_answered_is_an_error),
        T(test_end_to_end_encryption_is_echoed_until_the_hangup),
        T(test_each_line_is_joined_to_itself),
        T(test_toggles_pause_their_kind),
        T(test_the_bit_rate_is_told_at_once),
        T(test_playout_delays_drag_each_other),
        T(test_layers_are_reported_and_asked_for),
        T(test_layers_of_svc_are_reported_and_asked_for),
        T(test_svc_is_for_codecs_that_have_it),
        T(test_a_slow_link_is_told_for_what_comes_in),
        T(test_a_hangup_resets_all_and_says_done),
        T(test_done_is_not_told_to_who_has_gone),
        T(test_lines_come_go_and_turn),
        T(test_a_new_source_on_a_line_is_switched_to),
        T(test_data_lines_are_taken),
        T(test_messages_come_back_on_their_channel),
        T(test_a_text_that_has_no_room_for_the_greeting_comes_back_without),
        T(test_a_client_that_takes_nothing_is_not_read),
        cmocka_unit_test_setup_teardown(test_both_lines_are_recorded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_messages_are_recorded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_red_is_recorded_as_it_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_recording_that_breaks_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
