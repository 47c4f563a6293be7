/* proto/rtp/h265.h - H.265 payloads (RFC 7798): peek. Pure. */
#pragma once

#include "base/types.h"

/* NAL type 16..21 (IRAP) or 32, 33, 34 (VPS, SPS, PPS), alone, inside an aggregation packet (48), or as the start of a
 * fragmentation unit (49). */
bool h265_is_keyframe(struct view payload);
