/* What the HTTP listener of the Admin API shows beside it: who may see what, and how the shell's answers leave. */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "io/http_config.h"
#include "io/limits.h"
#include "io/operators.h"
#include "msg/control.h"
#include "rig.h"

#define GET(path, fields) "GET " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static struct rig r;
static struct http_config config;

static void open_rig(const char *ip)
{
    config = (struct http_config){.layout = LAYOUT_COMPACT, .base_path = "/admin", .base_path_size = 6};
    rig_init(&r);
    r.origin.http = &config;
    r.origin.api = CLIENT_API_ADMIN;
    r.rules.admin_secret = "the secret";
    r.rules.metrics_token = "the token";
    assert_true(net_ip_parse(&r.addr, str_of(ip)));
    rig_open(&r, NULL);
    list_init(&r.c.turn);
    r.env.health.alive = true;
}

/* What somebody at `ip` gets for a request: its status; "wants": the shell has to answer. */
static const char *ask_from(const char *ip, const char *request)
{
    static char status[64];
    open_rig(ip);
    rig_say_text(&r, request);
    struct list *it = list_pop(&r.env.asking);
    if (it != NULL) {
        assert_ptr_equal(client_asking(it), &r.c);
        assert_true(client_want(&r.c) != CLIENT_WANTS_NOTHING);
        client_show(&r.env, &r.c, r.now, 200, "text/plain", STR("shown"));
        rig_settle(&r);
        assert_non_null(strstr(rig_heard(&r), "\r\n\r\nshown"));
        snprintf(status, sizeof(status), "wants");
    } else {
        snprintf(status, sizeof(status), "%.3s", rig_heard(&r) + strlen("HTTP/1.1 "));
    }
    assert_string_equal(rig_texts(&r), "");                 /* nothing of it goes to control */
    rig_fini(&r);
    return status;
}

static void test_numbers_are_for_this_machine_or_for_a_token(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *request, *status;
    } cases[] = {
        {"127.0.0.1", GET("/metrics", ""), "wants"},
        {"::1", GET("/metrics", ""), "wants"},
        {"192.0.2.1", GET("/metrics", ""), "401"},
        {"192.0.2.1", GET("/metrics", "Authorization: Bearer the token\r\n"), "wants"},
        {"192.0.2.1", GET("/metrics", "authorization: bearer  the token \r\n"), "wants"},
        {"192.0.2.1", GET("/metrics", "Authorization: Bearer the secret\r\n"), "wants"},
        {"192.0.2.1", GET("/metrics", "Authorization: Bearer the toke\r\n"), "401"},
        {"192.0.2.1", GET("/metrics", "Authorization: Bearer the tokens\r\n"), "401"},
        {"192.0.2.1", GET("/metrics", "Authorization: Bearer \r\n"), "401"},
        {"192.0.2.1", GET("/metrics", "Authorization: Basic the token\r\n"), "401"},
        /* Behind a proxy on this machine everybody has its address. */
        {"127.0.0.1", GET("/metrics", "X-Forwarded-For: 127.0.0.1\r\n"), "401"},
        {"127.0.0.1", GET("/metrics", "Forwarded: for=192.0.2.1\r\n"), "401"},
        {"127.0.0.1", GET("/metrics", "Via: 1.1 proxy\r\n"), "401"},
        {"127.0.0.1", GET("/metrics", "Via: 1.1 proxy\r\nAuthorization: Bearer the token\r\n"), "wants"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(ask_from(cases[i].ip, cases[i].request), cases[i].status);
}

static void test_the_log_is_for_who_has_the_secret_wherever_they_are(void **state)
{
    (void)state;
    assert_string_equal(ask_from("127.0.0.1", GET("/operators/log", "")), "401");
    assert_string_equal(ask_from("127.0.0.1", GET("/operators/log", "Authorization: Bearer the token\r\n")), "401");
    assert_string_equal(ask_from("192.0.2.1", GET("/operators/log?after=7", "Authorization: Bearer the secret\r\n")), "wants");
    open_rig("192.0.2.1");
    rig_say_text(&r, GET("/operators/log?after=7", "Authorization: Bearer the secret\r\n"));
    assert_true(client_want(&r.c) == CLIENT_WANTS_LOG && client_wants_after(&r.c) == 7);
    rig_fini(&r);                                           /* it goes before it is answered: nothing of it stays on a list */
    assert_true(list_is_empty(&r.env.asking));
}

static void test_health_is_what_main_said_and_not_long_ago(void **state)
{
    (void)state;
    open_rig("192.0.2.1");
    rig_say_text(&r, GET("/healthz", ""));
    assert_non_null(strstr(rig_heard(&r), "HTTP/1.1 200"));
    r.env.health_at = r.now;
    r.env.health.alive = false;
    memcpy(r.env.health.stuck, "worker-3", sizeof("worker-3"));
    rig_say_text(&r, GET("/healthz", ""));
    const char *heard = rig_heard(&r);
    assert_non_null(strstr(heard, "HTTP/1.1 503"));
    assert_non_null(strstr(heard, "worker-3 does not end its turn\n"));
    r.env.health.alive = true;
    r.now += IO_HEALTH_US + 1;
    rig_say_text(&r, GET("/healthz", ""));
    assert_non_null(strstr(rig_heard(&r), "the watchdog is silent"));
    rig_fini(&r);
}

static void test_the_page_is_in_the_program_and_nothing_frames_or_keeps_it(void **state)
{
    (void)state;
    assert_true(operators_file_count > 0);
    for (size_t i = 0; i < operators_file_count; i++) {
        char request[256];
        snprintf(request, sizeof(request), GET("%s", ""), operators_files[i].path);
        open_rig("192.0.2.1");
        rig_say_text(&r, request);
        const char *heard = rig_heard(&r);
        assert_non_null(strstr(heard, "HTTP/1.1 200"));
        assert_non_null(strstr(heard, "frame-ancestors 'none'"));
        assert_non_null(strstr(heard, "Cache-Control: no-store"));
        assert_null(strstr(heard, "Access-Control-Allow-Origin"));
        rig_fini(&r);
    }
    assert_string_equal(ask_from("192.0.2.1", GET("/operators", "")), "302");
    assert_string_equal(ask_from("192.0.2.1", GET("/operators/nothing", "")), "404");
    assert_string_equal(ask_from("192.0.2.1", GET("/operators/../metrics", "")), "404");
}

/* On the listener of the Janus API there is nothing of it. */
static void test_other_listeners_know_nothing_of_it(void **state)
{
    (void)state;
    open_rig("127.0.0.1");
    r.origin.api = CLIENT_API_JANUS;
    rig_say_text(&r, GET("/metrics", ""));
    assert_non_null(strstr(rig_heard(&r), "HTTP/1.1 404"));
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_for_this_machine_or_for_a_token),
        cmocka_unit_test(test_the_log_is_for_who_has_the_secret_wherever_they_are),
        cmocka_unit_test(test_health_is_what_main_said_and_not_long_ago),
        cmocka_unit_test(test_the_page_is_in_the_program_and_nothing_frames_or_keeps_it),
        cmocka_unit_test(test_other_listeners_know_nothing_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
