/* runtime/udp on loopback: batches both ways, GSO runs, refused destinations, full sockets, kernel drops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "runtime/udp.h"

static struct net_addr address(const char *ip, uint16_t port)
{
    struct net_addr addr;
    assert_true(net_ip_parse(&addr, str_of(ip)));
    addr.port = port;
    return addr;
}

static struct udp open_on(const char *ip)
{
    struct udp udp;
    struct udp_options options = {.local = address(ip, 0), .receive_bytes = UDP_RECEIVE_BYTES, .dscp = 46};
    assert_int_equal(udp_open(&udp, &options, 1), ERR_NONE);
    assert_true(udp.local.port != 0);
    assert_true(udp.receive_bytes > 0);
    return udp;
}

static void wait_for(const struct udp *udp)
{
    struct pollfd p = {.fd = udp->fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
}

/* Datagrams are numbered in their first byte; sizes are the caller's. */
static uint32_t receive_all(struct udp *udp, struct udp_inbox *inbox, uint32_t expected, void (*check)(uint32_t, const struct udp_datagram *))
{
    uint32_t got = 0;
    while (got < expected) {
        wait_for(udp);
        (void)udp_recv_batch(udp, inbox);
        for (uint32_t i = 0; i < inbox->count; i++, got++)
            check(got, &inbox->items[i]);
    }
    return got;
}

static void check_numbered(uint32_t n, const struct udp_datagram *datagram)
{
    assert_int_equal(datagram->size, 100 + n);
    assert_int_equal(datagram->data[0], n);
    assert_int_equal(datagram->data[datagram->size - 1], n);
}

static void send_and_receive(const char *ip)
{
    struct udp a = open_on(ip), b = open_on(ip);
    struct udp_inbox *inbox = mem_get(sizeof(*inbox));
    uint8_t bytes[100][200];
    struct view packets[100];
    struct udp_run runs[100];
    for (uint32_t i = 0; i < 100; i++) {
        memset(bytes[i], (int)i, sizeof(bytes[i]));
        packets[i] = VIEW(bytes[i], 100 + i);
        runs[i] = (struct udp_run){.to = b.local, .packets = &packets[i], .packet_count = 1};
    }
    assert_int_equal(udp_send_batch(&a, runs, 100), 100);
    assert_int_equal(a.counters.sent, 100);
    assert_int_equal(receive_all(&b, inbox, 100, check_numbered), 100);
    assert_true(net_addr_equal(&inbox->items[0].from, &a.local));
    assert_false(udp_recv_batch(&b, inbox));
    assert_int_equal(inbox->count, 0);
    assert_int_equal(b.counters.received, 100);
    assert_int_equal(b.counters.received_bytes, a.counters.sent_bytes);
    assert_int_equal(b.counters.receive_errors, 0);
    mem_put(inbox);
    udp_close(&a);
    udp_close(&b);
    udp_close(&b);
}

static void test_batches_arrive_whole_and_in_order(void **state)
{
    (void)state;
    send_and_receive("127.0.0.1");
}

static void test_ip6_works_alike(void **state)
{
    (void)state;
    struct udp probe;
    struct udp_options options = {.local = address("::1", 0)};
    if (udp_open(&probe, &options, 1) != ERR_NONE)
        skip();                 /* no IPv6 on this machine */
    udp_close(&probe);
    send_and_receive("::1");
}

static void check_run(uint32_t n, const struct udp_datagram *datagram)
{
    assert_int_equal(datagram->size, n % 6 == 5 ? 700 : 1200);
    assert_int_equal(datagram->data[0], n % 6);
}

static void exchange_runs(bool gso)
{
    struct udp a = open_on("127.0.0.1"), b = open_on("127.0.0.1");
    struct udp_inbox *inbox = mem_get(sizeof(*inbox));
    uint8_t bytes[6][1200];
    struct view packets[6];
    struct udp_run runs[10];
    a.gso = a.gso && gso;
    for (uint32_t i = 0; i < 6; i++) {
        memset(bytes[i], (int)i, sizeof(bytes[i]));
        packets[i] = VIEW(bytes[i], i == 5 ? 700 : 1200);
    }
    for (uint32_t i = 0; i < 10; i++)
        runs[i] = (struct udp_run){.to = b.local, .packets = packets, .packet_count = 6};
    assert_int_equal(udp_send_batch(&a, runs, 10), 10);
    assert_int_equal(a.counters.sent, 60);
    assert_int_equal(a.counters.sent_bytes, 10 * (5 * 1200 + 700));
    assert_int_equal(a.counters.gso_refused, 0);
    assert_int_equal(receive_all(&b, inbox, 60, check_run), 60);
    mem_put(inbox);
    udp_close(&a);
    udp_close(&b);
}

static void test_a_gso_run_arrives_as_its_packets(void **state)
{
    (void)state;
    struct udp probe = open_on("127.0.0.1");
    assert_true(probe.gso);     /* Linux 4.18 and later */
    udp_close(&probe);
    exchange_runs(true);
}

static void test_runs_work_without_gso(void **state)
{
    (void)state;
    exchange_runs(false);
}

static void test_a_run_that_gso_refuses_goes_packet_by_packet(void **state)
{
    (void)state;
    struct udp a = open_on("127.0.0.1"), b = open_on("127.0.0.1");
    static uint8_t bytes[1400];
    /* Not of one size: the second is longer than the first, which no GSO send can carry. */
    struct view packets[2] = {VIEW(bytes, 0), VIEW(bytes, 1400)};
    struct udp_run run = {.to = b.local, .packets = packets, .packet_count = 2};
    packets[0] = VIEW(bytes, 65507);
    static uint8_t big[65507];
    packets[0].data = big;      /* two of the largest size: more than one datagram's worth */
    packets[1] = packets[0];
    assert_int_equal(udp_send_batch(&a, &run, 1), 1);
    assert_int_equal(a.counters.gso_refused, 1);
    assert_int_equal(a.counters.sent, 2);
    udp_close(&a);
    udp_close(&b);
}

static void check_any(uint32_t n, const struct udp_datagram *datagram)
{
    (void)n;
    assert_int_equal(datagram->size, 3);
}

static void test_a_refused_destination_is_skipped_and_the_rest_goes_out(void **state)
{
    (void)state;
    struct udp a = open_on("127.0.0.1"), b = open_on("127.0.0.1");
    struct udp_inbox *inbox = mem_get(sizeof(*inbox));
    struct view packet = VIEW("abc", 3);
    struct udp_run runs[9];
    for (uint32_t i = 0; i < 9; i++)
        runs[i] = (struct udp_run){.to = i % 3 == 1 ? address("255.255.255.255", 9) : i == 8 ? address("127.0.0.1", 0) : b.local,
            .packets = &packet, .packet_count = 1};
    assert_int_equal(udp_send_batch(&a, runs, 9), 9);
    assert_int_equal(a.counters.send_refused, 4);
    assert_int_equal(a.counters.sent, 5);
    assert_int_equal(receive_all(&b, inbox, 5, check_any), 5);
    mem_put(inbox);
    udp_close(&a);
    udp_close(&b);
}

static void test_a_datagram_that_is_too_long_is_dropped_and_counted(void **state)
{
    (void)state;
    struct udp a = open_on("127.0.0.1"), b = open_on("127.0.0.1");
    struct udp_inbox *inbox = mem_get(sizeof(*inbox));
    static uint8_t bytes[UDP_DATAGRAM_BYTES + 1];
    struct view packets[] = {VIEW(bytes, sizeof(bytes)), VIEW(bytes, UDP_DATAGRAM_BYTES), VIEW(bytes, 0)};
    for (uint32_t i = 0; i < 3; i++) {
        struct udp_run run = {.to = b.local, .packets = &packets[i], .packet_count = 1};
        assert_int_equal(udp_send_batch(&a, &run, 1), 1);
    }
    wait_for(&b);
    (void)udp_recv_batch(&b, inbox);
    assert_int_equal(b.counters.received_cut, 1);
    assert_int_equal(inbox->count, 2);
    assert_int_equal(inbox->items[0].size, UDP_DATAGRAM_BYTES);
    assert_int_equal(inbox->items[1].size, 0);
    mem_put(inbox);
    udp_close(&a);
    udp_close(&b);
}

static void test_what_the_kernel_drops_is_counted(void **state)
{
    (void)state;
    struct udp a = open_on("127.0.0.1");
    struct udp b;
    struct udp_options options = {.local = address("127.0.0.1", 0), .receive_bytes = 4096};
    assert_int_equal(udp_open(&b, &options, 1), ERR_NONE);
    struct udp_inbox *inbox = mem_get(sizeof(*inbox));
    static uint8_t bytes[1200];
    struct view packet = VIEW(bytes, sizeof(bytes));
    struct udp_run run = {.to = b.local, .packets = &packet, .packet_count = 1};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++)
            (void)udp_send_batch(&a, &run, 1);
        while (udp_recv_batch(&b, inbox) || inbox->count > 0)
            ;
    }
    (void)udp_send_batch(&a, &run, 1);      /* the count comes with the next datagram that fits */
    wait_for(&b);
    (void)udp_recv_batch(&b, inbox);
    assert_int_equal(b.counters.received + b.counters.kernel_drops, 201);
    assert_true(b.counters.kernel_drops > 100);
    mem_put(inbox);
    udp_close(&a);
    udp_close(&b);
}

static void test_ports_come_from_the_range(void **state)
{
    (void)state;
    struct udp sockets[4];
    struct udp_options options = {.local = address("127.0.0.1", 0), .port_min = 42170, .port_max = 42172};
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(udp_open(&sockets[i], &options, 1000003 * i), ERR_NONE);
        assert_in_range(sockets[i].local.port, 42170, 42172);
        seen |= 1u << (sockets[i].local.port - 42170);
    }
    assert_int_equal(seen, 7);
    assert_int_equal(udp_open(&sockets[3], &options, 5), ERR_FULL);
    assert_int_equal(sockets[3].fd, -1);
    options.local.port = sockets[0].local.port;
    assert_int_equal(udp_open(&sockets[3], &options, 5), ERR_FULL);
    options.local = address("192.0.2.1", 0);
    assert_int_equal(udp_open(&sockets[3], &options, 5), ERR_IO);       /* not an address of this machine */
    for (uint32_t i = 0; i < 3; i++)
        udp_close(&sockets[i]);
}

static void test_an_interface_is_found_by_its_name(void **state)
{
    (void)state;
    char text[NET_IP_TEXT];
    struct udp udp;
    struct udp_options options = {.local = {.family = NET_IP4}, .interface = "lo"};
    assert_int_equal(udp_open(&udp, &options, 1), ERR_NONE);
    assert_string_equal(net_ip_text(&udp.local, text), "127.0.0.1");
    assert_true(udp.local.port != 0);
    udp_close(&udp);
    options.interface = "nowhere0";
    assert_int_equal(udp_open(&udp, &options, 1), ERR_INVALID);
    assert_int_equal(udp.fd, -1);
}

/* Two listeners of one group and port both hear it, and nothing that was sent to the machine's own address. */
static void test_a_multicast_group_is_joined(void **state)
{
    (void)state;
    static struct udp_inbox inbox;
    struct udp ears[2], mouth = open_on("127.0.0.1");
    struct udp_options options = {.local = {.family = NET_IP4}, .interface = "lo", .group = address("239.255.77.1", 0), .port_min = 20000, .port_max = 60000};
    assert_int_equal(udp_open(&ears[0], &options, 4711), ERR_NONE);
    options.local.port = ears[0].local.port;
    assert_int_equal(udp_open(&ears[1], &options, 1), ERR_NONE);
    const struct in_addr lo = {htonl(INADDR_LOOPBACK)};
    assert_int_equal(setsockopt(mouth.fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)), 0);
    const struct view hello = VIEW("hello", 5);
    struct udp_run run = {.to = address("127.0.0.1", options.local.port), .packets = &hello, .packet_count = 1};
    assert_int_equal(udp_send_batch(&mouth, &run, 1), 1);
    run.to = address("239.255.77.1", options.local.port);
    assert_int_equal(udp_send_batch(&mouth, &run, 1), 1);
    for (unsigned i = 0; i < 2; i++) {
        wait_for(&ears[i]);
        (void)udp_recv_batch(&ears[i], &inbox);
        assert_int_equal(inbox.count, 1);
        assert_memory_equal(inbox.items[0].data, "hello", 5);
        udp_close(&ears[i]);
    }
    options.group = address("10.0.0.1", 0);             /* no group */
    assert_int_equal(udp_open(&ears[0], &options, 1), ERR_IO);
    udp_close(&mouth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_arrive_whole_and_in_order),
        cmocka_unit_test(test_ip6_works_alike),
        cmocka_unit_test(test_an_interface_is_found_by_its_name),
        cmocka_unit_test(test_a_multicast_group_is_joined),
        cmocka_unit_test(test_a_gso_run_arrives_as_its_packets),
        cmocka_unit_test(test_runs_work_without_gso),
        cmocka_unit_test(test_a_run_that_gso_refuses_goes_packet_by_packet),
        cmocka_unit_test(test_a_refused_destination_is_skipped_and_the_rest_goes_out),
        cmocka_unit_test(test_a_datagram_that_is_too_long_is_dropped_and_counted),
        cmocka_unit_test(test_what_the_kernel_drops_is_counted),
        cmocka_unit_test(test_ports_come_from_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
