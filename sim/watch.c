#include "sim/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/mem.h"
#include "sim/actor.h"

#define DESCRIPTOR_FIRST 3

static struct descriptor table[DESCRIPTORS_MAX];
static uint32_t open_count;

int descriptor_open(const struct descriptor_ops *ops, void *object, bool faulty)
{
    errno = EMFILE;
    if (faulty && sim_chance(&sim->network, sim->faults.descriptor_ppm)) {
        sim->descriptor_refusals++;
        return -1;
    }
    for (int fd = DESCRIPTOR_FIRST; fd < DESCRIPTORS_MAX; fd++) {
        if (table[fd].ops != NULL)
            continue;
        const bool listed = table[fd].listed;       /* a set may still have it in its list: it looks again */
        table[fd] = (struct descriptor){.ops = ops, .object = object, .listed = listed};
        open_count++;
        return fd;
    }
    return -1;
}

struct descriptor *descriptor_get(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS_MAX && table[fd].ops != NULL ? &table[fd] : NULL;
}

void *descriptor_object(int fd, const struct descriptor_ops *ops)
{
    struct descriptor *d = descriptor_get(fd);
    return d != NULL && d->ops == ops ? d->object : NULL;
}

uint32_t descriptors_open(void)
{
    return open_count;
}

static void unlist(int fd)
{
    struct descriptor *d = &table[fd];
    if (!d->listed || d->set == NULL)
        return;
    for (uint32_t i = 0; i < d->set->count; i++)
        if (d->set->fds[i] == fd) {
            d->set->fds[i] = d->set->fds[--d->set->count];
            break;
        }
    d->listed = false;
}

void descriptor_close(int fd)
{
    struct descriptor *d = descriptor_get(fd);
    CHECK(d != NULL);
    unwatch(fd);
    const struct descriptor_ops *ops = d->ops;
    void *object = d->object;
    d->ops = NULL;
    open_count--;
    ops->close(object);
}

static uint32_t ready_events(const struct descriptor *d)
{
    if (d->ops == NULL || d->set == NULL)
        return 0;
    return d->ops->events(d->object) & (d->events | EPOLLERR | EPOLLHUP);
}

static void list_it(int fd)
{
    struct watch_set *set = table[fd].set;
    if (table[fd].listed)
        return;
    if (set->count == set->room) {
        set->room = set->room == 0 ? 16 : set->room * 2;
        set->fds = mem_resize(set->fds, set->room * sizeof(*set->fds));
    }
    set->fds[set->count++] = fd;
    table[fd].listed = true;
}

void descriptor_changed(int fd)
{
    struct descriptor *d = descriptor_get(fd);
    if (d == NULL || ready_events(d) == 0)
        return;
    list_it(fd);
    d->wake(d->who, sim->now);
}

bool watch(struct watch_set *set, int fd, uint32_t events, uint64_t token, void (*wake)(void *who, usec_t cause), void *who)
{
    struct descriptor *d = descriptor_get(fd);
    if (d == NULL) {
        errno = EBADF;
        return false;
    }
    CHECK(d->set == NULL || d->set == set);
    d->set = set;
    d->wake = wake;
    d->who = who;
    d->events = events;
    d->token = token;
    descriptor_changed(fd);
    return true;
}

void unwatch(int fd)
{
    struct descriptor *d = descriptor_get(fd);
    if (d == NULL || d->set == NULL)
        return;
    unlist(fd);
    d->set = NULL;
}

uint32_t watch_collect(struct watch_set *set, struct watch_ready out[WATCH_READY_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count;) {
        const int fd = set->fds[i];
        const uint32_t events = ready_events(&table[fd]);
        if (events == 0) {
            set->fds[i] = set->fds[--set->count];
            table[fd].listed = false;
            continue;
        }
        if (count < WATCH_READY_MAX)
            out[count++] = (struct watch_ready){fd, events, table[fd].token};
        i++;
    }
    /* No order is promised among them. */
    for (uint32_t i = count; i > 1; i--) {
        const uint32_t k = (uint32_t)sim_below(&sim->scheduler, i);
        const struct watch_ready swapped = out[i - 1];
        out[i - 1] = out[k];
        out[k] = swapped;
    }
    return count;
}

bool watch_any_ready(struct watch_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (ready_events(&table[set->fds[i]]) != 0)
            return true;
    return false;
}

void descriptors_reset(void)
{
    memset(table, 0, sizeof(table));
    open_count = 0;
}

/* ---- runtime/actor.h: descriptors of an actor ---- */

static void wake_actor(void *who, usec_t cause)
{
    actor_wake(who, cause);
}

bool actor_watch(struct actor *self, int fd, uint32_t events, uint64_t token)
{
    if (!watch(&self->ready, fd, events, token, wake_actor, self))
        return false;
    return true;
}

void actor_unwatch(struct actor *self, int fd)
{
    (void)self;
    unwatch(fd);
}
