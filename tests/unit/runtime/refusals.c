/* What happens when the system refuses: each open function fails at each of its calls, says so, and leaves no descriptor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/actor.h"
#include "runtime/tcp.h"
#include "runtime/udp.h"
#include "support/faults.h"

static const struct actor_ops no_ops = {.on_turn = NULL};

/* The lowest free descriptor: the same before and after when nothing has leaked. */
static int lowest_free(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static void test_an_actor_that_gets_no_descriptor_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    static const char *const calls[] = {"epoll_create1", "eventfd", "epoll_ctl"};
    int before = lowest_free();
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        struct actors *set = actors_new();
        fault_set(calls[i], 1, EMFILE, false);
        assert_null(actor_new(set, ACTOR_IO, "io"));
        assert_int_equal(errno, EMFILE);
        assert_null(actors_get(set, ACTOR_IO));
        struct actor *actor = actor_new(set, ACTOR_IO, "io");
        assert_non_null(actor);
        actor_serve(actor, &no_ops, NULL);
        actors_wire(set);
        fault_set("pthread_create", 1, EAGAIN, false);
        assert_false(actor_start(actor));
        assert_int_equal(errno, EAGAIN);
        actors_free(set);
    }
    assert_int_equal(lowest_free(), before);
}

static struct net_addr loopback(void)
{
    struct net_addr addr;
    assert_true(net_ip_parse(&addr, STR("127.0.0.1")));
    return addr;
}

static void test_a_udp_socket_that_cannot_be_had_is_an_error(void **state)
{
    (void)state;
    int before = lowest_free();
    struct udp udp;
    struct udp_options options = {.local = loopback()};
    fault_set("socket", 1, EMFILE, false);
    assert_int_equal(udp_open(&udp, &options, 0), ERR_FULL);
    assert_int_equal(udp.fd, -1);
    fault_set("bind", 1, EACCES, false);
    assert_int_equal(udp_open(&udp, &options, 0), ERR_IO);
    assert_int_equal(errno, EACCES);
    options.port_min = 40000;
    options.port_max = 40009;
    fault_set("bind", 1, EADDRINUSE, true);
    assert_int_equal(udp_open(&udp, &options, 7), ERR_FULL);
    fault_set("bind", 10, EADDRINUSE, false);
    assert_int_equal(udp_open(&udp, &options, 7), ERR_NONE);
    udp_close(&udp);
    fault_set("bind", 0, 0, false);
    assert_int_equal(lowest_free(), before);
}

static void test_a_listener_that_cannot_be_had_is_an_error(void **state)
{
    (void)state;
    int before = lowest_free();
    int fd;
    struct net_addr local = loopback();
    fault_set("socket", 1, ENFILE, false);
    assert_int_equal(tcp_listen(&fd, &local, false, NULL), ERR_FULL);
    fault_set("bind", 1, EADDRINUSE, false);
    assert_int_equal(tcp_listen(&fd, &local, false, NULL), ERR_IO);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(fd, -1);
    assert_int_equal(lowest_free(), before);
}

static void test_accept_without_a_descriptor_is_told_apart(void **state)
{
    (void)state;
    int before = lowest_free();
    int listener, client, accepted;
    struct net_addr local = loopback(), peer;
    assert_int_equal(tcp_listen(&listener, &local, false, NULL), ERR_NONE);
    assert_true(tcp_local(listener, &local));
    assert_int_equal(tcp_accept(listener, &accepted, &peer), TCP_AGAIN);
    assert_true(tcp_connect(&client, &local) != TCP_FAILED);
    fault_set("accept4", 1, EMFILE, false);
    assert_int_equal(tcp_accept(listener, &accepted, &peer), TCP_NO_DESCRIPTOR);
    fault_set("accept4", 1, ENFILE, false);
    assert_int_equal(tcp_accept(listener, &accepted, &peer), TCP_NO_DESCRIPTOR);
    fault_set("accept4", 1, ECONNABORTED, false);
    assert_int_equal(tcp_accept(listener, &accepted, &peer), TCP_FAILED);
    assert_int_equal(tcp_accept(listener, &accepted, &peer), TCP_DONE);       /* the client has waited */
    tcp_close(accepted);
    tcp_close(client);
    tcp_close(listener);
    assert_int_equal(lowest_free(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_actor_that_gets_no_descriptor_is_refused_and_leaves_nothing),
        cmocka_unit_test(test_a_udp_socket_that_cannot_be_had_is_an_error),
        cmocka_unit_test(test_a_listener_that_cannot_be_had_is_an_error),
        cmocka_unit_test(test_accept_without_a_descriptor_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
