/* The web folder's table, and reading it from disk. */
#include "support/seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/limits.h"
#include "io/site.h"

static uint8_t *bytes(size_t size)
{
    uint8_t *own = mem_get(size);
    memset(own, 'x', size);
    return own;
}

static const char *type_of(struct site *site, const char *path)
{
    const struct site_file *file;
    assert_int_equal(site_find(site, str_of(path), &file), SITE_FILE);
    return file->type;
}

static void test_types_and_tags(void **state)
{
    (void)state;
    struct site site;
    const struct site_file *a, *b;
    site_init(&site);
    static const char *const paths[] = {"/a.html", "/a.JS", "/a.css", "/a.wasm", "/a", "/.js", "/b.html"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        assert_int_equal(site_add(&site, paths[i], bytes(i + 1), i + 1), SITE_ADDED);
    assert_int_equal(site_add(&site, "/c.html", bytes(1), 1), SITE_ADDED);
    site_seal(&site);
    assert_string_equal(type_of(&site, "/a.html"), "text/html; charset=utf-8");
    assert_string_equal(type_of(&site, "/a.JS"), "text/javascript; charset=utf-8");
    assert_string_equal(type_of(&site, "/a.wasm"), "application/wasm");
    assert_string_equal(type_of(&site, "/a"), "application/octet-stream");
    site_find(&site, STR("/a.html"), &a);
    site_find(&site, STR("/b.html"), &b);
    assert_string_not_equal(a->etag, b->etag);
    site_find(&site, STR("/c.html"), &b);
    assert_string_equal(a->etag, b->etag);           /* of the content alone */
    assert_int_equal(site_find(&site, STR(""), &a), SITE_NOTHING);
    assert_int_equal(site_find(&site, VIEW("/a.html\0", 8), &a), SITE_NOTHING);
    site_fini(&site);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_limits(void **state)
{
    (void)state;
    struct site site;
    const struct site_file *file;
    char path[SITE_PATH_MAX + 2];
    site_init(&site);
    assert_int_equal(site_find(&site, STR("/"), &file), SITE_NOTHING);
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[SITE_PATH_MAX] = '\0';
    uint8_t *content = bytes(1);
    assert_int_equal(site_add(&site, path, content, 1), SITE_PATH_TOO_LONG);
    path[SITE_PATH_MAX - 1] = '\0';
    assert_int_equal(site_add(&site, path, content, 1), SITE_ADDED);
    assert_int_equal(site_find(&site, str_of(path), &file), SITE_FILE);
    path[SITE_PATH_MAX - 1] = '/';
    assert_int_equal(site_find(&site, VIEW(path, SITE_PATH_MAX), &file), SITE_NOTHING);
    for (unsigned i = 1; i < SITE_FILES_MAX; i++) {
        snprintf(path, sizeof(path), "/%u", i);
        assert_int_equal(site_add(&site, path, bytes(1), 1), SITE_ADDED);
    }
    content = bytes(1);
    assert_int_equal(site_add(&site, "/more", content, 1), SITE_FULL);
    mem_put(content);
    site_seal(&site);
    assert_int_equal(site_find(&site, STR("/4095"), &file), SITE_FILE);
    site_fini(&site);

    site_init(&site);
    content = bytes(SITE_BYTES_MAX);
    assert_int_equal(site_add(&site, "/all", content, SITE_BYTES_MAX), SITE_ADDED);
    content = bytes(1);
    assert_int_equal(site_add(&site, "/more", content, 1), SITE_FULL);
    mem_put(content);
    site_fini(&site);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void put(const char *root, const char *path, const char *text)
{
    char name[300];
    snprintf(name, sizeof(name), "%s/%s", root, path);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_a_folder_is_read(void **state)
{
    (void)state;
    char root[] = "/tmp/site-test-XXXXXX", name[300], other[300], with_slash[100];
    struct site site;
    struct buf notes;
    const struct site_file *file;
    assert_non_null(mkdtemp(root));
    snprintf(name, sizeof(name), "%s/sub", root);
    assert_int_equal(mkdir(name, 0700), 0);
    put(root, "index.html", "home");
    put(root, "sub/page.html", "page");
    put(root, ".hidden", "secret");
    put(root, "empty.js", "");
    snprintf(other, sizeof(other), "%s/link.js", root);
    snprintf(name, sizeof(name), "%s/sub/page.html", root);
    assert_int_equal(symlink(name, other), 0);
    snprintf(other, sizeof(other), "%s/loop", root);
    assert_int_equal(symlink(root, other), 0);
    snprintf(other, sizeof(other), "%s/dangling", root);
    assert_int_equal(symlink("/nonexistent/file", other), 0);
    snprintf(other, sizeof(other), "%s/fifo", root);
    assert_int_equal(mkfifo(other, 0600), 0);

    snprintf(with_slash, sizeof(with_slash), "%s//", root);
    site_init(&site);
    buf_init(&notes, 65536);
    assert_true(site_load(&site, with_slash, &notes));
    assert_int_equal(site.count, 4);
    assert_int_equal(site_find(&site, STR("/"), &file), SITE_FILE);
    assert_true(str_equal(file->content, STR("home")));
    assert_int_equal(site_find(&site, STR("/sub/page.html"), &file), SITE_FILE);
    assert_int_equal(site_find(&site, STR("/link.js"), &file), SITE_FILE);
    assert_true(str_equal(file->content, STR("page")));
    assert_int_equal(site_find(&site, STR("/empty.js"), &file), SITE_FILE);
    assert_int_equal(site_find(&site, STR("/.hidden"), &file), SITE_NOTHING);
    assert_non_null(strstr(buf_text(&notes), "/loop: "));
    assert_non_null(strstr(buf_text(&notes), "/dangling: "));
    assert_non_null(strstr(buf_text(&notes), "/fifo: "));
    site_fini(&site);
    buf_clear(&notes);
    site_init(&site);
    assert_false(site_load(&site, "/nonexistent/folder", &notes));
    assert_non_null(strstr(buf_text(&notes), "/nonexistent/folder: "));
    assert_false(site_load(&site, "", &notes));
    site_fini(&site);
    buf_fini(&notes);
    static const char *const made[] = {"index.html", "sub/page.html", ".hidden", "empty.js", "link.js", "loop", "dangling", "fifo"};
    for (size_t i = 0; i < ARRAY_COUNT(made); i++) {
        snprintf(name, sizeof(name), "%s/%s", root, made[i]);
        assert_int_equal(unlink(name), 0);
    }
    snprintf(name, sizeof(name), "%s/sub", root);
    assert_int_equal(rmdir(name), 0);
    assert_int_equal(rmdir(root), 0);
    assert_int_equal(seam_mem_outstanding(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_and_tags),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_a_folder_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
