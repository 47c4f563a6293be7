/* proto/mjr: the worked examples of recording.md 1.1 byte for byte, older layouts, and files cut anywhere. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "proto/mjr/mjr.h"

/* recording.md 1.1: two frames of audio at 0 and 21 ms, 129 bytes. */
static const uint8_t example[] =
    "MJR00002\x00\x45{\"t\": \"a\", \"c\": \"opus\", \"s\": 1900000000000000, \"u\": 1900000000500000}"
    "MEET\x00\x00\x00\x00\x00\x0f\x80\x6f\x00\x01\x00\x00\x00\x00\xca\xfe\x00\x01\xf8\xff\xfe"
    "MEET\x00\x00\x00\x15\x00\x0f\x80\x6f\x00\x02\x00\x00\x03\xc0\xca\xfe\x00\x01\xf8\xff\xfe";
#define EXAMPLE VIEW(example, sizeof(example) - 1)

static struct buf out;

static int setup(void **state)
{
    (void)state;
    buf_init(&out, 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static void test_the_worked_example_is_written(void **state)
{
    (void)state;
    static const struct mjr_info info = {.kind = MJR_AUDIO, .codec = "opus", .created_us = 1900000000000000, .first_us = 1900000000500000};
    mjr_write_magic(&out);
    assert_true(mjr_write_header(&out, &info));
    assert_true(mjr_write_frame(&out, 0, VIEW("\x80\x6f\x00\x01\x00\x00\x00\x00\xca\xfe\x00\x01", 12), VIEW("\xf8\xff\xfe", 3)));
    assert_true(mjr_write_frame(&out, 21, VIEW("\x80\x6f\x00\x02\x00\x00\x03\xc0\xca\xfe\x00\x01", 12), VIEW("\xf8\xff\xfe", 3)));
    assert_int_equal(out.size, EXAMPLE.size);
    assert_memory_equal(out.data, example, out.size);
}

static void test_a_data_frame_is_written(void **state)
{
    (void)state;
    assert_true(mjr_write_frame(&out, 0, VIEW("\x00\x06\xc0\x0a\x39\x1a\x61\x2a", 8), STR("hi")));
    assert_int_equal(out.size, 20);
    assert_memory_equal(out.data, "MEET\x00\x00\x00\x00\x00\x0a\x00\x06\xc0\x0a\x39\x1a\x61\x2ahi", 20);
}

static void expect_header(const struct mjr_info *info, const char *json)
{
    buf_clear(&out);
    assert_true(mjr_write_header(&out, info));
    assert_int_equal(out.size, 2 + strlen(json));
    assert_int_equal(out.data[0] << 8 | out.data[1], strlen(json));
    assert_memory_equal(out.data + 2, json, strlen(json));
}

static void test_header_keys_and_their_order(void **state)
{
    (void)state;
    struct mjr_info info = {.kind = MJR_VIDEO, .codec = "vp9", .fmtp = "profile-id=0", .description = "the \"door\"", .created_us = 5, .first_us = 6,
                            .exts = {{4, "urn:3gpp:video-orientation"}}, .ext_count = 1, .red_pt = 63, .e2ee = true};
    expect_header(&info, "{\"t\": \"v\", \"c\": \"vp9\", \"f\": \"profile-id=0\", \"d\": \"the \\\"door\\\"\", "
                         "\"x\": {\"4\": \"urn:3gpp:video-orientation\"}, \"s\": 5, \"u\": 6, \"e\": true}");
    info = (struct mjr_info){.kind = MJR_AUDIO, .codec = "opus", .fmtp = "", .red_pt = 63};
    expect_header(&info, "{\"t\": \"a\", \"c\": \"opus\", \"s\": 0, \"u\": 0, \"or\": 63}");
    info = (struct mjr_info){.kind = MJR_DATA, .codec = "text"};
    expect_header(&info, "{\"t\": \"d\", \"c\": \"text\", \"s\": 0, \"u\": 0}");
}

static void test_what_has_no_room_in_16_bits_is_not_written(void **state)
{
    (void)state;
    static char text[70000];
    memset(text, 'x', sizeof(text) - 1);
    const struct mjr_info info = {.kind = MJR_DATA, .codec = "text", .description = text};
    assert_false(mjr_write_header(&out, &info));
    assert_false(mjr_write_frame(&out, 0, VIEW(text, 8), VIEW(text, MJR_PAYLOAD_MAX - 7)));
    assert_false(mjr_write_frame(&out, 0, VIEW(text, MJR_PAYLOAD_MAX + 1), VIEW(NULL, 0)));
    assert_int_equal(out.size, 0);
    assert_true(mjr_write_frame(&out, 0, VIEW(text, 8), VIEW(text, MJR_PAYLOAD_MAX - 8)));
}

static void test_codecs_that_can_be_recorded(void **state)
{
    (void)state;
    assert_true(mjr_codec_is_known(MJR_AUDIO, "opus") && mjr_codec_is_known(MJR_AUDIO, "L16-48") && mjr_codec_is_known(MJR_VIDEO, "AV1"));
    assert_true(mjr_codec_is_known(MJR_DATA, "text") && mjr_codec_is_known(MJR_DATA, "binary"));
    static const char *const others[] = {"isac16", "red", "none", "", "vp8x", "vp"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        for (int kind = MJR_AUDIO; kind <= MJR_DATA; kind++)
            assert_false(mjr_codec_is_known((enum mjr_kind)kind, others[i]));
    assert_false(mjr_codec_is_known(MJR_AUDIO, "vp8"));
}

static void test_the_worked_example_is_read(void **state)
{
    (void)state;
    struct mjr_reader reader;
    struct mjr_frame frame;
    assert_true(mjr_open(&reader, EXAMPLE));
    assert_true(str_starts(reader.json, STR("{\"t\": \"a\", \"c\"")));
    assert_int_equal(reader.json.size, 69);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.ms, 0);
    assert_int_equal(frame.payload.size, 15);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.ms, 21);
    assert_int_equal(frame.payload.data[3], 2);
    assert_false(mjr_next(&reader, &frame));
}

static void test_older_layouts_are_read(void **state)
{
    (void)state;
    struct mjr_reader reader;
    struct mjr_frame frame;
    static const char one[] = "MJR00001\x00\x0a{\"t\": \"v\"}MEETECHO\x00\x02xyMEETECHO\x00\x00";
    assert_true(mjr_open(&reader, VIEW(one, sizeof(one) - 1)));
    assert_int_equal(reader.json.size, 10);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.ms, 0);
    assert_memory_equal(frame.payload.data, "xy", 2);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.payload.size, 0);
    assert_false(mjr_next(&reader, &frame));
    static const char oldest[] = "MEETECHO\x00\x05videoMEETECHO\x00\x01z";
    assert_true(mjr_open(&reader, VIEW(oldest, sizeof(oldest) - 1)));
    assert_int_equal(reader.kind, 'v');
    assert_int_equal(reader.json.size, 0);
    assert_true(mjr_next(&reader, &frame));
    assert_int_equal(frame.payload.data[0], 'z');
}

static void test_files_cut_anywhere_and_files_that_are_none(void **state)
{
    (void)state;
    struct mjr_reader reader;
    struct mjr_frame frame;
    for (size_t size = 0; size < EXAMPLE.size; size++) {
        uint8_t *copy = test_malloc(size + 1);          /* its own block: a sanitizer sees who reads past it */
        memcpy(copy, example, size);
        unsigned frames = 0;
        const bool opened = mjr_open(&reader, VIEW(copy, size));
        assert_int_equal(opened, size == MJR_MAGIC_BYTES || size >= 79);
        while (opened && mjr_next(&reader, &frame))
            frames++;
        assert_int_equal(frames, size >= 104);
        test_free(copy);
    }
    static const char *const nothing[] = {"RIFFxxxxyyyyzzzz", "MEETECHO\x00\x05other", "MJxxxxxx\xff\xff{}", "meetecho"};
    for (size_t i = 0; i < ARRAY_COUNT(nothing); i++)
        assert_false(mjr_open(&reader, VIEW(nothing[i], i == 1 ? 15 : strlen(nothing[i]))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_worked_example_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_data_frame_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_header_keys_and_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_has_no_room_in_16_bits_is_not_written, setup, teardown),
        cmocka_unit_test(test_codecs_that_can_be_recorded),
        cmocka_unit_test(test_the_worked_example_is_read),
        cmocka_unit_test(test_older_layouts_are_read),
        cmocka_unit_test(test_files_cut_anywhere_and_files_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
