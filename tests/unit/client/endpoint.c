/* Two endpoints on a network in virtual time: descriptions, connecting, media, loss, simulcast, goodbye. */
#include "support/seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/endpoint.h"
#include "client/synth.h"
#include "proto/rtp/demux.h"

#define FLIGHTS  4096
#define DELAY_US MSEC(10)
#define STEP_US  MSEC(2)

static void fill(void *source, uint8_t *out, size_t size)
{
    uint64_t *state = source;
    for (size_t i = 0; i < size; i++) {
        *state = *state * 6364136223846793005ull + 1442695040888963407ull;
        out[i] = (uint8_t)(*state >> 56);
    }
}

struct flight {
    usec_t at;
    struct net_addr from, to;
    size_t size;
    uint8_t bytes[1600];
};

static struct bed {
    uint64_t seed;
    usec_t now;
    struct rtc *rtc;
    struct endpoint *caller, *callee;
    struct synth *synths[4];
    unsigned synth_count;
    unsigned up, ended, data_up;
    unsigned messages;
    uint64_t message_bytes;
    char label[16], text[16];           /* of the last message */
    unsigned loss_percent;
    unsigned lost;
    unsigned head, count;
    struct flight *flights;
} bed;

static int setup(void **state)
{
    char error[DTLS_ERROR_TEXT];
    (void)state;
    memset(&bed, 0, sizeof(bed));
    bed.seed = 11;
    bed.now = SEC(100);
    bed.flights = malloc(FLIGHTS * sizeof(struct flight));
    const struct rtc_config config = {
        .endpoints = 4, .lines = 16, .packets = 8192, .seal = SEAL_BACKEND_OPENSSL, .entropy = fill, .entropy_source = &bed.seed};
    bed.rtc = rtc_new(&config, error);
    assert_non_null(bed.rtc);
    struct net_addr base = {.ip = {10, 0, 0, 1}, .family = NET_IP4, .port = 1000};
    bed.caller = endpoint_new(bed.rtc, &base, true, bed.now);
    base.ip[3] = 2;
    bed.callee = endpoint_new(bed.rtc, &base, false, bed.now);
    assert_non_null(bed.caller);
    assert_non_null(bed.callee);
    return 0;
}

static int teardown(void **state)
{
    struct rtc_tx tx;
    (void)state;
    for (unsigned i = 0; i < bed.synth_count; i++)
        synth_free(bed.synths[i]);
    endpoint_free(bed.caller, bed.now);
    endpoint_free(bed.callee, bed.now);
    while (rtc_poll_tx(bed.rtc, bed.now, &tx))
        ;
    rtc_free(bed.rtc);
    free(bed.flights);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

static void take_off(void)
{
    struct rtc_tx tx;
    while (rtc_poll_tx(bed.rtc, bed.now, &tx)) {
        bool is_rtp = rtp_classify(tx.datagram) == RTP_KIND_RTP;
        uint8_t dice;
        fill(&bed.seed, &dice, 1);
        if (is_rtp && dice % 100u < bed.loss_percent) {
            bed.lost++;
            continue;
        }
        assert_true(bed.count < FLIGHTS);
        struct flight *flight = &bed.flights[(bed.head + bed.count++) % FLIGHTS];
        *flight = (struct flight){.at = bed.now + DELAY_US, .from = tx.endpoint->base, .to = tx.to, .size = tx.datagram.size};
        memcpy(flight->bytes, tx.datagram.data, tx.datagram.size);
    }
}

static void land(void)
{
    while (bed.count > 0 && bed.flights[bed.head].at <= bed.now) {
        struct flight *flight = &bed.flights[bed.head];
        struct endpoint *to = net_addr_equal(&flight->to, &bed.caller->base) ? bed.caller : bed.callee;
        assert_true(net_addr_equal(&flight->to, &to->base));
        endpoint_input(to, bed.now, &flight->from, flight->bytes, flight->size);
        endpoint_received(to, bed.now);
        bed.head = (bed.head + 1) % FLIGHTS;
        bed.count--;
    }
}

static void hear(const struct rtc_event *event)
{
    const struct data_packet *packet = event->packet;
    bed.messages++;
    bed.message_bytes += packet->size;
    snprintf(bed.label, sizeof(bed.label), "%.*s", packet->label_size, (const char *)packet->bytes);
    snprintf(bed.text, sizeof(bed.text), "%.*s", (int)(packet->size < 15 ? packet->size : 15),
             (const char *)packet->bytes + packet->label_size + packet->protocol_size);
}

static void run(usec_t us)
{
    struct rtc_event event;
    struct endpoint *const both[] = {bed.caller, bed.callee};
    for (const usec_t until = bed.now + us; bed.now < until; bed.now += STEP_US) {
        rtc_set_wall(bed.rtc, SEC(1700000000) + bed.now);
        land();
        for (unsigned i = 0; i < 2; i++)
            if (endpoint_deadline(both[i], bed.now) <= bed.now)
                endpoint_timeout(both[i], bed.now);
        for (unsigned i = 0; i < bed.synth_count; i++)
            synth_timeout(bed.synths[i], bed.now);
        rtc_timeout(bed.rtc, bed.now);
        while (rtc_poll_event(bed.rtc, &event)) {
            bed.up += event.kind == RTC_UP;
            bed.ended += event.kind == RTC_ENDED;
            bed.data_up += event.kind == RTC_DATA_UP;
            if (event.kind == RTC_DATA)
                hear(&event);
        }
        take_off();
    }
}

static void call(const struct endpoint_offer *what, enum sdp_direction answer_direction)
{
    struct buf offer, answer;
    buf_init(&offer, ENDPOINT_SDP_BYTES);
    buf_init(&answer, ENDPOINT_SDP_BYTES);
    assert_true(endpoint_offer(bed.caller, what, &offer));
    assert_true(endpoint_answer(bed.callee, bed.now, buf_view(&offer), answer_direction, &answer));
    assert_true(endpoint_take_answer(bed.caller, bed.now, buf_view(&answer)));
    buf_fini(&offer);
    buf_fini(&answer);
    run(SEC(1));
    assert_int_equal(bed.up, 2);
    assert_true(endpoint_is_up(bed.caller));
    assert_true(endpoint_is_up(bed.callee));
}

static void send_video(struct endpoint *from, uint16_t line, uint8_t layer, uint32_t bps)
{
    struct synth *synth = synth_video(bed.rtc, bed.synth_count + 1u, bps, 25, bed.now);
    assert_non_null(synth);
    bed.synths[bed.synth_count++] = synth;
    assert_true(endpoint_send(from, bed.now, line, layer, synth));
}

static const struct endpoint_offer send_both = {.audio = SDP_SENDRECV, .video = SDP_SENDRECV};

static void test_both_send_and_receive(void **state)
{
    (void)state;
    call(&send_both, SDP_SENDRECV);
    send_video(bed.caller, endpoint_line_of(bed.caller, SDP_VIDEO, true), 0, 500000);
    send_video(bed.callee, endpoint_line_of(bed.callee, SDP_VIDEO, true), 0, 500000);
    run(SEC(3));
    const struct verify *here = endpoint_verify(bed.caller, 1), *there = endpoint_verify(bed.callee, 1);
    assert_true(here->packets > 100);
    assert_true(there->packets > 100);
    assert_int_equal(here->strange + there->strange + here->renumbered + there->renumbered, 0);
    assert_int_equal(verify_lost(here) + verify_lost(there), 0);
}

static void test_lost_video_is_asked_for_and_sent_again(void **state)
{
    (void)state;
    call(&send_both, SDP_SENDRECV);
    send_video(bed.caller, 1, 0, 1000000);
    run(SEC(1));
    bed.loss_percent = 10;
    run(SEC(4));
    bed.loss_percent = 0;
    run(SEC(1));
    const struct verify *video = endpoint_verify(bed.callee, 1);
    assert_true(bed.lost > 30);
    assert_true(bed.rtc->env.counters.rtx_recovered > 20);
    assert_in_range(verify_lost(video), 0, 2);
    assert_int_equal(video->strange + video->renumbered + video->repeated, 0);
}

static void test_a_line_that_only_receives_sends_nothing(void **state)
{
    (void)state;
    call(&(struct endpoint_offer){.audio = SDP_INACTIVE, .video = SDP_SENDONLY}, SDP_RECVONLY);
    assert_int_equal(endpoint_line_of(bed.callee, SDP_VIDEO, true), UINT16_MAX);
    assert_int_equal(endpoint_line_of(bed.callee, SDP_AUDIO, false), UINT16_MAX);
    struct synth *synth = synth_video(bed.rtc, 9, 100000, 25, bed.now);
    assert_false(endpoint_send(bed.callee, bed.now, 0, 0, synth));
    assert_false(endpoint_send(bed.callee, bed.now, 7, 0, synth));
    synth_free(synth);
}

static void test_simulcast_layers_arrive_as_one_stream(void **state)
{
    (void)state;
    call(&(struct endpoint_offer){.audio = SDP_INACTIVE, .video = SDP_SENDONLY, .layers = 3}, SDP_RECVONLY);
    for (uint8_t layer = 0; layer < 3; layer++)
        send_video(bed.caller, 0, layer, 100000u << layer);
    run(SEC(3));
    /* The receiver takes the highest: its own numbers, so from the sender's third stream. */
    const struct source *source = slots_get(&bed.rtc->sources, bed.callee->lines[0]->source);
    assert_non_null(source);
    assert_int_equal(source->desc.layer_count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(source->layers[i].started);
    assert_int_equal(bed.callee->lines[0]->receiver->select.substream, 2);
}

static void test_messages_go_both_ways(void **state)
{
    (void)state;
    static uint8_t big[200000];
    assert_int_equal(endpoint_send_data(bed.caller, bed.now, STR("x"), false, STR("early")), ERR_STATE);
    call(&(struct endpoint_offer){.audio = SDP_SENDRECV, .video = SDP_INACTIVE, .data = true}, SDP_SENDRECV);
    run(SEC(1));
    assert_int_equal(bed.data_up, 2);
    assert_int_equal(endpoint_send_data(bed.caller, bed.now, STR("chat"), false, STR("hello")), ERR_NONE);
    run(MSEC(100));
    assert_string_equal(bed.label, "chat");
    assert_string_equal(bed.text, "hello");
    assert_int_equal(endpoint_send_data(bed.callee, bed.now, STR("chat"), false, STR("hi")), ERR_NONE);
    run(MSEC(100));
    assert_string_equal(bed.text, "hi");
    unsigned sent = 0;
    while (endpoint_send_data(bed.caller, bed.now, STR("file"), true, VIEW(big, sizeof(big))) == ERR_NONE)
        sent++;
    assert_true(sent >= 5);
    run(SEC(10));
    assert_int_equal(bed.messages, 2 + sent);
    assert_true(bed.caller->data_queued < DATA_TAKEN_STEP);
}

static void test_who_does_not_read_makes_the_sender_wait(void **state)
{
    (void)state;
    static uint8_t big[200000];
    call(&(struct endpoint_offer){.audio = SDP_SENDRECV, .video = SDP_INACTIVE, .data = true}, SDP_SENDRECV);
    run(SEC(1));
    bed.callee->hoards = true;
    unsigned sent = 0;
    for (unsigned i = 0; i < 100; i++) {
        sent += endpoint_send_data(bed.caller, bed.now, STR("f"), true, VIEW(big, sizeof(big))) == ERR_NONE;
        run(MSEC(100));
    }
    assert_in_range(sent, 10, 30);              /* windows and buffers, and no more */
    assert_true(endpoint_is_up(bed.callee));
}

static void test_goodbye_is_heard(void **state)
{
    (void)state;
    call(&send_both, SDP_SENDRECV);
    endpoint_close(bed.caller, bed.now);
    run(MSEC(100));
    assert_int_equal(bed.ended, 1);
    assert_false(endpoint_is_up(bed.callee));
}

static void test_nonsense_is_refused(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, ENDPOINT_SDP_BYTES);
    assert_false(endpoint_answer(bed.callee, bed.now, STR("v=1\r\n"), SDP_RECVONLY, &out));
    assert_false(endpoint_take_answer(bed.caller, bed.now, STR("")));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_send_and_receive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_video_is_asked_for_and_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_line_that_only_receives_sends_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_simulcast_layers_arrive_as_one_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_messages_go_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_does_not_read_makes_the_sender_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_goodbye_is_heard, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonsense_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
