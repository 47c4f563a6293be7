/* media/packet.h - one media packet on its way through the graph: decrypted, its layer known, its numbers those of the layer.
 * The bytes belong to whoever hands it over (the receive buffer, or a source's history) and are valid during the call. */
#pragma once

#include "media/media_types.h"
#include "proto/rtp/ext_types.h"

struct media_packet {
    usec_t arrived;
    uint32_t ts;
    uint16_t seq;
    uint8_t layer;              /* 0 .. layer_count - 1 */
    uint8_t epoch;              /* changes when the layer's numbering begins anew (its SSRC changed) */
    bool marker;
    bool keyframe;              /* the first packet of one */
    int8_t tid;                 /* temporal id; -1: none */
    uint16_t payload_size;
    const uint8_t *payload;
    struct rtp_ext_values ext;
};
