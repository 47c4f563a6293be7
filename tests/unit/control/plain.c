/* Sockets of plain RTP and forwards, as control names them: orders to the right worker, and nothing outlives its source. */
#include "control/plain.h"

#include "control/call.h"
#include "control/graph.h"
#include "control/probe_plugin.h"
#include "control/sdp_texts.h"

static struct server s;
static struct call publisher;
static struct source *source;
static const struct plain_options sends = {.use = PLAIN_SEND, .local = {.family = NET_IP4}};
static const struct forward_options as_it_comes = {.layer = 0};

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    server_start(&s);
    call_begin(&s, &publisher, 1);
    call_connect(&s, &publisher, SDP_CLIENT_OFFER, "");
    source = graph_source(s.control, publisher.sources[1]);
    assert_non_null(source);
    return 0;
}

static struct ref open_plain(struct ref op)
{
    struct ref plain = plain_open(s.control, source_worker(source), &sends, op);
    assert_false(ref_is_none(plain));
    return plain;
}

static void test_a_socket_is_opened_where_its_source_is(void **state)
{
    (void)state;
    uint32_t worker;
    const struct ref op = {7, 3};
    struct ref plain = open_plain(op);
    const struct plain_open_order *order = server_order(&s, WORKER_PLAIN_OPEN, &worker);
    assert_int_equal(worker, publisher.peer.worker);
    assert_true(ref_equal(order->plain, plain));
    assert_int_equal(order->options.use, PLAIN_SEND);
    assert_int_equal(control_sizes(s.control).plains, 1);
    plain_close(s.control, plain);
    const struct plain_close_order *close = server_order(&s, WORKER_PLAIN_CLOSE, &worker);
    assert_true(ref_equal(close->plain, plain));
    assert_int_equal(control_sizes(s.control).plains, 0);
    plain_close(s.control, plain);
    plain_close(s.control, REF_NONE);
    assert_int_equal(server_orders(&s, WORKER_PLAIN_CLOSE), 0);
    assert_int_equal(control_counters(s.control)->verbs_stale, 1);
    server_end(&s);
}

static void test_an_answer_that_nobody_waits_for_is_counted(void **state)
{
    (void)state;
    const struct plain_opened_fact fact = {.plain = {1, 1}};
    server_fact(&s, CONTROL_PLAIN_OPENED, &fact, sizeof(fact));         /* of a socket that was opened with nobody waiting */
    const struct dns_answer answer = {.count = 0};
    server_fact(&s, CONTROL_NAME_FOUND, &answer, sizeof(answer));
    assert_int_equal(control_counters(s.control)->answers_stale, 1);
    server_end(&s);
}

static void test_a_forward_goes_with_its_source(void **state)
{
    (void)state;
    struct forward_way way = {.plain = open_plain(REF_NONE), .to = {.ip = {10, 0, 0, 9}, .port = 5004, .family = NET_IP4}};
    struct ref first = forward_add(s.control, source, &way, &as_it_comes), second = forward_add(s.control, source, &way, &as_it_comes);
    assert_false(ref_equal(first, second));
    const struct forward_add_order *add = server_order(&s, WORKER_FORWARD_ADD, NULL);
    assert_true(ref_equal(add->forward, first));
    assert_true(ref_equal(add->source, source->ref));
    assert_int_equal(add->way.to.port, 5004);
    forward_del(s.control, first);
    assert_int_equal(server_orders(&s, WORKER_FORWARD_DEL), 1);
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", publisher.session, publisher.handle);
    const struct forward_del_order *del = server_order(&s, WORKER_FORWARD_DEL, NULL);
    assert_true(ref_equal(del->forward, second));
    assert_int_equal(control_sizes(s.control).forwards, 0);
    forward_del(s.control, second);             /* whoever remembers it may say so */
    assert_int_equal(control_sizes(s.control).plains, 1);       /* is its owner's */
    plain_close(s.control, way.plain);
    server_end(&s);
}

static void test_a_forward_needs_its_socket(void **state)
{
    (void)state;
    struct forward_way way = {.plain = open_plain(REF_NONE), .to = {.family = NET_IP4}};
    plain_close(s.control, way.plain);
    assert_true(ref_is_none(forward_add(s.control, source, &way, &as_it_comes)));
    assert_int_equal(control_counters(s.control)->verbs_refused, 1);
    assert_int_equal(server_orders(&s, WORKER_FORWARD_ADD), 0);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_socket_is_opened_where_its_source_is, setup),
        cmocka_unit_test_setup(test_an_answer_that_nobody_waits_for_is_counted, setup),
        cmocka_unit_test_setup(test_a_forward_goes_with_its_source, setup),
        cmocka_unit_test_setup(test_a_forward_needs_its_socket, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
