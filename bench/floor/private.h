/* bench/floor/private.h - for the files of this folder. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "bench/floor/floor.h"
#include "proto/rtp/rtp.h"

#define FLOOR_PORT   20000u         /* of the first receiver */
#define FLOOR_CHUNK  64u            /* packets that are sealed and sent together: what was written is still in the caches */
#define FLOOR_STRIDE 1344u          /* FLOOR_SIZE_MAX and SEAL_ROOM, in whole cache lines */
#define FLOOR_SSRC   0x1000u        /* of the first receiver's stream; the publisher's is one less */

struct floor_receiver {
    struct seal_keys *keys;
    uint64_t index;
    struct sockaddr_in to;
};

/* What the reader tells, in memory that both processes have. */
struct floor_counts {
    uint64_t verified, wrong, lost;
};

struct floor {
    const struct floor_options *options;
    struct floor_result *result;
    struct seal_shared *seal;
    struct seal_keys *publisher;    /* both directions */
    struct seal_rx_stream heard;
    uint32_t counter;               /* of the publisher's packets */
    int publish_fd, in_fd, out_fd;
    int publisher_pid, reader_pid;  /* 0: none */
    struct floor_counts *counts;
    struct floor_receiver receivers[FLOOR_RECEIVERS_MAX];
    uint64_t packets;
    uint8_t arena[FLOOR_CHUNK * FLOOR_STRIDE];
};

bool floor_fail(struct floor *floor, const char *what);     /* with errno's text; returns false */

/* ends.c: the next burst, sealed and sent. */
bool floor_publish(struct floor *floor);
bool floor_start_publisher(struct floor *floor);
bool floor_start_reader(struct floor *floor);               /* returns when it listens */
void floor_stop_ends(struct floor *floor);
