/* A slab is a header and per_slab cells; each cell is a pointer to its slab and the item, so that pool_put needs no
 * search. Free cells are chained through the item's own bytes. */
#include "base/pool.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define SLAB_BYTES 65536u
#define CELL_ALIGN 16u

struct slab {
    struct list node;
    struct pool *pool;
    void *free;             /* chain of free cells */
    uint32_t used;
};

struct cell {
    struct slab *slab;
    uint64_t pad;           /* keeps the item 16-byte aligned */
};

static size_t cell_size(const struct pool *pool)
{
    return sizeof(struct cell) + pool->item_size;
}

static size_t slab_head(void)
{
    return (sizeof(struct slab) + CELL_ALIGN - 1) / CELL_ALIGN * CELL_ALIGN;
}

void pool_init(struct pool *pool, const char *name, size_t item_size, uint32_t limit)
{
    if (item_size < sizeof(void *))
        item_size = sizeof(void *);
    item_size = (item_size + CELL_ALIGN - 1) / CELL_ALIGN * CELL_ALIGN;
    *pool = (struct pool){.name = name, .item_size = item_size, .limit = limit};
    size_t fit = (SLAB_BYTES - slab_head()) / cell_size(pool);
    pool->per_slab = fit > 0 ? (uint32_t)fit : 1;
    list_init(&pool->partial);
    list_init(&pool->full);
}

void pool_fini(struct pool *pool)
{
    CHECK(pool->used == 0);
    CHECK(list_is_empty(&pool->full));
    LIST_EACH(it, &pool->partial)
        mem_put(CONTAINER_OF(it, struct slab, node));
    list_init(&pool->partial);
    pool->empty_slabs = 0;
}

static struct slab *slab_new(struct pool *pool)
{
    struct slab *slab = mem_get(slab_head() + pool->per_slab * cell_size(pool));
    *slab = (struct slab){.pool = pool};
    char *at = (char *)slab + slab_head();
    for (uint32_t i = 0; i < pool->per_slab; i++, at += cell_size(pool)) {
        struct cell *cell = (void *)at;
        cell->slab = slab;
        void **item = (void *)(cell + 1);
        *item = slab->free;
        slab->free = item;
    }
    list_add_head(&pool->partial, &slab->node);
    pool->empty_slabs++;
    return slab;
}

void *pool_get(struct pool *pool)
{
    if (pool->used >= pool->limit || mem_refuse_pool()) {
        pool->refused++;
        return NULL;
    }
    struct slab *slab = list_is_empty(&pool->partial) ? slab_new(pool)
                                                      : CONTAINER_OF(pool->partial.next, struct slab, node);
    void **item = slab->free;
    slab->free = *item;
    if (slab->used++ == 0)
        pool->empty_slabs--;
    if (slab->free == NULL) {
        list_del(&slab->node);
        list_add_tail(&pool->full, &slab->node);
    }
    if (++pool->used > pool->used_max)
        pool->used_max = pool->used;
    memset(item, 0, pool->item_size);
    return item;
}

void pool_put(struct pool *pool, void *item)
{
    if (item == NULL)
        return;
    struct slab *slab = ((struct cell *)item - 1)->slab;
    CHECK(slab->pool == pool);
    CHECK(slab->used > 0);
    if (slab->free == NULL) {
        list_del(&slab->node);
        list_add_head(&pool->partial, &slab->node);
    }
    *(void **)item = slab->free;
    slab->free = item;
    pool->used--;
    if (--slab->used > 0)
        return;
    if (pool->empty_slabs >= 1) {
        list_del(&slab->node);
        mem_put(slab);
        return;
    }
    pool->empty_slabs++;
}
