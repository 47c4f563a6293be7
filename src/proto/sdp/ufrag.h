/* proto/sdp/ufrag.h - our ICE user name fragments name the peer they belong to (design section 2), so a STUN request finds
 * its peer without a table of strings: 4 ICE characters of slot, 4 of generation (24 bits each, 6 bits a character, the high
 * ones first), 4 random ones. The random part is what a restart changes (RFC 8445 2.4). Not a secret: the password is. */
#pragma once

#include "base/rng.h"
#include "base/types.h"

#define UFRAG_CHARS      12u
#define UFRAG_PART_BITS  24u
#define UFRAG_PART_LIMIT (1u << UFRAG_PART_BITS)      /* a worker has fewer peers than this; generations are cut to it */

/* `peer.slot` is below UFRAG_PART_LIMIT; of the generation the low 24 bits are written. */
void ufrag_write(char out[UFRAG_CHARS + 1], struct ref peer, struct rng *rng);

/* Reads the first 8 characters of one that we wrote; longer texts are fine (the caller cuts at the colon). False: not of
 * that form. The peer must then be asked whether the whole fragment is its own. */
bool ufrag_parse(struct view text, uint32_t *slot, uint32_t *generation24);
