/* tests/unit/control/fake_actor.h - an actor without thread, clock and rings: what is sent is kept in order, for the test to
 * read. Stands in for runtime/actor.c and log.c, so control runs in virtual time on the test's own thread. */
#pragma once

#include "runtime/actor.h"

struct fake_sent {
    actor_id to;
    uint16_t type;
    bool read;                  /* by a test; see fake_next */
    size_t size;
    struct ref op;
    void *payload;
    bool taken;                 /* it is the sender's own block */
};

struct actor {
    struct fake_sent *sent;
    size_t count;
    size_t room;
    uint64_t wall_us;
    int log_level;              /* enum log_level: kept, but every line is formatted */
    usec_t turn_ended;
    bool stopped;
    uint32_t warnings;          /* log lines at WARN or worse */
    char last_log[512];
};

struct actor *fake_actor_new(void);
void fake_actor_free(struct actor *actor);
/* The first message to `to` of `type` that has not been read yet, marked as read; NULL: none. */
const struct fake_sent *fake_next(struct actor *actor, actor_id to, uint16_t type);
/* The first unread message to `to`, whatever its type; not marked. */
struct fake_sent *fake_peek(struct actor *actor, actor_id to);
void fake_forget(struct actor *actor);      /* all that was sent so far */
