/* tests/unit/peer/craft.h - authentic packets that none of our peers would send. */
#pragma once

#include "duo.h"

struct craft {
    uint32_t ssrc;
    uint8_t pt;
    uint16_t seq;
    uint32_t ts;
    const char *mid, *rid, *repaired_rid;   /* NULL: the element is not there */
    bool key;                               /* a VP8 keyframe begins */
    int osn;                                /* RTX: original sequence number; -1: media */
    const uint8_t *payload;                 /* instead of a VP8 packet of PAYLOAD_SIZE; NULL: that */
    size_t payload_size;
    uint64_t index;                         /* 0: the sequence number */
    uint32_t content;
};

/* Sealed as `from` would, and received by the other side. Returns the datagram's size. */
size_t craft_send(struct duo *duo, int from, const struct craft *what);
/* The same, not sent: `out` has 1,600 bytes. */
size_t craft_write(struct duo *duo, int from, const struct craft *what, uint8_t *out);
