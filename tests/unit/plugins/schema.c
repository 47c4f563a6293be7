/* Fields of requests: types, the first that is wrong, and the words for it. */
#include "support/seams.h"

#include "plugins/schema.h"

static const struct schema_field fields[] = {
    {"text", SCHEMA_STRING, true}, {"flag", SCHEMA_BOOL, false},    {"number", SCHEMA_INT, false},
    {"size", SCHEMA_POSINT, true}, {"list", SCHEMA_ARRAY, false},   {"object", SCHEMA_OBJECT, false},
};

static char text[SCHEMA_TEXT];

static enum schema_result check(const char *json)
{
    json_t *body = json_loads(json, 0, NULL);
    assert_non_null(body);
    text[0] = '\0';
    enum schema_result result = schema_check(fields, ARRAY_COUNT(fields), body, text);
    json_decref(body);
    return result;
}

static void expect_bad(const char *json, enum schema_result result, const char *words)
{
    assert_int_equal(check(json), result);
    assert_string_equal(text, words);
}

static void test_right_types_pass(void **state)
{
    (void)state;
    assert_int_equal(check("{\"text\":\"\",\"size\":0}"), SCHEMA_FINE);
    assert_int_equal(check("{\"text\":\"a\",\"flag\":false,\"number\":-1,\"size\":9007199254740993,\"list\":[],\"object\":{},\"more\":1}"), SCHEMA_FINE);
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    expect_bad("{}", SCHEMA_MISSING, "Missing mandatory element (text)");
    expect_bad("{\"text\":\"a\"}", SCHEMA_MISSING, "Missing mandatory element (size)");
}

static void test_what_is_wrong_is_named_with_its_type(void **state)
{
    (void)state;
    expect_bad("{\"text\":1,\"size\":1}", SCHEMA_WRONG, "Invalid element type (text should be a string)");
    expect_bad("{\"text\":\"a\",\"size\":-1}", SCHEMA_WRONG, "Invalid element type (size should be a positive integer)");
    expect_bad("{\"text\":\"a\",\"size\":1.0}", SCHEMA_WRONG, "Invalid element type (size should be a positive integer)");
    expect_bad("{\"text\":\"a\",\"size\":\"1\"}", SCHEMA_WRONG, "Invalid element type (size should be a positive integer)");
    expect_bad("{\"text\":\"a\",\"size\":1,\"flag\":1}", SCHEMA_WRONG, "Invalid element type (flag should be a boolean)");
    expect_bad("{\"text\":\"a\",\"size\":1,\"number\":1.5}", SCHEMA_WRONG, "Invalid element type (number should be an integer)");
    expect_bad("{\"text\":\"a\",\"size\":1,\"list\":{}}", SCHEMA_WRONG, "Invalid element type (list should be an array)");
    expect_bad("{\"text\":\"a\",\"size\":1,\"object\":[]}", SCHEMA_WRONG, "Invalid element type (object should be an object)");
}

static void test_null_is_there_and_wrong(void **state)
{
    (void)state;
    expect_bad("{\"text\":null,\"size\":1}", SCHEMA_WRONG, "Invalid element type (text should be a string)");
    expect_bad("{\"text\":\"a\",\"size\":1,\"flag\":null}", SCHEMA_WRONG, "Invalid element type (flag should be a boolean)");
}

static void test_the_first_in_the_tables_order_wins(void **state)
{
    (void)state;
    expect_bad("{\"size\":-1,\"flag\":3}", SCHEMA_MISSING, "Missing mandatory element (text)");
    expect_bad("{\"size\":-1,\"flag\":3,\"text\":\"a\"}", SCHEMA_WRONG, "Invalid element type (flag should be a boolean)");
}

static void test_one_value_against_one_type(void **state)
{
    (void)state;
    assert_false(schema_is(NULL, SCHEMA_STRING));
    json_t *zero = json_integer(0), *minus = json_integer(-1);
    assert_true(schema_is(zero, SCHEMA_POSINT));
    assert_false(schema_is(minus, SCHEMA_POSINT));
    assert_true(schema_is(minus, SCHEMA_INT));
    json_decref(zero);
    json_decref(minus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_types_pass),
        cmocka_unit_test(test_what_is_missing_is_named),
        cmocka_unit_test(test_what_is_wrong_is_named_with_its_type),
        cmocka_unit_test(test_null_is_there_and_wrong),
        cmocka_unit_test(test_the_first_in_the_tables_order_wins),
        cmocka_unit_test(test_one_value_against_one_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
