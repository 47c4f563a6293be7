/* plugins/fields.h - values of a request's body that plugins read once its schema has passed, and copies of texts. */
#pragma once

#include <jansson.h>

#include "base/types.h"

bool field_bool(const json_t *object, const char *name, bool fallback);
int64_t field_int(const json_t *object, const char *name, int64_t fallback);
const char *field_text(const json_t *object, const char *name);     /* NULL: absent or no string; borrowed */
bool field_all_strings(const json_t *array);                        /* NULL is an empty array */

char *text_copy(const char *text);                                  /* mem_put it; NULL stays NULL */

/* security.md: a secret that stands in files which everybody has guards nothing, so what it guards stays closed. */
bool secret_is_sample(const char *secret);
