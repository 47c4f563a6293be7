#include "runtime/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == PACKET_PATH_ROOM, "unix(7)");

/* A socket file is left behind by a process that was killed. It is ours to remove only if nobody listens. */
static bool remove_stale(const struct sockaddr_un *addr, int type)
{
    struct stat st;
    if (lstat(addr->sun_path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return false;
    bool refused = connect(probe, (const struct sockaddr *)addr, sizeof(*addr)) != 0 && errno == ECONNREFUSED;
    close(probe);
    if (!refused) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(addr->sun_path) == 0;
}

static enum err give_up(int *fd, int error)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = error;
    return error == EMFILE || error == ENFILE ? ERR_FULL : ERR_IO;
}

enum err packet_bind(int *fd, const char *path, int type)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    *fd = -1;
    if (strlen(path) >= sizeof(addr.sun_path)) {
        errno = ENAMETOOLONG;
        return ERR_INVALID;
    }
    memcpy(addr.sun_path, path, strlen(path));
    if (!remove_stale(&addr, type))
        return give_up(fd, errno);
    *fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 || bind(*fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
        return give_up(fd, errno);
    return ERR_NONE;
}

enum err packet_open(int *fd, const char *path)
{
    return packet_bind(fd, path, SOCK_DGRAM);
}

void packet_set_room(int fd, size_t bytes)
{
    int value = (int)bytes;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &value, sizeof(value)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value));
}

/* An unbound sender has no path, an abstract one a NUL in front: neither can be answered by name. */
static void path_of(const struct sockaddr_un *addr, socklen_t size, char out[PACKET_PATH_ROOM])
{
    size_t most = size > offsetof(struct sockaddr_un, sun_path) ? size - offsetof(struct sockaddr_un, sun_path) : 0;
    size_t length = strnlen(addr->sun_path, most < PACKET_PATH_ROOM ? most : PACKET_PATH_ROOM - 1);
    memcpy(out, addr->sun_path, length);
    out[length] = '\0';
}

enum packet_result packet_read(int fd, void *out, size_t room, size_t *size, char from[PACKET_PATH_ROOM])
{
    struct sockaddr_un addr = {0};
    struct iovec iov = {out, room};
    struct msghdr header = {.msg_name = &addr, .msg_namelen = sizeof(addr), .msg_iov = &iov, .msg_iovlen = 1};
    ssize_t got;
    *size = 0;
    do
        got = recvmsg(fd, &header, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? PACKET_AGAIN : PACKET_FAILED;
    if (from != NULL)
        path_of(&addr, header.msg_namelen, from);
    else if (got == 0)
        return PACKET_CLOSED;
    *size = (size_t)got;
    return (header.msg_flags & MSG_TRUNC) != 0 ? PACKET_CUT : PACKET_DONE;
}

enum packet_result packet_write(int fd, const char *to, const struct view *parts, size_t count)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct iovec iov[PACKET_PARTS_MAX];
    struct msghdr header = {.msg_iov = iov, .msg_iovlen = count};
    CHECK(count <= PACKET_PARTS_MAX);
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].size};
    if (to != NULL) {
        CHECK(strlen(to) < sizeof(addr.sun_path));
        memcpy(addr.sun_path, to, strlen(to));
        header.msg_name = &addr;
        header.msg_namelen = sizeof(addr);
    }
    ssize_t sent;
    do
        sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return PACKET_DONE;
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
        return PACKET_AGAIN;
    case EMSGSIZE:
        return PACKET_TOO_LONG;
    case ECONNREFUSED:
    case ENOENT:
        return to != NULL ? PACKET_NOBODY : PACKET_FAILED;
    default:
        return PACKET_FAILED;
    }
}

void packet_remove(const char *path)
{
    (void)unlink(path);
}
