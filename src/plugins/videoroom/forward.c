/* Forwards of a publisher's streams to addresses outside. They live as long as their stream does; the sockets that they go through
 * are their publisher's, opened for the first one and closed with the last. */
#include "base/hash.h"
#include "base/mem.h"
#include "plugins/videoroom/videoroom.h"

static uint64_t id_hash(const struct videoroom *vr, uint32_t stream_id)
{
    return hash_u64(host_hash_key(vr->host), stream_id);
}

static struct vr_forward *find(const struct videoroom *vr, uint32_t stream_id)
{
    for (struct map_node *n = map_first(&vr->forwards, id_hash(vr, stream_id)); n != NULL; n = map_next_same(n)) {
        struct vr_forward *forward = CONTAINER_OF(n, struct vr_forward, by_id);
        if (forward->stream_id == stream_id)
            return forward;
    }
    return NULL;
}

struct vr_forward *vr_forward_find(struct videoroom *vr, const struct vr_participant *p, uint32_t stream_id)
{
    struct vr_forward *forward = find(vr, stream_id);
    return forward != NULL && forward->stream->owner == p && forward->remote == NULL ? forward : NULL;
}

static uint32_t new_id(const struct videoroom *vr)
{
    uint32_t id;
    do
        id = rng_u32(host_rng(vr->host));
    while (id == 0 || find(vr, id) != NULL);
    return id;
}

bool vr_forward_add(struct videoroom *vr, struct vr_pub_stream *stream, const struct vr_forward *like)
{
    struct vr_participant *p = stream->owner;
    struct vr_forward *forward = mem_get(sizeof(*forward));
    *forward = *like;
    forward->stream = stream;
    forward->stream_id = new_id(vr);
    if (forward->options.choose && forward->options.ssrc == 0)
        forward->options.ssrc = forward->stream_id;         /* one stream needs one name (videoroom.md 6.1) */
    forward->ref = host_forward_add(vr->host, stream->source, &forward->way, &forward->options);
    if (ref_is_none(forward->ref)) {
        mem_put(forward);
        return false;
    }
    list_add_tail(&p->forwards, &forward->of_owner);
    map_add(&vr->forwards, &forward->by_id, id_hash(vr, forward->stream_id));
    return true;
}

void vr_forward_free(struct videoroom *vr, struct vr_forward *forward)
{
    struct vr_participant *p = forward->stream->owner;
    host_forward_del(vr->host, forward->ref);
    if (forward->remote == NULL)
        host_plain_close(vr->host, forward->way.rtcp);
    map_del(&vr->forwards, &forward->by_id);
    list_del(&forward->of_owner);
    mem_put(forward);
    for (unsigned i = 0; i < ARRAY_COUNT(p->plain) && list_is_empty(&p->forwards); i++) {
        host_plain_close(vr->host, p->plain[i]);
        p->plain[i] = REF_NONE;
    }
}

void vr_forwards_of_stream_free(struct videoroom *vr, struct vr_pub_stream *stream)
{
    LIST_EACH(it, &stream->owner->forwards) {
        struct vr_forward *forward = CONTAINER_OF(it, struct vr_forward, of_owner);
        if (forward->stream == stream)
            vr_forward_free(vr, forward);
    }
}

void vr_forwards_go_on(struct videoroom *vr, struct vr_pub_stream *stream)
{
    LIST_EACH(it, &stream->owner->forwards) {
        struct vr_forward *forward = CONTAINER_OF(it, struct vr_forward, of_owner);
        if (forward->stream != stream)
            continue;
        host_forward_del(vr->host, forward->ref);
        forward->ref = REF_NONE;
        /* Under the same key the new source's numbers could be those of the old one: no (key, SSRC, index) is sealed twice. */
        if (forward->options.srtp.suite == 0)
            forward->ref = host_forward_add(vr->host, stream->source, &forward->way, &forward->options);
        if (ref_is_none(forward->ref))
            vr_forward_free(vr, forward);
    }
}

static const char *kind_name(uint8_t kind)
{
    return kind == MEDIA_AUDIO ? "audio" : kind == MEDIA_VIDEO ? "video" : "data";
}

/* videoroom.md 6.1: overrides, layers and RTCP only where there are any. */
void vr_write_forward(struct json_out *j, const struct vr_forward *forward)
{
    char host[NET_IP_TEXT];
    jout_object(j, NULL);
    jout_uint(j, "stream_id", forward->stream_id);
    jout_string(j, "host", net_ip_text(&forward->way.to, host));
    jout_uint(j, "port", forward->way.to.port);
    jout_string(j, "type", kind_name(forward->stream->kind));
    if (forward->rtcp_port > 0) {
        jout_uint(j, "local_rtcp_port", forward->local_rtcp_port);
        jout_uint(j, "remote_rtcp_port", forward->rtcp_port);
    }
    if (forward->options.pt > 0)
        jout_uint(j, "pt", forward->options.pt);
    if (forward->ssrc > 0)
        jout_uint(j, "ssrc", forward->ssrc);
    if (forward->options.layer > 0)
        jout_uint(j, "substream", forward->options.layer);
    if (forward->options.srtp.suite > 0)
        jout_bool(j, "srtp", true);
    jout_end(j);
}
