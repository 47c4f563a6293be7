#include "proto/sdp/extmap.h"

#include <string.h>

#include "base/str.h"

/* webrtc.md 4.4. Id 0: no default of our own. */
#define URI(text) text, sizeof(text) - 1

static const struct {
    const char *uri;
    uint8_t size;                  /* a description may hold 24,000 extmaps: most URIs are told apart by it */
    uint8_t default_id;
} exts[SDP_EXT_COUNT] = {
    [SDP_EXT_AUDIO_LEVEL] = {URI("urn:ietf:params:rtp-hdrext:ssrc-audio-level"), 1},
    [SDP_EXT_ABS_SEND_TIME] = {URI("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"), 2},
    [SDP_EXT_TRANSPORT_CC] = {URI("http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"), 3},
    [SDP_EXT_MID] = {URI("urn:ietf:params:rtp-hdrext:sdes:mid"), 4},
    [SDP_EXT_RID] = {URI("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"), 5},
    [SDP_EXT_REPAIRED_RID] = {URI("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"), 6},
    [SDP_EXT_ABS_CAPTURE_TIME] = {URI("http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"), 7},
    [SDP_EXT_DEPENDENCY_DESCRIPTOR] = {URI("https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"), 0},
    [SDP_EXT_VIDEO_LAYERS] = {URI("http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"), 0},
    [SDP_EXT_PLAYOUT_DELAY] = {URI("http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"), 12},
    [SDP_EXT_VIDEO_ORIENTATION] = {URI("urn:3gpp:video-orientation"), 13},
    [SDP_EXT_TOFFSET] = {URI("urn:ietf:params:rtp-hdrext:toffset"), 14},
};

const char *sdp_ext_uri(enum sdp_ext ext)
{
    return ext < SDP_EXT_COUNT ? exts[ext].uri : "";
}

uint8_t sdp_ext_default_id(enum sdp_ext ext)
{
    return ext < SDP_EXT_COUNT ? exts[ext].default_id : 0;
}

enum sdp_ext sdp_ext_by_uri(struct view uri)
{
    for (unsigned i = 0; i < SDP_EXT_COUNT; i++)
        if (uri.size == exts[i].size && memcmp(uri.data, exts[i].uri, uri.size) == 0)
            return (enum sdp_ext)i;
    return SDP_EXT_UNKNOWN;
}

/* "3 urn:...", "3/sendonly urn:... attributes" (RFC 8285 7). */
bool sdp_extmap_parse(struct sdp_extmap *out, struct view value)
{
    struct view rest = str_trim(value);
    struct view number = str_split(&rest, ' ');
    struct view direction = number;
    struct sdp_extmap map = {.direction = SDP_SENDRECV};
    struct view id = str_split(&direction, '/');
    map.has_direction = id.size < number.size;
    if (!str_u16(id, &map.id) || map.id == 0 || (map.has_direction && !sdp_direction_parse(&map.direction, direction)))
        return false;
    rest = str_trim(rest);
    map.uri = str_split(&rest, ' ');
    map.attributes = str_trim(rest);
    map.ext = sdp_ext_by_uri(map.uri);
    if (map.uri.size == 0)
        return false;
    *out = map;
    return true;
}

uint8_t sdp_ext_find(const struct sdp_mline *mline, enum sdp_ext ext)
{
    const struct sdp_attr *attr = sdp_attr_find(&mline->attrs, STR("extmap"));
    for (; attr != NULL; attr = sdp_attr_find_next(attr, STR("extmap"))) {
        struct sdp_extmap map;
        if (sdp_extmap_parse(&map, attr->value) && map.ext == ext && map.id <= UINT8_MAX)
            return (uint8_t)map.id;
    }
    return 0;
}
