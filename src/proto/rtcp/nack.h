/* proto/rtcp/nack.h - which lost packets of one received layer to ask for, and when (webrtc.md 11).
 * Owner: one source layer. Pure: `now` is handed in. 184 bytes, fixed.
 *
 * Losses are kept as runs of neighbours found at the same moment, asked equally often. A run is asked for 12 ms after a
 * later packet has shown it to be missing, and once more 155 ms after it was found; then it is kept, up to 5 s, only to
 * recognise the retransmission. A newer keyframe makes all of it pointless and clears the list.
 *
 *   nack_input on each arriving media packet; then, and at nack_deadline, nack_poll until it gives 0; send what it gives.
 *
 * The reference asks on arrivals only, so the last losses before a pause are never asked for. Here the deadline asks too.
 * What cannot be seen is the loss of the very last packets: nothing later shows the gap. */
#pragma once

#include "base/types.h"

#define NACK_WINDOW        160u        /* webrtc.md 11: sequence numbers tracked behind the newest */
#define NACK_BEHIND_MAX    1000        /* older than this behind the newest is a restart, not a late packet */
#define NACK_FIRST_US      MSEC(12)
#define NACK_SECOND_US     MSEC(155)
#define NACK_REMEMBER_US   SEC(5)      /* for nack_is_wanted: how long after it was found */
#define NACK_RUNS_MAX      20u         /* when full, the run nearest to its end makes room: asked most often, then oldest */

struct nack_run {
    uint16_t first;
    uint8_t count;                 /* 1..NACK_WINDOW */
    uint8_t asked;                 /* 0, 1 or 2 times */
    uint32_t since_ms;             /* when the gap was found; wraps after 49 days */
};

struct nack_gen {
    uint16_t newest;
    bool started;
    uint8_t count;
    uint32_t asked_total;          /* sequence numbers asked for, repeats included */
    uint32_t dropped;              /* given up because the list was full */
    struct nack_run runs[NACK_RUNS_MAX];   /* in order of sequence numbers */
};

enum nack_seen {
    NACK_SEEN_NEW,                 /* the newest so far (with or without a gap before it) */
    NACK_SEEN_RECOVERED,           /* fills a hole, late or retransmitted */
    NACK_SEEN_OLD,                 /* neither: a duplicate, or a hole we no longer track */
    NACK_SEEN_RESTART,             /* a jump: tracking begins anew, nothing is asked for */
};

void nack_init(struct nack_gen *nack);
enum nack_seen nack_input(struct nack_gen *nack, usec_t now, uint16_t seq, bool keyframe);

/* Up to `room` sequence numbers to ask for now, ascending and never splitting a run between two asks; each call
 * marks what it gives as asked. 0: nothing (more) is due. `room` must be at least NACK_WINDOW. */
size_t nack_poll(struct nack_gen *nack, usec_t now, uint16_t *seqs, size_t room);
usec_t nack_deadline(const struct nack_gen *nack, usec_t now);      /* USEC_NEVER when nothing is to be asked */

/* Was it asked for, and has it not come yet? Retransmissions (RTX) of anything else are dropped: webrtc.md 10, item 4. */
bool nack_is_wanted(const struct nack_gen *nack, usec_t now, uint16_t seq);
