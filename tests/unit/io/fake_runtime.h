/* tests/unit/io/fake_runtime.h - runtime/actor.h, tcp.h and log.h for the io actor alone: sockets are buffers, time is a number,
 * and what can fail fails when told to. Descriptors are indexes into `sockets`. */
#pragma once

#include "base/buf.h"
#include "io/io.h"
#include "runtime/actor.h"

#define FAKE_SOCKETS 400
#define FAKE_SENT    4096
#define FAKE_RECORD  0xFFFEu     /* `type` of a record of a lane */

struct fake_socket {
    bool open;
    bool listener;
    uint32_t waiting;            /* listener: clients to be accepted */
    struct net_addr addr;
    struct buf in;               /* what the peer has sent */
    bool eof;                    /* and then closed its side */
    bool shut;                   /* we have ended our output */
    bool reset;                  /* reads and writes fail */
    struct buf out;              /* what we have written */
    size_t room;                 /* how much more of it is taken */
    uint32_t writes;             /* calls that wrote */
    uint32_t reads;
    bool watched;
    uint32_t events;
    uint64_t token;
};

struct fake_sent {
    actor_id to;
    uint16_t type;
    uint8_t *bytes;
    size_t size;
    struct ref op;
};

struct fake {
    usec_t now;
    struct fake_socket sockets[FAKE_SOCKETS];
    struct fake_sent sent[FAKE_SENT];
    uint32_t sent_count;
    bool no_descriptor;          /* accept says so */
    uint32_t accepts;            /* calls of it */
    bool watch_fails;
    bool listen_fails;
    bool stopped;
    struct buf log;
};

extern struct fake fake;

void fake_init(void);
void fake_fini(void);

/* A client at the first listener, or at that one. Its descriptor once accepted is the return value; -1: not accepted. */
int fake_connect(struct io *io, int listener);
void fake_say(int fd, struct view bytes);
void fake_turn(struct io *io);                   /* everything that is ready, then on_turn */
void fake_run_to(struct io *io, usec_t when);    /* turns at every deadline on the way */
void fake_message(struct io *io, uint16_t type, const void *head, size_t head_size, struct view tail);

/* Messages to control of that type since the last fake_forget. */
uint32_t fake_count(uint16_t type);
const struct fake_sent *fake_nth(uint16_t type, uint32_t n);
void fake_forget(void);
