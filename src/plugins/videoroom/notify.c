/* Events to others in the room (videoroom.md 11.2): one body, told to each. */
#include <stdio.h>

#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

void vr_tell(struct videoroom *vr, const struct vr_session *session, struct view body)
{
    if (session != NULL && body.size > 0)       /* a body beyond VR_EVENT_BYTES is not told at all */
        (void)host_event(vr->host, session->handle, NULL, body, NULL);
}

void vr_tell_others(struct videoroom *vr, const struct vr_room *room, const struct vr_participant *but, struct view body)
{
    LIST_EACH(it, &room->participants) {
        const struct vr_participant *p = CONTAINER_OF(it, struct vr_participant, of_room);
        if (p != but)
            vr_tell(vr, p->session, body);
    }
}

static void begin(struct json_out *j, struct buf *text, const struct vr_room *room)
{
    buf_init(text, VR_EVENT_BYTES);
    jout_begin(j, text, LAYOUT_COMPACT);
    jout_object(j, NULL);
    jout_string(j, "videoroom", "event");
    vr_id_write(j, "room", &room->id);
}

void vr_notify_publishers(struct videoroom *vr, const struct vr_participant *p)
{
    struct buf text;
    struct json_out j;
    if (p->room == NULL)
        return;
    begin(&j, &text, p->room);
    jout_array(&j, "publishers");
    vr_write_publisher(&j, p, VR_FORM_EVENT);
    jout_end(&j);
    jout_end(&j);
    vr_tell_others(vr, p->room, p, buf_whole(&text));
    buf_fini(&text);
}

void vr_notify_joining(struct videoroom *vr, const struct vr_participant *p)
{
    struct buf text;
    struct json_out j;
    if (p->room == NULL || !p->room->notify_joining)
        return;
    begin(&j, &text, p->room);
    jout_object(&j, "joining");
    vr_id_write(&j, "id", &p->id);
    vr_write_name(&j, p);
    jout_end(&j);
    jout_end(&j);
    vr_tell_others(vr, p->room, p, buf_whole(&text));
    buf_fini(&text);
}

void vr_notify_gone(struct videoroom *vr, const struct vr_room *room, const struct vr_participant *p, const char *key)
{
    struct buf text;
    struct json_out j;
    begin(&j, &text, room);
    vr_id_write(&j, key, &p->id);
    vr_write_name(&j, p);
    jout_end(&j);
    vr_tell_others(vr, room, p, buf_whole(&text));
    buf_fini(&text);
}

void vr_notify_layer(struct videoroom *vr, const struct vr_sub_stream *sub, const char *key, int value)
{
    struct buf text;
    struct json_out j;
    char mid[8];
    if (sub->owner->room == NULL)
        return;
    snprintf(mid, sizeof(mid), "%u", sub->mindex);
    begin(&j, &text, sub->owner->room);
    jout_string(&j, "mid", mid);
    jout_int(&j, key, value);
    jout_end(&j);
    vr_tell(vr, sub->owner->session, buf_whole(&text));
    buf_fini(&text);
}
