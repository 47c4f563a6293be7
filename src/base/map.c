#include "base/map.h"

#include "base/check.h"
#include "base/mem.h"

#define MAP_FIRST 8u

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_fini(struct map *map)
{
    CHECK(map->count == 0);
    mem_put(map->buckets);
    map_init(map);
}

static uint32_t bucket_of(const struct map *map, uint64_t hash)
{
    return (uint32_t)(hash ^ hash >> 32) & map->mask;
}

static void rehash(struct map *map, uint32_t size)
{
    struct map old = *map;
    map->buckets = mem_get_zero(size * sizeof(struct map_node *));
    map->mask = size - 1;
    if (old.buckets == NULL)
        return;
    for (uint32_t i = 0; i <= old.mask; i++)
        for (struct map_node *node = old.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            struct map_node **slot = &map->buckets[bucket_of(map, node->hash)];
            node->next = *slot;
            *slot = node;
        }
    mem_put(old.buckets);
}

void map_add(struct map *map, struct map_node *node, uint64_t hash)
{
    if (map->buckets == NULL)
        rehash(map, MAP_FIRST);
    else if (map->count > map->mask)
        rehash(map, (map->mask + 1) * 2);
    node->hash = hash;
    struct map_node **slot = &map->buckets[bucket_of(map, hash)];
    node->next = *slot;
    *slot = node;
    map->count++;
}

void map_del(struct map *map, struct map_node *node)
{
    CHECK(map->buckets != NULL);
    struct map_node **slot = &map->buckets[bucket_of(map, node->hash)];
    while (*slot != node) {
        CHECK(*slot != NULL);
        slot = &(*slot)->next;
    }
    *slot = node->next;
    node->next = NULL;
    map->count--;
}

struct map_node *map_first(const struct map *map, uint64_t hash)
{
    if (map->buckets == NULL)
        return NULL;
    struct map_node *node = map->buckets[bucket_of(map, hash)];
    while (node != NULL && node->hash != hash)
        node = node->next;
    return node;
}

struct map_node *map_next_same(const struct map_node *node)
{
    uint64_t hash = node->hash;
    struct map_node *next = node->next;
    while (next != NULL && next->hash != hash)
        next = next->next;
    return next;
}

struct map_node *map_each(const struct map *map, const struct map_node *after)
{
    if (map->buckets == NULL)
        return NULL;
    uint32_t i = 0;
    if (after != NULL) {
        if (after->next != NULL)
            return after->next;
        i = bucket_of(map, after->hash) + 1;
    }
    for (; i <= map->mask; i++)
        if (map->buckets[i] != NULL)
            return map->buckets[i];
    return NULL;
}
