#include "support/seams.h"

#include "base/str.h"
#include "proto/sdp/extmap.h"

/* webrtc.md 4.4: the URIs are what browsers compare, the ids what our offers have always had. */
static void test_every_extension_has_its_uri_and_id(void **state)
{
    (void)state;
    static const uint8_t ids[SDP_EXT_COUNT] = {
        [SDP_EXT_AUDIO_LEVEL] = 1, [SDP_EXT_ABS_SEND_TIME] = 2, [SDP_EXT_TRANSPORT_CC] = 3, [SDP_EXT_MID] = 4, [SDP_EXT_RID] = 5,
        [SDP_EXT_REPAIRED_RID] = 6, [SDP_EXT_ABS_CAPTURE_TIME] = 7, [SDP_EXT_PLAYOUT_DELAY] = 12, [SDP_EXT_VIDEO_ORIENTATION] = 13, [SDP_EXT_TOFFSET] = 14};
    for (unsigned ext = 0; ext < SDP_EXT_COUNT; ext++) {
        assert_true(strlen(sdp_ext_uri((enum sdp_ext)ext)) > 0);
        assert_int_equal(sdp_ext_by_uri(str_of(sdp_ext_uri((enum sdp_ext)ext))), ext);
        assert_int_equal(sdp_ext_default_id((enum sdp_ext)ext), ids[ext]);
    }
    assert_int_equal(sdp_ext_by_uri(STR("urn:x")), SDP_EXT_UNKNOWN);
    assert_int_equal(sdp_ext_by_uri(STR("")), SDP_EXT_UNKNOWN);
    assert_string_equal(sdp_ext_uri(SDP_EXT_UNKNOWN), "");
    assert_int_equal(sdp_ext_default_id(SDP_EXT_UNKNOWN), 0);
}

/* RFC 8285 7. */
static void test_parse(void **state)
{
    (void)state;
    struct sdp_extmap map;
    assert_true(sdp_extmap_parse(&map, STR("3 urn:3gpp:video-orientation")));
    assert_int_equal(map.id, 3);
    assert_int_equal(map.ext, SDP_EXT_VIDEO_ORIENTATION);
    assert_false(map.has_direction);
    assert_int_equal(map.direction, SDP_SENDRECV);
    assert_true(sdp_extmap_parse(&map, STR("4095/sendonly  urn:x  short=1 b ")));
    assert_int_equal(map.id, 4095);
    assert_true(map.has_direction);
    assert_int_equal(map.direction, SDP_SENDONLY);
    assert_int_equal(map.ext, SDP_EXT_UNKNOWN);
    assert_true(str_equal(map.uri, STR("urn:x")));
    assert_true(str_equal(map.attributes, STR("short=1 b")));
    static const char *const bad[] = {"", "x", "1", "1 ", "0 urn:x", "-1 urn:x", "65536 urn:x", "1/ urn:x", "1/up urn:x", "/sendonly urn:x", "1/sendonly/recvonly urn:x"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        map.id = 77;
        assert_false(sdp_extmap_parse(&map, str_of(bad[i])));
        assert_int_equal(map.id, 77);
    }
}

static void test_find(void **state)
{
    (void)state;
    struct sdp *sdp = sdp_new();
    struct sdp_mline *mline = sdp_mline_add(sdp, SDP_AUDIO, STR("P"));
    static const char *const maps[] = {"bad", "300 urn:ietf:params:rtp-hdrext:sdes:mid", "7/recvonly urn:ietf:params:rtp-hdrext:sdes:mid", "8 urn:ietf:params:rtp-hdrext:sdes:mid"};
    assert_int_equal(sdp_ext_find(mline, SDP_EXT_MID), 0);
    for (size_t i = 0; i < ARRAY_COUNT(maps); i++)
        sdp_attr_add(sdp, &mline->attrs, STR("extmap"), str_of(maps[i]));
    assert_int_equal(sdp_ext_find(mline, SDP_EXT_MID), 7);
    assert_int_equal(sdp_ext_find(mline, SDP_EXT_RID), 0);
    sdp_free(sdp);
    assert_int_equal(seam_mem_outstanding(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_extension_has_its_uri_and_id),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
