/* proto/rtp/red.h - redundant audio (RFC 2198): what a packet carries first of all. Pure. */
#pragma once

#include "base/types.h"

/* The primary encoding of a RED payload, which stands last in it. False: truncated, or nothing in it. */
bool red_primary(struct view payload, struct view *out);
