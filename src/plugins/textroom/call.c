/* A request while it is worked on: its answer's text, its errors, and what is checked before its function runs. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "plugins/textroom/textroom.h"

enum tr_error tr_fail(struct tr_call *call, enum tr_error code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->error, sizeof(call->error), format, args);
    va_end(args);
    return code;
}

/* What has been written so far is thrown away. */
static void begin(struct tr_call *call)
{
    buf_clear(&call->text);
    jout_begin(&call->j, &call->text, call->origin == TR_CHANNEL ? call->tr->layout : LAYOUT_COMPACT);
    jout_object(&call->j, NULL);
}

void tr_call_begin(struct tr_call *call)
{
    buf_init(&call->text, TR_ANSWER_BYTES);
    begin(call);
}

void tr_call_end(struct tr_call *call)
{
    buf_fini(&call->text);
}

void tr_write_error(struct tr_call *call, enum tr_error error, const char *text)
{
    begin(call);
    jout_string(&call->j, "textroom", call->understood ? "error" : "event");
    jout_int(&call->j, "error_code", error);
    jout_string(&call->j, "error", text);
}

static void close_answer(struct tr_call *call)
{
    if (call->transaction != NULL)
        jout_string(&call->j, "transaction", call->transaction);
    jout_end(&call->j);
}

void tr_finish(struct tr_call *call)
{
    size_t max = call->origin == TR_CHANNEL ? host_data_max(call->tr->host, call->session->handle) : TR_ANSWER_BYTES;
    close_answer(call);
    if (!call->text.failed && call->text.size <= max)
        return;
    tr_write_error(call, TR_UNKNOWN, "The answer is too long");
    close_answer(call);
}

void tr_answer(struct tr_call *call, const char *what)
{
    jout_string(&call->j, "textroom", call->origin == TR_CHANNEL ? "success" : what);
}

/* ---- checks ---- */

enum tr_error tr_check_fields(struct tr_call *call, const struct schema_field *fields, size_t count)
{
    char text[SCHEMA_TEXT];
    switch (schema_check(fields, count, call->body, text)) {
    case SCHEMA_FINE: return TR_OK;
    case SCHEMA_MISSING: return tr_fail(call, TR_MISSING, "%s", text);
    case SCHEMA_WRONG: return tr_fail(call, TR_INVALID_ELEMENT, "%s", text);
    }
    return TR_OK;
}

enum tr_error tr_check_secret(struct tr_call *call, const char *name, const char *expected)
{
    const struct schema_field field = {name, SCHEMA_STRING, true};
    if (expected == NULL)
        return TR_OK;
    enum tr_error error = tr_check_fields(call, &field, 1);
    if (error != TR_OK)
        return error;
    if (!str_equal_secret(str_of(field_text(call->body, name)), str_of(expected)))
        return tr_fail(call, TR_UNAUTHORIZED, "Unauthorized (wrong %s)", name);
    return TR_OK;
}

enum tr_error tr_check_admin_key(struct tr_call *call)
{
    enum tr_error error = tr_check_secret(call, "admin_key", call->tr->admin_key);
    if (error == TR_OK && call->tr->admin_key_closed)
        return tr_fail(call, TR_UNAUTHORIZED, "Unauthorized (wrong admin_key)");
    return error;
}

/* A text that is kept, or repeated to everybody, has a limit of its own. */
enum tr_error tr_check_length(struct tr_call *call, const char *name, size_t max)
{
    if (json_string_length(json_object_get(call->body, name)) > max)
        return tr_fail(call, TR_INVALID_ELEMENT, "Invalid element value (%s is too long)", name);
    return TR_OK;
}

enum tr_error tr_read_id(struct tr_call *call, bool required)
{
    const struct schema_field field = {"room", call->tr->string_ids ? SCHEMA_STRING : SCHEMA_POSINT, required};
    enum tr_error error = tr_check_fields(call, &field, 1);
    const json_t *value = json_object_get(call->body, "room");
    call->room_id[0] = '\0';
    if (error != TR_OK || value == NULL)
        return error;
    if (!call->tr->string_ids) {
        snprintf(call->room_id, sizeof(call->room_id), "%" PRIu64, (uint64_t)json_integer_value(value));
        return TR_OK;
    }
    if (!tr_id_is_fine(str_of(json_string_value(value))))
        return tr_fail(call, TR_INVALID_ELEMENT, "Invalid element type (room should be at most %u characters, all of them visible)",
                       TR_ID_TEXT_MAX);
    (void)str_copy(call->room_id, sizeof(call->room_id), str_of(json_string_value(value)));
    return TR_OK;
}

enum tr_error tr_find_room(struct tr_call *call)
{
    call->room = tr_room_get(call->tr, call->room_id);
    return call->room != NULL ? TR_OK : tr_fail(call, TR_NO_SUCH_ROOM, "No such room (%.200s)", call->room_id);
}

enum tr_error tr_find_managed_room(struct tr_call *call)
{
    enum tr_error error = tr_find_room(call);
    if (error == TR_OK && call->room->management_closed)
        return tr_fail(call, TR_UNAUTHORIZED, "Unauthorized (wrong secret)");
    return error == TR_OK ? tr_check_secret(call, "secret", call->room->secret) : error;
}

/* The order in which the reference looks (textroom.md 5): its own keys, then `room`, then what is there. */
enum tr_error tr_run(struct tr_call *call, const struct tr_request *request)
{
    enum tr_error error = tr_check_fields(call, request->fields, request->field_count);
    if (error == TR_OK && request->needs != TR_NOTHING)
        error = tr_read_id(call, true);
    if (error == TR_OK && request->needs == TR_ROOM)
        error = tr_find_room(call);
    if (error == TR_OK && request->needs == TR_ROOM_SECRET)
        error = tr_find_managed_room(call);
    return error == TR_OK ? request->run(call) : error;
}

const struct tr_request *tr_find_request(const struct tr_request *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(str_of(name), str_of(table[i].name)))
            return &table[i];
    return NULL;
}
