#include "support/seams.h"

#include <string.h>

#include "base/buf.h"

static void test_grows_to_its_limit_and_fails_past_it(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++)
        buf_add(&buf, "0123456789", 10);
    assert_false(buf.failed);
    assert_int_equal(buf.size, 1000);
    buf_add_char(&buf, 'x');
    assert_true(buf.failed);
    buf_add_char(&buf, 'x');
    assert_int_equal(buf.size, 1000);
    buf_clear(&buf);
    assert_false(buf.failed);
    buf_fini(&buf);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_text_and_numbers(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4096);
    buf_add_text(&buf, "a=");
    buf_add_u64(&buf, 0);
    buf_add_u64(&buf, UINT64_MAX);
    buf_addf(&buf, " %d %s", -5, "text");
    assert_string_equal(buf_text(&buf), "a=018446744073709551615 -5 text");
    buf_drop(&buf, 2);
    assert_int_equal(buf.data[0], '0');
    buf_drop(&buf, 1000);
    assert_string_equal(buf_text(&buf), "");
    buf_fini(&buf);
}

static void test_format_longer_than_the_limit_fails(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 8);
    buf_addf(&buf, "%s", "123456789");
    assert_true(buf.failed);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_limit_and_fails_past_it),
        cmocka_unit_test(test_text_and_numbers),
        cmocka_unit_test(test_format_longer_than_the_limit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
