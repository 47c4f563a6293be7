#include "runtime/memory_limit.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define PATH_ROOM 2304
#define LINE_ROOM 1024

static bool read_line(const char *path, char line[LINE_ROOM])
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool fine = fgets(line, LINE_ROOM, file) != NULL;
    fclose(file);
    return fine;
}

/* "max", or a number of bytes; version 1 writes a number near 2^63 for "no limit". */
static uint64_t limit_in(const char *path)
{
    char line[LINE_ROOM];
    uint64_t bytes;
    if (!read_line(path, line) || !str_u64(str_trim(str_of(line)), &bytes) || bytes == 0)
        return UINT64_MAX;
    return bytes;
}

/* The group and all above it: each may have a limit of its own. In a container the path may be one that is seen from outside only;
 * what can't be read limits nothing, and the mount's own top is always looked at. */
static uint64_t limit_of_group(const char *root, const char *mount, const char *group, const char *file)
{
    char path[PATH_ROOM], name[LINE_ROOM];
    uint64_t least = UINT64_MAX;
    snprintf(name, sizeof(name), "%s", group);
    for (;;) {
        snprintf(path, sizeof(path), "%s%s%s/%s", root, mount, name, file);
        const uint64_t limit = limit_in(path);
        least = limit < least ? limit : least;
        char *slash = strrchr(name, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* "0::/a/b" is version 2's line; "4:memory:/a/b" version 1's (cgroups(7)). */
static uint64_t limit_of_groups(const char *root)
{
    char path[PATH_ROOM], line[LINE_ROOM];
    uint64_t least = UINT64_MAX;
    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *names = strchr(line, ':');
        char *group = names == NULL ? NULL : strchr(names + 1, ':');
        if (group == NULL)
            continue;
        *group++ = '\0';
        uint64_t limit = UINT64_MAX;
        if (strcmp(names + 1, "") == 0)
            limit = limit_of_group(root, "/sys/fs/cgroup", group, "memory.max");
        else if (strstr(names + 1, "memory") != NULL)
            limit = limit_of_group(root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
        least = limit < least ? limit : least;
    }
    if (file != NULL)
        fclose(file);
    return least;
}

uint64_t memory_limit_at(const char *root)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    const uint64_t ram = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : UINT64_MAX;
    const uint64_t groups = limit_of_groups(root);
    return groups < ram ? groups : ram;
}

uint64_t memory_limit_bytes(void)
{
    return memory_limit_at("");
}

/* proc(5), statm: size resident shared ..., in pages. */
uint64_t memory_used_bytes(void)
{
    char line[LINE_ROOM];
    uint64_t pages;
    if (!read_line("/proc/self/statm", line))
        return 0;
    struct view rest = str_of(line);
    (void)str_split(&rest, ' ');
    const long page_bytes = sysconf(_SC_PAGESIZE);
    return str_u64(str_split(&rest, ' '), &pages) && page_bytes > 0 ? pages * (uint64_t)page_bytes : 0;
}

void memory_trim(void)
{
    (void)malloc_trim(0);
}
