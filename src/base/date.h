/* base/date.h - a moment as text, for who has the seconds and the zone already. Pure: reads no clock and no zone files. */
#pragma once

#include "base/types.h"

#define DATE_TEXT 32u

/* "2031-12-01T08:09:10+0100": seconds since 1970, as they are `offset_s` ahead of UTC (ISO 8601, the zone without a colon). */
void date_text(uint64_t seconds, int32_t offset_s, char out[DATE_TEXT]);
