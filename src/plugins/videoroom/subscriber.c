/* Subscribers: m-lines that are fed by publishers' streams. An m-line is never removed; one without a source is inactive
 * and is used again for the next stream of its kind and codec (videoroom.md 10.5). */
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

struct vr_subscriber *vr_subscriber_new(struct vr_session *session, struct vr_room *room)
{
    struct vr_subscriber *s = mem_get_zero(sizeof(*s));
    s->session = session;
    s->room = room;
    s->autoupdate = true;
    s->paused = true;
    s->answered = true;                 /* the caller offers */
    list_init(&s->of_owner);
    list_init(&s->of_room);
    list_init(&s->owed);
    list_add_tail(&room->subscribers, &s->of_room);
    session->subscriber = s;
    session->role = VR_ROLE_SUBSCRIBER;
    return s;
}

void vr_subscriber_free(struct videoroom *vr, struct vr_subscriber *s)
{
    for (uint16_t i = 0; i < s->stream_count; i++) {
        vr_sub_set_source(vr, s->streams[i], NULL);
        vr_data_clear(vr, s->streams[i]);
        host_sink_del(vr->host, s->streams[i]->sink);
        mem_put(s->streams[i]->crossrefid);
        mem_put(s->streams[i]);
    }
    mem_put(s->streams);
    list_del(&s->of_owner);
    list_del(&s->of_room);
    list_del(&s->owed);
    mem_put(s);
}

static void reset_targets(struct vr_sub_stream *sub)
{
    sub->substream_target = sub->temporal_target = sub->spatial_target = sub->temporal_layer_target = 2;
    sub->fallback_us = 0;
    sub->min_delay = sub->max_delay = -1;
    sub->substream = sub->temporal = -1;
}

/* A stream whose codec was refused has none, yet an m-line needs one to be offered, inactive. */
static uint8_t line_codec(const struct vr_pub_stream *source)
{
    if (source->codec != CODEC_NONE || source->kind == MEDIA_DATA)
        return source->codec;
    return source->kind == MEDIA_AUDIO ? CODEC_OPUS : CODEC_VP8;
}

static struct vr_sub_stream *recycle_line(struct vr_subscriber *s, const struct vr_pub_stream *source)
{
    for (uint16_t i = 0; i < s->stream_count; i++) {
        struct vr_sub_stream *sub = s->streams[i];
        if (sub->source != NULL || sub->kind != source->kind || sub->codec != line_codec(source))
            continue;
        mem_put(sub->crossrefid);
        sub->crossrefid = NULL;
        return sub;
    }
    return NULL;
}

struct vr_sub_stream *vr_sub_add(struct vr_subscriber *s, struct vr_pub_stream *source, bool recycle)
{
    struct vr_sub_stream *sub = recycle ? recycle_line(s, source) : NULL;
    if (sub == NULL) {
        if (s->stream_count == VR_SUB_STREAMS_MAX)
            return NULL;
        sub = mem_get_zero(sizeof(*sub));
        sub->owner = s;
        sub->mindex = s->stream_count;
        sub->kind = source->kind;
        sub->codec = line_codec(source);
        list_init(&sub->of_source);
        list_init(&sub->data_feeds);
        s->streams = mem_resize(s->streams, (s->stream_count + 1u) * sizeof(*s->streams));
        s->streams[s->stream_count++] = sub;
    }
    reset_targets(sub);
    sub->send = true;
    sub->ready = false;
    if (source->kind == MEDIA_DATA)
        return sub;                     /* it may have many: vr_data_add */
    sub->source = source;
    list_add_tail(&source->subs, &sub->of_source);
    return sub;
}

void vr_sub_set_source(struct videoroom *vr, struct vr_sub_stream *sub, struct vr_pub_stream *source)
{
    if (sub->source == source)
        return;
    list_del(&sub->of_source);
    sub->source = source;
    sub->substream = sub->temporal = -1;
    sub->ready = sub->ready && source != NULL;
    if (source != NULL)
        list_add_tail(&source->subs, &sub->of_source);
    if (!ref_is_none(sub->sink))
        host_sink_switch(vr->host, sub->sink, source == NULL ? REF_NONE : source->source);
}

static struct sink_options options_of(const struct vr_sub_stream *sub)
{
    const struct vr_subscriber *s = sub->owner;
    const struct vr_pub_stream *source = sub->source;
    const bool svc = source != NULL && source->svc;
    struct sink_options options = {
        .pt = codec_info(sub->codec == CODEC_RED ? CODEC_OPUS : (enum codec)sub->codec)->pt,
        .red_pt = sub->red ? codec_info(CODEC_RED)->pt : 0,
        .paused = !sub->ready || !sub->send || s->paused || s->kicked,
        .svc = svc,
        .substream_target = svc ? sub->spatial_target : sub->substream_target,
        .temporal_target = svc ? sub->temporal_layer_target : sub->temporal_target,
        .fallback_us = sub->fallback_us,
        .min_delay = sub->min_delay,
        .max_delay = sub->max_delay,
    };
    /* Precedence of playout delays: the subscriber's own, the publisher stream's, the packet's (videoroom.md 14.7). */
    if (source != NULL && (sub->min_delay < 0 || sub->max_delay < 0)) {
        options.min_delay = source->min_delay;
        options.max_delay = source->max_delay;
    }
    return options;
}

void vr_sub_apply(struct videoroom *vr, struct vr_sub_stream *sub)
{
    const struct sink_options options = options_of(sub);
    if (sub->kind == MEDIA_DATA)
        vr_data_apply(vr, sub);
    else if (!ref_is_none(sub->sink))
        host_sink_set(vr->host, sub->sink, &options);
    else if (sub->ready && sub->source != NULL)
        sub->sink = host_sink_add(vr->host, sub->source->source, sub->owner->session->handle, sub->mindex, &options);
}

void vr_subscriber_apply(struct videoroom *vr, struct vr_subscriber *s)
{
    for (uint16_t i = 0; i < s->stream_count; i++)
        vr_sub_apply(vr, s->streams[i]);
}

void vr_subscriber_answered(struct videoroom *vr, struct vr_subscriber *s, struct view answer)
{
    char reason[SDP_REASON_ROOM];
    struct sdp *sdp = sdp_parse(answer, reason);
    s->answered = true;
    if (sdp == NULL)
        return;                         /* the core has parsed it before us: only a limit of ours can do this */
    for (uint16_t i = 0; i < s->stream_count && i < sdp->mline_count; i++) {
        const struct sdp_mline *mline = sdp->mlines[i];
        struct vr_sub_stream *sub = s->streams[i];
        sub->red = sub->codec == CODEC_RED && sdp_codec_find(mline, CODEC_RED, (struct view){NULL, 0}) != SDP_PT_NONE;
        sub->ready = mline->port != 0 && (sub->kind == MEDIA_DATA || mline->direction != SDP_INACTIVE);
    }
    sdp_free(sdp);
    vr_subscriber_apply(vr, s);
}

void vr_subscriber_hangup(struct vr_subscriber *s)
{
    s->paused = true;
    s->down = true;
    s->answered = true;                 /* what was out went with it */
    s->skipped_autoupdate = s->skipped_autoupdate || s->pending_offer;
    s->pending_offer = s->pending_restart = false;
    for (uint16_t i = 0; i < s->stream_count; i++) {
        s->streams[i]->sink = REF_NONE;
        vr_data_hangup(s->streams[i]);
        s->streams[i]->ready = false;
        s->streams[i]->substream = s->streams[i]->temporal = -1;
    }
}

struct vr_sub_stream *vr_sub_by_mid(const struct vr_subscriber *s, const char *mid)
{
    uint16_t index;
    return str_u16(str_of(mid), &index) && index < s->stream_count ? s->streams[index] : NULL;
}

struct vr_sub_stream *vr_sub_by_sink(const struct vr_subscriber *s, struct ref sink)
{
    for (uint16_t i = 0; i < s->stream_count; i++)
        if (ref_equal(s->streams[i]->sink, sink))
            return s->streams[i];
    return NULL;
}

bool vr_subscriber_has_source(const struct vr_subscriber *s)
{
    for (uint16_t i = 0; i < s->stream_count; i++)
        if (s->streams[i]->source != NULL || !list_is_empty(&s->streams[i]->data_feeds))
            return true;
    return false;
}

#define EVENT_BYTES 1024u               /* of a usual one: what is longer grows */
#define OFFER_BYTES 4096u

/* What has become of an offer. One that did not leave is made up for by the next change. */
static void offered(struct vr_subscriber *s, enum err sent)
{
    s->pending_offer = false;
    list_del(&s->owed);
    s->skipped_autoupdate = sent != ERR_NONE;
    if (sent != ERR_NONE)
        return;
    s->answered = false;
    s->down = false;
    s->pending_restart = false;
}

enum vr_error vr_subscriber_reply_offer(struct vr_call *call, struct vr_subscriber *s, bool restart)
{
    struct buf sdp;
    enum err sent = ERR_INVALID;
    buf_init(&sdp, SDP_TEXT_BYTES_MAX);
    (void)buf_grow(&sdp, OFFER_BYTES);
    if (vr_offer_subscriber(call->vr, s, &sdp)) {
        const struct jsep_out jsep = {.type = "offer", .sdp = buf_view(&sdp), .restart = restart, .e2ee = s->e2ee};
        vr_reply(call, &jsep, &sent);
    }
    buf_fini(&sdp);
    offered(s, sent);
    if (!vr_was_refused(sent))
        return VR_OK;
    call->replied = false;
    return vr_fail(call, VR_INVALID_SDP, "Can't offer an SDP for this subscription");
}

/* At most one offer is out at a time; further changes are told together, once it has been answered (videoroom.md 19.11). */
void vr_subscriber_update(struct videoroom *vr, struct vr_subscriber *s, const char *transaction)
{
    struct buf text, sdp;
    struct json_out j;
    enum err sent = ERR_INVALID;
    if (!s->answered) {
        s->pending_offer = true;
        return;
    }
    buf_init(&text, VR_EVENT_BYTES);
    buf_init(&sdp, SDP_TEXT_BYTES_MAX);
    (void)buf_grow(&text, EVENT_BYTES);
    (void)buf_grow(&sdp, OFFER_BYTES);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "videoroom", "updated");
    if (s->room != NULL)
        vr_id_write(&j, "room", &s->room->id);
    vr_write_sub_streams(&j, s);
    jout_end(&j);
    if (!text.failed && vr_offer_subscriber(vr, s, &sdp)) {
        const struct jsep_out jsep = {.type = "offer", .sdp = buf_view(&sdp), .restart = s->pending_restart, .e2ee = s->e2ee};
        sent = host_event(vr->host, s->session->handle, transaction, buf_whole(&text), &jsep);
    }
    offered(s, sent);
    buf_fini(&sdp);
    buf_fini(&text);
}

static bool wants_autoupdate(const struct vr_subscriber *s)
{
    return s->room != NULL && !s->down && !s->left;
}

/* Whoever has many subscribers makes many offers by going: what does not fit in the turn is owed. Until it is paid, a change that the
 * subscriber asks for itself makes up for it, as for one that was skipped. */
void vr_subscriber_autoupdate(struct videoroom *vr, struct vr_subscriber *s, uint32_t *at_once)
{
    if (*at_once > 0) {
        (*at_once)--;
        vr_subscriber_update(vr, s, NULL);
        return;
    }
    s->skipped_autoupdate = true;
    if (list_is_empty(&s->owed))
        list_add_tail(&vr->owed, &s->owed);
    host_again(vr->host);
}

void vr_subscribers_turn(void *plugin)
{
    struct videoroom *vr = plugin;
    for (uint32_t n = 0; n < VR_OFFERS_A_TURN && !list_is_empty(&vr->owed); n++) {
        struct vr_subscriber *s = CONTAINER_OF(list_pop(&vr->owed), struct vr_subscriber, owed);
        if (s->skipped_autoupdate && wants_autoupdate(s))
            vr_subscriber_update(vr, s, NULL);
    }
    if (!list_is_empty(&vr->owed))
        host_again(vr->host);
}
