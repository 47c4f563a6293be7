/* What redundant audio is about (RFC 2198). */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "proto/rtp/red.h"

static void test_the_primary_encoding_stands_last(void **state)
{
    (void)state;
    /* One redundant block of 3 bytes, then the primary one. */
    const uint8_t two[] = {0x80 | 111, 0x0F, 0x00, 0x03, 111, 'o', 'l', 'd', 'n', 'e', 'w'};
    struct view out;
    assert_true(red_primary(VIEW(two, sizeof(two)), &out));
    assert_int_equal(out.size, 3);
    assert_memory_equal(out.data, "new", 3);
    uint8_t pt = 0;
    assert_true(red_primary_pt(VIEW(two, sizeof(two)), &pt));
    assert_int_equal(pt, 111);
    assert_false(red_primary_pt(VIEW(two, 4), &pt));
    const uint8_t alone[] = {111, 'n', 'e', 'w'};
    assert_true(red_primary(VIEW(alone, sizeof(alone)), &out));
    assert_memory_equal(out.data, "new", 3);
}

/* Block lengths are 10 bits: the offset's own bits above them are none of it. */
static void test_lengths_are_ten_bits(void **state)
{
    (void)state;
    uint8_t packet[4 + 1 + 1023 + 2] = {0x80 | 111, 0xFF, 0xFF, 0xFF, 111};
    struct view out;
    packet[sizeof(packet) - 2] = 7;
    assert_true(red_primary(VIEW(packet, sizeof(packet)), &out));
    assert_int_equal(out.size, 2);
    assert_int_equal(out.data[0], 7);
}

static void test_what_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    const uint8_t whole[] = {0x80 | 111, 0, 0, 2, 0x80 | 111, 0, 0, 3, 111, 'a', 'a', 'b', 'b', 'b', 'n'};
    struct view out;
    assert_true(red_primary(VIEW(whole, sizeof(whole)), &out));
    for (size_t size = 0; size < sizeof(whole); size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, whole, size);
        assert_false(red_primary(VIEW(cut, size), &out));
        free(cut);
    }
    uint8_t endless[64];
    memset(endless, 0xFF, sizeof(endless));
    assert_false(red_primary(VIEW(endless, sizeof(endless)), &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_primary_encoding_stands_last), cmocka_unit_test(test_lengths_are_ten_bits),
                                       cmocka_unit_test(test_what_is_cut_anywhere_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
