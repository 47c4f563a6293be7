/* sim/actor.h - an actor in virtual time, for the files of the runtime's stand-in and for checkers that look inside. */
#pragma once

#include <stdarg.h>

#include "runtime/actor.h"
#include "runtime/log.h"
#include "sim/watch.h"
#include "sim/world.h"

#define IDLE_TURNS_MAX  2000u
/* The most that a turn may do. Measured maxima of honest runs are below a tenth of these; what grows with the number of
 * objects and not with a budget passes them. */
#define TURN_SENT_MAX   50000u
#define TURN_TAKEN_MAX  200000u

/* A message, or a record of a lane. */
struct cell {
    struct cell *next;
    usec_t seen_at;             /* by the receiver, from then on; USEC_NEVER: not flushed, or spilled */
    actor_id from;
    uint16_t type;
    struct ref op;
    size_t size;
    void *block;                /* NULL: inline */
    _Alignas(16) uint8_t bytes[MESSAGE_INLINE_MAX];
};

/* In order: what the receiver may see, then what is unseen. */
struct cells {
    struct cell *first, *last;
    struct cell *unseen;
    uint64_t pushed, shown, popped;
};

/* From one actor to another. */
struct pipe {
    struct actor *to;           /* NULL: no such actor */
    struct cells cells;
    struct cells records;
    uint64_t lane_room, lane_used;
    usec_t seen_at, lane_seen_at;
};

struct actor_work {
    uint64_t handled;           /* messages, records, descriptors */
    uint64_t sent;
    uint64_t taken;             /* memory */
};

struct actor {
    struct actors *set;
    actor_id id;
    char name[16];
    const struct actor_ops *ops;
    void *owner;
    usec_t now;
    usec_t wake_at;             /* its next turn; USEC_NEVER: none is due */
    usec_t busy_until;
    usec_t blocked_us;          /* in this turn, by a disk or a resolver */
    bool started, begun, stopping, gone;
    bool stop_asked, stop_told;
    bool worked;                /* in this turn it had input */
    uint32_t idle_turns;
    uint64_t stop_marks[ACTOR_LIMIT];
    uint64_t stop_lane_marks[ACTOR_LIMIT];
    void *reading;              /* the record that relay_pop gave */
    struct pipe out[ACTOR_LIMIT];
    struct watch_set ready;
    struct actor_counters counters;
    struct actor_work work, most;
};

struct actors {
    struct actor *by_id[ACTOR_LIMIT];
    actor_id ids[ACTOR_LIMIT];
    uint32_t count;
    bool wired;
    enum log_level log_level;
};

/* The actor that runs now stands still for so long. */
void actor_block(usec_t us);
void actor_wake(struct actor *actor, usec_t cause);
/* taps.c: every message as it is sent. */
void tap_message(const struct actor *from, actor_id to, const struct cell *cell);
