/* The last lines of the log: bounded, told from a line on, and JSON whatever is in them. */
#include "helpers/log_ring.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "support/seams.h"

static struct log_ring ring;

static void add(const char *text)
{
    struct log_record record = {.wall_us = 1234567, .level = LOG_LEVEL_WARN};
    snprintf(record.where, sizeof(record.where), "file.c:function:12");
    log_ring_add(&ring, &record, str_of(text));
}

static json_t *lines_after(uint64_t after)
{
    struct buf out;
    buf_init(&out, 16u << 20);
    log_ring_write(&ring, after, &out);
    json_t *root = json_loadb((const char *)out.data, out.size, 0, NULL);
    assert_non_null(root);
    buf_fini(&out);
    return root;
}

static size_t count_after(uint64_t after)
{
    json_t *root = lines_after(after);
    const size_t count = json_array_size(json_object_get(root, "lines"));
    json_decref(root);
    return count;
}

static void test_lines_are_told_from_one_on(void **state)
{
    (void)state;
    log_ring_init(&ring);
    assert_int_equal(count_after(0), 0);
    add("one");
    add("two");
    add("three");
    json_t *root = lines_after(1);
    assert_int_equal(json_integer_value(json_object_get(root, "last")), 3);
    json_t *line = json_array_get(json_object_get(root, "lines"), 0);
    assert_string_equal(json_string_value(json_object_get(line, "text")), "two");
    assert_string_equal(json_string_value(json_object_get(line, "where")), "file.c:function:12");
    assert_int_equal(json_integer_value(json_object_get(line, "level")), LOG_LEVEL_WARN);
    assert_int_equal(json_integer_value(json_object_get(line, "time")), 1234);
    json_decref(root);
    assert_int_equal(count_after(3), 0);
    assert_int_equal(count_after(1000), 3);             /* the page knows lines of before a restart */
    log_ring_fini(&ring);
}

static void test_the_oldest_make_room(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX];
    log_ring_init(&ring);
    for (unsigned i = 0; i < LOG_RING_LINES + 10; i++)
        add("short");
    assert_int_equal(count_after(0), LOG_RING_LINES);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (unsigned i = 0; i < LOG_RING_LINES; i++)
        add(text);
    assert_true(ring.bytes <= LOG_RING_BYTES);
    assert_true(ring.count > 100 && ring.count < LOG_RING_LINES);
    log_ring_fini(&ring);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_what_is_no_utf8_is_json_all_the_same(void **state)
{
    (void)state;
    log_ring_init(&ring);
    add("caf\xc3\xa9 \"quoted\"");
    add("cut \xc3");
    json_t *root = lines_after(0), *lines = json_object_get(root, "lines");
    assert_string_equal(json_string_value(json_object_get(json_array_get(lines, 0), "text")), "caf\xc3\xa9 \"quoted\"");
    assert_string_equal(json_string_value(json_object_get(json_array_get(lines, 1), "text")), "cut ?");
    json_decref(root);
    log_ring_fini(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_told_from_one_on),
        cmocka_unit_test(test_the_oldest_make_room),
        cmocka_unit_test(test_what_is_no_utf8_is_json_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
