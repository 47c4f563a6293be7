#include "control/api_parse.h"

#include <stdio.h>

#include "base/json_scan.h"
#include "base/str.h"

static bool is_all_blank(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t' && text.data[i] != '\r' && text.data[i] != '\n')
            return false;
    return true;
}

static void release(struct parsed *out)
{
    for (uint32_t i = 0; i < out->count; i++)
        json_decref(out->documents[i]);
    out->count = 0;
}

/* More would cost a turn of tens of milliseconds: jansson makes an object of every `{}`. */
static bool is_too_much(struct view text, char reason[PARSE_REASON_ROOM])
{
    if (json_has_more_values(text, VALUES_PER_TEXT_MAX)) {
        snprintf(reason, PARSE_REASON_ROOM, "Invalid Janus API request - more than %u values", VALUES_PER_TEXT_MAX);
        return true;
    }
    if (json_has_more_names(text, MEMBERS_PER_OBJECT_MAX)) {
        snprintf(reason, PARSE_REASON_ROOM, "Invalid Janus API request - more than %u names in an object", MEMBERS_PER_OBJECT_MAX);
        return true;
    }
    return false;
}

enum parse_result api_parse_body(struct parsed *out, struct view text, char reason[PARSE_REASON_ROOM])
{
    json_error_t error;
    out->count = 0;
    if (is_too_much(text, reason))
        return PARSE_TOO_MANY;
    json_t *document = json_loadb((const char *)text.data, text.size, 0, &error);
    if (document == NULL) {
        snprintf(reason, PARSE_REASON_ROOM, "JSON error: on line %d: %s", error.line, error.text);
        return PARSE_BROKEN;
    }
    if (!json_is_object(document)) {
        json_decref(document);
        snprintf(reason, PARSE_REASON_ROOM, "JSON error: not an object");
        return PARSE_NO_OBJECT;
    }
    out->documents[out->count++] = document;
    return PARSE_OK;
}

enum parse_result api_parse_one(struct parsed *out, struct view text, const char *source, char reason[PARSE_REASON_ROOM])
{
    json_error_t error;
    out->count = 0;
    if (is_too_much(text, reason))
        return PARSE_TOO_MANY;
    json_t *document = json_loadb((const char *)text.data, text.size, 0, &error);
    if (document == NULL) {
        snprintf(reason, PARSE_REASON_ROOM, "Invalid Janus API request - %s(%d,%d): %s", source, error.line, error.column, error.text);
        return PARSE_BROKEN;
    }
    out->documents[out->count++] = document;
    return PARSE_OK;
}

enum parse_result api_parse(struct parsed *out, struct view text, char reason[PARSE_REASON_ROOM])
{
    out->count = 0;
    if (is_too_much(text, reason))
        return PARSE_TOO_MANY;
    do {
        json_error_t error;
        json_t *document = json_loadb((const char *)text.data, text.size, JSON_DISABLE_EOF_CHECK, &error);
        if (document == NULL) {
            release(out);
            snprintf(reason, PARSE_REASON_ROOM, "Invalid Janus API request - <string>(%d,%d): %s", error.line, error.column, error.text);
            return PARSE_BROKEN;
        }
        if (out->count == DOCUMENTS_PER_TEXT_MAX) {
            json_decref(document);
            release(out);
            snprintf(reason, PARSE_REASON_ROOM, "Invalid Janus API request - more than %u documents", DOCUMENTS_PER_TEXT_MAX);
            return PARSE_TOO_MANY;
        }
        out->documents[out->count++] = document;
        text.data += error.position;            /* bytes read, also after success */
        text.size -= (size_t)error.position;
    } while (!is_all_blank(text));              /* blanks in front of more count: an error's column is told */
    return PARSE_OK;
}

static bool fits(const json_t *value, enum element_type type)
{
    switch (type) {
    case ELEMENT_STRING: return json_is_string(value);
    case ELEMENT_INTEGER: return json_is_integer(value);
    case ELEMENT_POSITIVE: return json_is_integer(value) && json_integer_value(value) >= 0;    /* zero too: janus-api.md 2 */
    case ELEMENT_BOOL: return json_is_boolean(value);
    case ELEMENT_ARRAY: return json_is_array(value);
    case ELEMENT_OBJECT: return json_is_object(value);
    }
    return false;
}

int elements_check(const json_t *object, const struct element *list, size_t count, const struct element **bad)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, list[i].key);
        *bad = &list[i];
        if (value == NULL && list[i].required)
            return 456;
        if (value != NULL && !fits(value, list[i].type))
            return 467;
    }
    *bad = NULL;
    return 0;
}

const char *element_type_name(enum element_type type)
{
    switch (type) {
    case ELEMENT_STRING: return "a string";
    case ELEMENT_INTEGER: return "an integer";
    case ELEMENT_POSITIVE: return "a positive integer";
    case ELEMENT_BOOL: return "a boolean";
    case ELEMENT_ARRAY: return "an array";
    case ELEMENT_OBJECT: return "an object";
    }
    return "";
}

int64_t element_integer(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : 0;
}

const char *element_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}
