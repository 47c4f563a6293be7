/* list, slots, pool, map, timerq: the containers that own nothing but order. */
#include "support/seams.h"

#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/slots.h"
#include "base/timerq.h"

static void test_list_order_and_deletion_while_walking(void **state)
{
    (void)state;
    struct item { int v; struct list node; } items[4];
    struct list head;
    list_init(&head);
    for (int i = 0; i < 4; i++) {
        items[i].v = i;
        list_add_tail(&head, &items[i].node);
    }
    int sum = 0;
    LIST_EACH(it, &head) {
        struct item *item = CONTAINER_OF(it, struct item, node);
        sum = sum * 10 + item->v;
        if (item->v % 2 == 0)
            list_del(it);
    }
    assert_int_equal(sum, 123);
    assert_ptr_equal(list_pop(&head), &items[1].node);
    assert_ptr_equal(list_pop(&head), &items[3].node);
    assert_null(list_pop(&head));
}

static void test_stale_refs_find_nobody(void **state)
{
    (void)state;
    struct slots slots;
    int a, b;
    slots_init(&slots, 3);
    struct ref ra = slots_add(&slots, &a);
    assert_ptr_equal(slots_get(&slots, ra), &a);
    slots_del(&slots, ra);
    assert_null(slots_get(&slots, ra));
    struct ref rb = slots_add(&slots, &b);
    assert_int_equal(rb.slot, ra.slot);
    assert_int_not_equal(rb.generation, ra.generation);
    assert_null(slots_get(&slots, ra));
    assert_null(slots_get(&slots, REF_NONE));
    assert_false(ref_is_none(slots_add(&slots, &a)));
    assert_false(ref_is_none(slots_add(&slots, &a)));
    assert_true(ref_is_none(slots_add(&slots, &a)));       /* the limit */
    slots_fini(&slots);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_refs_minted_elsewhere(void **state)
{
    (void)state;
    struct slots slots;
    int a, b;
    slots_init(&slots, 100);
    assert_true(slots_put(&slots, (struct ref){40, 7}, &a));
    assert_false(slots_put(&slots, (struct ref){40, 8}, &b));
    assert_false(slots_put(&slots, (struct ref){100, 1}, &b));
    assert_ptr_equal(slots_get(&slots, (struct ref){40, 7}), &a);
    assert_int_equal(slots_next(&slots, 0), 40);
    assert_int_equal(slots_next(&slots, 41), UINT32_MAX);
    slots_del(&slots, (struct ref){40, 7});
    assert_true(slots_put(&slots, (struct ref){40, 9}, &b));
    slots_del(&slots, (struct ref){40, 9});
    slots_fini(&slots);
}

static void test_pool_limit_zeroing_and_return_of_slabs(void **state)
{
    (void)state;
    struct pool pool;
    void *items[2000];
    pool_init(&pool, "test", 100, 2000);
    for (int i = 0; i < 2000; i++) {
        items[i] = pool_get(&pool);
        assert_non_null(items[i]);
        for (int k = 0; k < 100; k++)
            assert_int_equal(((uint8_t *)items[i])[k], 0);
        memset(items[i], 0xAA, 100);
    }
    assert_null(pool_get(&pool));
    assert_int_equal(pool.refused, 1);
    size_t slabs = seam_mem_outstanding();
    assert_true(slabs > 2);
    for (int i = 0; i < 2000; i++)
        pool_put(&pool, items[(i * 7) % 2000]);
    assert_int_equal(seam_mem_outstanding(), 1);      /* one empty slab is kept */
    assert_int_equal(pool.used, 0);
    pool_fini(&pool);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_pool_refusal_can_be_injected(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, "test", 8, 10);
    seam_refuse_pool_at(1);
    void *a = pool_get(&pool);
    assert_non_null(a);
    assert_null(pool_get(&pool));
    seam_refuse_pool_at(-1);
    pool_put(&pool, a);
    pool_fini(&pool);
}

static void test_map_finds_among_equal_hashes(void **state)
{
    (void)state;
    struct entry { int v; struct map_node node; } entries[500];
    struct map map;
    map_init(&map);
    for (int i = 0; i < 500; i++) {
        entries[i].v = i;
        map_add(&map, &entries[i].node, (uint64_t)(i % 100));     /* five entries a hash */
    }
    int found = 0;
    for (struct map_node *n = map_first(&map, 42); n != NULL; n = map_next_same(n)) {
        assert_int_equal(CONTAINER_OF(n, struct entry, node)->v % 100, 42);
        found++;
    }
    assert_int_equal(found, 5);
    int seen = 0;
    struct map_node *next = map_each(&map, NULL);
    while (next != NULL) {
        struct map_node *n = next;
        next = map_each(&map, n);
        map_del(&map, n);
        seen++;
    }
    assert_int_equal(seen, 500);
    assert_null(map_first(&map, 42));
    map_fini(&map);
}

static void test_timers_come_in_order_and_move(void **state)
{
    (void)state;
    struct timerq q;
    struct timer t[200] = {0};
    timerq_init(&q);
    assert_true(timerq_next(&q) == USEC_NEVER);
    for (unsigned i = 0; i < 200; i++)
        timerq_set(&q, &t[i], (i * 7919) % 1000);
    for (unsigned i = 0; i < 200; i += 3)
        timerq_set(&q, &t[i], 2000 - i);
    for (unsigned i = 0; i < 200; i += 5)
        timerq_stop(&q, &t[i]);
    usec_t last = 0;
    unsigned count = 0;
    for (struct timer *due; (due = timerq_pop(&q, 5000)) != NULL; count++) {
        assert_true(due->at >= last);
        assert_false(timer_is_running(due));
        assert_int_not_equal((due - t) % 5, 0);
        last = due->at;
    }
    assert_int_equal(count, 160);
    timerq_set(&q, &t[0], 10);
    assert_null(timerq_pop(&q, 9));
    timerq_set(&q, &t[0], USEC_NEVER);
    assert_false(timer_is_running(&t[0]));
    timerq_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_order_and_deletion_while_walking),
        cmocka_unit_test(test_stale_refs_find_nobody),
        cmocka_unit_test(test_refs_minted_elsewhere),
        cmocka_unit_test(test_pool_limit_zeroing_and_return_of_slabs),
        cmocka_unit_test(test_pool_refusal_can_be_injected),
        cmocka_unit_test(test_map_finds_among_equal_hashes),
        cmocka_unit_test(test_timers_come_in_order_and_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
