/* Recordings of fake_host.h: begun and ended by plugins, or broken by the test. */
#include "fake_host.h"

#include <stdio.h>
#include <string.h>

static struct fake_recording *find(struct host *host, struct ref ref)
{
    struct fake_recording *recording = &host->recordings[ref.slot % ARRAY_COUNT(host->recordings)];
    return recording->used && ref_equal(recording->ref, ref) ? recording : NULL;
}

struct ref host_record_start(struct host *host, struct ref source, const struct record_options *options)
{
    struct source_desc desc;
    if (host->refuse_recording || !host_source_desc(host, source, &desc))
        return REF_NONE;
    for (uint32_t i = 0; i < ARRAY_COUNT(host->recordings); i++) {
        struct fake_recording *recording = &host->recordings[i];
        if (recording->used)
            continue;
        *recording = (struct fake_recording){.used = true, .ref = {i, ++host->generation}, .source = source, .pt = options->pt,
                                             .red_pt = options->red_pt, .orientation = options->orientation};
        snprintf(recording->folder, sizeof(recording->folder), "%s", options->folder == NULL ? "" : options->folder);
        snprintf(recording->name, sizeof(recording->name), "%s", options->name);
        snprintf(recording->description, sizeof(recording->description), "%s", options->description == NULL ? "" : options->description);
        host->recording_count++;
        return recording->ref;
    }
    fail_msg("too many recordings");
    return REF_NONE;
}

void host_record_stop(struct host *host, struct ref ref)
{
    struct fake_recording *recording = find(host, ref);
    if (recording != NULL)
        recording->used = false;
    else
        host->stale += !ref_is_none(ref);
}

const struct fake_recording *fake_recording(const struct host *host, const char *prefix)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(host->recordings); i++)
        if (host->recordings[i].used && strncmp(host->recordings[i].name, prefix, strlen(prefix)) == 0)
            return &host->recordings[i];
    return NULL;
}

uint32_t fake_recordings(const struct host *host)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ARRAY_COUNT(host->recordings); i++)
        count += host->recordings[i].used;
    return count;
}

/* As control/record.c does it: the recording is gone first, then the plugin is told. */
void fake_break_recording(struct host *host, const char *prefix, const char *why)
{
    const struct fake_recording *recording = fake_recording(host, prefix);
    assert_non_null(recording);
    const struct ref ref = recording->ref;
    for (uint32_t i = 0; i < host->source_count; i++) {
        const struct fake_source *source = &host->sources[i];
        if (!source->used || !ref_equal(source->ref, recording->source))
            continue;
        host_record_stop(host, ref);
        host->desc->record_failed(host->plugin, host->handles[source->handle].state, ref, why);
        return;
    }
    fail_msg("a recording of nothing");
}
