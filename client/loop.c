#include "client/loop.h"

#include <errno.h>
#include <unistd.h>

#include "runtime/clock.h"

#define WAIT_MAX_MS 1000

bool loop_init(struct loop *loop)
{
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    timerq_init(&loop->timers);
    list_init(&loop->hooks);
    loop->event_count = 0;
    loop->now = clock_now();
    return loop->epoll >= 0;
}

void loop_fini(struct loop *loop)
{
    timerq_fini(&loop->timers);
    if (loop->epoll >= 0)
        close(loop->epoll);
    loop->epoll = -1;
}

bool loop_watch(struct loop *loop, struct loop_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &event) == 0)
        return true;
    return errno == ENOENT && epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

void loop_unwatch(struct loop *loop, struct loop_source *source)
{
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    for (int i = 0; i < loop->event_count; i++)
        if (loop->events[i].data.ptr == source)
            loop->events[i].data.ptr = NULL;
}

void loop_set(struct loop *loop, struct loop_timer *timer, usec_t at)
{
    timerq_set(&loop->timers, &timer->timer, at);
}

void loop_hook(struct loop *loop, struct loop_hook *hook)
{
    list_add_tail(&loop->hooks, &hook->node);
}

void loop_unhook(struct loop_hook *hook)
{
    list_del(&hook->node);
}

static int wait_ms(const struct loop *loop, usec_t limit)
{
    usec_t until = usec_min(limit, timerq_next(&loop->timers));
    usec_t now = clock_now();
    if (until <= now)
        return 0;
    usec_t ms = (until - now + 999u) / 1000u;
    return ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int)ms;
}

void loop_turn(struct loop *loop, usec_t limit)
{
    int count = epoll_wait(loop->epoll, loop->events, LOOP_EVENTS, wait_ms(loop, limit));
    loop->now = clock_now();
    loop->event_count = count > 0 ? count : 0;
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
}

bool loop_until(struct loop *loop, bool (*is_done)(const void *context), const void *context, usec_t limit)
{
    while (!is_done(context)) {
        if (clock_now() >= limit)
            return false;
        loop_turn(loop, limit);
    }
    return true;
}

void loop_run(struct loop *loop, usec_t limit)
{
    while (clock_now() < limit)
        loop_turn(loop, limit);
}
