/* Descriptions: videoroom.md 13, as sets of lines per m-line. What the core adds (ICE, DTLS, SSRCs, repair) is not there yet. */
#include <stdio.h>

#include "rooms.h"

#define TWCC "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define RID "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
#define RRID "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
#define LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define ORIENT "urn:3gpp:video-orientation"
#define DELAY "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
#define ABS "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define DD "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

#define AUDIO_EXTS "a=extmap:1 " LEVEL "\na=extmap:3 " TWCC "\na=extmap:4 " MID
#define VIDEO_EXTS                                                                                                                       \
    "a=extmap:3 " TWCC "\na=extmap:4 " MID "\na=extmap:5 " DELAY "\na=extmap:10 " RID "\na=extmap:11 " RRID "\na=extmap:13 " ORIENT
#define FEEDBACK(pt)                                                                                                                     \
    "a=rtcp-fb:" pt " ccm fir\na=rtcp-fb:" pt " nack\na=rtcp-fb:" pt " nack pli\na=rtcp-fb:" pt " goog-remb\na=rtcp-fb:" pt " transport-cc\n"

/* Room 5 with these properties; a participant's answer to an offer. */
static const struct fake_event *answer_in(const char *fields, const char *offer)
{
    uint32_t me = fake_attach(&h);
    room_create(5, fields);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':1}");
    fake_forget(&h);
    say_offer(me, "{'request':'publish'}", offer);
    const struct fake_event *event = fake_hear(&h, me);
    assert_non_null(event);
    assert_string_equal(event->jsep, "answer");
    return event;
}

static const char *stream_text(const struct fake_event *event, unsigned index, const char *key)
{
    return json_string_value(json_object_get(json_array_get(json_object_get(event->data, "streams"), index), key));
}

static bool stream_is(const struct fake_event *event, unsigned index, const char *key)
{
    return json_is_true(json_object_get(json_array_get(json_object_get(event->data, "streams"), index), key));
}

/* The room goes, so that the next may have its name. */
static void done(void)
{
    fake_admin(&h, "{'request':'destroy','room':5}");
    fake_turn(&h);
    fake_forget(&h);
}

/* ---- answers ---- */

static void test_an_answer_as_the_reference_gives_it(void **state)
{
    (void)state;
    const struct fake_event *event = answer_in(NULL, offer_av());
    assert_true(session_has(event->sdp, "v=0"));
    assert_true(session_has(event->sdp, "o=- 7012 2 IN IP4 1.1.1.1"));
    assert_true(session_has(event->sdp, "s=VideoRoom 5"));
    assert_true(session_has(event->sdp, "t=0 0"));
    expect_line(event->sdp, 0,
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 1.1.1.1\na=recvonly\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1\n"
                "a=rtcp-fb:111 transport-cc\n" AUDIO_EXTS);
    expect_line(event->sdp, 1,
                "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 1.1.1.1\na=recvonly\na=rtpmap:96 VP8/90000\n" FEEDBACK("96") VIDEO_EXTS);
}

/* Attributes come in this order (13.2). */
static void test_attributes_have_an_order(void **state)
{
    (void)state;
    const struct fake_event *event = answer_in(NULL, offer_av());
    static const char *const order[] = {"m=audio", "a=recvonly", "a=rtpmap:111", "a=fmtp:111", "a=rtcp-fb:111 transport-cc", "a=extmap:1 ",
                                        "m=video", "a=recvonly", "a=rtpmap:96", "a=rtcp-fb:96 ccm fir", "a=rtcp-fb:96 nack\r", "a=rtcp-fb:96 nack pli",
                                        "a=rtcp-fb:96 goog-remb", "a=rtcp-fb:96 transport-cc", "a=extmap:"};
    const char *at = event->sdp;
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        const char *next = strstr(at, order[i]);
        if (next == NULL)
            fail_msg("%s is not behind what should stand before it:\n%s", order[i], event->sdp);
        at = next + 1;
    }
}

static void test_a_room_decides_on_extensions(void **state)
{
    (void)state;
    const struct fake_event *event = answer_in("'audiolevel_ext':false,'videoorient_ext':false,'playoutdelay_ext':false,'transport_wide_cc_ext':false",
                                               offer_av());
    expect_line(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 1.1.1.1\na=recvonly\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1\n"
                               "a=extmap:4 " MID);
    expect_line(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 1.1.1.1\na=recvonly\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\n"
                               "a=rtcp-fb:96 nack pli\na=rtcp-fb:96 goog-remb\na=extmap:4 " MID "\na=extmap:10 " RID "\na=extmap:11 " RRID);
    assert_null(stream_text(event, 0, "audiolevel_ext_id"));
}

static void test_what_is_not_offered_is_not_answered(void **state)
{
    (void)state;
    const struct offer_line lines[] = {{.kind = "audio", .direction = "sendrecv", .mid = "a", .codecs = "opus", .bare = true},
                                       {.kind = "video", .mid = "b", .codecs = "vp8", .bare = true}};
    const struct fake_event *event = answer_in(NULL, offer_of(lines, 2));
    expect_line(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 1.1.1.1\na=recvonly\na=rtpmap:111 opus/48000/2");
    expect_line(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 1.1.1.1\na=recvonly\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\n"
                               "a=rtcp-fb:96 nack pli\na=rtcp-fb:96 goog-remb");
}

static void test_directions_of_answers(void **state)
{
    (void)state;
    static const struct { const char *offered, *answered; } ways[] = {
        {NULL, "a=recvonly"}, {"sendrecv", "a=recvonly"}, {"sendonly", "a=recvonly"}, {"recvonly", "a=inactive"}, {"inactive", "a=inactive"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        const struct offer_line line = {.kind = "video", .direction = ways[i].offered, .mid = "0", .codecs = "vp8"};
        const struct fake_event *event = answer_in(NULL, offer_of(&line, 1));
        assert_true(line_has(event->sdp, 0, ways[i].answered));
        assert_true(line_has(event->sdp, 0, "m=video 9 UDP/TLS/RTP/SAVPF 96"));
        done();
    }
}

static void test_a_rejected_line_is_bare(void **state)
{
    (void)state;
    const struct offer_line lines[] = {{.kind = "audio", .mid = "0", .codecs = "pcmu g722"}, {.kind = "video", .rejected = true, .mid = "1", .codecs = "vp8"},
                                       {.kind = "video", .mid = "2", .codecs = "vp8"}};
    const struct fake_event *event = answer_in(NULL, offer_of(lines, 3));
    assert_true(line_has(event->sdp, 0, "m=audio 0 UDP/TLS/RTP/SAVPF 0"));
    assert_true(line_has(event->sdp, 0, "a=inactive"));
    assert_true(line_has(event->sdp, 1, "m=video 0 UDP/TLS/RTP/SAVPF 0"));
    assert_true(line_has(event->sdp, 2, "m=video 9 UDP/TLS/RTP/SAVPF 96"));
    assert_int_equal(line_count(event->sdp), 3);
}

static void test_opus_options(void **state)
{
    (void)state;
    static const struct { const char *room, *offered, *answered; bool fec, dtx, stereo; } ways[] = {
        {NULL, "useinbandfec=1;usedtx=1;stereo=1", "a=fmtp:111 useinbandfec=1;stereo=1", true, false, true},
        {"'opus_dtx':true", "usedtx=1;useinbandfec=1", "a=fmtp:111 useinbandfec=1;usedtx=1", true, true, false},
        {"'opus_dtx':true", "minptime=10; usedtx=1; sprop-stereo=1", "a=fmtp:111 usedtx=1;stereo=1", false, true, true},
        {"'opus_fec':false,'opus_dtx':true", "useinbandfec=1;usedtx=1;stereo=1", NULL, false, false, false},       /* nothing is looked at */
        {NULL, "minptime=10;useinbandfec=0", NULL, false, false, false},
        {NULL, NULL, NULL, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        const struct offer_line line = {.kind = "audio", .mid = "0", .codecs = "opus", .fmtp = ways[i].offered};
        const struct fake_event *event = answer_in(ways[i].room, offer_of(&line, 1));
        if (ways[i].answered != NULL)
            assert_true(line_has(event->sdp, 0, ways[i].answered));
        else
            assert_null(strstr(event->sdp, "a=fmtp"));
        assert_int_equal(stream_is(event, 0, "fec"), ways[i].fec);
        assert_int_equal(stream_is(event, 0, "dtx"), ways[i].dtx);
        assert_int_equal(stream_is(event, 0, "stereo"), ways[i].stereo);
        done();
    }
}

static void test_formats_keep_their_parameters(void **state)
{
    (void)state;
    static const struct { const char *codec, *offered, *answered; } ways[] = {
        {"vp8", "max-fr=30", "a=fmtp:96 max-fr=30"},
        {"vp9", "profile-id=2", "a=fmtp:98 profile-id=2"},
        {"h264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
        {"av1", "profile=0", NULL},
        {"h265", "profile-id=1", NULL},
    };
    static const char *const shown[][2] = {{"vp9_profile", NULL}, {"vp9_profile", "2"}, {"h264_profile", "42e01f"}, {"h264_profile", NULL}, {"h264_profile", NULL}};
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        const struct offer_line line = {.kind = "video", .mid = "0", .codecs = ways[i].codec, .fmtp = ways[i].offered};
        const struct fake_event *event = answer_in("'videocodec':'vp8,vp9,h264,av1,h265'", offer_of(&line, 1));
        if (ways[i].answered != NULL)
            assert_true(line_has(event->sdp, 0, ways[i].answered));
        else
            assert_null(strstr(event->sdp, "a=fmtp"));
        if (shown[i][1] != NULL)
            assert_string_equal(stream_text(event, 0, shown[i][0]), shown[i][1]);
        else
            assert_null(stream_text(event, 0, shown[i][0]));
        assert_string_equal(stream_text(event, 0, "codec"), ways[i].codec);
        done();
    }
}

#define HEAD "v=0\r\no=- 7012 2 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\n"
#define H264(pt, fmtp) "a=rtpmap:" pt " H264/90000\r\na=fmtp:" pt " " fmtp "\r\n"

/* A profile of the room's is looked for among the payloads; without it the first of the codec is taken. */
static void test_the_rooms_profile_is_looked_for(void **state)
{
    (void)state;
    const char *h264 = HEAD "m=video 9 UDP/TLS/RTP/SAVPF 102 104 106 108\r\nc=IN IP4 1.1.1.1\r\na=mid:0\r\na=sendonly\r\n"
                            H264("102", "packetization-mode=1;profile-level-id=64001f") H264("104", "packetization-mode=0;profile-level-id=42e01f")
                            H264("106", "profile-level-id=42E01F;packetization-mode=1") H264("108", "packetization-mode=1;profile-level-id=4d001f");
    const struct fake_event *event = answer_in("'videocodec':'h264','h264_profile':'42e01f'", h264);
    assert_true(line_has(event->sdp, 0, "m=video 9 UDP/TLS/RTP/SAVPF 106"));
    assert_true(line_has(event->sdp, 0, "a=fmtp:106 profile-level-id=42e01f;packetization-mode=1"));
    assert_string_equal(stream_text(event, 0, "h264_profile"), "42e01f");
    done();
    event = answer_in("'videocodec':'h264','h264_profile':'640c34'", h264);
    assert_true(line_has(event->sdp, 0, "m=video 9 UDP/TLS/RTP/SAVPF 102"));
    assert_string_equal(stream_text(event, 0, "h264_profile"), "64001f");
    done();
    const char *vp9 = HEAD "m=video 9 UDP/TLS/RTP/SAVPF 98 100\r\nc=IN IP4 1.1.1.1\r\na=mid:0\r\na=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\n"
                           "a=rtpmap:100 VP9/90000\r\na=fmtp:100 profile-id=2\r\n";
    event = answer_in("'videocodec':'vp9','vp9_profile':'2'", vp9);
    assert_true(line_has(event->sdp, 0, "m=video 9 UDP/TLS/RTP/SAVPF 100"));
    assert_true(line_has(event->sdp, 0, "a=fmtp:100 profile-id=2"));
    assert_string_equal(stream_text(event, 0, "vp9_profile"), "2");
    done();
    event = answer_in("'videocodec':'vp9,vp8','h264_profile':'42e01f'", vp9);      /* a profile without its codec is dropped */
    assert_true(line_has(event->sdp, 0, "m=video 9 UDP/TLS/RTP/SAVPF 98"));
    done();
}

static void test_multiopus_keeps_its_channels(void **state)
{
    (void)state;
    const struct offer_line line = {.kind = "audio", .mid = "0", .codecs = "multiopus", .fmtp = "channel_mapping=0,4,1,2,3,5;num_streams=4;coupled_streams=2"};
    const struct fake_event *event = answer_in("'audiocodec':'multiopus'", offer_of(&line, 1));
    assert_true(line_has(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 112"));
    assert_true(line_has(event->sdp, 0, "a=fmtp:112 channel_mapping=0,4,1,2,3,5;num_streams=4;coupled_streams=2"));
}

static void test_extension_directions_are_mirrored(void **state)
{
    (void)state;
    const char *offer = HEAD "m=video 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 1.1.1.1\r\na=mid:0\r\na=rtpmap:98 VP9/90000\r\na=extmap:7/sendonly " ORIENT "\r\n"
                             "a=extmap:8 " DD "\r\na=extmap:9/recvonly " DELAY "\r\na=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\n";
    const struct fake_event *event = answer_in("'videocodec':'vp9,vp8'", offer);
    expect_line(event->sdp, 0, "m=video 9 UDP/TLS/RTP/SAVPF 98\nc=IN IP4 1.1.1.1\na=recvonly\na=rtpmap:98 VP9/90000\na=rtcp-fb:98 ccm fir\na=rtcp-fb:98 nack\n"
                               "a=rtcp-fb:98 nack pli\na=rtcp-fb:98 goog-remb\na=extmap:7/recvonly " ORIENT "\na=extmap:8 " DD "\na=extmap:9/sendonly " DELAY);
}

/* The dependency descriptor is AV1's and VP9's. */
static void test_descriptors_need_their_codec(void **state)
{
    (void)state;
    const char *offer = HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 1.1.1.1\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\na=extmap:8 " DD "\r\na=extmap:4 " MID "\r\n";
    const struct fake_event *event = answer_in(NULL, offer);
    assert_false(line_has(event->sdp, 0, "a=extmap:8 " DD));
    assert_true(line_has(event->sdp, 0, "a=extmap:4 " MID));
}

static void test_lines_without_mid_go_by_their_index(void **state)
{
    (void)state;
    const struct offer_line lines[] = {{.kind = "audio", .codecs = "opus"}, {.kind = "video", .codecs = "vp8"}};
    const struct fake_event *event = answer_in(NULL, offer_of(lines, 2));
    assert_string_equal(stream_text(event, 0, "mid"), "0");
    assert_string_equal(stream_text(event, 1, "mid"), "1");
}

/* ---- offers ---- */

static const struct fake_event *offer_to_viewer(const char *fields)
{
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber'%s,'streams':[{'feed':1}]}", fields);
    const struct fake_event *event = fake_hear(&h, me);
    assert_non_null(event);
    assert_string_equal(event->jsep, "offer");
    return event;
}

static void test_an_offer_to_a_viewer(void **state)
{
    (void)state;
    (void)publisher(1);
    const struct fake_event *event = offer_to_viewer(",'use_msid':true");
    assert_true(session_has(event->sdp, "s=VideoRoom 1234"));
    assert_true(session_has(event->sdp, "t=0 0"));
    expect_line(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 1.1.1.1\na=mid:0\na=msid:1 0\na=sendonly\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1\n"
                               "a=extmap:1 " LEVEL "\na=extmap:4 " MID);
    expect_line(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 1.1.1.1\na=mid:1\na=msid:1 1\na=sendonly\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 ccm fir\n"
                               "a=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\na=rtcp-fb:96 goog-remb\na=extmap:2 " ABS "\na=extmap:4 " MID "\na=extmap:12 " DELAY "\n"
                               "a=extmap:13 " ORIENT);
    event = offer_to_viewer("");
    assert_null(strstr(event->sdp, "a=msid"));              /* the core's own */
}

/* Ours: transport-cc is asked for where a choice of layers can follow from it (docs/JANUS-COMPAT.md). */
static void test_feedback_on_transport_is_for_simulcast(void **state)
{
    (void)state;
    static const struct jsep_simulcast layers[] = {{.mindex = 1, .mid = "1", .layer_count = 2}};
    const struct fake_say say = {.jsep = "offer", .sdp = offer_av(), .simulcast = layers, .simulcast_count = 1};
    uint32_t one = guest(1, NULL);
    fake_say_jsep(&h, one, &say, "{'request':'publish'}");
    fake_up(&h, one);
    const struct fake_event *event = offer_to_viewer("");
    assert_true(line_has(event->sdp, 1, "a=extmap:3 " TWCC));
    assert_true(line_has(event->sdp, 1, "a=rtcp-fb:96 transport-cc"));
    assert_false(line_has(event->sdp, 0, "a=extmap:3 " TWCC));
}

static void test_extensions_follow_the_source(void **state)
{
    (void)state;
    const struct offer_line bare[] = {{.kind = "audio", .mid = "0", .codecs = "opus", .bare = true}, {.kind = "video", .mid = "1", .codecs = "vp8", .bare = true}};
    (void)publisher_of(1, offer_of(bare, 2), NULL);
    const struct fake_event *event = offer_to_viewer("");
    expect_line(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 1.1.1.1\na=mid:0\na=sendonly\na=rtpmap:111 opus/48000/2\na=extmap:4 " MID);
    expect_line(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 1.1.1.1\na=mid:1\na=sendonly\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\n"
                               "a=rtcp-fb:96 nack pli\na=rtcp-fb:96 goog-remb\na=extmap:2 " ABS "\na=extmap:4 " MID);
}

static void test_every_codec_has_its_number(void **state)
{
    (void)state;
    static const struct { const char *name, *kind, *offered, *line, *rtpmap; } codecs[] = {
        {"opus", "audio", NULL, "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2"},
        {"pcmu", "audio", NULL, "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=rtpmap:0 PCMU/8000"},
        {"pcma", "audio", NULL, "m=audio 9 UDP/TLS/RTP/SAVPF 8", "a=rtpmap:8 PCMA/8000"},
        {"g722", "audio", NULL, "m=audio 9 UDP/TLS/RTP/SAVPF 9", "a=rtpmap:9 G722/8000"},
        {"vp8", "video", NULL, "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000"},
        {"vp9", "video", "profile-id=2", "m=video 9 UDP/TLS/RTP/SAVPF 101", "a=rtpmap:101 VP9/90000"},
        {"h264", "video", "packetization-mode=1;profile-level-id=42e01f", "m=video 9 UDP/TLS/RTP/SAVPF 107", "a=rtpmap:107 H264/90000"},
        {"av1", "video", NULL, "m=video 9 UDP/TLS/RTP/SAVPF 98", "a=rtpmap:98 AV1/90000"},
        {"h265", "video", NULL, "m=video 9 UDP/TLS/RTP/SAVPF 100", "a=rtpmap:100 H265/90000"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(codecs); i++) {
        char fields[80];
        const struct offer_line line = {.kind = codecs[i].kind, .direction = "sendonly", .mid = "0", .codecs = codecs[i].name, .fmtp = codecs[i].offered};
        fake_admin(&h, "{'request':'destroy','room':1234}");
        fake_turn(&h);
        snprintf(fields, sizeof(fields), "'%scodec':'%s'", codecs[i].kind, codecs[i].name);
        room_create(1234, fields);
        (void)publisher_of(1, offer_of(&line, 1), NULL);
        const struct fake_event *event = offer_to_viewer("");
        assert_true(line_has(event->sdp, 0, codecs[i].line));
        assert_true(line_has(event->sdp, 0, codecs[i].rtpmap));
        if (strcmp(codecs[i].name, "vp9") == 0)
            assert_true(line_has(event->sdp, 0, "a=fmtp:101 profile-id=2"));
        else if (strcmp(codecs[i].name, "h264") == 0)
            assert_true(line_has(event->sdp, 0, "a=fmtp:107 profile-level-id=42e01f;packetization-mode=1"));
        else
            assert_null(strstr(event->sdp, "a=fmtp"));
    }
}

static void test_a_line_without_source_is_inactive(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','use_msid':true,'streams':[{'feed':1}]}");
    fake_forget(&h);
    fake_answer(&h, me, "start");
    fake_forget(&h);
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'sub_mid':'1'}]}");
    const struct fake_event *event = fake_hear(&h, me);
    assert_true(line_has(event->sdp, 0, "a=msid:1 0"));
    expect_line(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 1.1.1.1\na=mid:1\na=inactive\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\n"
                               "a=rtcp-fb:96 nack pli\na=rtcp-fb:96 goog-remb\na=extmap:2 " ABS "\na=extmap:4 " MID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_an_answer_as_the_reference_gives_it),
        ROOM_TEST(test_attributes_have_an_order),
        ROOM_TEST(test_a_room_decides_on_extensions),
        ROOM_TEST(test_what_is_not_offered_is_not_answered),
        ROOM_TEST(test_directions_of_answers),
        ROOM_TEST(test_a_rejected_line_is_bare),
        ROOM_TEST(test_opus_options),
        ROOM_TEST(test_formats_keep_their_parameters),
        ROOM_TEST(test_the_rooms_profile_is_looked_for),
        ROOM_TEST(test_multiopus_keeps_its_channels),
        ROOM_TEST(test_extension_directions_are_mirrored),
        ROOM_TEST(test_descriptors_need_their_codec),
        ROOM_TEST(test_lines_without_mid_go_by_their_index),
        ROOM_TEST(test_an_offer_to_a_viewer),
        ROOM_TEST(test_feedback_on_transport_is_for_simulcast),
        ROOM_TEST(test_extensions_follow_the_source),
        ROOM_TEST(test_every_codec_has_its_number),
        ROOM_TEST(test_a_line_without_source_is_inactive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
