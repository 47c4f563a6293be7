/* Publishers that are on two servers (videoroom.md 7): ours elsewhere (remotizations), and others' here (remote publishers). What
 * goes between two servers is plain RTP to one port; the SSRC says which stream it is, and which layer. */
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

#define SSRC_FIRST    1000u             /* videoroom.md 7: 1000 + 10 * mindex + layer */
#define SSRC_A_STREAM 10u

static uint32_t ssrc_of(const struct vr_pub_stream *stream)
{
    return SSRC_FIRST + SSRC_A_STREAM * stream->mindex;
}

/* ---- ours elsewhere ---- */

struct vr_remotization *vr_remotization_find(const struct vr_participant *p, const char *remote_id)
{
    LIST_EACH(it, &p->remotizations) {
        struct vr_remotization *remote = CONTAINER_OF(it, struct vr_remotization, of_owner);
        if (strcmp(remote->remote_id, remote_id) == 0)
            return remote;
    }
    return NULL;
}

void vr_remotization_free(struct videoroom *vr, struct vr_remotization *remote)
{
    LIST_EACH(it, &remote->owner->forwards) {
        struct vr_forward *forward = CONTAINER_OF(it, struct vr_forward, of_owner);
        if (forward->remote == remote)
            vr_forward_free(vr, forward);
    }
    host_plain_close(vr->host, remote->rtcp);
    list_del(&remote->of_owner);
    mem_put(remote->remote_id);
    mem_put(remote->host);
    mem_put(remote);
}

/* One with a key ends here: what is published next has numbers of its own, and a (key, SSRC, index) is never sealed twice. */
void vr_remotizations_pause(struct videoroom *vr, struct vr_participant *p)
{
    LIST_EACH(it, &p->remotizations) {
        struct vr_remotization *remote = CONTAINER_OF(it, struct vr_remotization, of_owner);
        if (remote->srtp.suite != 0 && p->stream_count > 0) {
            vr_remotization_free(vr, remote);
            continue;
        }
        host_plain_close(vr->host, remote->rtcp);
        remote->rtcp = REF_NONE;
    }
}

void vr_remotizations_free(struct videoroom *vr, struct vr_participant *p)
{
    LIST_EACH(it, &p->remotizations)
        vr_remotization_free(vr, CONTAINER_OF(it, struct vr_remotization, of_owner));
}

static bool has_forward(const struct vr_pub_stream *stream, const struct vr_remotization *remote)
{
    LIST_EACH(it, &stream->owner->forwards) {
        const struct vr_forward *forward = CONTAINER_OF(it, struct vr_forward, of_owner);
        if (forward->remote == remote && forward->stream == stream)
            return true;
    }
    return false;
}

/* Messages go in the clear, whatever becomes of the rest (videoroom.md 7). */
static struct forward_options options_of(const struct vr_pub_stream *stream, const struct vr_remotization *remote, uint8_t layer)
{
    struct forward_options options = {.layer = layer, .ssrc = ssrc_of(stream) + layer};
    options.enveloped = stream->kind == MEDIA_DATA;
    options.match_ssrc = stream->kind == MEDIA_VIDEO;
    if (stream->kind != MEDIA_DATA)
        options.srtp = remote->srtp;
    return options;
}

static void add_forwards(struct videoroom *vr, struct vr_pub_stream *stream, struct vr_remotization *remote)
{
    struct source_desc desc;
    if (stream->disabled || !host_source_desc(vr->host, stream->source, &desc))
        return;
    const uint8_t layers = stream->kind == MEDIA_DATA ? 1 : desc.layer_count;
    for (uint8_t k = 0; k < layers; k++) {
        struct vr_forward like = {
            .remote = remote,
            .way = {.plain = stream->owner->plain[remote->to.family == NET_IP6], .rtcp = remote->rtcp, .to = remote->to},
            .options = options_of(stream, remote, k),
        };
        if (stream->kind != MEDIA_VIDEO)
            like.way.rtcp = REF_NONE;
        (void)vr_forward_add(vr, stream, &like);        /* at a limit: the stream is silent over there */
    }
}

/* What it needs and does not have yet: it was asked for before there was media, or this is new media. Nobody waits for these. */
static void open_sockets(struct videoroom *vr, struct vr_remotization *remote, struct ref source)
{
    const struct net_addr any = {.family = remote->to.family};
    struct ref *plain = &remote->owner->plain[remote->to.family == NET_IP6];
    struct plain_options options = {.use = PLAIN_SEND, .local = any};
    if (ref_is_none(*plain) && host_plain_open(vr->host, NULL, source, &options, NULL, plain) != ERR_NONE)
        return;                                     /* at the limit: silent over there */
    if (remote->rtcp_port == 0 || !ref_is_none(remote->rtcp))
        return;
    options = (struct plain_options){.use = PLAIN_ASK, .local = any, .latch = remote->to};
    options.latch.port = remote->rtcp_port;
    (void)host_plain_open(vr->host, NULL, source, &options, NULL, &remote->rtcp);
}

static void extend(struct videoroom *vr, struct vr_remotization *remote)
{
    struct vr_participant *p = remote->owner;
    for (uint16_t i = 0; i < p->stream_count; i++) {
        if (p->streams[i]->disabled || ref_is_none(p->streams[i]->source) || has_forward(p->streams[i], remote))
            continue;
        open_sockets(vr, remote, p->streams[i]->source);
        if (!ref_is_none(p->plain[remote->to.family == NET_IP6]))
            add_forwards(vr, p->streams[i], remote);
    }
}

void vr_remotizations_extend(struct videoroom *vr, struct vr_participant *p)
{
    LIST_EACH(it, &p->remotizations)
        extend(vr, CONTAINER_OF(it, struct vr_remotization, of_owner));
}

/* ---- others here ---- */

void vr_remote_stream_open(struct videoroom *vr, struct vr_pub_stream *stream, uint8_t layers)
{
    const struct vr_participant *p = stream->owner;
    const struct inlet_options options = {
        .plain = p->inlets[0],
        .rtcp = p->inlets[1],
        .desc = {.kind = stream->kind, .codec = stream->codec, .layer_count = layers,
                 .clock_hz = codec_info((enum codec)stream->codec)->clock_hz},
        .ssrc = ssrc_of(stream),
        .ext = {.audio_level = stream->audiolevel_id, .orientation = stream->videoorient_id, .playout_delay = stream->playoutdelay_id},
        .srtp = p->srtp,
    };
    if (stream->disabled || !ref_is_none(stream->source))
        return;
    stream->source = host_source_open(vr->host, &options);
    vr_stream_apply(vr, stream);
}

void vr_remote_leave(struct videoroom *vr, struct vr_participant *p, const char *key)
{
    struct vr_room *room = p->room;
    vr_participant_unpublish(vr, p);
    vr_notify_gone(vr, room, p, key);
    vr_participant_free(vr, p);
}
