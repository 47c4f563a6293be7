#include "media/history.h"

#include <string.h>

#include "base/check.h"
#include "media/seqmap.h"

#define EXPIRED_PER_PUT 4u

static struct kept_packet **slot_of(const struct history *history, uint16_t seq)
{
    return &history->ring->slots[seq & (HISTORY_PACKETS - 1)];
}

static void drop(struct history *history, struct media *media, uint16_t seq)
{
    struct kept_packet **slot = slot_of(history, seq);
    if (*slot == NULL || (*slot)->packet.seq != seq)
        return;
    pool_put(&media->packets, *slot);
    *slot = NULL;
    history->count--;
}

static void drop_through(struct history *history, struct media *media, uint16_t seq)
{
    while (history->count > 0 && seq_distance(history->oldest, seq) <= 0)
        drop(history, media, history->oldest++);
}

static void release_ring(struct history *history, struct media *media)
{
    CHECK(history->count == 0);
    pool_put(&media->rings, history->ring);
    history->ring = NULL;
}

void history_clear(struct history *history, struct media *media)
{
    if (history->ring != NULL) {
        drop_through(history, media, history->newest);
        release_ring(history, media);
    }
    *history = (struct history){0};
}

static void keep(struct kept_packet *kept, const struct media_packet *packet)
{
    kept->packet = *packet;
    kept->packet.payload = kept->bytes;
    kept->packet.raw = NULL;
    if (packet->payload_size > 0)
        memcpy(kept->bytes, packet->payload, packet->payload_size);
    struct view descriptor = packet->ext.dependency_descriptor;
    if ((packet->ext.has & RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR) == 0 || descriptor.size == 0)
        return;
    memcpy(kept->bytes + packet->payload_size, descriptor.data, descriptor.size);
    kept->packet.ext.dependency_descriptor.data = kept->bytes + packet->payload_size;
}

static size_t bytes_of(const struct media_packet *packet)
{
    bool described = (packet->ext.has & RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR) != 0;
    return packet->payload_size + (described ? packet->ext.dependency_descriptor.size : 0);
}

/* Makes room in the window for `seq`; false when it is too old to be kept. */
static bool move_window(struct history *history, struct media *media, uint16_t seq)
{
    if (history->count == 0) {
        history->oldest = history->newest = seq;
        return true;
    }
    int16_t ahead = seq_distance(seq, history->newest);
    if (ahead <= 0) {
        if (seq_distance(seq, history->oldest) < 0) {
            if (seq_distance(history->newest, seq) >= (int16_t)HISTORY_PACKETS)
                return false;
            history->oldest = seq;
        }
        return true;
    }
    drop_through(history, media, (uint16_t)(seq - HISTORY_PACKETS));
    if (history->count == 0)
        history->oldest = seq;
    history->newest = seq;
    return true;
}

/* The oldest number in the window goes if its packet is old, or if it is a hole. False: nothing goes. */
static bool expire_oldest(struct history *history, struct media *media, usec_t now)
{
    if (history->count == 0)
        return false;
    const struct kept_packet *kept = *slot_of(history, history->oldest);
    if (kept != NULL && kept->packet.seq == history->oldest && now - kept->packet.arrived < HISTORY_KEEP_US)
        return false;
    drop(history, media, history->oldest++);
    return true;
}

void history_put(struct history *history, struct media *media, const struct media_packet *packet)
{
    if (bytes_of(packet) > HISTORY_BYTES)
        return;
    if (history->ring == NULL) {
        history->ring = pool_get(&media->rings);
        if (history->ring == NULL) {
            media->counters.history_full++;
            return;
        }
    }
    /* Old ones go as new ones come: a running stream lives on the memory it has, and forwarding allocates nothing. */
    for (unsigned i = 0; i < EXPIRED_PER_PUT && expire_oldest(history, media, packet->arrived); i++)
        ;
    if (!move_window(history, media, packet->seq))
        return;
    struct kept_packet **slot = slot_of(history, packet->seq);
    if (*slot != NULL)
        return;                     /* a duplicate */
    *slot = pool_get(&media->packets);
    if (*slot == NULL) {
        media->counters.history_full++;
        if (history->count == 0)
            release_ring(history, media);
        return;
    }
    history->count++;
    keep(*slot, packet);
    if (packet->keyframe && (!history->has_key || seq_distance(packet->seq, history->key_seq) > 0)) {
        history->has_key = true;
        history->key_seq = packet->seq;
        history->key_at = packet->arrived;
    }
}

const struct media_packet *history_get(const struct history *history, uint16_t seq)
{
    if (history->ring == NULL)
        return NULL;
    const struct kept_packet *kept = *slot_of(history, seq);
    return kept != NULL && kept->packet.seq == seq ? &kept->packet : NULL;
}

void history_expire(struct history *history, struct media *media, usec_t now)
{
    while (expire_oldest(history, media, now))
        ;
    if (history->count == 0 && history->ring != NULL)
        release_ring(history, media);
}
