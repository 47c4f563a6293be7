/* proto/rtp/red.h - redundant audio (RFC 2198): what a packet carries first of all. Pure. */
#pragma once

#include "base/types.h"

/* The primary encoding of a RED payload, which stands last in it. False: truncated, or nothing in it. */
bool red_primary(struct view payload, struct view *out);
/* The payload type of that encoding, as the payload says. False: as above. */
bool red_primary_pt(struct view payload, uint8_t *pt);
