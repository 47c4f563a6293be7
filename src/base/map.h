/* base/map.h - intrusive chained hash table. The caller hashes and compares; the table only keeps chains short.
 * Hashes of anything a stranger chooses must be keyed (hash_bytes with the actor's key). Owner: one actor. */
#pragma once

#include "base/types.h"

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map {
    struct map_node **buckets;
    uint32_t mask;          /* bucket count - 1; 0 while empty */
    uint32_t count;
};

void map_init(struct map *map);
void map_fini(struct map *map);                 /* CHECKs that it is empty */
void map_add(struct map *map, struct map_node *node, uint64_t hash);
void map_del(struct map *map, struct map_node *node);     /* node must be in the map */

/* First node whose full hash is equal; walk on with map_next_same until your own comparison says yes. */
struct map_node *map_first(const struct map *map, uint64_t hash);
struct map_node *map_next_same(const struct map_node *node);

/* Visits every node, in no order: start with NULL. The node visited last may be deleted only after the next was asked. */
struct map_node *map_each(const struct map *map, const struct map_node *after);
