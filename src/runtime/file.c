#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum err read_all(int fd, struct buf *out)
{
    uint8_t part[8192];
    for (;;) {
        ssize_t got = read(fd, part, sizeof(part));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ERR_IO;
        if (got == 0)
            return ERR_NONE;
        buf_add(out, part, (size_t)got);
        if (out->failed)
            return ERR_FULL;
    }
}

enum err file_read(const char *path, struct buf *out)
{
    /* O_NONBLOCK: a FIFO in place of a file must not stop the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ERR_IO;
    enum err err = read_all(fd, out);
    int saved = errno;
    close(fd);
    errno = saved;
    return err;
}
