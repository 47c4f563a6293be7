/* helpers/events/evmask.h - which events a handler wants, as its configuration and its Admin API say it (event-handlers.md 2.1). Pure. */
#pragma once

#include "base/types.h"

/* "none", "all", or labels between commas; blanks before a label are skipped (not those after it: such a label is unknown), unknown
 * ones ignored. NULL: nothing. */
uint16_t evmask_parse(const char *text);
