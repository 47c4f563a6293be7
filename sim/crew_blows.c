/* What comes over the network from those who play no part: forged and replayed datagrams, floods of handshakes, connections
 * that talk nonsense. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "runtime/tcp.h"
#include "sim/crew.h"
#include "sim/network.h"

#define STRANGER_US SEC(8)

static uint16_t some_port(uint32_t arg)
{
    return (uint16_t)(SERVER_UDP_FIRST + arg % server_worker_count());
}

/* A true client's address, or one that nobody has. */
static struct net_addr some_address(struct crew *crew, uint32_t arg)
{
    struct net_addr from = {0};
    (void)net_ip_parse(&from, STR(CLIENT_IP));
    from.port = (uint16_t)(1024 + arg % 20000);
    const struct member *m = &crew->members[arg % crew->member_count];
    if (arg % 2 == 0 && !list_is_empty(&m->legs)) {
        const struct leg *leg = CONTAINER_OF(m->legs.next, struct leg, node);
        if (leg->port != 0)
            from.port = leg->port;
    }
    return from;
}

void blow_forge(struct crew *crew, uint32_t arg)
{
    uint8_t bytes[1400];
    const struct net_addr from = some_address(crew, arg);
    for (uint32_t i = 0; i < 1 + arg % 40; i++) {
        const size_t size = (size_t)sim_between(&sim->crew, 0, sizeof(bytes));
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)sim_draw(&sim->crew);
        /* By its first byte it is RTP, RTCP, DTLS or STUN, or nothing. */
        static const uint8_t firsts[] = {0x80, 0x90, 0x16, 0x17, 0x14, 0x15, 0x00, 0x01, 0xFF};
        if (size > 0)
            bytes[0] = firsts[sim_below(&sim->crew, sizeof(firsts))];
        if (size > 1 && bytes[0] == 0x80 && i % 3 == 0)
            bytes[1] = 200;
        network_inject(&from, some_port(arg >> 4), bytes, size);
    }
}

void blow_replay(uint32_t arg)
{
    struct net_addr from;
    uint16_t port;
    struct view datagram;
    for (uint32_t i = 0; i < 1 + arg % 50; i++) {
        if (!network_recall((uint32_t)sim_draw(&sim->crew), &from, &port, &datagram))
            return;
        uint8_t copy[1500];
        memcpy(copy, datagram.data, datagram.size);
        if (i % 4 == 3 && datagram.size > 0)
            copy[sim_below(&sim->crew, datagram.size)] ^= (uint8_t)(1u << sim_below(&sim->crew, 8));     /* and changed */
        network_inject(&from, port, copy, datagram.size);
    }
}

/* The head of a DTLS ClientHello, and of a STUN binding request with a user name that looks like one of ours. */
void blow_knock(uint32_t arg)
{
    static const uint8_t hello[] = {0x16, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48, 0xFE, 0xFD};
    uint8_t bytes[96] = {0};
    struct net_addr from = {0};
    (void)net_ip_parse(&from, STR("10.3.0.1"));
    for (uint32_t i = 0; i < 100 + arg % 400; i++) {
        from.port = (uint16_t)(2000 + sim_below(&sim->crew, 20000));
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)sim_draw(&sim->crew);
        if (i % 2 == 0) {
            memcpy(bytes, hello, sizeof(hello));
            network_inject(&from, some_port(arg + i), bytes, 73);
            continue;
        }
        static const uint8_t head[] = {0, 1, 0, 24, 0x21, 0x12, 0xA4, 0x42};
        memcpy(bytes, head, sizeof(head));
        static const uint8_t username[] = {0, 6, 0, 20};
        memcpy(bytes + 20, username, sizeof(username));
        for (size_t k = 24; k < 44; k++)
            bytes[k] = (uint8_t)('a' + bytes[k] % 26);
        bytes[36] = ':';
        network_inject(&from, some_port(arg + i), bytes, 44);
    }
}

/* ---- connections that talk nonsense ---- */

struct stranger {
    struct loop_source source;
    struct loop_timer timer;
    struct list node;
    struct crew *crew;
    uint32_t arg;
    bool spoken;
};

static void end_stranger(struct stranger *s)
{
    loop_set(&s->crew->loop, &s->timer, USEC_NEVER);
    loop_unwatch(&s->crew->loop, &s->source);
    tcp_close(s->source.fd);
    list_del(&s->node);
    mem_put(s);
}

/* A WebSocket handshake, and a frame without a mask behind it. */
static const char upgrade[] =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: janus-protocol\r\n\r\n\x81\x02{}";

static void speak(struct stranger *s)
{
    static const char *const words[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET / HTTP/1.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "\r\n\r\n\r\n",
        upgrade};
    const struct view text = str_of(words[s->arg % ARRAY_COUNT(words)]);
    size_t size;
    (void)tcp_write(s->source.fd, &text, 1, &size);
    s->spoken = true;
}

static void on_stranger(struct loop_source *source, usec_t now, uint32_t events)
{
    struct stranger *s = CONTAINER_OF(source, struct stranger, source);
    uint8_t bytes[4096];
    size_t size;
    (void)now;
    if (!s->spoken && (events & EPOLLOUT) != 0 && tcp_connect_error(source->fd) == 0) {
        speak(s);
        (void)loop_watch(&s->crew->loop, source, EPOLLIN);
        return;
    }
    for (;;) {
        enum tcp_result result = tcp_read(source->fd, bytes, sizeof(bytes), &size);
        if (result == TCP_AGAIN)
            return;
        if (result != TCP_DONE) {
            end_stranger(s);
            return;
        }
    }
}

static void on_bored(struct loop_timer *timer, usec_t now)
{
    (void)now;
    end_stranger(CONTAINER_OF(timer, struct stranger, timer));
}

void blow_stranger(struct crew *crew, uint32_t arg)
{
    const struct net_addr to = server_address();
    struct stranger *s = mem_get_zero(sizeof(*s));
    int fd;
    *s = (struct stranger){.crew = crew, .arg = arg, .timer = {.on_due = on_bored}, .source = {.on_ready = on_stranger}};
    if (tcp_connect(&fd, &to) != TCP_AGAIN) {
        mem_put(s);
        return;
    }
    s->source.fd = fd;
    list_add_tail(&crew->strangers, &s->node);
    (void)loop_watch(&crew->loop, &s->source, EPOLLIN | EPOLLOUT);
    loop_set(&crew->loop, &s->timer, sim->now + STRANGER_US);
}

void crew_strangers_end(struct crew *crew)
{
    while (!list_is_empty(&crew->strangers))
        end_stranger(CONTAINER_OF(crew->strangers.next, struct stranger, node));
}
