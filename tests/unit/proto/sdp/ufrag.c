#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "proto/sdp/ufrag.h"

static void fill(void *source, uint8_t *out, size_t size)
{
    memset(out, *(const uint8_t *)source, size);
}

static void test_a_fragment_names_its_peer(void **state)
{
    (void)state;
    static const struct ref peers[] = {{0, 1}, {1, 2}, {4711, 0xABCDEF}, {UFRAG_PART_LIMIT - 1, UFRAG_PART_LIMIT - 1}, {7, UINT32_MAX}};
    uint8_t random = 5;
    struct rng rng;
    rng_init(&rng, fill, &random);
    for (size_t i = 0; i < ARRAY_COUNT(peers); i++) {
        char text[UFRAG_CHARS + 1];
        uint32_t slot, generation;
        ufrag_write(text, peers[i], &rng);
        assert_int_equal(strlen(text), UFRAG_CHARS);
        assert_true(ufrag_parse(str_of(text), &slot, &generation));
        assert_int_equal(slot, peers[i].slot);
        assert_int_equal(generation, peers[i].generation & (UFRAG_PART_LIMIT - 1));
    }
}

static void test_foreign_fragments_name_nobody(void **state)
{
    (void)state;
    static const char *const foreign[] = {"", "9gQk", "AAAAAAAAAAA", "AAAA-AAAAAAA", "AAAAAAA:AAAA", "\xc3\xa9.AAAAAAAAAA"};
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++) {
        uint32_t slot, generation;
        assert_false(ufrag_parse(str_of(foreign[i]), &slot, &generation));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fragment_names_its_peer),
        cmocka_unit_test(test_foreign_fragments_name_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
