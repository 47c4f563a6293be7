/* What is sent goes out receiver by receiver, in GSO runs: one size, and a shorter one may end it. The double of the socket
 * (fake_runtime.c) checks each run's shape. */
#include "world.h"

#include "base/bytes.h"
#include "proto/rtp/demux.h"

static struct world w;

/* Media on its way to that viewer, oldest first: sequence numbers must ascend. */
static uint32_t on_the_way(const struct remote *viewer)
{
    uint32_t count = 0;
    uint16_t before = 0;
    for (uint32_t i = 0; i < w.flight_count; i++) {
        const struct world_flight *flight = &w.flights[i];
        if (!net_addr_equal(&flight->to, &viewer->addr) || rtp_classify(VIEW(flight->data, flight->size)) != RTP_KIND_RTP)
            continue;
        uint16_t seq = get_u16(flight->data + 2);
        assert_true(count == 0 || seq == (uint16_t)(before + 1));
        before = seq;
        count++;
    }
    return count;
}

static void offer(struct remote *publisher, struct feed *feed, const uint16_t *sizes, unsigned count)
{
    static const uint8_t payload[1400] = {0x10, 0};         /* a keyframe of VP8 each */
    for (unsigned i = 0; i < count; i++) {
        struct media_packet packet = {.arrived = fake.now, .seq = feed->seq++, .ts = feed->ts, .payload = payload, .payload_size = sizes[i],
                                      .marker = i + 1 == count};
        source_input(feed->source, &packet, false);
    }
    remote_turn(publisher);
}

static void land(void)
{
    world_run_for(&w, w.delay_us);
}

static void test_a_frame_is_one_send_for_each_receiver(void **state)
{
    (void)state;
    struct feed feed;
    struct remote *viewers[5];
    static const uint16_t sizes[] = {1000, 1000, 1000, 1000, 700};
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = world_join(&w, 0);
    remote_feed(publisher, 1, 0, &feed);
    for (unsigned i = 0; i < 5; i++) {
        viewers[i] = world_join(&w, 0);
        world_view(&w, viewers[i], publisher, 1);
    }
    world_settle(&w);
    world_run_for(&w, MSEC(300));
    uint32_t runs = w.runs;
    offer(publisher, &feed, sizes, 5);
    land();
    assert_in_range(w.runs - runs, 5, 6);                   /* and perhaps a report of the publisher's */
    assert_int_equal(w.longest_run, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(on_the_way(viewers[i]), 5);
    world_fini(&w);
}

static void test_sizes_break_runs_but_not_the_order(void **state)
{
    (void)state;
    struct feed feed;
    static const uint16_t sizes[] = {500, 500, 501, 501, 400, 400, 400, 399, 401, 1200, 20, 20, 1200};
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 0);
    remote_feed(publisher, 1, 0, &feed);
    world_view(&w, viewer, publisher, 1);
    world_run_for(&w, MSEC(300));
    uint32_t packets = w.packets;
    offer(publisher, &feed, sizes, ARRAY_COUNT(sizes));
    land();
    assert_int_equal(on_the_way(viewer), ARRAY_COUNT(sizes));
    assert_in_range(w.packets - packets, ARRAY_COUNT(sizes), ARRAY_COUNT(sizes) + 1);
    world_fini(&w);
}

static void test_a_run_ends_at_its_limit(void **state)
{
    (void)state;
    struct feed feed;
    static uint16_t sizes[100];
    world_init(&w, &(struct world_options){.workers = 1});
    for (unsigned i = 0; i < 100; i++)
        sizes[i] = 300;
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 0);
    remote_feed(publisher, 1, 0, &feed);
    world_view(&w, viewer, publisher, 1);
    world_run_for(&w, MSEC(300));
    offer(publisher, &feed, sizes, 100);
    land();
    assert_int_equal(on_the_way(viewer), 100);
    assert_int_equal(w.longest_run, UDP_RUN_MAX);
    world_fini(&w);
}

/* More than a batch holds, in one turn: it is sent in between, and nothing is lost. */
static void test_a_large_fan_out_loses_nothing(void **state)
{
    (void)state;
    struct feed feed;
    static uint16_t sizes[200];
    struct remote *viewers[50];
    world_init(&w, &(struct world_options){.workers = 1});
    for (unsigned i = 0; i < 200; i++)
        sizes[i] = (uint16_t)(1000 + i % 2);
    struct remote *publisher = world_join(&w, 0);
    remote_feed(publisher, 1, 0, &feed);
    for (unsigned i = 0; i < 50; i++) {
        viewers[i] = world_join(&w, 0);
        world_view(&w, viewers[i], publisher, 1);
    }
    world_run_for(&w, MSEC(300));
    offer(publisher, &feed, sizes, 200);                    /* 10,000 datagrams, 10 MB */
    land();
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(on_the_way(viewers[i]), 200);
    assert_int_equal(w.worker[0]->env.egress.dropped, 0);
    world_fini(&w);
}

static void test_two_sockets_each_send_their_own(void **state)
{
    (void)state;
    struct feed feed;
    static const uint16_t sizes[] = {600, 600, 600};
    world_init(&w, &(struct world_options){.workers = 1, .sockets = 2});
    struct remote *publisher = world_join(&w, 0), *viewers[4];
    remote_feed(publisher, 1, 0, &feed);
    for (uint32_t i = 0; i < 4; i++) {
        viewers[i] = world_open(&w, 0);
        viewers[i]->socket = i % 2;
        remote_apply(viewers[i], true);
        remote_introduce(viewers[i]);
        world_run_for(&w, SEC(1));
        assert_true(viewers[i]->up);
        world_view(&w, viewers[i], publisher, 1);
    }
    world_run_for(&w, MSEC(300));
    offer(publisher, &feed, sizes, 3);
    land();
    for (uint32_t i = 0; i < 4; i++) {
        const struct net_addr from = world_addr(0, i % 2);
        assert_int_equal(on_the_way(viewers[i]), 3);
        for (uint32_t k = 0; k < w.flight_count; k++)
            if (net_addr_equal(&w.flights[k].to, &viewers[i]->addr))
                assert_true(net_addr_equal(&w.flights[k].from, &from));
    }
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frame_is_one_send_for_each_receiver),
        cmocka_unit_test(test_sizes_break_runs_but_not_the_order),
        cmocka_unit_test(test_a_run_ends_at_its_limit),
        cmocka_unit_test(test_a_large_fan_out_loses_nothing),
        cmocka_unit_test(test_two_sockets_each_send_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
