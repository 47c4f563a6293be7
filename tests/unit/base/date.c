/* Moments as text, against the C library's calendar. */
#include "support/seams.h"

#include <stdio.h>
#include <time.h>

#include "base/date.h"

static void expect(uint64_t seconds, int32_t offset_s, const char *wanted)
{
    char text[DATE_TEXT];
    date_text(seconds, offset_s, text);
    assert_string_equal(text, wanted);
}

static void test_known_moments(void **state)
{
    (void)state;
    expect(0, 0, "1970-01-01T00:00:00+0000");
    expect(951782400, 0, "2000-02-29T00:00:00+0000");
    expect(1953875350, 3600, "2031-12-01T08:09:10+0100");
    expect(1953875350, -12600, "2031-12-01T03:39:10-0330");
    expect(1953875350, 20700, "2031-12-01T12:54:10+0545");
    expect(4107542400, 0, "2100-03-01T00:00:00+0000");         /* no leap year */
    expect(3600, -7200, "1970-01-01T00:00:00-0200");           /* before the beginning: the beginning */
}

static void test_every_day_of_centuries(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 200000; day++) {
        char wanted[DATE_TEXT];
        const time_t seconds = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(wanted, sizeof(wanted), "%FT%T+0000", &tm) > 0);
        expect((uint64_t)seconds, 0, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_moments),
        cmocka_unit_test(test_every_day_of_centuries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
