/* Compact JSON put into texts of any layout. */
#include "support/seams.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_splice.h"

static void expect(enum json_layout layout, const char *json, const char *expected)
{
    struct buf buf;
    struct json_out j;
    buf_init(&buf, 100000);
    jout_begin(&j, &buf, layout);
    jout_object(&j, NULL);
    json_splice(&j, "d", VIEW(json, strlen(json)));
    jout_int(&j, "n", 1);
    jout_end(&j);
    assert_string_equal(buf_text(&buf), expected);
    buf_fini(&buf);
}

static void test_compact_is_copied(void **state)
{
    (void)state;
    expect(LAYOUT_COMPACT, "{\"a\":[1,2],\"b\":{}}", "{\"d\":{\"a\":[1,2],\"b\":{}},\"n\":1}");
}

static void test_plain_has_a_blank_after_colons_and_commas(void **state)
{
    (void)state;
    expect(LAYOUT_PLAIN, "{\"a\":[1,-2.5e3,null,true],\"b\":{},\"c\":[]}",
           "{\"d\": {\"a\": [1, -2.5e3, null, true], \"b\": {}, \"c\": []}, \"n\": 1}");
}

static void test_indented_goes_on_at_its_depth(void **state)
{
    (void)state;
    expect(LAYOUT_INDENTED, "{\"a\":[1,[]],\"b\":{\"c\":\"x\"}}",
           "{\n   \"d\": {\n      \"a\": [\n         1,\n         []\n      ],\n      \"b\": {\n         \"c\": \"x\"\n      }\n   },\n   \"n\": 1\n}");
}

static void test_strings_are_left_alone(void **state)
{
    (void)state;
    expect(LAYOUT_PLAIN, "{\"a:,{\":\"\\\"],:\\\\\",\"b\":\"\"}", "{\"d\": {\"a:,{\": \"\\\"],:\\\\\", \"b\": \"\"}, \"n\": 1}");
    expect(LAYOUT_INDENTED, "\"{,:\"", "{\n   \"d\": \"{,:\",\n   \"n\": 1\n}");
}

/* jansson, reading our spread-out text and writing it compactly, gets back what went in. */
static void test_spreading_changes_no_value(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":[{\"b\":[[],[{}],[1,2,[3]]],\"c\":\"\\u0001 \\\\\\\" }]\"},false],\"d\":{\"e\":{\"f\":{\"g\":[]}}},\"h\":\"\"}";
    for (enum json_layout layout = LAYOUT_COMPACT; layout <= LAYOUT_INDENTED; layout++) {
        struct buf buf;
        struct json_out j;
        json_error_t error;
        buf_init(&buf, 100000);
        jout_begin(&j, &buf, layout);
        json_splice(&j, NULL, VIEW(json, sizeof(json) - 1));
        json_t *document = json_loads(buf_text(&buf), 0, &error);
        char *again = json_dumps(document, JSON_COMPACT);
        assert_string_equal(again, json);
        free(again);
        json_decref(document);
        buf_fini(&buf);
    }
}

/* What is cut short (our own mistake) must not be read past its end. */
static void test_a_cut_text_is_survived(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":\"b\\\"c\",\"d\":[1,{}]}";
    for (size_t size = 0; size < sizeof(json); size++) {
        struct buf buf;
        struct json_out j;
        char *copy = malloc(size + 1);
        memcpy(copy, json, size);
        buf_init(&buf, 100000);
        jout_begin(&j, &buf, LAYOUT_INDENTED);
        json_splice(&j, NULL, VIEW(copy, size));
        buf_fini(&buf);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compact_is_copied),
        cmocka_unit_test(test_plain_has_a_blank_after_colons_and_commas),
        cmocka_unit_test(test_indented_goes_on_at_its_depth),
        cmocka_unit_test(test_strings_are_left_alone),
        cmocka_unit_test(test_spreading_changes_no_value),
        cmocka_unit_test(test_a_cut_text_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
