/* control/negotiate/negotiate.h - one PeerConnection's descriptions: what the client said, compiled; what the plugin may
 * see of it; and the plugin's description made into what the client gets (webrtc.md 1 to 5).
 *
 * Owner: the handle, on the control actor. Functions of (state, description) only: no clock, no I/O, no messages; random
 * numbers come from the rng handed in. Order of calls:
 *
 *   client offers                                    plugin offers
 *   1 sdp_parse             (reason -> 465)          1 sdp_parse, anonymise
 *   2 negotiate_remote OFFER (-> 465 / 469)          2 negotiate_local OFFER  -> text for the client
 *   3 anonymise, sdp_write  -> the plugin            3 client's answer: sdp_parse
 *   4 plugin's answer: sdp_parse, anonymise          4 negotiate_remote ANSWER
 *   5 negotiate_local ANSWER -> text for the client  5 anonymise, sdp_write -> the plugin
 *
 * A failed call leaves the state as it was. `remote` and `local` are the newest of each side; what both agree on is asked
 * with negotiation_line and negotiation_exts. When the PeerConnection ends: negotiation_fini (and init for the next one). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/net.h"
#include "base/rng.h"
#include "base/types.h"
#include "proto/dtls/dtls_types.h"
#include "proto/ice/ice_types.h"
#include "proto/rtp/ext_types.h"
#include "proto/sdp/candidate.h"
#include "proto/sdp/extmap.h"
#include "proto/sdp/sdp.h"

#define NEGOTIATE_MID_CHARS_MAX       16u    /* on audio and video lines; it must fit a one-byte header extension */
#define NEGOTIATE_MID_ROOM            33u    /* other lines only echo it */
#define NEGOTIATE_RID_ROOM            16u
#define NEGOTIATE_MSID_ROOM           65u
#define NEGOTIATE_PROTO_ROOM          33u
#define NEGOTIATE_LAYERS_MAX          3u
#define NEGOTIATE_PTS_MAX             40u    /* media payload types kept per line; rtx is not counted */
#define NEGOTIATE_UFRAG_ROOM          257u   /* RFC 8839 5.4: 4 to 256 characters */
#define NEGOTIATE_PWD_ROOM            257u   /* RFC 8839 5.4: 22 to 256 characters */
#define NEGOTIATE_WIRE_BYTES_MAX      (1024u * 1024u)

#define NEGOTIATE_SESSION_NAME        "Cardea"   /* s= when the plugin has none */
#define NEGOTIATE_CNAME               "janus"    /* clients and recordings know it (webrtc.md 3.2, 17.1) */

enum negotiate_type { NEGOTIATE_OFFER, NEGOTIATE_ANSWER };

enum negotiate_result {
    NEGOTIATE_OK,
    NEGOTIATE_UNUSABLE,      /* 465 "Error processing SDP"; 469 with the same text in a renegotiation */
    NEGOTIATE_BAD_MID,       /* 465 with an empty reason (webrtc.md 1.1, last row) */
};

/* ---- what the client said ---- */

struct remote_pt {
    uint8_t pt;
    uint8_t codec;           /* enum codec; CODEC_NONE for one we have no name for (its clock rate still counts) */
    uint8_t rtx_pt;          /* 0: none */
    uint8_t pad;
    uint32_t clock_hz;
};

struct remote_mline {
    enum sdp_kind kind;
    enum sdp_direction direction;                     /* as the client wrote it: sendonly means that we receive */
    uint16_t index;
    bool disabled;                                    /* port 0, or a line that we never take */
    bool nack;
    bool has_mid;                                     /* false: `mid` is the index */
    char mid[NEGOTIATE_MID_ROOM];
    char msid_stream[NEGOTIATE_MSID_ROOM];            /* "" without a=msid */
    char msid_track[NEGOTIATE_MSID_ROOM];
    uint32_t exts;                                    /* SDP_EXT_BITs of its extmaps */
    /* Layer 0 is the lowest. Without simulcast layer 0 is the stream. With rids, ssrc[0] is the fallback for a refused
     * simulcast and not a layer; the rest is 0. */
    uint32_t ssrc[NEGOTIATE_LAYERS_MAX];
    uint32_t ssrc_rtx[NEGOTIATE_LAYERS_MAX];
    uint8_t ssrc_count;                               /* 2 or 3: simulcast by a SIM group */
    uint8_t rid_count;
    bool rid_lowest_first;                            /* as offered (jsep rid_order "lmh") */
    bool simulcast;                                   /* has a=simulcast with something to send */
    bool simulcast_legacy;                            /* in the "rid=" spelling of old Firefox */
    bool rid_paused[NEGOTIATE_LAYERS_MAX];            /* ~rid */
    char rid[NEGOTIATE_LAYERS_MAX][NEGOTIATE_RID_ROOM];
    uint8_t red_pt;                                   /* red/48000/2; 0: none */
    uint8_t pt_count;
    struct remote_pt pts[NEGOTIATE_PTS_MAX];
    uint16_t sctp_port;                               /* application */
    uint32_t max_message_bytes;                       /* application: RFC 8841 6; 0 is "no limit" */
};

struct remote_candidate {
    struct ice_candidate candidate;
    char name[CANDIDATE_ADDRESS_CHARS_MAX + 1];       /* an mDNS name to be asked for; "" when the address is there */
};

struct remote_description {
    char ufrag[NEGOTIATE_UFRAG_ROOM];
    char pwd[NEGOTIATE_PWD_ROOM];
    struct dtls_fingerprint fingerprint;
    char first_mid[NEGOTIATE_MID_ROOM];               /* the one that trickled candidates are for */
    bool end_of_candidates;
    bool has_rtx;                                     /* some apt */
    uint8_t ext_ids[SDP_EXT_COUNT];                   /* 0: not there; one id space for all lines (webrtc.md 4.4) */
    uint8_t rtx_of[SDP_PTS_MAX];                      /* media PT -> its rtx PT; 0: none */
    char rtp_proto[NEGOTIATE_PROTO_ROOM];             /* of the first audio or video line; "" when there is none */
    uint16_t candidate_count;                         /* of the first line; at most REMOTE_CANDIDATES_MAX, more are ignored */
    struct remote_candidate *candidates;
    uint16_t mline_count;
    struct remote_mline *mlines;
};

/* ---- what we said ---- */

struct local_mline {
    enum sdp_kind kind;
    enum sdp_direction direction;                     /* ours: sendonly means that we send */
    bool disabled;
    bool simulcast;                                   /* the client's rids were accepted */
    bool nack;
    bool rtx;                                         /* rtx PTs stand in our text */
    uint32_t exts;                                    /* SDP_EXT_BITs of its extmaps */
    uint32_t ssrc;                                    /* minted once, kept for the PeerConnection; 0 for data */
    uint32_t ssrc_rtx;
    uint8_t red_pt;                                   /* 0: none */
    uint8_t pt_count;
    uint8_t pts[NEGOTIATE_PTS_MAX];                   /* rtx not counted */
    char mid[NEGOTIATE_MID_ROOM];
};

struct local_description {
    uint8_t ext_ids[SDP_EXT_COUNT];                   /* 0: not there */
    uint16_t mline_count;
    struct local_mline *mlines;
};

/* ---- the state ---- */

struct negotiation {
    struct remote_description *remote;                /* NULL until the client has said something */
    struct negotiation *before;                       /* what held before an offer of the client's that is not settled; NULL: none */
    struct local_description *local;                  /* NULL until we have */
    bool has_role;
    enum dtls_role role;                              /* ours; fixed by the first exchange (webrtc.md 1.2) */
    bool rtx;                                         /* on until a client has declined it */
    uint8_t rtx_of[SDP_PTS_MAX];                      /* media PT -> rtx PT towards this client; 0: none */
    char rtp_proto[NEGOTIATE_PROTO_ROOM];
    char first_mid[NEGOTIATE_MID_ROOM];               /* of the PeerConnection, once there is one */
};

void negotiation_init(struct negotiation *n);
void negotiation_fini(struct negotiation *n);         /* may be called twice */

struct negotiate_remote_options {
    bool rid_lowest_first;       /* jsep rid_order "lmh" */
    bool encrypted;              /* false with no_webrtc_encryption: then no fingerprint is asked for */
};

struct negotiate_changes {
    bool ice_restart;            /* ufrag or pwd differ from the previous description (webrtc.md 5) */
    bool fingerprint;            /* differs: stored, but there is no new handshake */
};

/* Compiles `sdp` (as parsed, not anonymised) into n->remote. Mends the ports in `sdp` (webrtc.md 1.2: bundle-only lines and
 * the first line are enabled with port 0 too), so it comes before anonymise. `changes` may be NULL. */
enum negotiate_result negotiate_remote(struct negotiation *n, enum negotiate_type type, struct sdp *sdp,
                                       const struct negotiate_remote_options *options, struct negotiate_changes *changes);

/* What has become of the client's offer: a refused one was never made (RFC 8829 4.1.10.2, rollback). Harmless without one. */
void negotiation_settle(struct negotiation *n, bool accepted);

/* Strips what a plugin must not see (webrtc.md 2), in place. Also done to what a plugin says, before negotiate_local. */
void anonymise(struct sdp *sdp);

struct negotiate_local_input {
    const char *ufrag;
    const char *pwd;
    const char *fingerprint;                          /* SHA-256 of ours, "AB:CD:.."; NULL: no encryption, no DTLS lines */
    const struct net_addr *address;                   /* of o= and c= */
    const struct ice_candidate *candidates;           /* half trickle: on every line; already mapped (webrtc.md 6.2) */
    size_t candidate_count;
    bool half_trickle;                                /* candidates and a=end-of-candidates; false: neither */
    bool lite;
    uint32_t max_message_bytes;                       /* of data channels: a=max-message-size */
    uint64_t session_id;                              /* o= when the plugin gives none: wall clock in us */
};

/* Writes what the client gets into `out` (appended) and compiles n->local. ERR_STATE: an answer without an offer;
 * ERR_INVALID: more lines than offered, or a line of another kind; ERR_FULL: `out` or a limit. On failure `out` holds
 * rubbish. SSRCs of new lines are drawn from `rng`. */
enum err negotiate_local(struct negotiation *n, enum negotiate_type type, const struct sdp *plugin,
                         const struct negotiate_local_input *in, struct rng *rng, struct buf *out);

/* ---- what both agree on ---- */

/* One m-line, as the worker has to know it. */
struct negotiated_line {
    enum sdp_kind kind;
    bool send;                                        /* we send */
    bool recv;                                        /* we receive */
    bool nack;
    bool rtx;                                         /* RFC 4588, in the directions that exist */
    uint32_t exts;                                    /* SDP_EXT_BITs that both sides have on this line */
    uint32_t ssrc;                                    /* ours */
    uint32_t ssrc_rtx;                                /* ours; 0: none */
    const char *mid;                                  /* of the local description */
    uint8_t layer_count;                              /* of what is received: 1 to 3, the lowest first; 0 for data */
    bool by_rid;                                      /* layers are found by rid; their SSRCs are 0 */
    uint32_t remote_ssrc[NEGOTIATE_LAYERS_MAX];       /* 0: not known */
    uint32_t remote_ssrc_rtx[NEGOTIATE_LAYERS_MAX];
    const char *rid[NEGOTIATE_LAYERS_MAX];            /* "" unless by_rid */
    uint16_t sctp_port;                               /* application: the client's */
    uint32_t max_message_bytes;                       /* application: what it takes; UINT32_MAX: any size */
    uint8_t red_pt;                                   /* 0: none */
    uint8_t pt_count;
    struct remote_pt pts[NEGOTIATE_PTS_MAX];          /* in our order (VideoCall passes on all that two browsers share) */
};

/* False, and all zero, until both sides have spoken of this line, and when either has rejected it. Views into `n`. */
bool negotiation_line(const struct negotiation *n, uint16_t index, struct negotiated_line *out);

/* The longest message that the other side takes on a data line, as far as both have agreed on it; 0: on none. It is cheap. */
uint32_t negotiation_data_max(const struct negotiation *n, uint16_t index);

/* Ids of the extensions that both sides have; 0: not negotiated. */
void negotiation_exts(const struct negotiation *n, struct rtp_ext_ids *out);
