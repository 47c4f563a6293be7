/* helpers/disk: whole files are the old one or the new one, whatever happens; every order is answered. The disk is a real folder; what
 * a real disk doesn't do when asked (to be full, to break) the double of runtime/storage.h below does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "helpers/disk.h"
#include "msg/control.h"
#include "runtime/file.h"
#include "runtime/storage.h"

/* ---- faults, from outside: the linker puts these in front of the real ones (--wrap) ---- */

static int fail_at;                     /* the n-th call from now fails; 0: none */
static int fail_with;

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
}

#define WRAP(name, params, args)                        \
    int __real_storage_##name params;                   \
    int __wrap_storage_##name params;                   \
    int __wrap_storage_##name params                    \
    {                                                   \
        return fails() ? fail_with : __real_storage_##name args; \
    }
WRAP(resolve, (const char *path, char out[STORAGE_PATH_MAX]), (path, out))
WRAP(create, (const char *path, const char *like, int *fd), (path, like, fd))
WRAP(sync, (int fd), (fd))
WRAP(rename, (const char *from, const char *to), (from, to))
WRAP(sync_folder, (const char *path), (path))

int __real_storage_write(int fd, struct view bytes, size_t *written);
int __wrap_storage_write(int fd, struct view bytes, size_t *written);
int __wrap_storage_write(int fd, struct view bytes, size_t *written)
{
    if (!fails())
        return __real_storage_write(fd, bytes, written);
    (void)__real_storage_write(fd, VIEW(bytes.data, bytes.size / 2), written);
    return fail_with;
}

/* ---- one helper and who asks it ---- */

struct asker {
    struct actors *set;
    struct actor *actor;
    struct actor *disk_actor;
    struct disk *disk;
    uint32_t answers, due;
    struct disk_done last;
    struct ref op;
};

static void hear(void *owner, usec_t now, const struct message *m)
{
    struct asker *a = owner;
    (void)now;
    if (m->type == CONTROL_DISK_DONE) {
        assert_int_equal(m->size, sizeof(a->last));
        memcpy(&a->last, m->payload, sizeof(a->last));
        a->op = m->op;
        if (++a->answers == a->due)
            actor_ask_stop(a->actor, ACTOR_DISK_0);
    } else if (m->type == ACTOR_STOPPED) {
        actor_join(actors_get(a->set, m->from));
        actor_stop(a->actor);
    }
}

static const struct actor_ops asker_ops = {.on_message = hear};

static void begin(struct asker *a)
{
    *a = (struct asker){.set = actors_new()};
    a->actor = actor_new(a->set, ACTOR_MAIN, "main");
    a->disk_actor = actor_new(a->set, ACTOR_DISK_0, "disk");
    a->disk = disk_new(a->disk_actor);
    actor_serve(a->actor, &asker_ops, a);
    actor_serve(a->disk_actor, &disk_ops, a->disk);
    actors_wire(a->set);
}

/* All orders have been sent: answers come, then the helper ends. */
static void run(struct asker *a)
{
    if (a->due == 0)
        actor_ask_stop(a->actor, ACTOR_DISK_0);
    assert_true(actor_start(a->disk_actor));
    actor_flush(a->actor);
    actor_run(a->actor);
    assert_int_equal(a->answers, a->due);
}

static void end(struct asker *a)
{
    disk_free(a->disk);
    actors_free(a->set);
}

static void ask_save(struct asker *a, const char *path, const char *bytes)
{
    struct disk_save head = {.path_size = (uint32_t)strlen(path) + 1, .size = (uint32_t)strlen(bytes)};
    char text[4096];
    memcpy(text, path, head.path_size);
    memcpy(text + head.path_size, bytes, head.size);
    actor_send_parts(a->actor, ACTOR_DISK_0, DISK_SAVE, (struct ref){7, ++a->due}, VIEW(&head, sizeof(head)), VIEW(text, head.path_size + head.size));
}

/* One save, its answer in a->last. */
static void save(struct asker *a, const char *path, const char *bytes)
{
    begin(a);
    ask_save(a, path, bytes);
    run(a);
    assert_true(ref_equal(a->op, (struct ref){7, 1}));
    end(a);
}

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[2][300];
    static int n;
    n = !n;
    snprintf(path[n], sizeof(path[n]), "%s/%s", folder, name);
    return path[n];
}

static void expect_file(const char *path, const char *expected)
{
    struct buf text;
    buf_init(&text, 1u << 20);
    enum err err = file_read(path, &text);
    if (expected == NULL)
        assert_int_equal(err, ERR_IO);
    else
        assert_string_equal(buf_text(&text), expected);
    buf_fini(&text);
}

static int make_folder(void **state)
{
    (void)state;
    fail_at = 0;
    snprintf(folder, sizeof(folder), "/tmp/cardea-disk-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int drop_folder(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* ---- saves ---- */

static void test_a_new_file_and_a_file_that_is_there(void **state)
{
    (void)state;
    struct asker a;
    save(&a, in_folder("rooms"), "first");
    assert_true(a.last.fine);
    expect_file(in_folder("rooms"), "first");
    save(&a, in_folder("rooms"), "second, and longer");
    save(&a, in_folder("rooms"), "");
    assert_true(a.last.fine);
    expect_file(in_folder("rooms"), "");
    expect_file(in_folder("rooms.new"), NULL);
}

static void test_mode_and_link_of_the_old_file_stay(void **state)
{
    (void)state;
    struct asker a;
    struct stat st;
    save(&a, in_folder("real"), "old");
    assert_int_equal(chmod(in_folder("real"), 0600), 0);
    assert_int_equal(symlink("real", in_folder("link")), 0);
    save(&a, in_folder("link"), "new");
    assert_true(a.last.fine);
    expect_file(in_folder("real"), "new");
    assert_int_equal(stat(in_folder("real"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);          /* its secrets stay its owner's */
    assert_int_equal(lstat(in_folder("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void test_what_cant_be_saved_is_told_and_the_old_file_stays(void **state)
{
    (void)state;
    struct asker a;
    char text[200], long_path[1400];
    save(&a, in_folder("no/such/folder/rooms"), "x");
    assert_false(a.last.fine);
    snprintf(text, sizeof(text), "%s: No such file or directory", in_folder("no/such/folder/rooms"));
    assert_string_equal(a.last.error, text);
    memset(long_path, 'a', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    save(&a, long_path, "x");
    assert_false(a.last.fine);
    save(&a, folder, "x");
    assert_false(a.last.fine);
}

/* Each call on the way fails once: the answer says so, the old file is whole, and nothing is left over. */
static void test_every_failure_leaves_the_old_file(void **state)
{
    (void)state;
    struct asker a;
    static const int errors[] = {ENOSPC, EIO, EROFS, EACCES};
    save(&a, in_folder("rooms"), "the old one");
    int call = 0;
    do {
        fail_at = ++call;
        fail_with = errors[call % ARRAY_COUNT(errors)];
        save(&a, in_folder("rooms"), "the new one");
        expect_file(in_folder("rooms.new"), NULL);
        if (call < 5)                                   /* resolve, create, write, sync, rename: not there yet */
            expect_file(in_folder("rooms"), "the old one");
        assert_int_equal(a.last.fine, fail_at > 0);
    } while (fail_at == 0);
    assert_int_equal(call, 7);                          /* the folder's sync was the sixth */
    expect_file(in_folder("rooms"), "the new one");
}

static void test_saves_of_one_path_happen_in_order(void **state)
{
    (void)state;
    struct asker a;
    char text[16];
    begin(&a);
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "number %d", i);
        ask_save(&a, in_folder("rooms"), text);
    }
    run(&a);
    assert_int_equal(disk_counters(a.disk)->saves, 50);
    end(&a);
    expect_file(in_folder("rooms"), "number 49");
}

/* Killed at many moments while it saves two texts in turn: what is there afterwards is one of them, never half of one. */
static void test_a_kill_at_any_moment_leaves_a_whole_file(void **state)
{
    (void)state;
    enum { BYTES = 3000, KILLS = 60 };
    static char texts[2][BYTES + 1];
    struct asker a;
    struct buf got;
    unsigned seen[2] = {0};
    for (int i = 0; i < 2; i++)
        memset(texts[i], 'a' + i, BYTES);
    save(&a, in_folder("rooms"), texts[0]);
    buf_init(&got, 1u << 16);
    for (int kill_at = 0; kill_at < KILLS; kill_at++) {
        int ready[2];
        char byte;
        assert_int_equal(pipe(ready), 0);
        pid_t child = fork();
        if (child == 0) {
            if (write(ready[1], "x", 1) == 1)
                for (int i = 1;; i = !i)
                    save(&a, in_folder("rooms"), texts[i]);
            _exit(1);
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        usleep((useconds_t)(kill_at * 97));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        close(ready[0]);
        close(ready[1]);
        buf_clear(&got);
        assert_int_equal(file_read(in_folder("rooms"), &got), ERR_NONE);
        assert_int_equal(got.size, BYTES);
        const int which = got.data[0] == 'b';
        assert_memory_equal(got.data, texts[which], BYTES);
        seen[which]++;
    }
    assert_true(seen[0] > 0 && seen[1] > 0);            /* else it was never killed in between */
    buf_fini(&got);
}

static void test_orders_of_impossible_size_are_counted_only(void **state)
{
    (void)state;
    struct asker a;
    begin(&a);
    const struct disk_save lies[] = {{.path_size = 0, .size = 0}, {.path_size = 5, .size = 0}, {.path_size = UINT32_MAX, .size = UINT32_MAX}};
    for (size_t i = 0; i < ARRAY_COUNT(lies); i++)
        actor_send_op(a.actor, ACTOR_DISK_0, DISK_SAVE, (struct ref){1, 1}, &lies[i], sizeof(lies[i]));
    actor_send(a.actor, ACTOR_DISK_0, DISK_SAVE, "x", 1);
    actor_send(a.actor, ACTOR_DISK_0, 99, NULL, 0);
    run(&a);
    assert_int_equal(disk_counters(a.disk)->malformed, 5);
    assert_int_equal(disk_counters(a.disk)->saves, 0);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_new_file_and_a_file_that_is_there, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_mode_and_link_of_the_old_file_stay, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_what_cant_be_saved_is_told_and_the_old_file_stays, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_every_failure_leaves_the_old_file, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_saves_of_one_path_happen_in_order, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_kill_at_any_moment_leaves_a_whole_file, make_folder, drop_folder),
        cmocka_unit_test(test_orders_of_impossible_size_are_counted_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
