/* runtime/memory_limit.h - how much memory this process may have, and how much it has. Any thread; reads files, so not in a turn
 * that is in a hurry. */
#pragma once

#include "base/types.h"

/* The smallest of: the machine's RAM, the control groups' limits (version 2 and 1, those above ours included). */
uint64_t memory_limit_bytes(void);
/* What is resident of this process; 0 when it can't be read. */
uint64_t memory_used_bytes(void);
/* Gives back what the allocator keeps for itself: takes its locks, arena by arena, so it is for when memory is short. */
void memory_trim(void);

/* For the test: the limit under a root that stands for "/". */
uint64_t memory_limit_at(const char *root);
