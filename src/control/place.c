#include "control/place.h"

/* A home worker is too full for its groups when it has twice the peers of the emptiest and a few more: below that a relay
 * costs more than the imbalance. */
#define HEADROOM_FACTOR 2u
#define HEADROOM_PEERS  64u

static uint32_t emptiest(const struct control *c)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < c->config.worker_count; i++)
        if (c->seats[i].peers.count < c->seats[best].peers.count)
            best = i;
    return best;
}

uint32_t place_peer(struct control *c, uint64_t group)
{
    if (c->config.random_placement)
        return rng_u32(&c->rng) % c->config.worker_count;
    uint32_t best = emptiest(c);
    if (group == 0)
        return best;
    uint32_t home = (uint32_t)(hash_u64(&c->key, group) % c->config.worker_count);
    uint32_t room = c->seats[best].peers.count * HEADROOM_FACTOR + HEADROOM_PEERS;
    return c->seats[home].peers.count <= room ? home : best;
}
