/* Heads: what a strict server takes, and every form that two parsers could read differently (traps.md, RFC 9112). */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/http/http.h"

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

static unsigned parse(struct http_request *req, const char *text)
{
    return http_request_parse(req, str_of(text));
}

/* As the server does it: scan, then parse. */
static unsigned receive(const char *text, size_t size)
{
    struct http_scan scan = {0};
    struct http_request req;
    size_t used = 0;
    switch (http_scan(&scan, VIEW(text, size), &used)) {
    case HTTP_DONE:
        return http_request_parse(&req, VIEW(text, used));
    case HTTP_BAD:
        return 400;
    case HTTP_TOO_LARGE:
        return 431;
    case HTTP_MORE:
        break;
    }
    return 1;       /* still waiting */
}

static void assert_refused(const char *text)
{
    unsigned status = receive(text, strlen(text));
    if (status != 400)
        print_error("status %u for:\n%s\n", status, text);
    assert_int_equal(status, 400);
}

static void test_an_ordinary_request_is_read(void **state)
{
    (void)state;
    struct http_request req;
    const char *text = "GET /a/b%20c.html?x=1&y=?2 HTTP/1.1\r\nHost: media.example:8188\r\nX-Empty:\r\nAccept:  \t text/html \t\r\n\r\n";
    assert_int_equal(parse(&req, text), 0);
    assert_int_equal(req.method, HTTP_GET);
    assert_int_equal(req.minor, 1);
    assert_true(str_equal(req.path, STR("/a/b%20c.html")));
    assert_true(str_equal(req.query, STR("x=1&y=?2")));
    assert_true(str_equal(http_field(&req.fields, "ACCEPT"), STR("text/html")));
    assert_non_null(http_field(&req.fields, "x-empty").data);
    assert_int_equal(http_field(&req.fields, "x-empty").size, 0);
    assert_null(http_field(&req.fields, "x-missing").data);
    assert_true(req.keep_alive);
    assert_false(req.chunked);
    assert_int_equal(req.content_length, 0);
}

static void test_the_head_is_found_at_every_cut(void **state)
{
    (void)state;
    const char *text = "\r\n" LINE HOST "X: y\r\n\r\nrest";
    size_t end = strlen(text) - 4;
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        struct http_scan scan = {0};
        size_t used = 0, first = 0;
        enum http_result r = http_scan(&scan, VIEW(text, cut), &first);
        if (cut < end) {
            assert_int_equal(r, HTTP_MORE);
            assert_int_equal(first, cut);
            assert_int_equal(http_scan(&scan, VIEW(text + cut, strlen(text) - cut), &used), HTTP_DONE);
            assert_int_equal(cut + used, end);
        } else {
            assert_int_equal(r, HTTP_DONE);
            assert_int_equal(first, end);
        }
    }
    struct http_request req;
    assert_int_equal(http_request_parse(&req, VIEW(text, end)), 0);
}

static void test_a_cut_head_is_never_a_request(void **state)
{
    (void)state;
    struct http_request req;
    const char *text = LINE HOST "X: y\r\n\r\n";
    for (size_t cut = 0; cut < strlen(text); cut++)
        assert_int_not_equal(http_request_parse(&req, VIEW(text, cut)), 0);
    assert_int_equal(parse(&req, text), 0);
}

static void test_head_limit_is_431(void **state)
{
    (void)state;
    char text[HTTP_HEAD_BYTES_MAX + 2];
    struct http_scan scan = {0};
    size_t used = 0, start = strlen(LINE HOST "X: ");
    memset(text, 'a', sizeof(text));
    memcpy(text, LINE HOST "X: ", start);
    memcpy(text + HTTP_HEAD_BYTES_MAX - 4, "\r\n\r\n", 4);
    assert_int_equal(receive(text, HTTP_HEAD_BYTES_MAX), 0);
    memset(text + HTTP_HEAD_BYTES_MAX - 4, 'a', 4);
    memcpy(text + HTTP_HEAD_BYTES_MAX - 3, "\r\n\r\n", 4);
    assert_int_equal(http_scan(&scan, VIEW(text, HTTP_HEAD_BYTES_MAX + 1), &used), HTTP_TOO_LARGE);

    struct buf many;
    struct http_request req;
    buf_init(&many, HTTP_HEAD_BYTES_MAX);
    buf_add_text(&many, LINE HOST);
    for (unsigned i = 1; i < HTTP_FIELDS_MAX; i++)
        buf_addf(&many, "f%u: v\r\n", i);
    size_t fits = many.size;
    buf_add_text(&many, "\r\n");
    assert_int_equal(http_request_parse(&req, buf_view(&many)), 0);
    many.size = fits;
    buf_add_text(&many, "one: more\r\n\r\n");
    assert_int_equal(http_request_parse(&req, buf_view(&many)), 431);
    buf_fini(&many);
}

static void test_line_ends_other_than_crlf_are_refused_at_once(void **state)
{
    (void)state;
    assert_refused("GET / HTTP/1.1\nHost: a\n\n");
    assert_refused("GET / HTTP/1.1\r\nHost: a\n");
    assert_refused("GET / HTTP/1.1\rX");
    assert_refused("GET / HTTP/1.1\r\r\n");
    assert_refused(LINE HOST "X: a\rb\r\n\r\n");
    assert_refused("\n");
    assert_int_equal(receive("GET /\0 HTTP/1.1\r\n", 17), 400);
    assert_int_equal(receive("\x16\x03\x01\x00", 4), 400);          /* a TLS ClientHello on the plain port */
    struct http_request req;                                        /* the parser stands alone, too */
    assert_int_equal(parse(&req, "GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
    assert_int_equal(http_request_parse(&req, VIEW(LINE HOST "X: \0\r\n\r\n", strlen(LINE HOST) + 8)), 400);
}

static void test_request_lines_with_other_blanks_or_parts_are_refused(void **state)
{
    (void)state;
    assert_refused("GET  / HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET /  HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET / HTTP/1.1 \r\n" HOST "\r\n");
    assert_refused(" GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET\t/ HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET / a HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET /\r\n" HOST "\r\n");
    assert_refused("GET HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("\r\n\r\n");
    assert_refused("\r\n\r\n" LINE HOST "\r\n");
}

static void test_targets_other_than_a_path_are_refused(void **state)
{
    (void)state;
    assert_refused("GET http://a/ HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET a HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET * HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET /\xC3\xA4 HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET /a\x7F HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET /a\x01 HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("GET /a#b HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n");
    struct http_request req;
    assert_int_equal(parse(&req, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 0);
}

static void test_methods_and_versions(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    struct http_request req;
    char text[100];
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        snprintf(text, sizeof(text), "%s / HTTP/1.1\r\n" HOST "\r\n", methods[i]);
        assert_int_equal(parse(&req, text), 0);
        assert_string_equal(http_method_name(req.method), methods[i]);
    }
    assert_refused("get / HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("TRACE / HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("BREW / HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("CONNECT / HTTP/1.1\r\n" HOST "\r\n");
    assert_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");              /* the HTTP/2 preface (security.md) */
    assert_refused("GET / HTTP/2.0\r\n" HOST "\r\n");
    assert_refused("GET / HTTP/1.2\r\n" HOST "\r\n");
    assert_refused("GET / HTTP/0.9\r\n" HOST "\r\n");
    assert_refused("GET / http/1.1\r\n" HOST "\r\n");
    assert_refused("GET / HTTP/1.10\r\n" HOST "\r\n");
}

static void test_fields_that_smuggle_are_refused(void **state)
{
    (void)state;
    assert_refused(LINE HOST "X: a\r\n b\r\n\r\n");                  /* obs-fold */
    assert_refused(LINE HOST "X: a\r\n\tb\r\n\r\n");
    assert_refused(LINE " Host: a\r\n\r\n");                         /* a blank before the first field */
    assert_refused(LINE "Host : a\r\n\r\n");
    assert_refused(LINE HOST "X\t: a\r\n\r\n");
    assert_refused(LINE HOST "X Y: a\r\n\r\n");
    assert_refused(LINE HOST ": a\r\n\r\n");
    assert_refused(LINE HOST "no colon\r\n\r\n");
    assert_refused(LINE HOST "X(: a\r\n\r\n");
    assert_refused(LINE HOST "X\xC3: a\r\n\r\n");
    assert_refused(LINE HOST "X: a\x01\r\n\r\n");
    assert_refused(LINE HOST "X: a\x7F\r\n\r\n");
    struct http_request req;
    assert_int_equal(parse(&req, LINE HOST "X: \xC3\xA4\t!\r\n\r\n"), 0);     /* obs-text stays allowed in values */
}

static void test_host_must_be_there_once(void **state)
{
    (void)state;
    assert_refused(LINE "\r\n");
    assert_refused(LINE "X: y\r\n\r\n");
    assert_refused(LINE HOST HOST "\r\n");
    assert_refused(LINE HOST "hOST: b\r\n\r\n");
    assert_refused(LINE "Host: a b\r\n\r\n");
    assert_refused(LINE "Host: a/b\r\n\r\n");
    assert_refused(LINE "Host: u@a\r\n\r\n");
    assert_refused("GET / HTTP/1.0\r\n\r\n");
    struct http_request req;
    assert_int_equal(parse(&req, LINE "Host: [2001:db8::1]:8188\r\n\r\n"), 0);
    assert_int_equal(parse(&req, LINE "Host:\r\n\r\n"), 0);
}

static void test_body_length_must_be_said_once_and_plainly(void **state)
{
    (void)state;
#define POST "POST / HTTP/1.1\r\n" HOST
    static const char *const bad[] = {
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: Chunked\r\n", "Transfer-Encoding:\r\n", "Transfer-Encoding: \vchunked\r\n", "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4, 4\r\n", "Content-Length: +4\r\n", "Content-Length: -1\r\n", "Content-Length: 0x4\r\n", "Content-Length: 4 4\r\n",
        "Content-Length:\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length: 18446744073709551616\r\n",
    };
    char text[300];
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        snprintf(text, sizeof(text), POST "%s\r\n", bad[i]);
        assert_refused(text);
    }
    assert_refused("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    struct http_request req;
    assert_int_equal(parse(&req, POST "Content-Length: 007\r\n\r\n"), 0);
    assert_int_equal(req.content_length, 7);
    assert_int_equal(parse(&req, POST "transfer-encoding: chunked\r\n\r\n"), 0);
    assert_true(req.chunked);
}

static void test_keep_alive_is_decided_by_version_and_connection(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: foo , CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n" HOST "\r\n", false},
        {"GET / HTTP/1.0\r\n" HOST "Connection: Keep-Alive\r\n\r\n", true},
    };
    struct http_request req;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(parse(&req, cases[i].text), 0);
        assert_int_equal(req.keep_alive, cases[i].keep);
    }
}

static void test_h2c_upgrade_is_just_a_field(void **state)
{
    (void)state;
    struct http_request req;
    assert_int_equal(parse(&req, LINE HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"), 0);
    assert_true(req.keep_alive);
}

static void test_expectations(void **state)
{
    (void)state;
    struct http_request req;
    assert_int_equal(parse(&req, POST "Content-Length: 4\r\nExpect: 100-Continue\r\n\r\n"), 0);
    assert_true(req.expect_continue);
    assert_int_equal(parse(&req, LINE HOST "Expect: 100-continue\r\n\r\n"), 0);
    assert_false(req.expect_continue);
    assert_int_equal(parse(&req, LINE HOST "Expect: magic\r\n\r\n"), 417);
    assert_int_equal(parse(&req, "POST / HTTP/1.0\r\n" HOST "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n"), 0);
    assert_false(req.expect_continue);
}

static void test_tokens_in_lists(void **state)
{
    (void)state;
    struct http_request req;
    assert_int_equal(parse(&req, LINE HOST "P: a,b ,\t c\r\np: D\r\n\r\n"), 0);
    assert_true(http_field_has_token(&req.fields, "P", "a"));
    assert_true(http_field_has_token(&req.fields, "P", "B"));
    assert_true(http_field_has_token(&req.fields, "P", "c"));
    assert_true(http_field_has_token(&req.fields, "P", "d"));
    assert_false(http_field_has_token(&req.fields, "P", "b ,"));
    assert_false(http_field_has_token(&req.fields, "Q", "a"));
    assert_int_equal(http_field_count(&req.fields, "P"), 2);
}

static void test_paths_are_decoded_once(void **state)
{
    (void)state;
    char out[8];
    size_t size;
    assert_true(http_path_decode(STR("/a%20b"), out, sizeof(out), &size));
    assert_string_equal(out, "/a b");
    assert_int_equal(size, 4);
    assert_true(http_path_decode(STR("/%252F"), out, sizeof(out), &size));
    assert_string_equal(out, "/%2F");
    assert_false(http_path_decode(STR("/%2Fa"), out, sizeof(out), &size));
    assert_false(http_path_decode(STR("/%00"), out, sizeof(out), &size));
    assert_false(http_path_decode(STR("/%0a"), out, sizeof(out), &size));
    assert_false(http_path_decode(STR("/%"), out, sizeof(out), &size));
    assert_false(http_path_decode(STR("/%2"), out, sizeof(out), &size));
    assert_false(http_path_decode(STR("/%g0"), out, sizeof(out), &size));
    assert_true(http_path_decode(STR("/123456"), out, sizeof(out), &size));
    assert_false(http_path_decode(STR("/1234567"), out, sizeof(out), &size));
}

static void test_responses_are_written_and_read_back(void **state)
{
    (void)state;
    struct buf out;
    struct http_response res;
    buf_init(&out, 4096);
    http_write_status(&out, 200);
    http_write_text(&out, "X-A", "b");
    http_write_number(&out, "Content-Length", 1234567890123u);
    assert_true(http_write_field(&out, "X-Copy", STR("a\tb")));
    assert_false(http_write_field(&out, "X-Split", STR("a\r\nSet-Cookie: x")));
    assert_false(http_write_field(&out, "X-Nul", VIEW("\0", 1)));
    http_write_end(&out);
    assert_string_equal(buf_text(&out), "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 1234567890123\r\nX-Copy: a\tb\r\n\r\n");
    assert_true(http_response_parse(&res, buf_view(&out)));
    assert_int_equal(res.status, 200);
    assert_true(str_equal(http_field(&res.fields, "x-a"), STR("b")));
    buf_fini(&out);
    assert_false(http_response_parse(&res, STR("HTTP/1.1 20 OK\r\n\r\n")));
    assert_false(http_response_parse(&res, STR("HTTP/1.1 2000 OK\r\n\r\n")));
    assert_false(http_response_parse(&res, STR("HTTP/1.1 -20 OK\r\n\r\n")));
    assert_false(http_response_parse(&res, STR("HTTP/2 200\r\n\r\n")));
    assert_true(http_response_parse(&res, STR("HTTP/1.1 204\r\n\r\n")));
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_dates(void **state)
{
    (void)state;
    char out[HTTP_DATE_TEXT];
    assert_string_equal(http_date(784111777, out), "Sun, 06 Nov 1994 08:49:37 GMT");      /* RFC 9110 5.6.7 */
    assert_string_equal(http_date(0, out), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_string_equal(http_date(951782400, out), "Tue, 29 Feb 2000 00:00:00 GMT");
    assert_string_equal(http_date(4107542399u, out), "Sun, 28 Feb 2100 23:59:59 GMT");
    assert_string_equal(http_date(4107542400u, out), "Mon, 01 Mar 2100 00:00:00 GMT");
    assert_string_equal(http_date(UINT64_MAX, out), "Fri, 31 Dec 9999 23:59:59 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_ordinary_request_is_read),
        cmocka_unit_test(test_the_head_is_found_at_every_cut),
        cmocka_unit_test(test_a_cut_head_is_never_a_request),
        cmocka_unit_test(test_head_limit_is_431),
        cmocka_unit_test(test_line_ends_other_than_crlf_are_refused_at_once),
        cmocka_unit_test(test_request_lines_with_other_blanks_or_parts_are_refused),
        cmocka_unit_test(test_targets_other_than_a_path_are_refused),
        cmocka_unit_test(test_methods_and_versions),
        cmocka_unit_test(test_fields_that_smuggle_are_refused),
        cmocka_unit_test(test_host_must_be_there_once),
        cmocka_unit_test(test_body_length_must_be_said_once_and_plainly),
        cmocka_unit_test(test_keep_alive_is_decided_by_version_and_connection),
        cmocka_unit_test(test_h2c_upgrade_is_just_a_field),
        cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_tokens_in_lists),
        cmocka_unit_test(test_paths_are_decoded_once),
        cmocka_unit_test(test_responses_are_written_and_read_back),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
