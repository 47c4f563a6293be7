#include "runtime/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_one(const char *path)
{
    struct stat st;
    if (mkdir(path, 0755) == 0)
        return 0;
    int error = errno;
    if (error != EEXIST)
        return error;
    if (stat(path, &st) != 0)
        return errno;
    return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

int storage_make_folder(const char *path)
{
    char part[STORAGE_PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(part))
        return ENAMETOOLONG;
    memcpy(part, path, size + 1);
    for (size_t i = 1; i < size; i++) {
        if (part[i] != '/')
            continue;
        part[i] = '\0';
        int error = make_one(part);
        if (error != 0)
            return error;
        part[i] = '/';
    }
    return make_one(part);
}

int storage_resolve(const char *path, char out[STORAGE_PATH_MAX])
{
    char *real = realpath(path, NULL);
    if (real == NULL)
        return errno;
    int error = strlen(real) < STORAGE_PATH_MAX ? 0 : ENAMETOOLONG;
    if (error == 0)
        memcpy(out, real, strlen(real) + 1);
    free(real);
    return error;
}

int storage_create(const char *path, const char *like, int *fd)
{
    struct stat st;
    bool has_model = like != NULL && stat(like, &st) == 0;
    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, has_model ? st.st_mode & 0600 : 0644);
    if (*fd < 0)
        return errno;
    if (!has_model)
        return 0;
    /* Another owner is for root only. Its group and others may not read what only the model's owner's group could. */
    mode_t mode = st.st_mode & 0777;
    if (fchown(*fd, st.st_uid, st.st_gid) != 0)
        mode &= 0700;
    if (fchmod(*fd, mode) != 0) {
        int error = errno;
        close(*fd);
        return error;
    }
    return 0;
}

int storage_write(int fd, struct view bytes, size_t *written)
{
    *written = 0;
    while (*written < bytes.size) {
        ssize_t n = write(fd, bytes.data + *written, bytes.size - *written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return ENOSPC;
        *written += (size_t)n;
    }
    return 0;
}

int storage_cut(int fd, uint64_t size)
{
    if (ftruncate(fd, (off_t)size) != 0 || lseek(fd, (off_t)size, SEEK_SET) < 0)
        return errno;
    return 0;
}

int storage_sync(int fd)
{
    return fsync(fd) == 0 ? 0 : errno;
}

int storage_close(int fd)
{
    return close(fd) == 0 ? 0 : errno;
}

int storage_rename(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : errno;
}

int storage_remove(const char *path)
{
    return unlink(path) == 0 ? 0 : errno;
}

int storage_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return error == EINVAL ? 0 : error;         /* some file systems have nothing to sync there */
}
