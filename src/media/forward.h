/* media/forward.h - one layer of a source for somebody outside: packets go on as they came, with the publisher's own payload
 * type, SSRC, numbers, time and extensions (videoroom.md 6.2). Only a probe's number is closed up, since its packet is not
 * worth sending and a gap would be taken for loss. What the port makes of them is the port's business.
 * Owner: the source's worker. Embedded in the object that has the port.
 *
 *   forward_attach -> forward_offer per packet -> forward_detach (also when the source goes) */
#pragma once

#include "base/list.h"
#include "media/packet.h"
#include "media/port.h"
#include "media/seqmap.h"

struct source;

struct forward {
    struct list by_source;          /* in source.forwards while it has one */
    struct source *source;          /* NULL: silent */
    struct port *port;
    uint8_t layer;
    uint8_t epoch;
    bool started;
    struct seqmap seqs;
};

void forward_attach(struct forward *forward, struct source *source, uint8_t layer, struct port *port);
void forward_detach(struct forward *forward);           /* harmless when it is not attached */
void forward_offer(struct forward *forward, const struct media_packet *packet);
