/* The set of actors: made, wired and freed on the main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "runtime/actor_impl.h"
#include "runtime/clock.h"
#include "runtime/log.h"

struct actors *actors_new(void)
{
    struct actors *set = mem_get_zero(sizeof(*set));
    set->wall_offset_us = clock_wall_us() - clock_now();
    atomic_init(&set->log_level, LOG_LEVEL_INFO);
    return set;
}

/* ring.h asks for cache lines of its own; mem_get gives 16 bytes. */
static void *aligned_zero(size_t size)
{
    const size_t line = 64;
    size_t whole = (size + line - 1) / line * line;
    void *block = aligned_alloc(line, whole);
    CHECK(block != NULL);
    return memset(block, 0, whole);
}

struct actor *actor_new(struct actors *set, actor_id id, const char *name)
{
    CHECK(!set->wired);
    CHECK(id < ACTOR_LIMIT);
    CHECK(set->by_id[id] == NULL);
    struct actor *actor = aligned_zero(sizeof(*actor));
    actor->set = set;
    actor->id = id;
    actor->bell.fd = -1;
    CHECK(str_copy(actor->name, sizeof(actor->name), str_of(name)));
    mailbox_init(actor);
    actor->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (actor->epoll < 0 || !doorbell_open(&actor->bell) || !actor_watch(actor, actor->bell.fd, EPOLLIN, TOKEN_DOORBELL)) {
        int saved = errno;
        doorbell_close(&actor->bell);
        if (actor->epoll >= 0)
            close(actor->epoll);
        free(actor);
        errno = saved;
        return NULL;
    }
    set->by_id[id] = actor;
    set->ids[set->count++] = id;
    if (id != ACTOR_LOG && set->by_id[ACTOR_LOG] != NULL)
        actors_lane(set, id, ACTOR_LOG, LANE_LOG_BYTES);
    return actor;
}

void actor_serve(struct actor *actor, const struct actor_ops *ops, void *owner)
{
    CHECK(!actor->started);
    actor->ops = ops;
    actor->owner = owner;
}

void actors_lane(struct actors *set, actor_id from, actor_id to, size_t bytes)
{
    struct actor *sender = actors_get(set, from);
    struct actor *receiver = actors_get(set, to);
    CHECK(sender != NULL);
    CHECK(receiver != NULL);
    CHECK(receiver->lanes_in[from] == NULL);
    struct lane *lane = aligned_zero(sizeof(*lane));
    lane_init(lane, bytes);
    receiver->lanes_in[from] = lane;
    sender->out[to].lane = lane;
}

static void wire_pair(struct actor *sender, struct actor *receiver)
{
    struct ring *ring = aligned_zero(sizeof(*ring));
    ring_init(ring, RING_CELLS);
    receiver->in[sender->id] = ring;
    struct outbox *out = &sender->out[receiver->id];
    out->ring = ring;
    out->bell = &receiver->bell;
    out->gone = &receiver->gone;
}

void actors_wire(struct actors *set)
{
    CHECK(!set->wired);
    set->wired = true;
    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t k = 0; k < set->count; k++)
            wire_pair(set->by_id[set->ids[i]], set->by_id[set->ids[k]]);     /* oneself included: a message for a later turn */
}

static void free_inputs(struct actor *actor)
{
    for (uint32_t from = 0; from < ACTOR_LIMIT; from++) {
        struct ring *ring = actor->in[from];
        if (ring != NULL) {
            for (struct ring_cell *cell; (cell = ring_peek(ring)) != NULL; ring_pop(ring))
                if (cell->flags & CELL_BLOCK)
                    mem_put(cell->block);
            ring_fini(ring);
            free(ring);
        }
        if (actor->lanes_in[from] != NULL) {
            lane_fini(actor->lanes_in[from]);
            free(actor->lanes_in[from]);
        }
    }
}

void actors_free(struct actors *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        CHECK(!set->by_id[set->ids[i]]->started);       /* joined */
        mailbox_fini(set->by_id[set->ids[i]]);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        struct actor *actor = set->by_id[set->ids[i]];
        free_inputs(actor);
        doorbell_close(&actor->bell);
        close(actor->epoll);
        free(actor);
    }
    mem_put(set);
}

struct actor *actors_get(struct actors *set, actor_id id)
{
    return id < ACTOR_LIMIT ? set->by_id[id] : NULL;
}

actor_id actor_self(const struct actor *self)
{
    return self->id;
}

const char *actor_name(const struct actor *self)
{
    return self->name;
}

struct actors *actor_set(const struct actor *self)
{
    return self->set;
}

const struct actor_counters *actor_counters(const struct actor *self)
{
    return &self->counters;
}

struct actor_pulse actor_pulse(const struct actor *actor)
{
    return (struct actor_pulse){
        .beat = atomic_load_explicit(&actor->beat, memory_order_relaxed),
        .last_type = atomic_load_explicit(&actor->last_type, memory_order_relaxed),
        .may_block = actor->ops != NULL && actor->ops->may_block,
        .running = atomic_load_explicit(&actor->running, memory_order_relaxed),
    };
}
