/* helpers/disk_private.h - the inside of a disk helper, shared by its files only. */
#pragma once

#include "base/limits.h"
#include "base/map.h"
#include "base/pool.h"
#include "helpers/disk.h"

struct disk {
    struct actor *actor;
    struct disk_options options;
    struct map records;
    struct pool pool;                   /* of struct record_file */
    struct disk_counters counters;
};

/* What an errno means, for people. */
void disk_explain(char out[DISK_ERROR_TEXT], int error);

/* disk_save.c */
bool disk_save_fits(const struct message *m);
void disk_on_save(struct disk *disk, const struct message *m);

/* disk_record.c */
void disk_records_init(struct disk *disk);
void disk_records_close(struct disk *disk);
void disk_records_fini(struct disk *disk);
bool disk_open_fits(const struct message *m);
bool disk_write_fits(const struct message *m);
void disk_on_record_open(struct disk *disk, const struct disk_record_open *order);
void disk_on_record_write(struct disk *disk, actor_id from, const struct disk_record_write *order);
void disk_on_record_close(struct disk *disk, const struct disk_record_close *order);
