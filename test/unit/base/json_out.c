#include "support/seams.h"

#include "base/json_out.h"
#include "base/str.h"

static void write_sample(struct json_out *j)
{
    json_object(j, NULL);
    json_string(j, "janus", "success");
    json_object(j, "data");
    json_uint(j, "id", 9007199254740991u);
    json_end(j);
    json_array(j, "list");
    json_int(j, NULL, -1);
    json_bool(j, NULL, true);
    json_object(j, NULL);
    json_end(j);
    json_end(j);
    json_end(j);
}

static void test_layouts(void **state)
{
    (void)state;
    static const struct { enum json_layout layout; const char *text; } cases[] = {
        {JSON_COMPACT, "{\"janus\":\"success\",\"data\":{\"id\":9007199254740991},\"list\":[-1,true,{}]}"},
        {JSON_PLAIN, "{\"janus\": \"success\", \"data\": {\"id\": 9007199254740991}, \"list\": [-1, true, {}]}"},
        {JSON_INDENTED, "{\n   \"janus\": \"success\",\n   \"data\": {\n      \"id\": 9007199254740991\n   },\n   \"list\": [\n"
                        "      -1,\n      true,\n      {}\n   ]\n}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf buf;
        struct json_out j;
        buf_init(&buf, 4096);
        json_begin(&j, &buf, cases[i].layout);
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
    json_begin(&j, &buf, JSON_COMPACT);
    json_array(&j, NULL);
    json_string(&j, NULL, "a\"b\\c\n\r\t\b\f/\x01\x1f\x7f\xc3\xa9");
    json_string(&j, NULL, NULL);
    json_real(&j, NULL, 21);
    json_real(&j, NULL, 0.5);
    json_raw(&j, NULL, STR("{\"x\":1}"));
    json_int(&j, NULL, INT64_MIN);
    json_end(&j);
    assert_string_equal(buf_text(&buf), "[\"a\\\"b\\\\c\\n\\r\\t\\b\\f/\\u0001\\u001f\x7f\xc3\xa9\",null,21.0,0.5,{\"x\":1},"
                                        "-9223372036854775808]");
    buf_fini(&buf);
}

static void test_layout_names(void **state)
{
    (void)state;
    enum json_layout layout = JSON_PLAIN;
    assert_true(json_layout_parse(&layout, STR("Indented")));
    assert_int_equal(layout, JSON_INDENTED);
    assert_false(json_layout_parse(&layout, STR("pretty")));
    assert_int_equal(layout, JSON_INDENTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_layout_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
