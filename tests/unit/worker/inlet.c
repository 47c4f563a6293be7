/* Plain RTP that feeds a source: who it is for, what is believed, and how keyframes are asked for. */
#include "world.h"

#include <string.h>

#include "proto/rtcp/rtcp.h"

static struct world w;
static const struct net_addr far = {.ip = {10, 9, 9, 9}, .port = 7000, .family = NET_IP4};
static const struct net_addr far_rtcp = {.ip = {10, 9, 9, 9}, .port = 7001, .family = NET_IP4};
static const struct ref name = {500, 1};
static uint16_t seq;
static uint32_t ts;

static void open_plain(uint32_t slot, uint8_t use)
{
    const struct plain_open_order order = {.plain = {slot, 1}, .options = {.use = use, .local = {.family = NET_IP4}}};
    world_order(&w, 0, WORKER_PLAIN_OPEN, &order, sizeof(order));
    world_settle(&w);
}

static struct net_addr port_of(uint32_t n)
{
    return world_fact(&w, CONTROL_PLAIN_OPENED, n)->plain.local;
}

static struct source_desc desc(uint8_t layers)
{
    return (struct source_desc){.kind = MEDIA_VIDEO, .codec = CODEC_VP8, .layer_count = layers, .clock_hz = 90000};
}

static void open_inlet(struct ref source, uint32_t ssrc, uint8_t layers, const struct srtp_master *srtp)
{
    struct inlet_open_order order = {.source = source, .options = {.plain = {0, 1}, .rtcp = {1, 1}, .desc = desc(layers), .ssrc = ssrc}};
    if (srtp != NULL)
        order.options.srtp = *srtp;
    world_order(&w, 0, WORKER_INLET_OPEN, &order, sizeof(order));
    world_settle(&w);
}

static void close_inlet(struct ref source)
{
    const struct inlet_close_order order = {source};
    world_order(&w, 0, WORKER_INLET_CLOSE, &order, sizeof(order));
    world_run_for(&w, MSEC(20));
}

static void begin(uint32_t workers)
{
    seq = 100;
    ts = 0;
    world_init(&w, &(struct world_options){.workers = workers});
    open_plain(0, PLAIN_RECEIVE);
    open_plain(1, PLAIN_LATCH);
}

static struct remote *watch(uint32_t worker)
{
    struct remote *viewer = world_join(&w, worker);
    struct ref sink = world_view(&w, viewer, NULL, 0);
    const struct sink_switch_order order = {.sink = sink, .source = {name, 0}, .desc = desc(1)};
    world_order(&w, worker, WORKER_SINK_SWITCH, &order, sizeof(order));
    world_run_for(&w, MSEC(50));
    return viewer;
}

static size_t write(uint8_t *out, uint32_t ssrc, bool key)
{
    const struct rtp_header header = {.pt = 96, .marker = true, .seq = seq++, .ts = ts, .ssrc = ssrc};
    rtp_write_header(out, RTP_HEADER_SIZE, &header);
    memset(out + RTP_HEADER_SIZE, 7, 24);
    out[RTP_HEADER_SIZE] = 0x10;                /* RFC 7741 4.2: a partition starts */
    out[RTP_HEADER_SIZE + 1] = key ? 0 : 1;
    ts += 3000;
    return RTP_HEADER_SIZE + 24;
}

static void feed_one(uint32_t ssrc, bool key)
{
    uint8_t packet[64];
    const struct net_addr to = port_of(0);
    world_send_in(&w, &far, &to, packet, write(packet, ssrc, key));
    world_run_for(&w, MSEC(33));
}

static void test_viewers_of_both_workers_get_it(void **state)
{
    (void)state;
    begin(2);
    open_inlet(name, 1010, 1, NULL);
    struct remote *near = watch(0), *away = watch(1);
    for (unsigned i = 0; i < 10; i++)
        feed_one(1010, i == 0);
    world_run_for(&w, MSEC(100));
    assert_int_equal(near->port.count, 10);
    assert_int_equal(away->port.count, 10);
    close_inlet(name);
    world_run_for(&w, SEC(1));
    assert_int_equal(w.worker[0]->media.sources.used, 2);       /* the viewer's own lines */
    assert_int_equal(w.worker[0]->inlet_pool.used, 0);
    world_fini(&w);
}

/* Another publication comes by the same port and SSRC, with numbers of its own: far away, or after a silence. */
static void test_a_stream_that_begins_anew(void **state)
{
    (void)state;
    begin(1);
    open_inlet(name, 1010, 1, NULL);
    struct remote *near = watch(0);
    for (unsigned i = 0; i < 5; i++)
        feed_one(1010, i == 0);
    seq -= 3;                                   /* twice the same, and none of it late enough to be anew */
    for (unsigned i = 0; i < 3; i++)
        feed_one(1010, false);
    assert_int_equal(near->port.count, 5);
    world_run_for(&w, MSEC(600));
    seq = 90;
    for (unsigned i = 0; i < 5; i++)
        feed_one(1010, i == 0);
    assert_int_equal(near->port.count, 10);
    seq += 20000;
    for (unsigned i = 0; i < 5; i++)
        feed_one(1010, i == 0);
    assert_int_equal(near->port.count, 15);
    world_fini(&w);
}

/* Redundant audio: who does not take it gets what it wraps, and packets of that type among it are left as they are. */
static void test_red_is_unwrapped(void **state)
{
    (void)state;
    uint8_t red[] = {0x80, 63, 0, 1, 0, 0, 0, 0, 0, 0, 0x03, 0xE8, 0x80 | 111, 0x0F, 0x00, 0x03, 111, 'o', 'l', 'd', 'n', 'e', 'w'};
    uint8_t plain[] = {0x80, 111, 0, 2, 0, 0, 3, 0xC0, 0, 0, 0x03, 0xE8, 111, 'x', 'y', 'z'};
    begin(1);
    struct inlet_open_order order = {.source = name, .options = {.plain = {0, 1}, .ssrc = 1000, .desc = {.kind = MEDIA_AUDIO, .codec = CODEC_RED, .layer_count = 1, .clock_hz = 48000}}};
    world_order(&w, 0, WORKER_INLET_OPEN, &order, sizeof(order));
    world_settle(&w);
    struct source *source = slots_get(&w.worker[0]->sources, name);
    struct fake_port port;
    struct sink_options options = rig_options;
    fake_port_init(&port);
    struct sink *sink = sink_new(&w.worker[0]->media, (struct ref){900, 1}, &options, fake.now);
    sink_set_port(sink, &port.port, false, 48000);
    sink_set_source(sink, source, fake.now);
    const struct net_addr to = port_of(0);
    world_send_in(&w, &far, &to, red, sizeof(red));
    world_run_for(&w, MSEC(20));
    world_send_in(&w, &far, &to, plain, sizeof(plain));
    world_run_for(&w, MSEC(20));
    assert_int_equal(port.count, 2);
    assert_int_equal(port.sent[0].size, 3);
    assert_int_equal(port.sent[1].size, 4);             /* the plain one is whole */
    assert_int_equal(((const struct inlet *)slots_get(&w.worker[0]->inlets, name))->layers[0].primary_pt, 111);
    sink_free(sink);
    fake_port_fini(&port);
    world_fini(&w);
}

static void test_the_ssrc_says_whose_it_is(void **state)
{
    (void)state;
    begin(1);
    open_inlet(name, 1010, 1, NULL);
    open_inlet((struct ref){501, 1}, 1020, 3, NULL);
    feed_one(1010, true);
    feed_one(1020, true);
    feed_one(1022, true);
    const uint64_t strange = w.worker[0]->counters.plain_strange;
    feed_one(1023, true);
    feed_one(1011, true);
    feed_one(5, true);
    assert_int_equal(w.worker[0]->counters.plain_strange - strange, 3);
    const struct source *one = slots_get(&w.worker[0]->sources, name), *three = slots_get(&w.worker[0]->sources, (struct ref){501, 1});
    assert_int_equal(one->layers[0].newest, 100);
    assert_int_equal(three->layers[0].newest, 101);
    assert_int_equal(three->layers[2].newest, 102);
    assert_false(three->layers[1].started);
    world_fini(&w);
}

static uint32_t plis(uint32_t ssrc)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w.outside_count; i++) {
        struct rtcp_iter it = rtcp_iter_of(VIEW(w.outside[i].data, w.outside[i].size));
        struct rtcp_packet packet;
        struct rtcp_feedback feedback;
        while (rtcp_next(&it, &packet))
            count += rtcp_is_pli(&packet) && rtcp_feedback_parse(&feedback, &packet) && feedback.media_ssrc == ssrc &&
                     net_addr_equal(&w.outside[i].to, &far_rtcp);
    }
    return count;
}

static void test_keyframes_are_asked_of_who_has_shown_itself_once_a_second(void **state)
{
    (void)state;
    begin(1);
    open_inlet(name, 1010, 1, NULL);
    const struct keyframe_ask ask = {.source = name};
    world_order(&w, 0, WORKER_KEYFRAME_ASK, &ask, sizeof(ask));
    world_run_for(&w, SEC(2));
    assert_int_equal(w.outside_count, 0);               /* nobody there yet */
    const struct net_addr to = port_of(1);
    const uint8_t empty[12] = {0x80};
    world_send_in(&w, &far_rtcp, &to, empty, sizeof(empty));
    world_run_for(&w, MSEC(50));
    for (unsigned i = 0; i < 30; i++) {
        world_order(&w, 0, WORKER_KEYFRAME_ASK, &ask, sizeof(ask));
        world_run_for(&w, MSEC(100));
    }
    assert_in_range(plis(1010), 3, 4);
    world_fini(&w);
}

static void test_sealed_packets_are_opened_and_others_are_not_believed(void **state)
{
    (void)state;
    struct srtp_master srtp = {.suite = 80};
    uint8_t packet[96];
    begin(1);
    memset(srtp.key, 5, sizeof(srtp.key));
    memset(srtp.salt, 6, sizeof(srtp.salt));
    struct seal_shared *seal = seal_shared_new(SEAL_BACKEND_OPENSSL, 2);
    const struct seal_master master = srtp_master_of(&srtp);
    struct seal_keys *keys = seal_keys_new(seal, &master);
    open_inlet(name, 1010, 1, &srtp);
    struct remote *viewer = watch(0);
    const struct net_addr to = port_of(0);
    for (unsigned i = 0; i < 10; i++) {
        const uint16_t index = seq;
        size_t size = write(packet, 1010, i == 0);
        struct seal_job job = {.keys = keys, .index = index, .packet = packet, .header_size = RTP_HEADER_SIZE, .size = (uint16_t)size};
        seal_protect(seal, &job, 1);
        for (unsigned copy = 0; copy < 2; copy++)       /* the second is a replay */
            world_send_in(&w, &far, &to, packet, job.size);
        packet[20] ^= 1;                                /* and a forged one */
        packet[3] ^= 0x40;
        world_send_in(&w, &far, &to, packet, job.size);
        world_run_for(&w, MSEC(33));
    }
    assert_int_equal(viewer->port.count, 10);
    assert_int_equal(w.worker[0]->counters.plain_strange, 20);
    feed_one(1010, true);                               /* in the clear */
    assert_int_equal(w.worker[0]->counters.plain_strange, 21);
    seal_keys_free(keys);
    seal_shared_free(seal);
    world_fini(&w);
}

static void test_a_far_side_that_begins_anew_is_followed(void **state)
{
    (void)state;
    begin(1);
    open_inlet(name, 1010, 1, NULL);
    struct remote *viewer = watch(0);
    feed_one(1010, true);
    seq = 40000;
    ts = 77;
    feed_one(1010, true);
    feed_one(1010, false);
    assert_int_equal(viewer->port.count, 3);
    assert_int_equal((uint16_t)(viewer->port.sent[2].seq - viewer->port.sent[0].seq), 2);
    world_fini(&w);
}

static void test_noise_and_strange_orders(void **state)
{
    (void)state;
    uint8_t noise[300];
    begin(1);
    const struct net_addr to = port_of(0);
    open_inlet(name, 1010, 1, NULL);
    for (unsigned i = 0; i < 3000; i++) {
        size_t size = 1 + world_dice(&w, sizeof(noise));
        for (size_t k = 0; k < size; k++)
            noise[k] = (uint8_t)world_dice(&w, 256);
        if (i % 2 == 0 && size > 12) {
            noise[0] = (uint8_t)(0x80 | (noise[0] & 0x3F));
            put_u32(noise + 8, 1010);
        }
        world_send_in(&w, &far, &to, noise, size);
        world_run_for(&w, MSEC(12));
    }
    const struct plain_close_order close = {{0, 1}};
    world_order(&w, 0, WORKER_PLAIN_CLOSE, &close, sizeof(close));      /* its inlet falls silent */
    world_run_for(&w, MSEC(20));
    open_inlet((struct ref){502, 1}, 7, 1, NULL);                       /* no socket */
    close_inlet(name);
    close_inlet(name);
    assert_int_equal(w.worker[0]->inlet_pool.used, 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_viewers_of_both_workers_get_it),
        cmocka_unit_test(test_a_stream_that_begins_anew),
        cmocka_unit_test(test_red_is_unwrapped),
        cmocka_unit_test(test_the_ssrc_says_whose_it_is),
        cmocka_unit_test(test_keyframes_are_asked_of_who_has_shown_itself_once_a_second),
        cmocka_unit_test(test_sealed_packets_are_opened_and_others_are_not_believed),
        cmocka_unit_test(test_a_far_side_that_begins_anew_is_followed),
        cmocka_unit_test(test_noise_and_strange_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
