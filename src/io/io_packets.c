/* Unix sockets of packets (transports.md 4). A SOCK_SEQPACKET client is a connection like any other, whose packets are texts. A
 * SOCK_DGRAM client is the path of its own socket: nothing says when it has gone, so those that were silent for the longest make
 * room for new ones, and who takes nothing for IO_STALL_US is gone. A full receiver doesn't wake us: it is tried again. */
#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/io_private.h"
#include "msg/control.h"
#include "runtime/log.h"
#include "runtime/packet.h"
#include "runtime/tcp.h"

struct datagram_peer {
    struct map_node by_path;
    struct list use;                     /* in io.datagrams.by_use, longest silent first */
    struct list full;                    /* in io.datagrams.full */
    struct client *client;
    const struct listener *listener;
    char path[PACKET_PATH_ROOM];
};

/* --- Opening ------------------------------------------------------------------------------------------------------ */

static void open_door(struct io *io, const char *name, const struct unix_server *server, const struct client_origin *origin)
{
    struct listener *l = &io->listeners[io->listener_count];
    if (!server->enabled)
        return;
    *l = (struct listener){.fd = -1, .name = name, .origin = *origin, .datagrams = server->datagrams, .path = server->path};
    enum err err = server->datagrams ? packet_open(&l->fd, server->path) : tcp_listen_unix(&l->fd, server->path, true);
    if (err != ERR_NONE) {
        LOG_ERR(io->self, "%s: can't listen on %s: %s", name, server->path, strerror(errno));
        return;
    }
    packet_set_room(l->fd, IO_TEXT_BYTES_MAX);
    io->listener_count++;
    LOG_INFO(io->self, "%s: listening on %s, %s", name, server->path, server->datagrams ? "datagrams" : "packets");
}

void io_packets_open(struct io *io)
{
    const struct unix_config *config = &io->unix_sockets;
    struct datagrams *d = &io->datagrams;
    map_init(&d->by_path);
    list_init(&d->by_use);
    list_init(&d->full);
    pool_init(&d->pool, "datagram peers", sizeof(struct datagram_peer), IO_DATAGRAM_PEERS_MAX);
    rng_bytes(&io->clients.rng, &d->key, sizeof(d->key));
    d->retry_at = USEC_NEVER;
    if (!config->janus.enabled && !config->admin.enabled)
        return;
    io->packet = mem_get(IO_TEXT_BYTES_MAX);
    for (unsigned i = 0; i < 2; i++) {
        const struct unix_server *server = i == 0 ? &config->janus : &config->admin;
        io->packets[i] = (struct packets_origin){.way = server->datagrams ? PACKETS_DATAGRAM : PACKETS_SOCKET,
                                                 .transport = TRANSPORT_UNIX, .layout = config->layout, .package = "janus.transport.pfunix",
                                                 .events = config->events};
        const struct client_origin origin = {.api = i == 0 ? CLIENT_API_JANUS : CLIENT_API_ADMIN, .packets = &io->packets[i]};
        open_door(io, i == 0 ? "unix" : "admin_unix", server, &origin);
    }
}

void io_packets_fini(struct io *io)
{
    map_fini(&io->datagrams.by_path);
    pool_fini(&io->datagrams.pool);
    mem_put(io->packet);
}

/* --- Datagram clients --------------------------------------------------------------------------------------------- */

static struct datagram_peer *peer_find(const struct io *io, const struct listener *l, const char *path, uint64_t hash)
{
    for (struct map_node *node = map_first(&io->datagrams.by_path, hash); node != NULL; node = map_next_same(node)) {
        struct datagram_peer *peer = CONTAINER_OF(node, struct datagram_peer, by_path);
        if (peer->listener == l && strcmp(peer->path, path) == 0)
            return peer;
    }
    return NULL;
}

static void peer_free(struct io *io, struct datagram_peer *peer)
{
    map_del(&io->datagrams.by_path, &peer->by_path);
    list_del(&peer->use);
    list_del(&peer->full);
    pool_put(&io->datagrams.pool, peer);
}

/* Its sessions go the way of all whose client has gone. */
static void evict_oldest(struct io *io)
{
    if (list_is_empty(&io->datagrams.by_use))
        return;
    struct datagram_peer *peer = CONTAINER_OF(io->datagrams.by_use.next, struct datagram_peer, use);
    struct client *c = peer->client;
    io->counters.datagram_peers_evicted++;
    client_input_ended(&io->clients, c, true);
    io_touch(io, c);
    c->through = NULL;
    peer_free(io, peer);
}

static struct datagram_peer *peer_new(struct io *io, const struct listener *l, const char *path, uint64_t hash, usec_t now)
{
    const struct net_addr nowhere = {0};
    if (io->datagrams.pool.used == IO_DATAGRAM_PEERS_MAX)
        evict_oldest(io);
    struct datagram_peer *peer = pool_get(&io->datagrams.pool);
    struct client *c = peer == NULL ? NULL : io_add(io, -1, &l->origin, &nowhere, now);
    if (c == NULL) {
        pool_put(&io->datagrams.pool, peer);
        return NULL;
    }
    *peer = (struct datagram_peer){.client = c, .listener = l};
    memcpy(peer->path, path, strlen(path) + 1);
    list_init(&peer->full);
    list_init(&peer->use);
    map_add(&io->datagrams.by_path, &peer->by_path, hash);
    c->through = peer;
    return peer;
}

void io_packets_drop(struct io *io, struct client *c)
{
    if (c->origin->packets->way == PACKETS_BROKER) {
        io_broker_drop(c);
        return;
    }
    if (c->origin->packets->way == PACKETS_NANOMSG) {
        io_nanomsg_drop(io, c);
        return;
    }
    if (c->through != NULL)
        peer_free(io, c->through);
    c->through = NULL;
}

/* --- Input -------------------------------------------------------------------------------------------------------- */

static void take_text(struct io *io, struct client *c, usec_t now, enum packet_result result, size_t size)
{
    static const char refusal[] = "{\"janus\":\"error\",\"error\":{\"code\":454,\"reason\":\"Invalid Janus API request - it is too long\"}}";
    if (result == PACKET_CUT) {
        io->counters.packets_cut++;
        client_send(&io->clients, c, now, OUT_REPLY, VIEW(refusal, sizeof(refusal) - 1), NULL);
    } else if (!client_wants_input(c)) {
        io->counters.packets_refused++;          /* a datagram of a peer that has too much under way; a connection isn't read then */
    } else {
        client_feed(&io->clients, c, now, io->packet, size);
        io_deliver(io, c, now);
    }
    io_touch(io, c);
}

void io_packets_read(struct io *io, struct client *c, usec_t now)
{
    size_t size;
    enum packet_result result = packet_read(c->fd, io->packet, IO_TEXT_BYTES_MAX, &size, NULL);
    switch (result) {
    case PACKET_DONE:
    case PACKET_CUT:
        take_text(io, c, now, result, size);
        break;
    case PACKET_AGAIN:
        break;
    case PACKET_CLOSED:
    case PACKET_TOO_LONG:
    case PACKET_NOBODY:
    case PACKET_FAILED:
        client_input_ended(&io->clients, c, result != PACKET_CLOSED);
        break;
    }
}

void io_packets_receive(struct io *io, const struct listener *l, usec_t now)
{
    char path[PACKET_PATH_ROOM];
    size_t size;
    for (unsigned i = 0; i < IO_DATAGRAMS_PER_TURN; i++) {
        enum packet_result result = packet_read(l->fd, io->packet, IO_TEXT_BYTES_MAX, &size, path);
        if (result != PACKET_DONE && result != PACKET_CUT)
            return;
        if (path[0] == '\0') {
            io->counters.datagrams_unnamed++;    /* nobody to answer (transports.md 4) */
            continue;
        }
        const uint64_t hash = hash_bytes(&io->datagrams.key, str_of(path));
        struct datagram_peer *peer = peer_find(io, l, path, hash);
        if (peer == NULL)
            peer = peer_new(io, l, path, hash, now);
        if (peer == NULL)
            continue;                            /* counted by io_add */
        list_del(&peer->use);
        list_add_tail(&io->datagrams.by_use, &peer->use);
        take_text(io, peer->client, now, result, size);
    }
}

/* --- Output ------------------------------------------------------------------------------------------------------- */

/* False: no more for now. */
static bool send_one(struct io *io, struct client *c, usec_t now, const struct view *parts, size_t count)
{
    struct datagram_peer *peer = c->through;
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    switch (packet_write(peer == NULL ? c->fd : peer->listener->fd, peer == NULL ? NULL : peer->path, parts, count)) {
    case PACKET_DONE:
        client_sent(&io->clients, c, now, size);
        return true;
    case PACKET_NOBODY:                          /* it may come back with another socket at that path, so it is not gone */
        io->counters.datagrams_lost++;
        client_sent(&io->clients, c, now, size);
        return true;
    case PACKET_TOO_LONG:
        client_skip(&io->clients, c, now);
        return true;
    case PACKET_AGAIN:
        if (peer != NULL && list_is_empty(&peer->full)) {
            list_add_tail(&io->datagrams.full, &peer->full);
            io->datagrams.retry_at = usec_min(io->datagrams.retry_at, usec_add(now, IO_DATAGRAM_RETRY_US));
        }
        return false;
    case PACKET_CUT:
    case PACKET_CLOSED:
    case PACKET_FAILED:
        break;
    }
    client_input_ended(&io->clients, c, true);
    return false;
}

void io_packets_write(struct io *io, struct client *c, usec_t now)
{
    struct view parts[OUTQ_PARTS];
    size_t count;
    if (c->origin->packets->way == PACKETS_BROKER) {
        io_broker_write(io, c, now);
        return;
    }
    if (c->origin->packets->way == PACKETS_NANOMSG) {
        io_nanomsg_write(io, c, now);
        return;
    }
    if (c->fd < 0 && c->through == NULL)
        return;                                  /* it has made room for another */
    for (unsigned i = 0; (count = client_output(&io->clients, c, now, parts)) > 0; i++) {
        if (i == IO_PACKETS_PER_TURN) {
            io_touch(io, c);
            return;
        }
        if (!send_one(io, c, now, parts, count))
            return;
    }
}

void io_packets_timeout(struct io *io, usec_t now)
{
    if (now < io->datagrams.retry_at)
        return;
    io->datagrams.retry_at = USEC_NEVER;
    for (struct list *it; (it = list_pop(&io->datagrams.full)) != NULL;)
        io_touch(io, CONTAINER_OF(it, struct datagram_peer, full)->client);
}
