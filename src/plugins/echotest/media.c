/* Each m-line that both sends and receives is joined to itself: its source feeds a sink on the same line. */
#include "base/mem.h"
#include "base/str.h"
#include "plugins/echotest/echotest.h"

static struct sink_options options_of(const struct echo_session *session, const struct echo_line *line)
{
    return (struct sink_options){
        .pt = line->pt,
        .red_pt = line->red_pt,
        .paused = line->video ? !session->video_active : !session->audio_active,
        .svc = line->svc,
        .substream_target = line->svc ? session->spatial_layer_target : session->substream_target,
        .temporal_target = line->svc ? session->temporal_layer_target : session->temporal_target,
        .fallback_us = session->fallback_us,
        .min_delay = session->min_delay,
        .max_delay = session->max_delay,
    };
}

void echo_apply(struct echotest *echo, struct echo_session *session)
{
    for (uint16_t i = 0; i < session->line_count; i++) {
        const struct echo_line *line = &session->lines[i];
        const struct sink_options options = options_of(session, line);
        if (!ref_is_none(line->sink))
            host_sink_set(echo->host, line->sink, &options);
    }
}

void echo_cap(struct echotest *echo, struct echo_session *session, bool now)
{
    const struct rate_cap cap = {.bps = session->bitrate_bps, .send_now = now, .answer_remb = true};
    for (uint16_t i = 0; i < session->line_count; i++)
        if (session->lines[i].video && !ref_is_none(session->lines[i].source))
            host_source_rate_cap(echo->host, session->lines[i].source, &cap);
}

void echo_keyframe(struct echotest *echo, struct echo_session *session)
{
    for (uint16_t i = 0; i < session->line_count; i++)
        if (session->lines[i].video && !ref_is_none(session->lines[i].source))
            host_keyframe(echo->host, session->lines[i].source);
}

/* What a recording's header says of video (recording.md 2.5). */
static void set_fmtp(struct echo_line *line, const struct sdp_mline *mline)
{
    struct sdp_payload_table table;
    line->fmtp[0] = '\0';
    if (!line->video || line->pt == SDP_PT_NONE)
        return;
    sdp_payloads(mline, &table);
    (void)str_copy(line->fmtp, sizeof(line->fmtp), table.of[line->pt].fmtp);
}

static void wire_line(struct echotest *echo, struct echo_session *session, uint16_t index, const struct sdp_mline *mline,
                      const struct sdp_accepted *accepted)
{
    struct echo_line *line = &session->lines[index];
    const struct ref before = line->source;
    const bool echoes = mline->kind != SDP_APPLICATION && mline->port != 0 && mline->direction == SDP_SENDRECV;
    line->video = mline->kind == SDP_VIDEO;
    line->kind = mline->kind == SDP_AUDIO ? MEDIA_AUDIO : line->video ? MEDIA_VIDEO : MEDIA_DATA;
    line->simulcast = session->has_simulcast && session->simulcast_mindex == index;
    line->svc = session->svc && line->video && !line->simulcast && (accepted->codec == CODEC_VP9 || accepted->codec == CODEC_AV1);
    line->source = host_source(echo->host, session->handle, index);
    line->pt = accepted->pt;
    set_fmtp(line, mline);
    line->red_pt = accepted->red_pt != SDP_PT_NONE ? accepted->red_pt : 0;
    if (!echoes || ref_is_none(line->source)) {
        host_sink_del(echo->host, line->sink);
        line->sink = REF_NONE;
        return;
    }
    const struct sink_options options = options_of(session, line);
    if (ref_is_none(line->sink))
        line->sink = host_sink_add(echo->host, line->source, session->handle, index, &options);
    else {
        if (!ref_equal(before, line->source))
            host_sink_switch(echo->host, line->sink, line->source);     /* another codec is another source */
        host_sink_set(echo->host, line->sink, &options);
    }
}

void echo_wire(struct echotest *echo, struct echo_session *session, const struct sdp *answer, const struct sdp_accepted *accepted)
{
    if (answer->mline_count > session->line_count) {
        session->lines = mem_resize(session->lines, answer->mline_count * sizeof(*session->lines));
        for (uint16_t i = session->line_count; i < answer->mline_count; i++)
            session->lines[i] = (struct echo_line){0};
        session->line_count = answer->mline_count;
    }
    for (uint16_t i = 0; i < answer->mline_count; i++) {
        const struct sdp_mline *mline = answer->mlines[i];
        wire_line(echo, session, i, mline, &accepted[i]);
        if (mline->port == 0)
            continue;
        if (mline->kind == SDP_AUDIO && session->audio_codec == CODEC_NONE)
            session->audio_codec = accepted[i].codec;
        if (mline->kind == SDP_VIDEO && session->video_codec == CODEC_NONE)
            session->video_codec = accepted[i].codec;
    }
    echo_cap(echo, session, session->bitrate_bps > 0);
}

/* The PeerConnection is gone, and its sinks with it. */
void echo_unwire(struct echo_session *session)
{
    mem_put(session->lines);
    session->lines = NULL;
    session->line_count = 0;
}
