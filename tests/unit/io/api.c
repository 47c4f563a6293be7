/* The Janus API in HTTP requests, one connection at a time: what control is asked, how its answers leave, polls, deadlines. */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "io/http_config.h"
#include "io/limits.h"
#include "rig.h"

#define POST(path, size, body) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " size "\r\n\r\n" body
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct rig r;
static struct http_config config;

static int set_up(void **state)
{
    (void)state;
    config = (struct http_config){.layout = LAYOUT_COMPACT, .base_path = "/janus", .base_path_size = 6};
    rig_init(&r);
    r.origin.http = &config;
    rig_open(&r, NULL);
    list_init(&r.c.turn);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_fini(&r);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

static void reply(const char *text, unsigned error)
{
    client_reply(&r.env, &r.c, r.now, str_of(text), error);
    rig_settle(&r);
}

static void expect_answer(const char *status, const char *body)
{
    const char *heard = rig_heard(&r), *end = strstr(heard, "\r\n\r\n");
    assert_non_null(end);
    assert_memory_equal(heard, status, strlen(status));
    assert_string_equal(end + 4, body);
}

static struct eventq *queue_of(int64_t session)
{
    struct eventq *q = eventq_new(&r.env.events);
    assert_non_null(q);
    eventq_bind(&r.env.events, q, session);
    return q;
}

static void happens(struct eventq *q, const char *text)
{
    struct list touched;
    list_init(&touched);
    assert_true(eventq_add(&r.env.events, q, str_of(text)));
    client_poll_wake(&r.env, q, r.now, &touched);
    while (list_pop(&touched) != NULL) {}
    rig_settle(&r);
}

static void test_a_body_goes_to_control_and_its_reply_back(void **state)
{
    (void)state;
    for (size_t step = 1; step < 100; step = step * 3 + 1) {
        r.step = step;
        rig_say_text(&r, POST("/janus/12/34", "7", "{\"a\":1}"));
        assert_string_equal(rig_texts(&r), "{\"a\":1}\n");
        const struct client_ask *ask = client_ask(&r.c);
        assert_non_null(ask);
        assert_int_equal(ask->session_id, 12);
        assert_int_equal(ask->handle_id, 34);
        assert_int_equal(ask->path_ids, 2);
        assert_false(client_wants_input(&r.c));                 /* one request at a time */
        assert_string_equal(rig_heard(&r), "");
        reply("{\"janus\":\"ack\"}", 0);
        expect_answer("HTTP/1.1 200 OK\r\n", "{\"janus\":\"ack\"}");
        assert_null(client_ask(&r.c));
        assert_true(client_wants_input(&r.c));
    }
}

static void test_control_may_take_its_time(void **state)
{
    (void)state;
    rig_say_text(&r, POST("/janus", "2", "{}"));
    rig_run_to(&r, r.now + SEC(3600));
    assert_int_equal(r.c.state, CLIENT_HTTP);
    reply("{}", 0);
    expect_answer("HTTP/1.1 200 OK\r\n", "{}");
}

static void test_a_poll_begins_with_a_keepalive(void **state)
{
    (void)state;
    struct eventq *q = queue_of(7);
    rig_say_text(&r, GET("/janus/7?rid=12&maxev=3&apisecret=a%22b&token=t+t"));
    const char *asked = rig_texts(&r);
    assert_non_null(strstr(asked, "{\"janus\":\"keepalive\",\"transaction\":\""));
    assert_non_null(strstr(asked, ",\"apisecret\":\"a\\\"b\",\"token\":\"t t\"}"));
    assert_true(client_ask(&r.c)->is_poll);
    reply("{\"janus\":\"ack\"}", 0);
    assert_string_equal(rig_heard(&r), "");                     /* nothing has happened yet */
    happens(q, "{\"janus\":\"event\"}");
    expect_answer("HTTP/1.1 200 OK\r\n", "[{\"janus\":\"event\"}]");
    assert_int_equal(q->count, 0);
}

static void test_what_a_poll_is_refused_for(void **state)
{
    (void)state;
    static const struct { unsigned error; const char *status; } refusals[] = {{403, "HTTP/1.1 403 "}, {458, "HTTP/1.1 404 "}, {490, "HTTP/1.1 404 "}, {0, "HTTP/1.1 404 "}};
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        rig_say_text(&r, GET("/janus/7"));
        reply("{}", refusals[i].error);
        expect_answer(refusals[i].status, "");
    }
    assert_int_equal(r.c.state, CLIENT_HTTP);
}

static void test_a_poll_waits_thirty_seconds(void **state)
{
    (void)state;
    struct eventq *q = queue_of(7);
    const char *const bodies[] = {"{\"janus\":\"keepalive\"}", "[{\"janus\":\"keepalive\"}]"};
    for (unsigned i = 0; i < 2; i++) {
        rig_say_text(&r, i == 0 ? GET("/janus/7") : GET("/janus/7?maxev=2"));
        reply("{}", 0);
        usec_t from = r.now;
        rig_run_to(&r, from + IO_POLL_US - 1);
        assert_string_equal(rig_heard(&r), "");
        assert_false(list_is_empty(&q->held));
        rig_run_to(&r, from + IO_POLL_US);
        expect_answer("HTTP/1.1 200 OK\r\n", bodies[i]);
        assert_true(list_is_empty(&q->held));
    }
}

static void test_a_poll_that_has_gone_takes_no_event(void **state)
{
    (void)state;
    struct eventq *q = queue_of(7);
    rig_say_text(&r, GET("/janus/7"));
    reply("{}", 0);
    client_input_ended(&r.env, &r.c, false);
    assert_true(client_is_dead(&r.c));
    client_fini(&r.env, &r.c);                                  /* as the shell does once it is dead */
    assert_true(list_is_empty(&q->held));
    happens(q, "{}");
    assert_int_equal(q->count, 1);
}

/* The shell has made a queue for the request, and must find it when the client is dropped. */
static void test_a_client_that_goes_while_control_is_asked(void **state)
{
    (void)state;
    rig_say_text(&r, POST("/janus", "2", "{}"));
    struct client_ask *ask = client_ask(&r.c);
    assert_non_null(ask);
    client_input_ended(&r.env, &r.c, true);
    assert_true(client_is_dead(&r.c));
    assert_ptr_equal(client_ask(&r.c), ask);
}

static void test_a_queue_is_bounded_like_a_client(void **state)
{
    (void)state;
    struct eventq *q = queue_of(7);
    static char large[1u << 20];
    memset(large, 'x', sizeof(large));
    for (unsigned i = 0; i < IO_EVENTS_MAX; i++)
        assert_true(eventq_add(&r.env.events, q, STR("{}")));
    assert_false(eventq_add(&r.env.events, q, STR("{}")));
    struct eventq *other = queue_of(8);
    unsigned count = 0;
    while (eventq_add(&r.env.events, other, VIEW(large, sizeof(large))))
        count++;
    assert_int_equal(count, IO_EVENT_BYTES_MAX / sizeof(large));
    assert_ptr_equal(eventq_of_session(&r.env.events, 8), other);
    struct ref name = other->ref;
    eventq_free(&r.env.events, other);
    assert_null(eventq_of_session(&r.env.events, 8));
    assert_null(eventq_get(&r.env.events, name));
}

static void test_a_body_has_a_minute(void **state)
{
    (void)state;
    rig_say_text(&r, "POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
    for (unsigned i = 0; i < 11; i++) {                          /* more of it doesn't wind the clock */
        rig_run_to(&r, r.now + SEC(5));
        rig_say_text(&r, " ");
    }
    assert_int_equal(r.c.state, CLIENT_HTTP);
    rig_run_to(&r, r.now + SEC(5));
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.c.end, CLIENT_END_NO_REQUEST);
}

static void test_memory_of_bodies_is_counted(void **state)
{
    (void)state;
    r.env.partial_bytes = IO_PARTIAL_BYTES_MAX;
    static char much[IO_PARTIAL_BYTES_FREE + 4096];
    memset(much, ' ', sizeof(much));
    rig_say_text(&r, "POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    rig_say(&r, VIEW(much, sizeof(much)));
    assert_non_null(strstr(rig_heard(&r), "HTTP/1.1 503 "));
    assert_int_equal(r.c.end, CLIENT_END_PARTIALS_PILED);
    assert_int_equal(r.env.partial_bytes, IO_PARTIAL_BYTES_MAX);
    r.env.partial_bytes = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_body_goes_to_control_and_its_reply_back),
        TEST(test_control_may_take_its_time),
        TEST(test_a_poll_begins_with_a_keepalive),
        TEST(test_what_a_poll_is_refused_for),
        TEST(test_a_poll_waits_thirty_seconds),
        TEST(test_a_poll_that_has_gone_takes_no_event),
        TEST(test_a_client_that_goes_while_control_is_asked),
        TEST(test_a_queue_is_bounded_like_a_client),
        TEST(test_a_body_has_a_minute),
        TEST(test_memory_of_bodies_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
