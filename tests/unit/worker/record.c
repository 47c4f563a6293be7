/* Recordings on a worker: what goes to the disk helper, and when; a disk that does not answer. */
#include "world.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "msg/disk.h"
#include "proto/mjr/mjr.h"

#define DISK (ACTOR_DISK_0 + 1)

static struct world w;
static struct remote *publisher;
static struct feed feed;
static struct buf file;                 /* what has been written */
static unsigned opened, closed, chunks;
static uint64_t gaps;
static bool answers;

static void begin(void)
{
    world_init(&w, &(struct world_options){.workers = 1});
    publisher = world_join(&w, 0);
    remote_feed(publisher, 1, 0, &feed);
    buf_init(&file, 256u << 20);
    opened = closed = chunks = 0;
    gaps = 0;
    answers = true;
}

static void end(void)
{
    buf_fini(&file);
    world_fini(&w);
}

static void start_record(uint32_t slot, struct ref source)
{
    static const char texts[] = "folder\0name\0vp8\0\0the door";
    union {
        struct record_start_order order;
        char bytes[sizeof(struct record_start_order) + sizeof(texts)];
    } u = {.order = {.record = {slot, 1}, .source = source, .disk = 1, .pt = 101}};
    memcpy(u.bytes + offsetof(struct record_start_order, text), texts, sizeof(texts));
    world_order(&w, 0, WORKER_RECORD_START, &u, offsetof(struct record_start_order, text) + sizeof(texts));
}

static void stop_record(uint32_t slot)
{
    const struct record_stop_order order = {.record = {slot, 1}};
    world_order(&w, 0, WORKER_RECORD_STOP, &order, sizeof(order));
}

/* What the disk helper is told, done. */
static void be_disk(void)
{
    struct fake_message message;
    while (fake_take(ACTOR_WORKER_0, DISK, &message)) {
        const struct disk_record_write *write = message.payload;
        const struct record_written written = {write->size};
        switch (message.type) {
        case DISK_RECORD_OPEN: {
            const struct disk_record_open *open = message.payload;
            assert_string_equal(open->text, "folder");
            assert_string_equal(open->text + open->folder_size, "name");
            opened++;
            break;
        }
        case DISK_RECORD_WRITE:
            assert_int_equal(opened, 1);
            assert_int_equal(message.size, offsetof(struct disk_record_write, bytes) + write->size);
            buf_add(&file, write->bytes, write->size);
            chunks++;
            if (answers)
                fake_post(DISK, ACTOR_WORKER_0, WORKER_RECORD_WRITTEN, &written, sizeof(written));
            break;
        case DISK_RECORD_CLOSE:
            gaps = ((const struct disk_record_close *)message.payload)->gaps;
            closed++;
            break;
        default:
            fail_msg("the disk does not know %u", message.type);
        }
        fake_done(&message);
    }
}

static void frames(unsigned count, bool key, unsigned packets)
{
    for (unsigned i = 0; i < count; i++) {
        remote_frame(publisher, &feed, key && i == 0, packets);
        world_run_for(&w, FRAME_US);
        be_disk();
    }
}

static unsigned frames_in_file(void)
{
    struct mjr_reader reader;
    struct mjr_frame frame;
    unsigned count = 0;
    assert_true(mjr_open(&reader, buf_view(&file)));
    while (mjr_next(&reader, &frame))
        count++;
    assert_int_equal(reader.left.size, 0);              /* whole frames only */
    return count;
}

static void test_a_recording_reaches_the_disk_within_a_second(void **state)
{
    (void)state;
    begin();
    frames(3, true, 2);
    const uint64_t asked = publisher->env.counters.plis_in;
    world_run_for(&w, SEC(1));
    start_record(1, publisher->source[1]);
    world_run_for(&w, SEC(2));
    be_disk();
    assert_true(publisher->env.counters.plis_in > asked);           /* the keyframe is asked for */
    assert_int_equal(file.size, MJR_MAGIC_BYTES);                   /* a file already, without a frame */
    frames(1, true, 2);
    frames(40, false, 2);
    assert_in_range(frames_in_file(), 20, 82);
    stop_record(1);
    world_settle(&w);
    be_disk();
    assert_int_equal(frames_in_file(), 82);
    assert_int_equal(closed, 1);
    assert_int_equal(gaps, 0);
    assert_int_equal(opened, 1);
    frames(2, false, 2);
    assert_int_equal(frames_in_file(), 82);
    assert_int_equal(world_fact_count(&w, CONTROL_SINK_LAYER), 0);  /* it is nobody's viewer */
    end();
}

/* What was sent just before is in it: a keyframe that is not too old is replayed. */
static void test_a_recent_keyframe_is_where_it_begins(void **state)
{
    (void)state;
    begin();
    struct remote *viewer = world_join(&w, 0);
    (void)world_view(&w, viewer, publisher, 1);                     /* packets are kept for somebody */
    frames(1, true, 2);
    frames(3, false, 2);
    start_record(1, publisher->source[1]);
    world_settle(&w);
    stop_record(1);
    world_settle(&w);
    be_disk();
    assert_int_equal(frames_in_file(), 8);
    end();
}

static void test_a_disk_that_does_not_answer_costs_frames_and_nothing_else(void **state)
{
    (void)state;
    begin();
    w.worker[0]->record_bytes = RECORD_BYTES_ON_WAY_MAX;            /* as if so much was on its way */
    start_record(1, publisher->source[1]);
    frames(1, true, 30);
    for (unsigned i = 0; i < 2000 && w.worker[0]->counters.record_gaps == 0; i++) {
        frames(1, false, 30);
        if (chunks > 0)
            fail_msg("sent all the same");
        if (i % 100 == 99 && w.worker[0]->media.counters.dropped_paused > 0)
            break;
    }
    assert_true(w.worker[0]->media.counters.dropped_paused > 0);
    world_run_for(&w, MSEC(200));
    w.worker[0]->record_bytes = 0;                                  /* written at last */
    world_run_for(&w, SEC(1));
    be_disk();
    assert_true(chunks >= 1);
    const unsigned before = frames_in_file();
    frames(1, true, 3);
    stop_record(1);
    world_settle(&w);
    be_disk();
    assert_int_equal(frames_in_file(), before + 3);                 /* goes on with a keyframe */
    assert_int_equal(gaps, 1);
    assert_int_equal(w.worker[0]->counters.record_gaps, 1);
    end();
}

static void test_what_is_on_its_way_is_counted(void **state)
{
    (void)state;
    begin();
    answers = false;
    start_record(1, publisher->source[1]);
    frames(1, true, 30);
    frames(40, false, 30);
    assert_true(chunks > 0);
    assert_int_equal(w.worker[0]->record_bytes, file.size);
    const struct record_written written = {(uint32_t)file.size};
    world_order(&w, 0, WORKER_RECORD_WRITTEN, &written, sizeof(written));
    world_settle(&w);
    assert_int_equal(w.worker[0]->record_bytes, 0);
    end();                                                          /* the end of the worker closes it */
}

static void test_orders_about_nobody_and_lies(void **state)
{
    (void)state;
    begin();
    start_record(1, (struct ref){999, 1});                          /* gone in the meantime: control stops it anyway */
    stop_record(1);
    world_settle(&w);
    assert_int_equal(w.worker[0]->counters.orders_stale, 2);
    start_record(2, publisher->source[1]);
    start_record(2, publisher->source[1]);                          /* twice the same name */
    const struct record_start_order bare = {.record = {3, 1}, .source = publisher->source[1]};
    world_order(&w, 0, WORKER_RECORD_START, &bare, sizeof(bare));   /* no texts */
    world_settle(&w);
    assert_int_equal(w.worker[0]->counters.orders_malformed, 2);
    assert_int_equal(world_fact_count(&w, CONTROL_RECORD_DONE), 2);
    be_disk();
    assert_int_equal(opened, 1);
    end();
}

/* At every refusal of memory: told, nothing opened, nothing left. */
static void test_without_room_control_is_told(void **state)
{
    (void)state;
    begin();
    uint32_t slot = 10;
    bool refused = true;
    for (int n = 0; refused; n++) {
        seam_refuse_pool_at(n);
        start_record(slot++, publisher->source[1]);
        refused = seam_pool_was_refused();
        seam_refuse_pool_at(-1);
        world_settle(&w);
        assert_int_equal(world_fact_count(&w, CONTROL_RECORD_DONE), (uint32_t)n + refused);
    }
    be_disk();
    assert_int_equal(opened, 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_recording_reaches_the_disk_within_a_second),
        cmocka_unit_test(test_a_recent_keyframe_is_where_it_begins),
        cmocka_unit_test(test_a_disk_that_does_not_answer_costs_frames_and_nothing_else),
        cmocka_unit_test(test_what_is_on_its_way_is_counted),
        cmocka_unit_test(test_orders_about_nobody_and_lies),
        cmocka_unit_test(test_without_room_control_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
