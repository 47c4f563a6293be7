/* tests/unit/worker/fake_runtime.h - runtime/actor.h, udp.h and log.h for workers in virtual time: messages and lanes are
 * queues that the test empties in any order between pairs, sockets are queues of datagrams, and what a worker sends is handed
 * to the test run by run. */
#pragma once

#include "runtime/actor.h"
#include "runtime/udp.h"

#define FAKE_FD_FIRST 4                 /* those below are the workers' own sockets */
#define FAKE_FDS      16

#define FAKE_ACTORS 24u                 /* ids below */

struct fake_message {
    actor_id from;
    uint16_t type;
    struct ref op;
    size_t size;
    void *payload;                      /* its own block: a sanitizer sees whoever reads past it */
};

struct fake_queue {
    struct fake_message *items;
    uint32_t count, room;
};

struct fake_record {
    size_t size;
    uint8_t *bytes;
};

struct fake_lane {
    struct fake_record *items;
    uint32_t count, room;
};

struct fake_socket {
    struct udp_datagram *items;         /* what waits to be received; data are blocks of their own */
    uint32_t count, room;
};

struct actor {
    actor_id id;
    uint64_t tokens[FAKE_FDS];
    bool stopped;
    uint32_t watched;                   /* bit per descriptor */
};

struct fake {
    usec_t now;
    uint64_t wall_us;
    struct fake_queue queues[FAKE_ACTORS][FAKE_ACTORS];     /* from, to */
    struct fake_lane lanes[FAKE_ACTORS][FAKE_ACTORS];
    uint32_t lane_limit;                /* records; 0: endless */
    uint32_t lane_dropped;
    struct fake_socket sockets[FAKE_FDS];     /* by descriptor */
    /* A run that a worker sends; NULL: swallowed. */
    void (*on_run)(void *owner, const struct udp *udp, const struct udp_run *run);
    void *owner;
    uint32_t warnings;
    uint32_t opened;                    /* sockets that udp_open has given */
    enum err open_error;                /* of the next udp_open calls */
    bool watch_fails;                   /* of the next actor_watch calls */
};

extern struct fake fake;

void fake_init(void);
void fake_fini(void);
void fake_receive(int fd, const struct net_addr *from, const uint8_t *data, size_t size);
/* Posts a message as if `from` had sent it. */
void fake_post(actor_id from, actor_id to, uint16_t type, const void *payload, size_t size);
/* Takes the oldest message of a pair; false when there is none. The caller frees the payload with fake_done. */
bool fake_take(actor_id from, actor_id to, struct fake_message *out);
void fake_done(struct fake_message *message);
bool fake_take_record(actor_id from, actor_id to, struct fake_record *out);
