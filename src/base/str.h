/* base/str.h - text in views: compare, split, numbers. No locale, no allocation, no NUL needed. */
#pragma once

#include <string.h>

#include "base/types.h"

#define STR(literal) VIEW("" literal, sizeof(literal) - 1)

static inline struct view str_of(const char *text)
{
    return VIEW(text, text == NULL ? 0 : strlen(text));
}

static inline bool str_equal(struct view a, struct view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool str_equal_nocase(struct view a, struct view b);      /* ASCII only */
bool str_starts(struct view text, struct view prefix);
bool str_starts_nocase(struct view text, struct view prefix);
bool str_contains(struct view text, struct view part);

/* Cuts `text` at the first `at`: returns what stands before it, leaves what stands after it. Without one: all of it. */
struct view str_split(struct view *text, char at);
struct view str_trim(struct view text);                   /* blanks and tabs, CR and LF, at both ends */

/* Whole text must be the number; no sign, no blanks, no overflow. */
bool str_u64(struct view text, uint64_t *out);
bool str_u32(struct view text, uint32_t *out);
bool str_u16(struct view text, uint16_t *out);
bool str_hex_u64(struct view text, uint64_t *out);

/* Copies with a NUL; false (and an empty string) when it does not fit or holds a NUL. */
bool str_copy(char *out, size_t room, struct view text);

/* Equal length and bytes, in time that depends on the length only. */
bool str_equal_secret(struct view a, struct view b);

bool utf8_is_valid(struct view text);                     /* RFC 3629: no overlongs, no surrogates */
