/* base/json_scan.h - a look at JSON text before it is parsed: what it would cost. Pure, no allocation. */
#pragma once

#include "base/types.h"

/* Whether there are more than about `max` values in it. A separator or a bracket stands in front of each, so they are counted,
 * strings skipped; a text that is no longer than `max` bytes need not be looked at. */
bool json_has_more_values(struct view text, uint32_t max);

/* Whether an object in it has more than `max` names, each followed by a colon: names that collide in a hash table cost their
 * number squared. Objects that lie deeper than JSON_SCAN_DEPTH share one count. */
bool json_has_more_names(struct view text, uint32_t max);
#define JSON_SCAN_DEPTH 64u
