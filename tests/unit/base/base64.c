#include "support/seams.h"

#include <string.h>

#include "base/base64.h"
#include "base/str.h"

/* RFC 4648 section 10. */
static void test_vectors(void **state)
{
    static const struct {
        const char *text, *bytes;
    } vectors[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"}, {"Zm9vYmFy", "foobar"}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(vectors); i++) {
        uint8_t out[8];
        size_t size = 99;
        assert_true(base64_decode(out, sizeof(out), &size, str_of(vectors[i].text)));
        assert_int_equal(size, strlen(vectors[i].bytes));
        assert_memory_equal(out, vectors[i].bytes, size);
    }
}

static void test_all_digits(void **state)
{
    uint8_t out[3];
    size_t size;
    (void)state;
    assert_true(base64_decode(out, 3, &size, STR("+/+/")));
    const uint8_t expected[3] = {0xFB, 0xFF, 0xBF};
    assert_memory_equal(out, expected, 3);
}

static void test_nonsense_is_refused(void **state)
{
    static const char *const texts[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "=g==", "Z===", "====", "Zm9v\n", "Zm-_", "Zm 9", "Z=9v"};
    uint8_t out[8];
    size_t size;
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(texts); i++)
        assert_false(base64_decode(out, sizeof(out), &size, str_of(texts[i])));
}

static void test_room_is_kept(void **state)
{
    uint8_t out[5] = {0, 0, 0, 0, 7};
    size_t size;
    (void)state;
    assert_false(base64_decode(out, 4, &size, STR("Zm9vYmE=")));
    assert_int_equal(out[4], 7);
    assert_true(base64_decode(out, 4, &size, STR("Zm9vYg==")));
    assert_int_equal(size, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_all_digits),
                                       cmocka_unit_test(test_nonsense_is_refused), cmocka_unit_test(test_room_is_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
