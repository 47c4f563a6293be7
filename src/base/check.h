/* base/check.h - CHECK is for our own mistakes, never for input; it stays in release builds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Says what failed where, then aborts. Supplied by runtime/check.c (the tests and the simulator have their own). */
_Noreturn void check_failed(const char *condition, const char *file, int line);

#define CHECK(cond) ((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))
