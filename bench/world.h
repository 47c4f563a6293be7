/* bench/world.h - a whole media worker in one process with its clients, and no sockets: what runs is src/worker and all
 * below it; what it would hand to the kernel is handed to the clients, or counted and dropped. The clients are those of
 * client/, with real handshakes and keys. Virtual time. */
#pragma once

#include "client/endpoint.h"
#include "client/synth.h"

#define WORLD_VIEWERS_MAX 1024u

struct world;

struct world_config {
    uint32_t viewers;
    enum seal_backend seal;
    bool audio_too;                     /* else video only */
};

struct world_counters {
    uint64_t rtp_sent;                  /* by the worker, to viewers */
    uint64_t rtp_bytes;
    uint64_t runs;                      /* system calls' worth: entries of sendmmsg */
    uint64_t other_sent;                /* STUN, DTLS, RTCP */
};

/* One publisher and its viewers, all connected; NULL: it did not come to be within 5 virtual seconds. */
struct world *world_new(const struct world_config *config);
void world_free(struct world *world);

/* Lets the publisher make `frames` frames ahead of time; each becomes one batch of datagrams. */
void world_prepare(struct world *world, uint32_t frames);
/* The worker's turn with the next prepared batch. `deliver`: viewers get their packets (and answer); else they are counted
 * only. False: none is left. */
bool world_turn(struct world *world, bool deliver);
/* `us` pass for everybody: timers run. */
void world_pass(struct world *world, usec_t us);

const struct world_counters *world_counters(const struct world *world);
const struct verify *world_video(const struct world *world, uint32_t viewer);
const char *world_seal_name(const struct world *world);
