/* Recordings as control orders them (control/record.h): names and folders, the end of their source, and failures. */
#include "control/call.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "control/probe_plugin.h"
#include "control/sdp_texts.h"

static struct server s;
static struct call publisher;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    server_start(&s);
    call_begin(&s, &publisher, 1);
    call_connect(&s, &publisher, SDP_CLIENT_OFFER, "");
    (void)probe_diary();
    return 0;
}

static struct ref start(unsigned line, const char *folder, const char *name)
{
    const struct record_options options = {.folder = folder, .name = name, .pt = 101, .description = "door"};
    return host_record_start(probe_host(), publisher.sources[line], &options);
}

/* The order's texts are these. */
static void expect_order(struct ref record, const char *folder, const char *name, const char *codec)
{
    uint32_t worker;
    const struct record_start_order *order = server_order(&s, WORKER_RECORD_START, &worker);
    assert_non_null(order);
    assert_int_equal(worker, publisher.peer.worker);
    assert_true(ref_equal(order->record, record));
    const char *at = order->text;
    assert_string_equal(at, folder);
    at += strlen(at) + 1;
    assert_string_equal(at, name);
    at += strlen(at) + 1;
    assert_string_equal(at, codec);
    at += strlen(at) + 1;
    assert_string_equal(at, "");
    assert_string_equal(at + 1, "door");
    assert_int_equal(order->pt, 101);
    assert_true(order->disk < DISKS);
}

static void expect_stop(struct ref record)
{
    const struct record_stop_order *order = server_order(&s, WORKER_RECORD_STOP, NULL);
    assert_non_null(order);
    assert_true(ref_equal(order->record, record));
}

static void test_folder_and_name(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *name, *to_folder, *to_name;
    } cases[] = {
        {NULL, "x", ".", "x"},           {NULL, "a/b/x", "a/b", "x"},      {NULL, "/x", "/", "x"},     {"/rec", "x", "/rec", "x"},
        {"/rec", "sub/x", "/rec", "sub/x"}, {"", "/tmp/y..z", "/tmp", "y..z"}, {"/rec", "...", "/rec", "..."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct ref record = start(1, cases[i].folder, cases[i].name);
        expect_order(record, cases[i].to_folder, cases[i].to_name, "vp8");
        host_record_stop(probe_host(), record);
        expect_stop(record);
    }
    (void)start(0, NULL, NULL);
    const struct record_start_order *order = server_order(&s, WORKER_RECORD_START, NULL);
    assert_memory_equal(order->text + 2, "janus-recording-", 16);
    server_end(&s);
}

static void test_names_that_are_refused(void **state)
{
    (void)state;
    static char endless[2000];
    memset(endless, 'x', sizeof(endless) - 1);
    const char *const names[] = {" x", "../x", "a/../x", "..", "a/..", "/..", "line\nbreak", "del\x7f", endless};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        assert_true(ref_is_none(start(0, i % 2 == 0 ? NULL : "/rec", names[i])));
    assert_int_equal(server_orders(&s, WORKER_RECORD_START), 0);
    assert_int_equal(control_counters(s.control)->records_refused, ARRAY_COUNT(names));
    assert_true(ref_is_none(host_record_start(probe_host(), REF_NONE, &(struct record_options){.name = "x"})));
    assert_int_equal(control_sizes(s.control).recordings, 0);
    server_end(&s);
}

/* Paths that are the same have the same helper, whoever asks. */
static void test_a_path_has_one_helper(void **state)
{
    (void)state;
    (void)start(0, "/a", "b");
    const struct record_start_order *order = server_order(&s, WORKER_RECORD_START, NULL);
    const uint8_t disk = order->disk;
    (void)start(1, NULL, "/a/b");
    order = server_order(&s, WORKER_RECORD_START, NULL);
    assert_int_equal(order->disk, disk);
    assert_int_equal(disk, disk_of("/a/b"));
    server_end(&s);
}

static void test_it_ends_with_its_source(void **state)
{
    (void)state;
    struct ref record = start(1, NULL, "x");
    server_say(&s, 1, "{\"janus\":\"hangup\",\"session_id\":%lld,\"handle_id\":%lld,\"transaction\":\"h\"}", publisher.session, publisher.handle);
    expect_stop(record);
    assert_int_equal(control_sizes(s.control).recordings, 0);
    assert_true(ref_is_none(start(1, NULL, "x")));      /* the source is going */
    host_record_stop(probe_host(), record);             /* nobody's: counted */
    assert_int_equal(server_orders(&s, WORKER_RECORD_STOP), 0);
    assert_int_equal(control_counters(s.control)->verbs_stale, 1);
    server_end(&s);
}

static void test_a_failure_is_told_once(void **state)
{
    (void)state;
    struct ref record = start(1, NULL, "x");
    struct record_done done = {.record = record, .error = "No space left on device"};
    server_fact(&s, CONTROL_RECORD_DONE, &done, sizeof(done));
    assert_string_equal(probe_diary(), "broken:No space left on device");
    expect_stop(record);                                /* its worker need not go on */
    assert_int_equal(control_sizes(s.control).recordings, 0);
    server_fact(&s, CONTROL_RECORD_DONE, &done, sizeof(done));
    assert_string_equal(probe_diary(), "");
    assert_int_equal(control_counters(s.control)->records_failed, 2);
    /* The end of one that was stopped is no news; its gaps are counted. */
    record = start(1, NULL, "y");
    host_record_stop(probe_host(), record);
    done = (struct record_done){.record = record, .fine = true, .gaps = 2};
    server_fact(&s, CONTROL_RECORD_DONE, &done, sizeof(done));
    assert_string_equal(probe_diary(), "");
    assert_int_equal(control_counters(s.control)->records_gaps, 2);
    server_end(&s);
}

static void test_recordings_are_bounded(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < RECORDINGS_MAX; i++)
        assert_false(ref_is_none(start(0, NULL, "x")));
    assert_true(ref_is_none(start(0, NULL, "x")));
    assert_int_equal(control_counters(s.control)->records_refused, 1);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_folder_and_name, setup),
        cmocka_unit_test_setup(test_names_that_are_refused, setup),
        cmocka_unit_test_setup(test_a_path_has_one_helper, setup),
        cmocka_unit_test_setup(test_it_ends_with_its_source, setup),
        cmocka_unit_test_setup(test_a_failure_is_told_once, setup),
        cmocka_unit_test_setup(test_recordings_are_bounded, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
