/* media/hold.h - video waits for the rest of its frame (design section 5, the egress policy). A publisher's packets come one by one,
 * a frame of them within a millisecond or two; each on its own is a system call's work per receiver, five of them together one GSO
 * send: a third of the cost. So a source with several receivers holds the packets of a frame, in its history, until the one with
 * the marker comes, or for media.hold_us; then every receiver gets all of them. The marker's own packet never waits, so a frame
 * is complete as early as without this.
 *
 * Not held: audio, packets that come late or again, whatever the history does not keep, and forwards and recordings' like, who get
 * what comes as it comes. Packets of a frame differ by a byte at most in what browsers send (traps.md), and a GSO run has one size:
 * those that are a byte short get one byte of padding (RFC 3550 5.1) when media.pads.
 *
 * Owner: the source. source_input calls hold_make_room and hold_packet; whoever changes who gets what, hold_let_go first;
 * the worker, hold_timeout when hold_deadline has come. */
#pragma once

#include "media/source.h"

#define HOLD_PACKETS   16u          /* of a frame that go together: as many as a GSO run may have; bits of source_hold.mask */
#define HOLD_RECEIVERS 3u           /* with fewer there is nothing to be had */

/* Before the packet is put into the history: what waits there and would not stand together with it, goes. */
void hold_make_room(struct source *source, struct source_layer *layer, const struct media_packet *packet);
/* A packet that the history may have now; `newest`: of its layer. False: it is not held, and the caller hands it on. */
bool hold_packet(struct source *source, struct source_layer *layer, const struct media_packet *packet, bool newest);
/* All that is held, of every layer. */
void hold_let_go(struct source *source);
void hold_timeout(struct media *media, usec_t now);
usec_t hold_deadline(const struct media *media);       /* USEC_NEVER: nothing is held */
