/* msg/disk.h - all that a disk helper can be told. There are DISKS of them; a path always goes to the same one (disk_of), so what
 * is asked about one path happens in order. */
#pragma once

#include "base/types.h"

#define DISK_MESSAGES(X)                                             \
    /* name        from           payload                         */ \
    X(SAVE,        CONTROL,       struct disk_save)

enum disk_message {
    DISK_NONE,
#define X(name, from, payload) DISK_##name,
    DISK_MESSAGES(X)
#undef X
};

#define DISKS 2u                        /* ACTOR_DISK_0 and 1 */

/* The helper for a path, as an offset to ACTOR_DISK_0 (FNV-1a: who shares a disk with whom is no secret). */
static inline uint32_t disk_of(const char *path)
{
    uint32_t hash = 2166136261u;
    for (; *path != '\0'; path++)
        hash = (hash ^ (uint8_t)*path) * 16777619u;
    return hash % DISKS;
}

/* A whole file, answered by CONTROL_DISK_DONE with the message's op. */
struct disk_save {
    uint32_t path_size;                 /* with its NUL */
    uint32_t size;
    char text[];                        /* the path, then the bytes */
};

#define DISK_ERROR_TEXT 200u

struct disk_done {
    bool fine;
    char error[DISK_ERROR_TEXT];        /* "" when fine */
};
