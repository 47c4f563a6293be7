/* proto/rtcp/report.h - the numbers behind sender and receiver reports (RFC 3550 6.4, A.1, A.3, A.8). Pure.
 *
 * `report_in`: one per received SSRC. Owner: the source layer.
 *   report_in_packet per packet, report_in_sr per SR, report_in_block once per RR sent (every second).
 * `report_out`: one per sent SSRC. Owner: whoever numbers its packets.
 *   report_out_packet per packet, report_out_sr once per SR sent, report_out_block per report block about it.
 * Everything else is for statistics and slowlink (webrtc.md 17.2, 18): read the fields. */
#pragma once

#include "proto/rtcp/rtcp.h"

struct report_in {
    uint32_t clock_hz;
    bool started;
    uint64_t base_seq;             /* extended as in rtp/seq.h */
    uint64_t newest_seq;
    uint64_t received;             /* packets, duplicates included (A.3) */
    uint64_t bytes;
    uint64_t recovered;            /* of them, retransmissions the caller reported: not lost, for slowlink's taste */
    uint64_t expected_prior;
    uint64_t received_prior;
    uint32_t transit;              /* of the last packet, in timestamp units, modulo 2^32 */
    uint32_t jitter_q4;            /* 16 times the jitter (A.8) */
    uint32_t lsr;
    usec_t sr_at;                  /* arrival of that SR; 0: none yet */
    uint64_t sr_ntp;
    uint32_t sr_rtp_ts;
    uint64_t lost_seen;            /* for report_in_lost_since */
    uint64_t recovered_prior;
    uint8_t quality;               /* % of what was expected that came, without retransmissions; renewed with every block */
    uint8_t media_quality;         /* and with them */
};

void report_in_init(struct report_in *report, uint32_t clock_hz);
/* A media packet arrived (not RTX; a packet recovered from RTX goes to report_in_recovered). `size`: bytes of payload. */
void report_in_packet(struct report_in *report, usec_t now, uint16_t seq, uint32_t ts, uint16_t size);
void report_in_recovered(struct report_in *report, uint16_t seq, uint16_t size);
void report_in_sr(struct report_in *report, usec_t now, const struct rtcp_sr *sr);
/* Fills a report block about `ssrc` and starts the next interval. False: nothing received yet, so nothing to report. */
bool report_in_block(struct report_in *report, usec_t now, uint32_t ssrc, struct rtcp_block *out);

int64_t  report_in_lost(const struct report_in *report);           /* expected - received, from the start; may be negative */
uint32_t report_in_lost_since(struct report_in *report);           /* newly lost since the last call, recoveries taken off */
uint32_t report_in_jitter_us(const struct report_in *report);

struct report_out {
    uint32_t clock_hz;
    bool started;
    uint32_t packets;
    uint32_t octets;               /* payload only, as SR wants it; wraps */
    uint32_t last_ts;
    usec_t last_at;
    /* from the other side */
    bool has_rtt;
    uint32_t rtt_us;               /* last */
    uint32_t rtt_lsr;              /* what the last RTT was computed from, for event handlers */
    uint32_t rtt_dlsr;
    uint32_t rtt_ntp;              /* and when: the middle 32 bits of our NTP clock */
    uint8_t fraction_lost;
    int32_t lost;                  /* cumulative, as reported */
    int32_t lost_seen;             /* for report_out_lost_since */
    uint32_t jitter;               /* in timestamp units */
    uint32_t highest_seq;
    /* % of what was sent that arrived at once (by its NACKs), and in the end (by its reports) */
    uint8_t quality;
    uint8_t media_quality;
    uint32_t nacks;                /* sequence numbers it asked for: the caller counts */
    uint32_t nacks_prior, packets_prior, highest_prior;
    int32_t lost_prior;
    uint64_t rated_at;             /* NTP; 0: not yet */
};

void report_out_init(struct report_out *report, uint32_t clock_hz);
void report_out_packet(struct report_out *report, usec_t now, uint32_t ts, uint16_t payload_size);
/* Fills an SR for `ssrc`; the RTP timestamp is extrapolated from the last packet (webrtc.md 17.1). False: nothing sent yet. */
bool report_out_sr(const struct report_out *report, usec_t now, uint64_t ntp_now, uint32_t ssrc, struct rtcp_sr *out);
/* Takes a report block about this SSRC. `ntp_now` must come from the same clock as the SRs'. */
void report_out_block(struct report_out *report, uint64_t ntp_now, const struct rtcp_block *block);
uint32_t report_out_lost_since(struct report_out *report);         /* newly reported lost since the last call */
uint32_t report_out_jitter_us(const struct report_out *report);
