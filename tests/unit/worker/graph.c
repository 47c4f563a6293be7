/* Sources and sinks of one worker, as control orders them, and what they have to say. */
#include "world.h"

#include "settings/budget.h"

static struct world w;

static struct worker *worker(void)
{
    return w.worker[0];
}

static void frames(struct remote *r, struct feed *feed, unsigned count, bool key)
{
    for (unsigned i = 0; i < count; i++) {
        remote_frame(r, feed, key && i == 0, 3);
        world_run_for(&w, FRAME_US);
    }
    world_run_for(&w, MSEC(50));
}

static void test_options_are_obeyed(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 0);
    struct sink_set_order set = {.sink = world_view(&w, viewer, publisher, 1), .options = rig_options};
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 5, true);
    set.options.paused = true;
    world_order(&w, 0, WORKER_SINK_SET, &set, sizeof(set));
    frames(publisher, &feed, 5, true);
    assert_int_equal(viewer->port.count, 15);
    uint64_t asked = publisher->env.counters.plis_in;
    set.options.paused = false;
    world_order(&w, 0, WORKER_SINK_SET, &set, sizeof(set));
    world_run_for(&w, SEC(1));
    assert_true(publisher->env.counters.plis_in > asked);
    frames(publisher, &feed, 5, true);
    assert_int_equal(viewer->port.count, 30);
    assert_int_equal(viewer->port.sent[15].seq, viewer->port.sent[14].seq + 1);
    world_fini(&w);
}

static void test_a_layer_that_changes_is_told(void **state)
{
    (void)state;
    struct feed layers[2];
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = world_open(&w, 0);
    publisher->layers = 2;
    remote_apply(publisher, true);
    remote_introduce(publisher);
    world_run_for(&w, SEC(1));
    struct remote *viewer = world_join(&w, 0);
    struct ref sink = world_view(&w, viewer, publisher, 1);
    remote_feed(publisher, 1, 0, &layers[0]);
    frames(publisher, &layers[0], 5, true);
    assert_int_equal(world_fact_count(&w, CONTROL_SINK_LAYER), 1);
    const struct fact *fact = world_fact(&w, CONTROL_SINK_LAYER, 0);
    assert_true(ref_equal(fact->layer.sink, sink));
    assert_int_equal(fact->layer.substream, 0);
    assert_int_equal(fact->layer.temporal, -1);
    frames(publisher, &layers[0], 5, false);
    assert_int_equal(world_fact_count(&w, CONTROL_SINK_LAYER), 1);
    world_fini(&w);
}

static void test_control_asks_for_keyframes_and_caps(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = world_join(&w, 0);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 3, true);
    uint64_t asked = publisher->env.counters.plis_in;
    const struct keyframe_ask ask = {.source = publisher->source[1]}, audio = {.source = publisher->source[0]};
    for (int i = 0; i < 5; i++) {
        world_order(&w, 0, WORKER_KEYFRAME_ASK, &ask, sizeof(ask));
        world_order(&w, 0, WORKER_KEYFRAME_ASK, &audio, sizeof(audio));
    }
    world_run_for(&w, SEC(1));
    assert_int_equal(publisher->env.counters.plis_in - asked, 1);
    const struct source_cap_order cap = {.source = publisher->source[1], .cap = {.bps = 300000, .ramp = true}};
    world_order(&w, 0, WORKER_SOURCE_CAP, &cap, sizeof(cap));
    frames(publisher, &feed, 5, false);
    const struct source *source = slots_get(&worker()->sources, publisher->source[1]);
    const struct mline *mline = source->origin;
    assert_int_equal(mline->cap.cap_bps, 300000);
    assert_int_equal(mline->cap.ramp, REMB_RAMP_STEPS);
    world_fini(&w);
}

static void test_an_echo_feeds_the_one_that_it_comes_from(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *r = world_join(&w, 0);
    world_view(&w, r, r, 1);
    remote_feed(r, 1, 0, &feed);
    frames(r, &feed, 20, true);
    assert_int_equal(r->port.count, 60);
    assert_int_equal(r->port.sent[59].content, feed.content);
    world_leave(&w, r);
    world_run_for(&w, MSEC(50));
    assert_int_equal(worker()->media.sources.used, 0);
    assert_int_equal(worker()->media.sinks.used, 0);
    world_fini(&w);
}

static void test_a_second_sink_replaces_the_first(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = world_join(&w, 0), *viewer = world_join(&w, 0);
    struct ref first = world_view(&w, viewer, publisher, 1);
    remote_feed(publisher, 1, 0, &feed);
    frames(publisher, &feed, 20, true);
    world_view(&w, viewer, publisher, 1);
    frames(publisher, &feed, 5, true);
    assert_int_equal(worker()->media.sinks.used, 1);
    assert_int_equal(worker()->env.counters.sent_index_used, 0);
    assert_int_equal(viewer->port.count, 75);
    const struct sink_del_order del = {.sink = first};
    world_order(&w, 0, WORKER_SINK_DEL, &del, sizeof(del));
    world_settle(&w);
    assert_int_equal(worker()->counters.orders_stale, 1);
    frames(publisher, &feed, 5, false);
    assert_int_equal(viewer->port.count, 90);
    world_fini(&w);
}

static void test_a_switch_is_seamless_and_replays(void **state)
{
    (void)state;
    struct feed one, two;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *first = world_join(&w, 0), *second = world_join(&w, 0), *viewer = world_join(&w, 0);
    struct ref sink = world_view(&w, viewer, first, 1);
    remote_feed(first, 1, 0, &one);
    remote_feed(second, 1, 0, &two);
    frames(first, &one, 5, true);
    remote_frame(second, &two, true, 3);
    world_run_for(&w, MSEC(30));
    world_switch(&w, viewer, sink, second);
    world_run_for(&w, MSEC(30));
    assert_int_equal(viewer->port.count, 18);               /* its keyframe was there */
    world_switch(&w, viewer, sink, second);                 /* said again: nothing happens */
    world_run_for(&w, MSEC(30));
    assert_int_equal(viewer->port.count, 18);
    world_switch(&w, viewer, sink, NULL);
    frames(second, &two, 3, true);
    frames(first, &one, 3, true);
    assert_int_equal(viewer->port.count, 18);
    world_switch(&w, viewer, sink, first);
    frames(first, &one, 3, true);
    assert_true(viewer->port.count >= 27);
    for (uint32_t i = 1; i < viewer->port.count; i++)
        assert_int_equal(viewer->port.sent[i].seq, viewer->port.sent[i - 1].seq + 1);
    world_fini(&w);
}

static void test_a_sink_may_be_there_before_its_peer_is_up(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = world_join(&w, 0), *viewer = world_open(&w, 0);
    remote_feed(publisher, 1, 0, &feed);
    remote_apply(viewer, true);
    world_view(&w, viewer, publisher, 1);
    frames(publisher, &feed, 5, true);
    remote_introduce(viewer);
    for (int i = 0; i < 20 && viewer->port.count == 0; i++)
        frames(publisher, &feed, 1, true);
    assert_true(viewer->up);
    assert_int_equal(viewer->port.sent[0].seq, 1);
    world_fini(&w);
}

/* A viewer who hears nothing, and is told nothing, would wait for ever (found by the simulator). */
static void test_who_gets_no_sink_or_source_is_hung_up(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1, .limits = {.peers = 4, .sources = 3, .sinks = 1, .mlines = 16, .packets = 64}});
    struct remote *first = world_join(&w, 0), *second = world_open(&w, 0);
    world_view(&w, first, first, 1);
    world_settle(&w);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 0);
    remote_apply(second, true);
    world_settle(&w);
    assert_int_equal(worker()->media.sources.used, 3);
    assert_int_equal(worker()->env.counters.apply_full, 1);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 1);
    assert_int_equal(world_fact(&w, CONTROL_PEER_HANGUP, 0)->hangup.reason, HANGUP_DTLS_STACK);
    world_view(&w, second, first, 1);
    world_settle(&w);
    assert_int_equal(worker()->media.sinks.used, 1);
    assert_int_equal(worker()->counters.orders_refused, 1);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 2);
    world_fini(&w);
}

/* The plan of memory (settings/budget.h) counts what one costs: it must not be more. */
static void test_objects_are_as_small_as_the_budget_says(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1});
    const struct worker *worker_0 = worker();
    const struct media *m = &worker_0->media;
    const struct peer_env *env = &worker_0->env;
    assert_true(m->sinks.item_size + m->maps.item_size <= BUDGET_SINK_BYTES);
    assert_true(m->sources.item_size + LAYERS_MAX * m->rings.item_size + worker_0->proxy_pool.item_size <= BUDGET_SOURCE_BYTES);
    assert_true(m->packets.item_size + env->sealed.item_size <= BUDGET_PACKET_BYTES);
    assert_true(env->mlines.item_size <= BUDGET_MLINE_BYTES);
    assert_true(env->peers.item_size + env->agents.item_size + env->handshakes.item_size + ICE_VERIFIED_MAX * worker_0->bindings.item_size +
                sizeof(struct twcc_in) + 2 * 2048u <= BUDGET_PEER_BYTES);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_are_obeyed),
        cmocka_unit_test(test_objects_are_as_small_as_the_budget_says),
        cmocka_unit_test(test_a_layer_that_changes_is_told),
        cmocka_unit_test(test_control_asks_for_keyframes_and_caps),
        cmocka_unit_test(test_an_echo_feeds_the_one_that_it_comes_from),
        cmocka_unit_test(test_a_second_sink_replaces_the_first),
        cmocka_unit_test(test_a_switch_is_seamless_and_replays),
        cmocka_unit_test(test_a_sink_may_be_there_before_its_peer_is_up),
        cmocka_unit_test(test_who_gets_no_sink_or_source_is_hung_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
