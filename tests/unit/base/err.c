#include "support/seams.h"

#include <string.h>

#include "base/err.h"

/* Every error has a name of its own, so that a log line says which. */
static void test_every_error_has_its_own_name(void **state)
{
    (void)state;
    for (int a = ERR_NONE; a <= ERR_TIMEOUT; a++) {
        assert_true(strlen(err_name((enum err)a)) > 0);
        assert_string_not_equal(err_name((enum err)a), "unknown");
        for (int b = ERR_NONE; b < a; b++)
            assert_string_not_equal(err_name((enum err)a), err_name((enum err)b));
    }
    assert_string_equal(err_name((enum err)(ERR_TIMEOUT + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_error_has_its_own_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
