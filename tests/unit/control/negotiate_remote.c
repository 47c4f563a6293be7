#include "negotiate_help.h"

#include "proto/sdp/sdp_files.h"

static void assert_result(const char *text, enum negotiate_result expected)
{
    struct negotiation n;
    negotiation_init(&n);
    const enum negotiate_result result = remote_says(&n, NEGOTIATE_OFFER, text);
    if (result != expected)
        fail_msg("%d instead of %d for:\n%s", result, expected, text);
    assert_true((n.remote != NULL) == (expected == NEGOTIATE_OK));     /* a refused offer leaves nothing behind */
    negotiation_fini(&n);
}

static void test_chromium_offer(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, sdp_file("chromium-offer-av-data.sdp"), NULL), NEGOTIATE_OK);
    const struct remote_description *r = n.remote;
    assert_string_equal(r->ufrag, "gpJ0");
    assert_string_equal(r->pwd, "IBN7ouvRswWRyyCplT/McDxv");
    assert_int_equal(r->fingerprint.hash, DTLS_HASH_SHA256);
    assert_int_equal(r->fingerprint.bytes[0], 0xB2);
    assert_int_equal(r->fingerprint.bytes[31], 0x97);
    assert_string_equal(r->first_mid, "0");
    assert_string_equal(r->rtp_proto, "UDP/TLS/RTP/SAVPF");
    assert_true(n.has_role && n.role == DTLS_ROLE_CLIENT);
    assert_int_equal(r->candidate_count, 2);
    assert_string_equal(r->candidates[0].name, "ef20d897-6b42-4f3c-bc10-c7362e68a801.local");
    assert_false(r->end_of_candidates);
    assert_int_equal(r->ext_ids[SDP_EXT_TRANSPORT_CC], 3);
    assert_int_equal(r->ext_ids[SDP_EXT_RID], 10);
    assert_int_equal(r->ext_ids[SDP_EXT_DEPENDENCY_DESCRIPTOR], 0);
    assert_true(r->has_rtx && n.rtx);
    assert_int_equal(r->rtx_of[96], 97);
    assert_int_equal(r->rtx_of[39], 40);
    assert_int_equal(r->rtx_of[111], 0);
    assert_int_equal(r->mline_count, 3);

    const struct remote_mline *audio = &r->mlines[0];
    assert_int_equal(audio->kind, SDP_AUDIO);
    assert_int_equal(audio->direction, SDP_SENDRECV);
    assert_false(audio->nack);
    assert_int_equal(audio->ssrc[0], 1461358520);
    assert_int_equal(audio->ssrc_count, 1);
    assert_int_equal(audio->red_pt, 63);
    assert_string_equal(audio->msid_stream, "cae315d6-f800-4c9d-8fa5-0b1cf8247dd6");
    assert_string_equal(audio->msid_track, "a48ce50f-f2af-4c94-b83f-af815bc42dd4");
    assert_int_equal(audio->pts[0].pt, 111);
    assert_int_equal(audio->pts[0].codec, CODEC_OPUS);
    assert_int_equal(audio->pts[0].clock_hz, 48000);
    assert_int_equal(audio->pts[5].pt, 13);
    assert_int_equal(audio->pts[5].codec, CODEC_NONE);
    assert_int_equal(audio->pts[5].clock_hz, 8000);

    const struct remote_mline *video = &r->mlines[1];
    assert_true(video->nack);
    assert_int_equal(video->ssrc[0], 3265073393);
    assert_int_equal(video->ssrc_rtx[0], 4033294468);
    assert_int_equal(video->rid_count, 0);
    assert_int_equal(video->pt_count, 10);                   /* VP8, 6 H.264, AV1, 2 VP9 */
    assert_int_equal(video->pts[0].rtx_pt, 97);
    assert_true((video->exts & SDP_EXT_BIT(SDP_EXT_PLAYOUT_DELAY)) != 0);
    assert_true((audio->exts & SDP_EXT_BIT(SDP_EXT_PLAYOUT_DELAY)) == 0);

    const struct remote_mline *data = &r->mlines[2];
    assert_int_equal(data->kind, SDP_APPLICATION);
    assert_false(data->disabled);
    assert_int_equal(data->sctp_port, 5000);
    assert_int_equal(data->max_message_bytes, 262144);
    negotiation_fini(&n);
}

/* Firefox: bundle-only with port 0, extensions with a direction, rids and SSRCs together, session fingerprint, TCP
 * candidates, component 2. */
static void test_firefox_simulcast_offer(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, sdp_file("firefox-offer-simulcast.sdp"), NULL), NEGOTIATE_OK);
    const struct remote_description *r = n.remote;
    assert_int_equal(r->candidate_count, 4);
    assert_true(r->candidates[2].candidate.tcp);
    assert_true(r->end_of_candidates);
    assert_int_equal(r->fingerprint.bytes[0], 0xBE);
    assert_int_equal(r->ext_ids[SDP_EXT_RID], 9);
    const struct remote_mline *video = &r->mlines[1];
    assert_false(video->disabled);
    assert_int_equal(video->rid_count, 3);
    assert_true(video->simulcast && !video->simulcast_legacy);
    assert_string_equal(video->rid[0], "l");
    assert_string_equal(video->rid[2], "h");
    assert_int_equal(video->ssrc_count, 1);
    assert_int_equal(video->ssrc[0], 2772441074);            /* the fallback for a plugin that refuses simulcast */
    assert_int_equal(video->ssrc_rtx[0], 1295449320);
    assert_int_equal(video->ssrc[1], 0);
    negotiation_fini(&n);
}

static void test_every_browser_description_is_usable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(browser_files); i++) {
        struct negotiation n;
        negotiation_init(&n);
        if (strstr(browser_files[i], "answer") == NULL)
            assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, sdp_file(browser_files[i]), NULL), NEGOTIATE_OK);
        negotiation_fini(&n);
    }
}

/* webrtc.md 1.2 and what browsers do to a stopped first line: both keep working, the transport moves to the next line. */
static void test_a_stopped_first_line_is_really_rejected(void **state)
{
    (void)state;
    static const char *const names[] = {"chromium-offer", "firefox-offer"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct negotiation n;
        struct negotiate_changes changes;
        char file[64];
        negotiation_init(&n);
        snprintf(file, sizeof(file), "%s-simulcast.sdp", names[i]);
        assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, sdp_file(file), NULL), NEGOTIATE_OK);
        snprintf(file, sizeof(file), "%s-stopped.sdp", names[i]);
        assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, sdp_file(file), &changes), NEGOTIATE_OK);
        assert_true(n.remote->mlines[0].disabled);
        assert_false(n.remote->mlines[1].disabled);
        assert_string_equal(n.first_mid, "1");
        assert_false(changes.ice_restart);
        negotiation_fini(&n);
    }
}

static void test_first_line_and_bundle_only_lines_are_enabled(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD "m=audio 0 P 111\r\na=mid:0\r\n" SECURITY
                                                      "m=video 0 P 96\r\na=bundle-only\r\nm=video 0 P 96\r\n"), NEGOTIATE_OK);
    assert_false(n.remote->mlines[0].disabled);
    assert_false(n.remote->mlines[1].disabled);
    assert_true(n.remote->mlines[2].disabled);
    assert_int_equal(n.remote->mlines[2].direction, SDP_INACTIVE);
    negotiation_fini(&n);
}

/* webrtc.md 1.2: DTLS role from the first a=setup, session level first; fixed afterwards. */
static void test_role(void **state)
{
    (void)state;
    static const struct {
        const char *session;
        const char *media;
        enum dtls_role role;
    } cases[] = {
        {"", "a=setup:actpass\r\n", DTLS_ROLE_CLIENT},
        {"", "a=setup:passive\r\n", DTLS_ROLE_CLIENT},
        {"", "a=setup:active\r\n", DTLS_ROLE_SERVER},
        {"a=setup:active\r\n", "a=setup:passive\r\n", DTLS_ROLE_SERVER},
        {"a=setup:actpass\r\n", "a=setup:active\r\n", DTLS_ROLE_CLIENT},
        {"", "", DTLS_ROLE_CLIENT},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct negotiation n;
        char text[1024];
        negotiation_init(&n);
        snprintf(text, sizeof(text), "%sa=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 %s\r\n%s%s%s", HEAD, FINGERPRINT, cases[i].session,
                 AUDIO("0"), cases[i].media);
        assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, text), NEGOTIATE_OK);
        assert_true(n.has_role);
        assert_int_equal(n.role, cases[i].role);
        assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD AUDIO("0") "a=setup:active\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 " FINGERPRINT "\r\n"), NEGOTIATE_OK);
        assert_int_equal(n.role, cases[i].role);
        negotiation_fini(&n);
    }
}

/* webrtc.md 1.3: session level, overridden by the first line; needed there; not looked for elsewhere. */
static void test_transport_data_is_mandatory_on_the_first_line(void **state)
{
    (void)state;
    assert_result(HEAD SECURITY AUDIO("0"), NEGOTIATE_OK);
    assert_result(HEAD AUDIO("0") SECURITY, NEGOTIATE_OK);
    assert_result(HEAD "a=ice-pwd:p\r\na=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13\r\n" AUDIO("0") "a=ice-ufrag:u\r\n", NEGOTIATE_OK);
    assert_result(HEAD AUDIO("0"), NEGOTIATE_UNUSABLE);
    assert_result(HEAD AUDIO("0") VIDEO("1") SECURITY, NEGOTIATE_UNUSABLE);
    assert_result(HEAD AUDIO("0") "a=ice-ufrag:u\r\na=ice-pwd:p\r\n", NEGOTIATE_UNUSABLE);
    assert_result(HEAD AUDIO("0") "a=ice-ufrag:u\r\na=fingerprint:sha-256 " FINGERPRINT "\r\n", NEGOTIATE_UNUSABLE);
    assert_result(HEAD AUDIO("0") "a=ice-pwd:p\r\na=fingerprint:sha-256 " FINGERPRINT "\r\n", NEGOTIATE_UNUSABLE);
    assert_result(HEAD AUDIO("0") "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:md5 " FINGERPRINT "\r\n", NEGOTIATE_UNUSABLE);
    assert_result(HEAD AUDIO("0") "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 3A:00\r\n", NEGOTIATE_UNUSABLE);
    assert_result(HEAD AUDIO("0") "a=ice-ufrag:u u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 " FINGERPRINT "\r\n", NEGOTIATE_UNUSABLE);
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD SECURITY AUDIO("0") "a=ice-ufrag:mine\r\na=fingerprint:sha-1 00\r\n" VIDEO("1") "a=ice-ufrag:other\r\n"), NEGOTIATE_OK);
    assert_string_equal(n.remote->ufrag, "mine");
    assert_string_equal(n.remote->pwd, "clientclientclientclient");
    assert_int_equal(n.remote->fingerprint.hash, DTLS_HASH_SHA256);
    negotiation_fini(&n);
}

static void test_no_fingerprint_is_needed_without_encryption(void **state)
{
    (void)state;
    struct negotiation n;
    const struct negotiate_remote_options options = {.encrypted = false};
    struct sdp *sdp = parse_view(STR(HEAD AUDIO("0") "a=ice-ufrag:u\r\na=ice-pwd:p\r\n"));
    negotiation_init(&n);
    assert_int_equal(negotiate_remote(&n, NEGOTIATE_OFFER, sdp, &options, NULL), NEGOTIATE_OK);
    assert_false(n.has_role);
    negotiation_fini(&n);
    sdp_free(sdp);
}

/* webrtc.md 1.1, last row. */
static void test_bad_mids(void **state)
{
    (void)state;
    assert_result(HEAD SECURITY AUDIO("1234567890123456"), NEGOTIATE_OK);
    assert_result(HEAD SECURITY AUDIO("12345678901234567"), NEGOTIATE_BAD_MID);
    assert_result(HEAD SECURITY AUDIO("0") VIDEO("12345678901234567"), NEGOTIATE_BAD_MID);
    assert_result(HEAD SECURITY AUDIO("0") "m=video 0 P 96\r\na=mid:12345678901234567\r\n", NEGOTIATE_OK);
    assert_result(HEAD SECURITY AUDIO("0") DATA("12345678901234567"), NEGOTIATE_OK);
    assert_result(HEAD SECURITY AUDIO("0") DATA("123456789012345678901234567890123"), NEGOTIATE_BAD_MID);
    assert_result(HEAD SECURITY AUDIO("0") "a=mid\r\n", NEGOTIATE_BAD_MID);
    assert_result(HEAD SECURITY AUDIO("0") VIDEO("1") "a=setup\r\n", NEGOTIATE_BAD_MID);
    assert_result(HEAD SECURITY "a=setup\r\n" AUDIO("0"), NEGOTIATE_BAD_MID);
    assert_result(HEAD SECURITY AUDIO("a b"), NEGOTIATE_UNUSABLE);
    assert_result(HEAD SECURITY AUDIO("0") VIDEO("0"), NEGOTIATE_UNUSABLE);              /* RFC 5888: unique */
}

static void test_a_missing_mid_is_the_index(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD SECURITY "m=audio 9 P 0\r\nm=video 9 P 96\r\n"), NEGOTIATE_OK);
    assert_string_equal(n.remote->mlines[1].mid, "1");
    assert_false(n.remote->mlines[1].has_mid);
    assert_string_equal(n.first_mid, "0");
    negotiation_fini(&n);
}

static void test_msid_needs_two_tokens(void **state)
{
    (void)state;
    struct negotiation n;
    char text[2048], token[101];
    assert_result(HEAD SECURITY AUDIO("0") "a=msid:stream\r\n", NEGOTIATE_UNUSABLE);
    assert_result(HEAD SECURITY AUDIO("0") "a=msid\r\n", NEGOTIATE_UNUSABLE);
    assert_result(HEAD SECURITY AUDIO("0") "a=msid:stream track more\r\n", NEGOTIATE_OK);
    memset(token, 's', 100);
    token[100] = '\0';
    snprintf(text, sizeof(text), "%sa=msid:%s %s\r\n", HEAD SECURITY AUDIO("0"), token, token);
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, text), NEGOTIATE_OK);
    assert_int_equal(strlen(n.remote->mlines[0].msid_track), 64);
    negotiation_fini(&n);
    memcpy(token + 63, "\xc3\xa9", 2);                       /* no half a character: it goes into JSON */
    snprintf(text, sizeof(text), "%sa=msid:%s %s\r\n", HEAD SECURITY AUDIO("0"), token, token);
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, text), NEGOTIATE_OK);
    assert_int_equal(strlen(n.remote->mlines[0].msid_track), 63);
    negotiation_fini(&n);
}

static const struct remote_mline *video_of(struct negotiation *n, const char *attributes, bool lowest_first)
{
    char text[4096];
    const struct negotiate_remote_options options = {.encrypted = true, .rid_lowest_first = lowest_first};
    snprintf(text, sizeof(text), "%s%s", HEAD SECURITY VIDEO("0"), attributes);
    struct sdp *sdp = parse_view(str_of(text));
    negotiation_init(n);
    assert_int_equal(negotiate_remote(n, NEGOTIATE_OFFER, sdp, &options, NULL), NEGOTIATE_OK);
    sdp_free(sdp);
    return &n->remote->mlines[0];
}

static void assert_rids(const char *attributes, bool lowest_first, const char *low, const char *mid, const char *high)
{
    struct negotiation n;
    const struct remote_mline *video = video_of(&n, attributes, lowest_first);
    assert_string_equal(video->rid[0], low);
    assert_string_equal(video->rid[1], mid);
    assert_string_equal(video->rid[2], high);
    assert_int_equal(video->rid_count, (low[0] != '\0') + (mid[0] != '\0') + (high[0] != '\0'));
    negotiation_fini(&n);
}

/* webrtc.md 1.4: index 0 is the lowest; 2 rids are 0 and 1; rid_order says how they are listed. */
static void test_rid_order(void **state)
{
    (void)state;
    const char *three = "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l\r\n";
    assert_rids(three, false, "l", "m", "h");
    assert_rids(three, true, "h", "m", "l");
    assert_rids("a=rid:h send\r\na=rid:l send\r\n", false, "l", "h", "");
    assert_rids("a=rid:only send\r\n", false, "only", "", "");
    assert_rids("a=rid:a send\r\na=rid:b send\r\na=rid:c send\r\na=rid:d send\r\n", true, "a", "b", "c");
    assert_rids("a=rid:a recv\r\na=rid\r\na=rid:b\r\na=rid:1234567890123456 send\r\na=rid:a;b send\r\na=rid:x send max-width=1280\r\na=rid:x send\r\n", false, "x", "", "");
}

static void test_simulcast_syntax(void **state)
{
    (void)state;
    struct negotiation n;
    const char *rids = "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\n";
    char text[512];
    snprintf(text, sizeof(text), "%sa=simulcast:recv x send h;~m;~l,l2\r\n", rids);
    const struct remote_mline *video = video_of(&n, text, false);
    assert_true(video->simulcast && !video->simulcast_legacy);
    assert_true(video->rid_paused[0] && video->rid_paused[1] && !video->rid_paused[2]);
    negotiation_fini(&n);
    snprintf(text, sizeof(text), "%sa=simulcast: send rid=h;m;l\r\n", rids);
    video = video_of(&n, text, false);
    assert_true(video->simulcast && video->simulcast_legacy);
    negotiation_fini(&n);
    snprintf(text, sizeof(text), "%sa=simulcast:recv h;m;l\r\n", rids);
    video = video_of(&n, text, false);
    assert_false(video->simulcast);
    assert_int_equal(video->rid_count, 3);
    negotiation_fini(&n);
    video = video_of(&n, "a=simulcast:send h;m;l\r\n", false);
    assert_false(video->simulcast);
    negotiation_fini(&n);
}

static void test_ssrc_groups(void **state)
{
    (void)state;
    struct negotiation n;
    const struct remote_mline *video = video_of(&n, "a=ssrc:1 cname:x\r\na=ssrc-group:FID 3 30\r\na=ssrc-group:SIM 1 2 3 4\r\na=ssrc-group:FID 1 10\r\na=ssrc-group:FID 2 20\r\n", false);
    assert_int_equal(video->ssrc_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(video->ssrc[i], i + 1);
        assert_int_equal(video->ssrc_rtx[i], 10 * (i + 1));
    }
    negotiation_fini(&n);
    video = video_of(&n, "a=ssrc-group:FID 7 8\r\na=ssrc:9 cname:x\r\n", false);
    assert_int_equal(video->ssrc[0], 7);
    assert_int_equal(video->ssrc_rtx[0], 8);
    assert_int_equal(video->ssrc_count, 1);
    negotiation_fini(&n);
    video = video_of(&n, "a=ssrc:0 cname:x\r\na=ssrc:x\r\na=ssrc:4294967296 a:b\r\na=ssrc:9 cname:x\r\na=ssrc:10 cname:x\r\na=ssrc-group:SIM 5 5 6\r\na=ssrc-group\r\na=ssrc-group:SIM\r\n", false);
    assert_int_equal(video->ssrc_count, 1);
    assert_int_equal(video->ssrc[0], 5);                     /* a SIM group that repeats itself ends there */
    negotiation_fini(&n);
    video = video_of(&n, "", false);
    assert_int_equal(video->ssrc_count, 0);
    assert_true(video->nack);
    negotiation_fini(&n);
}

static void test_one_id_space_for_extensions(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER,
        HEAD SECURITY AUDIO("0") "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        VIDEO("1") "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:6/recvonly urn:3gpp:video-orientation\r\na=extmap:300 urn:ietf:params:rtp-hdrext:toffset\r\n"), NEGOTIATE_OK);
    assert_int_equal(n.remote->ext_ids[SDP_EXT_MID], 4);
    assert_int_equal(n.remote->ext_ids[SDP_EXT_VIDEO_ORIENTATION], 6);
    assert_int_equal(n.remote->ext_ids[SDP_EXT_TOFFSET], 0);
    assert_int_equal(n.remote->mlines[0].exts, SDP_EXT_BIT(SDP_EXT_MID));
    assert_int_equal(n.remote->mlines[1].exts, SDP_EXT_BIT(SDP_EXT_VIDEO_ORIENTATION));
    negotiation_fini(&n);
}

static void test_data_lines(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER,
        HEAD SECURITY "m=application 9 DTLS/SCTP 5001\r\na=sctpmap:5001 webrtc-datachannel 1024\r\n" DATA("b") "m=application 9 TCP/DTLS/SCTP x\r\n"), NEGOTIATE_OK);
    assert_false(n.remote->mlines[0].disabled);
    assert_int_equal(n.remote->mlines[0].sctp_port, 5001);
    assert_int_equal(n.remote->mlines[0].max_message_bytes, 65536);
    assert_true(n.remote->mlines[1].disabled);                /* webrtc.md 2: the second one is forced to 0 */
    assert_true(n.remote->mlines[2].disabled);
    assert_string_equal(n.remote->rtp_proto, "");
    negotiation_fini(&n);
}

static void test_restart_and_fingerprint_changes(void **state)
{
    (void)state;
    struct negotiation n;
    struct negotiate_changes changes;
    negotiation_init(&n);
    const char *same = HEAD SECURITY AUDIO("0");
    assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, str_of(same), &changes), NEGOTIATE_OK);
    assert_false(changes.ice_restart || changes.fingerprint);
    assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, str_of(same), &changes), NEGOTIATE_OK);
    assert_false(changes.ice_restart || changes.fingerprint);
    assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, STR(HEAD SECURITY AUDIO("0") "a=ice-pwd:new\r\n"), &changes), NEGOTIATE_OK);
    assert_true(changes.ice_restart && !changes.fingerprint);
    assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, STR(HEAD SECURITY AUDIO("0") "a=ice-pwd:new\r\na=ice-ufrag:new\r\na=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13\r\n"),
                                      &changes), NEGOTIATE_OK);
    assert_true(changes.ice_restart && changes.fingerprint);
    negotiation_fini(&n);
}

static void test_lines_never_go_and_failure_changes_nothing(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD SECURITY AUDIO("0") VIDEO("1")), NEGOTIATE_OK);
    const struct remote_description *before = n.remote;
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD SECURITY AUDIO("0")), NEGOTIATE_UNUSABLE);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD AUDIO("0") VIDEO("1")), NEGOTIATE_UNUSABLE);
    assert_int_equal(remote_says(&n, NEGOTIATE_ANSWER, HEAD SECURITY AUDIO("0") VIDEO("1")), NEGOTIATE_UNUSABLE);      /* to what? */
    assert_ptr_equal(n.remote, before);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD SECURITY AUDIO("0") VIDEO("1") DATA("2")), NEGOTIATE_OK);
    negotiation_fini(&n);
}

static void test_candidates_are_bounded(void **state)
{
    (void)state;
    struct negotiation n;
    struct buf text;
    buf_init(&text, 1u << 20);
    buf_add_text(&text, HEAD SECURITY AUDIO("0"));
    for (int i = 0; i < 5000; i++)
        buf_addf(&text, "a=candidate:%d 1 udp 1 192.0.2.1 %d typ host\r\na=candidate:%d 2 udp 1 192.0.2.1 7 typ host\r\na=candidate:bad\r\n", i, i + 1, i);
    buf_add_text(&text, "a=end-of-candidates\r\n" VIDEO("1") "a=candidate:9 1 udp 1 192.0.2.1 7 typ host\r\n");
    negotiation_init(&n);
    assert_int_equal(remote_says_view(&n, NEGOTIATE_OFFER, buf_view(&text), NULL), NEGOTIATE_OK);
    assert_int_equal(n.remote->candidate_count, 32);
    assert_int_equal(n.remote->candidates[31].candidate.addr.port, 32);
    assert_true(n.remote->end_of_candidates);
    negotiation_fini(&n);
    buf_fini(&text);
}

static void test_at_most_40_payload_types_are_kept(void **state)
{
    (void)state;
    struct negotiation n;
    negotiation_init(&n);
    assert_int_equal(remote_says(&n, NEGOTIATE_OFFER, HEAD SECURITY
        "m=video 9 P 1 2 3 4 5 6 7 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48\r\n"), NEGOTIATE_OK);
    assert_int_equal(n.remote->mlines[0].pt_count, NEGOTIATE_PTS_MAX);
    assert_int_equal(n.remote->mlines[0].pts[0].clock_hz, 90000);
    negotiation_fini(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_chromium_offer, is_empty),
        cmocka_unit_test_teardown(test_firefox_simulcast_offer, is_empty),
        cmocka_unit_test_teardown(test_every_browser_description_is_usable, is_empty),
        cmocka_unit_test_teardown(test_a_stopped_first_line_is_really_rejected, is_empty),
        cmocka_unit_test_teardown(test_first_line_and_bundle_only_lines_are_enabled, is_empty),
        cmocka_unit_test_teardown(test_role, is_empty),
        cmocka_unit_test_teardown(test_transport_data_is_mandatory_on_the_first_line, is_empty),
        cmocka_unit_test_teardown(test_no_fingerprint_is_needed_without_encryption, is_empty),
        cmocka_unit_test_teardown(test_bad_mids, is_empty),
        cmocka_unit_test_teardown(test_a_missing_mid_is_the_index, is_empty),
        cmocka_unit_test_teardown(test_msid_needs_two_tokens, is_empty),
        cmocka_unit_test_teardown(test_rid_order, is_empty),
        cmocka_unit_test_teardown(test_simulcast_syntax, is_empty),
        cmocka_unit_test_teardown(test_ssrc_groups, is_empty),
        cmocka_unit_test_teardown(test_one_id_space_for_extensions, is_empty),
        cmocka_unit_test_teardown(test_data_lines, is_empty),
        cmocka_unit_test_teardown(test_restart_and_fingerprint_changes, is_empty),
        cmocka_unit_test_teardown(test_lines_never_go_and_failure_changes_nothing, is_empty),
        cmocka_unit_test_teardown(test_candidates_are_bounded, is_empty),
        cmocka_unit_test_teardown(test_at_most_40_payload_types_are_kept, is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
