/* media/media_types.h - plain values about media that control, plugins and workers all speak of. No functions. */
#pragma once

#include "base/types.h"
#include "proto/rtp/codec_types.h"

#define LAYERS_MAX 3            /* simulcast substreams: 0 low .. 2 high (webrtc.md 15) */
#define MID_TEXT   17           /* a mid is at most 16 characters (webrtc.md 1.1) */
#define RID_TEXT   16

enum media_kind { MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_DATA };

/* What a source is, as far as those who forward it must know. Fixed for the source's life, but for the SSRCs. */
struct source_desc {
    uint8_t kind;               /* enum media_kind */
    uint8_t codec;              /* enum codec: what the answer chose */
    uint8_t layer_count;        /* 1, or up to 3 with simulcast */
    bool opaque;                /* end-to-end encrypted: no payload is looked into */
    uint32_t clock_hz;
};

/* What one receiver wants of one source. Targets are 0..2; see webrtc.md 15. */
struct sink_options {
    uint8_t pt;                 /* payload type towards this receiver */
    bool paused;                /* nothing is relayed; continuity is kept */
    uint8_t substream_target;
    uint8_t temporal_target;
    uint32_t fallback_us;       /* a layer silent for this long is given up for a lower one; 0: 250,000 */
    int16_t min_delay;          /* playout delay in 10 ms; both below 0: what the packet carries, if anything */
    int16_t max_delay;
};

#define SINK_FALLBACK_US 250000u

/* The REMB cap of a publisher (videoroom.md 14.3, echotest.md 2.1). */
struct rate_cap {
    uint32_t bps;               /* 0: see `always` */
    bool ramp;                  /* VideoRoom: cap/4, /3, /2, whole on the first four video packets, then every 5 s */
    bool send_now;              /* this order sends one REMB at once, also with bps 0 */
    bool answer_remb;           /* EchoTest: each REMB from the peer is answered with the cap, or 10 Mb/s when there is none */
};
