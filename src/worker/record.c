/* Recordings: a sink whose port gathers frames (media/recorder.h), and the way of its chunks to a disk helper. Nobody waits for the
 * disk: chunks that are on their way are bounded together; while none may be sent, the recorders fill up and leave frames out. */
#include <stddef.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "media/data_source.h"
#include "media/recorder.h"
#include "media/sink.h"
#include "msg/disk.h"
#include "runtime/log.h"
#include "worker/worker_private.h"

#define RECORDS_LOOK_US MSEC(100)

struct recording {
    struct list node;                   /* in worker.recordings */
    struct ref name;                    /* control's */
    struct recorder recorder;
    struct sink *sink;                  /* one of the two */
    struct data_sink *data_sink;
    struct record_start_order *order;   /* its texts are the recorder's */
    actor_id disk;
    uint64_t gaps;
    bool full;                          /* in a gap now */
};

static struct recording *find(struct worker *w, struct ref name)
{
    LIST_EACH(it, &w->recordings) {
        struct recording *recording = CONTAINER_OF(it, struct recording, node);
        if (ref_equal(recording->name, name))
            return recording;
    }
    return NULL;
}

/* The texts of an order, one after the other. False: it lies about them. */
enum record_text { TEXT_FOLDER, TEXT_NAME, TEXT_CODEC, TEXT_FMTP, TEXT_DESCRIPTION, TEXT_COUNT };

static bool read_texts(const struct record_start_order *order, size_t size, const char *out[TEXT_COUNT])
{
    const char *at = order->text;
    size_t left = size - offsetof(struct record_start_order, text);
    for (unsigned i = 0; i < TEXT_COUNT; i++) {
        const char *end = memchr(at, '\0', left);
        if (end == NULL)
            return false;
        out[i] = at;
        left -= (size_t)(end + 1 - at);
        at = end + 1;
    }
    return true;
}

static void open_file(struct worker *w, const struct recording *recording, const char *folder, const char *name)
{
    const size_t folder_size = strlen(folder) + 1, name_size = strlen(name) + 1;
    const struct disk_record_open head = {.record = recording->name, .folder_size = (uint32_t)folder_size, .name_size = (uint32_t)name_size};
    /* In the order they came: folder and name lie side by side. */
    actor_send_parts(w->actor, recording->disk, DISK_RECORD_OPEN, REF_NONE, VIEW(&head, offsetof(struct disk_record_open, text)),
                     VIEW(folder, folder_size + name_size));
}

/* What is recorded: packets or messages. */
struct recorded {
    struct source *source;
    struct data_source *data;
};

static bool find_source(struct worker *w, struct ref ref, struct recorded *out)
{
    out->source = slots_get(&w->sources, ref);
    out->data = slots_get(&w->data_sources, ref);
    return (out->source != NULL && !out->source->proxy) || (out->data != NULL && !out->data->proxy);
}

static bool make_sink(struct worker *w, usec_t now, struct recording *recording, const struct recorded *from,
                      const struct record_start_order *order)
{
    const struct sink_options options = {.pt = order->pt, .red_pt = order->red_pt, .substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1};
    if (from->source != NULL)
        recording->sink = sink_new(&w->media, REF_NONE, &options, now);
    else
        recording->data_sink = data_sink_new(&w->media, REF_NONE, &recording->recorder.data_port, VIEW(NULL, 0));
    return recording->sink != NULL || recording->data_sink != NULL;
}

static struct recording *make(struct worker *w, usec_t now, struct record_start_order *order, const struct recorded *from,
                              const char *const texts[TEXT_COUNT])
{
    struct recording *recording = pool_get(&w->recording_pool);
    if (recording == NULL)
        return NULL;
    struct mjr_info info = {
        .kind = from->source == NULL ? MJR_DATA : from->source->desc.kind == MEDIA_AUDIO ? MJR_AUDIO : MJR_VIDEO,
        .codec = texts[TEXT_CODEC],
        .fmtp = texts[TEXT_FMTP],
        .description = texts[TEXT_DESCRIPTION],
        .created_us = w->env.wall_us,
        .red_pt = order->red_pt,
        .e2ee = order->e2ee,
    };
    if (order->orientation)
        info.exts[info.ext_count++] = (struct mjr_ext){RECORDER_ORIENTATION_ID, RECORDER_ORIENTATION_URI};
    recording->name = order->record;
    recording->order = order;
    recording->disk = (actor_id)(ACTOR_DISK_0 + order->disk % DISKS);
    recorder_init(&recording->recorder, &info, rng_u32(&w->rng), now);
    if (!make_sink(w, now, recording, from, order)) {
        recorder_fini(&recording->recorder);
        pool_put(&w->recording_pool, recording);
        return NULL;
    }
    list_add_tail(&w->recordings, &recording->node);
    return recording;
}

void on_record_start(struct worker *w, usec_t now, const struct message *m)
{
    const char *texts[TEXT_COUNT];
    struct recorded from;
    if (!find_source(w, ((const struct record_start_order *)m->payload)->source, &from)) {
        w->counters.orders_stale++;
        return;
    }
    struct record_start_order *order = message_take(m);
    struct recording *recording = NULL;
    const bool fits = read_texts(order, m->size, texts) && find(w, order->record) == NULL;
    if (fits)
        recording = make(w, now, order, &from, texts);
    if (recording == NULL) {
        const struct record_done refused = {.record = order->record, .error = "too many recordings"};
        w->counters.orders_malformed += !fits;
        w->counters.orders_refused += fits;
        actor_send(w->actor, ACTOR_CONTROL, CONTROL_RECORD_DONE, &refused, sizeof(refused));
        mem_put(order);
        return;
    }
    open_file(w, recording, texts[TEXT_FOLDER], texts[TEXT_NAME]);
    w->records_at = usec_min(w->records_at, now + RECORDS_LOOK_US);
    if (recording->data_sink != NULL) {
        data_sink_set(recording->data_sink, from.data, false);
        return;
    }
    sink_set_port(recording->sink, &recording->recorder.port, false, from.source->desc.clock_hz);
    sink_set_source(recording->sink, from.source, now);     /* asks for a keyframe */
    (void)fanout_replay(from.source, recording->sink, now);
}

static void send_chunk(struct worker *w, struct recording *recording)
{
    struct recorder *recorder = &recording->recorder;
    const struct disk_record_write head = {.record = recording->name, .size = (uint32_t)recorder->chunk.size};
    if (recorder->chunk.size == 0)
        return;
    w->record_bytes += head.size;
    actor_send_parts(w->actor, recording->disk, DISK_RECORD_WRITE, REF_NONE, VIEW(&head, offsetof(struct disk_record_write, bytes)),
                     buf_view(&recorder->chunk));
    recorder_taken(recorder);
    recording->full = false;
}

static void close_recording(struct worker *w, struct recording *recording)
{
    const struct disk_record_close order = {.record = recording->name, .gaps = recording->gaps};
    send_chunk(w, recording);               /* the last one is sent whatever is on its way: it is bounded, and there is one */
    actor_send(w->actor, recording->disk, DISK_RECORD_CLOSE, &order, sizeof(order));
    w->counters.record_gaps += recording->gaps;
    if (recording->sink != NULL)
        sink_free(recording->sink);
    else
        data_sink_free(recording->data_sink);
    recorder_fini(&recording->recorder);
    list_del(&recording->node);
    mem_put(recording->order);
    pool_put(&w->recording_pool, recording);
}

void on_record_stop(struct worker *w, usec_t now, const struct record_stop_order *order)
{
    struct recording *recording = find(w, order->record);
    (void)now;
    if (recording == NULL)
        w->counters.orders_stale++;
    else
        close_recording(w, recording);
}

void on_record_written(struct worker *w, usec_t now, const struct record_written *written)
{
    (void)now;
    CHECK(w->record_bytes >= written->size);
    w->record_bytes -= written->size;
}

static void look(struct worker *w, usec_t now, struct recording *recording)
{
    struct recorder *recorder = &recording->recorder;
    if (recorder_is_due(recorder, now) && w->record_bytes + recorder->chunk.size <= RECORD_BYTES_ON_WAY_MAX) {
        send_chunk(w, recording);
    } else if (recorder_is_full(recorder) && !recording->full) {
        recording->full = true;
        recording->gaps++;
        LOG_WARN(w->actor, "A recording leaves frames out: its disk does not keep up");
    }
}

void record_turn(struct worker *w, usec_t now)
{
    if (now < w->records_at)
        return;
    LIST_EACH(it, &w->recordings)
        look(w, now, CONTAINER_OF(it, struct recording, node));
    w->records_at = list_is_empty(&w->recordings) ? USEC_NEVER : now + RECORDS_LOOK_US;
}

void record_init(struct worker *w)
{
    list_init(&w->recordings);
    pool_init(&w->recording_pool, "recordings", sizeof(struct recording), RECORDINGS_MAX);
    w->records_at = USEC_NEVER;
}

void record_close_all(struct worker *w)
{
    while (!list_is_empty(&w->recordings))
        close_recording(w, CONTAINER_OF(w->recordings.next, struct recording, node));
}
