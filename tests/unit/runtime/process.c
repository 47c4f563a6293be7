/* runtime/process, clock, watchdog: what a server does to its own process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/actor.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"
#include "runtime/file.h"
#include "runtime/process.h"
#include "runtime/watchdog.h"

/* ---- pid file */

static void test_a_pid_file_is_held_by_one_process(void **state)
{
    (void)state;
    char path[] = "/tmp/cardea-pid-XXXXXX";
    close(mkstemp(path));
    int fd = process_pid_file_open(path);
    assert_true(fd >= 0);
    struct buf text;
    buf_init(&text, 100);
    char expected[24];
    snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
    assert_int_equal(file_read(path, &text), ERR_NONE);
    assert_string_equal(buf_text(&text), expected);
    buf_fini(&text);
    pid_t other = fork();               /* a lock is the process's: only another one can be refused */
    if (other == 0)
        _exit(process_pid_file_open(path) == -1 && errno == EAGAIN ? 0 : 1);
    int status;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
    process_pid_file_close(fd, path);
    assert_int_equal(access(path, F_OK), -1);
    process_pid_file_close(-1, path);
    assert_int_equal(process_pid_file_open("/nonexistent/folder/pid"), -1);
}

/* ---- daemon mode: the parent exits with what the child says */

static int daemon_exit_code(int said)
{
    pid_t parent = fork();
    if (parent == 0) {
        int ready = process_daemonize("/tmp", false);
        if (said < 0)
            _exit(0);                   /* the daemon dies without a word */
        process_daemon_ready(ready, said);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_the_parent_exits_with_the_daemons_start_up_code(void **state)
{
    (void)state;
    assert_int_equal(daemon_exit_code(0), 0);
    assert_int_equal(daemon_exit_code(1), 1);
    assert_int_equal(daemon_exit_code(-1), 1);
}

/* ---- signals, limits, files, entropy */

static void test_signals_are_read_from_a_descriptor(void **state)
{
    (void)state;
    int fd = process_signals_open((const int[]){SIGUSR1, SIGTERM, 0});
    assert_true(fd >= 0);
    assert_int_equal(process_signals_read(fd), 0);
    raise(SIGUSR1);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(process_signals_read(fd), SIGUSR1);
    assert_int_equal(process_signals_read(fd), 0);
    raise(SIGPIPE);                     /* ignored, or this test ends here */
    close(fd);
}

static void test_the_limit_of_descriptors_is_compared(void **state)
{
    (void)state;
    struct rlimit limit;
    uint64_t seen;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(process_check_descriptors(0, &seen));
    assert_true(process_check_descriptors((int64_t)limit.rlim_cur, &seen));
    assert_false(process_check_descriptors((int64_t)limit.rlim_cur + 1, &seen));
    assert_true(seen == limit.rlim_cur);
    assert_true(process_cores() >= 1);
}

static void test_a_file_is_read_up_to_a_limit(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 10);
    assert_int_equal(file_read("/tmp", &text), ERR_IO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(file_read("/nonexistent", &text), ERR_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(file_read("/dev/zero", &text), ERR_FULL);
    buf_fini(&text);
}

static void test_entropy_differs_each_time(void **state)
{
    (void)state;
    struct rng a, b;
    rng_init(&a, entropy_fill, NULL);
    rng_init(&b, entropy_fill, NULL);
    uint8_t first[600], second[600];
    rng_bytes(&a, first, sizeof(first));
    rng_bytes(&b, second, sizeof(second));
    assert_memory_not_equal(first, second, sizeof(first));
    assert_memory_not_equal(first, first + 300, 300);
}

/* ---- clocks */

static void test_gettimeofday_is_ours_and_follows_the_wall_clock_off_actors(void **state)
{
    (void)state;
    uint64_t calls = gettimeofday_calls();
    struct timeval tv;
    assert_int_equal(gettimeofday(&tv, NULL), 0);
    assert_int_equal(gettimeofday_calls(), calls + 1);
    uint64_t wall = clock_wall_us();
    uint64_t got = SEC(tv.tv_sec) + (uint64_t)tv.tv_usec;
    assert_true(got <= wall && wall - got < SEC(10));
}

struct clock_seen {
    struct actor *actor;
    uint64_t first, second, wall;
    usec_t now;
};

static void look_at_clocks(void *owner, usec_t now)
{
    struct clock_seen *seen = owner;
    struct timeval tv;
    gettimeofday(&tv, NULL);
    seen->first = SEC(tv.tv_sec) + (uint64_t)tv.tv_usec;
    usleep(3000);
    gettimeofday(&tv, NULL);
    seen->second = SEC(tv.tv_sec) + (uint64_t)tv.tv_usec;
    seen->wall = actor_wall_us(seen->actor);
    seen->now = now;
    actor_stop(seen->actor);
}

static void test_on_an_actor_gettimeofday_stands_still_within_a_turn(void **state)
{
    (void)state;
    static const struct actor_ops ops = {.on_turn = look_at_clocks, .deadline = NULL};
    struct actors *set = actors_new();
    struct clock_seen seen = {.actor = actor_new(set, ACTOR_MAIN, "main")};
    actor_serve(seen.actor, &ops, &seen);
    actors_wire(set);
    actor_send(seen.actor, ACTOR_MAIN, 1, NULL, 0);       /* to oneself: a reason for a turn */
    actor_run(seen.actor);
    assert_true(seen.first == seen.second);
    uint64_t apart = seen.first > seen.wall ? seen.first - seen.wall : seen.wall - seen.first;
    assert_true(apart < SEC(2));
    assert_true(actor_now(seen.actor) == seen.now);
    actors_free(set);
}

/* ---- watchdog */

struct sleeper {
    struct actor *actor;
    _Atomic bool hold;
};

static void hold_turn(void *owner, usec_t now, const struct message *m)
{
    struct sleeper *s = owner;
    (void)now;
    (void)m;
    while (s->hold)
        usleep(1000);
}

static uint32_t looks_until_stuck(struct watchdog *w, struct actors *set, usec_t *now, usec_t step, struct actor **stuck)
{
    for (uint32_t n = 1; n <= 3 * WATCHDOG_LOOKS; n++) {
        *now += step;
        *stuck = watchdog_look(w, set, *now);
        if (*stuck != NULL)
            return n;
    }
    return 0;
}

static void wait_for_turn(struct actor *actor, bool in_turn)
{
    while ((actor_pulse(actor).beat % 2 == 1) != in_turn)
        usleep(1000);
}

static void look_at_sleeper(bool may_block, bool expect_stuck)
{
    struct actor_ops ops = {.on_message = hold_turn, .may_block = may_block};
    struct sleeper s = {.hold = true};
    struct watchdog w = {0};
    struct actors *set = actors_new();
    struct actor *director = actor_new(set, ACTOR_MAIN, "main"), *stuck;
    s.actor = actor_new(set, ACTOR_WORKER_0, "worker 0");
    actor_serve(director, &ops, &s);
    actor_serve(s.actor, &ops, &s);
    actors_wire(set);
    usec_t now = SEC(100);
    assert_true(actor_start(s.actor));
    assert_int_equal(looks_until_stuck(&w, set, &now, SEC(1), &stuck), 0);      /* idle is not stuck */
    actor_send(director, ACTOR_WORKER_0, 77, NULL, 0);
    actor_flush(director);
    wait_for_turn(s.actor, true);
    assert_int_equal(looks_until_stuck(&w, set, &now, SEC(3), &stuck), 0);      /* main itself was stopped, each time */
    uint32_t looks = looks_until_stuck(&w, set, &now, SEC(1), &stuck);
    if (expect_stuck) {
        assert_true(looks >= WATCHDOG_LOOKS && looks <= WATCHDOG_LOOKS + 1);
        assert_ptr_equal(stuck, s.actor);
        assert_int_equal(actor_pulse(stuck).last_type, 77);
    } else {
        assert_int_equal(looks, 0);
    }
    s.hold = false;
    wait_for_turn(s.actor, false);
    assert_int_equal(looks_until_stuck(&w, set, &now, SEC(1), &stuck), 0);
    actor_ask_stop(director, ACTOR_WORKER_0);
    actor_flush(director);
    actor_join(s.actor);
    actors_free(set);
}

static void test_an_unfinished_turn_is_found_and_a_stopped_process_is_not_blamed(void **state)
{
    (void)state;
    look_at_sleeper(false, true);
}

static void test_a_helper_may_block(void **state)
{
    (void)state;
    look_at_sleeper(true, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pid_file_is_held_by_one_process),
        cmocka_unit_test(test_the_parent_exits_with_the_daemons_start_up_code),
        cmocka_unit_test(test_signals_are_read_from_a_descriptor),
        cmocka_unit_test(test_the_limit_of_descriptors_is_compared),
        cmocka_unit_test(test_a_file_is_read_up_to_a_limit),
        cmocka_unit_test(test_entropy_differs_each_time),
        cmocka_unit_test(test_gettimeofday_is_ours_and_follows_the_wall_clock_off_actors),
        cmocka_unit_test(test_on_an_actor_gettimeofday_stands_still_within_a_turn),
        cmocka_unit_test(test_an_unfinished_turn_is_found_and_a_stopped_process_is_not_blamed),
        cmocka_unit_test(test_a_helper_may_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
