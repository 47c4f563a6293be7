#include "bench/watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

static struct watch_counts counts;

struct watch_counts watch_now(void)
{
    return counts;
}

/* ---- memory: glibc has its own names for what it would do */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *ptr, size_t size);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **out, size_t alignment, size_t size);

void *malloc(size_t size)
{
    counts.allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    counts.allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *ptr, size_t size)
{
    counts.allocations++;
    return __libc_realloc(ptr, size);
}

void *memalign(size_t alignment, size_t size)
{
    counts.allocations++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *ptr = memalign(alignment, size);
    if (ptr == NULL)
        return ENOMEM;
    *out = ptr;
    return 0;
}

/* ---- locks: each does what the next library in line does, and is counted */

#define WATCHED(name, argument)                                                 \
    int name(void *argument);                                                   \
    int name(void *argument)                                                    \
    {                                                                           \
        static int (*next)(void *);                                             \
        if (next == NULL)                                                       \
            *(void **)&next = dlsym(RTLD_NEXT, #name);                          \
        counts.locks++;                                                         \
        return next(argument);                                                  \
    }
#define WATCHED_PTHREAD(what) WATCHED_AS(pthread_##what)
#define WATCHED_AS(name) WATCHED(name, object)

WATCHED_PTHREAD(mutex_lock)
WATCHED_PTHREAD(mutex_trylock)
WATCHED_PTHREAD(rwlock_rdlock)
WATCHED_PTHREAD(rwlock_tryrdlock)
WATCHED_PTHREAD(rwlock_wrlock)
WATCHED_PTHREAD(rwlock_trywrlock)
WATCHED_PTHREAD(spin_lock)
WATCHED_AS(sem_wait)
