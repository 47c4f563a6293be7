/* proto/rtcp/twcc.h - the format of transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).
 * Pure. What to report, and when, is bwe/twcc_in.h's business.
 *
 * Reading: twcc_parse, then struct twcc_iter it = twcc_iter_of(&twcc); while (twcc_next(&it, &status)) ... */
#pragma once

#include "proto/rtcp/rtcp.h"

#define TWCC_DELTA_UNIT_US     250u          /* 3.1.5 */
#define TWCC_REFERENCE_UNIT_US 64000u        /* 3.1: 64 ms, 24 bits, signed in the draft; we treat it as wrapping */
#define TWCC_READ_MAX          4096u         /* statuses: 4 s of 1,000 packets; a few bytes could claim 65,535 of them */
#define TWCC_TICKS_PER_REFERENCE (TWCC_REFERENCE_UNIT_US / TWCC_DELTA_UNIT_US)

struct twcc {
    uint32_t sender_ssrc;
    uint32_t media_ssrc;
    uint16_t base_seq;
    uint16_t count;                /* of packet statuses */
    uint32_t reference_time;       /* 24 bits, in 64 ms */
    uint8_t feedback_count;
    uint16_t received;             /* how many of the statuses say "received" */
    struct view chunks;
    struct view deltas;
};

struct twcc_status {
    uint16_t seq;
    bool received;
    int64_t arrival_us;            /* since reference_time; means something with `received` */
};

struct twcc_iter {
    struct reader chunks;
    struct reader deltas;
    uint16_t seq;
    uint16_t left;                 /* statuses not given out yet */
    uint16_t chunk;                /* the current one */
    uint16_t chunk_left;           /* its symbols not given out yet */
    int64_t arrival_us;
};

/* Checks chunks and deltas to the end, so that twcc_next cannot fail half-way. False: not a TWCC feedback, truncated, no
 * statuses or more than TWCC_READ_MAX, or a reserved symbol. */
bool twcc_parse(struct twcc *out, const struct rtcp_packet *packet);
struct twcc_iter twcc_iter_of(const struct twcc *twcc);
bool twcc_next(struct twcc_iter *iter, struct twcc_status *out);

/* A message to be written. `ticks[i]` is the arrival of base_seq + i in units of 250 us on the caller's clock (which counts
 * from anywhere; only its value modulo 2^24 * 64 ms reaches the wire), or TWCC_LOST. */
#define TWCC_LOST       INT64_MIN
#define TWCC_STATUS_MAX 1024u      /* statuses in one message of ours */

struct twcc_out {
    uint32_t sender_ssrc;
    uint32_t media_ssrc;
    uint16_t base_seq;
    uint16_t count;                /* at most TWCC_STATUS_MAX */
    uint8_t feedback_count;
    int64_t now_tick;              /* the reference time of a message that tells of losses only */
    const int64_t *ticks;
};

/* Appends one message with as many of the statuses as fit `w` and the 16-bit deltas; trailing losses are reported too.
 * Returns how many went in (fewer than count: send the rest with the next feedback_count), or 0 and nothing written when
 * there is no room or nothing to report. */
uint16_t twcc_write(struct writer *w, const struct twcc_out *out);
