/* media/sink.h - one receiver of one source: chooses the layer, keeps numbers and time continuous, remembers what it sent.
 * Owner: the worker of the receiving peer. It sends through a port and never calls upwards; a layer change puts it on
 * media.layers for the worker to report. */
#pragma once

#include "media/media.h"
#include "media/port.h"
#include "media/select_simulcast.h"
#include "media/select_svc.h"
#include "media/seqmap.h"

#define SINK_MAP_SIZE      512u             /* packets that a NACK can still name; a power of two */
#define SINK_KEEP_US       SEC(1)
#define SINK_BACKOFF_US    MSEC(40)         /* after a resend the same number is left alone, doubling (webrtc.md 13) */
#define SINK_BACKOFF_MAX   5u               /* doublings: 40 ms .. 1.28 s */

/* What was sent under one of our numbers: enough to send it again with the same bytes (webrtc.md 13). */
struct sink_sent {
    uint16_t seq;                           /* ours */
    uint16_t from;                          /* the layer's own */
    uint32_t ts;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint8_t layer : 2;
    uint8_t resent : 3;
    uint8_t used : 1;
    uint8_t marker : 1;
    uint8_t epoch;
    uint8_t pad;
    uint16_t resent_ms;                     /* when last resent, low 16 bits */
};

struct sink_map {
    struct sink_sent sent[SINK_MAP_SIZE];
};

struct source;

struct sink {
    struct list by_source;                  /* in source.sinks while it has one */
    struct list changed;                    /* in media.layers */
    struct media *media;
    struct source *source;                  /* NULL: silent */
    struct port *port;                      /* NULL: not attached to an m-line */
    struct ref name;
    struct sink_options options;
    struct select_simulcast select;
    struct select_svc svc;                  /* behind it, where the source's layers come in one stream */
    bool has_svc;
    bool holds;                             /* the packet `held` waits for what follows it, `held_next` (select_svc.h) */
    uint16_t held;
    uint16_t held_next;
    bool rebase;                            /* the next packet goes on at out_seq + 1, its time by the clock */
    bool sent_any;
    bool answers_nack;
    bool impatient;                         /* gets every packet as it comes (media/hold.h): set before it gets a source */
    uint8_t epoch;
    uint32_t clock_hz;
    uint32_t ts_shift;                      /* out = in + shift */
    uint32_t ts_last;
    usec_t sent_at;
    struct seqmap seqs;
    struct seqmap pictures;                 /* VP8 picture ids, in 16 bits */
    uint8_t tl0_shift;
    uint8_t tl0_last;
    struct sink_map *map;                   /* made when first needed */
    uint64_t packets;
    uint64_t bytes;
};

/* Where a receiver's numbering stands. A sink that follows another on one m-line goes on from there: to the receiver they are
 * one stream, and a number must not come twice. */
struct sink_numbers {
    bool any;                               /* something has been sent */
    uint16_t seq;
    uint32_t ts;
    usec_t at;
    uint16_t picture_id;
    uint8_t tl0picidx;
};

/* NULL: at the limit. */
struct sink *sink_new(struct media *media, struct ref name, const struct sink_options *options, usec_t now);
void sink_free(struct sink *sink);

/* `answers_nack`: the receiver may ask for packets again. */
void sink_set_port(struct sink *sink, struct port *port, bool answers_nack, uint32_t clock_hz);
void sink_go_on(struct sink *sink, const struct sink_numbers *numbers);        /* before its first packet */
void sink_numbers_of(const struct sink *sink, struct sink_numbers *out);       /* `out` is left alone when nothing was sent */
void sink_set_options(struct sink *sink, const struct sink_options *options, usec_t now);
/* Another source, or none; seamless for the receiver. */
void sink_set_source(struct sink *sink, struct source *source, usec_t now);

/* It has begun to relay its source, and nothing has stopped it since. */
static inline bool sink_is_flowing(const struct sink *sink)
{
    return sink->select.substream >= 0 && !sink->rebase;
}

/* What it relays now, for those who are told: substream, or spatial layer, and temporal layer; -1: nothing, or not known yet. */
static inline struct svc_levels sink_levels(const struct sink *sink)
{
    return sink->has_svc ? sink->svc.told : (struct svc_levels){sink->select.substream, sink->select.temporal};
}

void sink_offer(struct sink *sink, const struct media_packet *packet);
/* The receiver lacks `seq` (ours). */
void sink_nack(struct sink *sink, usec_t now, uint16_t seq);

/* The source's report on our timeline: what our sender report says. False: nothing known yet. */
bool sink_report(const struct sink *sink, usec_t now, uint64_t wall_now_us, uint32_t *ts, uint64_t *wall_us);
