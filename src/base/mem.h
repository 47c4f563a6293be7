/* base/mem.h - where pools and buffers get their memory: a seam that the runtime fills with malloc (aborting when
 * there is none: design section 13) and the unit tests fill with an allocator that can be told to count and to fail.
 * Objects that strangers can multiply come from a bounded pool (base/pool.h); a refusal there is an API error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void *mem_get(size_t size);               /* never NULL; contents undefined; size 0 is allowed */
void *mem_get_zero(size_t size);          /* the same, zeroed */
void *mem_resize(void *ptr, size_t size); /* NULL ptr: like mem_get */
void  mem_put(void *ptr);                 /* NULL is fine */

/* True when the n-th next pool allocation shall be refused; only the out-of-memory sweep of the tests says so. */
bool mem_refuse_pool(void);
