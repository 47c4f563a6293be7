/* The last second of one layer's packets. */
#include "rig.h"

#include <string.h>

static struct rig rig;
static struct history history;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    history = (struct history){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    history_clear(&history, &rig.media);
    rig_fini(&rig);
    return 0;
}

static void put_at(uint16_t seq, usec_t now, bool key)
{
    uint8_t payload[PAYLOAD_SIZE] = {(uint8_t)(seq >> 8), (uint8_t)seq};
    const struct media_packet packet = {.arrived = now, .seq = seq, .keyframe = key, .payload = payload, .payload_size = sizeof(payload)};
    history_put(&history, &rig.media, &packet);
}

static void put(uint16_t seq)
{
    put_at(seq, SEC(1), false);
}

static void expect_there(uint16_t seq)
{
    const struct media_packet *packet = history_get(&history, seq);
    assert_non_null(packet);
    assert_int_equal(packet->seq, seq);
    assert_int_equal(packet->payload[0] << 8 | packet->payload[1], seq);
}

static void test_what_was_put_is_found_as_a_copy(void **state)
{
    (void)state;
    uint8_t payload[4] = {1, 2, 3, 4}, descriptor[3] = {7, 8, 9};
    struct media_packet packet = {.seq = 10, .payload = payload, .payload_size = 4};
    packet.ext.has = RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR;
    packet.ext.dependency_descriptor = VIEW(descriptor, 3);
    history_put(&history, &rig.media, &packet);
    memset(payload, 0, sizeof(payload));
    memset(descriptor, 0, sizeof(descriptor));
    const struct media_packet *kept = history_get(&history, 10);
    assert_memory_equal(kept->payload, "\1\2\3\4", 4);
    assert_memory_equal(kept->ext.dependency_descriptor.data, "\7\x8\x9", 3);
    assert_null(history_get(&history, 11));
}

static void test_an_empty_one_holds_no_memory(void **state)
{
    (void)state;
    assert_null(history_get(&history, 0));
    put(5);
    assert_int_equal(rig.media.packets.used, 1);
    assert_int_equal(rig.media.rings.used, 1);
    history_clear(&history, &rig.media);
    assert_int_equal(rig.media.packets.used, 0);
    assert_int_equal(rig.media.rings.used, 0);
    history_clear(&history, &rig.media);
}

static void test_late_packets_are_kept_too(void **state)
{
    (void)state;
    put(100);
    put(90);
    put(95);
    put(101);
    expect_there(90);
    expect_there(95);
    expect_there(100);
    expect_there(101);
    assert_int_equal(history.oldest, 90);
}

static void test_a_duplicate_is_kept_once(void **state)
{
    (void)state;
    put_at(7, SEC(1), false);
    put_at(7, SEC(1) + MSEC(500), false);
    assert_int_equal(history.count, 1);
    assert_int_equal(history_get(&history, 7)->arrived, SEC(1));
}

static void test_the_ring_lets_the_oldest_go(void **state)
{
    (void)state;
    for (uint32_t seq = 65000; seq < 65000 + 3 * HISTORY_PACKETS; seq++)
        put((uint16_t)seq);
    assert_int_equal(history.count, HISTORY_PACKETS);
    assert_int_equal(rig.media.packets.used, HISTORY_PACKETS);
    uint16_t newest = (uint16_t)(65000 + 3 * HISTORY_PACKETS - 1);
    for (uint16_t i = 0; i < HISTORY_PACKETS; i++)
        expect_there((uint16_t)(newest - i));
    assert_null(history_get(&history, (uint16_t)(newest - HISTORY_PACKETS)));
}

static void test_a_packet_that_is_too_late_is_not_kept(void **state)
{
    (void)state;
    put(5000);
    put((uint16_t)(5000 - HISTORY_PACKETS));
    assert_int_equal(history.count, 1);
    put((uint16_t)(5000 - HISTORY_PACKETS + 1));
    assert_int_equal(history.count, 2);
    expect_there(5000);
}

static void test_a_leap_drops_all_that_is_out_of_reach(void **state)
{
    (void)state;
    for (uint16_t seq = 0; seq < 100; seq++)
        put(seq);
    put(20000);
    assert_int_equal(history.count, 1);
    assert_int_equal(rig.media.packets.used, 1);
    put(20050);
    expect_there(20000);
    expect_there(20050);
}

static void test_a_second_later_it_is_gone(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 10; i++)
        put_at(i, SEC(1) + MSEC(100) * i, false);
    history_expire(&history, &rig.media, SEC(2));
    assert_null(history_get(&history, 0));
    expect_there(1);
    history_expire(&history, &rig.media, SEC(2) + MSEC(450));
    assert_null(history_get(&history, 4));
    expect_there(5);
    assert_int_equal(rig.media.packets.used, 5);
    history_expire(&history, &rig.media, SEC(10));
    assert_int_equal(rig.media.packets.used, 0);
    assert_int_equal(rig.media.rings.used, 0);
    put_at(11, SEC(10), false);                     /* and it begins anew */
    expect_there(11);
}

/* A running stream lives on the memory it has. */
static void test_old_ones_go_as_new_ones_come(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        put_at((uint16_t)i, SEC(1) + MSEC(20) * i, false);
    assert_in_range(rig.media.packets.used, 49, 51);
}

/* Its place is below the window until it is there: letting old ones go must not pass it by. */
static void test_a_late_one_goes_as_well(void **state)
{
    (void)state;
    put_at(100, SEC(1), false);
    put_at(99, SEC(1) + MSEC(10), false);
    expect_there(99);
    history_expire(&history, &rig.media, SEC(3));
    assert_int_equal(rig.media.packets.used, 0);
}

static void test_holes_do_not_stop_expiry(void **state)
{
    (void)state;
    put_at(1, SEC(1), false);
    put_at(500, SEC(1), false);
    put_at(900, SEC(2), false);
    history_expire(&history, &rig.media, SEC(2) + 1);
    assert_int_equal(history.count, 1);
    expect_there(900);
}

static void test_the_newest_keyframe_is_known(void **state)
{
    (void)state;
    assert_false(history.has_key);
    put_at(10, SEC(1), true);
    put_at(11, SEC(1), false);
    put_at(20, SEC(2), true);
    put_at(15, SEC(3), true);                       /* late: an older one */
    assert_true(history.has_key);
    assert_int_equal(history.key_seq, 20);
    assert_int_equal(history.key_at, SEC(2));
    history_clear(&history, &rig.media);
    assert_false(history.has_key);
}

static void test_too_many_bytes_are_not_kept(void **state)
{
    (void)state;
    static uint8_t payload[HISTORY_BYTES], descriptor[200];
    struct media_packet packet = {.seq = 1, .payload = payload, .payload_size = HISTORY_BYTES};
    history_put(&history, &rig.media, &packet);
    assert_non_null(history_get(&history, 1));
    packet = (struct media_packet){.seq = 2, .payload = payload, .payload_size = HISTORY_BYTES - 100};
    packet.ext.has = RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR;
    packet.ext.dependency_descriptor = VIEW(descriptor, sizeof(descriptor));
    history_put(&history, &rig.media, &packet);
    assert_null(history_get(&history, 2));
    assert_int_equal(rig.media.packets.used, 1);
}

static void test_a_full_pool_is_counted_and_holds_no_ring(void **state)
{
    (void)state;
    seam_refuse_pool_at(0);                         /* the ring */
    put(1);
    assert_int_equal(rig.media.counters.history_full, 1);
    assert_int_equal(rig.media.rings.used, 0);
    seam_refuse_pool_at(1);                         /* the packet */
    put(1);
    assert_int_equal(rig.media.counters.history_full, 2);
    assert_int_equal(rig.media.rings.used, 0);
    put(2);
    seam_refuse_pool_at(0);
    put(3);
    expect_there(2);
    assert_null(history_get(&history, 3));
    put(4);
    expect_there(4);
}

static void test_an_empty_payload_is_kept_as_its_number(void **state)
{
    (void)state;
    const struct media_packet packet = {.seq = 9, .payload = NULL, .payload_size = 0};
    history_put(&history, &rig.media, &packet);
    assert_int_equal(history_get(&history, 9)->payload_size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_put_is_found_as_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_one_holds_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_packets_are_kept_too, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_duplicate_is_kept_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_ring_lets_the_oldest_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_packet_that_is_too_late_is_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_leap_drops_all_that_is_out_of_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_second_later_it_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_ones_go_as_new_ones_come, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_one_goes_as_well, setup, teardown),
        cmocka_unit_test_setup_teardown(test_holes_do_not_stop_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_newest_keyframe_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_bytes_are_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_pool_is_counted_and_holds_no_ring, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_payload_is_kept_as_its_number, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
