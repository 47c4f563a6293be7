/* A thousand seeds of clients that do everything in any order, workers that report at random, connections that go, time that
 * passes. Checked in each: every document is answered exactly once, per client in order; an event tied to a request comes
 * after its reply; every text gives one credit back; every order names what its worker knows; nothing is left at the end. */
#include "control/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/probe_plugin.h"
#include "control/sdp_texts.h"

#define SEEDS          1000u
#define STEPS          150u
#define CLIENTS        5u
#define TRANSACTIONS   8192u
#define KNOWN          64u
#define PEERS          2048u
#define SINKS          2048u
#define DOCUMENTS_MAX  100u

static struct server s;
static uint64_t dice;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)((dice >> 11) % sides);
}

/* -- what has been asked ------------------------------------------------------------------------------------------------ */

enum asked { ASKED_OTHER, ASKED_CREATE, ASKED_ATTACH };

static struct {
    uint8_t asked;
    bool replied;
    int64_t session;                    /* of an attach */
} transactions[TRANSACTIONS];
static uint32_t transaction_count;

static struct client {
    uint32_t slot;                      /* its name; a new one for each connection */
    uint32_t texts, credits;
    uint32_t first, count;              /* transactions that still wait for their reply */
    uint32_t waiting[TRANSACTIONS];
} clients[CLIENTS];
static uint32_t next_slot;

static struct {
    int64_t session, handle;
} handles[KNOWN];
static int64_t sessions[KNOWN];
static uint32_t handle_count, session_count;

static void connect_client(struct client *client)
{
    client->slot = next_slot++;
    client->texts = client->credits = client->first = client->count = 0;
}

static struct client *client_of(uint32_t slot)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        if (clients[i].slot == slot)
            return &clients[i];
    return NULL;
}

/* -- a worker that only keeps books ---------------------------------------------------------------------------------------- */

enum peer_state { PEER_UNKNOWN, PEER_IS_OPEN, PEER_IS_CLOSING, PEER_IS_CLOSED };

static struct {
    struct peer_ref peer;
    enum peer_state state;
    uint16_t lines;
} peers[PEERS];
static uint32_t peer_count;

static struct {
    struct ref sink;
    struct ref peer;
    uint32_t worker;
    bool alive;
} sinks[SINKS];
static uint32_t sink_count;

static uint32_t find_peer(uint32_t worker, struct ref ref)
{
    for (uint32_t i = 0; i < peer_count; i++)
        if (peers[i].peer.worker == worker && ref_equal(peers[i].peer.ref, ref))
            return i;
    fail_msg("an order names a peer that was never opened");
    return 0;
}

static void must_be_open(uint32_t worker, struct ref ref)
{
    assert_int_equal(peers[find_peer(worker, ref)].state, PEER_IS_OPEN);
}

static void on_open(uint32_t worker, const struct peer_open_order *order)
{
    for (uint32_t i = 0; i < peer_count; i++)           /* its slot is free */
        if (peers[i].peer.worker == worker && peers[i].peer.ref.slot == order->peer.slot)
            assert_int_equal(peers[i].state, PEER_IS_CLOSED);
    assert_true(peer_count < PEERS);
    peers[peer_count].peer = (struct peer_ref){order->peer, worker};
    peers[peer_count].lines = 0;
    peers[peer_count++].state = PEER_IS_OPEN;
}

static void on_close(uint32_t worker, const struct peer_close_order *order)
{
    uint32_t i = find_peer(worker, order->peer);
    assert_int_equal(peers[i].state, PEER_IS_OPEN);
    peers[i].state = PEER_IS_CLOSING;
    for (uint32_t k = 0; k < sink_count; k++)           /* ended one by one before */
        assert_false(sinks[k].alive && sinks[k].worker == worker && ref_equal(sinks[k].peer, order->peer));
}

static void on_apply(uint32_t worker, const struct peer_apply_order *order)
{
    uint32_t i = find_peer(worker, order->peer);
    assert_int_equal(peers[i].state, PEER_IS_OPEN);
    assert_true(order->mline_count >= peers[i].lines);
    peers[i].lines = order->mline_count;
    for (uint16_t k = 0; k < order->mline_count; k++)
        assert_true(order->start || !(order->mlines[k].send || order->mlines[k].recv));
}

static uint32_t find_sink(uint32_t worker, struct ref ref)
{
    for (uint32_t i = 0; i < sink_count; i++)
        if (sinks[i].alive && sinks[i].worker == worker && ref_equal(sinks[i].sink, ref))
            return i;
    fail_msg("an order names a sink that its worker does not have");
    return 0;
}

static void on_sink_add(uint32_t worker, const struct sink_add_order *order)
{
    must_be_open(worker, order->peer);
    assert_true(order->mindex < peers[find_peer(worker, order->peer)].lines);
    for (uint32_t i = 0; i < sink_count; i++)
        assert_false(sinks[i].alive && sinks[i].sink.slot == order->sink.slot);
    assert_true(sink_count < SINKS);
    sinks[sink_count].sink = order->sink;
    sinks[sink_count].peer = order->peer;
    sinks[sink_count].worker = worker;
    sinks[sink_count++].alive = true;
}

static void on_order(uint32_t worker, uint16_t type, const void *payload)
{
    switch ((enum worker_message)type) {
    case WORKER_PEER_OPEN: on_open(worker, payload); break;
    case WORKER_PEER_APPLY: on_apply(worker, payload); break;
    case WORKER_PEER_CANDIDATE: must_be_open(worker, ((const struct peer_candidate_order *)payload)->peer); break;
    case WORKER_PEER_CANDIDATES_END: must_be_open(worker, ((const struct peer_end_order *)payload)->peer); break;
    case WORKER_PEER_CLOSE: on_close(worker, payload); break;
    case WORKER_SINK_ADD: on_sink_add(worker, payload); break;
    case WORKER_SINK_SET: find_sink(worker, ((const struct sink_set_order *)payload)->sink); break;
    case WORKER_SINK_SWITCH: find_sink(worker, ((const struct sink_switch_order *)payload)->sink); break;
    case WORKER_SINK_DEL: sinks[find_sink(worker, ((const struct sink_del_order *)payload)->sink)].alive = false; break;
    case WORKER_DATA_SEND: must_be_open(worker, ((const struct data_packet *)payload)->peer.ref); break;
    case WORKER_DATA_CAST:
        for (uint32_t i = 0; i < ((const struct data_cast *)payload)->count; i++)
            must_be_open(worker, ((const struct data_cast *)payload)->peers[i]);
        break;
    case WORKER_DATA_CREDIT: must_be_open(worker, ((const struct data_credit *)payload)->peer); break;
    case WORKER_DATA_SINK_ADD: must_be_open(worker, ((const struct data_sink_add_order *)payload)->peer); break;
    case WORKER_DATA_SINK_SET:
    case WORKER_RELAY_DATA:
    case WORKER_RELAY_DATA_DONE:
    case WORKER_NONE:
    case WORKER_SOURCE_SET:
    case WORKER_SOURCE_CAP:
    case WORKER_KEYFRAME_ASK:
    case WORKER_PLAIN_OPEN:
    case WORKER_PLAIN_CLOSE:
    case WORKER_FORWARD_ADD:
    case WORKER_FORWARD_DEL:
    case WORKER_SOURCE_LEVELS:
    case WORKER_INLET_OPEN:
    case WORKER_INLET_CLOSE:
    case WORKER_RELAY_OPEN:
    case WORKER_RELAY_CLOSE:
    case WORKER_RELAY_STATE:
    case WORKER_RECORD_START:
    case WORKER_RECORD_STOP:
    case WORKER_RECORD_WRITTEN:
    case WORKER_ADJUST:
    case WORKER_EVENTS_WANTED:
    case WORKER_COLLECT:
        break;
    }
}

/* -- what comes out ------------------------------------------------------------------------------------------------------ */

static void learn(uint32_t transaction, const json_t *document)
{
    json_int_t id = json_integer_value(json_object_get(json_object_get(document, "data"), "id"));
    if (id == 0)
        return;
    if (transactions[transaction].asked == ASKED_CREATE)
        sessions[session_count++ % KNOWN] = id;
    if (transactions[transaction].asked == ASKED_ATTACH) {
        handles[handle_count % KNOWN].session = transactions[transaction].session;
        handles[handle_count++ % KNOWN].handle = id;
    }
}

/* -1: none. */
static long transaction_of(const json_t *document)
{
    const char *text = json_string_value(json_object_get(document, "transaction"));
    return text == NULL ? -1 : strtol(text, NULL, 10);
}

static void on_text(const struct io_send *send)
{
    json_error_t error;
    json_t *document = json_loadb(send->text, send->size, 0, &error);
    assert_non_null(document);
    long transaction = transaction_of(document);
    struct client *client = client_of(send->client.slot);
    assert_non_null(client);                            /* nothing goes to a client that has gone */
    if (send->event) {
        if (transaction >= 0)
            assert_true(transactions[transaction].replied);
    } else {
        assert_true(client->count > 0);
        uint32_t expected = client->waiting[client->first++];
        client->count--;
        assert_true(transaction < 0 || (uint32_t)transaction == expected);
        assert_false(transactions[expected].replied);
        transactions[expected].replied = true;
        learn(expected, document);
    }
    json_decref(document);
}

static void drain(void)
{
    for (size_t i = 0; i < s.actor->count; i++) {
        const struct fake_sent *sent = &s.actor->sent[i];
        if (sent->to >= ACTOR_WORKER_0) {
            on_order(sent->to - ACTOR_WORKER_0, sent->type, sent->payload);
        } else if (sent->type == IO_SEND) {
            on_text(sent->payload);
        } else {
            struct client *client = client_of(((const struct io_credit *)sent->payload)->client.slot);
            assert_int_equal(sent->type, IO_CREDIT);
            if (client != NULL)
                client->credits++;
        }
    }
    fake_forget(s.actor);
}

/* -- what goes in -------------------------------------------------------------------------------------------------------- */

static int64_t any_session(void)
{
    uint32_t known = session_count < KNOWN ? session_count : KNOWN;
    return known == 0 || roll(12) == 0 ? roll(3) : sessions[roll(known)];
}

static void any_handle(int64_t *session, int64_t *handle)
{
    uint32_t known = handle_count < KNOWN ? handle_count : KNOWN;
    if (known == 0 || roll(12) == 0) {
        *session = any_session();
        *handle = roll(3);
        return;
    }
    uint32_t i = roll(known);
    *session = handles[i].session;
    *handle = handles[i].handle;
}

static void add_message(struct buf *out)
{
    static const char *const verbs[] = {"sync", "empty", "error", "silent", "ack", "events", "answer", "refuse", "answer-twice", "offer", "restart",
                                        "add-line", "echo", "close", "detach", "close-and-detach", "bad-answer", "group"};
    static const char *const offers[] = {SDP_CLIENT_OFFER, SDP_HEAD("new1", "2") SDP_AUDIO_LINE("actpass", "recvonly", "1001")
                                         SDP_VIDEO_LINE("actpass", "sendonly") SDP_SIMULCAST, "v=0\r\nbroken"};
    const char *what = roll(3) == 0 ? "echo" : verbs[roll(ARRAY_COUNT(verbs))];
    uint32_t jsep = roll(4);
    if (jsep == 1 && roll(2) == 0)
        what = "answer";
    buf_addf(out, ",\"body\":{\"do\":\"%s\",\"group\":%u,\"e2ee\":%s}", what, roll(3), roll(2) == 0 ? "true" : "false");
    if (jsep > 2)
        return;
    char *sdp = json_quoted(jsep == 2 ? SDP_CLIENT_ANSWER : offers[roll(8) == 0 ? 2 : roll(2)]);
    buf_addf(out, ",\"jsep\":{\"type\":\"%s\",\"sdp\":%s,\"trickle\":%s}", jsep == 2 ? "answer" : "offer", sdp, roll(4) == 0 ? "false" : "true");
    free(sdp);
}

static void add_trickle(struct buf *out)
{
    static const char *const forms[] = {
        ",\"candidate\":null", ",\"candidates\":[]", "", ",\"candidates\":7", ",\"candidate\":{\"sdpMid\":\"1\",\"candidate\":\"\"}",
        ",\"candidate\":{\"sdpMid\":\"0\",\"candidate\":\"candidate:1 1 udp 2122260223 10.0.0.5 50001 typ host\"}",
        ",\"candidates\":[{\"sdpMLineIndex\":0,\"candidate\":\"candidate:1 1 udp 2122260223 10.0.0.6 50001 typ host\"},{\"completed\":true}]"};
    buf_add_text(out, forms[roll(ARRAY_COUNT(forms))]);
}

static void add_document(struct client *client, struct buf *out)
{
    static const char *const verbs[] = {"ping", "info", "create", "attach", "attach", "keepalive", "claim", "destroy", "detach", "hangup", "message",
                                        "message", "message", "message", "message", "message", "message", "trickle", "trickle", "nonsense"};
    uint32_t transaction = transaction_count++;
    const char *verb = verbs[roll(ARRAY_COUNT(verbs))];
    int64_t session = 0, handle = 0;
    bool at_root = strcmp(verb, "ping") == 0 || strcmp(verb, "info") == 0 || strcmp(verb, "create") == 0;
    bool at_session = strcmp(verb, "attach") == 0 || strcmp(verb, "destroy") == 0;
    if (!at_root || roll(20) == 0)
        any_handle(&session, &handle);
    if (at_session && roll(20) != 0) {
        session = any_session();
        handle = 0;
    }
    assert_true(transaction < TRANSACTIONS);
    transactions[transaction].replied = false;
    transactions[transaction].asked = strcmp(verb, "create") == 0 ? ASKED_CREATE : strcmp(verb, "attach") == 0 ? ASKED_ATTACH : ASKED_OTHER;
    transactions[transaction].session = session;
    client->waiting[client->first + client->count++] = transaction;

    buf_addf(out, "{\"janus\":\"%s\"", verb);
    if (roll(50) != 0)
        buf_addf(out, ",\"transaction\":\"%" PRIu32 "\"", transaction);
    if (session != 0)
        buf_addf(out, ",\"session_id\":%" PRId64, session);
    if (handle != 0)
        buf_addf(out, ",\"handle_id\":%" PRId64, handle);
    if (transactions[transaction].asked == ASKED_CREATE && roll(4) == 0)
        buf_addf(out, ",\"id\":%u", roll(4));
    if (transactions[transaction].asked == ASKED_ATTACH)
        buf_addf(out, ",\"plugin\":\"janus.plugin.%s\"", roll(8) == 0 ? "shy" : roll(8) == 0 ? "gone" : "probe");
    if (strcmp(verb, "message") == 0)
        add_message(out);
    if (strcmp(verb, "trickle") == 0)
        add_trickle(out);
    buf_add_text(out, "}");
}

static void say_something(void)
{
    struct client *client = &clients[roll(CLIENTS)];
    uint32_t documents = roll(20) == 0 ? 1 + roll(DOCUMENTS_MAX) : 1;
    struct buf text;
    if (transaction_count + documents > TRANSACTIONS - 1)
        return;
    buf_init(&text, 4 * 1024 * 1024);
    for (uint32_t i = 0; i < documents; i++) {
        add_document(client, &text);
        buf_add_char(&text, ' ');
    }
    client->texts++;
    server_post(&s, client->slot, buf_text(&text));
    buf_fini(&text);
}

static void report_something(void)
{
    if (peer_count == 0)
        return;
    uint32_t i = roll(4) == 0 ? roll(peer_count) : peer_count - 1 - roll(peer_count < 4 ? peer_count : 4);
    struct peer_fact fact = {peers[i].peer};
    struct peer_hangup_fact hangup = {peers[i].peer, roll(9)};
    struct peer_media_fact media = {.peer = peers[i].peer, .mindex = (uint16_t)roll(4), .substream = (int8_t)(roll(4) - 1), .receiving = roll(2) == 0};
    struct peer_slowlink_fact slow = {.peer = peers[i].peer, .mindex = (uint16_t)roll(4), .lost = roll(100)};
    struct sink_layer_fact layer = {.sink = {roll(8), 1 + roll(8)}, .substream = 1, .temporal = 1};
    switch (roll(6)) {
    case 0: server_fact(&s, CONTROL_PEER_UP, &fact, sizeof(fact)); break;
    case 1: server_fact(&s, CONTROL_PEER_HANGUP, &hangup, sizeof(hangup)); break;
    case 2: server_fact(&s, CONTROL_PEER_ICE_FAILED, &fact, sizeof(fact)); break;
    case 3: server_fact(&s, CONTROL_PEER_MEDIA, &media, sizeof(media)); break;
    case 4: server_fact(&s, CONTROL_PEER_SLOWLINK, &slow, sizeof(slow)); break;
    default: server_fact(&s, CONTROL_SINK_LAYER, &layer, sizeof(layer)); break;
    }
}

static void confirm_closings(uint32_t one_in)
{
    for (uint32_t i = 0; i < peer_count; i++) {
        struct peer_fact fact = {peers[i].peer};
        if (peers[i].state != PEER_IS_CLOSING || roll(one_in) != 0)
            continue;
        peers[i].state = PEER_IS_CLOSED;
        server_fact(&s, CONTROL_PEER_CLOSED, &fact, sizeof(fact));
    }
}

static void reconnect_someone(void)
{
    struct client *client = &clients[roll(CLIENTS)];
    server_gone(&s, client->slot);
    drain();
    connect_client(client);
}

static void settle(void)
{
    for (int i = 0; i < 10000 && control_ops.deadline(s.control) <= s.now; i++) {
        server_turn(&s);
        drain();
    }
}

static void step(void)
{
    switch (roll(20)) {
    case 0: reconnect_someone(); break;
    case 1: server_advance(&s, MSEC(roll(5000))); break;
    case 2: case 3: case 4: report_something(); break;
    case 5: case 6: drain(); confirm_closings(2); break;
    case 7: server_turn(&s); break;
    default: say_something(); break;
    }
    if (roll(2) == 0)
        server_turn(&s);
    drain();
}

static void run(uint64_t seed)
{
    dice = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    transaction_count = handle_count = session_count = peer_count = sink_count = 0;
    next_slot = 1;
    server_init(&s);
    s.seed = seed + 1;
    s.config.random_placement = roll(2) == 0;
    s.settings.full_trickle = roll(4) == 0;
    s.settings.session_timeout_s = roll(3) * 10;
    s.settings.reclaim_session_timeout_s = roll(2) * 5;
    server_start(&s);
    for (uint32_t i = 0; i < CLIENTS; i++)
        connect_client(&clients[i]);
    for (uint32_t i = 0; i < STEPS; i++)
        step();
    settle();
    for (uint32_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(clients[i].count, 0);
        assert_int_equal(clients[i].credits, clients[i].texts);
    }
    control_ops.on_stop(s.control, s.now);
    settle();
    drain();
    if (seed % 2 == 0) {                                /* else the deadline has to do */
        confirm_closings(1);
        assert_int_equal(control_sizes(s.control).pcs, 0);
        assert_int_equal(control_sizes(s.control).sources, 0);
    }
    server_advance(&s, SEC(10));
    assert_true(s.actor->stopped);
    assert_int_equal(control_sizes(s.control).sessions + control_sizes(s.control).handles + control_sizes(s.control).sinks, 0);
    assert_int_equal(control_counters(s.control)->malformed_messages, 0);
    server_end(&s);
}

static uint64_t last_seed = SEEDS;

static void test_a_thousand_interleavings(void **state)
{
    (void)state;
    const char *one = getenv("SEED");                   /* replays one of them */
    if (one != NULL) {
        run(strtoull(one, NULL, 10));
        return;
    }
    for (last_seed = 0; last_seed < SEEDS; last_seed++)
        run(last_seed);
}

/* A failure jumps here: SEED=n replays it. */
static int tell_seed(void **state)
{
    (void)state;
    if (last_seed < SEEDS)
        print_message("seed %" PRIu64 "\n", last_seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_thousand_interleavings, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
