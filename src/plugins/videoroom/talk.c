/* Who talks (videoroom.md 14.4): windows of audio levels are asked for where the room wants events, and changes are told to all. */
#include "plugins/videoroom/videoroom.h"

bool vr_has_levels(const struct vr_participant *p)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (p->streams[i]->audiolevel_id > 0)
            return true;
    return false;
}

bool vr_is_talking(const struct vr_participant *p)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (p->streams[i]->talking)
            return true;
    return false;
}

void vr_talk_apply(struct videoroom *vr, struct vr_participant *p)
{
    const struct vr_room *room = p->room;
    struct level_window window = {0, 0};
    if (room == NULL || !room->audiolevel_event)
        return;
    window.packets = p->audio_active_packets > 0 ? p->audio_active_packets : room->audio_active_packets;
    window.average = p->audio_level_average > 0 ? p->audio_level_average : room->audio_level_average;
    if (window.packets > LEVEL_PACKETS_MAX)
        window.packets = LEVEL_PACKETS_MAX;
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (p->streams[i]->kind == MEDIA_AUDIO && p->streams[i]->audiolevel_id > 0)
            host_source_levels(vr->host, p->streams[i]->source, &window);
}

static void tell(struct videoroom *vr, const struct vr_pub_stream *stream)
{
    const struct vr_participant *p = stream->owner;
    struct buf text;
    struct json_out j;
    buf_init(&text, VR_EVENT_BYTES);
    jout_begin(&j, &text, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "videoroom", stream->talking ? "talking" : "stopped-talking");
    vr_id_write(&j, "room", &p->room->id);
    vr_id_write(&j, "id", &p->id);
    jout_uint(&j, "mindex", stream->mindex);
    jout_string(&j, "mid", stream->mid);
    jout_real(&j, "audio-level-dBov-avg", stream->level);
    jout_end(&j);
    vr_tell_others(vr, p->room, NULL, buf_whole(&text));
    buf_fini(&text);
}

static struct vr_pub_stream *find(const struct vr_participant *p, struct ref source)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (ref_equal(p->streams[i]->source, source))
            return p->streams[i];
    return NULL;
}

/* A remote publisher's stream has no handle to be found by. */
static struct vr_pub_stream *find_remote(const struct videoroom *vr, struct ref source)
{
    struct vr_pub_stream *found = NULL;
    for (struct map_node *n = map_each(&vr->rooms, NULL); n != NULL && found == NULL; n = map_each(&vr->rooms, n)) {
        const struct vr_room *room = CONTAINER_OF(n, struct vr_room, node);
        LIST_EACH(it, &room->participants) {
            const struct vr_participant *p = CONTAINER_OF(it, struct vr_participant, of_room);
            if (p->remote && found == NULL)
                found = find(p, source);
        }
    }
    return found;
}

void vr_source_level(void *plugin, void *state, struct ref source, bool talking, double average)
{
    struct videoroom *vr = plugin;
    const struct vr_session *session = state;
    struct vr_pub_stream *stream = session == NULL ? find_remote(vr, source)
                                   : session->participant == NULL ? NULL : find(session->participant, source);
    if (stream == NULL || stream->owner->room == NULL || !stream->owner->room->audiolevel_event || !stream->owner->started)
        return;
    stream->level = average;
    stream->level_known = true;
    if (stream->talking == talking)
        return;
    stream->talking = talking;
    vr_participant_changed(stream->owner);
    tell(vr, stream);
}
