/* helpers/disk.h - an actor that may wait for a disk, so that no other has to. There are DISKS of them; a path always goes to the
 * same one (msg/disk.h, disk_of). What it is told is done in order, and nobody waits for its end but who asked.
 *
 * Whole files (a plugin's rooms) are saved so that a crash at any moment leaves the old file or the new one: the bytes go to
 * `PATH.new`, which is synced, renamed over the old file, and the folder is synced. The name may be a link: what it points at is
 * replaced. Mode and owner are those of the old file. */
#pragma once

#include "msg/disk.h"
#include "runtime/actor.h"

struct disk;

struct disk *disk_new(struct actor *actor);
void disk_free(struct disk *disk);

extern const struct actor_ops disk_ops;

struct disk_counters {
    uint64_t saves;
    uint64_t saves_failed;
    uint64_t malformed;                 /* our own mistake */
};
const struct disk_counters *disk_counters(const struct disk *disk);
