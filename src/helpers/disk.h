/* helpers/disk.h - an actor that may wait for a disk, so that no other has to. There are DISKS of them; a path always goes to the
 * same one (msg/disk.h, disk_of). What it is told is done in order, and nobody waits for its end but who asked.
 *
 * Whole files (a plugin's rooms) are saved so that a crash at any moment leaves the old file or the new one: the bytes go to
 * `PATH.new`, which is synced, renamed over the old file, and the folder is synced. The name may be a link: what it points at is
 * replaced. Mode and owner are those of the old file.
 *
 * Recordings are written as they come, in chunks of whole frames. When one can't be written (the disk is full), the file is cut
 * where its last whole chunk ended, stays readable, and gets nothing more. While it is open it may have a name of its own
 * (recordings_tmp_ext), which is taken off at its end. What became of it is told to control, once (CONTROL_RECORD_DONE). */
#pragma once

#include "msg/disk.h"
#include "runtime/actor.h"

struct disk_options {
    const char *recordings_tmp_ext;     /* without a dot; NULL: none */
    const char *const *protected_folders;       /* nothing is recorded below them: prefixes of resolved paths (recording.md 2.2) */
    uint32_t protected_count;
};

struct disk;

/* All that `options` points at outlives the disk. */
struct disk *disk_new(struct actor *actor, const struct disk_options *options);
void disk_free(struct disk *disk);

extern const struct actor_ops disk_ops;

struct disk_counters {
    uint64_t saves;
    uint64_t saves_failed;
    uint64_t records_opened;
    uint64_t records_refused;           /* could not be opened, or at the limit */
    uint64_t records_broken;            /* could be written no more */
    uint64_t bytes_written;
    uint64_t bytes_lost;                /* of recordings that were refused or broken */
    uint64_t malformed;                 /* our own mistake */
};
const struct disk_counters *disk_counters(const struct disk *disk);
