/* Recordings: the verbs of plugins about them, and what comes back. */
#include "control/record.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "control/graph.h"
#include "control/handle.h"
#include "control/host.h"
#include "control/order.h"
#include "proto/rtp/codec.h"

#define PATH_ROOM 1024u                 /* of folder and name together, with the NUL (recording.md 2.2) */

static void forget(struct control *c, struct recording *recording)
{
    list_del(&recording->in_source);
    slots_del(&c->recording_names, recording->ref);
    pool_put(&c->recordings, recording);
}

static void stop(struct control *c, struct recording *recording)
{
    order_record_stop(c, recording);
    forget(c, recording);
}

void recordings_end(struct control *c, struct source *source)
{
    while (!list_is_empty(&source->recordings))
        stop(c, CONTAINER_OF(source->recordings.next, struct recording, in_source));
}

/* -- names ---------------------------------------------------------------------------------------------------------------- */

/* The name that a codec has in a recording's header; NULL: it can't be recorded (recording.md 1.1). */
static const char *codec_name(const struct source_desc *desc)
{
    if (desc->kind == MEDIA_DATA)
        return "text";
    switch ((enum codec)desc->codec) {
    case CODEC_OPUS: case CODEC_MULTIOPUS: case CODEC_PCMU: case CODEC_PCMA: case CODEC_G722: case CODEC_L16: case CODEC_L16_48:
    case CODEC_VP8: case CODEC_VP9: case CODEC_H264: case CODEC_AV1: case CODEC_H265:
        return codec_info((enum codec)desc->codec)->name;
    case CODEC_RED:                     /* of Opus: what is in it is said by `red_pt` */
        return codec_info(CODEC_OPUS)->name;
    case CODEC_NONE: case CODEC_ISAC16: case CODEC_ISAC32: case CODEC_COUNT:
        break;
    }
    return NULL;
}

/* A name that climbs out of its folder, or has control characters for whoever reads it, is nobody's honest wish (security.md). */
static bool is_suspicious(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return true;
    struct view left = str_of(name);
    while (left.size > 0)
        if (str_equal(str_split(&left, '/'), STR("..")))
            return true;
    return false;
}

/* Without a folder the name may bring one: all up to its last slash. */
static bool make_path(struct control *c, const struct record_options *options, struct buf *out, size_t *name_at)
{
    const char *name = options->name != NULL ? options->name : "";
    const char *folder = options->folder != NULL ? options->folder : "";
    if (name[0] == ' ' || is_suspicious(name))
        return false;
    const char *slash = folder[0] == '\0' ? strrchr(name, '/') : NULL;
    if (folder[0] != '\0')
        buf_add_text(out, folder);
    else if (slash != NULL)
        buf_add(out, name, slash == name ? 1 : (size_t)(slash - name));
    else
        buf_add_text(out, ".");
    buf_add_char(out, '\0');
    *name_at = out->size;
    name = slash != NULL ? slash + 1 : name;
    if (name[0] != '\0')
        buf_add_text(out, name);
    else
        buf_addf(out, "janus-recording-%u", rng_u32(&c->rng));
    buf_add_char(out, '\0');
    return !out->failed;
}

/* -- verbs ---------------------------------------------------------------------------------------------------------------- */

static struct recording *make(struct control *c, struct source *source)
{
    struct recording *recording = pool_get(&c->recordings);
    if (recording == NULL)
        return NULL;
    recording->ref = slots_add(&c->recording_names, recording);
    CHECK(!ref_is_none(recording->ref));        /* the pool has the same limit */
    recording->source = source;
    list_add_tail(&source->recordings, &recording->in_source);
    return recording;
}

struct ref host_record_start(struct host *host, struct ref ref, const struct record_options *options)
{
    struct control *c = host->control;
    struct source *source = graph_source(c, ref);
    const char *codec = source == NULL ? NULL : codec_name(&source->desc);
    struct recording *recording = NULL;
    struct buf path;
    size_t name_at;
    buf_init(&path, PATH_ROOM);
    if (codec != NULL && make_path(c, options, &path, &name_at))
        recording = make(c, source);
    if (recording != NULL) {
        const struct record_order order = {
            .options = options, .folder = (const char *)path.data, .name = (const char *)path.data + name_at, .codec = codec};
        order_record_start(c, recording, &order);
        c->counters.records_started++;
    } else {
        c->counters.records_refused++;
        if (source != NULL)
            LOG_WARN(c->actor, "A stream of %s is not recorded: its codec, or its file's name, can't be used", host->desc->package);
    }
    buf_fini(&path);
    return recording == NULL ? REF_NONE : recording->ref;
}

void host_record_stop(struct host *host, struct ref ref)
{
    struct recording *recording = slots_get(&host->control->recording_names, ref);
    if (recording != NULL)
        stop(host->control, recording);
    else if (!ref_is_none(ref))
        host->control->counters.verbs_stale++;
}

/* -- what comes back -------------------------------------------------------------------------------------------------------- */

void fact_record_done(struct control *c, const struct record_done *fact)
{
    struct recording *recording = slots_get(&c->recording_names, fact->record);
    c->counters.records_gaps += fact->gaps;
    if (fact->fine)
        return;
    c->counters.records_failed++;
    if (recording == NULL)
        return;
    const struct pc *pc = recording->source->pc;       /* NULL: a remote publisher's, which has no handle */
    const struct handle *handle = pc == NULL ? NULL : pc->handle;
    const struct ref ref = recording->ref;
    stop(c, recording);
    if (handle != NULL && handle->host->desc->record_failed != NULL)
        handle->host->desc->record_failed(handle->host->plugin, handle->state, ref, fact->error);
}
