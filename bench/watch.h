/* bench/watch.h - counts every allocation and every lock of the whole process, those of the libraries included: the program
 * that links watch.c stands in front of libc's malloc family and of POSIX's locks. */
#pragma once

#include "base/types.h"

struct watch_counts {
    uint64_t allocations;
    uint64_t locks;             /* mutexes, rwlocks, spinlocks, semaphores, condition variables: taken or waited for */
};

struct watch_counts watch_now(void);
