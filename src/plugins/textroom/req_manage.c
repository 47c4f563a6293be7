/* Requests of who manages a room (textroom.md 5.7 - 5.9), open to every way in. */
#include "base/str.h"
#include "plugins/textroom/textroom.h"

/* ---- allowed ---- */

static const struct schema_field allowed_fields[] = {
    {"secret", SCHEMA_STRING, false}, {"action", SCHEMA_STRING, true}, {"allowed", SCHEMA_ARRAY, false},
};

enum action { ACTION_ENABLE, ACTION_DISABLE, ACTION_ADD, ACTION_REMOVE, ACTION_COUNT };

static enum action action_of(const char *name)
{
    static const char *const names[ACTION_COUNT] = {"enable", "disable", "add", "remove"};
    int action = 0;
    while (action < ACTION_COUNT && !str_equal_nocase(str_of(name), str_of(names[action])))
        action++;
    return (enum action)action;
}

static enum tr_error change_tokens(struct tr_call *call, bool add)
{
    const struct hash_key *key = host_hash_key(call->tr->host);
    const json_t *allowed = json_object_get(call->body, "allowed"), *token;
    size_t index;
    if (!field_all_strings(allowed))
        return tr_fail(call, TR_INVALID_ELEMENT, "Invalid element in the allowed array (not a string)");
    json_array_foreach(allowed, index, token) {
        if (!add)
            acl_del(&call->room->acl, key, json_string_value(token));
        else if (!acl_add(&call->room->acl, key, json_string_value(token)))
            return tr_fail(call, TR_INVALID_ELEMENT, "Invalid element (at most %u tokens in the allowed array)", ACL_TOKENS_MAX);
    }
    return TR_OK;
}

/* An action that there is none of is named before the room is looked for. */
static enum tr_error req_allowed(struct tr_call *call)
{
    const char *name = field_text(call->body, "action");
    enum action action = action_of(name);
    if (action == ACTION_COUNT)
        return tr_fail(call, TR_INVALID_ELEMENT, "Unsupported action '%.64s' (allowed)", name);
    enum tr_error error = tr_find_managed_room(call);
    if (error == TR_OK && (action == ACTION_ADD || action == ACTION_REMOVE))
        error = change_tokens(call, action == ACTION_ADD);
    if (error != TR_OK)
        return error;
    struct acl *acl = &call->room->acl;
    if (action == ACTION_ENABLE || action == ACTION_DISABLE)
        acl->on = action == ACTION_ENABLE;
    jout_string(&call->j, "textroom", "success");
    tr_write_id(call->tr, &call->j, call->room->id);
    if (action != ACTION_DISABLE)
        acl_write(acl, &call->j, "allowed");
    return TR_OK;
}

/* ---- kick, announcement ---- */

static const struct schema_field kick_fields[] = {{"secret", SCHEMA_STRING, false}, {"username", SCHEMA_STRING, true}};

static enum tr_error req_kick(struct tr_call *call)
{
    struct textroom *tr = call->tr;
    const char *name = field_text(call->body, "username");
    struct tr_member *member = tr_room_user(tr, call->room, name);
    struct tr_text text;
    if (member == NULL)
        return tr_fail(call, TR_NO_SUCH_USER, "No such user %.100s in room %.100s", name, call->room->id);
    tr_notify_user(tr, "kicked", member);
    tr_user_text(tr, &text, "kicked", member, false);
    tr_send_all(tr, call->room, NULL, tr_text_end(&text));
    tr_text_free(&text);
    tr_member_part(member);
    jout_string(&call->j, "textroom", "success");
    return TR_OK;
}

static const struct schema_field announcement_fields[] = {{"secret", SCHEMA_STRING, false}, {"text", SCHEMA_STRING, true}};

static enum tr_error req_announcement(struct tr_call *call)
{
    enum tr_error error = tr_say(call, "announcement", NULL);
    jout_string(&call->j, "textroom", "success");
    return error;
}

const struct tr_request tr_manage_requests[] = {
    {"allowed", TR_ID, TR_FIELDS(allowed_fields), req_allowed},
    {"kick", TR_ROOM_SECRET, TR_FIELDS(kick_fields), req_kick},
    {"announcement", TR_ROOM_SECRET, TR_FIELDS(announcement_fields), req_announcement},
};
const size_t tr_manage_request_count = ARRAY_COUNT(tr_manage_requests);
