/* msg/disk.h - all that a disk helper can be told. There are DISKS of them; a path always goes to the same one (disk_of), so what
 * is asked about one path happens in order. */
#pragma once

#include "base/types.h"

#define DISK_MESSAGES(X)                                             \
    /* name           from           payload                      */ \
    X(SAVE,           CONTROL,       struct disk_save)               \
    X(RECORD_OPEN,    WORKER,        struct disk_record_open)        \
    X(RECORD_WRITE,   WORKER,        struct disk_record_write)       \
    X(RECORD_CLOSE,   WORKER,        struct disk_record_close)

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

/* -- recordings: opened, written and closed by the worker that fills them, so in that order. `record` is minted by control. */

/* Creates FOLDER/NAME.mjr and the folders above it. Answered by CONTROL_RECORD_DONE, when it is closed or as soon as it fails. */
struct disk_record_open {
    struct ref record;
    uint32_t folder_size;               /* with its NUL */
    uint32_t name_size;                 /* the same, without ".mjr" */
    char text[];                        /* folder, name */
};

/* Whole frames. Answered to the worker by WORKER_RECORD_WRITTEN: so much of what it may have on its way is free again. */
struct disk_record_write {
    struct ref record;
    uint32_t size;
    uint8_t bytes[];
};

struct disk_record_close {
    struct ref record;
    uint64_t gaps;                      /* times when chunks were not to be had, and frames were left out */
};

struct record_written {
    uint32_t size;                      /* of the chunk, whatever has become of it */
};

/* To control, once for each recording: that it is closed (fine), or that it could not be opened or written on. */
struct record_done {
    struct ref record;
    bool fine;
    uint64_t bytes;                     /* in the file */
    uint64_t gaps;
    char error[DISK_ERROR_TEXT];
};
