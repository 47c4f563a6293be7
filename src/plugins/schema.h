/* plugins/schema.h - what a request may look like, checked before its function runs. A table per request, in the order in
 * which fields are looked at: the first that is wrong is the one that is named. */
#pragma once

#include <jansson.h>

#include "base/types.h"

enum schema_type { SCHEMA_STRING, SCHEMA_BOOL, SCHEMA_INT, SCHEMA_POSINT, SCHEMA_ARRAY, SCHEMA_OBJECT };

struct schema_field {
    const char *name;
    enum schema_type type;
    bool required;
};

enum schema_result { SCHEMA_FINE, SCHEMA_MISSING, SCHEMA_WRONG };

#define SCHEMA_TEXT 128

/* `body` must be an object. A JSON null is present, of a wrong type. "positive" means 0 or more, as clients know it.
 * The text is that of the error: "Missing mandatory element (room)", "Invalid element type (room should be a string)". */
enum schema_result schema_check(const struct schema_field *fields, size_t count, const json_t *body, char text[SCHEMA_TEXT]);

/* One value against one type; false: absent counts as fine for neither. */
bool schema_is(const json_t *value, enum schema_type type);
