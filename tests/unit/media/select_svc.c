/* Layers of one stream towards one receiver: whoever decodes finds every reference, and the marker where its picture ends. */
#include "support/seams.h"

#include <string.h>

#include "media/select_svc.h"
#include "media/seqmap.h"

#define SPATIAL   3
#define TEMPORAL  3
#define FRAME_US  33000u
#define PICTURES  20000u

/* ---- a publisher: L3T3, temporal pattern 0 2 1 2, each frame of one to three packets ---- */

static const int8_t pattern[] = {0, 2, 1, 2};

struct publisher {
    uint64_t random;
    uint32_t picture;               /* since the last keyframe: 0 is one */
    uint32_t number;
    uint16_t seq;
    usec_t now;
    bool vp9;                       /* else as a dependency descriptor says it */
    bool key_wanted;
};

struct picture {
    int8_t tid;
    bool key;
    uint32_t count;
    struct media_packet packets[SPATIAL * 3];
};

static struct publisher pub;
static struct select_svc svc;
static bool changed, wants, marker;

static int setup(void **state)
{
    (void)state;
    pub = (struct publisher){.seq = 65500, .now = SEC(10), .vp9 = true, .key_wanted = true, .random = 7};
    select_svc_init(&svc, pub.now);
    return 0;
}

static uint32_t roll(uint32_t sides)
{
    pub.random = pub.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(pub.random >> 33) % sides;
}

/* VP9 says with a frame that it may be taken up (not the second 2, which refers to the 1); a descriptor says with a frame what
 * may be taken up after it. */
static uint8_t up_of(int8_t tid, int8_t sid)
{
    if (pub.vp9)
        return sid == 0 && (pub.picture - 1) % 4 != 3 ? (uint8_t)(1u << tid) : 0;
    return tid == 0 ? 7 : tid == 1 ? 4 : 0;
}

static void next_picture(struct picture *p)
{
    *p = (struct picture){.key = pub.key_wanted};
    if (pub.key_wanted)
        pub.picture = 0;
    pub.key_wanted = false;
    p->tid = pattern[pub.picture++ % 4];
    pub.number++;
    pub.now += FRAME_US;
    for (int8_t sid = 0; sid < SPATIAL; sid++) {
        const uint32_t count = 1 + roll(3);
        for (uint32_t i = 0; i < count; i++)
            p->packets[p->count++] = (struct media_packet){
                .arrived = pub.now, .ts = pub.number * 2970u, .seq = pub.seq++, .keyframe = p->key && sid == 0 && i == 0, .sid = sid,
                .tid = p->tid, .tid_up = i == 0 ? up_of(p->tid, sid) : 0, .frame_end = i + 1 == count,
                .marker = sid + 1 == SPATIAL && i + 1 == count, .spatial_count = SPATIAL};
    }
}

/* The packet after one that is held is known at once here. */
static enum select_verdict offer_before(const struct media_packet *packet, const struct media_packet *next)
{
    changed = wants = false;
    marker = packet->marker;
    enum select_verdict verdict = select_svc_offer(&svc, packet, &marker, &changed, &wants);
    if (verdict != SELECT_HOLD)
        return verdict;
    marker = select_svc_ends(&svc, packet, next);
    return SELECT_RELAY;
}

static enum select_verdict offer(const struct media_packet *packet)
{
    return offer_before(packet, packet + 1);
}

/* The spatial layers that were relayed of a picture; -1: none of it. Fails when one is torn, or the marker is anywhere but at the end. */
static int8_t relay_picture(const struct picture *p)
{
    int8_t top = -1;
    bool ended = false;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct media_packet *packet = &p->packets[i];
        if (offer(packet) != SELECT_RELAY) {
            assert_true(packet->sid > top);         /* nothing is missing below what is relayed, and no frame's rest is cut off */
            continue;
        }
        assert_false(ended);
        assert_true(packet->sid <= top + 1);
        assert_true(i == 0 || packet->sid == top || packet->sid == top + 1);
        top = packet->sid;
        ended = marker;
    }
    assert_int_equal(ended, top >= 0);
    return top;
}

static int8_t next_top(void)
{
    struct picture p;
    next_picture(&p);
    return relay_picture(&p);
}

static void start(uint8_t spatial, uint8_t temporal)
{
    select_svc_set_targets(&svc, pub.now, spatial, temporal);
    assert_int_equal(next_top(), spatial);
}

/* ---- one step at a time ---- */

static void test_it_begins_at_the_target(void **state)
{
    (void)state;
    for (uint8_t spatial = 0; spatial < SPATIAL; spatial++) {
        select_svc_restart(&svc, pub.now);
        pub.key_wanted = true;
        start(spatial, 2);
        assert_int_equal(svc.told.spatial, spatial);
        assert_int_equal(svc.told.temporal, 0);
        for (int i = 0; i < 5; i++)
            assert_int_equal(next_top(), spatial);
        assert_int_equal(svc.told.temporal, 2);     /* told when seen */
    }
}

static void test_more_than_there_is_is_not_told(void **state)
{
    (void)state;
    const struct media_packet packet = {.seq = 1, .keyframe = true, .sid = 0, .tid = 0, .frame_end = true, .marker = true, .spatial_count = 1};
    assert_int_equal(offer_before(&packet, NULL), SELECT_RELAY);
    assert_true(changed);
    assert_int_equal(svc.told.spatial, 0);
}

/* A layer that the publisher's encoder adds later, without a keyframe, reaches those who want it: they have had all there was. */
static void test_a_layer_that_comes_later_is_relayed_at_once(void **state)
{
    (void)state;
    static const struct media_packet packets[] = {
        {.seq = 1, .keyframe = true, .sid = 0, .frame_end = true, .marker = true, .spatial_count = 1},
        {.seq = 2, .ts = 3000, .sid = 0, .frame_end = true, .spatial_count = 2},
        {.seq = 3, .ts = 3000, .sid = 1, .frame_end = true, .marker = true, .spatial_count = 2},
    };
    (void)offer(&packets[0]);
    assert_int_equal(offer(&packets[1]), SELECT_RELAY);
    assert_false(marker);
    assert_true(changed);
    assert_int_equal(svc.told.spatial, 1);
    assert_int_equal(offer_before(&packets[2], NULL), SELECT_RELAY);
    assert_true(marker);
}

/* The encoder has left layer 1 out of the picture, and not layer 2. */
static void test_a_picture_may_end_below_the_layer(void **state)
{
    (void)state;
    static const struct media_packet packets[] = {
        {.seq = 1, .keyframe = true, .sid = 0, .frame_end = true, .spatial_count = 3},
        {.seq = 2, .sid = 2, .frame_end = true, .marker = true, .spatial_count = 3},
    };
    select_svc_set_targets(&svc, pub.now, 1, 2);
    bool ends = false;
    assert_int_equal(select_svc_offer(&svc, &packets[0], &ends, &changed, &wants), SELECT_HOLD);
    assert_false(ends);
    assert_true(select_svc_ends(&svc, &packets[0], &packets[1]));
    struct media_packet other = packets[1];
    other.sid = 1;
    assert_false(select_svc_ends(&svc, &packets[0], &other));
    other.sid = 0;
    other.ts = 3000;
    assert_true(select_svc_ends(&svc, &packets[0], &other));
    assert_int_equal(offer_before(&packets[1], NULL), SELECT_DROP);
}

static void test_down_with_the_next_picture(void **state)
{
    (void)state;
    struct picture p;
    start(2, 2);
    next_picture(&p);
    assert_int_equal(offer(&p.packets[0]), SELECT_RELAY);
    select_svc_set_targets(&svc, pub.now, 1, 2);
    for (uint32_t i = 1; i < p.count; i++)
        assert_int_equal(offer(&p.packets[i]), SELECT_RELAY);       /* one that has begun is ended */
    assert_int_equal(next_top(), 1);
    select_svc_set_targets(&svc, pub.now, 0, 0);
    assert_int_equal(next_top(), -1);                               /* temporal layer 2 */
    assert_int_equal(next_top(), 0);
    assert_int_equal(svc.told.spatial, 0);
    assert_int_equal(svc.told.temporal, 0);
}

static void test_spatial_up_with_a_keyframe_only(void **state)
{
    (void)state;
    start(0, 2);
    select_svc_set_targets(&svc, pub.now, 2, 2);
    for (int i = 0; i < 9; i++)
        assert_int_equal(next_top(), 0);
    pub.key_wanted = true;
    assert_int_equal(next_top(), 2);
    assert_int_equal(next_top(), 2);
}

/* When keyframes were asked for, in 100 pictures. */
static unsigned asks_in_100(usec_t asked[4])
{
    unsigned count = 0;
    for (int i = 0; i < 100; i++) {
        struct picture p;
        next_picture(&p);
        for (uint32_t k = 0; k < p.count; k++) {
            (void)offer(&p.packets[k]);
            if (wants && count < 4)
                asked[count++] = pub.now;
        }
    }
    return count;
}

static void test_a_keyframe_that_does_not_come_is_asked_for_again(void **state)
{
    (void)state;
    usec_t asked[4];
    start(0, 2);
    select_svc_set_targets(&svc, pub.now, 2, 2);
    const usec_t from = pub.now;
    assert_int_equal(asks_in_100(asked), 3);
    assert_in_range(asked[0] - from, SELECT_SILENT_US, SELECT_SILENT_US + 2 * FRAME_US);
    assert_in_range(asked[1] - asked[0], SELECT_SILENT_US, SELECT_SILENT_US + 2 * FRAME_US);
    pub.key_wanted = true;
    assert_int_equal(asks_in_100(asked), 0);
}

static void test_temporal_up_where_the_stream_says_so(void **state)
{
    (void)state;
    for (int vp9 = 0; vp9 < 2; vp9++) {
        pub.vp9 = vp9 == 1;
        pub.key_wanted = true;
        start(1, 0);
        assert_int_equal(next_top(), -1);
        assert_int_equal(next_top(), -1);
        assert_int_equal(next_top(), -1);
        select_svc_set_targets(&svc, pub.now, 1, 2);
        assert_int_equal(next_top(), 1);                            /* 0 */
        assert_int_equal(next_top(), 1);                            /* 2 */
        assert_int_equal(svc.told.temporal, 2);
        assert_int_equal(next_top(), 1);
        assert_int_equal(next_top(), 1);
    }
}

static void test_a_frame_that_is_no_switching_point_takes_nothing_up(void **state)
{
    (void)state;
    start(2, 0);
    select_svc_set_targets(&svc, pub.now, 2, 2);
    for (int i = 0; i < 20; i++) {
        struct picture p;
        next_picture(&p);
        for (uint32_t k = 0; k < p.count; k++)
            p.packets[k].tid_up = 0;
        assert_int_equal(relay_picture(&p), p.tid == 0 ? 2 : -1);
    }
}

static void test_what_says_nothing_is_relayed(void **state)
{
    (void)state;
    start(0, 0);
    const struct media_packet packet = {.seq = (uint16_t)(pub.seq + 1), .sid = -1, .tid = -1, .frame_end = false, .marker = false};
    assert_int_equal(offer_before(&packet, NULL), SELECT_RELAY);
    assert_false(marker);
}

/* ---- late packets ---- */

static void test_a_late_packet_is_judged_by_what_held_then(void **state)
{
    (void)state;
    struct picture above, key;
    start(0, 2);
    next_picture(&above);
    select_svc_set_targets(&svc, pub.now, 2, 2);
    pub.key_wanted = true;
    next_picture(&key);
    (void)offer(&above.packets[0]);
    assert_int_equal(relay_picture(&key), 2);
    assert_int_equal(offer(&above.packets[above.count - 1]), SELECT_DROP);          /* of layer 2, before the keyframe */

    struct picture before, after;
    next_picture(&before);
    for (uint32_t i = 0; i + 1 < before.count; i++)
        (void)offer(&before.packets[i]);
    select_svc_set_targets(&svc, pub.now, 0, 2);
    next_picture(&after);
    assert_int_equal(relay_picture(&after), 0);
    assert_int_equal(offer(&before.packets[before.count - 1]), SELECT_RELAY);       /* its frame's other packets have gone out */
    assert_true(marker);
}

/* The first packet of the keyframe comes too late to go up: then not at all, since the marker has gone out by then. */
static void test_a_keyframe_whose_beginning_is_late_changes_nothing(void **state)
{
    (void)state;
    struct picture key;
    start(0, 2);
    select_svc_set_targets(&svc, pub.now, 2, 2);
    pub.key_wanted = true;
    next_picture(&key);
    for (uint32_t i = 1; i < key.count; i++)
        assert_int_equal(offer(&key.packets[i]), key.packets[i].sid == 0 ? SELECT_RELAY : SELECT_DROP);
    assert_int_equal(offer(&key.packets[0]), SELECT_RELAY);
    for (int i = 0; i < 8; i++)
        assert_int_equal(next_top(), 0);
}

/* ---- whatever is asked for, whenever: the decoder has all that a frame refers to ---- */

/* The highest spatial layer that it has of the last picture of temporal layer 0, and of layer 1. */
struct decoder {
    int8_t base, middle;
};

/* Pattern 0 2 1 2: 0 refers to the last 0; 1 and the first 2 to that 0; the second 2 to the 1. Within a picture each layer to the one below. */
static void decode(struct decoder *d, const struct picture *p, int8_t top)
{
    const uint32_t place = (pub.picture - 1) % 4;
    if (top < 0)
        assert_true(p->tid > 0);
    if (!p->key && top >= 0)
        assert_true((place == 3 ? d->middle : d->base) >= top);
    if (place == 0) {
        d->base = top;
        d->middle = -1;
    } else if (place == 2) {
        d->middle = top;
    }
}

static void test_no_reference_is_ever_missing(void **state)
{
    (void)state;
    struct decoder decoder = {-1, -1};
    unsigned keys = 0, tops[SPATIAL] = {0};
    for (uint32_t n = 0; n < PICTURES; n++) {
        struct picture p;
        if (n % 5000 == 0) {
            pub.vp9 = n / 5000 % 2 == 0;
            pub.key_wanted = true;
        }
        next_picture(&p);
        const uint32_t turn = roll(12) == 0 ? roll(p.count) : p.count;
        int8_t top = -1;
        for (uint32_t i = 0; i < p.count; i++) {
            if (i == turn) {
                select_svc_set_targets(&svc, pub.now, (uint8_t)roll(SPATIAL), (uint8_t)roll(TEMPORAL));
                pub.key_wanted = roll(2) == 0;
            }
            const enum select_verdict verdict = offer(&p.packets[i]);
            if (verdict == SELECT_RELAY) {
                assert_true(p.packets[i].sid >= top);
                top = p.packets[i].sid;
            }
            assert_int_equal(verdict == SELECT_RELAY, p.packets[i].sid <= top);
        }
        decode(&decoder, &p, top);
        keys += p.key;
        if (top >= 0)
            tops[top]++;
    }
    assert_true(keys > PICTURES / 100);
    for (unsigned i = 0; i < SPATIAL; i++)
        assert_true(tops[i] > PICTURES / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_it_begins_at_the_target, setup),
        cmocka_unit_test_setup(test_more_than_there_is_is_not_told, setup),
        cmocka_unit_test_setup(test_a_layer_that_comes_later_is_relayed_at_once, setup),
        cmocka_unit_test_setup(test_a_picture_may_end_below_the_layer, setup),
        cmocka_unit_test_setup(test_down_with_the_next_picture, setup),
        cmocka_unit_test_setup(test_spatial_up_with_a_keyframe_only, setup),
        cmocka_unit_test_setup(test_a_keyframe_that_does_not_come_is_asked_for_again, setup),
        cmocka_unit_test_setup(test_temporal_up_where_the_stream_says_so, setup),
        cmocka_unit_test_setup(test_a_frame_that_is_no_switching_point_takes_nothing_up, setup),
        cmocka_unit_test_setup(test_what_says_nothing_is_relayed, setup),
        cmocka_unit_test_setup(test_a_late_packet_is_judged_by_what_held_then, setup),
        cmocka_unit_test_setup(test_a_keyframe_whose_beginning_is_late_changes_nothing, setup),
        cmocka_unit_test_setup(test_no_reference_is_ever_missing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
