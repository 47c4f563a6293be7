/* Nanomsg (transports.md 7): a socket of the pattern PAIR for each API, a message is a text. Its library has threads of its own; we only
 * ask its two descriptors, one of which is readable when there is a message and the other when one can be sent, and never wait. To
 * control the one peer is a client that never goes: what can't wait any more while it is away is dropped and counted. */
#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <sys/epoll.h>

#include "base/str.h"
#include "io/io_private.h"
#include "msg/control.h"
#include "runtime/log.h"

#define READS_PER_TURN 64u

static int fd_of(int socket, int option)
{
    int fd = -1;
    size_t size = sizeof(fd);
    return nn_getsockopt(socket, NN_SOL_SOCKET, option, &fd, &size) == 0 ? fd : -1;
}

static void open_side(struct io *io, uint8_t api, const struct nanomsg_server *server)
{
    struct io_nanomsg *n = &io->nanomsgs[api];
    const int most = (int)IO_TEXT_BYTES_MAX;
    const char *name = api == CLIENT_API_JANUS ? "nanomsg" : "admin_nanomsg";
    if (!server->enabled)
        return;
    n->socket = nn_socket(AF_SP, NN_PAIR);
    if (n->socket >= 0 && nn_setsockopt(n->socket, NN_SOL_SOCKET, NN_RCVMAXSIZE, &most, sizeof(most)) == 0 &&
        (server->connects ? nn_connect(n->socket, server->address) : nn_bind(n->socket, server->address)) >= 0) {
        n->receive_fd = fd_of(n->socket, NN_RCVFD);
        n->send_fd = fd_of(n->socket, NN_SNDFD);
    }
    if (n->receive_fd >= 0 && n->send_fd >= 0) {
        LOG_INFO(io->self, "%s: %s %s", name, server->connects ? "connecting to" : "listening on", server->address);
        return;
    }
    LOG_ERR(io->self, "%s: can't use %s: %s", name, server->address, nn_strerror(nn_errno()));
    if (n->socket >= 0)
        nn_close(n->socket);
    n->socket = -1;
}

void io_nanomsg_open(struct io *io)
{
    for (uint8_t api = 0; api < 2; api++) {
        struct io_nanomsg *n = &io->nanomsgs[api];
        *n = (struct io_nanomsg){.socket = -1, .receive_fd = -1, .send_fd = -1};
        n->packets = (struct packets_origin){.way = PACKETS_NANOMSG, .transport = TRANSPORT_NANOMSG, .layout = io->nanomsg.layout, .lasting = true,
                                             .package = "janus.transport.nanomsg", .events = io->nanomsg.events};
        n->origin = (struct client_origin){.api = api, .packets = &n->packets};
    }
    open_side(io, CLIENT_API_JANUS, &io->nanomsg.janus);
    open_side(io, CLIENT_API_ADMIN, &io->nanomsg.admin);
}

void io_nanomsg_fini(struct io *io)
{
    for (uint8_t api = 0; api < 2; api++)
        if (io->nanomsgs[api].socket >= 0)
            nn_close(io->nanomsgs[api].socket);
}

/* --- Watching ------------------------------------------------------------------------------------------------------- */

static void watch(struct io *io, int fd, uint64_t token, bool wanted, bool *watched)
{
    if (wanted && !*watched)
        *watched = actor_watch(io->self, fd, EPOLLIN, token);
    else if (!wanted && *watched) {
        actor_unwatch(io->self, fd);
        *watched = false;
    }
}

static uint64_t token_of(const struct io *io, const struct io_nanomsg *n, bool sends)
{
    return IO_NANOMSG_TOKEN + (uint64_t)(n - io->nanomsgs) * 2 + (sends ? 1 : 0);
}

void io_nanomsg_renew(struct io *io, struct client *c)
{
    struct io_nanomsg *n = c->through;
    watch(io, n->receive_fd, token_of(io, n, false), client_wants_input(c), &n->receive_watched);
    watch(io, n->send_fd, token_of(io, n, true), client_wants_output(c), &n->send_watched);
}

void io_nanomsg_drop(struct io *io, struct client *c)
{
    struct io_nanomsg *n = c->through;
    watch(io, n->receive_fd, 0, false, &n->receive_watched);
    watch(io, n->send_fd, 0, false, &n->send_watched);
    n->client = NULL;
}

void io_nanomsg_start(struct io *io, usec_t now)
{
    const struct net_addr nowhere = {0};
    for (uint8_t api = 0; api < 2; api++) {
        struct io_nanomsg *n = &io->nanomsgs[api];
        if (n->socket < 0)
            continue;
        n->client = io_add(io, -1, &n->origin, &nowhere, now);
        if (n->client == NULL)
            LOG_ERR(io->self, "no room for the client of Nanomsg (max_clients)");
        else
            n->client->through = n;
    }
}

/* --- In and out ------------------------------------------------------------------------------------------------------- */

static void receive(struct io *io, struct io_nanomsg *n, usec_t now)
{
    struct client *c = n->client;
    void *text;
    for (unsigned i = 0; i < READS_PER_TURN && client_wants_input(c); i++) {
        int size = nn_recv(n->socket, &text, NN_MSG, NN_DONTWAIT);
        if (size < 0)
            return;
        uint8_t blank = ' ';             /* an empty message is no JSON, and told so */
        client_feed(&io->clients, c, now, size > 0 ? text : &blank, size > 0 ? (size_t)size : 1);
        io_deliver(io, c, now);
        nn_freemsg(text);
    }
}

void io_nanomsg_ready(struct io *io, usec_t now, uint64_t token)
{
    const uint64_t index = (token - IO_NANOMSG_TOKEN) / 2;
    struct io_nanomsg *n = index < 2 ? &io->nanomsgs[index] : NULL;
    if (n == NULL || n->client == NULL)
        return;
    if (((token - IO_NANOMSG_TOKEN) & 1) == 0)
        receive(io, n, now);
    io_touch(io, n->client);             /* what is to be sent is so at the end of the turn */
}

void io_nanomsg_write(struct io *io, struct client *c, usec_t now)
{
    const struct io_nanomsg *n = c->through;
    struct view parts[OUTQ_PARTS];
    for (unsigned i = 0; client_output(&io->clients, c, now, parts) > 0; i++) {
        if (i == IO_PACKETS_PER_TURN || nn_send(n->socket, parts[0].data, parts[0].size, NN_DONTWAIT) < 0)
            return;                      /* its descriptor tells when it can be sent */
        client_sent(&io->clients, c, now, parts[0].size);
    }
}

uint32_t io_nanomsg_serves(const struct io *io, uint8_t api)
{
    return io->nanomsgs[api].socket >= 0 ? 1 : 0;
}
