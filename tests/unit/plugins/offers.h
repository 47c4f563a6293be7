/* tests/unit/plugins/offers.h - descriptions of clients, as the core hands them to plugins (webrtc.md 2), and looking into ours. */
#pragma once

#include "support/seams.h"

#include <stdbool.h>

#define OFFER_ROOM 32768

struct offer_line {
    const char *kind;           /* "audio", "video", "application" */
    const char *direction;      /* NULL: sendrecv, not written */
    const char *mid;            /* NULL: none */
    const char *codecs;         /* "opus pcmu" or "vp8 vp9 h264", in the browser's order; RED with "red" */
    const char *fmtp;           /* of the first codec; NULL: none */
    bool rejected;              /* port 0 */
    bool bare;                  /* without extensions and feedback */
};

/* The text is static: the next call overwrites the one before last. */
const char *offer_of(const struct offer_line *lines, unsigned count);
const char *offer_av(void);     /* audio and video, sendonly, mids 0 and 1: opus and vp8 among others */

/* The lines of m-line `index` (from "m=" on), one per line, without CR; and whether one of them is `line`. */
bool line_has(const char *sdp, unsigned index, const char *line);
/* The m-line's attributes are these and no others: lines separated by \n, in any order. */
void expect_line(const char *sdp, unsigned index, const char *lines);
bool session_has(const char *sdp, const char *line);
unsigned line_count(const char *sdp);
