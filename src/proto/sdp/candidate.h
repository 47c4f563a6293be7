/* proto/sdp/candidate.h - ICE candidates as text (RFC 8839 5.1, RFC 6544 4.5 for TCP). Pure; keeps nothing. */
#pragma once

#include "base/buf.h"
#include "base/types.h"
#include "proto/ice/ice_types.h"

/* webrtc.md 6.3 */
#define CANDIDATE_FOUNDATION_CHARS_MAX 32u
#define CANDIDATE_TRANSPORT_CHARS_MAX  3u
#define CANDIDATE_ADDRESS_CHARS_MAX    49u

enum candidate_result {
    CANDIDATE_OK,          /* *out is whole */
    CANDIDATE_NAME,        /* an mDNS name instead of an address: *out has no IP yet, *name is the name (draft-ietf-mmusic-mdns-ice-candidates) */
    CANDIDATE_SKIPPED,     /* well-formed, but for component 2 */
    CANDIDATE_END,         /* empty, or "end-of-candidates": acknowledged and ignored (janus-api.md 6.1) */
    CANDIDATE_INVALID,
};

/* Takes "candidate:1 1 udp ...", "a=candidate:1 1 udp ..." and "1 1 udp ...". `name` is a view into `text`. */
enum candidate_result candidate_parse(struct ice_candidate *out, struct view *name, struct view text);

/* "1 1 udp 2015363327 203.0.113.9 20014 typ host" (webrtc.md 6.1): in SDP it follows `a=candidate:`, in trickle events
 * `candidate:`. */
void candidate_write(const struct ice_candidate *candidate, struct buf *out);
