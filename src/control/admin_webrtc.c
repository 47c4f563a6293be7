/* `webrtc` of handle_info (admin-api.md 6.3, 6.4): what was negotiated is control's, what happens on the wire its worker's report. */
#include <stdio.h>

#include "base/str.h"
#include "control/admin.h"
#include "control/candidates.h"
#include "proto/sdp/candidate.h"
#include "proto/rtp/codec.h"

#define PAIR_TEXT 200u                  /* admin-api.md 6.3, selected-pair */

static void write_clock(const struct control *c, struct json_out *j, const char *key, usec_t at)
{
    if (at > c->started_at)
        jout_int(j, key, (int64_t)(at - c->started_at));
}

/* -- ICE ------------------------------------------------------------------------------------------------------------------------ */

static const char *ice_state_name(const struct peer_report *report)
{
    switch ((enum ice_state)report->ice_state) {
    case ICE_NEW: return "gathering";
    case ICE_CHECKING: return "connecting";
    case ICE_CONNECTED: return "ready";
    case ICE_DISCONNECTED: return "disconnected";
    case ICE_FAILED: return "failed";
    }
    return "disconnected";
}

static const char *type_name(uint8_t type)
{
    switch ((enum ice_candidate_type)type) {
    case ICE_HOST: return "host";
    case ICE_SRFLX: return "srflx";
    case ICE_PRFLX: return "prflx";
    case ICE_RELAY: return "relay";
    }
    return "host";
}

static void write_local_candidates(const struct control *c, struct json_out *j, const struct pc *pc)
{
    struct ice_candidate candidates[LOCAL_CANDIDATES_MAX];
    const size_t count = ref_is_none(pc->peer.ref) ? 0 : candidates_of_worker(c, pc->peer.worker, candidates);
    struct buf text;
    if (count == 0)
        return;
    buf_init(&text, 512);
    jout_array(j, "local-candidates");
    for (size_t i = 0; i < count; i++) {
        buf_clear(&text);
        candidate_write(&candidates[i], &text);
        jout_string_view(j, NULL, buf_view(&text));
    }
    jout_end(j);
    buf_fini(&text);
}

static void write_remote_candidates(struct json_out *j, const struct pc *pc)
{
    struct view left = buf_whole(&pc->story.candidates);
    if (left.size == 0)
        return;
    jout_array(j, "remote-candidates");
    while (left.size > 0)
        jout_string_view(j, NULL, str_split(&left, '\n'));
    jout_end(j);
}

static void write_selected(struct json_out *j, const struct peer_report *report)
{
    char local[NET_IP_TEXT], remote[NET_IP_TEXT], text[PAIR_TEXT];
    if (!report->has_selected)
        return;
    snprintf(text, sizeof(text), "%s:%u [host,udp] <-> %s:%u [%s,udp]", net_ip_text(&report->local, local), report->local.port,
             net_ip_text(&report->remote, remote), report->remote.port, type_name(report->remote_type));
    jout_string(j, "selected-pair", text);
}

static void write_ice(const struct control *c, struct json_out *j, const struct pc *pc, const struct peer_report *report)
{
    jout_object(j, "ice");
    jout_int(j, "stream_id", 1);
    jout_int(j, "component_id", pc->candidate_count > 0 ? 1 : 0);
    if (report != NULL)
        jout_string(j, "state", ice_state_name(report));
    if (report != NULL && report->ice_failed_at != 0) {
        write_clock(c, j, "failed-detected", report->ice_failed_at);
        jout_bool(j, "icetimer-started", true);
    }
    write_clock(c, j, "gathered", pc->story.created_at);
    if (report != NULL)
        write_clock(c, j, "connected", report->connected_at);
    write_local_candidates(c, j, pc);
    write_remote_candidates(j, pc);
    if (report != NULL)
        write_selected(j, report);
    jout_int(j, "ready", 1);            /* ours are known before they are asked for */
    jout_end(j);
}

/* -- DTLS -------------------------------------------------------------------------------------------------------------------------- */

static const char *dtls_state_name(const struct peer_report *report)
{
    if (!report->has_dtls)
        return "created";
    switch ((enum dtls_state)report->dtls_state) {
    case DTLS_CREATED: return "created";
    case DTLS_TRYING: return "trying";
    case DTLS_CONNECTED: return "connected";
    case DTLS_CLOSED:
    case DTLS_FAILED: return "failed";
    }
    return "failed";
}

static void write_datagrams(struct json_out *j, const char *key, uint64_t packets, uint64_t bytes)
{
    jout_object(j, key);
    jout_uint(j, "packets", packets);
    jout_uint(j, "bytes", bytes);
    jout_end(j);
}

static void write_handshake(const struct control *c, struct json_out *j, const struct peer_report *report)
{
    const char *profile = dtls_srtp_profile_name((enum dtls_srtp_profile)report->srtp_profile);
    jout_string(j, "dtls-state", dtls_state_name(report));
    jout_uint(j, "retransmissions", report->retransmissions);
    jout_bool(j, "valid", report->keys_at != 0);
    jout_string(j, "srtp-profile", profile[0] == '\0' ? "none" : profile);
    jout_bool(j, "ready", report->keys_at != 0);
    write_clock(c, j, "handshake-started", report->dtls_at);
    write_clock(c, j, "connected", report->keys_at);
    jout_bool(j, "sctp-association", report->has_association);
    jout_object(j, "stats");
    write_datagrams(j, "in", report->dtls_packets_in, report->dtls_bytes_in);
    write_datagrams(j, "out", report->dtls_packets_out, report->dtls_bytes_out);
    jout_end(j);
}

static void write_dtls(const struct control *c, struct json_out *j, const struct pc *pc, const struct peer_report *report)
{
    const struct negotiation *n = &pc->negotiation;
    char text[DTLS_FINGERPRINT_TEXT];
    jout_object(j, "dtls");
    jout_string(j, "fingerprint", c->config.fingerprint);
    if (n->remote != NULL && n->remote->fingerprint.hash != DTLS_HASH_NONE) {
        jout_string(j, "remote-fingerprint", dtls_fingerprint_text(&n->remote->fingerprint, text));
        jout_string(j, "remote-fingerprint-hash", dtls_hash_name((enum dtls_hash)n->remote->fingerprint.hash));
    }
    jout_string(j, "dtls-role", !n->has_role ? "actpass" : n->role == DTLS_ROLE_CLIENT ? "active" : "passive");
    if (report != NULL)
        write_handshake(c, j, report);
    jout_end(j);
}

/* -- what all lines share ------------------------------------------------------------------------------------------------------------ */

static void write_extensions(struct json_out *j, const struct rtp_ext_ids *ids)
{
    const struct {
        enum sdp_ext ext;
        uint8_t id;
    } list[] = {
        {SDP_EXT_MID, ids->mid}, {SDP_EXT_RID, ids->rid}, {SDP_EXT_REPAIRED_RID, ids->repaired_rid},
        {SDP_EXT_ABS_SEND_TIME, ids->abs_send_time}, {SDP_EXT_TRANSPORT_CC, ids->twcc}, {SDP_EXT_AUDIO_LEVEL, ids->audio_level},
        {SDP_EXT_VIDEO_ORIENTATION, ids->orientation}, {SDP_EXT_PLAYOUT_DELAY, ids->playout_delay},
        {SDP_EXT_DEPENDENCY_DESCRIPTOR, ids->dependency_descriptor}, {SDP_EXT_VIDEO_LAYERS, ids->vla},
        {SDP_EXT_ABS_CAPTURE_TIME, ids->abs_capture_time},
    };
    jout_object(j, "extensions");
    for (size_t i = 0; i < ARRAY_COUNT(list); i++)
        if (list[i].id > 0)
            jout_int(j, sdp_ext_uri(list[i].ext), list[i].id);
    jout_end(j);
    jout_object(j, "bwe");
    jout_bool(j, "twcc", ids->twcc > 0);
    if (ids->twcc > 0)
        jout_int(j, "twcc-ext-id", ids->twcc);
    jout_end(j);
}

/* -- media ------------------------------------------------------------------------------------------------------------------------------ */

/* One m-line from all sides; the report's part may be NULL. */
struct shown_line {
    const struct negotiated_line *line;
    const struct remote_mline *remote;
    const struct peer_line_report *report;
    const struct rtp_ext_ids *ids;
};

static void write_uint_if(struct json_out *j, const char *key, uint32_t value)
{
    if (value != 0)
        jout_uint(j, key, value);
}

static void write_msid(struct json_out *j, const struct shown_line *s, const char *mid)
{
    char track[NEGOTIATE_MID_ROOM + 8];
    const bool sends = s->line->send && s->line->kind != SDP_APPLICATION, has_remote = s->remote != NULL && s->remote->msid_stream[0] != '\0';
    if (!sends && !has_remote)
        return;
    jout_object(j, "msid");
    if (sends) {
        snprintf(track, sizeof(track), "janus%s", mid);
        jout_string(j, "local-stream", "janus");
        jout_string(j, "local-track", track);
    }
    if (has_remote) {
        jout_string(j, "remote-stream", s->remote->msid_stream);
        if (s->remote->msid_track[0] != '\0')
            jout_string(j, "remote-track", s->remote->msid_track);
    }
    jout_end(j);
}

static void write_ssrcs(struct json_out *j, const struct shown_line *s)
{
    static const char *const names[] = {"ssrc-peer", "ssrc-peer-sim-1", "ssrc-peer-sim-2"};
    static const char *const rtx_names[] = {"ssrc-peer-rtx", "ssrc-peer-sim-1-rtx", "ssrc-peer-sim-2-rtx"};
    jout_object(j, "ssrc");
    write_uint_if(j, "ssrc", s->line->ssrc);
    write_uint_if(j, "ssrc-rtx", s->line->ssrc_rtx);
    for (uint8_t i = 0; i < NEGOTIATE_LAYERS_MAX; i++)
        write_uint_if(j, names[i], s->report != NULL ? s->report->remote_ssrc[i] : s->line->remote_ssrc[i]);
    for (uint8_t i = 0; i < NEGOTIATE_LAYERS_MAX; i++)
        write_uint_if(j, rtx_names[i], s->report != NULL ? s->report->remote_rtx_ssrc[i] : s->line->remote_ssrc_rtx[i]);
    jout_end(j);
}

static void write_rids(struct json_out *j, const struct shown_line *s)
{
    if (!s->line->by_rid || s->ids->rid == 0 || s->remote == NULL)
        return;
    jout_object(j, "rid-simulcast");
    jout_array(j, "rid");
    for (uint8_t i = s->line->layer_count; i > 0; i--)
        jout_string(j, NULL, s->line->rid[i - 1]);
    jout_end(j);
    jout_int(j, "rid-ext-id", s->ids->rid);
    if (s->ids->repaired_rid > 0)
        jout_int(j, "ridrtx-ext-id", s->ids->repaired_rid);
    jout_string(j, "rid-order", s->remote->rid_lowest_first ? "lmh" : "hml");
    if (s->remote->simulcast_legacy)
        jout_string(j, "rid-syntax", "legacy");
    jout_end(j);
}

static void write_codecs(struct json_out *j, const struct shown_line *s)
{
    const uint8_t pt = s->report == NULL ? 0 : s->report->pt;
    if (pt == 0)
        return;
    jout_object(j, "codecs");
    jout_int(j, "pt", pt);
    if (s->line->red_pt > 0)
        jout_int(j, "opus-red-pt", s->line->red_pt);
    for (uint8_t i = 0; i < s->line->pt_count; i++) {
        const struct remote_pt *known = &s->line->pts[i];
        if (known->pt != pt)
            continue;
        if (known->rtx_pt > 0)
            jout_int(j, "rtx-pt", known->rtx_pt);
        if (known->codec != CODEC_NONE)
            jout_string(j, "codec", codec_info((enum codec)known->codec)->name);
    }
    jout_end(j);
}

static void write_rtcp(struct json_out *j, const struct peer_line_report *report)
{
    static const char *const names[] = {"main", "sim1", "sim2"};
    jout_object(j, "rtcp");
    for (uint8_t i = 0; i < report->layer_count && i < LAYERS_MAX; i++) {
        const struct media_stats *stats = &report->layers[i];
        jout_object(j, names[i]);
        jout_uint(j, "base", stats->clock_hz);
        if (i == 0)
            jout_uint(j, "rtt", stats->rtt_ms);
        jout_int(j, "lost", stats->lost);
        jout_int(j, "lost-by-remote", stats->lost_by_remote);
        jout_uint(j, "jitter-local", stats->jitter_ms);
        jout_uint(j, "jitter-remote", stats->jitter_remote_ms);
        jout_uint(j, "in-link-quality", stats->in_quality);
        jout_uint(j, "in-media-link-quality", stats->in_media_quality);
        jout_uint(j, "out-link-quality", stats->out_quality);
        jout_uint(j, "out-media-link-quality", stats->out_media_quality);
        jout_end(j);
    }
    jout_end(j);
}

static void write_received(struct json_out *j, const struct media_stats *stats, bool nacks)
{
    jout_uint(j, "packets", stats->packets_in);
    jout_uint(j, "bytes", stats->bytes_in);
    if (stats->kind == MEDIA_DATA)
        return;
    jout_uint(j, "bytes_lastsec", stats->bytes_in_lastsec);
    if (nacks)
        jout_uint(j, "nacks", stats->nacks_in);
}

static void write_stats(struct json_out *j, const struct shown_line *s)
{
    static const char *const names[] = {NULL, "video-simulcast-1", "video-simulcast-2"};
    const struct peer_line_report *report = s->report;
    const struct media_stats *first = &report->layers[0];
    uint64_t retransmissions = 0;
    jout_object(j, "stats");
    jout_object(j, "in");
    write_received(j, first, s->line->nack);
    for (uint8_t i = 0; i < report->layer_count && i < LAYERS_MAX; i++)
        retransmissions += report->layers[i].retransmissions_in;
    if (s->line->nack)
        jout_uint(j, "retransmissions", retransmissions);
    for (uint8_t i = 1; i < report->layer_count && i < LAYERS_MAX; i++) {
        if (report->remote_ssrc[i] == 0)
            continue;
        jout_object(j, names[i]);
        write_received(j, &report->layers[i], true);
        jout_end(j);
    }
    jout_end(j);
    jout_object(j, "out");
    jout_uint(j, "packets", first->packets_out);
    jout_uint(j, "bytes", first->bytes_out);
    if (s->line->kind != SDP_APPLICATION) {
        uint64_t nacks = 0;
        for (uint8_t i = 0; i < report->layer_count && i < LAYERS_MAX; i++)
            nacks += report->layers[i].nacks_out;
        jout_uint(j, "bytes_lastsec", first->bytes_out_lastsec);
        jout_uint(j, "nacks", nacks);
    }
    jout_end(j);
    jout_end(j);
}

static const char *kind_name(enum sdp_kind kind)
{
    return kind == SDP_AUDIO ? "audio" : kind == SDP_VIDEO ? "video" : "data";
}

static void write_line(struct json_out *j, uint16_t index, const struct shown_line *s)
{
    const bool is_data = s->line->kind == SDP_APPLICATION;
    jout_object(j, s->line->mid);
    jout_string(j, "type", kind_name(s->line->kind));
    jout_int(j, "mindex", index);
    jout_string(j, "mid", s->line->mid);
    write_msid(j, s, s->line->mid);
    if (!is_data) {
        jout_bool(j, "do_nacks", s->line->nack);
        if (s->report != NULL)
            jout_uint(j, "nack-queue-ms", s->report->nack_queue_ms);
        write_ssrcs(j, s);
        write_rids(j, s);
        jout_object(j, "direction");
        jout_bool(j, "send", s->line->send);
        jout_bool(j, "recv", s->line->recv);
        jout_end(j);
        write_codecs(j, s);
        if (s->report != NULL)
            write_rtcp(j, s->report);
    }
    if (s->report != NULL)
        write_stats(j, s);
    jout_end(j);
}

static const struct peer_line_report *find_line(const struct peer_report *report, uint16_t index)
{
    for (uint16_t i = 0; report != NULL && i < report->line_count; i++)
        if (report->lines[i].mindex == index)
            return &report->lines[i];
    return NULL;
}

static void write_media(struct json_out *j, const struct pc *pc, const struct peer_report *report, const struct rtp_ext_ids *ids)
{
    const struct negotiation *n = &pc->negotiation;
    jout_object(j, "media");
    for (uint16_t i = 0; n->local != NULL && i < n->local->mline_count; i++) {
        struct negotiated_line line;
        if (!negotiation_line(n, i, &line))
            continue;
        const struct shown_line shown = {
            .line = &line,
            .remote = n->remote != NULL && i < n->remote->mline_count ? &n->remote->mlines[i] : NULL,
            .report = find_line(report, i),
            .ids = ids,
        };
        write_line(j, i, &shown);
    }
    jout_end(j);
}

void admin_write_webrtc(const struct control *c, struct json_out *j, const struct pc *pc, const struct peer_report *report)
{
    struct rtp_ext_ids ids;
    negotiation_exts(&pc->negotiation, &ids);
    jout_object(j, "webrtc");
    write_ice(c, j, pc, report);
    write_dtls(c, j, pc, report);
    write_extensions(j, &ids);
    if (report != NULL && report->too_large > 0)
        jout_uint(j, "too-large", report->too_large);
    write_media(j, pc, report, &ids);
    jout_end(j);
}
