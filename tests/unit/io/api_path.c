/* Targets of requests to the API over HTTP: transports.md 2.2, 2.6. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "io/api_path.h"

static void test_paths(void **state)
{
    (void)state;
    static const struct { const char *base, *path; bool is_ours, too_long; unsigned count; int64_t session, handle; } table[] = {
        {"/janus", "/janus", true, false, 0, 0, 0}, {"/janus", "/JANUS", true, false, 0, 0, 0}, {"/janus", "/janus/", true, false, 0, 0, 0},
        {"/janus", "/janus//", true, false, 0, 0, 0}, {"/janus", "/janus/12", true, false, 1, 12, 0}, {"/janus", "/janus/12/", true, false, 1, 12, 0},
        {"/janus", "/janus/12/34", true, false, 2, 12, 34}, {"/janus", "/janus/12/34/", true, false, 2, 12, 34}, {"/janus", "/janus/12/34/5", true, true, 2, 12, 34},
        {"/janus", "/foo/janus/12", true, false, 1, 12, 0}, {"/janus", "/JANUS/12", false, false, 0, 0, 0}, {"/janus", "/janusx", false, false, 0, 0, 0},
        {"/janus", "/", false, false, 0, 0, 0}, {"/janus", "*", false, false, 0, 0, 0}, {"/", "/12/34", true, false, 2, 12, 34}, {"/", "/", true, false, 0, 0, 0},
        {"/janus", "/janus/12abc/abc", true, false, 2, 12, 0}, {"/janus", "/janus/9223372036854775807/9223372036854775808", true, false, 2, INT64_MAX, 0},
        {"/janus", "/janus/99999999999999999999999", true, false, 1, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct api_path path;
        api_path_parse(&path, str_of(table[i].base), str_of(table[i].path));
        assert_int_equal(path.is_ours, table[i].is_ours);
        assert_int_equal(path.too_long, table[i].too_long);
        assert_int_equal(path.count, table[i].count);
        assert_true(path.count < 1 || api_path_id(path.parts[0]) == table[i].session);
        assert_true(path.count < 2 || api_path_id(path.parts[1]) == table[i].handle);
    }
}

static void test_values_of_a_query(void **state)
{
    (void)state;
    static const struct { const char *query, *value; } table[] = {
        {"a=1", "1"}, {"b=2&a=1&a=3", "1"}, {"a=", ""}, {"a", ""}, {"a=x%20y+z", "x y z"}, {"a=%C3%b6", "\xC3\xB6"}, {"a=b=c", "b=c"},
        {"", NULL}, {"aa=1", NULL}, {"a=%", NULL}, {"a=%4", NULL}, {"a=%zz", NULL}, {"a=%00", NULL}, {"a=%ff", NULL}, {"A=1", NULL},
    };
    char value[API_VALUE_MAX + 1], longest[API_VALUE_MAX + 8] = "a=";
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        bool found = api_query_value(str_of(table[i].query), "a", value);
        assert_int_equal(found, table[i].value != NULL);
        if (found)
            assert_string_equal(value, table[i].value);
    }
    memset(longest + 2, 'x', API_VALUE_MAX);
    assert_true(api_query_value(str_of(longest), "a", value));
    longest[2 + API_VALUE_MAX] = 'x';
    assert_false(api_query_value(str_of(longest), "a", value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_values_of_a_query)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
