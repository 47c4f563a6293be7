/* Participants in the publisher role: joining, leaving, and the end of their media. */
#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "plugins/videoroom/videoroom.h"

struct vr_participant *vr_participant_new(struct vr_session *session)
{
    struct vr_participant *p = mem_get_zero(sizeof(*p));
    p->session = session;
    list_init(&p->of_room);
    list_init(&p->own_subs);
    list_init(&p->forwards);
    list_init(&p->remotizations);
    if (session != NULL) {
        session->participant = p;
        session->role = VR_ROLE_PUBLISHER;
    }
    return p;
}

static uint64_t private_hash(const struct videoroom *vr, uint32_t private_id)
{
    return hash_u64(host_hash_key(vr->host), private_id);
}

static bool private_id_is_taken(const struct videoroom *vr, const struct vr_room *room, uint32_t private_id)
{
    for (struct map_node *n = map_first(&room->by_private_id, private_hash(vr, private_id)); n != NULL; n = map_next_same(n))
        if (CONTAINER_OF(n, struct vr_participant, private_node)->private_id == private_id)
            return true;
    return false;
}

struct vr_id vr_new_user_id(struct videoroom *vr, const struct vr_room *room, const struct vr_id *wanted)
{
    struct vr_id id;
    if (!vr_id_is_unset(wanted))
        return vr_id_copy(wanted);
    id = vr_id_random(vr);
    while (vr_room_participant(vr, room, &id) != NULL) {
        vr_id_free(&id);
        id = vr_id_random(vr);
    }
    return id;
}

/* p->id is set by the caller, who has made sure that it is free. */
void vr_participant_join(struct videoroom *vr, struct vr_participant *p, struct vr_room *room)
{
    do
        p->private_id = rng_u32(host_rng(vr->host));
    while (p->private_id == 0 || private_id_is_taken(vr, room, p->private_id));
    p->room = room;
    list_add_tail(&room->participants, &p->of_room);
    map_add(&room->by_id, &p->node, vr_id_hash(vr, &p->id));
    map_add(&room->by_private_id, &p->private_node, private_hash(vr, p->private_id));
    room->participant_count++;
    vr_room_changed(room);
    if (p->session != NULL)
        host_peer_group(vr->host, p->session->handle, vr_id_hash(vr, &room->id));
}

void vr_participant_part(struct videoroom *vr, struct vr_participant *p)
{
    if (p->room == NULL)
        return;
    map_del(&p->room->by_id, &p->node);
    map_del(&p->room->by_private_id, &p->private_node);
    list_del(&p->of_room);
    p->room->participant_count--;
    vr_room_changed(p->room);
    p->room = NULL;
    vr_remotizations_free(vr, p);
    vr_record_apply(vr, p);
    for (uint16_t i = 0; i < p->stream_count; i++) {
        vr_stream_apply(vr, p->streams[i]);
        vr_forwards_of_stream_free(vr, p->streams[i]);
    }
    LIST_EACH(it, &p->own_subs) {
        struct vr_subscriber *s = CONTAINER_OF(it, struct vr_subscriber, of_owner);
        list_del(it);
        s->owner = NULL;
        s->kicked = s->kicked || p->kicked;
        vr_subscriber_apply(vr, s);
    }
}

void vr_participant_changed(struct vr_participant *p)
{
    mem_put(p->joined);
    p->joined = NULL;
}

static void stream_free(struct videoroom *vr, struct vr_pub_stream *stream)
{
    LIST_EACH(it, &stream->subs)
        vr_sub_set_source(vr, CONTAINER_OF(it, struct vr_sub_stream, of_source), NULL);
    vr_forwards_of_stream_free(vr, stream);
    vr_data_drop_source(vr, stream);
    vr_record_stop(vr, stream);
    if (stream->owner->remote)
        host_source_close(vr->host, stream->source);
    mem_put(stream->description);
    mem_put(stream);
}

void vr_streams_cut(struct videoroom *vr, struct vr_participant *p, uint16_t count)
{
    while (p->stream_count > count)
        stream_free(vr, p->streams[--p->stream_count]);
    if (count == 0) {
        mem_put(p->streams);
        p->streams = NULL;
    }
    vr_participant_changed(p);
}

void vr_participant_free(struct videoroom *vr, struct vr_participant *p)
{
    vr_streams_cut(vr, p, 0);
    vr_participant_part(vr, p);
    CHECK(list_is_empty(&p->own_subs));
    for (unsigned i = 0; i < ARRAY_COUNT(p->inlets); i++)
        host_plain_close(vr->host, p->inlets[i]);
    vr_id_free(&p->id);
    mem_put(p->display);
    mem_put(p->metadata);
    mem_put(p->record_base);
    mem_put(p);
}

/* Subscribers that something was taken from, each once; a source of data alone is no reason for an offer. */
static void offer_what_is_left(struct videoroom *vr, struct vr_participant *p, struct vr_room *room)
{
    uint32_t at_once = VR_OFFERS_A_TURN;
    LIST_EACH(it, &room->subscribers) {
        struct vr_subscriber *s = CONTAINER_OF(it, struct vr_subscriber, of_room);
        bool hit = false;
        for (uint16_t i = 0; i < s->stream_count; i++)
            hit = hit || (s->streams[i]->source != NULL && s->streams[i]->source->owner == p);
        if (!hit)
            continue;
        for (uint16_t i = 0; i < s->stream_count; i++)
            if (s->streams[i]->source != NULL && s->streams[i]->source->owner == p)
                vr_sub_set_source(vr, s->streams[i], NULL);
        if ((s->autoupdate || p->remote) && !s->down && p->room != NULL)
            vr_subscriber_autoupdate(vr, s, &at_once);
        else
            s->skipped_autoupdate = true;
    }
}

/* It had left its room before: nothing is offered, but the next change of a subscription counts it (videoroom.md 9.4). */
static void note_what_is_gone(struct vr_participant *p)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        LIST_EACH(it, &p->streams[i]->subs)
            CONTAINER_OF(it, struct vr_sub_stream, of_source)->owner->skipped_autoupdate = true;
}

void vr_participant_unpublish(struct videoroom *vr, struct vr_participant *p)
{
    const bool had_media = p->started || p->stream_count > 0;
    struct vr_room *room = p->room;
    p->started = false;
    p->e2ee = false;
    p->publication++;
    p->audio_codec = p->video_codec = CODEC_NONE;
    p->record = false;
    mem_put(p->record_base);
    p->record_base = NULL;
    vr_participant_changed(p);
    vr_remotizations_pause(vr, p);
    if (!had_media)
        return;
    if (room != NULL)
        offer_what_is_left(vr, p, room);
    else
        note_what_is_gone(p);
    vr_streams_cut(vr, p, 0);
    if (room != NULL && !p->remote)
        vr_notify_gone(vr, room, p, "unpublished");
}

struct vr_pub_stream *vr_stream_by_mid(const struct vr_participant *p, const char *mid)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (strcmp(p->streams[i]->mid, mid) == 0)
            return p->streams[i];
    return NULL;
}

/* The stream of m-line `mindex`, made when it is the next one. */
struct vr_pub_stream *vr_stream_add(struct vr_participant *p, uint16_t mindex)
{
    if (mindex < p->stream_count)
        return p->streams[mindex];
    CHECK(mindex == p->stream_count);
    struct vr_pub_stream *stream = mem_get_zero(sizeof(*stream));
    stream->owner = p;
    stream->mindex = mindex;
    stream->active = true;
    stream->min_delay = stream->max_delay = -1;
    list_init(&stream->subs);
    list_init(&stream->data_feeds);
    p->streams = mem_resize(p->streams, (mindex + 1u) * sizeof(*p->streams));
    p->streams[p->stream_count++] = stream;
    return stream;
}

void vr_stream_apply(struct videoroom *vr, struct vr_pub_stream *stream)
{
    bool flows = stream->active && !stream->moderated && !stream->disabled && stream->owner->room != NULL;
    if (!ref_is_none(stream->source))
        host_source_set_active(vr->host, stream->source, flows);
}

void vr_participant_caps(struct videoroom *vr, struct vr_participant *p, bool ramp, bool now)
{
    const struct rate_cap cap = {.bps = p->bitrate_bps, .ramp = ramp, .send_now = now};
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (p->streams[i]->kind == MEDIA_VIDEO && !ref_is_none(p->streams[i]->source))
            host_source_rate_cap(vr->host, p->streams[i]->source, &cap);
}
