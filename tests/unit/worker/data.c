/* Data channels through workers: to control and back, and from source to sinks, on one worker and across two, whoever is slow. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct world w;

static struct remote *join(uint32_t worker, bool to_control)
{
    struct remote *r = world_open(&w, worker);
    r->has_data = true;
    r->data_to_control = to_control;
    remote_apply(r, true);
    remote_introduce(r);
    const uint32_t ups = world_fact_count(&w, CONTROL_PEER_DATA_UP);
    for (unsigned i = 0; i < 1000 && world_fact_count(&w, CONTROL_PEER_DATA_UP) == ups; i++)
        world_run_for(&w, MSEC(5));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_DATA_UP), ups + 1);
    return r;
}

static void send(const struct remote *r, const char *label, const char *text)
{
    uint8_t block[256];
    struct data_packet *packet = (void *)block;
    *packet = (struct data_packet){.peer = {r->name, r->worker}, .cost = DATA_TAKEN_STEP, .size = (uint32_t)strlen(text), .label_size = (uint8_t)strlen(label)};
    memcpy(packet->bytes, label, strlen(label));
    memcpy(packet->bytes + strlen(label), text, strlen(text));
    world_order(&w, r->worker, WORKER_DATA_SEND, packet, sizeof(*packet) + strlen(label) + strlen(text));
}

static void cast(uint32_t worker, const char *label, const char *text, const struct ref *peers, uint32_t count)
{
    uint8_t block[512];
    struct data_cast *cast = (void *)block;
    cast->count = count;
    memcpy(cast->peers, peers, count * sizeof(*peers));
    struct data_packet *packet = (void *)&cast->peers[count];
    *packet = (struct data_packet){.cost = 1000, .size = (uint32_t)strlen(text), .label_size = (uint8_t)strlen(label)};
    memcpy(packet->bytes, label, strlen(label));
    memcpy(packet->bytes + strlen(label), text, strlen(text));
    world_order(&w, worker, WORKER_DATA_CAST, cast, (size_t)((uint8_t *)(packet + 1) - block) + strlen(label) + strlen(text));
}

static void test_control_sends_and_is_told(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *r = join(0, true);
    remote_say(r, "chat", false, "hello", 5);
    world_run_for(&w, MSEC(100));
    const struct fact *told = world_fact(&w, CONTROL_PEER_DATA, 0);
    assert_non_null(told);
    assert_true(ref_equal(told->peer.peer.ref, r->name));
    send(r, "chat", "hi");
    world_run_for(&w, MSEC(100));
    assert_string_equal(r->data_label, "chat");
    assert_string_equal(r->data_text, "hi");
    const struct fact *taken = world_fact(&w, CONTROL_PEER_DATA_TAKEN, 0);
    assert_non_null(taken);
    assert_int_equal(taken->taken.cost, DATA_TAKEN_STEP);
    cast(0, "chat", "to all", (struct ref[]){r->name, {77, 7}}, 2);
    world_run_for(&w, MSEC(100));
    assert_string_equal(r->data_text, "to all");
    struct data_packet lie = {.peer = {r->name, 0}, .size = 5000};
    world_order(&w, 0, WORKER_DATA_SEND, &lie, sizeof(lie));                    /* says more than it brings */
    lie = (struct data_packet){.peer = {{77, 7}, 0}};
    world_order(&w, 0, WORKER_DATA_SEND, &lie, sizeof(lie));
    const struct data_credit nobody = {.peer = {77, 7}, .cost = 1};
    world_order(&w, 0, WORKER_DATA_CREDIT, &nobody, sizeof(nobody));
    world_settle(&w);
    const struct data_cast many = {.count = DATA_CAST_SIZE + 1}, cut = {.count = 1};
    world_order(&w, 0, WORKER_DATA_CAST, &many, sizeof(many));
    world_order(&w, 0, WORKER_DATA_CAST, &cut, sizeof(cut));
    world_settle(&w);
    assert_int_equal(w.worker[0]->counters.orders_malformed, 3);
    assert_int_equal(w.worker[0]->counters.orders_stale, 3);
    world_fini(&w);
}

static void test_without_credit_no_more_is_told(void **state)
{
    (void)state;
    static uint8_t bytes[50000];
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *r = join(0, true);
    for (unsigned i = 0; i < 60; i++)
        remote_say(r, "f", true, bytes, sizeof(bytes));
    world_run_for(&w, SEC(5));
    const uint32_t told = world_fact_count(&w, CONTROL_PEER_DATA);
    assert_in_range(told, DATA_IN_WINDOW / 50256, DATA_IN_WINDOW / 50256 + 1);
    const struct data_credit credit = {.peer = r->name, .cost = told * 50256};
    world_order(&w, 0, WORKER_DATA_CREDIT, &credit, sizeof(credit));
    world_run_for(&w, SEC(5));
    assert_in_range(world_fact_count(&w, CONTROL_PEER_DATA), 2 * told - 1, 2 * told + 1);
    world_fini(&w);
}

static void test_a_room_on_two_workers(void **state)
{
    (void)state;
    static uint8_t bytes[200000];
    for (uint32_t seed = 0; seed < 5; seed++) {
        world_init(&w, &(struct world_options){.seed = seed});
        struct remote *publisher = join(0, false), *near = join(0, false), *far = join(1, false), *farther = join(1, false);
        world_join_data(&w, near, publisher, "77");
        world_join_data(&w, far, publisher, "77");
        const struct ref sink = world_join_data(&w, farther, publisher, "x");
        world_run_for(&w, MSEC(300));
        assert_int_equal(w.worker[1]->data_proxy_pool.used, 1);
        remote_say(publisher, "mine", false, "to all", 6);
        world_run_for(&w, MSEC(200));
        assert_string_equal(near->data_text, "to all");
        assert_string_equal(far->data_label, "77");
        assert_string_equal(far->data_text, "to all");
        assert_string_equal(farther->data_label, "x");
        for (unsigned i = 0; i < 30; i++)
            remote_say(publisher, "mine", true, bytes, sizeof(bytes));
        world_run_for(&w, SEC(20));
        assert_int_equal(near->data_count, 31);
        assert_int_equal(far->data_bytes, 6 + 30 * sizeof(bytes));
        assert_int_equal(farther->data_count, 31);
        assert_int_equal(world_fact_count(&w, CONTROL_PEER_DATA), 0);           /* control has not been touched */
        const struct data_sink_set_order pause = {.sink = sink, .source = {publisher->data_source, 0}, .paused = true};
        world_order(&w, 1, WORKER_DATA_SINK_SET, &pause, sizeof(pause));
        world_settle(&w);
        remote_say(publisher, "mine", false, "later", 5);
        world_run_for(&w, MSEC(200));
        assert_int_equal(farther->data_count, 31);
        assert_int_equal(far->data_count, 32);
        const struct sink_del_order del = {.sink = sink};
        world_order(&w, 1, WORKER_SINK_DEL, &del, sizeof(del));
        world_leave(&w, far);
        world_run_for(&w, SEC(1));
        assert_int_equal(w.worker[1]->data_proxy_pool.used, 0);                 /* nobody there needs it */
        world_fini(&w);
    }
}

static void test_a_proxy_ends_with_its_source(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.seed = 3});
    struct remote *publisher = join(0, false), *far = join(1, false);
    world_join_data(&w, far, publisher, "1");
    world_run_for(&w, MSEC(300));
    world_leave(&w, publisher);
    world_run_for(&w, MSEC(300));
    assert_int_equal(w.worker[1]->data_proxy_pool.used, 0);
    world_fini(&w);
}

/* A sink ordered before its source exists: the proxy asks until it is there. */
static void test_a_sink_before_its_source(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.seed = 4});
    struct remote *far = join(1, false), *publisher = world_open(&w, 0);
    world_join_data(&w, far, publisher, "1");
    world_run_for(&w, SEC(1));
    publisher->has_data = true;
    remote_apply(publisher, true);
    remote_introduce(publisher);
    world_run_for(&w, SEC(2));
    remote_say(publisher, "m", false, "at last", 7);
    world_run_for(&w, MSEC(500));
    assert_string_equal(far->data_text, "at last");
    world_fini(&w);
}

/* A receiver far away that takes nothing holds the publisher up for a while, within bounds, and then nobody any more. */
static void test_a_slow_receiver_far_away(void **state)
{
    (void)state;
    static uint8_t bytes[200000];
    world_init(&w, &(struct world_options){.seed = 5});
    struct remote *publisher = join(0, false), *near = join(0, false), *far = join(1, false);
    world_join_data(&w, near, publisher, "1");
    world_join_data(&w, far, publisher, "1");
    world_run_for(&w, MSEC(300));
    far->hoards = true;                                     /* its application takes nothing: its window closes */
    for (unsigned i = 0; i < 60; i++)
        remote_say(publisher, "m", true, bytes, sizeof(bytes));
    const usec_t begun = fake.now;
    while (near->data_count < 60 && fake.now < begun + SEC(60)) {
        world_run_for(&w, MSEC(100));
        assert_true(w.worker[0]->env.sctp.memory_bytes + w.worker[1]->env.sctp.memory_bytes < 8u << 20);
    }
    assert_int_equal(near->data_count, 60);
    assert_true(fake.now - begun >= DATA_PATIENCE_US);
    assert_true(fake.now - begun < DATA_PATIENCE_US + SEC(3));       /* the publisher is told at once that it may go on */
    assert_true(w.worker[1]->media.counters.data_lost > 0);
    for (unsigned i = 0; i < 60; i++) {                     /* a minute of it */
        remote_say(publisher, "m", true, bytes, sizeof(bytes));
        world_run_for(&w, SEC(1));
        assert_true(w.worker[0]->env.sctp.memory_bytes + w.worker[1]->env.sctp.memory_bytes < 8u << 20);
        assert_in_range(slots_at(&w.worker[1]->peers, far->name.slot) == NULL ? 0
                        : ((struct peer *)slots_at(&w.worker[1]->peers, far->name.slot))->data->outbox_bytes, 1, DATA_OUTBOX_MAX);
    }
    assert_int_equal(near->data_count, 120);
    const uint32_t before = far->data_count;
    far->hoards = false;                                    /* it wakes up: what comes from now on it gets */
    peer_data_credit(far->peer, far->data_cost);
    remote_turn(far);
    world_run_for(&w, SEC(10));
    assert_true(far->data_count > before);
    remote_say(publisher, "m", false, "again", 5);
    world_run_for(&w, MSEC(500));
    assert_string_equal(far->data_text, "again");
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_sends_and_is_told),
        cmocka_unit_test(test_without_credit_no_more_is_told),
        cmocka_unit_test(test_a_room_on_two_workers),
        cmocka_unit_test(test_a_proxy_ends_with_its_source),
        cmocka_unit_test(test_a_sink_before_its_source),
        cmocka_unit_test(test_a_slow_receiver_far_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
