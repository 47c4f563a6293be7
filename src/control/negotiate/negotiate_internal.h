/* control/negotiate/negotiate_internal.h - what the files of this folder share. */
#pragma once

#include "control/negotiate/negotiate.h"

/* rtpmap, fmtp, rtcp-fb: a payload type comes first in their value. */
bool is_about_pt(const struct sdp_attr *attr);
/* An application line that carries data channels. */
bool is_data_line(const struct sdp_mline *mline);
/* Characters that may stand in a list of mids or an msid: RFC 8866's token and a little more, but no blanks. */
bool is_word(struct view text);

/* Everything of one line but its mid. False: 465 "Error processing SDP" (a malformed msid). `remote` collects what is
 * common to all lines: extension ids and the rtx map. */
bool remote_compile_mline(struct remote_description *remote, struct remote_mline *out, const struct sdp_mline *mline,
                          bool rid_lowest_first);
/* rid and simulcast attributes of one line (remote_rid.c). */
void remote_compile_rids(struct remote_mline *out, const struct sdp_mline *mline, bool lowest_first);

void remote_free(struct remote_description *remote);
void local_free(struct local_description *local);

/* ---- rtx payload types of our own offers (webrtc.md 3.3) ---- */

struct rtx_pts {
    uint8_t of[SDP_PTS_MAX];        /* media PT -> rtx PT; 0: none */
    bool used[SDP_PTS_MAX];         /* by anything in this PeerConnection */
};

/* The one for media PT `pt`, now or before; 0 when all are in use. */
uint8_t rtx_give(struct rtx_pts *rtx, uint8_t pt);
/* n->remote moves into n->before, with all that an offer may change. */
void negotiation_keep(struct negotiation *n);
