/* load/options.h - what the command line says, with its defaults and bounds: every run ends by itself. */
#pragma once

#include "base/net.h"

#define COUNT_MAX   20000u
#define SECONDS_MAX 600u
#define ROUNDS_MAX  50u

enum load_mode { MODE_ECHO, MODE_ROOM, MODE_DATA };
enum load_media { MEDIA_BOTH, MEDIA_ONLY_AUDIO, MEDIA_ONLY_VIDEO };

struct options {
    const char *command;
    struct net_addr server;         /* of its WebSocket listener, plain */
    struct net_addr local;          /* our UDP sockets' address */
    int pid;                        /* the server's, for what it costs; 0: not asked */
    uint32_t count;                 /* sessions, PeerConnections, viewers, clients; 0: the command's own default */
    uint32_t cycles;
    uint32_t connections;
    uint32_t parallel;              /* in progress at a time */
    uint32_t seconds;
    uint32_t kbps;
    uint32_t fps;
    uint32_t pause_ms;              /* mean time between two requests of a client of the storm */
    uint32_t loss_percent;          /* datagrams to viewers that are thrown away */
    /* room: */
    enum load_media media;
    uint32_t burst;                 /* packets of a frame, all of `bytes`; 0: as kbps says */
    uint32_t bytes;                 /* of a payload */
    uint32_t gap_us;                /* between a frame's packets */
    bool sink;                      /* viewers are behind scripts/nullsink.sh, but for some */
    uint32_t witnesses;             /* these */
    /* --compare: */
    bool compare, compare_floor;    /* with `other`, or with the floor */
    struct net_addr other;
    int other_pid;
    uint32_t rounds;
    uint64_t room;
    enum load_mode mode;
    bool json;
};

/* False: it has said why (or printed the usage, then *asked is set). */
bool options_read(struct options *options, int argc, char **argv, bool *asked);
