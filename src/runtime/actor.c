/* The loop of one actor. A turn:
 *
 *      wait -> clock -> messages -> relay records -> ready descriptors -> on_turn -> spill and bells
 *
 * The beat is odd from "clock" to "bells", even while the actor waits: a beat that stays odd is a stuck actor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "runtime/actor_impl.h"
#include "runtime/clock.h"
#include "runtime/log.h"

/* Written once per thread, by actor_run; the only state in the runtime that is not in an actor. */
static _Thread_local struct actor *current;

struct actor *actor_current(void)
{
    return current;
}

usec_t actor_now(const struct actor *self)
{
    return self->now;
}

uint64_t actor_wall_us(const struct actor *self)
{
    /* Not the start's wall clock moved on: files and sender reports shall follow a clock that NTP corrects. */
    usec_t late = clock_now() - self->now;
    return clock_wall_us() - late;
}

usec_t actor_turn_ended(const struct actor *self)
{
    return self->ended;
}

bool clock_turn_us(uint64_t *us)
{
    if (current == NULL)
        return false;
    *us = current->now + current->set->wall_offset_us;
    return true;
}

bool actor_watch(struct actor *self, int fd, uint32_t events, uint64_t token)
{
    CHECK(token != TOKEN_DOORBELL || fd == self->bell.fd);
    struct epoll_event event = {.events = events, .data.u64 = token};
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return true;
    return errno == EEXIST && epoll_ctl(self->epoll, EPOLL_CTL_MOD, fd, &event) == 0;
}

void actor_unwatch(struct actor *self, int fd)
{
    struct epoll_event unused = {0};
    (void)epoll_ctl(self->epoll, EPOLL_CTL_DEL, fd, &unused);     /* already closed: nothing left to do */
}

void actor_stop(struct actor *self)
{
    CHECK_OWNER(self);
    self->stopping = true;
}

/* ---- waiting */

static usec_t wait_until(struct actor *self)
{
    usec_t at = self->ops->deadline != NULL ? self->ops->deadline(self->owner) : USEC_NEVER;
    if (self->counters.spill_now > 0)
        at = usec_min(at, usec_add(self->ended, SPILL_RETRY_US));
    return at;
}

static int poll_for(struct actor *self, struct epoll_event *events, usec_t wait)
{
    if (!self->no_pwait2) {
        struct timespec t = {.tv_sec = (time_t)(wait / 1000000u), .tv_nsec = (long)(wait % 1000000u) * 1000};
        int count = epoll_pwait2(self->epoll, events, TURN_READY_MAX, wait == USEC_NEVER ? NULL : &t, NULL);
        if (count >= 0 || errno != ENOSYS)
            return count;
        self->no_pwait2 = true;
    }
    usec_t ms = wait / 1000u + (wait % 1000u != 0);
    return epoll_wait(self->epoll, events, TURN_READY_MAX, wait == USEC_NEVER ? -1 : ms > 60000 ? 60000 : (int)ms);
}

/* Sleeps until there is input, a deadline or nothing to wait for. Returns how many descriptors are ready. */
static int wait_for_input(struct actor *self, struct epoll_event *events)
{
    usec_t at = wait_until(self);
    usec_t wait = at == USEC_NEVER ? USEC_NEVER : at > self->ended ? at - self->ended : 0;
    if (self->more)
        wait = 0;
    if (wait == 0)
        return poll_for(self, events, 0);
    doorbell_arm(&self->bell);
    if (mailbox_has_messages(self) || mailbox_has_records(self))
        wait = 0;
    int count = poll_for(self, events, wait);
    doorbell_disarm(&self->bell);
    return count;
}

/* ---- a turn */

static void handle_ready(struct actor *self, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == TOKEN_DOORBELL)
            doorbell_drain(&self->bell);
        else if (self->ops->on_ready != NULL)
            self->ops->on_ready(self->owner, self->now, events[i].data.u64, events[i].events);
    }
}

/* Only when everything sent before has been handled: what led to the question may still lie in another sender's ring. Not when
 * nothing at all is left: under load that moment never comes. */
static void handle_stop(struct actor *self)
{
    if (!self->stop_asked || self->stop_told || !mailbox_is_past_stop(self))
        return;
    self->stop_told = true;
    if (self->ops->on_stop != NULL)
        self->ops->on_stop(self->owner, self->now);
    else
        actor_stop(self);
}

/* Warnings and mere notes are limited apart: a warning must not be lost to a note before it. */
static void report_long_turn(struct actor *self, usec_t took)
{
    const bool is_long = took >= TURN_LONG_US;
    usec_t *logged = is_long ? &self->warned : &self->long_turn_logged;
    self->counters.long_turns++;
    if (took > self->counters.longest_turn_us)
        self->counters.longest_turn_us = took;
    if (*logged != 0 && self->ended < usec_add(*logged, is_long ? LONG_TURN_WARN_US : LONG_TURN_LOG_US))
        return;
    *logged = self->ended;
    const char *name = self->worst_message_us > 0 && self->ops->type_name != NULL ? self->ops->type_name(self->worst_type) : NULL;
    LOG_AT(self, is_long ? LOG_LEVEL_WARN : LOG_LEVEL_DBG, "a turn took %llu us; its longest message was %s (%u), %llu us",
           (unsigned long long)took, name != NULL ? name : "of type", self->worst_message_us > 0 ? self->worst_type : 0u,
           (unsigned long long)self->worst_message_us);
}

static void turn(struct actor *self)
{
    struct epoll_event events[TURN_READY_MAX];
    int count = wait_for_input(self, events);
    CHECK(count >= 0 || errno == EINTR);
    atomic_fetch_add_explicit(&self->beat, 1, memory_order_relaxed);
    self->now = clock_now();
    self->more = false;
    self->worst_message_us = 0;
    mailbox_read_messages(self);
    mailbox_read_relay(self);
    handle_ready(self, events, count);
    if (self->ops->on_turn != NULL)
        self->ops->on_turn(self->owner, self->now);
    handle_stop(self);
    self->ended = clock_now();
    self->counters.turns++;
    histogram_add(&self->counters.turn_us, self->ended - self->now);
    if (self->ended - self->now > TURN_BUDGET_US && !self->ops->may_block)
        report_long_turn(self, self->ended - self->now);
    actor_flush(self);
    atomic_fetch_add_explicit(&self->beat, 1, memory_order_relaxed);
}

/* ---- beginning and end */

static void say_goodbye(struct actor *self)
{
    if (self->id != ACTOR_MAIN)
        actor_send(self, ACTOR_MAIN, ACTOR_STOPPED, NULL, 0);
    usec_t until = usec_add(clock_now(), SPILL_LAST_US);
    actor_flush(self);
    while (self->counters.spill_now > 0 && clock_now() < until) {
        nanosleep(&(struct timespec){.tv_nsec = (long)SPILL_RETRY_US * 1000}, NULL);
        actor_flush(self);
    }
}

void actor_run(struct actor *self)
{
    CHECK(self->set->wired);
    CHECK(self->ops != NULL);
    current = self;
    atomic_store_explicit(&self->running, true, memory_order_relaxed);
    self->now = self->ended = clock_now();
    if (self->ops->on_start != NULL)
        self->ops->on_start(self->owner, self->now);
    actor_flush(self);
    while (!self->stopping)
        turn(self);
    say_goodbye(self);
    atomic_store_explicit(&self->running, false, memory_order_relaxed);
    atomic_store_explicit(&self->gone, true, memory_order_relaxed);
    current = NULL;
}

static void *thread_main(void *actor)
{
    actor_run(actor);
    return NULL;
}

bool actor_start(struct actor *actor)
{
    CHECK(!actor->started);
    int failed = pthread_create(&actor->thread, NULL, thread_main, actor);
    if (failed != 0) {
        errno = failed;
        return false;
    }
    char name[16];
    snprintf(name, sizeof(name), "%s", actor->name);
    (void)pthread_setname_np(actor->thread, name);      /* for ps and gdb only */
    actor->started = true;
    return true;
}

void actor_join(struct actor *actor)
{
    if (!actor->started)
        return;
    CHECK(pthread_join(actor->thread, NULL) == 0);
    actor->started = false;
}
