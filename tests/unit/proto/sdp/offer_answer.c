#include "support/seams.h"

#include "base/str.h"
#include "proto/sdp/offer_answer.h"

#include "proto/sdp/sdp_files.h"

#define HEAD "v=0\r\no=- 7012 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
#define ANSWER_HEAD(name) "v=0\r\no=- 7012 2 IN IP4 1.1.1.1\r\ns=" name "\r\nt=0 0\r\n"
#define LINE(media) "m=" media "\r\nc=IN IP4 1.1.1.1\r\n"

#define TWCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define DD_URI   "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

static int is_empty(void **state)
{
    (void)state;
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

static struct sdp *parse(struct view text)
{
    char reason[SDP_REASON_ROOM];
    struct sdp *sdp = sdp_parse(text, reason);
    if (sdp == NULL)
        fail_msg("refused: %s", reason);
    return sdp;
}

static void assert_written(const struct sdp *sdp, const char *expected)
{
    struct buf out;
    buf_init(&out, SDP_TEXT_BYTES_MAX);
    assert_true(sdp_write(sdp, &out));
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

/* Accepts line 0 of `text` as `how` says and compares the whole answer; NULL expects a refusal. */
static void assert_answer(const char *text, const struct sdp_answer_line *how, const char *expected)
{
    struct sdp *offer = parse(str_of(text));
    struct sdp *answer = sdp_answer_new(offer, STR("x"));
    const bool fine = sdp_answer_accept(answer, offer, 0, how, NULL);
    assert_true(fine == (expected != NULL));
    if (fine)
        assert_written(answer, expected);
    sdp_free(offer);
    sdp_free(answer);
}

/* videoroom.md 13.2, the example there: audio sendonly and simulcast VP8 to a room with FEC, TWCC and audio levels. */
static void test_videoroom_answer(void **state)
{
    (void)state;
    struct sdp *offer = parse(sdp_file("chromium-offer-simulcast.sdp"));
    const uint32_t common = SDP_EXT_BIT(SDP_EXT_MID) | SDP_EXT_BIT(SDP_EXT_RID) | SDP_EXT_BIT(SDP_EXT_REPAIRED_RID) | SDP_EXT_BIT(SDP_EXT_TRANSPORT_CC);
    const struct sdp_answer_line audio = {
        .direction = SDP_RECVONLY, .codec = CODEC_OPUS, .fmtp = STR("useinbandfec=1"), .exts = common | SDP_EXT_BIT(SDP_EXT_AUDIO_LEVEL)};
    const struct sdp_answer_line video = {
        .direction = SDP_RECVONLY, .codec = CODEC_VP8,
        .exts = common | SDP_EXT_BIT(SDP_EXT_VIDEO_ORIENTATION) | SDP_EXT_BIT(SDP_EXT_PLAYOUT_DELAY) | SDP_EXT_BIT(SDP_EXT_DEPENDENCY_DESCRIPTOR)};
    offer->mlines[0]->direction = SDP_SENDONLY;
    struct sdp *answer = sdp_answer_new(offer, STR("VideoRoom 1234"));
    struct sdp_accepted accepted;
    assert_true(sdp_answer_accept(answer, offer, 0, &audio, &accepted));
    assert_int_equal(accepted.pt, 111);
    assert_int_equal(accepted.red_pt, SDP_PT_NONE);
    assert_true(sdp_answer_accept(answer, offer, 1, &video, &accepted));
    assert_int_equal(accepted.codec, CODEC_VP8);
    answer->origin_id = 7012;
    assert_written(answer, ANSWER_HEAD("VideoRoom 1234")
                   LINE("audio 9 UDP/TLS/RTP/SAVPF 111") "a=recvonly\r\n"
                   "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\na=rtcp-fb:111 transport-cc\r\n"
                   "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
                   "a=extmap:3 " TWCC_URI "\r\n"
                   "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                   LINE("video 9 UDP/TLS/RTP/SAVPF 96") "a=recvonly\r\n"
                   "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 goog-remb\r\n"
                   "a=rtcp-fb:96 transport-cc\r\n"
                   "a=extmap:13 urn:3gpp:video-orientation\r\n"
                   "a=extmap:3 " TWCC_URI "\r\n"
                   "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
                   "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                   "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
                   "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n");
    sdp_free(offer);
    sdp_free(answer);
}

/* echotest.md 3: RED first, its fmtp before opus', msid in front. */
static void test_red_and_dtmf_beside_opus(void **state)
{
    (void)state;
    const char *text = HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 110 126\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
                            "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n";
    const struct sdp_answer_line how = {
        .direction = SDP_SENDRECV, .fmtp = STR("useinbandfec=1;usedtx=1"), .msid = STR("s t"), .red = true, .dtmf = true};
    assert_answer(text, &how, ANSWER_HEAD("x") LINE("audio 9 UDP/TLS/RTP/SAVPF 63 111 126") "a=sendrecv\r\na=msid:s t\r\n"
                              "a=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n"
                              "a=fmtp:63 111/111\r\na=fmtp:111 useinbandfec=1;usedtx=1\r\n");
    const struct sdp_answer_line plain = {.direction = SDP_SENDRECV, .codec = CODEC_PCMU, .red = true};
    assert_answer(HEAD "m=audio 9 RTP/AVP 0\r\n", &plain,
                  ANSWER_HEAD("x") LINE("audio 9 RTP/AVP 0") "a=sendrecv\r\na=rtpmap:0 PCMU/8000\r\n");
}

#define H264_OFFER HEAD "m=video 9 UDP/TLS/RTP/SAVPF 102 104 108 98 100\r\n" \
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" \
    "a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f\r\n" \
    "a=rtpmap:104 H264/90000\r\na=fmtp:104 profile-level-id=42E01F;packetization-mode=0\r\n" \
    "a=rtpmap:108 h264/90000\r\na=fmtp:108 packetization-mode=1;profile-level-id=42E01F\r\n" \
    "a=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\na=rtpmap:100 VP9/90000\r\na=fmtp:100 profile-id=2\r\n"
#define FEEDBACK(pt) "a=rtcp-fb:" pt " ccm fir\r\na=rtcp-fb:" pt " nack\r\na=rtcp-fb:" pt " nack pli\r\na=rtcp-fb:" pt " goog-remb\r\n"

static void test_profiles(void **state)
{
    (void)state;
    const struct sdp_answer_line any = {.direction = SDP_RECVONLY, .codec = CODEC_H264, .exts = SDP_EXTS_ALL};
    assert_answer(H264_OFFER, &any, ANSWER_HEAD("x") LINE("video 9 UDP/TLS/RTP/SAVPF 102") "a=recvonly\r\na=rtpmap:102 H264/90000\r\n" FEEDBACK("102")
                  "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                          /* copied fmtp: in the order of the offer */
                  "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f\r\n");
    struct sdp_answer_line how = {.direction = SDP_RECVONLY, .codec = CODEC_H264, .profile = STR("42e01f"), .exts = SDP_EXTS_ALL};
    assert_answer(H264_OFFER, &how, ANSWER_HEAD("x") LINE("video 9 UDP/TLS/RTP/SAVPF 108") "a=recvonly\r\na=rtpmap:108 H264/90000\r\n" FEEDBACK("108")
                  "a=fmtp:108 profile-level-id=42e01f;packetization-mode=1\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
    how.profile = STR("42001f");                    /* there, but in packetization mode 0 only */
    assert_answer(H264_OFFER, &how, NULL);
    how.profile = STR("640032");
    assert_answer(H264_OFFER, &how, NULL);
    how = (struct sdp_answer_line){.direction = SDP_RECVONLY, .codec = CODEC_VP9, .profile = STR("2")};
    assert_answer(H264_OFFER, &how, ANSWER_HEAD("x") LINE("video 9 UDP/TLS/RTP/SAVPF 100") "a=recvonly\r\na=rtpmap:100 VP9/90000\r\n" FEEDBACK("100")
                  "a=fmtp:100 profile-id=2\r\n");
    how.profile = STR("1");
    assert_answer(H264_OFFER, &how, NULL);
    how = (struct sdp_answer_line){.direction = SDP_RECVONLY, .codec = CODEC_VP9, .fmtp = STR("profile-id=9")};
    assert_answer(H264_OFFER, &how, ANSWER_HEAD("x") LINE("video 9 UDP/TLS/RTP/SAVPF 98") "a=recvonly\r\na=rtpmap:98 VP9/90000\r\n" FEEDBACK("98")
                  "a=fmtp:98 profile-id=9\r\n");
    how.codec = CODEC_AV1;
    assert_answer(H264_OFFER, &how, NULL);
}

static void test_fmtp_is_copied_for_some_codecs_only(void **state)
{
    (void)state;
    const struct sdp_answer_line how = {.direction = SDP_SENDRECV};
    assert_answer(HEAD "m=video 9 P 45\r\na=rtpmap:45 AV1/90000\r\na=fmtp:45 profile=0\r\n", &how,
                  ANSWER_HEAD("x") LINE("video 9 P 45") "a=sendrecv\r\na=rtpmap:45 AV1/90000\r\n" FEEDBACK("45"));
    assert_answer(HEAD "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 max-fs=12288\r\na=fmtp:97 apt=96\r\na=fmtp:96 b=1\r\n", &how,
                  ANSWER_HEAD("x") LINE("video 9 P 96") "a=sendrecv\r\na=rtpmap:96 VP8/90000\r\n" FEEDBACK("96")
                  "a=fmtp:96 max-fs=12288\r\na=fmtp:96 b=1\r\n");
    assert_answer(HEAD "m=audio 9 P 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 stereo=1\r\n", &how,
                  ANSWER_HEAD("x") LINE("audio 9 P 111") "a=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n");
}

/* webrtc.md 4.3: multiopus repeats what was offered unless the plugin knows the mapping; its channels stay as offered. */
static void test_multiopus(void **state)
{
    (void)state;
    const char *text = HEAD "m=audio 9 P 120\r\na=rtpmap:120 multiopus/48000/8\r\na=fmtp:120 channel_mapping=0,6;num_streams=5\r\n";
    struct sdp_answer_line how = {.direction = SDP_SENDRECV, .fmtp = STR("useinbandfec=1")};
    assert_answer(text, &how, ANSWER_HEAD("x") LINE("audio 9 P 120") "a=sendrecv\r\na=rtpmap:120 multiopus/48000/8\r\n"
                              "a=fmtp:120 channel_mapping=0,6;num_streams=5\r\n");
    how.fmtp = STR("channel_mapping=0,1");
    assert_answer(text, &how, ANSWER_HEAD("x") LINE("audio 9 P 120") "a=sendrecv\r\na=rtpmap:120 multiopus/48000/8\r\na=fmtp:120 channel_mapping=0,1\r\n");
}

static void test_extension_directions_are_mirrored(void **state)
{
    (void)state;
    const struct sdp_answer_line how = {.direction = SDP_SENDRECV, .exts = SDP_EXTS_ALL};
    const char *text = HEAD "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n"
        "a=extmap:1/sendonly urn:3gpp:video-orientation\r\na=extmap:2/recvonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=extmap:3/inactive urn:ietf:params:rtp-hdrext:toffset\r\na=extmap:4/sendrecv " TWCC_URI " attributes\r\n"
        "a=extmap:5 urn:unknown\r\na=extmap:6 " DD_URI "\r\n"                       /* the descriptor is for AV1 and VP9 */
        "a=extmap:7 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                        /* twice */
        "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"              /* an id that is taken */
        "a=extmap:0 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:256 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
        "a=extmap:x\r\na=extmap:9\r\na=extmap:9/both urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap\r\n";
    assert_answer(text, &how, ANSWER_HEAD("x") LINE("video 9 P 96") "a=sendrecv\r\na=rtpmap:96 VP8/90000\r\n" FEEDBACK("96")
        "a=rtcp-fb:96 transport-cc\r\n"
        "a=extmap:1/recvonly urn:3gpp:video-orientation\r\na=extmap:2/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=extmap:3/inactive urn:ietf:params:rtp-hdrext:toffset\r\na=extmap:4/sendrecv " TWCC_URI "\r\n");
    const struct sdp_answer_line vp9 = {.direction = SDP_SENDRECV, .exts = SDP_EXT_BIT(SDP_EXT_DEPENDENCY_DESCRIPTOR)};
    assert_answer(HEAD "m=video 9 P 98\r\na=rtpmap:98 VP9/90000\r\na=extmap:6 " DD_URI "\r\n", &vp9,
                  ANSWER_HEAD("x") LINE("video 9 P 98") "a=sendrecv\r\na=rtpmap:98 VP9/90000\r\n" FEEDBACK("98") "a=extmap:6 " DD_URI "\r\n");
}

/* webrtc.md 4.3, last paragraph. */
static void test_direction_is_what_both_can(void **state)
{
    (void)state;
    static const enum sdp_direction table[4][4] = {
        /* wanted:           inactive      sendonly      recvonly      sendrecv */
        [SDP_INACTIVE] = {SDP_INACTIVE, SDP_INACTIVE, SDP_INACTIVE, SDP_INACTIVE},
        [SDP_SENDONLY] = {SDP_INACTIVE, SDP_INACTIVE, SDP_RECVONLY, SDP_RECVONLY},
        [SDP_RECVONLY] = {SDP_INACTIVE, SDP_SENDONLY, SDP_INACTIVE, SDP_SENDONLY},
        [SDP_SENDRECV] = {SDP_INACTIVE, SDP_SENDONLY, SDP_RECVONLY, SDP_SENDRECV},
    };
    for (int offered = 0; offered < 4; offered++)
        for (int wanted = 0; wanted < 4; wanted++)
            assert_int_equal(sdp_direction_answer((enum sdp_direction)offered, (enum sdp_direction)wanted), table[offered][wanted]);
}

static void test_lines_left_alone_stay_rejected(void **state)
{
    (void)state;
    struct sdp *offer = parse(STR(HEAD "m=audio 9 P 111\r\na=rtpmap:111 opus/48000/2\r\na=mid:a\r\nm=video 0 P 96\r\na=rtpmap:96 VP8/90000\r\n"
                                       "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nm=application 9 TCP/X chat\r\n"));
    struct sdp *answer = sdp_answer_new(offer, STR(""));
    const struct sdp_answer_line how = {.direction = SDP_SENDRECV};
    struct sdp_accepted accepted;
    assert_false(sdp_answer_accept(answer, offer, 1, &how, NULL));        /* offered with port 0 */
    assert_true(sdp_answer_accept(answer, offer, 2, &how, &accepted));
    assert_int_equal(accepted.pt, SDP_PT_NONE);
    assert_false(sdp_answer_accept(answer, offer, 3, &how, NULL));
    assert_false(sdp_answer_accept(answer, offer, 4, &how, NULL));        /* no such line */
    assert_written(answer, ANSWER_HEAD("-") LINE("audio 0 P 0") "a=inactive\r\n" LINE("video 0 P 0") "a=inactive\r\n"
                           LINE("application 9 UDP/DTLS/SCTP webrtc-datachannel") "a=sendrecv\r\n"
                           LINE("application 0 TCP/X chat") "a=inactive\r\n");
    sdp_free(offer);
    sdp_free(answer);
}

static enum codec choose(const char *rest, enum sdp_codec_order order)
{
    char text[1024];
    snprintf(text, sizeof(text), "%s%s", HEAD, rest);
    struct sdp *sdp = parse(str_of(text));
    const enum codec codec = sdp_codec_choose(sdp->mlines[0], order);
    sdp_free(sdp);
    return codec;
}

/* webrtc.md 4.2: the two orders differ in where multiopus, L16 and iSAC stand; the browser's order never counts. */
static void test_codec_choice(void **state)
{
    (void)state;
    assert_int_equal(choose("m=audio 9 P 0 111\r\na=rtpmap:111 OPUS/48000/2\r\n", SDP_CODECS_AUTOMATIC), CODEC_OPUS);
    const char *many = "m=audio 9 P 8 1 2 3\r\na=rtpmap:1 multiopus/48000/6\r\na=rtpmap:2 L16/48000\r\na=rtpmap:3 ISAC/32000\r\n";
    assert_int_equal(choose(many, SDP_CODECS_PREFERRED), CODEC_MULTIOPUS);
    assert_int_equal(choose(many, SDP_CODECS_AUTOMATIC), CODEC_PCMA);
    const char *rare = "m=audio 9 P 2 3\r\na=rtpmap:2 L16/16000\r\na=rtpmap:3 isac/32000\r\n";
    assert_int_equal(choose(rare, SDP_CODECS_PREFERRED), CODEC_L16);
    assert_int_equal(choose(rare, SDP_CODECS_AUTOMATIC), CODEC_ISAC32);
    assert_int_equal(choose("m=video 9 P 5 6\r\na=rtpmap:5 H265/90000\r\na=rtpmap:6 AV1/90000\r\n", SDP_CODECS_AUTOMATIC), CODEC_AV1);
    assert_int_equal(choose("m=video 9 P 5\r\na=rtpmap:5 opus/48000/2\r\n", SDP_CODECS_AUTOMATIC), CODEC_NONE);     /* wrong kind */
    assert_int_equal(choose("m=audio 9 P 5\r\na=rtpmap:6 opus/48000/2\r\n", SDP_CODECS_AUTOMATIC), CODEC_NONE);     /* PT not on the line */
    assert_int_equal(choose("m=audio 9 P 5\r\na=rtpmap:5 opus\r\na=rtpmap:5\r\n", SDP_CODECS_AUTOMATIC), CODEC_NONE);
}

static void test_fmtp_params(void **state)
{
    (void)state;
    assert_true(str_equal(sdp_fmtp_param(STR("a=1; B = 2 ;c"), STR("b")), STR("2")));
    assert_int_equal(sdp_fmtp_param(STR("a=1; B = 2 ;c"), STR("c")).size, 0);
    assert_int_equal(sdp_fmtp_param(STR("sprop-stereo=1"), STR("stereo")).size, 0);
    assert_int_equal(sdp_fmtp_param(STR(""), STR("")).size, 0);
    char blanks[5000] = "a=1";
    memset(blanks + 3, ';', sizeof(blanks) - 3);
    memcpy(blanks + 4000, "b=2", 3);
    memcpy(blanks + 4200, "c=3", 3);
    assert_true(str_equal(sdp_fmtp_param(VIEW(blanks, sizeof(blanks)), STR("b")), STR("2")));
    assert_int_equal(sdp_fmtp_param(VIEW(blanks, sizeof(blanks)), STR("c")).size, 0);
}

/* videoroom.md 13.3 and webrtc.md 4.3, "offer line order". */
static void test_offer_to_a_subscriber(void **state)
{
    (void)state;
    struct sdp *offer = sdp_offer_new(STR("VideoRoom 1234"), 17, 3);
    struct sdp_offer_line audio = sdp_offer_line_of(SDP_AUDIO, SDP_SENDONLY);
    audio.codec = CODEC_OPUS;
    audio.red_pt = 120;
    audio.mid = STR("0");
    audio.msid = STR("77 0");
    audio.fmtp = STR("useinbandfec=1");
    audio.ext_ids[SDP_EXT_MID] = sdp_ext_default_id(SDP_EXT_MID);
    audio.ext_ids[SDP_EXT_AUDIO_LEVEL] = sdp_ext_default_id(SDP_EXT_AUDIO_LEVEL);
    audio.ext_ids[SDP_EXT_TRANSPORT_CC] = sdp_ext_default_id(SDP_EXT_TRANSPORT_CC);
    struct sdp_offer_line video = sdp_offer_line_of(SDP_VIDEO, SDP_INACTIVE);
    video.codec = CODEC_H264;
    video.mid = STR("1");
    video.profile = STR("42e01f");
    video.fmtp = STR("not this");
    video.ext_ids[SDP_EXT_PLAYOUT_DELAY] = 12;
    video.ext_ids[SDP_EXT_ABS_SEND_TIME] = 2;
    struct sdp_offer_line data = sdp_offer_line_of(SDP_APPLICATION, SDP_SENDONLY);
    data.mid = STR("2");
    assert_non_null(sdp_offer_add(offer, &audio));
    assert_non_null(sdp_offer_add(offer, &video));
    assert_non_null(sdp_offer_add(offer, &data));
    data.legacy_data = true;
    data.mid = STR("");
    assert_non_null(sdp_offer_add(offer, &data));
    assert_written(offer, "v=0\r\no=- 17 3 IN IP4 1.1.1.1\r\ns=VideoRoom 1234\r\nt=0 0\r\n"
                   LINE("audio 9 UDP/TLS/RTP/SAVPF 120 111") "a=sendonly\r\na=mid:0\r\na=msid:77 0\r\n"
                   "a=rtpmap:120 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
                   "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:3 " TWCC_URI "\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                   "a=fmtp:120 111/111\r\na=fmtp:111 useinbandfec=1\r\n"
                   LINE("video 9 UDP/TLS/RTP/SAVPF 107") "a=inactive\r\na=mid:1\r\na=rtpmap:107 H264/90000\r\n" FEEDBACK("107")
                   "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
                   "a=extmap:12 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
                   "a=fmtp:107 profile-level-id=42e01f;packetization-mode=1\r\n"
                   LINE("application 9 UDP/DTLS/SCTP webrtc-datachannel") "a=sendonly\r\na=mid:2\r\na=sctp-port:5000\r\n"
                   LINE("application 9 DTLS/SCTP 5000") "a=sendonly\r\na=sctpmap:5000 webrtc-datachannel 16\r\n");
    sdp_free(offer);
}

static void test_an_offer_has_at_most_128_lines(void **state)
{
    (void)state;
    struct sdp *offer = sdp_offer_new(STR("x"), 1, 1);
    struct sdp_offer_line line = sdp_offer_line_of(SDP_AUDIO, SDP_SENDONLY);
    line.codec = CODEC_OPUS;
    for (unsigned i = 0; i < SDP_MLINES_MAX; i++)
        assert_non_null(sdp_offer_add(offer, &line));
    assert_null(sdp_offer_add(offer, &line));
    assert_true(offer->failed);
    sdp_free(offer);
}

static void test_a_plugin_may_say_its_own_rtpmap(void **state)
{
    (void)state;
    struct sdp *offer = sdp_offer_new(STR("Mountpoint 1"), 1, 1);
    struct sdp_offer_line line = sdp_offer_line_of(SDP_AUDIO, SDP_SENDONLY);
    line.codec = CODEC_L16_48;
    line.dtmf_pt = CODEC_DTMF_PT;
    line.pt = 99;
    line.rtpmap = STR("L16/48000/2");
    sdp_offer_add(offer, &line);
    assert_written(offer, "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=Mountpoint 1\r\nt=0 0\r\n" LINE("audio 9 UDP/TLS/RTP/SAVPF 99 126")
                          "a=sendonly\r\na=rtpmap:99 L16/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n");
    sdp_free(offer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_videoroom_answer, is_empty),
        cmocka_unit_test_teardown(test_red_and_dtmf_beside_opus, is_empty),
        cmocka_unit_test_teardown(test_profiles, is_empty),
        cmocka_unit_test_teardown(test_fmtp_is_copied_for_some_codecs_only, is_empty),
        cmocka_unit_test_teardown(test_multiopus, is_empty),
        cmocka_unit_test_teardown(test_extension_directions_are_mirrored, is_empty),
        cmocka_unit_test_teardown(test_direction_is_what_both_can, is_empty),
        cmocka_unit_test_teardown(test_lines_left_alone_stay_rejected, is_empty),
        cmocka_unit_test_teardown(test_codec_choice, is_empty),
        cmocka_unit_test_teardown(test_fmtp_params, is_empty),
        cmocka_unit_test_teardown(test_offer_to_a_subscriber, is_empty),
        cmocka_unit_test_teardown(test_an_offer_has_at_most_128_lines, is_empty),
        cmocka_unit_test_teardown(test_a_plugin_may_say_its_own_rtpmap, is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
