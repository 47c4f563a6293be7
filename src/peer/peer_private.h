/* peer/peer_private.h - the inside of a peer, shared by this folder's files only. */
#pragma once

#include "media/sink.h"
#include "media/source.h"
#include "peer/peer.h"
#include "proto/bwe/remb.h"
#include "proto/bwe/twcc_in.h"
#include "proto/rtcp/nack.h"
#include "proto/rtcp/report.h"
#include "proto/rtcp/rtcp.h"

#define RETIRED_SSRCS    4u         /* of one layer: replaced ones, whose packets would otherwise look new */
#define SEALED_RING      256u       /* sealed packets kept per m-line without RTX; a power of two */

/* Packets and bytes, headers included, before they are sealed or after they are opened. */
struct traffic {
    uint64_t packets;
    uint64_t bytes;
    uint64_t bytes_before;          /* as the second began */
    uint32_t bytes_lastsec;
};

/* One received SSRC (and its RTX): a simulcast layer, or the m-line's only one. */
struct rx_layer {
    uint32_t ssrc;                  /* 0: not known yet */
    uint32_t rtx_ssrc;
    uint32_t retired[RETIRED_SSRCS];    /* the last ones replaced, and where the next goes */
    uint8_t retired_next;
    bool renumbered;                /* the SSRC has changed since the source last heard of it */
    bool seen;                      /* at least one packet, ever */
    bool receiving;                 /* as clients were told */
    usec_t packet_at;
    struct seal_rx_stream seal;
    struct seal_rx_stream seal_rtx;
    struct report_in report;
    struct nack_gen nack;
    struct traffic traffic;
    uint64_t retransmissions;
    uint64_t nacks;                 /* sequence numbers that we have asked for */
};

struct sealed_packet {
    uint16_t seq;
    uint16_t size;
    usec_t sent_at;
    uint8_t bytes[EGRESS_PACKET];
};

struct sealed_ring {
    struct sealed_packet *slots[SEALED_RING];
};

struct mline {
    struct port port;               /* first: what a sink sends through */
    struct peer *peer;
    struct mline_desc desc;
    uint8_t media_pt;               /* first media payload type received: what RTX recovers to */

    struct source *source;          /* what it receives; NULL: nothing */
    struct rx_layer *layers;        /* as many as desc.layer_count at least */
    uint8_t layer_room;
    struct remb_cap cap;
    bool answer_remb;

    struct sink *sink;              /* what it sends; NULL: nothing */
    struct sink_numbers numbers;    /* where the sink before it stopped: the next one goes on from there */
    struct seal_tx_stream tx;
    struct seal_tx_stream tx_rtx;
    uint16_t rtx_seq;
    struct report_out report;
    struct traffic traffic;         /* sent */
    uint64_t nacks;                 /* sequence numbers that the peer has asked for */
    uint64_t remb_bps;              /* what it has said last; 0: nothing */
    struct sealed_ring *sealed;     /* NULL: RTX is used, or nothing sent yet */
};

/* A message that SCTP has no room for yet. */
struct data_out {
    struct list node;
    uint32_t cost;                  /* control's; 0: it came from the graph */
    uint32_t size;
    uint8_t label_size;
    uint8_t protocol_size;
    bool binary;
    uint8_t bytes[];                /* label, protocol, message */
};

/* The data line and its association (webrtc.md 19). From DATA_OFFERED on; the association from the moment when the line is
 * agreed and the peer is up. */
struct peer_data {
    struct peer *peer;
    struct data_port port;          /* where data sinks send */
    struct peer_data_desc desc;
    struct data_source *source;     /* what it receives */
    struct sctp *sctp;              /* NULL: none */
    struct dcep dcep;
    bool up;                        /* channels work */
    bool told_up;
    bool reading;                   /* a message of SCTP's buffer is being handed on: nothing may be sent meanwhile */
    bool held;                      /* SCTP is not read */
    uint32_t unread;                /* told to control and not done with */
    uint32_t taken;                 /* of control's, to be told */
    struct list outbox;             /* data_out.node */
    uint32_t outbox_bytes;          /* of the graph's messages in it */
    bool full;                      /* sources wait for us */
    bool given_up;                  /* they did, for too long: messages are lost until we have caught up */
    usec_t full_since;
    struct list dirty;              /* in env.data_dirty */
};

enum peer_phase { PEER_NEW, PEER_CONNECTING, PEER_UP, PEER_ENDED };

struct peer {
    struct peer_public face;        /* first */
    struct peer_env *env;
    enum peer_phase phase;
    struct ice *ice;
    struct dtls *dtls;              /* NULL until an address is verified and the remote is known */
    struct seal_keys *keys_out;     /* NULL until DTLS has connected */
    struct seal_keys *keys_in;
    bool remote_known;
    bool dtls_client;
    bool candidates_ended;
    bool was_connected;
    struct dtls_fingerprint fingerprint;
    bool has_verified;
    struct net_tuple verified;      /* where the other side was last proven to be: DTLS goes there before a pair is selected */
    usec_t ice_failed_at;           /* 0: not failed */
    uint8_t ice_told;               /* what event handlers know: enum ice_state, */
    uint8_t dtls_told;              /* enum dtls_state, */
    uint32_t retransmissions_told;  /* of DTLS */
    bool ice_lost;                  /* it was a connection that failed, not the attempt */
    usec_t tick_at;                 /* USEC_NEVER until up */
    usec_t up_at;
    usec_t connected_at;            /* the first pair was selected; 0: not yet */
    usec_t dtls_at;                 /* the handshake began; 0: not yet */
    usec_t keys_at;                 /* and was done */
    struct traffic dtls_in, dtls_out;       /* datagrams */
    uint32_t too_large;             /* RTP and RTCP that was dropped for its size */
    uint32_t ticks;
    uint32_t rtcp_index;
    struct rtp_ext_ids ext;
    uint16_t twcc_out_seq;
    struct twcc_in *twcc;           /* NULL until a packet carries the extension */
    bool has_clock;
    int64_t clock_offset_us;        /* ours = the peer's NTP clock + offset (see peer_rtcp_in.c) */
    struct seal_rtcp_rx rtcp_rx;
    struct peer_data *data;         /* NULL: no data line */
    uint16_t mline_count;
    uint16_t mline_room;
    uint16_t mline_hint;            /* of the last packet: looked at first */
    struct mline **mlines;
};

/* RTP noted by peer_input, opened by peer_receive_flush. */
struct rx_item {
    struct peer *peer;
    struct mline *mline;
    struct rtp_packet packet;
    uint64_t index;
    uint8_t layer;
    bool rtx;
    bool fresh;                     /* an SSRC not seen before: bound to the layer once it has proven authentic */
};

/* peer.c */
void peer_tell(struct peer *peer, const struct peer_event *event);
void peer_end(struct peer *peer, enum hangup_reason reason);
struct mline *peer_mline(const struct peer *peer, uint16_t mindex);
/* mline.c */
struct mline *mline_new(struct peer *peer, const struct mline_desc *desc);
void mline_free(struct mline *mline);
void mline_apply(struct mline *mline, usec_t now, const struct mline_desc *desc);
void mline_set_layer_ssrc(struct mline *mline, uint8_t layer, uint32_t ssrc);
bool mline_is_rtx_pt(const struct mline *mline, uint8_t pt);
bool mline_is_red_pt(const struct mline *mline, uint8_t pt);
uint8_t mline_rtx_pt(const struct mline *mline, uint8_t pt);         /* 0: none */
void mline_receiving(struct mline *mline, uint8_t layer, bool receiving, uint32_t seconds);
void mline_expire_sealed(struct mline *mline, usec_t now);
const struct sealed_packet *mline_sealed(const struct mline *mline, usec_t now, uint16_t seq);
/* peer_secure.c */
void peer_drain_ice(struct peer *peer, usec_t now);
void peer_drain_dtls(struct peer *peer, usec_t now);
void peer_start_dtls(struct peer *peer, usec_t now);
/* False: it is lost, as on any network. */
bool peer_send_record(struct peer *peer, usec_t now, struct view data);
/* peer_data.c */
void peer_data_apply(struct peer *peer, usec_t now, const struct peer_data_desc *desc);
void peer_data_start(struct peer *peer, usec_t now);         /* the peer has come up */
void peer_data_input(struct peer *peer, usec_t now, struct view packet);
void peer_data_timeout(struct peer *peer, usec_t now);
usec_t peer_data_deadline(const struct peer *peer);
void peer_data_free(struct peer *peer);
/* peer_rtp.c */
void peer_rtp_input(struct peer *peer, usec_t now, uint8_t *datagram, size_t size);
/* peer_output.c */
extern const struct port_ops peer_port_ops;
/* peer_rtcp_in.c */
void peer_rtcp_input(struct peer *peer, usec_t now, uint8_t *datagram, size_t size);
/* peer_rtcp_out.c */
void peer_send_reports(struct peer *peer, usec_t now);
void peer_send_nacks(struct peer *peer, struct mline *mline, struct rx_layer *layer, usec_t now);
void peer_send_pli(struct peer *peer, struct mline *mline);
void peer_send_remb(struct peer *peer, struct mline *mline, uint64_t bps);
void peer_send_twcc(struct peer *peer, usec_t now);
/* peer_report.c */
void traffic_second(struct traffic *traffic);      /* one has passed */
static inline void traffic_add(struct traffic *traffic, size_t bytes)
{
    traffic->packets++;
    traffic->bytes += bytes;
}
/* peer_tick.c */
void peer_tick(struct peer *peer, usec_t now);
