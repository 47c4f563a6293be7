/* client/loop.h in virtual time: the clients' loop has turns as an actor has. */
#include "client/loop.h"

#include "base/check.h"
#include "base/mem.h"
#include "sim/watch.h"
#include "sim/world.h"

#define WAKE_US 60u
#define TURN_US 20u

static struct watch_set ready[ARRAY_COUNT(((struct sim *)0)->loops)];

bool loop_init(struct loop *loop)
{
    CHECK(sim->loop_count < ARRAY_COUNT(sim->loops));
    *loop = (struct loop){.epoll = (int)sim->loop_count, .now = sim->now};
    timerq_init(&loop->timers);
    list_init(&loop->hooks);
    ready[sim->loop_count] = (struct watch_set){0};
    sim->loop_wake[sim->loop_count] = USEC_NEVER;
    sim->loops[sim->loop_count++] = loop;
    return true;
}

void loop_fini(struct loop *loop)
{
    timerq_fini(&loop->timers);
    mem_put(ready[loop->epoll].fds);
    sim->loops[loop->epoll] = NULL;
    sim->loop_wake[loop->epoll] = USEC_NEVER;
}

static void wake(void *who, usec_t cause)
{
    const struct loop *loop = who;
    usec_t *at = &sim->loop_wake[loop->epoll];
    usec_t then = usec_add(cause, sim_below(&sim->scheduler, WAKE_US));
    if (then < sim->loop_busy[loop->epoll])
        then = sim->loop_busy[loop->epoll];
    if (then < *at)
        *at = then;
}

bool loop_watch(struct loop *loop, struct loop_source *source, uint32_t events)
{
    return watch(&ready[loop->epoll], source->fd, events, (uint64_t)(uintptr_t)source, wake, loop);
}

void loop_unwatch(struct loop *loop, struct loop_source *source)
{
    unwatch(source->fd);
    for (int i = 0; i < loop->event_count; i++)
        if (loop->events[i].data.ptr == source)
            loop->events[i].data.ptr = NULL;
}

void loop_set(struct loop *loop, struct loop_timer *timer, usec_t at)
{
    timerq_set(&loop->timers, &timer->timer, at);
    if (at != USEC_NEVER)
        wake(loop, at);
}

void loop_hook(struct loop *loop, struct loop_hook *hook)
{
    list_add_tail(&loop->hooks, &hook->node);
}

void loop_unhook(struct loop_hook *hook)
{
    list_del(&hook->node);
}

usec_t loops_next(uint32_t *which)
{
    usec_t first = USEC_NEVER;
    for (uint32_t i = 0; i < sim->loop_count; i++)
        if (sim->loop_wake[i] < first) {
            first = sim->loop_wake[i];
            *which = i;
        }
    return first;
}

void loops_turn(uint32_t which)
{
    struct loop *loop = sim->loops[which];
    struct watch_ready found[WATCH_READY_MAX];
    const uint32_t count = watch_collect(&ready[which], found);
    loop->now = sim->now;
    sim->loop_wake[which] = USEC_NEVER;
    for (uint32_t i = 0; i < count; i++)
        loop->events[i] = (struct epoll_event){.events = found[i].events, .data.ptr = (void *)(uintptr_t)found[i].token};
    loop->event_count = (int)count;
    for (int i = 0; i < loop->event_count; i++) {
        struct loop_source *source = loop->events[i].data.ptr;
        if (source != NULL)
            source->on_ready(source, loop->now, loop->events[i].events);
    }
    loop->event_count = 0;
    for (struct timer *timer; (timer = timerq_pop(&loop->timers, loop->now)) != NULL;) {
        struct loop_timer *due = CONTAINER_OF(timer, struct loop_timer, timer);
        due->on_due(due, loop->now);
    }
    LIST_EACH(it, &loop->hooks) {
        struct loop_hook *hook = CONTAINER_OF(it, struct loop_hook, node);
        hook->on_turn(hook, loop->now);
    }
    sim->loop_busy[which] = sim->now + 1 + sim_below(&sim->scheduler, TURN_US);
    wake(loop, timerq_next(&loop->timers));
    if (watch_any_ready(&ready[which]))
        wake(loop, sim->now);
}

void loop_turn(struct loop *loop, usec_t limit)
{
    (void)loop;
    (void)world_step(limit);
}

bool loop_until(struct loop *loop, bool (*is_done)(const void *context), const void *context, usec_t limit)
{
    (void)loop;
    while (!is_done(context))
        if (!world_step(limit))
            return false;
    return true;
}

void loop_run(struct loop *loop, usec_t limit)
{
    (void)loop;
    while (world_step(limit))
        ;
}
