/* tests/unit/peer/duo.h - two peers and a network between them, in virtual time, each with an environment of its own as a
 * worker has. Side A offers nothing and knows nothing of SDP either: what negotiation would say is filled in by duo_line.
 *
 * duo_init; duo_line per m-line; duo_start; duo_run. What A sends on a line is fed with duo_feed (media/rig.h's publishers),
 * what B receives there comes out at duo_ear's port. Everything that is sealed is checked: no (key, SSRC, index) twice. */
#pragma once

#include "support/seams.h"

#include "media/rig.h"
#include "peer/peer_private.h"
#include "proto/rtp/demux.h"
#include "proto/rtp/ext.h"

enum { A, B };

#define DUO_LINES 4

struct flight {
    usec_t at;
    int to;
    size_t size;
    uint8_t *data;
};

enum fate { FATE_DELIVER, FATE_DROP, FATE_TWICE, FATE_LATE };

struct side {
    struct peer_env env;
    struct media media;
    struct slots sources;
    struct slots sinks;
    struct slots data_sources;
    struct slots data_sinks;
    struct rng rng;
    uint64_t seed;
    struct net_addr base;
    struct peer *peer;
    struct ref name;
    struct peer_open_order open;

    struct mline_desc lines[DUO_LINES];
    struct peer_data_desc data;             /* set before duo_apply */
    bool hoards;                            /* messages are not paid back */
    struct source *feed_source[DUO_LINES];  /* what this side sends */
    struct sink *ear[DUO_LINES];            /* what comes out of what it receives */
    struct fake_port port[DUO_LINES];

    /* what its events said */
    bool up;
    usec_t up_at;
    bool ended;
    enum hangup_reason reason;
    usec_t ended_at;
    uint32_t bound;
    uint32_t claimed;
    uint32_t unbound;
    uint32_t ice_failed;
    usec_t ice_failed_at;
    uint32_t media_count;
    struct peer_event media_events[64];
    bool data_up;
    uint32_t data_count;                    /* messages */
    uint32_t data_cost, data_taken;         /* of those not paid back; of those sent */
    uint64_t data_bytes;
    struct data_packet *data_last;
    uint32_t slowlink_count;
    struct peer_event slowlink[16];
    uint32_t told;                      /* what event handlers would be told of */
    uint32_t after_end;                     /* events but for BIND and UNBIND after HANGUP: there must be none */

    uint32_t kinds[RTP_KIND_RTCP + 1];     /* datagrams sent, by kind */
    uint32_t keyframes_asked;
    struct seal_rtcp_rx rtcp_rx;            /* the test's own look at what comes in */
    struct rtcp_seen *rtcp;
    uint32_t rtcp_count, rtcp_room;
};

struct rtcp_seen {                          /* one packet of a compound that a side has received, opened */
    usec_t at;
    uint8_t pt;
    uint8_t count;
    uint16_t size;                          /* of the body, header taken off */
    uint8_t body[1500];
};

struct sealed_job {                         /* what has been sealed: key, SSRC, index */
    const struct seal_keys *keys;
    uint32_t ssrc;
    uint64_t index;
};

struct duo {
    usec_t now;
    usec_t delay_us;
    uint32_t random;
    bool a_is_dtls_server;
    uint16_t line_count;
    struct side side[2];
    struct flight *flights;
    uint32_t flight_count, flight_room;
    bool cut[2];                            /* what this side sends is lost */
    enum fate (*fate)(struct duo *duo, int from, uint8_t *datagram, size_t *size);
    uint32_t fate_a, fate_b;                /* the fate function's own */
    /* everything that a side has sent, if `taped` */
    bool taped;
    struct flight *tape[2];
    uint32_t tape_count[2], tape_room[2];
    struct sealed_job *jobs;
    size_t outstanding;
    uint32_t job_count, job_room;
};

struct duo_options {
    bool a_is_dtls_server;
    bool a_controlling;
    bool lite_b;
    bool regular;
    uint16_t profile;                       /* enum dtls_srtp_profile that A is held to; 0: all */
    struct peer_settings settings;          /* of both; zeros: the server's defaults */
    uint32_t sealed_limit;                  /* 0: plenty */
};

extern usec_t virtual_now;

void duo_init(struct duo *duo, const struct duo_options *options);
void duo_fini(struct duo *duo);             /* frees all, and fails unless all memory is home */

struct duo_line {
    enum codec codec;
    bool a_sends, b_sends;
    bool nack;
    bool rtx;
    uint8_t layers;                         /* sent by whoever sends; 0: 1 */
    bool by_rid;                            /* SSRCs are not told, rids are */
    bool by_mid;                            /* SSRCs are not told either */
};

/* The next m-line of both sides: payload type 96 (111 for Opus), RTX 97, extension ids as in Chromium. */
uint16_t duo_line(struct duo *duo, const struct duo_line *line);

/* Both get each other's descriptions and candidates (and their end, unless `trickle`). */
void duo_start(struct duo *duo);
void duo_apply(struct duo *duo, int side, bool start, bool restart);       /* as it stands in lines[] */
void duo_introduce(struct duo *duo, int side);                             /* tells `side` the other's candidate */
void duo_end_candidates(struct duo *duo, int side);
void duo_connect(struct duo *duo);          /* start, and run until both are up; fails after 5 s */

void duo_run(struct duo *duo, usec_t until);
void duo_run_for(struct duo *duo, usec_t us);
bool duo_run_until(struct duo *duo, bool (*done)(struct duo *duo), usec_t limit);
void duo_turn(struct duo *duo, int side);   /* after direct calls: events noted, keyframes asked, sealed and sent */

/* Control's message. */
void duo_say(struct duo *duo, int side, const char *label, const char *protocol, bool binary, const void *bytes, size_t size);

/* A publisher's layer on a line that `side` sends. Made and attached on first use (one feed per layer). */
void duo_feed(struct duo *duo, int side, uint16_t line, uint8_t layer, struct feed *feed);
/* The port where what `side` receives on that line comes out. Made on first use. */
struct fake_port *duo_ear(struct duo *duo, int side, uint16_t line);

/* A datagram as if it came from the other side's address. */
void duo_inject(struct duo *duo, int to, const uint8_t *data, size_t size);
/* Seals an RTP packet, or an RTCP compound, as `from` would: for what our own peers never send. */
size_t duo_seal_rtp(struct duo *duo, int from, uint8_t *packet, size_t header_size, size_t size, uint64_t index);
size_t duo_seal_rtcp(struct duo *duo, int from, uint8_t *compound, size_t size);

/* The n-th RTCP packet of that kind which `side` has received; NULL: there were fewer. `parsed` points into it. */
const struct rtcp_seen *duo_rtcp(const struct duo *duo, int side, uint8_t pt, uint8_t format, uint32_t n, struct rtcp_packet *parsed);
uint32_t duo_rtcp_count(const struct duo *duo, int side, uint8_t pt, uint8_t format);
#define ANY_FORMAT 255u

uint32_t duo_ssrc(int side, uint16_t line, uint8_t layer);
uint32_t duo_rtx_ssrc(int side, uint16_t line, uint8_t layer);
uint32_t duo_dice(struct duo *duo, uint32_t sides);
