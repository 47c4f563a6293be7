#include "load/proc.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

#define LINE_BYTES 1024

/* Fields behind the last ')': state is the first of them (proc(5)). */
static void read_cpu(struct proc_sample *out, int pid)
{
    char path[64], line[LINE_BYTES];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(line, sizeof(line), file) != NULL && strrchr(line, ')') != NULL) {
        struct view rest = str_of(strrchr(line, ')') + 2);
        uint64_t ticks = 0, field;
        for (int i = 3; i <= 15; i++) {
            struct view word = str_split(&rest, ' ');
            if (i >= 14 && str_u64(word, &field))
                ticks += field;
        }
        out->cpu_us = ticks * SEC(1) / (usec_t)sysconf(_SC_CLK_TCK);
    }
    fclose(file);
}

static uint64_t kilobytes(const char *line)
{
    uint64_t kb = 0;
    const char *at = strchr(line, ':');
    for (at = at == NULL ? "" : at + 1; *at != '\0'; at++)
        if (*at >= '0' && *at <= '9')
            kb = kb * 10 + (uint64_t)(*at - '0');
    return kb;
}

static void read_status(struct proc_sample *out, int pid)
{
    char path[64], line[LINE_BYTES];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            out->rss_bytes = kilobytes(line) * 1024;
        else if (strncmp(line, "RssAnon:", 8) == 0)
            out->anon_bytes = kilobytes(line) * 1024;
        else if (strncmp(line, "Threads:", 8) == 0)
            out->threads = (uint32_t)kilobytes(line);
    }
    fclose(file);
}

static void read_run_time(struct proc_sample *out, int pid)
{
    char path[320], line[LINE_BYTES];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (file == NULL)
            continue;
        if (fgets(line, sizeof(line), file) != NULL)
            out->run_us += strtoull(line, NULL, 10) / 1000;
        fclose(file);
    }
    closedir(folder);
}

/* ---- descriptors: sockets are told by their inodes ---- */

struct inode {
    struct map_node node;
    uint64_t number;
};

static bool has_inode(const struct map *map, uint64_t number)
{
    struct map_node *node = map_first(map, number);
    return node != NULL && CONTAINER_OF(node, struct inode, node)->number == number;
}

static void read_descriptors(struct proc_sample *out, int pid, struct map *sockets)
{
    char path[320], target[64];
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        out->descriptors++;
        snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
        ssize_t size = readlink(path, target, sizeof(target) - 1);
        target[size > 0 ? size : 0] = '\0';
        if (strncmp(target, "socket:[", 8) != 0)
            continue;
        struct inode *inode = mem_get_zero(sizeof(*inode));
        inode->number = strtoull(target + 8, NULL, 10);
        map_add(sockets, &inode->node, inode->number);
    }
    closedir(folder);
}

static uint32_t count_listed(const char *path, const struct map *sockets)
{
    char line[LINE_BYTES];
    uint32_t count = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        struct view rest = str_trim(str_of(line)), word = {NULL, 0};
        for (int column = 0; column < 10;) {            /* the tenth is the inode */
            word = str_split(&rest, ' ');
            column += word.size > 0;
            if (rest.size == 0)
                break;
        }
        uint64_t number;
        count += str_u64(word, &number) && has_inode(sockets, number);
    }
    fclose(file);
    return count;
}

static void count_udp(struct proc_sample *out, int pid)
{
    char path[64];
    struct map sockets;
    map_init(&sockets);
    read_descriptors(out, pid, &sockets);
    snprintf(path, sizeof(path), "/proc/%d/net/udp", pid);
    out->udp_sockets = count_listed(path, &sockets);
    snprintf(path, sizeof(path), "/proc/%d/net/udp6", pid);
    out->udp_sockets += count_listed(path, &sockets);
    for (struct map_node *node; (node = map_each(&sockets, NULL)) != NULL;) {
        map_del(&sockets, node);
        mem_put(CONTAINER_OF(node, struct inode, node));
    }
    map_fini(&sockets);
}

void proc_sample(struct proc_sample *out, int pid)
{
    *out = (struct proc_sample){0};
    if (pid <= 0)
        return;
    read_cpu(out, pid);
    read_status(out, pid);
    read_run_time(out, pid);
    count_udp(out, pid);
}

bool proc_is_alive(int pid)
{
    char path[64], line[LINE_BYTES];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    if (file == NULL)
        return false;
    const char *state = fgets(line, sizeof(line), file) != NULL ? strrchr(line, ')') : NULL;
    fclose(file);
    return state != NULL && state[1] == ' ' && state[2] != 'Z' && state[2] != 'X';     /* a zombie has died, nobody has asked how */
}

uint64_t proc_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}
