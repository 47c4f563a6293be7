/* How many values a JSON text has, about, before it is parsed. */
#include "support/seams.h"

#include <string.h>

#include "base/json_scan.h"
#include "base/str.h"

static void test_values_are_counted(void **state)
{
    (void)state;
    assert_false(json_has_more_values(STR("[1,2,3,4]"), 4));        /* one bracket, three commas */
    assert_true(json_has_more_values(STR("[1,2,3,4]"), 3));
    assert_false(json_has_more_values(STR("[1,2,3]"), 100));        /* too short to have so many */
    assert_true(json_has_more_values(STR("[{},{},[]]"), 5));
    assert_false(json_has_more_values(STR("{\"a\":1}"), 1));
    assert_false(json_has_more_values(STR(""), 0));
}

static void test_what_stands_in_strings_is_no_value(void **state)
{
    (void)state;
    assert_false(json_has_more_values(STR("[\",,,,,,,,\"]"), 1));
    assert_false(json_has_more_values(STR("[\"\\\",,,,,,\"]"), 1));         /* an escaped quote does not end it */
    assert_true(json_has_more_values(STR("[\"\\\\\",1,2]"), 2));            /* an escaped backslash does not keep it open */
    assert_false(json_has_more_values(STR("[\"never closed,,,,"), 1));
    assert_false(json_has_more_values(STR("[\"ends in a backslash\\"), 1));
}

static void test_names_are_counted_by_object(void **state)
{
    (void)state;
    assert_false(json_has_more_names(STR("{\"a\":1,\"b\":2}"), 2));
    assert_true(json_has_more_names(STR("{\"a\":1,\"b\":2,\"c\":3}"), 2));
    assert_false(json_has_more_names(STR("[{\"a\":1},{\"a\":1},{\"a\":1}]"), 1));
    assert_false(json_has_more_names(STR("{\"a\":{\"b\":{\"c\":[{}]}}}"), 1));
    assert_true(json_has_more_names(STR("{\"a\":{\"x\":1},\"b\":0}"), 1));         /* an object in between does not reset it */
    assert_false(json_has_more_names(STR("{\"a:::::::\":\":::::\"}"), 1));
    assert_false(json_has_more_names(STR("}}}}}}}}"), 1));
}

static void test_names_that_lie_very_deep_are_counted_together(void **state)
{
    (void)state;
    char text[5 * 200 + 1] = "";
    for (int i = 0; i < 200; i++)
        memcpy(text + 4 * i, "{\"\":", 5);
    assert_false(json_has_more_names(STR("{\"\":"), 1));
    assert_true(json_has_more_names(str_of(text), 100));
    assert_false(json_has_more_names(str_of(text), 150));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_counted),
        cmocka_unit_test(test_names_are_counted_by_object),
        cmocka_unit_test(test_names_that_lie_very_deep_are_counted_together),
        cmocka_unit_test(test_what_stands_in_strings_is_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
