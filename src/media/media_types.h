/* media/media_types.h - plain values about media that control, plugins and workers all speak of. No functions. */
#pragma once

#include "base/net.h"
#include "base/types.h"
#include "proto/rtp/codec_types.h"
#include "proto/rtp/ext_types.h"

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

/* What one receiver wants of one source. Targets are 0..2; see webrtc.md 15 and 16. */
struct sink_options {
    uint8_t pt;                 /* payload type towards this receiver */
    uint8_t red_pt;             /* of packets with redundant audio; 0: the receiver does not take them, and gets the primary encoding alone */
    bool paused;                /* nothing is relayed; continuity is kept */
    bool svc;                   /* the source has its layers in one stream: substream_target is the spatial layer's */
    uint8_t substream_target;
    uint8_t temporal_target;
    uint32_t fallback_us;       /* a layer silent for this long is given up for a lower one; 0: 250,000 */
    int16_t min_delay;          /* playout delay in 10 ms; both below 0: what the packet carries, if anything */
    int16_t max_delay;
};

/* Keys of SRTP outside of a PeerConnection (RFC 4568 6.2). */
#define SRTP_KEY_BYTES  16
#define SRTP_SALT_BYTES 14

struct srtp_master {
    uint8_t suite;              /* 0: none; 32 or 80: AES_CM_128_HMAC_SHA1_32 or _80 */
    uint8_t key[SRTP_KEY_BYTES];
    uint8_t salt[SRTP_SALT_BYTES];
};

/* What becomes of a source's packets on their way to an address outside. Of a data line's messages: each is a datagram. */
struct forward_options {
    uint8_t layer;              /* which one, as it comes */
    bool choose;                /* instead: the best layer there is, as one continuous stream; needs `ssrc` */
    bool match_ssrc;            /* RTCP asks for a keyframe only by naming `ssrc` as the media's */
    bool enveloped;             /* messages: behind an RTP header with `ssrc`, whose type says text or binary (videoroom.md 7) */
    uint8_t pt;                 /* 0: the publisher's */
    uint32_t ssrc;              /* 0: the publisher's */
    struct srtp_master srtp;
};

#define INTERFACE_TEXT 16       /* a network interface's name is at most 15 characters (Linux: IFNAMSIZ) */

/* What is known of one received layer of an m-line, and of what is sent on it, at a moment (event-handlers.md 3.6). */
struct media_stats {
    char mid[MID_TEXT];
    uint16_t mindex;
    uint8_t kind;               /* enum media_kind */
    uint8_t codec;              /* enum codec; CODEC_NONE: not known */
    uint8_t layer;              /* above 0: of what is sent nothing is told */
    uint32_t clock_hz;
    uint32_t rtt_ms;
    uint32_t rtt_ntp, rtt_lsr, rtt_dlsr;    /* what it was computed from: middle 32 bits of NTP times */
    int64_t lost;
    int64_t lost_by_remote;
    uint32_t jitter_ms, jitter_remote_ms;
    uint8_t in_quality, in_media_quality, out_quality, out_media_quality;       /* % */
    uint64_t packets_in, packets_out;
    uint64_t bytes_in, bytes_out;
    uint64_t bytes_in_lastsec, bytes_out_lastsec;
    uint64_t nacks_in, nacks_out;           /* sequence numbers that the peer has asked for, and that we have */
    uint64_t retransmissions_in;
    uint64_t remb_bps;                      /* what the peer has said last; 0: nothing */
};

/* Sockets of plain RTP, and what they are for. */
enum plain_use {
    PLAIN_SEND,                 /* forwards go out; what comes in is thrown away */
    PLAIN_ASK,                  /* RTCP comes in: its PLI and FIR ask the publishers of the forwards that name it */
    PLAIN_RECEIVE,              /* RTP comes in: the inlets' */
    PLAIN_LATCH,                /* what comes in tells where our PLIs go */
};

struct plain_options {
    uint8_t use;                /* enum plain_use */
    struct net_addr local;      /* port 0: any, or from the range */
    uint16_t port_min, port_max;/* both 0: any */
    uint64_t group;             /* with no source to be near to: a hint for placement, like a peer's */
    struct ref beside;          /* or: another such socket, whose worker it shall share */
    char interface[INTERFACE_TEXT];     /* whose address is bound, of local's family; "": as `local` says */
    struct net_addr multicast;  /* group that is listened to; NET_NONE: none */
    struct net_addr latch;      /* two empty RTP packets go there at once, so that the far side knows us; NET_NONE: none */
};

#define DATA_ENVELOPE_BYTES 12u     /* an RTP header: version 2, PT 0 text or 1 binary, the SSRC, all else 0 (videoroom.md 7) */
#define DATA_ENVELOPED_MAX  1500u   /* header included; longer messages are cut */

/* A source that is fed by plain RTP (another server's publish_remotely): SSRCs `ssrc` .. `ssrc` + layer_count - 1. Of kind
 * MEDIA_DATA: enveloped messages of that SSRC, never sealed. */
struct inlet_options {
    struct ref plain;           /* PLAIN_RECEIVE */
    struct ref rtcp;            /* PLAIN_LATCH; REF_NONE: no keyframes can be asked for */
    struct source_desc desc;
    uint32_t ssrc;              /* of layer 0 */
    struct rtp_ext_ids ext;     /* as the far side's publisher numbers them */
    struct srtp_master srtp;
};

/* Which way a forward goes. */
struct forward_way {
    struct ref plain;           /* sends; on the source's worker */
    struct ref rtcp;            /* a PLAIN_ASK; REF_NONE: nobody asks for keyframes */
    struct net_addr to;
};

#define SINK_FALLBACK_US 250000u

/* Over how many packets, and below which average level (0 loud .. 127 silent), somebody is said to talk. */
struct level_window {
    uint32_t packets;           /* 0: nobody asks */
    uint32_t average;
};

#define LEVEL_PACKETS_MAX 100000u

/* The REMB cap of a publisher (videoroom.md 14.3, echotest.md 2.1). */
struct rate_cap {
    uint32_t bps;               /* 0: see `always` */
    bool ramp;                  /* VideoRoom: cap/4, /3, /2, whole on the first four video packets, then every 5 s */
    bool send_now;              /* this order sends one REMB at once, also with bps 0 */
    bool answer_remb;           /* EchoTest: each REMB from the peer is answered with the cap, or 10 Mb/s when there is none */
};
