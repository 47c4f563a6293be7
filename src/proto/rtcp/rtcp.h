/* proto/rtcp/rtcp.h - RTCP packets (RFC 3550 section 6, RFC 4585, RFC 5104, draft-alvestrand-rmcat-remb-03): reading a
 * compound, and writing one. Pure functions over the caller's bytes; no state, no owner.
 *
 * Reading: struct rtcp_iter it = rtcp_iter_of(datagram); while (rtcp_next(&it, &packet)) switch (packet.pt) ...
 * The iterator believes the lengths and nothing else: a packet that would pass the end, has a wrong version or bad padding
 * ends the walk and sets it.failed; what stood before it counts. Compound rules (SR or RR first) are not enforced.
 * Views point into the datagram. Every count is bounded by the datagram (RTP_PACKET_MAX), so by 31 or about 370 entries.
 *
 * Writing: each rtcp_write_* appends one packet to `w`, or returns false and has written nothing when the room is too small:
 * flush the compound (webrtc.md 17.1: 1200 bytes) and write again. twcc.h writes transport-wide feedback. */
#pragma once

#include "base/bytes.h"
#include "base/types.h"

#define RTCP_COMPOUND_MAX 1200u    /* webrtc.md 17.1 */
#define RTCP_BLOCKS_MAX   31u      /* 5-bit count */
#define RTCP_NACK_BYTES   120u     /* webrtc.md 11: longest generic NACK we send */
#define RTCP_NACK_PAIRS   ((RTCP_NACK_BYTES - 12u) / 4u)

enum rtcp_type {                   /* RFC 3550 12.1, RFC 4585 6.1, RFC 3611 */
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205,
    RTCP_PSFB = 206,
    RTCP_XR = 207,
};

enum rtcp_rtpfb_format { RTCP_FMT_NACK = 1, RTCP_FMT_TWCC = 15 };
enum rtcp_psfb_format { RTCP_FMT_PLI = 1, RTCP_FMT_FIR = 4, RTCP_FMT_AFB = 15 };   /* AFB: REMB, if its FCI says so */

struct rtcp_iter {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct rtcp_packet {
    uint8_t pt;                    /* enum rtcp_type, or something else */
    uint8_t count;                 /* the 5 bits: report count, source count or feedback format */
    struct view body;              /* after the 4-byte header, padding taken off */
};

struct rtcp_iter rtcp_iter_of(struct view datagram);
bool rtcp_next(struct rtcp_iter *iter, struct rtcp_packet *out);

/* The first SSRC of the first packet: the sender's. False when there are under 8 bytes. */
bool rtcp_sender_ssrc(struct view datagram, uint32_t *ssrc);

/* ---- reports (RFC 3550 6.4) ---- */

struct rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp;                  /* 32.32 seconds since 1900 */
    uint32_t rtp_ts;
    uint32_t packets;
    uint32_t octets;
};

struct rtcp_block {
    uint32_t ssrc;                 /* the source it is about */
    uint8_t fraction_lost;         /* of 256 */
    int32_t lost;                  /* signed 24 bits: duplicates can make it negative */
    uint32_t highest_seq;          /* extended */
    uint32_t jitter;               /* in timestamp units */
    uint32_t lsr;                  /* middle 32 bits of the last SR's NTP; 0: none */
    uint32_t dlsr;                 /* in 1/65536 s */
};

bool rtcp_sr_parse(struct rtcp_sr *out, const struct rtcp_packet *packet);
bool rtcp_rr_parse(uint32_t *sender_ssrc, const struct rtcp_packet *packet);
/* The n-th report block of an SR or RR; false when it has no such one (count and bytes both decide). */
bool rtcp_block_at(struct rtcp_block *out, const struct rtcp_packet *packet, uint8_t index);

/* ---- BYE (RFC 3550 6.6); SDES is skipped by the iterator, nobody reads it ---- */

struct rtcp_bye {
    uint8_t count;
    struct view ssrcs;             /* 4 bytes each */
    struct view reason;            /* empty when absent or when its length passes the packet */
};

bool rtcp_bye_parse(struct rtcp_bye *out, const struct rtcp_packet *packet);

/* ---- feedback (RFC 4585 6.1) ---- */

struct rtcp_feedback {
    uint32_t sender_ssrc;
    uint32_t media_ssrc;
    struct view fci;
};

bool rtcp_feedback_parse(struct rtcp_feedback *out, const struct rtcp_packet *packet);   /* RTPFB or PSFB, any format */

/* Is it a keyframe request about `media_ssrc`? PLI names it in its header, FIR in its entries (RFC 5104 4.3.1.1). */
static inline bool rtcp_is_pli(const struct rtcp_packet *packet)
{
    return packet->pt == RTCP_PSFB && packet->count == RTCP_FMT_PLI;
}

static inline bool rtcp_is_fir(const struct rtcp_packet *packet)
{
    return packet->pt == RTCP_PSFB && packet->count == RTCP_FMT_FIR;
}

static inline bool rtcp_is_nack(const struct rtcp_packet *packet)
{
    return packet->pt == RTCP_RTPFB && packet->count == RTCP_FMT_NACK;
}

static inline bool rtcp_is_twcc(const struct rtcp_packet *packet)
{
    return packet->pt == RTCP_RTPFB && packet->count == RTCP_FMT_TWCC;
}

struct rtcp_fir {
    uint32_t ssrc;
    uint8_t seq;
};

bool rtcp_fir_at(struct rtcp_fir *out, const struct rtcp_feedback *feedback, size_t index);

/* Generic NACK (RFC 4585 6.2.1): every sequence number asked for, in order, wrapping at 65536.
 * struct rtcp_nack_iter it = rtcp_nack_iter_of(&feedback); while (rtcp_nack_next(&it, &seq)) ... */
struct rtcp_nack_iter {
    struct reader reader;
    uint16_t pid;
    uint32_t left;                 /* bits of PID (bit 0) and BLP (bits 1..16) not given out yet */
};

struct rtcp_nack_iter rtcp_nack_iter_of(const struct rtcp_feedback *feedback);
bool rtcp_nack_next(struct rtcp_nack_iter *iter, uint16_t *seq);

struct rtcp_remb {
    uint32_t sender_ssrc;
    uint64_t bitrate_bps;          /* saturates at UINT64_MAX */
    uint8_t ssrc_count;
    struct view ssrcs;             /* 4 bytes each */
};

/* False when it is not a REMB (other AFB, short, count passes the packet). */
bool rtcp_remb_parse(struct rtcp_remb *out, const struct rtcp_packet *packet);

/* ---- writing ---- */

bool rtcp_write_sr(struct writer *w, const struct rtcp_sr *sr, const struct rtcp_block *blocks, uint8_t count);
bool rtcp_write_rr(struct writer *w, uint32_t sender_ssrc, const struct rtcp_block *blocks, uint8_t count);
bool rtcp_write_sdes(struct writer *w, uint32_t ssrc, struct view cname);     /* CNAME only; up to 255 bytes */
bool rtcp_write_pli(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc);
bool rtcp_write_fir(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t seq);

/* Packs ascending sequence numbers into PID+BLP, up to RTCP_NACK_PAIRS of them. Returns how many of `seqs` went in;
 * fewer than `count`: write the rest in another packet. 0: no room, or count is 0. */
size_t rtcp_write_nack(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs, size_t count);

/* REMB alone, and as the reference sends it: an empty RR with sender SSRC 0 in front (webrtc.md 17.1). At most 255 SSRCs. */
bool rtcp_write_remb(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs, uint8_t count);
bool rtcp_write_rr_remb(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs, uint8_t count);
