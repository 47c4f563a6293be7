/* runtime/tcp on loopback and on unix sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/tcp.h"

static struct net_addr address(const char *ip, uint16_t port)
{
    struct net_addr addr;
    assert_true(net_ip_parse(&addr, str_of(ip)));
    addr.port = port;
    return addr;
}

static void wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    assert_int_equal(poll(&p, 1, 5000), 1);
}

struct pair {
    int listener, client, server;
    struct net_addr peer;
};

static struct pair connected(const char *listen_on, const char *connect_to)
{
    struct pair p;
    struct net_addr local = address(listen_on, 0);
    assert_int_equal(tcp_listen(&p.listener, &local, false, NULL), ERR_NONE);
    assert_true(tcp_local(p.listener, &local));
    struct net_addr to = address(connect_to, local.port);
    enum tcp_result result = tcp_connect(&p.client, &to);
    assert_true(result == TCP_DONE || result == TCP_AGAIN);
    wait_for(p.client, POLLOUT);
    assert_int_equal(tcp_connect_error(p.client), 0);
    wait_for(p.listener, POLLIN);
    assert_int_equal(tcp_accept(p.listener, &p.server, &p.peer), TCP_DONE);
    return p;
}

static void close_pair(struct pair *p)
{
    tcp_close(p->listener);
    tcp_close(p->client);
    tcp_close(p->server);
}

static void test_a_client_is_accepted_with_its_address(void **state)
{
    (void)state;
    struct pair p = connected("127.0.0.1", "127.0.0.1");
    struct net_addr client, loopback = address("127.0.0.1", 0);
    assert_true(tcp_local(p.client, &client));
    assert_true(net_addr_equal(&client, &p.peer));
    assert_true(net_ip_equal(&loopback, &p.peer));
    assert_true(fcntl(p.server, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(p.server, F_GETFD) & FD_CLOEXEC);
    int none;
    assert_int_equal(tcp_accept(p.listener, &none, &client), TCP_AGAIN);
    close_pair(&p);
}

static void test_an_ip4_client_of_an_ip6_listener_shows_as_ip4(void **state)
{
    (void)state;
    int probe;
    struct net_addr any = address("::", 0);
    if (tcp_listen(&probe, &any, false, NULL) != ERR_NONE)
        skip();                 /* no IPv6 on this machine */
    tcp_close(probe);
    struct pair p = connected("::", "127.0.0.1");
    assert_int_equal(p.peer.family, NET_IP4);
    close_pair(&p);
}

static void test_parts_are_written_as_one_and_read_back(void **state)
{
    (void)state;
    struct pair p = connected("127.0.0.1", "127.0.0.1");
    char in[64];
    size_t size;
    assert_int_equal(tcp_read(p.server, in, sizeof(in), &size), TCP_AGAIN);
    struct view parts[] = {STR("one "), VIEW(NULL, 0), STR("two "), STR("three")};
    assert_int_equal(tcp_write(p.client, parts, 4, &size), TCP_DONE);
    assert_int_equal(size, 13);
    assert_int_equal(tcp_write(p.client, parts, 0, &size), TCP_DONE);
    assert_int_equal(size, 0);
    wait_for(p.server, POLLIN);
    assert_int_equal(tcp_read(p.server, in, sizeof(in), &size), TCP_DONE);
    assert_memory_equal(in, "one two three", 13);
    tcp_close(p.client);
    p.client = -1;
    wait_for(p.server, POLLIN);
    assert_int_equal(tcp_read(p.server, in, sizeof(in), &size), TCP_CLOSED);
    close_pair(&p);
}

static void test_a_full_socket_says_again_and_a_gone_peer_is_a_failure_not_a_signal(void **state)
{
    (void)state;
    struct pair p = connected("127.0.0.1", "127.0.0.1");
    static uint8_t bytes[1 << 16];
    struct view parts[] = {VIEW(bytes, sizeof(bytes)), VIEW(bytes, sizeof(bytes))};
    size_t size, total = 0;
    enum tcp_result result;
    while ((result = tcp_write(p.client, parts, 2, &size)) == TCP_DONE)
        total += size;
    assert_int_equal(result, TCP_AGAIN);
    assert_true(total > 0);
    tcp_close(p.server);                /* with unread bytes: a reset */
    p.server = -1;
    struct pollfd poll_for = {.fd = p.client, .events = POLLIN};
    assert_int_equal(poll(&poll_for, 1, 5000), 1);
    while ((result = tcp_write(p.client, parts, 2, &size)) == TCP_DONE)
        ;
    assert_int_equal(result, TCP_FAILED);
    close_pair(&p);
}

static void test_a_refused_connection_is_told(void **state)
{
    (void)state;
    int fd;
    struct net_addr local = address("127.0.0.1", 0);
    assert_int_equal(tcp_listen(&fd, &local, false, NULL), ERR_NONE);
    assert_true(tcp_local(fd, &local));
    struct net_addr taken = local;
    int second;
    assert_int_equal(tcp_listen(&second, &taken, false, NULL), ERR_IO);
    assert_int_equal(errno, EADDRINUSE);
    tcp_close(fd);
    enum tcp_result result = tcp_connect(&fd, &local);
    if (result == TCP_AGAIN) {
        wait_for(fd, POLLOUT);
        assert_int_equal(tcp_connect_error(fd), ECONNREFUSED);
        tcp_close(fd);
    } else {
        assert_int_equal(result, TCP_FAILED);
        assert_int_equal(fd, -1);
    }
}

static void listen_unix(bool seqpacket)
{
    char folder[] = "/tmp/cardea-tcp-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    int fd, second, client, server;
    assert_int_equal(tcp_listen_unix(&fd, path, seqpacket), ERR_NONE);
    assert_int_equal(tcp_listen_unix(&second, path, seqpacket), ERR_IO);        /* somebody listens */
    assert_int_equal(errno, EADDRINUSE);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, path, strlen(path));
    client = socket(AF_UNIX, seqpacket ? SOCK_SEQPACKET : SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&addr, sizeof(addr)), 0);
    struct net_addr peer;
    assert_int_equal(tcp_accept(fd, &server, &peer), TCP_DONE);
    tcp_close(server);                                  /* that was the second's question whether anybody listens */
    assert_int_equal(tcp_accept(fd, &server, &peer), TCP_DONE);
    assert_int_equal(peer.family, NET_NONE);
    size_t size;
    assert_int_equal(tcp_write(server, &STR("hello"), 1, &size), TCP_DONE);
    char in[8];
    assert_int_equal(recv(client, in, sizeof(in), 0), 5);
    close(client);
    tcp_close(server);
    tcp_close(fd);
    assert_int_equal(tcp_listen_unix(&fd, path, seqpacket), ERR_NONE);          /* the file was stale */
    tcp_close(fd);
    unlink(path);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    close(file);
    assert_int_equal(tcp_listen_unix(&fd, path, seqpacket), ERR_IO);            /* never somebody's file */
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    rmdir(folder);
}

static void test_unix_listeners_replace_stale_sockets_only(void **state)
{
    (void)state;
    listen_unix(false);
    listen_unix(true);
    char long_path[200];
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    int fd;
    assert_int_equal(tcp_listen_unix(&fd, long_path, false), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_is_accepted_with_its_address),
        cmocka_unit_test(test_an_ip4_client_of_an_ip6_listener_shows_as_ip4),
        cmocka_unit_test(test_parts_are_written_as_one_and_read_back),
        cmocka_unit_test(test_a_full_socket_says_again_and_a_gone_peer_is_a_failure_not_a_signal),
        cmocka_unit_test(test_a_refused_connection_is_told),
        cmocka_unit_test(test_unix_listeners_replace_stale_sockets_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
