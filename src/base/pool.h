/* base/pool.h - equal objects in slabs, with a named limit. Owner: one actor. Objects come zeroed.
 * A full pool is an ordinary refusal (NULL), and counted. Empty slabs go back when the pool has one to spare. */
#pragma once

#include "base/list.h"

struct pool {
    const char *name;       /* for counters and messages */
    size_t item_size;
    uint32_t limit;
    uint32_t used;
    uint32_t used_max;
    uint64_t refused;
    uint32_t per_slab;
    uint32_t empty_slabs;
    struct list partial;    /* slabs with room */
    struct list full;
};

void  pool_init(struct pool *pool, const char *name, size_t item_size, uint32_t limit);
void  pool_fini(struct pool *pool);    /* CHECKs that every object has come home */
void *pool_get(struct pool *pool);     /* NULL: at the limit */
void  pool_put(struct pool *pool, void *item);   /* NULL is fine */
