/* base/json_out.h - JSON is written, never built as a tree (design section 2). The order of calls is the order of keys.
 *
 *   struct json_out j;
 *   json_begin(&j, &buf, JSON_COMPACT);
 *   json_object(&j, NULL);
 *     json_string(&j, "janus", "success");
 *     json_object(&j, "data"); json_int(&j, "id", 41); json_end(&j);
 *   json_end(&j);
 *
 * `key` is NULL inside arrays and for the root. The buffer is the caller's; a full one shows in buf->failed.
 * Layouts are those of transports.md 1.2: a cached fragment can be spliced with json_raw when it was written in the
 * same layout at the same depth, or in any layout if whitespace does not matter (clients must not depend on it). */
#pragma once

#include "base/buf.h"

enum json_layout { JSON_COMPACT, JSON_PLAIN, JSON_INDENTED };

#define JSON_DEPTH_MAX 32

struct json_out {
    struct buf *buf;
    enum json_layout layout;
    uint8_t depth;
    bool empty;                      /* nothing written yet in the innermost container */
    bool array[JSON_DEPTH_MAX];      /* what each open container is */
};

void json_begin(struct json_out *j, struct buf *buf, enum json_layout layout);
/* Goes on inside a container that was opened elsewhere: the envelope is spliced around a shared body. */
void json_resume(struct json_out *j, struct buf *buf, enum json_layout layout, uint8_t depth, bool empty);

void json_object(struct json_out *j, const char *key);
void json_array(struct json_out *j, const char *key);
void json_end(struct json_out *j);                   /* the innermost object or array */

void json_string(struct json_out *j, const char *key, const char *text);       /* UTF-8; NULL is written as null */
void json_string_view(struct json_out *j, const char *key, struct view text);
void json_int(struct json_out *j, const char *key, int64_t v);
void json_uint(struct json_out *j, const char *key, uint64_t v);
void json_bool(struct json_out *j, const char *key, bool v);
void json_real(struct json_out *j, const char *key, double v);                 /* always with a point or exponent */
void json_null(struct json_out *j, const char *key);
void json_raw(struct json_out *j, const char *key, struct view json);          /* already JSON */

/* "compact", "plain", "indented" in any case; false leaves *out alone. */
bool json_layout_parse(enum json_layout *out, struct view text);
