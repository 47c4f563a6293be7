/* Which layer a receiver gets: webrtc.md 15, line by line. */
#include "support/seams.h"

#include "media/media_types.h"
#include "media/select_simulcast.h"

static struct select_simulcast sel;
static usec_t now;
static bool changed, wants;

static int setup(void **state)
{
    (void)state;
    now = SEC(100);
    select_init(&sel, now, false, false);
    return 0;
}

static enum select_verdict offer(uint8_t layer, bool key)
{
    const struct select_packet packet = {.layer = layer, .keyframe = key, .tid = -1};
    return select_offer(&sel, now, &packet, &changed, &wants);
}

/* VP8's way with temporal layers. */
static enum select_verdict offer_tid(uint8_t layer, bool key, int8_t tid)
{
    const struct select_packet packet = {.layer = layer, .keyframe = key, .tid = tid, .up = (uint8_t)(tid < 0 ? 0 : 1u << tid), .down = true, .jump = true};
    return select_offer(&sel, now, &packet, &changed, &wants);
}

static void start_at(uint8_t layer)
{
    assert_int_equal(offer(layer, true), SELECT_RELAY_FIRST);
    assert_int_equal(sel.substream, layer);
}

/* ---- start ---- */

static void test_nothing_is_relayed_until_a_keyframe(void **state)
{
    (void)state;
    for (uint8_t layer = 0; layer < 3; layer++)
        assert_int_equal(offer(layer, false), SELECT_SKIP);
    assert_int_equal(sel.substream, -1);
    assert_false(changed);
}

static void test_the_first_keyframe_of_any_layer_starts(void **state)
{
    for (uint8_t layer = 0; layer < 3; layer++) {
        setup(state);
        start_at(layer);
        assert_true(changed);
        assert_int_equal(offer(layer, false), SELECT_RELAY);
        assert_false(changed);
        assert_int_equal(offer((uint8_t)((layer + 1) % 3), false), SELECT_SKIP);
    }
}

/* ---- up and down ---- */

static void test_up_goes_with_a_keyframe_of_any_layer_above(void **state)
{
    (void)state;
    start_at(0);
    assert_int_equal(offer(1, false), SELECT_SKIP);
    assert_int_equal(offer(1, true), SELECT_RELAY_FIRST);
    assert_true(changed);
    assert_int_equal(offer(0, true), SELECT_SKIP);          /* a keyframe below is no way up */
    assert_int_equal(offer(2, true), SELECT_RELAY_FIRST);
    assert_int_equal(offer(1, true), SELECT_SKIP);          /* at the target */
}

static void test_up_may_overshoot(void **state)
{
    (void)state;
    start_at(0);
    select_set_targets(&sel, 1, 2, 0);
    assert_int_equal(offer(2, true), SELECT_RELAY_FIRST);
    assert_int_equal(sel.substream, 2);
    assert_int_equal(offer(1, true), SELECT_RELAY_FIRST);   /* and comes back */
    assert_int_equal(sel.substream, 1);
}

static void test_down_goes_with_a_keyframe_of_any_layer_below(void **state)
{
    (void)state;
    start_at(2);
    select_set_targets(&sel, 1, 2, 0);
    assert_int_equal(offer(2, true), SELECT_RELAY);         /* goes on meanwhile */
    assert_int_equal(offer(0, false), SELECT_SKIP);
    assert_int_equal(offer(0, true), SELECT_RELAY_FIRST);   /* undershoots */
    assert_int_equal(sel.substream, 0);
    assert_int_equal(offer(1, true), SELECT_RELAY_FIRST);
}

/* ---- fallback ---- */

static void test_a_silent_layer_is_given_up_after_a_quarter_of_a_second(void **state)
{
    (void)state;
    start_at(2);
    now += SINK_FALLBACK_US;
    assert_int_equal(offer(1, false), SELECT_SKIP);
    assert_false(wants);
    now += 1;
    assert_int_equal(offer(1, false), SELECT_SKIP);
    assert_true(wants);
    assert_int_equal(sel.substream_limit, 1);
    assert_int_equal(offer(1, true), SELECT_RELAY_FIRST);
    assert_int_equal(sel.substream, 1);
}

static void test_it_falls_further_when_that_does_not_help(void **state)
{
    (void)state;
    start_at(2);
    now += SINK_FALLBACK_US + 1;
    offer(0, false);
    assert_int_equal(sel.substream_limit, 1);
    offer(0, false);                                        /* the timer has started again */
    assert_int_equal(sel.substream_limit, 1);
    now += SINK_FALLBACK_US + 1;
    offer(0, false);
    assert_int_equal(sel.substream_limit, 0);
    now += SINK_FALLBACK_US + 1;
    offer(0, false);
    assert_int_equal(sel.substream_limit, 0);
    assert_int_equal(offer(0, true), SELECT_RELAY_FIRST);
}

static void test_its_threshold_can_be_chosen(void **state)
{
    (void)state;
    start_at(2);
    select_set_targets(&sel, 2, 2, 1000000);
    now += 900000;
    offer(1, false);
    assert_int_equal(sel.substream_limit, -1);
    now += 100001;
    offer(1, false);
    assert_int_equal(sel.substream_limit, 1);
    select_set_targets(&sel, 2, 2, 0);
    assert_int_equal(sel.fallback_us, 250000);
}

static void test_nothing_lies_below_the_lowest(void **state)
{
    (void)state;
    start_at(0);
    now += SEC(5);
    offer(1, false);
    assert_int_equal(sel.substream_limit, -1);
}

static void test_a_layer_at_or_above_the_target_is_no_reason_to_fall(void **state)
{
    (void)state;
    start_at(1);
    select_set_targets(&sel, 1, 2, 0);
    now += MSEC(300);
    offer(2, false);
    offer(1, false);
    assert_int_equal(sel.substream_limit, -1);
}

static void test_a_layer_above_the_limit_lifts_it(void **state)
{
    (void)state;
    start_at(2);
    now += SINK_FALLBACK_US + 1;
    offer(1, false);
    assert_int_equal(offer(1, true), SELECT_RELAY_FIRST);
    assert_int_equal(offer(2, false), SELECT_SKIP);         /* it lives again */
    assert_int_equal(sel.substream_limit, -1);
    assert_int_equal(offer(2, true), SELECT_RELAY_FIRST);
}

static void test_a_target_at_or_below_the_limit_lifts_it(void **state)
{
    (void)state;
    start_at(2);
    now += SINK_FALLBACK_US + 1;
    offer(1, false);
    assert_int_equal(sel.substream_limit, 1);
    select_set_targets(&sel, 1, 2, 0);
    assert_int_equal(sel.substream_limit, -1);
    assert_int_equal(offer(1, true), SELECT_RELAY_FIRST);
}

/* ---- asking ---- */

static void test_silence_asks_once_a_second(void **state)
{
    (void)state;
    uint32_t asked = 0;
    for (usec_t end = now + SEC(5); now < end; now += MSEC(20)) {
        offer(0, false);
        asked += wants;
    }
    assert_in_range(asked, 4, 5);
}

static void test_a_relayed_layer_asks_for_nothing(void **state)
{
    (void)state;
    start_at(2);
    for (usec_t end = now + SEC(5); now < end; now += MSEC(20)) {
        assert_int_equal(offer(2, false), SELECT_RELAY);
        assert_false(wants);
        offer(0, false);
        offer(1, false);
        assert_false(wants);
    }
}

/* ---- temporal layers ---- */

static void test_before_a_value_is_set_all_is_relayed(void **state)
{
    (void)state;
    assert_int_equal(offer_tid(0, true, 0), SELECT_RELAY_FIRST);
    assert_int_equal(offer_tid(0, false, 1), SELECT_RELAY);
    assert_int_equal(sel.temporal, -1);
    assert_int_equal(offer_tid(0, false, 2), SELECT_RELAY);
    assert_int_equal(sel.temporal, 2);
    assert_true(changed);
}

static void test_vp8_jumps_to_the_target_when_it_comes(void **state)
{
    (void)state;
    offer_tid(0, true, 0);
    offer_tid(0, false, 2);
    select_set_targets(&sel, 2, 0, 0);
    assert_int_equal(offer_tid(0, false, 2), SELECT_RELAY);         /* until one of the target has come */
    assert_int_equal(offer_tid(0, false, 0), SELECT_RELAY);
    assert_true(changed);
    assert_int_equal(sel.temporal, 0);
    assert_int_equal(offer_tid(0, false, 1), SELECT_DROP);
    assert_int_equal(offer_tid(0, false, 2), SELECT_DROP);
    select_set_targets(&sel, 2, 1, 0);
    assert_int_equal(offer_tid(0, false, 2), SELECT_DROP);
    assert_int_equal(offer_tid(0, false, 1), SELECT_RELAY);
    assert_int_equal(sel.temporal, 1);
    assert_int_equal(offer_tid(0, false, 2), SELECT_DROP);
}

static enum select_verdict offer_vp9(int8_t tid, bool up, bool down)
{
    const struct select_packet packet = {.layer = 0, .tid = tid, .up = (uint8_t)(up ? 1u << tid : 0), .down = down};
    return select_offer(&sel, now, &packet, &changed, &wants);
}

static void test_vp9_rises_at_a_switching_point_only(void **state)
{
    (void)state;
    start_at(0);
    assert_int_equal(offer_vp9(0, true, true), SELECT_RELAY);
    assert_int_equal(sel.temporal, 0);
    assert_int_equal(offer_vp9(1, false, true), SELECT_DROP);
    assert_int_equal(offer_vp9(1, true, false), SELECT_RELAY);
    assert_int_equal(sel.temporal, 1);
    assert_int_equal(offer_vp9(2, false, true), SELECT_DROP);
    assert_int_equal(offer_vp9(2, true, false), SELECT_RELAY);
    assert_int_equal(sel.temporal, 2);
}

static void test_vp9_falls_at_the_end_of_a_frame_of_the_target(void **state)
{
    (void)state;
    start_at(0);
    offer_vp9(2, true, false);
    assert_int_equal(sel.temporal, 2);
    select_set_targets(&sel, 2, 1, 0);
    assert_int_equal(offer_vp9(1, true, false), SELECT_RELAY);      /* not its end yet */
    assert_int_equal(sel.temporal, 2);
    assert_int_equal(offer_vp9(2, false, true), SELECT_RELAY);      /* not the target */
    assert_int_equal(offer_vp9(1, false, true), SELECT_RELAY);
    assert_int_equal(sel.temporal, 1);
    assert_int_equal(offer_vp9(2, true, true), SELECT_DROP);
}

/* AV1's frames say which temporal layers can be decoded from them on, above their own too. */
static void test_av1_rises_with_a_frame_that_is_relayed_in_any_case(void **state)
{
    (void)state;
    const struct select_packet base = {.tid = 0, .up = 7, .down = true}, plain = {.tid = 0, .down = true};
    const struct select_packet middle = {.tid = 1, .up = 4, .down = true}, top = {.tid = 2, .down = true};
    start_at(0);
    select_set_targets(&sel, 2, 0, 0);
    assert_int_equal(select_offer(&sel, now, &base, &changed, &wants), SELECT_RELAY);
    assert_int_equal(sel.temporal, 0);
    select_set_targets(&sel, 2, 2, 0);
    assert_int_equal(select_offer(&sel, now, &middle, &changed, &wants), SELECT_DROP);      /* what it leads to follows from it too */
    assert_int_equal(select_offer(&sel, now, &plain, &changed, &wants), SELECT_RELAY);
    assert_int_equal(select_offer(&sel, now, &top, &changed, &wants), SELECT_DROP);
    assert_int_equal(select_offer(&sel, now, &base, &changed, &wants), SELECT_RELAY);
    assert_true(changed);
    assert_int_equal(sel.temporal, 2);
    assert_int_equal(select_offer(&sel, now, &top, &changed, &wants), SELECT_RELAY);
}

/* Of 15 frames a second every fourth is left: more than the fallback's 250 ms apart, and yet the layer lives. */
static void test_frames_that_are_left_out_are_signs_of_life(void **state)
{
    (void)state;
    start_at(1);
    select_set_targets(&sel, 1, 0, 0);
    assert_int_equal(offer_tid(1, false, 0), SELECT_RELAY);
    for (int i = 1; i < 40; i++) {
        now += 67000;
        (void)offer_tid(0, false, 0);
        assert_false(wants);
        assert_int_equal(offer_tid(1, false, i % 4 == 0 ? 0 : 2), i % 4 == 0 ? SELECT_RELAY : SELECT_DROP);
    }
    assert_int_equal(sel.substream_limit, -1);
}

static void test_no_temporal_id_no_drop(void **state)
{
    (void)state;
    start_at(0);
    select_set_targets(&sel, 2, 0, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(offer(0, false), SELECT_RELAY);
}

static void test_a_new_layer_forgets_the_temporal_one(void **state)
{
    (void)state;
    offer_tid(0, true, 0);
    offer_tid(0, false, 2);
    assert_int_equal(offer_tid(1, true, 0), SELECT_RELAY_FIRST);
    assert_int_equal(sel.temporal, -1);
}

/* ---- one layer, and payloads that nobody may look into ---- */

static void test_a_single_layer_waits_for_its_keyframe_only(void **state)
{
    (void)state;
    select_init(&sel, now, true, false);
    select_set_targets(&sel, 0, 0, 0);
    assert_int_equal(offer_tid(0, false, 0), SELECT_SKIP);
    assert_int_equal(offer_tid(0, true, 0), SELECT_RELAY_FIRST);
    for (int8_t tid = 0; tid < 3; tid++)
        assert_int_equal(offer_tid(0, false, tid), SELECT_RELAY);
    assert_int_equal(offer_tid(0, true, 2), SELECT_RELAY);
}

static void test_blind_any_packet_starts(void **state)
{
    (void)state;
    select_init(&sel, now, true, true);
    assert_int_equal(offer(0, false), SELECT_RELAY_FIRST);
    assert_int_equal(offer(0, false), SELECT_RELAY);
}

static void test_blind_with_layers_goes_to_the_target_and_stays(void **state)
{
    (void)state;
    select_init(&sel, now, false, true);
    assert_int_equal(offer(1, false), SELECT_RELAY_FIRST);
    assert_int_equal(offer(0, false), SELECT_SKIP);
    assert_int_equal(offer(2, false), SELECT_RELAY_FIRST);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(offer(0, false), SELECT_SKIP);
        assert_int_equal(offer(1, false), SELECT_SKIP);
        assert_int_equal(offer(2, false), SELECT_RELAY);
    }
}

static void test_restarted_it_waits_again_and_keeps_its_targets(void **state)
{
    (void)state;
    start_at(2);
    select_set_targets(&sel, 1, 0, 700000);
    select_restart(&sel, now);
    assert_int_equal(offer(2, false), SELECT_SKIP);
    assert_int_equal(sel.substream_target, 1);
    assert_int_equal(sel.temporal_target, 0);
    assert_int_equal(sel.fallback_us, 700000);
    start_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_is_relayed_until_a_keyframe, setup),
        cmocka_unit_test_setup(test_the_first_keyframe_of_any_layer_starts, setup),
        cmocka_unit_test_setup(test_up_goes_with_a_keyframe_of_any_layer_above, setup),
        cmocka_unit_test_setup(test_up_may_overshoot, setup),
        cmocka_unit_test_setup(test_down_goes_with_a_keyframe_of_any_layer_below, setup),
        cmocka_unit_test_setup(test_a_silent_layer_is_given_up_after_a_quarter_of_a_second, setup),
        cmocka_unit_test_setup(test_it_falls_further_when_that_does_not_help, setup),
        cmocka_unit_test_setup(test_its_threshold_can_be_chosen, setup),
        cmocka_unit_test_setup(test_nothing_lies_below_the_lowest, setup),
        cmocka_unit_test_setup(test_a_layer_at_or_above_the_target_is_no_reason_to_fall, setup),
        cmocka_unit_test_setup(test_a_layer_above_the_limit_lifts_it, setup),
        cmocka_unit_test_setup(test_a_target_at_or_below_the_limit_lifts_it, setup),
        cmocka_unit_test_setup(test_silence_asks_once_a_second, setup),
        cmocka_unit_test_setup(test_a_relayed_layer_asks_for_nothing, setup),
        cmocka_unit_test_setup(test_before_a_value_is_set_all_is_relayed, setup),
        cmocka_unit_test_setup(test_vp8_jumps_to_the_target_when_it_comes, setup),
        cmocka_unit_test_setup(test_vp9_rises_at_a_switching_point_only, setup),
        cmocka_unit_test_setup(test_vp9_falls_at_the_end_of_a_frame_of_the_target, setup),
        cmocka_unit_test_setup(test_av1_rises_with_a_frame_that_is_relayed_in_any_case, setup),
        cmocka_unit_test_setup(test_frames_that_are_left_out_are_signs_of_life, setup),
        cmocka_unit_test_setup(test_no_temporal_id_no_drop, setup),
        cmocka_unit_test_setup(test_a_new_layer_forgets_the_temporal_one, setup),
        cmocka_unit_test_setup(test_a_single_layer_waits_for_its_keyframe_only, setup),
        cmocka_unit_test_setup(test_blind_any_packet_starts, setup),
        cmocka_unit_test_setup(test_blind_with_layers_goes_to_the_target_and_stays, setup),
        cmocka_unit_test_setup(test_restarted_it_waits_again_and_keeps_its_targets, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
