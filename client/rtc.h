/* client/rtc.h - what all PeerConnections of a client share, as a worker's do: media graph, peer_env, DTLS identity, names.
 * Pure, like the peers themselves: datagrams go out by rtc_poll_tx, news by rtc_poll_event. Owner: the program's loop thread.
 *
 * After calls to endpoint_*, synth_* and rtc_timeout: drain rtc_poll_event and rtc_poll_tx until both say false, then look
 * at rtc_deadline and endpoint_deadline. `rtc_set_wall` once a turn: sender reports carry it. */
#pragma once

#include "media/sink.h"
#include "media/source.h"
#include "peer/peer.h"
#include "proto/rtp/codec.h"

struct endpoint;

struct rtc_config {
    uint32_t endpoints;             /* limits */
    uint32_t lines;
    uint32_t packets;               /* kept for retransmission, all lines together */
    enum seal_backend seal;
    usec_t twcc_period_us;          /* 0: 100 ms, as browsers do */
    void (*entropy)(void *source, uint8_t *out, size_t size);
    void *entropy_source;
};

struct rtc {
    struct media media;
    struct peer_env env;
    struct slots endpoints;         /* by the name of their peer */
    struct slots names;             /* of sources and sinks: minted here */
    struct slots sources;
    struct slots sinks;
    struct slots data_sources;      /* nothing is ever put into these two */
    struct slots data_sinks;
    struct data_packet *packet;     /* of the last event */
    struct ref packet_of;           /* whose it was */
    struct pool pool;               /* endpoints */
    struct pool lines;
    struct rng rng;
    struct dtls_identity *identity;
    char fingerprint[DTLS_FINGERPRINT_TEXT];
    uint32_t tagged;                /* items of the egress batch whose owner is known */
    uint32_t tx_at;                 /* the next one to be polled */
    uint32_t event_at;
    struct ref owner_of[EGRESS_ITEMS];
    uint64_t refused;               /* egress items of endpoints that were gone */
};

/* NULL, and `error` says why. */
struct rtc *rtc_new(const struct rtc_config *config, char error[DTLS_ERROR_TEXT]);
void rtc_free(struct rtc *rtc);                     /* every endpoint and synth is freed before */

void rtc_set_wall(struct rtc *rtc, uint64_t wall_us);
void rtc_timeout(struct rtc *rtc, usec_t now);      /* keyframes that are wanted; early calls are harmless */
usec_t rtc_deadline(const struct rtc *rtc);

struct rtc_tx {
    struct endpoint *endpoint;
    struct net_addr to;
    struct view datagram;           /* until the next call on this rtc */
};

bool rtc_poll_tx(struct rtc *rtc, usec_t now, struct rtc_tx *out);

enum rtc_event_kind {
    RTC_UP,
    RTC_ENDED,                      /* `reason` */
    RTC_DATA_UP,                    /* endpoint_send_data works */
    RTC_DATA,                       /* `packet`: a message has come */
    RTC_DATA_ROOM,                  /* some of what was sent is under way: there is room for more */
};

struct rtc_event {
    struct endpoint *endpoint;
    enum rtc_event_kind kind;
    enum hangup_reason reason;
    const struct data_packet *packet;       /* until the next call; it is paid back then, unless the endpoint hoards */
};

bool rtc_poll_event(struct rtc *rtc, struct rtc_event *out);

/* ---- for the other files of this folder ---- */

/* What lies in the batch without an owner is `endpoint`'s; sources that have lost their line are buried. */
void rtc_settle(struct rtc *rtc, struct endpoint *endpoint);
/* What `endpoint`'s data line has to send is put into the batch, as far as that has room. */
void rtc_turn_data(struct rtc *rtc, usec_t now, struct endpoint *endpoint);
/* Seals what is in the batch, so that keys may go. */
void rtc_seal(struct rtc *rtc, usec_t now);
