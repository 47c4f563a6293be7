/* Requests about rooms themselves (textroom.md 5.1 - 5.6), open to every way in. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/textroom/textroom.h"

static char *text_or_null(const json_t *body, const char *name)
{
    const char *text = field_text(body, name);
    return text == NULL || text[0] == '\0' ? NULL : text_copy(text);
}

static enum tr_error check_texts(struct tr_call *call, const char *const names[], size_t count)
{
    enum tr_error error = TR_OK;
    for (size_t i = 0; i < count && error == TR_OK; i++)
        error = tr_check_length(call, names[i], TR_TEXT_MAX);
    return error;
}

/* ---- list, listparticipants, exists ---- */

static void write_listed(struct tr_call *call, const struct tr_room *room)
{
    struct json_out *j = &call->j;
    jout_object(j, NULL);
    tr_write_id(call->tr, j, room->id);
    jout_string(j, "description", room->description);
    jout_bool(j, "pin_required", room->pin != NULL);
    jout_uint(j, "num_participants", room->by_handle.count);
    jout_uint(j, "history", room->history_max);
    jout_end(j);
}

static enum tr_error req_list(struct tr_call *call)
{
    const struct textroom *tr = call->tr;
    const char *key = field_text(call->body, "admin_key");
    const bool all = tr->admin_key != NULL && key != NULL && key[0] != '\0';
    enum tr_error error = all ? tr_check_admin_key(call) : TR_OK;
    if (error != TR_OK)
        return error;
    jout_string(&call->j, "textroom", "success");
    jout_array(&call->j, "list");
    for (struct map_node *n = map_each(&tr->rooms, NULL); n != NULL; n = map_each(&tr->rooms, n)) {
        const struct tr_room *room = CONTAINER_OF(n, struct tr_room, node);
        if (!room->is_private || all)
            write_listed(call, room);
    }
    jout_end(&call->j);
    return TR_OK;
}

static enum tr_error req_listparticipants(struct tr_call *call)
{
    jout_string(&call->j, "textroom", "success");
    tr_write_id(call->tr, &call->j, call->room->id);
    jout_array(&call->j, "participants");
    LIST_EACH(it, &call->room->members) {
        jout_object(&call->j, NULL);
        tr_write_user(&call->j, CONTAINER_OF(it, struct tr_member, of_room));
        jout_end(&call->j);
    }
    jout_end(&call->j);
    return TR_OK;
}

static enum tr_error req_exists(struct tr_call *call)
{
    jout_string(&call->j, "textroom", "success");
    tr_write_id(call->tr, &call->j, call->room_id);
    jout_bool(&call->j, "exists", tr_room_get(call->tr, call->room_id) != NULL);
    return TR_OK;
}

/* ---- create ---- */

static const struct schema_field create_fields[] = {
    {"description", SCHEMA_STRING, false}, {"secret", SCHEMA_STRING, false},  {"pin", SCHEMA_STRING, false},
    {"post", SCHEMA_STRING, false},        {"is_private", SCHEMA_BOOL, false}, {"history", SCHEMA_POSINT, false},
    {"allowed", SCHEMA_ARRAY, false},      {"permanent", SCHEMA_BOOL, false},
};

static enum tr_error check_create(struct tr_call *call)
{
    static const char *const texts[] = {"description", "secret", "pin"};
    enum tr_error error = tr_read_id(call, false);
    if (error == TR_OK)
        error = tr_check_admin_key(call);
    if (error == TR_OK && !field_all_strings(json_object_get(call->body, "allowed")))
        error = tr_fail(call, TR_INVALID_ELEMENT, "Invalid element in the allowed array (not a string)");
    if (error == TR_OK)
        error = check_texts(call, texts, ARRAY_COUNT(texts));
    if (error == TR_OK)
        error = tr_check_length(call, "post", TR_URL_MAX);
    if (error == TR_OK)
        error = tr_check_permanent(call, "create permanent room");
    return error;
}

static void choose_id(struct tr_call *call)
{
    struct rng *rng = host_rng(call->tr->host);
    do {
        if (call->tr->string_ids)
            rng_uuid(rng, call->room_id);
        else
            snprintf(call->room_id, sizeof(call->room_id), "%llu", (unsigned long long)rng_id53(rng));
    } while (tr_room_get(call->tr, call->room_id) != NULL);
}

static void read_properties(struct tr_room *room, const json_t *body)
{
    char text[TR_ID_TEXT_MAX + 8];
    room->description = text_or_null(body, "description");
    if (room->description == NULL) {
        snprintf(text, sizeof(text), "Room %s", room->id);
        room->description = text_copy(text);
    }
    room->is_private = field_bool(body, "is_private", false);
    room->secret = text_copy(field_text(body, "secret"));
    room->pin = text_copy(field_text(body, "pin"));
    room->post = text_or_null(body, "post");
    room->history_max = (uint16_t)field_int(body, "history", 0);        /* 16 bits of it, as the reference */
    room->acl.on = json_object_get(body, "allowed") != NULL;
}

static enum tr_error req_create(struct tr_call *call)
{
    struct textroom *tr = call->tr;
    size_t index;
    const json_t *token;
    enum tr_error error = check_create(call);
    if (error != TR_OK)
        return error;
    if (call->room_id[0] == '\0' || (!tr->string_ids && strcmp(call->room_id, "0") == 0))
        choose_id(call);
    else if (tr_room_get(tr, call->room_id) != NULL)
        return tr_fail(call, TR_ROOM_EXISTS, "Room %.200s already exists", call->room_id);
    if (tr->rooms.count == TR_ROOMS_MAX)
        return tr_fail(call, TR_UNKNOWN, "Too many rooms");
    struct tr_room *room = tr_room_new(call->room_id);
    read_properties(room, call->body);
    room->post_public_only = tr->admin_key == NULL;
    bool fits = true;
    json_array_foreach(json_object_get(call->body, "allowed"), index, token)
        fits = fits && acl_add(&room->acl, host_hash_key(tr->host), json_string_value(token));
    if (!fits) {
        tr_room_free(tr, room);
        return tr_fail(call, TR_INVALID_ELEMENT, "Invalid element (at most %u tokens in the allowed array)", ACL_TOKENS_MAX);
    }
    tr_room_add(tr, room);
    tr_answer_room(call, "created", room, false);
    tr_notify_room(call, "created", room);
    return TR_OK;
}

/* ---- edit, destroy ---- */

static const struct schema_field edit_fields[] = {
    {"secret", SCHEMA_STRING, false},  {"new_description", SCHEMA_STRING, false}, {"new_secret", SCHEMA_STRING, false},
    {"new_pin", SCHEMA_STRING, false}, {"new_post", SCHEMA_STRING, false},        {"new_is_private", SCHEMA_BOOL, false},
    {"permanent", SCHEMA_BOOL, false},
};

/* An empty text changes nothing. */
static bool replace_text(char **text, const json_t *body, const char *name)
{
    char *value = text_or_null(body, name);
    if (value == NULL)
        return false;
    mem_put(*text);
    *text = value;
    return true;
}

static enum tr_error req_edit(struct tr_call *call)
{
    static const char *const texts[] = {"new_description", "new_secret", "new_pin"};
    enum tr_error error = tr_check_permanent(call, "edit room permanently");
    if (error == TR_OK)
        error = tr_find_managed_room(call);
    if (error == TR_OK)
        error = check_texts(call, texts, ARRAY_COUNT(texts));
    if (error == TR_OK)
        error = tr_check_length(call, "new_post", TR_URL_MAX);
    if (error != TR_OK)
        return error;
    struct tr_room *room = call->room;
    (void)replace_text(&room->description, call->body, "new_description");
    (void)replace_text(&room->secret, call->body, "new_secret");
    (void)replace_text(&room->pin, call->body, "new_pin");
    if (replace_text(&room->post, call->body, "new_post"))
        room->post_public_only = call->tr->admin_key == NULL;
    room->is_private = field_bool(call->body, "new_is_private", room->is_private);
    tr_answer_room(call, "edited", room, false);
    tr_notify_room(call, "edited", room);
    return TR_OK;
}

/* Not `secret`: what a room does not ask for is not looked at (textroom.md 5.6). */
static const struct schema_field destroy_fields[] = {{"permanent", SCHEMA_BOOL, false}};

/* Who asks is told on its own channel like everybody in the room, so one who is in it is told twice (textroom.md 5.6). */
static enum tr_error req_destroy(struct tr_call *call)
{
    struct textroom *tr = call->tr;
    struct tr_text text;
    enum tr_error error = tr_check_permanent(call, "destroy room permanently");
    if (error == TR_OK)
        error = tr_find_managed_room(call);
    if (error != TR_OK)
        return error;
    struct tr_room *room = call->room;
    tr_text_begin(tr, &text, "destroyed");
    tr_write_id(tr, &text.j, room->id);
    struct view said = tr_text_end(&text);
    if (call->origin == TR_CHANNEL)
        tr_send_own(tr, call->session, said);
    else if (call->session != NULL)
        tr_send(tr, call->session, said);
    tr_send_all(tr, room, NULL, said);
    tr_text_free(&text);
    LIST_EACH(it, &room->members)
        tr_member_part(CONTAINER_OF(it, struct tr_member, of_room));
    tr_answer_room(call, "destroyed", room, true);
    tr_notify_room(call, "destroyed", room);
    map_del(&tr->rooms, &room->node);
    tr_room_free(tr, room);
    return TR_OK;
}

const struct tr_request tr_room_requests[] = {
    {"list", TR_NOTHING, NULL, 0, req_list},
    {"listparticipants", TR_ROOM, NULL, 0, req_listparticipants},
    {"exists", TR_ID, NULL, 0, req_exists},
    {"create", TR_NOTHING, TR_FIELDS(create_fields), req_create},
    {"edit", TR_ID, TR_FIELDS(edit_fields), req_edit},
    {"destroy", TR_ID, TR_FIELDS(destroy_fields), req_destroy},
};
const size_t tr_room_request_count = ARRAY_COUNT(tr_room_requests);
