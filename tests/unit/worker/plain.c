/* Sockets of plain RTP: opened and closed by order, and what becomes of those that can't be had. */
#include "world.h"

static struct world w;

static const struct net_addr any = {.family = NET_IP4};
static const struct net_addr outside = {.ip = {10, 9, 9, 9}, .port = 5005, .family = NET_IP4};

static void open_plain(uint32_t slot, uint8_t use, const struct net_addr *latch)
{
    struct plain_open_order order = {.plain = {slot, 1}, .options = {.use = use, .local = any}};
    if (latch != NULL)
        order.options.latch = *latch;
    world_order_op(&w, 0, WORKER_PLAIN_OPEN, (struct ref){100 + slot, 7}, &order, sizeof(order));
    world_settle(&w);
}

static void close_plain(uint32_t slot)
{
    const struct plain_close_order order = {.plain = {slot, 1}};
    world_order(&w, 0, WORKER_PLAIN_CLOSE, &order, sizeof(order));
    world_settle(&w);
}

static const struct plain_opened_fact *opened(uint32_t n)
{
    const struct fact *fact = world_fact(&w, CONTROL_PLAIN_OPENED, n);
    assert_non_null(fact);
    assert_int_equal(fact->op.generation, 7);
    return &fact->plain;
}

static void test_an_opened_socket_says_where_it_is(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1});
    open_plain(3, PLAIN_SEND, NULL);
    assert_int_equal(opened(0)->error, ERR_NONE);
    assert_int_equal(opened(0)->plain.slot, 3);
    assert_true(opened(0)->local.port != 0);
    assert_int_equal(w.worker[0]->plains.count, 1);
    close_plain(3);
    assert_int_equal(w.worker[0]->plains.count, 0);
    open_plain(3, PLAIN_SEND, NULL);
    assert_int_equal(opened(1)->error, ERR_NONE);
    world_fini(&w);                     /* closes what is left */
}

static void test_one_that_cannot_be_had_is_answered_and_leaves_nothing(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1});
    fake.open_error = ERR_FULL;
    open_plain(0, PLAIN_SEND, &outside);
    assert_int_equal(opened(0)->error, ERR_FULL);
    fake.open_error = ERR_NONE;
    fake.watch_fails = true;
    open_plain(0, PLAIN_SEND, &outside);
    assert_int_equal(opened(1)->error, ERR_IO);
    fake.watch_fails = false;
    assert_int_equal(w.worker[0]->plains.count, 0);
    assert_int_equal(w.worker[0]->plain_pool.used, 0);
    assert_int_equal(w.worker[0]->counters.plain_refused, 2);
    close_plain(0);                     /* an order about nobody */
    assert_int_equal(w.worker[0]->counters.orders_stale, 1);
    open_plain(0, PLAIN_SEND, NULL);
    assert_int_equal(opened(2)->error, ERR_NONE);
    world_run_for(&w, MSEC(50));
    assert_int_equal(w.outside_count, 0);
    world_fini(&w);
}

static void test_the_pool_is_a_limit_and_a_name_is_used_once(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1});
    for (uint32_t i = 0; i < 9; i++)
        open_plain(i, PLAIN_SEND, NULL);
    assert_int_equal(opened(7)->error, ERR_NONE);
    assert_int_equal(opened(8)->error, ERR_FULL);
    close_plain(7);
    open_plain(0, PLAIN_SEND, NULL);
    assert_int_equal(opened(9)->error, ERR_INVALID);
    assert_int_equal(w.worker[0]->plain_pool.used, 7);
    world_fini(&w);
}

static void test_a_latch_is_two_empty_packets(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1});
    open_plain(0, PLAIN_ASK, &outside);
    world_run_for(&w, MSEC(50));
    assert_int_equal(w.outside_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t empty[12] = {0x80};
        assert_true(net_addr_equal(&w.outside[i].to, &outside));
        assert_int_equal(w.outside[i].size, 12);
        assert_memory_equal(w.outside[i].data, empty, 12);
        assert_int_equal(w.outside[i].from.port, opened(0)->local.port);
    }
    world_fini(&w);
}

/* Whatever comes in on a socket that only sends, or that nobody has named, is thrown away. */
static void test_noise_is_thrown_away(void **state)
{
    (void)state;
    uint8_t noise[200];
    world_init(&w, &(struct world_options){.workers = 1});
    open_plain(0, PLAIN_SEND, NULL);
    open_plain(1, PLAIN_ASK, NULL);
    for (unsigned i = 0; i < 2000; i++) {
        size_t size = 1 + world_dice(&w, sizeof(noise));
        for (size_t k = 0; k < size; k++)
            noise[k] = (uint8_t)world_dice(&w, 256);
        if (i % 2 == 0 && size > 2) {
            noise[0] = 0x81;
            noise[1] = 206;
        }
        world_send_in(&w, &outside, &opened(i % 4 == 0)->local, noise, size);
        world_run_for(&w, MSEC(20));
    }
    assert_int_equal(w.worker[0]->counters.plain_in, 2000);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_opened_socket_says_where_it_is),
        cmocka_unit_test(test_one_that_cannot_be_had_is_answered_and_leaves_nothing),
        cmocka_unit_test(test_the_pool_is_a_limit_and_a_name_is_used_once),
        cmocka_unit_test(test_a_latch_is_two_empty_packets),
        cmocka_unit_test(test_noise_is_thrown_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
