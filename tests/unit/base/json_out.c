#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "base/str.h"

static void write_sample(struct json_out *j)
{
    jout_object(j, NULL);
    jout_string(j, "janus", "success");
    jout_object(j, "data");
    jout_uint(j, "id", 9007199254740991u);
    jout_end(j);
    jout_array(j, "list");
    jout_int(j, NULL, -1);
    jout_bool(j, NULL, true);
    jout_object(j, NULL);
    jout_end(j);
    jout_end(j);
    jout_end(j);
}

static void test_layouts(void **state)
{
    (void)state;
    static const struct { enum json_layout layout; const char *text; } cases[] = {
        {LAYOUT_COMPACT, "{\"janus\":\"success\",\"data\":{\"id\":9007199254740991},\"list\":[-1,true,{}]}"},
        {LAYOUT_PLAIN, "{\"janus\": \"success\", \"data\": {\"id\": 9007199254740991}, \"list\": [-1, true, {}]}"},
        {LAYOUT_INDENTED, "{\n   \"janus\": \"success\",\n   \"data\": {\n      \"id\": 9007199254740991\n   },\n   \"list\": [\n"
                        "      -1,\n      true,\n      {}\n   ]\n}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf buf;
        struct json_out j;
        buf_init(&buf, 4096);
        jout_begin(&j, &buf, cases[i].layout);
        write_sample(&j);
        assert_string_equal(buf_text(&buf), cases[i].text);
        buf_fini(&buf);
    }
}

static void test_strings_are_escaped(void **state)
{
    (void)state;
    struct buf buf;
    struct json_out j;
    buf_init(&buf, 4096);
    jout_begin(&j, &buf, LAYOUT_COMPACT);
    jout_array(&j, NULL);
    jout_string(&j, NULL, "a\"b\\c\n\r\t\b\f/\x01\x1f\x7f\xc3\xa9");
    jout_string(&j, NULL, NULL);
    jout_real(&j, NULL, 21);
    jout_real(&j, NULL, 0.5);
    jout_raw(&j, NULL, STR("{\"x\":1}"));
    jout_int(&j, NULL, INT64_MIN);
    jout_end(&j);
    assert_string_equal(buf_text(&buf), "[\"a\\\"b\\\\c\\n\\r\\t\\b\\f/\\u0001\\u001f\x7f\xc3\xa9\",null,21.0,0.5,{\"x\":1},"
                                        "-9223372036854775808]");
    buf_fini(&buf);
}

/* Eight bytes are looked at together: what needs an escape is found in every place, and what looks like it is left alone. */
static void test_an_escape_in_every_place(void **state)
{
    (void)state;
    static const struct { uint8_t c; const char *escaped; } cases[] = {
        {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {0x1f, "\\u001f"}, {0x20, " "}, {0x21, "!"}, {0x5d, "]"}, {0x7f, "\x7f"}, {0xa2, "\xa2"}, {0xdc, "\xdc"}, {0xff, "\xff"}};
    for (size_t size = 1; size < 20; size++)
        for (size_t at = 0; at < size; at++)
            for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
                uint8_t text[20];
                char wanted[40];
                struct buf buf;
                struct json_out j;
                memset(text, 'x', sizeof(text));
                text[at] = cases[i].c;
                snprintf(wanted, sizeof(wanted), "\"%.*s%s%.*s\"", (int)at, "xxxxxxxxxxxxxxxxxxxx", cases[i].escaped, (int)(size - at - 1), "xxxxxxxxxxxxxxxxxxxx");
                buf_init(&buf, 64);
                jout_begin(&j, &buf, LAYOUT_COMPACT);
                jout_string_view(&j, NULL, VIEW(text, size));
                assert_string_equal(buf_text(&buf), wanted);
                buf_fini(&buf);
            }
}

static void test_layout_names(void **state)
{
    (void)state;
    enum json_layout layout = LAYOUT_PLAIN;
    assert_true(jout_layout_parse(&layout, STR("Indented")));
    assert_int_equal(layout, LAYOUT_INDENTED);
    assert_false(jout_layout_parse(&layout, STR("pretty")));
    assert_int_equal(layout, LAYOUT_INDENTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_an_escape_in_every_place),
        cmocka_unit_test(test_layout_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
