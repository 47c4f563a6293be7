/* control/negotiate/anonymise.c - a description without its transport (webrtc.md 2). */
#include "base/str.h"
#include "control/negotiate/negotiate.h"
#include "control/negotiate/negotiate_internal.h"
#include "proto/sdp/offer_answer.h"

static const struct view placeholder = {(const uint8_t *)"1.1.1.1", 7};

/* What only the core may say. From ice-lite on: not in the reference's list, but about one leg's transport all the same, and
 * wrong when a plugin hands it to another leg. */
#define NAME(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}
static const struct view transport_names[] = {
    NAME("ice-ufrag"), NAME("ice-pwd"), NAME("ice-options"), NAME("fingerprint"), NAME("group"), NAME("msid-semantic"),
    NAME("extmap-allow-mixed"), NAME("rtcp-rsize"), NAME("crypto"), NAME("setup"), NAME("connection"), NAME("rid"),
    NAME("simulcast"), NAME("rtcp"), NAME("rtcp-mux"), NAME("candidate"), NAME("end-of-candidates"), NAME("ssrc"),
    NAME("ssrc-group"), NAME("sctpmap"), NAME("sctp-port"), NAME("max-message-size"), NAME("sctp-init"), NAME("ice-lite"),
    NAME("ice-pacing"), NAME("ice-mismatch"), NAME("remote-candidates"), NAME("rtcp-mux-only"), NAME("tls-id"),
    NAME("identity"),
};

static bool is_transport(struct view name)
{
    for (size_t i = 0; i < ARRAY_COUNT(transport_names); i++)
        if (str_equal(name, transport_names[i]))
            return true;
    return false;
}

/* Redundancy and retransmission are between the core and its peer. RED for Opus is a codec like another. */
static bool is_hidden_payload(struct view rtpmap)
{
    static const struct view hidden[] = {NAME("red/90000"), NAME("ulpfec/90000"), NAME("flexfec-03/90000"), NAME("rtx/90000")};
    for (size_t i = 0; i < ARRAY_COUNT(hidden); i++)
        if (str_equal_nocase(rtpmap, hidden[i]))
            return true;
    return false;
}

struct hidden_pts {
    bool is[SDP_PTS_MAX];
};

static bool is_dropped(const struct sdp_attr *attr, const void *context)
{
    const struct hidden_pts *hidden = context;
    uint8_t pt;
    struct view body;
    if (is_about_pt(attr))                      /* most of them */
        return sdp_pt_split(attr->value, &pt, &body) && hidden->is[pt];
    if (str_equal(attr->name, STR("extmap"))) {
        struct sdp_extmap map;
        return sdp_extmap_parse(&map, attr->value) && str_equal(map.uri, STR("urn:ietf:params:rtp-hdrext:encrypt"));   /* RFC 6904 */
    }
    return is_transport(attr->name);
}

bool is_about_pt(const struct sdp_attr *attr)
{
    return str_equal(attr->name, STR("rtpmap")) || str_equal(attr->name, STR("fmtp")) || str_equal(attr->name, STR("rtcp-fb"));
}

bool is_data_line(const struct sdp_mline *mline)
{
    return mline->kind == SDP_APPLICATION &&
           (str_equal_nocase(mline->proto, STR("UDP/DTLS/SCTP")) || str_equal_nocase(mline->proto, STR("DTLS/SCTP")));
}

static void strip_mline(struct sdp_mline *mline)
{
    struct hidden_pts hidden = {{false}};
    if (mline->kind != SDP_APPLICATION) {
        struct sdp_payload_table table;
        sdp_payloads(mline, &table);
        for (unsigned pt = 0; pt < SDP_PTS_MAX; pt++) {
            hidden.is[pt] = table.of[pt].rtpmap.size > 0 && is_hidden_payload(table.of[pt].rtpmap);
            if (hidden.is[pt])
                sdp_mline_del_pt(mline, (uint8_t)pt);
        }
    }
    sdp_attrs_filter(&mline->attrs, is_dropped, &hidden);
    if (mline->connection.address.size > 0)
        mline->connection = (struct sdp_connection){placeholder, false};
    if (mline->port != 0)
        mline->port = 9;
    if (mline->kind != SDP_APPLICATION && mline->pt_count == 0)
        sdp_mline_reject(mline);               /* nothing but repair formats: no plugin could answer it */
}

void anonymise(struct sdp *sdp)
{
    const struct hidden_pts none = {{false}};
    bool has_data = false;
    sdp->origin.address = placeholder;
    sdp->origin.is_ip6 = false;
    if (sdp->connection.address.size > 0)
        sdp->connection = (struct sdp_connection){placeholder, false};
    sdp_attrs_filter(&sdp->attrs, is_dropped, &none);
    for (unsigned i = 0; i < sdp->mline_count; i++) {
        struct sdp_mline *mline = sdp->mlines[i];
        strip_mline(mline);
        if (mline->kind != SDP_APPLICATION || mline->port == 0)
            continue;
        if (has_data || !is_data_line(mline))
            sdp_mline_reject(mline);
        else
            has_data = true;
    }
}
