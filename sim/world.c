#include "sim/world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct sim *sim;

/* ---- chance: xoroshiro128+ (Blackman, Vigna), seeded by splitmix64 ---- */

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void seed_rng(struct sim_rng *rng, uint64_t *state)
{
    rng->state[0] = mix(state);
    rng->state[1] = mix(state) | 1u;
}

uint64_t sim_draw(struct sim_rng *rng)
{
    const uint64_t a = rng->state[0];
    uint64_t b = rng->state[1];
    const uint64_t result = a + b;
    b ^= a;
    rng->state[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    rng->state[1] = b << 37 | b >> 27;
    return result;
}

uint64_t sim_below(struct sim_rng *rng, uint64_t limit)
{
    return limit == 0 ? 0 : (uint64_t)((unsigned __int128)sim_draw(rng) * limit >> 64);
}

bool sim_chance(struct sim_rng *rng, uint32_t ppm)
{
    return ppm > 0 && sim_below(rng, 1000000u) < ppm;
}

usec_t sim_between(struct sim_rng *rng, usec_t least, usec_t most)
{
    return least + sim_below(rng, most - least + 1);
}

/* ---- the digest ---- */

void sim_note(uint64_t what)
{
    uint64_t h = (sim->digest ^ what) * 0x9FB21C651E98DF25u;
    sim->digest = h ^ h >> 35;
}

uint64_t sim_hash_bytes(const void *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t a = size * 0x9E3779B97F4A7C15u, b = ~a, word;
    for (; size >= 16; size -= 16, at += 16) {          /* two lanes: the multiplications overlap */
        memcpy(&word, at, 8);
        a = (a ^ word) * 0x9FB21C651E98DF25u;
        a ^= a >> 35;
        memcpy(&word, at + 8, 8);
        b = (b ^ word) * 0xD6E8FEB86659FD93u;
        b ^= b >> 33;
    }
    for (; size > 0; size--, at++)
        a = (a ^ *at) * 0x100000001B3u;
    a = (a ^ b) * 0x9FB21C651E98DF25u;
    return a ^ a >> 32;
}

void sim_note_bytes(const void *data, size_t size)
{
    sim_note(sim_hash_bytes(data, size));
}

/* ---- what is to happen: a binary heap by time, then by order of coming ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_at(usec_t at, sim_handler run, void *owner, uint64_t what)
{
    if (sim->heap_count == sim->heap_room) {
        sim->heap_room = sim->heap_room == 0 ? 1024 : sim->heap_room * 2;
        sim->heap = realloc(sim->heap, sim->heap_room * sizeof(*sim->heap));
        CHECK(sim->heap != NULL);
    }
    const struct sim_event event = {at < sim->now ? sim->now : at, sim->order++, run, owner, what};
    uint32_t i = sim->heap_count++;
    for (; i > 0 && is_before(&event, &sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
        sim->heap[i] = sim->heap[(i - 1) / 2];
    sim->heap[i] = event;
}

static struct sim_event pop_event(void)
{
    const struct sim_event first = sim->heap[0];
    const struct sim_event last = sim->heap[--sim->heap_count];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = i * 2 + 1;
        if (child >= sim->heap_count)
            break;
        if (child + 1 < sim->heap_count && is_before(&sim->heap[child + 1], &sim->heap[child]))
            child++;
        if (!is_before(&sim->heap[child], &last))
            break;
        sim->heap[i] = sim->heap[child];
        i = child;
    }
    if (sim->heap_count > 0)
        sim->heap[i] = last;
    return first;
}

bool world_step(usec_t limit)
{
    struct actor *actor;
    uint32_t loop;
    const usec_t event_at = sim->heap_count > 0 ? sim->heap[0].at : USEC_NEVER;
    const usec_t actor_at = actors_next(&actor), loop_at = loops_next(&loop);
    const usec_t at = usec_min(event_at, usec_min(actor_at, loop_at));
    if (at >= limit) {
        sim->now = limit;
        return false;
    }
    if (at > sim->now)
        sim->now = at;
    sim->steps++;
    if (at == event_at) {
        const struct sim_event event = pop_event();
        event.run(event.owner, event.what);
    } else if (at == actor_at) {
        actors_turn(actor);
    } else {
        loops_turn(loop);
    }
    return true;
}

/* ---- beginning and end ---- */

void world_open(uint64_t seed, bool perturbed)
{
    sim = calloc(1, sizeof(*sim));
    CHECK(sim != NULL);
    sim->lines = calloc(SIM_LINES, SIM_LINE_BYTES);
    CHECK(sim->lines != NULL);
    sim->seed = seed;
    sim->now = SIM_START_US;
    sim->perturbed = perturbed;
    uint64_t state = seed * 0x2545F4914F6CDD1Du + 1;
    struct sim_rng *const all[] = {&sim->scheduler, &sim->network, &sim->system, &sim->crypto, &sim->crew};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        seed_rng(all[i], &state);
    state += perturbed;
    seed_rng(&sim->perturb, &state);
}

void world_close(void)
{
    free(sim->heap);
    free(sim->lines);
    free(sim);
    sim = NULL;
}

/* ---- words ---- */

uint64_t sim_wall_us(void)
{
    return SIM_WALL_US + (sim->now - SIM_START_US) + (uint64_t)sim->wall_shift_us;
}

bool sim_failed(void)
{
    return sim->failure[0] != '\0';
}

void sim_fail(const char *checker, const char *format, ...)
{
    va_list args;
    if (sim_failed())
        return;
    va_start(args, format);
    vsnprintf(sim->failure, sizeof(sim->failure), format, args);
    va_end(args);
    snprintf(sim->checker, sizeof(sim->checker), "%s", checker);
    sim_say("FAILED: %s: %s", checker, sim->failure);
}

void sim_expect_none(const char *what, uint64_t count)
{
    if (count != 0)
        sim_fail("quiet", "%s: %llu are left when nobody is there any more", what, (unsigned long long)count);
}

void sim_say(const char *format, ...)
{
    va_list args;
    char *line = sim->lines + sim->line_next++ % SIM_LINES * SIM_LINE_BYTES;
    const usec_t at = sim->now - SIM_START_US;
    int size = snprintf(line, SIM_LINE_BYTES, "[%4llu.%06llu] ", (unsigned long long)(at / SEC(1)), (unsigned long long)(at % SEC(1)));
    va_start(args, format);
    vsnprintf(line + size, SIM_LINE_BYTES - (size_t)size, format, args);
    va_end(args);
    if (sim->log != NULL)
        fprintf(sim->log, "%s\n", line);
}

void sim_print_lines(FILE *out)
{
    for (uint32_t i = 0; i < SIM_LINES; i++) {
        const char *line = sim->lines + (sim->line_next + i) % SIM_LINES * SIM_LINE_BYTES;
        if (line[0] != '\0')
            fprintf(out, "    %s\n", line);
    }
}
