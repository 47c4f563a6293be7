/* runtime/packet.h - Unix sockets of packets for the io actor: SOCK_SEQPACKET connections (listening and accepting: runtime/tcp.h)
 * and SOCK_DGRAM sockets, whose peers are known by the paths of their own. Nothing waits. Failures leave errno set. */
#pragma once

#include "base/err.h"
#include "base/types.h"

#define PACKET_PATH_ROOM 108u           /* of a Unix socket's path with its NUL (unix(7)) */

enum packet_result {
    PACKET_DONE,
    PACKET_AGAIN,           /* nothing there; or the receiver's queue is full */
    PACKET_CUT,             /* read: it was longer than the room, and its rest is lost */
    PACKET_TOO_LONG,        /* write: longer than the socket's buffer */
    PACKET_NOBODY,          /* write: nobody has that path any more */
    PACKET_CLOSED,          /* read: the peer has ended */
    PACKET_FAILED,
};

/* A socket of that type (SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM) at a path: what runtime/tcp.h listens on, too. */
enum err packet_bind(int *fd, const char *path, int type);
/* A socket for datagrams at `path`; a socket file that nobody uses any more is replaced. */
enum err packet_open(int *fd, const char *path);
/* How much one packet may hold: as near to it as the system allows. */
void packet_set_room(int fd, size_t bytes);
/* `from`: NULL for a connection; else the sender's path, "" when it has none. */
enum packet_result packet_read(int fd, void *out, size_t room, size_t *size, char from[PACKET_PATH_ROOM]);
/* `to`: NULL for a connection. The parts (PACKET_PARTS_MAX) are one packet. */
#define PACKET_PARTS_MAX 4u
enum packet_result packet_write(int fd, const char *to, const struct view *parts, size_t count);
/* The file of a socket that we have opened. */
void packet_remove(const char *path);
