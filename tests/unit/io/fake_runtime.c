#include "fake_runtime.h"

#include "support/seams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "runtime/log.h"
#include "runtime/tcp.h"

struct fake fake;

struct actor {
    int unused;
};

/* --- The test's side -------------------------------------------------------------------------------------------- */

void fake_init(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.now = SEC(100);
    buf_init(&fake.log, 1u << 20);
}

void fake_fini(void)
{
    fake_forget();
    for (int fd = 0; fd < FAKE_SOCKETS; fd++) {
        assert_false(fake.sockets[fd].open);
        buf_fini(&fake.sockets[fd].in);
        buf_fini(&fake.sockets[fd].out);
    }
    buf_fini(&fake.log);
}

void fake_forget(void)
{
    for (uint32_t i = 0; i < fake.sent_count; i++)
        mem_put(fake.sent[i].bytes);
    fake.sent_count = 0;
}

static uint32_t ready(const struct fake_socket *s)
{
    if (!s->open || !s->watched)
        return 0;
    if (s->listener)
        return s->waiting > 0 ? EPOLLIN & s->events : 0;
    uint32_t events = s->in.size > 0 || s->eof ? EPOLLIN : 0;
    events |= s->eof ? EPOLLRDHUP : 0;
    events |= s->room > 0 ? EPOLLOUT : 0;
    return (events & s->events) | (s->reset ? EPOLLERR | EPOLLHUP : 0u);
}

void fake_turn(struct io *io)
{
    uint32_t events[FAKE_SOCKETS];
    uint64_t tokens[FAKE_SOCKETS];
    for (int fd = 0; fd < FAKE_SOCKETS; fd++) {
        events[fd] = ready(&fake.sockets[fd]);
        tokens[fd] = fake.sockets[fd].token;
    }
    for (int fd = 0; fd < FAKE_SOCKETS; fd++)
        if (events[fd] != 0)
            io_ops.on_ready(io, fake.now, tokens[fd], events[fd]);
    io_ops.on_turn(io, fake.now);
}

void fake_run_to(struct io *io, usec_t when)
{
    for (usec_t next; (next = io_ops.deadline(io)) <= when && !fake.stopped;) {
        if (next > fake.now)
            fake.now = next;
        fake_turn(io);
        fake_turn(io);           /* what became ready by it */
    }
    fake.now = when;
}

int fake_connect(struct io *io, int listener)
{
    bool before[FAKE_SOCKETS];
    for (int fd = 0; fd < FAKE_SOCKETS; fd++)
        before[fd] = fake.sockets[fd].open;
    fake.sockets[listener].waiting++;
    fake_turn(io);
    for (int fd = 0; fd < FAKE_SOCKETS; fd++)
        if (fake.sockets[fd].open && !before[fd])
            return fd;
    return -1;
}

void fake_say(int fd, struct view bytes)
{
    buf_add_view(&fake.sockets[fd].in, bytes);
}

void fake_message(struct io *io, uint16_t type, const void *head, size_t head_size, struct view tail)
{
    uint8_t *payload = mem_get(head_size + tail.size);
    memcpy(payload, head, head_size);
    if (tail.size > 0)
        memcpy(payload + head_size, tail.data, tail.size);
    struct message m = {.from = ACTOR_CONTROL, .type = type, .payload = payload, .size = head_size + tail.size};
    io_ops.on_message(io, fake.now, &m);
    mem_put(payload);
}

uint32_t fake_count(uint16_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fake.sent_count; i++)
        count += fake.sent[i].type == type;
    return count;
}

const struct fake_sent *fake_nth(uint16_t type, uint32_t n)
{
    for (uint32_t i = 0; i < fake.sent_count; i++)
        if (fake.sent[i].type == type && n-- == 0)
            return &fake.sent[i];
    return NULL;
}

/* --- runtime/actor.h -------------------------------------------------------------------------------------------- */

bool actor_watch(struct actor *self, int fd, uint32_t events, uint64_t token)
{
    (void)self;
    struct fake_socket *s = &fake.sockets[fd];
    assert_true(s->open);
    if (fake.watch_fails)
        return false;
    s->watched = true;
    s->events = events;
    s->token = token;
    return true;
}

void actor_unwatch(struct actor *self, int fd)
{
    (void)self;
    fake.sockets[fd].watched = false;
}

void actor_send_parts(struct actor *self, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail)
{
    (void)self;
    assert_true(fake.sent_count < FAKE_SENT);
    struct fake_sent *s = &fake.sent[fake.sent_count++];
    *s = (struct fake_sent){to, type, mem_get(head.size + tail.size), head.size + tail.size, op};
    memcpy(s->bytes, head.data, head.size);
    if (tail.size > 0)
        memcpy(s->bytes + head.size, tail.data, tail.size);
}

void actor_send(struct actor *self, actor_id to, uint16_t type, const void *payload, size_t size)
{
    actor_send_parts(self, to, type, REF_NONE, VIEW(payload, size), VIEW(NULL, 0));
}

/* Kept among what was sent. */
bool relay_push(struct actor *self, actor_id to, struct view head, struct view body)
{
    actor_send_parts(self, to, FAKE_RECORD, REF_NONE, head, body);
    return true;
}

void *message_take(const struct message *m)
{
    void *copy = mem_get(m->size);
    memcpy(copy, m->payload, m->size);
    return copy;
}

void actor_stop(struct actor *self)
{
    (void)self;
    fake.stopped = true;
}

uint64_t actor_wall_us(const struct actor *self)
{
    (void)self;
    return 784111777ull * 1000000;
}

void actor_send_op(struct actor *self, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size)
{
    actor_send_parts(self, to, type, op, VIEW(payload, size), VIEW(NULL, 0));
}

/* Alone: nobody is there to be asked. */
struct actors *actor_set(const struct actor *self)
{
    (void)self;
    return NULL;
}

struct actor *actors_get(struct actors *set, actor_id id)
{
    (void)set;
    (void)id;
    return NULL;
}

const char *actor_name(const struct actor *self)
{
    (void)self;
    return "fake";
}

void actor_ask_measure(struct actor *self, actor_id to, struct ref op)
{
    (void)self;
    (void)to;
    (void)op;
}

struct actor *actor_current(void)
{
    return NULL;
}

/* --- runtime/log.h ---------------------------------------------------------------------------------------------- */

bool log_wanted(const struct actor *self, enum log_level level)
{
    (void)self;
    return level <= LOG_LEVEL_INFO;
}

void log_write(struct actor *self, enum log_level level, const char *file, const char *function, int line, const char *format, ...)
{
    (void)self;
    (void)file;
    (void)function;
    (void)line;
    char text[LOG_LINE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_addf(&fake.log, "%d %s\n", (int)level, text);
}

/* --- runtime/tcp.h ---------------------------------------------------------------------------------------------- */

static int new_socket(void)
{
    for (int fd = 0; fd < FAKE_SOCKETS; fd++) {
        struct fake_socket *s = &fake.sockets[fd];
        if (s->open || s->in.limit != 0)
            continue;
        *s = (struct fake_socket){.open = true, .room = SIZE_MAX};
        buf_init(&s->in, 1u << 26);
        buf_init(&s->out, 1u << 26);
        return fd;
    }
    fail_msg("no fake socket left");
    return -1;
}

enum err tcp_listen(int *fd, const struct net_addr *local, bool only6, const char *interface)
{
    (void)only6;
    (void)interface;
    *fd = -1;
    if (fake.listen_fails) {
        errno = EADDRINUSE;
        return ERR_IO;
    }
    *fd = new_socket();
    fake.sockets[*fd].listener = true;
    fake.sockets[*fd].addr = *local;
    return ERR_NONE;
}

enum err tcp_listen_unix(int *fd, const char *path, bool seqpacket)
{
    (void)path;
    assert_false(seqpacket);
    return tcp_listen(fd, &(struct net_addr){0}, false, NULL);
}

enum tcp_result tcp_accept(int listener, int *fd, struct net_addr *peer)
{
    fake.accepts++;
    if (fake.no_descriptor) {
        errno = EMFILE;
        return TCP_NO_DESCRIPTOR;
    }
    if (fake.sockets[listener].waiting == 0)
        return TCP_AGAIN;
    fake.sockets[listener].waiting--;
    *fd = new_socket();
    *peer = (struct net_addr){.ip = {192, 0, 2, 7}, .family = NET_IP4, .port = 4000};
    return TCP_DONE;
}

enum tcp_result tcp_read(int fd, void *out, size_t room, size_t *size)
{
    struct fake_socket *s = &fake.sockets[fd];
    assert_true(s->open);
    s->reads++;
    *size = 0;
    if (s->reset)
        return TCP_FAILED;
    if (s->in.size == 0)
        return s->eof ? TCP_CLOSED : TCP_AGAIN;
    *size = s->in.size < room ? s->in.size : room;
    memcpy(out, s->in.data, *size);
    buf_drop(&s->in, *size);
    return TCP_DONE;
}

enum tcp_result tcp_write(int fd, const struct view *parts, size_t count, size_t *size)
{
    struct fake_socket *s = &fake.sockets[fd];
    assert_true(s->open);
    assert_false(s->shut);
    *size = 0;
    if (s->reset)
        return TCP_FAILED;
    if (s->room == 0)
        return TCP_AGAIN;
    s->writes++;
    for (size_t i = 0; i < count && s->room > 0; i++) {
        size_t part = parts[i].size < s->room ? parts[i].size : s->room;
        buf_add(&s->out, parts[i].data, part);
        s->room -= part;
        *size += part;
    }
    return TCP_DONE;
}

void tcp_end_output(int fd)
{
    assert_true(fake.sockets[fd].open);
    assert_false(fake.sockets[fd].shut);
    fake.sockets[fd].shut = true;
}

bool tcp_local(int fd, struct net_addr *local)
{
    *local = fake.sockets[fd].addr;
    return true;
}

void tcp_close(int fd)
{
    assert_true(fake.sockets[fd].open);
    fake.sockets[fd].open = false;
    fake.sockets[fd].watched = false;
}
