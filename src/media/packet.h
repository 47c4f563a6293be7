/* media/packet.h - one media packet on its way through the graph: decrypted, its layer known, its numbers those of the layer.
 * The bytes belong to whoever hands it over (the receive buffer, or a source's history) and are valid during the call. */
#pragma once

#include "media/media_types.h"
#include "proto/rtp/ext_types.h"
#include "proto/rtp/vp8.h"

struct rtp_packet;

struct media_packet {
    usec_t arrived;
    uint32_t ts;
    uint16_t seq;
    uint8_t layer;              /* 0 .. layer_count - 1 */
    uint8_t epoch;              /* changes when what follows does not follow from what came before: the layer's SSRC has changed, or
                                   the source was muted for a while */
    bool marker;
    bool keyframe;              /* the first packet of one */
    int8_t sid;                 /* spatial id, of several in one stream (SVC); -1: none, or unknown */
    int8_t tid;                 /* temporal id; -1: none */
    uint8_t tid_up;             /* bits: temporal layers that a receiver may take up with this packet (webrtc.md 15) */
    bool tid_down;              /* a receiver may fall to `tid` */
    bool tid_jump;              /* VP8: only the very layer that was asked for is gone to, at once */
    bool frame_end;             /* the last packet of its spatial layer's frame */
    uint8_t spatial_count;      /* as the newest structure says; 0: unknown */
    uint8_t padding;            /* bytes that are added behind the payload, for packets of one size (media/hold.c) */
    bool red;                   /* audio: the payload is redundant audio (RFC 2198) around the source's codec */
    uint8_t pt;                 /* as the publisher has it; 0 on a proxy */
    uint16_t payload_size;
    const uint8_t *payload;
    const struct rtp_packet *raw;   /* as it came, for those who hand it on like that; NULL for a proxy's and a kept one */
    struct rtp_ext_values ext;
    struct vp8_descriptor vp8;  /* picture_id_bits 0: there is nothing in it that a receiver must see continuous */
};
