/* tests/unit/support/seams.h - the unit tests' side of base/mem.h and base/check.h. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

/* Blocks handed out and not put back yet: zero at the end of every test that frees what it made. */
size_t seam_mem_outstanding(void);

/* The n-th pool allocation from now (0: the next) is refused; a negative n refuses none. */
void seam_refuse_pool_at(long n);
/* Whether a refusal asked for has happened since. */
bool seam_pool_was_refused(void);

/* Runs `body` again and again with the n-th pool allocation refused, n = 0, 1, 2 ... until one run meets no refusal. */
void seam_oom_sweep(void (*body)(void));
