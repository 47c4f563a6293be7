/* control/negotiate/negotiation.c - the state's beginning and end, and what both sides agree on. */
#include <string.h>

#include "base/mem.h"
#include "control/negotiate/negotiate_internal.h"
#include "proto/rtp/codec.h"

void negotiation_init(struct negotiation *n)
{
    *n = (struct negotiation){.rtx = true};
}

void remote_free(struct remote_description *remote)
{
    if (remote == NULL)
        return;
    mem_put(remote->candidates);
    mem_put(remote->mlines);
    mem_put(remote);
}

void local_free(struct local_description *local)
{
    if (local == NULL)
        return;
    mem_put(local->mlines);
    mem_put(local);
}

void negotiation_keep(struct negotiation *n)
{
    struct negotiation *before = mem_get(sizeof(*before));
    *before = *n;
    n->before = before;
    n->remote = NULL;
}

void negotiation_settle(struct negotiation *n, bool accepted)
{
    struct negotiation *before = n->before;
    if (before == NULL)
        return;
    n->before = NULL;
    if (accepted) {
        remote_free(before->remote);
    } else {
        struct local_description *local = n->local;     /* ours is not the client's to take back */
        remote_free(n->remote);
        *n = *before;
        n->local = local;
    }
    mem_put(before);
}

void negotiation_fini(struct negotiation *n)
{
    negotiation_settle(n, true);
    remote_free(n->remote);
    local_free(n->local);
    negotiation_init(n);
}

static const struct remote_pt *remote_pt_find(const struct remote_mline *remote, uint8_t pt)
{
    for (unsigned i = 0; i < remote->pt_count; i++)
        if (remote->pts[i].pt == pt)
            return &remote->pts[i];
    return NULL;
}

static void agree_on_pts(struct negotiated_line *out, const struct remote_mline *remote, const struct local_mline *local)
{
    for (unsigned i = 0; i < local->pt_count; i++) {
        const struct remote_pt *pt = remote_pt_find(remote, local->pts[i]);
        if (pt == NULL)
            continue;
        struct remote_pt *agreed = &out->pts[out->pt_count++];
        *agreed = *pt;
        if (!local->rtx)
            agreed->rtx_pt = 0;
        out->rtx = out->rtx || agreed->rtx_pt != 0;
        if (pt->codec == CODEC_RED)
            out->red_pt = pt->pt;
    }
}

static void agree_on_layers(struct negotiated_line *out, const struct remote_mline *remote, const struct local_mline *local)
{
    out->by_rid = local->simulcast && remote->rid_count > 0;
    out->layer_count = out->by_rid ? remote->rid_count : remote->ssrc_count > 1 ? remote->ssrc_count : 1;
    for (unsigned i = 0; i < out->layer_count; i++) {
        if (out->by_rid) {
            out->rid[i] = remote->rid[i];
        } else {
            out->remote_ssrc[i] = remote->ssrc[i];
            out->remote_ssrc_rtx[i] = remote->ssrc_rtx[i];
        }
    }
}

bool negotiation_line(const struct negotiation *n, uint16_t index, struct negotiated_line *out)
{
    *out = (struct negotiated_line){.mid = "", .rid = {"", "", ""}};
    if (n->remote == NULL || n->local == NULL || index >= n->remote->mline_count || index >= n->local->mline_count)
        return false;
    const struct remote_mline *remote = &n->remote->mlines[index];
    const struct local_mline *local = &n->local->mlines[index];
    if (remote->disabled || local->disabled || remote->kind != local->kind)
        return false;
    out->kind = local->kind;
    out->send = sdp_direction_sends(local->direction) && sdp_direction_receives(remote->direction);
    out->recv = sdp_direction_receives(local->direction) && sdp_direction_sends(remote->direction);
    out->nack = remote->nack && local->nack;
    out->exts = remote->exts & local->exts;
    out->ssrc = local->ssrc;
    out->ssrc_rtx = local->ssrc_rtx;
    out->mid = local->mid;
    if (local->kind == SDP_APPLICATION) {
        out->send = out->recv = true;       /* directions mean nothing to data channels (RFC 8841 5.2) */
        out->sctp_port = remote->sctp_port;
        out->max_message_bytes = negotiation_data_max(n, index);
        return true;
    }
    agree_on_pts(out, remote, local);
    agree_on_layers(out, remote, local);
    return true;
}

uint32_t negotiation_data_max(const struct negotiation *n, uint16_t index)
{
    if (n->remote == NULL || n->local == NULL || index >= n->remote->mline_count || index >= n->local->mline_count)
        return 0;
    const struct remote_mline *remote = &n->remote->mlines[index];
    if (remote->disabled || n->local->mlines[index].disabled || remote->kind != SDP_APPLICATION)
        return 0;
    return remote->max_message_bytes == 0 ? UINT32_MAX : remote->max_message_bytes;
}

void negotiation_exts(const struct negotiation *n, struct rtp_ext_ids *out)
{
    uint8_t ids[SDP_EXT_COUNT] = {0};
    if (n->remote != NULL && n->local != NULL)
        for (unsigned ext = 0; ext < SDP_EXT_COUNT; ext++)
            if (n->local->ext_ids[ext] == n->remote->ext_ids[ext])
                ids[ext] = n->local->ext_ids[ext];
    *out = (struct rtp_ext_ids){
        .mid = ids[SDP_EXT_MID],
        .rid = ids[SDP_EXT_RID],
        .repaired_rid = ids[SDP_EXT_REPAIRED_RID],
        .audio_level = ids[SDP_EXT_AUDIO_LEVEL],
        .abs_send_time = ids[SDP_EXT_ABS_SEND_TIME],
        .twcc = ids[SDP_EXT_TRANSPORT_CC],
        .toffset = ids[SDP_EXT_TOFFSET],
        .orientation = ids[SDP_EXT_VIDEO_ORIENTATION],
        .playout_delay = ids[SDP_EXT_PLAYOUT_DELAY],
        .dependency_descriptor = ids[SDP_EXT_DEPENDENCY_DESCRIPTOR],
        .abs_capture_time = ids[SDP_EXT_ABS_CAPTURE_TIME],
        .vla = ids[SDP_EXT_VIDEO_LAYERS],
    };
}
