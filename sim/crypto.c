/* What the system gives without being asked by a parameter: OpenSSL's random numbers, the clocks that libraries read, the
 * bytes of base/rng.h. All of it comes from the seed here, so that DTLS repeats byte for byte (traps.md, Time and randomness). */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <jansson.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "base/check.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"
#include "sim/world.h"

#define JANSSON_SEED 0x5EEDu            /* a process has one; 0 would mean: draw it from the system */

static void fill(struct sim_rng *rng, uint8_t *out, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        const uint64_t word = sim_draw(rng);
        memcpy(out + at, &word, size - at < sizeof(word) ? size - at : sizeof(word));
    }
}

static int rand_bytes(unsigned char *out, int size)
{
    CHECK(sim != NULL);
    fill(&sim->crypto, out, (size_t)size);
    return 1;
}

static int rand_status(void)
{
    return 1;
}

void crypto_seed(void)
{
    static const RAND_METHOD method = {.bytes = rand_bytes, .pseudorand = rand_bytes, .status = rand_status};
    CHECK(RAND_set_rand_method(&method) == 1);
    json_object_seed(JANSSON_SEED);
}

void entropy_fill(void *source, uint8_t *out, size_t size)
{
    (void)source;
    fill(&sim->system, out, size);
}

/* ---- clocks ---- */

usec_t clock_now(void)
{
    return sim->now;
}

uint64_t clock_wall_us(void)
{
    return sim_wall_us();
}

int32_t clock_utc_offset_s(uint64_t wall_us)
{
    (void)wall_us;
    return 0;
}

bool clock_turn_us(uint64_t *us)
{
    *us = SIM_WALL_US + (sim->now - SIM_START_US);      /* the start's wall clock moved on, as on a server: not shifted */
    return true;
}

/* That libssl really calls ours (traps.md): without it DTLS would neither repeat nor keep to virtual time. */
static uint64_t clock_calls;

uint64_t crypto_clock_calls(void)
{
    return clock_calls;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    uint64_t us = SIM_WALL_US;
    (void)zone;
    clock_calls++;
    if (sim != NULL)
        clock_turn_us(&us);
    tv->tv_sec = (time_t)(us / 1000000u);
    tv->tv_usec = (suseconds_t)(us % 1000000u);
    return 0;
}

__attribute__((visibility("default"))) time_t time(time_t *out)
{
    const time_t now = (time_t)((sim == NULL ? SIM_WALL_US : sim_wall_us()) / 1000000u);
    if (out != NULL)
        *out = now;
    return now;
}
