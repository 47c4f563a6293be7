/* base/mem.h on malloc. Without memory the process ends at once: half-handled shortage is untested code (design
 * section 13), and what strangers can grow sits in pools with limits. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void no_memory(size_t size)
{
    fprintf(stderr, "cardea: no memory for %zu bytes\n", size);
    abort();
}

void *mem_get(size_t size)
{
    void *ptr = malloc(size > 0 ? size : 1);
    if (ptr == NULL)
        no_memory(size);
    return ptr;
}

void *mem_get_zero(size_t size)
{
    void *ptr = calloc(1, size > 0 ? size : 1);
    if (ptr == NULL)
        no_memory(size);
    return ptr;
}

void *mem_resize(void *ptr, size_t size)
{
    void *resized = realloc(ptr, size > 0 ? size : 1);
    if (resized == NULL)
        no_memory(size);
    return resized;
}

void mem_put(void *ptr)
{
    free(ptr);
}

bool mem_refuse_pool(void)
{
    return false;
}
