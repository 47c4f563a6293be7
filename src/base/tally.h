/* base/tally.h - how many of something each address has, with one limit for all. Of IPv6 the first 64 bits count: that is what one
 * customer is given. Owner: one actor. With the limit 0 nothing is counted and nothing refused; nor is what has no address. */
#pragma once

#include "base/hash.h"
#include "base/map.h"
#include "base/net.h"
#include "base/pool.h"

struct tally {
    struct map by_address;
    struct pool entries;        /* addresses that have any */
    struct hash_key key;        /* random: addresses are a stranger's choice */
    uint32_t limit;
    uint64_t refused;
};

void tally_init(struct tally *tally, const struct hash_key *key, uint32_t limit, uint32_t addresses_max);
void tally_fini(struct tally *tally);           /* CHECKs that all has been given back */
bool tally_take(struct tally *tally, const struct net_addr *addr);     /* false: the address has its share */
void tally_give(struct tally *tally, const struct net_addr *addr);     /* one that was taken */
