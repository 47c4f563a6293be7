/* runtime/tcp.h in the simulator: a connection is two streams of bytes. What one end writes lies in the other's buffer at once,
 * but is seen there only when its segment has arrived. */
#include "runtime/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "sim/actor.h"
#include "sim/network.h"

#define BUFFER_BYTES     (128u * 1024u)     /* what the network and the receiver's kernel hold */
#define LISTENERS_MAX    8u
#define BACKLOG_MAX      128u
#define TCP_RESEND_US    MSEC(250)
#define PARTITION_RETRY_US MSEC(500)

struct conn_pair;

struct end {
    int fd;                         /* -1: not accepted yet, or closed */
    bool open;
    bool deaf, partitioned;
    uint8_t *bytes;                 /* BUFFER_BYTES, as a ring */
    uint64_t read, arrived, written;    /* of the stream that comes in */
    bool end_written, end_arrived;  /* the other side's end of it */
    bool broken;                    /* a reset has come */
    bool connected;                 /* the client's end: the handshake is done */
    int error;                      /* of connecting */
    usec_t newest_at;               /* arrivals keep their order */
    struct conn_pair *pair;
    struct net_addr address;
};

struct conn_pair {
    struct end ends[2];             /* 0: who connected; 1: who accepted */
    uint32_t under_way;             /* events that name it */
};

struct tcp_listener {
    int fd;
    struct net_addr local;
    struct end *backlog[BACKLOG_MAX];
    uint32_t count;
};

static struct tcp_listener *listeners[LISTENERS_MAX];

/* What an arrival brings: a count of bytes, or one of these. */
#define ARRIVE_END     (1ull << 40)
#define ARRIVE_RESET   (2ull << 40)
#define ARRIVE_OPEN    (3ull << 40)     /* the handshake's first, at the listener */
#define ARRIVE_ANSWER  (4ull << 40)

static struct end *other_of(struct end *end)
{
    return end == &end->pair->ends[0] ? &end->pair->ends[1] : &end->pair->ends[0];
}

static void release(struct conn_pair *pair)
{
    if (pair->under_way > 0 || pair->ends[0].open || pair->ends[1].open)
        return;
    free(pair->ends[0].bytes);
    free(pair->ends[1].bytes);
    free(pair);
}

/* ---- readiness ---- */

static size_t room_of(const struct end *receiver)
{
    return BUFFER_BYTES - (size_t)(receiver->written - receiver->read);
}

static uint32_t end_events(void *object)
{
    struct end *end = object;
    uint32_t events = 0;
    if (end->broken || end->error != 0)
        return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
    if (!end->connected)
        return 0;
    if (end->arrived > end->read || end->end_arrived)
        events |= EPOLLIN;
    if (end->end_arrived)
        events |= EPOLLRDHUP;
    if (room_of(other_of(end)) > 0)
        events |= EPOLLOUT;
    return events;
}

static uint32_t listener_events(void *object)
{
    return ((struct tcp_listener *)object)->count > 0 ? EPOLLIN : 0;
}

static void end_close(void *object);
static void listener_close(void *object);
static const struct descriptor_ops end_ops = {.events = end_events, .close = end_close};
static const struct descriptor_ops listener_ops = {.events = listener_events, .close = listener_close};

/* ---- arrivals ---- */

static struct tcp_listener *listener_at(const struct net_addr *local)
{
    for (uint32_t i = 0; i < LISTENERS_MAX; i++)
        if (listeners[i] != NULL && listeners[i]->local.port == local->port)
            return listeners[i];
    return NULL;
}

static void arrive(void *owner, uint64_t what);

static void send_event(struct end *to, uint64_t what, usec_t delay)
{
    const struct weather *weather = &network.weather;
    usec_t at = sim->now + delay + sim_below(&sim->network, weather->jitter_us);
    if (sim_chance(&sim->network, weather->tcp_loss_ppm))
        at += TCP_RESEND_US;
    if (at < to->newest_at)
        at = to->newest_at;
    to->newest_at = at;
    to->pair->under_way++;
    sim_at(at, arrive, to, what);
}

static void on_open(struct end *end)
{
    struct tcp_listener *listener = listener_at(&end->address);
    struct end *client = other_of(end);
    if (listener == NULL || listener->count == BACKLOG_MAX) {
        end->open = false;
        send_event(client, ARRIVE_RESET, network.weather.delay_us);
        return;
    }
    listener->backlog[listener->count++] = end;
    send_event(client, ARRIVE_ANSWER, network.weather.delay_us);
    descriptor_changed(listener->fd);
}

static void arrive(void *owner, uint64_t what)
{
    struct end *end = owner;
    /* Bytes that wait in the network come before the end of the stream. */
    const bool early = what == ARRIVE_END && end->arrived < end->written && !end->broken;
    if (end->deaf || end->partitioned || other_of(end)->partitioned || early) {
        /* It waits in the network: the sender repeats it until somebody takes it. */
        sim_at(sim->now + PARTITION_RETRY_US, arrive, end, what);
        return;
    }
    end->pair->under_way--;
    switch (what & (7ull << 40)) {
    case ARRIVE_OPEN: on_open(end); break;
    case ARRIVE_ANSWER: end->connected = true; break;
    case ARRIVE_END: end->end_arrived = true; break;
    case ARRIVE_RESET:
        if (!end->connected)
            end->error = ECONNREFUSED;
        end->broken = true;
        break;
    default: end->arrived += what; break;
    }
    if (end->fd >= 0)
        descriptor_changed(end->fd);
    release(end->pair);
}

/* ---- listening, accepting, connecting ---- */

enum err tcp_listen(int *fd, const struct net_addr *local, bool only6, const char *interface)
{
    (void)only6;
    (void)interface;
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
        if (listeners[i] != NULL)
            continue;
        struct tcp_listener *listener = calloc(1, sizeof(*listener));
        CHECK(listener != NULL);
        listener->local = *local;
        *fd = listener->fd = descriptor_open(&listener_ops, listener, false);
        if (*fd < 0) {
            free(listener);
            return ERR_FULL;
        }
        listeners[i] = listener;
        return ERR_NONE;
    }
    return ERR_FULL;
}

enum err tcp_listen_unix(int *fd, const char *path, bool seqpacket)
{
    (void)path;
    (void)seqpacket;
    *fd = -1;
    errno = ENOSYS;
    return ERR_IO;
}

static void listener_close(void *object)
{
    struct tcp_listener *listener = object;
    for (uint32_t i = 0; i < LISTENERS_MAX; i++)
        if (listeners[i] == listener)
            listeners[i] = NULL;
    for (uint32_t i = 0; i < listener->count; i++) {
        struct end *end = listener->backlog[i];
        end->open = false;
        send_event(other_of(end), ARRIVE_RESET, network.weather.delay_us);
    }
    free(listener);
}

enum tcp_result tcp_accept(int fd, int *out, struct net_addr *peer)
{
    struct tcp_listener *listener = descriptor_object(fd, &listener_ops);
    if (listener == NULL || listener->count == 0)
        return TCP_AGAIN;
    struct end *end = listener->backlog[0];
    const int given = descriptor_open(&end_ops, end, true);
    if (given < 0)
        return TCP_NO_DESCRIPTOR;
    memmove(listener->backlog, listener->backlog + 1, --listener->count * sizeof(listener->backlog[0]));
    end->fd = *out = given;
    *peer = other_of(end)->address;
    if (end->arrived > end->read || end->end_arrived || end->broken)
        descriptor_changed(given);
    return TCP_DONE;
}

enum tcp_result tcp_connect(int *fd, const struct net_addr *to)
{
    static const uint16_t first_port = 10000;
    struct conn_pair *pair = calloc(1, sizeof(*pair));
    CHECK(pair != NULL);
    for (int i = 0; i < 2; i++) {
        struct end *end = &pair->ends[i];
        end->fd = -1;
        end->open = true;
        end->pair = pair;
        end->bytes = malloc(BUFFER_BYTES);
        CHECK(end->bytes != NULL);
    }
    pair->ends[1].connected = true;
    pair->ends[1].address = *to;
    CHECK(net_ip_parse(&pair->ends[0].address, STR(CLIENT_IP)));
    const int given = descriptor_open(&end_ops, &pair->ends[0], false);
    if (given < 0) {
        free(pair->ends[0].bytes);
        free(pair->ends[1].bytes);
        free(pair);
        return TCP_NO_DESCRIPTOR;
    }
    pair->ends[0].address.port = (uint16_t)(first_port + given);
    pair->ends[0].fd = *fd = given;
    send_event(&pair->ends[1], ARRIVE_OPEN, network.weather.delay_us);
    return TCP_AGAIN;
}

int tcp_connect_error(int fd)
{
    const struct end *end = descriptor_object(fd, &end_ops);
    return end == NULL ? EBADF : end->error;
}

/* ---- bytes ---- */

enum tcp_result tcp_read(int fd, void *out, size_t room, size_t *size)
{
    struct end *end = descriptor_object(fd, &end_ops);
    CHECK(end != NULL);
    if (end->broken) {
        errno = ECONNRESET;
        return TCP_FAILED;
    }
    size_t some = (size_t)(end->arrived - end->read);
    if (some == 0)
        return end->end_arrived ? TCP_CLOSED : TCP_AGAIN;
    if (some > room)
        some = room;
    if (some > 1 && sim_chance(&sim->network, network.weather.tcp_cut_ppm))
        some = 1 + (size_t)sim_below(&sim->network, some);
    const bool was_full = room_of(end) == 0;
    const size_t at = (size_t)(end->read % BUFFER_BYTES);
    const size_t first = some < BUFFER_BYTES - at ? some : BUFFER_BYTES - at;
    memcpy(out, end->bytes + at, first);
    memcpy((uint8_t *)out + first, end->bytes, some - first);
    end->read += some;
    *size = some;
    struct end *writer = other_of(end);
    if (was_full && writer->fd >= 0)
        descriptor_changed(writer->fd);
    return TCP_DONE;
}

static void put_bytes(struct end *to, const uint8_t *data, size_t size)
{
    const size_t at = (size_t)(to->written % BUFFER_BYTES);
    const size_t first = size < BUFFER_BYTES - at ? size : BUFFER_BYTES - at;
    memcpy(to->bytes + at, data, first);
    memcpy(to->bytes, data + first, size - first);
    to->written += size;
}

static void send_segments(struct end *to, size_t size)
{
    const struct weather *weather = &network.weather;
    while (size > 0) {
        size_t part = size;
        if (size > 1 && sim_chance(&sim->network, weather->tcp_cut_ppm))
            part = 1 + (size_t)sim_below(&sim->network, size);
        size -= part;
        network.counters.segments++;
        if (sim_chance(&sim->network, weather->tcp_reset_ppm)) {
            network.counters.resets++;
            send_event(to, ARRIVE_RESET, weather->delay_us);
            send_event(other_of(to), ARRIVE_RESET, weather->delay_us);
            return;
        }
        send_event(to, part, weather->delay_us);
    }
}

enum tcp_result tcp_write(int fd, const struct view *parts, size_t count, size_t *size)
{
    struct end *end = descriptor_object(fd, &end_ops);
    CHECK(end != NULL);
    struct end *to = other_of(end);
    size_t room = room_of(to), total = 0;
    if (end->broken || end->error != 0) {
        errno = EPIPE;
        return TCP_FAILED;
    }
    if (room == 0 || !end->connected)
        return TCP_AGAIN;
    if (room > 1 && sim_chance(&sim->network, network.weather.tcp_cut_ppm))
        room = 1 + (size_t)sim_below(&sim->network, room);
    for (size_t i = 0; i < count && i < TCP_WRITE_PARTS && room > 0; i++) {
        const size_t some = parts[i].size < room ? parts[i].size : room;
        if (to->open)
            put_bytes(to, parts[i].data, some);
        sim_note_bytes(parts[i].data, some);
        room -= some;
        total += some;
    }
    *size = total;
    if (total == 0)
        return TCP_AGAIN;
    sim_note(sim->now ^ (uint64_t)fd << 48);
    network.counters.stream_bytes += total;
    if (to->open)
        send_segments(to, total);
    else
        send_event(end, ARRIVE_RESET, network.weather.delay_us);      /* nobody is there any more */
    return TCP_DONE;
}

/* ---- the end ---- */

void tcp_end_output(int fd)
{
    struct end *end = descriptor_object(fd, &end_ops);
    if (end == NULL || other_of(end)->end_written)
        return;
    other_of(end)->end_written = true;
    send_event(other_of(end), ARRIVE_END, network.weather.delay_us);
}

static void end_close(void *object)
{
    struct end *end = object;
    struct end *other = other_of(end);
    end->open = false;
    end->fd = -1;
    if (other->open && !other->broken) {
        if (end->arrived > end->read)
            send_event(other, ARRIVE_RESET, network.weather.delay_us);
        else if (!other->end_written) {
            other->end_written = true;
            send_event(other, ARRIVE_END, network.weather.delay_us);
        }
    }
    release(end->pair);
}

bool tcp_local(int fd, struct net_addr *local)
{
    const struct tcp_listener *listener = descriptor_object(fd, &listener_ops);
    if (listener == NULL)
        return false;
    *local = listener->local;
    return true;
}

void tcp_close(int fd)
{
    if (descriptor_get(fd) != NULL)
        descriptor_close(fd);
}

/* ---- the weather's single blows ---- */

void network_tcp_partition(int fd, bool on)
{
    struct end *end = descriptor_object(fd, &end_ops);
    if (end != NULL)
        end->partitioned = on;
}

void network_tcp_deaf(int fd, bool on)
{
    struct end *end = descriptor_object(fd, &end_ops);
    if (end != NULL)
        end->deaf = on;
}

void network_tcp_reset(int fd)
{
    struct end *end = descriptor_object(fd, &end_ops);
    if (end == NULL)
        return;
    send_event(end, ARRIVE_RESET, 0);
    send_event(other_of(end), ARRIVE_RESET, network.weather.delay_us);
}
