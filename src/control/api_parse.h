/* control/api_parse.h - one text of a client into JSON documents: several may stand in it, blanks between and after them;
 * if any is broken none counts (transports.md 3.6). Pure, but for jansson's memory.
 *
 * jansson bounds depth (2,048) and refuses integers beyond 64 bits, reals beyond a double, invalid UTF-8 and NUL. */
#pragma once

#include <jansson.h>

#include "base/limits.h"
#include "base/types.h"

#define PARSE_REASON_ROOM 512u

enum parse_result { PARSE_OK, PARSE_BROKEN, PARSE_TOO_MANY, PARSE_NO_OBJECT };

struct parsed {
    uint32_t count;
    json_t *documents[DOCUMENTS_PER_TEXT_MAX];          /* objects or arrays; the caller json_decrefs them */
};

/* Not PARSE_OK: nothing in *out, and `reason` is the text of error 454. */
enum parse_result api_parse(struct parsed *out, struct view text, char reason[PARSE_REASON_ROOM]);
/* One document and nothing behind it: all transports but these two. `source` is what the transport's 454 calls the text. */
enum parse_result api_parse_one(struct parsed *out, struct view text, const char *source, char reason[PARSE_REASON_ROOM]);
/* The body of an HTTP request: one object and nothing behind it (transports.md 2.3). PARSE_NO_OBJECT: error 455. */
enum parse_result api_parse_body(struct parsed *out, struct view text, char reason[PARSE_REASON_ROOM]);

/* -- elements of a document ---------------------------------------------------------------------------------------------- */

enum element_type { ELEMENT_STRING, ELEMENT_INTEGER, ELEMENT_POSITIVE, ELEMENT_BOOL, ELEMENT_ARRAY, ELEMENT_OBJECT };

struct element {
    const char *key;
    enum element_type type;
    bool required;
};

/* The first element, in the order of the list, that is missing (456) or of a wrong type (467; null is a wrong type), or 0.
 * `*bad` names it. What is no object lacks everything. */
int elements_check(const json_t *object, const struct element *list, size_t count, const struct element **bad);
const char *element_type_name(enum element_type type);  /* "a positive integer" */

/* The element's value, 0 when it is absent or no integer. */
int64_t element_integer(const json_t *object, const char *key);
/* NULL when it is absent or no string. */
const char *element_string(const json_t *object, const char *key);
