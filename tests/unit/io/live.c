/* The io actor on its real runtime: threads, loopback sockets, a control that echoes. What the other tests show with made-up
 * sockets is shown here once with the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity.h"
#include "live_server.h"

#define UPGRADE                                                                                              \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                             \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"                           \
    "Sec-WebSocket-Protocol: janus-protocol\r\n\r\n"

/* A masked text frame with a mask of zeros: the payload stands as it is. */
static size_t frame(char *out, const char *text)
{
    size_t size = strlen(text);
    assert_true(size < 126);
    out[0] = (char)0x81;
    out[1] = (char)(0x80 | size);
    memset(out + 2, 0, 4);
    memcpy(out + 6, text, size);
    return 6 + size;
}

static void write_all(int fd, const char *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        assert_int_equal(poll(&p, 1, 10000), 1);
        ssize_t done = write(fd, data + at, size - at);
        assert_true(done > 0);
        at += (size_t)done;
    }
}

/* Reads until `end` stands at the end of what came. */
static void read_until(int fd, char *out, size_t room, const char *end)
{
    size_t at = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 10000), 1);
        ssize_t got = read(fd, out + at, room - 1 - at);
        assert_true(got > 0);
        at += (size_t)got;
        out[at] = '\0';
        if (at >= strlen(end) && strcmp(out + at - strlen(end), end) == 0)
            return;
    }
}

static void test_echo_over_a_socket(void **state)
{
    struct live *live = *state;
    char out[4096], f[200];
    int fd = live_connect(live, 0);
    write_all(fd, UPGRADE, strlen(UPGRADE));
    read_until(fd, out, sizeof(out), "\r\n\r\n");
    assert_non_null(strstr(out, " 101 "));
    for (int i = 0; i < 1000; i++) {
        size_t size = frame(f, "{\"janus\":\"ping\"}");
        write_all(fd, f, size);
        read_until(fd, out, sizeof(out), "{\"janus\":\"ping\"}");
    }
    close(fd);
}

/* Far more requests than credits, sent without reading: none is lost, none overtakes. */
static void test_a_flood_is_answered_in_order(void **state)
{
    struct live *live = *state;
    static char out[1 << 20], f[40], all[1 << 20];
    size_t size = 0;
    int fd = live_connect(live, 0);
    write_all(fd, UPGRADE, strlen(UPGRADE));
    read_until(fd, out, sizeof(out), "\r\n\r\n");
    for (int i = 0; i < 20000; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%06d", i);
        size_t n = frame(f, text);
        memcpy(all + size, f, n);
        size += n;
    }
    write_all(fd, all, size);
    read_until(fd, out, sizeof(out), "019999");
    for (int i = 0; i < 20000; i++)
        assert_int_equal(atoi(out + i * 8 + 2), i);
    close(fd);
}

static void test_echo_over_tls(void **state)
{
    struct live *live = *state;
    char out[4096], f[200];
    int fd = live_connect(live, 1);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_write(ssl, UPGRADE, (int)strlen(UPGRADE)), (int)strlen(UPGRADE));
    int got = SSL_read(ssl, out, sizeof(out) - 1);
    assert_true(got > 0);
    assert_int_equal(strncmp(out, "HTTP/1.1 101 ", 13), 0);
    for (int i = 0; i < 100; i++) {
        size_t size = frame(f, "over tls");
        assert_int_equal(SSL_write(ssl, f, (int)size), (int)size);
        got = SSL_read(ssl, out, sizeof(out));
        assert_int_equal(got, 10);
        assert_memory_equal(out + 2, "over tls", 8);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
}

static void test_a_page(void **state)
{
    struct live *live = *state;
    char out[4096];
    int fd = live_connect(live, 0);
    const char *request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    write_all(fd, request, strlen(request));
    read_until(fd, out, sizeof(out), "<p>home</p>");
    assert_non_null(strstr(out, " 200 "));
    close(fd);
}

static int set_up(void **state)
{
    char *cert, *key;
    make_identity(&cert, &key, NULL);
    *state = live_start(cert, key, "<p>home</p>");
    free(cert);
    free(key);
    return *state != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    return live_stop(*state) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_over_a_socket),
        cmocka_unit_test(test_a_flood_is_answered_in_order),
        cmocka_unit_test(test_echo_over_tls),
        cmocka_unit_test(test_a_page),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
