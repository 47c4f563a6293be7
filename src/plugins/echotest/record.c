/* Recordings of what comes in: the first line of each kind (echotest.md 5). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/echotest/echotest.h"
#include "plugins/fields.h"

static const char *const kind_names[] = {"audio", "video", "data"};

static void start(struct echotest *echo, struct echo_session *session, const struct echo_line *line, const char *base)
{
    struct echo_recording *recording = &session->recordings[line->kind];
    struct buf name;
    buf_init(&name, ECHO_NAME_BYTES);
    buf_addf(&name, "%s-%s", base, kind_names[line->kind]);
    const struct record_options options = {.name = buf_text(&name), .pt = line->pt, .red_pt = line->red_pt,
                                            .fmtp = line->fmtp[0] != '\0' ? line->fmtp : NULL};
    recording->ref = name.failed ? REF_NONE : host_record_start(echo->host, line->source, &options);
    if (!ref_is_none(recording->ref))
        recording->name = text_copy(buf_text(&name));
    buf_fini(&name);
}

void echo_record_start(struct echotest *echo, struct echo_session *session, const char *filename)
{
    char base[64];
    snprintf(base, sizeof(base), "echotest-0x%llx-%llu", (unsigned long long)ref_pack(session->handle),
             (unsigned long long)host_wall_us(echo->host));
    for (uint16_t i = 0; i < session->line_count; i++) {
        const struct echo_line *line = &session->lines[i];
        if (!ref_is_none(line->source) && session->recordings[line->kind].name == NULL)
            start(echo, session, line, filename != NULL ? filename : base);
    }
}

/* Also when the media has ended, and the recordings with it. */
void echo_record_stop(struct echotest *echo, struct echo_session *session)
{
    for (size_t i = 0; i < ARRAY_COUNT(session->recordings); i++) {
        host_record_stop(echo->host, session->recordings[i].ref);
        mem_put(session->recordings[i].name);
        session->recordings[i] = (struct echo_recording){.name = NULL};
    }
}

void echo_record_failed(void *plugin, void *state, struct ref recording, const char *why)
{
    struct echotest *echo = plugin;
    struct echo_session *session = state;
    struct buf body;
    struct json_out j;
    for (size_t i = 0; i < ARRAY_COUNT(session->recordings); i++) {
        if (!ref_equal(session->recordings[i].ref, recording))
            continue;
        session->recordings[i].ref = REF_NONE;      /* the name stays: it is not begun again by itself */
        buf_init(&body, ECHO_EVENT_BYTES);
        jout_begin(&j, &body, LAYOUT_COMPACT);
        jout_object(&j, NULL);
        jout_string(&j, "echotest", "event");
        jout_string(&j, "event", "recording");
        jout_string(&j, "media", kind_names[i]);
        jout_string(&j, "recording", "failed");
        jout_string(&j, "reason", why);
        jout_end(&j);
        (void)host_event(echo->host, session->handle, NULL, buf_view(&body), NULL);
        buf_fini(&body);
    }
}
