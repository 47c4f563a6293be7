/* load/peers.h - many calls at once: set up a few at a time, waited for, taken down. Used by the commands peers and room. */
#pragma once

#include "load/load.h"

#define WITNESS_PORT 9000u          /* scripts/nullsink.sh lets through what is sent to the thousand from here on */

struct peers {
    struct load *load;
    struct net net;
    struct call publisher;          /* rooms */
    uint32_t publisher_done;
    struct proc_sample after_talk;  /* MODE_DATA */
    uint32_t witness_every;         /* such a call's socket has a port from WITNESS_PORT on; 0: none */
    struct call_config config;      /* of each call; its session is the user's, its name its number */
    void (*on_text)(void *owner, usec_t now, struct call *call, struct view text);      /* of all; the owner is this struct */
    struct call *calls;
    uint32_t size;
    uint32_t wanted;
    uint32_t begun;
    uint32_t up;
    uint32_t failed;
};

/* Connections with sessions, the network, and room for `count` calls. False: load->error. */
bool peers_init(struct peers *peers, struct load *load, uint32_t count);
void peers_fini(struct peers *peers);
bool peers_is_witness(const struct peers *peers, uint32_t call);

/* A publisher of audio and video in the room; up. False: load->error. */
bool peers_publish(struct peers *peers);
/* Calls until `count` of them are up (one of them failing fails all). False: load->error. */
bool peers_call(struct peers *peers, uint32_t count);
