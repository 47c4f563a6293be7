#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/ws/handshake.h"

#define PROTOCOL "janus-protocol"
#define KEY      "dGhlIHNhbXBsZSBub25jZQ=="

static enum ws_handshake check(const char *line, const char *fields)
{
    struct http_request req;
    char text[600];
    snprintf(text, sizeof(text), "%s\r\nHost: a\r\n%s\r\n", line, fields);
    assert_int_equal(http_request_parse(&req, str_of(text)), 0);
    return ws_handshake_check(&req, PROTOCOL);
}

#define LINE "GET /any/path?query HTTP/1.1"
#define UP   "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define K    "Sec-WebSocket-Key: " KEY "\r\n"
#define V    "Sec-WebSocket-Version: 13\r\n"
#define P    "Sec-WebSocket-Protocol: janus-protocol\r\n"

static void test_the_accept_value_of_the_rfc(void **state)
{
    (void)state;
    char out[WS_ACCEPT_TEXT];
    ws_accept_text(STR(KEY), out);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");          /* RFC 6455 1.3 */
}

static void test_accepted_forms(void **state)
{
    (void)state;
    assert_int_equal(check(LINE, UP K V P), WS_ACCEPTED);
    assert_int_equal(check(LINE, "upgrade: WebSocket\r\nconnection: upgrade\r\n" K V P), WS_ACCEPTED);
    assert_int_equal(check(LINE, UP K V "Sec-WebSocket-Protocol: foo, janus-protocol , bar\r\n"), WS_ACCEPTED);
    assert_int_equal(check(LINE, UP K V "Sec-WebSocket-Protocol: foo\r\n" P), WS_ACCEPTED);
    assert_int_equal(check(LINE, UP K V P "Sec-WebSocket-Extensions: permessage-deflate\r\n"), WS_ACCEPTED);
}

static void test_an_ordinary_request_is_no_handshake(void **state)
{
    (void)state;
    assert_int_equal(check(LINE, ""), WS_NOT_ASKED);
    assert_int_equal(check(LINE, "Connection: Upgrade\r\nUpgrade: h2c\r\n"), WS_NOT_ASKED);
    assert_int_equal(check(LINE, "Upgrade: websocket\r\n" K V P), WS_NOT_ASKED);
}

static void test_wrong_or_missing_subprotocol(void **state)
{
    (void)state;
    assert_int_equal(check(LINE, UP K V), WS_NO_PROTOCOL);
    assert_int_equal(check(LINE, UP K V "Sec-WebSocket-Protocol: janus-admin-protocol\r\n"), WS_NO_PROTOCOL);
    assert_int_equal(check(LINE, UP K V "Sec-WebSocket-Protocol: xjanus-protocol\r\n"), WS_NO_PROTOCOL);
}

static void test_broken_handshakes(void **state)
{
    (void)state;
    assert_int_equal(check("POST / HTTP/1.1", UP K V P), WS_BAD);
    assert_int_equal(check("GET / HTTP/1.0", UP K V P), WS_BAD);
    assert_int_equal(check(LINE, UP K V P "Content-Length: 5\r\n"), WS_BAD);
    assert_int_equal(check(LINE, UP K V P "Transfer-Encoding: chunked\r\n"), WS_BAD);
    assert_int_equal(check(LINE, UP V P), WS_BAD);
    assert_int_equal(check(LINE, UP K K V P), WS_BAD);
    assert_int_equal(check(LINE, UP V P "Sec-WebSocket-Key: short==\r\n"), WS_BAD);
    assert_int_equal(check(LINE, UP V P "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!!==\r\n"), WS_BAD);
    assert_int_equal(check(LINE, UP V P "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n"), WS_BAD);
    assert_int_equal(check(LINE, UP K P), WS_BAD_VERSION);
    assert_int_equal(check(LINE, UP K P "Sec-WebSocket-Version: 8\r\n"), WS_BAD_VERSION);
    assert_int_equal(check(LINE, UP K P V V), WS_BAD_VERSION);
}

static void test_client_and_server_agree(void **state)
{
    (void)state;
    uint8_t key[WS_KEY_BYTES] = {1, 2, 3, 250, 251, 252};
    struct buf out;
    struct http_request req;
    struct http_response res;
    buf_init(&out, 8192);
    ws_request_write(&out, "media.example:8188", "/", PROTOCOL, key);
    assert_int_equal(http_request_parse(&req, buf_view(&out)), 0);
    assert_int_equal(ws_handshake_check(&req, PROTOCOL), WS_ACCEPTED);

    struct buf answer;
    buf_init(&answer, 8192);
    http_write_status(&answer, 101);
    ws_handshake_write(&answer, &req, PROTOCOL);
    http_write_end(&answer);
    assert_true(http_response_parse(&res, buf_view(&answer)));
    assert_true(ws_response_check(&res, PROTOCOL, key));
    assert_false(ws_response_check(&res, "other", key));
    key[0]++;
    assert_false(ws_response_check(&res, PROTOCOL, key));
    key[0]--;
    res.status = 200;
    assert_false(ws_response_check(&res, PROTOCOL, key));
    buf_fini(&answer);
    buf_fini(&out);
    assert_int_equal(seam_mem_outstanding(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_accept_value_of_the_rfc),
        cmocka_unit_test(test_accepted_forms),
        cmocka_unit_test(test_an_ordinary_request_is_no_handshake),
        cmocka_unit_test(test_wrong_or_missing_subprotocol),
        cmocka_unit_test(test_broken_handshakes),
        cmocka_unit_test(test_client_and_server_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
