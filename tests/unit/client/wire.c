/* The client's end of a WebSocket against the server's codecs. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "client/wire.h"

static void fill(void *source, uint8_t *out, size_t size)
{
    (void)source;
    memset(out, 0x5C, size);
}

static struct rng rng;
static struct wire wire;
static struct buf out;

static int setup(void **state)
{
    (void)state;
    rng_init(&rng, fill, NULL);
    buf_init(&out, 1u << 20);
    wire_open(&wire, &rng, "127.0.0.1:8188", "/", "janus-protocol", &out);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wire_fini(&wire);
    buf_fini(&out);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

/* What our server would answer to the request that lies in `out`. */
static void answer(struct buf *reply)
{
    struct http_scan scan = {0};
    struct http_request request;
    size_t used;
    assert_int_equal(http_scan(&scan, buf_view(&out), &used), HTTP_DONE);
    assert_int_equal(used, out.size);
    assert_int_equal(http_request_parse(&request, buf_view(&out)), 0);
    assert_int_equal(ws_handshake_check(&request, "janus-protocol"), WS_ACCEPTED);
    http_write_status(reply, 101);
    ws_handshake_write(reply, &request, "janus-protocol");
    http_write_end(reply);
}

static void expect(struct ws_input *input, enum wire_event_kind kind, struct wire_event *event)
{
    assert_true(wire_read(&wire, input, &out, event));
    assert_int_equal(event->kind, kind);
}

static void test_it_opens_and_reads_texts(void **state)
{
    struct wire_event event;
    struct buf bytes;
    (void)state;
    buf_init(&bytes, 1u << 20);
    answer(&bytes);
    ws_write(&bytes, WS_OP_TEXT, STR("{\"janus\":\"pong\"}"), NULL);
    ws_write_close(&bytes, 1001, STR("bye"), NULL);
    struct ws_input input = {bytes.data, bytes.size};
    expect(&input, WIRE_OPEN, &event);
    expect(&input, WIRE_TEXT, &event);
    assert_true(str_equal(event.text, STR("{\"janus\":\"pong\"}")));
    expect(&input, WIRE_CLOSED, &event);
    assert_int_equal(event.code, 1001);
    assert_false(wire_read(&wire, &input, &out, &event));
    buf_fini(&bytes);
}

static void test_it_takes_one_byte_at_a_time(void **state)
{
    struct wire_event event;
    struct buf bytes;
    unsigned texts = 0, opens = 0;
    (void)state;
    buf_init(&bytes, 1u << 20);
    answer(&bytes);
    ws_write(&bytes, WS_OP_TEXT, STR("hello"), NULL);
    for (size_t i = 0; i < bytes.size; i++) {
        struct ws_input input = {bytes.data + i, 1};
        while (wire_read(&wire, &input, &out, &event)) {
            opens += event.kind == WIRE_OPEN;
            texts += event.kind == WIRE_TEXT && str_equal(event.text, STR("hello"));
        }
    }
    assert_int_equal(opens, 1);
    assert_int_equal(texts, 1);
    buf_fini(&bytes);
}

static void test_a_ping_is_answered(void **state)
{
    struct wire_event event;
    struct buf bytes;
    (void)state;
    buf_init(&bytes, 1u << 20);
    answer(&bytes);
    ws_write(&bytes, WS_OP_PING, STR("are you there"), NULL);
    struct ws_input input = {bytes.data, bytes.size};
    expect(&input, WIRE_OPEN, &event);
    buf_clear(&out);
    assert_false(wire_read(&wire, &input, &out, &event));
    struct ws server;
    struct ws_event pong;
    struct ws_input back = {out.data, out.size};
    ws_init(&server, WS_SERVER, 1000);
    assert_true(ws_read(&server, &back, &pong));
    assert_int_equal(pong.kind, WS_PONG);
    assert_true(str_equal(pong.data, STR("are you there")));
    ws_fini(&server);
    buf_fini(&bytes);
}

static void expect_refused(const char *reply)
{
    struct wire_event event;
    char bytes[512];
    size_t size = strlen(reply);
    memcpy(bytes, reply, size);
    struct ws_input input = {(uint8_t *)bytes, size};
    expect(&input, WIRE_CLOSED, &event);
    assert_int_equal(event.code, 0);
}

static void test_a_refusal_closes(void **state)
{
    (void)state;
    expect_refused("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
}

static void test_a_wrong_accept_closes(void **state)
{
    (void)state;
    expect_refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: janus-protocol\r\n\r\n");
}

static void test_a_broken_frame_closes(void **state)
{
    struct wire_event event;
    struct buf bytes;
    (void)state;
    buf_init(&bytes, 1u << 20);
    answer(&bytes);
    buf_add(&bytes, "\x91\x00", 2);             /* a reserved bit */
    struct ws_input input = {bytes.data, bytes.size};
    expect(&input, WIRE_OPEN, &event);
    expect(&input, WIRE_CLOSED, &event);
    assert_int_equal(event.code, 0);
    buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_opens_and_reads_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_takes_one_byte_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_ping_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refusal_closes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_wrong_accept_closes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_broken_frame_closes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
