/* runtime/storage.h - files and folders as the disk helpers use them (helpers/disk.h). Every call may block for as long as the
 * disk likes, so nobody else calls them. The simulator has its own implementation, with disks that are slow, full or broken.
 * Results are 0 or an errno value. */
#pragma once

#include "base/types.h"

#define STORAGE_PATH_MAX 1024u          /* with the NUL (recording.md 2.2) */

int  storage_make_folder(const char *path);             /* and its parents, mode 0755; fine when it is there; ENOTDIR */
int  storage_resolve(const char *path, char out[STORAGE_PATH_MAX]);    /* without links and dots; what it names must exist */

/* An empty file for writing. `like`: another file whose mode and, where that is allowed, owner it gets (NULL, or one that does not
 * exist: 0644 less the umask). */
int  storage_create(const char *path, const char *like, int *fd);
int  storage_write(int fd, struct view bytes, size_t *written);        /* all of them, or an error and what came before it */
int  storage_cut(int fd, uint64_t size);                /* the file ends there, and writing goes on there */
int  storage_sync(int fd);                              /* its contents are on the disk when this returns */
int  storage_close(int fd);
int  storage_rename(const char *from, const char *to);  /* over what is there */
int  storage_remove(const char *path);
int  storage_sync_folder(const char *path);             /* and so are the names in it */
