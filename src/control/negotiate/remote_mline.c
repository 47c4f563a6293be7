/* control/negotiate/remote_mline.c - one m-line of a client, compiled (webrtc.md 1.4). */
#include <string.h>

#include "base/str.h"
#include "control/negotiate/negotiate_internal.h"
#include "proto/sdp/offer_answer.h"

#define FID_MAX 8u                 /* ssrc-group:FID lines looked at: one per layer is what there is */

struct fid {
    uint32_t media;
    uint32_t repair;
};

struct ssrc_scan {
    uint32_t first;                /* of the a=ssrc lines */
    uint32_t sim[NEGOTIATE_LAYERS_MAX];
    struct fid fids[FID_MAX];
    uint8_t sim_count;
    uint8_t fid_count;
};

/* SSRC 0 is legal, but nobody draws it, and it is our "none". */
static bool next_ssrc(struct view *rest, uint32_t *out)
{
    return str_u32(sdp_field(rest), out) && *out != 0;
}

static void scan_sim(struct ssrc_scan *scan, struct view rest)
{
    uint32_t ssrc;
    scan->sim_count = 0;
    while (scan->sim_count < NEGOTIATE_LAYERS_MAX && next_ssrc(&rest, &ssrc)) {
        for (unsigned i = 0; i < scan->sim_count; i++)
            if (scan->sim[i] == ssrc)
                return;
        scan->sim[scan->sim_count++] = ssrc;
    }
}

static void scan_group(struct ssrc_scan *scan, struct view value)
{
    const struct view semantics = sdp_field(&value);
    struct fid fid;
    if (str_equal(semantics, STR("SIM")) && scan->sim_count == 0)
        scan_sim(scan, value);
    else if (str_equal(semantics, STR("FID")) && scan->fid_count < FID_MAX && next_ssrc(&value, &fid.media) &&
             next_ssrc(&value, &fid.repair))
        scan->fids[scan->fid_count++] = fid;
}

static uint32_t repair_of(const struct ssrc_scan *scan, uint32_t media)
{
    for (unsigned i = 0; i < scan->fid_count; i++)
        if (scan->fids[i].media == media)
            return scan->fids[i].repair;
    return 0;
}

/* A SIM group lists its layers, the lowest first; else a FID group's first is the stream, else the first a=ssrc. With rids
 * only one is kept, for a plugin that refuses simulcast. */
static void settle_ssrcs(struct remote_mline *out, const struct ssrc_scan *scan)
{
    const uint32_t only = scan->fid_count > 0 ? scan->fids[0].media : scan->first;
    const unsigned count = scan->sim_count > 0 && out->rid_count == 0 ? scan->sim_count : 1;
    for (unsigned i = 0; i < count; i++) {
        out->ssrc[i] = scan->sim_count > 0 ? scan->sim[i] : only;
        out->ssrc_rtx[i] = repair_of(scan, out->ssrc[i]);
    }
    out->ssrc_count = out->ssrc[0] != 0 ? (uint8_t)count : 0;
}

/* At most 64 characters of each token are kept (webrtc.md 1.4), and no half of one: it goes into JSON. */
static void copy_token(char out[NEGOTIATE_MSID_ROOM], struct view token)
{
    if (token.size >= NEGOTIATE_MSID_ROOM)
        token.size = NEGOTIATE_MSID_ROOM - 1;
    while (token.size > 0 && !utf8_is_valid(token))
        token.size--;
    str_copy(out, NEGOTIATE_MSID_ROOM, token);
}

static bool compile_msid(struct remote_mline *out, const struct sdp_mline *mline)
{
    const struct sdp_attr *attr = sdp_attr_find(&mline->attrs, STR("msid"));
    if (attr == NULL)
        return true;
    struct view rest = attr->value;
    struct view stream = sdp_field(&rest);
    struct view track = sdp_field(&rest);
    copy_token(out->msid_stream, stream);
    copy_token(out->msid_track, track);
    return track.size > 0;
}

static void compile_extmap(struct remote_description *remote, struct remote_mline *out, struct view value)
{
    struct sdp_extmap map;
    if (!sdp_extmap_parse(&map, value) || map.ext == SDP_EXT_UNKNOWN || map.id > UINT8_MAX)
        return;
    if (remote->ext_ids[map.ext] == 0)
        remote->ext_ids[map.ext] = (uint8_t)map.id;
    if (remote->ext_ids[map.ext] == map.id)
        out->exts |= SDP_EXT_BIT(map.ext);
}

static bool names_rtx(struct view rtpmap)
{
    return str_starts_nocase(rtpmap, STR("rtx/"));
}

static bool names_fec(struct view rtpmap)
{
    return str_starts_nocase(rtpmap, STR("red/90000")) || str_starts_nocase(rtpmap, STR("ulpfec/")) ||
           str_starts_nocase(rtpmap, STR("flexfec"));
}

static uint32_t clock_of(const struct sdp_payload *payload)
{
    struct view rest = payload->rtpmap;
    uint32_t clock_hz;
    str_split(&rest, '/');
    if (payload->codec == CODEC_NONE && str_u32(str_split(&rest, '/'), &clock_hz) && clock_hz > 0)
        return clock_hz;
    return codec_info(payload->codec)->clock_hz;
}

static void compile_pts(struct remote_description *remote, struct remote_mline *out, const struct sdp_mline *mline)
{
    struct sdp_payload_table table;
    sdp_payloads(mline, &table);
    for (unsigned i = 0; i < mline->pt_count; i++) {
        const uint8_t pt = mline->pts[i];
        const struct sdp_payload *payload = &table.of[pt];
        if (names_rtx(payload->rtpmap)) {
            if (payload->apt != SDP_PT_NONE && remote->rtx_of[payload->apt] == 0 && pt != 0) {
                remote->rtx_of[payload->apt] = pt;
                remote->has_rtx = true;
            }
        } else if (!names_fec(payload->rtpmap) && out->pt_count < NEGOTIATE_PTS_MAX) {
            out->pts[out->pt_count++] = (struct remote_pt){.pt = pt, .codec = (uint8_t)payload->codec, .clock_hz = clock_of(payload)};
            if (payload->codec == CODEC_RED && out->red_pt == 0)
                out->red_pt = pt;
        }
    }
}

/* RFC 8841 5 and 6, and the older sctpmap of draft 05. */
static void compile_data(struct remote_mline *out, const struct sdp_mline *mline)
{
    struct view map = sdp_attr_value(&mline->attrs, STR("sctpmap"));
    out->sctp_port = 5000;
    out->max_message_bytes = 65536;
    if (!str_u16(str_trim(sdp_attr_value(&mline->attrs, STR("sctp-port"))), &out->sctp_port))
        str_u16(sdp_field(&map), &out->sctp_port);
    str_u32(str_trim(sdp_attr_value(&mline->attrs, STR("max-message-size"))), &out->max_message_bytes);
}

bool remote_compile_mline(struct remote_description *remote, struct remote_mline *out, const struct sdp_mline *mline,
                          bool rid_lowest_first)
{
    struct ssrc_scan scan = {0};
    if (out->kind == SDP_APPLICATION) {
        compile_data(out, mline);
        return true;
    }
    for (const struct sdp_attr *attr = mline->attrs.first; attr != NULL; attr = attr->next) {
        struct view value = attr->value;
        if (str_equal(attr->name, STR("ssrc"))) {
            if (scan.first == 0 && !next_ssrc(&value, &scan.first))
                scan.first = 0;
        } else if (str_equal(attr->name, STR("ssrc-group"))) {
            scan_group(&scan, value);
        } else if (str_equal(attr->name, STR("rtcp-fb"))) {
            out->nack = out->nack || str_contains(value, STR("nack"));
        } else if (str_equal(attr->name, STR("extmap"))) {
            compile_extmap(remote, out, value);
        }
    }
    remote_compile_rids(out, mline, rid_lowest_first);
    settle_ssrcs(out, &scan);
    compile_pts(remote, out, mline);
    return compile_msid(out, mline);
}
