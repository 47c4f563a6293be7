/* Request bodies by length and by chunks, at every cut, and what must not pass. */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/http/http.h"

#define LIMIT 1000u

struct outcome {
    enum http_result result;
    size_t used;
    char text[256];
    size_t size;
};

static enum http_result drain(struct http_body *body, const char *from, size_t size, struct outcome *out)
{
    struct view input = VIEW(from, size), piece;
    enum http_result r = HTTP_MORE;
    while (r == HTTP_MORE && input.size > 0) {
        r = http_body_read(body, &input, &piece);
        assert_true(out->size + piece.size <= sizeof(out->text));
        if (piece.size > 0)
            memcpy(out->text + out->size, piece.data, piece.size);
        out->size += piece.size;
    }
    out->used += size - input.size;
    return r;
}

/* Reads `text` in two parts, cut at `cut`. */
static struct outcome read_cut(const struct http_request *req, const char *text, size_t size, size_t cut)
{
    struct http_body body;
    struct outcome out = {0};
    out.result = http_body_start(&body, req, LIMIT);
    if (out.result == HTTP_MORE)
        out.result = drain(&body, text, cut, &out);
    if (out.result == HTTP_MORE)
        out.result = drain(&body, text + cut, size - cut, &out);
    return out;
}

static const struct http_request chunked = {.method = HTTP_POST, .minor = 1, .chunked = true};

static enum http_result read_chunked(const char *text)
{
    enum http_result whole = read_cut(&chunked, text, strlen(text), 0).result;
    for (size_t cut = 0; cut <= strlen(text); cut++)
        assert_int_equal(read_cut(&chunked, text, strlen(text), cut).result, whole);
    return whole;
}

static void test_a_body_of_known_length_ends_where_it_says(void **state)
{
    (void)state;
    struct http_request req = {.method = HTTP_POST, .minor = 1, .content_length = 5};
    for (size_t cut = 0; cut <= 8; cut++) {
        struct outcome out = read_cut(&req, "helloGET", 8, cut);
        assert_int_equal(out.result, HTTP_DONE);
        assert_int_equal(out.used, 5);
        assert_memory_equal(out.text, "hello", 5);
    }
    req.content_length = 0;
    assert_int_equal(read_cut(&req, "", 0, 0).result, HTTP_DONE);
}

static void test_a_body_above_the_limit_is_refused_before_it_comes(void **state)
{
    (void)state;
    struct http_request req = {.method = HTTP_POST, .minor = 1, .content_length = LIMIT};
    struct http_body body;
    assert_int_equal(http_body_start(&body, &req, LIMIT), HTTP_MORE);
    req.content_length = LIMIT + 1;
    assert_int_equal(http_body_start(&body, &req, LIMIT), HTTP_TOO_LARGE);
    req.content_length = UINT64_MAX;
    assert_int_equal(http_body_start(&body, &req, LIMIT), HTTP_TOO_LARGE);
}

static void test_chunks_join_at_every_cut(void **state)
{
    (void)state;
    const char *text = "5;name=\"a b\"\r\nhello\r\nA\r\n0123456789\r\n00000001\r\n!\r\n0\r\nTrailer: dropped\r\n\r\nNEXT";
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        struct outcome out = read_cut(&chunked, text, strlen(text), cut);
        assert_int_equal(out.result, HTTP_DONE);
        assert_int_equal(out.used, strlen(text) - 4);
        assert_int_equal(out.size, 16);
        assert_memory_equal(out.text, "hello0123456789!", 16);
    }
    assert_int_equal(read_chunked("0\r\n\r\n"), HTTP_DONE);
}

static void test_malformed_chunks_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "0x1\r\na\r\n", ";x\r\n", "1\na\r\n", "1\ra", "1\r\nab\r\n",
        "1\r\na\n", "1\r\na\rb", "1;a\nb\r\n", "1;\x01\r\n", "000000001\r\na\r\n", "FFFFFFFFFFFFFFFFF\r\n", "0\r\nX\n\r\n", "0\r\n\rX",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        enum http_result r = read_chunked(bad[i]);
        if (r != HTTP_BAD)
            print_error("not refused: %s\n", bad[i]);
        assert_int_equal(r, HTTP_BAD);
    }
}

static void test_chunk_sizes_are_bounded_in_sum(void **state)
{
    (void)state;
    assert_int_equal(read_chunked("3E8\r\n"), HTTP_MORE);            /* 1000 */
    assert_int_equal(read_chunked("3E9\r\n"), HTTP_TOO_LARGE);
    assert_int_equal(read_chunked("FFFFFFFF\r\n"), HTTP_TOO_LARGE);
    assert_int_equal(read_chunked("1\r\na\r\n3E8\r\n"), HTTP_TOO_LARGE);
    assert_int_equal(read_chunked("1\r\na\r\n3E7\r\n"), HTTP_MORE);
}

static void test_extensions_and_trailers_are_bounded(void **state)
{
    (void)state;
    struct http_body body;
    struct outcome out = {0};
    assert_int_equal(http_body_start(&body, &chunked, LIMIT), HTTP_MORE);
    enum http_result r = drain(&body, "1;", 2, &out);
    for (unsigned i = 0; r == HTTP_MORE && i <= HTTP_OVERHEAD_BYTES_MAX; i++)
        r = drain(&body, "x", 1, &out);
    assert_int_equal(r, HTTP_TOO_LARGE);

    assert_int_equal(http_body_start(&body, &chunked, LIMIT), HTTP_MORE);
    r = drain(&body, "0\r\n", 3, &out);
    for (unsigned i = 0; r == HTTP_MORE && i <= HTTP_HEAD_BYTES_MAX; i++)
        r = drain(&body, "x", 1, &out);
    assert_int_equal(r, HTTP_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_body_of_known_length_ends_where_it_says),
        cmocka_unit_test(test_a_body_above_the_limit_is_refused_before_it_comes),
        cmocka_unit_test(test_chunks_join_at_every_cut),
        cmocka_unit_test(test_malformed_chunks_are_refused),
        cmocka_unit_test(test_chunk_sizes_are_bounded_in_sum),
        cmocka_unit_test(test_extensions_and_trailers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
