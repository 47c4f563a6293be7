/* media/source.h - what one m-line of a publisher sends us, or its likeness on another worker (a proxy fed by a relay lane).
 * It looks into each packet once, keeps the last second, and fans out. Owner: one worker.
 *
 *   source_new -> source_input per packet, source_report per sender report -> source_free (sinks fall silent)
 * Keyframes: whoever needs one calls source_want_keyframe; the worker drains media.keyframes and asks the publisher, or the
 * source's home worker when this is a proxy. Asks are merged: one per KEYFRAME_EVERY_US, the rest remembered. */
#pragma once

#include "base/slots.h"
#include "media/history.h"
#include "media/levels.h"
#include "media/media.h"
#include "proto/rtp/dd.h"

#define KEYFRAME_EVERY_US  MSEC(300)    /* Chromium ignores more (traps.md) */
#define KEYFRAME_REPLAY_US MSEC(500)    /* a keyframe at most this old is replayed to a new receiver */

/* Packets that wait: media/hold.h. */
struct source_hold {
    struct list node;                   /* in media.holding while any do */
    usec_t until;
    uint16_t first;
    uint16_t mask;                      /* bit i: number first + i, which the history has */
};

struct source_layer {
    struct history history;
    struct source_hold hold;
    uint8_t index;                      /* of this layer */
    uint8_t epoch;
    bool started;
    uint16_t newest;
    struct dd_structure structure;      /* of its dependency descriptors */
    uint8_t spatial_count;              /* VP9: as its newest scalability structure says; 0: unknown */
};

/* A sender report's two clocks, the NTP one already moved to ours (peer/clock_map.h). */
struct source_report {
    usec_t at;                          /* 0: none yet */
    uint64_t wall_us;
    uint32_t ts;
};

struct source {
    struct media *media;
    struct ref name;
    void *origin;                       /* the peer's m-line that receives it; NULL for a proxy and an inlet's */
    void *inlet;                        /* plain RTP that feeds it; NULL: none */
    struct source_desc desc;
    bool active;                        /* false: muted */
    bool proxy;
    bool present;                       /* proxies: the home worker has confirmed */
    uint32_t home_worker;               /* proxies: whom to ask */
    struct list sinks;
    struct list forwards;               /* struct forward: who gets what comes as it comes */
    uint32_t sink_count;
    uint32_t impatient;                 /* sinks among them that get packets as they come, never held */
    uint64_t relay_mask;                /* workers that get a copy of each packet */
    bool keeps;                         /* packets are kept: video, and what a sink may be asked for again */
    struct list wanting;                /* in media.keyframes */
    bool keyframe_wanted;
    usec_t keyframe_asked_at;
    usec_t keyframe_every_us;
    struct levels levels;
    struct list talking;                /* in media.talkers while a change is to be told */
    struct source_report reports[LAYERS_MAX];
    struct source_layer layers[LAYERS_MAX];
};

/* NULL: at the limit. */
struct source *source_new(struct media *media, struct ref name, const struct source_desc *desc);
void source_free(struct source *source);
/* Its m-line is gone: sinks fall silent at once; the worker finds it on media.orphans, tells other workers, and frees it. */
void source_orphan(struct source *source);

/* Into the worker's table of sources. Control uses a slot again only when its last source is gone, but a proxy may not have
 * heard of that yet: it is orphaned. False: the table is at its limit. */
bool source_put(struct slots *sources, struct source *source);

/* One packet of the source: its layer, seq, ts, marker, payload, ext and arrived are set; the rest is found here.
 * An empty payload is a probe's number: receivers do not get it, and their numbers close up over it.
 * `renumbered`: the layer's SSRC has changed since its last packet. */
void source_input(struct source *source, struct media_packet *packet, bool renumbered);
void source_report(struct source *source, uint8_t layer, usec_t now, uint64_t wall_us, uint32_t ts);

void source_want_keyframe(struct source *source);
/* For the worker, about one of media.keyframes: true when the publisher is to be asked now (the source leaves the list);
 * false: not yet, ask again at source_keyframe_deadline. */
bool source_keyframe_due(struct source *source, usec_t now);
usec_t source_keyframe_deadline(const struct source *source);

/* Unmuted, each layer begins a new epoch: receivers go on without a gap, on a keyframe, wherever they are. */
void source_set_active(struct source *source, bool active);
void source_expire(struct source *source, usec_t now);          /* about once a second: old packets go back */

/* media/fanout.c: to every local sink, every relay lane. */
void fanout_packet(struct source *source, const struct media_packet *packet);
/* The same in two steps: to those who want it as it came, at once; then to the others, some packets together, all packets of a
 * receiver before the next receiver's. */
void fanout_at_once(struct source *source, const struct media_packet *packet);
void fanout_frame(struct source *source, const struct media_packet *packets, uint32_t count);
/* The newest keyframe and what followed, if it is recent and whole, to one sink or one worker. True: it was. A sink that has
 * begun to relay the source needs none: it would get what it has had. */
struct sink;
bool fanout_replay(struct source *source, struct sink *sink, usec_t now);
bool fanout_replay_to_worker(struct source *source, uint32_t worker, usec_t now);
