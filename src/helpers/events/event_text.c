#include "helpers/events/event_text.h"

#include "base/json_splice.h"
#include "helpers/events/evhandler.h"
#include "proto/rtp/codec.h"

/* Types that always belong to a session, and to a handle (event-handlers.md 2). */
#define WITH_SESSION (EVENT_SESSION | EVENT_HANDLE | EVENT_JSEP | EVENT_WEBRTC | EVENT_MEDIA)
#define WITH_HANDLE  (EVENT_HANDLE | EVENT_JSEP | EVENT_WEBRTC | EVENT_MEDIA)

void event_write(struct json_out *j, const struct event *event)
{
    const bool plugin = event->type == EVENT_PLUGIN;
    jout_string(j, "emitter", event->emitter);
    jout_int(j, "type", event->type);
    if (event->subtype > 0)
        jout_int(j, "subtype", event->subtype);
    jout_uint(j, "timestamp", event->wall_us);
    if ((event->type & WITH_SESSION) != 0 || (plugin && event->session_id > 0))
        jout_int(j, "session_id", event->session_id);
    if ((event->type & WITH_HANDLE) != 0 || (plugin && event->handle_id > 0))
        jout_int(j, "handle_id", event->handle_id);
    if (((event->type & WITH_HANDLE) != 0 || plugin) && event->opaque_id.size > 0)
        jout_string_view(j, "opaque_id", event->opaque_id);
    json_splice(j, "event", event->body);
}

static const char *media_name(const struct media_stats *stats)
{
    static const char *const layers[LAYERS_MAX] = {"video", "video-sim1", "video-sim2"};
    switch ((enum media_kind)stats->kind) {
    case MEDIA_AUDIO: return "audio";
    case MEDIA_VIDEO: return layers[stats->layer < LAYERS_MAX ? stats->layer : 0];
    case MEDIA_DATA: break;
    }
    return "data";
}

static void write_quality(struct json_out *j, const struct media_stats *stats)
{
    if (stats->codec != CODEC_NONE)
        jout_string(j, "codec", codec_info((enum codec)stats->codec)->name);
    jout_uint(j, "base", stats->clock_hz);
    if (stats->layer == 0)
        jout_uint(j, "rtt", stats->rtt_ms);
    if (stats->layer == 0 && stats->rtt_ms > 0) {
        jout_object(j, "rtt-values");
        jout_uint(j, "ntp", stats->rtt_ntp);
        jout_uint(j, "lsr", stats->rtt_lsr);
        jout_uint(j, "dlsr", stats->rtt_dlsr);
        jout_end(j);
    }
    jout_int(j, "lost", stats->lost);
    jout_int(j, "lost-by-remote", stats->lost_by_remote);
    jout_uint(j, "jitter-local", stats->jitter_ms);
    jout_uint(j, "jitter-remote", stats->jitter_remote_ms);
    jout_uint(j, "in-link-quality", stats->in_quality);
    jout_uint(j, "in-media-link-quality", stats->in_media_quality);
    jout_uint(j, "out-link-quality", stats->out_quality);
    jout_uint(j, "out-media-link-quality", stats->out_media_quality);
}

void event_text_stats(struct json_out *j, const struct media_stats *stats)
{
    const bool rtp = stats->kind != MEDIA_DATA;
    jout_object(j, NULL);
    jout_string(j, "mid", stats->mid);
    jout_uint(j, "mindex", stats->mindex);
    jout_string(j, "media", media_name(stats));
    if (rtp)
        write_quality(j, stats);
    jout_uint(j, "packets-received", stats->packets_in);
    jout_uint(j, "packets-sent", stats->packets_out);
    jout_uint(j, "bytes-received", stats->bytes_in);
    jout_uint(j, "bytes-sent", stats->bytes_out);
    if (rtp) {
        jout_uint(j, "bytes-received-lastsec", stats->bytes_in_lastsec);
        jout_uint(j, "bytes-sent-lastsec", stats->bytes_out_lastsec);
        jout_uint(j, "nacks-received", stats->nacks_in);
        jout_uint(j, "nacks-sent", stats->nacks_out);
        jout_uint(j, "retransmissions-received", stats->retransmissions_in);
    }
    if (stats->mindex == 0 && stats->remb_bps > 0)
        jout_uint(j, "remb-bitrate", stats->remb_bps);
    jout_end(j);
}
