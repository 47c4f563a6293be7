/* media/history.h - the last second of one layer's packets, kept once for all receivers (design section 5).
 * Memory comes when packets come and goes back when they are old: an idle layer holds nothing. Owner: a source's layer. */
#pragma once

#include "media/media.h"

#define HISTORY_KEEP_US  SEC(1)
#define HISTORY_PACKETS  1024u      /* of one layer: 1 s at 10 Mb/s; a power of two */
#define HISTORY_BYTES    1500u      /* of one packet, descriptor included */

struct kept_packet {
    struct media_packet packet;     /* its pointers are into `bytes` */
    uint8_t bytes[HISTORY_BYTES];
};

struct history_ring {
    struct kept_packet *slots[HISTORY_PACKETS];
};

struct history {
    struct history_ring *ring;      /* NULL while empty */
    uint16_t oldest;                /* numbers oldest .. newest may be kept */
    uint16_t newest;
    uint32_t count;
    bool has_key;
    uint16_t key_seq;               /* first packet of the newest keyframe */
    usec_t key_at;
};

void history_clear(struct history *history, struct media *media);
/* Keeps a copy; a pool at its limit keeps nothing, and counts. */
void history_put(struct history *history, struct media *media, const struct media_packet *packet);
const struct media_packet *history_get(const struct history *history, uint16_t seq);
/* Gives back what is older than HISTORY_KEEP_US. */
void history_expire(struct history *history, struct media *media, usec_t now);
