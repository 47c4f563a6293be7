/* proto/rtcp/ntp.h - NTP timestamps (RFC 3550 section 4): 32.32 fixed point seconds since 1900. Pure: the wall clock is the
 * caller's, in microseconds since 1970. */
#pragma once

#include "base/types.h"

#define NTP_UNIX_OFFSET_S 2208988800u      /* RFC 5905 A.4: 1900 to 1970 */

static inline uint64_t ntp_from_unix_us(uint64_t unix_us)
{
    uint64_t seconds = unix_us / 1000000u + NTP_UNIX_OFFSET_S;
    return seconds << 32 | ((unix_us % 1000000u) << 32) / 1000000u;
}

static inline uint64_t ntp_to_unix_us(uint64_t ntp)
{
    uint64_t seconds = (ntp >> 32) - NTP_UNIX_OFFSET_S;
    return seconds * 1000000u + (((ntp & 0xFFFFFFFFu) * 1000000u + (1u << 31)) >> 32);
}

/* The middle 32 bits, as LSR has them: 16.16 seconds. */
static inline uint32_t ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/* Durations in 1/65536 s, as DLSR has them. */
static inline uint32_t ntp_short_from_us(usec_t us)
{
    return us >= SEC(65535) ? UINT32_MAX : (uint32_t)((us << 16) / 1000000u);
}

static inline usec_t ntp_short_to_us(uint32_t units)
{
    return (usec_t)units * 1000000u >> 16;
}
