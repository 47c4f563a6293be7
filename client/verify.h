/* client/verify.h - the end of a received line: a port that looks at every packet which synth.h has made. Are its bytes those
 * that were sent, do the numbers that the server gave it go up as the sender's did, what is missing, how long did it take?
 * Owner: the endpoint's line. */
#pragma once

#include "media/port.h"

#define VERIFY_WINDOW   4096u       /* counters remembered, to tell late packets from repeated ones; a power of two */
#define VERIFY_LAYERS   3u          /* of synth_svc */
#define VERIFY_BINS     64u         /* of the delay: two per doubling, from 16 us */

struct verify {
    struct port port;               /* first */
    bool video;
    bool started;
    uint64_t packets;               /* each counted once */
    uint64_t bytes;
    uint64_t repeated;
    uint64_t strange;               /* not made by synth.h, or its bytes have changed */
    uint64_t renumbered;            /* the distance between the server's number and the sender's has changed */
    uint64_t out_of_time;           /* the time stamp went against the order of frames */
    uint64_t keyframes;
    usec_t layer_at[VERIFY_LAYERS]; /* when a packet of that spatial layer has last come; 0: never */
    usec_t first_at;
    usec_t last_at;
    uint32_t stream;
    uint32_t first;                 /* counters, as sent */
    uint32_t highest;
    uint16_t shift;
    uint32_t ts;                    /* of `highest` */
    uint64_t delay_bins[VERIFY_BINS];
    uint64_t seen[VERIFY_WINDOW / 64];
};

void verify_init(struct verify *verify, bool video);
uint64_t verify_lost(const struct verify *verify);      /* between the first and the highest counter */

/* The delay that `share` (0..1) of the packets do not exceed, in us, over all of `bins`. 0: no packets. */
usec_t verify_delay(const uint64_t bins[VERIFY_BINS], double share);
