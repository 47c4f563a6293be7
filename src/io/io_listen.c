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
#include "runtime/packet.h"
#include "runtime/tcp.h"

#define PEM_BYTES_MAX (256u * 1024u)

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

/* Of those who connect from now on. `texts`: certificate, key, password, ciphers, as the order says. */
void io_listen_renew(struct io *io, const struct io_certificate *certificate, const uint8_t *texts)
{
    struct tls_shared *shared = certificate->http ? io->https_tls : io->tls;
    const char *name = certificate->http ? "https" : "wss";
    char error[TLS_ERROR_TEXT];
    const uint8_t *key = texts + certificate->cert_size, *password = key + certificate->key_size, *ciphers = password + certificate->password_size;
    if (shared == NULL)
        return;
    const struct tls_config config = {
        .cert_pem = VIEW(texts, certificate->cert_size),
        .key_pem = VIEW(key, certificate->key_size),
        .key_password = certificate->password_size > 0 ? (const char *)password : NULL,
        .ciphers = certificate->ciphers_size > 0 ? (const char *)ciphers : NULL,
    };
    if (tls_shared_renew(shared, &config, error))
        LOG_INFO(io->self, "%s: new connections get the certificate as it is now", name);
    else
        LOG_ERR(io->self, "%s: %s: the certificate stays as it was", name, error);
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

/* What a listener is: its file's keys say where, its origin what the clients that come through it may do. */
struct listener_plan {
    const char *name;
    const struct websocket_server *server;
    const struct pem_files *pem;                 /* NULL: without TLS */
    struct tls_shared **tls;                     /* loaded when the first needs it */
    struct client_origin origin;
};

/* security.md: what a secret that everybody knows guards is for this machine only. */
static bool may_be_reached(const struct io *io, const struct listener_plan *plan)
{
    struct net_addr local;
    const struct websocket_server *server = plan->server;
    if (plan->origin.api != CLIENT_API_ADMIN || io->admin_guarded || server->unix_path != NULL)
        return true;
    if (server->ip != NULL && net_ip_parse(&local, str_of(server->ip)) && net_ip_is_loopback(&local))
        return true;
    LOG_ERR(io->self, "%s: not opened: admin_secret is the one of the sample files, which everybody knows. Set another in janus.jcfg, "
                      "or let it listen on 127.0.0.1 only", plan->name);
    return false;
}

static void open_one(struct io *io, const struct listener_plan *plan)
{
    const struct websocket_server *server = plan->server;
    struct listener *l = &io->listeners[io->listener_count];
    const char *where = server->unix_path != NULL ? server->unix_path : server->ip != NULL ? server->ip
                      : server->interface != NULL ? server->interface : "all addresses";
    if (!server->enabled || !may_be_reached(io, plan))
        return;
    if (plan->pem != NULL && *plan->tls == NULL && (*plan->tls = load_tls(io, plan->name, plan->pem)) == NULL)
        return;
    *l = (struct listener){.fd = -1, .name = plan->name, .origin = plan->origin};
    if (plan->pem != NULL)
        l->origin.tls = *plan->tls;
    enum err err = server->unix_path != NULL ? tcp_listen_unix(&l->fd, server->unix_path, false) : listen_tcp(&l->fd, server);
    if (err != ERR_NONE) {
        LOG_ERR(io->self, "%s: can't listen on %s, port %u: %s", plan->name, where, (unsigned)server->port, strerror(errno));
        return;
    }
    io->listener_count++;
    if (server->unix_path != NULL)
        LOG_INFO(io->self, "%s: listening on %s", plan->name, where);
    else
        LOG_INFO(io->self, "%s: listening on %s, port %u", plan->name, where, (unsigned)server->port);
}

void io_listen_open(struct io *io)
{
    const struct websocket_config *ws = &io->config;
    const struct http_config *http = &io->http, *admin = &io->http_admin;
    const struct pem_files ws_pem = {ws->cert_pem, ws->cert_key, ws->cert_password, ws->ciphers};
    const struct pem_files http_pem = {http->cert_pem, http->cert_key, http->cert_password, NULL};
    /* transports.md 3.2 */
    const struct client_origin of_ws = {CLIENT_API_JANUS, "janus-protocol", NULL, ws->acl, ws->acl_forwarded, NULL, NULL};
    const struct client_origin of_admin_ws = {CLIENT_API_ADMIN, "janus-admin-protocol", NULL, ws->admin_acl, ws->admin_acl_forwarded, NULL, NULL};
    const struct client_origin of_http = {CLIENT_API_JANUS, NULL, http, http->acl, http->acl_forwarded, NULL, NULL};
    const struct client_origin of_admin_http = {CLIENT_API_ADMIN, NULL, admin, admin->acl, admin->acl_forwarded, NULL, NULL};
    const struct listener_plan plans[] = {
        {"ws", &ws->ws, NULL, NULL, of_ws},
        {"wss", &ws->wss, &ws_pem, &io->tls, of_ws},
        {"http", &http->http, NULL, NULL, of_http},
        {"https", &http->https, &http_pem, &io->https_tls, of_http},
        {"admin_ws", &ws->admin_ws, NULL, NULL, of_admin_ws},
        {"admin_wss", &ws->admin_wss, &ws_pem, &io->tls, of_admin_ws},
        {"admin_http", &admin->http, NULL, NULL, of_admin_http},
        {"admin_https", &admin->https, &http_pem, &io->https_tls, of_admin_http},
    };
    for (size_t i = 0; i < ARRAY_COUNT(plans); i++)
        open_one(io, &plans[i]);
}

void io_listen_close(struct io *io)
{
    for (uint32_t i = 0; i < io->listener_count; i++) {
        if (io->listeners[i].fd < 0)
            continue;
        actor_unwatch(io->self, io->listeners[i].fd);
        tcp_close(io->listeners[i].fd);
        io->listeners[i].fd = -1;
        if (io->listeners[i].path != NULL)
            packet_remove(io->listeners[i].path);
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
    if (l->datagrams) {
        io_packets_receive(io, l, now);
        return;
    }
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
