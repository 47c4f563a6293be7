/* Frames: every rule of RFC 6455 section 5 that a peer can break, and messages at every cut. */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "proto/ws/ws.h"

#define LIMIT 100000u

static void seeded(void *source, uint8_t *out, size_t size)
{
    uint32_t *x = source;
    for (size_t i = 0; i < size; i++) {
        *x = *x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(*x >> 24);
    }
}

/* A client's frame by hand, so that broken ones can be made too: `b0` is FIN, RSV, opcode. The mask is 1,2,3,4. */
static void frame(struct buf *out, uint8_t b0, struct view payload)
{
    uint8_t head[WS_HEAD_MAX], mask[4] = {1, 2, 3, 4};
    size_t size = ws_head(head, WS_OP_TEXT, true, payload.size, mask);
    head[0] = b0;
    buf_add(out, head, size);
    size_t at = out->size;
    buf_add_view(out, payload);
    if (payload.size > 0)
        ws_mask(out->data + at, payload.size, mask);
}

struct seen {
    unsigned count;
    enum ws_event_kind kinds[16];
    unsigned codes[16];
    char text[16][64];
    size_t sizes[16];
};

static void feed(struct ws *ws, const uint8_t *data, size_t size, struct seen *seen)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);          /* exact size, and it is changed in place */
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    struct ws_input input = {copy, size};
    struct ws_event event;
    while (ws_read(ws, &input, &event)) {
        assert_true(seen->count < 16);
        unsigned i = seen->count++;
        seen->kinds[i] = event.kind;
        seen->codes[i] = event.code;
        seen->sizes[i] = event.data.size;
        if (event.data.size > 0)
            memcpy(seen->text[i], event.data.data, event.data.size < 64 ? event.data.size : 64);
    }
    assert_int_equal(input.size, 0);
    free(copy);
}

static struct seen read_cut(const struct buf *bytes, size_t cut)
{
    struct ws ws;
    struct seen seen = {0};
    ws_init(&ws, WS_SERVER, LIMIT);
    feed(&ws, bytes->data, cut, &seen);
    feed(&ws, bytes->data + cut, bytes->size - cut, &seen);
    ws_fini(&ws);
    return seen;
}

/* The bytes in `bytes` give exactly one error, of that code, however they are cut. */
static void assert_error(struct buf *bytes, unsigned code)
{
    for (size_t cut = 0; cut <= bytes->size; cut++) {
        struct seen seen = read_cut(bytes, cut);
        assert_true(seen.count >= 1);
        assert_int_equal(seen.kinds[seen.count - 1], WS_ERROR);
        assert_int_equal(seen.codes[seen.count - 1], code);
    }
    buf_fini(bytes);
}

static struct buf bytes_of(const void *data, size_t size)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    buf_add(&b, data, size);
    return b;
}

static struct buf frame_of(uint8_t b0, const char *text)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    frame(&b, b0, str_of(text));
    return b;
}

static void test_the_examples_of_the_rfc(void **state)
{
    (void)state;
    static const uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};     /* 5.7 */
    struct ws ws;
    struct seen seen = {0};
    ws_init(&ws, WS_SERVER, LIMIT);
    feed(&ws, hello, sizeof(hello), &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.kinds[0], WS_TEXT);
    assert_memory_equal(seen.text[0], "Hello", 5);
    ws_fini(&ws);

    static const uint8_t parts[] = {0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f};                 /* unmasked: from a server */
    memset(&seen, 0, sizeof(seen));
    ws_init(&ws, WS_CLIENT, LIMIT);
    feed(&ws, parts, sizeof(parts), &seen);
    assert_int_equal(seen.count, 1);
    assert_memory_equal(seen.text[0], "Hello", 5);
    ws_fini(&ws);
}

static void test_messages_come_whole_at_every_cut_and_between_fragments(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1u << 20);
    frame(&b, 0x01, STR("\xE2\x82"));             /* half of U+20AC */
    frame(&b, 0x89, STR("ping"));
    frame(&b, 0x00, STR(""));
    frame(&b, 0x8A, STR(""));
    frame(&b, 0x80, STR("\xAC!"));
    frame(&b, 0x81, STR(""));
    frame(&b, 0x82, VIEW("\xFF\x00", 2));
    frame(&b, 0x88, VIEW("\x03\xE8" "bye", 5));
    frame(&b, 0x81, STR("after the close"));
    for (size_t cut = 0; cut <= b.size; cut++) {
        struct seen s = read_cut(&b, cut);
        assert_int_equal(s.count, 6);
        assert_int_equal(s.kinds[0], WS_PING);
        assert_memory_equal(s.text[0], "ping", 4);
        assert_int_equal(s.kinds[1], WS_PONG);
        assert_int_equal(s.kinds[2], WS_TEXT);
        assert_int_equal(s.sizes[2], 4);
        assert_memory_equal(s.text[2], "\xE2\x82\xAC!", 4);
        assert_int_equal(s.kinds[3], WS_TEXT);
        assert_int_equal(s.sizes[3], 0);
        assert_int_equal(s.kinds[4], WS_BINARY);
        assert_int_equal(s.sizes[4], 2);
        assert_int_equal(s.kinds[5], WS_CLOSED);
        assert_int_equal(s.codes[5], 1000);
        assert_memory_equal(s.text[5], "bye", 3);
    }
    struct ws ws;
    struct seen s = {0};
    ws_init(&ws, WS_SERVER, LIMIT);                /* and byte by byte */
    for (size_t i = 0; i < b.size; i++)
        feed(&ws, b.data + i, 1, &s);
    assert_int_equal(s.count, 6);
    ws_fini(&ws);
    buf_fini(&b);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_long_lengths_and_their_shortest_forms(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, LIMIT};
    uint8_t *payload = calloc(1, LIMIT);
    assert_non_null(payload);
    memset(payload, 'x', LIMIT);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct buf b = bytes_of("", 0);
        frame(&b, 0x81, VIEW(payload, sizes[i]));
        struct seen s = read_cut(&b, b.size / 2);
        assert_int_equal(s.count, 1);
        assert_int_equal(s.kinds[0], WS_TEXT);
        assert_int_equal(s.sizes[0], sizes[i]);
        buf_fini(&b);
    }
    free(payload);
    struct buf b = bytes_of("\x81\xFE\x00\x7D\x01\x02\x03\x04", 8);
    assert_error(&b, 1002);
    b = bytes_of("\x81\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF\x01\x02\x03\x04", 14);
    assert_error(&b, 1002);
    b = bytes_of("\x81\xFF\x80\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04", 14);
    assert_error(&b, 1002);
}

static void test_1002_for_every_broken_head(void **state)
{
    (void)state;
    struct buf b = bytes_of("\x81\x05Hello", 7);          /* unmasked (transports.md, corrections) */
    assert_error(&b, 1002);
    static const uint8_t starts[] = {
        0xC1, 0xA1, 0x91,                                 /* reserved bits */
        0x83, 0x84, 0x85, 0x86, 0x87,                     /* reserved opcodes */
        0x8B, 0x8C, 0x8D, 0x8E, 0x8F,
        0x80, 0x00,                                       /* nothing to continue */
        0x09, 0x0A, 0x08,                                 /* fragmented control frames */
    };
    for (size_t i = 0; i < sizeof(starts); i++) {
        b = frame_of(starts[i], "x");
        assert_error(&b, 1002);
    }
    b = frame_of(0x01, "a");
    frame(&b, 0x81, STR("b"));                            /* the open message isn't finished */
    assert_error(&b, 1002);
    b = bytes_of("\x89\xFE\x00\x7E\x01\x02\x03\x04", 8);  /* a ping of 126 bytes */
    assert_error(&b, 1002);

    struct ws ws;                                         /* the other way round: a server must not mask */
    struct seen seen = {0};
    b = frame_of(0x81, "x");
    ws_init(&ws, WS_CLIENT, LIMIT);
    feed(&ws, b.data, b.size, &seen);
    assert_int_equal(seen.kinds[0], WS_ERROR);
    assert_int_equal(seen.codes[0], 1002);
    ws_fini(&ws);
    buf_fini(&b);
}

static void test_1007_for_text_that_is_not_utf8(void **state)
{
    (void)state;
    struct buf b = frame_of(0x81, "a\xC3");
    assert_error(&b, 1007);
    b = frame_of(0x81, "\xED\xA0\x80");                   /* a surrogate */
    assert_error(&b, 1007);
    b = frame_of(0x01, "\xE2\x82");
    frame(&b, 0x80, STR("\x41"));                         /* broken across fragments */
    assert_error(&b, 1007);
    b = frame_of(0x88, "\x03\xE8\xFF");                   /* a close reason */
    assert_error(&b, 1007);
}

static void test_1009_before_memory_is_taken(void **state)
{
    (void)state;
    struct ws ws;
    struct seen seen = {0};
    size_t before = seam_mem_outstanding();
    ws_init(&ws, WS_SERVER, 1000);
    feed(&ws, (const uint8_t *)"\x81\xFE\x03\xE9\x01\x02\x03\x04", 8, &seen);         /* announces 1001 */
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.kinds[0], WS_ERROR);
    assert_int_equal(seen.codes[0], 1009);
    assert_int_equal(seam_mem_outstanding(), before);
    ws_fini(&ws);

    ws_init(&ws, WS_SERVER, 1000);                        /* in sum over fragments */
    memset(&seen, 0, sizeof(seen));
    struct buf b;
    uint8_t half[600] = {'a'};
    buf_init(&b, 1u << 20);
    memset(half, 'a', sizeof(half));
    frame(&b, 0x01, VIEW(half, 600));
    frame(&b, 0x00, VIEW(half, 400));
    feed(&ws, b.data, b.size, &seen);
    assert_int_equal(seen.count, 0);
    buf_clear(&b);
    frame(&b, 0x80, VIEW(half, 1));
    feed(&ws, b.data, b.size, &seen);
    assert_int_equal(seen.codes[0], 1009);
    assert_int_equal(seam_mem_outstanding(), before + 1);  /* what stays is `b` alone */
    ws_fini(&ws);
    buf_fini(&b);

    ws_init(&ws, WS_SERVER, 1000);                        /* an announced length takes no memory until its bytes come */
    feed(&ws, (const uint8_t *)"\x81\xFE\x03\xE8\x01\x02\x03\x04", 8, &seen);
    assert_int_equal(seam_mem_outstanding(), before);
    ws_fini(&ws);
}

static void test_fragments_are_bounded_in_number(void **state)
{
    (void)state;
    struct ws ws;
    struct seen seen = {0};
    struct buf b = frame_of(0x01, "");
    ws_init(&ws, WS_SERVER, LIMIT);
    feed(&ws, b.data, b.size, &seen);
    b.data[0] = 0x00;
    for (unsigned i = 1; i < WS_FRAGMENTS_MAX; i++)
        feed(&ws, b.data, b.size, &seen);
    assert_int_equal(seen.count, 0);
    feed(&ws, b.data, b.size, &seen);
    assert_int_equal(seen.kinds[0], WS_ERROR);
    assert_int_equal(seen.codes[0], 1009);
    ws_fini(&ws);
    buf_fini(&b);
}

static void test_closes(void **state)
{
    (void)state;
    struct buf b = frame_of(0x88, "");
    struct seen s = read_cut(&b, 0);
    assert_int_equal(s.kinds[0], WS_CLOSED);
    assert_int_equal(s.codes[0], WS_CODE_NONE);
    buf_fini(&b);
    b = frame_of(0x88, "x");                              /* half a code */
    assert_error(&b, 1002);
    static const uint16_t bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        uint8_t payload[2] = {(uint8_t)(bad[i] >> 8), (uint8_t)bad[i]};
        b = bytes_of("", 0);
        frame(&b, 0x88, VIEW(payload, 2));
        assert_error(&b, 1002);
    }
    static const uint16_t good[] = {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3504, 4999};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        uint8_t payload[2] = {(uint8_t)(good[i] >> 8), (uint8_t)good[i]};
        b = bytes_of("", 0);
        frame(&b, 0x88, VIEW(payload, 2));
        s = read_cut(&b, 3);
        assert_int_equal(s.kinds[0], WS_CLOSED);
        assert_int_equal(s.codes[0], good[i]);
        buf_fini(&b);
    }
}

static void test_no_memory_is_held_between_messages(void **state)
{
    (void)state;
    struct ws ws;
    struct seen seen = {0};
    struct buf b = frame_of(0x81, "0123456789");
    size_t before = seam_mem_outstanding();
    ws_init(&ws, WS_SERVER, LIMIT);
    assert_false(ws_is_partial(&ws));
    feed(&ws, b.data, 9, &seen);
    assert_true(ws_is_partial(&ws));
    assert_int_equal(seam_mem_outstanding(), before + 1);
    feed(&ws, b.data + 9, b.size - 9, &seen);
    assert_int_equal(seen.count, 1);
    assert_false(ws_is_partial(&ws));
    assert_int_equal(seam_mem_outstanding(), before);
    ws_fini(&ws);
    buf_fini(&b);
}

/* Whatever one side writes, the other reads. */
static void test_written_frames_are_read_by_the_other_side(void **state)
{
    (void)state;
    uint32_t seed = 7;
    struct rng rng;
    rng_init(&rng, seeded, &seed);
    struct buf b;
    struct ws ws;
    for (int side = 0; side < 2; side++) {
        struct seen s = {0};
        struct rng *mask = side == 0 ? &rng : NULL;
        buf_init(&b, 1u << 20);
        ws_write(&b, WS_OP_TEXT, STR("{\"janus\":\"ping\"}"), mask);
        ws_write(&b, WS_OP_PING, STR(""), mask);
        ws_write_close(&b, WS_CODE_GOING_AWAY, STR("later"), mask);
        ws_init(&ws, side == 0 ? WS_SERVER : WS_CLIENT, LIMIT);
        feed(&ws, b.data, b.size, &s);
        assert_int_equal(s.count, 3);
        assert_memory_equal(s.text[0], "{\"janus\":\"ping\"}", 16);
        assert_int_equal(s.kinds[1], WS_PING);
        assert_int_equal(s.codes[2], 1001);
        assert_memory_equal(s.text[2], "later", 5);
        ws_fini(&ws);
        buf_fini(&b);
    }
    buf_init(&b, 1u << 20);
    ws_write_close(&b, WS_CODE_NONE, STR("dropped"), NULL);
    assert_int_equal(b.size, 2);
    buf_fini(&b);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_mask_goes_on_where_it_stopped(void **state)
{
    (void)state;
    uint8_t a[37], b[37];
    for (size_t cut = 0; cut <= sizeof(a); cut++) {
        uint8_t m[4] = {9, 8, 7, 6};
        memset(a, 0, sizeof(a));
        ws_mask(a, cut, m);
        ws_mask(a + cut, sizeof(a) - cut, m);
        for (size_t i = 0; i < sizeof(b); i++)
            b[i] = (uint8_t)(9 - i % 4);
        assert_memory_equal(a, b, sizeof(a));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_rfc),
        cmocka_unit_test(test_messages_come_whole_at_every_cut_and_between_fragments),
        cmocka_unit_test(test_long_lengths_and_their_shortest_forms),
        cmocka_unit_test(test_1002_for_every_broken_head),
        cmocka_unit_test(test_1007_for_text_that_is_not_utf8),
        cmocka_unit_test(test_1009_before_memory_is_taken),
        cmocka_unit_test(test_fragments_are_bounded_in_number),
        cmocka_unit_test(test_closes),
        cmocka_unit_test(test_no_memory_is_held_between_messages),
        cmocka_unit_test(test_written_frames_are_read_by_the_other_side),
        cmocka_unit_test(test_mask_goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
