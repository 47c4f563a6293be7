#include "control/order.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "control/data.h"
#include "control/graph.h"
#include "control/out.h"
#include "control/plain.h"
#include "msg/worker.h"

static void tell(struct control *c, uint32_t worker, enum worker_message type, const void *payload, size_t size)
{
    out_send(c, (actor_id)(ACTOR_WORKER_0 + worker), (uint16_t)type, payload, size);
}

/* -- peers ------------------------------------------------------------------------------------------------------------- */

static void set_credentials(struct ice_credentials *out, const char *ufrag, const char *pwd)
{
    str_copy(out->ufrag, sizeof(out->ufrag), str_of(ufrag));
    str_copy(out->pwd, sizeof(out->pwd), str_of(pwd));
}

void order_peer_open(struct control *c, const struct pc *pc)
{
    const struct settings *settings = c->settings;
    struct peer_open_order order = {
        .peer = pc->peer.ref,
        .controlling = pc->controlling && !settings->ice_lite,
        .nomination_regular = settings->ice_nomination_regular,
        .lite = settings->ice_lite,
    };
    set_credentials(&order.local, pc->ufrag, pc->pwd);
    c->counters.pcs_opened++;
    tell(c, pc->peer.worker, WORKER_PEER_OPEN, &order, sizeof(order));
}

static uint8_t media_kind(enum sdp_kind kind)
{
    switch (kind) {
    case SDP_AUDIO: return MEDIA_AUDIO;
    case SDP_VIDEO: return MEDIA_VIDEO;
    case SDP_APPLICATION: break;
    }
    return MEDIA_DATA;
}

static void set_agreed(struct mline_desc *out, const struct negotiated_line *line)
{
    out->send = line->send;
    out->recv = line->recv;
    out->nack = line->nack;
    if (line->layer_count > 0)
        out->layer_count = line->layer_count;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        out->remote_ssrc[i] = line->remote_ssrc[i];
        out->remote_rtx_ssrc[i] = line->remote_ssrc_rtx[i];
        if (line->by_rid && i < line->layer_count)
            str_copy(out->rid[i], sizeof(out->rid[i]), str_of(line->rid[i]));
    }
    for (unsigned i = 0; i < line->pt_count && i < MLINE_PTS_MAX; i++)
        out->pts[out->pt_count++] = (struct mline_pt){
            .pt = line->pts[i].pt, .rtx_pt = line->pts[i].rtx_pt, .codec = line->pts[i].codec, .clock_hz = line->pts[i].clock_hz};
}

/* A line that is offered and not answered yet sends and receives nothing, but sinks may already be hung onto it. */
static void set_line(const struct pc *pc, uint16_t index, struct mline_desc *out)
{
    const struct local_mline *local = &pc->negotiation.local->mlines[index];
    const struct source *source = index < pc->line_count ? pc->lines[index].source : NULL;
    struct negotiated_line line;
    *out = (struct mline_desc){
        .mindex = index, .kind = media_kind(local->kind), .ssrc = local->ssrc, .rtx_ssrc = local->ssrc_rtx, .layer_count = 1};
    str_copy(out->mid, sizeof(out->mid), str_of(local->mid));
    if (local->kind == SDP_APPLICATION)
        return;                             /* see set_data */
    if (negotiation_line(&pc->negotiation, index, &line))
        set_agreed(out, &line);
    if (source != NULL) {
        out->source = source->ref;
        out->source_desc = source->desc;
    }
}

static void set_data(const struct control *c, const struct pc *pc, struct peer_data_desc *out)
{
    const struct local_mline *local = data_line(pc);
    struct negotiated_line line;
    *out = (struct peer_data_desc){.state = DATA_NONE};
    if (local == NULL)
        return;
    out->mindex = (uint16_t)(local - pc->negotiation.local->mlines);
    out->to_control = pc->handle->host->desc->data != NULL;
    out->receive_max = c->settings->max_message_bytes;
    out->state = DATA_OFFERED;
    if (!negotiation_line(&pc->negotiation, out->mindex, &line)) {
        if (pc->offer != PC_OFFER_PLUGIN)
            out->state = DATA_NONE;         /* the client has rejected it */
        return;
    }
    out->state = DATA_AGREED;
    out->remote_port = line.sctp_port;
    out->send_max = line.max_message_bytes;
    if (out->mindex < pc->line_count && pc->lines[out->mindex].source != NULL)
        out->source = pc->lines[out->mindex].source->ref;
}

void order_peer_apply(struct control *c, const struct pc *pc, bool restart)
{
    const struct negotiation *n = &pc->negotiation;
    uint16_t count = n->local->mline_count;
    size_t size = sizeof(struct peer_apply_order) + count * sizeof(struct mline_desc);
    struct peer_apply_order *order = mem_get_zero(size);
    order->peer = pc->peer.ref;
    if (n->remote != NULL && !pc->restarting && !pc->client_restarts) {         /* else its credentials are of another generation than ours */
        order->remote_known = true;
        order->dtls_client = n->has_role && n->role == DTLS_ROLE_CLIENT;
        set_credentials(&order->remote, n->remote->ufrag, n->remote->pwd);
        order->fingerprint = n->remote->fingerprint;
    }
    order->start = pc->negotiated;
    order->restart = restart;
    if (restart)
        set_credentials(&order->local, pc->ufrag, pc->pwd);
    negotiation_exts(n, &order->ext);
    set_data(c, pc, &order->data);
    order->mline_count = count;
    for (uint16_t i = 0; i < count; i++)
        set_line(pc, i, &order->mlines[i]);
    out_block(c, (actor_id)(ACTOR_WORKER_0 + pc->peer.worker), WORKER_PEER_APPLY, order, size);
}

void order_peer_candidate(struct control *c, const struct pc *pc, const struct ice_candidate *candidate)
{
    struct peer_candidate_order order = {.peer = pc->peer.ref, .candidate = *candidate};
    tell(c, pc->peer.worker, WORKER_PEER_CANDIDATE, &order, sizeof(order));
}

void order_peer_candidates_end(struct control *c, const struct pc *pc)
{
    struct peer_end_order order = {.peer = pc->peer.ref};
    tell(c, pc->peer.worker, WORKER_PEER_CANDIDATES_END, &order, sizeof(order));
}

void order_peer_close(struct control *c, const struct pc *pc, bool notify)
{
    struct peer_close_order order = {.peer = pc->peer.ref, .notify = notify};
    tell(c, pc->peer.worker, WORKER_PEER_CLOSE, &order, sizeof(order));
}

/* -- sinks ------------------------------------------------------------------------------------------------------------- */

static struct source_name name_of(const struct source *source)
{
    if (source == NULL)
        return (struct source_name){.ref = REF_NONE};
    return (struct source_name){.ref = source->ref, .worker = source_worker(source)};
}

void order_sink_add(struct control *c, const struct sink *sink, const struct sink_options *options)
{
    struct sink_add_order order = {
        .sink = sink->ref, .source = name_of(sink->source), .peer = sink->pc->peer.ref, .mindex = sink->mindex, .options = *options};
    if (sink->source != NULL)
        order.desc = sink->source->desc;
    tell(c, sink->pc->peer.worker, WORKER_SINK_ADD, &order, sizeof(order));
}

static void tell_data_sink(struct control *c, const struct sink *sink)
{
    const struct data_sink_set_order order = {.sink = sink->ref, .source = name_of(sink->source), .paused = sink->paused};
    tell(c, sink->pc->peer.worker, WORKER_DATA_SINK_SET, &order, sizeof(order));
}

void order_data_sink_add(struct control *c, const struct sink *sink, struct view label)
{
    struct data_sink_add_order order = {
        .state = {.sink = sink->ref, .source = name_of(sink->source), .paused = sink->paused}, .peer = sink->pc->peer.ref};
    order.label_size = (uint8_t)label.size;
    memcpy(order.label, label.data, label.size);
    tell(c, sink->pc->peer.worker, WORKER_DATA_SINK_ADD, &order, sizeof(order));
}

void order_sink_set(struct control *c, const struct sink *sink, const struct sink_options *options)
{
    if (sink->data) {
        tell_data_sink(c, sink);
        return;
    }
    struct sink_set_order order = {.sink = sink->ref, .options = *options};
    tell(c, sink->pc->peer.worker, WORKER_SINK_SET, &order, sizeof(order));
}

void order_sink_switch(struct control *c, const struct sink *sink)
{
    if (sink->data) {
        tell_data_sink(c, sink);
        return;
    }
    struct sink_switch_order order = {.sink = sink->ref, .source = name_of(sink->source)};
    if (sink->source != NULL)
        order.desc = sink->source->desc;
    tell(c, sink->pc->peer.worker, WORKER_SINK_SWITCH, &order, sizeof(order));
}

void order_sink_del(struct control *c, const struct sink *sink)
{
    struct sink_del_order order = {.sink = sink->ref};
    tell(c, sink->pc->peer.worker, WORKER_SINK_DEL, &order, sizeof(order));
}

/* -- sources ----------------------------------------------------------------------------------------------------------- */

void order_source_set(struct control *c, const struct source *source)
{
    struct source_set_order order = {.source = source->ref, .active = source->active};
    tell(c, source_worker(source), WORKER_SOURCE_SET, &order, sizeof(order));
}

void order_source_cap(struct control *c, const struct source *source, const struct rate_cap *cap)
{
    struct source_cap_order order = {.source = source->ref, .cap = *cap};
    tell(c, source_worker(source), WORKER_SOURCE_CAP, &order, sizeof(order));
}

void order_source_levels(struct control *c, const struct source *source, const struct level_window *window)
{
    struct source_levels_order order = {.source = source->ref, .window = *window};
    tell(c, source_worker(source), WORKER_SOURCE_LEVELS, &order, sizeof(order));
}

void order_keyframe(struct control *c, const struct source *source)
{
    struct keyframe_ask order = {.source = source->ref};
    tell(c, source_worker(source), WORKER_KEYFRAME_ASK, &order, sizeof(order));
}

/* -- plain RTP --------------------------------------------------------------------------------------------------------- */

void order_plain_open(struct control *c, const struct plain *plain, const struct plain_options *options, struct ref op)
{
    const struct plain_open_order order = {.plain = plain->ref, .options = *options};
    out_op(c, (actor_id)(ACTOR_WORKER_0 + plain->worker), WORKER_PLAIN_OPEN, op, &order, sizeof(order));
}

void order_plain_close(struct control *c, const struct plain *plain)
{
    const struct plain_close_order order = {.plain = plain->ref};
    tell(c, plain->worker, WORKER_PLAIN_CLOSE, &order, sizeof(order));
}

void order_inlet_open(struct control *c, const struct source *source, const struct inlet_options *options)
{
    const struct inlet_open_order order = {.source = source->ref, .options = *options};
    tell(c, source->worker, WORKER_INLET_OPEN, &order, sizeof(order));
}

void order_inlet_close(struct control *c, const struct source *source)
{
    const struct inlet_close_order order = {.source = source->ref};
    tell(c, source->worker, WORKER_INLET_CLOSE, &order, sizeof(order));
}

void order_forward_add(struct control *c, const struct forward *forward, const struct forward_way *way, const struct forward_options *options)
{
    const struct forward_add_order order = {
        .forward = forward->ref, .source = forward->source->ref, .way = *way, .options = *options};
    tell(c, source_worker(forward->source), WORKER_FORWARD_ADD, &order, sizeof(order));
}

void order_forward_del(struct control *c, const struct forward *forward)
{
    const struct forward_del_order order = {.forward = forward->ref};
    tell(c, source_worker(forward->source), WORKER_FORWARD_DEL, &order, sizeof(order));
}

/* -- recordings ------------------------------------------------------------------------------------------------------- */

static char *put_text(char *at, const char *text)
{
    const size_t size = text == NULL ? 1 : strlen(text) + 1;
    memcpy(at, text == NULL ? "" : text, size);
    return at + size;
}

static size_t text_size(const char *text)
{
    return text == NULL ? 1 : strlen(text) + 1;
}

/* The helper that serves the path: what is called the same is written by the same one. */
static uint8_t disk_for(const struct record_order *order)
{
    char path[2048];
    snprintf(path, sizeof(path), "%s/%s", order->folder, order->name);
    return (uint8_t)disk_of(path);
}

void order_record_start(struct control *c, const struct recording *recording, const struct record_order *order)
{
    const struct record_options *options = order->options;
    const struct source *source = recording->source;
    const size_t texts = text_size(order->folder) + text_size(order->name) + text_size(order->codec) + text_size(options->fmtp) +
                         text_size(options->description);
    const size_t size = sizeof(struct record_start_order) + texts;
    struct record_start_order *out = mem_get_zero(size);
    *out = (struct record_start_order){.record = recording->ref, .source = source->ref, .disk = disk_for(order), .pt = options->pt,
                                       .red_pt = options->red_pt, .orientation = options->orientation, .e2ee = source->desc.opaque};
    char *at = put_text(out->text, order->folder);
    at = put_text(at, order->name);
    at = put_text(at, order->codec);
    at = put_text(at, options->fmtp);
    (void)put_text(at, options->description);
    out_block(c, (actor_id)(ACTOR_WORKER_0 + source_worker(source)), WORKER_RECORD_START, out, size);
}

void order_record_stop(struct control *c, const struct recording *recording)
{
    const struct record_stop_order order = {recording->ref};
    tell(c, source_worker(recording->source), WORKER_RECORD_STOP, &order, sizeof(order));
}
