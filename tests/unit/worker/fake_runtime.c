#include "fake_runtime.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/log.h"
#include "support/seams.h"

struct fake fake;

void fake_init(void)
{
    fake = (struct fake){0};
}

void fake_fini(void)
{
    for (unsigned i = 0; i < FAKE_ACTORS; i++)
        for (unsigned k = 0; k < FAKE_ACTORS; k++) {
            for (uint32_t n = 0; n < fake.queues[i][k].count; n++)
                free(fake.queues[i][k].items[n].payload);
            for (uint32_t n = 0; n < fake.lanes[i][k].count; n++)
                free(fake.lanes[i][k].items[n].bytes);
            free(fake.queues[i][k].items);
            free(fake.lanes[i][k].items);
        }
    for (unsigned i = 0; i < FAKE_FDS; i++) {
        for (uint32_t n = 0; n < fake.sockets[i].count; n++)
            free(fake.sockets[i].items[n].data);
        free(fake.sockets[i].items);
    }
    fake = (struct fake){0};
}

#define PUSH(list, value)                                                                     \
    do {                                                                                      \
        if ((list)->count == (list)->room) {                                                  \
            (list)->room = (list)->room == 0 ? 16 : (list)->room * 2;                         \
            (list)->items = realloc((list)->items, (list)->room * sizeof((list)->items[0]));  \
        }                                                                                     \
        (list)->items[(list)->count++] = (value);                                             \
    } while (0)

#define TAKE_FIRST(list, out)                                                                 \
    do {                                                                                      \
        *(out) = (list)->items[0];                                                            \
        memmove((list)->items, (list)->items + 1, --(list)->count * sizeof((list)->items[0])); \
    } while (0)

static void *copy_of(const void *data, size_t size)
{
    void *copy = malloc(size > 0 ? size : 1);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

void fake_post(actor_id from, actor_id to, uint16_t type, const void *payload, size_t size)
{
    assert_in_range(to, 0, FAKE_ACTORS - 1);
    struct fake_message message = {.from = from, .type = type, .size = size, .payload = copy_of(payload, size)};
    PUSH(&fake.queues[from][to], message);
}

bool fake_take(actor_id from, actor_id to, struct fake_message *out)
{
    struct fake_queue *queue = &fake.queues[from][to];
    if (queue->count == 0)
        return false;
    TAKE_FIRST(queue, out);
    return true;
}

void fake_done(struct fake_message *message)
{
    free(message->payload);
}

bool fake_take_record(actor_id from, actor_id to, struct fake_record *out)
{
    struct fake_lane *lane = &fake.lanes[from][to];
    if (lane->count == 0)
        return false;
    TAKE_FIRST(lane, out);
    return true;
}

void fake_receive(int fd, const struct net_addr *from, const uint8_t *data, size_t size)
{
    struct udp_datagram datagram = {.from = *from, .data = copy_of(data, size), .size = (uint32_t)size};
    PUSH(&fake.sockets[fd], datagram);
}

/* -- runtime/actor.h --------------------------------------------------------------------------------------------------- */

void actor_send(struct actor *self, actor_id to, uint16_t type, const void *payload, size_t size)
{
    fake_post(self->id, to, type, payload, size);
}

void actor_send_op(struct actor *self, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size)
{
    fake_post(self->id, to, type, payload, size);
    struct fake_queue *queue = &fake.queues[self->id][to];
    queue->items[queue->count - 1].op = op;
}

void actor_send_parts(struct actor *self, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail)
{
    uint8_t *whole = malloc(head.size + tail.size);
    (void)op;
    memcpy(whole, head.data, head.size);
    if (tail.size > 0)
        memcpy(whole + head.size, tail.data, tail.size);
    fake_post(self->id, to, type, whole, head.size + tail.size);
    free(whole);
}

void actor_send_block(struct actor *self, actor_id to, uint16_t type, struct ref op, void *block, size_t size)
{
    actor_send_op(self, to, type, op, block, size);
    mem_put(block);
}

void *message_take(const struct message *m)
{
    return memcpy(mem_get(m->size), m->payload, m->size);
}

bool relay_push(struct actor *self, actor_id to, struct view head, struct view body)
{
    struct fake_lane *lane = &fake.lanes[self->id][to];
    if (fake.lane_limit != 0 && lane->count >= fake.lane_limit) {
        fake.lane_dropped++;
        return false;
    }
    assert_in_range(head.size + body.size, 1, RELAY_RECORD_MAX);
    struct fake_record record = {head.size + body.size, malloc(head.size + body.size)};
    memcpy(record.bytes, head.data, head.size);
    if (body.size > 0)
        memcpy(record.bytes + head.size, body.data, body.size);
    PUSH(lane, record);
    return true;
}

bool actor_watch(struct actor *self, int fd, uint32_t events, uint64_t token)
{
    (void)events;
    if (fake.watch_fails)
        return false;
    self->watched |= 1u << fd;
    self->tokens[fd] = token;
    return true;
}

void actor_unwatch(struct actor *self, int fd)
{
    self->watched &= ~(1u << fd);
}

void actor_stop(struct actor *self)
{
    self->stopped = true;
}

uint64_t actor_wall_us(const struct actor *self)
{
    (void)self;
    return fake.wall_us;
}

/* -- runtime/udp.h ------------------------------------------------------------------------------------------------------- */

bool udp_recv_batch(struct udp *udp, struct udp_inbox *inbox)
{
    struct fake_socket *socket = &fake.sockets[udp->fd];
    inbox->count = 0;
    while (socket->count > 0 && inbox->count < UDP_BATCH) {
        struct udp_datagram datagram;
        TAKE_FIRST(socket, &datagram);
        struct udp_datagram *item = &inbox->items[inbox->count];
        *item = (struct udp_datagram){datagram.from, inbox->bytes[inbox->count], datagram.size};
        memcpy(item->data, datagram.data, datagram.size);
        free(datagram.data);
        inbox->count++;
    }
    return inbox->count == UDP_BATCH;
}

/* The contract of the real one: one size but for the last, which may be shorter. */
size_t udp_send_batch(struct udp *udp, const struct udp_run *runs, size_t count)
{
    assert_in_range(count, 1, UDP_SEND_BATCH);
    for (size_t i = 0; i < count; i++) {
        const struct udp_run *run = &runs[i];
        assert_in_range(run->packet_count, 1, UDP_RUN_MAX);
        for (uint32_t k = 0; k < run->packet_count; k++) {
            assert_in_range(run->packets[k].size, 1, run->packets[0].size);
            if (k + 1 < run->packet_count)
                assert_int_equal(run->packets[k].size, run->packets[0].size);
        }
        if (fake.on_run != NULL)
            fake.on_run(fake.owner, udp, run);
    }
    return count;
}

static bool fd_taken[FAKE_FDS];

/* Numbers are used again, as the system does. */
enum err udp_open(struct udp *udp, const struct udp_options *options, uint32_t seed)
{
    (void)seed;
    if (fake.open_error != ERR_NONE)
        return fake.open_error;
    if (options->interface != NULL && strcmp(options->interface, "lo") != 0)
        return ERR_INVALID;
    int fd = FAKE_FD_FIRST;
    while (fd < FAKE_FDS && fd_taken[fd])
        fd++;
    assert_in_range(fd, FAKE_FD_FIRST, FAKE_FDS - 1);
    fd_taken[fd] = true;
    *udp = (struct udp){.fd = fd, .local = options->local};
    if (udp->local.port == 0)
        udp->local.port = (uint16_t)(options->port_min != 0 ? options->port_min : 20000 + fake.opened);
    fake.opened++;
    return ERR_NONE;
}

void udp_close(struct udp *udp)
{
    if (udp->fd >= FAKE_FD_FIRST) {
        assert_true(fd_taken[udp->fd]);
        fd_taken[udp->fd] = false;
        for (uint32_t n = 0; n < fake.sockets[udp->fd].count; n++)
            free(fake.sockets[udp->fd].items[n].data);
        fake.sockets[udp->fd].count = 0;
    }
    udp->fd = -1;
}

/* -- runtime/log.h ------------------------------------------------------------------------------------------------------- */

bool log_wanted(const struct actor *self, enum log_level level)
{
    (void)self;
    (void)level;
    return true;
}

void log_write(struct actor *self, enum log_level level, const char *file, const char *function, int line, const char *format, ...)
{
    char text[512];
    va_list args;
    (void)self;
    (void)file;
    (void)function;
    (void)line;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (level <= LOG_LEVEL_WARN)
        fake.warnings++;
}
