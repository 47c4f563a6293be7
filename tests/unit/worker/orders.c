/* What a worker can be told, in and out of season: whatever it is, it is done, or counted; and PEER_CLOSE is always answered. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct world w;

static const struct worker_counters *counters(uint32_t worker)
{
    return &w.worker[worker]->counters;
}

/* ---- a peer's life ---- */

static void test_a_peer_comes_up_and_goes(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    struct remote *r = world_join(&w, 1);
    const struct fact *up = world_fact(&w, CONTROL_PEER_UP, 0);
    assert_true(ref_equal(up->peer.peer.ref, r->name));
    assert_int_equal(up->peer.peer.worker, 1);
    assert_int_equal(up->from, ACTOR_WORKER_0 + 1);
    struct ref name = r->name;
    world_leave(&w, r);
    world_run_for(&w, MSEC(50));
    const struct fact *closed = world_fact(&w, CONTROL_PEER_CLOSED, 0);
    assert_true(ref_equal(closed->peer.peer.ref, name));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 0);
    assert_int_equal(w.worker[1]->env.peers.used, 0);
    assert_int_equal(w.worker[1]->tuples.count, 0);
    world_fini(&w);
}

static void test_closing_says_goodbye_when_asked(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    for (int notify = 0; notify < 2; notify++) {
        struct remote *r = world_join(&w, 0);
        const struct peer_close_order order = {.peer = r->name, .notify = notify != 0};
        world_order(&w, 0, WORKER_PEER_CLOSE, &order, sizeof(order));
        world_run_for(&w, SEC(1));
        assert_int_equal(r->ended, notify);
        if (r->ended)
            assert_int_equal(r->reason, HANGUP_DTLS_ALERT);
    }
    world_fini(&w);
}

static void test_a_close_is_answered_whether_it_finds_anybody_or_not(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    static const struct ref nobody[] = {{5, 1}, {0, 0}, {UINT32_MAX, 1}, {4000000000u, 77}};
    for (size_t i = 0; i < ARRAY_COUNT(nobody); i++) {
        const struct peer_close_order order = {.peer = nobody[i]};
        world_order(&w, 0, WORKER_PEER_CLOSE, &order, sizeof(order));
        world_settle(&w);
        const struct fact *closed = world_fact(&w, CONTROL_PEER_CLOSED, (uint32_t)i);
        assert_non_null(closed);
        assert_true(ref_equal(closed->peer.peer.ref, nobody[i]));
    }
    struct remote *r = world_join(&w, 0);
    const struct peer_close_order order = {.peer = r->name};
    for (int i = 0; i < 3; i++)
        world_order(&w, 0, WORKER_PEER_CLOSE, &order, sizeof(order));
    world_settle(&w);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_CLOSED), ARRAY_COUNT(nobody) + 3);
    world_fini(&w);
}

static void test_a_goodbye_from_the_client_is_a_hangup(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    struct remote *r = world_join(&w, 0);
    peer_close(r->peer, fake.now, true);
    remote_turn(r);
    world_run_for(&w, MSEC(50));
    const struct fact *hangup = world_fact(&w, CONTROL_PEER_HANGUP, 0);
    assert_non_null(hangup);
    assert_int_equal(hangup->hangup.reason, HANGUP_DTLS_ALERT);
    assert_true(ref_equal(hangup->hangup.peer.ref, r->name));
    world_run_for(&w, SEC(60));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 1);
    assert_int_equal(w.worker[0]->env.peers.used, 1);       /* until control closes it */
    world_fini(&w);
}

static void test_a_client_that_vanishes_is_told_in_time(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    struct remote *r = world_join(&w, 0);
    usec_t gone_at = fake.now;
    r->cut = true;
    while (world_fact_count(&w, CONTROL_PEER_HANGUP) == 0 && fake.now < gone_at + SEC(60))
        world_run_for(&w, MSEC(100));
    assert_int_equal(world_fact(&w, CONTROL_PEER_HANGUP, 0)->hangup.reason, HANGUP_ICE_FAILED);
    assert_in_range(fake.now - gone_at, SEC(25), SEC(35) + MSEC(100));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_ICE_FAILED), 1);
    world_fini(&w);
}

static void test_media_and_silence_are_told(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){0});
    struct remote *r = world_join(&w, 0);
    remote_feed(r, 1, 0, &feed);
    remote_frame(r, &feed, true, 3);
    world_run_for(&w, SEC(4));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_MEDIA), 2);
    const struct fact *first = world_fact(&w, CONTROL_PEER_MEDIA, 0), *second = world_fact(&w, CONTROL_PEER_MEDIA, 1);
    assert_true(first->media.receiving);
    assert_int_equal(first->media.mindex, 1);
    assert_int_equal(first->media.substream, -1);
    assert_false(second->media.receiving);
    world_fini(&w);
}

/* ---- refusals ---- */

static void test_more_peers_than_there_is_room_for_are_hung_up(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.limits = {.peers = 2, .sources = 8, .sinks = 8, .mlines = 8, .packets = 16}});
    for (int i = 0; i < 3; i++)
        (void)world_open(&w, 0);
    world_settle(&w);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 1);
    assert_int_equal(world_fact(&w, CONTROL_PEER_HANGUP, 0)->hangup.reason, HANGUP_DTLS_STACK);
    assert_int_equal(world_fact(&w, CONTROL_PEER_HANGUP, 0)->hangup.peer.ref.slot, 2);
    assert_int_equal(counters(0)->orders_refused, 1);
    world_fini(&w);
}

static void test_without_a_socket_every_peer_is_hung_up(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.sockets = UINT32_MAX});
    struct remote *r = world_open(&w, 0);
    remote_apply(r, true);
    world_settle(&w);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 1);
    world_leave(&w, r);
    world_settle(&w);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_CLOSED), 1);
    world_run_for(&w, SEC(5));
    world_fini(&w);
}

static void test_a_name_given_twice_leaves_the_first_alone(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    struct remote *r = world_join(&w, 0);
    struct peer_open_order again = {.peer = r->name, .local = r->server};
    world_order(&w, 0, WORKER_PEER_OPEN, &again, sizeof(again));
    again.peer = REF_NONE;
    world_order(&w, 0, WORKER_PEER_OPEN, &again, sizeof(again));
    world_run_for(&w, SEC(10));
    assert_int_equal(counters(0)->orders_malformed, 2);
    assert_int_equal(w.worker[0]->env.peers.used, 1);
    assert_false(r->ended);
    world_fini(&w);
}

static void test_a_report_is_given_whether_there_is_a_peer_or_not(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    struct remote *r = world_join(&w, 0);
    struct collect_order order = {.peer = r->name};
    world_order_op(&w, 0, WORKER_COLLECT, (struct ref){7, 1}, &order, sizeof(order));
    world_settle(&w);
    order.peer = (struct ref){40, 9};
    world_order_op(&w, 0, WORKER_COLLECT, (struct ref){8, 1}, &order, sizeof(order));
    world_settle(&w);
    assert_int_equal(world_fact_count(&w, CONTROL_COLLECTED), 2);
    const struct fact *first = world_fact(&w, CONTROL_COLLECTED, 0), *second = world_fact(&w, CONTROL_COLLECTED, 1);
    assert_int_equal(first->op.slot, 7);
    assert_true(first->report.exists && first->report.has_selected);
    assert_true(first->report.line_count >= REMOTE_LINES);
    assert_true(ref_equal(first->report.peer.ref, r->name));
    assert_int_equal(second->op.slot, 8);
    assert_false(second->report.exists);
    world_fini(&w);
}

static void test_what_is_adjusted_counts_for_all_peers(void **state)
{
    (void)state;
    const struct worker_adjust_order order = {.no_media_timer_s = 7, .slowlink_threshold = 3};
    world_init(&w, &(struct world_options){0});
    world_order(&w, 0, WORKER_ADJUST, &order, sizeof(order));
    world_settle(&w);
    assert_int_equal(w.worker[0]->env.settings.no_media_us, SEC(7));
    assert_int_equal(w.worker[0]->env.settings.slowlink_threshold, 3);
    world_fini(&w);
}

/* ---- stale and malformed ---- */

static void test_orders_about_what_is_gone_are_counted(void **state)
{
    (void)state;
    const struct ref gone = {40, 9};
    const struct peer_candidate_order candidate = {.peer = gone};
    const struct peer_end_order end = {.peer = gone};
    const struct sink_add_order add = {.peer = gone, .sink = {1, 1}};
    const struct sink_set_order set = {.sink = gone};
    const struct sink_switch_order change = {.sink = gone};
    const struct sink_del_order del = {.sink = gone};
    const struct source_set_order active = {.source = gone};
    const struct source_cap_order cap = {.source = gone};
    const struct keyframe_ask ask = {.source = gone};
    const struct peer_apply_order apply = {.peer = gone};
    world_init(&w, &(struct world_options){0});
    world_order(&w, 0, WORKER_PEER_APPLY, &apply, sizeof(apply));
    world_order(&w, 0, WORKER_PEER_CANDIDATE, &candidate, sizeof(candidate));
    world_order(&w, 0, WORKER_PEER_CANDIDATES_END, &end, sizeof(end));
    world_order(&w, 0, WORKER_SINK_ADD, &add, sizeof(add));
    world_order(&w, 0, WORKER_SINK_SET, &set, sizeof(set));
    world_order(&w, 0, WORKER_SINK_SWITCH, &change, sizeof(change));
    world_order(&w, 0, WORKER_SINK_DEL, &del, sizeof(del));
    world_order(&w, 0, WORKER_SOURCE_SET, &active, sizeof(active));
    world_order(&w, 0, WORKER_SOURCE_CAP, &cap, sizeof(cap));
    world_order(&w, 0, WORKER_KEYFRAME_ASK, &ask, sizeof(ask));
    world_settle(&w);
    assert_int_equal(counters(0)->orders_stale, 10);
    assert_int_equal(w.fact_count, 0);
    world_fini(&w);
}

static void test_orders_that_are_too_short_are_counted(void **state)
{
    (void)state;
    static const uint8_t zeros[4096];
    static const size_t sizes[] = {
        0,
#define X(name, from, answer, payload) sizeof(payload),
        WORKER_MESSAGES(X)
#undef X
    };
    world_init(&w, &(struct world_options){0});
    uint64_t expected = 0;
    for (uint16_t type = 1; type < ARRAY_COUNT(sizes); type++)
        for (size_t size = 0; size < sizes[type]; size++, expected++)
            world_order(&w, 0, type, zeros, size);
    world_order(&w, 0, WORKER_NONE, zeros, 100);
    world_order(&w, 0, ARRAY_COUNT(sizes), zeros, 4096);
    world_order(&w, 0, 0xFEFF, zeros, 4096);
    world_settle(&w);
    assert_int_equal(counters(0)->orders_malformed, expected + 3);
    assert_int_equal(w.fact_count, 0);
    world_fini(&w);
}

static void test_a_description_shorter_than_it_says(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){0});
    struct remote *r = world_join(&w, 0);
    struct peer_apply_order order = {.peer = r->name, .mline_count = 1};
    world_order(&w, 0, WORKER_PEER_APPLY, &order, sizeof(order));
    order.mline_count = UINT16_MAX;
    world_order(&w, 0, WORKER_PEER_APPLY, &order, sizeof(order));
    world_run_for(&w, SEC(1));
    assert_int_equal(counters(0)->orders_malformed, 2);
    assert_false(r->ended);
    world_fini(&w);
}

/* Any order about any name, in any order: names are often stale, sometimes right, and nothing breaks. */
static void random_order(struct remote **remotes, uint32_t count)
{
    uint32_t worker = world_dice(&w, WORLD_WORKERS);
    const struct remote *r = remotes[world_dice(&w, count)];
    const struct ref sink = {world_dice(&w, 30), 1 + world_dice(&w, 2)};
    struct source_name source = remote_source(r, (uint16_t)(world_dice(&w, 2)));
    struct source_desc desc = remote_desc(r, (uint16_t)(source.ref.slot == r->source[1].slot));
    if (world_dice(&w, 4) == 0) {
        source.ref = REF_NONE;
        desc = (struct source_desc){0};
    } else if (world_dice(&w, 10) == 0) {
        source.ref.generation++;
    }
    struct sink_options options = rig_options;
    options.paused = world_dice(&w, 4) == 0;
    options.substream_target = (uint8_t)world_dice(&w, 3);
    const struct sink_add_order add = {.sink = sink, .source = source, .desc = desc, .peer = r->name, .mindex = (uint16_t)world_dice(&w, 5),
                                       .options = options};
    const struct sink_set_order set = {.sink = sink, .options = options};
    const struct sink_switch_order change = {.sink = sink, .source = source, .desc = desc};
    const struct sink_del_order del = {.sink = sink};
    const struct source_set_order active = {.source = source.ref, .active = world_dice(&w, 3) != 0};
    const struct source_cap_order cap = {.source = source.ref, .cap = {.bps = world_dice(&w, 1000000), .send_now = true}};
    const struct keyframe_ask ask = {.source = source.ref};
    const struct relay_order relay = {.source = source.ref};
    const struct relay_state gone = {.source = source.ref, .present = world_dice(&w, 2) != 0};
    switch (world_dice(&w, 11)) {
    case 0: case 1: world_order(&w, worker, WORKER_SINK_ADD, &add, sizeof(add)); break;
    case 2: world_order(&w, worker, WORKER_SINK_SET, &set, sizeof(set)); break;
    case 3: case 4: world_order(&w, worker, WORKER_SINK_SWITCH, &change, sizeof(change)); break;
    case 5: world_order(&w, worker, WORKER_SINK_DEL, &del, sizeof(del)); break;
    case 6: world_order(&w, worker, WORKER_SOURCE_SET, &active, sizeof(active)); break;
    case 7: world_order(&w, worker, WORKER_SOURCE_CAP, &cap, sizeof(cap)); break;
    case 8: world_order(&w, worker, WORKER_KEYFRAME_ASK, &ask, sizeof(ask)); break;
    case 9: fake_post((actor_id)(ACTOR_WORKER_0 + 1 - worker), (actor_id)(ACTOR_WORKER_0 + worker),
                      world_dice(&w, 2) == 0 ? WORKER_RELAY_OPEN : WORKER_RELAY_CLOSE, &relay, sizeof(relay)); break;
    case 10: fake_post((actor_id)(ACTOR_WORKER_0 + 1 - worker), (actor_id)(ACTOR_WORKER_0 + worker), WORKER_RELAY_STATE, &gone, sizeof(gone)); break;
    }
}

static void test_random_orders_break_nothing(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        struct remote *remotes[4];
        struct feed feeds[4];
        world_init(&w, &(struct world_options){.seed = seed});
        for (uint32_t i = 0; i < 4; i++) {
            remotes[i] = world_join(&w, i % 2);
            remote_feed(remotes[i], 1, 0, &feeds[i]);
        }
        for (uint32_t round = 0; round < 300; round++) {
            for (uint32_t k = world_dice(&w, 6); k > 0; k--)
                random_order(remotes, 4);
            for (uint32_t i = 0; i < 4; i++)
                remote_frame(remotes[i], &feeds[i], world_dice(&w, 20) == 0, 2);
            world_run_for(&w, FRAME_US);
        }
        for (uint32_t i = 0; i < 4; i++)
            assert_false(remotes[i]->ended);
        for (uint32_t i = 0; i < 4; i++)
            world_leave(&w, remotes[i]);
        world_run_for(&w, SEC(1));
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(w.worker[i]->media.sources.used, 0);
            assert_int_equal(w.worker[i]->media.sinks.used, 0);
            assert_int_equal(w.worker[i]->proxy_pool.used, 0);
        }
        world_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_peer_comes_up_and_goes),
        cmocka_unit_test(test_closing_says_goodbye_when_asked),
        cmocka_unit_test(test_a_close_is_answered_whether_it_finds_anybody_or_not),
        cmocka_unit_test(test_a_goodbye_from_the_client_is_a_hangup),
        cmocka_unit_test(test_a_client_that_vanishes_is_told_in_time),
        cmocka_unit_test(test_media_and_silence_are_told),
        cmocka_unit_test(test_more_peers_than_there_is_room_for_are_hung_up),
        cmocka_unit_test(test_without_a_socket_every_peer_is_hung_up),
        cmocka_unit_test(test_a_name_given_twice_leaves_the_first_alone),
        cmocka_unit_test(test_a_report_is_given_whether_there_is_a_peer_or_not),
        cmocka_unit_test(test_what_is_adjusted_counts_for_all_peers),
        cmocka_unit_test(test_orders_about_what_is_gone_are_counted),
        cmocka_unit_test(test_orders_that_are_too_short_are_counted),
        cmocka_unit_test(test_a_description_shorter_than_it_says),
        cmocka_unit_test(test_random_orders_break_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
