/* base/base64.h - base64 (RFC 4648 section 4): whole groups, padded, nothing else in between. */
#pragma once

#include "base/types.h"

/* False: not base64, or more than `room` bytes. *size is what was written. */
bool base64_decode(uint8_t *out, size_t room, size_t *size, struct view text);
