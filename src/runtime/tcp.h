/* runtime/tcp.h - stream sockets for the io actor (and ICE-TCP later): listeners, accept, read, write. All non-blocking and
 * close-on-exec; descriptors are plain ints watched by actor_watch. Failures leave errno set. */
#pragma once

#include "base/err.h"
#include "base/net.h"

#define TCP_BACKLOG 1024

/* Port 0: any (ask tcp_local). An IPv6 listener on :: also takes IPv4 unless `only6`. `interface`: NULL, or SO_BINDTODEVICE. */
enum err tcp_listen(int *fd, const struct net_addr *local, bool only6, const char *interface);
/* Replaces a socket file that nobody listens on any more. `seqpacket`: SOCK_SEQPACKET, else a stream. */
enum err tcp_listen_unix(int *fd, const char *path, bool seqpacket);

enum tcp_result {
    TCP_DONE,
    TCP_AGAIN,              /* nothing now: wait for readiness */
    TCP_NO_DESCRIPTOR,      /* EMFILE, ENFILE, ENOMEM, ENOBUFS: stop watching the listener for 200 ms */
    TCP_CLOSED,             /* the peer has closed its side (reads only) */
    TCP_FAILED,             /* errno; for accept: this client is gone, try the next */
};

/* One client. `peer` is canonical (mapped IPv6 is IPv4); family NET_NONE for unix sockets. TCP_NODELAY is set. */
enum tcp_result tcp_accept(int listener, int *fd, struct net_addr *peer);
/* Begins to connect; completion is EPOLLOUT, and tcp_connect_error then says how it went (0: connected). */
enum tcp_result tcp_connect(int *fd, const struct net_addr *to);
int tcp_connect_error(int fd);

enum tcp_result tcp_read(int fd, void *out, size_t room, size_t *size);
#define TCP_WRITE_PARTS 16u
/* Writes what the socket takes of the parts (the first TCP_WRITE_PARTS of them): TCP_DONE with *size > 0, or TCP_AGAIN. */
enum tcp_result tcp_write(int fd, const struct view *parts, size_t count, size_t *size);

/* No more of ours comes; what the peer still sends can be read on. */
void tcp_end_output(int fd);
bool tcp_local(int fd, struct net_addr *local);
void tcp_close(int fd);
