/* What is said to a whole room: it is told to all, remembered, and posted (textroom.md 5.9, 5.12 - 5.15). */
#include "base/str.h"
#include "plugins/textroom/textroom.h"

static void begin(struct tr_call *call, struct tr_text *text, const char *what, const struct tr_member *from)
{
    char date[DATE_TEXT];
    host_date(call->tr->host, date);
    tr_text_begin(call->tr, text, what);
    tr_write_id(call->tr, &text->j, call->room->id);
    if (from != NULL)
        jout_string(&text->j, "from", from->name);
    jout_string(&text->j, "date", date);
    jout_string(&text->j, "text", field_text(call->body, "text"));
}

/* A text that would be longer than every client takes is an error of who says it. */
static enum tr_error too_long(struct tr_call *call)
{
    return tr_fail(call, TR_INVALID_ELEMENT, "Invalid element value (text is too long)");
}

enum tr_error tr_say(struct tr_call *call, const char *what, const struct tr_member *from)
{
    struct textroom *tr = call->tr;
    struct tr_text text;
    enum tr_error error = TR_OK;
    begin(call, &text, what, from);
    struct view said = tr_text_end(&text);
    if (said.size == 0) {
        error = too_long(call);
        goto out;
    }
    tr_send_all(tr, call->room, NULL, said);
    if (call->room->post != NULL)
        host_http_post(tr->host, call->room->post, said, call->room->post_public_only);
    if (from == NULL || from->display == NULL) {
        tr_room_remember(tr, call->room, said);
    } else {                            /* who joins later may not know who it was */
        struct tr_text kept;
        begin(call, &kept, what, from);
        jout_string(&kept.j, "display", from->display);
        tr_room_remember(tr, call->room, tr_text_end(&kept));
        tr_text_free(&kept);
    }
out:
    tr_text_free(&text);
    return error;
}

/* ---- whispers ---- */

static void whisper(struct tr_call *call, struct view said, const char *name, json_t *sent)
{
    const struct tr_member *to = tr_room_user(call->tr, call->room, name);
    if (json_object_get(sent, name) != NULL)
        return;                         /* named twice, told once */
    json_object_set_new(sent, name, json_boolean(to != NULL));
    if (to != NULL)
        tr_send(call->tr, to->session, said);
}

enum tr_error tr_whisper(struct tr_call *call, const struct tr_member *from)
{
    const json_t *to = json_object_get(call->body, "to"), *tos = json_object_get(call->body, "tos"), *name;
    struct tr_text text;
    size_t index;
    const char *key;
    json_t *value;
    begin(call, &text, "message", from);
    jout_bool(&text.j, "whisper", true);
    struct view said = tr_text_end(&text);
    if (said.size == 0) {
        tr_text_free(&text);
        return too_long(call);
    }
    json_t *sent = json_object();
    if (to != NULL)
        whisper(call, said, json_string_value(to), sent);
    json_array_foreach(tos, index, name)
        whisper(call, said, json_string_value(name), sent);
    tr_text_free(&text);
    jout_string(&call->j, "textroom", "success");
    jout_object(&call->j, "sent");
    json_object_foreach(sent, key, value)
        jout_bool(&call->j, key, json_is_true(value));
    jout_end(&call->j);
    json_decref(sent);
    return TR_OK;
}
