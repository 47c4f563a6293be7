/* runtime/storage.h and runtime/file.h in the simulator: files in memory, on a disk that may be slow, full or broken. Whoever
 * calls it stands still for as long as the disk likes, as a helper does. */
#include "runtime/storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "runtime/file.h"
#include "sim/actor.h"
#include "sim/server.h"
#include "sim/watch.h"

#define FILES_MAX 64u
#define FILE_BYTES_MAX (4u * 1024u * 1024u)

struct file {
    char path[STORAGE_PATH_MAX + 8];    /* "" : free */
    uint8_t *bytes;
    size_t size;
};

struct open_file {
    struct file *file;
    size_t at;
};

static struct file files[FILES_MAX];

static int trouble(void)
{
    actor_block(sim_below(&sim->system, sim->faults.disk_us));
    if (!sim_chance(&sim->system, sim->faults.disk_ppm))
        return 0;
    sim->disk_errors++;
    static const int errors[] = {ENOSPC, EIO, EROFS, EDQUOT};
    return errors[sim_below(&sim->system, ARRAY_COUNT(errors))];
}

static struct file *find(const char *path)
{
    for (uint32_t i = 0; i < FILES_MAX; i++)
        if (files[i].path[0] != '\0' && strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

static struct file *make(const char *path)
{
    for (uint32_t i = 0; i < FILES_MAX; i++)
        if (files[i].path[0] == '\0' && str_copy(files[i].path, sizeof(files[i].path), str_of(path)))
            return &files[i];
    return NULL;
}

static void drop(struct file *file)
{
    free(file->bytes);
    *file = (struct file){0};
}

void storage_reset(void)
{
    for (uint32_t i = 0; i < FILES_MAX; i++)
        drop(&files[i]);
}

/* What lies at the path: written by the server, or a file of its configuration. */
enum err file_read(const char *path, struct buf *out)
{
    const struct file *file = find(path);
    const char *text = file == NULL ? server_file(path) : NULL;
    if (file != NULL)
        buf_add(out, file->bytes, file->size);
    else if (text != NULL)
        buf_add_text(out, text);
    errno = ENOENT;
    return file == NULL && text == NULL ? ERR_IO : out->failed ? ERR_FULL : ERR_NONE;
}

int storage_make_folder(const char *path)
{
    (void)path;
    return trouble();
}

int storage_resolve(const char *path, char out[STORAGE_PATH_MAX])
{
    if (find(path) == NULL && server_file(path) == NULL)
        return ENOENT;
    return str_copy(out, STORAGE_PATH_MAX, str_of(path)) ? trouble() : ENAMETOOLONG;
}

static uint32_t file_events(void *object)
{
    (void)object;
    return 0;
}

static void file_close(void *object)
{
    free(object);
}

static const struct descriptor_ops file_ops = {.events = file_events, .close = file_close};

int storage_create(const char *path, const char *like, int *fd)
{
    int error = trouble();
    struct file *file = find(path);
    (void)like;
    if (error != 0)
        return error;
    if (file == NULL)
        file = make(path);
    if (file == NULL)
        return ENOSPC;
    file->size = 0;
    struct open_file *opened = calloc(1, sizeof(*opened));
    CHECK(opened != NULL);
    opened->file = file;
    *fd = descriptor_open(&file_ops, opened, true);
    if (*fd >= 0)
        return 0;
    free(opened);
    return EMFILE;
}

int storage_write(int fd, struct view bytes, size_t *written)
{
    struct open_file *opened = descriptor_object(fd, &file_ops);
    CHECK(opened != NULL);
    const int error = trouble();
    /* A disk that fills up takes a part. */
    const size_t some = error == 0 ? bytes.size : (size_t)sim_below(&sim->system, bytes.size);
    *written = 0;
    if (opened->at + some > FILE_BYTES_MAX)
        return ENOSPC;
    struct file *file = opened->file;
    if (opened->at + some > file->size) {
        file->size = opened->at + some;
        file->bytes = realloc(file->bytes, file->size + 1);
        CHECK(file->bytes != NULL);
    }
    memcpy(file->bytes + opened->at, bytes.data, some);
    sim_note_bytes(bytes.data, some);
    opened->at += some;
    *written = some;
    return error;
}

int storage_cut(int fd, uint64_t size)
{
    struct open_file *opened = descriptor_object(fd, &file_ops);
    CHECK(opened != NULL);
    if (size < opened->file->size)
        opened->file->size = (size_t)size;
    opened->at = opened->file->size;
    return trouble();
}

int storage_sync(int fd)
{
    CHECK(descriptor_object(fd, &file_ops) != NULL);
    return trouble();
}

int storage_close(int fd)
{
    CHECK(descriptor_object(fd, &file_ops) != NULL);
    descriptor_close(fd);
    return 0;
}

int storage_rename(const char *from, const char *to)
{
    struct file *source = find(from), *target = find(to);
    const int error = trouble();
    if (error != 0)
        return error;
    if (source == NULL)
        return ENOENT;
    if (target != NULL && target != source)
        drop(target);
    (void)str_copy(source->path, sizeof(source->path), str_of(to));
    return 0;
}

int storage_remove(const char *path)
{
    struct file *file = find(path);
    if (file == NULL)
        return ENOENT;
    drop(file);
    return 0;
}

int storage_sync_folder(const char *path)
{
    (void)path;
    return trouble();
}
