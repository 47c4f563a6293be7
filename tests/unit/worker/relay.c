/* Media between workers: a copy per worker that has sinks for it, a likeness there, and the way back for keyframe asks. Messages
 * between different pairs come in any order. */
#include "world.h"

static struct world w;

static struct worker *worker(uint32_t index)
{
    return w.worker[index];
}

static struct source *proxy_of(const struct remote *publisher, uint32_t at)
{
    return slots_get(&w.worker[at]->sources, publisher->source[1]);
}

static void frames(struct remote *r, struct feed *feed, unsigned count, bool key)
{
    for (unsigned i = 0; i < count; i++) {
        remote_frame(r, feed, key && i == 0, 3);
        world_run_for(&w, FRAME_US);
    }
    world_run_for(&w, MSEC(50));
}

/* Every number once, none left out, and the contents are those given. */
static void assert_whole(const struct fake_port *port, uint32_t count, uint32_t last_content)
{
    assert_int_equal(port->count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(port->sent[i].seq, (uint16_t)(1 + i));
        assert_int_equal(port->sent[i].content, last_content - count + 1 + i);
    }
}

static void test_sinks_on_both_workers_get_the_same(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 5; seed++) {
        struct feed feed;
        world_init(&w, &(struct world_options){.seed = seed});
        struct remote *publisher = world_join(&w, 0), *near = world_join(&w, 0), *far = world_join(&w, 1), *farther = world_join(&w, 1);
        world_view(&w, near, publisher, 1);
        world_view(&w, far, publisher, 1);
        world_view(&w, farther, publisher, 1);
        world_settle(&w);
        remote_feed(publisher, 1, 0, &feed);
        frames(publisher, &feed, 20, true);
        assert_whole(&near->port, 60, feed.content);
        assert_whole(&far->port, 60, feed.content);
        assert_whole(&farther->port, 60, feed.content);
        assert_in_range(worker(1)->counters.relay_in, 60, 62);              /* one copy for both, and a report */
        assert_int_equal(worker(1)->proxy_pool.used, 1);
        world_fini(&w);
    }
}

/* RELAY_OPEN overtakes the source's own creation: no order is promised between pairs of actors. */
static void test_a_view_ordered_before_its_source_exists(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *viewer = world_join(&w, 1), *publisher = world_open(&w, 0);
    world_view(&w, viewer, publisher, 1);
    world_settle(&w);
    assert_false(proxy_of(publisher, 1)->present);
    world_run_for(&w, SEC(1));
    remote_apply(publisher, true);
    remote_introduce(publisher);
    world_run_for(&w, SEC(1));
    assert_true(publisher->up);
    assert_true(proxy_of(publisher, 1)->present);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 10, true);
    assert_whole(&viewer->port, 30, feed.content);
    world_fini(&w);
}

static void test_a_proxy_without_sinks_goes_and_the_copies_end(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 1);
    struct ref sink = world_view(&w, viewer, publisher, 1);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 5, true);
    assert_int_equal(proxy_of(publisher, 0)->relay_mask, 1u << 1);
    const struct sink_del_order del = {.sink = sink};
    world_order(&w, 1, WORKER_SINK_DEL, &del, sizeof(del));
    world_run_for(&w, MSEC(300));
    assert_int_equal(worker(1)->proxy_pool.used, 0);
    assert_int_equal(worker(1)->media.sources.used, 2);     /* the viewer's own two lines */
    assert_int_equal(proxy_of(publisher, 0)->relay_mask, 0);
    uint64_t before = worker(1)->counters.relay_in;
    frames(publisher, &feed, 5, false);
    assert_int_equal(worker(1)->counters.relay_in, before);
    /* And it comes again when somebody wants it. */
    world_view(&w, viewer, publisher, 1);
    frames(publisher, &feed, 5, true);
    assert_true(viewer->port.count >= 30);
    world_fini(&w);
}

static void test_a_publisher_that_goes_takes_its_proxy_along(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 1), *second = world_join(&w, 0);
    struct ref sink = world_view(&w, viewer, publisher, 1);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 5, true);
    world_leave(&w, publisher);
    world_run_for(&w, MSEC(50));
    assert_int_equal(worker(1)->proxy_pool.used, 0);
    assert_int_equal(worker(0)->media.sources.used, 2);
    remote_feed(second, 1, 0, &feed);
    world_switch(&w, viewer, sink, second);
    frames(second, &feed, 5, true);
    assert_int_equal(viewer->port.count, 30);
    for (uint32_t i = 1; i < 30; i++)
        assert_int_equal(viewer->port.sent[i].seq, viewer->port.sent[i - 1].seq + 1);
    world_fini(&w);
}

/* Control gives a slot out again when its source has gone; a proxy elsewhere may not have heard of that yet. */
static void test_a_slot_used_again_replaces_what_was_in_it(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 10; seed++) {
        struct feed feed;
        world_init(&w, &(struct world_options){.seed = seed});
        struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 1), *other = world_open(&w, seed % 2);
        world_view(&w, viewer, publisher, 1);
        remote_feed(publisher, 1, 0, &feed);
        frames(publisher, &feed, 5, true);
        other->source[1] = (struct ref){publisher->source[1].slot, 2};
        world_leave(&w, publisher);                         /* both orders are under way together */
        remote_apply(other, true);
        remote_introduce(other);
        world_run_for(&w, SEC(1));
        assert_true(other->up);
        viewer->port.count = 0;
        remote_feed(other, 1, 0, &feed);
        world_view(&w, viewer, other, 1);                   /* a second sink on the line replaces the first */
        frames(other, &feed, 5, true);
        assert_int_equal(viewer->port.count, 15);
        assert_int_equal(viewer->port.sent[14].content, feed.content);
        world_fini(&w);
    }
}

static void test_a_keyframe_ask_walks_back(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 1);
    world_view(&w, viewer, publisher, 1);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 5, true);
    world_run_for(&w, SEC(1));
    uint64_t before = publisher->env.counters.plis_in;
    struct source *seen = slots_get(&viewer->sources, (struct ref){2, 1});
    for (int i = 0; i < 10; i++) {
        source_want_keyframe(seen);
        remote_turn(viewer);
        world_run_for(&w, MSEC(30));
    }
    world_run_for(&w, SEC(2));
    assert_in_range(publisher->env.counters.plis_in - before, 1, 3);        /* merged on the way, one per 300 ms */
    world_fini(&w);
}

static void test_a_far_latecomer_gets_the_keyframe_that_is_there(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 1);
    remote_feed(publisher, 1, 0, &feed);
    remote_frame(publisher, &feed, true, 3);
    remote_frame(publisher, &feed, false, 3);
    world_run_for(&w, MSEC(100));
    world_view(&w, viewer, publisher, 1);
    world_run_for(&w, MSEC(50));
    assert_whole(&viewer->port, 6, feed.content);
    remote_frame(publisher, &feed, false, 3);
    world_run_for(&w, MSEC(50));
    assert_whole(&viewer->port, 9, feed.content);
    world_fini(&w);
}

/* Nothing may depend on where somebody was placed: a mute is the same near and far. */
static void test_a_mute_is_the_same_near_and_far(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *publisher = world_join(&w, 0), *near = world_join(&w, 0), *far = world_join(&w, 1);
    world_view(&w, near, publisher, 1);
    world_view(&w, far, publisher, 1);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 5, true);
    struct source_set_order order = {.source = publisher->source[1], .active = false};
    world_order(&w, 0, WORKER_SOURCE_SET, &order, sizeof(order));
    frames(publisher, &feed, 100, false);
    assert_int_equal(near->port.count, 15);
    assert_int_equal(far->port.count, 15);
    order.active = true;
    world_order(&w, 0, WORKER_SOURCE_SET, &order, sizeof(order));
    frames(publisher, &feed, 2, false);                     /* no keyframe: nothing to stand on */
    assert_int_equal(near->port.count, 15);
    assert_int_equal(far->port.count, 15);
    frames(publisher, &feed, 5, true);
    for (int i = 0; i < 2; i++) {
        const struct fake_port *port = i == 0 ? &near->port : &far->port;
        assert_int_equal(port->count, 30);
        for (uint32_t k = 1; k < 30; k++)
            assert_int_equal(port->sent[k].seq, port->sent[k - 1].seq + 1);
    }
    world_fini(&w);
}

static void test_a_full_lane_drops_and_the_call_goes_on(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 1);
    world_view(&w, viewer, publisher, 1);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 3, true);
    fake.lane_limit = 2;
    for (int i = 0; i < 10; i++) {
        remote_frame(publisher, &feed, false, 8);
        world_run_for(&w, FRAME_US);
    }
    assert_true(fake.lane_dropped > 0);
    fake.lane_limit = 0;
    frames(publisher, &feed, 5, true);
    assert_int_equal(fake_port_last(&viewer->port)->content, feed.content);
    world_fini(&w);
}

static void test_reports_go_over_the_lane(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 1);
    world_view(&w, viewer, publisher, 1);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 90, true);
    const struct source *home = proxy_of(publisher, 0), *proxy = proxy_of(publisher, 1);
    assert_true(home->reports[0].at != 0);
    assert_int_equal(proxy->reports[0].wall_us, home->reports[0].wall_us);
    assert_int_equal(proxy->reports[0].ts, home->reports[0].ts);
    world_fini(&w);
}

/* Joins, leaves, switches and views on both workers, in any order of messages: whoever watches sees one stream without a
 * gap, and when all have gone nothing is left. */
static void storm(uint32_t seed)
{
    enum { MOST = 10 };
    struct remote *remotes[MOST] = {NULL};
    struct feed feeds[MOST];
    struct ref sinks[MOST] = {{0, 0}};
    world_init(&w, &(struct world_options){.seed = seed});
    for (uint32_t round = 0; round < 250; round++) {
        uint32_t i = world_dice(&w, MOST), k = world_dice(&w, MOST);
        uint32_t dice = world_dice(&w, 12);
        if (remotes[i] == NULL) {
            remotes[i] = world_join(&w, world_dice(&w, 2));
            remote_feed(remotes[i], 1, 0, &feeds[i]);
            sinks[i] = REF_NONE;
        } else if (dice == 0) {
            /* control silences whoever watched it, as control/graph.c does */
            for (uint32_t n = 0; n < MOST; n++)
                if (remotes[n] != NULL && n != i && !ref_is_none(sinks[n]) && world_dice(&w, 2) == 0)
                    world_switch(&w, remotes[n], sinks[n], NULL);
            world_leave(&w, remotes[i]);
            remotes[i] = NULL;
        } else if (dice < 5 && remotes[k] != NULL) {
            if (ref_is_none(sinks[i]))
                sinks[i] = world_view(&w, remotes[i], remotes[k], 1);
            else
                world_switch(&w, remotes[i], sinks[i], world_dice(&w, 6) == 0 ? NULL : remotes[k]);
        } else if (dice == 5 && !ref_is_none(sinks[i])) {
            const struct sink_del_order del = {.sink = sinks[i]};
            world_order(&w, remotes[i]->worker, WORKER_SINK_DEL, &del, sizeof(del));
            sinks[i] = REF_NONE;
        }
        for (uint32_t n = 0; n < MOST; n++)
            if (remotes[n] != NULL)
                remote_frame(remotes[n], &feeds[n], world_dice(&w, 10) == 0, 1 + world_dice(&w, 3));
        world_run_for(&w, FRAME_US);
        for (uint32_t n = 0; n < MOST; n++) {
            struct fake_port *port = remotes[n] == NULL ? NULL : &remotes[n]->port;
            for (uint32_t p = 1; port != NULL && p < port->count; p++)
                assert_int_equal((uint16_t)(port->sent[p].seq - port->sent[p - 1].seq), 1);
        }
    }
    for (uint32_t n = 0; n < MOST; n++)
        if (remotes[n] != NULL) {
            assert_int_equal(worker(remotes[n]->worker)->env.counters.sent_index_used, 0);
            world_leave(&w, remotes[n]);
        }
    world_run_for(&w, SEC(1));
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(worker(i)->media.sources.used, 0);
        assert_int_equal(worker(i)->media.sinks.used, 0);
        assert_int_equal(worker(i)->media.packets.used, 0);
        assert_int_equal(worker(i)->proxy_pool.used, 0);
        assert_int_equal(worker(i)->bindings.used, 0);
        assert_int_equal(worker(i)->env.peers.used, 0);
        assert_int_equal(worker(i)->sinks.count, 0);
        assert_int_equal(worker(i)->sources.count, 0);
    }
    world_fini(&w);
}

static void test_a_storm_leaves_no_gap_and_nothing_behind(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 8; seed++)
        storm(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sinks_on_both_workers_get_the_same),
        cmocka_unit_test(test_a_view_ordered_before_its_source_exists),
        cmocka_unit_test(test_a_proxy_without_sinks_goes_and_the_copies_end),
        cmocka_unit_test(test_a_publisher_that_goes_takes_its_proxy_along),
        cmocka_unit_test(test_a_slot_used_again_replaces_what_was_in_it),
        cmocka_unit_test(test_a_keyframe_ask_walks_back),
        cmocka_unit_test(test_a_far_latecomer_gets_the_keyframe_that_is_there),
        cmocka_unit_test(test_a_mute_is_the_same_near_and_far),
        cmocka_unit_test(test_a_full_lane_drops_and_the_call_goes_on),
        cmocka_unit_test(test_reports_go_over_the_lane),
        cmocka_unit_test(test_a_storm_leaves_no_gap_and_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
