#include "support/seams.h"

#include "base/str.h"
#include "proto/sdp/sdp.h"

#include "proto/sdp/sdp_files.h"

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

/* Is each line of `part` in `whole`? Directions and unknown letters apart, nothing may get lost. */
static void assert_has_lines(struct view whole, struct view part)
{
    while (part.size > 0) {
        char line[4096];
        struct view at = str_split(&part, '\n');
        assert_true(str_copy(line, sizeof(line) - 1, at));
        strcat(line, "\n");
        if (!str_contains(whole, str_of(line)))
            fail_msg("lost: %s", line);
    }
}

static void test_what_browsers_say_comes_back_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(browser_files); i++) {
        struct view text = sdp_file(browser_files[i]);
        struct buf once, twice;
        buf_init(&once, SDP_TEXT_BYTES_MAX);
        buf_init(&twice, SDP_TEXT_BYTES_MAX);
        struct sdp *sdp = parse(text);
        assert_true(sdp_write(sdp, &once));
        assert_has_lines(buf_view(&once), text);
        struct sdp *again = parse(buf_view(&once));
        assert_true(sdp_write(again, &twice));
        assert_string_equal(buf_text(&once), buf_text(&twice));
        sdp_free(sdp);
        sdp_free(again);
        buf_fini(&once);
        buf_fini(&twice);
    }
}

static void assert_written(const struct sdp *sdp, const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_true(sdp_write(sdp, &out));
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

static void test_order_of_lines(void **state)
{
    (void)state;
    struct sdp *sdp = sdp_new();
    sdp->origin_id = 7;
    sdp->origin_version = 8;
    sdp->connection = (struct sdp_connection){STR("::1"), true};
    sdp_attr_add(sdp, &sdp->attrs, STR("group"), STR("LS 0"));
    struct sdp_mline *mline = sdp_mline_add(sdp, SDP_VIDEO, STR("RTP/AVP"));
    sdp_attr_add(sdp, &mline->attrs, STR("rtcp-mux"), STR(""));
    sdp_attr_addf(sdp, &mline->attrs, STR("rtpmap"), "%d VP8/90000", 96);
    sdp_mline_add_pt(mline, 96);
    sdp_mline_add_pt(mline, 97);
    sdp_mline_add_pt(mline, 96);
    mline->bandwidth_type = STR("TIAS");
    mline->bandwidth = 64000;
    mline->direction = SDP_SENDONLY;
    assert_written(sdp, "v=0\r\no=- 7 8 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\nc=IN IP6 ::1\r\na=group:LS 0\r\n"
                        "m=video 9 RTP/AVP 96 97\r\nc=IN IP4 1.1.1.1\r\nb=TIAS:64000\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n");
    sdp_free(sdp);
}

static void test_a_rejected_line_keeps_its_mid_only(void **state)
{
    (void)state;
    struct sdp *sdp = parse(STR("v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=x\r\nt=0 0\r\n"
                                "m=audio 9 RTP/AVP 96 97\r\nb=AS:4\r\na=rtpmap:96 opus/48000/2\r\na=mid:a\r\na=sendrecv\r\na=rtcp-mux\r\n"
                                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\n"));
    assert_ptr_equal(sdp_mline_first(sdp, SDP_APPLICATION), sdp->mlines[1]);
    assert_null(sdp_mline_first(sdp, SDP_VIDEO));
    sdp_mline_reject(sdp->mlines[0]);
    sdp_mline_reject(sdp->mlines[1]);
    assert_written(sdp, "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=inactive\r\na=mid:a\r\n"
                        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=inactive\r\n");
    sdp_free(sdp);
}

/* A value must not become a line of its own, whoever made it. */
static void test_line_breaks_end_an_added_value(void **state)
{
    (void)state;
    struct sdp *sdp = sdp_new();
    struct sdp_mline *mline = sdp_mline_add(sdp, SDP_AUDIO, STR("RTP/AVP"));
    sdp_attr_add(sdp, &mline->attrs, STR("msid\r\na=x"), STR("a b\r\na=candidate:1"));
    sdp_attr_add(sdp, &mline->attrs, STR("mid"), STR("a\na=evil"));
    assert_written(sdp, "v=0\r\no=- 0 0 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 1.1.1.1\r\na=sendrecv\r\n"
                        "a=msid:a b\r\na=mid:a\r\n");
    sdp_free(sdp);
}

static bool is_even(const struct sdp_attr *attr, const void *context)
{
    (void)context;
    return (attr->value.data[0] - '0') % 2 == 0;
}

static void test_removed_attributes_leave_a_sound_list(void **state)
{
    (void)state;
    for (int count = 0; count < 6; count++) {
        struct sdp *sdp = sdp_new();
        for (int i = 0; i < count; i++)
            sdp_attr_addf(sdp, &sdp->attrs, STR("n"), "%d", i);
        sdp_attrs_filter(&sdp->attrs, is_even, NULL);
        sdp_attr_add(sdp, &sdp->attrs, STR("last"), STR("1"));
        int found = 0;
        const struct sdp_attr *attr = sdp_attr_find(&sdp->attrs, STR("n"));
        for (; attr != NULL; attr = sdp_attr_find_next(attr, STR("n")))
            assert_int_equal(attr->value.data[0] - '0', 2 * found++ + 1);
        assert_int_equal(found, count / 2);
        assert_non_null(sdp_attr_find(&sdp->attrs, STR("last")));
        sdp_attrs_remove(&sdp->attrs, STR("last"));
        sdp_attrs_remove(&sdp->attrs, STR("n"));
        assert_null(sdp->attrs.first);
        assert_null(sdp->attrs.last);
        sdp_free(sdp);
    }
}

static void test_limits_stick(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4u << 20);
    struct sdp *sdp = sdp_new();
    for (unsigned i = 0; i < SDP_MLINES_MAX; i++)
        assert_non_null(sdp_mline_add(sdp, SDP_AUDIO, STR("RTP/AVP")));
    assert_true(sdp_write(sdp, &out));
    assert_null(sdp_mline_add(sdp, SDP_AUDIO, STR("RTP/AVP")));
    assert_false(sdp_write(sdp, &out));
    sdp_free(sdp);
    sdp = sdp_new();
    for (unsigned i = 0; i < SDP_LINES_MAX; i++)
        sdp_attr_add(sdp, &sdp->attrs, STR("x"), STR(""));
    assert_false(sdp->failed);
    sdp_attr_add(sdp, &sdp->attrs, STR("x"), STR(""));
    assert_true(sdp->failed);
    sdp_free(sdp);
    buf_fini(&out);
    buf_init(&out, 20);
    sdp = sdp_new();
    assert_false(sdp_write(sdp, &out));
    sdp_free(sdp);
    buf_fini(&out);
}

static void test_directions(void **state)
{
    (void)state;
    static const enum sdp_direction mirrored[] = {SDP_INACTIVE, SDP_RECVONLY, SDP_SENDONLY, SDP_SENDRECV};
    for (int d = SDP_INACTIVE; d <= SDP_SENDRECV; d++) {
        enum sdp_direction parsed = SDP_INACTIVE;
        assert_true(sdp_direction_parse(&parsed, str_of(sdp_direction_name((enum sdp_direction)d))));
        assert_int_equal(parsed, d);
        assert_int_equal(sdp_direction_mirror(parsed), mirrored[d]);
    }
    assert_true(sdp_direction_sends(SDP_SENDONLY) && !sdp_direction_receives(SDP_SENDONLY));
    enum sdp_direction out;
    assert_false(sdp_direction_parse(&out, STR("SendRecv")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_browsers_say_comes_back_whole, is_empty),
        cmocka_unit_test_teardown(test_order_of_lines, is_empty),
        cmocka_unit_test_teardown(test_a_rejected_line_keeps_its_mid_only, is_empty),
        cmocka_unit_test_teardown(test_line_breaks_end_an_added_value, is_empty),
        cmocka_unit_test_teardown(test_removed_attributes_leave_a_sound_list, is_empty),
        cmocka_unit_test_teardown(test_limits_stick, is_empty),
        cmocka_unit_test_teardown(test_directions, is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
