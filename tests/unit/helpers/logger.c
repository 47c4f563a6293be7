/* helpers/logger: the form of lines, rotation, lost lines, and a standard output that nobody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "helpers/logger.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/log.h"

static const struct actor_ops no_ops = {.on_turn = NULL};

struct stage {
    struct actors *set;
    struct actor *writer;
    struct actor *log;
    struct logger *logger;
};

static struct stage open_stage(const struct logger_options *options)
{
    struct stage s = {.set = actors_new()};
    s.log = actor_new(s.set, ACTOR_LOG, "log");
    s.writer = actor_new(s.set, ACTOR_MAIN, "main");        /* after the log: it has its lane */
    s.logger = logger_new(s.log, options);
    assert_non_null(s.logger);
    actor_serve(s.writer, &no_ops, NULL);
    actor_serve(s.log, &logger_ops, s.logger);
    actors_wire(s.set);
    return s;
}

static void close_stage(struct stage *s)
{
    actor_ask_stop(s->writer, ACTOR_LOG);
    actor_flush(s->writer);
    actor_join(s->log);
    logger_free(s->logger);
    actors_free(s->set);
}

static char path[64], moved[80];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/cardea-log-XXXXXX");
    int fd = mkstemp(path);
    snprintf(moved, sizeof(moved), "%s.1", path);
    return fd < 0 || close(fd) != 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    unlink(moved);
    return 0;
}

static void assert_file(const char *name, const char *expected)
{
    struct buf text;
    buf_init(&text, 1 << 22);
    assert_int_equal(file_read(name, &text), ERR_NONE);
    assert_string_equal(buf_text(&text), expected);
    buf_fini(&text);
}

static void test_lines_have_the_form_of_the_reference(void **state)
{
    (void)state;
    struct logger_options options = {.file = path, .prefix = "[me] ", .colors = true};
    FILE *file = fopen(path, "w");
    fputs("before\n", file);
    fclose(file);
    struct stage s = open_stage(&options);
    log_set_level(s.set, LOG_LEVEL_DBG);
    LOG_INFO(s.writer, "kept until the log runs");
    assert_true(actor_start(s.log));
    log_write(s.writer, LOG_LEVEL_FATAL, "a/b/file.c", "function", 12, "f %d", 1);
    log_write(s.writer, LOG_LEVEL_ERR, "file.c", "function", 12, "e");
    log_write(s.writer, LOG_LEVEL_WARN, "file.c", "function", 12, "w");
    log_write(s.writer, LOG_LEVEL_VERB, "file.c", "function", 12, "v\nforged line \x1b[31m\ttab, C1 \xC2\x9B" "31m, \xC4\x9B\xC2\xA0");
    log_write(s.writer, LOG_LEVEL_DBG, "file.c", "function", 12, "d");
    log_set_level(s.set, LOG_LEVEL_ERR);
    LOG_WARN(s.writer, "not wanted any more");
    close_stage(&s);
    assert_file(path, "before\n[me] kept until the log runs\n[me] [FATAL] [file.c:function:12] f 1\n[me] [ERR] [file.c:function:12] e\n"
        "[me] [WARN] w\n[me] v forged line ?[31m tab, C1 ??31m, \xC4\x9B\xC2\xA0\n[me] [file.c:function:12] d\n");
}

static void test_timestamps_are_local_time_in_brackets(void **state)
{
    (void)state;
    struct logger_options options = {.file = path, .timestamps = true};
    setenv("TZ", "UTC", 1);
    struct stage s = open_stage(&options);
    struct log_record record = {.wall_us = 1741083072000000u, .level = LOG_LEVEL_INFO};
    assert_true(relay_push(s.writer, ACTOR_LOG, VIEW(&record, sizeof(record)), STR("text")));
    assert_true(actor_start(s.log));
    close_stage(&s);
    assert_file(path, "[Tue Mar  4 10:11:12 2025] text\n");
}

static void test_rotation_opens_the_path_again(void **state)
{
    (void)state;
    struct logger_options options = {.file = path};
    struct stage s = open_stage(&options);
    assert_true(actor_start(s.log));
    LOG_INFO(s.writer, "old");
    actor_flush(s.writer);
    struct buf text;
    buf_init(&text, 1000);
    while (text.size == 0) {
        usleep(1000);
        assert_int_equal(file_read(path, &text), ERR_NONE);
    }
    buf_fini(&text);
    assert_int_equal(rename(path, moved), 0);
    actor_send(s.writer, ACTOR_LOG, LOG_ROTATE, NULL, 0);
    actor_flush(s.writer);
    while (access(path, F_OK) != 0)
        usleep(1000);
    LOG_INFO(s.writer, "new");
    close_stage(&s);
    assert_file(moved, "old\n");
    assert_file(path, "new\n");
}

static void test_lines_beyond_the_lane_are_lost_and_told(void **state)
{
    (void)state;
    struct logger_options options = {.file = path};
    struct stage s = open_stage(&options);
    char filler[1500];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    uint32_t lines = 0;
    for (; log_dropped(s.set) < 5; lines++)         /* nobody reads yet */
        LOG_INFO(s.writer, "%s", filler);
    assert_true(lines > 140 && lines < 200);
    assert_true(actor_start(s.log));
    close_stage(&s);
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(path, &text), ERR_NONE);
    assert_non_null(strstr(buf_text(&text), "[WARN] 5 log lines were lost"));
    buf_fini(&text);
}

static void test_a_long_line_is_cut(void **state)
{
    (void)state;
    struct logger_options options = {.file = path};
    struct stage s = open_stage(&options);
    static char filler[5000];
    memset(filler, 'x', sizeof(filler) - 1);
    LOG_INFO(s.writer, "%s", filler);
    assert_true(actor_start(s.log));
    close_stage(&s);
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(path, &text), ERR_NONE);
    assert_int_equal(text.size, LOG_LINE_MAX + 1);
    assert_string_equal(buf_text(&text) + LOG_LINE_MAX - 4, "x...\n");
    buf_fini(&text);
}

static void test_a_stuck_reader_of_standard_output_costs_lines_not_the_end(void **state)
{
    (void)state;
    int ends[2], saved = dup(STDOUT_FILENO);
    assert_int_equal(pipe(ends), 0);
    struct logger_options options = {.to_stdout = true, .file = path};
    struct stage s = open_stage(&options);
    fflush(stdout);
    dup2(ends[1], STDOUT_FILENO);                   /* and nobody reads ends[0] */
    assert_true(actor_start(s.log));
    char filler[1500];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    usec_t begun = clock_now();
    for (int i = 0; i < 300; i++) {
        LOG_INFO(s.writer, "%s", filler);
        actor_flush(s.writer);
        usleep(1000);
    }
    close_stage(&s);
    usec_t took = clock_now() - begun;
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
    assert_true(took < SEC(20));
}

static void test_a_file_that_cannot_be_opened_is_an_error(void **state)
{
    (void)state;
    struct logger_options options = {.file = "/nonexistent/folder/log"};
    assert_null(logger_new(NULL, &options));
    assert_int_equal(errno, ENOENT);
    logger_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines_have_the_form_of_the_reference),
        TEST(test_timestamps_are_local_time_in_brackets),
        TEST(test_rotation_opens_the_path_again),
        TEST(test_lines_beyond_the_lane_are_lost_and_told),
        TEST(test_a_long_line_is_cut),
        TEST(test_a_stuck_reader_of_standard_output_costs_lines_not_the_end),
        cmocka_unit_test(test_a_file_that_cannot_be_opened_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
