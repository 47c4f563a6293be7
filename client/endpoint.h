/* client/endpoint.h - one PeerConnection as a browser has it: descriptions out and in, datagrams in and out, packets sent
 * (client/synth.h) and received (client/verify.h). Pure. Owner: the program; its struct rtc gives what comes out.
 *
 *   endpoint_new -> endpoint_offer, endpoint_take_answer     or endpoint_answer
 *                -> endpoint_input, endpoint_received, endpoint_timeout -> endpoint_close -> endpoint_free
 * One local address, so a socket of its own: another server may mux its peers by address as we do (design section 2).
 * Simulcast is by SSRCs (a=ssrc-group:SIM): the rid extension is something that the server never writes. */
#pragma once

#include "client/rtc.h"
#include "client/verify.h"
#include "control/negotiate/negotiate.h"

#define ENDPOINT_LINES_MAX  64u
#define ENDPOINT_SDP_BYTES  (256u * 1024u)
#define ENDPOINT_LAYERS_MAX LAYERS_MAX
#define ENDPOINT_DATA_QUEUE (1024u * 1024u)     /* endpoint_send_data says ERR_FULL above it */

struct synth;

struct endpoint_line {
    struct ref source;              /* what comes in; REF_NONE: nothing */
    struct sink *receiver;          /* of that source: it ends in `verify` */
    struct verify verify;
    struct ref sending;             /* the sink on it; REF_NONE: none */
};

struct endpoint {
    struct rtc *rtc;
    void *owner;                    /* the caller's */
    struct ref name;
    struct peer *peer;
    struct net_addr base;
    struct negotiation negotiation;
    struct ice_credentials local;
    uint32_t sim_ssrc[LAYERS_MAX];  /* [1] and [2]: the layers above the line's own SSRC */
    uint32_t sim_rtx[LAYERS_MAX];
    uint8_t layers;                 /* sent by the video line: 1 .. LAYERS_MAX */
    uint16_t video_line;            /* the one with layers */
    bool controlling;
    bool hoards;                    /* messages that come are not paid back: this client does not read */
    uint32_t data_queued;           /* cost of the messages given to endpoint_send_data and not told to be under way yet */
    uint16_t line_count;            /* layers above the first follow the description's own lines */
    struct endpoint_line *lines[ENDPOINT_LINES_MAX];
};

/* `base` is the address of its socket. NULL: at the limit. */
struct endpoint *endpoint_new(struct rtc *rtc, const struct net_addr *base, bool offers, usec_t now);
void endpoint_close(struct endpoint *endpoint, usec_t now);     /* says goodbye: poll rtc_poll_tx before endpoint_free */
void endpoint_free(struct endpoint *endpoint, usec_t now);

struct endpoint_offer {
    enum sdp_direction audio;       /* SDP_INACTIVE: no such line */
    enum sdp_direction video;
    uint8_t layers;                 /* of the video sent: 0 or 1: no simulcast */
    bool svc;                       /* the video sent is VP9 with its layers in one stream; not with layers */
    bool data;                      /* a data line; not with layers */
};

/* The text is appended to `out`. False: a limit. */
bool endpoint_offer(struct endpoint *endpoint, const struct endpoint_offer *what, struct buf *out);
bool endpoint_take_answer(struct endpoint *endpoint, usec_t now, struct view sdp);
/* An offer is answered with all that it has, in the direction given. */
bool endpoint_answer(struct endpoint *endpoint, usec_t now, struct view offer, enum sdp_direction direction, struct buf *out);

/* A datagram from its socket; writable, with SEAL_ROOM bytes behind it, and it stays until endpoint_received. */
void endpoint_input(struct endpoint *endpoint, usec_t now, const struct net_addr *from, uint8_t *datagram, size_t size);
void endpoint_received(struct endpoint *endpoint, usec_t now);     /* after a batch of at most RECEIVE_BATCH */
void endpoint_timeout(struct endpoint *endpoint, usec_t now);
usec_t endpoint_deadline(const struct endpoint *endpoint, usec_t now);
bool endpoint_is_up(const struct endpoint *endpoint);

/* The first line of that kind which sends (receives); UINT16_MAX: none. */
uint16_t endpoint_line_of(const struct endpoint *endpoint, enum sdp_kind kind, bool sends);
/* What comes in on a line; NULL: nothing. */
const struct verify *endpoint_verify(const struct endpoint *endpoint, uint16_t line);

/* The line sends what the synth makes. Layer 0 is the line itself; higher ones exist with simulcast. False: it does not send. */
bool endpoint_send(struct endpoint *endpoint, usec_t now, uint16_t line, uint8_t layer, struct synth *synth);

/* A message on the channel of that label, which is opened when it is not there. ERR_STATE: no data line; ERR_FULL: RTC_DATA_ROOM
 * follows. */
enum err endpoint_send_data(struct endpoint *endpoint, usec_t now, struct view label, bool binary, struct view bytes);

/* endpoint_sdp.c, for endpoint.c. `offer` is what negotiate_remote has been given, anonymised. */
bool endpoint_write_answer(struct endpoint *endpoint, const struct sdp *offer, enum sdp_direction direction, struct buf *out);
void endpoint_write_order(const struct endpoint *endpoint, struct peer_apply_order *order);
uint16_t endpoint_described(const struct endpoint *endpoint);      /* lines of the description, layers not counted */
