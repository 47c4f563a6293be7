#include "client/conn.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/str.h"
#include "runtime/tcp.h"

#define READ_BYTES 65536u

static void on_turn(struct loop_hook *hook, usec_t now);
static void on_ready(struct loop_source *source, usec_t now, uint32_t events);

void conn_set_init(struct conn_set *set, struct loop *loop, struct rng *rng)
{
    *set = (struct conn_set){.loop = loop, .rng = rng, .hook = {.on_turn = on_turn}};
    list_init(&set->unsent);
    loop_hook(loop, &set->hook);
}

void conn_set_fini(struct conn_set *set)
{
    loop_unhook(&set->hook);
}

static void want_write(struct conn *conn)
{
    if (list_is_empty(&conn->unsent))
        list_add_tail(&conn->set->unsent, &conn->unsent);
}

bool conn_open(struct conn *conn, struct conn_set *set, const struct net_addr *to, const char *protocol, const struct conn_ops *ops)
{
    char host[NET_IP_TEXT + 16], ip[NET_IP_TEXT];
    *conn = (struct conn){.source = {.fd = -1, .on_ready = on_ready}, .loop = set->loop, .ops = ops, .set = set, .connecting = true};
    list_init(&conn->unsent);
    int fd;
    enum tcp_result result = tcp_connect(&fd, to);
    if (result != TCP_DONE && result != TCP_AGAIN)
        return false;
    conn->source.fd = fd;
    if (!loop_watch(conn->loop, &conn->source, EPOLLIN | EPOLLOUT)) {
        tcp_close(fd);
        conn->source.fd = -1;
        return false;
    }
    buf_init(&conn->out, CONN_OUT_MAX);
    conn->raw = protocol == NULL;
    if (conn->raw)
        return true;
    snprintf(host, sizeof(host), to->family == NET_IP6 ? "[%s]:%u" : "%s:%u", net_ip_text(to, ip), to->port);
    wire_open(&conn->wire, set->rng, host, "/", protocol, &conn->out);
    return true;
}

bool conn_is_open(const struct conn *conn)
{
    return conn->source.fd >= 0;
}

static void release(struct conn *conn)
{
    if (conn->source.fd < 0)
        return;
    list_del(&conn->unsent);
    loop_unwatch(conn->loop, &conn->source);
    tcp_close(conn->source.fd);
    conn->source.fd = -1;
    if (!conn->raw)
        wire_fini(&conn->wire);
    buf_fini(&conn->out);
}

static void fail(struct conn *conn, usec_t now)
{
    release(conn);
    conn->ops->on_closed(conn, now);
}

/* Whatever the socket takes. False: it is broken. */
static bool write_out(struct conn *conn)
{
    while (conn->out_at < conn->out.size) {
        const struct view rest = {conn->out.data + conn->out_at, conn->out.size - conn->out_at};
        size_t size = 0;
        enum tcp_result result = tcp_write(conn->source.fd, &rest, 1, &size);
        if (result == TCP_AGAIN) {
            conn->blocked = true;
            return loop_watch(conn->loop, &conn->source, EPOLLIN | EPOLLOUT);
        }
        if (result != TCP_DONE)
            return false;
        conn->out_at += size;
    }
    /* Between messages a connection holds no memory: there may be ten thousand of them. */
    buf_fini(&conn->out);
    buf_init(&conn->out, CONN_OUT_MAX);
    conn->out_at = 0;
    if (conn->blocked) {
        conn->blocked = false;
        return loop_watch(conn->loop, &conn->source, EPOLLIN);
    }
    return true;
}

static void on_turn(struct loop_hook *hook, usec_t now)
{
    struct conn_set *set = CONTAINER_OF(hook, struct conn_set, hook);
    for (struct list *it; (it = list_pop(&set->unsent)) != NULL;) {
        struct conn *conn = CONTAINER_OF(it, struct conn, unsent);
        if (!conn->connecting && !conn->blocked && !write_out(conn))
            fail(conn, now);
    }
}

void conn_send(struct conn *conn, struct view text)
{
    if (!conn_is_open(conn))
        return;
    if (conn->raw)
        buf_add_view(&conn->out, text);
    else
        wire_text(&conn->wire, text, &conn->out);
    want_write(conn);
}

void conn_close(struct conn *conn)
{
    if (!conn_is_open(conn))
        return;
    if (!conn->raw && conn->wire.open)
        wire_close(&conn->wire, &conn->out);
    if (!conn->connecting)
        (void)write_out(conn);
    release(conn);
}

void conn_drop(struct conn *conn)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (!conn_is_open(conn))
        return;
    if (!conn->connecting)
        (void)write_out(conn);
    (void)setsockopt(conn->source.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    release(conn);
}

/* False: the connection is over (and may be gone). */
static bool take(struct conn *conn, usec_t now, struct ws_input *input)
{
    struct wire_event event;
    if (conn->raw) {
        conn->ops->on_text(conn, now, (struct view){input->data, input->size});
        return conn_is_open(conn);
    }
    while (wire_read(&conn->wire, input, &conn->out, &event)) {
        switch (event.kind) {
        case WIRE_OPEN:
            conn->ops->on_open(conn, now);
            break;
        case WIRE_TEXT:
            conn->ops->on_text(conn, now, event.text);
            break;
        case WIRE_CLOSED:
            (void)write_out(conn);
            fail(conn, now);
            return false;
        }
        if (!conn_is_open(conn))
            return false;
    }
    if (conn->out.size > conn->out_at)
        want_write(conn);
    return true;
}

static void on_ready(struct loop_source *source, usec_t now, uint32_t events)
{
    static uint8_t bytes[READ_BYTES];       /* a program has one loop thread; nothing is kept in it between calls */
    struct conn *conn = CONTAINER_OF(source, struct conn, source);
    size_t size;
    if (conn->connecting) {
        if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0)
            return;
        conn->connecting = false;
        conn->blocked = true;
        if (tcp_connect_error(source->fd) != 0) {
            fail(conn, now);
            return;
        }
        if (conn->raw)
            conn->ops->on_open(conn, now);
        if (!conn_is_open(conn))
            return;
    }
    if (conn->blocked && (events & EPOLLOUT) != 0 && !write_out(conn)) {
        fail(conn, now);
        return;
    }
    if ((events & ~(uint32_t)EPOLLOUT) == 0)
        return;
    for (;;) {
        enum tcp_result result = tcp_read(source->fd, bytes, sizeof(bytes), &size);
        if (result == TCP_AGAIN)
            return;
        if (result != TCP_DONE) {
            fail(conn, now);
            return;
        }
        if (!take(conn, now, &(struct ws_input){bytes, size}))
            return;
    }
}
