#include "negotiate_help.h"

#include "proto/sdp/sdp_files.h"

static void assert_seen(const char *text, const char *expected)
{
    struct buf out;
    struct sdp *sdp = parse_view(str_of(text));
    anonymise(sdp);
    buf_init(&out, SDP_TEXT_BYTES_MAX);
    assert_true(sdp_write(sdp, &out));
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
    sdp_free(sdp);
}

#define SEEN_HEAD "v=0\r\no=- 4611732043 2 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\n"

/* webrtc.md 2, each line of it. */
static void test_transport_is_stripped(void **state)
{
    (void)state;
    assert_seen("v=0\r\no=- 4611732043 2 IN IP6 2001:db8::1\r\ns=-\r\nt=0 0\r\nc=IN IP6 2001:db8::1\r\n"
                "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=ice-options:trickle\r\na=fingerprint:sha-256 AA\r\na=group:BUNDLE 0\r\na=group:LS 0\r\n"
                "a=msid-semantic: WMS *\r\na=extmap-allow-mixed\r\na=rtcp-rsize\r\na=ice-lite\r\na=tool:kept\r\n"
                "m=audio 54321 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 192.168.1.9\r\nb=AS:40\r\n"
                "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=ice-options:trickle\r\na=fingerprint:sha-256 AA\r\na=crypto:1 x inline:y\r\na=setup:actpass\r\n"
                "a=connection:new\r\na=rid:h send\r\na=simulcast:send h\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\n"
                "a=end-of-candidates\r\na=ssrc:1 cname:x\r\na=ssrc-group:FID 1 2\r\na=extmap-allow-mixed\r\na=rtcp-mux-only\r\n"
                "a=extmap:9 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                "a=mid:0\r\na=msid:s t\r\na=extmap:1/sendonly urn:x\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=rtcp-fb:111 transport-cc\r\n"
                "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=bundle-only\r\na=recvonly\r\n"
                "m=application 7 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\na=sctpmap:5000 webrtc-datachannel 16\r\na=max-message-size:1\r\na=sctp-init:AAAA\r\na=mid:1\r\n",
                "v=0\r\no=- 4611732043 2 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\nc=IN IP4 1.1.1.1\r\na=tool:kept\r\n"
                "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 1.1.1.1\r\nb=AS:40\r\na=recvonly\r\n"
                "a=mid:0\r\na=msid:s t\r\na=extmap:1/sendonly urn:x\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=rtcp-fb:111 transport-cc\r\n"
                "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=bundle-only\r\n"
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sendrecv\r\na=mid:1\r\n");
}

static void test_repair_payloads_are_stripped(void **state)
{
    (void)state;
    assert_seen(HEAD "m=video 9 P 96 97 116 117 118 119\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:* ccm fir\r\na=rtpmap:97 RTX/90000\r\na=fmtp:97 apt=96\r\n"
                "a=rtpmap:116 red/90000\r\na=rtcp-fb:116 nack\r\na=rtpmap:117 ulpfec/90000\r\na=rtpmap:118 flexfec-03/90000\r\na=fmtp:118 repair-window=1\r\na=rtpmap:119 H264/90000\r\n",
                SEEN_HEAD "m=video 9 P 96 119\r\na=sendrecv\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:* ccm fir\r\na=rtpmap:119 H264/90000\r\n");
}

static void test_a_line_of_repair_payloads_only_is_rejected(void **state)
{
    (void)state;
    assert_seen(HEAD "m=video 9 P 97\r\na=rtpmap:97 rtx/90000\r\na=mid:v\r\n", SEEN_HEAD "m=video 0 P 0\r\na=inactive\r\na=mid:v\r\n");
}

static void test_one_data_line_survives(void **state)
{
    (void)state;
    assert_seen(HEAD "m=application 9 TCP/MSRP *\r\n" DATA("1") "m=application 9 DTLS/SCTP 5000\r\nm=audio 0 P 111\r\n",
                SEEN_HEAD "m=application 0 TCP/MSRP *\r\na=inactive\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 1.1.1.1\r\na=sendrecv\r\na=mid:1\r\n"
                "m=application 0 DTLS/SCTP 5000\r\na=inactive\r\nm=audio 0 P 111\r\na=sendrecv\r\n");
}

/* Nothing of a browser's transport is left, and what is left can be anonymised again without change. */
static void test_browsers(void **state)
{
    (void)state;
    static const char *const gone[] = {"ice-", "fingerprint", "candidate", "a=ssrc", "rtcp-mux", "a=setup", ".local", "rtx/", "apt=", "ulpfec", "red/90000",
                                       "simulcast", "a=rid", "sctp-port", "max-message-size", "BUNDLE", "rtcp-rsize"};
    for (size_t i = 0; i < ARRAY_COUNT(browser_files); i++) {
        struct buf once, twice;
        buf_init(&once, SDP_TEXT_BYTES_MAX);
        buf_init(&twice, SDP_TEXT_BYTES_MAX);
        struct sdp *sdp = parse_view(sdp_file(browser_files[i]));
        anonymise(sdp);
        assert_true(sdp_write(sdp, &once));
        for (size_t k = 0; k < ARRAY_COUNT(gone); k++)
            if (strstr(buf_text(&once), gone[k]) != NULL)
                fail_msg("%s: %s is still there", browser_files[i], gone[k]);
        struct sdp *again = parse_view(buf_view(&once));
        anonymise(again);
        assert_true(sdp_write(again, &twice));
        assert_string_equal(buf_text(&once), buf_text(&twice));
        sdp_free(sdp);
        sdp_free(again);
        buf_fini(&once);
        buf_fini(&twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_transport_is_stripped, is_empty),
        cmocka_unit_test_teardown(test_repair_payloads_are_stripped, is_empty),
        cmocka_unit_test_teardown(test_a_line_of_repair_payloads_only_is_rejected, is_empty),
        cmocka_unit_test_teardown(test_one_data_line_survives, is_empty),
        cmocka_unit_test_teardown(test_browsers, is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
