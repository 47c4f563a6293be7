/* proto/bwe/twcc_in.h - the receive side of transport-wide congestion control: remembers when each numbered packet of a
 * PeerConnection arrived and builds the feedback (webrtc.md 17.1; format: proto/rtcp/twcc.h).
 * Owner: one peer that negotiated transport-cc. Pure: `now` is handed in. About 4.1 KB, fixed.
 *
 *   twcc_in_packet per packet that carries a transport sequence number, padding-only ones too;
 *   at twcc_in_deadline: while (twcc_in_build(...)) send the message.
 *
 * Reported once each: a packet that arrives after a higher number has already been reported is skipped (webrtc.md 17.1).
 * Gaps since the last feedback are reported as lost. */
#pragma once

#include "base/bytes.h"
#include "base/types.h"

#define TWCC_IN_PERIOD_US   MSEC(200)      /* webrtc.md 17.1, default of `twcc_period` */
#define TWCC_IN_MESSAGE_MAX 400u           /* webrtc.md 17.1: packets per message */
#define TWCC_IN_WINDOW      1024u          /* numbers between feedbacks; a jump over more starts anew */
#define TWCC_IN_HURRY       (TWCC_IN_WINDOW / 2)   /* so many waiting make the deadline now */

struct twcc_in {
    uint64_t base;                 /* extended number of the next packet to report; 0: nothing received yet */
    uint64_t end;                  /* one past the newest received; base == end: nothing waits */
    usec_t next_at;                /* when the waiting ones are to be reported */
    usec_t period_us;
    uint8_t feedback_count;
    uint32_t skipped;              /* arrived after their number was reported */
    uint32_t jumps;                /* restarts because of a jump in numbers */
    uint32_t ticks[TWCC_IN_WINDOW];    /* arrival in 250 us modulo 2^32, by number modulo the window; 0: not arrived */
};

void twcc_in_init(struct twcc_in *in, usec_t period_us);
void twcc_in_packet(struct twcc_in *in, usec_t now, uint16_t seq);
usec_t twcc_in_deadline(const struct twcc_in *in);             /* USEC_NEVER when nothing waits */

/* Appends one feedback message; true: there may be more, call again with fresh room. False: nothing (more) to report, or no
 * room at all: nothing was written. */
bool twcc_in_build(struct twcc_in *in, usec_t now, uint32_t sender_ssrc, uint32_t media_ssrc, struct writer *w);
