#include "runtime/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"
#include "runtime/packet.h"
#include "runtime/sockaddr.h"

static enum err give_up(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
    return saved == EMFILE || saved == ENFILE ? ERR_FULL : ERR_IO;
}

static bool set_flag(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

enum err tcp_listen(int *fd, const struct net_addr *local, bool only6, const char *interface)
{
    bool ip4 = local->family == NET_IP4;
    *fd = socket(ip4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (*fd < 0)
        return give_up(fd);
    if (!set_flag(*fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return give_up(fd);
    if (!ip4 && !set_flag(*fd, IPPROTO_IPV6, IPV6_V6ONLY, only6))
        return give_up(fd);
    if (interface != NULL && setsockopt(*fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) != 0)
        return give_up(fd);
    struct sockaddr_storage addr;
    socklen_t size = sockaddr_of(&addr, local);
    if (bind(*fd, (struct sockaddr *)&addr, size) != 0 || listen(*fd, TCP_BACKLOG) != 0)
        return give_up(fd);
    return ERR_NONE;
}

enum err tcp_listen_unix(int *fd, const char *path, bool seqpacket)
{
    enum err err = packet_bind(fd, path, seqpacket ? SOCK_SEQPACKET : SOCK_STREAM);
    return err == ERR_NONE && listen(*fd, TCP_BACKLOG) != 0 ? give_up(fd) : err;
}

static bool no_descriptor(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

enum tcp_result tcp_accept(int listener, int *fd, struct net_addr *peer)
{
    struct sockaddr_storage addr = {0};
    socklen_t size = sizeof(addr);
    *fd = accept4(listener, (struct sockaddr *)&addr, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (*fd < 0) {
        if (errno == EAGAIN)
            return TCP_AGAIN;
        return no_descriptor(errno) ? TCP_NO_DESCRIPTOR : TCP_FAILED;
    }
    sockaddr_to(peer, (struct sockaddr *)&addr);
    if (peer->family != NET_NONE)
        (void)set_flag(*fd, IPPROTO_TCP, TCP_NODELAY, 1);      /* output is coalesced by turn already */
    return TCP_DONE;
}

enum tcp_result tcp_connect(int *fd, const struct net_addr *to)
{
    *fd = socket(to->family == NET_IP4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (*fd < 0)
        return no_descriptor(errno) ? TCP_NO_DESCRIPTOR : TCP_FAILED;
    (void)set_flag(*fd, IPPROTO_TCP, TCP_NODELAY, 1);
    struct sockaddr_storage addr;
    socklen_t size = sockaddr_of(&addr, to);
    if (connect(*fd, (struct sockaddr *)&addr, size) == 0)
        return TCP_DONE;
    if (errno == EINPROGRESS)
        return TCP_AGAIN;
    (void)give_up(fd);
    return TCP_FAILED;
}

int tcp_connect_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

enum tcp_result tcp_read(int fd, void *out, size_t room, size_t *size)
{
    *size = 0;
    ssize_t got;
    do
        got = recv(fd, out, room, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        *size = (size_t)got;
        return TCP_DONE;
    }
    if (got == 0)
        return TCP_CLOSED;
    return errno == EAGAIN ? TCP_AGAIN : TCP_FAILED;
}

enum tcp_result tcp_write(int fd, const struct view *parts, size_t count, size_t *size)
{
    struct iovec iov[TCP_WRITE_PARTS];
    size_t used = 0;
    *size = 0;
    for (size_t i = 0; i < count && used < TCP_WRITE_PARTS; i++)
        if (parts[i].size > 0)
            iov[used++] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].size};
    if (used == 0)
        return TCP_DONE;
    struct msghdr header = {.msg_iov = iov, .msg_iovlen = used};
    ssize_t sent;
    do
        sent = sendmsg(fd, &header, MSG_NOSIGNAL);      /* not writev: a closed peer must not raise SIGPIPE */
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        *size = (size_t)sent;
        return TCP_DONE;
    }
    return errno == EAGAIN ? TCP_AGAIN : TCP_FAILED;
}

void tcp_end_output(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

bool tcp_local(int fd, struct net_addr *local)
{
    struct sockaddr_storage addr = {0};
    socklen_t size = sizeof(addr);
    if (getsockname(fd, (struct sockaddr *)&addr, &size) != 0)
        return false;
    sockaddr_to(local, (struct sockaddr *)&addr);
    return true;
}

void tcp_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
