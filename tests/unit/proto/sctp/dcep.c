/* Channels: opened, used and closed by either side, and what becomes of OPENs that can't be. */
#include "proto/sctp/dcep.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "net.h"
#include "support/seams.h"

struct end {
    struct dcep dcep;
    struct dcep_counters counters;
    uint32_t ups, opened, closed, downs, messages, writables;
    char log[4000];                  /* what happened, one word each */
};

static struct net net;
static struct end ends[2];           /* 0: the DTLS client */

static void note(struct end *end, const char *format, uint16_t stream, struct view text)
{
    const size_t at = strlen(end->log);
    snprintf(end->log + at, sizeof(end->log) - at, format, stream, (int)(text.size < 40 ? text.size : 40), (const char *)text.data);
}

static void on_event(struct end *end, const struct dcep_event *event)
{
    const struct view none = VIEW("", 0);
    switch (event->kind) {
    case DCEP_EVENT_UP:
        end->ups++;
        note(end, "up ", 0, none);
        break;
    case DCEP_EVENT_CHANNEL_OPEN:
        end->opened++;
        note(end, "open%u:%.*s ", event->channel->stream, event->channel->label);
        break;
    case DCEP_EVENT_MESSAGE:
        end->messages++;
        note(end, event->is_text ? "text%u:%.*s " : "bin%u:%.*s ", event->channel->stream, event->data.size > 0 ? event->data : none);
        break;
    case DCEP_EVENT_CHANNEL_CLOSED:
        end->closed++;
        note(end, "closed%u:%.*s ", event->channel->stream, event->channel->label);
        break;
    case DCEP_EVENT_WRITABLE:
        end->writables++;
        break;
    case DCEP_EVENT_DOWN:
        end->downs++;
        note(end, "down%u ", (uint16_t)event->reason, none);
        break;
    default:
        fail();
    }
}

static void drain(int side)
{
    struct dcep_event event;
    while (dcep_poll_event(&ends[side].dcep, net.now, &event))
        on_event(&ends[side], &event);
}

static void run(usec_t for_us)
{
    for (usec_t end = net.now + for_us; net.now < end;) {
        drain(0);
        drain(1);
        net_run(&net, MSEC(1));
    }
    drain(0);
    drain(1);
}

static void start(const struct sctp_config *config)
{
    memset(ends, 0, sizeof(ends));
    net_init(&net, 5, config);
    net.hands_off = true;
    for (int i = 0; i < 2; i++) {
        dcep_init(&ends[i].dcep, net.side[i].sctp, i == 0, 0, &ends[i].counters);
        sctp_connect(net.side[i].sctp, net.now);
    }
}

static void stop(void)
{
    for (int i = 0; i < 2; i++)
        dcep_fini(&ends[i].dcep);
    net_fini(&net);
}

static uint16_t open_as(int side, const char *label, uint8_t type, uint32_t limit)
{
    uint16_t stream = 0xffff;
    const struct dcep_open open = {.type = type, .limit = limit, .priority = DCEP_PRIORITY_NORMAL, .label = VIEW(label, strlen(label)),
                                   .protocol = VIEW("p", 1)};
    assert_int_equal(dcep_open(&ends[side].dcep, net.now, &open, &stream), ERR_NONE);
    return stream;
}

static void say(int side, uint16_t stream, bool is_text, const char *text)
{
    assert_int_equal(dcep_send(&ends[side].dcep, net.now, stream, is_text, VIEW(text, strlen(text))), ERR_NONE);
}

static void test_channels_are_opened_by_both_on_streams_of_their_parity(void **state)
{
    (void)state;
    start(NULL);
    assert_int_equal(open_as(0, "a", DCEP_RELIABLE, 0), 0);  /* before the association is there */
    assert_int_equal(open_as(1, "b", DCEP_RELIABLE, 0), 1);
    run(SEC(1));
    assert_int_equal(open_as(0, "c", DCEP_RELIABLE, 0), 2);
    assert_int_equal(open_as(1, "d", DCEP_RELIABLE, 0), 3);
    run(SEC(1));
    assert_string_equal(ends[0].log, "up open1:b open0:a open3:d open2:c ");
    assert_string_equal(ends[1].log, "up open0:a open1:b open2:c open3:d ");
    assert_int_equal(dcep_find(&ends[1].dcep, 0)->is_ours, 0);
    assert_int_equal(dcep_find(&ends[0].dcep, 0)->is_ours, 1);
    assert_memory_equal(dcep_find(&ends[1].dcep, 0)->protocol.data, "p", 1);
    assert_int_equal(dcep_find_label(&ends[1].dcep, VIEW("c", 1))->stream, 2);
    assert_null(dcep_find_label(&ends[1].dcep, VIEW("x", 1)));
    stop();
}

static void test_data_may_follow_the_open_at_once(void **state)
{
    (void)state;
    start(NULL);
    const uint16_t stream = open_as(1, "chat", DCEP_RELIABLE | DCEP_UNORDERED, 0);
    say(1, stream, true, "hello");
    say(1, stream, false, "world");
    run(SEC(1));
    assert_string_equal(ends[0].log, "up open1:chat text1:hello bin1:world ");
    say(0, stream, true, "");
    say(0, stream, false, "");
    say(0, stream, true, "x");
    run(SEC(1));
    assert_string_equal(ends[1].log, "up open1:chat text1: bin1: text1:x ");
    stop();
}

static void test_a_channel_closed_is_gone_on_both_sides_and_its_label_is_free_again(void **state)
{
    (void)state;
    start(NULL);
    run(SEC(1));
    for (int i = 0; i < 5; i++) {
        for (int side = 0; side < 2; side++) {
            const uint16_t stream = open_as(side, "again", DCEP_RELIABLE, 0);
            assert_int_equal(stream, side);
            run(SEC(1));
            say(side, stream, true, "one");
            say(1 - side, stream, true, "two");
            run(SEC(1));
            assert_int_equal(dcep_close(&ends[i % 2].dcep, net.now, stream), ERR_NONE);
            assert_int_equal(dcep_close(&ends[i % 2].dcep, net.now, stream), ERR_NONE);
            assert_int_equal(dcep_send(&ends[i % 2].dcep, net.now, stream, true, VIEW("x", 1)), ERR_STATE);
            run(SEC(3));
            assert_int_equal(dcep_close(&ends[i % 2].dcep, net.now, stream), ERR_GONE);
        }
    }
    assert_int_equal(ends[0].closed, 10);
    assert_int_equal(ends[1].closed, 10);
    assert_int_equal(ends[0].messages, 10);
    assert_int_equal(ends[1].messages, 10);
    assert_null(dcep_next(&ends[0].dcep, NULL));
    stop();
}

static void test_both_close_at_once(void **state)
{
    (void)state;
    start(NULL);
    const uint16_t stream = open_as(0, "x", DCEP_RELIABLE, 0);
    run(SEC(1));
    say(0, stream, true, "last");
    assert_int_equal(dcep_close(&ends[0].dcep, net.now, stream), ERR_NONE);
    assert_int_equal(dcep_close(&ends[1].dcep, net.now, stream), ERR_NONE);
    run(SEC(3));
    assert_string_equal(ends[0].log, "up open0:x closed0:x ");
    assert_string_equal(ends[1].log, "up open0:x text0:last closed0:x ");
    stop();
}

/* What is sent before the close arrives before it, whatever the network does; the stream serves again and again. */
static void test_closing_and_opening_through_loss(void **state)
{
    (void)state;
    start(NULL);
    net_link_both(&net, (struct net_link){.delay_us = MSEC(10), .jitter_us = MSEC(30), .loss_pm = 200, .repeat_pm = 100});
    run(SEC(20));
    for (int i = 0; i < 10; i++) {
        const uint16_t a = open_as(0, "a", DCEP_RELIABLE, 0), b = open_as(1, "b", DCEP_RELIABLE, 0);
        for (int n = 0; n < 5; n++) {
            say(0, a, true, "to the server");
            say(1, b, true, "to the client");
        }
        assert_int_equal(dcep_close(&ends[0].dcep, net.now, a), ERR_NONE);
        assert_int_equal(dcep_close(&ends[1].dcep, net.now, b), ERR_NONE);
        run(SEC(30));
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ends[i].closed, 20);
        assert_int_equal(ends[i].messages, 50);
        assert_int_equal(ends[i].counters.opened_by_remote, 10);
        assert_int_equal(ends[i].dcep.channel_count, 0);
    }
    stop();
}

/* Bytes as a peer could send them, on a stream of its choice. */
static void send_raw(int side, uint16_t stream, uint32_t ppid, const void *data, size_t size)
{
    const struct sctp_message message = {.stream = stream, .ppid = ppid};
    assert_int_equal(sctp_send(net.side[side].sctp, net.now, &message, VIEW(data, size)), ERR_NONE);
}

static void test_wrong_opens_are_answered_by_a_reset(void **state)
{
    (void)state;
    start(NULL);
    run(SEC(1));
    static const uint8_t good[] = {3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 'x'};
    send_raw(0, 1, DCEP_PPID_DCEP, good, sizeof(good));      /* odd, from the client */
    send_raw(0, 4, DCEP_PPID_DCEP, good, sizeof(good) - 1);  /* cut */
    send_raw(0, 6, DCEP_PPID_DCEP, "\x09", 1);               /* no message of DCEP: dropped */
    send_raw(0, 6, DCEP_PPID_DCEP, "\x02", 1);               /* an ACK of nothing */
    run(SEC(1));
    assert_int_equal(ends[1].counters.wrong_parity, 1);
    assert_int_equal(ends[1].counters.malformed, 2);
    assert_int_equal(ends[1].counters.stray_acks, 1);
    assert_string_equal(ends[1].log, "up ");
    assert_string_equal(ends[0].log, "up ");
    /* A second OPEN on a channel closes it: RFC 8832 6. */
    const uint16_t stream = open_as(0, "x", DCEP_RELIABLE, 0);
    run(SEC(1));
    send_raw(0, stream, DCEP_PPID_DCEP, good, sizeof(good));
    run(SEC(3));
    assert_int_equal(ends[1].counters.wrong_parity, 2);
    assert_string_equal(ends[0].log, "up open0:x closed0:x ");
    assert_string_equal(ends[1].log, "up open0:x closed0:x ");
    stop();
}

static void test_channels_have_a_limit(void **state)
{
    (void)state;
    start(NULL);
    run(SEC(1));
    uint8_t open[] = {3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 'x'};
    for (uint16_t i = 0; i < DCEP_CHANNELS_MAX + 10; i++)
        send_raw(0, (uint16_t)(2 * i), DCEP_PPID_DCEP, open, sizeof(open));
    run(SEC(5));
    assert_int_equal(ends[1].opened, DCEP_CHANNELS_MAX);
    assert_int_equal(ends[1].counters.channels_full, 10);
    uint16_t stream;
    assert_int_equal(dcep_open(&ends[1].dcep, net.now, &(struct dcep_open){0}, &stream), ERR_FULL);
    stop();
}

static void test_strangers_and_unknown_kinds_are_counted(void **state)
{
    (void)state;
    start(NULL);
    const uint16_t stream = open_as(0, "x", DCEP_RELIABLE, 0);
    run(SEC(1));
    send_raw(0, 8, DCEP_PPID_TEXT, "nobody", 6);
    send_raw(0, stream, 99, "what", 4);
    run(SEC(1));
    assert_int_equal(ends[1].counters.stray_messages, 1);
    assert_int_equal(ends[1].counters.unknown_ppids, 1);
    assert_int_equal(ends[1].messages, 0);
    stop();
}

static void test_deprecated_parts_become_one_message(void **state)
{
    (void)state;
    start(NULL);
    const uint16_t stream = open_as(0, "x", DCEP_RELIABLE, 0);
    run(SEC(1));
    send_raw(0, stream, DCEP_PPID_TEXT_PARTIAL, "one ", 4);
    send_raw(0, stream, DCEP_PPID_TEXT_PARTIAL, "two ", 4);
    send_raw(0, stream, DCEP_PPID_TEXT, "three", 5);
    send_raw(0, stream, DCEP_PPID_TEXT, "four", 4);
    run(SEC(1));
    assert_string_equal(ends[1].log, "up open0:x text0:one two three text0:four ");
    stop();
}

static void test_deprecated_parts_are_bounded(void **state)
{
    (void)state;
    start(NULL);
    const uint16_t stream = open_as(0, "x", DCEP_RELIABLE, 0);
    run(SEC(1));
    static const uint8_t part[60000];
    for (int i = 0; i < 10; i++) {
        send_raw(0, stream, DCEP_PPID_BINARY_PARTIAL, part, sizeof(part));
        run(SEC(1));
    }
    send_raw(0, stream, DCEP_PPID_TEXT, "end", 3);
    run(SEC(1));
    assert_int_equal(ends[1].counters.too_long, 2);
    assert_int_equal(net.side[1].shared.memory_bytes < 8192, 1);
    stop();
}

static void test_long_labels_are_cut_at_a_character(void **state)
{
    (void)state;
    start(NULL);
    run(SEC(1));
    uint8_t open[12 + 300] = {3, 0, 1, 0, 0, 0, 0, 0, 300 >> 8, 300 & 0xff, 0, 0};
    for (size_t i = 0; i < 300; i += 2) {                    /* e acute: two bytes each */
        open[12 + i] = 0xc3;
        open[12 + i + 1] = 0xa9;
    }
    send_raw(0, 2, DCEP_PPID_DCEP, open, sizeof(open));
    run(SEC(1));
    assert_int_equal(dcep_find(&ends[1].dcep, 2)->label.size, 254);
    uint16_t stream;
    const struct dcep_open ours = {.label = VIEW(open + 12, 256)};
    assert_int_equal(dcep_open(&ends[1].dcep, net.now, &ours, &stream), ERR_INVALID);
    assert_int_equal(dcep_open(&ends[1].dcep, net.now, &(struct dcep_open){.type = 7}, &stream), ERR_INVALID);
    stop();
}

static void test_the_end_closes_every_channel_and_says_why(void **state)
{
    (void)state;
    start(NULL);
    (void)open_as(0, "a", DCEP_RELIABLE, 0);
    (void)open_as(1, "b", DCEP_RELIABLE, 0);
    run(SEC(1));
    sctp_abort(net.side[0].sctp, net.now);
    run(SEC(1));
    assert_string_equal(ends[0].log, "up open1:b open0:a closed0:a closed1:b down3 ");
    assert_string_equal(ends[1].log, "up open0:a open1:b closed0:a closed1:b down2 ");
    uint16_t stream;
    assert_int_equal(dcep_open(&ends[1].dcep, net.now, &(struct dcep_open){0}, &stream), ERR_STATE);
    stop();
}

/* An ACK that finds the buffer full goes when there is room. */
static void test_an_ack_waits_for_room(void **state)
{
    (void)state;
    start(&(struct sctp_config){.buffer_bytes = 20000});
    const uint16_t ours = open_as(1, "bulk", DCEP_RELIABLE, 0);
    run(SEC(1));
    net.side[1].link.is_cut = true;
    static const uint8_t block[1000];
    while (dcep_send(&ends[1].dcep, net.now, ours, false, VIEW(block, sizeof(block))) == ERR_NONE)
        ;
    const struct sctp_message small = {.stream = ours, .ppid = DCEP_PPID_BINARY};
    while (sctp_send(net.side[1].sctp, net.now, &small, VIEW(block, 1)) == ERR_NONE)
        ;
    (void)open_as(0, "late", DCEP_RELIABLE, 0);
    run(MSEC(100));
    assert_int_equal(ends[1].dcep.acks_due, 1);
    assert_int_equal(ends[1].opened, 2);
    net.side[1].link.is_cut = false;
    run(SEC(10));
    assert_int_equal(ends[1].dcep.acks_due, 0);
    assert_int_equal(ends[0].opened, 2);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels_are_opened_by_both_on_streams_of_their_parity),
        cmocka_unit_test(test_data_may_follow_the_open_at_once),
        cmocka_unit_test(test_a_channel_closed_is_gone_on_both_sides_and_its_label_is_free_again),
        cmocka_unit_test(test_both_close_at_once),
        cmocka_unit_test(test_closing_and_opening_through_loss),
        cmocka_unit_test(test_wrong_opens_are_answered_by_a_reset),
        cmocka_unit_test(test_channels_have_a_limit),
        cmocka_unit_test(test_strangers_and_unknown_kinds_are_counted),
        cmocka_unit_test(test_deprecated_parts_become_one_message),
        cmocka_unit_test(test_deprecated_parts_are_bounded),
        cmocka_unit_test(test_long_labels_are_cut_at_a_character),
        cmocka_unit_test(test_the_end_closes_every_channel_and_says_why),
        cmocka_unit_test(test_an_ack_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
