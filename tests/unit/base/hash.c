#include "support/seams.h"

#include <string.h>

#include "base/hash.h"
#include "base/rng.h"

static void test_hash_depends_on_key_and_every_byte(void **state)
{
    (void)state;
    struct hash_key a = {1, 2}, b = {1, 3};
    uint8_t text[40] = "the quick brown fox jumps over the dog.";
    uint64_t base = hash_bytes(&a, VIEW(text, sizeof(text)));
    assert_true(base == hash_bytes(&a, VIEW(text, sizeof(text))));
    assert_true(base != hash_bytes(&b, VIEW(text, sizeof(text))));
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] ^= 1;
        assert_true(base != hash_bytes(&a, VIEW(text, sizeof(text))));
        text[i] ^= 1;
        assert_true(base != hash_bytes(&a, VIEW(text, i)));
    }
}

static void count_up(void *source, uint8_t *out, size_t size)
{
    uint8_t *next = source;
    for (size_t i = 0; i < size; i++)
        out[i] = (*next)++;
}

static void test_rng_gives_the_source_in_order(void **state)
{
    (void)state;
    struct rng rng;
    uint8_t next = 0, out[600];
    rng_init(&rng, count_up, &next);
    rng_bytes(&rng, out, sizeof(out));
    for (size_t i = 0; i < sizeof(out); i++)
        assert_int_equal(out[i], (uint8_t)i);
    char text[25];
    rng_text(&rng, text, 24);
    assert_int_equal(strlen(text), 24);
    for (int i = 0; i < 1000; i++) {
        uint64_t id = rng_id53(&rng);
        assert_true(id > 0 && id < (1ull << 53));
    }
}

static void test_uuids_are_of_version_4(void **state)
{
    (void)state;
    struct rng rng;
    uint8_t next = 0;
    char text[RNG_UUID_TEXT];
    rng_init(&rng, count_up, &next);
    rng_uuid(&rng, text);
    assert_int_equal(strlen(text), 36);
    assert_int_equal(text[14], '4');
    assert_non_null(strchr("89ab", text[19]));
    for (size_t i = 0; i < 36; i++)
        assert_int_equal(text[i] == '-', i == 8 || i == 13 || i == 18 || i == 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_depends_on_key_and_every_byte),
        cmocka_unit_test(test_rng_gives_the_source_in_order),
        cmocka_unit_test(test_uuids_are_of_version_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
