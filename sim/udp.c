/* runtime/udp.h in the simulator. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/str.h"
#include "sim/network.h"
#include "sim/watch.h"

#define QUEUE_BYTES_MAX (4u * 1024u * 1024u)        /* of one socket; beyond it the kernel would drop */
#define PORT_FIRST_FREE 30000u
#define RECALL          64u

struct datagram {
    struct datagram *next;
    struct net_addr from;
    uint16_t to_port;
    uint32_t size;
    uint8_t data[];
};

struct socket {
    int fd;
    struct net_addr local;
    uint16_t seen_port;                 /* as the other side sees it */
    bool server;
    bool partitioned;
    usec_t in_at, out_at;               /* the newest arrival: later ones keep their place behind it */
    struct datagram *first, *last;
    size_t queued;
    uint64_t kernel_drops;
};

struct network network;
static struct socket *by_port[65536];          /* as the other side sees them */
static struct socket *by_local[65536];
static struct {
    struct net_addr from;
    uint16_t to_port;
    uint16_t size;
    uint8_t data[1500];
} recalled[RECALL];
static uint32_t recalled_count;
static uint32_t next_port;

void network_open(void)
{
    memset(by_port, 0, sizeof(by_port));
    memset(by_local, 0, sizeof(by_local));
    network = (struct network){.weather = {.delay_us = MSEC(10)}};
    recalled_count = 0;
    next_port = PORT_FIRST_FREE;
    descriptors_reset();
}

void network_close(void)
{
    CHECK(descriptors_open() == 0);
}

/* ---- opening and closing ---- */

static uint32_t socket_events(void *object)
{
    const struct socket *s = object;
    return EPOLLOUT | (s->first != NULL ? EPOLLIN : 0u);
}

static void socket_close(void *object)
{
    struct socket *s = object;
    by_port[s->seen_port] = NULL;
    by_local[s->local.port] = NULL;
    for (struct datagram *d; (d = s->first) != NULL;) {
        s->first = d->next;
        network.counters.unread++;
        free(d);
    }
    free(s);
}

static const struct descriptor_ops socket_ops = {.events = socket_events, .close = socket_close};

static uint16_t free_port(void)
{
    uint32_t port;
    do {
        port = next_port;
        next_port = port + 1 < ARRAY_COUNT(by_port) ? port + 1 : PORT_FIRST_FREE;
    } while (by_port[port] != NULL || by_local[port] != NULL);
    return (uint16_t)port;
}

static uint16_t choose_port(const struct udp_options *options)
{
    if (options->local.port != 0)
        return by_port[options->local.port] == NULL ? options->local.port : 0;
    if (options->port_max == 0)
        return free_port();
    for (uint32_t port = options->port_min; port <= options->port_max; port++)
        if (by_port[port] == NULL)
            return (uint16_t)port;
    return 0;
}

enum err udp_open(struct udp *udp, const struct udp_options *options, uint32_t seed)
{
    struct net_addr server;
    (void)seed;
    *udp = (struct udp){.fd = -1, .local = options->local, .receive_bytes = options->receive_bytes, .gso = true};
    CHECK(net_ip_parse(&server, STR(SERVER_IP)));
    udp->local.port = choose_port(options);
    if (udp->local.port == 0)
        return ERR_FULL;
    struct socket *s = calloc(1, sizeof(*s));
    CHECK(s != NULL);
    s->fd = descriptor_open(&socket_ops, s, sim->running != NULL);
    if (s->fd < 0) {
        free(s);
        return ERR_FULL;
    }
    s->local = udp->local;
    s->seen_port = udp->local.port;
    s->server = net_ip_equal(&server, &udp->local);
    by_port[s->seen_port] = s;
    by_local[s->local.port] = s;
    udp->fd = s->fd;
    return ERR_NONE;
}

void udp_close(struct udp *udp)
{
    if (udp->fd >= 0)
        descriptor_close(udp->fd);
    udp->fd = -1;
}

/* ---- on the way ---- */

static void arrive(void *owner, uint64_t what)
{
    struct datagram *d = owner;
    struct socket *s = by_port[d->to_port];
    uint64_t *lost = NULL;
    (void)what;
    network.counters.under_way--;
    if (s == NULL)
        lost = &network.counters.lost_nobody;
    else if (s->partitioned)
        lost = &network.counters.lost_partition;
    else if (s->queued + d->size > QUEUE_BYTES_MAX)
        lost = &network.counters.lost_full;
    if (lost != NULL) {
        if (s != NULL && lost == &network.counters.lost_full)
            s->kernel_drops++;
        (*lost)++;
        free(d);
        return;
    }
    d->next = NULL;
    if (s->first == NULL)
        s->first = d;
    else
        s->last->next = d;
    s->last = d;
    s->queued += d->size;
    network.counters.delivered++;
    descriptor_changed(s->fd);
}

static void send_copy(const struct net_addr *from, uint16_t to_port, const void *data, size_t size, usec_t at)
{
    struct datagram *d = malloc(sizeof(*d) + size);
    CHECK(d != NULL);
    d->from = *from;
    d->to_port = to_port;
    d->size = (uint32_t)size;
    memcpy(d->data, data, size);
    network.counters.under_way++;
    sim_at(at, arrive, d, 0);
}

static void remember(const struct net_addr *from, uint16_t to_port, struct view datagram)
{
    if (datagram.size > sizeof(recalled[0].data) || (recalled_count > RECALL && !sim_chance(&sim->network, 50000)))
        return;
    const uint32_t i = recalled_count++ % RECALL;
    recalled[i].from = *from;
    recalled[i].to_port = to_port;
    recalled[i].size = (uint16_t)datagram.size;
    memcpy(recalled[i].data, datagram.data, datagram.size);
}

static void send_one(struct socket *s, const struct net_addr *to, struct view datagram)
{
    const struct weather *weather = &network.weather;
    struct network_counters *counters = &network.counters;
    struct net_addr from = s->local;
    from.port = s->seen_port;
    counters->sent++;
    counters->bytes += datagram.size;
    sim_note(sim->now ^ (uint64_t)to->port << 48 ^ (uint64_t)from.port << 32);
    sim_note_bytes(datagram.data, datagram.size);
    tap_datagram(&from, to, datagram, s->server);
    struct socket *other = by_port[to->port];
    struct socket *client = s->server ? other : s;
    if (!s->server)
        remember(&from, to->port, datagram);
    if (other == NULL || !net_ip_equal(&other->local, to)) {
        counters->lost_nobody++;
        return;
    }
    if (client->partitioned || other->partitioned) {
        counters->lost_partition++;
        return;
    }
    if (weather->mtu > 0 && datagram.size > weather->mtu) {
        counters->lost_mtu++;
        return;
    }
    if (sim_chance(&sim->network, weather->loss_ppm)) {
        counters->lost++;
        return;
    }
    usec_t at = sim->now + weather->delay_us + sim_below(&sim->network, weather->jitter_us);
    usec_t *newest = s->server ? &client->in_at : &client->out_at;
    if (sim_chance(&sim->network, weather->reorder_ppm))
        at += sim_below(&sim->network, MSEC(30));
    else if (at < *newest)
        at = *newest;
    else
        *newest = at;
    send_copy(&from, to->port, datagram.data, datagram.size, at);
    if (sim_chance(&sim->network, weather->duplicate_ppm)) {
        counters->duplicated++;
        send_copy(&from, to->port, datagram.data, datagram.size, at + sim_below(&sim->network, MSEC(20)));
    }
}

size_t udp_send_batch(struct udp *udp, const struct udp_run *runs, size_t count)
{
    struct socket *s = descriptor_object(udp->fd, &socket_ops);
    CHECK(s != NULL);
    for (size_t i = 0; i < count; i++) {
        CHECK(runs[i].packet_count >= 1 && runs[i].packet_count <= UDP_RUN_MAX);
        for (uint32_t k = 0; k < runs[i].packet_count; k++) {
            /* A run is one GSO send: of one size, only the last may be shorter (udp.h). */
            if (k > 0)
                CHECK(runs[i].packets[k - 1].size == runs[i].packets[0].size && runs[i].packets[k].size <= runs[i].packets[0].size);
            udp->counters.sent++;
            udp->counters.sent_bytes += runs[i].packets[k].size;
            send_one(s, &runs[i].to, runs[i].packets[k]);
        }
    }
    return count;
}

bool udp_recv_batch(struct udp *udp, struct udp_inbox *inbox)
{
    struct socket *s = descriptor_object(udp->fd, &socket_ops);
    inbox->count = 0;
    if (s == NULL)
        return false;
    udp->counters.kernel_drops = s->kernel_drops;
    while (inbox->count < UDP_BATCH && s->first != NULL) {
        struct datagram *d = s->first;
        s->first = d->next;
        s->queued -= d->size;
        if (d->size > UDP_DATAGRAM_BYTES) {
            udp->counters.received_cut++;
            free(d);
            continue;
        }
        struct udp_datagram *item = &inbox->items[inbox->count];
        item->from = d->from;
        item->data = inbox->bytes[inbox->count++];
        item->size = d->size;
        memcpy(item->data, d->data, d->size);
        udp->counters.received++;
        udp->counters.received_bytes += d->size;
        free(d);
    }
    return s->first != NULL;
}

/* ---- the weather's single blows ---- */

void network_partition(uint16_t port, bool on)
{
    if (by_local[port] != NULL)
        by_local[port]->partitioned = on;
}

void network_move(uint16_t port)
{
    struct socket *s = by_local[port];
    if (s == NULL || s->server)
        return;
    const uint16_t to = free_port();
    by_port[s->seen_port] = NULL;
    by_port[to] = s;
    s->seen_port = to;
}

void network_inject(const struct net_addr *from, uint16_t to_port, const void *data, size_t size)
{
    network.counters.injected++;
    sim_note_bytes(data, size);
    send_copy(from, to_port, data, size, sim->now);
}

bool network_recall(uint32_t back, struct net_addr *from, uint16_t *to_port, struct view *datagram)
{
    if (recalled_count == 0)
        return false;
    const uint32_t known = recalled_count < RECALL ? recalled_count : RECALL;
    const uint32_t i = back % known;
    *from = recalled[i].from;
    *to_port = recalled[i].to_port;
    *datagram = VIEW(recalled[i].data, recalled[i].size);
    return true;
}
