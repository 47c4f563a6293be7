#include "bench/seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/mem.h"

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: CHECK(%s)\n", file, line, condition);
    abort();
}

static void *must(void *p)
{
    CHECK(p != NULL);
    return p;
}

void *mem_get(size_t size)
{
    return must(malloc(size > 0 ? size : 1));
}

void *mem_get_zero(size_t size)
{
    return must(calloc(1, size > 0 ? size : 1));
}

void *mem_resize(void *ptr, size_t size)
{
    return must(realloc(ptr, size > 0 ? size : 1));
}

void mem_put(void *ptr)
{
    free(ptr);
}

bool mem_refuse_pool(void)
{
    return false;
}

uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

double best_ns(unsigned rounds, uint64_t items, void (*body)(void *context), void *context)
{
    double best = 1e18;
    for (unsigned i = 0; i < rounds; i++) {
        const uint64_t began = cpu_ns();
        body(context);
        const double ns = (double)(cpu_ns() - began) / (double)items;
        best = ns < best ? ns : best;
    }
    return best;
}
