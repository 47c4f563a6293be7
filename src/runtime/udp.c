#include "runtime/udp.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"
#include "runtime/localaddr.h"
#include "runtime/sockaddr.h"

/* ---- opening */

static bool set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* The forced form needs CAP_NET_ADMIN; the other one is cut at net.core.rmem_max. */
static void ask_for_buffer(int fd, int forced, int plain, uint32_t bytes)
{
    if (bytes > 0 && !set_option(fd, SOL_SOCKET, forced, (int)bytes))
        (void)set_option(fd, SOL_SOCKET, plain, (int)bytes);
}

/* The kernel doubles what it is asked for, to have room for its own structures, and reports the double. */
static uint32_t receive_buffer(int fd)
{
    int bytes = 0;
    socklen_t size = sizeof(bytes);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size) != 0 || bytes < 0)
        return 0;
    return (uint32_t)bytes / 2;
}

static void tune(struct udp *udp, const struct udp_options *options)
{
    bool ip4 = options->local.family == NET_IP4;
    ask_for_buffer(udp->fd, SO_RCVBUFFORCE, SO_RCVBUF, options->receive_bytes);
    ask_for_buffer(udp->fd, SO_SNDBUFFORCE, SO_SNDBUF, options->send_bytes);
    (void)set_option(udp->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (options->dscp != 0)
        (void)(ip4 ? set_option(udp->fd, IPPROTO_IP, IP_TOS, options->dscp << 2)
                   : set_option(udp->fd, IPPROTO_IPV6, IPV6_TCLASS, options->dscp << 2));
    /* Path MTU discovery is left as it is: DTLS and RTP stay at 1,200 bytes, below every path's MTU. */
    udp->gso = set_option(udp->fd, IPPROTO_UDP, UDP_SEGMENT, 0);
    udp->receive_bytes = receive_buffer(udp->fd);
}

static bool bind_to(int fd, const struct net_addr *local, uint16_t port)
{
    struct net_addr with_port = *local;
    with_port.port = port;
    struct sockaddr_storage addr;
    socklen_t size = sockaddr_of(&addr, &with_port);
    return bind(fd, (struct sockaddr *)&addr, size) == 0;
}

static enum err bind_in_range(int fd, const struct udp_options *options, uint32_t seed)
{
    CHECK(options->port_min <= options->port_max);
    uint32_t count = (uint32_t)options->port_max - options->port_min + 1;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t port = (uint16_t)(options->port_min + (seed % count + i) % count);
        if (port == 0)
            continue;
        if (bind_to(fd, &options->local, port))
            return ERR_NONE;
        if (errno != EADDRINUSE && errno != EACCES)     /* EACCES: a privileged port at the low end of the range */
            return ERR_IO;
    }
    return ERR_FULL;
}

/* RFC 3376, RFC 3810: by the kernel, for as long as the socket is open. */
static bool join_group(int fd, const struct udp_options *options)
{
    const unsigned index = options->interface == NULL ? 0 : if_nametoindex(options->interface);
    if (options->group.family == NET_IP4) {
        struct ip_mreqn join = {.imr_ifindex = (int)index};
        memcpy(&join.imr_multiaddr, options->group.ip, sizeof(join.imr_multiaddr));
        memcpy(&join.imr_address, options->local.ip, sizeof(join.imr_address));
        return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) == 0;
    }
    struct ipv6_mreq join = {.ipv6mr_interface = index};
    memcpy(&join.ipv6mr_multiaddr, options->group.ip, sizeof(join.ipv6mr_multiaddr));
    return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &join, sizeof(join)) == 0;
}

/* A socket that is bound to the group hears nothing else; several may listen to one. */
static enum err bind_to_group(int fd, struct udp_options options, uint32_t seed)
{
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !join_group(fd, &options))
        return ERR_IO;
    const uint16_t port = options.local.port;
    options.local = options.group;
    if (port == 0 && options.port_max != 0)
        return bind_in_range(fd, &options, seed);
    return bind_to(fd, &options.local, port) ? ERR_NONE : errno == EADDRINUSE ? ERR_FULL : ERR_IO;
}

static bool find_interface(const char *name, struct net_addr *local)
{
    struct localaddr_list all;
    if (!localaddr_read(&all))
        return false;
    for (uint32_t i = 0; i < all.count; i++) {
        const struct localaddr *item = &all.items[i];
        if (item->addr.family != local->family || strcmp(item->interface, name) != 0)
            continue;
        const uint16_t port = local->port;
        *local = item->addr;
        local->port = port;
        return true;
    }
    return false;
}

static enum err open_and_bind(struct udp *udp, const struct udp_options *options, uint32_t seed)
{
    bool ip4 = options->local.family == NET_IP4;
    udp->fd = socket(ip4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
    if (udp->fd < 0)
        return errno == EMFILE || errno == ENFILE ? ERR_FULL : ERR_IO;
    if (!ip4 && !set_option(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
        return ERR_IO;
    tune(udp, options);
    if (options->group.family != NET_NONE)
        return bind_to_group(udp->fd, *options, seed);
    if (options->local.port == 0 && options->port_max != 0)
        return bind_in_range(udp->fd, options, seed);
    return bind_to(udp->fd, &options->local, options->local.port) ? ERR_NONE : errno == EADDRINUSE ? ERR_FULL : ERR_IO;
}

enum err udp_open(struct udp *udp, const struct udp_options *wanted, uint32_t seed)
{
    struct udp_options options = *wanted;
    *udp = (struct udp){.fd = -1};
    if (options.interface != NULL && !find_interface(options.interface, &options.local))
        return ERR_INVALID;
    enum err err = open_and_bind(udp, &options, seed);
    struct sockaddr_storage addr;
    socklen_t size = sizeof(addr);
    if (err == ERR_NONE && getsockname(udp->fd, (struct sockaddr *)&addr, &size) != 0)
        err = ERR_IO;
    if (err != ERR_NONE) {
        int saved = errno;
        udp_close(udp);
        errno = saved;
        return err;
    }
    sockaddr_to(&udp->local, (struct sockaddr *)&addr);
    return ERR_NONE;
}

void udp_close(struct udp *udp)
{
    if (udp->fd >= 0)
        close(udp->fd);
    udp->fd = -1;
}

/* ---- receiving */

#define OVFL_ROOM CMSG_SPACE(sizeof(uint32_t))

struct receive_slots {
    struct mmsghdr headers[UDP_BATCH];
    struct iovec parts[UDP_BATCH];
    struct sockaddr_storage from[UDP_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][OVFL_ROOM];
};

static void prepare_slots(struct receive_slots *slots, struct udp_inbox *inbox)
{
    for (uint32_t i = 0; i < UDP_BATCH; i++) {
        slots->parts[i] = (struct iovec){inbox->bytes[i], UDP_DATAGRAM_BYTES};
        slots->headers[i] = (struct mmsghdr){.msg_hdr = {
            .msg_name = &slots->from[i],
            .msg_namelen = sizeof(slots->from[i]),
            .msg_iov = &slots->parts[i],
            .msg_iovlen = 1,
            .msg_control = slots->control[i],
            .msg_controllen = OVFL_ROOM,
        }};
    }
}

/* The kernel adds its count of drops to a datagram once there are any. */
static void note_drops(struct udp *udp, struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        uint32_t count;
        memcpy(&count, CMSG_DATA(c), sizeof(count));
        udp->counters.kernel_drops += (uint32_t)(count - udp->kernel_drops_seen);
        udp->kernel_drops_seen = count;
    }
}

bool udp_recv_batch(struct udp *udp, struct udp_inbox *inbox)
{
    struct receive_slots slots;
    prepare_slots(&slots, inbox);
    inbox->count = 0;
    int count = recvmmsg(udp->fd, slots.headers, UDP_BATCH, 0, NULL);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR)
            udp->counters.receive_errors++;
        return errno == EINTR;
    }
    for (int i = 0; i < count; i++) {
        struct msghdr *header = &slots.headers[i].msg_hdr;
        note_drops(udp, header);
        if (header->msg_flags & MSG_TRUNC) {
            udp->counters.received_cut++;
            continue;
        }
        struct udp_datagram *datagram = &inbox->items[inbox->count++];
        sockaddr_to(&datagram->from, (struct sockaddr *)&slots.from[i]);
        datagram->data = inbox->bytes[i];
        datagram->size = slots.headers[i].msg_len;
        udp->counters.received++;
        udp->counters.received_bytes += datagram->size;
    }
    return count == (int)UDP_BATCH;
}

/* ---- sending */

#define GSO_ROOM CMSG_SPACE(sizeof(uint16_t))

struct send_slots {
    struct mmsghdr headers[UDP_SEND_BATCH];
    struct sockaddr_storage to[UDP_SEND_BATCH];
    struct iovec parts[UDP_SEND_BATCH * UDP_RUN_MAX];
    _Alignas(struct cmsghdr) uint8_t control[UDP_SEND_BATCH][GSO_ROOM];
};

static void prepare_run(struct send_slots *slots, uint32_t at, uint32_t parts_at, const struct udp_run *run)
{
    struct msghdr *header = &slots->headers[at].msg_hdr;
    *header = (struct msghdr){
        .msg_name = &slots->to[at],
        .msg_namelen = sockaddr_of(&slots->to[at], &run->to),
        .msg_iov = &slots->parts[parts_at],
        .msg_iovlen = run->packet_count,
    };
    for (uint32_t i = 0; i < run->packet_count; i++)
        slots->parts[parts_at + i] = (struct iovec){(void *)(uintptr_t)run->packets[i].data, run->packets[i].size};
    if (run->packet_count == 1)
        return;
    header->msg_control = slots->control[at];
    header->msg_controllen = GSO_ROOM;
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    *c = (struct cmsghdr){.cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(uint16_t))};
    uint16_t segment = (uint16_t)run->packets[0].size;
    memcpy(CMSG_DATA(c), &segment, sizeof(segment));
}

static void count_sent(struct udp *udp, const struct udp_run *run)
{
    udp->counters.sent += run->packet_count;
    for (uint32_t i = 0; i < run->packet_count; i++)
        udp->counters.sent_bytes += run->packets[i].size;
}

static bool is_full(int error)
{
    return error == EAGAIN || error == ENOBUFS;
}

/* A run as single datagrams, where the kernel or the device takes no GSO. False: the socket is full. */
static bool send_one_by_one(struct udp *udp, const struct udp_run *run)
{
    struct sockaddr_storage to;
    socklen_t to_size = sockaddr_of(&to, &run->to);
    for (uint32_t i = 0; i < run->packet_count; i++) {
        ssize_t sent;
        do
            sent = sendto(udp->fd, run->packets[i].data, run->packets[i].size, 0, (struct sockaddr *)&to, to_size);
        while (sent < 0 && errno == EINTR);
        if (sent < 0 && is_full(errno)) {
            udp->counters.send_full += run->packet_count - i;
            return false;
        }
        if (sent < 0) {
            udp->counters.send_refused++;
        } else {
            udp->counters.sent++;
            udp->counters.sent_bytes += (uint64_t)sent;
        }
    }
    return true;
}

/* How many runs from `runs` make the next batch: up to the first that has to go one by one. */
static uint32_t prepare_batch(const struct udp *udp, struct send_slots *slots, const struct udp_run *runs, size_t count)
{
    uint32_t parts = 0;
    uint32_t n = 0;
    for (; n < count && n < UDP_SEND_BATCH; n++) {
        CHECK(runs[n].packet_count >= 1);
        CHECK(runs[n].packet_count <= UDP_RUN_MAX);
        if (runs[n].packet_count > 1 && !udp->gso)
            break;
        prepare_run(slots, n, parts, &runs[n]);
        parts += runs[n].packet_count;
    }
    return n;
}

static void count_full(struct udp *udp, const struct udp_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        udp->counters.send_full += runs[i].packet_count;
}

/* The first run of a batch was refused with `error`. False: the socket is full. */
static bool first_refused(struct udp *udp, const struct udp_run *run, int error)
{
    if (is_full(error))
        return false;
    if (run->packet_count > 1 && (error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP)) {
        udp->counters.gso_refused++;
        return send_one_by_one(udp, run);
    }
    udp->counters.send_refused += run->packet_count;
    return true;
}

size_t udp_send_batch(struct udp *udp, const struct udp_run *runs, size_t count)
{
    struct send_slots slots;
    size_t done = 0;
    while (done < count) {
        uint32_t batch = prepare_batch(udp, &slots, runs + done, count - done);
        if (batch == 0) {
            if (!send_one_by_one(udp, &runs[done])) {
                count_full(udp, runs + done + 1, count - done - 1);
                return done;
            }
            done++;
            continue;
        }
        int sent = sendmmsg(udp->fd, slots.headers, batch, 0);
        for (int i = 0; i < sent; i++)
            count_sent(udp, &runs[done + (size_t)i]);
        if (sent > 0) {
            done += (size_t)sent;
        } else if (errno != EINTR) {
            int error = errno;
            if (!first_refused(udp, &runs[done], error)) {
                bool single = !is_full(error);          /* then its own rest is counted already */
                count_full(udp, runs + done + single, count - done - single);
                return done;
            }
            done++;
        }
    }
    return done;
}
