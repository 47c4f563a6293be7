/* runtime/actor.h - an actor: one thread, one epoll loop, and every object that its owner holds (design section 2).
 * Actors meet only in rings: nothing here ever waits for another actor, and sending cannot fail.
 *
 *   struct actors *set = actors_new();
 *   struct actor *a = actor_new(set, ACTOR_CONTROL, "control");      every actor, main too, before any thread runs
 *   actor_serve(a, &control_ops, control);                           the handlers and what they get as `owner`
 *   actors_lane(set, ACTOR_WORKER_0, ACTOR_WORKER_0 + 1, bytes);     MEDIA lanes, one per direction
 *   actors_wire(set);                                                makes a CTRL ring for every ordered pair
 *   actor_start(a); ... actor_run(main_actor); actor_join(a); actors_free(set);
 *
 * One turn: wait, read the clock once, messages (at most 256 per sender), relay records, ready descriptors, on_turn.
 * Messages sent in a turn wake their receiver at its end. The simulator has its own implementation of this header. */
#pragma once

#include "base/check.h"
#include "base/histogram.h"
#include "base/types.h"

typedef uint8_t actor_id;

enum {
    ACTOR_MAIN,
    ACTOR_IO,
    ACTOR_CONTROL,
    ACTOR_EVENTS,
    ACTOR_LOG,
    ACTOR_DNS,
    ACTOR_DISK_0,
    ACTOR_DISK_1,
    ACTOR_POSTER,
    ACTOR_MQTT,
    ACTOR_RABBITMQ,
    ACTOR_WORKER_0 = 16,        /* worker n is ACTOR_WORKER_0 + n */
    ACTOR_WORKERS_MAX = 64,
    ACTOR_LIMIT = ACTOR_WORKER_0 + ACTOR_WORKERS_MAX,
};

/* Valid during the handler. Types are those of the receiver's table in msg/; 0xFF00 and up belong to the runtime. */
struct message {
    actor_id from;
    uint16_t type;
    struct ref op;              /* the operation it starts or answers; REF_NONE without one */
    const void *payload;        /* aligned for any struct; NULL when size is 0 */
    size_t size;
    void **block;               /* message_take only: where the loop keeps the block; NULL: inline */
};

struct metrics;

struct actor_ops {
    void (*on_start)(void *owner, usec_t now);                       /* on the actor's thread, first of all */
    void (*on_message)(void *owner, usec_t now, const struct message *m);
    void (*on_relay)(void *owner, usec_t now, actor_id from, struct view record);    /* one MEDIA record */
    void (*on_ready)(void *owner, usec_t now, uint64_t token, uint32_t events);      /* EPOLLIN, EPOLLOUT, ... */
    void (*on_turn)(void *owner, usec_t now);                        /* once, after all inputs of the turn: timers, flushes */
    usec_t (*deadline)(void *owner);                                 /* when the next turn is due without any input */
    void (*on_stop)(void *owner, usec_t now);                        /* see actor_ask_stop */
    const char *(*type_name)(uint16_t type);                         /* for messages about long turns */
    void (*measure)(void *owner, usec_t now, struct metrics *out);   /* what it counts (base/metrics.h); the actor's own is in it already */
    /* All may be NULL. A helper that blocks in its one job says so; the watchdog leaves it alone. */
    bool may_block;
};

struct actors;
struct actor;

/* -- set-up, on the main thread -------------------------------------------------------------------------------------- */
struct actors *actors_new(void);
void actors_free(struct actors *set);                   /* all joined; frees messages that nobody read */
/* NULL: no descriptor (errno says which). Actors made after ACTOR_LOG have a lane to it at once, so what is logged while others
 * are still being made is kept until the log actor runs. */
struct actor *actor_new(struct actors *set, actor_id id, const char *name);
void actor_serve(struct actor *actor, const struct actor_ops *ops, void *owner);
#define LANE_RELAY_BYTES (512u * 1024u)                 /* about 400 packets: a far worker may stall for 10 ms at 40,000 packets/s */
#define LANE_LOG_BYTES   (256u * 1024u)                  /* what start-up says before the log runs, and a burst later */
void actors_lane(struct actors *set, actor_id from, actor_id to, size_t bytes);      /* a power of two */
void actors_wire(struct actors *set);                   /* once, after the last actor_new and before the first send */
bool actor_start(struct actor *actor);                  /* false: no thread (errno) */
void actor_run(struct actor *actor);                    /* the loop on the calling thread, until actor_stop */
void actor_join(struct actor *actor);                   /* only one that was started and has stopped, or will by itself */

/* -- messages, from the actor's own thread ---------------------------------------------------------------------------- */
#define MESSAGE_INLINE_MAX 48u                          /* larger payloads travel as a block from mem_get */

/* Copies the payload. A full ring spills to a list of the sender, drained each turn and counted. FIFO per pair. A message to
 * an actor that does not exist in this set is dropped and counted. */
void actor_send(struct actor *self, actor_id to, uint16_t type, const void *payload, size_t size);
void actor_send_op(struct actor *self, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size);
/* Two parts become one payload: a struct and the text that belongs to it. */
void actor_send_parts(struct actor *self, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail);
/* `block` comes from mem_get and is the receiver's from now on. */
void actor_send_block(struct actor *self, actor_id to, uint16_t type, struct ref op, void *block, size_t size);

/* For the handler: the payload as a block that the caller mem_puts. Without it the block is freed after the handler.
 * An inline payload is copied into a new block, so that the caller need not know. */
void *message_take(const struct message *m);

/* Messages of a turn are seen by their receivers at its end. Outside a turn (start-up), this does it. */
void actor_flush(struct actor *self);

/* MEDIA: one record (two parts, joined) of at most RELAY_RECORD_MAX bytes. False when the lane is full: dropped and counted.
 * relay_pop is the loop's side; records reach the owner through on_relay. */
#define RELAY_RECORD_MAX 2048u
bool relay_push(struct actor *self, actor_id to, struct view head, struct view body);
bool relay_pop(struct actor *self, actor_id from, struct view *record);

/* -- descriptors and the end ------------------------------------------------------------------------------------------ */
/* Level-triggered. `token` comes back in on_ready (any value but UINT64_MAX); one that has become stale is the owner's business (a descriptor closed in
 * this turn may still be reported). actor_watch on a watched descriptor changes events and token. False: errno. */
bool actor_watch(struct actor *self, int fd, uint32_t events, uint64_t token);
void actor_unwatch(struct actor *self, int fd);

/* Ends the loop after this turn, and tells ACTOR_MAIN with ACTOR_STOPPED (m->from). */
void actor_stop(struct actor *self);
/* Asks an actor to stop: its on_stop is called after everything sent to it before has been handled; the owner then calls
 * actor_stop when it is ready. Without on_stop it stops at once. */
void actor_ask_stop(struct actor *self, actor_id to);

#define ACTOR_STOP     0xFF00u      /* never seen by handlers */
#define ACTOR_STOPPED  0xFF01u
#define ACTOR_MEASURE  0xFF02u      /* never seen by handlers */
#define ACTOR_MEASURED 0xFF03u

/* Asks an actor, oneself too, what it has counted. The answer is an ACTOR_MEASURED with the same `op` and a struct metrics. Whoever has
 * ended does not answer, and whoever is busy answers late: the asker has a deadline. */
void actor_ask_measure(struct actor *self, actor_id to, struct ref op);

/* -- who and how ------------------------------------------------------------------------------------------------------ */
actor_id actor_self(const struct actor *self);
const char *actor_name(const struct actor *self);
struct actors *actor_set(const struct actor *self);
struct actor *actors_get(struct actors *set, actor_id id);      /* NULL: none */
struct actor *actor_current(void);                              /* of this thread; NULL on threads that are no actor */
usec_t actor_now(const struct actor *self);                     /* this turn's clock, what handlers got as `now` */
/* Wall time in microseconds since 1970 as of this turn (NTP in sender reports, file names, token expiry). Follows the system. */
uint64_t actor_wall_us(const struct actor *self);
usec_t actor_turn_ended(const struct actor *self);              /* the last turn's end: when what was sent in it could be seen */

/* Owner functions start with it: a call from a wrong thread stops at once (design section 12, rule 16). */
#define CHECK_OWNER(actor) CHECK(actor_current() == NULL || actor_current() == (actor))

struct actor_counters {
    uint64_t turns;
    uint64_t messages;              /* handled */
    uint64_t spilled;               /* sent while the ring was full */
    uint64_t spill_now;
    uint64_t spill_max;
    uint64_t relay_dropped;
    uint64_t sent_to_nobody;
    uint64_t wakes;                 /* eventfd writes */
    uint64_t long_turns;            /* above TURN_BUDGET_US */
    usec_t longest_turn_us;
    struct histogram turn_us;
};
#define TURN_BUDGET_US MSEC(1)
#define TURN_LONG_US   MSEC(20)         /* from here on it is a warning: a shared core alone makes turns of some milliseconds */
const struct actor_counters *actor_counters(const struct actor *self);      /* own thread only */

/* What the watchdog reads, from any thread: an actor inside a turn has an odd beat, a waiting one an even beat. */
struct actor_pulse {
    uint64_t beat;
    uint16_t last_type;             /* message in hand, or the last one */
    bool may_block;
    bool running;
};
struct actor_pulse actor_pulse(const struct actor *actor);
