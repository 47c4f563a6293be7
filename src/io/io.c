/* The actor: readiness and messages in, clients settled at the end of the turn.
 *
 * Nothing is written while inputs are handled. Every client that something happened to is put on the turn's list, and
 * settled once: what it has is written in one go, what it had to hold back goes on, then its watch and timer are renewed.
 * So 500 events for a client are one system call, and a client that ends is freed when nobody holds a pointer to it. */
#include "io/io.h"

#include <sys/epoll.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/io_private.h"
#include "msg/control.h"
#include "runtime/entropy.h"
#include "runtime/log.h"
#include "runtime/packet.h"
#include "runtime/tcp.h"

/* --- Start and end ---------------------------------------------------------------------------------------------- */

static void log_lines(struct io *io, struct buf *lines)
{
    struct view rest = buf_view(lines);
    while (rest.size > 0) {
        struct view line = str_split(&rest, '\n');
        LOG_WARN(io->self, "%.*s", (int)line.size, (const char *)line.data);
    }
    buf_fini(lines);
}

static const struct site *load_site(struct io *io, const char *folder)
{
    struct buf notes;
    site_init(&io->site);
    if (folder == NULL)
        return NULL;
    buf_init(&notes, 65536);
    bool fine = site_load(&io->site, folder, &notes);
    log_lines(io, &notes);
    if (!fine) {
        LOG_ERR(io->self, "web folder %s can't be read: no pages are served", folder);
        return NULL;
    }
    LOG_INFO(io->self, "web folder %s: %u files, %zu bytes", folder, io->site.count, io->site.bytes);
    return &io->site;
}

static uint32_t clients_max(struct io *io, uint64_t descriptors)
{
    uint64_t most = descriptors > 2 * IO_DESCRIPTORS_KEPT ? descriptors - IO_DESCRIPTORS_KEPT : descriptors / 2;
    if (most > IO_CLIENTS_MAX)
        most = IO_CLIENTS_MAX;
    if (io->config.max_clients > most)
        LOG_WARN(io->self, "max_clients = %u is more than the descriptor limit allows: %u", io->config.max_clients, (unsigned)most);
    else if (io->config.max_clients > 0)
        most = io->config.max_clients;
    return (uint32_t)most;
}

struct io *io_new(struct actor *self, const struct io_options *options)
{
    struct io *io = mem_get_zero(sizeof(*io));
    struct buf notes;
    io->self = self;
    io->events_mask = options->events_mask;
    io->accept_at = io->stop_at = USEC_NEVER;
    buf_init(&notes, 65536);
    websocket_config_read(&io->config, options->websockets, &notes);
    http_config_read(&io->http, options->http, &notes);
    http_config_read_admin(&io->http_admin, options->http, &notes);
    io->admin_guarded = options->admin_guarded;
    unix_config_read(&io->unix_sockets, options->unix_sockets, &notes);
    nanomsg_config_read(&io->nanomsg, options->nanomsg, options->admin_guarded, &notes);
    log_lines(io, &notes);
    const struct client_rules rules = {
        .layout = io->config.layout,
        .text_bytes_max = IO_TEXT_BYTES_MAX,
        .ping_trigger_us = io->config.ping_trigger_us,
        .ping_timeout_us = io->config.ping_timeout_us,
        .allow_origin = io->config.allow_origin,
        .enforce_cors = io->config.enforce_cors,
        .partial_bytes_max = options->partial_bytes_max,
        .queued_bytes_max = options->queued_bytes_max,
        .admin_secret = options->admin_secret,
        .metrics_token = options->metrics_token,
    };
    io->clients_max = clients_max(io, options->descriptors);
    const struct site *site = load_site(io, options->web_folder != NULL ? options->web_folder : io->config.web_folder);
    clients_init(&io->clients, &rules, site, io->clients_max, entropy_fill, NULL);
    pool_init(&io->client_pool, "clients", sizeof(struct client), io->clients_max);
    slots_init(&io->slots, io->clients_max);
    timerq_init(&io->timers);
    list_init(&io->turn);
    io_monitor_init(io);
    io->clients.health.alive = true;
    struct hash_key key;
    entropy_fill(NULL, (uint8_t *)&key, sizeof(key));
    tally_init(&io->per_address, &key, io->config.max_clients_per_address, io->clients_max);
    io_listen_open(io);
    io_packets_open(io);
    io_broker_init(io, options->brokers);
    io_nanomsg_open(io);
    return io;
}

static void drop(struct io *io, struct client *c)
{
    io_notify_gone(io, c);
    if (client_ask(c) != NULL)
        io_settle_ask(io, client_ask(c));
    timerq_stop(&io->timers, &c->timer);
    if (c->fd >= 0)
        actor_unwatch(io->self, c->fd);
    tcp_close(c->fd);
    if (c->origin->packets != NULL)
        io_packets_drop(io, c);
    slots_del(&io->slots, c->ref);
    list_del(&c->turn);
    tally_give(&io->per_address, &c->addr);
    client_fini(&io->clients, c);
    pool_put(&io->client_pool, c);
}

static void drop_all(struct io *io)
{
    for (uint32_t i = slots_next(&io->slots, 0); i != UINT32_MAX; i = slots_next(&io->slots, i + 1))
        drop(io, io->slots.table[i].object);
}

void io_free(struct io *io)
{
    io->events_mask = 0;                 /* nobody listens any more */
    drop_all(io);
    io_listen_close(io);
    slots_fini(&io->slots);
    pool_fini(&io->client_pool);
    io_packets_fini(io);
    io_broker_fini(io);
    io_nanomsg_fini(io);
    clients_fini(&io->clients);
    tally_fini(&io->per_address);
    timerq_fini(&io->timers);
    io_monitor_fini(io);
    tls_shared_free(io->tls);
    tls_shared_free(io->https_tls);
    site_fini(&io->site);
    mem_put(io);
}

uint32_t io_listening(const struct io *io)
{
    return io->listener_count;
}

uint32_t io_serves(const struct io *io, uint8_t api)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < io->listener_count; i++)
        count += io->listeners[i].origin.api == api ? 1 : 0;
    for (uint32_t i = 0; i < IO_BROKERS_MAX; i++)
        count += (api == CLIENT_API_JANUS ? io->brokers[i].options.janus : io->brokers[i].options.admin) ? 1 : 0;
    return count + io_nanomsg_serves(io, api);
}

enum door { DOOR_HTTP, DOOR_WEBSOCKETS, DOOR_UNIX };

static bool has_door(const struct io *io, enum door door)
{
    for (uint32_t i = 0; i < io->listener_count; i++) {
        const struct client_origin *origin = &io->listeners[i].origin;
        if ((origin->packets != NULL ? DOOR_UNIX : origin->http != NULL ? DOOR_HTTP : DOOR_WEBSOCKETS) == door)
            return true;
    }
    return false;
}

bool io_serves_http(const struct io *io)
{
    return has_door(io, DOOR_HTTP);
}

bool io_serves_websockets(const struct io *io)
{
    return has_door(io, DOOR_WEBSOCKETS);
}

bool io_serves_nanomsg(const struct io *io)
{
    return io_nanomsg_serves(io, CLIENT_API_JANUS) + io_nanomsg_serves(io, CLIENT_API_ADMIN) > 0;
}

bool io_serves_unix(const struct io *io)
{
    return has_door(io, DOOR_UNIX);
}

bool io_local(const struct io *io, uint32_t index, struct net_addr *local)
{
    return index < io->listener_count && tcp_local(io->listeners[index].fd, local) && local->family != NET_NONE;
}

const struct io_counters *io_counters(const struct io *io)
{
    CHECK_OWNER(io->self);
    return &io->counters;
}

const struct client_counters *io_client_counters(const struct io *io)
{
    CHECK_OWNER(io->self);
    return &io->clients.counters;
}

uint32_t io_client_count(const struct io *io)
{
    return io->slots.count;
}

/* --- Clients ---------------------------------------------------------------------------------------------------- */

void io_touch(struct io *io, struct client *c)
{
    if (list_is_empty(&c->turn))
        list_add_tail(&io->turn, &c->turn);
}

struct client *io_add(struct io *io, int fd, const struct client_origin *origin, const struct net_addr *addr, usec_t now)
{
    if (io->slots.count >= io->clients_max) {
        io->counters.refused_full++;
        return NULL;
    }
    if (!tally_take(&io->per_address, addr)) {
        io->counters.refused_address++;
        return NULL;
    }
    struct client *c = pool_get(&io->client_pool);
    if (c == NULL || !client_open(&io->clients, c, origin, addr, now)) {
        io->counters.refused_no_room++;
        tally_give(&io->per_address, addr);
        pool_put(&io->client_pool, c);
        return NULL;
    }
    list_init(&c->turn);
    c->fd = fd;
    c->watched = EPOLLIN;
    c->ref = slots_add(&io->slots, c);
    CHECK(!ref_is_none(c->ref));
    io_touch(io, c);
    return c;
}

void io_take(struct io *io, int fd, const struct listener *listener, const struct net_addr *addr, usec_t now)
{
    struct client *c = io_add(io, fd, &listener->origin, addr, now);
    if (listener->path != NULL)
        packet_set_room(fd, IO_TEXT_BYTES_MAX);
    if (c == NULL) {
        tcp_close(fd);
    } else if (!actor_watch(io->self, fd, EPOLLIN, ref_pack(c->ref))) {
        io->counters.refused_no_room++;
        drop(io, c);
    }
}

void io_deliver(struct io *io, struct client *c, usec_t now)
{
    struct view text;
    while (client_next(&io->clients, c, now, &text))
        io_tell_request(io, c, now, text);
}

static void read_in(struct io *io, struct client *c, usec_t now)
{
    size_t size = 0;
    if (c->origin->packets != NULL) {
        io_packets_read(io, c, now);
        return;
    }
    if (client_in_handshake(c)) {
        if (io->tls_left == 0)
            return;              /* level-triggered: it comes again in the next turn */
        io->tls_left--;
    }
    switch (tcp_read(c->fd, io->in, sizeof(io->in), &size)) {
    case TCP_DONE:
        client_feed(&io->clients, c, now, io->in, size);
        io_deliver(io, c, now);
        break;
    case TCP_CLOSED:
        client_input_ended(&io->clients, c, false);
        break;
    case TCP_FAILED:
    case TCP_NO_DESCRIPTOR:
        client_input_ended(&io->clients, c, true);
        break;
    case TCP_AGAIN:
        break;
    }
}

static void write_out(struct io *io, struct client *c, usec_t now)
{
    struct view parts[OUTQ_PARTS];
    size_t count, size, total = 0;
    if (c->origin->packets != NULL) {
        io_packets_write(io, c, now);
        return;
    }
    while (total < IO_WRITE_BYTES && (count = client_output(&io->clients, c, now, parts)) > 0) {
        enum tcp_result result = tcp_write(c->fd, parts, count, &size);
        if (result == TCP_AGAIN)
            return;
        if (result != TCP_DONE) {
            client_input_ended(&io->clients, c, true);
            return;
        }
        client_sent(&io->clients, c, now, size);
        total += size;
    }
    /* More may be left, or all of it has left and what follows from that is still to be done. */
    if (total >= IO_WRITE_BYTES)
        io_touch(io, c);
}

/* A client that was refused reads until the end: it shall not have to wait for IO_LINGER_US. */
static void end_output(struct client *c)
{
    if (c->output_ended || c->fd < 0 || !client_output_is_over(c))
        return;
    c->output_ended = true;
    tcp_end_output(c->fd);
}

static uint32_t wanted_events(const struct client *c)
{
    uint32_t events = client_wants_output(c) ? EPOLLOUT : 0;
    if (client_wants_input(c))
        return events | EPOLLIN;
    /* Not read on: that it goes is noticed all the same. */
    return c->input_ended ? events : events | EPOLLRDHUP;
}

static void renew(struct io *io, struct client *c)
{
    uint32_t events = wanted_events(c);
    if (c->origin->packets != NULL && c->origin->packets->way == PACKETS_NANOMSG)
        io_nanomsg_renew(io, c);
    if (c->fd >= 0 && events != c->watched && actor_watch(io->self, c->fd, events, ref_pack(c->ref)))
        c->watched = events;
    /* A timer that runs too early does no harm, so it is moved only towards now. */
    usec_t at = client_deadline(&io->clients, c);
    if (at != USEC_NEVER && (!timer_is_running(&c->timer) || at < c->timer.at))
        timerq_set(&io->timers, &c->timer, at);
}

static void settle(struct io *io, struct client *c, usec_t now)
{
    write_out(io, c, now);
    for (unsigned i = 0; client_resume(&io->clients, c, now); i++) {
        io_deliver(io, c, now);
        write_out(io, c, now);
        if (i + 1 == IO_SETTLES_PER_TURN) {
            io_touch(io, c);
            break;
        }
    }
    io_notify(io, c);
    if (c->origin->packets != NULL && c->origin->packets->way == PACKETS_BROKER)
        io_broker_resume(io, c->through, now);
    if (client_is_gone(c) && c->announced && !c->gone_told) {
        c->gone_told = true;
        io_tell_gone(io, c->ref);
    }
    if (client_is_dead(c)) {
        drop(io, c);
        return;
    }
    end_output(c);
    renew(io, c);
}

/* --- The actor's handlers --------------------------------------------------------------------------------------- */

static void on_start(void *owner, usec_t now)
{
    io_listen_watch(owner);
    io_broker_start(owner, now);
    io_nanomsg_start(owner, now);
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct io *io = owner;
    struct ref ref = ref_unpack(token);
    if (ref.generation == 0 && ref.slot >= IO_NANOMSG_TOKEN) {
        io_nanomsg_ready(io, now, token);
        return;
    }
    if (ref.generation == 0) {
        io_listen_accept(io, ref.slot, now);
        return;
    }
    struct client *c = slots_get(&io->slots, ref);
    if (c == NULL || client_is_dead(c))
        return;
    io_touch(io, c);
    if ((events & EPOLLIN) != 0 && client_wants_input(c))
        read_in(io, c, now);
    else if ((events & (EPOLLERR | EPOLLHUP)) != 0)
        client_input_ended(&io->clients, c, true);
    else if ((events & EPOLLRDHUP) != 0 && !client_wants_input(c))
        client_input_ended(&io->clients, c, false);
}

static void run_timers(struct io *io, usec_t now)
{
    struct timer *timer;
    while ((timer = timerq_pop(&io->timers, now)) != NULL) {
        struct client *c = CONTAINER_OF(timer, struct client, timer);
        client_timeout(&io->clients, c, now);
        io_touch(io, c);
    }
}

static void on_turn(void *owner, usec_t now)
{
    struct io *io = owner;
    struct list batch;
    io->tls_left = IO_TLS_PER_TURN;
    io->clients.wall_s = actor_wall_us(io->self) / 1000000u;
    io_listen_timeout(io, now);
    io_packets_timeout(io, now);
    run_timers(io, now);
    io_monitor_turn(io, now);
    /* Who asks to be settled again meanwhile is so in the next turn. */
    list_init(&batch);
    for (struct list *it; (it = list_pop(&io->turn)) != NULL;)
        list_add_tail(&batch, it);
    for (struct list *it; (it = list_pop(&batch)) != NULL;)
        settle(io, CONTAINER_OF(it, struct client, turn), now);
    if (io->stop_at == USEC_NEVER || (io->slots.count > 0 && now < io->stop_at))
        return;
    drop_all(io);
    io->stop_at = USEC_NEVER;
    actor_stop(io->self);
}

static usec_t deadline(void *owner)
{
    const struct io *io = owner;
    bool may_stop = io->stop_at != USEC_NEVER && io->slots.count == 0;
    if (may_stop || !list_is_empty(&io->turn) || !list_is_empty(&io->clients.asking))
        return 0;
    const usec_t at = usec_min(usec_min(timerq_next(&io->timers), io_monitor_deadline(io)), io->datagrams.retry_at);
    return usec_min(at, usec_min(io->accept_at, io->stop_at));
}

/* Everybody is told, and what is queued may leave, within IO_STOP_US. */
static void on_stop(void *owner, usec_t now)
{
    struct io *io = owner;
    io->stop_at = usec_add(now, IO_STOP_US);
    io_listen_close(io);
    for (uint32_t i = slots_next(&io->slots, 0); i != UINT32_MAX; i = slots_next(&io->slots, i + 1)) {
        struct client *c = io->slots.table[i].object;
        client_close(&io->clients, c, now, WS_CODE_GOING_AWAY);
        io_touch(io, c);
    }
}

const struct actor_ops io_ops = {
    .on_start = on_start,
    .on_message = io_on_message,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .deadline = deadline,
    .on_stop = on_stop,
    .type_name = io_type_name,
    .measure = io_measure,
};
