/* Recordings of publishers (videoroom.md 15): one file for each stream, while its publisher's media is up and somebody wants it. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

static const char *kind_name(const struct vr_pub_stream *stream)
{
    return stream->kind == MEDIA_AUDIO ? "audio" : stream->kind == MEDIA_VIDEO ? "video" : "data";
}

static char *make_name(struct videoroom *vr, const struct vr_pub_stream *stream)
{
    const struct vr_participant *p = stream->owner;
    char room[VR_ID_SHOWN], user[VR_ID_SHOWN];
    struct buf text;
    buf_init(&text, VR_TEXT_MAX);
    if (p->record_base != NULL)
        buf_add_text(&text, p->record_base);
    else
        buf_addf(&text, "videoroom-%s-user-%s-%llu", vr_id_show(&p->room->id, room), vr_id_show(&p->id, user),
                 (unsigned long long)host_wall_us(vr->host));
    buf_addf(&text, "-%s-%u", kind_name(stream), stream->mindex);
    char *name = vr_strdup(buf_text(&text));
    buf_fini(&text);
    return name;
}

static void start(struct videoroom *vr, struct vr_pub_stream *stream)
{
    char *name = make_name(vr, stream);
    const bool red = stream->codec == CODEC_RED;
    const struct record_options options = {
        .folder = stream->owner->room->rec_dir,
        .name = name,
        .pt = codec_info(red ? CODEC_OPUS : (enum codec)stream->codec)->pt,
        .red_pt = red ? codec_info(CODEC_RED)->pt : 0,
        .orientation = stream->videoorient_id > 0,
        .description = stream->description,
    };
    stream->recording = host_record_start(vr->host, stream->source, &options);
    stream->recorded = stream->source;
    if (ref_is_none(stream->recording))
        mem_put(name);
    else
        stream->record_name = name;
}

void vr_record_forget(struct vr_pub_stream *stream)
{
    stream->recording = REF_NONE;
    stream->recorded = REF_NONE;
    mem_put(stream->record_name);
    stream->record_name = NULL;
}

void vr_record_stop(struct videoroom *vr, struct vr_pub_stream *stream)
{
    host_record_stop(vr->host, stream->recording);
    vr_record_forget(stream);
}

/* A stream that has failed once is not tried again until it is asked for anew, or has become another one. */
void vr_record_apply(struct videoroom *vr, struct vr_participant *p)
{
    const bool wanted = p->started && p->room != NULL && (p->record || p->room->record);
    for (uint16_t i = 0; i < p->stream_count; i++) {
        struct vr_pub_stream *stream = p->streams[i];
        const bool can = wanted && !stream->disabled && !ref_is_none(stream->source);
        if (!can || !ref_equal(stream->recorded, stream->source))
            vr_record_stop(vr, stream);
        if (can && ref_is_none(stream->recorded))
            start(vr, stream);
    }
}

/* lock_record: only who knows the room's secret may start, stop and name recordings; others' wishes are not heard. */
static bool may_record(struct vr_call *call, const struct vr_room *room)
{
    if (!room->lock_record || room->secret == NULL)
        return true;
    return !room->management_closed && vr_check_secret(call, "secret", room->secret) == VR_OK;
}

void vr_record_configure(struct vr_call *call, struct vr_participant *p)
{
    const json_t *record = json_object_get(call->body, "record");
    const char *base = vr_text(call->body, "filename");
    if ((record == NULL && base == NULL) || !may_record(call, p->room))
        return;
    if (base != NULL) {
        mem_put(p->record_base);
        p->record_base = base[0] == '\0' ? NULL : vr_strdup(base);
    }
    if (record == NULL)
        return;
    p->record = json_is_true(record);
    vr_record_apply(call->vr, p);
}

void vr_record_failed(void *plugin, void *state, struct ref recording, const char *why)
{
    const struct vr_session *session = state;
    const struct vr_participant *p = session->participant;
    struct buf text;
    struct json_out j;
    if (p == NULL || p->room == NULL)
        return;
    for (uint16_t i = 0; i < p->stream_count; i++) {
        struct vr_pub_stream *stream = p->streams[i];
        if (!ref_equal(stream->recording, recording))
            continue;
        stream->recording = REF_NONE;               /* `recorded` stays: it is not begun again by itself */
        buf_init(&text, VR_EVENT_BYTES);
        jout_begin(&j, &text, LAYOUT_COMPACT);
        jout_object(&j, NULL);
        jout_string(&j, "videoroom", "event");
        vr_id_write(&j, "room", &p->room->id);
        vr_id_write(&j, "id", &p->id);
        jout_string(&j, "mid", stream->mid);
        jout_string(&j, "recording", "failed");
        jout_string(&j, "reason", why);
        jout_end(&j);
        vr_tell(plugin, session, buf_whole(&text));
        buf_fini(&text);
    }
}

static const struct schema_field enable_fields[] = {{"record", SCHEMA_BOOL, true}};

/* Not a word to others; the same value changes nothing. */
enum vr_error vr_req_enable_recording(struct vr_call *call)
{
    struct vr_room *room;
    enum vr_error error = vr_check_fields(call, VR_FIELDS(enable_fields), call->body);
    if (error == VR_OK)
        error = vr_managed_room(call, &room);
    if (error != VR_OK)
        return error;
    const bool record = vr_bool(call->body, "record", false);
    if (room->record != record) {
        room->record = record;
        vr_room_changed(room);
        LIST_EACH(it, &room->participants) {
            struct vr_participant *p = CONTAINER_OF(it, struct vr_participant, of_room);
            p->record = record;
            vr_record_apply(call->vr, p);
        }
    }
    jout_string(&call->j, "videoroom", "success");
    jout_bool(&call->j, "record", record);
    return VR_OK;
}
