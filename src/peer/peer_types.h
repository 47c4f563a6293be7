/* peer/peer_types.h - what control tells a worker about one PeerConnection, as plain structs (no SDP below control). */
#pragma once

#include "base/net.h"
#include "base/types.h"
#include "media/media_types.h"
#include "proto/dtls/dtls_types.h"
#include "proto/ice/ice_types.h"
#include "proto/rtp/ext_types.h"

#define UFRAG_TEXT   257        /* RFC 8839 5.4: at most 256 characters */
#define PWD_TEXT     257
#define MLINES_MAX   128        /* m-lines of one PeerConnection */
#define MLINE_PTS_MAX 16          /* payload types of one m-line that we keep track of: a browser answers with about 10 */

/* A peer by the worker that it lives on. */
struct peer_ref {
    struct ref ref;
    uint32_t worker;            /* 0 .. workers - 1 */
};

struct ice_credentials {
    char ufrag[UFRAG_TEXT];
    char pwd[PWD_TEXT];
};

struct mline_pt {
    uint8_t pt;
    uint8_t rtx_pt;             /* 0: none */
    uint8_t codec;              /* enum codec */
    uint32_t clock_hz;
};

/* One m-line as negotiated so far, seen from our side. */
struct mline_desc {
    uint16_t mindex;
    uint8_t kind;               /* enum media_kind */
    bool send;
    bool recv;
    bool nack;                  /* generic NACK negotiated */
    char mid[MID_TEXT];

    uint32_t ssrc;              /* ours: sending, and sender SSRC of our RTCP about this line; 0: none yet */
    uint32_t rtx_ssrc;

    uint8_t layer_count;        /* what is received: 1..LAYERS_MAX */
    uint32_t remote_ssrc[LAYERS_MAX];       /* 0: not known, found by mid or rid */
    uint32_t remote_rtx_ssrc[LAYERS_MAX];
    char rid[LAYERS_MAX][RID_TEXT];         /* index 0 is the lowest layer */

    uint8_t pt_count;
    struct mline_pt pts[MLINE_PTS_MAX];

    struct ref source;          /* names what this line receives; REF_NONE: nothing */
    struct source_desc source_desc;
};

/* Control mints the ref and the credentials; the worker only stores them (design section 2). */
struct peer_open_order {
    struct ref peer;
    struct ice_credentials local;
    bool controlling;
    bool nomination_regular;
    bool lite;
};

enum data_state { DATA_NONE, DATA_OFFERED, DATA_AGREED };

/* The data line of a PeerConnection: there is one at most (webrtc.md 2). */
struct peer_data_desc {
    uint8_t state;                  /* enum data_state; OFFERED: sinks may be hung onto it, nothing is sent yet */
    bool to_control;                /* a plugin wants the messages, too */
    uint16_t mindex;
    uint16_t remote_port;           /* a=sctp-port */
    uint32_t receive_max;           /* bytes of one message: ours */
    uint32_t send_max;              /* theirs */
    struct ref source;              /* names what it receives; REF_NONE: nobody else may have it */
};

/* One message of a data channel on its way between control and a worker. `bytes` holds the label, the protocol, then the
 * message: label_size + protocol_size + size bytes. */
struct data_packet {
    struct peer_ref peer;
    uint32_t cost;                  /* in the window between the two; goes back when it is done with */
    uint32_t size;
    uint8_t label_size;
    uint8_t protocol_size;
    bool binary;
    uint8_t bytes[];
};

/* One message for many peers of a worker: peers[count], then a struct data_packet whose `peer` means nothing. `cost` is for each. */
struct data_cast {
    uint32_t count;
    struct ref peers[];
};

static inline const struct data_packet *data_cast_packet(const struct data_cast *cast)
{
    return (const struct data_packet *)&cast->peers[cast->count];
}

/* The whole negotiated state. mlines[] follow: the payload is sizeof(struct peer_apply_order) + mline_count * sizeof(mline). */
struct peer_apply_order {
    struct ref peer;
    bool remote_known;              /* the remote's description has been seen: the next four hold */
    bool dtls_client;               /* our DTLS role; fixed by the first */
    struct ice_credentials remote;
    struct dtls_fingerprint fingerprint;
    bool start;                     /* offer and answer have both passed: checks may begin */
    bool restart;                   /* ICE restarts with `local`; the old pair is used until the new one is selected */
    struct ice_credentials local;   /* with restart only */
    struct rtp_ext_ids ext;         /* one id space a PeerConnection */
    struct peer_data_desc data;
    uint16_t mline_count;
    struct mline_desc mlines[];
};

/* -- what only a worker knows, for those who ask (admin-api.md 6.3) ----------------------------------------------------------------- */

struct peer_line_report {
    uint16_t mindex;
    uint8_t layer_count;
    uint8_t pt;                     /* of the first media packet received; 0: none yet */
    uint32_t nack_queue_ms;
    uint32_t remote_ssrc[LAYERS_MAX];       /* as known by now */
    uint32_t remote_rtx_ssrc[LAYERS_MAX];
    struct media_stats layers[LAYERS_MAX];
};

/* Times are of the actors' clock, 0: it has not happened. lines[] follow. */
struct peer_report {
    struct peer_ref peer;
    bool exists;                    /* false: the worker has no such peer (any more), and nothing else is filled in */
    uint8_t ice_state;              /* enum ice_state */
    uint8_t ice_role;
    bool has_selected;
    uint8_t remote_type;            /* enum ice_candidate_type, of the selected pair */
    struct net_addr local, remote;  /* the same */
    usec_t connected_at, ice_failed_at;
    bool has_dtls;
    uint8_t dtls_role, dtls_state;
    uint16_t srtp_profile;          /* enum dtls_srtp_profile */
    uint32_t retransmissions;
    usec_t dtls_at, keys_at;
    bool has_association;           /* SCTP */
    uint64_t dtls_packets_in, dtls_bytes_in, dtls_packets_out, dtls_bytes_out;
    uint32_t too_large;
    uint16_t line_count;
    struct peer_line_report lines[];
};

/* Reasons why a PeerConnection ended; texts in janus-api.md 4.3. */
enum hangup_reason {
    HANGUP_JANUS_API,
    HANGUP_ADMIN_API,
    HANGUP_CLOSE_PC,
    HANGUP_ICE_FAILED,
    HANGUP_DTLS_STACK,
    HANGUP_DTLS_ALERT,
    HANGUP_DTLS_TIMEOUT,
    HANGUP_DTLS_ERROR,
    HANGUP_DETACH,
};
