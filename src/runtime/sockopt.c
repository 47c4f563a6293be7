#include "runtime/sockopt.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define PROBES 3u

static void set(int fd, int level, int name, unsigned value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

void sockopt_patience(int fd, usec_t patience_us)
{
    const unsigned seconds = (unsigned)(patience_us / SEC(1)) / PROBES;
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds > 0 ? seconds : 1);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds > 0 ? seconds : 1);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES - 1);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (unsigned)(patience_us / 1000u));
}
