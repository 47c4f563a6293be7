/* How much memory the process may have: what the kernel says, in the two ways that it says it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/memory_limit.h"

#define MB (UINT64_C(1) << 20)

static char root[64];

static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int fresh_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/cardea-limit-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int drop_root(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static void test_version_2_and_the_groups_above(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/system.slice/cardea.service\n");
    put("/sys/fs/cgroup/system.slice/cardea.service/memory.max", "max\n");
    put("/sys/fs/cgroup/system.slice/memory.max", "536870912\n");
    assert_int_equal(memory_limit_at(root), 512 * MB);
    put("/sys/fs/cgroup/system.slice/cardea.service/memory.max", "268435456\n");
    assert_int_equal(memory_limit_at(root), 256 * MB);
}

/* In a container the path is often one that only the host can see; the top of the mount is the container's own group. */
static void test_a_path_that_is_not_there(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/../../elsewhere\n");
    put("/sys/fs/cgroup/memory.max", "134217728\n");
    assert_int_equal(memory_limit_at(root), 128 * MB);
}

static void test_version_1(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "9:name=systemd:/\n4:memory:/box/inner\n1:cpu:/\n0::/\n");
    put("/sys/fs/cgroup/memory/box/inner/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "100663296\n");
    assert_int_equal(memory_limit_at(root), 96 * MB);
}

static void test_without_groups_or_with_nonsense_it_is_the_machines(void **state)
{
    (void)state;
    const uint64_t ram = memory_limit_at("/nonexistent");
    assert_true(ram > 64 * MB);
    put("/proc/self/cgroup", "rubbish\n:\n::\n0:\n4:memory\n0::/a\n");
    put("/sys/fs/cgroup/a/memory.max", "many\n");
    put("/sys/fs/cgroup/memory.max", "-5\n");
    assert_int_equal(memory_limit_at(root), ram);
    put("/sys/fs/cgroup/memory.max", "18446744073709551616\n");
    assert_int_equal(memory_limit_at(root), ram);
    put("/sys/fs/cgroup/memory.max", "0\n");
    assert_int_equal(memory_limit_at(root), ram);
}

static void test_what_is_used_grows_with_use(void **state)
{
    (void)state;
    const uint64_t before = memory_used_bytes();
    assert_true(before > 0);
    char *block = malloc(64 * MB);
    assert_non_null(block);
    memset(block, 1, 64 * MB);
    assert_true(memory_used_bytes() >= before + 60 * MB);
    assert_int_equal(block[63 * MB], 1);
    free(block);
    memory_trim();
    assert_true(memory_limit_bytes() > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_version_2_and_the_groups_above, fresh_root, drop_root),
        cmocka_unit_test_setup_teardown(test_a_path_that_is_not_there, fresh_root, drop_root),
        cmocka_unit_test_setup_teardown(test_version_1, fresh_root, drop_root),
        cmocka_unit_test_setup_teardown(test_without_groups_or_with_nonsense_it_is_the_machines, fresh_root, drop_root),
        cmocka_unit_test(test_what_is_used_grows_with_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
