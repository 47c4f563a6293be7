/* proto/sdp/extmap.h - the RTP header extensions we know (webrtc.md 4.4) and the a=extmap attribute (RFC 8285 7). */
#pragma once

#include "base/types.h"
#include "proto/sdp/sdp.h"

enum sdp_ext {
    SDP_EXT_AUDIO_LEVEL,
    SDP_EXT_ABS_SEND_TIME,
    SDP_EXT_TRANSPORT_CC,
    SDP_EXT_MID,
    SDP_EXT_RID,
    SDP_EXT_REPAIRED_RID,
    SDP_EXT_ABS_CAPTURE_TIME,
    SDP_EXT_DEPENDENCY_DESCRIPTOR,
    SDP_EXT_VIDEO_LAYERS,
    SDP_EXT_PLAYOUT_DELAY,
    SDP_EXT_VIDEO_ORIENTATION,
    SDP_EXT_TOFFSET,
    SDP_EXT_COUNT,
    SDP_EXT_UNKNOWN = SDP_EXT_COUNT,
};

#define SDP_EXT_BIT(ext) (1u << (unsigned)(ext))
#define SDP_EXTS_ALL     (SDP_EXT_BIT(SDP_EXT_COUNT) - 1u)

struct sdp_extmap {
    uint16_t id;                       /* 1 .. 255 can be on the wire */
    bool has_direction;                /* written as id/direction */
    enum sdp_direction direction;      /* sendrecv when not written */
    enum sdp_ext ext;
    struct view uri;
    struct view attributes;            /* what follows the URI */
};

bool sdp_extmap_parse(struct sdp_extmap *out, struct view value);

const char  *sdp_ext_uri(enum sdp_ext ext);
enum sdp_ext sdp_ext_by_uri(struct view uri);
/* The id we use in our own offers; 0: none of its own (the plugin copies the publisher's). */
uint8_t      sdp_ext_default_id(enum sdp_ext ext);
/* Id with which this m-line maps `ext`; 0 when it does not. */
uint8_t      sdp_ext_find(const struct sdp_mline *mline, enum sdp_ext ext);
