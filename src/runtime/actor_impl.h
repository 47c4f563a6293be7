/* runtime/actor_impl.h - what the files of the actor implementation share. Nobody else includes it. */
#pragma once

#include <pthread.h>
#include <sys/epoll.h>

#include "base/list.h"
#include "runtime/actor.h"
#include "runtime/ring.h"

#define RING_CELLS        1024u         /* 64 KiB an ordered pair; beyond it messages spill */
#define TURN_MESSAGES_MAX 256u          /* per sender and turn */
#define TURN_RECORDS_MAX  256u          /* per lane and turn */
#define TURN_READY_MAX    256
#define SPILL_RETRY_US    MSEC(1)       /* nobody tells a sender that there is room again */
#define SPILL_LAST_US     SEC(1)        /* how long a stopping actor keeps trying */
#define LONG_TURN_LOG_US  SEC(1)        /* at most one line in this time */
#define LONG_TURN_WARN_US SEC(10)       /* likewise, of those above TURN_LONG_US */
#define TOKEN_DOORBELL    UINT64_MAX

/* A message that found its ring full. */
struct spill {
    struct list node;
    struct ring_cell cell;
};

/* This actor to another one. */
struct outbox {
    struct ring *ring;                  /* the receiver's; NULL: no such actor */
    struct lane *lane;                  /* NULL: none */
    struct doorbell *bell;
    const _Atomic bool *gone;           /* the receiver's loop has ended */
    struct list spilled;                /* struct spill */
    bool dirty;                         /* something was pushed in this turn: ring the bell at its end */
};

struct actor {
    struct actors *set;
    actor_id id;
    char name[16];
    const struct actor_ops *ops;
    void *owner;

    int epoll;
    struct doorbell bell;
    struct ring *in[ACTOR_LIMIT];       /* by sender; made by actors_wire, freed by actors_free */
    struct lane *lanes_in[ACTOR_LIMIT];
    struct outbox out[ACTOR_LIMIT];

    usec_t now;                         /* this turn's */
    usec_t ended;                       /* when the last turn ended */
    bool more;                          /* inputs were left over: do not wait */
    bool stop_asked;                    /* on_stop is due when all before the marks has been read */
    uint32_t stop_marks[ACTOR_LIMIT];   /* of the rings, by sender, as they were when it was asked */
    uint64_t stop_lane_marks[ACTOR_LIMIT];
    bool stop_told;
    bool stopping;                      /* the loop ends after this turn */
    bool no_pwait2;                     /* the kernel has no epoll_pwait2 */
    uint32_t first_sender;              /* rotates, so that nobody is always read last */
    usec_t worst_message_us;            /* of this turn */
    uint16_t worst_type;
    usec_t long_turn_logged;
    usec_t warned;
    struct actor_counters counters;

    pthread_t thread;
    bool started;
    _Atomic bool gone;
    _Atomic bool running;
    _Atomic uint64_t beat;
    _Atomic uint16_t last_type;
};

struct actors {
    struct actor *by_id[ACTOR_LIMIT];
    actor_id ids[ACTOR_LIMIT];          /* those that exist */
    uint32_t count;
    bool wired;
    uint64_t wall_offset_us;            /* wall = monotonic + this, as it was at the start (clock.h) */
    _Atomic int log_level;
    _Atomic uint64_t log_dropped;
};

/* mailbox.c */
void mailbox_init(struct actor *self);
void mailbox_fini(struct actor *self);
bool mailbox_flush_spill(struct actor *self);           /* true: some is left */
void mailbox_ring_bells(struct actor *self);
bool mailbox_has_messages(struct actor *self);          /* in any ring */
bool mailbox_has_records(struct actor *self);           /* in any lane */
bool mailbox_is_past_stop(struct actor *self);          /* nothing is left that was there when the stop was asked for */
void mailbox_read_messages(struct actor *self);
void mailbox_read_relay(struct actor *self);
/* measure.c */
void measure_answer(struct actor *self, const struct message *question);
