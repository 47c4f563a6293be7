#include "plugins/schema.h"

#include <stdio.h>

static const char *const type_names[] = {
    [SCHEMA_STRING] = "a string",            [SCHEMA_BOOL] = "a boolean", [SCHEMA_INT] = "an integer",
    [SCHEMA_POSINT] = "a positive integer",  [SCHEMA_ARRAY] = "an array", [SCHEMA_OBJECT] = "an object",
};

bool schema_is(const json_t *value, enum schema_type type)
{
    switch (type) {
    case SCHEMA_STRING: return json_is_string(value);
    case SCHEMA_BOOL: return json_is_boolean(value);
    case SCHEMA_INT: return json_is_integer(value);
    case SCHEMA_POSINT: return json_is_integer(value) && json_integer_value(value) >= 0;
    case SCHEMA_ARRAY: return json_is_array(value);
    case SCHEMA_OBJECT: return json_is_object(value);
    }
    return false;
}

enum schema_result schema_check(const struct schema_field *fields, size_t count, const json_t *body, char text[SCHEMA_TEXT])
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(body, fields[i].name);
        if (value == NULL) {
            if (!fields[i].required)
                continue;
            snprintf(text, SCHEMA_TEXT, "Missing mandatory element (%s)", fields[i].name);
            return SCHEMA_MISSING;
        }
        if (!schema_is(value, fields[i].type)) {
            snprintf(text, SCHEMA_TEXT, "Invalid element type (%s should be %s)", fields[i].name, type_names[fields[i].type]);
            return SCHEMA_WRONG;
        }
    }
    return SCHEMA_FINE;
}
