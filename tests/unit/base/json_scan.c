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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_counted),
        cmocka_unit_test(test_what_stands_in_strings_is_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
