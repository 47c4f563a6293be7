/* sim/world.h - one simulated world: virtual time, what is to happen when, chance, and the digest of all that crossed.
 * One thread; one world at a time, since what it stands in for (clocks, sockets, the system's random numbers) has no argument
 * that could name it: hence the one global, `sim`.
 *
 *   world_open(seed, perturbation) -> sim_at, world_step ... -> world_close
 *
 * Everything that is drawn comes from the seed, by a generator for each purpose, so that what a client draws does not shift what
 * the network does. The perturbation changes only what must not matter: where memory lies and what it held before. */
#pragma once

#include <stdio.h>

#include "base/types.h"

struct sim_rng {
    uint64_t state[2];
};

uint64_t sim_draw(struct sim_rng *rng);
uint64_t sim_below(struct sim_rng *rng, uint64_t limit);                    /* 0 .. limit - 1; 0 for limit 0 */
bool sim_chance(struct sim_rng *rng, uint32_t ppm);
usec_t sim_between(struct sim_rng *rng, usec_t least, usec_t most);

typedef void (*sim_handler)(void *owner, uint64_t what);

struct sim_event {
    usec_t at;
    uint64_t order;             /* of coming: equal times keep it */
    sim_handler run;
    void *owner;
    uint64_t what;
};

/* What the runtime's stand-in has refused or done on purpose. */
struct sim_faults {
    uint32_t descriptor_ppm;    /* accept, open, connect */
    uint32_t pool_ppm;          /* pool_get of the server's pools */
    uint32_t late_ppm;          /* of turns: the actor is kept from its next one */
    usec_t late_us;
    uint32_t cross_ppm;         /* of the messages between actors take longer */
    usec_t cross_us;            /* so much at most */
    uint32_t ring_cells;        /* of every ring; fewer means that they spill */
    uint64_t lane_bytes;        /* 0: as asked for */
    uint32_t disk_ppm;          /* calls of storage.h fail */
    usec_t disk_us;             /* a call takes as long, at most */
    usec_t dns_us;              /* a name takes as long; and may be answered wrongly */
};

struct actor;
struct loop;

struct sim {
    usec_t now;
    uint64_t seed;
    uint64_t steps;
    uint64_t digest;
    struct sim_event *heap;
    uint32_t heap_count, heap_room;
    uint64_t order;
    struct sim_rng scheduler, network, system, crypto, crew, perturb;
    bool perturbed;
    struct sim_faults faults;
    usec_t patience_us;         /* that a request may take longer than usual: it waits for a disk or a resolver */
    int64_t wall_shift_us;      /* the system's clock against the monotonic one; may be moved */
    bool in_server;             /* one of the server's actors runs: its pools may refuse */

    char failure[512];          /* the first one; "" none */
    char checker[40];

    uint64_t memory_blocks;     /* held now */
    uint64_t memory_taken;      /* calls, ever */
    uint64_t pool_refusals;
    uint64_t descriptor_refusals;
    uint64_t disk_errors;

    struct actor *actors[96];   /* who may have turns; in order of making */
    uint32_t actor_count;
    struct actor *running;      /* NULL between turns */
    struct loop *loops[4];
    usec_t loop_wake[4];        /* when a loop has its next turn */
    usec_t loop_busy[4];
    uint32_t loop_count;

    FILE *log;                  /* NULL: nobody reads it */
    char *lines;                /* the newest lines, for a failure */
    uint32_t line_next;
};

#define SIM_START_US    SEC(1000)                   /* of the monotonic clock */
#define SIM_WALL_US     1767225600000000ull         /* 2026-01-01: what the wall clock shows then */
#define SIM_LINES       64u
#define SIM_LINE_BYTES  240u

extern struct sim *sim;

void world_open(uint64_t seed, bool perturbed);
void world_close(void);
/* The next thing that happens, if it does so before `limit`; false: nothing does, and it is `limit` now. */
bool world_step(usec_t limit);

void sim_at(usec_t at, sim_handler run, void *owner, uint64_t what);
/* Goes into the digest. */
void sim_note(uint64_t what);
void sim_note_bytes(const void *data, size_t size);
uint64_t sim_hash_bytes(const void *data, size_t size);

/* A checker has found something: the run ends at the next step. Only the first is kept. */
void sim_fail(const char *checker, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sim_failed(void);
void sim_expect_none(const char *what, uint64_t count);     /* at quiescence: else it fails as "quiet" */
void sim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));       /* into the log */
void sim_print_lines(FILE *out);
uint64_t sim_wall_us(void);

/* crypto.c: OpenSSL's random numbers and jansson's hash seed; once per process, before the world. */
void crypto_seed(void);
uint64_t crypto_clock_calls(void);      /* of gettimeofday, by libssl */

/* storage.c */
void storage_reset(void);

/* actor.c */
usec_t actors_next(struct actor **which);
void actors_turn(struct actor *actor);
/* loop.c */
usec_t loops_next(uint32_t *which);
void loops_turn(uint32_t which);
