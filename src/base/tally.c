#include "base/tally.h"

#include <string.h>

#include "base/check.h"

#define IP4_BYTES 4u
#define IP6_BYTES 8u

struct entry {
    struct map_node node;
    uint8_t prefix[IP6_BYTES];
    uint8_t family;
    uint32_t count;
};

void tally_init(struct tally *tally, const struct hash_key *key, uint32_t limit, uint32_t addresses_max)
{
    *tally = (struct tally){.key = *key, .limit = limit};
    map_init(&tally->by_address);
    pool_init(&tally->entries, "addresses", sizeof(struct entry), addresses_max);
}

void tally_fini(struct tally *tally)
{
    map_fini(&tally->by_address);
    pool_fini(&tally->entries);
}

static bool counts(const struct tally *tally, const struct net_addr *addr)
{
    return tally->limit > 0 && addr->family != NET_NONE;
}

static size_t prefix_size(const struct net_addr *addr)
{
    return addr->family == NET_IP4 ? IP4_BYTES : IP6_BYTES;
}

static struct entry *find(const struct tally *tally, const struct net_addr *addr, uint64_t hash)
{
    for (struct map_node *node = map_first(&tally->by_address, hash); node != NULL; node = map_next_same(node)) {
        struct entry *entry = CONTAINER_OF(node, struct entry, node);
        if (entry->family == addr->family && memcmp(entry->prefix, addr->ip, prefix_size(addr)) == 0)
            return entry;
    }
    return NULL;
}

static uint64_t hash_of(const struct tally *tally, const struct net_addr *addr)
{
    return hash_bytes(&tally->key, VIEW(addr->ip, prefix_size(addr)));
}

bool tally_take(struct tally *tally, const struct net_addr *addr)
{
    if (!counts(tally, addr))
        return true;
    const uint64_t hash = hash_of(tally, addr);
    struct entry *entry = find(tally, addr, hash);
    if (entry == NULL) {
        entry = pool_get(&tally->entries);
        if (entry == NULL) {
            tally->refused++;
            return false;
        }
        memcpy(entry->prefix, addr->ip, prefix_size(addr));
        entry->family = addr->family;
        map_add(&tally->by_address, &entry->node, hash);
    }
    if (entry->count >= tally->limit) {
        tally->refused++;
        return false;
    }
    entry->count++;
    return true;
}

void tally_give(struct tally *tally, const struct net_addr *addr)
{
    if (!counts(tally, addr))
        return;
    struct entry *entry = find(tally, addr, hash_of(tally, addr));
    CHECK(entry != NULL);
    CHECK(entry->count > 0);
    if (--entry->count > 0)
        return;
    map_del(&tally->by_address, &entry->node);
    pool_put(&tally->entries, entry);
}
