#include "support/seams.h"

#include "base/mem.h"
#include "base/str.h"
#include "proto/sdp/sdp.h"

#include "proto/sdp/sdp_files.h"

#define HEAD "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"

static int is_empty(void **state)
{
    (void)state;
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

static struct sdp *parse(const char *text)
{
    char reason[SDP_REASON_ROOM];
    struct sdp *sdp = sdp_parse(str_of(text), reason);
    if (sdp == NULL)
        fail_msg("refused: %s", reason);
    return sdp;
}

static void assert_refused(const char *text, const char *reason_expected)
{
    char reason[SDP_REASON_ROOM];
    assert_null(sdp_parse(str_of(text), reason));
    assert_string_equal(reason, reason_expected);
}

static void assert_view(struct view view, const char *text)
{
    assert_int_equal(view.size, strlen(text));
    assert_memory_equal(view.data, text, view.size);
}

/* webrtc.md 1.1: clients and their logs know these texts. */
static void test_each_breach_has_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "Invalid SDP (doesn't start with v=)"},
        {"o=- 1 2 IN IP4 1.1.1.1\r\n", "Invalid SDP (doesn't start with v=)"},
        {"\r\nv=0\r\n", "Invalid SDP (doesn't start with v=)"},
        {"v=x\r\n", "Invalid v= line: v=x"},
        {"v=0\r\na=\r\n", "Invalid line (2 bytes): a="},
        {"v=0\r\na\r\n", "Invalid line (1 bytes): a"},
        {"v=0\r\nab=c\r\n", "Invalid line (2nd char is not '='): ab=c"},
        {"v=0\r\no=- 1 IN IP4 1.1.1.1\r\n", "Invalid o= line: o=- 1 IN IP4 1.1.1.1"},
        {"v=0\r\no=- 1 2 IN IP4\r\n", "Invalid o= line: o=- 1 2 IN IP4"},
        {"v=0\r\no=- -1 2 IN IP4 1.1.1.1\r\n", "Invalid o= line: o=- -1 2 IN IP4 1.1.1.1"},
        {"v=0\r\no=- 1 99999999999999999999 IN IP4 1.1.1.1\r\n", "Invalid o= line: o=- 1 99999999999999999999 IN IP4 1.1.1.1"},
        {"v=0\r\no=- 1 2 IN IP5 1.1.1.1\r\n", "Invalid o= line (unsupported protocol IP5): o=- 1 2 IN IP5 1.1.1.1"},
        {HEAD "c=IN ATM x\r\n", "Invalid c= line (unsupported protocol ATM): c=IN ATM x"},
        {HEAD "c=IN IP4\r\n", "Invalid c= line: c=IN IP4"},
        {HEAD "t=now\r\n", "Invalid t= line: t=now"},
        {HEAD AUDIO "b=AS\r\n", "Invalid b= line: b=AS"},
        {HEAD AUDIO "b=AS:x\r\n", "Invalid b= line: b=AS:x"},
        {HEAD "o=- 1 2 IN IP4 1.1.1.1\r\n", "Multiple o= lines: o=- 1 2 IN IP4 1.1.1.1"},
        {HEAD "s=again\r\n", "Multiple s= lines: s=again"},
        {HEAD "c=IN IP4 1.1.1.1\r\nc=IN IP4 2.2.2.2\r\n", "Multiple global c= lines: c=IN IP4 2.2.2.2"},
        {HEAD AUDIO "c=IN IP4 1.1.1.1\r\nc=IN IP4 2.2.2.2\r\n", "Multiple m-line c= lines: c=IN IP4 2.2.2.2"},
        {HEAD "a=group:\r\n", "Invalid a= line: group:"},
        {HEAD AUDIO "a=mid:\r\n", "Invalid a= line: mid:"},
        {HEAD AUDIO "a=:x\r\n", "Invalid a= line: :x"},
        {HEAD "m=text 9 RTP/AVP 96\r\n", "Invalid m= line: m=text 9 RTP/AVP 96"},
        {HEAD "m=audio 65536 RTP/AVP 96\r\n", "Invalid m= line: m=audio 65536 RTP/AVP 96"},
        {HEAD "m=audio -1 RTP/AVP 96\r\n", "Invalid m= line: m=audio -1 RTP/AVP 96"},
        {HEAD "m=audio 9/2 RTP/AVP 96\r\n", "Invalid m= line: m=audio 9/2 RTP/AVP 96"},
        {HEAD "m=audio 9 RTP/AVP\r\n", "Invalid m= line: m=audio 9 RTP/AVP"},
        {HEAD "m=audio 9 RTP/AVP x 128 -1\r\n", "Invalid m= line (no payload types/formats): m=audio 9 RTP/AVP x 128 -1"},
        {HEAD, "Missing mandatory lines (o=, s= or m=)"},
        {"v=0\r\ns=-\r\n" AUDIO, "Missing mandatory lines (o=, s= or m=)"},
        {"v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\n" AUDIO, "Missing mandatory lines (o=, s= or m=)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_refused(cases[i].text, cases[i].reason);
}

static void test_an_m_line_is_at_most_200_characters(void **state)
{
    (void)state;
    char text[512], line[256] = "m=audio 9 RTP/AVP";
    while (strlen(line) < 200)
        strcat(line, strlen(line) < 198 ? " 96" : "0");
    line[200] = '\0';
    snprintf(text, sizeof(text), "%s%s\r\n", HEAD, line);
    sdp_free(parse(text));
    snprintf(text, sizeof(text), "%s%s0\r\n", HEAD, line);
    assert_refused(text, "Invalid m= line (too long): 201");
}

static void test_names_and_addresses_are_at_most_255_characters(void **state)
{
    (void)state;
    char name[300], text[1024], reason[SDP_REASON_ROOM];
    memset(name, 'n', sizeof(name));
    for (int size = 254; size <= 257; size++) {
        snprintf(text, sizeof(text), "v=0\r\no=%.*s 1 2 IN IP4 1.1.1.1\r\ns=-\r\n" AUDIO, size, name);
        struct sdp *sdp = sdp_parse(str_of(text), reason);
        assert_true((sdp != NULL) == (size <= 255));
        sdp_free(sdp);
        snprintf(text, sizeof(text), "%sc=IN IP4 %.*s\r\n" AUDIO, HEAD, size, name);
        sdp = sdp_parse(str_of(text), reason);
        assert_true((sdp != NULL) == (size <= 255));
        sdp_free(sdp);
    }
}

static void test_everything_is_where_it_belongs(void **state)
{
    (void)state;
    struct sdp *sdp = parse("v=0\n"
                            "o=jdoe 3724394400 18446744073709551615 IN ip6 2001:db8::1\r\n"
                            "s=Call to John Smith\r\n"
                            "i=ignored\r\n\r\n\n"
                            "b=AS:whatever, not ours\r\n"
                            "c=IN IP4 198.51.100.1\r\n"
                            "t=5 6\r\n"
                            "a=group:BUNDLE a v\r\n"
                            "a=sendonly\r\n"
                            "m=AUDIO 49170 RTP/AVP 0 8 97 0\r\n"
                            "b=CT:5\r\nb=AS:64\r\nb=TIAS:9\r\n"
                            "a=mid:a\rcut at the CR\r\n"
                            "a=recvonly\r\n"
                            "a=rtpmap:97 iLBC/8000\r\n"
                            "m=Video 0 UDP/TLS/RTP/SAVPF 96\r\n"
                            "c=in Ip6 ::1\r\n"
                            "a=sendonly:not a direction\r\n"
                            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                            "a=sctp-port:5000");
    assert_view(sdp->origin_name, "jdoe");
    assert_true(sdp->origin_id == 3724394400 && sdp->origin_version == UINT64_MAX);
    assert_true(sdp->origin.is_ip6);
    assert_view(sdp->session_name, "Call to John Smith");
    assert_view(sdp->connection.address, "198.51.100.1");
    assert_true(sdp->time_start == 5 && sdp->time_stop == 6);
    assert_view(sdp_attr_value(&sdp->attrs, STR("group")), "BUNDLE a v");
    assert_int_equal(sdp->mline_count, 3);
    const struct sdp_mline *audio = sdp->mlines[0];
    assert_int_equal(audio->kind, SDP_AUDIO);
    assert_int_equal(audio->port, 49170);
    assert_int_equal(audio->pt_count, 3);
    assert_true(audio->pts[0] == 0 && audio->pts[1] == 8 && audio->pts[2] == 97);
    assert_int_equal(audio->direction, SDP_RECVONLY);
    assert_view(audio->bandwidth_type, "AS");
    assert_int_equal(audio->bandwidth, 64);
    assert_view(sdp_attr_value(&audio->attrs, STR("mid")), "a");
    const struct sdp_mline *video = sdp->mlines[1];
    assert_int_equal(video->kind, SDP_VIDEO);
    assert_int_equal(video->port, 0);
    assert_int_equal(video->direction, SDP_SENDRECV);       /* the session's does not count */
    assert_true(video->connection.is_ip6);
    const struct sdp_mline *data = sdp->mlines[2];
    assert_int_equal(data->kind, SDP_APPLICATION);
    assert_view(data->formats, "webrtc-datachannel");
    assert_view(data->proto, "UDP/DTLS/SCTP");
    assert_view(sdp_attr_value(&data->attrs, STR("sctp-port")), "5000");
    sdp_free(sdp);
}

/* A truncated text is refused with a reason, or taken, and never read beyond its end. */
static void test_truncated_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(browser_files); i++) {
        struct view text = sdp_file(browser_files[i]);
        for (size_t size = 0; size < text.size; size++) {
            uint8_t *copy = mem_get(size);
            char reason[SDP_REASON_ROOM];
            memcpy(copy, text.data, size);
            struct sdp *sdp = sdp_parse(VIEW(copy, size), reason);
            assert_true(sdp != NULL || reason[0] != '\0');
            mem_put(copy);
            sdp_free(sdp);
        }
    }
}

static struct view repeat(const char *head, const char *line, size_t times, struct buf *out)
{
    buf_init(out, SDP_TEXT_BYTES_MAX * 4u);
    buf_add_text(out, head);
    for (size_t i = 0; i < times; i++)
        buf_add_text(out, line);
    return buf_view(out);
}

static void assert_repeat_refused(const char *head, const char *line, size_t times, const char *why)
{
    char reason[SDP_REASON_ROOM];
    struct buf text;
    assert_null(sdp_parse(repeat(head, line, times, &text), reason));
    assert_non_null(strstr(reason, why));
    buf_fini(&text);
}

static void test_limits_refuse_floods(void **state)
{
    (void)state;
    char reason[SDP_REASON_ROOM];
    struct buf text;
    assert_repeat_refused(HEAD AUDIO, "a=x\n", 1000000, "too long");
    assert_repeat_refused(HEAD AUDIO, "a=x\n", SDP_LINES_MAX, "Too many");
    assert_repeat_refused(HEAD AUDIO, "i=x\n", SDP_LINES_MAX, "Too many lines");
    assert_repeat_refused(HEAD, AUDIO, SDP_MLINES_MAX + 1, "Too many m= lines");
    struct sdp *sdp = sdp_parse(repeat(HEAD, AUDIO, SDP_MLINES_MAX, &text), reason);
    assert_non_null(sdp);
    assert_int_equal(sdp->mline_count, SDP_MLINES_MAX);
    sdp_free(sdp);
    buf_fini(&text);
    sdp = sdp_parse(repeat(HEAD AUDIO, "\n", SDP_TEXT_BYTES_MAX / 2, &text), reason);     /* empty lines are skipped */
    assert_non_null(sdp);
    sdp_free(sdp);
    buf_fini(&text);
}

/* CVE-2020-14034's class: 10^5 characters in each field. Refused by a limit or kept whole, and the reason is cut. */
static void test_long_values_everywhere(void **state)
{
    (void)state;
    static const char *const before[] = {
        "v=", "v=0\r\no=", "v=0\r\no=- ", "v=0\r\no=- 1 2 IN ", "v=0\r\no=- 1 2 IN IP4 ", "v=0\r\ns=", "v=0\r\n",
        HEAD "c=IN IP4 ", HEAD "c=IN ", HEAD "t=", HEAD "a=", HEAD "a=x:", HEAD "m=", HEAD "m=audio 9 ", HEAD "m=audio 9 RTP/AVP ",
        HEAD AUDIO "b=", HEAD AUDIO "b=AS:", HEAD AUDIO "a=", HEAD AUDIO "a=rtpmap:111 ", HEAD AUDIO "c=IN IP4 ",
    };
    char *filler = mem_get(100001);
    memset(filler, '7', 100000);
    filler[100000] = '\0';
    for (size_t i = 0; i < ARRAY_COUNT(before); i++) {
        for (int tail = 0; tail < 2; tail++) {
            struct buf text;
            char reason[SDP_REASON_ROOM];
            buf_init(&text, SDP_TEXT_BYTES_MAX);
            buf_add_text(&text, before[i]);
            buf_add_text(&text, filler);
            buf_add_text(&text, tail ? " 1 2 IN IP4 1.1.1.1\r\n" HEAD AUDIO : "\r\n");
            struct sdp *sdp = sdp_parse(buf_view(&text), reason);
            assert_true(sdp != NULL || reason[0] != '\0');
            assert_true(strlen(reason) < SDP_REASON_ROOM);
            sdp_free(sdp);
            buf_fini(&text);
        }
    }
    mem_put(filler);
}

/* The reason goes into JSON: cut in the middle of a character it would be no text any more. */
static void test_a_cut_reason_stays_utf8(void **state)
{
    (void)state;
    for (int shift = 0; shift < 4; shift++) {
        struct buf text;
        char reason[SDP_REASON_ROOM];
        buf_init(&text, 4096);
        buf_add_text(&text, HEAD "xx");
        buf_add(&text, "yyyy", (size_t)shift);
        for (int i = 0; i < 400; i++)
            buf_add_text(&text, "\xe2\x82\xac");
        assert_null(sdp_parse(buf_view(&text), reason));
        assert_true(utf8_is_valid(str_of(reason)));
        assert_true(strlen(reason) > 500);
        buf_fini(&text);
    }
}

static const char *const all_lines[] = {
    "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "c=IN IP4 0.0.0.0", "a=group:BUNDLE 0", "a=ice-options:trickle",
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "c=IN IP4 0.0.0.0", "b=AS:100", "a=rtcp:9 IN IP4 0.0.0.0", "a=ice-ufrag:abcd", "a=sendrecv",
    "a=rtpmap:96 VP8/90000", "a=fmtp:97 apt=96", "a=extmap:1 urn:x", "a=candidate:1 1 udp 1 1.1.1.1 1 typ host",
};

/* CVE-2020-13898's class: each line missing, doubled, cut after "x=" or after its name. */
static void test_each_line_missing_doubled_and_emptied(void **state)
{
    (void)state;
    for (size_t victim = 0; victim < ARRAY_COUNT(all_lines); victim++) {
        for (int what = 0; what < 5; what++) {
            struct buf text;
            char reason[SDP_REASON_ROOM];
            buf_init(&text, 4096);
            for (size_t i = 0; i < ARRAY_COUNT(all_lines); i++) {
                size_t size = strlen(all_lines[i]);
                if (i == victim && what == 0)
                    continue;
                if (i == victim && what == 1)
                    buf_addf(&text, "%s\r\n", all_lines[i]);
                if (i == victim && what >= 2)
                    size = what == 2 ? 2 : what == 3 ? strcspn(all_lines[i], ":") : size - 1;
                buf_addf(&text, "%.*s\r\n", (int)size, all_lines[i]);
            }
            struct sdp *sdp = sdp_parse(buf_view(&text), reason);
            assert_true(sdp != NULL || reason[0] != '\0');
            sdp_free(sdp);
            buf_fini(&text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_each_breach_has_its_reason, is_empty),
        cmocka_unit_test_teardown(test_an_m_line_is_at_most_200_characters, is_empty),
        cmocka_unit_test_teardown(test_names_and_addresses_are_at_most_255_characters, is_empty),
        cmocka_unit_test_teardown(test_everything_is_where_it_belongs, is_empty),
        cmocka_unit_test_teardown(test_truncated_anywhere, is_empty),
        cmocka_unit_test_teardown(test_limits_refuse_floods, is_empty),
        cmocka_unit_test_teardown(test_long_values_everywhere, is_empty),
        cmocka_unit_test_teardown(test_a_cut_reason_stays_utf8, is_empty),
        cmocka_unit_test_teardown(test_each_line_missing_doubled_and_emptied, is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
