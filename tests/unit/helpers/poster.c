/* helpers/http against a web server of the test's own, on loopback: what arrives, in which order, what is not sent at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "helpers/dns.h"
#include "helpers/curl_loop.h"
#include "helpers/poster.h"
#include "runtime/tcp.h"

#define CONNS_MAX    100
#define REQUESTS_MAX 600
#define LISTENER     1000u          /* token; those of connections are smaller */

struct conn {
    int fd;
    struct buf in;
    bool talks;
};

struct request {
    char *text;
    uint32_t conn;
};

/* The main actor: web server and asker in one. */
struct world {
    struct actors *set;
    struct actor *actor;
    struct poster *poster;
    struct dns *dns;
    int listener;
    uint16_t port;
    struct conn conns[CONNS_MAX];
    uint32_t conn_count;
    struct request requests[REQUESTS_MAX];
    uint32_t request_count;
    void (*begin)(struct world *w);
    uint32_t wanted;                    /* requests; then it ends */
    usec_t quiet_us;                    /* or when this long nothing has come */
    usec_t end_at;
    unsigned threads;                   /* of the process, at the end */
    unsigned stopped;
};

static unsigned count_threads(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void post(struct world *w, bool public_only, const char *url, const char *body)
{
    const uint32_t url_size = (uint32_t)strlen(url), body_size = (uint32_t)strlen(body);
    struct poster_post *m = mem_get(sizeof(*m) + url_size + body_size);
    *m = (struct poster_post){.url_size = url_size, .body_size = body_size, .public_only = public_only};
    memcpy(m->text, url, url_size);
    memcpy(m->text + url_size, body, body_size);
    actor_send_block(w->actor, ACTOR_POSTER, POSTER_POST, REF_NONE, m, sizeof(*m) + url_size + body_size);
}

static const char *url_of(const struct world *w, const char *host, const char *path)
{
    static char url[128];
    snprintf(url, sizeof(url), "http://%s:%u%s", host, w->port, path);
    return url;
}

static void end(struct world *w)
{
    w->threads = count_threads();
    w->end_at = USEC_NEVER;
    actor_ask_stop(w->actor, ACTOR_POSTER);
    actor_ask_stop(w->actor, ACTOR_DNS);
}

/* ---- the server ---- */

static void write_all(int fd, const char *text)
{
    size_t size;
    struct view v = str_of(text);
    assert_int_equal(tcp_write(fd, &v, 1, &size), TCP_DONE);
    assert_int_equal(size, v.size);
}

/* By the path of the request. */
static void answer(struct world *w, struct conn *c, const char *text)
{
    if (strstr(text, " /mute") != NULL)
        return;
    if (strstr(text, " /close ") != NULL) {
        actor_unwatch(w->actor, c->fd);
        tcp_close(c->fd);
        c->fd = -1;
    } else if (strstr(text, " /long ") != NULL) {
        write_all(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        c->talks = actor_watch(w->actor, c->fd, EPOLLIN | EPOLLOUT, (uint64_t)(c - w->conns));
    } else if (strstr(text, " /moved ") != NULL) {
        write_all(c->fd, "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    } else {
        write_all(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    }
}

/* Takes whole requests off what has come. */
static void serve(struct world *w, struct conn *c)
{
    for (;;) {
        const char *text = buf_text(&c->in), *end_of_head = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "Content-Length:");
        if (end_of_head == NULL || length == NULL)
            return;
        size_t size = (size_t)(end_of_head - text) + 4 + strtoul(length + 15, NULL, 10);
        if (c->in.size < size)
            return;
        assert_true(w->request_count < REQUESTS_MAX);
        struct request *r = &w->requests[w->request_count++];
        *r = (struct request){strndup(text, size), (uint32_t)(c - w->conns)};
        buf_drop(&c->in, size);
        answer(w, c, r->text);
        if (w->request_count == w->wanted)
            end(w);
        if (c->fd < 0)
            return;
    }
}

static void read_some(struct world *w, struct conn *c)
{
    char bytes[8192];
    size_t size;
    enum tcp_result result = tcp_read(c->fd, bytes, sizeof(bytes), &size);
    if (result == TCP_AGAIN)
        return;
    if (result != TCP_DONE) {
        actor_unwatch(w->actor, c->fd);
        tcp_close(c->fd);
        c->fd = -1;
        return;
    }
    buf_add(&c->in, bytes, size);
    serve(w, c);
}

static void talk(struct conn *c)
{
    static uint8_t zeros[16384];
    size_t size;
    struct view v = VIEW(zeros, sizeof(zeros));
    (void)tcp_write(c->fd, &v, 1, &size);
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct world *w = owner;
    if (w->end_at != USEC_NEVER)
        w->end_at = now + w->quiet_us;
    if (token == LISTENER) {
        struct net_addr peer;
        int fd;
        if (tcp_accept(w->listener, &fd, &peer) != TCP_DONE)
            return;
        assert_true(w->conn_count < CONNS_MAX);
        struct conn *c = &w->conns[w->conn_count++];
        c->fd = fd;
        buf_init(&c->in, 1u << 24);
        assert_true(actor_watch(w->actor, fd, EPOLLIN, (uint64_t)(c - w->conns)));
        return;
    }
    struct conn *c = &w->conns[token];
    if (c->fd >= 0 && (events & ~(uint32_t)EPOLLOUT) != 0)
        read_some(w, c);
    if (c->fd >= 0 && c->talks && (events & EPOLLOUT) != 0)
        talk(c);
}

/* ---- the run ---- */

static void on_start(void *owner, usec_t now)
{
    struct world *w = owner;
    w->end_at = now + w->quiet_us;
    assert_true(actor_watch(w->actor, w->listener, EPOLLIN, LISTENER));
    w->begin(w);
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct world *w = owner;
    (void)now;
    if (m->type != ACTOR_STOPPED)
        return;
    actor_join(actors_get(w->set, m->from));
    if (++w->stopped == 2)
        actor_stop(w->actor);
}

static void on_turn(void *owner, usec_t now)
{
    struct world *w = owner;
    if (now >= w->end_at)
        end(w);
}

static usec_t deadline(void *owner)
{
    const struct world *w = owner;
    return w->end_at;
}

static const struct actor_ops ops = {.on_start = on_start, .on_message = on_message, .on_ready = on_ready, .on_turn = on_turn, .deadline = deadline};

static struct poster_counters run(struct world *w, void (*begin)(struct world *w), uint32_t wanted, usec_t quiet_us)
{
    struct net_addr local;
    *w = (struct world){.begin = begin, .wanted = wanted, .quiet_us = quiet_us, .set = actors_new()};
    assert_true(net_ip_parse(&local, STR("127.0.0.1")));
    local.port = 0;
    assert_int_equal(tcp_listen(&w->listener, &local, false, NULL), ERR_NONE);
    assert_true(tcp_local(w->listener, &local));
    w->port = local.port;
    w->actor = actor_new(w->set, ACTOR_MAIN, "main");
    struct actor *poster_actor = actor_new(w->set, ACTOR_POSTER, "poster"), *dns_actor = actor_new(w->set, ACTOR_DNS, "dns");
    w->poster = poster_new(poster_actor);
    w->dns = dns_new(dns_actor);
    assert_non_null(w->poster);
    actor_serve(w->actor, &ops, w);
    actor_serve(poster_actor, &poster_ops, w->poster);
    actor_serve(dns_actor, &dns_ops, w->dns);
    actors_wire(w->set);
    assert_true(actor_start(poster_actor) && actor_start(dns_actor));
    actor_run(w->actor);
    struct poster_counters counters = *poster_counters(w->poster);
    poster_free(w->poster);
    dns_free(w->dns);
    for (uint32_t i = 0; i < w->conn_count; i++) {
        if (w->conns[i].fd >= 0)
            tcp_close(w->conns[i].fd);
        buf_fini(&w->conns[i].in);
    }
    tcp_close(w->listener);
    actors_free(w->set);
    return counters;
}

static void forget(struct world *w)
{
    for (uint32_t i = 0; i < w->request_count; i++)
        free(w->requests[i].text);
}

static const char *body_of(const struct request *r)
{
    return strstr(r->text, "\r\n\r\n") + 4;
}

#define LONG SEC(20)            /* a bound for machines that stand still; nothing takes that long */

/* ---- what arrives ---- */

static void say_a_hundred(struct world *w)
{
    char body[32];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(body, sizeof(body), "{\"n\":%u}", i);
        post(w, false, url_of(w, "127.0.0.1", "/hook?x=1"), body);
    }
}

static void test_posts_arrive_in_order_on_one_connection(void **state)
{
    (void)state;
    struct world w;
    char text[64];
    run(&w, say_a_hundred, 100, LONG);
    assert_int_equal(w.request_count, 100);
    assert_int_equal(w.conn_count, 1);
    for (uint32_t i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "{\"n\":%u}", i);
        assert_string_equal(body_of(&w.requests[i]), text);
    }
    const char *first = w.requests[0].text;
    assert_int_equal(strncmp(first, "POST /hook?x=1 HTTP/1.1\r\n", 25), 0);
    snprintf(text, sizeof(text), "\r\nHost: 127.0.0.1:%u\r\n", w.port);
    assert_non_null(strstr(first, text));
    assert_non_null(strstr(first, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(first, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(first, "\r\ncharsets: utf-8\r\n"));
    assert_null(strstr(first, "Expect"));
    forget(&w);
}

static void say_to_a_name(struct world *w)
{
    char *large = malloc(200001);
    memset(large, 'x', 200000);
    large[200000] = '\0';
    post(w, false, url_of(w, "localhost", "/"), large);
    post(w, false, url_of(w, "LOCALHOST", "/other"), "2");
    free(large);
}

static void say_to_an_address(struct world *w)
{
    post(w, false, url_of(w, "127.0.0.1", "/"), "1");
}

/* libcurl's own resolver would be a thread more than for an address. (How many there are depends on the sanitizer.) */
static void test_a_name_is_resolved_without_a_thread(void **state)
{
    (void)state;
    struct world w;
    char text[64];
    run(&w, say_to_an_address, 1, LONG);
    const unsigned threads = w.threads;
    forget(&w);
    run(&w, say_to_a_name, 2, LONG);
    assert_int_equal(w.request_count, 2);
    assert_int_equal(w.threads, threads);
    const struct request *large = strlen(body_of(&w.requests[0])) == 200000 ? &w.requests[0] : &w.requests[1];
    assert_int_equal(strlen(body_of(large)), 200000);
    snprintf(text, sizeof(text), "\r\nHost: localhost:%u\r\n", w.port);
    assert_non_null(strstr(large->text, text));
    forget(&w);
}

static void say_to_all_manners(struct world *w)
{
    post(w, false, url_of(w, "127.0.0.1", "/mute"), "never answered");
    for (unsigned i = 0; i < 3; i++) {
        post(w, false, url_of(w, "127.0.0.1", "/close"), "c");
        post(w, false, url_of(w, "127.0.0.1", "/long"), "l");
        post(w, false, url_of(w, "127.0.0.1", "/moved"), "m");
        post(w, false, url_of(w, "127.0.0.1", "/"), "a");
    }
    post(w, false, url_of(w, "127.0.0.1", "/mute"), "waits");
}

static unsigned count_of(const struct world *w, const char *part)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < w->request_count; i++)
        count += strstr(w->requests[i].text, part) != NULL;
    return count;
}

/* A server that says nothing keeps its own queue waiting, and no other; one that closes fails; one that never ends is cut off;
 * where it points is not gone to. */
static void test_servers_of_all_manners(void **state)
{
    (void)state;
    struct world w;
    run(&w, say_to_all_manners, 0, MSEC(500));
    assert_int_equal(count_of(&w, " /mute "), 1);
    assert_int_equal(count_of(&w, " / "), 3);
    assert_int_equal(count_of(&w, " /long "), 3);
    assert_int_equal(count_of(&w, " /moved "), 3);
    assert_int_equal(count_of(&w, "/elsewhere"), 0);
    assert_true(count_of(&w, " /close ") >= 3);         /* libcurl tries once more where a connection was used before */
    forget(&w);
}

/* ---- what is not sent ---- */

static void say_to_nobody(struct world *w)
{
    static const char *const urls[] = {"", "x", "http://", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:1/_x", "http://127.0.0.1:0x50/",
                                       "http://127.0.0.1:99999/", "//127.0.0.1/", "http://host.local/", "http://a b/"};
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++)
        post(w, false, urls[i], "x");
    post(w, false, url_of(w, "127.0.0.1", "/"), "last");
}

static void test_what_is_no_url(void **state)
{
    (void)state;
    struct world w;
    struct poster_counters counters = run(&w, say_to_nobody, 1, LONG);
    assert_int_equal(counters.posts, 12);
    assert_true(counters.refused >= 9);
    assert_true(counters.refused + counters.failed <= 11);     /* `.local` and a bad name: the dns actor's no may still be on its way */
    forget(&w);
}

static void say_to_private_places(struct world *w)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "0.0.0.0", "0", "[::1]", "[::ffff:127.0.0.1]",
                                        "[::]", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]", "224.0.0.1"};
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++)
        post(w, true, url_of(w, hosts[i], "/"), "x");
    post(w, false, url_of(w, "localhost", "/"), "last");
}

/* A stranger's URL reaches nothing behind our own walls, whichever way its address is written. */
static void test_a_strangers_url_reaches_public_places_only(void **state)
{
    (void)state;
    struct world w;
    struct poster_counters counters = run(&w, say_to_private_places, 1, LONG);
    assert_int_equal(w.request_count, 1);
    assert_string_equal(body_of(&w.requests[0]), "last");
    assert_int_equal(counters.refused, 18);
    assert_int_equal(counters.failed, 0);
    assert_true(counters.sent <= 1);
    forget(&w);
}

static void say_too_much(struct world *w)
{
    for (unsigned i = 0; i < POSTER_POSTS_OF_TARGET_MAX + 50; i++)
        post(w, false, url_of(w, "127.0.0.1", "/mute"), "x");
    for (unsigned i = 1; i <= POSTER_TARGETS_MAX; i++) {       /* no place is left for the last URL: they all wait */
        char path[32];
        snprintf(path, sizeof(path), "/mute?%u", i);
        post(w, false, url_of(w, "127.0.0.1", path), "x");
    }
}

static void test_a_full_queue_drops(void **state)
{
    (void)state;
    struct world w;
    struct poster_counters counters = run(&w, say_too_much, 0, MSEC(500));
    assert_int_equal(w.request_count, POSTER_TARGETS_MAX);
    assert_int_equal(counters.dropped, 51);
    forget(&w);
}

static void say_to_a_closed_port(struct world *w)
{
    for (unsigned i = 0; i < 5; i++)
        post(w, false, "http://127.0.0.1:1/", "x");
    post(w, false, "http://no-such-name.invalid/", "x");
}

static void test_what_can_not_be_reached_fails(void **state)
{
    (void)state;
    struct world w;
    struct poster_counters counters = run(&w, say_to_a_closed_port, 0, MSEC(500));
    assert_true(counters.failed >= 5);
    assert_int_equal(counters.sent, 0);
    forget(&w);
}

static int library(void **state)
{
    (void)state;
    curl_loop_library_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_arrive_in_order_on_one_connection),
        cmocka_unit_test(test_a_name_is_resolved_without_a_thread),
        cmocka_unit_test(test_servers_of_all_manners),
        cmocka_unit_test(test_what_is_no_url),
        cmocka_unit_test(test_a_strangers_url_reaches_public_places_only),
        cmocka_unit_test(test_a_full_queue_drops),
        cmocka_unit_test(test_what_can_not_be_reached_fails),
    };
    return cmocka_run_group_tests(tests, library, NULL);
}
