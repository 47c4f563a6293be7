/* What event handlers are told (textroom.md 7). Nothing is written when nobody listens. */
#include <string.h>

#include "plugins/textroom/textroom.h"

#define TR_NOTICE_MAX 16384u

static bool is_wanted(const struct textroom *tr)
{
    return tr->events && host_notify_wanted(tr->host);
}

static void begin(struct json_out *j, struct buf *buf)
{
    buf_init(buf, TR_NOTICE_MAX);
    jout_begin(j, buf, LAYOUT_COMPACT);
    jout_object(j, NULL);
}

static void end(struct textroom *tr, struct json_out *j, struct buf *buf, struct ref handle)
{
    jout_end(j);
    if (!buf->failed)
        host_notify(tr->host, handle, buf_view(buf));
    buf_fini(buf);
}

void tr_notify_room(const struct tr_call *call, const char *what, const struct tr_room *room)
{
    struct json_out j;
    struct buf buf;
    if (!is_wanted(call->tr))
        return;
    begin(&j, &buf);
    jout_string(&j, "event", what);
    tr_write_id(call->tr, &j, room->id);
    end(call->tr, &j, &buf, call->session != NULL ? call->session->handle : REF_NONE);
}

void tr_notify_user(struct textroom *tr, const char *what, const struct tr_member *member)
{
    struct json_out j;
    struct buf buf;
    if (!is_wanted(tr))
        return;
    begin(&j, &buf);
    jout_string(&j, strcmp(what, "kicked") == 0 ? "textroom" : "event", what);
    tr_write_id(tr, &j, member->room->id);
    jout_string(&j, "username", member->name);
    if (strcmp(what, "join") == 0 && member->display != NULL)
        jout_string(&j, "display", member->display);
    end(tr, &j, &buf, member->session->handle);
}
