/* helpers/disk_private.h - the inside of a disk helper, shared by its files only. */
#pragma once

#include "helpers/disk.h"

struct disk {
    struct actor *actor;
    struct disk_counters counters;
};

/* "WHAT: why", for people. */
void disk_explain(char out[DISK_ERROR_TEXT], const char *what, int error);

/* disk_save.c */
bool disk_save_fits(const struct message *m);
void disk_on_save(struct disk *disk, const struct message *m);
