#include "support/seams.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"

static size_t outstanding;
static long refuse_at = -1;
static bool refused;

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    /* cmocka turns this into a failure, or into a success where a test expects the assertion. */
    mock_assert(0, condition, file, line);
    abort();
}

void *mem_get(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);
    if (p == NULL)
        abort();
    outstanding++;
    return p;
}

void *mem_get_zero(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);
    if (p == NULL)
        abort();
    outstanding++;
    return p;
}

void *mem_resize(void *ptr, size_t size)
{
    void *p = realloc(ptr, size > 0 ? size : 1);
    if (p == NULL)
        abort();
    if (ptr == NULL)
        outstanding++;
    return p;
}

void mem_put(void *ptr)
{
    if (ptr == NULL)
        return;
    outstanding--;
    free(ptr);
}

bool mem_refuse_pool(void)
{
    if (refuse_at < 0)
        return false;
    if (refuse_at-- > 0)
        return false;
    refused = true;
    return true;
}

size_t seam_mem_outstanding(void)
{
    return outstanding;
}

void seam_refuse_pool_at(long n)
{
    refuse_at = n;
    refused = false;
}

bool seam_pool_was_refused(void)
{
    return refused;
}

void seam_oom_sweep(void (*body)(void))
{
    for (long n = 0;; n++) {
        seam_refuse_pool_at(n);
        body();
        if (!refused)
            break;
    }
    seam_refuse_pool_at(-1);
}
