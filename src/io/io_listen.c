/* Listeners: opened once at start, watched while there is a descriptor to be had. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/str.h"
#include "io/io_private.h"
#include "msg/control.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/tcp.h"

#define PEM_BYTES_MAX (256u * 1024u)
#define SUBPROTOCOL   "janus-protocol"       /* transports.md 3.2 */

/* --- Certificates ----------------------------------------------------------------------------------------------- */

static bool read_pem(struct io *io, const char *name, const char *path, struct buf *out)
{
    buf_init(out, PEM_BYTES_MAX);
    if (file_read(path, out) == ERR_NONE)
        return true;
    LOG_ERR(io->self, "%s: can't read %s: %s", name, path, strerror(errno));
    return false;
}

static void forget(struct buf *secret)
{
    if (secret->data != NULL)
        explicit_bzero(secret->data, secret->room);
    buf_fini(secret);
}

struct pem_files {
    const char *cert, *key, *password, *ciphers;
};

static struct tls_shared *load_tls(struct io *io, const char *name, const struct pem_files *files)
{
    struct tls_shared *shared = NULL;
    char error[TLS_ERROR_TEXT];
    struct buf cert, key;
    if (files->cert == NULL || files->key == NULL) {
        LOG_ERR(io->self, "%s: no certificate (certificates.cert_pem and cert_key)", name);
        return NULL;
    }
    bool fine = read_pem(io, name, files->cert, &cert);
    fine = read_pem(io, name, files->key, &key) && fine;
    if (fine) {
        struct tls_config c = {buf_view(&cert), buf_view(&key), files->password, files->ciphers};
        shared = tls_shared_new(&c, error);
        if (shared == NULL)
            LOG_ERR(io->self, "%s: %s", name, error);
    }
    buf_fini(&cert);
    forget(&key);
    return shared;
}

/* --- Opening ---------------------------------------------------------------------------------------------------- */

static enum err listen_tcp(int *fd, const struct websocket_server *server)
{
    struct net_addr local = {.family = NET_IP6, .port = server->port};
    if (server->ip != NULL) {
        if (!net_ip_parse(&local, str_of(server->ip))) {
            errno = EINVAL;
            return ERR_INVALID;
        }
        local.port = server->port;
        return tcp_listen(fd, &local, false, NULL);
    }
    /* All addresses of both families by one socket; a machine without IPv6 gets one for IPv4. */
    enum err err = tcp_listen(fd, &local, false, server->interface);
    if (err != ERR_NONE && errno != EADDRINUSE) {
        local.family = NET_IP4;
        err = tcp_listen(fd, &local, false, server->interface);
    }
    return err;
}

static void open_one(struct io *io, const char *name, const struct websocket_server *server, struct tls_shared *tls, const struct http_config *http)
{
    struct listener *l = &io->listeners[io->listener_count];
    const char *where = server->unix_path != NULL ? server->unix_path : server->ip != NULL ? server->ip
                      : server->interface != NULL ? server->interface : "all addresses";
    *l = (struct listener){.fd = -1, .name = name, .origin = {.api = CLIENT_API_JANUS, .subprotocol = SUBPROTOCOL, .http = http, .tls = tls}};
    enum err err = server->unix_path != NULL ? tcp_listen_unix(&l->fd, server->unix_path, false) : listen_tcp(&l->fd, server);
    if (err != ERR_NONE) {
        LOG_ERR(io->self, "%s: can't listen on %s, port %u: %s", name, where, (unsigned)server->port, strerror(errno));
        return;
    }
    io->listener_count++;
    if (server->unix_path != NULL)
        LOG_INFO(io->self, "%s: listening on %s", name, where);
    else
        LOG_INFO(io->self, "%s: listening on %s, port %u", name, where, (unsigned)server->port);
}

void io_listen_open(struct io *io)
{
    const struct websocket_config *ws = &io->config;
    const struct http_config *http = &io->http;
    if (ws->ws.enabled)
        open_one(io, "ws", &ws->ws, NULL, NULL);
    if (ws->wss.enabled && (io->tls = load_tls(io, "wss", &(struct pem_files){ws->cert_pem, ws->cert_key, ws->cert_password, ws->ciphers})) != NULL)
        open_one(io, "wss", &ws->wss, io->tls, NULL);
    if (http->http.enabled)
        open_one(io, "http", &http->http, NULL, http);
    if (http->https.enabled && (io->https_tls = load_tls(io, "https", &(struct pem_files){http->cert_pem, http->cert_key, http->cert_password, NULL})) != NULL)
        open_one(io, "https", &http->https, io->https_tls, http);
}

void io_listen_close(struct io *io)
{
    for (uint32_t i = 0; i < io->listener_count; i++) {
        if (io->listeners[i].fd < 0)
            continue;
        actor_unwatch(io->self, io->listeners[i].fd);
        tcp_close(io->listeners[i].fd);
        io->listeners[i].fd = -1;
    }
    io->accept_at = USEC_NEVER;
}

void io_listen_watch(struct io *io)
{
    for (uint32_t i = 0; i < io->listener_count; i++)
        if (!actor_watch(io->self, io->listeners[i].fd, EPOLLIN, listener_token(i)))
            LOG_ERR(io->self, "%s: can't watch the listener: %s", io->listeners[i].name, strerror(errno));
}

/* --- Accepting -------------------------------------------------------------------------------------------------- */

/* Without a descriptor to be had the listeners stay ready for ever: look away for a moment. */
static void pause_accepting(struct io *io, usec_t now)
{
    io->counters.accept_paused++;
    io->accept_at = usec_add(now, IO_ACCEPT_PAUSE_US);
    for (uint32_t i = 0; i < io->listener_count; i++)
        actor_unwatch(io->self, io->listeners[i].fd);
    if (io->accept_logged_at != 0 && now < usec_add(io->accept_logged_at, IO_ACCEPT_LOG_US))
        return;
    io->accept_logged_at = now;
    LOG_WARN(io->self, "no descriptor left for a new client (%s): new clients wait", strerror(errno));
}

void io_listen_timeout(struct io *io, usec_t now)
{
    if (now < io->accept_at)
        return;
    io->accept_at = USEC_NEVER;
    io_listen_watch(io);
}

void io_listen_accept(struct io *io, uint32_t index, usec_t now)
{
    if (index >= io->listener_count || io->listeners[index].fd < 0 || io->accept_at != USEC_NEVER)
        return;
    const struct listener *l = &io->listeners[index];
    for (unsigned i = 0; i < IO_ACCEPTS_PER_TURN; i++) {
        struct net_addr peer;
        int fd = -1;
        switch (tcp_accept(l->fd, &fd, &peer)) {
        case TCP_DONE:
            io_take(io, fd, l, &peer, now);
            break;
        case TCP_NO_DESCRIPTOR:
            pause_accepting(io, now);
            return;
        case TCP_FAILED:
            io->counters.accept_failed++;
            break;
        case TCP_AGAIN:
        case TCP_CLOSED:
            return;
        }
    }
}
