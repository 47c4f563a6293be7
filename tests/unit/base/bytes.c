#include "support/seams.h"

#include "base/bytes.h"

static void test_reads_in_network_order(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    struct reader r = reader_of(VIEW(data, sizeof(data)));
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_u16(&r), 0x0203);
    assert_int_equal(read_u24(&r), 0x040506);
    assert_int_equal(read_u32(&r), 0x0708090A);
    assert_int_equal(reader_left(&r), 2);
    assert_false(reader_failed(&r));
}

static void test_failure_sticks_and_gives_zeros(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3};
    struct reader r = reader_of(VIEW(data, sizeof(data)));
    assert_int_equal(read_u32(&r), 0x01020000);      /* the half that was there, then zeros */
    assert_true(reader_failed(&r));
    assert_int_equal(read_u8(&r), 0);
    struct reader empty = reader_of(VIEW(NULL, 0));
    assert_int_equal(read_u8(&empty), 0);
    assert_true(reader_failed(&empty));
}

static void test_writer_stops_at_its_room(void **state)
{
    (void)state;
    uint8_t out[5];
    struct writer w = writer_of(out, sizeof(out));
    write_u32(&w, 0xDEADBEEF);
    write_u16(&w, 1);
    assert_true(writer_failed(&w));
    write_u8(&w, 1);
    assert_int_equal(writer_size(&w), 4);
    assert_int_equal(get_u32(out), 0xDEADBEEF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_in_network_order),
        cmocka_unit_test(test_failure_sticks_and_gives_zeros),
        cmocka_unit_test(test_writer_stops_at_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
