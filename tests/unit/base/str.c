#include "support/seams.h"

#include "base/str.h"

static void test_split_and_trim(void **state)
{
    (void)state;
    struct view rest = STR("a, b ,,c");
    assert_true(str_equal(str_split(&rest, ','), STR("a")));
    assert_true(str_equal(str_trim(str_split(&rest, ',')), STR("b")));
    assert_int_equal(str_split(&rest, ',').size, 0);
    assert_true(str_equal(str_split(&rest, ','), STR("c")));
    assert_int_equal(rest.size, 0);
}

static void test_numbers_take_nothing_but_the_number(void **state)
{
    (void)state;
    uint64_t v;
    uint16_t s;
    assert_true(str_u64(STR("18446744073709551615"), &v));
    assert_true(v == UINT64_MAX);
    static const char *const bad[] = {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1", "99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(str_u64(str_of(bad[i]), &v));
    assert_true(str_u16(STR("65535"), &s));
    assert_false(str_u16(STR("65536"), &s));
    assert_true(str_hex_u64(STR("fF"), &v));
    assert_int_equal(v, 255);
}

static void test_compare(void **state)
{
    (void)state;
    assert_true(str_equal_nocase(STR("JaNuS"), STR("janus")));
    assert_false(str_equal_nocase(STR("janus"), STR("janu")));
    assert_true(str_contains(STR("a stereo=1 b"), STR("stereo=1")));
    assert_true(str_equal_secret(STR("s3"), STR("s3")));
    assert_false(str_equal_secret(STR("s3"), STR("s4")));
    assert_false(str_equal_secret(STR("s3"), STR("s33")));
}

static void test_copy_refuses_what_does_not_fit(void **state)
{
    (void)state;
    char out[4];
    assert_true(str_copy(out, sizeof(out), STR("abc")));
    assert_false(str_copy(out, sizeof(out), STR("abcd")));
    assert_string_equal(out, "");
    assert_false(str_copy(out, sizeof(out), VIEW("a\0b", 3)));
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff"};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        assert_true(utf8_is_valid(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(utf8_is_valid(str_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_and_trim),
        cmocka_unit_test(test_numbers_take_nothing_but_the_number),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_copy_refuses_what_does_not_fit),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
