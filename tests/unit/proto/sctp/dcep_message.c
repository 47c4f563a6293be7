/* DCEP's OPEN: bytes as RFC 8832 5.1 draws them, and every kind of wrong one. */
#include "proto/sctp/dcep.h"

#include <string.h>

#include "proto/sctp/sctp.h"
#include "proto/sctp/sctp_types.h"
#include "support/seams.h"

static const uint8_t example[] = {
    3, 0x82, 1, 0, 0, 0, 0x13, 0x88, 0, 4, 0, 3, 'c', 'h', 'a', 't', 'r', 'a', 'w',
};

static void test_open_is_read(void **state)
{
    (void)state;
    struct dcep_open open;
    assert_true(dcep_open_parse(&open, VIEW(example, sizeof(example))));
    assert_int_equal(open.type, DCEP_LIFETIME | DCEP_UNORDERED);
    assert_int_equal(open.priority, DCEP_PRIORITY_NORMAL);
    assert_int_equal(open.limit, 5000);
    assert_int_equal(open.label.size, 4);
    assert_memory_equal(open.label.data, "chat", 4);
    assert_int_equal(open.protocol.size, 3);
    assert_memory_equal(open.protocol.data, "raw", 3);
}

static void test_open_is_written(void **state)
{
    (void)state;
    const struct dcep_open open = {.type = DCEP_LIFETIME | DCEP_UNORDERED, .priority = DCEP_PRIORITY_NORMAL, .limit = 5000,
                                   .label = VIEW("chat", 4), .protocol = VIEW("raw", 3)};
    uint8_t out[sizeof(example)];
    assert_int_equal(dcep_open_write(out, sizeof(out), &open), sizeof(example));
    assert_memory_equal(out, example, sizeof(example));
    for (size_t room = 0; room < sizeof(out); room++)
        assert_int_equal(dcep_open_write(out, room, &open), 0);
}

static void test_a_cut_open_is_none(void **state)
{
    (void)state;
    struct dcep_open open;
    for (size_t size = 0; size < sizeof(example); size++)
        assert_false(dcep_open_parse(&open, VIEW(example, size)));
}

static void test_unknown_types_are_refused(void **state)
{
    (void)state;
    struct dcep_open open;
    uint8_t bytes[sizeof(example)];
    memcpy(bytes, example, sizeof(bytes));
    for (unsigned type = 0; type < 256; type++) {
        bytes[1] = (uint8_t)type;
        assert_int_equal(dcep_open_parse(&open, VIEW(bytes, sizeof(bytes))), (type & 0x7f) <= 2);
    }
    bytes[1] = 0;
    for (unsigned message = 0; message < 256; message++) {
        bytes[0] = (uint8_t)message;
        assert_int_equal(dcep_open_parse(&open, VIEW(bytes, sizeof(bytes))), message == 3);
    }
}

static void test_empty_label_and_longer_message_are_fine(void **state)
{
    (void)state;
    struct dcep_open open;
    const uint8_t empty[16] = {3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x', 'x', 'x', 'x'};
    assert_true(dcep_open_parse(&open, VIEW(empty, 12)));
    assert_int_equal(open.label.size, 0);
    assert_int_equal(open.protocol.size, 0);
    assert_true(dcep_open_parse(&open, VIEW(empty, 16)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_is_read),
        cmocka_unit_test(test_open_is_written),
        cmocka_unit_test(test_a_cut_open_is_none),
        cmocka_unit_test(test_unknown_types_are_refused),
        cmocka_unit_test(test_empty_label_and_longer_message_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
