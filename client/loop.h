/* client/loop.h - one epoll loop on the calling thread: descriptors, timers, and hooks that run at the end of each turn.
 * For programs (load generator, tests); the server's actors have their own. Owner: the program.
 *
 * The structs below are embedded in what they belong to; each must be taken out (loop_unwatch, loop_set USEC_NEVER,
 * loop_unhook) before it is freed, which may be done from any callback. */
#pragma once

#include <sys/epoll.h>

#include "base/list.h"
#include "base/timerq.h"

#define LOOP_EVENTS 256

struct loop_source {
    int fd;
    void (*on_ready)(struct loop_source *source, usec_t now, uint32_t events);
};

struct loop_timer {
    struct timer timer;
    void (*on_due)(struct loop_timer *timer, usec_t now);
};

struct loop_hook {
    struct list node;
    void (*on_turn)(struct loop_hook *hook, usec_t now);
};

struct loop {
    int epoll;
    struct timerq timers;
    struct list hooks;
    usec_t now;                     /* of this turn */
    int event_count;                /* of the turn in hand: loop_unwatch takes a source out of them */
    struct epoll_event events[LOOP_EVENTS];
};

bool loop_init(struct loop *loop);          /* false: no descriptor (errno) */
void loop_fini(struct loop *loop);          /* CHECKs that no timer runs */

bool loop_watch(struct loop *loop, struct loop_source *source, uint32_t events);   /* also changes the events; false: errno */
void loop_unwatch(struct loop *loop, struct loop_source *source);                  /* before its descriptor is closed */
void loop_set(struct loop *loop, struct loop_timer *timer, usec_t at);             /* USEC_NEVER stops */
void loop_hook(struct loop *loop, struct loop_hook *hook);
void loop_unhook(struct loop_hook *hook);

/* One turn: waits until something happens, at most until `limit`. */
void loop_turn(struct loop *loop, usec_t limit);
/* Turns until `is_done` says so: true; or until `limit`: false. */
bool loop_until(struct loop *loop, bool (*is_done)(const void *context), const void *context, usec_t limit);
/* Turns until then. */
void loop_run(struct loop *loop, usec_t limit);
