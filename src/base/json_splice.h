/* base/json_splice.h - puts one compact JSON text, as plugins write it, into a text of any layout. Pure. */
#pragma once

#include "base/json_out.h"

/* `json` is a valid, compact document (no blanks outside strings): our own plugins' text, never a client's. Compact: copied.
 * Else: blanks and lines are written as json_out would have written them at this depth. */
void json_splice(struct json_out *j, const char *key, struct view json);
