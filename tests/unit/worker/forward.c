/* What a publisher sends, towards an address outside: as it comes or chosen, in the clear or sealed; and its way back for
 * keyframes. */
#include "world.h"

#include <string.h>

#include "proto/rtcp/rtcp.h"
#include "proto/rtp/ext.h"

static struct world w;
static struct seal_shared *far_seal;

static const struct net_addr any = {.family = NET_IP4};
static const struct net_addr far = {.ip = {10, 9, 9, 9}, .port = 5004, .family = NET_IP4};
static const struct net_addr far_rtcp = {.ip = {10, 9, 9, 9}, .port = 5005, .family = NET_IP4};

static void open_plain(uint32_t slot, uint8_t use)
{
    const struct plain_open_order order = {.plain = {slot, 1}, .options = {.use = use, .local = any}};
    world_order(&w, 0, WORKER_PLAIN_OPEN, &order, sizeof(order));
}

static void forward(uint32_t slot, const struct remote *publisher, uint16_t line, struct forward_add_order order)
{
    order.forward = (struct ref){slot, 1};
    order.source = publisher->source[line];
    order.way.plain = (struct ref){0, 1};
    order.way.to = far;
    world_order(&w, 0, WORKER_FORWARD_ADD, &order, sizeof(order));
    world_run_for(&w, MSEC(20));
}

static void stop(uint32_t slot)
{
    const struct forward_del_order order = {{slot, 1}};
    world_order(&w, 0, WORKER_FORWARD_DEL, &order, sizeof(order));
    world_run_for(&w, MSEC(20));
}

static void frames(struct remote *r, struct feed *feed, unsigned count, bool key)
{
    for (unsigned i = 0; i < count; i++) {
        remote_frame(r, feed, key && i == 0, 3);
        world_run_for(&w, FRAME_US);
    }
    world_run_for(&w, MSEC(50));
}

static struct rtp_packet parse(uint32_t n)
{
    struct rtp_packet packet;
    assert_in_range(n, 0, w.outside_count - 1);
    assert_true(rtp_parse(&packet, VIEW(w.outside[n].data, w.outside[n].size)));
    return packet;
}

static uint32_t content(const struct rtp_packet *packet)
{
    return get_u32(packet->data + packet->payload_offset + packet->payload_size - 4);
}

static struct remote *publisher(struct feed *feed)
{
    world_init(&w, &(struct world_options){.workers = 1});
    open_plain(0, PLAIN_SEND);
    open_plain(1, PLAIN_ASK);
    struct remote *r = world_join(&w, 0);
    remote_feed(r, 1, 0, feed);
    return r;
}

static void test_packets_go_on_as_they_came(void **state)
{
    (void)state;
    struct feed feed;
    struct view mid;
    struct remote *r = publisher(&feed);
    forward(0, r, 1, (struct forward_add_order){.options.layer = 0});
    frames(r, &feed, 10, true);
    assert_int_equal(w.outside_count, 30);
    struct rtp_packet first = parse(0);
    for (uint32_t i = 0; i < 30; i++) {
        struct rtp_packet packet = parse(i);
        assert_int_equal(packet.pt, 96);
        assert_int_equal(packet.ssrc, 0xA0000010u);
        assert_int_equal((uint16_t)(packet.seq - first.seq), i);
        assert_int_equal(packet.marker, i % 3 == 2);
        assert_true(rtp_ext_find(&packet, 4, &mid));        /* the publisher's own extensions */
        assert_int_equal(mid.data[0], '1');
    }
    struct rtp_packet last = parse(29);
    assert_int_equal(content(&last), feed.content);
    stop(0);
    frames(r, &feed, 5, true);
    assert_int_equal(w.outside_count, 30);
    assert_int_equal(w.worker[0]->outlet_pool.used, 0);
    world_fini(&w);
}

static void test_type_and_ssrc_are_replaced(void **state)
{
    (void)state;
    struct feed feed;
    struct remote *r = publisher(&feed);
    forward(0, r, 1, (struct forward_add_order){.options.pt = 120, .options.ssrc = 4242});
    frames(r, &feed, 3, true);
    assert_int_equal(w.outside_count, 9);
    for (uint32_t i = 0; i < 9; i++) {
        struct rtp_packet packet = parse(i);
        assert_int_equal(packet.pt, 120);
        assert_int_equal(packet.ssrc, 4242);
    }
    world_fini(&w);
}

static void test_a_probe_leaves_no_gap(void **state)
{
    (void)state;
    struct feed feed;
    struct remote *r = publisher(&feed);
    forward(0, r, 1, (struct forward_add_order){.options.layer = 0});
    frames(r, &feed, 2, true);
    const struct source *source = slots_get(&w.worker[0]->sources, r->source[1]);
    uint16_t newest = source->layers[0].newest;
    struct media_packet probe = {.arrived = fake.now, .seq = (uint16_t)(newest + 1), .layer = 0};
    source_input(slots_get(&w.worker[0]->sources, r->source[1]), &probe, false);
    struct media_packet next = {.arrived = fake.now, .seq = (uint16_t)(newest + 2), .layer = 0, .pt = 96, .payload = (const uint8_t *)"abcd",
                                .payload_size = 4};
    source_input(slots_get(&w.worker[0]->sources, r->source[1]), &next, false);
    const struct keyframe_ask turn = {.source = r->source[0]};
    world_order(&w, 0, WORKER_KEYFRAME_ASK, &turn, sizeof(turn));
    world_run_for(&w, MSEC(20));
    assert_int_equal(w.outside_count, 7);
    struct rtp_packet before = parse(5), after = parse(6);
    assert_int_equal((uint16_t)(after.seq - before.seq), 1);
    world_fini(&w);
}

static void test_a_muted_publisher_is_not_forwarded(void **state)
{
    (void)state;
    struct feed feed;
    struct remote *r = publisher(&feed);
    forward(0, r, 1, (struct forward_add_order){.options.layer = 0});
    const struct source_set_order mute = {.source = r->source[1], .active = false};
    world_order(&w, 0, WORKER_SOURCE_SET, &mute, sizeof(mute));
    frames(r, &feed, 3, true);
    assert_int_equal(w.outside_count, 0);
    world_fini(&w);
}

static void test_layers_go_to_ports_of_their_own_or_the_best_goes(void **state)
{
    (void)state;
    struct feed low;
    world_init(&w, &(struct world_options){.workers = 1});
    open_plain(0, PLAIN_SEND);
    struct remote *r = world_open(&w, 0);
    r->layers = 2;
    remote_apply(r, true);
    remote_introduce(r);
    world_run_for(&w, SEC(1));
    remote_feed(r, 1, 0, &low);
    forward(0, r, 1, (struct forward_add_order){.options.layer = 0});
    forward(1, r, 1, (struct forward_add_order){.options.layer = 1, .options.ssrc = 77});
    forward(2, r, 1, (struct forward_add_order){.options.choose = true, .options.ssrc = 99, .options.pt = 100});
    frames(r, &low, 4, true);
    uint32_t of[3] = {0}, last_seq = 0;
    for (uint32_t i = 0; i < w.outside_count; i++) {
        struct rtp_packet packet = parse(i);
        of[0] += packet.ssrc != 77 && packet.ssrc != 99;
        of[1] += packet.ssrc == 77;
        of[2] += packet.ssrc == 99;
        if (packet.ssrc != 99)
            continue;
        assert_int_equal(packet.pt, 100);
        assert_int_equal(packet.seq, ++last_seq);
    }
    assert_int_equal(of[0], 12);
    assert_int_equal(of[1], 0);
    assert_int_equal(of[2], 12);
    world_fini(&w);
}

static void open_sealed(uint8_t suite, const struct srtp_master *srtp)
{
    struct seal_master master = {.profile = suite == 32 ? SEAL_AES128_CM_SHA1_32 : SEAL_AES128_CM_SHA1_80};
    memcpy(master.key, srtp->key, sizeof(srtp->key));
    memcpy(master.salt, srtp->salt, sizeof(srtp->salt));
    struct seal_keys *keys = seal_keys_new(far_seal, &master);
    for (uint32_t i = 0; i < w.outside_count; i++) {
        uint8_t packet[EGRESS_PACKET + SEAL_ROOM];
        struct rtp_packet parsed;
        memcpy(packet, w.outside[i].data, w.outside[i].size);
        assert_true(rtp_parse_header(&parsed, VIEW(packet, w.outside[i].size)));
        struct seal_job job = {.keys = keys, .index = parsed.seq, .packet = packet, .header_size = parsed.payload_offset,
                               .size = (uint16_t)w.outside[i].size};
        seal_open(far_seal, &job, 1);
        assert_true(job.ok);
        assert_int_equal(job.size, w.outside[i].size - (suite == 32 ? 4 : 10));
    }
    seal_keys_free(keys);
}

static void test_srtp_is_opened_by_who_has_the_key(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct feed feed;
        const uint8_t suite = n == 0 ? 80 : 32;
        struct forward_add_order order = {.options.srtp = {.suite = suite}};
        for (uint8_t i = 0; i < 16; i++)
            order.options.srtp.key[i] = (uint8_t)(i * 7 + n);
        for (uint8_t i = 0; i < 14; i++)
            order.options.srtp.salt[i] = (uint8_t)(i * 5 + n);
        struct remote *r = publisher(&feed);
        far_seal = seal_shared_new(SEAL_BACKEND_OPENSSL, 4);
        forward(0, r, 1, order);
        frames(r, &feed, 5, true);
        assert_int_equal(w.outside_count, 15);
        open_sealed(suite, &order.options.srtp);
        stop(0);
        seal_shared_free(far_seal);
        world_fini(&w);
    }
}

static void rtcp(const struct plain_opened_fact *at, bool fir, uint32_t media_ssrc)
{
    uint8_t packet[64];
    struct writer out = writer_of(packet, sizeof(packet));
    if (fir)
        assert_true(rtcp_write_fir(&out, 1, media_ssrc, 3));
    else
        assert_true(rtcp_write_pli(&out, 1, media_ssrc));
    world_send_in(&w, &far_rtcp, &at->local, packet, writer_size(&out));
    world_run_for(&w, SEC(1));
}

static void test_the_far_side_asks_for_keyframes(void **state)
{
    (void)state;
    struct feed feed;
    struct remote *r = publisher(&feed);
    frames(r, &feed, 2, true);
    const struct plain_opened_fact *ask = &world_fact(&w, CONTROL_PLAIN_OPENED, 1)->plain;
    rtcp(ask, false, 5);                        /* nobody has named the socket yet */
    uint64_t asked = r->env.counters.plis_in;
    forward(0, r, 1, (struct forward_add_order){.way.rtcp = {1, 1}});
    rtcp(ask, false, 5);
    assert_int_equal(r->env.counters.plis_in - asked, 1);
    rtcp(ask, true, 5);
    assert_int_equal(r->env.counters.plis_in - asked, 2);
    stop(0);
    forward(1, r, 1, (struct forward_add_order){.way.rtcp = {1, 1}, .options.ssrc = 1010, .options.match_ssrc = true});
    rtcp(ask, false, 5);
    assert_int_equal(r->env.counters.plis_in - asked, 2);
    rtcp(ask, false, 1010);
    assert_int_equal(r->env.counters.plis_in - asked, 3);
    world_fini(&w);
}

/* In any order: the source, its sockets, the forward. */
static void test_whoever_goes_first_leaves_the_others_in_peace(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 3; order++) {
        struct feed feed;
        struct remote *r = publisher(&feed);
        const struct plain_close_order close[2] = {{{0, 1}}, {{1, 1}}};
        forward(0, r, 1, (struct forward_add_order){.way.rtcp = {1, 1}});
        forward(1, r, 1, (struct forward_add_order){.way.rtcp = {1, 1}, .options.choose = true, .options.ssrc = 5});
        frames(r, &feed, 2, true);
        if (order == 0)
            world_leave(&w, r);
        for (unsigned i = 0; order == 1 && i < 2; i++)
            world_order(&w, 0, WORKER_PLAIN_CLOSE, &close[i], sizeof(close[i]));
        if (order == 1)
            frames(r, &feed, 2, true);
        world_run_for(&w, MSEC(100));
        stop(0);
        stop(1);
        assert_int_equal(w.worker[0]->outlet_pool.used, 0);
        forward(2, r, 1, (struct forward_add_order){.options.layer = 0});       /* fine, or about somebody gone */
        world_fini(&w);
    }
}

static void test_the_pool_is_a_limit(void **state)
{
    (void)state;
    struct feed feed;
    struct remote *r = publisher(&feed);
    for (uint32_t i = 0; i < 20; i++)
        forward(i, r, 1, (struct forward_add_order){.options.layer = 0});
    assert_int_equal(w.worker[0]->outlet_pool.used, 16);
    assert_int_equal(w.worker[0]->counters.orders_refused, 4);
    frames(r, &feed, 1, true);
    assert_int_equal(w.outside_count, 48);
    frames(r, &feed, 10, true);                 /* more than a batch holds */
    assert_int_equal(w.outside_count, 48 * 11);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets_go_on_as_they_came),
        cmocka_unit_test(test_type_and_ssrc_are_replaced),
        cmocka_unit_test(test_a_probe_leaves_no_gap),
        cmocka_unit_test(test_a_muted_publisher_is_not_forwarded),
        cmocka_unit_test(test_layers_go_to_ports_of_their_own_or_the_best_goes),
        cmocka_unit_test(test_srtp_is_opened_by_who_has_the_key),
        cmocka_unit_test(test_the_far_side_asks_for_keyframes),
        cmocka_unit_test(test_whoever_goes_first_leaves_the_others_in_peace),
        cmocka_unit_test(test_the_pool_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
