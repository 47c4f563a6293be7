/* proto/rtp/h264.h - H.264 payloads (RFC 6184): peek. Pure. */
#pragma once

#include "base/types.h"

/* An SPS (NAL type 7) is in it: alone, inside a STAP-A, or as the start of an FU-A (webrtc.md 15). */
bool h264_is_keyframe(struct view payload);
