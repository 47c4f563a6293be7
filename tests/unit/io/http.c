/* HTTP on a WebSocket port: the web folder's files, refusals, one answer at a time. */
#include "support/seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/limits.h"
#include "rig.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct site site;
static char script[100000];

static void add(const char *path, const char *text)
{
    size_t size = strlen(text);
    uint8_t *own = mem_get(size);
    memcpy(own, text, size);
    assert_int_equal(site_add(&site, path, own, size), SITE_ADDED);
}

static int make_site(void **state)
{
    (void)state;
    site_init(&site);
    memset(script, 'j', sizeof(script) - 1);
    add("/index.html", "<p>home</p>");
    add("/demos/index.html", "<p>demos</p>");
    add("/demos/a b.js", "1;");
    add("/big.js", script);
    add("/empty.css", "");
    site_seal(&site);
    return 0;
}

static int drop_site(void **state)
{
    (void)state;
    site_fini(&site);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

/* One request on a fresh connection; what came back, and how the connection stands. */
struct outcome {
    char text[4096];
    uint8_t state;
    uint8_t end;
};

static struct outcome ask_of(const struct site *s, const char *request)
{
    struct rig r;
    struct outcome out;
    rig_init(&r);
    rig_open(&r, s);
    rig_say_text(&r, request);
    snprintf(out.text, sizeof(out.text), "%s", rig_heard(&r));
    out.state = r.c.state;
    out.end = r.c.end;
    assert_int_equal(r.text_count, 0);
    rig_fini(&r);
    return out;
}

static struct outcome ask(const char *request)
{
    return ask_of(&site, request);
}

static unsigned status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (unsigned)atoi(answer + 9) : 0;
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static void test_files_are_served_with_their_fields(void **state)
{
    (void)state;
    struct outcome o = ask(GET("/"));
    assert_int_equal(status_of(o.text), 200);
    assert_string_equal(body_of(o.text), "<p>home</p>");
    assert_non_null(strstr(o.text, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(o.text, "Content-Length: 11\r\n"));
    assert_non_null(strstr(o.text, "Cache-Control: no-cache\r\n"));
    assert_non_null(strstr(o.text, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(o.text, "frame-ancestors 'self'"));
    assert_non_null(strstr(o.text, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    assert_non_null(strstr(o.text, "ETag: \""));
    assert_null(strstr(o.text, "Connection: close"));
    assert_int_equal(o.state, CLIENT_HTTP);
    assert_string_equal(body_of(ask(GET("/index.html?v=3")).text), "<p>home</p>");
    assert_string_equal(body_of(ask(GET("/demos/")).text), "<p>demos</p>");
    assert_string_equal(body_of(ask(GET("/demos/a%20b.js")).text), "1;");
    assert_non_null(strstr(ask(GET("/demos/a%20b.js")).text, "text/javascript"));
    assert_string_equal(body_of(ask(GET("/empty.css")).text), "");
}

static void test_nothing_but_the_table_is_reachable(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/nothing", "/../index.html", "/demos/../index.html", "/./index.html", "//index.html", "/demos%2Findex.html", "/%2e%2e/index.html",
        "/index.html%00", "/index.html/", "/INDEX.HTML", "/demos/a+b.js", "/%", "/etc/passwd", "/..%5cindex.html",
    };
    char text[200];
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        struct outcome o = ask(text);
        assert_int_equal(status_of(o.text), 404);
        assert_int_equal(o.state, CLIENT_HTTP);
    }
}

static void test_a_folder_without_its_slash_is_sent_on(void **state)
{
    (void)state;
    struct outcome o = ask(GET("/demos?x=1"));
    assert_int_equal(status_of(o.text), 302);
    assert_non_null(strstr(o.text, "\r\nLocation: /demos/\r\n"));
    assert_int_equal(status_of(ask(GET("//evil.example")).text), 404);
}

static void test_head_is_the_head_alone(void **state)
{
    (void)state;
    struct outcome o = ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(status_of(o.text), 200);
    assert_non_null(strstr(o.text, "Content-Length: 11\r\n"));
    assert_string_equal(body_of(o.text), "");
    o = ask("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(status_of(o.text), 404);
    assert_string_equal(body_of(o.text), "");
}

static void test_an_unchanged_file_is_a_304(void **state)
{
    (void)state;
    char etag[64], text[300];
    struct outcome o = ask(GET("/"));
    assert_int_equal(sscanf(strstr(o.text, "ETag: "), "ETag: %63[^\r]", etag), 1);
    static const char *const forms[] = {"%s", "W/%s", "\"x\", %s", "*"};
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        char value[100];
        if (i < 3) {
            const char *at = strstr(forms[i], "%s");
            snprintf(value, sizeof(value), "%.*s%s", (int)(at - forms[i]), forms[i], etag);
        } else {
            snprintf(value, sizeof(value), "*");
        }
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n", value);
        o = ask(text);
        assert_int_equal(status_of(o.text), 304);
        assert_string_equal(body_of(o.text), "");
        assert_null(strstr(o.text, "Content-Length"));
        assert_non_null(strstr(o.text, etag));
    }
    assert_int_equal(status_of(ask("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n").text), 200);
}

static void test_other_methods_are_405(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    char text[200];
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", methods[i]);
        struct outcome o = ask(text);
        assert_int_equal(status_of(o.text), 405);
        assert_non_null(strstr(o.text, "Allow: GET, HEAD\r\n"));
        assert_int_equal(o.state, CLIENT_HTTP);
    }
}

static void test_a_request_with_a_body_is_answered_and_the_connection_closed(void **state)
{
    (void)state;
    struct outcome o = ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\nGET / HTTP/1.1\r\nHost: a");
    assert_int_equal(status_of(o.text), 405);
    assert_non_null(strstr(o.text, "Connection: close\r\n"));
    assert_null(strstr(o.text + 10, "HTTP/1.1"));            /* the body is never taken for a request */
    assert_int_equal(o.state, CLIENT_CLOSING);
    assert_int_equal(o.end, CLIENT_END_SERVED);
}

static void test_without_a_web_folder_everything_is_403(void **state)
{
    (void)state;
    struct outcome o = ask_of(NULL, GET("/"));
    assert_int_equal(status_of(o.text), 403);
    assert_non_null(strstr(body_of(o.text), "<h1>Forbidden</h1>"));
    assert_non_null(strstr(o.text, "Connection: close\r\n"));
    assert_int_equal(o.state, CLIENT_CLOSING);
}

static void test_strangers_to_the_access_list_get_no_page(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.origin.acl = "10.";
    rig_open(&r, &site);
    rig_say_text(&r, GET("/"));
    assert_int_equal(status_of(rig_heard(&r)), 403);
    rig_fini(&r);
}

/* The list of traps.md, at this level: one answer, 400, and the end; what follows is not read as a request. */
static void test_refused_requests_are_400_and_the_end(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char text[400];
        snprintf(text, sizeof(text), "%s" GET("/"), bad[i]);
        struct outcome o = ask(text);
        assert_int_equal(status_of(o.text), 400);
        assert_null(strstr(o.text + 9, "HTTP/1.1"));
        assert_non_null(strstr(o.text, "Connection: close\r\n"));
        assert_int_equal(o.state, CLIENT_CLOSING);
        assert_int_equal(o.end, CLIENT_END_BAD_HTTP);
    }
    assert_int_equal(ask("GET /\0").state, CLIENT_HTTP);
    char *big = malloc(HTTP_HEAD_BYTES_MAX + 10);
    assert_non_null(big);
    memset(big, 'a', HTTP_HEAD_BYTES_MAX + 9);
    big[HTTP_HEAD_BYTES_MAX + 9] = '\0';
    memcpy(big, "GET /", 5);
    struct outcome o = ask(big);
    assert_int_equal(status_of(o.text), 431);
    assert_int_equal(o.state, CLIENT_CLOSING);
    free(big);
}

static void test_h2c_is_ignored_and_bad_upgrades_are_answered(void **state)
{
    (void)state;
    assert_int_equal(status_of(ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n").text), 200);
    struct outcome o = ask("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Protocol: janus-protocol\r\n\r\n");
    assert_int_equal(status_of(o.text), 400);
    assert_int_equal(o.end, CLIENT_END_BAD_HANDSHAKE);
    o = ask("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Protocol: janus-protocol\r\n\r\n");
    assert_int_equal(status_of(o.text), 426);
    assert_non_null(strstr(o.text, "Sec-WebSocket-Version: 13\r\n"));
}

static void test_pipelined_requests_are_answered_one_at_a_time_in_order(void **state)
{
    (void)state;
    for (size_t step = 0; step < 60; step++) {
        struct rig r;
        rig_init(&r);
        r.step = step;
        rig_open(&r, &site);
        rig_say_text(&r, GET("/demos/") GET("/nothing") GET("/") GET("/demos/a%20b.js"));
        const char *at = rig_heard(&r);
        assert_non_null(at = strstr(at, "<p>demos</p>"));
        assert_non_null(at = strstr(at, " 404 "));
        assert_non_null(at = strstr(at, "<p>home</p>"));
        assert_non_null(at = strstr(at, "1;"));
        assert_string_equal(at, "1;");
        assert_int_equal(r.env.counters.http_requests, 4);
        rig_fini(&r);
    }
}

static void test_nothing_is_read_while_an_answer_waits(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, &site);
    r.reads = false;
    rig_say_text(&r, GET("/big.js") GET("/"));
    assert_int_equal(r.env.counters.http_requests, 1);
    assert_false(client_wants_input(&r.c));
    assert_true(r.c.out.reply_bytes > sizeof(script) - 1);
    r.reads = true;
    rig_settle(&r);
    assert_int_equal(r.env.counters.http_requests, 2);
    assert_true(client_wants_input(&r.c));
    const char *heard = rig_heard(&r);
    assert_string_equal(heard + strlen(heard) - 11, "<p>home</p>");
    rig_fini(&r);
}

static void test_a_slow_download_ends_when_it_stands_still(void **state)
{
    (void)state;
    struct rig r;
    struct view parts[OUTQ_PARTS];
    rig_init(&r);
    rig_open(&r, &site);
    r.reads = false;
    rig_say_text(&r, GET("/big.js"));
    for (int i = 0; i < 20; i++) {                           /* a byte every 50 s keeps it */
        rig_run_to(&r, r.now + SEC(50));
        assert_true(client_output(&r.env, &r.c, r.now, parts) > 0);
        client_sent(&r.env, &r.c, r.now, 1);
    }
    assert_false(client_is_dead(&r.c));
    rig_run_to(&r, r.now + IO_STALL_US);
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_STALLED], 1);
    rig_fini(&r);
}

static void test_keep_alive_has_its_deadlines(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, &site);
    rig_say_text(&r, GET("/"));
    rig_run_to(&r, r.now + IO_KEEP_ALIVE_US - 1);
    assert_false(client_is_dead(&r.c));
    rig_say_text(&r, "GET");
    rig_run_to(&r, r.now + IO_HEAD_US - 1);
    assert_false(client_is_dead(&r.c));
    rig_say_text(&r, " / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(r.env.counters.http_requests, 2);
    rig_run_to(&r, r.now + SEC(1));
    rig_say_text(&r, "GET / ");
    rig_run_to(&r, r.now + IO_HEAD_US);                      /* sooner than the keep-alive's end */
    assert_true(client_is_dead(&r.c));
    rig_fini(&r);
}

static void test_http_10_closes_unless_asked_otherwise(void **state)
{
    (void)state;
    struct outcome o = ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(o.text, "Connection: close\r\n"));
    assert_int_equal(o.state, CLIENT_CLOSING);
    o = ask("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    assert_non_null(strstr(o.text, "Connection: keep-alive\r\n"));
    assert_int_equal(o.state, CLIENT_HTTP);
}

static void test_a_peer_that_closed_its_side_still_gets_its_answer(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, &site);
    r.reads = false;
    rig_say_text(&r, GET("/") GET("/demos/"));
    client_input_ended(&r.env, &r.c, false);
    assert_false(client_is_dead(&r.c));
    r.reads = true;
    rig_settle(&r);
    const char *heard = rig_heard(&r);
    assert_non_null(strstr(heard, "<p>home</p>"));
    assert_non_null(strstr(heard, "<p>demos</p>"));
    assert_true(client_is_dead(&r.c));
    rig_fini(&r);
}

static void test_control_can_close_it(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, &site);
    client_close(&r.env, &r.c, r.now, WS_CODE_GOING_AWAY);
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.heard.size, 0);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_are_served_with_their_fields),
        cmocka_unit_test(test_nothing_but_the_table_is_reachable),
        cmocka_unit_test(test_a_folder_without_its_slash_is_sent_on),
        cmocka_unit_test(test_head_is_the_head_alone),
        cmocka_unit_test(test_an_unchanged_file_is_a_304),
        cmocka_unit_test(test_other_methods_are_405),
        cmocka_unit_test(test_a_request_with_a_body_is_answered_and_the_connection_closed),
        cmocka_unit_test(test_without_a_web_folder_everything_is_403),
        cmocka_unit_test(test_strangers_to_the_access_list_get_no_page),
        cmocka_unit_test(test_refused_requests_are_400_and_the_end),
        cmocka_unit_test(test_h2c_is_ignored_and_bad_upgrades_are_answered),
        cmocka_unit_test(test_pipelined_requests_are_answered_one_at_a_time_in_order),
        cmocka_unit_test(test_nothing_is_read_while_an_answer_waits),
        cmocka_unit_test(test_a_slow_download_ends_when_it_stands_still),
        cmocka_unit_test(test_keep_alive_has_its_deadlines),
        cmocka_unit_test(test_http_10_closes_unless_asked_otherwise),
        cmocka_unit_test(test_a_peer_that_closed_its_side_still_gets_its_answer),
        cmocka_unit_test(test_control_can_close_it),
    };
    return cmocka_run_group_tests(tests, make_site, drop_site);
}
