#include "helpers/events/event_text.h"

#include <stdio.h>

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

/* ---- ICE and DTLS ---- */

static const char *ice_state_name(enum ice_state state)
{
    switch (state) {
    case ICE_NEW: return NULL;
    case ICE_CHECKING: return "connecting";
    case ICE_CONNECTED: return "connected";
    case ICE_DISCONNECTED: return "disconnected";
    case ICE_FAILED: break;
    }
    return "failed";
}

static const char *dtls_state_name(enum dtls_state state)
{
    switch (state) {
    case DTLS_CREATED:
    case DTLS_CLOSED: return NULL;
    case DTLS_TRYING: return "trying";
    case DTLS_CONNECTED: return "connected";
    case DTLS_FAILED: break;
    }
    return "failed";
}

static const char *candidate_name(enum ice_candidate_type type)
{
    switch (type) {
    case ICE_HOST: return "host";
    case ICE_SRFLX: return "srflx";
    case ICE_PRFLX: return "prflx";
    case ICE_RELAY: break;
    }
    return "relay";
}

static void write_side(struct json_out *j, const char *key, const struct net_addr *addr, const char *type)
{
    char text[NET_IP_TEXT];
    jout_object(j, key);
    jout_string(j, "address", net_ip_text(addr, text));
    jout_uint(j, "port", addr->port);
    jout_string(j, "type", type);
    jout_string(j, "transport", "udp");
    jout_int(j, "family", addr->family == NET_IP6 ? 6 : 4);
    jout_end(j);
}

static void write_pair(struct json_out *j, const struct event_webrtc_fact *fact)
{
    char local[NET_IP_TEXT], remote[NET_IP_TEXT], text[2 * NET_IP_TEXT + 64];
    const char *type = candidate_name((enum ice_candidate_type)fact->state);
    snprintf(text, sizeof(text), "%s:%u [host,udp] <-> %s:%u [%s,udp]", net_ip_text(&fact->local, local), fact->local.port,
             net_ip_text(&fact->remote, remote), fact->remote.port, type);
    jout_string(j, "selected-pair", text);
    jout_object(j, "candidates");
    write_side(j, "local", &fact->local, "host");
    write_side(j, "remote", &fact->remote, type);
    jout_end(j);
}

bool event_text_webrtc(struct json_out *j, const struct event_webrtc_fact *fact)
{
    const bool ice = fact->kind == EVENT_ICE, dtls = fact->kind == EVENT_DTLS;
    const char *state = ice ? ice_state_name((enum ice_state)fact->state) : dtls ? dtls_state_name((enum dtls_state)fact->state) : "";
    if (state == NULL)
        return false;
    jout_object(j, NULL);
    if (fact->kind == EVENT_PAIR)
        write_pair(j, fact);
    else
        jout_string(j, ice ? "ice" : "dtls", state);
    jout_int(j, "stream_id", 1);
    jout_int(j, "component_id", 1);
    if (dtls)
        jout_uint(j, "retransmissions", fact->retransmissions);
    jout_end(j);
    return true;
}
