/* base/fmt says what libc says, in whatever room there is. */
#include "support/seams.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

static void check(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void check(const char *format, ...)
{
    char wanted[512], got[512];
    va_list args;
    va_start(args, format);
    const int size = vsnprintf(wanted, sizeof(wanted), format, args);
    va_end(args);
    assert_in_range(size, 0, (int)sizeof(wanted) - 1);
    for (size_t room = 0; room <= (size_t)size + 1; room++) {
        memset(got, '!', sizeof(got));
        va_start(args, format);
        assert_int_equal(fmt_text(room == 0 ? NULL : got, room, format, args), size);
        va_end(args);
        const size_t kept = room < (size_t)size ? room : (size_t)size;
        assert_memory_equal(got, wanted, kept);
        assert_int_equal(got[kept], '!');               /* no NUL, nothing past the room */
    }
}

static void test_our_conversions(void **state)
{
    (void)state;
    check("plain");
    check("%s", "");
    check("a=%s:%u %c%%\r\n", "extmap", 0u, 'x');
    check("%u %d %d %d", UINT32_MAX, INT32_MIN, INT32_MAX, -1);
    check("%lu %zu", UINT64_MAX, (size_t)17);
    check("%llu %lld %lld", (unsigned long long)UINT64_MAX, (long long)INT64_MIN, (long long)INT64_MAX);
    check("[%.*s][%.*s][%.*s]", 3, "abcdef", 0, "abc", 10, "short");
}

static void test_others_are_left_to_libc(void **state)
{
    (void)state;
    check("%s %02x %5d|%-5s|%.17g %s", "before", 10, 42, "ab", 0.5, "after");
    check("%i %ld", 5, 6L);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_a_view_needs_no_nul(void **state)
{
    (void)state;
    const char bytes[3] = {'a', 'b', 'c'};              /* a sanitizer sees whoever reads past it */
    check("%.*s", 3, bytes);
}

static void test_numbers(void **state)
{
    (void)state;
    char text[FMT_UINT_TEXT];
    assert_string_equal(fmt_uint(text, 0), "0");
    assert_string_equal(fmt_uint(text, 1010), "1010");
    assert_string_equal(fmt_uint(text, UINT64_MAX), "18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_conversions),
        cmocka_unit_test(test_others_are_left_to_libc),
        cmocka_unit_test(test_a_view_needs_no_nul),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
