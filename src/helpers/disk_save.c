/* Whole files, saved so that a crash at any moment leaves the old one or the new one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "helpers/disk_private.h"
#include "msg/control.h"
#include "runtime/log.h"
#include "runtime/storage.h"

#define NEW_SUFFIX ".new"

/* The folder of a path: "." when it has none. */
static void folder_of(const char *path, char out[STORAGE_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(out, size == 0 ? "." : path, size == 0 ? 1 : size);
    out[size == 0 ? 1 : size] = '\0';
}

static int write_new(const char *new_path, const char *path, struct view bytes)
{
    size_t written;
    int fd, error = storage_create(new_path, path, &fd);
    if (error != 0)
        return error;
    error = storage_write(fd, bytes, &written);
    if (error == 0)
        error = storage_sync(fd);
    int closed = storage_close(fd);
    if (error == 0)
        error = closed;
    if (error == 0)
        error = storage_rename(new_path, path);
    if (error != 0)
        (void)storage_remove(new_path);
    return error;
}

static int save(const char *asked, struct view bytes)
{
    char path[STORAGE_PATH_MAX], new_path[STORAGE_PATH_MAX + sizeof(NEW_SUFFIX)], folder[STORAGE_PATH_MAX];
    int error = storage_resolve(asked, path);
    if (error == ENOENT && strlen(asked) < sizeof(path))
        memcpy(path, asked, strlen(asked) + 1);         /* a new file */
    else if (error != 0)
        return error == ENOENT ? ENAMETOOLONG : error;
    snprintf(new_path, sizeof(new_path), "%s" NEW_SUFFIX, path);
    error = write_new(new_path, path, bytes);
    folder_of(path, folder);
    return error != 0 ? error : storage_sync_folder(folder);
}

void disk_on_save(struct disk *disk, const struct message *m)
{
    const struct disk_save *order = m->payload;
    struct disk_done done = {.fine = true};
    disk->counters.saves++;
    int error = save(order->text, VIEW(order->text + order->path_size, order->size));
    if (error != 0) {
        disk->counters.saves_failed++;
        done.fine = false;
        disk_explain(done.error, error);
        LOG_ERR(disk->actor, "%s could not be saved: %s", order->text, done.error);
    }
    actor_send_op(disk->actor, m->from, CONTROL_DISK_DONE, m->op, &done, sizeof(done));
}

bool disk_save_fits(const struct message *m)
{
    const struct disk_save *order = m->payload;
    return m->size >= sizeof(*order) && order->path_size > 0 && m->size - sizeof(*order) == (size_t)order->path_size + order->size &&
           order->text[order->path_size - 1] == '\0';
}
