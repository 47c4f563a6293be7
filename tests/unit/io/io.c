/* The actor over a made-up runtime: accepting, turns, messages, watches, the end. */
#include "support/seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "fake_runtime.h"
#include "identity.h"
#include "io/limits.h"
#include "msg/control.h"
#include "msg/io.h"
#include "rig.h"

#define WS "general: {\n ws = true\n json = \"plain\" }\n"

static struct conf_node *root;

static struct io *start(const char *config, uint64_t descriptors)
{
    struct conf_error error;
    fake_init();
    assert_non_null(root = conf_parse(str_of(config), CONF_JCFG, NULL, &error));
    struct io *io = io_new(NULL, &(struct io_options){.websockets = root, .descriptors = descriptors});
    io_ops.on_start(io, fake.now);
    return io;
}

static void end(struct io *io)
{
    io_free(io);
    conf_free(root);
    fake_fini();
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void say_frame(int fd, const char *text)
{
    struct buf b;
    buf_init(&b, 1u << 21);
    frame_of_client(&b, 0x81, str_of(text));
    fake_say(fd, buf_view(&b));
    buf_fini(&b);
}

/* A client after its handshake, with an empty `out`. */
static int websocket(struct io *io)
{
    int fd = fake_connect(io, 0);
    assert_true(fd >= 0);
    fake_say(fd, str_of(UPGRADE "\r\n"));
    fake_turn(io);
    assert_int_equal(strncmp(buf_text(&fake.sockets[fd].out), "HTTP/1.1 101 ", 13), 0);
    buf_clear(&fake.sockets[fd].out);
    fake.sockets[fd].writes = 0;
    return fd;
}

static struct ref first_client(void)
{
    const struct fake_sent *s = fake_nth(CONTROL_CLIENT_REQUEST, 0);
    assert_non_null(s);
    return ((const struct client_request *)(const void *)s->bytes)->client;
}

static void send_text(struct io *io, struct ref client, bool event, const char *text)
{
    struct io_send head = {.client = client, .event = event, .size = (uint32_t)strlen(text)};
    fake_message(io, IO_SEND, &head, offsetof(struct io_send, text), str_of(text));
}

static void send_credit(struct io *io, struct ref client)
{
    struct io_credit credit = {client};
    fake_message(io, IO_CREDIT, &credit, sizeof(credit), VIEW(NULL, 0));
}

static void send_close(struct io *io, struct ref client)
{
    struct io_close close = {client};
    fake_message(io, IO_CLOSE, &close, sizeof(close), VIEW(NULL, 0));
}

static void test_a_request_reaches_control_and_its_reply_the_client(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = websocket(io);
    say_frame(fd, "{\"janus\":\"ping\"}");
    fake_turn(io);
    assert_int_equal(fake_count(CONTROL_CLIENT_REQUEST), 1);
    const struct fake_sent *s = fake_nth(CONTROL_CLIENT_REQUEST, 0);
    const struct client_request *request = (const void *)s->bytes;
    assert_int_equal(s->to, ACTOR_CONTROL);
    assert_int_equal(request->transport, TRANSPORT_WEBSOCKETS);
    assert_int_equal(request->api, CLIENT_API_JANUS);
    assert_int_equal(request->layout, LAYOUT_PLAIN);
    assert_int_equal(request->size, 16);
    assert_int_equal(s->size, offsetof(struct client_request, text) + 16);
    assert_memory_equal(request->text, "{\"janus\":\"ping\"}", 16);

    send_text(io, request->client, false, "{\"janus\": \"pong\"}");
    send_credit(io, request->client);
    assert_int_equal(fake.sockets[fd].writes, 0);            /* not before the end of the turn */
    fake_turn(io);
    assert_int_equal(fake.sockets[fd].writes, 1);
    assert_memory_equal(fake.sockets[fd].out.data, "\x81\x11{\"janus\": \"pong\"}", 19);
    end(io);
}

static void test_many_events_leave_in_one_write(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = websocket(io);
    say_frame(fd, "{}");
    fake_turn(io);
    for (int i = 0; i < 500; i++)
        send_text(io, first_client(), true, "0123456789");
    fake_turn(io);
    assert_int_equal(fake.sockets[fd].writes, 1);
    assert_int_equal(fake.sockets[fd].out.size, 500 * 12);
    end(io);
}

static void test_a_long_reply_passes(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = websocket(io);
    say_frame(fd, "{}");
    fake_turn(io);
    char *text = malloc(1000001);
    assert_non_null(text);
    memset(text, 'r', 1000000);
    text[1000000] = '\0';
    send_text(io, first_client(), false, text);
    fake_run_to(io, fake.now);
    for (int i = 0; i < 10; i++)                             /* IO_WRITE_BYTES a turn, then the socket's own readiness */
        fake_turn(io);
    assert_int_equal(fake.sockets[fd].out.size, 1000010);
    assert_memory_equal(fake.sockets[fd].out.data + 10, text, 1000000);
    free(text);
    end(io);
}

static void test_partial_writes_resume_on_readiness(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = websocket(io);
    say_frame(fd, "{}");
    fake_turn(io);
    assert_int_equal(fake.sockets[fd].events, EPOLLIN);
    fake.sockets[fd].room = 5;
    send_text(io, first_client(), false, "0123456789");
    fake_turn(io);
    assert_int_equal(fake.sockets[fd].out.size, 5);
    assert_int_equal(fake.sockets[fd].events, EPOLLIN | EPOLLOUT);
    fake_turn(io);
    assert_int_equal(fake.sockets[fd].out.size, 5);
    fake.sockets[fd].room = 100;
    fake_turn(io);
    assert_memory_equal(fake.sockets[fd].out.data, "\x81\x0A" "0123456789", 12);
    assert_int_equal(fake.sockets[fd].events, EPOLLIN);
    end(io);
}

static void test_a_client_out_of_credits_is_not_read_but_its_end_is_seen(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = websocket(io);
    for (unsigned i = 0; i < 200; i++)
        say_frame(fd, "{}");
    fake_turn(io);
    assert_int_equal(fake_count(CONTROL_CLIENT_REQUEST), IO_CREDITS);
    assert_int_equal(fake.sockets[fd].events, EPOLLRDHUP);
    say_frame(fd, "{}");
    uint32_t reads = fake.sockets[fd].reads;
    fake_turn(io);
    assert_int_equal(fake.sockets[fd].reads, reads);
    for (unsigned i = 0; i < 137; i++) {
        send_credit(io, first_client());
        fake_turn(io);
    }
    fake_turn(io);
    assert_int_equal(fake_count(CONTROL_CLIENT_REQUEST), 201);
    assert_int_equal(fake.sockets[fd].events & EPOLLIN, 0);   /* 64 are out again */

    fake.sockets[fd].eof = true;
    fake_turn(io);
    assert_false(fake.sockets[fd].open);
    assert_int_equal(fake_count(CONTROL_CLIENT_GONE), 1);
    assert_int_equal(io_client_count(io), 0);
    end(io);
}

static void test_control_hears_of_each_end_once(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct io *io = start(WS, 1024);
        int fd = websocket(io);
        say_frame(fd, "{}");
        fake_turn(io);
        struct ref client = first_client();
        if (how == 0)
            fake.sockets[fd].eof = true;
        if (how == 1)
            fake.sockets[fd].reset = true;
        if (how == 2)
            send_close(io, client);
        if (how == 3)
            fake_say(fd, STR("\x81\x01x"));                  /* unmasked */
        fake_turn(io);
        assert_int_equal(fake_count(CONTROL_CLIENT_GONE), 1);
        const struct client_gone *gone = (const void *)fake_nth(CONTROL_CLIENT_GONE, 0)->bytes;
        assert_true(ref_equal(gone->client, client));
        fake_run_to(io, fake.now + SEC(30));
        assert_false(fake.sockets[fd].open);
        assert_int_equal(fake_count(CONTROL_CLIENT_GONE), 1);
        send_text(io, client, true, "too late");
        send_credit(io, client);
        send_close(io, client);
        assert_int_equal(io_counters(io)->stale, 3);
        end(io);
    }
}

static void test_control_never_hears_of_clients_without_a_request(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = websocket(io);
    fake.sockets[fd].eof = true;
    fake_turn(io);
    int other = fake_connect(io, 0);
    fake_run_to(io, fake.now + IO_FIRST_REQUEST_US);
    assert_false(fake.sockets[fd].open);
    assert_false(fake.sockets[other].open);
    assert_int_equal(fake.sent_count, 0);
    assert_int_equal(io_client_counters(io)->ended[CLIENT_END_NO_REQUEST], 1);
    end(io);
}

static void test_a_stale_readiness_finds_nobody(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = fake_connect(io, 0);
    uint64_t old = fake.sockets[fd].token;
    fake.sockets[fd].reset = true;
    fake_turn(io);
    assert_false(fake.sockets[fd].open);
    int next = fake_connect(io, 0);
    assert_int_equal((uint32_t)fake.sockets[next].token, (uint32_t)old);          /* the same slot, another generation */
    io_ops.on_ready(io, fake.now, old, EPOLLIN | EPOLLHUP);
    io_ops.on_ready(io, fake.now, 77, EPOLLIN);
    fake_turn(io);
    assert_true(fake.sockets[next].open);
    assert_int_equal(fake.sockets[next].reads, 0);
    end(io);
}

static void test_without_a_descriptor_listening_rests_for_200_ms(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    fake.no_descriptor = true;
    fake.sockets[0].waiting = 1;
    fake_turn(io);
    assert_int_equal(fake.accepts, 1);
    assert_false(fake.sockets[0].watched);
    assert_int_equal(io_counters(io)->accept_paused, 1);
    for (int i = 0; i < 10; i++)
        fake_turn(io);
    assert_int_equal(fake.accepts, 1);                       /* no spinning */
    assert_int_equal(io_ops.deadline(io), fake.now + IO_ACCEPT_PAUSE_US);
    fake_run_to(io, fake.now + SEC(10) - 1);
    assert_in_range(fake.accepts, 40, 51);
    const char *log = buf_text(&fake.log);
    const char *first = strstr(log, "no descriptor left");
    assert_non_null(first);
    assert_null(strstr(first + 1, "no descriptor left"));    /* said once */
    fake.no_descriptor = false;
    fake_run_to(io, fake.now + SEC(1));
    fake_turn(io);
    assert_int_equal(io_client_count(io), 1);
    assert_true(fake.sockets[0].watched);
    end(io);
}

static void test_clients_above_the_cap_are_closed_at_once(void **state)
{
    (void)state;
    struct io *io = start("general: {\n ws = true\n max_clients = 3 }\n", 1024);
    fake.sockets[0].waiting = 10;
    fake_turn(io);
    assert_int_equal(io_client_count(io), 3);
    assert_int_equal(io_counters(io)->refused_full, 7);
    int open = 0;
    for (int fd = 1; fd < FAKE_SOCKETS; fd++)
        open += fake.sockets[fd].open;
    assert_int_equal(open, 3);
    end(io);

    io = start(WS, 300);                                     /* derived: below the descriptor limit */
    fake.sockets[0].waiting = 300;
    for (int i = 0; i < 10; i++)
        fake_turn(io);
    assert_int_equal(io_client_count(io), 300 - IO_DESCRIPTORS_KEPT);
    end(io);
}

static void test_what_epoll_or_a_pool_refuses_is_closed(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    fake.watch_fails = true;
    assert_int_equal(fake_connect(io, 0), -1);
    fake.watch_fails = false;
    seam_refuse_pool_at(0);
    assert_int_equal(fake_connect(io, 0), -1);
    seam_refuse_pool_at(1);
    assert_int_equal(fake_connect(io, 0), -1);
    seam_refuse_pool_at(-1);
    assert_int_equal(io_counters(io)->refused_no_room, 3);
    assert_int_equal(io_client_count(io), 0);
    assert_true(fake_connect(io, 0) >= 0);
    end(io);
}

static void test_stopping_tells_everybody(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int polite = websocket(io), silent = websocket(io), http = fake_connect(io, 0);
    io_ops.on_stop(io, fake.now);
    fake_turn(io);
    assert_false(fake.sockets[0].open);
    assert_false(fake.sockets[http].open);
    assert_memory_equal(fake.sockets[polite].out.data, "\x88\x02\x03\xE9", 4);
    assert_memory_equal(fake.sockets[silent].out.data, "\x88\x02\x03\xE9", 4);
    struct buf b;
    buf_init(&b, 64);
    frame_of_client(&b, 0x88, VIEW("\x03\xE9", 2));
    fake_say(polite, buf_view(&b));
    buf_fini(&b);
    fake_turn(io);
    assert_false(fake.sockets[polite].open);
    assert_false(fake.stopped);
    usec_t start_of_stop = fake.now;
    fake_run_to(io, fake.now + SEC(10));
    assert_true(fake.stopped);
    assert_true(fake.now >= start_of_stop + IO_STOP_US);
    assert_int_equal(io_client_count(io), 0);
    end(io);

    io = start(WS, 1024);                                    /* nobody there: at once */
    io_ops.on_stop(io, fake.now);
    assert_int_equal(io_ops.deadline(io), 0);
    fake_turn(io);
    assert_true(fake.stopped);
    end(io);
}

static void test_a_listener_that_cannot_be_had_is_said(void **state)
{
    (void)state;
    fake_init();
    fake.listen_fails = true;
    struct conf_error error;
    assert_non_null(root = conf_parse(STR(WS), CONF_JCFG, NULL, &error));
    struct io *io = io_new(NULL, &(struct io_options){.websockets = root, .descriptors = 1024});
    assert_int_equal(io_listening(io), 0);
    assert_non_null(strstr(buf_text(&fake.log), "ws: can't listen on all addresses, port 8188"));
    end(io);

    io = start("general: {\n wss = true }\n", 1024);
    assert_int_equal(io_listening(io), 0);
    assert_non_null(strstr(buf_text(&fake.log), "wss: no certificate"));
    end(io);

    io = start("general: {\n wss = true }\ncertificates: {\n cert_pem = \"/nonexistent.pem\" }\n", 1024);
    assert_int_equal(io_listening(io), 0);
    assert_non_null(strstr(buf_text(&fake.log), "wss: can't read /nonexistent.pem"));
    end(io);

    io = start("general: {\n ws = true\n ws_ip = \"not an address\" }\n", 1024);
    assert_int_equal(io_listening(io), 0);
    end(io);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* What is left to do after the last byte must not wait for an event that never comes. */
static void test_a_turns_worth_of_output_that_ends_an_answer_is_noticed(void **state)
{
    (void)state;
    char folder[] = "/tmp/io-test-XXXXXX", name[100], config[200], *content = malloc(IO_WRITE_BYTES + 2);
    assert_non_null(mkdtemp(folder));
    assert_non_null(content);
    memset(content, 'x', IO_WRITE_BYTES + 1);
    content[IO_WRITE_BYTES + 1] = '\0';
    snprintf(name, sizeof(name), "%s/big.txt", folder);
    put(name, content);
    free(content);
    snprintf(config, sizeof(config), "general: {\n ws = true\n web_folder = \"%s\" }\n", folder);
    struct io *io = start(config, 1024);
    int fd = fake_connect(io, 0);
    fake_say(fd, STR("GET /big.txt HTTP/1.1\r\nHost: a\r\n\r\n"));
    fake_turn(io);
    fake_run_to(io, fake.now);                   /* a deadline that is due now, and no event of the socket */
    assert_true(fake.sockets[fd].out.size > IO_WRITE_BYTES);
    buf_clear(&fake.sockets[fd].out);
    fake_say(fd, STR("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"));
    fake_turn(io);
    assert_int_equal(strncmp(buf_text(&fake.sockets[fd].out), "HTTP/1.1 404 ", 13), 0);
    end(io);
    unlink(name);
    rmdir(folder);
}

static void test_a_refused_client_is_told_the_end_and_may_close_first(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    int fd = fake_connect(io, 0);
    fake_say(fd, STR("GET / HTTP/1.1\r\n\r\n"));
    fake_turn(io);
    assert_int_equal(strncmp(buf_text(&fake.sockets[fd].out), "HTTP/1.1 400 ", 13), 0);
    assert_true(fake.sockets[fd].shut);
    assert_true(fake.sockets[fd].open);
    fake.sockets[fd].eof = true;
    fake_turn(io);
    assert_false(fake.sockets[fd].open);

    /* A WebSocket is told by its close frame. */
    fd = websocket(io);
    say_frame(fd, "{");
    io_ops.on_stop(io, fake.now);
    fake_turn(io);
    assert_false(fake.sockets[fd].shut);
    end(io);
}

static void test_tls_handshakes_are_budgeted_per_turn(void **state)
{
    (void)state;
    char root_name[] = "/tmp/io-test-XXXXXX", cert_name[100], key_name[100], config[400], *cert, *key;
    assert_non_null(mkdtemp(root_name));
    snprintf(cert_name, sizeof(cert_name), "%s/cert.pem", root_name);
    snprintf(key_name, sizeof(key_name), "%s/key.pem", root_name);
    make_identity(&cert, &key, NULL);
    put(cert_name, cert);
    put(key_name, key);
    free(cert);
    free(key);
    snprintf(config, sizeof(config), "general: {\n wss = true }\ncertificates: {\n cert_pem = \"%s\"\n cert_key = \"%s\" }\n", cert_name, key_name);
    struct io *io = start(config, 1024);
    assert_int_equal(io_listening(io), 1);
    fake.sockets[0].waiting = 10;
    fake_turn(io);
    for (int fd = 1; fd <= 10; fd++)
        fake_say(fd, STR("not a client hello"));
    uint32_t reads = 0, before = 0;
    for (int turn = 0; turn < 3; turn++, before = reads) {
        fake_turn(io);
        reads = 0;
        for (int fd = 1; fd <= 10; fd++)
            reads += fake.sockets[fd].reads;
        assert_int_equal(reads - before, turn < 2 ? IO_TLS_PER_TURN : 2);
    }
    assert_int_equal(io_client_counters(io)->ended[CLIENT_END_TLS_FAILED], 10);
    end(io);
    unlink(cert_name);
    unlink(key_name);
    rmdir(root_name);
}

static void test_pages_are_served_beside_websockets(void **state)
{
    (void)state;
    char folder[] = "/tmp/io-test-XXXXXX", name[100], config[200];
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof(name), "%s/index.html", folder);
    put(name, "<p>home</p>");
    snprintf(config, sizeof(config), "general: {\n ws = true\n web_folder = \"%s\" }\n", folder);
    struct io *io = start(config, 1024);
    int fd = fake_connect(io, 0);
    fake_say(fd, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    fake_turn(io);
    const char *out = buf_text(&fake.sockets[fd].out);
    assert_non_null(strstr(out, "Date: Sun, 06 Nov 1994"));
    const char *at = strstr(out, "<p>home</p>");
    assert_non_null(at);
    assert_non_null(strstr(at + 1, "<p>home</p>"));
    fake.sockets[fd].eof = true;
    fake_turn(io);
    assert_false(fake.sockets[fd].open);
    assert_int_equal(fake.sent_count, 0);
    websocket(io);
    end(io);
    unlink(name);
    rmdir(folder);
}

static void want_events(struct io *io, uint16_t mask)
{
    const struct events_wanted wanted = {mask};
    fake_message(io, IO_EVENTS_WANTED, &wanted, sizeof(wanted), VIEW(NULL, 0));
}

static void test_event_handlers_are_told_of_connections_when_they_listen(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    websocket(io);
    assert_int_equal(fake_count(FAKE_RECORD), 0);               /* nobody listens */
    want_events(io, EVENT_ALL);
    int fd = websocket(io);
    const struct fake_sent *s = fake_nth(FAKE_RECORD, 0);
    assert_non_null(s);
    assert_int_equal(s->to, ACTOR_EVENTS);
    const struct event_notice *notice = (const void *)s->bytes;
    assert_int_equal(notice->type, EVENT_TRANSPORT);
    assert_int_equal(s->size, sizeof(*notice) + notice->size);
    assert_true(str_contains(VIEW(notice->text, notice->size), STR("\"data\":{\"event\":\"connected\",\"admin_api\":false,\"ip\":")));
    fake.sockets[fd].eof = true;
    fake_turn(io);
    fake_run_to(io, fake.now + SEC(60));
    assert_non_null(s = fake_nth(FAKE_RECORD, 1));
    notice = (const void *)s->bytes;
    assert_true(str_contains(VIEW(notice->text, notice->size), STR("\"data\":{\"event\":\"disconnected\"}}")));
    want_events(io, EVENT_ALL & ~EVENT_TRANSPORT);
    websocket(io);
    assert_int_equal(fake_count(FAKE_RECORD), 2);
    end(io);
}

static const struct io_answer *ask_query(struct io *io, const struct io_query *query)
{
    const uint32_t before = fake_count(CONTROL_ADMIN_ANSWER);
    fake_message(io, IO_QUERY, query, sizeof(*query), VIEW(NULL, 0));
    assert_int_equal(fake_count(CONTROL_ADMIN_ANSWER), before + 1);
    return (const void *)fake_nth(CONTROL_ADMIN_ANSWER, before)->bytes;
}

static void test_connections_are_counted_and_answers_laid_out_anew(void **state)
{
    (void)state;
    struct io *io = start(WS, 1024);
    struct io_query query = {.transport = TRANSPORT_WEBSOCKETS};
    int fd = websocket(io);
    websocket(io);
    assert_int_equal(ask_query(io, &query)->connections, 2);
    fake.sockets[fd].eof = true;
    fake_turn(io);
    assert_int_equal(ask_query(io, &query)->connections, 1);
    query.transport = TRANSPORT_HTTP;
    const struct io_answer *http = ask_query(io, &query);
    assert_int_equal(http->connections, 0);
    assert_false(http->runs[0] || http->runs[1] || http->runs[2] || http->runs[3]);
    query = (struct io_query){.transport = TRANSPORT_WEBSOCKETS, .configure = true, .sets_layout = true, .layout = LAYOUT_INDENTED};
    ask_query(io, &query);
    int other = websocket(io);
    say_frame(other, "{}");
    fake_turn(io);
    const struct client_request *request = (const void *)fake_nth(CONTROL_CLIENT_REQUEST, 0)->bytes;
    assert_int_equal(request->layout, LAYOUT_INDENTED);
    end(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_handlers_are_told_of_connections_when_they_listen),
        cmocka_unit_test(test_a_request_reaches_control_and_its_reply_the_client),
        cmocka_unit_test(test_many_events_leave_in_one_write),
        cmocka_unit_test(test_a_long_reply_passes),
        cmocka_unit_test(test_partial_writes_resume_on_readiness),
        cmocka_unit_test(test_a_client_out_of_credits_is_not_read_but_its_end_is_seen),
        cmocka_unit_test(test_control_hears_of_each_end_once),
        cmocka_unit_test(test_control_never_hears_of_clients_without_a_request),
        cmocka_unit_test(test_a_stale_readiness_finds_nobody),
        cmocka_unit_test(test_without_a_descriptor_listening_rests_for_200_ms),
        cmocka_unit_test(test_clients_above_the_cap_are_closed_at_once),
        cmocka_unit_test(test_what_epoll_or_a_pool_refuses_is_closed),
        cmocka_unit_test(test_stopping_tells_everybody),
        cmocka_unit_test(test_a_listener_that_cannot_be_had_is_said),
        cmocka_unit_test(test_a_turns_worth_of_output_that_ends_an_answer_is_noticed),
        cmocka_unit_test(test_a_refused_client_is_told_the_end_and_may_close_first),
        cmocka_unit_test(test_tls_handshakes_are_budgeted_per_turn),
        cmocka_unit_test(test_pages_are_served_beside_websockets),
        cmocka_unit_test(test_connections_are_counted_and_answers_laid_out_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
