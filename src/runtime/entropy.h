/* runtime/entropy.h - the source behind base/rng.h: the system's generator. Never fails: without entropy it aborts. */
#pragma once

#include "base/rng.h"

/* rng_init(&rng, entropy_fill, NULL) */
void entropy_fill(void *source, uint8_t *out, size_t size);
