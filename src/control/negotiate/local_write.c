/* control/negotiate/local_write.c - the text that the client gets, line by line in the order of webrtc.md 3.1 and 3.2. */
#include "base/str.h"
#include "control/negotiate/local.h"
#include "proto/sdp/offer_answer.h"

#define DEFAULT_RTP_PROTO   "UDP/TLS/RTP/SAVPF"
#define CLEAR_RTP_PROTO     "RTP/AVPF"
#define DEFAULT_DATA_PROTO  "UDP/DTLS/SCTP"
#define DEFAULT_DATA_FORMAT "webrtc-datachannel"

static void write_address(const struct merge *m, struct buf *out)
{
    char ip[NET_IP_TEXT];
    buf_addf(out, "IN IP%d %s\r\n", m->in->address->family == NET_IP6 ? 6 : 4, net_ip_text(m->in->address, ip));
}

static void write_session(const struct merge *m, struct buf *out)
{
    const struct sdp *plugin = m->plugin;
    const bool is_named = plugin->origin_id != 0 && plugin->origin_version != 0;
    buf_add_text(out, "v=0\r\no=");
    buf_add_view(out, plugin->origin_name.size > 0 ? plugin->origin_name : STR("-"));
    buf_addf(out, " %llu %llu ", (unsigned long long)(is_named ? plugin->origin_id : m->in->session_id),
             (unsigned long long)(is_named ? plugin->origin_version : 1));
    write_address(m, out);
    buf_add_text(out, "s=");
    buf_add_view(out, plugin->session_name.size > 0 ? plugin->session_name : STR(NEGOTIATE_SESSION_NAME));
    buf_addf(out, "\r\nt=%llu %llu\r\na=group:BUNDLE", (unsigned long long)plugin->time_start, (unsigned long long)plugin->time_stop);
    for (unsigned i = 0; i < m->local->mline_count; i++)
        if (!m->local->mlines[i].disabled)
            buf_addf(out, " %s", m->local->mlines[i].mid);
    buf_add_text(out, "\r\na=ice-options:trickle\r\n");
    if (m->in->fingerprint != NULL)
        buf_addf(out, "a=fingerprint:sha-256 %s\r\n", m->in->fingerprint);
    buf_add_text(out, "a=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n");
    if (m->in->lite)
        buf_add_text(out, "a=ice-lite\r\n");
    for (const struct sdp_attr *attr = plugin->attrs.first; attr != NULL; attr = attr->next)
        sdp_attr_write(attr, out);
}

/* What the client's first audio or video line said, once there was one (webrtc.md 3.2, row 1). */
static const char *rtp_proto(const struct merge *m)
{
    if (m->n->rtp_proto[0] != '\0')
        return m->n->rtp_proto;
    return m->in->fingerprint != NULL ? DEFAULT_RTP_PROTO : CLEAR_RTP_PROTO;
}

static void write_data_proto(const struct sdp_mline *mline, struct buf *out)
{
    buf_add_view(out, mline != NULL ? mline->proto : STR(DEFAULT_DATA_PROTO));
    buf_add_char(out, ' ');
    buf_add_view(out, mline != NULL && mline->formats.size > 0 ? mline->formats : STR(DEFAULT_DATA_FORMAT));
}

/* `mline` is NULL for a line that the plugin left out. */
static void write_rejected(const struct merge *m, const struct local_mline *line, const struct sdp_mline *mline, struct buf *out)
{
    buf_addf(out, "m=%s 0 ", sdp_kind_name(line->kind));
    if (line->kind == SDP_APPLICATION)
        write_data_proto(mline, out);
    else
        buf_addf(out, "%s 0", rtp_proto(m));
    buf_add_text(out, "\r\nc=");
    write_address(m, out);
    buf_addf(out, "a=inactive\r\na=mid:%s\r\n", line->mid);
}

/* 0: no retransmission PT for it in this text. */
static uint8_t rtx_of(const struct merge *m, const struct local_mline *line, uint8_t pt)
{
    return line->rtx && is_pt_kept(m, pt) ? m->rtx.of[pt] : 0;
}

static void write_m(const struct merge *m, const struct local_mline *line, const struct sdp_mline *mline, struct buf *out)
{
    buf_addf(out, "m=%s 9 ", sdp_kind_name(line->kind));
    if (line->kind == SDP_APPLICATION) {
        write_data_proto(mline, out);
    } else {
        buf_add_text(out, rtp_proto(m));
        for (unsigned i = 0; i < mline->pt_count; i++)
            if (is_pt_kept(m, mline->pts[i]))
                buf_addf(out, " %u", mline->pts[i]);
        for (unsigned i = 0; i < mline->pt_count; i++)
            if (rtx_of(m, line, mline->pts[i]) != 0)
                buf_addf(out, " %u", rtx_of(m, line, mline->pts[i]));
    }
    buf_add_text(out, "\r\n");
}

static void write_transport(const struct merge *m, const struct local_mline *line, const struct sdp_mline *mline, struct buf *out)
{
    if (line->kind != SDP_APPLICATION)
        buf_add_text(out, "a=rtcp-mux\r\n");
    else if (str_equal_nocase(mline->proto, STR("DTLS/SCTP")))
        buf_add_text(out, "a=sctpmap:5000 webrtc-datachannel 16\r\n");
    else
        buf_add_text(out, "a=sctp-port:5000\r\n");
    if (line->kind == SDP_APPLICATION)
        buf_addf(out, "a=max-message-size:%u\r\n", m->in->max_message_bytes);
    buf_addf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:trickle\r\n", m->in->ufrag, m->in->pwd);
    if (m->in->fingerprint == NULL)
        return;
    const char *role = m->n->role == DTLS_ROLE_CLIENT ? "active" : "passive";
    buf_addf(out, "a=setup:%s\r\n", m->is_answer ? role : "actpass");
}

static bool is_left_out(const struct merge *m, const struct sdp_attr *attr)
{
    struct sdp_extmap map;
    struct view body;
    uint8_t pt;
    if (str_equal(attr->name, STR("mid")) || str_equal(attr->name, STR("msid")))
        return true;                                   /* written elsewhere */
    if (str_equal(attr->name, STR("extmap")))
        return sdp_extmap_parse(&map, attr->value) && !is_ext_offered(m, map.ext);
    return is_about_pt(attr) && sdp_pt_split(attr->value, &pt, &body) && !is_pt_kept(m, pt);
}

static void write_rtx(const struct merge *m, const struct local_mline *line, const struct sdp_mline *mline, struct buf *out)
{
    for (unsigned i = 0; i < mline->pt_count; i++) {
        const uint8_t rtx = rtx_of(m, line, mline->pts[i]);
        if (rtx != 0)
            buf_addf(out, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", rtx, rtx, mline->pts[i]);
    }
}

static void write_msid(const struct local_mline *line, const struct sdp_mline *mline, struct buf *out)
{
    struct view rest = sdp_attr_value(&mline->attrs, STR("msid"));
    const struct view stream = sdp_field(&rest);
    const struct view track = sdp_field(&rest);
    if (line->direction == SDP_INACTIVE)
        return;
    if (track.size == 0) {
        buf_addf(out, "a=msid:janus janus%s\r\n", line->mid);
        return;
    }
    buf_add_text(out, "a=msid:");
    buf_add_view(out, stream);
    buf_add_char(out, ' ');
    buf_add_view(out, track);
    buf_add_text(out, "\r\n");
}

static void write_streams(const struct local_mline *line, const struct sdp_mline *mline, struct buf *out)
{
    const bool has_repair = line->rtx && line->ssrc_rtx != 0 && sdp_direction_sends(line->direction);
    if (has_repair)
        buf_addf(out, "a=ssrc-group:FID %u %u\r\n", line->ssrc, line->ssrc_rtx);
    write_msid(line, mline, out);
    buf_addf(out, "a=ssrc:%u cname:" NEGOTIATE_CNAME "\r\n", line->ssrc);
    if (has_repair)
        buf_addf(out, "a=ssrc:%u cname:" NEGOTIATE_CNAME "\r\n", line->ssrc_rtx);
}

/* In the order in which the client offered its rids. */
static void write_simulcast(const struct remote_mline *remote, struct buf *out)
{
    unsigned order[NEGOTIATE_LAYERS_MAX];
    for (unsigned i = 0; i < remote->rid_count; i++)
        order[i] = remote->rid_lowest_first ? i : remote->rid_count - 1u - i;
    for (unsigned i = 0; i < remote->rid_count; i++)
        buf_addf(out, "a=rid:%s recv\r\n", remote->rid[order[i]]);
    if (!remote->simulcast)
        return;
    buf_add_text(out, remote->simulcast_legacy ? "a=simulcast: recv rid=" : "a=simulcast:recv ");
    for (unsigned i = 0; i < remote->rid_count; i++)
        buf_addf(out, "%s%s%s", i > 0 ? ";" : "", remote->rid_paused[order[i]] ? "~" : "", remote->rid[order[i]]);
    buf_add_text(out, "\r\n");
}

static void write_candidates(const struct merge *m, struct buf *out)
{
    for (size_t i = 0; i < m->in->candidate_count; i++) {
        buf_add_text(out, "a=candidate:");
        candidate_write(&m->in->candidates[i], out);
        buf_add_text(out, "\r\n");
    }
    buf_add_text(out, "a=end-of-candidates\r\n");
}

static void write_line(const struct merge *m, unsigned index, struct buf *out)
{
    const struct local_mline *line = &m->local->mlines[index];
    const struct sdp_mline *mline = index < m->plugin->mline_count ? m->plugin->mlines[index] : NULL;
    if (line->disabled) {
        write_rejected(m, line, mline, out);
        return;
    }
    write_m(m, line, mline, out);
    buf_add_text(out, "c=");
    write_address(m, out);
    if (mline->bandwidth_type.size > 0)
        buf_addf(out, "b=%.*s:%u\r\n", (int)mline->bandwidth_type.size, (const char *)mline->bandwidth_type.data, mline->bandwidth);
    buf_addf(out, "a=%s\r\na=mid:%s\r\n", sdp_direction_name(line->direction), line->mid);
    write_transport(m, line, mline, out);
    for (const struct sdp_attr *attr = mline->attrs.first; attr != NULL; attr = attr->next)
        if (!is_left_out(m, attr))
            sdp_attr_write(attr, out);
    if (line->kind != SDP_APPLICATION) {
        write_rtx(m, line, mline, out);
        write_streams(line, mline, out);
    }
    if (line->simulcast)
        write_simulcast(&m->n->remote->mlines[index], out);
    if (m->in->half_trickle)
        write_candidates(m, out);
}

void local_write(const struct merge *m, struct buf *out)
{
    write_session(m, out);
    for (unsigned i = 0; i < m->local->mline_count; i++)
        write_line(m, i, out);
}
