/* base/slots.h - names for objects: slot + generation (design rule 5). One owner, one actor.
 * slots_add gives a ref; slots_get finds the object again or NULL when the ref is stale. A table whose refs are
 * minted elsewhere (peers on a worker are named by control) uses slots_put instead of slots_add. */
#pragma once

#include "base/types.h"

struct slot {
    void *object;          /* NULL: free */
    uint32_t generation;   /* of the current or the next object */
    uint32_t next_free;
};

struct slots {
    struct slot *table;
    uint32_t count;        /* objects in it */
    uint32_t size;         /* slots allocated */
    uint32_t limit;        /* named limit: no more slots than this */
    uint32_t first_free;
};

void slots_init(struct slots *slots, uint32_t limit);
void slots_fini(struct slots *slots);            /* the objects themselves are the caller's */

/* REF_NONE when the table is at its limit. `object` must not be NULL. */
struct ref slots_add(struct slots *slots, void *object);
void slots_del(struct slots *slots, struct ref ref);
void *slots_get(const struct slots *slots, struct ref ref);

/* Whoever is in the slot now, of any generation: for wire formats that have room for a slot number only. */
void *slots_at(const struct slots *slots, uint32_t slot);

/* For refs minted by another actor: false when the slot is taken or beyond the limit. Do not mix with slots_add. */
bool slots_put(struct slots *slots, struct ref ref, void *object);

/* Iteration: the first used slot at or after `from`, or UINT32_MAX. */
uint32_t slots_next(const struct slots *slots, uint32_t from);
