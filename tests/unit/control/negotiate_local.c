#include "negotiate_help.h"

#include "proto/sdp/sdp_files.h"

#define PLUGIN_HEAD "v=0\r\no=- 4611732043 2 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\n"
#define WIRE_HEAD(mids) "v=0\r\no=- 4611732043 2 IN IP4 203.0.113.9\r\ns=-\r\nt=0 0\r\na=group:BUNDLE" mids "\r\n" \
    "a=ice-options:trickle\r\na=fingerprint:sha-256 3A:9F\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n"
#define ICE "a=ice-ufrag:9gQk\r\na=ice-pwd:8UrnV1zMtrcvgYCcZq0mzE\r\na=ice-options:trickle\r\n"
#define CANDIDATES "a=candidate:1 1 udp 2015363327 203.0.113.9 20014 typ host\r\n" \
    "a=candidate:2 1 udp 7 203.0.113.9 20015 typ srflx raddr 10.0.0.1 rport 9\r\na=end-of-candidates\r\n"
#define RID_EXT "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"

struct pc {
    struct negotiation n;
    struct local l;
};

static void pc_init(struct pc *pc)
{
    negotiation_init(&pc->n);
    local_init(&pc->l);
}

static void pc_fini(struct pc *pc)
{
    negotiation_fini(&pc->n);
    local_fini(&pc->l);
}

static void offer(struct pc *pc, const char *text)
{
    assert_int_equal(remote_says(&pc->n, NEGOTIATE_OFFER, text), NEGOTIATE_OK);
}

static void answer(struct pc *pc, const char *text)
{
    assert_int_equal(we_say(&pc->n, NEGOTIATE_ANSWER, &pc->l, text), ERR_NONE);
}

static void we_offer(struct pc *pc, const char *text)
{
    assert_int_equal(we_say(&pc->n, NEGOTIATE_OFFER, &pc->l, text), ERR_NONE);
}

/* The example of webrtc.md 3.2, line by line. */
static void test_answer_of_the_specification(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    pc.l.in.half_trickle = true;
    pc.l.in.candidates = pc.l.candidates;
    pc.l.in.candidate_count = 1;
    offer(&pc, HEAD SECURITY AUDIO("0") VIDEO("1"));
    answer(&pc, PLUGIN_HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\n" OPUS "a=fmtp:111 useinbandfec=1\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                            "m=video 0 UDP/TLS/RTP/SAVPF 0\r\na=inactive\r\n");
    assert_text(&pc.l, WIRE_HEAD(" 0")
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 203.0.113.9\r\na=sendrecv\r\na=mid:0\r\na=rtcp-mux\r\n" ICE "a=setup:active\r\n"
        OPUS "a=fmtp:111 useinbandfec=1\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=msid:janus janus0\r\na=ssrc:1 cname:janus\r\na=candidate:1 1 udp 2015363327 203.0.113.9 20014 typ host\r\na=end-of-candidates\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 203.0.113.9\r\na=inactive\r\na=mid:1\r\n");
    pc_fini(&pc);
}

/* webrtc.md 3.2, all sixteen rows: bandwidth, rtx, FID, msid, simulcast, data, candidates on every line. */
static void test_answer_with_everything(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    pc.l.in.half_trickle = true;
    pc.l.in.lite = true;
    pc.l.in.candidates = pc.l.candidates;
    pc.l.in.candidate_count = 2;
    offer(&pc, HEAD SECURITY "m=audio 9 RTP/SAVPF 111 63\r\na=mid:a\r\n" OPUS "a=rtpmap:63 red/48000/2\r\n"
               VIDEO("v") "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;~m;l\r\n" RID_EXT DATA("d"));
    answer(&pc, PLUGIN_HEAD "a=tool:x\r\nm=audio 9 RTP/SAVPF 63 111\r\na=recvonly\r\na=msid:s t extra\r\na=rtpmap:63 red/48000/2\r\n" OPUS "a=fmtp:63 111/111\r\n"
                            "m=video 9 RTP/SAVPF 96\r\nb=TIAS:500000\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=mid:not this\r\n" RID_EXT
                            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
    assert_text(&pc.l, WIRE_HEAD(" a v d") "a=ice-lite\r\na=tool:x\r\n"
        "m=audio 9 RTP/SAVPF 63 111\r\nc=IN IP4 203.0.113.9\r\na=recvonly\r\na=mid:a\r\na=rtcp-mux\r\n" ICE "a=setup:active\r\n"
        "a=rtpmap:63 red/48000/2\r\n" OPUS "a=fmtp:63 111/111\r\na=msid:s t\r\na=ssrc:1 cname:janus\r\n" CANDIDATES
        "m=video 9 RTP/SAVPF 96 97\r\nc=IN IP4 203.0.113.9\r\nb=TIAS:500000\r\na=sendrecv\r\na=mid:v\r\na=rtcp-mux\r\n" ICE "a=setup:active\r\n"
        "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n" RID_EXT "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        "a=ssrc-group:FID 2 3\r\na=msid:janus janusv\r\na=ssrc:2 cname:janus\r\na=ssrc:3 cname:janus\r\n"
        "a=rid:h recv\r\na=rid:m recv\r\na=rid:l recv\r\na=simulcast:recv h;~m;l\r\n" CANDIDATES
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 203.0.113.9\r\na=sendrecv\r\na=mid:d\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n" ICE "a=setup:active\r\n" CANDIDATES);
    struct negotiated_line line;
    assert_true(negotiation_line(&pc.n, 0, &line));
    assert_true(line.recv && !line.send && !line.nack && !line.rtx);
    assert_int_equal(line.red_pt, 63);
    assert_int_equal(line.layer_count, 1);
    assert_true(negotiation_line(&pc.n, 1, &line));
    assert_true(line.recv && line.send && line.nack && line.rtx && line.by_rid);
    assert_int_equal(line.ssrc, 2);
    assert_int_equal(line.ssrc_rtx, 3);
    assert_int_equal(line.layer_count, 3);
    assert_string_equal(line.rid[0], "l");
    assert_string_equal(line.rid[2], "h");
    assert_string_equal(line.mid, "v");
    assert_int_equal(line.pt_count, 1);
    assert_int_equal(line.pts[0].codec, CODEC_VP8);
    assert_int_equal(line.pts[0].rtx_pt, 97);
    assert_int_equal(line.exts, SDP_EXT_BIT(SDP_EXT_RID));
    assert_true(negotiation_line(&pc.n, 2, &line));
    assert_true(line.kind == SDP_APPLICATION && line.layer_count == 0);
    assert_false(negotiation_line(&pc.n, 3, &line));
    struct rtp_ext_ids ids;
    negotiation_exts(&pc.n, &ids);
    assert_int_equal(ids.rid, 10);
    assert_int_equal(ids.mid, 0);
    pc_fini(&pc);
}

/* webrtc.md 1.4: rids win, unless the plugin's answer has no rid extension; then one SSRC is the stream. */
static void test_refused_simulcast_falls_back_to_one_ssrc(void **state)
{
    (void)state;
    struct pc pc;
    struct negotiated_line line;
    pc_init(&pc);
    const char *text = HEAD SECURITY VIDEO("0") "a=rid:h send\r\na=rid:l send\r\na=simulcast: send rid=h;l\r\n" RID_EXT "a=ssrc:77 cname:x\r\na=ssrc-group:FID 77 78\r\n";
    offer(&pc, text);
    answer(&pc, PLUGIN_HEAD "m=video 9 P 96\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n");
    assert_lacks(&pc.l, "a=rid:");
    assert_lacks(&pc.l, "a=simulcast");
    assert_true(negotiation_line(&pc.n, 0, &line));
    assert_false(line.by_rid);
    assert_int_equal(line.layer_count, 1);
    assert_int_equal(line.remote_ssrc[0], 77);
    assert_int_equal(line.remote_ssrc_rtx[0], 78);
    offer(&pc, text);
    answer(&pc, PLUGIN_HEAD "m=video 9 P 96\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\na=extmap:10/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n");
    assert_has(&pc.l, "a=rid:h recv\r\na=rid:l recv\r\na=simulcast: recv rid=h;l\r\n");          /* legacy in, legacy out */
    assert_true(negotiation_line(&pc.n, 0, &line));
    assert_true(line.by_rid);
    assert_int_equal(line.remote_ssrc[0], 0);
    pc_fini(&pc);
}

static void test_lowest_first_rids_keep_their_order(void **state)
{
    (void)state;
    struct pc pc;
    const struct negotiate_remote_options options = {.encrypted = true, .rid_lowest_first = true};
    struct sdp *sdp = parse_view(STR(HEAD SECURITY VIDEO("0") "a=rid:l send\r\na=rid:h send\r\na=simulcast:send l;h\r\n" RID_EXT));
    pc_init(&pc);
    assert_int_equal(negotiate_remote(&pc.n, NEGOTIATE_OFFER, sdp, &options, NULL), NEGOTIATE_OK);
    answer(&pc, PLUGIN_HEAD "m=video 9 P 96\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n" RID_EXT);
    assert_has(&pc.l, "a=rid:l recv\r\na=rid:h recv\r\na=simulcast:recv l;h\r\n");
    sdp_free(sdp);
    pc_fini(&pc);
}

static void test_ssrc_simulcast(void **state)
{
    (void)state;
    struct pc pc;
    struct negotiated_line line;
    pc_init(&pc);
    offer(&pc, HEAD SECURITY VIDEO("0") "a=ssrc-group:SIM 1 2 3\r\na=ssrc-group:FID 2 20\r\n");
    answer(&pc, PLUGIN_HEAD "m=video 9 P 96\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n");
    assert_true(negotiation_line(&pc.n, 0, &line));
    assert_int_equal(line.layer_count, 3);
    assert_false(line.by_rid);
    assert_int_equal(line.remote_ssrc[2], 3);
    assert_int_equal(line.remote_ssrc_rtx[1], 20);
    pc_fini(&pc);
}

/* webrtc.md 3.1: id or version 0 -> our clock, version 1; a missing name is ours. */
static void test_session_defaults(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    assert_true(net_ip_parse(&pc.l.address, STR("2001:db8::9")));
    pc.l.in.fingerprint = NULL;
    struct sdp *sdp = sdp_offer_new(STR(""), 5, 0);
    struct sdp_offer_line line = sdp_offer_line_of(SDP_AUDIO, SDP_SENDONLY);
    line.codec = CODEC_OPUS;
    sdp_offer_add(sdp, &line);
    sdp->session_name = STR("");
    sdp->connection = (struct sdp_connection){STR("9.9.9.9"), false};
    assert_int_equal(negotiate_local(&pc.n, NEGOTIATE_OFFER, sdp, &pc.l.in, &pc.l.rng, &pc.l.text), ERR_NONE);
    assert_text(&pc.l, "v=0\r\no=- 1700000000000000 1 IN IP6 2001:db8::9\r\ns=Cardea\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-options:trickle\r\n"
                       "a=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n"
                       "m=audio 9 RTP/AVPF 111\r\nc=IN IP6 2001:db8::9\r\na=sendonly\r\na=mid:0\r\na=rtcp-mux\r\n" ICE OPUS
                       "a=msid:janus janus0\r\na=ssrc:1 cname:janus\r\n");                   /* no encryption: no DTLS lines */
    sdp_free(sdp);
    pc_fini(&pc);
}

static void test_inactive_lines_have_no_msid(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    we_offer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\na=inactive\r\na=msid:s t\r\n" OPUS);
    assert_lacks(&pc.l, "a=msid:");
    assert_has(&pc.l, "a=ssrc:1 cname:janus\r\n");
    pc_fini(&pc);
}

/* An answer's direction stays within the offer's, whatever a plugin (or, through it, a foreign client) writes. */
static void test_an_answer_does_not_exceed_the_offer(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    offer(&pc, HEAD SECURITY "m=audio 9 P 111\r\na=recvonly\r\n" OPUS);
    answer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\na=sendrecv\r\n" OPUS);
    assert_has(&pc.l, "a=sendonly\r\n");
    pc_fini(&pc);
}

static void test_answers_have_the_lines_of_the_offer(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    assert_int_equal(we_say(&pc.n, NEGOTIATE_ANSWER, &pc.l, PLUGIN_HEAD AUDIO("0")), ERR_STATE);
    offer(&pc, HEAD SECURITY AUDIO("0") VIDEO("1") DATA("2"));
    answer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\n" OPUS);                                     /* the rest is rejected */
    assert_has(&pc.l, "a=group:BUNDLE 0\r\n");
    assert_has(&pc.l, "m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 203.0.113.9\r\na=inactive\r\na=mid:1\r\n"
                      "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 203.0.113.9\r\na=inactive\r\na=mid:2\r\n");
    const struct local_description *before = pc.n.local;
    assert_int_equal(we_say(&pc.n, NEGOTIATE_ANSWER, &pc.l, PLUGIN_HEAD VIDEO("0")), ERR_INVALID);
    assert_int_equal(we_say(&pc.n, NEGOTIATE_ANSWER, &pc.l, PLUGIN_HEAD AUDIO("0") VIDEO("1") DATA("2") AUDIO("3")), ERR_INVALID);
    assert_ptr_equal(pc.n.local, before);
    pc_fini(&pc);
}

/* What the client has rejected, and second data lines, can't be accepted by the plugin. */
static void test_rejected_offers_stay_rejected(void **state)
{
    (void)state;
    struct pc pc;
    struct negotiated_line line;
    pc_init(&pc);
    offer(&pc, HEAD SECURITY DATA("d") "m=application 9 UDP/DTLS/SCTP x\r\na=mid:e\r\nm=video 0 P 96\r\n");
    answer(&pc, PLUGIN_HEAD DATA("d") "m=application 0 UDP/DTLS/SCTP x\r\nm=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");
    assert_has(&pc.l, "m=application 0 UDP/DTLS/SCTP x\r\nc=IN IP4 203.0.113.9\r\na=inactive\r\na=mid:e\r\nm=video 0 P 0\r\n");
    assert_has(&pc.l, "a=group:BUNDLE d\r\n");
    assert_true(negotiation_line(&pc.n, 0, &line));
    assert_false(negotiation_line(&pc.n, 1, &line));
    assert_false(negotiation_line(&pc.n, 2, &line));
    pc_fini(&pc);
}

static void test_legacy_data(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    offer(&pc, HEAD SECURITY "m=application 9 DTLS/SCTP 5000\r\na=sctpmap:5000 webrtc-datachannel 256\r\n");
    answer(&pc, PLUGIN_HEAD "m=application 9 DTLS/SCTP 5000\r\n");
    assert_has(&pc.l, "m=application 9 DTLS/SCTP 5000\r\nc=IN IP4 203.0.113.9\r\na=sendrecv\r\na=mid:0\r\na=sctpmap:5000 webrtc-datachannel 16\r\na=max-message-size:262144\r\n" ICE "a=setup:active\r\n");
    pc_fini(&pc);
}

static void test_role_in_answers(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    offer(&pc, HEAD "a=setup:active\r\n" SECURITY AUDIO("0"));
    answer(&pc, PLUGIN_HEAD AUDIO("0"));
    assert_has(&pc.l, "a=setup:passive\r\n");
    offer(&pc, HEAD SECURITY AUDIO("0"));                    /* a renegotiation keeps it */
    answer(&pc, PLUGIN_HEAD AUDIO("0"));
    assert_has(&pc.l, "a=setup:passive\r\n");
    we_offer(&pc, PLUGIN_HEAD AUDIO("0"));
    assert_has(&pc.l, "a=setup:actpass\r\n");
    pc_fini(&pc);
}

/* webrtc.md 3.3. */
static void test_server_offer(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    we_offer(&pc, PLUGIN_HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendonly\r\n" OPUS
             "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendonly\r\na=mid:cam\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n"
             "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=extmap:6/recvonly urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n"
             "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
    assert_text(&pc.l, WIRE_HEAD(" 0 cam 2 3")
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 203.0.113.9\r\na=sendonly\r\na=mid:0\r\na=rtcp-mux\r\n" ICE "a=setup:actpass\r\n" OPUS
        "a=msid:janus janus0\r\na=ssrc:1 cname:janus\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 203.0.113.9\r\na=sendonly\r\na=mid:cam\r\na=rtcp-mux\r\n" ICE "a=setup:actpass\r\n"
        "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        "a=ssrc-group:FID 2 3\r\na=msid:janus januscam\r\na=ssrc:2 cname:janus\r\na=ssrc:3 cname:janus\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 203.0.113.9\r\na=recvonly\r\na=mid:2\r\na=rtcp-mux\r\n" ICE "a=setup:actpass\r\n"
        "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=msid:janus janus2\r\na=ssrc:4 cname:janus\r\n"
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 203.0.113.9\r\na=sendrecv\r\na=mid:3\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n" ICE "a=setup:actpass\r\n");
    assert_string_equal(pc.n.first_mid, "0");
    assert_int_equal(pc.n.local->ext_ids[SDP_EXT_RID], 0);

    assert_int_equal(remote_says(&pc.n, NEGOTIATE_ANSWER,
        HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\n" SECURITY "a=setup:active\r\n" OPUS
             "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:cam\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
             "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\nm=video 0 UDP/TLS/RTP/SAVPF 0\r\n"), NEGOTIATE_OK);
    assert_true(pc.n.has_role);
    assert_int_equal(pc.n.role, DTLS_ROLE_CLIENT);            /* the first a=setup: SECURITY's actpass */
    struct negotiated_line line;
    assert_true(negotiation_line(&pc.n, 1, &line));
    assert_true(line.send && !line.recv && line.rtx && line.nack);
    assert_int_equal(line.pts[0].rtx_pt, 97);
    assert_int_equal(line.exts, SDP_EXT_BIT(SDP_EXT_MID));
    assert_false(negotiation_line(&pc.n, 2, &line));
    assert_false(negotiation_line(&pc.n, 3, &line));          /* left out of the answer */
    struct rtp_ext_ids ids;
    negotiation_exts(&pc.n, &ids);
    assert_int_equal(ids.mid, 4);
    pc_fini(&pc);
}

static void assert_rtx_pts(const char *pts, const char *expected)
{
    struct pc pc;
    char text[1024], line[1024];
    pc_init(&pc);
    snprintf(text, sizeof(text), "%sm=video 9 P %s\r\n", PLUGIN_HEAD, pts);
    we_offer(&pc, text);
    snprintf(line, sizeof(line), "m=video 9 UDP/TLS/RTP/SAVPF %s%s\r\n", pts, expected);
    assert_has(&pc.l, line);
    pc_fini(&pc);
}

/* webrtc.md 3.3: p + 1, from 127 back to 96, past what is in use; and (ours) past the fixed numbers of other codecs. */
static void test_rtx_payload_types(void **state)
{
    (void)state;
    assert_rtx_pts("96", " 97");
    assert_rtx_pts("96 97", " 99 102");                       /* 98 is AV1's, 100 H.265's, 101 VP9's */
    assert_rtx_pts("100", " 102");
    assert_rtx_pts("127", " 97");
    assert_rtx_pts("125", " 127");                            /* 126 is DTMF's */
    assert_rtx_pts("34", " 97");                              /* below the dynamic ones; never 64 to 95 (RFC 5761 4) */
    assert_rtx_pts("63", " 97");
    /* When all others are gone the codecs' own are taken, and when those are, none. */
    assert_rtx_pts("97 99 102 108 109 110 112 113 114 115 116 117 118 119 121 122 123 124 125 127", " 98 100 103 111 120 126 96 101 104 105 106 107");
}

/* A media PT that an earlier offer gave to rtx is taken out; a line without any left is rejected. */
static void test_rtx_conflicts(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    we_offer(&pc, PLUGIN_HEAD "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");
    we_offer(&pc, PLUGIN_HEAD "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n"
                  "m=video 9 P 97 110\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 x=1\r\na=rtcp-fb:97 nack\r\na=rtpmap:110 H264/90000\r\n"
                  "m=video 9 P 97\r\na=rtpmap:97 H264/90000\r\n");
    assert_has(&pc.l, "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n");
    assert_has(&pc.l, "m=video 9 UDP/TLS/RTP/SAVPF 110 112\r\n");
    assert_has(&pc.l, "m=video 0 UDP/TLS/RTP/SAVPF 0\r\n");
    assert_has(&pc.l, "a=group:BUNDLE 0 1\r\n");
    assert_lacks(&pc.l, "a=rtpmap:97 H264");
    assert_lacks(&pc.l, "a=fmtp:97 x=1");
    assert_lacks(&pc.l, "a=rtcp-fb:97");
    pc_fini(&pc);
}

/* An answer without apt turns rtx off; one that had nothing to say about it does not. */
static void test_rtx_is_declined(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    we_offer(&pc, PLUGIN_HEAD AUDIO("0"));
    assert_int_equal(remote_says(&pc.n, NEGOTIATE_ANSWER, HEAD SECURITY AUDIO("0")), NEGOTIATE_OK);
    we_offer(&pc, PLUGIN_HEAD AUDIO("0") "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");
    assert_has(&pc.l, "apt=96");
    assert_int_equal(remote_says(&pc.n, NEGOTIATE_ANSWER, HEAD SECURITY AUDIO("0") "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n"), NEGOTIATE_OK);
    struct negotiated_line line;
    assert_true(negotiation_line(&pc.n, 1, &line));
    assert_false(line.rtx);
    assert_int_equal(line.pts[0].rtx_pt, 0);
    we_offer(&pc, PLUGIN_HEAD AUDIO("0") "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");
    assert_lacks(&pc.l, "apt=");
    assert_lacks(&pc.l, "FID");
    pc_fini(&pc);
    pc_init(&pc);
    offer(&pc, HEAD SECURITY "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\na=sendrecv\r\n");
    answer(&pc, PLUGIN_HEAD "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");
    assert_lacks(&pc.l, "apt=");
    assert_lacks(&pc.l, "FID");
    pc_fini(&pc);
}

/* Audio has no rtx here, even if a client maps one. */
static void test_rtx_is_for_video(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    offer(&pc, HEAD SECURITY "m=audio 9 P 111 112\r\n" OPUS "a=rtpmap:112 rtx/48000\r\na=fmtp:112 apt=111\r\n");
    answer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\n" OPUS);
    assert_lacks(&pc.l, "apt=");
    pc_fini(&pc);
}

/* SSRCs and mids stay for the PeerConnection; lines are only added. */
static void test_renegotiation_keeps_what_was(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    we_offer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\na=mid:a\r\n" OPUS "m=video 9 P 96\r\na=mid:v\r\na=sendonly\r\na=rtpmap:96 VP8/90000\r\n");
    assert_int_equal(remote_says(&pc.n, NEGOTIATE_ANSWER, HEAD SECURITY AUDIO("a") VIDEO("v")), NEGOTIATE_OK);
    we_offer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\na=mid:other\r\na=inactive\r\n" OPUS "m=video 0 P 0\r\nm=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");
    assert_has(&pc.l, "a=group:BUNDLE a 2\r\n");
    assert_has(&pc.l, "a=inactive\r\na=mid:a\r\n");
    assert_has(&pc.l, "a=ssrc:1 cname");
    assert_has(&pc.l, "a=inactive\r\na=mid:v\r\n");
    assert_has(&pc.l, "a=ssrc-group:FID 4 5\r\n");
    we_offer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\n" OPUS "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");        /* fewer: padded */
    assert_has(&pc.l, "a=ssrc-group:FID 2 3\r\n");                                                             /* v is back, as it was */
    assert_has(&pc.l, "m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 203.0.113.9\r\na=inactive\r\na=mid:2\r\n");
    assert_int_equal(we_say(&pc.n, NEGOTIATE_OFFER, &pc.l, PLUGIN_HEAD VIDEO("a") VIDEO("v")), ERR_INVALID);    /* another kind */
    pc_fini(&pc);
}

/* RFC 8829 5.2.2: a line that was rejected comes back as something else, with a new mid and a new SSRC. */
static void test_a_rejected_line_is_reused(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    offer(&pc, HEAD SECURITY AUDIO("0") AUDIO("1"));
    answer(&pc, PLUGIN_HEAD AUDIO("0") AUDIO("1"));
    assert_has(&pc.l, "a=ssrc:2 cname");
    assert_int_equal(remote_says(&pc.n, NEGOTIATE_OFFER, HEAD SECURITY AUDIO("0") VIDEO("1")), NEGOTIATE_UNUSABLE);      /* not while it is in use */
    offer(&pc, HEAD SECURITY AUDIO("0") AUDIO("9"));
    assert_string_equal(pc.n.remote->mlines[1].mid, "1");                                                              /* a mid is fixed */
    offer(&pc, HEAD SECURITY AUDIO("0") "m=audio 0 P 111\r\na=mid:1\r\n");
    answer(&pc, PLUGIN_HEAD AUDIO("0") "m=audio 0 P 0\r\n");
    offer(&pc, HEAD SECURITY AUDIO("0") VIDEO("2"));
    answer(&pc, PLUGIN_HEAD AUDIO("0") "m=video 9 P 96\r\na=rtpmap:96 VP8/90000\r\n");
    assert_has(&pc.l, "a=group:BUNDLE 0 2\r\n");
    assert_has(&pc.l, "a=ssrc-group:FID 3 4\r\n");
    assert_lacks(&pc.l, "a=ssrc:2 cname");
    pc_fini(&pc);
}

static void test_a_stopped_first_line_of_real_browsers(void **state)
{
    (void)state;
    static const char *const names[] = {"chromium-offer", "firefox-offer"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct pc pc;
        char file[64];
        pc_init(&pc);
        snprintf(file, sizeof(file), "%s-simulcast.sdp", names[i]);
        assert_int_equal(remote_says_view(&pc.n, NEGOTIATE_OFFER, sdp_file(file), NULL), NEGOTIATE_OK);
        answer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\n" OPUS "m=video 9 P 96 120\r\na=rtpmap:96 VP8/90000\r\n");
        assert_has(&pc.l, "a=group:BUNDLE 0 1\r\n");
        snprintf(file, sizeof(file), "%s-stopped.sdp", names[i]);
        assert_int_equal(remote_says_view(&pc.n, NEGOTIATE_OFFER, sdp_file(file), NULL), NEGOTIATE_OK);
        answer(&pc, PLUGIN_HEAD "m=audio 0 P 0\r\nm=video 9 P 96 120\r\na=rtpmap:96 VP8/90000\r\n");
        assert_has(&pc.l, "a=group:BUNDLE 1\r\n");
        assert_has(&pc.l, "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 203.0.113.9\r\na=inactive\r\na=mid:0\r\n");
        pc_fini(&pc);
    }
}

/* A plugin's mid that can't be one is as if it had none (streaming.md: uniqueness is not enforced). */
static void test_bad_mids_of_plugins(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    we_offer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\na=mid:v\r\n" OPUS "m=audio 9 P 111\r\na=mid:v\r\n" OPUS "m=audio 9 P 111\r\na=mid:two words\r\n" OPUS
                              "m=audio 9 P 111\r\na=mid:12345678901234567\r\n" OPUS "m=audio 9 P 111\r\na=mid\r\n" OPUS);
    assert_has(&pc.l, "a=group:BUNDLE v 1 2 3 4\r\n");
    assert_int_equal(we_say(&pc.n, NEGOTIATE_OFFER, &pc.l, PLUGIN_HEAD AUDIO("v") AUDIO("1") AUDIO("2") AUDIO("3") AUDIO("4")
                     "m=audio 9 P 111\r\na=mid:6\r\n" OPUS "m=audio 9 P 111\r\n" OPUS), ERR_INVALID);      /* the index is taken, too */
    pc_fini(&pc);
}

static void test_malformed_msids_of_plugins(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    we_offer(&pc, PLUGIN_HEAD "m=audio 9 P 111\r\na=msid:one\r\n" OPUS "m=audio 9 P 111\r\na=msid\r\n" OPUS);
    assert_has(&pc.l, "a=msid:janus janus0\r\n");
    assert_has(&pc.l, "a=msid:janus janus1\r\n");
    pc_fini(&pc);
}

/* 128 lines with candidates on each fit; a buffer that is too small is an error, and the state stays. */
static void test_large_offer_and_small_buffer(void **state)
{
    (void)state;
    struct pc pc;
    pc_init(&pc);
    pc.l.in.half_trickle = true;
    pc.l.in.candidates = pc.l.candidates;
    pc.l.in.candidate_count = 2;
    struct sdp *sdp = sdp_offer_new(STR("x"), 1, 1);
    struct sdp_offer_line line = sdp_offer_line_of(SDP_VIDEO, SDP_SENDONLY);
    line.codec = CODEC_VP8;
    while (sdp->mline_count < SDP_MLINES_MAX)
        sdp_offer_add(sdp, &line);
    struct buf small;
    buf_init(&small, 10000);
    assert_int_equal(negotiate_local(&pc.n, NEGOTIATE_OFFER, sdp, &pc.l.in, &pc.l.rng, &small), ERR_FULL);
    buf_fini(&small);
    assert_null(pc.n.local);
    assert_int_equal(negotiate_local(&pc.n, NEGOTIATE_OFFER, sdp, &pc.l.in, &pc.l.rng, &pc.l.text), ERR_NONE);
    assert_has(&pc.l, "a=mid:127\r\n");
    sdp_free(parse_view(buf_view(&pc.l.text)));              /* and it is well-formed */
    sdp_free(sdp);
    pc_fini(&pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_answer_of_the_specification, is_empty),
        cmocka_unit_test_teardown(test_answer_with_everything, is_empty),
        cmocka_unit_test_teardown(test_refused_simulcast_falls_back_to_one_ssrc, is_empty),
        cmocka_unit_test_teardown(test_lowest_first_rids_keep_their_order, is_empty),
        cmocka_unit_test_teardown(test_ssrc_simulcast, is_empty),
        cmocka_unit_test_teardown(test_session_defaults, is_empty),
        cmocka_unit_test_teardown(test_inactive_lines_have_no_msid, is_empty),
        cmocka_unit_test_teardown(test_an_answer_does_not_exceed_the_offer, is_empty),
        cmocka_unit_test_teardown(test_answers_have_the_lines_of_the_offer, is_empty),
        cmocka_unit_test_teardown(test_rejected_offers_stay_rejected, is_empty),
        cmocka_unit_test_teardown(test_legacy_data, is_empty),
        cmocka_unit_test_teardown(test_role_in_answers, is_empty),
        cmocka_unit_test_teardown(test_server_offer, is_empty),
        cmocka_unit_test_teardown(test_rtx_payload_types, is_empty),
        cmocka_unit_test_teardown(test_rtx_conflicts, is_empty),
        cmocka_unit_test_teardown(test_rtx_is_declined, is_empty),
        cmocka_unit_test_teardown(test_rtx_is_for_video, is_empty),
        cmocka_unit_test_teardown(test_renegotiation_keeps_what_was, is_empty),
        cmocka_unit_test_teardown(test_a_rejected_line_is_reused, is_empty),
        cmocka_unit_test_teardown(test_a_stopped_first_line_of_real_browsers, is_empty),
        cmocka_unit_test_teardown(test_bad_mids_of_plugins, is_empty),
        cmocka_unit_test_teardown(test_malformed_msids_of_plugins, is_empty),
        cmocka_unit_test_teardown(test_large_offer_and_small_buffer, is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
