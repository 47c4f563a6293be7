/* media/media.h - what the sources and sinks of one worker share: pools, and the two lists of those that have something to
 * say upwards. Nothing in this folder calls upwards; the worker drains the lists at the end of each turn.
 * Owner: one worker. */
#pragma once

#include "base/list.h"
#include "base/pool.h"
#include "media/packet.h"

struct media_limits {
    uint32_t sources;
    uint32_t sinks;
    uint32_t packets;               /* kept for retransmission, all sources together */
};

struct media_counters {
    uint64_t packets_in;
    uint64_t packets_out;
    uint64_t dropped_inactive;      /* the source is muted */
    uint64_t dropped_layer;         /* not the layer, or the temporal layer, that the receiver gets */
    uint64_t dropped_paused;        /* receiver paused, or its port is not ready */
    uint64_t dropped_late;          /* older than what a sink remembers */
    uint64_t history_full;          /* not kept: the packet pool is at its limit */
    uint64_t nack_answered;
    uint64_t nack_missed;           /* asked for, but no longer (or never) there */
    uint64_t nack_soon;             /* asked for again too soon */
    uint64_t keyframes_asked;
    uint64_t replays;
    uint64_t held;                  /* packets that waited for their frame's rest */
    uint64_t held_late;             /* times that the rest did not come in time */
    uint64_t padded;
    uint64_t data_in;               /* messages of data channels */
    uint64_t data_out;
    uint64_t data_dropped_inactive;
    uint64_t data_lost;             /* the receiver was full, and is not waited for */
};

/* Copies of packets to other workers: set by the worker, NULL in tests that have one. */
struct media_relay {
    void (*packet)(void *owner, uint32_t worker, struct ref source, const struct media_packet *packet);
    void (*report)(void *owner, uint32_t worker, struct ref source, uint8_t layer, uint64_t wall_us, uint32_t ts);
    void (*data)(void *owner, uint32_t worker, struct ref source, bool binary, struct view bytes);
    void *owner;
};

struct media {
    struct pool sources;
    struct pool sinks;
    struct pool packets;
    struct pool rings;              /* of history */
    struct pool maps;               /* of sinks that answer NACKs */
    struct pool data_sources;
    struct pool data_sinks;
    usec_t hold_us;                 /* video waits for the rest of its frame so long at most (media/hold.c); 0: not at all */
    bool pads;                      /* packets of a frame that are a byte short get one of padding */
    struct list holding;            /* layers that hold packets, the first to be due first: hold.node */
    struct list keyframes;          /* sources whose publisher is to be asked: source.wanting */
    struct list orphans;            /* sources whose m-line is gone: source.wanting */
    struct list talkers;            /* sources that have begun to talk, or ended: source.talking */
    struct list layers;             /* sinks whose layer changed: sink.changed */
    struct list data_freed;         /* data sources that need not wait any more: data_source.freed */
    struct list data_orphans;       /* data sources whose m-line is gone: data_source.freed */
    struct media_relay relay;
    struct media_counters counters;
};

void media_init(struct media *media, const struct media_limits *limits);
void media_fini(struct media *media);       /* CHECKs that all pools are empty */
