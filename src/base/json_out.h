/* base/json_out.h - JSON is written, never built as a tree (design section 2). The order of calls is the order of keys.
 *
 *   struct json_out j;
 *   jout_begin(&j, &buf, LAYOUT_COMPACT);
 *   jout_object(&j, NULL);
 *     jout_string(&j, "janus", "success");
 *     jout_object(&j, "data"); jout_int(&j, "id", 41); jout_end(&j);
 *   jout_end(&j);
 *
 * `key` is NULL inside arrays and for the root. The buffer is the caller's; a full one shows in buf->failed.
 * Layouts are those of transports.md 1.2: a cached fragment can be spliced with jout_raw when it was written in the
 * same layout at the same depth, or in any layout if whitespace does not matter (clients must not depend on it). */
#pragma once

#include "base/buf.h"

enum json_layout { LAYOUT_COMPACT, LAYOUT_PLAIN, LAYOUT_INDENTED };

#define JSON_DEPTH_MAX 32

/* (Not `json_`: that is jansson's prefix.) */
struct json_out {
    struct buf *buf;
    enum json_layout layout;
    uint8_t depth;
    bool empty;                      /* nothing written yet in the innermost container */
    bool array[JSON_DEPTH_MAX];      /* what each open container is */
};

void jout_begin(struct json_out *j, struct buf *buf, enum json_layout layout);
/* Goes on inside a container that was opened elsewhere: the envelope is spliced around a shared body. */
void jout_resume(struct json_out *j, struct buf *buf, enum json_layout layout, uint8_t depth, bool empty);

void jout_object(struct json_out *j, const char *key);
void jout_array(struct json_out *j, const char *key);
void jout_end(struct json_out *j);                   /* the innermost object or array */

void jout_string(struct json_out *j, const char *key, const char *text);       /* UTF-8; NULL is written as null */
void jout_string_view(struct json_out *j, const char *key, struct view text);
void jout_int(struct json_out *j, const char *key, int64_t v);
void jout_uint(struct json_out *j, const char *key, uint64_t v);
void jout_bool(struct json_out *j, const char *key, bool v);
void jout_real(struct json_out *j, const char *key, double v);                 /* always with a point or exponent */
void jout_null(struct json_out *j, const char *key);
void jout_raw(struct json_out *j, const char *key, struct view json);          /* already JSON */

/* "compact", "plain", "indented" in any case; false leaves *out alone. */
bool jout_layout_parse(enum json_layout *out, struct view text);
