/* Data channels of two peers: over DTLS, through control and through the graph, and what holds them back (webrtc.md 19). */
#include "duo.h"

#include <stdlib.h>
#include <string.h>

static struct duo duo;

#define SOURCE ((struct ref){40, 1})

static void agree(int side)
{
    duo.side[side].data = (struct peer_data_desc){.state = DATA_AGREED, .to_control = true, .remote_port = 5000, .receive_max = 262144,
                                                  .send_max = 262144, .source = SOURCE};
}

static bool channels_up(struct duo *d)
{
    return d->side[A].data_up && d->side[B].data_up;
}

static int setup(void **state)
{
    (void)state;
    duo_init(&duo, &(struct duo_options){.a_controlling = true});
    (void)duo_line(&duo, &(struct duo_line){.codec = CODEC_OPUS, .a_sends = true, .b_sends = true});
    agree(A);
    agree(B);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    duo_fini(&duo);
    return 0;
}

static void connect(void)
{
    duo_connect(&duo);
    assert_true(duo_run_until(&duo, channels_up, duo.now + SEC(5)));
}

static void expect_last(int side, const char *label, const char *protocol, bool binary, const void *bytes, size_t size)
{
    const struct data_packet *packet = duo.side[side].data_last;
    const size_t label_size = strlen(label), protocol_size = strlen(protocol);
    assert_non_null(packet);
    assert_int_equal(packet->label_size, label_size);
    assert_memory_equal(packet->bytes, label, label_size);
    assert_int_equal(packet->protocol_size, protocol_size);
    assert_memory_equal(packet->bytes + label_size, protocol, protocol_size);
    assert_int_equal(packet->binary, binary);
    assert_int_equal(packet->size, size);
    if (size > 0)
        assert_memory_equal(packet->bytes + label_size + protocol_size, bytes, size);
}

static uint8_t *pattern(size_t size)
{
    uint8_t *bytes = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    return bytes;
}

static void test_messages_go_both_ways(void **state)
{
    (void)state;
    connect();
    duo_say(&duo, A, "chat", "proto", false, "hello", 5);
    duo_run_for(&duo, MSEC(100));
    expect_last(B, "chat", "proto", false, "hello", 5);
    duo_say(&duo, B, "chat", "", true, "\0\1", 2);          /* on the channel that the other side has opened */
    duo_run_for(&duo, MSEC(100));
    expect_last(A, "chat", "proto", true, "\0\1", 2);
    duo_say(&duo, A, "", "", false, "", 0);
    duo_run_for(&duo, MSEC(100));
    expect_last(B, "", "", false, "", 0);
    assert_int_equal(duo.side[A].data_taken, 0);            /* too little to be told */
    assert_int_equal(duo.side[A].peer->data->taken, 5 + 2 * DATA_COST_EXTRA);
    assert_int_equal(duo.side[A].peer->data->dcep.channel_count, 2);
}

static void test_long_messages_arrive_whole(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(262145);
    connect();
    for (int side = 0; side < 2; side++) {
        duo_say(&duo, side, "file", "", true, bytes, 262144);
        duo_run_for(&duo, SEC(5));
        expect_last(1 - side, "file", "", true, bytes, 262144);
    }
    duo_say(&duo, A, "file", "", false, bytes, 262145);     /* control has to know better */
    duo_run_for(&duo, SEC(1));
    assert_int_equal(duo.side[B].data_count, 1);
    assert_int_equal(duo.side[A].env.counters.data_lost, 1);
    assert_int_equal(duo.side[A].data_taken, 262144 + 262145 + 2 * DATA_COST_EXTRA);
    free(bytes);
}

static void test_data_may_come_later(void **state)
{
    (void)state;
    duo.side[A].data = duo.side[B].data = (struct peer_data_desc){.state = DATA_NONE};
    duo_connect(&duo);
    duo_say(&duo, A, "x", "", false, "lost", 4);
    assert_int_equal(duo.side[A].data_taken, 4 + DATA_COST_EXTRA);
    duo_run_for(&duo, SEC(1));
    assert_int_equal(duo.side[A].env.associations.used, 0);
    agree(A);
    duo_apply(&duo, A, true, false);
    duo_run_for(&duo, MSEC(300));                           /* the answer is still under way */
    agree(B);
    duo_apply(&duo, B, true, false);
    assert_true(duo_run_until(&duo, channels_up, duo.now + SEC(5)));
    duo_say(&duo, A, "x", "", false, "found", 5);
    duo_run_for(&duo, MSEC(100));
    expect_last(B, "x", "", false, "found", 5);
}

static void test_data_may_go_and_come_again(void **state)
{
    (void)state;
    connect();
    duo_say(&duo, A, "x", "", false, "one", 3);
    duo_run_for(&duo, MSEC(100));
    for (int side = 0; side < 2; side++)
        duo.side[side].data = (struct peer_data_desc){.state = DATA_NONE};
    duo_apply(&duo, A, true, false);
    duo_apply(&duo, B, true, false);
    duo_run_for(&duo, MSEC(100));
    assert_int_equal(duo.side[A].env.associations.used + duo.side[B].env.associations.used, 0);
    assert_int_equal(duo.side[A].data_sources.count, 0);
    agree(A);
    agree(B);
    duo_apply(&duo, B, true, false);
    duo_apply(&duo, A, true, false);
    duo.side[A].data_up = duo.side[B].data_up = false;
    assert_true(duo_run_until(&duo, channels_up, duo.now + SEC(10)));
    duo_say(&duo, B, "x", "", false, "two", 3);
    duo_run_for(&duo, MSEC(200));
    expect_last(A, "x", "", false, "two", 3);
}

static void test_an_offer_that_waits_changes_nothing(void **state)
{
    (void)state;
    connect();
    duo.side[A].data.state = DATA_OFFERED;
    duo_apply(&duo, A, true, false);
    duo_say(&duo, A, "x", "", false, "still", 5);
    duo_run_for(&duo, MSEC(100));
    expect_last(B, "x", "", false, "still", 5);
}

static void test_control_that_is_not_done_is_not_told_more(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(60000);
    connect();
    duo.side[B].hoards = true;
    for (unsigned i = 0; i < 60; i++)
        duo_say(&duo, A, "f", "", true, bytes, 60000);
    duo_run_for(&duo, SEC(10));
    const uint32_t told = duo.side[B].data_count;
    assert_in_range(duo.side[B].data_cost, DATA_IN_WINDOW, DATA_IN_WINDOW + 61000);
    duo_run_for(&duo, SEC(10));
    assert_int_equal(duo.side[B].data_count, told);
    assert_true(duo.side[A].data_taken < 60 * 60256);       /* what does not fit stays with us: control's window counts it */
    assert_false(duo.side[A].ended || duo.side[B].ended);
    peer_data_credit(duo.side[B].peer, duo.side[B].data_cost);
    duo.side[B].hoards = false;
    duo_turn(&duo, B);
    duo_run_for(&duo, SEC(20));
    assert_int_equal(duo.side[B].data_count, 60);
    assert_int_equal(duo.side[A].data_taken, 60 * 60256);
    free(bytes);
}

static void test_a_flood_of_tiny_messages_is_bounded(void **state)
{
    (void)state;
    connect();
    duo.side[B].hoards = true;
    for (unsigned i = 0; i < 6000; i++)
        duo_say(&duo, A, "f", "", true, "x", 1);
    duo_run_for(&duo, SEC(10));
    assert_in_range(duo.side[B].data_count, 1000, DATA_IN_WINDOW / DATA_COST_EXTRA + 1);
    duo.side[B].hoards = false;
    peer_data_credit(duo.side[B].peer, duo.side[B].data_cost);
    duo_turn(&duo, B);
    duo_run_for(&duo, SEC(20));
    assert_int_equal(duo.side[B].data_count, 6000);
}

/* ---- the graph ---- */

static struct data_sink *add_sink(int side, const char *label)
{
    struct side *s = &duo.side[side];
    struct data_sink *sink = data_sink_new(&s->media, (struct ref){50 + (uint32_t)label[0], 1}, peer_data_port(s->peer), VIEW(label, strlen(label)));
    assert_true(slots_put(&s->data_sinks, sink->name, sink));
    data_sink_set(sink, slots_get(&s->data_sources, SOURCE), false);
    return sink;
}

static void test_the_graph_sends_what_comes_in(void **state)
{
    (void)state;
    connect();
    (void)add_sink(B, "77");                                /* B's own source to B's own line: an echo that control never sees */
    duo.side[B].data.to_control = false;
    duo_apply(&duo, B, true, false);
    duo_say(&duo, A, "mine", "p", false, "round", 5);
    duo_run_for(&duo, MSEC(200));
    expect_last(A, "77", "", false, "round", 5);
    assert_int_equal(duo.side[B].data_count, 0);
    uint8_t *bytes = pattern(200000);
    for (unsigned i = 0; i < 4; i++)
        duo_say(&duo, A, "mine", "", true, bytes, 200000);
    duo_run_for(&duo, SEC(10));
    assert_int_equal(duo.side[A].data_count, 5);
    expect_last(A, "77", "", true, bytes, 200000);
    free(bytes);
}

static void test_a_muted_source_gives_nothing(void **state)
{
    (void)state;
    connect();
    (void)add_sink(B, "7");
    ((struct data_source *)slots_get(&duo.side[B].data_sources, SOURCE))->active = false;
    duo_say(&duo, A, "mine", "", false, "psst", 4);
    duo_run_for(&duo, MSEC(200));
    assert_int_equal(duo.side[A].data_count, 0);
    assert_int_equal(duo.side[B].data_count, 1);            /* control hears it all the same */
}

/* The receiver's network is gone: nothing is acknowledged. */
static void test_a_receiver_that_takes_nothing_holds_up_for_a_while(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(200000);
    connect();
    struct data_sink *sink = add_sink(B, "7");
    struct data_source *source = sink->source;
    duo.cut[B] = true;
    for (unsigned i = 0; i < 100 && !data_source_waits(source); i++)
        data_source_input(source, duo.now, true, VIEW(bytes, 200000));
    assert_true(data_source_waits(source));
    const struct peer_data *data = duo.side[B].peer->data;
    assert_in_range(data->outbox_bytes, DATA_OUTBOX_FULL, DATA_OUTBOX_FULL + 200256);
    const usec_t before = duo.now;
    while (data_source_waits(source) && duo.now < before + SEC(10))
        duo_run_for(&duo, MSEC(50));
    assert_in_range(duo.now - before, DATA_PATIENCE_US, DATA_PATIENCE_US + MSEC(200));
    const uint64_t lost = duo.side[B].media.counters.data_lost;
    data_source_input(source, duo.now, true, VIEW(bytes, 200000));
    assert_int_equal(duo.side[B].media.counters.data_lost, lost + 1);      /* it alone loses now */
    assert_false(data_source_waits(source));
    duo.cut[B] = false;                                     /* it comes back: what is there goes out, and it is waited for again */
    duo_run_for(&duo, SEC(20));
    assert_int_equal(data->outbox_bytes, 0);
    assert_false(data->given_up);
    free(bytes);
}

static void test_the_end_of_a_full_receiver_frees_who_waits(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(200000);
    connect();
    struct data_source *source = add_sink(B, "7")->source;
    duo.cut[B] = true;
    while (!data_source_waits(source))
        data_source_input(source, duo.now, true, VIEW(bytes, 200000));
    duo.side[B].data = (struct peer_data_desc){.state = DATA_NONE};
    duo_apply(&duo, B, true, false);
    assert_int_equal(duo.side[B].data_sources.count, 0);
    assert_int_equal(duo.side[B].env.associations.used, 0);
    assert_int_equal(duo.side[B].peer->data->outbox_bytes, 0);
    assert_int_equal(duo.side[B].data_sinks.count, 1);      /* control has its name still */
    free(bytes);
}

static void test_a_sink_outlives_its_line(void **state)
{
    (void)state;
    connect();
    struct data_sink *sink = add_sink(B, "7");
    for (int side = 0; side < 2; side++)
        duo.side[side].data = (struct peer_data_desc){.state = DATA_NONE};
    duo_apply(&duo, B, true, false);
    duo_apply(&duo, A, true, false);
    duo_run_for(&duo, SEC(1));
    agree(A);
    agree(B);
    duo_apply(&duo, A, true, false);
    duo_apply(&duo, B, true, false);
    duo.side[A].data_up = duo.side[B].data_up = false;
    assert_true(duo_run_until(&duo, channels_up, duo.now + SEC(10)));
    data_sink_set(sink, slots_get(&duo.side[B].data_sources, SOURCE), false);
    duo_say(&duo, A, "mine", "", false, "back", 4);
    duo_run_for(&duo, MSEC(200));
    expect_last(A, "7", "", false, "back", 4);
}

/* ---- the other side's mischief ---- */

static void test_an_association_that_was_aborted_comes_up_again(void **state)
{
    (void)state;
    connect();
    duo_say(&duo, A, "x", "", false, "one", 3);
    duo_run_for(&duo, MSEC(100));
    sctp_abort(duo.side[A].peer->data->sctp, duo.now);
    duo_turn(&duo, A);
    peer_data_credit(duo.side[A].peer, 0);
    duo_turn(&duo, A);
    duo_run_for(&duo, SEC(1));
    assert_false(duo.side[B].ended);
    assert_int_equal(sctp_get_state(duo.side[B].peer->data->sctp), SCTP_STATE_NEW);
    sctp_connect(duo.side[A].peer->data->sctp, duo.now);
    peer_data_credit(duo.side[A].peer, 0);
    duo_turn(&duo, A);
    duo_run_for(&duo, SEC(1));
    duo_say(&duo, B, "x", "", false, "two", 3);
    duo_run_for(&duo, MSEC(200));
    expect_last(A, "x", "", false, "two", 3);
}

static enum fate lossy(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    (void)from;
    (void)size;
    if (rtp_classify(VIEW(datagram, *size)) != RTP_KIND_DTLS)
        return FATE_DELIVER;
    switch (duo_dice(d, 10)) {
    case 0: return FATE_DROP;
    case 1: return FATE_TWICE;
    case 2: return FATE_LATE;
    default: return FATE_DELIVER;
    }
}

static void test_loss_order_and_copies_do_not_show(void **state)
{
    (void)state;
    uint8_t *bytes = pattern(20000);
    connect();
    duo.fate = lossy;
    for (unsigned i = 0; i < 30; i++)
        duo_say(&duo, A, "f", "", true, bytes, 20000 - i);
    duo_run_for(&duo, SEC(60));
    assert_int_equal(duo.side[B].data_count, 30);
    expect_last(B, "f", "", true, bytes, 20000 - 29);
    free(bytes);
}

static void test_pools_end(void **state)
{
    (void)state;
    duo.side[A].env.associations.limit = 0;
    duo_connect(&duo);
    duo_run_for(&duo, SEC(2));
    assert_int_equal(duo.side[A].env.counters.data_refused, 1);
    assert_true(duo.side[A].up && !duo.side[A].data_up);
    duo_say(&duo, A, "x", "", false, "lost", 4);
    assert_int_equal(duo.side[A].peer->data->taken, 4 + DATA_COST_EXTRA);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_messages_go_both_ways),
        T(test_long_messages_arrive_whole),
        T(test_data_may_come_later),
        T(test_data_may_go_and_come_again),
        T(test_an_offer_that_waits_changes_nothing),
        T(test_control_that_is_not_done_is_not_told_more),
        T(test_a_flood_of_tiny_messages_is_bounded),
        T(test_the_graph_sends_what_comes_in),
        T(test_a_muted_source_gives_nothing),
        T(test_a_receiver_that_takes_nothing_holds_up_for_a_while),
        T(test_the_end_of_a_full_receiver_frees_who_waits),
        T(test_a_sink_outlives_its_line),
        T(test_an_association_that_was_aborted_comes_up_again),
        T(test_loss_order_and_copies_do_not_show),
        T(test_pools_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
