/* tests/support/faults.h - makes the n-th call of a system function fail, without a hook in the server itself.
 *
 * Two uses. As a shared library over the real binary, by black-box tests:
 *     LD_PRELOAD=libfaults.so FAULTS=accept4:3:EMFILE,eventfd:1:EMFILE cardea ...
 * FAULTS holds `call:n:errno`, n from 1; `n+` means the n-th and all later ones. STALL for an errno: that call does not return. And linked into a unit test, which calls
 * fault_set. Known calls: socket, accept4, bind, eventfd, epoll_create1, epoll_ctl, open, pipe2, pthread_create. */
#pragma once

#include <stdbool.h>

#define FAULT_STALL (-1)

/* The n-th call from now (1: the next) fails with `error` (FAULT_STALL: never returns); `all_later`: so do those after it. n 0 clears. */
void fault_set(const char *call, unsigned n, int error, bool all_later);
