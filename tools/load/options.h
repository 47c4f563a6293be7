/* load/options.h - what the command line says, with its defaults and bounds: every run ends by itself. */
#pragma once

#include "base/net.h"

#define COUNT_MAX   20000u
#define SECONDS_MAX 600u

enum load_mode { MODE_ECHO, MODE_ROOM, MODE_DATA };

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
    uint64_t room;
    enum load_mode mode;
    bool json;
};

/* False: it has said why (or printed the usage, then *asked is set). */
bool options_read(struct options *options, int argc, char **argv, bool *asked);
