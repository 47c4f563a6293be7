/* control/negotiate/local.h - one run of negotiate_local, shared by local.c (resolves) and local_write.c (writes). */
#pragma once

#include "control/negotiate/negotiate_internal.h"

struct merge {
    const struct negotiation *n;
    const struct sdp *plugin;
    const struct negotiate_local_input *in;
    struct rng *rng;
    struct local_description *local;       /* ours until it is adopted */
    bool is_answer;
    bool rtx_wanted;
    struct rtx_pts rtx;                    /* in answers: the client's map */
    bool taken[SDP_PTS_MAX];               /* rtx PTs given out before this offer */
};

/* Goes `pt` of the plugin's line into the text? */
bool is_pt_kept(const struct merge *m, uint8_t pt);
bool is_ext_offered(const struct merge *m, enum sdp_ext ext);

void local_write(const struct merge *m, struct buf *out);
