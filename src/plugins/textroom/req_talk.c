/* Requests of who is in a room, or wants to be: data channels only (textroom.md 5.10 - 5.12). */
#include "base/str.h"
#include "plugins/textroom/textroom.h"

/* ---- join ---- */

static const struct schema_field join_fields[] = {
    {"username", SCHEMA_STRING, true}, {"pin", SCHEMA_STRING, false},   {"token", SCHEMA_STRING, false},
    {"display", SCHEMA_STRING, false}, {"history", SCHEMA_BOOL, false},
};

static enum tr_error check_join(struct tr_call *call)
{
    const struct textroom *tr = call->tr;
    const struct tr_room *room = call->room;
    enum tr_error error = tr_check_secret(call, "pin", room->pin);
    if (error != TR_OK)
        return error;
    if (tr_room_member(tr, room, call->session) != NULL)
        return tr_fail(call, TR_ALREADY_IN_ROOM, "Already in room %.200s", room->id);
    if (tr_room_user(tr, room, field_text(call->body, "username")) != NULL)
        return tr_fail(call, TR_NAME_TAKEN, "Username already taken");
    if (!acl_allows(&room->acl, host_hash_key(tr->host), field_text(call->body, "token")))
        return tr_fail(call, TR_UNAUTHORIZED, "Unauthorized (not in the allowed list)");
    error = tr_check_length(call, "username", TR_NAME_MAX);
    if (error == TR_OK)
        error = tr_check_length(call, "display", TR_NAME_MAX);
    if (error == TR_OK && call->session->member_count == TR_ROOMS_OF_HANDLE_MAX)
        error = tr_fail(call, TR_UNKNOWN, "Too many rooms");
    return error;
}

/* The past first, then the news, then the answer. */
static enum tr_error req_join(struct tr_call *call)
{
    struct textroom *tr = call->tr;
    struct tr_room *room = call->room;
    struct tr_text text;
    enum tr_error error = check_join(call);
    if (error != TR_OK)
        return error;
    if (field_bool(call->body, "history", true)) {
        LIST_EACH(it, &room->history) {
            const struct tr_said *said = CONTAINER_OF(it, struct tr_said, node);
            tr_send_own(tr, call->session, VIEW(said->text, said->size));
        }
    }
    const struct tr_member *member =
        tr_member_join(tr, call->session, room, field_text(call->body, "username"), field_text(call->body, "display"));
    tr_notify_user(tr, "join", member);
    tr_user_text(tr, &text, "join", member, true);
    struct view news = tr_text_end(&text);
    tr_send_own(tr, call->session, news);
    tr_send_all(tr, room, member, news);
    tr_text_free(&text);
    jout_string(&call->j, "textroom", "success");
    jout_array(&call->j, "participants");
    LIST_EACH(it, &room->members) {
        const struct tr_member *other = CONTAINER_OF(it, struct tr_member, of_room);
        if (other == member)
            continue;
        jout_object(&call->j, NULL);
        tr_write_user(&call->j, other);
        jout_end(&call->j);
    }
    jout_end(&call->j);
    return TR_OK;
}

/* ---- leave, message ---- */

static enum tr_error find_member(struct tr_call *call, struct tr_member **out)
{
    *out = tr_room_member(call->tr, call->room, call->session);
    return *out != NULL ? TR_OK : tr_fail(call, TR_NOT_IN_ROOM, "Not in room %.200s", call->room->id);
}

static enum tr_error req_leave(struct tr_call *call)
{
    struct textroom *tr = call->tr;
    struct tr_member *member;
    struct tr_text text;
    enum tr_error error = find_member(call, &member);
    if (error != TR_OK)
        return error;
    tr_notify_user(tr, "leave", member);
    tr_user_text(tr, &text, "leave", member, false);
    struct view news = tr_text_end(&text);
    tr_send_own(tr, call->session, news);
    tr_send_all(tr, call->room, member, news);
    tr_text_free(&text);
    tr_member_part(member);
    jout_string(&call->j, "textroom", "success");
    return TR_OK;
}

static const struct schema_field message_fields[] = {
    {"text", SCHEMA_STRING, true}, {"to", SCHEMA_STRING, false}, {"tos", SCHEMA_ARRAY, false}, {"ack", SCHEMA_BOOL, false},
};

static enum tr_error req_message(struct tr_call *call)
{
    const json_t *to = json_object_get(call->body, "to"), *tos = json_object_get(call->body, "tos");
    struct tr_member *member;
    enum tr_error error = find_member(call, &member);
    if (error != TR_OK)
        return error;
    if (to != NULL && tos != NULL)
        return tr_fail(call, TR_INVALID_ELEMENT, "Both to and tos array provided");
    if (!field_all_strings(tos))
        return tr_fail(call, TR_INVALID_ELEMENT, "Invalid element in the tos array (not a string)");
    if (to != NULL || tos != NULL) {
        error = tr_whisper(call, member);
    } else {
        error = tr_say(call, "message", member);
        jout_string(&call->j, "textroom", "success");
    }
    call->replied = error == TR_OK && !field_bool(call->body, "ack", true);
    return error;
}

const struct tr_request tr_talk_requests[] = {
    {"message", TR_ROOM, TR_FIELDS(message_fields), req_message},
    {"join", TR_ROOM, TR_FIELDS(join_fields), req_join},
    {"leave", TR_ROOM, NULL, 0, req_leave},
};
const size_t tr_talk_request_count = ARRAY_COUNT(tr_talk_requests);
