/* Data channels on control: what is agreed on, messages both ways, and the windows that bound them (webrtc.md 19). */
#include "control/call.h"

#include <stdio.h>
#include <string.h>

#include "control/probe_plugin.h"
#include "control/sdp_texts.h"

#define SDP_DATA_LINE(proto, format, attrs)                                                                                       \
    "m=application 9 " proto " " format "\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:1\r\n" attrs
#define SDP_DATA_OFFER(attrs) SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_DATA_LINE("UDP/DTLS/SCTP", "webrtc-datachannel", attrs)
#define OFFER SDP_DATA_OFFER("a=sctp-port:5001\r\na=max-message-size:300000\r\na=sctp-init:AQAAJA==\r\n")

static struct server s;
static struct call call;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    s.settings.max_message_bytes = DATA_MESSAGE_DEFAULT;
    server_start(&s);
    probe_reset();
    call_begin(&s, &call, 1);
    return 0;
}

/* Offered, answered, up. */
static void connect(const char *offer)
{
    call_connect(&s, &call, offer, "");
    call_fact(&s, &call, CONTROL_PEER_UP);
    call_fact(&s, &call, CONTROL_PEER_DATA_UP);
    assert_string_equal(probe_diary(), "setup data-ready");
    fake_forget(s.actor);
}

static const struct peer_apply_order *applied(const char *offer, char *answer, size_t room)
{
    call_jsep(&s, &call, "answer", "offer", offer, "");
    json_t *event = server_hear_json(&s, 1);                /* the ack */
    json_decref(event);
    event = server_hear_json(&s, 1);
    snprintf(answer, room, "%s", json_string_value(json_object_get(json_object_get(event, "jsep"), "sdp")));
    json_decref(event);
    const struct peer_apply_order *order = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_non_null(order);
    return order;
}

static void test_a_data_line_is_agreed_on(void **state)
{
    (void)state;
    char answer[8192];
    const struct peer_apply_order *order = applied(OFFER, answer, sizeof(answer));
    assert_int_equal(order->data.state, DATA_AGREED);
    assert_true(order->data.to_control);
    assert_int_equal(order->data.mindex, 1);
    assert_int_equal(order->data.remote_port, 5001);
    assert_int_equal(order->data.send_max, 300000);
    assert_int_equal(order->data.receive_max, DATA_MESSAGE_DEFAULT);
    assert_true(ref_equal(order->data.source, host_source(probe_host(), call.name, 1)));
    assert_false(ref_is_none(order->data.source));
    assert_true(ref_is_none(order->mlines[1].source));      /* the line itself carries no packets */
    assert_false(order->mlines[1].send || order->mlines[1].recv);
    assert_non_null(strstr(answer, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert_non_null(strstr(answer, "a=sctp-port:5000\r\n"));
    assert_non_null(strstr(answer, "a=max-message-size:262144\r\n"));
    assert_null(strstr(answer, "sctp-init"));
    assert_non_null(strstr(answer, "a=group:BUNDLE 0 1\r\n"));
    assert_null(strstr(probe_seen.sdp, "sctp"));            /* the plugin sees none of it */
    server_end(&s);
}

static void test_what_a_client_takes_is_what_its_sdp_says(void **state)
{
    (void)state;
    static const struct { const char *attrs; uint32_t max; } cases[] = {
        {"a=sctp-port:5000\r\n", 65536},                    /* RFC 8841 6.1: nothing said */
        {"a=sctp-port:5000\r\na=max-message-size:0\r\n", UINT32_MAX},
        {"a=sctp-port:5000\r\na=max-message-size:1073741823\r\n", 1073741823},
        {"a=sctp-port:5000\r\na=max-message-size:x\r\n", 65536},
    };
    static const char *const offers[] = {SDP_DATA_OFFER("a=sctp-port:5000\r\n"), SDP_DATA_OFFER("a=sctp-port:5000\r\na=max-message-size:0\r\n"),
                                         SDP_DATA_OFFER("a=sctp-port:5000\r\na=max-message-size:1073741823\r\n"),
                                         SDP_DATA_OFFER("a=sctp-port:5000\r\na=max-message-size:x\r\n")};
    char answer[8192];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        call_begin(&s, &call, (uint32_t)(10 + i));
        call_jsep(&s, &call, "answer", "offer", offers[i], "");
        const struct peer_apply_order *order = server_order(&s, WORKER_PEER_APPLY, NULL);
        assert_int_equal(order->data.send_max, cases[i].max);
    }
    (void)answer;
    server_end(&s);
}

static void test_the_old_form_is_answered_in_kind(void **state)
{
    (void)state;
    char answer[8192];
    const struct peer_apply_order *order =
        applied(SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("actpass", "sendrecv", "1001")
                    SDP_DATA_LINE("DTLS/SCTP", "5000", "a=sctpmap:5000 webrtc-datachannel 1024\r\n"), answer, sizeof(answer));
    assert_int_equal(order->data.state, DATA_AGREED);
    assert_int_equal(order->data.remote_port, 5000);
    assert_non_null(strstr(answer, "m=application 9 DTLS/SCTP 5000\r\n"));
    assert_non_null(strstr(answer, "a=sctpmap:5000 webrtc-datachannel 16\r\n"));
    assert_null(strstr(answer, "a=sctp-port"));
    server_end(&s);
}

static void test_data_comes_and_goes_in_renegotiations(void **state)
{
    (void)state;
    call_connect(&s, &call, SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("actpass", "sendrecv", "1001"), "");
    assert_int_equal(host_data_max(probe_host(), call.name), 0);
    call_jsep(&s, &call, "answer", "offer", OFFER, "");
    const struct peer_apply_order *order = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_int_equal(order->data.state, DATA_AGREED);
    assert_int_equal(host_data_max(probe_host(), call.name), 300000);
    call_jsep(&s, &call, "answer", "offer",
              SDP_HEAD("wxyz", "2") SDP_AUDIO_LINE("actpass", "sendrecv", "1001")
                  "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n", "");
    order = server_order(&s, WORKER_PEER_APPLY, NULL);
    assert_int_equal(order->data.state, DATA_NONE);
    assert_true(ref_is_none(host_source(probe_host(), call.name, 1)));
    server_end(&s);
}

/* Offered by us, as a room does it: sinks may hang on it at once; the answer decides. */
static void test_an_offer_of_ours_is_taken_or_rejected(void **state)
{
    (void)state;
    static const char *const ports[] = {"9", "0"};
    static const uint8_t states[] = {DATA_AGREED, DATA_NONE};
    char answer[4096];
    for (uint32_t i = 0; i < 2; i++) {
        call_begin(&s, &call, 2 + i);
        server_say(&s, 2 + i, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":{\"do\":\"offer-data\"}}",
                   call.session, call.handle);
        const struct peer_apply_order *order = server_order(&s, WORKER_PEER_APPLY, NULL);
        assert_int_equal(order->data.state, DATA_OFFERED);
        assert_int_equal(order->data.mindex, 1);
        snprintf(answer, sizeof(answer), "%sm=application %s UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sctp-port:5000\r\n",
                 SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("active", "recvonly", "1001"), ports[i]);
        call_jsep(&s, &call, "ack", "answer", answer, "");
        order = server_order(&s, WORKER_PEER_APPLY, NULL);
        assert_non_null(order);
        assert_int_equal(order->data.state, states[i]);
        assert_int_equal(host_data_max(probe_host(), call.name), i == 0 ? 65536 : 0);
    }
    server_end(&s);
}

/* ---- in ---- */

static void say(const char *label, const char *protocol, bool binary, const char *bytes, uint32_t cost)
{
    size_t sizes[] = {strlen(label), strlen(protocol), strlen(bytes)};
    uint8_t block[512];
    struct data_packet *packet = (void *)block;
    *packet = (struct data_packet){.peer = call.peer, .cost = cost, .size = (uint32_t)sizes[2], .label_size = (uint8_t)sizes[0],
                                   .protocol_size = (uint8_t)sizes[1], .binary = binary};
    memcpy(packet->bytes, label, sizes[0]);
    memcpy(packet->bytes + sizes[0], protocol, sizes[1]);
    memcpy(packet->bytes + sizes[0] + sizes[1], bytes, sizes[2]);
    server_fact(&s, CONTROL_PEER_DATA, packet, sizeof(*packet) + sizes[0] + sizes[1] + sizes[2]);
}

static void expect_credit(uint32_t cost)
{
    uint32_t worker;
    const struct data_credit *credit = server_order(&s, WORKER_DATA_CREDIT, &worker);
    assert_non_null(credit);
    assert_true(ref_equal(credit->peer, call.peer.ref));
    assert_int_equal(worker, call.peer.worker);
    assert_int_equal(credit->cost, cost);
}

static void test_a_message_reaches_the_plugin_and_is_paid_back(void **state)
{
    (void)state;
    connect(OFFER);
    say("chat", "p", false, "hello", 261);
    assert_string_equal(probe_diary(), "data");
    assert_string_equal(probe_seen.label, "chat");
    assert_string_equal(probe_seen.protocol, "p");
    assert_string_equal(probe_seen.data, "hello");
    assert_false(probe_seen.binary);
    expect_credit(261);
    say("", "", true, "", 256);
    assert_true(probe_seen.binary);
    assert_string_equal(probe_seen.data, "");
    expect_credit(256);
    server_end(&s);
}

static void test_what_is_put_off_comes_again_in_order(void **state)
{
    (void)state;
    connect(OFFER);
    probe_seen.puts_off = true;
    say("a", "", false, "1", 257);
    say("a", "", false, "2", 257);
    assert_string_equal(probe_diary(), "data-put-off");     /* the second waits behind the first */
    assert_int_equal(server_orders(&s, WORKER_DATA_CREDIT), 0);
    call_fact(&s, &call, CONTROL_PEER_DATA_UP);
    assert_string_equal(probe_diary(), "data-ready data-put-off");
    probe_seen.puts_off = false;
    call_fact(&s, &call, CONTROL_PEER_DATA_UP);
    assert_string_equal(probe_diary(), "data-ready data data");
    assert_string_equal(probe_seen.data, "2");
    assert_int_equal(server_orders(&s, WORKER_DATA_CREDIT), 2);
    server_end(&s);
}

/* The plugin's reason has nothing to do with this client: it says itself when the reason has gone. */
static void test_what_is_put_off_is_asked_for_again(void **state)
{
    (void)state;
    connect(OFFER);
    probe_seen.puts_off = true;
    say("a", "", false, "1", 257);
    say("a", "", false, "2", 257);
    (void)probe_diary();
    host_data_again(probe_host(), call.name);
    assert_string_equal(probe_diary(), "");                 /* in a later turn */
    server_turn(&s);
    assert_string_equal(probe_diary(), "data-put-off");
    probe_seen.puts_off = false;
    host_data_again(probe_host(), call.name);
    host_data_again(probe_host(), call.name);
    server_turn(&s);
    assert_string_equal(probe_diary(), "data data");
    assert_string_equal(probe_seen.data, "2");
    assert_int_equal(server_orders(&s, WORKER_DATA_CREDIT), 2);
    host_data_again(probe_host(), call.name);
    server_say(&s, 1, "{\"janus\":\"detach\",\"transaction\":\"d\",\"session_id\":%lld,\"handle_id\":%lld}", call.session, call.handle);
    host_data_again(probe_host(), call.name);               /* of a handle that has gone */
    server_turn(&s);
    server_end(&s);
}

static void test_what_is_put_off_ends_with_the_peer(void **state)
{
    (void)state;
    connect(OFFER);
    probe_seen.puts_off = true;
    say("a", "", false, "1", 257);
    server_say(&s, 1, "{\"janus\":\"hangup\",\"transaction\":\"h\",\"session_id\":%lld,\"handle_id\":%lld}", call.session, call.handle);
    say("a", "", false, "2", 257);                          /* of a peer that is closing: nobody's */
    assert_int_equal(probe_seen.data_count, 0);
    server_end(&s);                                         /* and no memory is left */
}

/* ---- out ---- */

static enum err send(const char *label, size_t size)
{
    static uint8_t bytes[DATA_OUT_WINDOW];
    const struct data_message message = {.label = VIEW(label, strlen(label)), .protocol = VIEW("p", 1), .binary = true, .bytes = VIEW(bytes, size)};
    return host_data_send(probe_host(), call.name, &message);
}

static void taken(uint32_t cost)
{
    const struct peer_data_taken_fact fact = {call.peer, cost};
    server_fact(&s, CONTROL_PEER_DATA_TAKEN, &fact, sizeof(fact));
}

static void test_a_message_is_ordered_from_the_peers_worker(void **state)
{
    (void)state;
    uint32_t worker;
    call_connect(&s, &call, OFFER, "");
    assert_int_equal(send("x", 5), ERR_GONE);               /* not up yet */
    call_fact(&s, &call, CONTROL_PEER_UP);
    assert_int_equal(send("x", 5), ERR_NONE);
    const struct data_packet *packet = server_order(&s, WORKER_DATA_SEND, &worker);
    assert_int_equal(worker, call.peer.worker);
    assert_true(ref_equal(packet->peer.ref, call.peer.ref));
    assert_int_equal(packet->size, 5);
    assert_int_equal(packet->label_size, 1);
    assert_int_equal(packet->protocol_size, 1);
    assert_true(packet->binary);
    assert_memory_equal(packet->bytes, "xp\0\0\0\0\0", 7);
    assert_int_equal(packet->cost, 5 + DATA_COST_EXTRA);
    server_end(&s);
}

static void test_a_message_to_many_is_one_order_for_each_worker(void **state)
{
    (void)state;
    struct call calls[5];
    struct ref handles[7] = {REF_NONE};
    enum err results[7];
    uint32_t told = 0, worker;
    connect(OFFER);
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        call_begin(&s, &calls[i], (unsigned)i + 2);
        call_connect(&s, &calls[i], OFFER, "");
        if (i > 0)
            call_fact(&s, &calls[i], CONTROL_PEER_UP);
        handles[i] = calls[i].name;
    }
    handles[5] = call.name;
    assert_int_equal(send("x", 290000), ERR_NONE);
    assert_int_equal(send("x", 290000), ERR_FULL);
    (void)server_orders(&s, WORKER_DATA_SEND);
    static uint8_t bytes[250000];
    const struct data_message message = {.label = VIEW("y", 1), .bytes = VIEW(bytes, sizeof(bytes))};
    host_data_send_all(probe_host(), &message, handles, ARRAY_COUNT(handles), results);
    const enum err wanted[] = {ERR_GONE, ERR_NONE, ERR_NONE, ERR_NONE, ERR_NONE, ERR_FULL, ERR_GONE};    /* not up; up; full; nobody */
    assert_memory_equal(results, wanted, sizeof(wanted));
    for (const struct data_cast *cast; (cast = server_order(&s, WORKER_DATA_CAST, &worker)) != NULL;) {
        for (uint32_t i = 0; i < cast->count; i++) {
            size_t to = 1;
            while (calls[to].peer.worker != worker || !ref_equal(calls[to].peer.ref, cast->peers[i]))
                assert_true(++to < ARRAY_COUNT(calls));
            told |= 1u << to;
        }
        const struct data_packet *packet = data_cast_packet(cast);
        assert_int_equal(packet->size, sizeof(bytes));
        assert_int_equal(packet->label_size, 1);
        assert_int_equal(packet->bytes[0], 'y');
    }
    assert_int_equal(told, 0x1e);
    server_end(&s);
}

/* The worker tells what it has taken in steps: what it has not told yet holds nothing up. */
static void test_what_is_not_told_yet_holds_up_no_long_message(void **state)
{
    (void)state;
    connect(OFFER);
    assert_int_equal(send("x", DATA_TAKEN_STEP - DATA_COST_EXTRA - 1), ERR_NONE);
    assert_int_equal(send("x", 300000), ERR_NONE);
    assert_int_equal(send("x", 300000), ERR_FULL);
    server_end(&s);
}

static void test_there_is_a_window(void **state)
{
    (void)state;
    connect(OFFER);
    const uint32_t each = 100000 + DATA_COST_EXTRA;
    for (unsigned i = 0; i < DATA_OUT_WINDOW / each; i++)
        assert_int_equal(send("x", 100000), ERR_NONE);
    assert_int_equal(send("x", 100000), ERR_FULL);
    assert_int_equal(send("x", 100000), ERR_FULL);
    taken(each);
    assert_string_equal(probe_diary(), "");
    taken(2 * each);
    assert_string_equal(probe_diary(), "data-ready");
    taken(each);
    assert_string_equal(probe_diary(), "");                 /* once */
    assert_int_equal(send("x", 100000), ERR_NONE);
    server_end(&s);
}

static void test_what_can_not_be_sent(void **state)
{
    (void)state;
    char label[DATA_LABEL_MAX + 2] = {0};
    connect(OFFER);
    assert_int_equal(send("x", 300000), ERR_NONE);
    assert_int_equal(send("x", 300001), ERR_INVALID);
    memset(label, 'l', DATA_LABEL_MAX + 1);
    assert_int_equal(send(label, 1), ERR_INVALID);
    label[DATA_LABEL_MAX] = '\0';
    assert_int_equal(send(label, 1), ERR_NONE);
    call.name.generation += 2;
    assert_int_equal(send("x", 1), ERR_GONE);
    server_end(&s);
}

/* ---- the graph ---- */

static void test_a_data_line_takes_many_sinks(void **state)
{
    (void)state;
    struct call viewer;
    uint32_t worker;
    call_connect(&s, &call, OFFER, "");
    struct ref source = host_source(probe_host(), call.name, 1);
    call_begin(&s, &viewer, 2);
    assert_true(ref_is_none(host_data_sink_add(probe_host(), source, viewer.name, VIEW("a", 1), false)));     /* it has no line */
    call_connect(&s, &viewer, OFFER, "");
    struct ref one = host_data_sink_add(probe_host(), source, viewer.name, VIEW("one", 3), true);
    struct ref two = host_data_sink_add(probe_host(), REF_NONE, viewer.name, VIEW("two", 3), false);
    const struct data_sink_add_order *add = server_order(&s, WORKER_DATA_SINK_ADD, &worker);
    assert_int_equal(worker, viewer.peer.worker);
    assert_true(ref_equal(add->state.sink, one) && ref_equal(add->peer, viewer.peer.ref));
    assert_true(ref_equal(add->state.source.ref, source));
    assert_int_equal(add->state.source.worker, call.peer.worker);
    assert_true(add->state.paused);
    assert_memory_equal(add->label, "one", add->label_size);
    (void)server_order(&s, WORKER_DATA_SINK_ADD, NULL);
    host_sink_set(probe_host(), one, &(struct sink_options){.paused = false});
    const struct data_sink_set_order *set = server_order(&s, WORKER_DATA_SINK_SET, NULL);
    assert_true(ref_equal(set->sink, one) && ref_equal(set->source.ref, source) && !set->paused);
    host_sink_switch(probe_host(), two, source);
    set = server_order(&s, WORKER_DATA_SINK_SET, NULL);
    assert_true(ref_equal(set->sink, two) && ref_equal(set->source.ref, source));
    host_sink_del(probe_host(), two);
    assert_true(ref_equal(((const struct sink_del_order *)server_order(&s, WORKER_SINK_DEL, NULL))->sink, two));
    host_source_set_active(probe_host(), source, false);
    assert_false(((const struct source_set_order *)server_order(&s, WORKER_SOURCE_SET, NULL))->active);
    fake_forget(s.actor);
    server_gone(&s, 1);                                     /* the source ends: its sink falls silent */
    server_turn(&s);
    server_advance(&s, SEC(2));
    server_end(&s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(test_a_data_line_is_agreed_on),
        T(test_what_a_client_takes_is_what_its_sdp_says),
        T(test_the_old_form_is_answered_in_kind),
        T(test_data_comes_and_goes_in_renegotiations),
        T(test_an_offer_of_ours_is_taken_or_rejected),
        T(test_a_message_reaches_the_plugin_and_is_paid_back),
        T(test_what_is_put_off_comes_again_in_order),
        T(test_what_is_put_off_is_asked_for_again),
        T(test_what_is_put_off_ends_with_the_peer),
        T(test_a_message_is_ordered_from_the_peers_worker),
        T(test_a_message_to_many_is_one_order_for_each_worker),
        T(test_what_is_not_told_yet_holds_up_no_long_message),
        T(test_there_is_a_window),
        T(test_what_can_not_be_sent),
        T(test_a_data_line_takes_many_sinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
