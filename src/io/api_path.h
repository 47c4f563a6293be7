/* io/api_path.h - what stands in the target of a request to the API over HTTP (transports.md 2.2, 2.6). Pure. */
#pragma once

#include "base/types.h"

#define API_VALUE_MAX 1024u      /* of a query: a secret or a token */

struct api_path {
    bool is_ours;                /* under the base path */
    bool too_long;
    unsigned count;              /* of components: 0, 1 (session) or 2 (and handle) */
    struct view parts[2];
};

/* Whatever a proxy has left in front of the base path is passed over. */
void api_path_parse(struct api_path *out, struct view base, struct view path);
/* The number that a component begins with; 0 for what is no id. */
int64_t api_path_id(struct view part);
/* The value of that name in a query string, decoded. False: there is none, or it can't be read as UTF-8 without NUL. */
bool api_query_value(struct view query, const char *name, char out[API_VALUE_MAX + 1]);
