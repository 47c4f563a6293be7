/* tests/unit/media/rig.h - a media graph in virtual time: ports that write down what they are given, and publishers' layers
 * that say what a test wants said. Every payload ends with its `content`, so that a packet is known wherever it comes out. */
#pragma once

#include "support/seams.h"

#include "media/media.h"
#include "media/history.h"
#include "media/port.h"
#include "media/sink.h"
#include "media/source.h"
#include "proto/rtp/vp8.h"

#define PAYLOAD_SIZE 40u

struct sent {
    uint16_t seq;
    uint32_t ts;
    uint8_t pt;
    bool marker;
    bool again;
    uint8_t padding;
    usec_t at;
    uint32_t content;
    uint16_t size;
    uint8_t payload[HISTORY_BYTES];     /* with the patch in it */
    struct rtp_ext_values ext;
};

struct fake_port {
    struct port port;
    bool ready;
    uint32_t count;
    uint32_t room;
    struct sent *sent;
};

void fake_port_init(struct fake_port *port);
void fake_port_fini(struct fake_port *port);
void fake_port_forget(struct fake_port *port);
const struct sent *fake_port_last(const struct fake_port *port);    /* fails when there is none */

/* One layer of a publisher, VP8 unless the codec is changed. Fields may be changed between packets. */
struct feed {
    struct source *source;
    uint8_t layer;
    enum codec codec;
    usec_t now;
    uint16_t seq;               /* of the next packet */
    uint32_t ts;
    uint8_t bits;               /* of the picture id: 0, 7 or 15 */
    uint16_t picture_id;
    uint8_t tl0picidx;
    int tid;                    /* -1: none */
    bool renumbered;            /* of the next packet only */
    uint8_t shorter;            /* bytes that are missing from the payload */
    uint32_t content;           /* of the last packet */
};

#define FRAME_US    33000u
#define FRAME_TICKS 2970u       /* of 90 kHz */

void feed_init(struct feed *feed, struct source *source, uint8_t layer, usec_t now);
/* The next packet of the frame in hand. `first`: a partition starts here. Returns its content. */
uint32_t feed_packet(struct feed *feed, bool key, bool first, bool marker);
void feed_probe(struct feed *feed);                     /* an empty payload */
void feed_lose(struct feed *feed);                      /* a number that never comes */
void feed_next_frame(struct feed *feed, int tid);       /* time, picture id, tl0picidx */
/* A whole frame of `packets` packets, and on to the next. */
void feed_frame(struct feed *feed, bool key, unsigned packets);

/* Graph. */
struct rig {
    struct media media;
    uint32_t names;
};

void rig_init(struct rig *rig);
void rig_fini(struct rig *rig);                         /* frees nothing but the pools, which must be empty */
struct source *rig_source(struct rig *rig, enum codec codec, uint8_t layers);
struct sink *rig_sink(struct rig *rig, struct source *source, struct fake_port *port, usec_t now);

extern const struct sink_options rig_options;           /* pt 96, targets 2, nothing else */
