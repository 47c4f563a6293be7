/* The checksum: RFC 3720 B.4's examples, and instruction and table agree on every length and alignment. */
#include "proto/sctp/crc32c.h"

#include <string.h>

#include "support/seams.h"

static void test_vectors_of_rfc_3720(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    assert_int_equal(crc32c(0, VIEW(bytes, 32)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(crc32c(0, VIEW(bytes, 32)), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, VIEW(bytes, 32)), 0x46dd794e);
    assert_int_equal(crc32c(0, VIEW("123456789", 9)), 0xe3069283);
    assert_int_equal(crc32c(0, VIEW(bytes, 0)), 0);
}

static void test_table_and_instruction_agree(void **state)
{
    (void)state;
    uint8_t bytes[300];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 167 + i / 7);
    for (size_t from = 0; from < 9; from++)
        for (size_t size = 0; size < 200; size++)
            assert_int_equal(crc32c(0, VIEW(bytes + from, size)), crc32c_by_table(0, VIEW(bytes + from, size)));
}

static void test_pieces_make_the_whole(void **state)
{
    (void)state;
    const char *text = "a checksum that goes on where it stopped";
    const size_t size = strlen(text);
    for (size_t cut = 0; cut <= size; cut++) {
        const uint32_t before = crc32c(0, VIEW(text, cut));
        assert_int_equal(crc32c(before, VIEW(text + cut, size - cut)), crc32c(0, VIEW(text, size)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_of_rfc_3720),
        cmocka_unit_test(test_table_and_instruction_agree),
        cmocka_unit_test(test_pieces_make_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
