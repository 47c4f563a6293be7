/* proto/rtp/av1.h - AV1 payloads (AV1 RTP specification 1.0, 4.4): peek. Pure. */
#pragma once

#include "base/types.h"

/* Aggregation header with Z = 0 and N = 1: the first packet of a coded video sequence (webrtc.md 15). */
bool av1_is_keyframe(struct view payload);
