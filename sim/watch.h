/* sim/watch.h - descriptors: the table of what is open, and what is ready for whom (an actor, or a loop of the clients). */
#pragma once

#include "base/types.h"

#define WATCH_READY_MAX 256
#define DESCRIPTORS_MAX 8192

/* Those of one watcher that may be ready; looked at again before they are reported. */
struct watch_set {
    int *fds;
    uint32_t count, room;
};

struct watch_ready {
    int fd;
    uint32_t events;
    uint64_t token;
};

/* What stands behind a descriptor. */
struct descriptor_ops {
    uint32_t (*events)(void *object);       /* EPOLLIN, ... as it is now */
    void (*close)(void *object);
};

struct descriptor {
    const struct descriptor_ops *ops;       /* NULL: closed */
    void *object;
    struct watch_set *set;                  /* NULL: not watched */
    void (*wake)(void *who, usec_t cause);
    void *who;
    uint32_t events;
    uint64_t token;
    bool listed;
};

/* -1: none to be had (the limit, or a fault); errno is EMFILE. `faulty`: the fault of the world applies. */
int descriptor_open(const struct descriptor_ops *ops, void *object, bool faulty);
void descriptor_close(int fd);
struct descriptor *descriptor_get(int fd);                          /* NULL: not open */
void *descriptor_object(int fd, const struct descriptor_ops *ops);  /* NULL: no such, or another kind */
uint32_t descriptors_open(void);
void descriptor_changed(int fd);            /* its readiness may have become more */

bool watch(struct watch_set *set, int fd, uint32_t events, uint64_t token, void (*wake)(void *who, usec_t cause), void *who);
void unwatch(int fd);
uint32_t watch_collect(struct watch_set *set, struct watch_ready out[WATCH_READY_MAX]);
bool watch_any_ready(struct watch_set *set);
void descriptors_reset(void);
