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
#include "msg/worker.h"
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


static struct disk_options options;    /* of the next helper */

struct asker {
    struct actors *set;
    struct actor *actor;
    struct actor *disk_actor;
    struct disk *disk;
    uint32_t answers, due;
    struct disk_done last;
    struct ref op;
    struct record_done done[8];         /* in order */
    uint32_t done_count;
    uint32_t written;                   /* bytes that were answered */
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
    } else if (m->type == CONTROL_RECORD_DONE) {
        memcpy(&a->done[a->done_count++ % 8], m->payload, sizeof(a->done[0]));
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
    a->disk = disk_new(a->disk_actor, &options);
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
    options = (struct disk_options){0};
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
    char long_path[1400];
    save(&a, in_folder("no/such/folder/rooms"), "x");
    assert_false(a.last.fine);
    assert_string_equal(a.last.error, "No such file or directory");
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
    actor_send(a.actor, ACTOR_DISK_0, DISK_RECORD_OPEN, "x", 1);
    actor_send(a.actor, ACTOR_DISK_0, DISK_RECORD_WRITE, "x", 1);
    actor_send(a.actor, ACTOR_DISK_0, DISK_RECORD_CLOSE, "x", 1);
    run(&a);
    assert_int_equal(disk_counters(a.disk)->malformed, 8);
    assert_int_equal(disk_counters(a.disk)->saves, 0);
    end(&a);
}

/* ---- recordings: the asker is control; a second actor is the worker ---- */

struct scribe {
    struct actor *actor;
    uint32_t written;
    uint32_t due;                       /* bytes; then the helper is asked to stop */
};

static void be_told(void *owner, usec_t now, const struct message *m)
{
    struct scribe *scribe = owner;
    (void)now;
    assert_int_equal(m->type, WORKER_RECORD_WRITTEN);
    scribe->written += ((const struct record_written *)m->payload)->size;
}

static void one_turn(void *owner, usec_t now)
{
    (void)now;
    actor_stop(((struct scribe *)owner)->actor);
}

static void one_turn_of_control(void *owner, usec_t now)
{
    (void)now;
    actor_stop(actors_get(((struct asker *)owner)->set, ACTOR_CONTROL));
}

static const struct actor_ops scribe_ops = {.on_message = be_told, .on_turn = one_turn};
static const struct actor_ops control_double = {.on_message = hear, .on_turn = one_turn_of_control};
static struct scribe scribe;

static void begin_records(struct asker *a)
{
    *a = (struct asker){.set = actors_new()};
    scribe = (struct scribe){0};
    a->actor = actor_new(a->set, ACTOR_MAIN, "main");
    struct actor *control = actor_new(a->set, ACTOR_CONTROL, "control");
    a->disk_actor = actor_new(a->set, ACTOR_DISK_0, "disk");
    scribe.actor = actor_new(a->set, ACTOR_WORKER_0, "worker");
    a->disk = disk_new(a->disk_actor, &options);
    actor_serve(a->actor, &asker_ops, a);
    actor_serve(control, &control_double, a);
    actor_serve(a->disk_actor, &disk_ops, a->disk);
    actor_serve(scribe.actor, &scribe_ops, &scribe);
    actors_wire(a->set);
}

static void open_record(uint32_t slot, const char *where, const char *name)
{
    const struct disk_record_open head = {.record = {slot, 1}, .folder_size = (uint32_t)strlen(where) + 1, .name_size = (uint32_t)strlen(name) + 1};
    char text[3000];
    memcpy(text, where, head.folder_size);
    memcpy(text + head.folder_size, name, head.name_size);
    actor_send_parts(scribe.actor, ACTOR_DISK_0, DISK_RECORD_OPEN, REF_NONE, VIEW(&head, offsetof(struct disk_record_open, text)),
                     VIEW(text, head.folder_size + head.name_size));
}

static void write_record(uint32_t slot, const char *bytes)
{
    const struct disk_record_write head = {.record = {slot, 1}, .size = (uint32_t)strlen(bytes)};
    scribe.due += head.size;
    actor_send_parts(scribe.actor, ACTOR_DISK_0, DISK_RECORD_WRITE, REF_NONE, VIEW(&head, offsetof(struct disk_record_write, bytes)),
                     VIEW(bytes, head.size));
}

static void close_record(uint32_t slot, uint64_t gaps)
{
    const struct disk_record_close order = {.record = {slot, 1}, .gaps = gaps};
    actor_send(scribe.actor, ACTOR_DISK_0, DISK_RECORD_CLOSE, &order, sizeof(order));
}

/* All that was sent is done, and every chunk is answered; what control was told is in a->done. */
static void run_records(struct asker *a)
{
    struct actor *control = actors_get(a->set, ACTOR_CONTROL);
    actor_flush(scribe.actor);
    actor_ask_stop(a->actor, ACTOR_DISK_0);
    actor_flush(a->actor);
    assert_true(actor_start(a->disk_actor));
    actor_run(a->actor);
    actor_run(control);                 /* both read what waits for them, and end */
    actor_run(scribe.actor);
    assert_int_equal(scribe.written, scribe.due);
}

static void test_a_recording_is_written_and_told(void **state)
{
    (void)state;
    struct asker a;
    begin_records(&a);
    open_record(1, in_folder("a/b/c"), "name");         /* folders are made */
    write_record(1, "first ");
    write_record(1, "second");
    close_record(1, 3);
    run_records(&a);
    assert_int_equal(a.done_count, 1);
    assert_true(a.done[0].fine);
    assert_int_equal(a.done[0].bytes, 12);
    assert_int_equal(a.done[0].gaps, 3);
    expect_file(in_folder("a/b/c/name.mjr"), "first second");
    assert_int_equal(disk_counters(a.disk)->bytes_written, 12);
    end(&a);
}

static void test_an_open_recording_has_the_temporary_name(void **state)
{
    (void)state;
    struct asker a;
    options.recordings_tmp_ext = "tmp";
    begin_records(&a);
    open_record(1, folder, "one");
    write_record(1, "x");
    close_record(1, 0);
    open_record(2, folder, "two");
    write_record(2, "y");
    run_records(&a);                    /* the second is closed by the helper's end */
    assert_int_equal(a.done_count, 2);
    expect_file(in_folder("one.mjr"), "x");
    expect_file(in_folder("one.mjr.tmp"), NULL);
    expect_file(in_folder("two.mjr"), "y");
    end(&a);
}

static void test_what_cant_be_opened_is_told_and_its_chunks_are_answered(void **state)
{
    (void)state;
    struct asker a;
    static const char *const protected[] = {"/proc", NULL};
    char real[STORAGE_PATH_MAX];
    options = (struct disk_options){.protected_folders = protected, .protected_count = 1};
    save(&a, in_folder("file"), "no folder");
    assert_int_equal(storage_resolve(folder, real), 0);
    begin_records(&a);
    open_record(1, "/proc/self", "x");
    open_record(2, in_folder("file"), "x");
    open_record(3, folder, "no/such/x");
    char name[1100], deep[1100];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    open_record(4, folder, name);
    snprintf(deep, sizeof(deep), "%s/%.200s/%.100s", folder, name, name);
    open_record(5, deep, "x");          /* a folder to be made may have 255 bytes */
    for (uint32_t slot = 1; slot <= 5; slot++) {
        write_record(slot, "lost");
        close_record(slot, 0);
    }
    run_records(&a);
    static const char *const why[] = {"its folder is protected", "Not a directory", "No such file or directory", "File name too long", "No such file or directory"};
    assert_int_equal(a.done_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_false(a.done[i].fine);
        assert_int_equal(a.done[i].record.slot, i + 1);
        assert_string_equal(a.done[i].error, why[i]);
    }
    assert_int_equal(disk_counters(a.disk)->records_refused, 5);
    assert_int_equal(disk_counters(a.disk)->bytes_lost, 20);
    end(&a);
}

/* The disk is full: what was whole stays, half a chunk goes, the rest is counted and answered. */
static void test_a_full_disk_leaves_whole_chunks(void **state)
{
    (void)state;
    struct asker a;
    options.recordings_tmp_ext = "tmp";
    begin_records(&a);
    open_record(1, folder, "full");
    write_record(1, "whole|");
    write_record(1, "this one is cut|");
    write_record(1, "never|");
    close_record(1, 0);
    fail_at = 4;                        /* resolve, create, write, write */
    fail_with = ENOSPC;
    run_records(&a);
    assert_int_equal(a.done_count, 1);
    assert_false(a.done[0].fine);
    assert_string_equal(a.done[0].error, "No space left on device");
    assert_int_equal(a.done[0].bytes, 6);
    expect_file(in_folder("full.mjr"), "whole|");
    assert_int_equal(disk_counters(a.disk)->records_broken, 1);
    end(&a);
}

static void test_orders_about_unknown_recordings(void **state)
{
    (void)state;
    struct asker a;
    begin_records(&a);
    write_record(9, "nobody's");
    close_record(9, 0);
    open_record(1, folder, "one");
    open_record(1, folder, "two");      /* the same name again: our own mistake */
    run_records(&a);
    assert_int_equal(disk_counters(a.disk)->bytes_lost, 8);
    assert_int_equal(disk_counters(a.disk)->records_refused, 1);
    assert_int_equal(a.done_count, 2);
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
        cmocka_unit_test_setup_teardown(test_a_recording_is_written_and_told, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_an_open_recording_has_the_temporary_name, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_what_cant_be_opened_is_told_and_its_chunks_are_answered, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_a_full_disk_leaves_whole_chunks, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_orders_about_unknown_recordings, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
