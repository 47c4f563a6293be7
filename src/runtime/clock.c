#include "runtime/clock.h"

#include <time.h>

#include "base/check.h"

static usec_t read_clock(clockid_t id)
{
    struct timespec t;
    CHECK(clock_gettime(id, &t) == 0);
    return SEC(t.tv_sec) + (usec_t)t.tv_nsec / 1000u;
}

usec_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int32_t clock_utc_offset_s(uint64_t wall_us)
{
    const time_t seconds = (time_t)(wall_us / SEC(1));
    struct tm tm;
    return localtime_r(&seconds, &tm) == NULL ? 0 : (int32_t)tm.tm_gmtoff;
}
