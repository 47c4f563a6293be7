/* runtime/packet on sockets of this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "runtime/packet.h"
#include "runtime/tcp.h"

static char folder[] = "/tmp/cardea-packet-XXXXXX";

static void path_in(char out[PACKET_PATH_ROOM], const char *name)
{
    snprintf(out, PACKET_PATH_ROOM, "%s/%s", folder, name);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void test_a_datagram_comes_with_its_senders_path_and_is_answered(void **state)
{
    (void)state;
    char ours[PACKET_PATH_ROOM], theirs[PACKET_PATH_ROOM], from[PACKET_PATH_ROOM], in[16];
    int server, client;
    size_t size;
    path_in(ours, "server");
    path_in(theirs, "client");
    assert_int_equal(packet_open(&server, ours), ERR_NONE);
    assert_int_equal(packet_open(&client, theirs), ERR_NONE);
    assert_int_equal(packet_read(server, in, sizeof(in), &size, from), PACKET_AGAIN);

    assert_int_equal(packet_write(client, ours, &STR("hello"), 1), PACKET_DONE);
    assert_int_equal(packet_read(server, in, sizeof(in), &size, from), PACKET_DONE);
    assert_int_equal(size, 5);
    assert_string_equal(from, theirs);
    const struct view parts[] = {STR("good "), STR("day")};
    assert_int_equal(packet_write(server, from, parts, 2), PACKET_DONE);
    assert_int_equal(packet_read(client, in, sizeof(in), &size, from), PACKET_DONE);
    assert_memory_equal(in, "good day", 8);

    assert_int_equal(packet_write(client, ours, &STR("longer than the room"), 1), PACKET_DONE);
    assert_int_equal(packet_read(server, in, sizeof(in), &size, from), PACKET_CUT);
    tcp_close(client);
    assert_int_equal(packet_write(server, theirs, &STR("hello"), 1), PACKET_NOBODY);
    packet_remove(theirs);
    assert_int_equal(packet_write(server, theirs, &STR("hello"), 1), PACKET_NOBODY);
    tcp_close(server);
    packet_remove(ours);
}

static void test_a_full_receiver_is_told_apart(void **state)
{
    (void)state;
    char ours[PACKET_PATH_ROOM], theirs[PACKET_PATH_ROOM];
    int server, client;
    enum packet_result result = PACKET_DONE;
    path_in(ours, "server");
    path_in(theirs, "client");
    assert_int_equal(packet_open(&server, ours), ERR_NONE);
    assert_int_equal(packet_open(&client, theirs), ERR_NONE);
    for (int i = 0; i < 10000 && result == PACKET_DONE; i++)
        result = packet_write(server, theirs, &STR("hello"), 1);
    assert_int_equal(result, PACKET_AGAIN);
    tcp_close(client);
    tcp_close(server);
    packet_remove(theirs);
    packet_remove(ours);
}

static void test_a_sender_without_a_path_has_none(void **state)
{
    (void)state;
    char ours[PACKET_PATH_ROOM], from[PACKET_PATH_ROOM] = "x", in[16];
    int server, client = socket(AF_UNIX, SOCK_DGRAM, 0);
    size_t size;
    path_in(ours, "server");
    assert_int_equal(packet_open(&server, ours), ERR_NONE);
    assert_int_equal(packet_write(client, ours, &STR("who?"), 1), PACKET_DONE);
    assert_int_equal(packet_read(server, in, sizeof(in), &size, from), PACKET_DONE);
    assert_string_equal(from, "");
    /* Nor has one with an abstract name. */
    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0cardea-abstract"};
    assert_int_equal(bind(client, (const struct sockaddr *)&name, sizeof(sa_family_t) + 16), 0);
    assert_int_equal(packet_write(client, ours, &STR("who?"), 1), PACKET_DONE);
    assert_int_equal(packet_read(server, in, sizeof(in), &size, from), PACKET_DONE);
    assert_string_equal(from, "");
    close(client);
    tcp_close(server);
    packet_remove(ours);
}

static void test_a_connection_has_packets_until_its_end(void **state)
{
    (void)state;
    int pair[2];
    char in[16];
    size_t size;
    static uint8_t huge[8u << 20];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(packet_write(pair[0], NULL, &STR("one"), 1), PACKET_DONE);
    assert_int_equal(packet_write(pair[0], NULL, &STR("two"), 1), PACKET_DONE);
    assert_int_equal(packet_read(pair[1], in, sizeof(in), &size, NULL), PACKET_DONE);
    assert_int_equal(size, 3);
    assert_int_equal(packet_write(pair[0], NULL, &VIEW(huge, sizeof(huge)), 1), PACKET_TOO_LONG);
    packet_set_room(pair[0], 1u << 20);
    close(pair[0]);
    assert_int_equal(packet_read(pair[1], in, sizeof(in), &size, NULL), PACKET_DONE);
    assert_int_equal(packet_read(pair[1], in, sizeof(in), &size, NULL), PACKET_CLOSED);
    assert_int_equal(packet_write(pair[1], NULL, &STR("three"), 1), PACKET_FAILED);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_datagram_comes_with_its_senders_path_and_is_answered),
        cmocka_unit_test(test_a_full_receiver_is_told_apart),
        cmocka_unit_test(test_a_sender_without_a_path_has_none),
        cmocka_unit_test(test_a_connection_has_packets_until_its_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
